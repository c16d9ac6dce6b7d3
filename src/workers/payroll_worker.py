"""Payroll's periodic work: drafts by the calendar, and payouts brought to their end."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import structlog

from application.payouts.batches import process_waiting
from application.payouts.minima import minima_of
from application.payouts.schedule import make_due_batches
from application.payouts.sending import Sending, drive_payouts
from application.payouts.statements import drop_past_payout_statements
from domain.operations.settings import PAYOUT_PROCESS_APPROVED
from domain.payouts.batches import BatchPeriod

if TYPE_CHECKING:
    from infrastructure.bootstrap import Running

log = structlog.get_logger(__name__)


def process_weekly_payroll(running: Running) -> None:
    """Make the drafts of every Monday that has none, cut off at 08:00 in Cairo."""
    _make_drafts(BatchPeriod.WEEKLY, running)


def process_monthly_payroll(running: Running) -> None:
    """Make the drafts of every first of a month that has none, cut off at 08:00 in Cairo."""
    _make_drafts(BatchPeriod.MONTHLY, running)


def _make_drafts(period: BatchPeriod, running: Running) -> None:
    use = running.dependencies
    minima = minima_of(use.system_settings, use.queries.wallet_requests, at=use.clock.now())
    for made in make_due_batches(period, minima=minima, new_uow=use.new_uow, clock=use.clock, new_id=use.new_id):
        log.info("payroll_drafted", batch=made.batch_number, period=period.value, **asdict(made.filled))
        if made.filled.out_of_balance:
            log.error("payees_out_of_balance", batch=made.batch_number, payees=made.filled.out_of_balance)


def drive_payroll(running: Running) -> None:
    """Send what waits to be sent, ask after what nobody knows of, end batches that are over."""
    use = running.dependencies
    if use.system_settings.value(PAYOUT_PROCESS_APPROVED):
        for batch_id in process_waiting(new_uow=use.new_uow, clock=use.clock, new_id=use.new_id):
            log.info("payroll_processing", batch_id=str(batch_id))
    driven = drive_payouts(Sending(use.new_uow, use.gateways, use.clock, use.new_id))
    if driven.due:
        log.info("payouts_driven", **asdict(driven))


def drop_payout_statements(running: Running) -> None:
    """Drop the files of payouts' statements whose time is over."""
    use = running.dependencies
    dropped = drop_past_payout_statements(new_uow=use.new_uow, storage=use.storage, clock=use.clock)
    log.info("payout_statements_dropped", dropped=dropped)
