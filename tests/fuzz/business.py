"""Something to ask about: packages, departures, bookings and payments, made over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol

from domain.shared.clock import business_date
from infrastructure.clock import SystemClock


class Ask(Protocol):
    """A request that has to succeed; answers its document."""

    def __call__(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any: ...


def a_business(ask: Ask, staff: dict[str, str], customer: dict[str, str]) -> dict[str, list[str]]:
    """Make one of each thing; their ids, by the names of the parameters that they stand in."""
    package = ask("POST", "/packages", _PACKAGE, staff)
    ask("POST", f"/packages/{package['id']}/publish", {}, staff)
    starts_on = (business_date(SystemClock().now()) + timedelta(days=30)).isoformat()
    departure = ask("POST", f"/packages/{package['id']}/departures", {"starts_on": starts_on, "capacity": 1000}, staff)
    wanted = {"package_id": package["id"], "departure_id": departure["id"], "travelers_count": 2}
    bookings = [ask("POST", "/bookings", wanted, customer) for _ in range(3)]
    asked = {"payable": {"type": "BOOKING", "id": bookings[0]["id"]}, "method": "CREDIT_CARD", "provider": "SANDBOX"}
    payment = ask("POST", "/payments", asked, customer)
    plan = ask("GET", "/memberships/plans")["items"][-1]["tier_code"]
    subscription = ask("POST", "/memberships/subscriptions", {"plan_code": plan}, customer)
    return {
        "package_id": [package["id"]],
        "id_or_slug": [package["id"], package["slug"]],
        "departure_id": [departure["id"]],
        "booking_id": [booking["id"] for booking in bookings],
        "payment_id": [payment["id"]],
        "subscription_id": [subscription["id"]],
        "user_id": [bookings[0]["user_id"]],
        "plan_code": [plan],
    }


_PACKAGE = {
    "name_ar": "رحلة نيلية",
    "name_en": "Nile cruise",
    "description_ar": "أربعة أيام بين الأقصر وأسوان",
    "description_en": "Four days between Luxor and Aswan",
    "category": "FAMILY",
    "base_price": {"amount": "1000.00", "currency": "EGP"},
    "duration_days": 4,
    "duration_nights": 3,
    "min_travelers": 1,
    "max_travelers": 50,
    "destinations": ["Luxor"],
}
