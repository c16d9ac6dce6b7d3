"""The posting path: journals that the domain made, posted by one database function."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from uuid import UUID

import orjson

from application.ledger.posting_ports import Standing
from domain.ledger.accounts import AccountKind, AccountRef
from domain.ledger.holds import BalanceHold, HoldNotFound, HoldStatus
from domain.ledger.journal import Journal
from domain.ledger.points import PointsLot
from infrastructure.database.transaction import Row, Statements

_POST = "INSERT INTO ledger_postings (journals, legs) VALUES (%s::jsonb, %s::jsonb)"
_TRANSFER = """
INSERT INTO ledger_transfers (
    journal_id, journal_type, idempotency_key, fingerprint, reference_type, reference_id, description_ar,
    description_en, occurred_at, currency, first_account_id, second_account_id, amount_minor, line, legs)
VALUES (%b, %s, %s, %b, %s, %b, %s, %s, %b, %s, %b, %b, %s, %s, %s)
"""
_LOCK = "SELECT account_id, balance_minor, held_minor FROM ledger_lock(%s::uuid[])"
_ADD_HOLD = """
INSERT INTO balance_holds (id, account_id, amount_minor, currency, status, reference_type, reference_id, created_at,
                           expires_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_HOLD = """
SELECT h.*, a.kind, a.user_id FROM balance_holds h JOIN ledger_accounts a ON a.id = h.account_id
WHERE h.id = %s FOR NO KEY UPDATE OF h
"""
_DUE_HOLDS = """
SELECT h.*, a.kind, a.user_id FROM balance_holds h JOIN ledger_accounts a ON a.id = h.account_id
WHERE h.status = 'ACTIVE' AND h.expires_at < %s
ORDER BY h.expires_at LIMIT %s FOR NO KEY UPDATE OF h SKIP LOCKED
"""
_RESOLVE_HOLD = """
UPDATE balance_holds SET status = %s, captured_minor = %s, journal_id = %s, resolved_at = %s WHERE id = %s
"""
_ADD_LOT = """
INSERT INTO points_lots (id, user_id, journal_id, points, earned_at, expires_at) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (journal_id) DO NOTHING
"""


class SqlLedger:
    """Implements `application.ledger.posting_ports.Ledger`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def post(self, journals: Sequence[Journal]) -> None:
        if len(journals) == 1 and _is_transfer(journals[0]):
            self._statements.execute(_TRANSFER, _columns(journals[0]))
            return
        told = orjson.dumps([_document(journal) for journal in journals]).decode()
        legs = orjson.dumps(_legs(journals)).decode()
        self._statements.execute(_POST, (told, legs))

    def lock(self, accounts: Iterable[AccountRef]) -> Mapping[AccountRef, Standing]:
        by_id = {account.id: account for account in accounts}
        standing = dict.fromkeys(by_id.values(), Standing(0, 0))
        for row in self._statements.rows(_LOCK, (list(by_id),)):
            standing[by_id[row["account_id"]]] = Standing(row["balance_minor"], row["held_minor"])
        return standing

    def add_hold(self, hold: BalanceHold) -> None:
        self._statements.execute(
            _ADD_HOLD,
            (hold.id, hold.account.id, hold.amount_minor, hold.account.currency, hold.status, hold.reference_type,
             hold.reference_id, hold.created_at, hold.expires_at),
        )  # fmt: skip

    def get_hold(self, hold_id: UUID) -> BalanceHold:
        row = self._statements.row(_HOLD, (hold_id,))
        if row is None:
            raise HoldNotFound()
        return _hold(row)

    def due_holds(self, *, before: datetime, limit: int) -> Sequence[BalanceHold]:
        holds = [_hold(row) for row in self._statements.rows(_DUE_HOLDS, (before, limit))]
        # In one order, whatever order they end in: whoever posts to two of these accounts waits, and is not waited for.
        self.lock(hold.account for hold in holds)
        return holds

    def resolve_hold(self, hold: BalanceHold) -> None:
        self._statements.execute(
            _RESOLVE_HOLD, (hold.status, hold.captured_minor, hold.journal_id, hold.resolved_at, hold.id)
        )

    def add_lot(self, lot: PointsLot) -> None:
        self._statements.execute(
            _ADD_LOT, (lot.id, lot.user_id, lot.journal_id, lot.points, lot.earned_at, lot.expires_at)
        )


def _hold(row: Row) -> BalanceHold:
    return BalanceHold(
        id=row["id"],
        account=AccountRef(AccountKind(row["kind"]), row["currency"], row["user_id"]),
        amount_minor=row["amount_minor"],
        captured_minor=row["captured_minor"],
        status=HoldStatus(row["status"]),
        reference_type=row["reference_type"],
        reference_id=row["reference_id"],
        journal_id=row["journal_id"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        resolved_at=row["resolved_at"],
    )


def _is_transfer(journal: Journal) -> bool:
    """Whether it moves one amount between two accounts, and takes nothing back: the short way is for such."""
    entries = journal.entries
    return len(entries) == 2 and journal.reverses is None and entries[0].account.id != entries[1].account.id


def _columns(journal: Journal) -> tuple[object, ...]:
    """What `ledger_transfers` takes of a transfer."""
    (first, second), line = journal.entries, "1"
    if second.account.id < first.account.id:
        first, second, line = second, first, "2"
    legs = [[of.id, of.kind, of.currency, of.owner, of.provider] for of in (first.account, second.account)]
    return (
        journal.id, journal.journal_type, journal.idempotency_key, fingerprint(journal),
        journal.reference_type, journal.reference_id, journal.description_ar, journal.description_en,
        journal.occurred_at, first.account.currency, first.account.id, second.account.id,
        # As text: a number would be of another type, and the statement another one, depending on how large it is.
        str(first.amount_minor), line, orjson.dumps(legs).decode(),
    )  # fmt: skip


def _document(journal: Journal) -> dict[str, object]:
    return {
        "id": journal.id,
        "type": journal.journal_type,
        "key": journal.idempotency_key,
        "fingerprint": fingerprint(journal).hex(),
        "reference_type": journal.reference_type,
        "reference_id": journal.reference_id,
        "ar": journal.description_ar,
        "en": journal.description_en,
        "at": journal.occurred_at,
        "reverses": journal.reverses,
    }


def _legs(journals: Sequence[Journal]) -> list[list[object]]:
    """All legs in the order in which their accounts are locked."""
    legs: list[list[object]] = [
        [of.id, of.kind, of.currency, of.owner, of.provider, entry.amount_minor, place, line]
        for place, journal in enumerate(journals)
        for line, entry in enumerate(journal.entries, start=1)
        for of in (entry.account,)
    ]
    legs.sort(key=itemgetter(0, 6, 7))
    return legs


def fingerprint(journal: Journal) -> bytes:
    """SHA-256 of what a journal says, without its id and time: the same for every retry of one movement."""
    said = [
        journal.journal_type,
        journal.idempotency_key,
        journal.reference_type,
        journal.reference_id,
        journal.description_ar,
        journal.description_en,
        [[entry.account.id, entry.amount_minor] for entry in journal.entries],
    ]
    if journal.reverses is not None:
        said.append(journal.reverses)
    return hashlib.sha256(orjson.dumps(said)).digest()
