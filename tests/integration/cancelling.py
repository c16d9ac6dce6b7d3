"""Cancelling in the words of a test."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from psycopg.types.json import Jsonb

from application.sales.cancellation_plans import CancellationPlan
from application.sales.cancelling import (
    CancelBooking,
    Decided,
    PreviewCancellation,
    cancel_booking,
    preview_cancellation,
)
from domain.shared.percentage import Percentage
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.integration.shop import Shop

Tiers = tuple[tuple[int, int], ...]
"""Hours before the start, and whole percent that come back."""


@dataclass(frozen=True)
class Desk:
    """Where a shop's customers cancel, and staff for them."""

    shop: Shop

    def preview(self, booking_id: UUID, *, by: UUID | None = None, share: int | None = None) -> CancellationPlan:
        use = self.shop.use
        command = PreviewCancellation(
            booking_id=booking_id, actor_id=by or new_id(), owner=None, decided=_percent(share)
        )
        return preview_cancellation(
            command, uow=use.new_uow(), gateways=use.gateways, clock=use.clock, new_id=use.new_id
        )

    def cancel(
        self,
        booking_id: UUID,
        *,
        by: UUID | None = None,
        owner: UUID | None = None,
        share: int | None = None,
        agreed: str | None = None,
    ) -> None:
        """By the system, unless said otherwise; `share` is what staff decided, in percent."""
        use, percent = self.shop.use, _percent(share)
        command = CancelBooking(
            booking_id=booking_id,
            actor_id=by,
            owner=owner,
            reason="plans changed",
            decided=Decided(share=percent, reason="a test") if percent is not None else None,
            agreed=agreed,
        )
        cancel_booking(command, uow=use.new_uow(), gateways=use.gateways, clock=use.clock, new_id=use.new_id)

    def refunds(self, booking_id: UUID) -> list[UUID]:
        """The refunds of a booking's payments, in order."""
        sql = """SELECT r.id FROM refunds r JOIN payments p ON p.id = r.payment_id
                 WHERE p.booking_id = %s ORDER BY r.id"""
        return [row["id"] for row in self.shop.database.rows(sql, (booking_id,))]

    def history(self, booking_id: UUID) -> list[str]:
        sql = "SELECT to_status FROM booking_status_history WHERE booking_id = %s ORDER BY id"
        return [row["to_status"] for row in self.shop.database.rows(sql, (booking_id,))]


def agree(addresses: DatabaseAddresses, booking_id: UUID, *tiers: tuple[int, int]) -> None:
    """Other terms than the booking was placed under: hours before the start, and percent."""
    terms = {"policy_id": None, "tiers": [{"hours_before": hours, "refund": share * 100} for hours, share in tiers]}
    with connect(addresses.owner) as connection:
        connection.execute("UPDATE bookings SET cancellation_terms = %s WHERE id = %s", (Jsonb(terms), booking_id))


def _percent(share: int | None) -> Percentage | None:
    return Percentage(share * 100) if share is not None else None
