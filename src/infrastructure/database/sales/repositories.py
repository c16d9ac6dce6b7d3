"""Bookings and departures, by hand-written statements: the busiest rows of the system."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from application.ports import Encryption
from application.sales.ports import Buyer, Sale
from domain.catalogue.departures import Departure, DepartureNotFound, DepartureStatus
from domain.pricing.quotes import PricedItem
from domain.sales.bookings import (
    Booking,
    BookingItem,
    BookingNotFound,
    BookingPaymentStatus,
    BookingSource,
    BookingStatus,
    Hold,
    HoldStatus,
    RewardTerms,
    Traveler,
)
from domain.shared.aggregate import Aggregate
from domain.shared.money import Money
from domain.shared.percentage import Percentage
from infrastructure.database.catalogue.tables import PRICE_NOW
from infrastructure.database.metadata import decimal_of_hundredths
from infrastructure.database.transaction import Row, Statements

_OPEN_SALE = f"""
SELECT nextval('booking_numbers') AS serial,
       d.id AS departure_id, d.package_id, d.starts_on, d.ends_on, d.capacity, d.seats_taken,
       d.status AS departure_status, d.created_at AS departure_created_at,
       p.name_ar, p.name_en, {PRICE_NOW.format(packages="p")} AS price_minor, p.currency, p.tax_rate, p.tax_inclusive,
       p.min_travelers, p.max_travelers,
       u.first_name, u.last_name, u.email, u.phone,
       coalesce(m.tier_code, 'GUEST') AS tier_code, coalesce(m.cashback_rate, 0) AS cashback_rate,
       coalesce(m.points_multiplier, 1) AS points_multiplier
FROM departures d
JOIN packages p ON p.id = d.package_id AND p.status = 'ACTIVE'
JOIN users u ON u.id = %(buyer_id)s
LEFT JOIN LATERAL (
    SELECT l.tier_code, l.cashback_rate, l.points_multiplier
    FROM membership_subscriptions s JOIN membership_plans l ON l.id = s.plan_id
    WHERE s.user_id = u.id AND s.status = 'ACTIVE' AND s.expiry_date >= %(today)s
    LIMIT 1) m ON true
WHERE d.id = %(departure_id)s AND d.package_id = %(package_id)s
FOR UPDATE OF d
"""

_BOOKING_COLUMNS = (
    "id", "booking_number", "user_id", "agent_id", "created_by_user_id", "booking_source", "booking_type",
    "package_id", "departure_id", "status", "payment_status", "price_lines", "base_amount_minor",
    "discount_amount_minor", "voucher_discount_minor", "tax_amount_minor", "final_amount_minor",
    "deposit_amount_minor", "paid_amount_minor", "points_paid_amount_minor", "refunded_amount_minor",
    "currency", "tax_rate", "tier_code", "points_multiplier", "cashback_rate",
    "customer_info", "special_requests", "start_date", "end_date", "travelers_count", "cancellation_reason",
    "cancelled_at", "created_at", "updated_at",
)  # fmt: skip

# A booking and all that belongs to it in one statement: each costs a worker as much as several rows.
_ADD_BOOKING = f"""
WITH booked AS (
    INSERT INTO bookings ({", ".join(_BOOKING_COLUMNS)}) VALUES ({", ".join(f"%({c})s" for c in _BOOKING_COLUMNS)})
), bought AS (
    INSERT INTO booking_items (id, booking_id, booking_type, item_name_ar, item_name_en, quantity,
                               unit_price_minor, total_price_minor, currency)
    SELECT i.id, %(id)s, i.booking_type, i.item_name_ar, i.item_name_en, i.quantity,
           i.unit_price_minor, i.total_price_minor, %(currency)s
    FROM jsonb_to_recordset(%(items)s) AS i(
        id uuid, booking_type text, item_name_ar text, item_name_en text, quantity integer,
        unit_price_minor bigint, total_price_minor bigint)
), held AS (
    INSERT INTO holds (booking_id, departure_id, seats, status, expires_at)
    VALUES (%(id)s, %(hold_departure_id)s, %(hold_seats)s, %(hold_status)s, %(hold_expires_at)s)
)
INSERT INTO booking_travelers (booking_id, position, first_name, last_name, birth_date,
                               document_number_encrypted, document_expires_on)
SELECT %(id)s, t.position, t.first_name, t.last_name, t.birth_date,
       convert_to(t.document_number_encrypted, 'UTF8'), t.document_expires_on
FROM jsonb_to_recordset(%(travelers)s) AS t(
    position smallint, first_name text, last_name text, birth_date date, document_number_encrypted text,
    document_expires_on date)
"""
_ADD_CHANGE = """
INSERT INTO booking_status_history (booking_id, from_status, to_status, changed_by_user_id, change_reason, changed_at)
VALUES (%s, %s, %s, %s, %s, %s)
"""
_GET_BOOKING = """
SELECT b.*, h.departure_id AS hold_departure_id, h.seats AS hold_seats, h.status AS hold_status,
       h.expires_at AS hold_expires_at,
       (SELECT json_agg(i ORDER BY i.id) FROM booking_items i WHERE i.booking_id = b.id) AS items
FROM bookings b JOIN holds h ON h.booking_id = b.id
WHERE b.id = %s
FOR UPDATE OF b
"""
_SAVE_BOOKING = """
UPDATE bookings SET status = %s, payment_status = %s, paid_amount_minor = %s, points_paid_amount_minor = %s,
                    refunded_amount_minor = %s, cancellation_reason = %s, cancelled_at = %s, updated_at = %s
WHERE id = %s
"""
_SAVE_HOLD = "UPDATE holds SET status = %s WHERE booking_id = %s"
_DUE = "SELECT booking_id FROM holds WHERE status = 'ACTIVE' AND expires_at <= %s ORDER BY expires_at LIMIT %s"


class SqlBookings:
    """Implements `application.ports.Bookings`; what changed is written when the unit of work flushes."""

    def __init__(self, statements: Statements, departures: SqlDepartures, encryption: Encryption) -> None:
        self._statements = statements
        self._departures = departures
        self._encryption = encryption
        self._loaded: dict[UUID, Booking] = {}
        self._as_stored: dict[UUID, datetime] = {}

    def open_sale(self, *, package_id: UUID, departure_id: UUID, buyer_id: UUID, today: date) -> Sale:
        row = self._statements.row(
            _OPEN_SALE,
            {"package_id": package_id, "departure_id": departure_id, "buyer_id": buyer_id, "today": today},
        )
        if row is None:
            raise DepartureNotFound()
        return _sale(row, buyer_id, self._departures)

    def add(self, booking: Booking, travelers: Sequence[Traveler]) -> None:
        hold = booking.hold
        self._statements.execute(
            _ADD_BOOKING,
            {
                **_booking_row(booking),
                "items": Jsonb([_item_row(item) for item in booking.items]),
                "hold_departure_id": hold.departure_id,
                "hold_seats": hold.seats,
                "hold_status": hold.status,
                "hold_expires_at": hold.expires_at,
                "travelers": Jsonb([self._traveler_row(*numbered) for numbered in enumerate(travelers, start=1)]),
            },
        )
        self._write_changes(booking)
        self._remember(booking)

    def _remember(self, booking: Booking) -> None:
        self._loaded[booking.id] = booking
        self._as_stored[booking.id] = booking.updated_at

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
            row = self._statements.row(_GET_BOOKING, (booking_id,))
            if row is None:
                raise BookingNotFound()
            self._remember(_booking(row))
        return self._loaded[booking_id]

    def due_for_expiry(self, *, before: datetime, limit: int) -> Sequence[UUID]:
        return [row["booking_id"] for row in self._statements.rows(_DUE, (before, limit))]

    def flush(self) -> Sequence[Aggregate]:
        """Write the bookings that changed since they were loaded; answers all that were touched."""
        for booking in self._loaded.values():
            took_a_step = self._write_changes(booking)
            if took_a_step or booking.updated_at != self._as_stored[booking.id]:
                self._save(booking)
        return list(self._loaded.values())

    def _save(self, booking: Booking) -> None:
        self._statements.execute(
            _SAVE_BOOKING,
            (booking.status, booking.payment_status, booking.paid_amount.minor, booking.points_paid_amount.minor,
             booking.refunded_amount.minor, booking.cancellation_reason, booking.cancelled_at, booking.updated_at,
             booking.id),
        )  # fmt: skip
        self._statements.execute(_SAVE_HOLD, (booking.hold.status, booking.id))
        self._as_stored[booking.id] = booking.updated_at

    def _write_changes(self, booking: Booking) -> bool:
        changes = booking.pull_changes()
        for change in changes:
            self._statements.execute(
                _ADD_CHANGE,
                (booking.id, change.from_status, change.to_status, change.changed_by_user_id,
                 change.change_reason, change.changed_at),
            )  # fmt: skip
        return bool(changes)


_GET_DEPARTURE = "SELECT * FROM departures WHERE id = %s FOR UPDATE"
_ADD_DEPARTURE = """
INSERT INTO departures (id, package_id, starts_on, ends_on, capacity, seats_taken, status, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_SAVE_DEPARTURE = "UPDATE departures SET seats_taken = %s, capacity = %s, status = %s WHERE id = %s"


class SqlDepartures:
    """Implements `application.ports.Departures`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._loaded: dict[UUID, tuple[Departure, tuple[int, int, DepartureStatus]]] = {}

    def add(self, departure: Departure) -> None:
        self._statements.execute(
            _ADD_DEPARTURE,
            (departure.id, departure.package_id, departure.starts_on, departure.ends_on, departure.capacity,
             departure.seats_taken, departure.status, departure.created_at),
        )  # fmt: skip

    def get(self, departure_id: UUID) -> Departure:
        known = self._loaded.get(departure_id)
        if known is not None:
            return known[0]
        row = self._statements.row(_GET_DEPARTURE, (departure_id,))
        if row is None:
            raise DepartureNotFound()
        return self.remember(Departure(**{**row, "status": DepartureStatus(row["status"])}))

    def remember(self, departure: Departure) -> Departure:
        """Watch a departure whose row is locked: its seats are written when the unit of work flushes."""
        self._loaded[departure.id] = (departure, _written(departure))
        return departure

    def flush(self) -> None:
        for departure, before in self._loaded.values():
            if _written(departure) != before:
                self._statements.execute(_SAVE_DEPARTURE, (*_written(departure), departure.id))


def _written(departure: Departure) -> tuple[int, int, DepartureStatus]:
    return departure.seats_taken, departure.capacity, departure.status


def _sale(row: Row, buyer_id: UUID, departures: SqlDepartures) -> Sale:
    departure = Departure(
        id=row["departure_id"],
        package_id=row["package_id"],
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
        capacity=row["capacity"],
        seats_taken=row["seats_taken"],
        status=DepartureStatus(row["departure_status"]),
        created_at=row["departure_created_at"],
    )
    return Sale(
        serial=row["serial"],
        departure=departures.remember(departure),
        item=PricedItem(
            name_ar=row["name_ar"],
            name_en=row["name_en"],
            unit_price=Money.of(row["price_minor"], row["currency"]),
            tax_rate=_percentage(row["tax_rate"]),
            tax_inclusive=row["tax_inclusive"],
            min_travelers=row["min_travelers"],
            max_travelers=row["max_travelers"],
        ),
        buyer=Buyer(buyer_id, row["first_name"], row["last_name"], row["email"], row["phone"] or ""),
        rewards=RewardTerms(
            tier_code=row["tier_code"],
            points_multiplier=int(row["points_multiplier"] * 100),
            cashback_rate=_percentage(row["cashback_rate"]),
        ),
    )


def _percentage(number: Any) -> Percentage:
    return Percentage(int(number * 100))


def _booking_row(booking: Booking) -> Row:
    return {
        "id": booking.id,
        "booking_number": booking.booking_number,
        "user_id": booking.user_id,
        "agent_id": booking.agent_id,
        "created_by_user_id": booking.created_by_user_id,
        "booking_source": booking.booking_source,
        "booking_type": booking.booking_type,
        "package_id": booking.package_id,
        "departure_id": booking.departure_id,
        "status": booking.status,
        "payment_status": booking.payment_status,
        "price_lines": Jsonb(booking.price_lines),
        "base_amount_minor": booking.base_amount.minor,
        "discount_amount_minor": booking.discount_amount.minor,
        "voucher_discount_minor": booking.voucher_discount.minor,
        "tax_amount_minor": booking.tax_amount.minor,
        "final_amount_minor": booking.final_amount.minor,
        "deposit_amount_minor": booking.deposit_amount.minor,
        "paid_amount_minor": booking.paid_amount.minor,
        "points_paid_amount_minor": booking.points_paid_amount.minor,
        "refunded_amount_minor": booking.refunded_amount.minor,
        "currency": booking.final_amount.currency.code,
        "tax_rate": decimal_of_hundredths(booking.tax_rate.hundredths),
        "tier_code": booking.tier_code,
        "points_multiplier": decimal_of_hundredths(booking.points_multiplier),
        "cashback_rate": decimal_of_hundredths(booking.cashback_rate.hundredths),
        "customer_info": Jsonb(booking.customer_info),
        "special_requests": booking.special_requests,
        "start_date": booking.start_date,
        "end_date": booking.end_date,
        "travelers_count": booking.travelers_count,
        "cancellation_reason": booking.cancellation_reason,
        "cancelled_at": booking.cancelled_at,
        "created_at": booking.created_at,
        "updated_at": booking.updated_at,
    }


def _item_row(item: BookingItem) -> Row:
    return {
        "id": item.id,
        "booking_type": item.booking_type,
        "item_name_ar": item.item_name_ar,
        "item_name_en": item.item_name_en,
        "quantity": item.quantity,
        "unit_price_minor": item.unit_price.minor,
        "total_price_minor": item.total_price.minor,
    }


def _booking(row: Row) -> Booking:
    unit = row["currency"]

    def amount(name: str) -> Money:
        return Money.of(row[f"{name}_minor"], unit)

    return Booking(
        id=row["id"],
        booking_number=row["booking_number"],
        user_id=row["user_id"],
        agent_id=row["agent_id"],
        created_by_user_id=row["created_by_user_id"],
        booking_source=BookingSource(row["booking_source"]),
        booking_type=row["booking_type"],
        package_id=row["package_id"],
        departure_id=row["departure_id"],
        status=BookingStatus(row["status"]),
        payment_status=BookingPaymentStatus(row["payment_status"]),
        price_lines=row["price_lines"],
        base_amount=amount("base_amount"),
        discount_amount=amount("discount_amount"),
        voucher_discount=amount("voucher_discount"),
        tax_amount=amount("tax_amount"),
        tax_rate=_percentage(row["tax_rate"]),
        final_amount=amount("final_amount"),
        deposit_amount=amount("deposit_amount" if row["deposit_amount_minor"] is not None else "final_amount"),
        paid_amount=amount("paid_amount"),
        points_paid_amount=amount("points_paid_amount"),
        refunded_amount=amount("refunded_amount"),
        tier_code=row["tier_code"],
        points_multiplier=int(row["points_multiplier"] * 100),
        cashback_rate=_percentage(row["cashback_rate"]),
        customer_info=row["customer_info"],
        special_requests=row["special_requests"],
        start_date=row["start_date"],
        end_date=row["end_date"],
        travelers_count=row["travelers_count"],
        cancellation_reason=row["cancellation_reason"],
        cancelled_at=row["cancelled_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        items=[_item(item, unit) for item in row["items"] or ()],
        hold=Hold(
            departure_id=row["hold_departure_id"],
            seats=row["hold_seats"],
            status=HoldStatus(row["hold_status"]),
            expires_at=row["hold_expires_at"],
        ),
    )


def _item(row: Row, unit: str) -> BookingItem:
    return BookingItem(
        id=UUID(row["id"]),
        booking_type=row["booking_type"],
        item_name_ar=row["item_name_ar"],
        item_name_en=row["item_name_en"],
        quantity=row["quantity"],
        unit_price=Money.of(row["unit_price_minor"], unit),
        total_price=Money.of(row["total_price_minor"], unit),
    )
