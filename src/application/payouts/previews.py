"""A batch as it would be if it was made now, beside the last one: the dry run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from application.payouts.batches import MakeBatch, selection_of
from application.payouts.queries import SHOWN_AT_ONCE, PayrollQueries, Row
from domain.payouts.batches import BatchOrigin, BatchStatus
from domain.payouts.payouts import PayoutStatus
from domain.shared.clock import Clock, business_date
from domain.shared.errors import InvalidValue


def preview_batch(command: MakeBatch, *, queries: PayrollQueries, clock: Clock) -> Row:
    """The batch's row as `PayrollQueries.batch` would answer it, without ids and numbers. Raises InvalidValue."""
    now = clock.now()
    if command.cut_off is not None and command.cut_off > now:
        raise InvalidValue("a cut-off that is over", pointer="/cut_off", code="in_the_future")
    judged = queries.preview(selection_of(command, at=now))
    taken = [_payout(row) for row in judged if row["reason"] is None]
    left_out = [row for row in judged if row["reason"] is not None]
    totals = _totals(taken)
    return {
        **_unmade(command),
        "cut_off": command.cut_off or now,
        "period_start": command.period_start or business_date(now),
        "origin": BatchOrigin.SCHEDULE if command.actor_id is None else BatchOrigin.STAFF,
        "payouts_count": len(taken),
        "entries_count": sum(row["entries"] for row in judged if row["reason"] is None),
        "left_out_count": len(left_out),
        "totals": totals,
        "payouts": taken[:SHOWN_AT_ONCE],
        "left_out": left_out[:SHOWN_AT_ONCE],
        "difference": _difference(queries.last_totals(command.payees), totals, {_who(row) for row in taken}),
    }


def _unmade(command: MakeBatch) -> dict[str, Any]:
    nothing = ("id", "batch_number", "approved_by_user_id", "created_at", "approved_at", "processing_at",
               "completed_at", "cancelled_at", "version")  # fmt: skip
    return {
        **dict.fromkeys(nothing),
        "period": command.period,
        "payee_type": command.payees,
        "status": BatchStatus.DRAFT,
        "created_by_user_id": command.actor_id,
        "dry_run": True,
    }


def _payout(row: Row) -> dict[str, Any]:
    nothing = ("id", "payout_number", "batch_id", "batch_number", "bank_reference", "provider_reference",
               "failure_code", "reason", "created_at", "sent_at", "closed_at", "next_try_at", "version",
               "decided_by_user_id")  # fmt: skip
    return {**dict.fromkeys(nothing), **row, "reason": None, "status": PayoutStatus.PENDING, "attempts": 0}


def _totals(payouts: Iterable[Row]) -> list[Row]:
    sums: defaultdict[str, int] = defaultdict(int)
    counts: Counter[str] = Counter()
    for row in payouts:
        sums[row["currency"]] += row["amount_minor"]
        counts[row["currency"]] += 1
    return [
        {
            "currency": unit,
            "payouts": counts[unit],
            "amount_minor": sums[unit],
            "paid_minor": 0,
            "open_minor": sums[unit],
            "back_minor": 0,
        }
        for unit in sorted(sums)
    ]


def _difference(last: Row | None, totals: Sequence[Row], payees: set[str]) -> Row | None:
    """What is other than in the last batch; None where there was none."""
    if last is None:
        return None
    before = {row["currency"]: row["amount_minor"] for row in last["totals"] or ()}
    now = {row["currency"]: row["amount_minor"] for row in totals}
    paid_before = set(last["payees"] or ())
    return {
        "batch_number": last["batch_number"],
        "payees_added": len(payees - paid_before),
        "payees_gone": len(paid_before - payees),
        "amounts": [_moved(unit, before, now) for unit in sorted(before.keys() | now.keys())],
    }


def _moved(unit: str, before: Mapping[str, int], now: Mapping[str, int]) -> Row:
    was, becomes = before.get(unit, 0), now.get(unit, 0)
    return {"currency": unit, "before_minor": was, "now_minor": becomes, "difference_minor": becomes - was}


def _who(row: Row) -> str:
    return f"{row['payee_id']} {row['payee_type']} {row['currency']}"
