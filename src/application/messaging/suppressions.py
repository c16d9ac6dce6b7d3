"""Letting mail go again to an address that was dead."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from application.ports import UnitOfWork
from domain.messaging.deliveries import SuppressionNotFound
from domain.shared.clock import Clock


@dataclass(frozen=True, slots=True)
class LiftSuppression:
    actor_id: UUID
    suppression_id: UUID


def lift_suppression(command: LiftSuppression, *, uow: UnitOfWork, clock: Clock) -> None:
    """Let mail go to the address again; what was refused meanwhile is not sent. Raises SuppressionNotFound."""
    with uow:
        if uow.suppressions.lift(command.suppression_id) is None:
            raise SuppressionNotFound()
        uow.audit.add(
            actor=command.actor_id,
            action="notifications.manage",
            resource_type="SUPPRESSED_ADDRESS",
            resource_id=command.suppression_id,
            # Without the address: the log outlives the person.
            changes={"before": {"suppressed": True}, "after": {"suppressed": False}},
            at=clock.now(),
        )
        uow.commit()
