"""Verification, journal by journal: what each says, its sum, its platform entries, and the seal of its day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import orjson
import psycopg

from infrastructure.database.ledger.faults import MICROSECONDS, Fault, Progress, Row, stream
from infrastructure.database.ledger.seals import SealsAgain

_JOURNALS: Final = f"""
SELECT j.id::text, j.journal_type, j.idempotency_key, j.reference_type, j.reference_id::text, j.description_ar,
       j.description_en, j.reverses_journal_id::text, j.fingerprint, {MICROSECONDS.format("j.posted_at")}
FROM ledger_journals j ORDER BY j.id
"""
# The instant only where the hash is checked here: without a place in a chain there is no hash before.
_ENTRIES: Final = f"""
SELECT e.journal_id::text, e.line, e.account_id::text, e.amount_minor, e.currency, e.hash,
       CASE WHEN e.sequence IS NULL THEN {MICROSECONDS.format("e.occurred_at")} END
FROM ledger_entries e ORDER BY e.journal_id, e.line
"""
_HASH: Final = itemgetter(5)
_PLATFORM: Final = "SELECT id::text, currency FROM ledger_accounts WHERE NOT is_chained"


def find_broken_journal(connection: psycopg.Connection[Any], seals: SealsAgain, progress: Progress) -> Fault | None:
    """The first journal that is wrong, in the order of ids; each is also counted into the seal of its day."""
    # A few for each kind, unit and provider.
    platform: dict[str, str] = dict(stream(connection, "platform", _PLATFORM))
    movements = groupby(stream(connection, "entries", _ENTRIES, progress), key=itemgetter(0))
    moved, entries = next(movements, (None, ()))
    for journal in stream(connection, "journals", _JOURNALS):
        journal_id = journal[0]
        if moved != journal_id:
            return _missing(moved) if moved is not None and moved < journal_id else _of(journal_id, "it has no entries")
        legs = list(entries)
        fault = _wrong_legs(journal, legs, platform) or _wrong_words(journal, legs)
        if fault is not None:
            return fault
        seals.add(journal_id, int(journal[9]), map(_HASH, legs))
        moved, entries = next(movements, (None, ()))
    return None if moved is None else _missing(moved)


def _wrong_legs(journal: Row, legs: Iterable[Row], platform: Mapping[str, str]) -> Fault | None:
    """The first entry without a place in a chain that is wrong, or a unit whose entries do not cancel out."""
    said = journal[8]
    sums: dict[str, int] = {}
    # Once for each entry of the books, as in `chains`.
    for journal_id, line, account_id, amount, currency, digest, at in legs:
        sums[currency] = sums.get(currency, 0) + amount
        if at is None:
            continue
        if platform.get(account_id) != currency:
            return _entry(journal_id, line, account_id, "it is not of its account's kind")
        content = f"{journal_id}|{line}|{account_id}|0|{amount}|{currency}|0|{at}"
        if digest != sha256(said + content.encode()).digest():
            return _entry(journal_id, line, account_id, "its hash does not fit its content")
    return next((_of(journal[0], f"it is off by {off} {unit}") for unit, off in sums.items() if off), None)


def _wrong_words(journal: Row, legs: Iterable[Row]) -> Fault | None:
    """What a journal says is what its fingerprint was taken of."""
    journal_id, journal_type, key, reference_type, reference_id, ar, en, reverses, fingerprint, _ = journal
    # As `repositories.fingerprint` says it: an id is its text in JSON.
    said = [journal_type, key, reference_type, reference_id, ar, en, [leg[2:4] for leg in legs]]
    if reverses is not None:
        said.append(reverses)
    if sha256(orjson.dumps(said)).digest() != fingerprint:
        return _of(journal_id, "its fingerprint does not fit what it says")
    return None


def _missing(journal_id: str) -> Fault:
    return _of(journal_id, "it is missing, and its entries are there")


def _of(journal_id: str, reason: str) -> Fault:
    return Fault(f"journal {journal_id}", reason)


def _entry(journal_id: str, line: int, account_id: str, reason: str) -> Fault:
    return Fault(f"line {line} of journal {journal_id}, account {account_id}", reason)
