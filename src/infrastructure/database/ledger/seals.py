"""Seals of the ledger's days: made by the database function `ledger_seal`, and made again from the rows to compare."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import psycopg

from domain.ledger.seals import Seal
from domain.shared.clock import BUSINESS_ZONE
from infrastructure.database.ledger.faults import Fault, microseconds, stream
from infrastructure.database.transaction import Statements

CHUNK: Final = 1_000
"""Entries under one digest, so that the database hashes a day of any length in little memory."""

SECONDS: Final = 90
"""What one day's seal may take: longer than a request, shorter than a periodic job's lease."""

_LET_IT_TAKE_TIME: Final = """
SELECT set_config('statement_timeout', %(ms)s::text, true), set_config('lock_timeout', %(ms)s::text, true)
"""
_SEALS: Final = """
SELECT number, business_day, sealed_until, journals, entries, journals_xor, previous_root, root
FROM ledger_seals ORDER BY number
"""


class SqlSeals:
    """Implements `application.ledger.posting_ports.Seals`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def seal_next_day(self) -> Seal | None:
        self._statements.execute(_LET_IT_TAKE_TIME, {"ms": SECONDS * 1000})
        row = self._statements.row("SELECT number, business_day, journals, entries, root FROM ledger_seal()")
        return None if row is None else Seal(**{**row, "root": bytes(row["root"])})


class SealAgain:
    """One seal as it is stored, beside what the rows of its day come to."""

    def __init__(
        self, number: int, business_day: date, sealed_until: datetime, journals: int, entries: int, journals_xor: UUID,
        previous_root: bytes, root: bytes,
    ) -> None:  # fmt: skip
        self.number = number
        self.business_day = business_day
        self.sealed_until = sealed_until
        self.previous_root = previous_root
        self.root = root
        self._sealed = (journals, entries, journals_xor)
        header = f"{number}|{business_day.isoformat()}|{journals}|{entries}|{journals_xor}"
        self._digest = sha256(previous_root + header.encode())
        self._chunk = sha256()
        self._journals = self._entries = self._xor = 0

    def add(self, journal_id: str, hashes: Iterable[bytes]) -> None:
        """Count a journal in, and its entries' hashes in the order of their lines."""
        self._journals += 1
        self._xor ^= int(journal_id.replace("-", ""), 16)
        for one in hashes:
            self._chunk.update(one)
            self._entries += 1
            if self._entries % CHUNK == 0:
                self._close_chunk()

    def fault(self) -> Fault | None:
        """What is wrong with the day; the journal itself where one was taken away, or one added."""
        journals, entries, xor = self._sealed
        more, differing = self._journals - journals, UUID(int=self._xor ^ xor.int)
        if abs(more) == 1:
            done = "added to the day after it was sealed" if more > 0 else "sealed with the day and is gone"
            return self._of(f"journal {differing} was {done}")
        if (more, self._entries, differing.int) != (0, entries, 0):
            was, now = f"{journals} journals with {entries} entries", f"{self._journals} with {self._entries}"
            return self._of(f"{was} were sealed, and there are {now}, or others")
        if self._entries % CHUNK:
            self._close_chunk()
        if self._digest.digest() != self.root:
            return self._of("its root does not fit the entries of its day")
        return None

    def follows(self, before: SealAgain | None) -> Fault | None:
        """What is wrong with its place after the seal before."""
        if self.number != (before.number + 1 if before else 1):
            return self._of("the seal before it is missing")
        if self.previous_root != (before.root if before else bytes(32)):
            return self._of("it was not made on the root of the seal before")
        if before and self.business_day != before.business_day + timedelta(days=1):
            return self._of("its day is not the one after that of the seal before")
        midnight = datetime.combine(self.business_day + timedelta(days=1), datetime.min.time(), BUSINESS_ZONE)
        if microseconds(self.sealed_until) != microseconds(midnight):
            return self._of("it does not end with its day")
        return None

    def _close_chunk(self) -> None:
        self._digest.update(self._chunk.digest())
        self._chunk = sha256()

    def _of(self, reason: str) -> Fault:
        return Fault(f"seal {self.number} of {self.business_day}", reason)


class SealsAgain:
    """All seals, made again while journals pass in the order of their ids; a kilobyte for each sealed day."""

    def __init__(self, seals: Sequence[SealAgain]) -> None:
        self._seals = seals
        self._ends = [microseconds(seal.sealed_until) for seal in seals]
        self._since = self._until = 0
        self._current: SealAgain | None = None

    def __len__(self) -> int:
        return len(self._seals)

    @classmethod
    def of(cls, connection: psycopg.Connection[Any]) -> SealsAgain:
        return cls([SealAgain(*row) for row in stream(connection, "seals", _SEALS)])

    def add(self, journal_id: str, posted_at: int, hashes: Iterable[bytes]) -> None:
        """Count a journal into the seal of the day that it was posted on (microseconds), if that is sealed."""
        if not self._since <= posted_at < self._until:
            self._turn_to(posted_at)
        if self._current is not None:
            self._current.add(journal_id, hashes)

    def _turn_to(self, posted_at: int) -> None:
        place = bisect_right(self._ends, posted_at)
        is_sealed = place < len(self._ends)
        self._current = self._seals[place] if is_sealed else None
        self._since = self._ends[place - 1] if place else -(2**63)
        self._until = self._ends[place] if is_sealed else 2**63

    def find_broken(self) -> Fault | None:
        """The first seal that is wrong, after all journals have passed."""
        before: SealAgain | None = None
        for seal in self._seals:
            fault = seal.follows(before) or seal.fault()
            if fault is not None:
                return fault
            before = seal
        return None

    def has_root(self, root: bytes) -> bool:
        """Whether some seal has this root."""
        return any(seal.root == root for seal in self._seals)
