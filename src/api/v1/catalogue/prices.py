"""What packages and activities cost whom and when: age bands, seasons, and a calendar of prices."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Response

from api.answers import answer_page
from api.blueprint import Blueprint
from api.context import use
from api.etags import expected_version, tagged
from api.specification import page_of
from api.v1.catalogue.listing import author, vendors_are_reviewed
from api.v1.catalogue.price_schemas import (
    AgeBandsRequest,
    DayPriceShown,
    DaysQuery,
    PricedActivityShown,
    PricedPackageShown,
    SeasonsRequest,
)
from api.v1.catalogue.seen import answer_item, item_named, shown_item
from api.views import MethodView
from application.catalogue.prices import SetAgeBands, SetSeasons, set_age_bands, set_seasons
from application.pricing.price_lists import price_list_of
from domain.catalogue.items import Item, ItemKind
from domain.pricing.age_bands import AgeBand
from domain.pricing.price_lists import PriceList
from domain.pricing.seasons import Season
from middlewares.auth_middleware import optional_token, permission_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("prices", __name__, description="Prices by age and by season")


@blueprint.route("/packages/<string:id_or_slug>/age-bands")
class PackageAgeBands(MethodView):
    @permission_required("packages.update")
    @idempotent()
    @tagged
    @blueprint.arguments(AgeBandsRequest)
    @blueprint.response(200, PricedPackageShown)
    def put(self, body: dict[str, Any], id_or_slug: str) -> Response:
        """Say what travellers of each age pay; the list is replaced as a whole."""
        item = item_named(ItemKind.PACKAGE, id_or_slug)
        _set_bands(item, body)
        return answer_item(item)


@blueprint.route("/packages/<string:id_or_slug>/seasons")
class PackageSeasons(MethodView):
    @permission_required("packages.update")
    @idempotent()
    @tagged
    @blueprint.arguments(SeasonsRequest)
    @blueprint.response(200, PricedPackageShown)
    def put(self, body: dict[str, Any], id_or_slug: str) -> Response:
        """Say on which days a trip that starts then costs more or less; the list is replaced as a whole."""
        item = item_named(ItemKind.PACKAGE, id_or_slug)
        _set_seasons(item, body)
        return answer_item(item)


@blueprint.route("/packages/<string:id_or_slug>/prices")
class PackageCalendar(MethodView):
    @optional_token(scope="catalogue.read")
    @blueprint.arguments(DaysQuery, location="query")
    @blueprint.response(200, page_of(DayPriceShown))
    def get(self, query: dict[str, Any], id_or_slug: str) -> Response:
        """What one adult pays for a trip that starts on each of these days, whether or not there is a departure."""
        row = shown_item(ItemKind.PACKAGE, id_or_slug)
        return _calendar(price_list_of(row, Item(ItemKind.PACKAGE, row["id"])), query)


@blueprint.route("/activities/<string:id_or_slug>/age-bands")
class ActivityAgeBands(MethodView):
    @permission_required("activities.update")
    @idempotent()
    @tagged
    @blueprint.arguments(AgeBandsRequest)
    @blueprint.response(200, PricedActivityShown)
    def put(self, body: dict[str, Any], id_or_slug: str) -> Response:
        """Say what participants of each age pay; the list is replaced as a whole."""
        item = item_named(ItemKind.ACTIVITY, id_or_slug)
        _set_bands(item, body)
        return answer_item(item)


@blueprint.route("/activities/<string:id_or_slug>/seasons")
class ActivitySeasons(MethodView):
    @permission_required("activities.update")
    @idempotent()
    @tagged
    @blueprint.arguments(SeasonsRequest)
    @blueprint.response(200, PricedActivityShown)
    def put(self, body: dict[str, Any], id_or_slug: str) -> Response:
        """Say on which days it costs more or less; the list is replaced as a whole."""
        item = item_named(ItemKind.ACTIVITY, id_or_slug)
        _set_seasons(item, body)
        return answer_item(item)


@blueprint.route("/activities/<string:id_or_slug>/prices")
class ActivityCalendar(MethodView):
    @optional_token(scope="catalogue.read")
    @blueprint.arguments(DaysQuery, location="query")
    @blueprint.response(200, page_of(DayPriceShown))
    def get(self, query: dict[str, Any], id_or_slug: str) -> Response:
        """What one adult pays on each of these days, whether or not there is a departure."""
        row = shown_item(ItemKind.ACTIVITY, id_or_slug)
        return _calendar(price_list_of(row, Item(ItemKind.ACTIVITY, row["id"])), query)


def _set_bands(item: Item, body: dict[str, Any]) -> None:
    command = SetAgeBands(
        author=author(),
        item=item,
        vendors_are_reviewed=vendors_are_reviewed(),
        bands=[_band(band) for band in body["age_bands"]],
        expected_version=expected_version(),
    )
    set_age_bands(command, uow=use().new_uow(), clock=use().clock)


def _set_seasons(item: Item, body: dict[str, Any]) -> None:
    command = SetSeasons(
        author=author(),
        item=item,
        vendors_are_reviewed=vendors_are_reviewed(),
        seasons=[_season(season) for season in body["seasons"]],
        expected_version=expected_version(),
    )
    set_seasons(command, uow=use().new_uow(), clock=use().clock)


def _calendar(prices: PriceList, query: dict[str, Any]) -> Response:
    first, last = query["first_on"], query["last_on"]
    days = (first + timedelta(days=passed) for passed in range((last - first).days + 1))
    return answer_page(DayPriceShown, [_day(prices, day) for day in days], None)


def _day(prices: PriceList, day: date) -> dict[str, Any]:
    unit = prices.adult_on(day)
    return {
        "date": day,
        "price_minor": unit.price.minor,
        "list_price_minor": unit.listed.minor,
        "currency": unit.price.currency.code,
        "season_ar": unit.season_ar,
        "season_en": unit.season_en,
    }


def _band(body: dict[str, Any]) -> AgeBand:
    percentage, price = body.pop("percentage"), body.pop("price")
    return AgeBand(**body, price=percentage if price is None else price)


def _season(body: dict[str, Any]) -> Season:
    percentage, price = body.pop("percentage"), body.pop("price")
    weekdays = frozenset(body.pop("weekdays"))
    return Season(**body, weekdays=weekdays, amount=percentage if price is None else price)
