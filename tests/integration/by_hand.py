"""A ledger with one of everything in it, and journals written into its tables by hand, past the posting path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from domain.ledger import accounts
from domain.ledger.accounts import POINTS_UNIT, AccountKind, AccountRef
from domain.ledger.journal import Journal, JournalType, transfer
from domain.ledger.lots import LotEntry, consume
from infrastructure.clock import new_id
from infrastructure.database.ledger.repositories import _document
from tests.builders import NOON, a_journal, a_lot
from tests.integration.books import Ledger
from tests.integration.shop import a_stored_user

Session = psycopg.Connection[Any]
ISSUED = accounts.platform(AccountKind.POINTS_ISSUED, POINTS_UNIT)
REDEEMED = accounts.platform(AccountKind.POINTS_REDEEMED, POINTS_UNIT)
FIRST_OF_YEAR = "SELECT overlay(first_id_of_year(%s)::text PLACING %s FROM 25)::uuid"

_JOURNAL = """
INSERT INTO ledger_journals (id, journal_type, idempotency_key, reference_type, reference_id, description_ar,
                             description_en, fingerprint, occurred_at, reverses_journal_id)
VALUES (%s, %s, %s, 'TEST', %s, '', '', '\\x00', now(), %s)
"""
_ENTRIES = """
INSERT INTO {table} (journal_id, line, account_id, sequence, amount_minor, currency, balance_before_minor,
                     balance_after_minor, hash, occurred_at)
SELECT %s, n.line + %s, n.account, n.sequence, n.amount, n.currency, n.before, n.after, '\\x00', now()
FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::bigint[])
     WITH ORDINALITY AS n(account, amount, sequence, currency, before, after, line)
"""


@dataclass(frozen=True)
class Line:
    """One entry as somebody writes it; the balance after follows where nothing else is said."""

    account: UUID
    amount: int
    sequence: int | None = None
    before: int | None = None
    currency: str = "EGP"
    after: int | None = None

    @property
    def values(self) -> tuple[object, ...]:
        after = self.after
        if after is None and self.before is not None:
            after = self.before + self.amount
        return self.account, self.amount, self.sequence, self.currency, self.before, after


def write(
    session: Session,
    *lines: Line,
    journal: UUID | None = None,
    is_known: bool = False,
    kind: str = "ADJUSTMENT",
    reverses: UUID | None = None,
    table: str = "ledger_entries",
    behind: int = 0,
) -> None:
    """A journal and its entries, or entries of a journal that `is_known`, `behind` its lines."""
    written = journal or new_id()
    if not is_known:
        session.execute(_JOURNAL, (written, kind, str(new_id()), new_id(), reverses))
    columns: Sequence[list[object]] = [list(column) for column in zip(*(line.values for line in lines), strict=True)]
    session.execute(_ENTRIES.format(table=table), (written, behind, *columns))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Scene:
    """Somebody with 110 minor units in the wallet, of which 40 are held, 24 points in a lot, and a debt of 50.

    `payment` took 60 from the wallet, `reversal` gave 20 back; `redemption` took 10 points, of which 4 came back.
    """

    person: UUID
    wallet: AccountRef
    points: AccountRef
    debt: AccountRef
    clearing: AccountRef
    prepaid: AccountRef
    deposit: Journal
    payment: Journal
    reversal: UUID
    redemption: Journal
    lot: UUID
    hold: UUID
    ended: UUID

    def in_wallet(self, amount: int, **changes: Any) -> Line:
        """The next entry of the wallet, unless the changes say otherwise."""
        return Line(**{"account": self.wallet.id, "amount": amount, "sequence": 5, "before": 110, **changes})

    def at_clearing(self, amount: int, **changes: Any) -> Line:
        return Line(**{"account": self.clearing.id, "amount": amount, **changes})

    def prepaying(self, amount: int) -> Line:
        return Line(self.prepaid.id, amount)


def a_scene(ledger: Ledger) -> Scene:
    """All of it, posted and written as the application does."""
    person = a_stored_user(ledger.new_uow)
    wallet, points, debt = accounts.wallet(person, "EGP"), accounts.points(person), accounts.debt(person, "EGP")
    deposit = a_journal(*transfer(ledger.clearing, wallet, 160))
    payment = a_journal(*transfer(wallet, ledger.prepaid, 60), journal_type=JournalType.PAYMENT)
    ledger.post(deposit, payment, a_journal(*transfer(debt, ledger.clearing, 50)))
    reversal = ledger.reverse(payment.id, 20)
    ended = ledger.hold(wallet, 15)
    _capture(ledger, ended, wallet, 10)
    lot = a_lot(user_id=person, journal_id=new_id(), points=30)
    earned = a_journal(*transfer(ISSUED, points, 30), id=lot.journal_id)
    redemption = a_journal(*transfer(points, REDEEMED, 10), journal_type=JournalType.REDEEMED)
    with ledger.new_uow() as uow:
        uow.ledger.post([earned, redemption])
        uow.ledger.add_lot(lot)
        held = uow.points.open_lots(person, ending_after=None)
        uow.points.record({redemption.id: consume(held, 10)})
        given_back = a_journal(
            *transfer(REDEEMED, points, 4), journal_type=JournalType.REVERSAL, reverses=redemption.id
        )
        uow.ledger.post([given_back])
        lots = uow.reversals.get(redemption.id).outstanding[person]
        uow.points.record({given_back.id: [LotEntry(lots[0].id, 4)]})
        uow.commit()
    return Scene(
        person, wallet, points, debt, ledger.clearing, ledger.prepaid, deposit, payment, reversal, redemption,
        lot.id, ledger.hold(wallet, 40), ended,
    )  # fmt: skip


def _capture(ledger: Ledger, hold_id: UUID, wallet: AccountRef, amount: int) -> None:
    with ledger.new_uow() as uow:
        hold, journal = uow.ledger.get_hold(hold_id), a_journal(*transfer(wallet, ledger.prepaid, amount))
        hold.capture(amount, journal_id=journal.id, at=NOON)
        uow.ledger.resolve_hold(hold)
        uow.ledger.post([journal])
        uow.commit()


def document(journal: Journal, **changes: object) -> dict[str, object]:
    """A journal with its legs as `ledger_post` knows them, unless the changes say otherwise."""
    legs = [
        [of.id, of.kind, of.currency, of.owner, of.provider, leg.amount_minor]
        for leg in journal.entries
        for of in (leg.account,)
    ]
    return {**_document(journal), "entries": legs, **changes}
