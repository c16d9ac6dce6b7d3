"""Bookings that are long over leave the lists (guide: `archive_completed_bookings`)."""

from __future__ import annotations

from datetime import timedelta

from application.ports import UnitOfWork
from domain.shared.clock import Clock


def archive_bookings(*, uow: UnitOfWork, clock: Clock, after: timedelta, limit: int = 1000) -> int:
    """Archive a batch of what was completed, cancelled or refunded, and unchanged since `after`; how many there were.

    Nothing else changes: they are found by their id, and by `archived=true`.
    """
    now = clock.now()
    with uow:
        archived = uow.bookings.archive(settled_before=now - after, at=now, limit=limit)
        uow.commit()
    return archived
