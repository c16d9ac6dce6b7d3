"""Bookings, by hand-written statements: the busiest rows of the system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from application.ports import Encryption
from application.sales.ports import OfferTerms, OnSale, RequestOpened, Sale
from domain.catalogue.departures import DepartureNotFound
from domain.catalogue.items import Item
from domain.sales.agreed import BookingItem
from domain.sales.amendments import Amendment
from domain.sales.booking_errors import BookingNotFound, CustomerNotFound
from domain.sales.bookings import Booking
from domain.sales.holds import Hold
from domain.sales.instalments import Instalment
from domain.sales.travelers import Traveler
from domain.shared.aggregate import Aggregate
from domain.shared.errors import NotFound
from domain.shared.identifiers import NewId
from infrastructure.database.catalogue.departures import SqlDepartures
from infrastructure.database.sales.amendments import SqlAmendments, sold_again
from infrastructure.database.sales.on_sale import (
    OFFER_TERMS,
    OPEN_ACCOUNT,
    OPEN_REQUEST,
    OPEN_SALE,
    buyer_of,
    offer_terms_of,
    offer_values,
    offered_of,
    partners_of,
    sale_values,
)
from infrastructure.database.sales.rows import (
    agreed_row,
    booking_of,
    booking_row,
    document,
    instalment_rows,
    item_row,
    moving_row,
)
from infrastructure.database.sales.sweep import expire_together
from infrastructure.database.transaction import Row, Statements

_MOVING: Final = (
    "status", "payment_status", "paid_amount_minor", "points_paid_amount_minor", "refunded_amount_minor",
    "kept_amount_minor", "cancellation_reason", "cancelled_by_user_id", "cancelled_at", "no_show_at", "updated_at",
)  # fmt: skip
_AGREED: Final = (
    "booking_type", "package_id", "activity_id", "departure_id", "booking_details", "start_date", "end_date",
    "starts_at", "time_zone", "free_cancellation_until", "travelers_count", "deposit_amount_minor", "price_lines",
    "base_amount_minor",
    "discount_amount_minor", "voucher_discount_minor", "tax_amount_minor", "fee_amount_minor", "final_amount_minor",
    "points_redeemed", "points_worth_minor", "currency", "tax_rate", "exchange_rate_id", "exchange_from",
    "exchange_rate", "tier_code", "points_multiplier", "cashback_rate", "bonus_points", "bonus_cashback_minor",
    "cancellation_terms",
    "customer_info", "special_requests", "overpaid_amount_minor", "amendment_fees_minor", "amended_times",
)  # fmt: skip
_COLUMNS: Final = (
    "id", "booking_number", "user_id", "agent_id", "created_by_user_id", "booking_source", "replaces_booking_id",
    "created_at", *_MOVING, *_AGREED,
)  # fmt: skip

_ITEMS: Final = """
    INSERT INTO booking_items (id, booking_id, booking_type, item_name_ar, item_name_en, quantity, unit_price_minor,
                               price_minor, discount_minor, tax_minor, fee_minor, total_price_minor, currency,
                               item_details, notes, vendor_id, vendor_rate, agent_rate)
    SELECT i.id, %(id)s, i.booking_type, i.item_name_ar, i.item_name_en, i.quantity, i.unit_price_minor,
           i.price_minor, i.discount_minor, i.tax_minor, i.fee_minor, i.total_price_minor, %(currency)s,
           i.item_details, i.notes, i.vendor_id, i.vendor_rate, i.agent_rate
    FROM jsonb_populate_recordset(NULL::booking_items, %(told)s::jsonb -> 'items') AS i
"""
_INSTALMENTS: Final = """
    INSERT INTO booking_instalments (booking_id, position, due_on, amount_minor, currency)
    SELECT %(id)s, i.position, i.due_on, i.amount_minor, %(currency)s
    FROM jsonb_populate_recordset(NULL::booking_instalments, %(told)s::jsonb -> 'instalments') AS i
"""
_HOLD: Final = """
    INSERT INTO holds (booking_id, departure_id, seats, status, expires_at)
    SELECT %(id)s, %(hold_departure_id)s::uuid, %(hold_seats)s::integer, %(hold_status)s,
           %(hold_expires_at)s::timestamptz
    WHERE %(hold_status)s::text IS NOT NULL
"""
_TRAVELERS: Final = """
    INSERT INTO booking_travelers (booking_id, position, first_name, last_name, birth_date,
                                   document_number_encrypted, document_expires_on)
    SELECT %(id)s, t.position, t.first_name, t.last_name, t.birth_date,
           convert_to(t.document_number_encrypted, 'UTF8'), t.document_expires_on
    FROM jsonb_to_recordset(%(told)s::jsonb -> 'travelers') AS t(
        position smallint, first_name text, last_name text, birth_date date, document_number_encrypted text,
        document_expires_on date)
"""
# A booking and all that belongs to it in one statement: each costs a worker as much as several rows. All of it comes as
# one document, which the statement says on one line: beyond 50 values or 4,096 characters psycopg reads it anew each
# time, and that costs as much as all of the rest.
_ADD_BOOKING: Final = " ".join(
    f"""
WITH booked AS (
    INSERT INTO bookings ({", ".join(_COLUMNS)})
    SELECT {", ".join(_COLUMNS)} FROM jsonb_populate_record(NULL::bookings, %(told)s::jsonb -> 'booking')
), bought AS ({_ITEMS}), planned AS ({_INSTALMENTS}), held AS ({_HOLD}), begun AS (
    INSERT INTO booking_status_history (booking_id, from_status, to_status, changed_by_user_id, change_reason,
                                        changed_at)
    SELECT %(id)s, s.from_status, s.to_status, s.changed_by_user_id, s.change_reason, s.changed_at
    FROM jsonb_populate_recordset(NULL::booking_status_history, %(told)s::jsonb -> 'steps') WITH ORDINALITY AS s
    ORDER BY s.ordinality
)
{_TRAVELERS}
""".split()
)
_ADD_CHANGE: Final = """
INSERT INTO booking_status_history (booking_id, from_status, to_status, changed_by_user_id, change_reason, changed_at)
VALUES (%s, %s, %s, %s, %s, %s)
"""
# A statement of its own: one that waits for a row sees the hold and the items as they were before it waited.
_LOCK_BOOKING: Final = "SELECT 1 FROM bookings WHERE id = %s FOR UPDATE"
_GET_BOOKING: Final = """
SELECT b.*, coalesce(b.starts_at, b.start_date::timestamp AT TIME ZONE b.time_zone) AS begins_at,
       h.departure_id AS hold_departure_id, h.seats AS hold_seats, h.status AS hold_status,
       h.expires_at AS hold_expires_at, h.agreed_until AS hold_agreed_until, h.begun_at AS hold_begun_at,
       (SELECT jsonb_agg(to_jsonb(i) || jsonb_build_object('vendor_rate', i.vendor_rate::text,
                                                           'agent_rate', i.agent_rate::text) ORDER BY i.id)
        FROM booking_items i WHERE i.booking_id = b.id) AS items,
       (SELECT json_agg(p ORDER BY p.position) FROM booking_instalments p WHERE p.booking_id = b.id) AS instalments,
       (SELECT to_jsonb(a) FROM booking_amendments a WHERE a.booking_id = b.id AND a.status = 'PENDING') AS amendment
FROM bookings b LEFT JOIN holds h ON h.booking_id = b.id
WHERE b.id = %s
"""
_SAVE_MOVING: Final = f"UPDATE bookings SET {', '.join(f'{name} = %({name})s' for name in _MOVING)} WHERE id = %(id)s"
_SAVE_AGREED: Final = f"UPDATE bookings SET {', '.join(f'{name} = %({name})s' for name in _AGREED)} WHERE id = %(id)s"
_REPLACE_ITEMS: Final = f"WITH gone AS (DELETE FROM booking_items WHERE booking_id = %(id)s) {_ITEMS}"
_DROP_INSTALMENTS: Final = "DELETE FROM booking_instalments WHERE booking_id = %(id)s"
_SAVE_HOLD: Final = """
INSERT INTO holds (booking_id, departure_id, seats, status, expires_at, agreed_until, begun_at)
VALUES (%(id)s, %(hold_departure_id)s, %(hold_seats)s, %(hold_status)s, %(hold_expires_at)s, %(hold_agreed_until)s,
        %(hold_begun_at)s)
ON CONFLICT (booking_id) DO UPDATE SET departure_id = excluded.departure_id, seats = excluded.seats,
    status = excluded.status, expires_at = excluded.expires_at, agreed_until = excluded.agreed_until,
    begun_at = excluded.begun_at
"""
_COPY_TRAVELERS: Final = """
INSERT INTO booking_travelers (booking_id, position, first_name, last_name, birth_date, document_number_encrypted,
                               document_expires_on)
SELECT %(id)s, position, first_name, last_name, birth_date, document_number_encrypted, document_expires_on
FROM booking_travelers WHERE booking_id = %(replaced)s
"""
_REPLACEMENT: Final = "SELECT id FROM bookings WHERE replaces_booking_id = %s"
_BOOKED_AGAIN: Final = """
SELECT 1 FROM bookings
WHERE user_id = %(user_id)s AND departure_id = %(departure_id)s AND created_at >= %(since)s
  AND replaces_booking_id IS NULL AND status NOT IN ('CANCELLED', 'REFUNDED') LIMIT 1
"""
_GET_TRAVELERS: Final = """
SELECT first_name, last_name, birth_date, document_number_encrypted, document_expires_on
FROM booking_travelers WHERE booking_id = %s ORDER BY position
"""
_DROP_TRAVELERS: Final = "DELETE FROM booking_travelers WHERE booking_id = %s"
_ARCHIVE: Final = """
WITH over AS (
    SELECT id FROM bookings
    WHERE archived_at IS NULL AND status IN ('COMPLETED', 'CANCELLED', 'REFUNDED') AND updated_at < %(settled_before)s
    ORDER BY updated_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), archived AS (
    UPDATE bookings b SET archived_at = %(at)s FROM over WHERE b.id = over.id RETURNING 1
)
SELECT count(*) AS archived FROM archived
"""
_LAPSING: Final = """
SELECT id FROM bookings
WHERE status = 'DRAFT' AND coalesce(starts_at, start_date::timestamp AT TIME ZONE time_zone) <= %s LIMIT %s
"""
_DUE: Final = "SELECT booking_id FROM holds WHERE status = 'ACTIVE' AND expires_at <= %s ORDER BY expires_at LIMIT %s"


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the rows of a booking say: it is written again where it says something else."""

    updated_at: datetime
    agreed: tuple[object, ...]
    items: tuple[BookingItem, ...]
    instalments: tuple[Instalment, ...]
    hold: dict[str, Any]


class SqlBookings:
    """Implements `application.sales.booking_ports.Bookings`; what changed is written when the unit of work flushes."""

    def __init__(self, statements: Statements, departures: SqlDepartures, encryption: Encryption) -> None:
        self._statements = statements
        self._departures = departures
        self._encryption = encryption
        self._amendments = SqlAmendments(statements, encryption)
        self._loaded: dict[UUID, Booking] = {}
        self._stored: dict[UUID, _Stored] = {}

    def open_sale(
        self,
        item: Item,
        *,
        departure_id: UUID,
        buyer_id: UUID,
        agent_id: UUID | None,
        currency: str | None,
        at: datetime,
    ) -> Sale:
        values = sale_values(item.id, departure_id=departure_id, buyer_id=buyer_id, currency=currency, at=at)
        row = self._statements.row(OPEN_SALE[item.kind], {**values, "agent_id": agent_id})
        if row is None:
            raise self._unsold(buyer_id)
        return Sale(
            serial=row["serial"],
            departure=self._departures.locked(row),
            offered=offered_of(row, item, currency),
            buyer=buyer_of(row, buyer_id),
            partners=partners_of(row),
        )

    def _unsold(self, buyer_id: UUID) -> NotFound:
        """What there is not: the customer, or what they want."""
        is_known = self._statements.row(OPEN_ACCOUNT, {"buyer_id": buyer_id}) is not None
        return DepartureNotFound() if is_known else CustomerNotFound()

    def open_request(
        self, buyer_id: UUID, *, agent_id: UUID | None, policy_id: UUID | None, at: datetime
    ) -> RequestOpened:
        row = self._statements.row(OPEN_REQUEST, offer_values(buyer_id, agent_id=agent_id, policy_id=policy_id, at=at))
        if row is None:
            raise CustomerNotFound()
        return RequestOpened(serial=row["serial"], terms=offer_terms_of(row), buyer=buyer_of(row, buyer_id))

    def on_sale_again(self, booking: Booking, departure_id: UUID, *, at: datetime) -> OnSale:
        return sold_again(booking, departure_id, statements=self._statements, at=at)

    def keep_amendment(self, amendment: Amendment) -> None:
        self._amendments.keep(amendment)

    def lapsing_amendments(self, *, before: datetime, limit: int) -> Sequence[UUID]:
        return self._amendments.lapsing(before=before, limit=limit)

    def offer_terms(self, buyer_id: UUID, *, agent_id: UUID | None, policy_id: UUID | None, at: datetime) -> OfferTerms:
        (row,) = self._statements.rows(
            OFFER_TERMS, offer_values(buyer_id, agent_id=agent_id, policy_id=policy_id, at=at)
        )
        return offer_terms_of(row)

    def add(self, booking: Booking, travelers: Sequence[Traveler]) -> None:
        self._statements.execute(
            _ADD_BOOKING,
            {
                "id": booking.id,
                "currency": booking.final_amount.currency.code,
                "told": document(
                    booking=booking_row(booking),
                    items=[item_row(item) for item in booking.items],
                    instalments=instalment_rows(booking.instalments),
                    steps=booking.pull_changes(),
                    travelers=self._traveler_rows(travelers),
                ),
                **_hold_row(booking.hold),
            },
        )
        self._remember(booking)

    def add_replacement(self, booking: Booking) -> None:
        self.add(booking, ())
        self._statements.execute(_COPY_TRAVELERS, {"id": booking.id, "replaced": booking.replaces_booking_id})

    def next_serial(self) -> int:
        row = self._statements.row("SELECT nextval('booking_numbers') AS serial")
        return int(row["serial"]) if row else 0

    def replacement_of(self, booking_id: UUID) -> UUID | None:
        row = self._statements.row(_REPLACEMENT, (booking_id,))
        return row["id"] if row is not None else None

    def is_booked_again(self, booking: Booking) -> bool:
        values = {
            "user_id": booking.user_id,
            "departure_id": booking.trip.departure_id,
            "since": booking.cancelled_at,
        }
        return self._statements.row(_BOOKED_AGAIN, values) is not None

    def _remember(self, booking: Booking) -> None:
        self._loaded[booking.id] = booking
        self._stored[booking.id] = _as_stored(booking)

    def travelers(self, booking_id: UUID) -> Sequence[Traveler]:
        return tuple(self._traveler(row) for row in self._statements.rows(_GET_TRAVELERS, (booking_id,)))

    def replace_travelers(self, booking_id: UUID, travelers: Sequence[Traveler]) -> None:
        self._statements.execute(_DROP_TRAVELERS, (booking_id,))
        told = document(travelers=self._traveler_rows(travelers))
        self._statements.execute(_TRAVELERS, {"id": booking_id, "told": told})

    def _traveler(self, row: Row) -> Traveler:
        sealed = row["document_number_encrypted"]
        return Traveler(
            first_name=row["first_name"],
            last_name=row["last_name"],
            birth_date=row["birth_date"],
            document_number=self._encryption.decrypt(sealed) if sealed is not None else None,
            document_expires_on=row["document_expires_on"],
        )

    def _traveler_rows(self, travelers: Sequence[Traveler]) -> list[dict[str, Any]]:
        return [self._traveler_row(*numbered) for numbered in enumerate(travelers, start=1)]

    def _traveler_row(self, position: int, traveler: Traveler) -> Row:
        number = traveler.document_number
        return {
            "position": position,
            "first_name": traveler.first_name,
            "last_name": traveler.last_name,
            "birth_date": traveler.birth_date,
            "document_number_encrypted": self._encryption.encrypt(number).decode() if number else None,
            "document_expires_on": traveler.document_expires_on,
        }

    def get(self, booking_id: UUID) -> Booking:
        if booking_id not in self._loaded:
            self._statements.execute(_LOCK_BOOKING, (booking_id,))
            row = self._statements.row(_GET_BOOKING, (booking_id,))
            if row is None:
                raise BookingNotFound()
            booking = booking_of(row)
            if row["amendment"] is not None:
                booking.amendment = self._amendments.waiting(row["amendment"], booking)
            self._remember(booking)
        return self._loaded[booking_id]

    def archive(self, *, settled_before: datetime, at: datetime, limit: int) -> int:
        values = {"settled_before": settled_before, "at": at, "limit": limit}
        (row,) = self._statements.rows(_ARCHIVE, values)
        archived: int = row["archived"]
        return archived

    def lapsing_requests(self, *, begun_before: datetime, limit: int) -> Sequence[UUID]:
        return [row["id"] for row in self._statements.rows(_LAPSING, (begun_before, limit))]

    def due_for_expiry(self, *, before: datetime, limit: int) -> Sequence[UUID]:
        return [row["booking_id"] for row in self._statements.rows(_DUE, (before, limit))]

    def expire_together(self, *, before: datetime, at: datetime, limit: int, new_id: NewId) -> int:
        return expire_together(self._statements, before=before, at=at, limit=limit, new_id=new_id)

    def flush(self) -> Sequence[Aggregate]:
        """Write the bookings that changed since they were loaded; answers all that were touched."""
        for booking in self._loaded.values():
            took_a_step = self._write_changes(booking)
            if took_a_step or booking.updated_at != self._stored[booking.id].updated_at:
                self._save(booking)
        return list(self._loaded.values())

    def _save(self, booking: Booking) -> None:
        before, now = self._stored[booking.id], _as_stored(booking)
        if before.agreed != now.agreed:
            self._statements.execute(_SAVE_AGREED, {"id": booking.id, **agreed_row(booking)})
        if before.items != now.items:
            told = document(items=[item_row(item) for item in booking.items])
            unit = booking.final_amount.currency.code
            self._statements.execute(_REPLACE_ITEMS, {"id": booking.id, "told": told, "currency": unit})
        if before.instalments != now.instalments:
            # Two statements: in one, the new rows may come before the old ones of the same positions are gone.
            self._statements.execute(_DROP_INSTALMENTS, {"id": booking.id})
            told, unit = document(instalments=instalment_rows(booking.instalments)), booking.final_amount.currency.code
            self._statements.execute(_INSTALMENTS, {"id": booking.id, "told": told, "currency": unit})
        self._statements.execute(_SAVE_MOVING, moving_row(booking))
        if before.hold != now.hold:
            self._statements.execute(_SAVE_HOLD, {"id": booking.id, **now.hold})
        self._stored[booking.id] = now

    def _write_changes(self, booking: Booking) -> bool:
        changes = booking.pull_changes()
        for change in changes:
            self._statements.execute(
                _ADD_CHANGE,
                (booking.id, change.from_status, change.to_status, change.changed_by_user_id,
                 change.change_reason, change.changed_at),
            )  # fmt: skip
        return bool(changes)


def _as_stored(booking: Booking) -> _Stored:
    agreed = (
        booking.trip, booking.price, booking.deposit_amount, booking.rewards, booking.free_cancellation_until,
        booking.customer_info, booking.special_requests, booking.overpaid_amount, booking.amendment_fees,
        booking.amended_times, booking.cancellation_terms,
    )  # fmt: skip
    return _Stored(booking.updated_at, agreed, tuple(booking.items), booking.instalments, _hold_row(booking.hold))


def _hold_row(hold: Hold | None) -> dict[str, Any]:
    return {
        "hold_departure_id": hold.departure_id if hold is not None else None,
        "hold_seats": hold.seats if hold is not None else None,
        "hold_status": hold.status if hold is not None else None,
        "hold_expires_at": hold.expires_at if hold is not None else None,
        "hold_agreed_until": hold.agreed_until if hold is not None else None,
        "hold_begun_at": hold.begun_at if hold is not None else None,
    }
