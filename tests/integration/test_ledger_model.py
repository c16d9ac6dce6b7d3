"""A model of the books agrees with PostgreSQL after every step, whatever is done to them (M3 to M9).

`LEDGER_EXAMPLES=5000` runs so many examples; the usual run takes few, to stay quick (docs/ledger-proofs.md).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from application.ledger.reversals import Reverse, reverse
from application.ports import NewUnitOfWork, UnitOfWork
from domain.ledger import accounts
from domain.ledger.accounts import POINTS_UNIT, AccountKind, AccountRef
from domain.ledger.debts import earn
from domain.ledger.journal import (
    Entry,
    InsufficientBalance,
    Journal,
    JournalKeyReused,
    JournalType,
    ReversalRefused,
    transfer,
)
from domain.ledger.lots import LotEntry, consume
from domain.shared.errors import DomainError, IllegalTransition
from domain.shared.money import Money
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database
from tests.builders import NOON, a_journal, a_lot
from tests.integration.books import hash_of
from tests.integration.shop import units_of_work
from tests.ledger_model import Hold, Lot, Model, by_unit
from tests.ledger_world import a_hold, a_mixed_payment

Thing = TypeVar("Thing")
EXAMPLES = int(os.environ.get("LEDGER_EXAMPLES") or "40")
STEPS = 20
PEOPLE, UNITS = st.integers(0, 1), st.sampled_from(["EGP", "KWD"])
AMOUNTS, SHARES = st.integers(1, 60) | st.integers(1, 10**6), st.integers(1, 5)
WHICH = st.integers(0, 2) | st.integers(0, 60)
"""Which of several, counted from the newest."""

ISSUED = accounts.platform(AccountKind.POINTS_ISSUED, POINTS_UNIT)
REDEEMED = accounts.platform(AccountKind.POINTS_REDEEMED, POINTS_UNIT)
EXPIRED = accounts.platform(AccountKind.EXPIRY_INCOME, POINTS_UNIT)

ENTRIES = """
SELECT e.journal_id, e.line, e.account_id, e.sequence, e.amount_minor, e.currency, e.balance_after_minor,
       e.occurred_at, e.hash, j.fingerprint, e.balance_before_minor
FROM ledger_entries e JOIN ledger_journals j ON j.id = e.journal_id
WHERE e.journal_id = ANY (%s) ORDER BY e.account_id, e.sequence
"""
HEADS = """
SELECT h.account_id, h.sequence, l.balance_minor, l.held_minor
FROM ledger_heads h JOIN ledger_lock(%s) l ON l.account_id = h.account_id
"""
LOTS = "SELECT id, remaining, greatest(expires_at, grace_until) FROM points_lots WHERE user_id = ANY (%s)"
ADD_PEOPLE = """
INSERT INTO users (id, email, password_hash, first_name, last_name, locale, status, roles, created_at)
SELECT id, id || '@example.com', 'x', 'A', 'B', 'en', 'ACTIVE', '{CUSTOMER}', now() FROM unnest(%s::uuid[]) AS id
"""
HOLDS = "SELECT id, status, captured_minor FROM balance_holds WHERE id = ANY (%s)"


@dataclass(frozen=True)
class Standing:
    """A clock that stands still."""

    instant: datetime

    def now(self) -> datetime:
        return self.instant


class Books(RuleBasedStateMachine):
    """Two people with wallets in two currencies and points, and all that can happen to them."""

    database: Database
    reader: psycopg.Connection[Any]
    new_uow: NewUnitOfWork

    @initialize()
    def open(self) -> None:
        self.model, self.now = Model(), NOON
        self.people = [new_id(), new_id()]
        self.posted: list[Journal] = []
        self.reversals: list[tuple[Reverse, UUID]] = []
        owned = [accounts.wallet(person, unit) for person in self.people for unit in ("EGP", "KWD")]
        owned += [accounts.points(person) for person in self.people]
        owned += [accounts.debt(person, unit) for person in self.people for unit in ("EGP", "KWD", POINTS_UNIT)]
        self.owned = {account.id: account for account in owned}
        self.known = dict(self.owned)
        self.reader.execute(ADD_PEOPLE, (self.people,))
        self._begin_with_something()

    def _begin_with_something(self) -> None:
        """Money for everybody, and points in two lots."""
        journals, lots = [], []
        for person in self.people:
            source = accounts.clearing("MODEL", "EGP")
            journals.append(self.journal(*transfer(source, accounts.wallet(person, "EGP"), 100)))
            for points, days in ((30, 2), (20, 1)):
                earned = self.journal(*transfer(ISSUED, accounts.points(person), points), kind=JournalType.EARNED)
                ends_at = self.now + timedelta(days=days)
                lots.append(a_lot(user_id=person, journal_id=earned.id, points=points, expires_at=ends_at))
                journals.append(earned)
        assert self.post(*journals, lots=lambda uow: [uow.ledger.add_lot(lot) for lot in lots])
        self.model.lots = {lot.id: Lot(lot.id, lot.user_id, lot.journal_id, lot.points, lot.expires_at) for lot in lots}
        self._pay_by_every_tender(self.people[0], "EGP", wallet=30, card=17, points=33)

    # Doing -------------------------------------------------------------------------------------------

    def attempt(self, work: Callable[[UnitOfWork], None], refused: type[DomainError] | None = None) -> bool:
        """Do it in a transaction; whether it was done, which has to be as expected."""
        try:
            with self.new_uow() as uow:
                work(uow)
                uow.commit()
        except DomainError as error:
            assert type(error) is refused, f"refused with {error!r}"
            return False
        assert refused is None, f"not refused with {refused}"
        return True

    def post(self, *journals: Journal, lots: Callable[[UnitOfWork], object] = lambda _: None) -> bool:
        def work(uow: UnitOfWork) -> None:
            uow.ledger.post(journals)
            lots(uow)

        enough = self.model.has_enough_for(journals)
        if not self.attempt(work, None if enough else InsufficientBalance):
            return False
        for journal in journals:
            self._remember(journal)
        return True

    def _remember(self, journal: Journal) -> None:
        self.posted.append(journal)
        self.known.update({entry.account.id: entry.account for entry in journal.entries})
        self.model.post(journal.id, journal.entries)

    def _spend_points(self, journal: Journal, owner: UUID, points: int) -> None:
        """Post what takes points, from the lots that end soonest."""

        def lots(uow: UnitOfWork) -> None:
            lots = uow.points.open_lots(owner, ending_after=None)
            uow.points.record({journal.id: consume(lots, points)})

        if self.post(journal, lots=lots):
            self.model.take(journal.id, owner, points)

    def journal(self, *entries: Entry, kind: JournalType = JournalType.PAYMENT) -> Journal:
        return a_journal(*entries, journal_type=kind, occurred_at=self.now)

    @rule(person=PEOPLE, unit=UNITS, amount=AMOUNTS)
    def deposit(self, person: int, unit: str, amount: int) -> None:
        wallet = accounts.wallet(self.people[person], unit)
        self.post(self.journal(*transfer(accounts.clearing("MODEL", unit), wallet, amount), kind=JournalType.DEPOSIT))

    @rule(person=PEOPLE, unit=UNITS, share=SHARES)
    def pay(self, person: int, unit: str, share: int) -> None:
        wallet = accounts.wallet(self.people[person], unit)
        prepaid = accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, unit)
        self.post(self.journal(*transfer(wallet, prepaid, self._some(wallet, share))))

    def _some(self, account: AccountRef, share: int) -> int:
        """A quarter of what is free, …, all of it, or (5) one more than there is."""
        free = self.model.available(account)
        return free + 1 if share == 5 else max(free * share // 4, 1)

    @rule(person=PEOPLE, unit=UNITS, share=SHARES, card=st.integers(0, 60), points=st.integers(1, 40))
    def pay_by_every_tender(self, person: int, unit: str, share: int, card: int, points: int) -> None:
        owner = self.people[person]
        wallet = self._some(accounts.wallet(owner, unit), share) if unit == "EGP" else 0
        self._pay_by_every_tender(owner, unit, wallet=wallet, card=card, points=points)

    def _pay_by_every_tender(self, owner: UUID, unit: str, *, wallet: int, card: int, points: int) -> None:
        payment = a_mixed_payment(owner, unit, wallet=wallet, card=card, points=points, points_value=2 * points)
        self._spend_points(replace(payment, occurred_at=self.now), owner, points)

    @rule(person=PEOPLE, share=SHARES)
    def redeem(self, person: int, share: int) -> None:
        owner = self.people[person]
        points = self._some(accounts.points(owner), share)
        spent = self.journal(*transfer(accounts.points(owner), REDEEMED, points), kind=JournalType.REDEEMED)
        self._spend_points(spent, owner, points)

    @rule(person=PEOPLE, points=AMOUNTS, days=st.integers(1, 3))
    def earn_points(self, person: int, points: int, days: int) -> None:
        owner = self.people[person]
        owed = self.model.owed(owner, POINTS_UNIT)
        legs = earn(ISSUED, accounts.points(owner), points, owed_minor=owed)
        journal, reached = self.journal(*legs, kind=JournalType.EARNED), max(points - owed, 0)
        lot = a_lot(user_id=owner, journal_id=journal.id, points=reached, expires_at=self.now + timedelta(days=days))
        assert self.post(journal, lots=lambda uow: uow.ledger.add_lot(lot) if reached else None)
        if reached:
            self.model.lots[lot.id] = Lot(lot.id, owner, journal.id, reached, lot.expires_at)

    @rule(days=st.integers(1, 2))
    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule(person=PEOPLE)
    def expire_points(self, person: int) -> None:
        owner = self.people[person]
        over = [lot for lot in self.model.lots.values() if lot.owner == owner and lot.ends_at <= self.now]
        entries = [LotEntry(lot.id, -lot.remaining) for lot in over if lot.remaining]
        points = -sum(entry.points for entry in entries)
        if not 0 < points <= self.model.available(accounts.points(owner)):
            return
        journal = self.journal(*transfer(accounts.points(owner), EXPIRED, points), kind=JournalType.EXPIRED)
        assert self.post(journal, lots=lambda uow: uow.points.record({journal.id: entries}))
        for entry in entries:
            self.model.lots[entry.lot_id].remaining = 0
            self.model.movements[journal.id].missing[entry.lot_id] = -entry.points

    @rule(person=PEOPLE, unit=UNITS, share=SHARES, takes=st.booleans())
    def adjust(self, person: int, unit: str, share: int, takes: bool) -> None:
        wallet, cost = accounts.wallet(self.people[person], unit), accounts.platform(AccountKind.ADJUSTMENTS, unit)
        ends = (wallet, cost) if takes else (cost, wallet)
        self.post(self.journal(*transfer(*ends, self._some(wallet, share)), kind=JournalType.ADJUSTMENT))

    @rule(person=PEOPLE, unit=UNITS, amount=AMOUNTS)
    def reward(self, person: int, unit: str, amount: int) -> None:
        """What is earned pays a debt first."""
        owner, cost = self.people[person], accounts.platform(AccountKind.ADJUSTMENTS, unit)
        legs = earn(cost, accounts.wallet(owner, unit), amount, owed_minor=self.model.owed(owner, unit))
        assert self.post(self.journal(*legs, kind=JournalType.BONUS))

    @rule(moves=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), AMOUNTS), min_size=1, max_size=4))
    def post_a_batch(self, moves: list[tuple[int, int, int]]) -> None:
        """All of it or none; place 2 is the outside world."""
        places = [*(accounts.wallet(person, "EGP") for person in self.people), accounts.clearing("MODEL", "EGP")]
        ends = [(places[source], places[target], amount) for source, target, amount in moves if source != target]
        self.post(*(self.journal(*transfer(*end)) for end in ends))

    # Holds -------------------------------------------------------------------------------------------

    @rule(person=PEOPLE, unit=st.sampled_from(["EGP", POINTS_UNIT]), share=SHARES)
    def hold(self, person: int, unit: str, share: int) -> None:
        account = AccountRef(
            AccountKind.POINTS if unit == POINTS_UNIT else AccountKind.WALLET, unit, self.people[person]
        )
        amount = self._some(account, share)
        hold = a_hold(account, amount)
        enough = self.model.available(account) >= amount
        if self.attempt(lambda uow: uow.ledger.add_hold(hold), None if enough else InsufficientBalance):
            self.model.holds[hold.id] = Hold(hold.id, account, amount)

    @precondition(lambda self: self.model.holds)
    @rule(which=WHICH, share=st.integers(1, 4))
    def capture(self, which: int, share: int) -> None:
        """A quarter of it, …, all of it."""
        hold = self._hold(which)
        amount = max(hold.amount * share // 4, 1)
        unit = hold.account.currency
        target = REDEEMED if unit == POINTS_UNIT else accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, unit)
        journal = self.journal(*transfer(hold.account, target, amount))
        owner = hold.account.owner
        assert owner is not None

        def work(uow: UnitOfWork) -> None:
            held = uow.ledger.get_hold(hold.id)
            held.capture(amount, journal_id=journal.id, at=self.now)
            uow.ledger.resolve_hold(held)
            uow.ledger.post([journal])
            if unit == POINTS_UNIT:
                lots = uow.points.open_lots(owner, ending_after=None)
                uow.points.record({journal.id: consume(lots, amount)})

        if self.attempt(work, None if hold.status == "ACTIVE" else IllegalTransition):
            hold.status, hold.captured = "CAPTURED", amount
            self._remember(journal)
            if unit == POINTS_UNIT:
                self.model.take(journal.id, owner, amount)

    @precondition(lambda self: self.model.holds)
    @rule(which=WHICH, runs_out=st.booleans())
    def end_a_hold(self, which: int, runs_out: bool) -> None:
        hold = self._hold(which)

        def work(uow: UnitOfWork) -> None:
            held = uow.ledger.get_hold(hold.id)
            (held.expire if runs_out else held.release)(at=self.now)
            uow.ledger.resolve_hold(held)

        if self.attempt(work, None if hold.status == "ACTIVE" else IllegalTransition):
            hold.status = "EXPIRED" if runs_out else "RELEASED"

    def _hold(self, which: int) -> Hold:
        return _newest(list(self.model.holds.values()), which)

    # Taking back -------------------------------------------------------------------------------------

    @rule(which=WHICH, allows_debt=st.booleans())
    def reverse_the_rest(self, which: int, allows_debt: bool) -> None:
        self.reverse(_newest(list(self.model.movements), which), 1000, allows_debt)

    @rule(which=WHICH, thousandths=st.integers(0, 999), allows_debt=st.booleans())
    def reverse_a_part(self, which: int, thousandths: int, allows_debt: bool) -> None:
        self.reverse(_newest(list(self.model.movements), which), thousandths, allows_debt)

    @rule(which=WHICH, thousandths=st.integers(0, 999))
    def reverse_a_part_of_what_points_paid_too(self, which: int, thousandths: int) -> None:
        mixed = [journal_id for journal_id, movement in self.model.movements.items() if movement.is_paid_with_points]
        self.reverse(_newest(mixed, which), thousandths, False)

    @rule(which=WHICH, thousandths=st.integers(0, 1000))
    def take_back_what_somebody_got(self, which: int, thousandths: int) -> None:
        """Spent or held meanwhile or not: it becomes debt."""
        gifts = [journal_id for journal_id, movement in self.model.movements.items() if movement.gave_somebody]
        self.reverse(_newest(gifts, which), thousandths, True)

    def reverse(self, journal_id: UUID, thousandths: int, allows_debt: bool) -> None:
        """A whole journal, or a part of its money; also one of which nothing is left, and a reversal."""
        movement = self.model.movements[journal_id]
        unit = next((name for name in by_unit(movement.entries) if name != POINTS_UNIT), POINTS_UNIT)
        left = movement.left(unit)
        is_part = unit != POINTS_UNIT and thousandths < 1000
        part = Money.of(max(left * thousandths // 1000, 1), unit) if is_part else None
        command = Reverse(journal_id=journal_id, idempotency_key=new_id().hex, part=part, allows_debt=allows_debt)
        try:
            reversal_id = reverse(command, uow=self.new_uow(), clock=Standing(self.now), new_id=new_id)
        except ReversalRefused:
            assert movement.reverses is not None or left == 0
        except InsufficientBalance:
            assert not allows_debt
            assert self._lacks_for(movement.moved, part.minor if part is not None else left)
        else:
            assert movement.reverses is None
            assert 0 < (part.minor if part is not None else left) <= left
            self._check_reversal(command, reversal_id, unit, left)

    def _lacks_for(self, moved: dict[AccountRef, int], at_most: int) -> bool:
        """Whether somebody who got something of it has less than may have to be taken back."""
        return any(
            account.owner is not None and minor > 0 and self.model.available(account) < min(minor, at_most)
            for account, minor in moved.items()
            if account.kind is not AccountKind.CUSTOMER_DEBT
        )

    def _check_reversal(self, command: Reverse, reversal_id: UUID, unit: str, left: int) -> None:
        rows = self.reader.execute(ENTRIES, ([reversal_id],)).fetchall()
        rows.sort(key=lambda row: row[1])
        entries = [Entry(self.known[row[2]], row[4]) for row in rows]
        self.model.reverse(command.journal_id, reversal_id, entries, at=self.now)
        self.reversals.append((command, reversal_id))
        movement = self.model.movements[command.journal_id]
        if command.part is None or command.part.minor == left:
            assert self.model.is_whole_again(command.journal_id)
            return
        assert movement.left(unit) == left - command.part.minor
        for account, minor in movement.moved.items():
            if account.kind is AccountKind.POINTS and minor < 0:
                assert movement.taken_back[account] == self.model.points_due_back(command.journal_id, unit)

    @precondition(lambda self: self.reversals)
    @rule(which=WHICH)
    def reverse_by_the_same_key(self, which: int) -> None:
        command, reversal_id = _newest(self.reversals, which)
        assert reverse(command, uow=self.new_uow(), clock=Standing(self.now), new_id=new_id) == reversal_id

    @rule(which=WHICH, says_the_same=st.booleans())
    def post_again(self, which: int, says_the_same: bool) -> None:
        journal = replace(_newest(self.posted, which), id=new_id())
        if says_the_same:
            assert self.attempt(lambda uow: uow.ledger.post([journal]))
        else:
            another = replace(journal, description_en="Another")
            self.attempt(lambda uow: uow.ledger.post([another]), JournalKeyReused)

    # What holds after each step ----------------------------------------------------------------------

    @invariant()
    def the_books_are_the_models(self) -> None:
        if not hasattr(self, "model"):
            return
        with self.reader.pipeline():
            questions = ((ENTRIES, list(self.model.movements)), (HEADS, list(self.owned)), (LOTS, self.people),
                         (HOLDS, list(self.model.holds)))  # fmt: skip
            answers = [self.reader.execute(sql, (ids,)) for sql, ids in questions]
        entries, heads, lots, holds = (answer.fetchall() for answer in answers)
        self._check_entries(entries)
        self._check_standing(heads)
        held = {lot.id: (lot.remaining, lot.ends_at) for lot in self.model.lots.values()}
        assert {lot_id: (remaining, ends_at) for lot_id, remaining, ends_at in lots} == held
        ended = {hold.id: (hold.status, hold.captured) for hold in self.model.holds.values()}
        assert {hold_id: (status, captured) for hold_id, status, captured in holds} == ended

    def _check_entries(self, rows: list[tuple[Any, ...]]) -> None:
        """Each journal is whole and even, each chain goes on, each hash fits; the sums are the model's."""
        sums: dict[AccountRef, int] = {}
        even: dict[tuple[UUID, str], int] = {}
        last: dict[UUID, tuple[int, int, bytes]] = {}
        for row in rows:
            journal_id, _, account_id, sequence, amount, unit, after, _, stored, _, before = row
            even[journal_id, unit] = even.get((journal_id, unit), 0) + amount
            account = self.known[account_id]
            sums[account] = sums.get(account, 0) + amount
            was = last.get(account_id, (0, 0, b""))
            assert hash_of(row[:10], was[2] if sequence is not None else b"") == stored
            if sequence is not None:
                assert (sequence, before, after) == (was[0] + 1, was[1], was[1] + amount)
                last[account_id] = (sequence, after, stored)
        assert not any(even.values())
        assert len(rows) == sum(self.model.entries.values())
        assert {account: minor for account, minor in sums.items() if minor} == {
            account: minor for account, minor in self.model.balances.items() if minor
        }

    def _check_standing(self, rows: list[tuple[Any, ...]]) -> None:
        """Heads, balances, holds and debts are the model's; what lots hold is what their owner's account says."""
        heads = {account_id: rest for account_id, *rest in rows}
        for account in self.owned.values():
            sequence, balance, held = heads.get(account.id, (0, 0, 0))
            assert (sequence, balance, held) == (
                self.model.entries[account], self.model.balances[account], self.model.held(account),
            )  # fmt: skip
            if account.kind is AccountKind.CUSTOMER_DEBT:
                assert balance <= 0
            else:
                assert balance >= held >= 0
        for person in self.people:
            assert self.model.in_lots(person) == self.model.balances[accounts.points(person)]


def _newest(things: Sequence[Thing], which: int) -> Thing:
    return things[-1 - which % len(things)]


@pytest.fixture
def books(module_addresses: DatabaseAddresses) -> Iterator[type[Books]]:
    """The machine on one database; every example has people of its own."""
    database = Database(module_addresses.app)
    with connect(module_addresses.app) as reader, closing(reader):
        yield type("BooksInPostgres", (Books,), {
            "database": database, "reader": reader, "new_uow": staticmethod(units_of_work(database)),
        })  # fmt: skip
    database.dispose()


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_a_model_of_the_books_agrees_after_every_step_whatever_is_done(books: type[Books]) -> None:
    run(
        books,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
