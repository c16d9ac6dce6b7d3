"""The schedule: what runs when. `altayar schedule` prints it, with the last and the next run of each job.

A new job is one line here and one function in `workers/periodic/<context>.py` (those of notifications, cleaning and
payroll have workers of their own). Its name is stored with each run, so it never changes. Every job scans tables for
what is due, so that a period that was missed is made up for by the next; it must end within `LEASE`
(workers/schedule.py) and may be run again after a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from application.subscriptions import DOCUMENTS, QUICK
from workers import cleanup_worker, payroll_worker
from workers.notification_worker import release_after_quiet_hours
from workers.periodic import billing, catalogue, ledger, membership, pricing, privacy, sales
from workers.periods import Periods, days_from, slices_of

if TYPE_CHECKING:
    from infrastructure.bootstrap import Running


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """Periodic work; it is woken `every` so often and runs once in each period that it is woken in."""

    name: str
    every: timedelta
    period: Periods
    run: Callable[[Running], object]
    queue: str = QUICK


_QUARTER_MINUTE, _MINUTE, _FIVE_MINUTES = timedelta(seconds=15), timedelta(minutes=1), timedelta(minutes=5)
_HOUR = timedelta(hours=1)

# Slow work goes to the workers that fork: a provider that hangs must not hold up what is quick.
_TABLE: Final = (
    ScheduledJob("bookings.expire", _QUARTER_MINUTE, slices_of(_QUARTER_MINUTE), sales.expire_bookings),
    ScheduledJob("bookings.lapse_amendments", _QUARTER_MINUTE, slices_of(_QUARTER_MINUTE), sales.lapse_amendments),
    ScheduledJob("bookings.lapse_requests", _FIVE_MINUTES, slices_of(_HOUR), sales.lapse_requests),
    ScheduledJob("instalments.tell", _FIVE_MINUTES, days_from(9), sales.tell_of_instalments, DOCUMENTS),
    ScheduledJob("instalments.cancel_overdue", _FIVE_MINUTES, slices_of(_HOUR), sales.cancel_overdue, DOCUMENTS),
    ScheduledJob("waiting.serve", _MINUTE, slices_of(_MINUTE), sales.serve_waiting_lists),
    ScheduledJob(
        "departures.operate", _QUARTER_MINUTE, slices_of(_QUARTER_MINUTE), sales.work_off_operations, DOCUMENTS
    ),
    ScheduledJob("departures.drop_manifests", _FIVE_MINUTES, slices_of(_FIVE_MINUTES), sales.drop_manifests, DOCUMENTS),
    ScheduledJob("catalogue.plan_departures", _FIVE_MINUTES, days_from(1), catalogue.plan_departures, DOCUMENTS),
    ScheduledJob("catalogue.drop_images", _FIVE_MINUTES, slices_of(_HOUR), catalogue.drop_images, DOCUMENTS),
    ScheduledJob("catalogue.fold_views", _MINUTE, slices_of(_MINUTE), catalogue.fold_views, DOCUMENTS),
    ScheduledJob(
        "catalogue.refresh_statistics", _FIVE_MINUTES, slices_of(_HOUR), catalogue.refresh_statistics, DOCUMENTS
    ),
    ScheduledJob("memberships.expire", _FIVE_MINUTES, slices_of(_HOUR), membership.expire_memberships),
    ScheduledJob("pricing.expire", _FIVE_MINUTES, slices_of(_FIVE_MINUTES), pricing.expire_promotions),
    ScheduledJob("payments.reconcile", _FIVE_MINUTES, slices_of(_FIVE_MINUTES), billing.reconcile_payments, DOCUMENTS),
    ScheduledJob("payments.cancel_abandoned", _FIVE_MINUTES, days_from(2), billing.cancel_abandoned, DOCUMENTS),
    # Every hour, though a day is fetched once: one that a provider did not answer for is tried again.
    ScheduledJob("payments.fetch_statements", _FIVE_MINUTES, slices_of(_HOUR), billing.fetch_statements, DOCUMENTS),
    ScheduledJob("payments.submit_refunds", _MINUTE, slices_of(_MINUTE), billing.submit_refunds, DOCUMENTS),
    ScheduledJob("payments.settle_late_money", _FIVE_MINUTES, slices_of(_HOUR), billing.settle_late_money, DOCUMENTS),
    ScheduledJob("sandbox.tell_late_payments", _MINUTE, slices_of(_MINUTE), billing.tell_late_payments),
    ScheduledJob("cashback.credit", _FIVE_MINUTES, slices_of(_FIVE_MINUTES), ledger.credit_cashback, DOCUMENTS),
    ScheduledJob("points.expire", _FIVE_MINUTES, days_from(2), ledger.expire_points, DOCUMENTS),
    ScheduledJob("points.remind", _FIVE_MINUTES, days_from(9), ledger.remind_of_points, DOCUMENTS),
    ScheduledJob("ledger.expire_holds", _MINUTE, slices_of(_MINUTE), ledger.expire_holds),
    ScheduledJob("ledger.fold_totals", _FIVE_MINUTES, slices_of(_FIVE_MINUTES), ledger.fold_totals, DOCUMENTS),
    ScheduledJob("ledger.check_totals", _FIVE_MINUTES, days_from(3), ledger.check_totals, DOCUMENTS),
    ScheduledJob("ledger.drop_statements", _FIVE_MINUTES, days_from(2), ledger.drop_statements, DOCUMENTS),
    ScheduledJob("ledger.seal", _FIVE_MINUTES, days_from(2), ledger.seal_days, DOCUMENTS),
    ScheduledJob("ledger.partitions", _FIVE_MINUTES, days_from(2), ledger.make_partitions, DOCUMENTS),
    ScheduledJob("privacy.erase_due", _FIVE_MINUTES, slices_of(_FIVE_MINUTES), privacy.erase_due, DOCUMENTS),
    ScheduledJob("privacy.retain", _FIVE_MINUTES, days_from(2), privacy.retain, DOCUMENTS),
    # Drafts of Mondays and of firsts of a month: whichever there are none of yet.
    ScheduledJob("payroll.weekly", _FIVE_MINUTES, days_from(8), payroll_worker.process_weekly_payroll, DOCUMENTS),
    ScheduledJob("payroll.monthly", _FIVE_MINUTES, days_from(8), payroll_worker.process_monthly_payroll, DOCUMENTS),
    ScheduledJob(
        "payroll.drop_statements", _FIVE_MINUTES, days_from(2), payroll_worker.drop_payout_statements, DOCUMENTS
    ),
    ScheduledJob("payroll.drive", _QUARTER_MINUTE, slices_of(_QUARTER_MINUTE), payroll_worker.drive_payroll, DOCUMENTS),
    ScheduledJob("messaging.release_held", _MINUTE, slices_of(_MINUTE), release_after_quiet_hours),
    ScheduledJob("maintenance.run", _FIVE_MINUTES, days_from(2), cleanup_worker.run_maintenance, DOCUMENTS),
)

JOBS: Final[Mapping[str, ScheduledJob]] = {job.name: job for job in _TABLE}
