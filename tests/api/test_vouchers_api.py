"""Vouchers by HTTP: staff make, change, assign and import them; customers look at theirs, and guess in vain."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from pytest import Subtests

from api.v1.pricing.my_vouchers import CHECKS_PER_MINUTE
from domain.pricing.baskets import Benefit, PromotionKind
from middlewares.rate_limit import _Limits
from tests.api.shop import Json, Shop, SignUp, problem
from tests.builders import egp
from tests.conftest import Person

CARD = "4111111111111111"
VOUCHERS = "/api/v1/vouchers"


@pytest.fixture
def customer(sign_up: SignUp) -> Person:
    return sign_up()


def body(**others: Any) -> Json:
    return {"code": f"v-{uuid4().hex}", "voucher_type": "DISCOUNT_PERCENTAGE", "discount_value": "10.00", **others}


def made(shop: Shop, **others: Any) -> Json:
    return shop.done(shop.post(VOUCHERS, shop.admin, body(**others)), 201)


def checked(shop: Shop, code: str, person: Person, **headers: str) -> Json:
    return shop.done(shop.client.get(
        f"{VOUCHERS}/check", query_string={"code": code}, headers={**person.headers, **headers}
    ))  # fmt: skip


def redeem(shop: Shop, voucher: Json, booking: Json, person: Person) -> None:
    benefit = Benefit(
        kind=PromotionKind.VOUCHER, source_id=voucher["id"], title_ar="", title_en="",
        discount=egp("100.00"), keys=frozenset(),
    )  # fmt: skip
    with shop.running.dependencies.new_uow() as uow:
        uow.promotions.redeem(
            [benefit], booking_id=booking["id"], user_id=person.user_id, at=shop.running.dependencies.clock.now()
        )
        uow.commit()


def actions(shop: Shop) -> list[str]:
    rows = shop.database.rows(
        "SELECT action FROM audit_logs WHERE resource_type = 'VOUCHER' AND status = 'SUCCESS' ORDER BY created_at, id"
    )
    return [row["action"] for row in rows]


def test_a_voucher_from_its_making_to_its_end(shop: Shop) -> None:
    voucher = made(
        shop,
        code="summer-26",
        title_ar="الصيف",
        title_en="Summer",
        max_discount={"amount": "250.00", "currency": "EGP"},
        usage_limit_total=5,
        schedule={"weekdays": [5, 4, 5], "hours_from": "18:00", "hours_until": "02:00"},
    )
    assert (voucher["code"], voucher["discount_value"], voucher["status"]) == ("SUMMER-26", "10.00", "ACTIVE")
    assert voucher["max_discount"] == {"amount": "250.00", "currency": "EGP"}
    assert (voucher["schedule"]["weekdays"], voucher["schedule"]["hours_until"]) == ([4, 5], "02:00")

    problem(shop.post(VOUCHERS, shop.admin, body(code="SUMMER-٢٦")), 409, "voucher_code_taken")

    path = f"{VOUCHERS}/{voucher['id']}"
    tag = shop.get(path, shop.admin).headers["ETag"]
    headers = {**shop.admin.headers, "Idempotency-Key": uuid4().hex, "If-Match": tag}
    changed = shop.done(shop.client.patch(path, json={"discount_value": "20.00", "schedule": {}}, headers=headers))
    assert (changed["discount_value"], changed["schedule"]["weekdays"], changed["title_en"]) == ("20.00", [], "Summer")
    headers["Idempotency-Key"] = uuid4().hex
    problem(shop.client.patch(path, json={"is_public": False}, headers=headers), 412, "precondition_failed")

    assert shop.done(shop.post(f"{path}/deactivate", shop.admin, {}))["status"] == "INACTIVE"
    problem(shop.post(f"{path}/deactivate", shop.admin, {}), 409, "illegal_transition")
    assert shop.done(shop.post(f"{path}/activate", shop.admin, {}))["status"] == "ACTIVE"
    assert actions(shop) == ["vouchers.create", *["vouchers.update"] * 3]
    # A code is money to whoever reads it.
    assert shop.database.rows("SELECT 1 FROM audit_logs WHERE changes::text ILIKE '%%summer-26%%'", {}) == []


def test_once_it_was_used_what_it_gives_stays(shop: Shop, customer: Person) -> None:
    voucher, booking = made(shop), shop.book(customer, shop.offer())
    redeem(shop, voucher, booking, customer)
    path = f"{VOUCHERS}/{voucher['id']}"

    def patch(**changes: Any) -> Any:
        return shop.client.patch(path, json=changes, headers={**shop.admin.headers, "Idempotency-Key": uuid4().hex})

    problem(patch(discount_value="50.00"), 409, "voucher_redeemed", pointer="/discount_value")
    assert shop.done(patch(usage_limit_total=1))["status"] == "EXHAUSTED"
    assert shop.done(patch(usage_limit_total=2))["status"] == "ACTIVE"
    redeem(shop, voucher, shop.book(customer, shop.offer()), customer)
    problem(patch(usage_limit_total=1), 422, "validation_failed", pointer="/usage_limit_total")

    assert shop.done(shop.get(f"{path}/statistics", shop.admin)) == {
        "redemptions": 2, "in_use": 2, "given_back": 0, "users": 1, "bookings_paid": 0, "bookings_cancelled": 0,
        "given": [{
            "discount": {"amount": "200.00", "currency": "EGP"}, "cashback": {"amount": "0.00", "currency": "EGP"},
        }],
    }  # fmt: skip


def test_bad_vouchers_are_refused_by_field(shop: Shop, subtests: Subtests) -> None:
    money = {"amount": "5.00", "currency": "EGP"}
    for change, pointer in (
        ({"discount_value": money}, "/discount_value"), ({"discount_value": 10}, "/discount_value"),
        ({"discount_value": "101"}, "/discount_value"), ({"discount_value": "1e1"}, "/discount_value"),
        ({"voucher_type": "DISCOUNT_FIXED"}, "/discount_value"), ({"voucher_type": "GIFT"}, "/voucher_type"),
        ({"code": "a b"}, "/code"), ({"usage_limit_total": 1.5}, "/usage_limit_total"), ({"colour": 1}, "/colour"),
        ({"applicable_to": "SPECIFIC_ITEMS"}, "/applicable_to"), ({"valid_from": "tomorrow"}, "/valid_from"),
        ({"valid_until": "2020-01-01T00:00:00Z"}, "/valid_until"),
        ({"schedule": {"weekdays": [0]}}, "/schedule/weekdays/0"),
        ({"max_discount": money, "min_purchase_amount": {"amount": "1", "currency": "JPY"}}, "/max_discount"),
    ):  # fmt: skip
        with subtests.test(str(change)):
            problem(shop.post(VOUCHERS, shop.admin, body(**change)), 422, "validation_failed", pointer=pointer)
    assert shop.database.rows("SELECT 1 FROM vouchers") == []


def test_no_code_or_text_is_a_card_number_however_it_comes(shop: Shop, customer: Person, subtests: Subtests) -> None:
    template, offer = made(shop), shop.offer()
    texts = ("title_ar", "title_en", "description_ar", "description_en")
    lines = "".join(
        f"code-{place},DISCOUNT_PERCENTAGE,10.00,{','.join(CARD if name == text else '' for name in texts)}\n"
        for place, text in enumerate(texts)
    )
    whole = f"code,voucher_type,discount_value,{','.join(texts)}\n{lines}{CARD},DISCOUNT_PERCENTAGE,10.00,,,,\n"
    codes = {"template_voucher_id": template["id"], "vouchers": f"code\nfine-1\nx-{CARD}\n4111-1111-1111-1111\n"}
    for answer, pointers in (
        (shop.post(VOUCHERS, shop.admin, body(code=CARD)), {"/code"}),
        (shop.client.patch(f"{VOUCHERS}/{template['id']}", json={"code": CARD}, headers=shop.admin.headers), {"/code"}),
        (shop.get(f"{VOUCHERS}/check?code={CARD}", customer), {"/code"}),
        (shop.post("/api/v1/quotes", customer, offer.booking(1, voucher_code=CARD)), {"/voucher_code"}),
        (shop.post("/api/v1/bookings", customer, offer.booking(1, voucher_code=CARD)), {"/voucher_code"}),
        (shop.post(f"{VOUCHERS}/imports", shop.admin, codes), {"/vouchers/3/code", "/vouchers/4/code"}),
        (
            shop.post(f"{VOUCHERS}/imports", shop.admin, {"vouchers": whole}),
            {*(f"/vouchers/{line}/{text}" for line, text in enumerate(texts, start=2)), "/vouchers/6/code"},
        ),
    ):
        with subtests.test(str(pointers)):
            found = problem(answer, 422, "validation_failed")["errors"]
            assert {(error["pointer"], error["code"]) for error in found} == {
                (pointer, "card_number_refused") for pointer in pointers
            }
            assert CARD not in answer.text
    assert shop.database.rows("SELECT code FROM vouchers") == [{"code": template["code"]}]


def test_who_has_no_right_makes_and_sees_none(shop: Shop, customer: Person) -> None:
    voucher = made(shop)

    problem(shop.post(VOUCHERS, customer, body()), 403, "forbidden")
    for path in (VOUCHERS, f"{VOUCHERS}/{voucher['id']}", f"{VOUCHERS}/{voucher['id']}/statistics"):
        problem(shop.get(path, customer), 403, "forbidden")
    for path in (f"{VOUCHERS}/{uuid4()}", f"{VOUCHERS}/{uuid4()}/assignments", f"{VOUCHERS}/{uuid4()}/statistics"):
        problem(shop.get(path, shop.admin), 404, "voucher_not_found")


class TestAssignment:
    def test_assigning_twice_is_once_and_taking_it_away_ends_it(self, shop: Shop, customer: Person) -> None:
        private = made(shop, is_public=False)
        path = f"{VOUCHERS}/{private['id']}/assignments"
        people = {"user_ids": [str(customer.user_id), str(customer.user_id)]}

        assert shop.done(shop.post(path, shop.admin, people)) == {"assigned": 1}
        assert shop.done(shop.post(path, shop.admin, people)) == {"assigned": 0}
        (row,) = shop.done(shop.get(path, shop.admin))["items"]
        assert (row["user_id"], row["used"]) == (str(customer.user_id), 0)
        assert checked(shop, private["code"], customer)["is_usable"]

        headers = {**shop.admin.headers, "Idempotency-Key": uuid4().hex}
        assert shop.client.delete(f"{path}/{customer.user_id}", headers=headers).status_code == 204
        assert checked(shop, private["code"], customer)["reason"] == "voucher_unknown"
        assert actions(shop) == ["vouchers.create", "vouchers.assign", "vouchers.assign"]

    def test_one_unknown_person_and_nobody_gets_it(self, shop: Shop, customer: Person) -> None:
        private = made(shop, is_public=False)
        people = {"user_ids": [str(customer.user_id), str(uuid4())]}

        problem(shop.post(f"{VOUCHERS}/{private['id']}/assignments", shop.admin, people), 422, "validation_failed",
                pointer="/user_ids/1")  # fmt: skip
        assert shop.done(shop.get(f"{VOUCHERS}/{private['id']}/assignments", shop.admin))["items"] == []


class TestCheck:
    def test_a_private_code_is_answered_like_one_that_does_not_exist(self, shop: Shop, customer: Person) -> None:
        made(shop, code="private-one", is_public=False)

        answers = [checked(shop, code, customer) for code in ("private-one", "no-such-one", "!?")]

        assert [{**answer, "code": ""} for answer in answers] == [{
            "code": "", "is_usable": False, "reason": "voucher_unknown", "voucher": None,
            "detail": "There is no voucher with this code for you.",
        }] * 3  # fmt: skip

    def test_what_it_gives_and_why_not_is_told_in_both_languages(self, shop: Shop, customer: Person) -> None:
        until = (shop.running.dependencies.clock.now() + timedelta(hours=1)).isoformat()
        voucher = made(shop, code="mine", usage_limit_per_user=1, valid_until=until)

        found = checked(shop, " Mine ", customer)
        assert (found["code"], found["is_usable"], found["voucher"]["uses_left"]) == ("MINE", True, 1)
        assert (found["voucher"]["discount_value"], found["voucher"]["valid_until"]) == (
            "10.00", voucher["valid_until"],
        )  # fmt: skip

        redeem(shop, voucher, shop.book(customer, shop.offer()), customer)
        told = checked(shop, "mine", customer, **{"Accept-Language": "ar"})
        assert (told["is_usable"], told["reason"]) == (False, "used_up_by_you")
        assert told["detail"] == "استخدمته بعدد المرات المسموح لك به: 1."

    def test_mine_are_those_that_i_can_use_now(self, shop: Shop, customer: Person) -> None:
        everybodys, used = made(shop), made(shop, usage_limit_per_user=1)
        private, others = made(shop, is_public=False), made(shop, is_public=False)
        made(shop, valid_from=(shop.running.dependencies.clock.now() + timedelta(days=1)).isoformat())
        shop.post(f"{VOUCHERS}/{made(shop)['id']}/deactivate", shop.admin, {})
        shop.post(f"{VOUCHERS}/{private['id']}/assignments", shop.admin, {"user_ids": [str(customer.user_id)]})
        shop.post(f"{VOUCHERS}/{others['id']}/assignments", shop.admin, {"user_ids": [str(shop.admin.user_id)]})
        redeem(shop, used, shop.book(customer, shop.offer()), customer)

        first = shop.done(shop.get(f"{VOUCHERS}/mine?limit=1", customer))
        rest = shop.done(shop.get(f"{VOUCHERS}/mine?limit=1&cursor={first['next_cursor']}", customer))

        assert [(one["id"], one["is_assigned"]) for one in (*first["items"], *rest["items"])] == [
            (private["id"], True), (everybodys["id"], False),
        ]  # fmt: skip
        assert rest["next_cursor"] is None

    def test_guessing_is_limited_more_strictly_than_anything_else(self, app: Flask) -> None:
        limits = _Limits("redis://unused", 1)

        with app.test_request_context(f"{VOUCHERS}/check?code=guess") as context:
            assert limits._strict_limit(context.request) == CHECKS_PER_MINUTE == 20


class TestImport:
    def test_codes_of_a_template_come_all_or_none(self, shop: Shop) -> None:
        template = made(shop, usage_limit_total=1, is_public=False)
        wanted = {"template_voucher_id": template["id"], "vouchers": "code\r\nclub-1\r\nclub-2\r\n"}

        imported = shop.done(shop.post(f"{VOUCHERS}/imports", shop.admin, wanted), 201)
        assert imported["count"] == 2
        page = shop.done(shop.get(f"{VOUCHERS}?import_id={imported['import_id']}&code=club&status=ACTIVE", shop.admin))
        assert {one["code"]: one["usage_limit_total"] for one in page["items"]} == {"CLUB-1": 1, "CLUB-2": 1}

        again = {**wanted, "vouchers": "code\nclub-3\nclub-2\nx\nclub-3\n"}
        found = problem(shop.post(f"{VOUCHERS}/imports", shop.admin, again), 422, "validation_failed")
        assert {(error["pointer"], error["code"]) for error in found["errors"]} == {
            ("/vouchers/3/code", "voucher_code_taken"), ("/vouchers/4/code", "invalid_voucher_code"),
            ("/vouchers/5/code", "duplicate_code"),
        }  # fmt: skip
        assert shop.done(shop.get(f"{VOUCHERS}?code=CLUB-3", shop.admin))["items"] == []

    def test_the_largest_import_is_made_whole(self, shop: Shop) -> None:
        lines = "".join(f"big-{n:05},DISCOUNT_FIXED,10.00,EGP\n" for n in range(1_201))
        wanted = {"vouchers": f"code,voucher_type,discount_value,currency\n{lines}"}

        assert shop.done(shop.post(f"{VOUCHERS}/imports", shop.admin, wanted), 201)["count"] == 1_201
        row = shop.database.row("SELECT count(*) AS count, sum(discount_value_minor) AS sum FROM vouchers")
        assert row == {"count": 1_201, "sum": 1_201_000}
