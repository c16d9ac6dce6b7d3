"""Fetching what providers state of each day, and comparing it with the books (guarantee P7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from application.billing.ports import Gateways, PaymentGateway
from application.ledger.reconciliation import RecordStatement, record_statement
from application.ports import NewUnitOfWork
from domain.ledger.reconciliation import Balances, ProviderStatement
from domain.shared.clock import Clock, business_date
from domain.shared.errors import DomainError
from domain.shared.identifiers import NewId

STATED_AFTER: Final = timedelta(hours=5)
"""How long after midnight in Cairo a provider's day is looked at: what came late that night is booked by then."""
CAUGHT_UP: Final = 7
"""So many days back are fetched that were missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementFetched:
    """What became of one provider's day: compared, with so many breaks; `trouble` is an error's code where not."""

    provider: str
    day: date
    lines: int = 0
    breaks: int = 0
    trouble: str = ""


def days_to_fetch(clock: Clock) -> tuple[date, ...]:
    """The last days in Cairo that are over for long enough, oldest first."""
    today = business_date(clock.now() - STATED_AFTER)
    return tuple(today - timedelta(days=back) for back in range(CAUGHT_UP, 0, -1))


def fetch_statements(
    *,
    new_uow: NewUnitOfWork,
    gateways: Gateways,
    clock: Clock,
    new_id: NewId,
    told: Callable[[StatementFetched], None] = lambda _: None,
) -> Sequence[StatementFetched]:
    """Fetch and compare every day that was not yet, of every provider that states; one that fails stops no other.

    Any number may run at once: the same statement again changes nothing.
    """
    done = []
    for gateway in stating(gateways):
        with new_uow() as uow:
            known = uow.statement_days.fetched(gateway.name, days_to_fetch(clock))
        for day in days_to_fetch(clock):
            if day in known:
                continue
            fetched = fetch_statement(gateway, day, new_uow=new_uow, clock=clock, new_id=new_id)
            done.append(fetched)
            told(fetched)
    return done


def stating(gateways: Gateways) -> Sequence[PaymentGateway]:
    """The gateways that can state what they booked."""
    found = [gateways.get(name) for name in gateways.names()]
    return [gateway for gateway in found if gateway.capabilities.states]


def fetch_statement(
    gateway: PaymentGateway, day: date, *, new_uow: NewUnitOfWork, clock: Clock, new_id: NewId
) -> StatementFetched:
    """One provider's day, whether it was fetched before or not; what hinders it is told, not raised."""
    try:
        stated = gateway.statement(day)
    except DomainError as error:
        return StatementFetched(provider=gateway.name, day=day, trouble=error.code)
    with new_uow() as uow:
        ours = uow.statement_days.currencies(gateway.name, day)
    statement = _about_the_day(stated, day, ours)
    reconciliation_id: UUID | None = None
    breaks = 0
    if statement.days:
        command = RecordStatement(statement=statement, actor_id=None)
        compared = record_statement(command, uow=new_uow(), clock=clock, new_id=new_id)
        reconciliation_id, breaks = compared.id, compared.breaks
    with new_uow() as uow:
        uow.statement_days.remember(gateway.name, day, reconciliation_id=reconciliation_id, at=clock.now())
        uow.commit()
    return StatementFetched(provider=gateway.name, day=day, lines=len(statement.lines), breaks=breaks)


def _about_the_day(statement: ProviderStatement, day: date, ours: Sequence[str]) -> ProviderStatement:
    """The statement, speaking also of currencies that we received that day and it has no line of: all are breaks."""
    silent = {(unit, day): Balances() for unit in ours if (unit, day) not in statement.days}
    return replace(statement, balances={**silent, **statement.balances})
