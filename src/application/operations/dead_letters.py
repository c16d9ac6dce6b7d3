"""Giving events that were given up their attempts back."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from application.ports import UnitOfWork
from domain.operations.dead_letters import DeadLetterNotFound
from domain.shared.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayDeadLetters:
    """Which ones: of one event, for one handler, or all. `actor_id` is None at the terminal."""

    actor_id: UUID | None
    event_id: UUID | None = None
    handler: str | None = None


def replay_dead_letters(command: ReplayDeadLetters, *, uow: UnitOfWork, clock: Clock) -> int:
    """Make them due at once; a relay enqueues them again. How many there were.

    Raises DeadLetterNotFound where one event was named and nothing of it is dead.
    """
    with uow:
        replayed = uow.dead_letters.replay(event_id=command.event_id, handler=command.handler)
        if command.event_id is not None and not replayed:
            raise DeadLetterNotFound()
        if replayed:
            uow.audit.add(
                actor=command.actor_id,
                action="operations.replay",
                resource_type="OUTBOX_EVENT",
                resource_id=command.event_id,
                changes={"before": {"dead": len(replayed)}, "after": {"due": sorted(set(replayed))}},
                at=clock.now(),
            )
        uow.commit()
    return len(replayed)
