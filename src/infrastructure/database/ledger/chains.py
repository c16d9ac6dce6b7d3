"""Verification, account by account: each chain from its first entry to its head."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple
from uuid import UUID

import psycopg

from domain.ledger.accounts import CHART, AccountRef, ChartLine, Standing
from infrastructure.database.ledger.faults import MICROSECONDS, Fault, Progress, Row, stream

_ACCOUNTS: Final = """
SELECT a.id::text, a.kind, a.currency, a.user_id, a.provider, a.is_chained, h.sequence, h.journal_id::text, h.line,
       h.balance_minor, coalesce(h.hash, ''), h.kind, h.currency
FROM ledger_accounts a LEFT JOIN ledger_heads h ON h.account_id = a.id ORDER BY a.id
"""
# Sorted as they are stored, and put in text only then: less goes through the sort's files.
_ENTRIES: Final = f"""
SELECT account_id::text, journal_id::text, line, sequence, amount_minor, currency, balance_before_minor,
       balance_after_minor, {MICROSECONDS.format("occurred_at")}, hash, fingerprint
FROM (SELECT e.*, j.fingerprint FROM ledger_entries e LEFT JOIN ledger_journals j ON j.id = e.journal_id
      WHERE e.sequence IS NOT NULL ORDER BY e.account_id, e.sequence) sorted
"""
_KINDS: Final = "SELECT kind, nature, is_owned, standing FROM ledger_account_kinds ORDER BY kind"
_CHART: Final[Mapping[str, ChartLine]] = {kind.value: line for kind, line in CHART.items()}
_BOUNDS: Final[Mapping[Standing | None, tuple[float, float]]] = {
    Standing.NEVER_BELOW_ZERO: (0, math.inf),
    Standing.EITHER_SIDE: (-math.inf, math.inf),
    Standing.NEVER_ABOVE_ZERO: (-math.inf, 0),
    None: (-math.inf, math.inf),
}


class _Account(NamedTuple):
    """An account beside its head."""

    id: str
    kind: str
    currency: str
    user_id: UUID | None
    provider: str
    is_chained: bool
    head_sequence: int | None
    head_journal_id: str | None
    head_line: int | None
    head_balance: int | None
    head_hash: bytes
    head_kind: str | None
    head_currency: str | None


def find_broken_kind(connection: psycopg.Connection[Any]) -> Fault | None:
    """The first line of the database's chart of accounts that is not the domain's: the guards go by it."""
    found = {row[0]: row[1:] for row in stream(connection, "kinds", _KINDS)}
    meant = {kind: (line.nature, line.is_owned, line.standing) for kind, line in _CHART.items()}
    for kind in sorted({*found, *meant}):
        if found.get(kind) != meant.get(kind):
            return Fault(f"account kind {kind}", "it is not what the chart of accounts says")
    return None


def find_broken_chain(connection: psycopg.Connection[Any], progress: Progress) -> Fault | None:
    """The first account, or entry with a place in a chain, that is wrong; chains in the order of accounts' ids."""
    chains = groupby(stream(connection, "chains", _ENTRIES, progress), key=itemgetter(0))
    account_id, chain = next(chains, (None, ()))
    for row in stream(connection, "accounts", _ACCOUNTS):
        account = _Account(*row)
        if account_id is not None and account_id < account.id:
            break
        fault = _wrong_account(account) or _wrong_chain(account, chain if account_id == account.id else ())
        if fault is not None:
            return fault
        if account_id == account.id:
            account_id, chain = next(chains, (None, ()))
    return None if account_id is None else _entry(next(iter(chain)), "its account is missing")


def _wrong_account(account: _Account) -> Fault | None:
    """An account's id follows from whose it is and what for: neither can be changed without it."""
    line = _CHART.get(account.kind)
    if line is None or line.is_owned != (account.user_id is not None) or line.is_owned != account.is_chained:
        return _of(account, "it is not what the chart of accounts says")
    named = AccountRef(line.kind, account.currency, account.user_id, account.provider)
    return None if str(named.id) == account.id else _of(account, "its id does not fit its owner, kind and unit")


def _wrong_chain(account: _Account, entries: Iterable[Row]) -> Fault | None:
    lowest, highest = _BOUNDS[_CHART[account.kind].standing]
    balance, previous, newest = 0, b"", (0, None, None)
    # Once for each entry of the books: what is compared here stays in this loop.
    for expected, entry in enumerate(entries, start=1):
        account_id, journal_id, line, sequence, amount, currency, before, after, at, digest, said = entry
        if sequence != expected:
            return _entry(entry, "its sequence does not follow")
        if said is None:
            return _entry(entry, "its journal is missing")
        if before != balance or after != before + amount:
            return _entry(entry, "its balance does not follow")
        if not lowest <= after <= highest:
            return _entry(entry, "its balance is below zero" if after < lowest else "its balance is above zero")
        if currency != account.currency or not account.is_chained:
            return _entry(entry, "it is not of its account's kind")
        content = f"{journal_id}|{line}|{account_id}|{sequence}|{amount}|{currency}|{after}|{at}"
        previous = sha256(previous + said + content.encode()).digest()
        if digest != previous:
            return _entry(entry, "its hash does not fit its content")
        balance, newest = after, (sequence, journal_id, line)
    return _wrong_head(account, newest, (balance, previous)) if account.is_chained else None


def _wrong_head(account: _Account, newest: Row, stands: Row) -> Fault | None:
    """A head points at its account's newest entry, and says what that and the account say."""
    if (account.head_sequence, account.head_journal_id, account.head_line) != newest:
        return _of(account, f"its head points at entry {account.head_sequence}, and the newest is {newest[0]}")
    if (account.head_balance, account.head_hash) != stands:
        return _of(account, "its head says another balance or hash than its newest entry")
    if (account.head_kind, account.head_currency) != (account.kind, account.currency):
        return _of(account, "its head says another kind or unit")
    return None


def _of(account: _Account, reason: str) -> Fault:
    return Fault(f"account {account.id}", reason)


def _entry(entry: Row, reason: str) -> Fault:
    account_id, journal_id, _, sequence, *_ = entry
    return Fault(f"entry {sequence} of account {account_id}, journal {journal_id}", reason)
