"""A booking as its rows, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import orjson
from psycopg.types.json import Jsonb

from domain.sales.agreed import (
    BookedPrice,
    BookingItem,
    BookingSource,
    BookingType,
    FrozenRate,
    FrozenShares,
    RewardTerms,
    Trip,
)
from domain.sales.booking_states import ITEM_STATUS, BookingPaymentStatus, BookingStatus
from domain.sales.bookings import Booking
from domain.sales.holds import Hold, HoldStatus
from domain.sales.instalments import Instalment
from domain.shared.money import Money
from domain.shared.percentage import Percentage
from infrastructure.database.metadata import decimal_of_hundredths
from infrastructure.database.sales.on_sale import percentage_of, terms_of, terms_row
from infrastructure.database.transaction import Row

_ITEM_AMOUNTS: Final = ("unit_price", "price", "discount", "tax", "fee", "total_price")


def moving_row(booking: Booking) -> dict[str, Any]:
    """What payments, refunds and time change."""
    return {
        "id": booking.id,
        "status": booking.status,
        "payment_status": booking.payment_status,
        "paid_amount_minor": booking.paid_amount.minor,
        "points_paid_amount_minor": booking.points_paid_amount.minor,
        "refunded_amount_minor": booking.refunded_amount.minor,
        "kept_amount_minor": booking.kept_amount.minor,
        "cancellation_reason": booking.cancellation_reason,
        "cancelled_by_user_id": booking.cancelled_by_user_id,
        "cancelled_at": booking.cancelled_at,
        "no_show_at": booking.no_show_at,
        "updated_at": booking.updated_at,
    }


def agreed_row(booking: Booking) -> dict[str, Any]:
    """Trip, price and terms: what only an offer, an amendment or the request's own change touches."""
    rewards = booking.rewards
    bonus = rewards.bonus_cashback
    return {
        "tier_code": rewards.tier_code,
        "points_multiplier": decimal_of_hundredths(rewards.points_multiplier),
        "cashback_rate": decimal_of_hundredths(rewards.cashback_rate.hundredths),
        "bonus_points": rewards.bonus_points,
        "bonus_cashback_minor": bonus.minor if bonus is not None else 0,
        "cancellation_terms": Jsonb(terms_row(booking.cancellation_terms)),
        "free_cancellation_until": booking.free_cancellation_until,
        "customer_info": Jsonb(booking.customer_info),
        "special_requests": booking.special_requests,
        "deposit_amount_minor": booking.deposit_amount.minor,
        "overpaid_amount_minor": booking.overpaid_amount.minor,
        "amendment_fees_minor": booking.amendment_fees.minor,
        "amended_times": booking.amended_times,
        **trip_row(booking.trip),
        **price_row(booking.price),
    }


def booking_row(booking: Booking) -> dict[str, Any]:
    """All columns of a new booking."""
    return {
        **moving_row(booking),
        **agreed_row(booking),
        "booking_number": booking.booking_number,
        "user_id": booking.user_id,
        "agent_id": booking.agent_id,
        "created_by_user_id": booking.created_by_user_id,
        "booking_source": booking.booking_source,
        "replaces_booking_id": booking.replaces_booking_id,
        "created_at": booking.created_at,
    }


def document(**rows: Any) -> Jsonb:
    """All of some rows as one value: PostgreSQL takes columns out of it (`jsonb_populate_record`)."""
    return Jsonb(rows, dumps=_written)


def _written(rows: Any) -> bytes:
    return orjson.dumps(rows, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Jsonb):
        return value.obj
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"no column holds a {type(value).__qualname__}")


def trip_row(trip: Trip) -> dict[str, Any]:
    """The columns of what is travelled, and when."""
    return {
        "booking_type": trip.booking_type,
        "package_id": trip.package_id,
        "activity_id": trip.activity_id,
        "departure_id": trip.departure_id,
        "booking_details": Jsonb(dict(trip.details)),
        "start_date": trip.start_date,
        "end_date": trip.end_date,
        "starts_at": trip.starts_at,
        "time_zone": trip.time_zone,
        "travelers_count": trip.travelers_count,
    }


def price_row(price: BookedPrice) -> dict[str, Any]:
    """The columns of what it costs."""
    exchange = price.exchange
    return {
        "price_lines": Jsonb(price.lines),
        "base_amount_minor": price.base_amount.minor,
        "discount_amount_minor": price.discount_amount.minor,
        "voucher_discount_minor": price.voucher_discount.minor,
        "tax_amount_minor": price.tax_amount.minor,
        "fee_amount_minor": price.fee_amount.minor,
        "final_amount_minor": price.final_amount.minor,
        "points_redeemed": price.points,
        "points_worth_minor": price.points_worth.minor,
        "currency": price.final_amount.currency.code,
        "tax_rate": decimal_of_hundredths(price.tax_rate.hundredths),
        "exchange_rate_id": exchange.rate_id if exchange is not None else None,
        "exchange_from": exchange.from_currency if exchange is not None else None,
        "exchange_rate": exchange.rate if exchange is not None else None,
    }


def item_row(item: BookingItem) -> dict[str, Any]:
    """One thing of a booking, for a set of them in JSON."""
    amounts = {f"{name}_minor": getattr(item, name).minor for name in _ITEM_AMOUNTS}
    return {
        "id": item.id,
        "booking_type": item.booking_type,
        "item_name_ar": item.item_name_ar,
        "item_name_en": item.item_name_en,
        "quantity": item.quantity,
        "item_details": item.details,
        "notes": item.notes,
        **amounts,
        **_shares_row(item.shares),
    }


def _shares_row(shares: FrozenShares) -> dict[str, str | None]:
    """Rates as decimal strings: a number of JSON would be read as a float."""
    said = (shares.vendor_id, shares.vendor_rate, shares.agent_rate)
    names = ("vendor_id", "vendor_rate", "agent_rate")
    return {name: str(value) if value is not None else None for name, value in zip(names, said, strict=True)}


def instalment_rows(instalments: Sequence[Instalment]) -> list[dict[str, Any]]:
    """A schedule as its rows, for a set of them in JSON."""
    return [
        {"position": each.position, "due_on": each.due_on.isoformat(), "amount_minor": each.amount.minor}
        for each in instalments
    ]


def instalments_of(rows: Sequence[Mapping[str, Any]] | None, unit: str) -> tuple[Instalment, ...]:
    """The schedule that rows in JSON tell."""
    return tuple(
        Instalment(
            position=row["position"],
            due_on=date.fromisoformat(row["due_on"]),
            amount=Money.of(row["amount_minor"], unit),
        )
        for row in rows or ()
    )


def booking_of(row: Row) -> Booking:
    """The booking that a row with its hold's columns and `items` tells."""

    def amount(name: str) -> Money:
        return Money.of(row[f"{name}_minor"], row["currency"])

    return Booking(
        id=row["id"],
        booking_number=row["booking_number"],
        user_id=row["user_id"],
        agent_id=row["agent_id"],
        created_by_user_id=row["created_by_user_id"],
        booking_source=BookingSource(row["booking_source"]),
        trip=trip_of(row),
        status=BookingStatus(row["status"]),
        payment_status=BookingPaymentStatus(row["payment_status"]),
        price=price_of(row),
        deposit_amount=amount("deposit_amount" if row["deposit_amount_minor"] is not None else "final_amount"),
        paid_amount=amount("paid_amount"),
        points_paid_amount=amount("points_paid_amount"),
        refunded_amount=amount("refunded_amount"),
        free_cancellation_until=row["free_cancellation_until"],
        kept_amount=amount("kept_amount"),
        overpaid_amount=amount("overpaid_amount"),
        amendment_fees=amount("amendment_fees"),
        amended_times=row["amended_times"],
        rewards=RewardTerms(
            tier_code=row["tier_code"],
            points_multiplier=int(row["points_multiplier"] * 100),
            cashback_rate=percentage_of(row["cashback_rate"]),
            bonus_points=row["bonus_points"],
            bonus_cashback=amount("bonus_cashback") if row["bonus_cashback_minor"] else None,
        ),
        cancellation_terms=terms_of(row["cancellation_terms"]),
        customer_info=row["customer_info"],
        special_requests=row["special_requests"],
        replaces_booking_id=row["replaces_booking_id"],
        cancellation_reason=row["cancellation_reason"],
        cancelled_by_user_id=row["cancelled_by_user_id"],
        cancelled_at=row["cancelled_at"],
        no_show_at=row["no_show_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        version=row["version"],
        items=[item_of(item, row["currency"]) for item in row["items"] or ()],
        instalments=instalments_of(row["instalments"], row["currency"]),
        hold=_hold(row),
    )


def trip_of(row: Row) -> Trip:
    """What is travelled, by its columns, with the hold's `hold_seats` and the instant `begins_at`."""
    return Trip(
        booking_type=BookingType(row["booking_type"]),
        package_id=row["package_id"],
        activity_id=row["activity_id"],
        departure_id=row["departure_id"],
        details=row["booking_details"],
        start_date=row["start_date"],
        end_date=row["end_date"],
        starts_at=row["begins_at"],
        time_zone=row["time_zone"],
        travelers_count=row["travelers_count"],
        seats=row["hold_seats"] or row["travelers_count"],
    )


def price_of(row: Row) -> BookedPrice:
    """What it costs, by its columns."""

    def amount(name: str) -> Money:
        return Money.of(row[f"{name}_minor"], row["currency"])

    return BookedPrice(
        lines=tuple(row["price_lines"]),
        base_amount=amount("base_amount"),
        discount_amount=amount("discount_amount"),
        voucher_discount=amount("voucher_discount"),
        tax_amount=amount("tax_amount"),
        fee_amount=amount("fee_amount"),
        tax_rate=percentage_of(row["tax_rate"]),
        final_amount=amount("final_amount"),
        points=row["points_redeemed"],
        points_worth=amount("points_worth"),
        exchange=_exchange(row),
    )


def _exchange(row: Row) -> FrozenRate | None:
    if row["exchange_rate_id"] is None:
        return None
    return FrozenRate(rate_id=row["exchange_rate_id"], from_currency=row["exchange_from"], rate=row["exchange_rate"])


def _hold(row: Row) -> Hold | None:
    if row["hold_status"] is None:
        return None
    return Hold(
        departure_id=row["hold_departure_id"],
        seats=row["hold_seats"],
        status=HoldStatus(row["hold_status"]),
        expires_at=row["hold_expires_at"],
        agreed_until=row["hold_agreed_until"],
        begun_at=row["hold_begun_at"],
    )


def item_of(row: Mapping[str, Any], unit: str) -> BookingItem:
    """One thing of a booking, from JSON."""
    amounts = {name: Money.of(row[f"{name}_minor"], unit) for name in _ITEM_AMOUNTS}
    return BookingItem(
        id=UUID(row["id"]),
        booking_type=BookingType(row["booking_type"]),
        item_name_ar=row["item_name_ar"],
        item_name_en=row["item_name_en"],
        quantity=row["quantity"],
        details=row["item_details"],
        notes=row["notes"],
        shares=_shares_of(row),
        **amounts,
    )


def items_shown(row: Row) -> list[Row]:
    """A booking's items, as JSON has them, with where they stand."""
    status = ITEM_STATUS[BookingStatus(row["status"])]
    return [{**item, "status": status} for item in row["items"] or ()]


def _shares_of(row: Mapping[str, Any]) -> FrozenShares:
    """What was frozen; nothing in an amendment that waited since before there were rates."""
    vendor_id, vendor_rate, agent_rate = (row.get(name) for name in ("vendor_id", "vendor_rate", "agent_rate"))
    return FrozenShares(
        vendor_id=UUID(vendor_id) if vendor_id is not None else None,
        vendor_rate=Percentage.parse(vendor_rate) if vendor_rate is not None else None,
        agent_rate=Percentage.parse(agent_rate) if agent_rate is not None else None,
    )
