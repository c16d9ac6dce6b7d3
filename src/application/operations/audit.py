"""Recording what is no change of anything else: refusals, and that the record itself was taken away."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from application.operations.queries import AuditSearch
from application.ports import UnitOfWork
from domain.operations.audit import AuditStatus
from domain.shared.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRefusal:
    """Staff asked for something and were refused with a problem's code; nothing of what they sent is kept."""

    actor_id: UUID
    permission: str
    method: str
    route: str
    resource_id: UUID | None
    reason: str


def record_refusal(command: RecordRefusal, *, uow: UnitOfWork, clock: Clock) -> None:
    """Keep a refusal, in a transaction of its own: that of the request was rolled back."""
    with uow:
        uow.audit.add(
            actor=command.actor_id,
            action=command.permission,
            resource_type="REQUEST",
            resource_id=command.resource_id,
            changes={"before": {}, "after": {}, "request": {"method": command.method, "route": command.route}},
            status=AuditStatus.FAILED,
            error_message=command.reason,
            at=clock.now(),
        )
        uow.commit()


@dataclass(frozen=True, slots=True)
class RecordExport:
    """Somebody takes rows of the audit log away."""

    actor_id: UUID
    search: AuditSearch


def record_export(command: RecordExport, *, uow: UnitOfWork, clock: Clock) -> None:
    """Keep who exported which part of the audit log; before the first row is sent."""
    filters = {name: str(value) for name, value in command.search.asked().items()}
    with uow:
        uow.audit.add(
            actor=command.actor_id,
            action="audit.export",
            resource_type="AUDIT_LOG",
            resource_id=None,
            changes={"before": {}, "after": {}, "filters": filters},
            at=clock.now(),
        )
        uow.commit()
