"""Periodic work on the books: holds, cashback, points, totals, seals and partitions."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import structlog

from application.ledger import crediting, expiry, holds, sealing, statements
from domain.operations.settings import CASHBACK_AUTO_APPROVE
from infrastructure.database.ledger import partitions

if TYPE_CHECKING:
    from infrastructure.bootstrap import Running

log = structlog.get_logger(__name__)


def expire_holds(running: Running) -> None:
    """Free the money of holds whose time is over."""
    use = running.dependencies
    while holds.expire_holds(uow=use.new_uow(), clock=use.clock):
        continue


def credit_cashback(running: Running) -> None:
    """Credit approved cashback whose waiting time is over."""
    use = running.dependencies
    command = crediting.CreditDueCashback(approves_itself=use.system_settings.value(CASHBACK_AUTO_APPROVE))
    while True:
        run = crediting.credit_due_cashback(command, new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)
        for cashback_id, reason in run.left.items():
            log.warning("cashback_waits", cashback_id=str(cashback_id), reason=reason)
        if not run.credited and not run.lapsed:
            return


def fold_totals(running: Running) -> None:
    """Add new entries to the totals that the books are read from."""
    running.dependencies.ledger_totals.fold()


def check_totals(running: Running) -> None:
    """Totals that are not what entries say are a fault to look into; the figures are right again meanwhile."""
    totals = running.dependencies.ledger_totals
    faults = totals.faults()
    if faults:
        log.error("ledger_totals_wrong", faults=len(faults), first=str(faults[0]))
        totals.rebuild()


def drop_statements(running: Running) -> None:
    """Drop the files of statements whose time is over."""
    use = running.dependencies
    dropped = statements.drop_past_statements(new_uow=use.new_uow, storage=use.storage, clock=use.clock)
    log.info("statements_dropped", dropped=dropped)


def seal_days(running: Running) -> None:
    """Each root goes into the log as well, which is kept where the database's owner does not reach."""
    use = running.dependencies
    for seal in sealing.seal_days(new_uow=use.new_uow, clock=use.clock):
        log.info("ledger_sealed", number=seal.number, business_day=str(seal.business_day), root=seal.root.hex())


def make_partitions(running: Running) -> None:
    """Make the partitions of the years to come."""
    if partitions.is_beyond_partitions(running.database):
        # What lies there keeps its year's partition from being made; docs/ledger-audit.md says how it is moved.
        log.error("ledger_entries_beyond_partitions")
    for year in partitions.make_partitions(running.database, year=running.dependencies.clock.now().year):
        log.info("ledger_partition_made", year=year)


def expire_points(running: Running) -> None:
    """Take points that were not used in time."""
    use = running.dependencies
    expired = expiry.expire_points(new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)
    log.info("points_expired", **asdict(expired))


def remind_of_points(running: Running) -> None:
    """Say that points end soon."""
    use = running.dependencies
    log.info("points_reminded", people=expiry.remind_of_expiry(new_uow=use.new_uow, clock=use.clock))
