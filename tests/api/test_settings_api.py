"""System settings over the API: public ones for everybody, the rest for those who may, each change exactly once."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

from flask import Flask
from pytest import Subtests
from werkzeug.test import TestResponse

from domain.operations.settings import SETTINGS
from infrastructure.bootstrap import Running
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.api.shop import Json, Shop, SignUp, problem

PUBLIC, ADMIN = "/api/v1/settings", "/api/v1/admin/settings"
HOLD = f"{ADMIN}/booking.hold_minutes"


def put(shop: Shop, path: str, value: Any, **headers: str) -> TestResponse:
    return shop.client.put(path, json={"value": value}, headers={**shop.admin.headers, **headers})


def values(answer: Json) -> dict[str, Any]:
    return {row["key"]: row["value"] for row in answer["items"]}


class TestPublic:
    def test_everybody_sees_the_public_ones_alone(self, shop: Shop) -> None:
        shown = shop.done(shop.get(PUBLIC))
        assert set(values(shown)) == {key for key, known in SETTINGS.items() if known.is_public}
        assert values(shown)["general.company_name"] == "AltayarVIP"
        assert set(shown["items"][0]) == {
            "key", "value", "setting_type", "category", "description", "description_ar", "description_en",
        }  # fmt: skip

    def test_a_cache_asks_whether_anything_changed(self, shop: Shop) -> None:
        first = shop.get(PUBLIC)
        etag = first.headers["ETag"]
        assert "public" in first.headers["Cache-Control"]
        assert "Accept-Language" in first.headers["Vary"]
        unchanged = shop.get(PUBLIC, If_None_Match=etag)
        assert (unchanged.status_code, unchanged.data) == (304, b"")
        shop.done(put(shop, f"{ADMIN}/general.company_name", "الطيار"))
        changed = shop.get(PUBLIC, If_None_Match=etag)
        assert values(shop.done(changed))["general.company_name"] == "الطيار"
        assert changed.headers["ETag"] != etag

    def test_it_is_in_the_readers_language(self, shop: Shop) -> None:
        (arabic, *_), (english, *_) = (
            shop.done(shop.get(PUBLIC, Accept_Language=language))["items"] for language in ("ar-EG", "en")
        )
        assert arabic["description"] == arabic["description_ar"] == english["description_ar"]
        assert english["description"] == english["description_en"]


class TestReading:
    def test_staff_see_all_of_them_with_their_defaults(self, shop: Shop) -> None:
        shown = shop.done(shop.get(ADMIN, shop.admin))["items"]
        assert [row["key"] for row in shown] == list(SETTINGS)
        assert all(row["is_default"] and row["value"] == row["default"] and row["version"] == 0 for row in shown)

    def test_a_category_is_a_filter(self, shop: Shop) -> None:
        shown = shop.done(shop.get(f"{ADMIN}?category=privacy", shop.admin))["items"]
        assert {row["key"] for row in shown} == {"privacy.erasure_grace_days"}
        problem(shop.get(f"{ADMIN}?category=other", shop.admin), 422, "validation_failed", pointer="/category")

    def test_who_may_not_does_not(self, shop: Shop, sign_up: SignUp) -> None:
        for person, why in (
            (sign_up(), "wrong_surface"),
            (sign_up("AGENT"), "wrong_surface"),
            (sign_up("EMPLOYEE"), "forbidden"),
        ):
            problem(shop.get(ADMIN, person), 403, why)
            problem(shop.get(HOLD, person), 403, why)
            problem(shop.client.put(HOLD, json={"value": 5}, headers=person.headers), 403, why)
            problem(shop.client.delete(HOLD, headers=person.headers), 403, why)
        problem(shop.get(ADMIN), 401, "unauthorized")


class TestChanging:
    def test_a_value_is_chosen_and_taken_back(self, shop: Shop) -> None:
        changed = shop.done(put(shop, HOLD, 45))
        assert (changed["value"], changed["default"], changed["is_default"], changed["version"]) == (45, 30, False, 1)
        assert changed["updated_by_user_id"] == str(shop.admin.user_id)
        assert shop.done(shop.get(HOLD, shop.admin)) == changed
        reset = shop.done(shop.client.delete(HOLD, headers=shop.admin.headers))
        assert (reset["value"], reset["is_default"], reset["version"]) == (30, True, 2)
        logged = shop.database.rows("SELECT action, resource_type, changes FROM audit_logs ORDER BY id")
        assert [(row["action"], row["resource_type"]) for row in logged] == [("settings.update", "SETTING")] * 2
        assert logged[0]["changes"] == {
            "before": {"value": 30, "is_default": True},
            "after": {"value": 45, "is_default": False},
            "setting": "booking.hold_minutes",
        }
        assert logged[1]["changes"]["after"] == {"value": 30, "is_default": True}

    def test_the_same_again_changes_nothing(self, shop: Shop) -> None:
        first = shop.done(put(shop, HOLD, 45))
        assert shop.done(put(shop, HOLD, 45)) == first
        assert len(shop.database.rows("SELECT 1 FROM audit_logs")) == 1

    def test_what_does_not_fit_is_refused_by_name(self, shop: Shop) -> None:
        assert shop.admin
        before = shop.state()
        for value in (0, "45", 45.5, True, None, [], {"minutes": 45}, 2**62):
            problem(put(shop, HOLD, value), 422, "validation_failed", pointer="/value")
        assert shop.state() == before

    def test_a_body_is_a_value_and_nothing_else(self, shop: Shop) -> None:
        for body in ({}, {"value": 5, "is_public": True}, [5], 5):
            answer = shop.client.put(HOLD, json=body, headers=shop.admin.headers)
            problem(answer, 422, "validation_failed")

    def test_a_card_number_is_no_companys_name(self, shop: Shop) -> None:
        refused = put(shop, f"{ADMIN}/general.company_name", "4111 1111 1111 1111")
        errors = problem(refused, 422, "validation_failed", pointer="/value")["errors"]
        assert errors[0]["code"] == "card_number_refused"

    def test_an_unknown_key_is_not_found(self, shop: Shop) -> None:
        for key in ("general.nothing", "booking", "booking.hold_minutes%00", "x" * 300):
            problem(shop.get(f"{ADMIN}/{key}", shop.admin), 404, "setting_not_found")
            problem(put(shop, f"{ADMIN}/{key}", 5), 404, "setting_not_found")
            gone = shop.client.delete(f"{ADMIN}/{key}", headers=shop.admin.headers)
            problem(gone, 404, "setting_not_found")

    def test_a_change_is_remembered_by_its_key(self, shop: Shop) -> None:
        first = put(shop, HOLD, 45, **{"Idempotency-Key": "once"})
        shop.done(put(shop, HOLD, 50))
        again = put(shop, HOLD, 45, **{"Idempotency-Key": "once"})
        assert again.json == first.json
        assert shop.done(shop.get(HOLD, shop.admin))["value"] == 50


class TestWhatOnePersonMayDoAlone:
    """Limits above which a second person agrees: whoever they bind does not raise them."""

    LIMITS: Mapping[str, Any] = {
        "ledger.adjustment_limit": [{"amount": "1000000.00", "currency": "EGP"}],
        "ledger.points_adjustment_limit": 10_000_000,
        "payment.manual_confirmation_limit": [{"amount": "1000000.00", "currency": "EGP"}],
        "payment.write_off_limit": [{"amount": "1000000.00", "currency": "EGP"}],
    }

    def test_they_are_marked_and_nothing_else_is(self, shop: Shop) -> None:
        shown = shop.done(shop.get(ADMIN, shop.admin))["items"]
        assert {row["key"] for row in shown if row["super_admins_only"]} == self.LIMITS.keys()

    def test_an_administrator_neither_chooses_nor_resets_one(self, shop: Shop, subtests: Subtests) -> None:
        assert shop.admin
        before = shop.state()
        for key, value in self.LIMITS.items():
            with subtests.test(key):
                problem(put(shop, f"{ADMIN}/{key}", value), 403, "forbidden")
                problem(shop.client.delete(f"{ADMIN}/{key}", headers=shop.admin.headers), 403, "forbidden")
        assert shop.state() == before

    def test_nor_does_whoever_may_change_settings_besides(
        self, shop: Shop, sign_up: SignUp, addresses: DatabaseAddresses
    ) -> None:
        with connect(addresses.owner) as connection:
            connection.execute(
                """INSERT INTO role_permissions (role_id, permission_id)
                   SELECT r.id, p.id FROM roles r, permissions p
                   WHERE r.role_name = 'FINANCE' AND p.permission_code = 'settings.update'"""
            )
        clerk = sign_up("FINANCE")
        assert shop.client.put(HOLD, json={"value": 45}, headers=clerk.headers).status_code == 200
        for key, value in self.LIMITS.items():
            refused = shop.client.put(f"{ADMIN}/{key}", json={"value": value}, headers=clerk.headers)
            problem(refused, 403, "forbidden")

    def test_a_super_admin_does(self, shop: Shop, sign_up: SignUp) -> None:
        root = sign_up("SUPER_ADMIN")
        for key, value in self.LIMITS.items():
            path = f"{ADMIN}/{key}"
            shown = shop.done(shop.client.put(path, json={"value": value}, headers=root.headers))
            assert shown["value"] == value
            assert shop.done(shop.client.delete(path, headers=root.headers))["is_default"] is True


class TestPreconditions:
    def test_a_version_that_is_gone_is_not_overwritten(self, shop: Shop) -> None:
        etag = shop.get(HOLD, shop.admin).headers["ETag"]
        assert etag.startswith('"0.')
        changed = put(shop, HOLD, 45, **{"If-Match": etag})
        assert shop.done(changed)["version"] == 1
        assert changed.headers["ETag"].startswith('"1.')
        before = shop.state()
        for stale in ('"0"', 'W/"1"', '"one"', '""'):
            problem(put(shop, HOLD, 50, **{"If-Match": stale}), 412, "precondition_failed")
            gone = shop.client.delete(HOLD, headers={**shop.admin.headers, "If-Match": stale})
            problem(gone, 412, "precondition_failed")
        assert shop.state() == before
        problem(put(shop, HOLD, 50, **{"If-Match": '"7", "8"'}), 422, "validation_failed", pointer="/If-Match")
        for fresh in ('"1"', '"2"', "*"):
            shop.done(put(shop, HOLD, 50 + len(fresh), **{"If-Match": fresh}))

    def test_of_two_at_once_one_wins(self, shop: Shop, app: Flask) -> None:
        together = Barrier(4)
        headers = {**shop.admin.headers, "If-Match": '"0"'}

        def change(minutes: int) -> int:
            together.wait(10)
            return app.test_client().put(HOLD, json={"value": minutes}, headers=headers).status_code

        with ThreadPoolExecutor(4) as pool:
            answers = sorted(pool.map(change, (41, 42, 43, 44)))
        assert answers == [200, 412, 412, 412]
        assert shop.done(shop.get(HOLD, shop.admin))["version"] == 1


def test_a_booking_is_held_as_long_as_the_setting_says(shop: Shop, sign_up: SignUp, running: Running) -> None:
    customer, offer = sign_up(), shop.offer()
    shop.done(put(shop, HOLD, 45))

    booking = shop.book(customer, offer)

    held = datetime.fromisoformat(booking["hold_expires_at"]) - running.dependencies.clock.now()
    assert timedelta(minutes=44) < held <= timedelta(minutes=45)
