"""The reconciler: asks providers about every attempt that no webhook finished."""

from __future__ import annotations

from dataclasses import dataclass

from application.billing.ports import Gateways
from application.billing.webhooks import UNFINISHED_AFTER, read_back
from application.ports import NewUnitOfWork
from domain.shared.clock import Clock
from domain.shared.errors import DomainError
from domain.shared.identifiers import NewId


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many attempts were looked at, and how many providers did not say."""

    asked: int
    unanswered: int


def reconcile_payments(
    *, new_uow: NewUnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId, live: bool, limit: int = 200
) -> Reconciled:
    """Read back unfinished attempts, found by scanning the table: works whatever webhooks were lost.

    One attempt that cannot be read does not stop the others; it is asked about again next time.
    """
    with new_uow() as uow:
        attempts = uow.inbox.unfinished_attempts(before=clock.now() - UNFINISHED_AFTER, limit=limit)
    unanswered = 0
    for attempt in attempts:
        try:
            read_back(attempt, new_uow=new_uow, gateways=gateways, clock=clock, new_id=new_id, live=live)
        except DomainError:
            unanswered += 1
    return Reconciled(asked=len(attempts), unanswered=unanswered)
