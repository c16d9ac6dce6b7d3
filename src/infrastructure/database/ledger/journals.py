"""Verification, journal by journal: what each says, its sum, its platform entries, and the seal of its day."""

from __future__ import annotations

from collections import defaultdict
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
SELECT id::text, journal_type, idempotency_key, reference_type, reference_id::text, description_ar, description_en,
       reverses_journal_id::text, fingerprint, {MICROSECONDS.format("posted_at")}
FROM ledger_journals ORDER BY id
"""
# The instant only where the hash is checked here: without a place in a chain there is no hash before.
_ENTRIES: Final = f"""
SELECT journal_id::text, line, account_id::text, amount_minor, currency, hash,
       CASE WHEN sequence IS NULL THEN {MICROSECONDS.format("occurred_at")} END
FROM ledger_entries ORDER BY journal_id, line
"""
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
        fault = _wrong_entry(journal, legs, platform) or _wrong_journal(journal, legs)
        if fault is not None:
            return fault
        seals.add(journal_id, journal[9], [leg[5] for leg in legs])
        moved, entries = next(movements, (None, ()))
    return None if moved is None else _missing(moved)


def _wrong_entry(journal: Row, legs: Iterable[Row], platform: Mapping[str, str]) -> Fault | None:
    """The first entry without a place in a chain that is wrong."""
    said = journal[8]
    for journal_id, line, account_id, amount, currency, digest, at in legs:
        if at is None:
            continue
        if platform.get(account_id) != currency:
            return _entry(journal_id, line, account_id, "it is not of its account's kind")
        content = f"{journal_id}|{line}|{account_id}|0|{amount}|{currency}|0|{at}"
        if digest != sha256(said + content.encode()).digest():
            return _entry(journal_id, line, account_id, "its hash does not fit its content")
    return None


def _wrong_journal(journal: Row, legs: Iterable[Row]) -> Fault | None:
    journal_id, journal_type, key, reference_type, reference_id, ar, en, reverses, fingerprint, _ = journal
    sums: defaultdict[str, int] = defaultdict(int)
    for leg in legs:
        sums[leg[4]] += leg[3]
    if any(sums.values()):
        unit, off = next((unit, off) for unit, off in sums.items() if off)
        return _of(journal_id, f"it is off by {off} {unit}")
    # As `repositories.fingerprint` says it: an id is its text in JSON.
    said = [journal_type, key, reference_type, reference_id, ar, en, [[leg[2], leg[3]] for leg in legs]]
    if reverses is not None:
        said.append(reverses)
    if sha256(orjson.dumps(said)).digest() != fingerprint:
        return _of(journal_id, "its fingerprint does not fit what it says")
    return None


def _missing(journal_id: str) -> Fault:
    return _of(journal_id, "it is missing, and its entries are there")


def _of(journal_id: str, reason: str) -> Fault:
    return Fault(row=f"journal {journal_id}", reason=reason, journal_id=journal_id)


def _entry(journal_id: str, line: int, account_id: str, reason: str) -> Fault:
    row = f"line {line} of journal {journal_id}, account {account_id}"
    return Fault(row=row, reason=reason, account_id=account_id, journal_id=journal_id)
