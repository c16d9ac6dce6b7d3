"""waiting_list_entries."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table

from domain.sales.waiting import WaitingStatus
from infrastructure.database.metadata import instant, key, metadata, reference, status

waiting_list_entries = Table(
    "waiting_list_entries",
    metadata,
    key(),
    reference("departure_id", "departures.id"),
    reference("user_id", "users.id"),
    # None is the customer: so the release before writes it.
    reference("joined_by_user_id", "users.id", nullable=True),
    Column("seats", Integer, nullable=False),
    *status("status", WaitingStatus),
    instant("created_at"),
    instant("offered_at", nullable=True),
    instant("offer_expires_at", nullable=True),
    reference("booking_id", "bookings.id", nullable=True),
    instant("ended_at", nullable=True),
    CheckConstraint("seats > 0", name="seats_above_zero"),
    CheckConstraint("(offered_at IS NULL) = (offer_expires_at IS NULL)", name="offers_end"),
    CheckConstraint("status <> 'OFFERED' OR offer_expires_at IS NOT NULL", name="offered_until"),
    CheckConstraint("(status = 'ACCEPTED') = (booking_id IS NOT NULL)", name="accepted_with_its_booking"),
    Index(
        "uq_waiting_list_entries_open_departure_id_user_id",
        "departure_id",
        "user_id",
        unique=True,
        postgresql_where="status IN ('WAITING', 'OFFERED')",
    ),
    # The line itself, in its order.
    Index("ix_waiting_list_entries_departure_id_created_at_id", "departure_id", "created_at", "id"),
    Index("ix_waiting_list_entries_user_id_created_at_id", "user_id", "created_at", "id"),
    Index("ix_waiting_list_entries_joined_by_user_id_created_at_id", "joined_by_user_id", "created_at", "id"),
    Index("ix_waiting_list_entries_offer_expires_at", "offer_expires_at", postgresql_where="status = 'OFFERED'"),
    Index("ix_waiting_list_entries_waiting", "departure_id", postgresql_where="status = 'WAITING'"),
    Index("uq_waiting_list_entries_booking_id", "booking_id", unique=True, postgresql_where="booking_id IS NOT NULL"),
)
