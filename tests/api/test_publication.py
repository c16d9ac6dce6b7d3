"""Packages on sale and off, over HTTP: what becomes of bookings, and vendors who need staff to agree."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from application.operations.settings import ChangeSetting, change_setting
from domain.operations.settings import VENDOR_APPROVAL_REQUIRED
from infrastructure.bootstrap import Running
from tests.api.shop import Json, Shop, SignUp, problem
from tests.api.test_packages import ENOUGH, PACKAGES, patch
from tests.api.test_prices import ADULT, SUMMER
from tests.api.test_prices import CHILD as FROM_TWO
from tests.conftest import Person
from tests.integration.shop import all_at_once

pytestmark = pytest.mark.database

REVIEWS = "/api/v1/admin/catalogue/reviews"
CHILD: Json = {**FROM_TWO, "min_age": 0}


@pytest.fixture
def vendor(sign_up: SignUp) -> Person:
    return sign_up("VENDOR")


@pytest.fixture
def asked(shop: Shop, vendor: Person) -> Json:
    """A vendor's package that waits for review."""
    package = shop.done(shop.post(PACKAGES, vendor, ENOUGH), 201)
    return shop.done(shop.post(f"{PACKAGES}/{package['id']}/publish", vendor))


def decide(shop: Shop, package: Json, decision: str, person: Person | None = None, **headers: str):  # type: ignore[no-untyped-def]
    body = {"reason": "الصور غير واضحة (blurred)"} if decision == "reject" else None
    return shop.post(f"/api/v1/admin/packages/{package['id']}/{decision}", person or shop.admin, body, **headers)


def waiting(shop: Shop) -> list[str]:
    return [item["id"] for item in shop.done(shop.get(REVIEWS, shop.admin))["items"]]


def decided_at_once(app: Flask, shop: Shop, path: str) -> list[int]:
    """What one who approves and two who reject at the same time are answered."""

    def say(decision: str) -> int:
        body, headers = {"reason": "no such hotel"}, shop.admin.headers
        return app.test_client().post(f"{path}/{decision}", json=body, headers=headers).status_code

    return sorted(all_at_once([lambda: say("approve"), lambda: say("reject"), lambda: say("reject")]))  # type: ignore[type-var]


class TestOffSale:
    @pytest.mark.parametrize("by_archiving", [False, True])
    def test_it_is_neither_found_nor_sold_and_its_bookings_go_on(
        self, shop: Shop, sign_up: SignUp, by_archiving: bool
    ) -> None:
        customer, offer = sign_up(), shop.offer()
        booking = shop.book(customer, offer)
        path = f"{PACKAGES}/{offer.package_id}"
        if by_archiving:
            assert shop.client.delete(path, headers=shop.admin.headers).status_code == 204
        else:
            assert shop.done(shop.post(f"{path}/deactivate", shop.admin))["status"] == "INACTIVE"
        problem(shop.get(path, customer), 404, "package_not_found")
        problem(shop.get(f"{path}/departures", customer), 404, "package_not_found")
        assert shop.done(shop.get(PACKAGES, customer))["items"] == []
        problem(shop.post("/api/v1/bookings", customer, offer.booking()), 404, "departure_not_found")
        problem(shop.post("/api/v1/quotes", customer, offer.booking()), 404, "package_not_found")
        shop.take_payment(shop.pay(customer, booking))
        assert shop.done(shop.get(f"/api/v1/bookings/{booking['id']}", customer))["status"] == "CONFIRMED"
        again = shop.post(f"{path}/publish", shop.admin)
        if by_archiving:
            problem(again, 409, "illegal_transition")
            assert shop.done(shop.get(path, shop.admin))["status"] == "ARCHIVED"
        else:
            assert shop.done(again)["status"] == "ACTIVE"
            shop.book(customer, offer)

    def test_each_step_is_held_to_what_was_seen(self, shop: Shop) -> None:
        package = shop.package()
        path = f"{PACKAGES}/{package['id']}"
        old = shop.get(path, shop.admin).headers["ETag"]
        shop.done(patch(shop, path, shop.admin, {"name_en": "Newer"}))
        problem(shop.post(f"{path}/deactivate", shop.admin, If_Match=old), 412, "precondition_failed")
        stale = {**shop.admin.headers, "If-Match": old}
        problem(shop.client.delete(path, headers=stale), 412, "precondition_failed")
        new = shop.get(path, shop.admin).headers["ETag"]
        shop.done(shop.post(f"{path}/deactivate", shop.admin, If_Match=new))
        problem(shop.post(f"{path}/deactivate", shop.admin), 409, "illegal_transition")

    def test_archiving_is_not_everybodys(self, shop: Shop, sign_up: SignUp, vendor: Person, asked: Json) -> None:
        for person in (vendor, sign_up("EMPLOYEE")):
            answer = shop.client.delete(f"{PACKAGES}/{asked['id']}", headers=person.headers)
            problem(answer, 403, "forbidden")


class TestDiscounts:
    def test_the_lower_price_is_sold_found_and_sorted_by(self, shop: Shop, sign_up: SignUp) -> None:
        customer, egp = sign_up(), {"currency": "EGP"}
        offer = shop.offer(discounted_price={"amount": "700.00", **egp})
        dearer = shop.package(name_en="Dearer", base_price={"amount": "800.00", **egp})
        quoted = shop.done(shop.post("/api/v1/quotes", customer, offer.booking(2)))
        booked = shop.book(customer, offer, 2)
        assert quoted["total"] == booked["final_amount"] == {"amount": "1400.00", **egp}
        days = "from=2027-07-01&to=2027-07-01"
        (day,) = shop.done(shop.get(f"{PACKAGES}/{offer.package_id}/prices?{days}"))["items"]
        assert day["price"] == {"amount": "700.00", **egp}
        sorted_by_price = shop.done(shop.get(f"{PACKAGES}?sort=price"))["items"]
        assert [item["id"] for item in sorted_by_price] == [offer.package_id, dearer["id"]]
        assert sorted_by_price[0]["base_price"] == {"amount": "1000.00", **egp}
        found = shop.done(shop.get(f"{PACKAGES}?max_price=750.00"))["items"]
        assert [item["id"] for item in found] == [offer.package_id]
        shop.done(patch(shop, f"{PACKAGES}/{offer.package_id}", shop.admin, {"discounted_price": None}))
        assert shop.done(shop.get(f"{PACKAGES}?max_price=750.00"))["items"] == []
        assert shop.book(customer, offer, 2)["final_amount"] == {"amount": "2000.00", **egp}

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"discounted_price": {"amount": "1499.00", "currency": "EGP"}}, "/discounted_price"),
            ({"discounted_price": {"amount": "10.00", "currency": "USD"}}, "/discounted_price"),
            ({"discounted_price": "10.00"}, "/discounted_price"),
            ({"time_zone": "Mars/Phobos"}, "/time_zone"),
            ({"is_customizable": None}, "/is_customizable"),
            ({"meta_title_en": "x" * 121}, "/meta_title_en"),
            ({"approval": "APPROVED"}, "/approval"),
            ({"views_count": 1000}, "/views_count"),
        ],
    )
    def test_what_cannot_be_is_refused(self, shop: Shop, body: Json, pointer: str) -> None:
        problem(shop.post(PACKAGES, shop.admin, {**ENOUGH, **body}), 422, "validation_failed", pointer=pointer)


class TestReview:
    def test_a_vendor_asks_staff_approve_and_the_vendor_is_told(
        self, shop: Shop, sign_up: SignUp, vendor: Person, asked: Json
    ) -> None:
        path = f"{PACKAGES}/{asked['id']}"
        assert (asked["status"], asked["approval"]) == ("DRAFT", "PENDING")
        problem(shop.post(f"{path}/publish", vendor), 409, "under_review")
        problem(shop.get(path), 404, "package_not_found")
        assert waiting(shop) == [asked["id"]]
        approved = shop.done(decide(shop, asked, "approve", sign_up("EMPLOYEE")))
        assert (approved["status"], approved["approval"]) == ("ACTIVE", "APPROVED")
        assert (waiting(shop), shop.done(shop.get(path))["id"]) == ([], asked["id"])
        problem(decide(shop, asked, "approve"), 409, "nothing_to_review")
        shop.deliver_events()
        (told,) = shop.done(shop.get("/api/v1/notifications", vendor))["items"]
        assert told["title"] == "Your package is approved"
        assert (told["link_type"], told["link_id"]) == ("PACKAGE", asked["id"])

    def test_who_was_rejected_reads_why_changes_it_and_asks_again(
        self, shop: Shop, sign_up: SignUp, vendor: Person, asked: Json
    ) -> None:
        path = f"{PACKAGES}/{asked['id']}"
        shop.done(decide(shop, asked, "reject"))
        seen = shop.done(shop.get(path, vendor))
        assert (seen["status"], seen["approval"]) == ("DRAFT", "REJECTED")
        assert seen["approval_reason"] == "الصور غير واضحة (blurred)"
        shop.deliver_events()
        (told,) = shop.done(shop.get("/api/v1/notifications", vendor))["items"]
        assert told["message"].endswith("The reason: \u2068الصور غير واضحة (blurred)\u2069")
        shop.done(patch(shop, path, vendor, {"name_en": "Better"}))
        again = shop.done(shop.post(f"{path}/publish", vendor))
        assert (again["approval"], again["approval_reason"]) == ("PENDING", None)
        problem(shop.get(path, sign_up("VENDOR")), 404, "package_not_found")

    def test_a_change_on_sale_stays_there_and_is_looked_at_again(self, shop: Shop, vendor: Person, asked: Json) -> None:
        path = f"{PACKAGES}/{asked['id']}"
        shop.done(decide(shop, asked, "approve"))
        shop.done(patch(shop, path, vendor, {"max_travelers": 9}))
        assert waiting(shop) == []
        shop.done(patch(shop, path, shop.admin, {"name_en": "By staff"}))
        assert waiting(shop) == []
        changed = shop.done(patch(shop, path, vendor, {"base_price": {"amount": "1600.00", "currency": "EGP"}}))
        assert (changed["status"], changed["approval"]) == ("ACTIVE", "PENDING")
        assert waiting(shop) == [asked["id"]]
        public = shop.done(shop.get(path))
        assert (public["base_price"]["amount"], public["approval"]) == ("1600.00", None)
        shop.done(decide(shop, asked, "reject"))
        problem(shop.get(path), 404, "package_not_found")
        assert shop.done(shop.get(path, vendor))["status"] == "INACTIVE"

    @pytest.mark.parametrize(("name", "entries"), [("age-bands", [CHILD, ADULT]), ("seasons", [SUMMER])])
    def test_so_is_what_a_vendor_asks_of_whom_and_when(
        self, shop: Shop, vendor: Person, asked: Json, name: str, entries: list[Json]
    ) -> None:
        shop.done(decide(shop, asked, "approve"))
        path, body = f"{PACKAGES}/{asked['id']}/{name}", {name.replace("-", "_"): entries}
        changed = shop.done(shop.client.put(path, json=body, headers=vendor.headers))
        assert (changed["status"], changed["approval"]) == ("ACTIVE", "PENDING")
        shop.done(decide(shop, asked, "approve"))
        shop.done(shop.client.put(path, json=body, headers=vendor.headers))
        assert waiting(shop) == []

    def test_what_changed_since_it_was_read_is_not_approved_unread(
        self, shop: Shop, vendor: Person, asked: Json
    ) -> None:
        path = f"{PACKAGES}/{asked['id']}"
        read = shop.get(path, shop.admin).headers["ETag"]
        shop.done(patch(shop, path, vendor, {"description_en": "Something else"}))
        problem(decide(shop, asked, "approve", If_Match=read), 412, "precondition_failed")
        assert waiting(shop) == [asked["id"]]

    def test_of_two_who_decide_at_once_one_does(self, app: Flask, shop: Shop, asked: Json) -> None:
        assert decided_at_once(app, shop, f"/api/v1/admin/packages/{asked['id']}") == [200, 409, 409]
        assert waiting(shop) == []

    def test_nobody_approves_their_own(self, shop: Shop, sign_up: SignUp) -> None:
        both = sign_up("VENDOR", "ADMIN")
        package = shop.done(shop.post(PACKAGES, sign_up("VENDOR"), ENOUGH), 201)
        with shop.running.database.transaction() as transaction:
            sql = "UPDATE packages SET vendor_id = %s WHERE id = %s"
            transaction.execute(sql, (both.user_id, package["id"]))
            transaction.commit()
        assert shop.done(shop.post(f"{PACKAGES}/{package['id']}/publish", both))["approval"] == "PENDING"
        for decision in ("approve", "reject"):
            problem(decide(shop, package, decision, both), 403, "own_request")
        shop.done(decide(shop, package, "approve"))

    def test_vendors_and_customers_decide_nothing(
        self, shop: Shop, sign_up: SignUp, vendor: Person, asked: Json
    ) -> None:
        for person in (vendor, sign_up()):
            for decision in ("approve", "reject"):
                assert decide(shop, asked, decision, person).status_code == 403
            assert shop.get(REVIEWS, person).status_code == 403
        problem(shop.post(f"/api/v1/admin/packages/{asked['id']}/reject", shop.admin, {}), 422, "validation_failed")

    def test_without_the_setting_vendors_sell_at_once(self, shop: Shop, running: Running, vendor: Person) -> None:
        use = running.dependencies
        command = ChangeSetting(key=VENDOR_APPROVAL_REQUIRED.key, value=False, actor_id=None)
        change_setting(command, uow=use.new_uow(), values=use.system_settings, clock=use.clock)
        use.system_settings.forget()
        package = shop.done(shop.post(PACKAGES, vendor, ENOUGH), 201)
        path = f"{PACKAGES}/{package['id']}"
        sold = shop.done(shop.post(f"{path}/publish", vendor))
        assert (sold["status"], sold["approval"]) == ("ACTIVE", "NOT_NEEDED")
        shop.done(patch(shop, path, vendor, {"name_en": "Changed"}))
        assert waiting(shop) == []

    def test_the_longest_waiting_come_first_page_by_page(
        self, shop: Shop, vendor: Person, make: Callable[[str], str]
    ) -> None:
        made = [make(name) for name in ("One", "Two", "Three")]
        first = shop.done(shop.get(f"{REVIEWS}?limit=2", shop.admin))
        rest = shop.done(shop.get(f"{REVIEWS}?limit=2&cursor={first['next_cursor']}", shop.admin))
        assert [item["id"] for item in first["items"] + rest["items"]] == made
        assert rest["next_cursor"] is None

    @pytest.fixture
    def make(self, shop: Shop, vendor: Person) -> Callable[[str], str]:
        def one(name: str) -> str:
            package = shop.done(shop.post(PACKAGES, vendor, {**ENOUGH, "name_en": name}), 201)
            return str(shop.done(shop.post(f"{PACKAGES}/{package['id']}/publish", vendor))["id"])

        return one
