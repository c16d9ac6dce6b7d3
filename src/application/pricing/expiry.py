"""Saying of vouchers and offers whose time is over that it is."""

from __future__ import annotations

from application.ports import UnitOfWork
from domain.shared.clock import Clock


def expire_promotions(*, uow: UnitOfWork, clock: Clock) -> int:
    """Set-wise, however many there are; nothing waits for it: what is over gives nothing before it is said."""
    with uow:
        expired = uow.promotions.expire(at=clock.now())
        uow.commit()
    return expired
