"""Vendors' activities over HTTP: asked for, read by somebody else, sold once approved; and their pictures."""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from application.operations.settings import ChangeSetting, change_setting
from domain.operations.settings import VENDOR_APPROVAL_REQUIRED
from infrastructure.bootstrap import Running
from tests.api.shop import Json, Shop, SignUp, problem
from tests.api.test_activities import ACTIVITIES, ENOUGH, draft, on_sale, patch, soon
from tests.api.test_manual_payments import picture
from tests.api.test_prices import ADULT, CHILD
from tests.api.test_publication import decided_at_once
from tests.conftest import Person
from tests.integration.shop import all_at_once

pytestmark = pytest.mark.database

REVIEWS = "/api/v1/admin/catalogue/activity-reviews"


@pytest.fixture
def vendor(sign_up: SignUp) -> Person:
    return sign_up("VENDOR")


@pytest.fixture
def asked(shop: Shop, vendor: Person) -> Json:
    """A vendor's activity that waits for review."""
    return shop.done(shop.post(f"{ACTIVITIES}/{draft(shop, vendor)['id']}/publish", vendor))


def decide(shop: Shop, activity: Json, decision: str, person: Person | None = None, **headers: str) -> TestResponse:
    body = {"reason": "Where does the boat leave?"} if decision == "reject" else None
    return shop.post(f"/api/v1/admin/activities/{activity['id']}/{decision}", person or shop.admin, body, **headers)


def waiting(shop: Shop) -> list[str]:
    return [item["id"] for item in shop.done(shop.get(REVIEWS, shop.admin))["items"]]


def send(shop: Shop, activity: Json, content: bytes, person: Person) -> TestResponse:
    path = f"{ACTIVITIES}/{activity['id']}/images"
    return shop.client.post(path, data=content, content_type="image/png", headers=person.headers)


class TestReview:
    def test_a_vendor_sells_what_somebody_else_approved(
        self, shop: Shop, sign_up: SignUp, vendor: Person, asked: Json
    ) -> None:
        path, customer = f"{ACTIVITIES}/{asked['id']}", sign_up()
        planned = {"starts_on": soon(), "start_time": "09:00", "capacity": 4}
        departure = shop.done(shop.post(f"{path}/departures", vendor, planned), 201)
        wanted = {"booking_type": "ACTIVITY", "activity_id": asked["id"], "departure_id": departure["id"],
                  "travelers_count": 2}  # fmt: skip
        assert (asked["status"], asked["approval"], waiting(shop)) == ("DRAFT", "PENDING", [asked["id"]])
        problem(shop.post(f"{path}/publish", vendor), 409, "under_review")
        problem(shop.get(path, customer), 404, "activity_not_found")
        problem(shop.post("/api/v1/bookings", customer, wanted), 404, "departure_not_found")
        approved = shop.done(decide(shop, asked, "approve", sign_up("EMPLOYEE")))
        assert (approved["status"], approved["approval"], waiting(shop)) == ("ACTIVE", "APPROVED", [])
        booked = shop.done(shop.post("/api/v1/bookings", customer, wanted), 201)
        assert booked["final_amount"] == {"amount": "1800.00", "currency": "EGP"}
        shop.deliver_events()
        (told,) = shop.done(shop.get("/api/v1/notifications", vendor))["items"]
        assert (told["title"], told["link_type"]) == ("Your activity is approved", "ACTIVITY")
        assert told["link_id"] == asked["id"]

    def test_who_was_rejected_reads_why_and_asks_again(self, shop: Shop, vendor: Person, asked: Json) -> None:
        path = f"{ACTIVITIES}/{asked['id']}"
        shop.done(decide(shop, asked, "reject"))
        seen = shop.done(shop.get(path, vendor))
        assert (seen["status"], seen["approval"]) == ("DRAFT", "REJECTED")
        assert seen["approval_reason"] == "Where does the boat leave?"
        shop.deliver_events()
        (told,) = shop.done(shop.get("/api/v1/notifications", vendor, Accept_Language="ar"))["items"]
        assert told["title"] == "لم يتم اعتماد نشاطك"
        again = shop.done(shop.post(f"{path}/publish", vendor))
        assert (again["approval"], again["approval_reason"]) == ("PENDING", None)

    def test_a_change_on_sale_is_read_again(self, shop: Shop, vendor: Person, asked: Json) -> None:
        path = f"{ACTIVITIES}/{asked['id']}"
        shop.done(decide(shop, asked, "approve"))
        shop.done(patch(shop, path, vendor, {"max_participants": 9}))
        shop.done(patch(shop, path, shop.admin, {"name_en": "By staff"}))
        assert waiting(shop) == []
        changed = shop.done(patch(shop, path, vendor, {"price": {"amount": "950.00", "currency": "EGP"}}))
        assert (changed["status"], changed["approval"], waiting(shop)) == ("ACTIVE", "PENDING", [asked["id"]])
        assert shop.done(shop.get(path))["approval"] is None
        shop.done(decide(shop, asked, "reject"))
        problem(shop.get(path), 404, "activity_not_found")
        assert shop.done(shop.get(path, vendor))["status"] == "INACTIVE"

    def test_so_are_prices_and_pictures(self, shop: Shop, vendor: Person, asked: Json) -> None:
        shop.done(decide(shop, asked, "approve"))
        bands = {"age_bands": [{**CHILD, "min_age": 0}, ADULT]}
        path = f"{ACTIVITIES}/{asked['id']}"
        assert shop.done(shop.client.put(f"{path}/age-bands", json=bands, headers=vendor.headers))["approval"] == (
            "PENDING"
        )
        shop.done(decide(shop, asked, "approve"))
        shop.done(send(shop, asked, picture(), vendor), 201)
        assert waiting(shop) == [asked["id"]]

    def test_what_changed_since_it_was_read_is_not_approved_unread(
        self, shop: Shop, vendor: Person, asked: Json
    ) -> None:
        path = f"{ACTIVITIES}/{asked['id']}"
        read = shop.get(path, shop.admin).headers["ETag"]
        shop.done(patch(shop, path, vendor, {"location": "Elsewhere"}))
        problem(decide(shop, asked, "approve", If_Match=read), 412, "precondition_failed")
        assert waiting(shop) == [asked["id"]]

    def test_of_two_who_decide_at_once_one_does(self, app: Flask, shop: Shop, asked: Json) -> None:
        assert decided_at_once(app, shop, f"/api/v1/admin/activities/{asked['id']}") == [200, 409, 409]

    def test_nobody_approves_their_own(self, shop: Shop, sign_up: SignUp, asked: Json) -> None:
        both = sign_up("VENDOR", "ADMIN")
        with shop.running.database.transaction() as transaction:
            sql = "UPDATE activities SET vendor_id = %s WHERE id = %s"
            transaction.execute(sql, (both.user_id, asked["id"]))
            transaction.commit()
        for decision in ("approve", "reject"):
            problem(decide(shop, asked, decision, both), 403, "own_request")
        problem(shop.post(f"{ACTIVITIES}/{asked['id']}/publish", both), 409, "under_review")
        shop.done(decide(shop, asked, "approve"))

    def test_vendors_and_customers_decide_nothing(self, shop: Shop, sign_up: SignUp, asked: Json) -> None:
        for person in (sign_up("VENDOR"), sign_up()):
            for decision in ("approve", "reject"):
                assert decide(shop, asked, decision, person).status_code == 403
            assert shop.get(REVIEWS, person).status_code == 403

    def test_a_vendor_takes_its_own_off_sale_and_back_what_staff_took_off_is_read_first(
        self, shop: Shop, vendor: Person, asked: Json
    ) -> None:
        path = f"{ACTIVITIES}/{asked['id']}"
        shop.done(decide(shop, asked, "approve"))
        shop.done(shop.post(f"{path}/deactivate", vendor))
        assert shop.done(shop.post(f"{path}/publish", vendor))["status"] == "ACTIVE"
        shop.done(shop.post(f"{path}/deactivate", shop.admin))
        again = shop.done(shop.post(f"{path}/publish", vendor))
        assert (again["status"], again["approval"]) == ("INACTIVE", "PENDING")

    def test_staff_without_the_right_publish_nothing(self, shop: Shop, sign_up: SignUp, vendor: Person) -> None:
        made, theirs = draft(shop), draft(shop, vendor)
        assert shop.done(shop.post(f"{ACTIVITIES}/{theirs['id']}/publish", sign_up("EMPLOYEE")))["approval"] == (
            "APPROVED"
        )
        problem(shop.post(f"{ACTIVITIES}/{made['id']}/publish", vendor), 404, "activity_not_found")

    def test_without_the_setting_vendors_sell_at_once(self, shop: Shop, running: Running, vendor: Person) -> None:
        use = running.dependencies
        command = ChangeSetting(key=VENDOR_APPROVAL_REQUIRED.key, value=False, actor_id=None)
        change_setting(command, uow=use.new_uow(), values=use.system_settings, clock=use.clock)
        use.system_settings.forget()
        sold = shop.done(shop.post(f"{ACTIVITIES}/{draft(shop, vendor)['id']}/publish", vendor))
        assert (sold["status"], sold["approval"], waiting(shop)) == ("ACTIVE", "NOT_NEEDED", [])


class TestPictures:
    def test_they_are_sent_arranged_described_seen_and_gone(self, shop: Shop, running: Running) -> None:
        activity = on_sale(shop)
        path = f"{ACTIVITIES}/{activity['id']}"
        one, two = (
            shop.done(send(shop, activity, picture(size=(60, 40 + number)), shop.admin), 201) for number in (1, 2)
        )
        assert shop.done(shop.get(path))["images"] == [one, two]
        assert shop.done(shop.get(ACTIVITIES))["items"][0]["featured_image"] == one["url"]
        assert one["url"] == f"{path}/images/{one['id']}"
        for url in (one["url"], one["thumbnail_url"]):
            answer = shop.get(url)
            assert (answer.status_code, answer.content_type) == (200, "image/jpeg")
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        order = {"image_ids": [two["id"], one["id"]]}
        arranged = shop.done(shop.client.put(f"{path}/images/order", json=order, headers=shop.admin.headers))
        assert [image["id"] for image in arranged["items"]] == order["image_ids"]
        described = {"caption_en": "The reef", "is_featured": True}
        shop.done(patch(shop, two["url"], shop.admin, described))
        assert shop.done(shop.get(path))["featured_image"] == two["url"]
        assert shop.done(send(shop, activity, picture(size=(60, 41)), shop.admin), 201)["id"] == one["id"]
        for image in (one, two):
            assert shop.client.delete(image["url"], headers=shop.admin.headers).status_code == 204
        assert (shop.done(shop.get(path))["images"], shop.database.rows("SELECT 1 FROM package_images")) == ([], [])

    def test_they_are_seen_by_whoever_sees_the_activity(self, shop: Shop, sign_up: SignUp, vendor: Person) -> None:
        hidden = draft(shop, vendor)
        one = shop.done(send(shop, hidden, picture(), vendor), 201)
        for who in (None, sign_up("VENDOR"), sign_up()):
            problem(shop.get(one["url"], who), 404, "image_not_found")
        assert shop.get(one["url"], vendor).headers["Cache-Control"] == "private, no-store"
        problem(send(shop, hidden, picture(), sign_up("VENDOR")), 404, "activity_not_found")
        elsewhere = f"/api/v1/packages/{shop.package()['id']}/images/{one['id']}"
        problem(shop.get(elsewhere, shop.admin), 404, "image_not_found")
        problem(send(shop, {"id": hidden["id"]}, picture(), sign_up()), 403, "forbidden")

    def test_the_same_twice_at_once_is_one(self, app: Flask, shop: Shop) -> None:
        activity, content = on_sale(shop), picture()
        path = f"{ACTIVITIES}/{activity['id']}/images"

        def sent() -> str:
            answer = app.test_client().post(path, data=content, content_type="image/png", headers=shop.admin.headers)
            return str(answer.json["id"])  # type: ignore[index]

        assert len(set(all_at_once([sent, sent, sent]))) == 1
        assert len(shop.done(shop.get(f"{ACTIVITIES}/{activity['id']}"))["images"]) == 1


def test_a_cancellation_policy_is_one_that_is_offered(shop: Shop) -> None:
    (default,) = shop.database.rows("SELECT id FROM cancellation_policies WHERE is_default")
    activity = draft(shop, cancellation_policy_id=str(default["id"]))
    assert activity["cancellation"]["policy_id"] == str(default["id"])
    unknown = {**ENOUGH, "name_en": "Other", "cancellation_policy_id": activity["id"]}
    problem(shop.post(ACTIVITIES, shop.admin, unknown), 422, "validation_failed", pointer="/cancellation_policy_id")
