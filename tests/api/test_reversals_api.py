"""Movements that staff take back by hand: who may, of what, once, and what is left behind."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from werkzeug.test import TestResponse

from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.ledger.journal import Journal, JournalType, transfer
from domain.ledger.reversals import BY_HAND
from tests.api.personas import Persona, Personas
from tests.api.shop import Shop, problem
from tests.builders import a_journal

pytestmark = pytest.mark.database

COST = accounts.platform(AccountKind.ADJUSTMENTS, "EGP")
REASON = "entered twice"


class Desk:
    """Finance, and the movements they look at."""

    def __init__(self, shop: Shop, personas: Personas) -> None:
        self.shop, self.finance = shop, personas.named("finance")
        self.customer = personas.named("customer")
        self.wallet = accounts.wallet(self.customer.user_id, "EGP")

    def moved(self, amount: int = 10_000, kind: JournalType = JournalType.ADJUSTMENT) -> Journal:
        """Something given to the customer."""
        journal = a_journal(*transfer(COST, self.wallet, amount), journal_type=kind)
        self.post(journal)
        return journal

    def spend(self, amount: int) -> None:
        self.post(a_journal(*transfer(self.wallet, COST, amount)))

    def post(self, journal: Journal) -> None:
        with self.shop.running.dependencies.new_uow() as uow:
            uow.ledger.post([journal])
            uow.commit()

    def reverse(
        self, journal_id: UUID, body: Any = None, *, who: Persona | None = None, key: str | None = None
    ) -> TestResponse:
        person = (who or self.finance).person
        path = f"/api/v1/admin/ledger/journals/{journal_id}/reversal"
        return self.shop.post(path, person, {"reason": REASON} if body is None else body, key=key or uuid4().hex)

    def balance(self) -> int:
        return self.shop.running.dependencies.queries.ledger.balance(self.wallet.id)


@pytest.fixture
def desk(shop: Shop, personas: Personas) -> Desk:
    return Desk(shop, personas)


def egp(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EGP"}


def test_a_movement_is_taken_back_in_parts_and_then_no_more(desk: Desk) -> None:
    journal = desk.moved()

    part = desk.shop.done(desk.reverse(journal.id, {"reason": REASON, "amount": egp("30.00")}), 201)
    assert part["reverses_journal_id"] == str(journal.id)
    assert desk.balance() == 7_000

    desk.shop.done(desk.reverse(journal.id), 201)
    assert desk.balance() == 0
    problem(desk.reverse(journal.id), 409, "reversal_refused")


def test_the_reason_is_in_the_audit_log_and_not_in_the_books(desk: Desk) -> None:
    journal = desk.moved()

    answer = desk.reverse(journal.id, {"reason": REASON, "amount": egp("30.00")})

    (row,) = desk.shop.database.rows("SELECT * FROM audit_logs WHERE resource_id = %s", (journal.id,))
    assert (row["action"], row["resource_type"], row["user_id"]) == (
        "ledger.reverse", "JOURNAL", desk.finance.user_id,
    )  # fmt: skip
    assert row["changes"]["reason"] == REASON
    assert row["changes"]["after"] == {"reversal_id": answer.json["id"], "part": "EGP 30.00"}  # type: ignore[index]
    (reversal,) = desk.shop.database.rows("SELECT * FROM ledger_journals WHERE reverses_journal_id = %s", (journal.id,))
    assert REASON not in str(reversal)
    assert (reversal["description_en"], reversal["description_ar"]) == ("Reversal: Test", "عكس: اختبار")


def test_the_same_key_takes_back_once(desk: Desk) -> None:
    journal, body = desk.moved(), {"reason": REASON, "amount": egp("30.00")}

    answers = [desk.shop.done(desk.reverse(journal.id, body, key="once"), 201) for _ in range(2)]

    assert answers[0] == answers[1]
    assert desk.balance() == 7_000


def test_what_was_spent_is_refused_or_owed(desk: Desk) -> None:
    journal = desk.moved()
    desk.spend(9_000)

    problem(desk.reverse(journal.id), 422, "insufficient_balance")
    desk.shop.done(desk.reverse(journal.id, {"reason": REASON, "allow_debt": True}), 201)

    owed = accounts.debt(desk.customer.user_id, "EGP")
    assert desk.balance() == 0
    assert desk.shop.running.dependencies.queries.ledger.balance(owed.id) == -9_000


def test_what_something_else_accounts_for_is_not_reversed_here(desk: Desk) -> None:
    elsewhere = sorted(set(JournalType) - BY_HAND - {JournalType.REVERSAL})
    assert {JournalType.PAYMENT, JournalType.DEPOSIT, JournalType.REFUND} <= set(elsewhere)
    for kind in elsewhere:
        problem(desk.reverse(desk.moved(kind=kind).id), 409, "not_reversed_by_hand")

    assert desk.balance() == len(elsewhere) * 10_000


def test_nobody_takes_back_what_moved_their_own_money(desk: Desk) -> None:
    own = accounts.wallet(desk.finance.user_id, "EGP")
    journal = a_journal(*transfer(COST, own, 10_000), journal_type=JournalType.ADJUSTMENT)
    taken = a_journal(*transfer(own, COST, 4_000), journal_type=JournalType.ADJUSTMENT)
    desk.post(journal)
    desk.post(taken)

    for one in (journal, taken):
        problem(desk.reverse(one.id), 403, "own_request")

    assert desk.shop.running.dependencies.queries.ledger.balance(own.id) == 6_000


def test_more_than_one_person_moves_alone_is_adjusted_back_and_not_reversed(desk: Desk) -> None:
    journal = desk.moved(150_000)

    problem(desk.reverse(journal.id), 409, "reversal_above_limit")
    desk.shop.done(desk.reverse(journal.id, {"reason": REASON, "amount": egp("600.00")}), 201)
    problem(desk.reverse(journal.id, {"reason": REASON, "amount": egp("400.01")}), 409, "reversal_above_limit")
    desk.shop.done(desk.reverse(journal.id, {"reason": REASON, "amount": egp("400.00")}), 201)

    assert desk.balance() == 50_000


def test_what_becomes_a_debt_counts_towards_what_one_person_moves_alone(desk: Desk) -> None:
    journal = desk.moved(100_001)
    desk.spend(50_000)

    problem(desk.reverse(journal.id, {"reason": REASON, "allow_debt": True}), 409, "reversal_above_limit")

    assert desk.balance() == 50_001


def test_a_reversal_is_not_reversed(desk: Desk) -> None:
    reversal = desk.shop.done(desk.reverse(desk.moved().id), 201)

    problem(desk.reverse(UUID(reversal["id"])), 409, "reversal_refused")


def test_a_movement_that_is_not_there(desk: Desk) -> None:
    problem(desk.reverse(uuid4()), 404, "journal_not_found")


def test_a_request_that_makes_no_sense_names_the_field(desk: Desk) -> None:
    journal = desk.moved()
    for body, pointer in (
        ({}, "/reason"),
        ({"reason": "no"}, "/reason"),
        ({"reason": REASON, "amount": egp("1.001")}, "/amount"),
        ({"reason": REASON, "amount": "30.00"}, "/amount"),
        ({"reason": REASON, "allow_debt": "perhaps"}, "/allow_debt"),
        ({"reason": REASON, "type": "REFUND"}, "/type"),
    ):
        problem(desk.reverse(journal.id, body), 422, "validation_failed", pointer=pointer)


def test_a_part_is_of_what_was_moved(desk: Desk) -> None:
    journal = desk.moved()
    for amount in (egp("0.00"), egp("-1.00"), egp("100.01"), {"amount": "1.00", "currency": "USD"}):
        problem(desk.reverse(journal.id, {"reason": REASON, "amount": amount}), 409, "reversal_refused")

    assert desk.balance() == 10_000


def test_a_key_is_needed(desk: Desk) -> None:
    path = f"/api/v1/admin/ledger/journals/{desk.moved().id}/reversal"

    answer = desk.shop.client.post(path, json={"reason": REASON}, headers=desk.finance.headers)

    problem(answer, 400, "idempotency_key_missing")


def test_only_who_may_reverse_does(desk: Desk, personas: Personas) -> None:
    journal = desk.moved()
    refusals = {
        "customer": "wrong_surface",
        "agent": "wrong_surface",
        "vendor": "wrong_surface",
        "employee": "forbidden",
    }

    for name, code in refusals.items():
        problem(desk.reverse(journal.id, who=personas.named(name)), 403, code)
    assert desk.balance() == 10_000
