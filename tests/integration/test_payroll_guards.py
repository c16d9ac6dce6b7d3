"""The database's own walls around payroll, tried as the application's role and as the owner (J7, M5, M8)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.ledger.journal import InsufficientBalance, JournalType, transfer
from domain.payouts import batches, payouts
from infrastructure.bootstrap import Running
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.builders import a_journal
from tests.integration.payroll import Payee, Payroll

IN_TRANSIT = accounts.platform(AccountKind.PAYOUTS_IN_TRANSIT, "USD")

APPROVE = (
    "UPDATE payout_batches SET status = 'APPROVED', approved_by_user_id = %s, approved_at = now(), debtor_name = ''"
)


@pytest.fixture
def payroll(running: Running) -> Payroll:
    return Payroll.of(running)


@pytest.fixture
def owner(addresses: DatabaseAddresses) -> Iterator[psycopg.Connection[Any]]:
    with connect(addresses.owner) as connection:
        yield connection


def refused(owner: psycopg.Connection[Any], sql: str, *values: object) -> str:
    with pytest.raises(psycopg.Error) as error:
        owner.execute(sql, values)
    return error.value.sqlstate or ""


@pytest.mark.parametrize(("table", "module"), [("payout_batches", batches), ("payouts", payouts)])
def test_the_triggers_know_the_steps_of_the_domain(payroll: Payroll, table: str, module: Any) -> None:
    row = payroll.database.row(
        "SELECT tgargs FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname = 'goes_forward'", (table,)
    )
    assert row is not None
    steps = bytes(row["tgargs"]).split(b"\0")[0].decode().strip("{}")
    first = next(iter(module.NEXT))
    ours = {f">{first}"} | {f"{before}>{after}" for before, afters in module.NEXT.items() for after in afters}
    assert set(steps.split(",")) == ours


def test_nobody_approves_what_they_made(payroll: Payroll, owner: psycopg.Connection[Any]) -> None:
    payroll.make()
    assert refused(
        owner,
        "UPDATE payout_batches SET status = 'APPROVED', approved_by_user_id = created_by_user_id,"
        " approved_at = now(), debtor_name = ''",
    ) == "23514"  # fmt: skip


def test_a_draft_whose_money_did_not_leave_is_not_approved(payroll: Payroll, owner: psycopg.Connection[Any]) -> None:
    payroll.a_payee(8_000)
    payroll.make()
    assert refused(owner, APPROVE, payroll.manager) == "AL005"


BY_HAND = """
WITH made AS (
    INSERT INTO payouts (id, payout_number, batch_id, payee_id, payee_type, profile_id, account_id, method,
                         amount_minor, currency, status, created_at)
    SELECT gen_random_uuid(), 'PO-HAND', %(batch)s, e.payee_id, e.payee_type, p.id, e.account_id, 'WALLET', %(minor)s,
           e.currency, 'PENDING', now()
    FROM payable_entries e JOIN partner_profiles p ON p.user_id = e.payee_id WHERE e.id = %(payee_of)s
    RETURNING id)
INSERT INTO payout_entries SELECT taken, made.id FROM made, unnest(%(entries)s::uuid[]) AS taken
"""
"""A payout in a draft, with its links, in one statement."""


@pytest.fixture
def draft(payroll: Payroll) -> UUID:
    """A draft to which a test adds payouts by hand; somebody else is in it."""
    payroll.a_payee(9_999)
    return payroll.make().batch_id


def by_hand(draft: UUID, minor: int, *entries: UUID) -> dict[str, object]:
    return {"batch": draft, "minor": minor, "payee_of": entries[0], "entries": list(entries)}


def earned(payroll: Payroll, payee: Payee, minor: int) -> UUID:
    """An entry that is free, and was released before any draft of the test."""
    return payroll.earn(payee, minor, released_in=-timedelta(hours=1))


def test_a_payout_is_the_sum_of_its_links(payroll: Payroll, owner: psycopg.Connection[Any], draft: UUID) -> None:
    vendor, other = payroll.a_payee(), payroll.a_payee()
    first, second, theirs = earned(payroll, vendor, 8_000), earned(payroll, vendor, 500), earned(payroll, other, 500)
    wrongs = ((8_501, first, second), (8_500, first), (8_500, first, theirs))
    for minor, *entries in wrongs:
        with pytest.raises(psycopg.Error, match="not the sum of its entries"):
            owner.execute(BY_HAND, by_hand(draft, minor, *entries))
    owner.execute(BY_HAND, by_hand(draft, 8_500, first, second))
    payroll.approve(draft)


def test_a_payout_takes_what_is_released(payroll: Payroll, owner: psycopg.Connection[Any], draft: UUID) -> None:
    held = payroll.earn(payroll.a_payee(), 8_000, released_in=timedelta(hours=1))
    with pytest.raises(psycopg.Error, match="not the sum of its entries"):
        owner.execute(BY_HAND, by_hand(draft, 8_000, held))


def test_a_payout_comes_with_its_links(payroll: Payroll, owner: psycopg.Connection[Any], draft: UUID) -> None:
    """None is added afterwards, not even in the transaction that made it, and not even one that changes no sum."""
    payroll.a_payee(8_000)
    earlier = payroll.make()
    plus, minus = (earned(payroll, payee := payroll.a_payee(), 700), earned(payroll, payee, -700))
    with pytest.raises(psycopg.Error, match="has what it takes"):
        owner.execute(
            "INSERT INTO payout_entries SELECT e, p.id FROM payouts p, unnest(%s::uuid[]) AS e WHERE p.batch_id = %s",
            ([plus, minus], earlier.batch_id),
        )
    with pytest.raises(psycopg.Error, match="has what it takes"), owner.transaction():
        owner.execute(BY_HAND, by_hand(draft, 700, plus))
        owner.execute("INSERT INTO payout_entries SELECT %s, id FROM payouts WHERE payout_number = 'PO-HAND'", [minus])


def test_a_payout_without_links_is_not_approved(payroll: Payroll, owner: psycopg.Connection[Any], draft: UUID) -> None:
    owner.execute(BY_HAND, {**by_hand(draft, 700, earned(payroll, payroll.a_payee(), 700)), "entries": []})
    with pytest.raises(Exception, match="not the sum of its entries"):
        payroll.approve(draft)


def test_links_are_taken_away_with_a_cancelled_payout_alone(
    payroll: Payroll, owner: psycopg.Connection[Any], draft: UUID
) -> None:
    assert refused(owner, "DELETE FROM payout_entries") == "AL005"
    payroll.cancel(draft)
    assert owner.execute("SELECT count(*) FROM payout_entries").fetchone() == (0,)


def test_a_link_is_between_rows_that_are_there(payroll: Payroll, owner: psycopg.Connection[Any], draft: UUID) -> None:
    entry = earned(payroll, payroll.a_payee(), 500)
    assert refused(owner, "INSERT INTO payout_entries VALUES (%s, %s)", entry, entry) == "AL005"
    with pytest.raises(psycopg.Error, match="not the sum of its entries"):
        owner.execute(BY_HAND, by_hand(draft, 500, entry, draft))


def test_an_entry_is_taken_once(payroll: Payroll, owner: psycopg.Connection[Any]) -> None:
    payroll.a_payee(8_000)
    payroll.make()
    assert refused(owner, "INSERT INTO payout_entries SELECT * FROM payout_entries") == "23505"


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM payout_entries",
        "UPDATE payout_entries SET payout_id = payout_id",
        "DELETE FROM payouts",
        "UPDATE payouts SET amount_minor = amount_minor + 1",
        "UPDATE payouts SET journal_id = NULL",
        "UPDATE payouts SET payee_id = batch_id",
        "UPDATE payouts SET status = 'PAID', closed_at = now()",
        "UPDATE payout_batches SET status = 'DRAFT'",
        "UPDATE payout_batches SET status = 'COMPLETED', processing_at = now(), completed_at = now()",
        "UPDATE payout_batches SET cut_off = cut_off - interval '1 second'",
        "TRUNCATE payouts CASCADE",
        "TRUNCATE payout_entries",
    ],
)
def test_an_approved_batch_is_frozen(payroll: Payroll, owner: psycopg.Connection[Any], change: str) -> None:
    payroll.a_payee(8_000)
    made = payroll.make()
    payroll.approve(made.batch_id)
    before = payroll.payouts()
    assert refused(owner, change) in ("AL005", "23514")
    assert payroll.payouts() == before


def test_nothing_is_added_to_an_approved_batch(payroll: Payroll, owner: psycopg.Connection[Any]) -> None:
    vendor = payroll.a_payee(8_000)
    made = payroll.make()
    payroll.approve(made.batch_id)
    later = payroll.earn(vendor, 500)
    payout = payroll.payout_of(vendor)["id"]
    assert refused(owner, "INSERT INTO payout_entries VALUES (%s, %s)", later, payout) == "AL005"
    assert refused(
        owner,
        "INSERT INTO payouts (id, payout_number, batch_id, payee_id, payee_type, profile_id, account_id, method,"
        " amount_minor, currency, status, created_at) SELECT gen_random_uuid(), 'X', batch_id, payee_id, payee_type,"
        " profile_id, account_id, method, 1, 'EGP', 'PENDING', now() FROM payouts",
    ) == "AL005"  # fmt: skip


def test_a_batch_with_open_payouts_is_not_over(payroll: Payroll, owner: psycopg.Connection[Any]) -> None:
    payroll.a_payee(8_000)
    payroll.approved()
    assert refused(owner, "UPDATE payout_batches SET status = 'COMPLETED', completed_at = now()") == "AL005"


def test_a_payout_never_leaves_a_payable_account_below_zero(payroll: Payroll) -> None:
    vendor = payroll.a_payee(8_000)
    journal = a_journal(*transfer(vendor.account, IN_TRANSIT, 8_001), journal_type=JournalType.PAYOUT)
    with pytest.raises(InsufficientBalance), payroll.use.new_uow() as uow:
        uow.ledger.post([journal])
        uow.commit()
    payroll.earn(vendor, -8_001)
    assert payroll.owed(vendor) == -1


def test_more_than_was_released_is_not_paid_out(payroll: Payroll, owner: psycopg.Connection[Any]) -> None:
    """Past the use case: links, sums and balance are right, and what was released is not enough."""
    vendor = payroll.a_payee(8_000)
    made = payroll.make()
    payroll.earn(vendor, -3_000)
    payroll.earn(vendor, 3_000, released_in=timedelta(days=9))
    (payout,) = payroll.payouts(made.batch_id)
    journal = a_journal(
        *transfer(vendor.account, IN_TRANSIT, 8_000), journal_type=JournalType.PAYOUT, reference_id=payout["id"]
    )
    with payroll.use.new_uow() as uow:
        uow.ledger.post([journal])
        uow.payout_batches.posted({payout["id"]: journal.id})
        uow.commit()
    assert refused(owner, APPROVE, payroll.manager) == "AL001"


def test_nobody_who_was_erased_is_paid(payroll: Payroll, owner: psycopg.Connection[Any]) -> None:
    vendor = payroll.a_payee(8_000)
    owner.execute("UPDATE users SET erased_at = now() WHERE id = %s", [vendor.user_id])
    assert payroll.left_out(payroll.make().batch_id) == {vendor.user_id: "NOT_ACTIVE"}


def test_money_on_its_way_keeps_its_person(payroll: Payroll, owner: psycopg.Connection[Any]) -> None:
    vendor = payroll.a_payee(8_000, method="BANK_TRANSFER")
    payroll.approved()
    (blockers,) = owner.execute("SELECT erasure_blockers(%s, now())", [vendor.user_id]).fetchone() or ((),)
    assert "PAYOUTS" in blockers
