"""The audit log: whatever staff may change leaves a row that says who, whence, what before and what after."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any
from uuid import UUID

import pyotp
import pytest
from flask import Flask
from werkzeug.test import TestResponse

import api.v1.operations.audit as audit_views
from application.csv import csv_line
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.ledger.journal import JournalType, transfer
from domain.operations.audit import SecretInChanges
from infrastructure.bootstrap import Running
from infrastructure.database.refusals import DatabaseUnavailable
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.unit_of_work import SqlUnitOfWork
from middlewares.auth_middleware import POLICY
from tests.api.catalogue_deeds import CATALOGUE_DEEDS, STORES_NOTHING
from tests.api.partner_deeds import PARTNER_DEEDS
from tests.api.payment_deeds import AGENT, PAYMENT_DEEDS, Scenario, as_staff, keyed
from tests.api.payroll_deeds import ABOUT_EACH_AND_ALL, ABOUT_MANY, PAYROLL_DEEDS
from tests.api.pricing_deeds import PRICING_DEEDS
from tests.api.sales_deeds import SALES_DEEDS, WHAT_CUSTOMERS_DO_TOO
from tests.api.shop import Json, Shop, SignUp, fill_wallet, problem, prove_address
from tests.api.test_activities import ENOUGH
from tests.api.test_manual_payments import picture
from tests.api.test_requests import hotel
from tests.api.test_rewards import become, travel
from tests.builders import a_journal
from tests.conftest import Person

LOGS = "/api/v1/admin/audit-logs"
SAFE = {"GET", "HEAD", "OPTIONS"}
DRAFT = {
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


def a_draft(shop: Shop) -> Json:
    return shop.done(shop.post("/api/v1/packages", shop.admin, DRAFT), 201)


def a_paid_booking(shop: Shop, sign_up: SignUp) -> str:
    customer = sign_up()
    booking = shop.book(customer, shop.offer())
    shop.take_payment(shop.pay(customer, booking))
    return str(booking["id"])


def creates_a_package(shop: Shop, _: SignUp) -> TestResponse:
    return as_staff(shop, "POST", "/packages", DRAFT)


def changes_a_package(shop: Shop, _: SignUp) -> TestResponse:
    return as_staff(shop, "PATCH", f"/packages/{a_draft(shop)['id']}", {"duration_days": 5})


def publishes_a_package(shop: Shop, _: SignUp) -> TestResponse:
    return as_staff(shop, "POST", f"/packages/{a_draft(shop)['id']}/publish", {})


def says_what_each_age_pays(shop: Shop, _: SignUp) -> TestResponse:
    adults = {"code": "ADULT", "name_ar": "بالغ", "name_en": "Adult", "min_age": 0, "percentage": "100.00"}
    return as_staff(shop, "PUT", f"/packages/{a_draft(shop)['id']}/age-bands", {"age_bands": [adults]})


def says_what_each_age_pays_for_an_activity(shop: Shop, _: SignUp) -> TestResponse:
    adults = {"code": "ADULT", "name_ar": "بالغ", "name_en": "Adult", "min_age": 0, "percentage": "100.00"}
    return as_staff(shop, "PUT", f"/activities/{_an_activity(shop)}/age-bands", {"age_bands": [adults]})


SUMMER = {
    "name_ar": "صيف", "name_en": "Summer", "first_on": "2027-07-01", "last_on": "2027-08-31",
    "adjustment": "PERCENTAGE_UP", "percentage": "20.00",
}  # fmt: skip


def says_when_prices_change(shop: Shop, _: SignUp) -> TestResponse:
    return as_staff(shop, "PUT", f"/packages/{a_draft(shop)['id']}/seasons", {"seasons": [SUMMER]})


def says_when_prices_of_an_activity_change(shop: Shop, _: SignUp) -> TestResponse:
    return as_staff(shop, "PUT", f"/activities/{_an_activity(shop)}/seasons", {"seasons": [SUMMER]})


def _an_activity(shop: Shop) -> str:
    body = {
        "name_en": "Balloon", "category": "ADVENTURE", "price": {"amount": "40.00", "currency": "EGP"},
        "duration_hours": 3, "min_participants": 1, "max_participants": 8,
    }  # fmt: skip
    return str(shop.done(shop.post("/api/v1/activities", shop.admin, body), 201)["id"])


def deactivates_a_package(shop: Shop, _: SignUp) -> TestResponse:
    return as_staff(shop, "POST", f"/packages/{shop.package()['id']}/deactivate")


def archives_a_package(shop: Shop, _: SignUp) -> TestResponse:
    return as_staff(shop, "DELETE", f"/packages/{a_draft(shop)['id']}")


BEGUN: dict[str, Json] = {"packages": DRAFT, "activities": ENOUGH}


def under_review(shop: Shop, sign_up: SignUp, section: str) -> str:
    vendor = sign_up("VENDOR")
    made = shop.done(shop.post(f"/api/v1/{section}", vendor, BEGUN[section]), 201)
    shop.done(shop.post(f"/api/v1/{section}/{made['id']}/publish", vendor))
    return str(made["id"])


def approves(section: str) -> Scenario:
    return lambda shop, sign_up: as_staff(
        shop, "POST", f"/admin/{section}/{under_review(shop, sign_up, section)}/approve"
    )


def rejects(section: str) -> Scenario:
    return lambda shop, sign_up: as_staff(
        shop, "POST", f"/admin/{section}/{under_review(shop, sign_up, section)}/reject", {"reason": "no such hotel"}
    )


def begun(shop: Shop, section: str) -> str:
    """Its address."""
    made = shop.done(shop.post(f"/api/v1/{section}", shop.admin, BEGUN[section]), 201)
    return f"/{section}/{made['id']}"


def as_staff_sends(shop: Shop, item: str, size: tuple[int, int] = (60, 40)) -> TestResponse:
    headers = {**shop.admin.headers, "User-Agent": AGENT}
    return shop.client.post(f"/api/v1{item}/images", data=picture(size=size), content_type="image/png", headers=headers)


def sends_a_picture(section: str) -> Scenario:
    return lambda shop, _: as_staff_sends(shop, begun(shop, section))


def with_a_picture(section: str, method: str, body: Json | None = None) -> Scenario:
    def scenario(shop: Shop, _: SignUp) -> TestResponse:
        url = shop.done(as_staff_sends(shop, begun(shop, section)), 201)["url"]
        return as_staff(shop, method, url.removeprefix("/api/v1"), body)

    return scenario


def arranges_pictures(section: str) -> Scenario:
    def scenario(shop: Shop, _: SignUp) -> TestResponse:
        item = begun(shop, section)
        sent = [shop.done(as_staff_sends(shop, item, (60, 40 + one)), 201)["id"] for one in range(2)]
        return as_staff(shop, "PUT", f"{item}/images/order", {"image_ids": sent[::-1]})

    return scenario


def hides_a_rating(shop: Shop, sign_up: SignUp) -> TestResponse:
    return as_staff(shop, "POST", f"/admin/ratings/{a_rating(shop, sign_up)}/hide", {"reason": "abusive"})


def shows_a_rating(shop: Shop, sign_up: SignUp) -> TestResponse:
    path = f"/admin/ratings/{a_rating(shop, sign_up)}"
    shop.done(as_staff(shop, "POST", f"{path}/hide", {"reason": "abusive"}))
    return as_staff(shop, "POST", f"{path}/show")


def a_rating(shop: Shop, sign_up: SignUp) -> str:
    customer = sign_up()
    path = f"/api/v1/bookings/{travel(shop, customer)['id']}/rating"
    return str(shop.done(shop.post(path, customer, {"stars": 1}), 201)["id"])


def plans_a_departure(shop: Shop, _: SignUp) -> TestResponse:
    starts_on = (shop.running.dependencies.clock.now() + timedelta(days=30)).date().isoformat()
    body = {"starts_on": starts_on, "capacity": 5}
    return as_staff(shop, "POST", f"/packages/{shop.package()['id']}/departures", body)


def starts_a_trip(shop: Shop, sign_up: SignUp) -> TestResponse:
    body = {"override_reason": "left early"}
    return as_staff(shop, "POST", f"/bookings/{a_paid_booking(shop, sign_up)}/start", body)


def completes_a_trip(shop: Shop, sign_up: SignUp) -> TestResponse:
    booking, body = a_paid_booking(shop, sign_up), {"override_reason": "came back early"}
    shop.done(as_staff(shop, "POST", f"/bookings/{booking}/start", body))
    return as_staff(shop, "POST", f"/bookings/{booking}/complete", body)


def a_promised_cashback(shop: Shop, sign_up: SignUp) -> str:
    customer = sign_up()
    become(shop, customer, "GOLD")
    travel(shop, customer)
    (cashback,) = shop.done(shop.get("/api/v1/cashback", customer))["items"]
    return str(cashback["id"])


def approves_cashback(shop: Shop, sign_up: SignUp) -> TestResponse:
    path = f"/admin/cashback/{a_promised_cashback(shop, sign_up)}/approve"
    return as_staff(shop, "POST", path, **{"Idempotency-Key": "approves-cashback"})


def cancels_cashback(shop: Shop, sign_up: SignUp) -> TestResponse:
    path = f"/admin/cashback/{a_promised_cashback(shop, sign_up)}/cancel"
    return as_staff(shop, "POST", path, {"reason": "booked by mistake"}, **{"Idempotency-Key": "cancels-cashback"})


def changes_a_setting(shop: Shop, _: SignUp) -> TestResponse:
    return as_staff(shop, "PUT", "/admin/settings/booking.hold_minutes", {"value": 45})


def resets_a_setting(shop: Shop, _: SignUp) -> TestResponse:
    shop.done(as_staff(shop, "PUT", "/admin/settings/general.company_name", {"value": "Altayar"}))
    return as_staff(shop, "DELETE", "/admin/settings/general.company_name")


def changes_a_user(shop: Shop, sign_up: SignUp) -> TestResponse:
    return as_staff(shop, "PATCH", f"/admin/users/{sign_up().user_id}", {"first_name": "Nour"})


def closes_an_account(shop: Shop, sign_up: SignUp) -> TestResponse:
    return as_staff(shop, "DELETE", f"/admin/users/{sign_up().user_id}")


def gives_roles(shop: Shop, sign_up: SignUp) -> TestResponse:
    return as_staff(shop, "PUT", f"/admin/users/{sign_up().user_id}/roles", {"roles": ["AGENT"]})


def resets_a_second_factor(shop: Shop, sign_up: SignUp) -> TestResponse:
    person, factor = sign_up(), "/api/v1/users/me/second-factor"
    started = shop.done(shop.post(factor, person, {"current_password": "correct horse 42"}), 201)
    code = pyotp.TOTP(started["secret"]).at(shop.running.dependencies.clock.now())
    shop.done(shop.post(f"{factor}/confirm", person, {"code": code}))
    return as_staff(shop, "POST", f"/admin/users/{person.user_id}/second-factor/reset")


def invited(shop: Shop, email: str) -> TestResponse:
    return as_staff(shop, "POST", "/admin/invitations", {"email": email, "roles": ["EMPLOYEE"]})


def invites_somebody(shop: Shop, _: SignUp) -> TestResponse:
    return invited(shop, "new@example.com")


def withdraws_an_invitation(shop: Shop, _: SignUp) -> TestResponse:
    return as_staff(shop, "DELETE", f"/admin/invitations/{shop.done(invited(shop, 'one@example.com'), 201)['id']}")


def sends_an_invitation_again(shop: Shop, _: SignUp) -> TestResponse:
    invitation = shop.done(invited(shop, "two@example.com"), 201)
    return as_staff(shop, "POST", f"/admin/invitations/{invitation['id']}/resend")


def a_role(shop: Shop, name: str) -> TestResponse:
    body = {"name": name, "display_name_ar": "دور", "display_name_en": "Role", "permissions": ["users.read"]}
    return as_staff(shop, "POST", "/admin/roles", body)


def makes_a_role(shop: Shop, _: SignUp) -> TestResponse:
    return a_role(shop, "FIRST_ROLE")


def renames_a_role(shop: Shop, _: SignUp) -> TestResponse:
    role = shop.done(a_role(shop, "SECOND_ROLE"), 201)
    return as_staff(shop, "PATCH", f"/admin/roles/{role['id']}", {"display_name_en": "Other"})


def permits_a_role(shop: Shop, _: SignUp) -> TestResponse:
    role = shop.done(a_role(shop, "THIRD_ROLE"), 201)
    return as_staff(shop, "PUT", f"/admin/roles/{role['id']}/permissions", {"permissions": ["bookings.read"]})


def removes_a_role(shop: Shop, _: SignUp) -> TestResponse:
    return as_staff(shop, "DELETE", f"/admin/roles/{shop.done(a_role(shop, 'FOURTH_ROLE'), 201)['id']}")


def an_api_key(shop: Shop) -> TestResponse:
    return as_staff(shop, "POST", "/api-keys", {"name": "export", "scopes": ["bookings.read"]})


def makes_an_api_key(shop: Shop, _: SignUp) -> TestResponse:
    return an_api_key(shop)


def rotates_an_api_key(shop: Shop, _: SignUp) -> TestResponse:
    return as_staff(shop, "POST", f"/api-keys/{shop.done(an_api_key(shop), 201)['id']}/rotate")


def revokes_an_api_key(shop: Shop, _: SignUp) -> TestResponse:
    return as_staff(shop, "DELETE", f"/admin/api-keys/{shop.done(an_api_key(shop), 201)['id']}")


def exports_a_persons_data(shop: Shop, sign_up: SignUp) -> TestResponse:
    return as_staff(shop, "POST", f"/admin/users/{sign_up().user_id}/exports")


def orders_an_erasure(shop: Shop, sign_up: SignUp) -> TestResponse:
    return as_staff(shop, "POST", f"/admin/users/{sign_up().user_id}/erasure", {"reason": "asked by letter"})


def reverses_a_movement(shop: Shop, sign_up: SignUp) -> TestResponse:
    cost = accounts.platform(AccountKind.ADJUSTMENTS, "EGP")
    journal = a_journal(
        *transfer(cost, accounts.wallet(sign_up().user_id, "EGP"), 100), journal_type=JournalType.ADJUSTMENT
    )
    with shop.running.dependencies.new_uow() as uow:
        uow.ledger.post([journal])
        uow.commit()
    body = {"reason": "entered twice"}
    key = {"Idempotency-Key": str(journal.id)}
    return as_staff(shop, "POST", f"/admin/ledger/journals/{journal.id}/reversal", body, **key)


def a_withdrawal(shop: Shop, sign_up: SignUp, *, approved: bool = False) -> str:
    """The address of a withdrawal that staff have to decide about, or have approved."""
    customer = sign_up()
    prove_address(shop, customer)
    fill_wallet(shop, customer, "500.00")
    body = {"amount": {"amount": "200.00", "currency": "EGP"}, "destination": "EG380019000500000000263180002"}
    path = f"/admin/withdrawals/{shop.done(shop.post('/api/v1/wallet/withdrawals', customer, body), 201)['id']}"
    if approved:
        shop.done(as_staff(shop, "POST", f"{path}/approve", **keyed()))
    return path


def approves_a_withdrawal(shop: Shop, sign_up: SignUp) -> TestResponse:
    return as_staff(shop, "POST", f"{a_withdrawal(shop, sign_up)}/approve", **keyed())


def rejects_a_withdrawal(shop: Shop, sign_up: SignUp) -> TestResponse:
    return as_staff(shop, "POST", f"{a_withdrawal(shop, sign_up)}/reject", {"reason": "not theirs"}, **keyed())


def pays_a_withdrawal(shop: Shop, sign_up: SignUp) -> TestResponse:
    path = a_withdrawal(shop, sign_up, approved=True)
    return as_staff(shop, "POST", f"{path}/paid", {"bank_reference": "FT26329X1"}, **keyed())


def takes_a_withdrawal_back(shop: Shop, sign_up: SignUp) -> TestResponse:
    path = a_withdrawal(shop, sign_up, approved=True)
    return as_staff(shop, "POST", f"{path}/returned", {"reason": "account closed"}, **keyed())


def adjusts_a_wallet(shop: Shop, sign_up: SignUp) -> TestResponse:
    body = {"amount": {"amount": "50.00", "currency": "EGP"}, "reason": "a late bus"}
    return as_staff(shop, "POST", f"/admin/wallets/{sign_up().user_id}/adjustments", body, **keyed())


def adjusts_points(shop: Shop, sign_up: SignUp) -> TestResponse:
    body = {"points": 50, "reason": "a late bus"}
    return as_staff(shop, "POST", f"/admin/points/{sign_up().user_id}/adjustments", body, **keyed())


def a_large_adjustment(shop: Shop, sign_up: SignUp) -> str:
    """The address of a colleague's adjustment that waits for a second person."""
    path = f"/api/v1/admin/wallets/{sign_up().user_id}/adjustments"
    body = {"amount": {"amount": "5000.00", "currency": "EGP"}, "reason": "a lost suitcase"}
    return f"/admin/adjustments/{shop.done(shop.post(path, sign_up('ADMIN'), body), 201)['id']}"


def approves_an_adjustment(shop: Shop, sign_up: SignUp) -> TestResponse:
    return as_staff(shop, "POST", f"{a_large_adjustment(shop, sign_up)}/approve", **keyed())


def rejects_an_adjustment(shop: Shop, sign_up: SignUp) -> TestResponse:
    return as_staff(shop, "POST", f"{a_large_adjustment(shop, sign_up)}/reject", **keyed())


def sets_an_exchange_rate(shop: Shop, _: SignUp) -> TestResponse:
    body = {"from_currency": "EGP", "to_currency": "USD", "rate": "0.0204"}
    return as_staff(shop, "POST", "/admin/exchange-rates", body, **keyed())


def a_reconciliation(shop: Shop) -> TestResponse:
    line = "2026-11-23,no-such-reference,PAYMENT,10.00,EGP"
    body = {
        "provider": "SANDBOX",
        "statement": f"booked_on,provider_reference,kind,amount,currency\r\n{line}\r\n",
    }
    return as_staff(shop, "POST", "/admin/ledger/reconciliations", body)


def reconciles_a_provider(shop: Shop, _: SignUp) -> TestResponse:
    return a_reconciliation(shop)


def explains_a_break(shop: Shop, _: SignUp) -> TestResponse:
    shop.done(a_reconciliation(shop), 201)
    [found] = shop.done(shop.get("/api/v1/admin/ledger/reconciliations/breaks", shop.admin))["items"]
    path = f"/admin/ledger/reconciliations/breaks/{found['id']}/decision"
    body = {"status": "EXPLAINED", "reason": "asked the provider"}
    return as_staff(shop, "POST", path, body, **{"Idempotency-Key": "explains"})


# One line for each unsafe route that asks for a permission; each does what the route is for, as an administrator.
SCENARIOS: dict[tuple[str, str], Scenario] = {
    ("POST", "/api/v1/packages"): creates_a_package,
    ("PATCH", "/api/v1/packages/<string:id_or_slug>"): changes_a_package,
    ("POST", "/api/v1/packages/<string:id_or_slug>/publish"): publishes_a_package,
    ("POST", "/api/v1/packages/<string:id_or_slug>/deactivate"): deactivates_a_package,
    ("DELETE", "/api/v1/packages/<string:id_or_slug>"): archives_a_package,
    ("POST", "/api/v1/admin/packages/<uuid:package_id>/approve"): approves("packages"),
    ("POST", "/api/v1/admin/packages/<uuid:package_id>/reject"): rejects("packages"),
    ("POST", "/api/v1/packages/<string:id_or_slug>/images"): sends_a_picture("packages"),
    ("PUT", "/api/v1/packages/<string:id_or_slug>/images/order"): arranges_pictures("packages"),
    ("PATCH", "/api/v1/packages/<string:id_or_slug>/images/<uuid:image_id>"): with_a_picture(
        "packages", "PATCH", {"caption_en": "Dunes"}
    ),
    ("DELETE", "/api/v1/packages/<string:id_or_slug>/images/<uuid:image_id>"): with_a_picture("packages", "DELETE"),
    ("POST", "/api/v1/admin/activities/<uuid:activity_id>/approve"): approves("activities"),
    ("POST", "/api/v1/admin/activities/<uuid:activity_id>/reject"): rejects("activities"),
    ("POST", "/api/v1/activities/<string:id_or_slug>/images"): sends_a_picture("activities"),
    ("PUT", "/api/v1/activities/<string:id_or_slug>/images/order"): arranges_pictures("activities"),
    ("PATCH", "/api/v1/activities/<string:id_or_slug>/images/<uuid:image_id>"): with_a_picture(
        "activities", "PATCH", {"caption_en": "Dunes"}
    ),
    ("DELETE", "/api/v1/activities/<string:id_or_slug>/images/<uuid:image_id>"): with_a_picture("activities", "DELETE"),
    ("POST", "/api/v1/admin/ratings/<uuid:rating_id>/hide"): hides_a_rating,
    ("POST", "/api/v1/admin/ratings/<uuid:rating_id>/show"): shows_a_rating,
    ("POST", "/api/v1/packages/<string:id_or_slug>/departures"): plans_a_departure,
    ("PUT", "/api/v1/packages/<string:id_or_slug>/age-bands"): says_what_each_age_pays,
    ("PUT", "/api/v1/packages/<string:id_or_slug>/seasons"): says_when_prices_change,
    ("PUT", "/api/v1/activities/<string:id_or_slug>/age-bands"): says_what_each_age_pays_for_an_activity,
    ("PUT", "/api/v1/activities/<string:id_or_slug>/seasons"): says_when_prices_of_an_activity_change,
    ("POST", "/api/v1/bookings/<uuid:booking_id>/start"): starts_a_trip,
    ("POST", "/api/v1/bookings/<uuid:booking_id>/complete"): completes_a_trip,
    ("POST", "/api/v1/admin/cashback/<uuid:cashback_id>/approve"): approves_cashback,
    ("POST", "/api/v1/admin/cashback/<uuid:cashback_id>/cancel"): cancels_cashback,
    ("PUT", "/api/v1/admin/settings/<string:key>"): changes_a_setting,
    ("DELETE", "/api/v1/admin/settings/<string:key>"): resets_a_setting,
    ("PATCH", "/api/v1/admin/users/<uuid:user_id>"): changes_a_user,
    ("DELETE", "/api/v1/admin/users/<uuid:user_id>"): closes_an_account,
    ("PUT", "/api/v1/admin/users/<uuid:user_id>/roles"): gives_roles,
    ("POST", "/api/v1/admin/users/<uuid:user_id>/second-factor/reset"): resets_a_second_factor,
    ("POST", "/api/v1/admin/invitations"): invites_somebody,
    ("DELETE", "/api/v1/admin/invitations/<uuid:invitation_id>"): withdraws_an_invitation,
    ("POST", "/api/v1/admin/invitations/<uuid:invitation_id>/resend"): sends_an_invitation_again,
    ("POST", "/api/v1/admin/roles"): makes_a_role,
    ("PATCH", "/api/v1/admin/roles/<uuid:role_id>"): renames_a_role,
    ("DELETE", "/api/v1/admin/roles/<uuid:role_id>"): removes_a_role,
    ("PUT", "/api/v1/admin/roles/<uuid:role_id>/permissions"): permits_a_role,
    ("POST", "/api/v1/api-keys"): makes_an_api_key,
    ("POST", "/api/v1/api-keys/<uuid:key_id>/rotate"): rotates_an_api_key,
    ("DELETE", "/api/v1/admin/api-keys/<uuid:key_id>"): revokes_an_api_key,
    ("POST", "/api/v1/admin/users/<uuid:user_id>/exports"): exports_a_persons_data,
    ("POST", "/api/v1/admin/ledger/reconciliations"): reconciles_a_provider,
    ("POST", "/api/v1/admin/ledger/reconciliations/breaks/<uuid:break_id>/decision"): explains_a_break,
    ("POST", "/api/v1/admin/users/<uuid:user_id>/erasure"): orders_an_erasure,
    ("POST", "/api/v1/admin/ledger/journals/<uuid:journal_id>/reversal"): reverses_a_movement,
    ("POST", "/api/v1/admin/withdrawals/<uuid:withdrawal_id>/approve"): approves_a_withdrawal,
    ("POST", "/api/v1/admin/withdrawals/<uuid:withdrawal_id>/reject"): rejects_a_withdrawal,
    ("POST", "/api/v1/admin/withdrawals/<uuid:withdrawal_id>/paid"): pays_a_withdrawal,
    ("POST", "/api/v1/admin/withdrawals/<uuid:withdrawal_id>/returned"): takes_a_withdrawal_back,
    ("POST", "/api/v1/admin/wallets/<uuid:user_id>/adjustments"): adjusts_a_wallet,
    ("POST", "/api/v1/admin/points/<uuid:user_id>/adjustments"): adjusts_points,
    ("POST", "/api/v1/admin/adjustments/<uuid:adjustment_id>/approve"): approves_an_adjustment,
    ("POST", "/api/v1/admin/adjustments/<uuid:adjustment_id>/reject"): rejects_an_adjustment,
    ("POST", "/api/v1/admin/exchange-rates"): sets_an_exchange_rate,
    **PAYMENT_DEEDS,
    **PARTNER_DEEDS,
    **PAYROLL_DEEDS,
    **CATALOGUE_DEEDS,
    **PRICING_DEEDS,
    **SALES_DEEDS,
}


def test_every_route_on_which_staff_change_something_is_tried(app: Flask) -> None:
    guarded = set()
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        for method in (rule.methods or set()) - SAFE:
            called = getattr(getattr(view, "view_class", None), method.lower(), view)
            if "." in getattr(called, POLICY, ""):
                guarded.add((method, rule.rule))

    assert guarded - STORES_NOTHING == set(SCENARIOS)


def test_whatever_staff_change_is_in_the_audit_log(shop: Shop, sign_up: SignUp, subtests: pytest.Subtests) -> None:
    for (method, route), scenario in (SCENARIOS | WHAT_CUSTOMERS_DO_TOO).items():
        with subtests.test(route=route, method=method):
            answer = scenario(shop, sign_up)
            assert 200 <= answer.status_code < 300, answer.text
            rows = rows_of(shop, answer)
            assert len(rows) == (2 if route in ABOUT_EACH_AND_ALL else 1)
            for row in rows:
                assert row["status"] == "SUCCESS"
                who = (row["user_id"], row["ip_address"], row["user_agent"])
                assert who == (shop.admin.user_id, "127.0.0.1", AGENT)
                assert row["action"].startswith(f"{row['module']}.")
                assert (row["resource_id"] is None) == (route in ABOUT_MANY)
                assert row["changes"].get("before") != row["changes"].get("after") or route in ABOUT_EACH_AND_ALL
                assert row["error_message"] is None


def test_a_request_that_staff_make_for_a_customer_is_there_too_and_what_customers_make_is_not(
    shop: Shop, sign_up: SignUp
) -> None:
    customer = sign_up()
    theirs = shop.post("/api/v1/bookings", shop.admin, {**hotel(), "user_id": str(customer.user_id)})
    assert [(row["action"], row["changes"]["after"]["status"]) for row in rows_of(shop, theirs)] == [
        ("bookings.create", "DRAFT")
    ]
    own = shop.post("/api/v1/bookings", customer, hotel())
    assert (own.status_code, rows_of(shop, own)) == (201, [])


def rows_of(shop: Shop, answer: TestResponse) -> list[dict[str, Any]]:
    """What a request left in the audit log."""
    return shop.database.rows("SELECT * FROM audit_logs WHERE request_id = %s", (answer.headers["X-Request-Id"],))


class TestRefusals:
    def test_an_attempt_without_the_right_is_kept(self, shop: Shop, sign_up: SignUp) -> None:
        employee = sign_up("EMPLOYEE")
        path = "/api/v1/admin/settings/general.company_name"
        refused = shop.client.put(path, json={"value": "canary-7731"}, headers=employee.headers)
        problem(refused, 403, "forbidden")
        (row,) = rows_of(shop, refused)
        assert (row["status"], row["error_message"], row["user_id"]) == ("FAILED", "forbidden", employee.user_id)
        assert (row["module"], row["action"], row["resource_type"]) == ("settings", "settings.update", "REQUEST")
        assert row["ip_address"] == "127.0.0.1"
        assert row["changes"] == {
            "before": {},
            "after": {},
            "request": {"method": "PUT", "route": "/api/v1/admin/settings/<string:key>"},
        }
        assert "canary" not in str(row)

    def test_what_a_rule_refuses_is_kept_though_its_transaction_was_not(self, shop: Shop) -> None:
        package = shop.package()
        for headers in ({}, {"Idempotency-Key": "a-key-of-this-test"}):
            refused = as_staff(shop, "POST", f"/packages/{package['id']}/publish", **headers)
            problem(refused, 409, "illegal_transition")
            (row,) = rows_of(shop, refused)
            assert (row["status"], row["error_message"]) == ("FAILED", "illegal_transition")
            assert str(row["resource_id"]) == package["id"]

    def test_who_may_not_anyway_fills_nobodys_log(self, shop: Shop, sign_up: SignUp) -> None:
        customer = sign_up()
        for headers in (customer.headers, {}, {"Authorization": "Bearer nonsense"}):
            answer = shop.client.post("/api/v1/packages", json=DRAFT, headers=headers)
            assert answer.status_code in (401, 403)
            assert rows_of(shop, answer) == []

    def test_a_vendors_refusal_on_its_own_work_is_kept(self, shop: Shop, sign_up: SignUp) -> None:
        vendor = sign_up("VENDOR")
        refused = shop.client.patch(
            f"/api/v1/packages/{a_draft(shop)['id']}", json={"duration_days": 2}, headers=vendor.headers
        )
        problem(refused, 404, "package_not_found")
        assert [row["error_message"] for row in rows_of(shop, refused)] == ["package_not_found"]

    def test_reading_leaves_nothing(self, shop: Shop, sign_up: SignUp) -> None:
        refused = shop.get(LOGS, sign_up("EMPLOYEE"))
        problem(refused, 403, "forbidden")
        assert rows_of(shop, refused) == []

    def test_a_record_that_cannot_be_made_does_not_change_the_answer(
        self, shop: Shop, sign_up: SignUp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unavailable(*_: object, **__: object) -> None:
            raise DatabaseUnavailable()

        employee = sign_up("EMPLOYEE")
        monkeypatch.setattr("middlewares.audit.record_refusal", unavailable)
        refused = shop.client.put("/api/v1/admin/settings/x", json={"value": 1}, headers=employee.headers)
        problem(refused, 403, "forbidden")


@pytest.fixture
def written(shop: Shop, sign_up: SignUp) -> list[Json]:
    """Six rows: the administrator's four, an employee's success and refusal, oldest first."""
    employee = sign_up("EMPLOYEE")
    package = a_draft(shop)
    as_staff(shop, "PATCH", f"/packages/{package['id']}", {"duration_days": 5})
    as_staff(shop, "POST", f"/packages/{package['id']}/publish", {})
    as_staff(shop, "PUT", "/admin/settings/booking.hold_minutes", {"value": 45}, **{"X-Request-Id": "asked-by-request"})
    shop.done(shop.post("/api/v1/packages", employee, DRAFT), 201)
    shop.client.delete("/api/v1/admin/settings/booking.hold_minutes", headers=employee.headers)
    rows = shop.done(shop.get(LOGS, shop.admin))["items"]
    assert len(rows) == 6
    return list(reversed(rows))


def found(shop: Shop, **asked: str) -> list[str]:
    answer = shop.client.get(LOGS, query_string=asked, headers=shop.admin.headers)
    return [row["id"] for row in shop.done(answer)["items"]]


class TestReading:
    def test_each_filter_finds_its_rows_newest_first(self, shop: Shop, written: list[Json]) -> None:
        ids = [row["id"] for row in written]
        employee, package = written[4]["user_id"], written[0]["resource_id"]
        wanted = [
            ({"user_id": employee}, [5, 4]),
            ({"module": "settings"}, [5, 3]),
            ({"action": "packages.create"}, [4, 0]),
            ({"resource_type": "PACKAGE"}, [4, 2, 1, 0]),
            ({"resource_id": package}, [2, 1, 0]),
            ({"status": "FAILED"}, [5]),
            ({"status": "PARTIAL"}, []),
            ({"request_id": "asked-by-request"}, [3]),
            ({"module": "packages", "user_id": employee}, [4]),
        ]
        for asked, positions in wanted:
            assert found(shop, **asked) == [ids[position] for position in positions], asked

    def test_times_bound_the_list(self, shop: Shop, written: list[Json]) -> None:
        now = shop.running.dependencies.clock.now()
        earlier, later = (now - timedelta(hours=1)).isoformat(), (now + timedelta(hours=1)).isoformat()
        assert len(found(shop, **{"from": earlier, "to": later})) == 6
        assert found(shop, **{"from": later}) == []
        assert found(shop, to=earlier) == []

    def test_pages_follow_one_another(self, shop: Shop, written: list[Json]) -> None:
        page = shop.done(shop.get(f"{LOGS}?limit=4", shop.admin))
        rest = shop.done(shop.get(f"{LOGS}?limit=4&cursor={page['next_cursor']}", shop.admin))
        seen = [row["id"] for row in (*page["items"], *rest["items"])]
        assert (len(page["items"]), rest["next_cursor"]) == (4, None)
        assert seen == [row["id"] for row in reversed(written)]

    def test_one_row_is_shown_whole(self, shop: Shop, written: list[Json]) -> None:
        assert shop.done(shop.get(f"{LOGS}/{written[1]['id']}", shop.admin)) == written[1]
        assert written[1]["changes"] == {"before": {"duration_days": 4}, "after": {"duration_days": 5}}
        problem(shop.get(f"{LOGS}/{written[1]['user_id']}", shop.admin), 404, "not_found")

    def test_a_filter_that_means_nothing_is_refused(self, shop: Shop) -> None:
        for asked, pointer in (
            ({"user_id": "me"}, "/user_id"),
            ({"status": "LATE"}, "/status"),
            ({"from": "yesterday"}, "/from"),
            ({"from": "2026-11-25T08:00:00"}, "/from"),
            ({"from": "2026-11-25T08:00:00Z", "to": "2026-11-25T08:00:00Z"}, "/to"),
            ({"module": "a\x00b"}, "/module"),
        ):
            for path in (LOGS, f"{LOGS}.csv"):
                answer = shop.client.get(path, query_string=asked, headers=shop.admin.headers)
                problem(answer, 422, "validation_failed", pointer=pointer)
        problem(shop.get(f"{LOGS}?limit=101", shop.admin), 422, "validation_failed", pointer="/limit")

    def test_only_who_may_read_it_does(self, shop: Shop, sign_up: SignUp) -> None:
        for role, why in (("CUSTOMER", "wrong_surface"), ("VENDOR", "wrong_surface"), ("EMPLOYEE", "forbidden")):
            person = sign_up(role)
            for path in (LOGS, f"{LOGS}.csv", f"{LOGS}/{person.user_id}"):
                problem(shop.get(path, person), 403, why)
        problem(shop.get(LOGS), 401, "unauthorized")


def lines_of(shop: Shop, person: Person, **asked: str) -> list[dict[str, str]]:
    answer = shop.client.get(f"{LOGS}.csv", query_string=asked, headers=person.headers)
    assert (answer.status_code, answer.content_type) == (200, "text/csv; charset=utf-8")
    assert answer.is_streamed
    return list(csv.DictReader(io.StringIO(answer.text)))


class TestExport:
    def test_it_holds_what_the_list_holds_and_is_itself_recorded(self, shop: Shop, written: list[Json]) -> None:
        lines = lines_of(shop, shop.admin, module="packages")
        assert [line["id"] for line in lines] == found(shop, module="packages")
        assert lines[0]["created_at"].endswith("Z")
        assert '"duration_days":5' in lines[2]["changes"]
        (export,) = [row for row in shop.database.rows("SELECT * FROM audit_logs") if row["module"] == "audit"]
        assert (export["action"], export["user_id"]) == ("audit.export", shop.admin.user_id)
        assert export["changes"]["filters"] == {"module": "packages"}
        assert lines_of(shop, shop.admin, module="audit", to=export["created_at"].isoformat()) == []

    def test_nothing_in_it_runs_in_a_spreadsheet(self, shop: Shop) -> None:
        agent = '=HYPERLINK("http://evil.test","x")'
        shop.client.post("/api/v1/packages", json=DRAFT, headers={**shop.admin.headers, "User-Agent": agent})
        assert f"'{agent}" in {line["user_agent"] for line in lines_of(shop, shop.admin)}

    def test_every_start_of_a_formula_is_made_text(self) -> None:
        # Those of the guarantee, not those that the code knows: it could forget one.
        for start in ("=", "+", "-", "@", "\t", "\r"):
            assert next(csv.reader(io.StringIO(csv_line([f"{start}1+1"]), newline=""))) == [f"'{start}1+1"]
        assert csv_line(["a", None, "b,c", 5]) == 'a,,"b,c",5\r\n'

    def test_it_goes_on_over_pages_and_ends_at_its_bound(
        self, shop: Shop, written: list[Json], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(audit_views, "_AT_ONCE", 2)
        assert len(lines_of(shop, shop.admin)) == 7
        monkeypatch.setattr(audit_views, "MOST_EXPORTED", 5)
        assert len(lines_of(shop, shop.admin)) == 5


def add(uow: SqlUnitOfWork, running: Running, **changes: object) -> None:
    with uow:
        uow.audit.add(
            actor=None,
            action="tests.add",
            resource_type="TEST",
            resource_id=None,
            changes={"before": {}, "after": changes},
            at=running.dependencies.clock.now(),
        )
        uow.commit()


def test_a_secret_is_an_error_in_development_and_withheld_in_production(
    running: Running, addresses: DatabaseAddresses
) -> None:
    use = running.dependencies
    with pytest.raises(SecretInChanges):
        add(use.new_uow(), running, password="hunter2")  # type: ignore[arg-type]
    in_production = SqlUnitOfWork(
        running.database,
        encryption=use.new_uow()._encryption,
        digests=use.digests,
        new_id=use.new_id,
        withhold_secrets=True,
    )
    add(in_production, running, password="hunter2", note="4111 1111 1111 1111")

    kept = running.database.rows("SELECT changes FROM audit_logs")
    assert [row["changes"]["after"] for row in kept] == [{"password": "[withheld]", "note": "[card number]"}]


def test_rows_of_the_release_before_are_shown_too(shop: Shop) -> None:
    shop.database.rows(
        """INSERT INTO audit_logs (id, user_id, action, module, resource_type, resource_id, changes, created_at)
           VALUES (%s, NULL, 'packages.update', 'packages', 'PACKAGE', NULL, '{}', now()) RETURNING id""",
        (UUID(int=1),),
    )

    (row,) = shop.done(shop.get(LOGS, shop.admin))["items"]
    assert (row["status"], row["ip_address"], row["user_agent"], row["request_id"]) == ("SUCCESS", None, None, "")
