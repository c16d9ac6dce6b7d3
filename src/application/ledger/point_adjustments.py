"""Adjustments of points: given as a lot of their own, taken from the lots that expire soonest."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from application.ledger.ports import OpenLot
from application.ports import UnitOfWork
from domain.ledger import accounts
from domain.ledger.adjustments import Adjustment
from domain.ledger.journal import InsufficientBalance, Journal
from domain.ledger.points import LIFETIME, PointsLot
from domain.shared.clock import Clock
from domain.shared.identifiers import NewId


def post_points(adjustment: Adjustment, journal: Journal, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Give points as a new lot, or take them from lots. Raises InsufficientBalance, here or at commit."""
    if adjustment.amount_minor > 0:
        uow.ledger.post([journal])
        uow.ledger.add_lot(_lot(adjustment, journal, new_id=new_id))
        return
    # Before the lots are read: whoever spends points at the same time waits here.
    uow.ledger.lock([accounts.points(adjustment.user_id)])
    lots = uow.adjustments.open_lots(adjustment.user_id, at=clock.now())
    taken = taken_from(lots, -adjustment.amount_minor)
    uow.ledger.post([journal])
    uow.adjustments.take_from_lots(journal.id, taken)


def _lot(adjustment: Adjustment, journal: Journal, *, new_id: NewId) -> PointsLot:
    return PointsLot(
        id=new_id(),
        user_id=adjustment.user_id,
        journal_id=journal.id,
        points=adjustment.amount_minor,
        earned_at=journal.occurred_at,
        expires_at=journal.occurred_at + LIFETIME,
    )


def taken_from(lots: Sequence[OpenLot], points: int) -> dict[UUID, int]:
    """How many points each lot gives, in the lots' order. Raises InsufficientBalance where they hold too few."""
    taken: dict[UUID, int] = {}
    for lot in lots:
        if points == 0:
            break
        taken[lot.id] = min(points, lot.remaining)
        points -= taken[lot.id]
    if points:
        raise InsufficientBalance()
    return taken
