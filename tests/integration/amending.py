"""Amending in the words of a test."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from application.billing.credit_notes import issue_credit_notes
from application.billing.invoices import issue_invoice
from application.sales.amending import (
    AmendBooking,
    PreviewAmendment,
    WithdrawAmendment,
    amend_booking,
    lapse_amendments,
    preview_amendment,
    withdraw_amendment,
)
from application.sales.amendment_plans import AmendmentPlan, WantedChange
from domain.catalogue.departures import Departure
from domain.sales.bookings import Booking
from domain.shared.clock import business_date
from infrastructure.database.transaction import Row
from tests.builders import a_departure
from tests.integration.shop import HOLD_FOR, Shop

GRACE = timedelta(minutes=5)


@dataclass(frozen=True)
class Desk:
    """Where a shop's customers change their trips."""

    shop: Shop

    def another_date(self, of: Departure, *, seats: int = 50, days: int = 40) -> Departure:
        """Another departure of the same package."""
        with self.shop.use.new_uow() as uow:
            starts_on = business_date(self.shop.use.clock.now()) + timedelta(days=days)
            departure = a_departure(package_id=of.package_id, capacity=seats, starts_on=starts_on)
            uow.departures.add(departure)
            uow.commit()
        return departure

    def preview(self, booking: Booking, **wanted: Any) -> AmendmentPlan:
        use = self.shop.use
        command = PreviewAmendment(booking_id=booking.id, owner=None, wanted=WantedChange(**wanted), hold_for=HOLD_FOR)
        return preview_amendment(command, uow=use.new_uow(), gateways=use.gateways, clock=use.clock, new_id=use.new_id)

    def amend(self, booking: Booking, *, agreed: str | None = None, **wanted: Any) -> UUID:
        """By its customer."""
        use = self.shop.use
        command = AmendBooking(
            booking_id=booking.id,
            actor_id=booking.user_id,
            owner=booking.user_id,
            wanted=WantedChange(**wanted),
            hold_for=HOLD_FOR,
            agreed=agreed,
        )
        return amend_booking(command, uow=use.new_uow(), gateways=use.gateways, clock=use.clock, new_id=use.new_id)

    def withdraw(self, booking: Booking, amendment_id: UUID) -> None:
        command = WithdrawAmendment(
            booking_id=booking.id, amendment_id=amendment_id, actor_id=booking.user_id, owner=booking.user_id
        )
        withdraw_amendment(command, uow=self.shop.use.new_uow(), clock=self.shop.use.clock)

    def lapse(self) -> int:
        return lapse_amendments(new_uow=self.shop.use.new_uow, clock=self.shop.use.clock, grace=GRACE)

    def amendment(self, amendment_id: UUID) -> Row:
        return self.shop.row("SELECT * FROM booking_amendments WHERE id = %s", amendment_id)

    def seats(self, departure: Departure) -> int:
        row = self.shop.row("SELECT seats_taken FROM departures WHERE id = %s", departure.id)
        taken: int = row["seats_taken"]
        return taken

    def refunds(self, booking: Booking) -> list[UUID]:
        """The refunds of a booking's payments, in order."""
        sql = """SELECT r.id FROM refunds r JOIN payments p ON p.id = r.payment_id
                 WHERE p.booking_id = %s ORDER BY r.id"""
        return [row["id"] for row in self.shop.database.rows(sql, (booking.id,))]

    def write_papers(self, booking: Booking) -> tuple[int, int]:
        """Issue every invoice and credit note that is due; what they say is sold, and the tax in it."""
        use = self.shop.use
        sql = "SELECT id FROM payments WHERE booking_id = %s AND paid_at IS NOT NULL ORDER BY paid_at, id"
        for row in self.shop.database.rows(sql, (booking.id,)):
            issue_invoice(row["id"], uow=use.new_uow(), clock=use.clock, new_id=use.new_id)
        for refund_id in self.refunds(booking):
            payment_id = self.shop.row("SELECT payment_id FROM refunds WHERE id = %s", refund_id)["payment_id"]
            issue_credit_notes(payment_id, new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)
        sums = self.shop.row(
            """SELECT coalesce(sum(total_amount_minor * sign), 0)::bigint AS total,
                      coalesce(sum(tax_amount_minor * sign), 0)::bigint AS tax
               FROM (SELECT *, CASE WHEN invoice_type = 'CREDIT_NOTE' THEN -1 ELSE 1 END AS sign
                     FROM invoices WHERE booking_id = %s) i""",
            booking.id,
        )
        return sums["total"], sums["tax"]
