"""Periodic work on payments, refunds and what providers say of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import structlog

from application.billing import cancelling, late_choices, reconciliation, refund_submission, sandbox, statements
from application.billing.code_holds import code_terms
from infrastructure.jitter import full_jitter

if TYPE_CHECKING:
    from infrastructure.bootstrap import Running

log = structlog.get_logger(__name__)


def reconcile_payments(running: Running) -> None:
    """Ask the providers about every payment that is open."""
    use = running.dependencies
    command = reconciliation.ReconcilePayments(
        live=use.live, public_url=use.public_url, code_terms=code_terms(use.system_settings)
    )
    done = reconciliation.reconcile_payments(
        command,
        new_uow=use.new_uow,
        gateways=use.gateways,
        returns=use.returns,
        clock=use.clock,
        new_id=use.new_id,
        draw=full_jitter,
    )
    tell = log.warning if done.unanswered else log.info
    tell("payments_reconciled", **asdict(done))


def fetch_statements(running: Running) -> None:
    """Compare yesterday's statement of each provider with the books."""
    use = running.dependencies
    for one in statements.fetch_statements(
        new_uow=use.new_uow, gateways=use.gateways, clock=use.clock, new_id=use.new_id
    ):
        tell = log.warning if one.trouble or one.breaks else log.info
        tell("statement_fetched", **{**asdict(one), "day": one.day.isoformat()})


def cancel_abandoned(running: Running) -> None:
    """Close payments that nobody went on with."""
    use = running.dependencies
    batch = cancelling.cancel_abandoned_payments(new_uow=use.new_uow, clock=use.clock)
    while batch:
        batch = cancelling.cancel_abandoned_payments(new_uow=use.new_uow, clock=use.clock, after=batch[-1])


def submit_refunds(running: Running) -> None:
    """Hand refunds to the providers, and ask what became of them."""
    use = running.dependencies
    done = refund_submission.drive_refunds(
        new_uow=use.new_uow, gateways=use.gateways, clock=use.clock, new_id=use.new_id, live=use.live
    )
    if done.unanswered:
        log.warning("refunds_unanswered", due=done.due, unanswered=done.unanswered)


def settle_late_money(running: Running) -> None:
    """Refund late money about which its owner did not decide in time."""
    use = running.dependencies
    while late_choices.settle_unchosen(new_uow=use.new_uow, gateways=use.gateways, clock=use.clock, new_id=use.new_id):
        continue


def tell_late_payments(running: Running) -> None:
    """Send the sandbox's webhooks that were chosen to be late."""
    use = running.dependencies
    while use.sandbox is not None and sandbox.tell_late_payments(
        uow=use.new_uow(), books=use.sandbox.books, clock=use.clock
    ):
        continue
