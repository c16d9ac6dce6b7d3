"""Amendments as rows: what a booking becomes is one JSON value, which nothing looks into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import orjson
from psycopg.types.json import Jsonb

from application.ports import Encryption
from application.sales.ports import OnSale
from domain.catalogue.departures import DepartureNotFound
from domain.catalogue.items import Item, ItemKind
from domain.pricing.exchange import ExchangeRate
from domain.sales.agreed import RewardTerms
from domain.sales.amendments import Amendment, AmendmentNotOffered, AmendmentStatus
from domain.sales.bookings import Booking
from domain.sales.travelers import Traveler
from domain.shared.money import Money, currency
from infrastructure.database.sales.on_sale import OFFERED, offered_of, percentage_of, sale_values
from infrastructure.database.sales.rows import item_of, item_row, price_of, price_row, trip_of, trip_row
from infrastructure.database.transaction import Row, Statements

_COLUMNS: Final = (
    "id", "booking_id", "status", "previous_departure_id", "departure_id", "previous_start_date", "start_date",
    "previous_travelers_count", "travelers_count", "previous_amount_minor", "amount_minor", "fee_minor",
    "refund_minor", "points_restored", "currency", "seats_held", "agreed", "travelers_encrypted",
    "requested_by_user_id", "requested_at", "expires_at", "agreed_until", "resolved_at",
)  # fmt: skip
_KEEP: Final = f"""
INSERT INTO booking_amendments ({", ".join(_COLUMNS)}) VALUES ({", ".join(f"%({name})s" for name in _COLUMNS)})
ON CONFLICT (id) DO UPDATE SET status = excluded.status, resolved_at = excluded.resolved_at,
    travelers_encrypted = excluded.travelers_encrypted, expires_at = excluded.expires_at,
    agreed_until = excluded.agreed_until
"""
_LAPSING: Final = """
SELECT booking_id FROM booking_amendments WHERE status = 'PENDING' AND expires_at <= %s ORDER BY expires_at LIMIT %s
"""
_MEMBER_RATE: Final = "SELECT discount_rate FROM membership_plans WHERE tier_code = %s"

_DATES: Final = ("start_date", "end_date")
_IDS: Final = ("package_id", "activity_id", "departure_id", "exchange_rate_id")
_NUMBERS: Final = ("tax_rate", "exchange_rate")


class SqlAmendments:
    """The amendments of bookings; `SqlBookings` loads the one that waits with its booking."""

    def __init__(self, statements: Statements, encryption: Encryption) -> None:
        self._statements = statements
        self._encryption = encryption

    def keep(self, amendment: Amendment) -> None:
        """Insert it, or write what was decided."""
        self._statements.execute(_KEEP, self._row(amendment))

    def lapsing(self, *, before: datetime, limit: int) -> Sequence[UUID]:
        """Bookings whose amendment was not paid in time, oldest first."""
        return [row["booking_id"] for row in self._statements.rows(_LAPSING, (before, limit))]

    def _row(self, amendment: Amendment) -> Row:
        before, after = amendment.before_trip, amendment.trip
        return {
            "id": amendment.id,
            "booking_id": amendment.booking_id,
            "status": amendment.status,
            "previous_departure_id": before.departure_id,
            "departure_id": after.departure_id,
            "previous_start_date": before.start_date,
            "start_date": after.start_date,
            "previous_travelers_count": before.travelers_count,
            "travelers_count": after.travelers_count,
            "previous_amount_minor": amendment.before_amount.minor,
            "amount_minor": amendment.price.final_amount.minor,
            "fee_minor": amendment.fee.minor,
            "refund_minor": amendment.refund.minor,
            "points_restored": amendment.points_restored,
            "currency": amendment.fee.currency.code,
            "seats_held": amendment.seats_held,
            "agreed": Jsonb(_agreed(amendment)),
            "travelers_encrypted": self._sealed(amendment.travelers),
            "requested_by_user_id": amendment.requested_by,
            "requested_at": amendment.requested_at,
            "expires_at": amendment.expires_at,
            "agreed_until": amendment.agreed_until,
            "resolved_at": amendment.resolved_at,
        }

    def waiting(self, row: Mapping[str, Any], booking: Booking) -> Amendment:
        """One that is PENDING, from its row as JSON: the booking is still what it was."""
        agreed = _columns(row["agreed"])
        unit = row["currency"]
        return Amendment(
            id=UUID(row["id"]),
            booking_id=booking.id,
            status=AmendmentStatus(row["status"]),
            before_trip=booking.trip,
            before_amount=booking.final_amount,
            trip=trip_of(agreed),
            price=price_of(agreed),
            items=tuple(item_of(item, unit) for item in agreed["items"]),
            rewards=_rewards(agreed, booking, unit),
            fee=Money.of(row["fee_minor"], unit),
            refund=Money.of(row["refund_minor"], unit),
            points_restored=row["points_restored"],
            seats_held=row["seats_held"],
            travelers=self._opened(row["travelers_encrypted"]),
            requested_by=UUID(row["requested_by_user_id"]),
            requested_at=datetime.fromisoformat(row["requested_at"]),
            expires_at=datetime.fromisoformat(row["expires_at"]),
            agreed_until=datetime.fromisoformat(row["agreed_until"]) if row["agreed_until"] is not None else None,
        )

    def _sealed(self, travelers: Sequence[Traveler] | None) -> bytes | None:
        if travelers is None:
            return None
        said = [{name: getattr(each, name) for name in Traveler.__dataclass_fields__} for each in travelers]
        return self._encryption.encrypt(orjson.dumps(said).decode())

    def _opened(self, sealed: str | None) -> tuple[Traveler, ...] | None:
        """From the text that JSON has for bytes: their digits behind a backslash and an x."""
        if sealed is None:
            return None
        said = orjson.loads(self._encryption.decrypt(bytes.fromhex(sealed[2:])))
        return tuple(
            Traveler(**{**each, **{name: _date(each[name]) for name in ("birth_date", "document_expires_on")}})
            for each in said
        )


def _agreed(amendment: Amendment) -> dict[str, Any]:
    """As the columns of a booking, its items beside them."""
    bonus = amendment.rewards.bonus_cashback
    said = {
        **trip_row(amendment.trip),
        **price_row(amendment.price),
        "hold_seats": amendment.trip.seats_held,
        "items": [item_row(item) for item in amendment.items],
        "bonus_points": amendment.rewards.bonus_points,
        "bonus_cashback_minor": bonus.minor if bonus is not None else 0,
    }
    plain: dict[str, Any] = orjson.loads(orjson.dumps(said, default=_plain))
    return plain


def _rewards(agreed: Mapping[str, Any], booking: Booking, unit: str) -> RewardTerms:
    """The booking's, with the bonus of the new trip; what was kept before amendments knew of one leaves it alone."""
    if "bonus_points" not in agreed:
        return booking.rewards
    cashback = agreed["bonus_cashback_minor"]
    return replace(
        booking.rewards,
        bonus_points=agreed["bonus_points"],
        bonus_cashback=Money.of(cashback, unit) if cashback else None,
    )


def _plain(value: object) -> object:
    if isinstance(value, Jsonb):
        return value.obj
    if isinstance(value, Decimal):
        return str(value)
    return dict(value) if isinstance(value, Mapping) else _refuse(value)


def _refuse(value: object) -> object:
    raise TypeError(f"no JSON for {type(value).__name__}")


def _columns(agreed: Mapping[str, Any]) -> Row:
    return {
        **agreed,
        **{name: _date(agreed[name]) for name in _DATES},
        **{name: UUID(agreed[name]) for name in _IDS if agreed[name] is not None},
        **{name: Decimal(agreed[name]) for name in _NUMBERS if agreed[name] is not None},
        "begins_at": datetime.fromisoformat(agreed["starts_at"]),
    }


def _date(said: str | None) -> date | None:
    return date.fromisoformat(said) if said is not None else None


def sold_again(booking: Booking, departure_id: UUID, *, statements: Statements, at: datetime) -> OnSale:
    """Implements `application.sales.booking_ports.Bookings.on_sale_again`."""
    trip, frozen = booking.trip, booking.price.exchange
    item = Item(ItemKind(trip.booking_type), trip.package_id or trip.activity_id)  # type: ignore[arg-type]
    values = sale_values(item.id, departure_id=departure_id, buyer_id=booking.user_id, currency=None, at=at)
    row = statements.row(OFFERED[item.kind], values)
    if row is None or row["starts_on"] is None:
        raise DepartureNotFound()
    offered = offered_of(row, item, None)
    prices = offered.price_list
    if frozen is not None and prices.price.currency.code == frozen.from_currency:
        rate = ExchangeRate(
            id=frozen.rate_id,
            source=currency(frozen.from_currency),
            target=booking.final_amount.currency,
            rate=frozen.rate,
            valid_from=booking.created_at,
        )
        prices = prices.in_currency(rate)
    if prices.price.currency != booking.final_amount.currency:
        raise AmendmentNotOffered(reason="sold_in_another_currency")
    plan = statements.row(_MEMBER_RATE, (booking.rewards.tier_code,))
    return replace(
        offered,
        price_list=prices,
        exchange=frozen,
        rewards=booking.rewards,
        member_rate=percentage_of(plan["discount_rate"] if plan is not None else Decimal(0)),
        cancellation_terms=booking.cancellation_terms,
    )
