"""What is on sale to whom: item, departure, the buyer's plan and terms, read in one statement."""

from __future__ import annotations

from datetime import date
from typing import Any, Final
from uuid import UUID

from application.sales.ports import Buyer, OnSale
from domain.pricing.price_lists import PriceList
from domain.sales.agreed import BookingType, RewardTerms
from domain.sales.cancellation import ALWAYS, CancellationTerms, RefundTier
from domain.shared.money import Money
from domain.shared.percentage import Percentage
from infrastructure.database.catalogue.departures import DEPARTURE_COLUMNS, departure_of
from infrastructure.database.transaction import Row

_ITEM_COLUMNS: Final = {
    BookingType.PACKAGE: """
        i.id AS item_id, i.name_ar, i.name_en, i.base_price_minor AS price_minor, i.currency, i.tax_rate,
        i.tax_inclusive, i.min_travelers, i.max_travelers
    """,
    BookingType.ACTIVITY: """
        i.id AS item_id, i.name_ar, i.name_en, i.price_minor, i.currency, i.tax_rate, i.tax_inclusive,
        i.min_participants AS min_travelers, i.max_participants AS max_travelers
    """,
}
_TABLES: Final = {BookingType.PACKAGE: ("packages", "package_id"), BookingType.ACTIVITY: ("activities", "activity_id")}
_TERMS: Final = """
    coalesce(m.tier_code, 'GUEST') AS tier_code, coalesce(m.cashback_rate, 0) AS cashback_rate,
    coalesce(m.points_multiplier, 1) AS points_multiplier, coalesce(m.discount_rate, 0) AS member_rate
"""
_PLAN: Final = """
LEFT JOIN LATERAL (
    SELECT l.tier_code, l.cashback_rate, l.points_multiplier, l.discount_rate
    FROM membership_subscriptions s JOIN membership_plans l ON l.id = s.plan_id
    WHERE s.user_id = %(buyer_id)s AND s.status = 'ACTIVE' AND s.expiry_date >= %(today)s
    LIMIT 1) m ON true
"""
# Its own policy, else the company's default.
_POLICY: Final = """
LEFT JOIN cancellation_policies c
    ON c.id = coalesce(i.cancellation_policy_id, (SELECT f.id FROM cancellation_policies f WHERE f.is_default))
"""
_POLICY_COLUMNS: Final = "c.id AS cancellation_policy_id, c.tiers AS cancellation_tiers"


def _open_sale(kind: BookingType) -> str:
    table, column = _TABLES[kind]
    return f"""
SELECT nextval('booking_numbers') AS serial, {DEPARTURE_COLUMNS}, {_ITEM_COLUMNS[kind]}, {_TERMS}, {_POLICY_COLUMNS},
       u.first_name, u.last_name, u.email, u.phone
FROM departures d
JOIN {table} i ON i.id = d.{column} AND i.status = 'ACTIVE'
JOIN users u ON u.id = %(buyer_id)s
{_PLAN}
{_POLICY}
WHERE d.id = %(departure_id)s AND d.{column} = %(item_id)s
FOR UPDATE OF d
"""


def _offered(kind: BookingType) -> str:
    table, column = _TABLES[kind]
    return f"""
SELECT {DEPARTURE_COLUMNS}, {_ITEM_COLUMNS[kind]}, {_TERMS}, {_POLICY_COLUMNS}
FROM {table} i
LEFT JOIN departures d ON d.{column} = i.id AND d.id = %(departure_id)s
{_PLAN}
{_POLICY}
WHERE i.id = %(item_id)s AND i.status = 'ACTIVE'
"""


OPEN_SALE: Final = {kind: _open_sale(kind) for kind in _TABLES}
"""Locks the departure; one row where item and departure are on sale."""
OFFERED: Final = {kind: _offered(kind) for kind in _TABLES}
"""Locks nothing; columns of the departure are NULL where it is none of the item's."""


def sale_values(item_id: UUID, *, departure_id: UUID | None, buyer_id: UUID, today: date) -> dict[str, Any]:
    """What both statements are asked with."""
    return {"item_id": item_id, "departure_id": departure_id, "buyer_id": buyer_id, "today": today}


def offered_of(row: Row, kind: BookingType) -> OnSale:
    """What a row of either statement says."""
    return OnSale(
        departure=departure_of(row) if row["departure_id"] is not None else None,
        price_list=PriceList(
            key=row["item_id"],
            booking_type=kind,
            name_ar=row["name_ar"],
            name_en=row["name_en"],
            price=Money.of(row["price_minor"], row["currency"]),
            tax_rate=percentage_of(row["tax_rate"]),
            tax_inclusive=row["tax_inclusive"],
            min_travelers=row["min_travelers"],
            max_travelers=row["max_travelers"],
        ),
        rewards=RewardTerms(
            tier_code=row["tier_code"],
            points_multiplier=int(row["points_multiplier"] * 100),
            cashback_rate=percentage_of(row["cashback_rate"]),
        ),
        member_rate=percentage_of(row["member_rate"]),
        cancellation_terms=_terms(row),
        has_offers=False,
    )


def _terms(row: Row) -> CancellationTerms:
    """The item's or the company's terms; where there are none, everything comes back until the trip begins."""
    policy_id = row["cancellation_policy_id"]
    if policy_id is None:
        return ALWAYS
    return CancellationTerms(policy_id=policy_id, tiers=tiers_of(row["cancellation_tiers"]))


def buyer_of(row: Row, buyer_id: UUID) -> Buyer:
    """The customer as a booking remembers them."""
    return Buyer(buyer_id, row["first_name"], row["last_name"], row["email"], row["phone"] or "")


def percentage_of(number: Any) -> Percentage:
    """A percentage from its NUMERIC column."""
    return Percentage(int(number * 100))


def terms_row(terms: CancellationTerms) -> dict[str, Any]:
    """Cancellation terms as they are frozen into a booking."""
    return {
        "policy_id": str(terms.policy_id) if terms.policy_id is not None else None,
        "tiers": tiers_row(terms),
    }


def terms_of(row: Any) -> CancellationTerms:
    """What was frozen."""
    policy_id = row["policy_id"]
    return CancellationTerms(policy_id=UUID(policy_id) if policy_id is not None else None, tiers=tiers_of(row["tiers"]))


def tiers_row(terms: CancellationTerms) -> list[dict[str, int]]:
    """Tiers as policies and bookings keep them: hours before the start, and hundredths of a percent."""
    return [{"hours_before": tier.hours_before, "refund": tier.refund.hundredths} for tier in terms.tiers]


def tiers_of(rows: Any) -> tuple[RefundTier, ...]:
    """The tiers that were kept."""
    return tuple(RefundTier(hours_before=tier["hours_before"], refund=Percentage(tier["refund"])) for tier in rows)
