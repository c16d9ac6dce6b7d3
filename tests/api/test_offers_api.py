"""Offers by HTTP: everybody sees those that run, staff make and stop them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from pytest import Subtests

from tests.api.shop import Json, Shop, SignUp, problem

OFFERS = "/api/v1/offers"


def body(**others: Any) -> Json:
    return {
        "offer_type": "DISCOUNT_PERCENTAGE",
        "discount_value": "10.00",
        "title_ar": "عرض",
        "title_en": "Deal",
        **others,
    }


def made(shop: Shop, *, runs: bool = True, **others: Any) -> Json:
    offer = shop.done(shop.post(OFFERS, shop.admin, body(**others)), 201)
    return shop.done(shop.post(f"{OFFERS}/{offer['id']}/activate", shop.admin, {})) if runs else offer


def test_an_offer_from_its_draft_to_its_end(shop: Shop) -> None:
    draft = made(shop, runs=False, end_date="2099-01-01T00:00:00Z", usage_limit_total=7)
    path = f"{OFFERS}/{draft['id']}"
    assert (draft["status"], draft["discount_value"], draft["uses_left"]) == ("DRAFT", "10.00", 7)
    problem(shop.get(path), 404, "offer_not_found")

    assert shop.done(shop.post(f"{path}/activate", shop.admin, {}))["status"] == "ACTIVE"
    assert shop.done(shop.get(path, Accept_Language="ar"))["title"] == "عرض"
    headers = {**shop.admin.headers, "Idempotency-Key": uuid4().hex, "If-Match": '"1.00"'}
    problem(shop.client.patch(path, json={"priority": 5}, headers=headers), 412, "precondition_failed")
    headers = {**shop.admin.headers, "Idempotency-Key": uuid4().hex}
    changed = shop.done(shop.client.patch(path, json={"priority": 5, "end_date": None}, headers=headers))
    assert (changed["priority"], changed["end_date"], changed["uses_left"]) == (5, None, 7)

    assert shop.done(shop.post(f"{path}/disable", shop.admin, {}))["status"] == "DISABLED"
    problem(shop.post(f"{path}/disable", shop.admin, {}), 409, "illegal_transition")
    problem(shop.get(path), 404, "offer_not_found")
    statistics = shop.done(shop.get(f"{path}/statistics", shop.admin))
    assert (statistics["redemptions"], statistics["given"]) == (0, [])
    rows = shop.database.rows(
        "SELECT changes FROM audit_logs WHERE action = 'offers.manage' AND status = 'SUCCESS' ORDER BY created_at, id"
    )
    assert [row["changes"]["after"].get("status") for row in rows] == ["DRAFT", "ACTIVE", None, "DISABLED"]


def test_everybody_sees_those_that_run_by_priority(shop: Shop, sign_up: SignUp) -> None:
    low, high, featured = (
        made(shop, **details) for details in ({}, {"priority": 9}, {"priority": 5, "is_featured": True})
    )
    made(shop, runs=False)
    made(shop, start_date=(shop.running.dependencies.clock.now() + timedelta(days=1)).isoformat())

    first = shop.done(shop.get(f"{OFFERS}?limit=2"))
    rest = shop.done(shop.get(f"{OFFERS}?limit=2&cursor={first['next_cursor']}"))
    assert [one["id"] for one in (*first["items"], *rest["items"])] == [high["id"], featured["id"], low["id"]]
    assert [one["id"] for one in shop.done(shop.get(f"{OFFERS}?featured=true"))["items"]] == [featured["id"]]

    problem(shop.get(f"{OFFERS}?status=DRAFT", sign_up()), 403, "forbidden")
    assert len(shop.done(shop.get(OFFERS, shop.admin))["items"]) == 5
    assert len(shop.done(shop.get(f"{OFFERS}?status=DRAFT", shop.admin))["items"]) == 1
    problem(shop.get(f"{OFFERS}?cursor=WyJvZmZlcnMuT2ZmZXJzIiwieCIsIngiXQ=="), 422, "invalid_cursor")


def test_bad_offers_are_refused_by_field(shop: Shop, subtests: Subtests) -> None:
    for change, pointer in (
        ({"title_ar": "", "title_en": ""}, "/title_en"), ({"offer_type": "BOGO"}, "/discount_value"),
        ({"offer_type": "BONUS_POINTS", "discount_value": None}, "/bonus_points"),
        ({"applicable_to": "SPECIFIC_ITEMS"}, "/target_item_ids"),
        ({"membership_tiers": ["gold"]}, "/membership_tiers/0"),
        ({"featured_image": "http://insecure.test/x.png"}, "/featured_image"), ({"priority": 5000}, "/priority"),
        ({"start_date": "2099-01-01T00:00:00Z", "end_date": "2098-01-01T00:00:00Z"}, "/end_date"),
        ({"target_item_ids": ["x"]}, "/target_item_ids/0"), ({"valid_from": "2099-01-01T00:00:00Z"}, "/valid_from"),
    ):  # fmt: skip
        with subtests.test(str(change)):
            problem(shop.post(OFFERS, shop.admin, body(**change)), 422, "validation_failed", pointer=pointer)
    problem(shop.post(f"{OFFERS}/{uuid4()}/activate", shop.admin, {}), 404, "offer_not_found")


def test_plans_and_items_that_there_are_none_are_named(shop: Shop) -> None:
    package, nowhere = shop.package()["id"], str(uuid4())
    items = {"applicable_to": "SPECIFIC_ITEMS", "target_item_ids": [package, package, nowhere]}
    tiers = {"membership_tiers": ["GOLD", "GOLD", "TITANIUM"]}
    offer = made(shop, membership_tiers=["GOLD", "SILVER", "GOLD"], **{**items, "target_item_ids": [package, package]})
    assert (offer["membership_tiers"], offer["target_item_ids"]) == (["GOLD", "SILVER"], [package])

    for change, pointer, code in (
        (items, "/target_item_ids/2", "unknown_item"),
        (tiers, "/membership_tiers/2", "unknown_tier"),
    ):
        made_so = shop.post(OFFERS, shop.admin, body(**change))
        changed_so = shop.client.patch(f"{OFFERS}/{offer['id']}", json=change, headers=shop.admin.headers)
        for answer in (made_so, changed_so):
            [fault] = problem(answer, 422, "validation_failed")["errors"]
            assert (fault["pointer"], fault["code"]) == (pointer, code)
    assert len(shop.done(shop.get(OFFERS, shop.admin))["items"]) == 1
