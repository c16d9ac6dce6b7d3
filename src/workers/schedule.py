"""What runs periodically, and how any number of schedulers and workers make each period's run one run.

Every job scans tables for what is due, so a missed period is made up for by the next: only the newest
period is ever run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import structlog

from application.billing.cancelling import cancel_abandoned_payments
from application.billing.code_holds import code_terms
from application.billing.late_choices import settle_unchosen
from application.billing.reconciliation import ReconcilePayments, reconcile_payments
from application.billing.refund_submission import drive_refunds
from application.billing.sandbox import tell_late_payments
from application.billing.statements import fetch_statements
from application.catalogue.images import drop_left_behind
from application.catalogue.patterns import plan_patterns
from application.catalogue.statistics import fold_views
from application.ledger.crediting import CreditDueCashback, credit_due_cashback
from application.ledger.expiry import expire_points, remind_of_expiry
from application.ledger.holds import expire_holds
from application.ledger.sealing import seal_days
from application.ledger.statements import drop_past_statements
from application.origin import Origin, acting
from application.pricing.expiry import expire_promotions
from application.privacy.erasure import carry_out_erasure, due_erasures
from application.privacy.retention import drop_past_exports, retire_unused_accounts
from application.sales.amending import lapse_amendments
from application.sales.archiving import archive_bookings
from application.sales.expiry import expire_bookings
from application.sales.handlers import hands_of
from application.sales.instalments import TellOfInstalments, cancel_overdue, tell_of_instalments
from application.sales.manifests import drop_past_manifests
from application.sales.operation_work import work_off_operations
from application.sales.requests import lapse_requests
from application.sales.waiting import serve_waiting_lists
from application.subscriptions import DOCUMENTS, QUICK
from domain.operations.settings import (
    ARCHIVE_AFTER_DAYS,
    CASHBACK_AUTO_APPROVE,
    DEPARTURE_HORIZON_DAYS,
    GRACE_MINUTES,
    INSTALMENT_REMINDER_DAYS,
    OVERDUE_GRACE_DAYS,
    WAITING_OFFER_HOURS,
    WEBHOOK_BODY_DAYS,
)
from domain.shared.clock import BUSINESS_ZONE
from domain.shared.errors import DomainError
from infrastructure.database.ledger.partitions import is_beyond_partitions, make_partitions
from infrastructure.jitter import full_jitter
from workers.cleanup_worker import clean_up
from workers.outbox_worker import reason_of
from workers.payroll_worker import drive_payroll, process_monthly_payroll, process_weekly_payroll
from workers.process import this_process

if TYPE_CHECKING:
    from infrastructure.bootstrap import Running

LEASE: Final = timedelta(seconds=100)
"""After this a run that was claimed and not finished is taken over; jobs are interrupted before."""

log = structlog.get_logger(__name__)

_CLAIM = """
INSERT INTO scheduled_runs AS r (job, period, claimed_at) VALUES (%(job)s, %(period)s, %(now)s)
ON CONFLICT (job, period) DO UPDATE SET claimed_at = excluded.claimed_at
WHERE r.finished_at IS NULL AND r.claimed_at < %(given_up)s
RETURNING 1
"""

_FINISH = """
UPDATE scheduled_runs SET finished_at = %(now)s
WHERE job = %(job)s AND period = %(period)s AND claimed_at = %(claimed_at)s
"""


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """Periodic work; it is woken `every` so often and runs once in each period that it is woken in."""

    name: str
    every: timedelta
    period: Callable[[datetime], str]
    run: Callable[[Running], object]
    queue: str = QUICK


def slices_of(length: timedelta) -> Callable[[datetime], str]:
    """Periods of a fixed length, named by their first instant."""

    def period(at: datetime) -> str:
        start = int(at.timestamp()) // int(length.total_seconds()) * int(length.total_seconds())
        return datetime.fromtimestamp(start, at.tzinfo).isoformat()

    return period


def days_from(hour: int) -> Callable[[datetime], str]:
    """Days that begin at this hour in Cairo, whatever its clocks do, named by their date."""

    def period(at: datetime) -> str:
        on_the_wall = at.astimezone(BUSINESS_ZONE).replace(tzinfo=None)
        return (on_the_wall - timedelta(hours=hour)).date().isoformat()

    return period


def _drop_images(running: Running) -> None:
    use = running.dependencies
    dropped = drop_left_behind(storage=use.storage, new_uow=use.new_uow, clock=use.clock)
    if dropped:
        log.info("images_dropped", dropped=dropped)


def _fold_views(running: Running) -> None:
    use = running.dependencies
    fold_views(views=use.views, statistics=use.item_statistics, clock=use.clock)


def _refresh_statistics(running: Running) -> None:
    log.info("statistics_refreshed", changed=running.dependencies.item_statistics.refresh())


def _expire_bookings(running: Running) -> None:
    use = running.dependencies
    grace = timedelta(minutes=use.system_settings.value(GRACE_MINUTES))
    while expire_bookings(new_uow=use.new_uow, clock=use.clock, new_id=use.new_id, grace=grace):
        continue


def _tell_of_instalments(running: Running) -> None:
    use, values = running.dependencies, running.dependencies.system_settings
    command = TellOfInstalments(
        days_before=values.value(INSTALMENT_REMINDER_DAYS), grace_days=values.value(OVERDUE_GRACE_DAYS)
    )
    log.info("instalments_told", **asdict(tell_of_instalments(command, new_uow=use.new_uow, clock=use.clock)))


def _cancel_overdue(running: Running) -> None:
    use = running.dependencies
    grace = use.system_settings.value(OVERDUE_GRACE_DAYS)
    done = cancel_overdue(grace, new_uow=use.new_uow, gateways=use.gateways, clock=use.clock, new_id=use.new_id)
    for booking_id, reason in done.left.items():
        log.warning("overdue_booking_left", booking_id=str(booking_id), reason=reason)
    log.info("overdue_bookings_cancelled", cancelled=done.cancelled)


def _lapse_amendments(running: Running) -> None:
    use = running.dependencies
    grace = timedelta(minutes=use.system_settings.value(GRACE_MINUTES))
    while lapse_amendments(new_uow=use.new_uow, clock=use.clock, grace=grace):
        continue


def _lapse_requests(running: Running) -> None:
    use = running.dependencies
    while lapse_requests(new_uow=use.new_uow, clock=use.clock):
        continue


def _plan_departures(running: Running) -> None:
    use = running.dependencies
    horizon = timedelta(days=use.system_settings.value(DEPARTURE_HORIZON_DAYS))
    log.info("departures_planned", planned=plan_patterns(new_uow=use.new_uow, clock=use.clock, horizon=horizon))


def _serve_waiting_lists(running: Running) -> None:
    use = running.dependencies
    offer_for = timedelta(hours=use.system_settings.value(WAITING_OFFER_HOURS))
    served = serve_waiting_lists(new_uow=use.new_uow, clock=use.clock, offer_for=offer_for)
    log.info("waiting_lists_served", departures=served)


def _work_off_operations(running: Running) -> None:
    log.info("departure_operations", open=work_off_operations(hands=hands_of(running.dependencies)))


def _expire_promotions(running: Running) -> None:
    use = running.dependencies
    log.info("promotions_expired", expired=expire_promotions(uow=use.new_uow(), clock=use.clock))


def _archive_bookings(running: Running) -> None:
    use = running.dependencies
    after = timedelta(days=use.system_settings.value(ARCHIVE_AFTER_DAYS))
    while archive_bookings(uow=use.new_uow(), clock=use.clock, after=after):
        continue


def _expire_holds(running: Running) -> None:
    use = running.dependencies
    while expire_holds(uow=use.new_uow(), clock=use.clock):
        continue


def _reconcile_payments(running: Running) -> None:
    use = running.dependencies
    done = reconcile_payments(
        ReconcilePayments(live=use.live, public_url=use.public_url, code_terms=code_terms(use.system_settings)),
        new_uow=use.new_uow,
        gateways=use.gateways,
        returns=use.returns,
        clock=use.clock,
        new_id=use.new_id,
        draw=full_jitter,
    )
    tell = log.warning if done.unanswered else log.info
    tell("payments_reconciled", **asdict(done))


def _fetch_statements(running: Running) -> None:
    use = running.dependencies
    for one in fetch_statements(new_uow=use.new_uow, gateways=use.gateways, clock=use.clock, new_id=use.new_id):
        tell = log.warning if one.trouble or one.breaks else log.info
        tell("statement_fetched", **{**asdict(one), "day": one.day.isoformat()})


def _cancel_abandoned_payments(running: Running) -> None:
    use = running.dependencies
    batch = cancel_abandoned_payments(new_uow=use.new_uow, clock=use.clock)
    while batch:
        batch = cancel_abandoned_payments(new_uow=use.new_uow, clock=use.clock, after=batch[-1])


def _submit_refunds(running: Running) -> None:
    use = running.dependencies
    done = drive_refunds(new_uow=use.new_uow, gateways=use.gateways, clock=use.clock, new_id=use.new_id, live=use.live)
    if done.unanswered:
        log.warning("refunds_unanswered", due=done.due, unanswered=done.unanswered)


def _settle_late_money(running: Running) -> None:
    use = running.dependencies
    while settle_unchosen(new_uow=use.new_uow, gateways=use.gateways, clock=use.clock, new_id=use.new_id):
        continue


def _tell_late_payments(running: Running) -> None:
    use = running.dependencies
    while use.sandbox is not None and tell_late_payments(uow=use.new_uow(), books=use.sandbox.books, clock=use.clock):
        continue


def _credit_cashback(running: Running) -> None:
    use = running.dependencies
    command = CreditDueCashback(approves_itself=use.system_settings.value(CASHBACK_AUTO_APPROVE))
    while True:
        run = credit_due_cashback(command, new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)
        for cashback_id, reason in run.left.items():
            log.warning("cashback_waits", cashback_id=str(cashback_id), reason=reason)
        if not run.credited and not run.lapsed:
            return


def _fold_totals(running: Running) -> None:
    running.dependencies.ledger_totals.fold()


def _check_totals(running: Running) -> None:
    """Totals that are not what entries say are a fault to look into; the figures are right again meanwhile."""
    totals = running.dependencies.ledger_totals
    faults = totals.faults()
    if faults:
        log.error("ledger_totals_wrong", faults=len(faults), first=str(faults[0]))
        totals.rebuild()


def _drop_statements(running: Running) -> None:
    use = running.dependencies
    dropped = drop_past_statements(new_uow=use.new_uow, storage=use.storage, clock=use.clock)
    log.info("statements_dropped", dropped=dropped)


def _drop_manifests(running: Running) -> None:
    use = running.dependencies
    dropped = drop_past_manifests(new_uow=use.new_uow, storage=use.storage, clock=use.clock)
    log.info("manifests_dropped", dropped=dropped)


def _clean_up(running: Running) -> None:
    use = running.dependencies
    kept = timedelta(days=use.system_settings.value(WEBHOOK_BODY_DAYS))
    log.info("cleaned_up", **clean_up(running.database, use.clock, bodies_kept=kept))


def _retain(running: Running) -> None:
    use = running.dependencies
    exports = drop_past_exports(new_uow=use.new_uow, storage=use.storage, clock=use.clock)
    accounts = retire_unused_accounts(new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)
    log.info("privacy_retained", exports_dropped=exports, accounts_retired=accounts)


def _erase_due(running: Running) -> None:
    """One that fails, or that open money holds up, does not keep the others waiting."""
    use = running.dependencies
    for erasure_id in due_erasures(uow=use.new_uow(), clock=use.clock):
        try:
            done = carry_out_erasure(
                erasure_id, new_uow=use.new_uow, storage=use.storage, clock=use.clock, new_id=use.new_id
            )
        except DomainError as error:
            log.warning("erasure_waits", erasure_id=str(erasure_id), reason=error.code)
            continue
        log.info("erasure_tried", erasure_id=str(erasure_id), done=done)


def _seal_days(running: Running) -> None:
    """Each root goes into the log as well, which is kept where the database's owner does not reach."""
    use = running.dependencies
    for seal in seal_days(new_uow=use.new_uow, clock=use.clock):
        log.info("ledger_sealed", number=seal.number, business_day=str(seal.business_day), root=seal.root.hex())


def _make_partitions(running: Running) -> None:
    if is_beyond_partitions(running.database):
        # What lies there keeps its year's partition from being made; docs/ledger-audit.md says how it is moved.
        log.error("ledger_entries_beyond_partitions")
    for year in make_partitions(running.database, year=running.dependencies.clock.now().year):
        log.info("ledger_partition_made", year=year)


def _expire_points(running: Running) -> None:
    use = running.dependencies
    log.info("points_expired", **asdict(expire_points(new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)))


def _remind_of_points(running: Running) -> None:
    use = running.dependencies
    log.info("points_reminded", people=remind_of_expiry(new_uow=use.new_uow, clock=use.clock))


_QUARTER_MINUTE, _MINUTE, _FIVE_MINUTES = timedelta(seconds=15), timedelta(minutes=1), timedelta(minutes=5)
_HOUR = timedelta(hours=1)

# Slow work goes to the workers that fork: a provider that hangs must not hold up what is quick.
JOBS: Final[Mapping[str, ScheduledJob]] = {
    job.name: job
    for job in (
        ScheduledJob("bookings.expire", _QUARTER_MINUTE, slices_of(_QUARTER_MINUTE), _expire_bookings),
        ScheduledJob("instalments.tell", _FIVE_MINUTES, days_from(9), _tell_of_instalments, DOCUMENTS),
        ScheduledJob("instalments.cancel_overdue", _FIVE_MINUTES, slices_of(_HOUR), _cancel_overdue, DOCUMENTS),
        ScheduledJob(
            "departures.operate", _QUARTER_MINUTE, slices_of(_QUARTER_MINUTE), _work_off_operations, DOCUMENTS
        ),
        ScheduledJob("waiting.serve", _MINUTE, slices_of(_MINUTE), _serve_waiting_lists),
        ScheduledJob("bookings.lapse_amendments", _QUARTER_MINUTE, slices_of(_QUARTER_MINUTE), _lapse_amendments),
        ScheduledJob("bookings.lapse_requests", _FIVE_MINUTES, slices_of(_HOUR), _lapse_requests),
        ScheduledJob("catalogue.plan_departures", _FIVE_MINUTES, days_from(1), _plan_departures, DOCUMENTS),
        ScheduledJob("bookings.archive", _FIVE_MINUTES, days_from(2), _archive_bookings, DOCUMENTS),
        ScheduledJob("departures.drop_manifests", _FIVE_MINUTES, slices_of(_FIVE_MINUTES), _drop_manifests, DOCUMENTS),
        ScheduledJob("ledger.expire_holds", _MINUTE, slices_of(_MINUTE), _expire_holds),
        ScheduledJob("pricing.expire", _FIVE_MINUTES, slices_of(_FIVE_MINUTES), _expire_promotions),
        ScheduledJob("sandbox.tell_late_payments", _MINUTE, slices_of(_MINUTE), _tell_late_payments),
        ScheduledJob("payments.reconcile", _FIVE_MINUTES, slices_of(_FIVE_MINUTES), _reconcile_payments, DOCUMENTS),
        ScheduledJob("payments.cancel_abandoned", _FIVE_MINUTES, days_from(2), _cancel_abandoned_payments, DOCUMENTS),
        # Every hour, though a day is fetched once: one that a provider did not answer for is tried again.
        ScheduledJob("payments.fetch_statements", _FIVE_MINUTES, slices_of(_HOUR), _fetch_statements, DOCUMENTS),
        ScheduledJob("payments.submit_refunds", _MINUTE, slices_of(_MINUTE), _submit_refunds, DOCUMENTS),
        ScheduledJob("payments.settle_late_money", _FIVE_MINUTES, slices_of(_HOUR), _settle_late_money, DOCUMENTS),
        ScheduledJob("cashback.credit", _FIVE_MINUTES, slices_of(_FIVE_MINUTES), _credit_cashback, DOCUMENTS),
        ScheduledJob("ledger.fold_totals", _FIVE_MINUTES, slices_of(_FIVE_MINUTES), _fold_totals, DOCUMENTS),
        ScheduledJob("ledger.check_totals", _FIVE_MINUTES, days_from(3), _check_totals, DOCUMENTS),
        ScheduledJob("ledger.drop_statements", _FIVE_MINUTES, days_from(2), _drop_statements, DOCUMENTS),
        ScheduledJob("privacy.erase_due", _FIVE_MINUTES, slices_of(_FIVE_MINUTES), _erase_due, DOCUMENTS),
        ScheduledJob("privacy.retain", _FIVE_MINUTES, days_from(2), _retain, DOCUMENTS),
        ScheduledJob("ledger.seal", _FIVE_MINUTES, days_from(2), _seal_days, DOCUMENTS),
        ScheduledJob("ledger.partitions", _FIVE_MINUTES, days_from(2), _make_partitions, DOCUMENTS),
        ScheduledJob("points.expire", _FIVE_MINUTES, days_from(2), _expire_points, DOCUMENTS),
        ScheduledJob("points.remind", _FIVE_MINUTES, days_from(9), _remind_of_points, DOCUMENTS),
        ScheduledJob("catalogue.drop_images", _FIVE_MINUTES, slices_of(_HOUR), _drop_images, DOCUMENTS),
        ScheduledJob("catalogue.fold_views", _MINUTE, slices_of(_MINUTE), _fold_views, DOCUMENTS),
        ScheduledJob("catalogue.refresh_statistics", _FIVE_MINUTES, slices_of(_HOUR), _refresh_statistics, DOCUMENTS),
        ScheduledJob("payroll.weekly", _FIVE_MINUTES, days_from(8), process_weekly_payroll, DOCUMENTS),
        ScheduledJob("payroll.monthly", _FIVE_MINUTES, days_from(8), process_monthly_payroll, DOCUMENTS),
        ScheduledJob("payroll.drive", _QUARTER_MINUTE, slices_of(_QUARTER_MINUTE), drive_payroll, DOCUMENTS),
        ScheduledJob("maintenance.run", _FIVE_MINUTES, days_from(2), _clean_up, DOCUMENTS),
    )
}


def run_scheduled(job_name: str) -> None:
    """The job function that schedulers enqueue: run a periodic job unless its period has had its run."""
    run_once(JOBS[job_name], this_process())


def run_once(job: ScheduledJob, running: Running) -> bool:
    """Run a job if this period is still to be run; whether it ran here, to its end.

    A run that fails stays unfinished, and is taken over when its lease ends, if the period is not over.
    """
    claimed_at = running.dependencies.clock.now()
    claim = {"job": job.name, "period": job.period(claimed_at), "claimed_at": claimed_at}
    if not _claim(claim, running):
        return False
    try:
        with acting(Origin(request_id=f"{job.name}/{claim['period']}", user_agent="altayar scheduler", via="worker")):
            job.run(running)
    except Exception as error:  # noqa: BLE001 - whatever it raises, the next period tries again
        log.error("scheduled_job_failed", job=job.name, period=claim["period"], reason=reason_of(error))
        return False
    with running.database.transaction() as transaction:
        transaction.execute(_FINISH, {**claim, "now": running.dependencies.clock.now()})
        transaction.commit()
    return True


def _claim(claim: Mapping[str, object], running: Running) -> bool:
    now = running.dependencies.clock.now()
    with running.database.transaction() as transaction:
        claimed = transaction.row(_CLAIM, {**claim, "now": claim["claimed_at"], "given_up": now - LEASE})
        transaction.commit()
    return claimed is not None
