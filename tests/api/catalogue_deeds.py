"""What staff do about activities, departures, pools and patterns, one line for each route, as the audit log sees it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from werkzeug.test import TestResponse

from domain.shared.clock import business_date
from tests.api.payment_deeds import Scenario, as_staff, keyed
from tests.api.shop import Json, Offer, Shop

_ACTIVITY: Final[Json] = {
    "name_ar": "غوص", "name_en": "Diving", "description_ar": "غطستان", "description_en": "Two dives",
    "category": "SPORTS", "price": {"amount": "900.00", "currency": "EGP"}, "duration_hours": 3,
    "location": "Hurghada", "min_participants": 1, "max_participants": 10,
}  # fmt: skip
_BUS: Final[Json] = {"name_ar": "حافلة", "name_en": "Bus", "capacity": 6}


def _made(shop: Shop, path: str, body: Json) -> str:
    return str(shop.done(as_staff(shop, "POST", path, body), 201)["id"])


def _a_day(shop: Shop, days: int = 30) -> str:
    return (business_date(shop.running.dependencies.clock.now()) + timedelta(days=days)).isoformat()


def _activity(shop: Shop, *, published: bool = False) -> str:
    path = f"/activities/{_made(shop, '/activities', _ACTIVITY)}"
    if published:
        shop.done(as_staff(shop, "POST", f"{path}/publish"))
    return path


def _departure(shop: Shop, verb: str = "", *, closed: bool = False) -> str:
    path = f"/departures/{shop.offer().departure_id}"
    if closed:
        shop.done(as_staff(shop, "POST", f"{path}/close"))
    return path + verb


def _attachment(shop: Shop, *, attached: bool = False) -> str:
    path = f"{_departure(shop)}/pools/{_made(shop, '/admin/pools', _BUS)}"
    if attached:
        assert as_staff(shop, "PUT", path).status_code == 204
    return path


def _pattern_body(shop: Shop) -> Json:
    return {"package_id": shop.package()["id"], "weekdays": [1], "first_on": _a_day(shop), "capacity": 5}


def _pattern(shop: Shop) -> str:
    return f"/departure-patterns/{_made(shop, '/departure-patterns', _pattern_body(shop))}"


def _doing(method: str, path: Any, body: Any = None) -> Scenario:
    """A scenario whose address and body may depend on the shop."""

    def scenario(shop: Shop, _: Any) -> TestResponse:
        where = path(shop) if callable(path) else path
        return as_staff(shop, method, where, body(shop) if callable(body) else body)

    return scenario


_REASONS: Final[Json] = {"reason_ar": "عاصفة", "reason_en": "A storm"}


def _two_dates(shop: Shop, *, seats: int = 10) -> tuple[str, str]:
    """Two departures of one package; the second has `seats`."""
    offer = shop.offer()
    path = f"/packages/{offer.package_id}/departures"
    return offer.departure_id, _made(shop, path, {"starts_on": _a_day(shop, 60), "capacity": seats})


def cancels_a_departure(shop: Shop, _: Any) -> TestResponse:
    path = f"/admin/departures/{shop.offer().departure_id}/cancel"
    return as_staff(shop, "POST", path, _REASONS, **keyed())


def moves_a_departure(shop: Shop, _: Any) -> TestResponse:
    departure, target = _two_dates(shop)
    path = f"/admin/departures/{departure}/move"
    return as_staff(shop, "POST", path, {**_REASONS, "target_departure_id": target}, **keyed())


def tries_an_operation_again(shop: Shop, sign_up: Any) -> TestResponse:
    departure, target = _two_dates(shop, seats=1)
    customer, package = sign_up(), shop.done(shop.get(f"/api/v1/departures/{departure}"))["package_id"]
    shop.book(customer, Offer(package, departure), travelers=1)
    path = f"/admin/departures/{departure}/move"
    ordered = as_staff(shop, "POST", path, {**_REASONS, "target_departure_id": target}, **keyed())
    shop.book(customer, Offer(package, target), travelers=1)
    shop.deliver_events(draw=True)
    path = f"/admin/departure-operations/{shop.done(ordered, 202)['id']}/retry"
    return as_staff(shop, "POST", path, **keyed())


CATALOGUE_DEEDS: Final[dict[tuple[str, str], Scenario]] = {
    ("POST", "/api/v1/activities"): _doing("POST", "/activities", _ACTIVITY),
    ("POST", "/api/v1/calendar/feeds"): _doing("POST", "/calendar/feeds"),
    ("PATCH", "/api/v1/activities/<string:id_or_slug>"): _doing("PATCH", _activity, {"duration_hours": 4}),
    ("POST", "/api/v1/activities/<string:id_or_slug>/publish"): _doing("POST", lambda s: f"{_activity(s)}/publish"),
    ("POST", "/api/v1/activities/<string:id_or_slug>/deactivate"): _doing(
        "POST", lambda s: f"{_activity(s, published=True)}/deactivate"
    ),
    ("POST", "/api/v1/activities/<string:id_or_slug>/archive"): _doing("POST", lambda s: f"{_activity(s)}/archive"),
    ("POST", "/api/v1/activities/<string:id_or_slug>/departures"): _doing(
        "POST",
        lambda s: f"{_activity(s)}/departures",
        lambda s: {"starts_on": _a_day(s), "start_time": "09:00", "capacity": 4},
    ),
    ("PATCH", "/api/v1/departures/<uuid:departure_id>"): _doing("PATCH", _departure, {"capacity": 11}),
    ("POST", "/api/v1/departures/<uuid:departure_id>/close"): _doing("POST", lambda s: _departure(s, "/close")),
    ("POST", "/api/v1/departures/<uuid:departure_id>/reopen"): _doing(
        "POST", lambda s: _departure(s, "/reopen", closed=True)
    ),
    ("POST", "/api/v1/departures/<uuid:departure_id>/cancel"): _doing("POST", lambda s: _departure(s, "/cancel")),
    ("PUT", "/api/v1/departures/<uuid:departure_id>/pools/<uuid:pool_id>"): _doing("PUT", _attachment),
    ("DELETE", "/api/v1/departures/<uuid:departure_id>/pools/<uuid:pool_id>"): _doing(
        "DELETE", lambda s: _attachment(s, attached=True)
    ),
    ("POST", "/api/v1/admin/departures/<uuid:departure_id>/cancel"): cancels_a_departure,
    ("POST", "/api/v1/admin/departures/<uuid:departure_id>/move"): moves_a_departure,
    ("POST", "/api/v1/admin/departure-operations/<uuid:operation_id>/retry"): tries_an_operation_again,
    ("POST", "/api/v1/admin/pools"): _doing("POST", "/admin/pools", _BUS),
    ("PATCH", "/api/v1/admin/pools/<uuid:pool_id>"): _doing(
        "PATCH", lambda s: f"/admin/pools/{_made(s, '/admin/pools', _BUS)}", {"capacity": 7}
    ),
    ("POST", "/api/v1/admin/pool-series"): _doing("POST", "/admin/pool-series", _BUS),
    ("PATCH", "/api/v1/admin/pool-series/<uuid:series_id>"): _doing(
        "PATCH", lambda s: f"/admin/pool-series/{_made(s, '/admin/pool-series', _BUS)}", {"capacity": 7}
    ),
    ("POST", "/api/v1/departure-patterns"): _doing("POST", "/departure-patterns", _pattern_body),
    ("PATCH", "/api/v1/departure-patterns/<uuid:pattern_id>"): _doing("PATCH", _pattern, {"capacity": 6}),
    ("POST", "/api/v1/departure-patterns/<uuid:pattern_id>/stop"): _doing("POST", lambda s: f"{_pattern(s)}/stop"),
}

STORES_NOTHING: Final = {("POST", "/api/v1/departure-patterns/preview")}
"""Routes that ask for a permission, and only answer."""
