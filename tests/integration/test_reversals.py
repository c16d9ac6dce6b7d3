"""Reversals in PostgreSQL: whole or in any parts, every leg and the same lots, to the minor unit (M4, M6, M9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.ledger.reversals import Reverse, reverse
from domain.ledger import accounts
from domain.ledger.accounts import POINTS_UNIT, AccountKind, AccountRef
from domain.ledger.journal import (
    InsufficientBalance,
    Journal,
    JournalKeyReused,
    JournalNotFound,
    JournalType,
    ReversalRefused,
    transfer,
)
from domain.ledger.lots import consume
from domain.shared.money import Money
from infrastructure.clock import SystemClock, new_id
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.transaction import Database
from tests.builders import a_journal, a_lot
from tests.integration.books import Ledger, assert_books_are_right
from tests.integration.shop import a_stored_user
from tests.ledger_world import UNITS, a_mixed_payment, sums

ISSUED = accounts.platform(AccountKind.POINTS_ISSUED, POINTS_UNIT)


@pytest.fixture(scope="module")
def database(module_addresses: DatabaseAddresses) -> Iterator[Database]:
    opened = Database(module_addresses.app)
    yield opened
    opened.dispose()
    assert_books_are_right(module_addresses)


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


class Payer:
    """Somebody with money in a unit and points in lots of these sizes, the first of them the first to end."""

    def __init__(self, ledger: Ledger, unit: str, money: int, lots: Sequence[int]) -> None:
        self.ledger, self.unit, self.id = ledger, unit, a_stored_user(ledger.new_uow)
        self.wallet, self.points = accounts.wallet(self.id, unit), accounts.points(self.id)
        now = SystemClock().now()
        with ledger.new_uow() as uow:
            if money:
                uow.ledger.post([a_journal(*transfer(accounts.clearing("CARDS", unit), self.wallet, money))])
            for number, points in enumerate(lots):
                earned = a_journal(*transfer(ISSUED, self.points, points))
                ends_at = now + timedelta(days=400 + number)
                uow.ledger.post([earned])
                uow.ledger.add_lot(a_lot(user_id=self.id, journal_id=earned.id, points=points, expires_at=ends_at))
            uow.commit()

    def pay(self, *, wallet: int = 0, card: int = 0, points: int = 0, value: int = 0) -> Journal:
        payment = a_mixed_payment(self.id, self.unit, wallet=wallet, card=card, points=points, points_value=value)
        with self.ledger.new_uow() as uow:
            uow.ledger.post([payment])
            lots = uow.points.open_lots(self.id, ending_after=None)
            uow.points.record({payment.id: consume(lots, points)})
            uow.commit()
        return payment

    def reverse(self, payment: Journal, part: int | None = None, **how: object) -> UUID:
        command = Reverse(**{
            "journal_id": payment.id, "idempotency_key": new_id().hex,
            "part": Money.of(part, self.unit) if part is not None else None, **how,
        })  # type: ignore[arg-type]  # fmt: skip
        return reverse(command, uow=self.ledger.new_uow(), clock=SystemClock(), new_id=new_id)

    def lots(self) -> list[int]:
        rows = self.ledger.database.rows(
            "SELECT remaining FROM points_lots WHERE user_id = %s ORDER BY expires_at", (self.id,)
        )
        return [row["remaining"] for row in rows]

    def moved_by_reversals(self, payment: Journal) -> dict[UUID, int]:
        rows = self.ledger.database.rows(
            """SELECT e.account_id, sum(e.amount_minor)::bigint AS minor FROM ledger_journals r
               JOIN ledger_entries e ON e.journal_id = r.id WHERE r.reverses_journal_id = %s GROUP BY 1""",
            (payment.id,),
        )
        return {row["account_id"]: row["minor"] for row in rows}


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    unit=UNITS,
    wallet=st.integers(0, 10**6),
    card=st.integers(0, 10**6),
    value=st.integers(1, 10**6),
    lots=st.lists(st.integers(1, 30), min_size=1, max_size=4),
    spare=st.integers(0, 20),
    thousandths=st.lists(st.integers(1, 999), max_size=5),
)
def test_a_payment_of_every_tender_comes_back_to_the_minor_unit_and_to_the_same_lots(
    ledger: Ledger, unit: str, wallet: int, card: int, value: int, lots: list[int], spare: int, thousandths: list[int]
) -> None:
    payer = Payer(ledger, unit, wallet, lots)
    before, points = payer.lots(), max(sum(lots) - spare, 1)
    payment = payer.pay(wallet=wallet, card=card, points=points, value=value)

    left = wallet + card + value
    for share in thousandths:
        part = max(left * share // 1000, 1)
        if part >= left:
            break
        payer.reverse(payment, part)
        left -= part
    payer.reverse(payment)

    original = {account.id: minor for account, minor in sums(payment.entries).items()}
    assert payer.moved_by_reversals(payment) == {account: -minor for account, minor in original.items()}
    assert payer.lots() == before
    assert ledger.balance(payer.wallet) == wallet
    with pytest.raises(ReversalRefused):
        payer.reverse(payment)


def test_the_same_key_reverses_once_and_another_part_by_it_is_refused(ledger: Ledger) -> None:
    payer = Payer(ledger, "EGP", 100, [])
    payment = payer.pay(wallet=100)

    first = payer.reverse(payment, 30, idempotency_key="a")

    assert payer.reverse(payment, 30, idempotency_key="a") == first
    with pytest.raises(JournalKeyReused):
        payer.reverse(payment, 31, idempotency_key="a")
    assert ledger.balance(payer.wallet) == 30


def test_it_joins_an_open_unit_of_work_and_goes_with_it(ledger: Ledger) -> None:
    payer = Payer(ledger, "EGP", 100, [])
    payment = payer.pay(wallet=100)

    with ledger.new_uow():
        payer.reverse(payment, 30)
    assert ledger.balance(payer.wallet) == 0

    with ledger.new_uow() as uow:
        payer.reverse(payment, 30)
        uow.commit()
    assert ledger.balance(payer.wallet) == 30


def test_a_reversal_is_told_to_whoever_listens(ledger: Ledger) -> None:
    payer = Payer(ledger, "EGP", 100, [])
    payment = payer.pay(wallet=100)

    reversal_id = payer.reverse(payment, 30)

    (event,) = ledger.database.rows(
        "SELECT payload FROM outbox_events WHERE name = 'ledger.journal_reversed' AND payload ->> 'journal_id' = %s",
        (str(payment.id),),
    )
    assert event["payload"]["reversal_id"] == str(reversal_id)
    assert event["payload"]["journal_type"] == "PAYMENT"


def test_a_journal_that_is_not_there_is_not_reversed(ledger: Ledger) -> None:
    payer = Payer(ledger, "EGP", 100, [])

    with pytest.raises(JournalNotFound):
        payer.reverse(a_journal())


class TestPointsTakenBack:
    """A reversal that takes points leaves the lot that they came in first, then those that end soonest."""

    @pytest.fixture
    def earned(self, ledger: Ledger) -> tuple[Payer, Journal]:
        """Ten points in an older lot, then a bonus of 20 in a later one."""
        payer = Payer(ledger, "EGP", 0, [10])
        bonus = a_journal(*transfer(ISSUED, payer.points, 20), journal_type=JournalType.BONUS)
        ends_at = SystemClock().now() + timedelta(days=900)
        with ledger.new_uow() as uow:
            uow.ledger.post([bonus])
            uow.ledger.add_lot(a_lot(user_id=payer.id, journal_id=bonus.id, points=20, expires_at=ends_at))
            uow.commit()
        return payer, bonus

    def test_all_of_it(self, earned: tuple[Payer, Journal]) -> None:
        payer, bonus = earned

        payer.reverse(bonus)

        assert payer.lots() == [10, 0]

    def test_what_its_lot_lacks_comes_from_another(self, earned: tuple[Payer, Journal]) -> None:
        payer, bonus = earned
        payer.pay(card=1, points=15, value=1)

        with pytest.raises(InsufficientBalance):
            payer.reverse(bonus)
        payer.reverse(bonus, allows_debt=True)

        assert payer.lots() == [0, 0]
        assert payer.ledger.balance(accounts.debt(payer.id, POINTS_UNIT)) == -5

    def test_what_is_held_is_not_taken(self, earned: tuple[Payer, Journal]) -> None:
        payer, bonus = earned
        payer.ledger.hold(payer.points, 25)

        payer.reverse(bonus, allows_debt=True)

        assert payer.ledger.balance(payer.points) == 25
        assert payer.ledger.balance(accounts.debt(payer.id, POINTS_UNIT)) == -15


def test_what_was_spent_is_owed_in_its_own_currency(ledger: Ledger) -> None:
    payer = Payer(ledger, "KWD", 0, [])
    cost = accounts.platform(AccountKind.ADJUSTMENTS, "KWD")
    bonus = a_journal(*transfer(cost, payer.wallet, 1000), journal_type=JournalType.BONUS)
    ledger.post(bonus)
    payer.pay(wallet=400)

    payer.reverse(bonus, 900, allows_debt=True)

    assert ledger.balance(payer.wallet) == 0
    assert ledger.balance(AccountRef(AccountKind.CUSTOMER_DEBT, "KWD", payer.id)) == -300
