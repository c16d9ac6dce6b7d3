"""Age bands, seasons and the calendar of prices over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from pytest import Subtests
from werkzeug.test import TestResponse

from tests.api.shop import Json, Shop, SignUp, problem
from tests.conftest import Person

pytestmark = pytest.mark.database

PACKAGES = "/api/v1/packages"
INFANT: Json = {
    "code": "INFANT", "name_ar": "رضيع", "name_en": "Infant", "min_age": 0, "max_age": 1,
    "price": {"amount": "75.50", "currency": "EGP"}, "takes_a_seat": False,
}  # fmt: skip
CHILD: Json = {
    "code": "CHILD", "name_ar": "طفل", "name_en": "Child", "min_age": 2, "max_age": 11, "percentage": "50.00"
}  # fmt: skip
ADULT: Json = {"code": "ADULT", "name_ar": "بالغ", "name_en": "Adult", "min_age": 12, "percentage": "100.00"}
SUMMER: Json = {
    "name_ar": "صيف", "name_en": "Summer", "first_on": "2027-07-01", "last_on": "2027-07-03",
    "adjustment": "PERCENTAGE_UP", "percentage": "12.50",
}  # fmt: skip
FEAST: Json = {
    "name_ar": "عيد", "name_en": "Feast", "first_on": "2027-07-03", "last_on": "2027-07-10", "weekdays": [6],
    "adjustment": "FIXED_PRICE", "price": {"amount": "2500.00", "currency": "EGP"}, "priority": 1,
}  # fmt: skip


UNSOUND: list[tuple[str, Any, str]] = [
    ("age-bands", [CHILD, ADULT], "/age_bands/0/min_age"),
    ("age-bands", [{**ADULT, "min_age": 0, "price": INFANT["price"]}], "/age_bands/0/percentage"),
    ("age-bands", [{**ADULT, "min_age": 0, "percentage": None}], "/age_bands/0/percentage"),
    ("age-bands", [{**ADULT, "min_age": 0, "percentage": "100.001"}], "/age_bands/0/percentage"),
    ("age-bands", [{**ADULT, "min_age": True}], "/age_bands/0/min_age"),
    ("age-bands", [{**ADULT, "min_age": 0, "code": "adult"}], "/age_bands/0/code"),
    ("age-bands", [{**ADULT, "min_age": 0, "cost": 1}], "/age_bands/0/cost"),
    ("age-bands", {}, "/age_bands"),
    ("seasons", [SUMMER, SUMMER], "/seasons/1/priority"),
    ("seasons", [{**SUMMER, "price": FEAST["price"]}], "/seasons/0/percentage"),
    ("seasons", [{**FEAST, "price": None}], "/seasons/0/price"),
    ("seasons", [{**FEAST, "weekdays": [8]}], "/seasons/0/weekdays/0"),
    ("seasons", [{**SUMMER, "last_on": "2027-06-30"}], "/seasons/0/last_on"),
    ("seasons", [{**SUMMER, "adjustment": "DOUBLE"}], "/seasons/0/adjustment"),
    ("seasons", [SUMMER] * 51, "/seasons"),
]


def put(shop: Shop, path: str, person: Person, body: Any, **headers: str) -> TestResponse:
    return shop.client.put(path, json=body, headers={**person.headers, **headers})


def test_a_package_says_what_each_age_pays_and_when(shop: Shop) -> None:
    path = f"{PACKAGES}/{shop.package()['id']}"
    seen = shop.get(path)
    changed = put(
        shop,
        f"{path}/age-bands",
        shop.admin,
        {"age_bands": [ADULT, INFANT, CHILD]},
        **{"If-Match": seen.headers["ETag"]},
    )
    bands = shop.done(changed)["age_bands"]
    stale = put(shop, f"{path}/seasons", shop.admin, {"seasons": []}, **{"If-Match": seen.headers["ETag"]})
    problem(stale, 412, "precondition_failed")
    tag = {"If-Match": changed.headers["ETag"]}
    shop.done(put(shop, f"{path}/seasons", shop.admin, {"seasons": [FEAST, SUMMER]}, **tag))

    shown = shop.done(shop.get(path, Accept_Language="ar"))
    assert [(band["code"], band["percentage"], band["price"], band["takes_a_seat"]) for band in bands] == [
        ("INFANT", None, INFANT["price"], False), ("CHILD", "50.00", None, True), ("ADULT", "100.00", None, True),
    ]  # fmt: skip
    assert [band["max_age"] for band in bands] == [1, 11, None]
    assert [band["name"] for band in shown["age_bands"]] == ["رضيع", "طفل", "بالغ"]
    assert shown["seasons"] == [
        {**SUMMER, "name": "صيف", "weekdays": [], "price": None, "priority": 0},
        {**FEAST, "name": "عيد", "percentage": None},
    ]
    assert "seasons" not in shop.done(shop.get(PACKAGES))["items"][0]


def test_an_activity_has_prices_of_its_own(shop: Shop, sign_up: SignUp) -> None:
    vendor, other = sign_up("VENDOR"), sign_up("VENDOR")
    body = {
        "name_en": "Balloon", "category": "ADVENTURE", "price": {"amount": "40.00", "currency": "EGP"},
        "duration_hours": 3, "min_participants": 1, "max_participants": 8,
    }  # fmt: skip
    made = shop.post("/api/v1/activities", vendor, body)
    path = f"/api/v1/activities/{shop.done(made, 201)['id']}"
    tag = {"If-Match": shop.get(path, vendor).headers["ETag"]}
    bands = {"age_bands": [INFANT, CHILD, ADULT]}
    for change, wanted in (("age-bands", bands), ("seasons", {"seasons": [SUMMER]})):
        problem(put(shop, f"{path}/{change}", other, wanted), 404, "activity_not_found")
        problem(put(shop, f"{path}/{change}", vendor, {}), 422, "validation_failed")
    shop.done(put(shop, f"{path}/age-bands", vendor, bands, **tag))
    problem(put(shop, f"{path}/seasons", vendor, {"seasons": [SUMMER]}, **tag), 412, "precondition_failed")
    shown = shop.done(put(shop, f"{path}/seasons", vendor, {"seasons": [SUMMER]}))

    assert shown == shop.done(shop.get(path, vendor))
    assert [band["code"] for band in shown["age_bands"]] == ["INFANT", "CHILD", "ADULT"]
    (day,) = shop.done(shop.get(f"{path}/prices?from=2027-07-03&to=2027-07-03", vendor))["items"]
    assert (day["price"]["amount"], day["list_price"]["amount"], day["season"]) == ("45.00", "40.00", "Summer")
    problem(shop.get(f"{path}/prices?from=2027-07-03&to=2027-07-03", other), 404, "activity_not_found")
    dollars = {"price": {"amount": "2.00", "currency": "USD"}}
    problem(shop.client.patch(path, json=dollars, headers=vendor.headers), 409, "amounts_in_old_currency")
    actions = shop.database.rows("SELECT action, resource_type FROM audit_logs WHERE status = 'SUCCESS' ORDER BY id")
    assert [(row["action"], row["resource_type"]) for row in actions][1:] == [("activities.update", "ACTIVITY")] * 2


def test_the_calendar_has_each_days_price_for_an_adult(shop: Shop) -> None:
    path = f"{PACKAGES}/{shop.package()['slug']}"
    shop.done(put(shop, f"{path}/seasons", shop.admin, {"seasons": [FEAST, SUMMER]}))

    days = shop.done(shop.get(f"{path}/prices?from=2027-06-30&to=2027-07-04"))
    assert days["next_cursor"] is None
    assert [(day["date"], day["price"]["amount"], day["season"]) for day in days["items"]] == [
        ("2027-06-30", "1000.00", ""),
        ("2027-07-01", "1125.00", "Summer"),
        ("2027-07-02", "1125.00", "Summer"),
        ("2027-07-03", "2500.00", "Feast"),
        ("2027-07-04", "1000.00", ""),
    ]
    assert {day["list_price"]["amount"] for day in days["items"]} == {"1000.00"}
    assert len(shop.done(shop.get(f"{path}/prices?from=2027-01-01&to=2028-02-04"))["items"]) == 400
    for query in (
        "from=2027-01-01&to=2028-02-05", "from=2027-01-02&to=2027-01-01", "from=2027-01-01", "from=x&to=2027-01-01",
    ):  # fmt: skip
        problem(shop.get(f"{path}/prices?{query}"), 422, "validation_failed")
    assert len(shop.done(shop.get(f"{path}/prices?from=9999-12-31&to=9999-12-31"))["items"]) == 1


def test_what_was_replaced_is_in_the_audit_log_on_both_sides(shop: Shop) -> None:
    path = f"{PACKAGES}/{shop.package()['id']}"
    for body in ([INFANT, CHILD, ADULT], [INFANT, CHILD, ADULT], []):
        shop.done(put(shop, f"{path}/age-bands", shop.admin, {"age_bands": body}))
    shop.done(put(shop, f"{path}/seasons", shop.admin, {"seasons": [SUMMER]}))
    rows = shop.database.rows(
        "SELECT changes FROM audit_logs WHERE action = 'packages.update' AND status = 'SUCCESS' ORDER BY id"
    )
    first, second, third = (row["changes"] for row in rows)

    assert first["before"] == {"age_bands": []}
    assert [band["price"] for band in first["after"]["age_bands"]] == ["EGP 75.50", "50.00", "100.00"]
    assert second == {"before": first["after"], "after": first["before"]}
    assert third["after"]["seasons"][0]["amount"] == "12.50"


def test_prices_are_changed_by_staff_and_the_owning_vendor_alone(shop: Shop, sign_up: SignUp) -> None:
    vendor, other, customer = sign_up("VENDOR"), sign_up("VENDOR"), sign_up()
    body = {
        "name_en": "A draft", "category": "FAMILY", "base_price": {"amount": "10.00", "currency": "EGP"},
        "duration_days": 1, "duration_nights": 0, "min_travelers": 1, "max_travelers": 5,
    }  # fmt: skip
    path = f"{PACKAGES}/{shop.done(shop.post(PACKAGES, vendor, body), 201)['id']}"
    on_sale = f"{PACKAGES}/{shop.package()['id']}"
    for change, bands in (("age-bands", {"age_bands": [{**ADULT, "min_age": 0}]}), ("seasons", {"seasons": [SUMMER]})):
        shop.done(put(shop, f"{path}/{change}", vendor, bands))
        problem(put(shop, f"{path}/{change}", other, bands), 404, "package_not_found")
        problem(put(shop, f"{on_sale}/{change}", other, bands), 404, "package_not_found")
        problem(put(shop, f"{path}/{change}", customer, bands), 403, "forbidden")
    problem(shop.get(f"{path}/prices?from=2027-01-01&to=2027-01-01"), 404, "package_not_found")
    shop.done(shop.get(f"{path}/prices?from=2027-01-01&to=2027-01-01", vendor))


def test_amounts_stay_in_the_packages_currency(shop: Shop) -> None:
    path = f"{PACKAGES}/{shop.package()['id']}"
    dollars = {"base_price": {"amount": "20.00", "currency": "USD"}}
    shop.done(put(shop, f"{path}/age-bands", shop.admin, {"age_bands": [INFANT, CHILD, ADULT]}))
    refused = shop.client.patch(path, json=dollars, headers=shop.admin.headers)
    problem(refused, 409, "amounts_in_old_currency")
    shop.done(put(shop, f"{path}/age-bands", shop.admin, {"age_bands": []}))
    shop.done(shop.client.patch(path, json=dollars, headers=shop.admin.headers))
    refused = put(shop, f"{path}/seasons", shop.admin, {"seasons": [FEAST]})
    assert problem(refused, 422, "validation_failed")["errors"][0]["pointer"] == "/seasons/0/price"


def test_what_cannot_be_is_refused_where_it_stands(shop: Shop, subtests: Subtests) -> None:
    path = f"{PACKAGES}/{shop.package()['id']}"
    for what, rows, pointer in UNSOUND:
        with subtests.test(f"{what} {pointer} {rows}"):
            refused = put(shop, f"{path}/{what}", shop.admin, {what.replace("-", "_"): rows})
            errors = problem(refused, 422, "validation_failed")["errors"]
            assert pointer in [error["pointer"] for error in errors]
    found = shop.done(shop.get(path))
    assert (found["age_bands"], found["seasons"]) == ([], [])
