"""What is on sale to whom: item, departure, the buyer's plan and terms, read in one statement."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import orjson

from application.pricing.price_lists import in_asked_currency, price_list_of, rate_of
from application.sales.ports import Buyer, Departing, OfferTerms, OnSale, PartnerRates
from domain.catalogue.departures import DepartureStatus
from domain.catalogue.items import Item, ItemKind
from domain.sales.agreed import FrozenRate, RewardTerms
from domain.sales.cancellation import ALWAYS, CancellationTerms, RefundTier
from domain.shared.clock import business_date
from domain.shared.payees import PayeeType
from domain.shared.percentage import Percentage
from infrastructure.database.catalogue.departures import DEPARTURE_COLUMNS
from infrastructure.database.catalogue.finding import ITEM_COLUMN, ITEM_TABLE, SEATS_LEFT, on_sale
from infrastructure.database.catalogue.prices import price_columns, rate_column
from infrastructure.database.catalogue.tables import PRICE_NOW
from infrastructure.database.transaction import Row

_PRICES: Final = {
    ItemKind.PACKAGE: f"{PRICE_NOW.format(packages='i')} AS price_minor, i.min_travelers, i.max_travelers",
    ItemKind.ACTIVITY: "i.price_minor, i.min_participants, i.max_participants",
}
_TERMS: Final = """
    coalesce(m.tier_code, 'GUEST') AS tier_code, coalesce(m.cashback_rate, 0) AS cashback_rate,
    coalesce(m.points_multiplier, 1) AS points_multiplier, coalesce(m.discount_rate, 0) AS member_rate
"""
_HAS_OFFERS: Final = """
    EXISTS (SELECT 1 FROM offers o WHERE o.status = 'ACTIVE' AND o.start_date <= %(now)s
            AND (o.end_date IS NULL OR o.end_date > %(now)s)) AS has_offers
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
_IS_OPEN: Final = "u.status = 'ACTIVE' AND u.deleted_at IS NULL"
_SOLD: Final = on_sale("i.status", "i.vendor_id")
_POLICY_COLUMNS: Final = "c.id AS cancellation_policy_id, c.tiers::text AS cancellation_tiers, c.supplier_hours_before"


OPEN_ACCOUNT: Final = f"SELECT 1 FROM users u WHERE u.id = %(buyer_id)s AND {_IS_OPEN}"
"""One row for whom something may be sold to."""


def _agreed_rate(payee_type: PayeeType, user: str) -> str:
    """The rate that was agreed with somebody, as it holds now; NULL where none was."""
    return f"""(SELECT r.rate FROM partner_profiles p JOIN partner_rates r ON r.profile_id = p.id
         WHERE p.user_id = {user} AND p.payee_type = '{payee_type}' AND r.valid_from <= %(now)s
         ORDER BY r.valid_from DESC LIMIT 1)"""


_AGENT_RATE: Final = f"{_agreed_rate(PayeeType.AGENT, '%(agent_id)s::uuid')} AS agent_rate"
_PARTNERS: Final = f"i.vendor_id, {_agreed_rate(PayeeType.VENDOR, 'i.vendor_id')} AS vendor_rate, {_AGENT_RATE}"


def _item_columns(kind: ItemKind) -> str:
    return f"""
        i.name_ar, i.name_en, i.currency, i.tax_rate, i.tax_inclusive, {_PRICES[kind]},
        {price_columns(kind, "i.id", starts_on="d.starts_on")}, {rate_column("i.currency")}, {_TERMS},
        {_HAS_OFFERS}, {_POLICY_COLUMNS}
    """


def _open_sale(kind: ItemKind) -> str:
    table, column = ITEM_TABLE[kind], ITEM_COLUMN[kind]
    return f"""
SELECT nextval('booking_numbers') AS serial, {DEPARTURE_COLUMNS}, {_item_columns(kind)},
       {_PARTNERS}, d.capacity - d.seats_taken AS seats_left, u.first_name, u.last_name, u.email, u.phone
FROM departures d
JOIN {table} i ON i.id = d.{column} AND {_SOLD}
JOIN users u ON u.id = %(buyer_id)s AND {_IS_OPEN}
{_PLAN}
{_POLICY}
WHERE d.id = %(departure_id)s AND d.{column} = %(item_id)s
FOR UPDATE OF d
"""


def _offered(kind: ItemKind) -> str:
    table, column = ITEM_TABLE[kind], ITEM_COLUMN[kind]
    return f"""
SELECT d.starts_on, d.ends_on, d.time_zone AS departure_time_zone, d.status AS departure_status,
       {SEATS_LEFT} AS seats_left, {_item_columns(kind)}, EXISTS ({OPEN_ACCOUNT}) AS buyer_is_open
FROM {table} i
LEFT JOIN departures d ON d.{column} = i.id AND d.id = %(departure_id)s
{_PLAN}
{_POLICY}
WHERE i.id = %(item_id)s AND {_SOLD}
"""


OPEN_SALE: Final = {kind: _open_sale(kind) for kind in ItemKind}
"""Locks the departure; one row where item and departure are on sale."""
OFFERED: Final = {kind: _offered(kind) for kind in ItemKind}
"""Locks nothing; columns of the departure are NULL where it is none of the item's."""


# The one that whoever prices named, else the company's default.
_OFFERED_POLICY: Final = """
LEFT JOIN cancellation_policies c
    ON c.id = coalesce(%(policy_id)s::uuid, (SELECT f.id FROM cancellation_policies f WHERE f.is_default))
"""
OPEN_REQUEST: Final = f"""
SELECT nextval('booking_numbers') AS serial, {_TERMS}, {_AGENT_RATE}, {_POLICY_COLUMNS},
       u.first_name, u.last_name, u.email, u.phone
FROM users u {_PLAN} {_OFFERED_POLICY} WHERE u.id = %(buyer_id)s AND {_IS_OPEN}
"""
OFFER_TERMS: Final = (
    f"SELECT {_TERMS}, {_AGENT_RATE}, {_POLICY_COLUMNS} FROM (VALUES (1)) one {_PLAN} {_OFFERED_POLICY}"
)
"""What the buyer's plan gives, the agent's rate and the terms of cancelling; one row for anybody."""
BUYER_TERMS: Final = f"SELECT {_TERMS} FROM users u {_PLAN} WHERE u.id = %(buyer_id)s AND {_IS_OPEN}"
"""What the buyer's plan gives; one row for whom something may be sold to."""


def sale_values(
    item_id: UUID, *, departure_id: UUID | None, buyer_id: UUID, currency: str | None, at: datetime
) -> dict[str, Any]:
    """What both statements are asked with."""
    return {
        "item_id": item_id,
        "departure_id": departure_id,
        "buyer_id": buyer_id,
        "asked_currency": currency,
        "now": at,
        "today": business_date(at),
    }


def offered_of(row: Row, item: Item, currency: str | None) -> OnSale:
    """What a row of either statement says. Raises RateNotFound for a currency that nobody set a rate to."""
    listed, rate = price_list_of(row, item), rate_of(row["exchange_rate"])
    asked = in_asked_currency(listed, currency, rate)
    is_converted = rate is not None and asked is not listed
    return OnSale(
        price_list=asked,
        exchange=FrozenRate(rate_id=rate.id, from_currency=rate.source.code, rate=rate.rate)
        if rate is not None and is_converted
        else None,
        departs=_departing(row),
        rewards=rewards_of(row),
        member_rate=percentage_of(row["member_rate"]),
        cancellation_terms=_terms_of(row),
        has_offers=row["has_offers"],
    )


def _departing(row: Row) -> Departing | None:
    if row["starts_on"] is None:
        return None
    return Departing(
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
        time_zone=row["departure_time_zone"],
        is_open=row["departure_status"] == DepartureStatus.OPEN,
        seats_left=row["seats_left"],
    )


def rewards_of(row: Row) -> RewardTerms:
    """What the buyer's plan gives."""
    return RewardTerms(
        tier_code=row["tier_code"],
        points_multiplier=int(row["points_multiplier"] * 100),
        cashback_rate=percentage_of(row["cashback_rate"]),
    )


def partners_of(row: Row) -> PartnerRates:
    """Whose the item is, and what was agreed with its vendor and the agent."""
    return PartnerRates(vendor_id=row["vendor_id"], vendor=_rate(row["vendor_rate"]), agent=_rate(row["agent_rate"]))


def offer_terms_of(row: Row) -> OfferTerms:
    """What an offer freezes."""
    return OfferTerms(
        rewards=rewards_of(row),
        agent_rate=_rate(row["agent_rate"]),
        cancellation_terms=_terms_of(row),
    )


def offer_values(buyer_id: UUID, *, agent_id: UUID | None, policy_id: UUID | None, at: datetime) -> dict[str, Any]:
    """What the statements of requests are asked with."""
    return {
        "buyer_id": buyer_id,
        "agent_id": agent_id,
        "policy_id": policy_id,
        "now": at,
        "today": business_date(at),
    }


def _rate(number: Decimal | None) -> Percentage | None:
    return percentage_of(number) if number is not None else None


def _terms_of(row: Row) -> CancellationTerms:
    return _policy_terms(row["cancellation_policy_id"], row["cancellation_tiers"], row["supplier_hours_before"])


# Policies are few, and each sale reads one.
@lru_cache(maxsize=256)
def _policy_terms(policy_id: UUID | None, tiers: str | None, supplier_hours: int | None) -> CancellationTerms:
    """The terms of the policy that was found; where there are none, everything comes back until the trip begins."""
    if policy_id is None or tiers is None:
        return ALWAYS
    return CancellationTerms(
        policy_id=policy_id, tiers=tiers_of(orjson.loads(tiers)), supplier_hours_before=supplier_hours
    )


def buyer_of(row: Row, buyer_id: UUID) -> Buyer:
    """The customer as a booking remembers them."""
    return Buyer(buyer_id, row["first_name"], row["last_name"], row["email"], row["phone"] or "")


@lru_cache(maxsize=1024)
def percentage_of(number: Decimal) -> Percentage:
    """A percentage from its NUMERIC column."""
    return Percentage(int(number * 100))


def terms_row(terms: CancellationTerms) -> dict[str, Any]:
    """Cancellation terms as they are frozen into a booking."""
    return {
        "policy_id": str(terms.policy_id) if terms.policy_id is not None else None,
        "tiers": tiers_row(terms),
        "supplier_hours_before": terms.supplier_hours_before,
    }


def terms_of(row: Any) -> CancellationTerms:
    """What was frozen; a release before froze nothing of suppliers."""
    policy_id = row["policy_id"]
    return CancellationTerms(
        policy_id=UUID(policy_id) if policy_id is not None else None,
        tiers=tiers_of(row["tiers"]),
        supplier_hours_before=row.get("supplier_hours_before"),
    )


def tiers_row(terms: CancellationTerms) -> list[dict[str, int]]:
    """Tiers as policies and bookings keep them: hours before the start, and hundredths of a percent."""
    return [{"hours_before": tier.hours_before, "refund": tier.refund.hundredths} for tier in terms.tiers]


def tiers_of(rows: Any) -> tuple[RefundTier, ...]:
    """The tiers that were kept."""
    return tuple(RefundTier(hours_before=tier["hours_before"], refund=Percentage(tier["refund"])) for tier in rows)
