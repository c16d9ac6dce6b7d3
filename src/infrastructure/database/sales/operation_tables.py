"""departure_operations, departure_operation_items."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text, Uuid

from domain.sales.departure_operations import ItemStatus, OperationKind, OperationStatus
from infrastructure.database.metadata import instant, key, metadata, reference, status

departure_operations = Table(
    "departure_operations",
    metadata,
    key(),
    *status("kind", OperationKind),
    reference("departure_id", "departures.id"),
    reference("target_departure_id", "departures.id", nullable=True),
    Column("reason_ar", Text, nullable=False),
    Column("reason_en", Text, nullable=False),
    *status("status", OperationStatus),
    reference("created_by_user_id", "users.id"),
    instant("created_at"),
    instant("finished_at", nullable=True),
    CheckConstraint("(kind = 'MOVE') = (target_departure_id IS NOT NULL)", name="moves_lead_somewhere"),
    CheckConstraint("target_departure_id <> departure_id", name="leads_elsewhere"),
    CheckConstraint("(status IN ('PENDING', 'RUNNING')) = (finished_at IS NULL)", name="finished_at_its_end"),
    Index(
        "uq_departure_operations_open_departure_id",
        "departure_id",
        unique=True,
        postgresql_where="status IN ('PENDING', 'RUNNING')",
    ),
    Index("ix_departure_operations_departure_id_created_at_id", "departure_id", "created_at", "id"),
    Index("ix_departure_operations_target_departure_id", "target_departure_id"),
    Index("ix_departure_operations_created_at_id", "created_at", "id"),
)

departure_operation_items = Table(
    "departure_operation_items",
    metadata,
    Column("operation_id", Uuid, ForeignKey("departure_operations.id"), primary_key=True),
    Column("booking_id", Uuid, ForeignKey("bookings.id"), primary_key=True),
    *status("status", ItemStatus),
    # The code of what refused it the last time.
    Column("error", Text),
    instant("done_at", nullable=True),
    CheckConstraint("(status = 'FAILED') = (error IS NOT NULL)", name="faults_have_a_reason"),
    CheckConstraint("(status = 'PENDING') = (done_at IS NULL)", name="done_at_its_end"),
    Index("ix_departure_operation_items_booking_id", "booking_id"),
    Index("ix_departure_operation_items_open", "operation_id", postgresql_where="status = 'PENDING'"),
)
