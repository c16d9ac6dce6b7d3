"""Cancelling by HTTP: what is shown is what is done, who may, what the customer reads; and the policies behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from application.operations.settings import ChangeSetting, change_setting
from domain.operations.settings import SECOND_FACTOR_REQUIRED
from domain.shared.clock import business_date, start_of_business_day
from infrastructure.database.roles import connect
from tests.api.mailbox import mails_to
from tests.api.shop import Json, Offer, Shop, SignUp, fill_wallet, for_booking, problem
from tests.api.test_requests import asked, priced
from tests.conftest import MovableClock, Person

pytestmark = pytest.mark.database

POLICIES = "/api/v1/cancellation-policies"
STRICT = [{"hours_before": 240, "refund_percent": "75.00"}, {"hours_before": 24, "refund_percent": "12.50"}]
WHY = {"reason": "plans changed"}


def egp(amount: str) -> Json:
    return {"amount": amount, "currency": "EGP"}


def a_policy(shop: Shop, **details: Any) -> Json:
    body = {"name_ar": "شروط صارمة", "name_en": "Strict", "tiers": STRICT, **details}
    return shop.done(shop.post(POLICIES, shop.admin, body), 201)


def paid(shop: Shop, customer: Person, offer: Offer) -> Json:
    """A booking of EGP 2,000.00: 500 from the wallet, the rest by card."""
    fill_wallet(shop, customer, "500.00")
    booking = shop.book(customer, offer)
    asked = for_booking(booking["id"], tenders=[{"type": "WALLET", "amount": egp("500.00")}])
    shop.take_payment(shop.done(shop.post("/api/v1/payments", customer, asked), 201))
    return booking


def preview(shop: Shop, person: Person, booking: Json, query: str = "") -> Any:
    return shop.get(f"/api/v1/bookings/{booking['id']}/cancellation-preview{query}", person)


def cancel(shop: Shop, person: Person, booking: Json, *, key: str = "", **body: Any) -> Any:
    return shop.post(f"/api/v1/bookings/{booking['id']}/cancel", person, {**WHY, **body}, key=key)


def test_a_customer_sees_what_cancelling_does_and_agrees_to_exactly_that(
    shop: Shop, sign_up: SignUp, clock: MovableClock
) -> None:
    customer = sign_up()
    policy = a_policy(shop)
    offer = shop.offer(cancellation_policy_id=policy["id"])
    booking = paid(shop, customer, offer)

    starts_on = business_date(datetime.now(UTC)) + timedelta(days=30)
    terms = shop.done(shop.get(f"/api/v1/bookings/{booking['id']}", customer))["cancellation"]
    assert (terms["policy_id"], terms["time_zone"]) == (policy["id"], "Africa/Cairo")
    assert [tier["refund_percent"] for tier in terms["tiers"]] == ["75.00", "12.50"]
    until = datetime.fromisoformat(terms["tiers"][0]["until"])
    assert business_date(until) == starts_on - timedelta(days=10)

    # Terms that change later are nobody's who booked before.
    change = {"tiers": []}
    shop.done(shop.client.patch(f"{POLICIES}/{policy['id']}", json=change, headers=shop.admin.headers))
    before = shop.state()
    shown = shop.done(preview(shop, customer, booking))
    assert shop.state() == before
    assert shown["applies"] == {"refund_percent": "75.00", "hours_before": 240, "until": terms["tiers"][0]["until"]}
    assert (shown["paid"], shown["refund"], shown["kept_fee"]) == (egp("2000.00"), egp("1500.00"), egp("500.00"))
    [refund] = shown["refunds"]
    assert [(part["type"], part["way"], part["amount"]["amount"]) for part in refund["parts"]] == [
        ("WALLET", "OWN", "375.00"),
        ("GATEWAY", "PROVIDER", "1125.00"),
    ]
    assert (shown["seats_returned"], shown["promotions"], shown["status_after"]) == (2, "NONE", "CANCELLED")
    assert shown["points_taken"] == 150

    answer = cancel(shop, customer, booking, key="once", preview_token=shown["token"])
    cancelled = shop.done(answer)
    assert (cancelled["status"], cancelled["kept_amount"], cancelled["cancellation_reason"]) == (
        "CANCELLED", egp("500.00"), "plans changed",
    )  # fmt: skip
    again = cancel(shop, customer, booking, key="once", preview_token=shown["token"])
    assert (again.json, again.headers["Idempotent-Replayed"]) == (cancelled, "true")
    problem(cancel(shop, customer, booking), 409, "illegal_transition")
    problem(preview(shop, customer, booking), 409, "illegal_transition")

    shop.deliver_events()
    shown_now = shop.done(shop.get(f"/api/v1/bookings/{booking['id']}", customer))
    assert (shown_now["refunded_amount"], shown_now["payment_status"]) == (egp("1500.00"), "PARTIALLY_REFUNDED")
    wallet = shop.done(shop.get("/api/v1/wallet?currency=EGP", customer))
    assert wallet["balance"] == egp("375.00")
    departures = shop.done(shop.get(f"/api/v1/packages/{offer.package_id}/departures"))["items"]
    assert [row["seats_left"] for row in departures] == [10]


def test_the_customer_reads_what_was_done(shop: Shop, sign_up: SignUp) -> None:
    offer = shop.offer(cancellation_policy_id=a_policy(shop)["id"])
    for language, said in (("ar", "رسوم الإلغاء"), ("en", "Cancellation fee")):
        customer = sign_up(locale=language)
        booking = paid(shop, customer, offer)
        shop.done(cancel(shop, customer, booking))
        shop.deliver_events()

        [mail] = [
            mail for mail in mails_to(customer.email, shop.running.settings.home)
            if said in mail.text and booking["booking_number"] in mail.subject
        ]  # fmt: skip
        for amount in ("1,500.00", "1,125.00", "375.00", "500.00"):
            assert amount in mail.text
        notes = shop.done(shop.get("/api/v1/notifications", customer, Accept_Language=language))["items"]
        [note] = [note for note in notes if note["title_en"] == "Your booking is cancelled"]
        assert "EGP 1125.00 goes back to where you paid from" in note["message_en"]
        assert "The cancellation fee is EGP 500.00" in note["message_en"]
        assert "رسوم الإلغاء" in note["message_ar"]


def test_an_unpaid_booking_is_cancelled_without_any_terms(shop: Shop, sign_up: SignUp) -> None:
    customer = sign_up()
    booking = shop.book(customer, shop.offer(seats=2, cancellation_policy_id=a_policy(shop, tiers=[])["id"]), 2)

    shown = shop.done(preview(shop, customer, booking))
    assert (shown["applies"]["refund_percent"], shown["refunds"], shown["refund"]) == ("100.00", [], egp("0.00"))
    assert shop.done(cancel(shop, customer, booking))["status"] == "CANCELLED"

    shop.deliver_events()
    [note] = shop.done(shop.get("/api/v1/notifications", customer))["items"]
    assert note["message_en"].endswith("Nothing had been paid, so nothing comes back.")


def test_who_may_cancel_and_who_may_decide(shop: Shop, sign_up: SignUp) -> None:
    customer, agent, employee = sign_up(), sign_up("AGENT"), sign_up("EMPLOYEE")
    offer = shop.offer(cancellation_policy_id=a_policy(shop, tiers=[])["id"])
    booking = paid(shop, customer, offer)
    for stranger in (sign_up(), agent):
        problem(preview(shop, stranger, booking), 404, "booking_not_found")
        problem(cancel(shop, stranger, booking), 404, "booking_not_found")
    problem(cancel(shop, employee, booking), 403, "forbidden")
    problem(preview(shop, customer, booking, "?refund_percent=100"), 403, "forbidden")
    override = {"refund_percent": "100.00", "reason": "the ship does not sail"}
    problem(cancel(shop, customer, booking, refund_override=override), 403, "forbidden")

    shown = shop.done(preview(shop, shop.admin, booking, "?refund_percent=100"))
    assert (shown["refund"], shown["kept_fee"]) == (egp("2000.00"), egp("0.00"))
    problem(cancel(shop, shop.admin, booking, preview_token=shown["token"]), 409, "cancellation_preview_stale")
    shop.done(cancel(shop, shop.admin, booking, preview_token=shown["token"], refund_override=override))
    audited = shop.done(shop.get("/api/v1/admin/audit-logs?action=bookings.cancel", shop.admin))["items"]
    assert [row["changes"]["override_reason"] for row in audited] == ["the ship does not sail"]
    shop.deliver_events()
    assert shop.done(shop.get(f"/api/v1/bookings/{booking['id']}", customer))["status"] == "REFUNDED"

    through_agent = shop.done(
        shop.post("/api/v1/bookings", agent, offer.booking(1, user_id=str(customer.user_id))), 201
    )
    assert shop.done(cancel(shop, agent, through_agent))["status"] == "CANCELLED"


def test_a_no_show_who_owes_the_rest_is_ended_by_staff_who_decide_and_by_nobody_else(
    shop: Shop, sign_up: SignUp, clock: MovableClock
) -> None:
    customer = sign_up()
    booking = asked(shop, customer)
    priced(shop, booking, deposit_percent=30)
    path = f"/api/v1/bookings/{booking['id']}"
    shop.take_payment(shop.pay(customer, booking, amount=egp("900.00")))
    clock.offset = timedelta(days=22)
    customer, staff, accountant = shop.again(customer), shop.again(shop.admin), sign_up("ACCOUNTANT")
    missed = shop.done(shop.post(f"{path}/no-show", staff, {"reason": "nobody at the desk"}))
    assert (missed["status"], missed["amount_due"]) == ("IN_PROGRESS", egp("2100.00"))
    problem(shop.post(f"{path}/complete", staff, {"override_reason": "over"}), 409, "balance_due")
    for person in (customer, staff):
        problem(preview(shop, person, booking), 409, "trip_started")
        problem(cancel(shop, person, booking), 409, "trip_started")
    override = {"refund_percent": "0", "reason": "the deposit is what a no-show costs"}
    problem(cancel(shop, customer, booking, refund_override=override), 403, "forbidden")
    problem(cancel(shop, accountant, booking, refund_override=override), 403, "forbidden")

    shown = shop.done(preview(shop, staff, booking, "?refund_percent=0"))
    assert (shown["kept_fee"], shown["refund"], shown["status_after"]) == (egp("900.00"), egp("0.00"), "CANCELLED")
    done = shop.done(cancel(shop, staff, booking, refund_override=override, preview_token=shown["token"]))

    assert (done["status"], done["no_show"], done["amount_due"]) == ("CANCELLED", True, egp("0.00"))
    (row,) = shop.database.rows(
        """SELECT sum(e.amount_minor)::bigint AS earned FROM ledger_entries e
           JOIN ledger_accounts a ON a.id = e.account_id WHERE a.kind = 'BOOKING_REVENUE'"""
    )
    assert row["earned"] == 90_000
    problem(cancel(shop, staff, booking, refund_override=override), 409, "illegal_transition")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"reason": ""}, "/reason"),
        ({"reason": None}, "/reason"),
        ({"unknown": 1}, "/unknown"),
        ({"preview_token": ""}, "/preview_token"),
        ({"refund_override": {"refund_percent": "101", "reason": "abc"}}, "/refund_override/refund_percent"),
        ({"refund_override": {"refund_percent": "100"}}, "/refund_override/reason"),
    ],
)
def test_what_cannot_be_read_is_named(shop: Shop, body: Json, pointer: str) -> None:
    problem(cancel(shop, shop.admin, {"id": uuid4()}, **body), 422, "validation_failed", pointer=pointer)


def test_tokens_that_are_none_or_too_old_commit_nothing(shop: Shop, sign_up: SignUp, clock: MovableClock) -> None:
    customer = sign_up()
    booking = shop.book(customer, shop.offer())
    token = shop.done(preview(shop, customer, booking))["token"]
    other = shop.book(customer, shop.offer())
    for wrong in ("nothing", token[:-2], "é"):
        problem(cancel(shop, customer, booking, preview_token=wrong), 409, "cancellation_preview_stale")
    problem(cancel(shop, customer, other, preview_token=token), 409, "cancellation_preview_stale")
    clock.offset = timedelta(minutes=15, seconds=2)
    customer = shop.again(customer)
    problem(cancel(shop, customer, booking, preview_token=token), 409, "cancellation_preview_stale")
    problem(preview(shop, customer, {"id": uuid4()}), 404, "booking_not_found")
    problem(preview(shop, customer, booking, "?refund_percent=1.234"), 422, "validation_failed")


# Policies ----------------------------------------------------------------------------------------------------


def test_staff_keep_policies_and_one_is_the_default(shop: Shop) -> None:
    [seeded] = shop.done(shop.get(POLICIES, shop.admin))["items"]
    assert (seeded["name_en"], seeded["is_default"], len(seeded["tiers"])) == ("Standard terms", True, 3)
    package = shop.package()
    assert (package["cancellation_policy_id"], package["cancellation"]["policy_id"]) == (None, seeded["id"])

    ours = a_policy(shop, is_default=True)
    listed = shop.done(shop.get(POLICIES, shop.admin))["items"]
    assert [(row["id"], row["is_default"]) for row in listed] == [(ours["id"], True), (seeded["id"], False)]
    shown = shop.done(shop.get(f"/api/v1/packages/{package['id']}", Accept_Language="ar"))["cancellation"]
    assert (shown["name"], shown["tiers"]) == ("شروط صارمة", STRICT)

    path, headers = f"{POLICIES}/{seeded['id']}", shop.admin.headers
    stale = {**headers, "If-Match": '"9"'}
    problem(shop.client.patch(path, json={"is_default": True}, headers=stale), 412, "precondition_failed")
    shop.done(shop.client.patch(path, json={"is_default": True}, headers=headers))
    gone = shop.client.patch(path, json={"is_active": False}, headers=headers)
    problem(gone, 422, "validation_failed", pointer="/is_active")
    audited = shop.done(shop.get("/api/v1/admin/audit-logs?action=policies.update", shop.admin))["items"]
    done = [(row["resource_id"], row["changes"]["after"]) for row in audited if row["status"] == "SUCCESS"]
    # Whatever ceases to be the default says so itself, whoever took its place.
    assert sorted(done, key=str) == sorted(
        [
            (seeded["id"], {"is_default": False}),
            (ours["id"], {"is_default": False}),
            (seeded["id"], {"is_default": True}),
        ],
        key=str,
    )
    problem(shop.get(f"{POLICIES}/{uuid4()}", shop.admin), 404, "cancellation_policy_not_found")


@pytest.mark.parametrize(
    ("tiers", "pointer"),
    [
        ([{"hours_before": 24, "refund_percent": "50"}, {"hours_before": 48, "refund_percent": "50"}], "/tiers/1"),
        ([{"hours_before": 24, "refund_percent": "50"}, {"hours_before": 12, "refund_percent": "60"}], "/tiers/1"),
        ([{"hours_before": -1, "refund_percent": "50"}], "/tiers/0/hours_before"),
        ([{"hours_before": 1, "refund_percent": 50}], "/tiers/0/refund_percent"),
        ("none", "/tiers"),
    ],
)
def test_policies_that_nobody_could_follow_are_refused(shop: Shop, tiers: Any, pointer: str) -> None:
    body = {"name_ar": "شروط", "name_en": "Terms", "tiers": tiers}
    problem(shop.post(POLICIES, shop.admin, body), 422, "validation_failed", pointer=pointer)


def test_the_suppliers_deadline_is_frozen_into_bookings_and_read_by_staff_alone(shop: Shop, sign_up: SignUp) -> None:
    customer, vendor = sign_up(), sign_up("VENDOR")
    policy = a_policy(shop, supplier_hours_before=240)
    path = f"{POLICIES}/{policy['id']}"
    assert policy["supplier_hours_before"] == 240
    assert shop.done(shop.get(path, vendor))["supplier_hours_before"] is None
    [listed] = [one for one in shop.done(shop.get(POLICIES, vendor))["items"] if one["id"] == policy["id"]]
    assert listed["supplier_hours_before"] is None

    offer = shop.offer(cancellation_policy_id=policy["id"])
    for_staff = shop.book(shop.admin, offer)
    booking = shop.book(customer, offer)
    starts_on = business_date(datetime.now(UTC)) + timedelta(days=30)
    ends = start_of_business_day(starts_on - timedelta(days=10))
    assert (booking["supplier_deadline"], datetime.fromisoformat(for_staff["supplier_deadline"])) == (None, ends)
    change = {"supplier_hours_before": None}
    changed = shop.done(shop.client.patch(path, json=change, headers=shop.admin.headers))
    assert (changed["supplier_hours_before"], changed["tiers"]) == (None, policy["tiers"])

    shown = f"/api/v1/bookings/{booking['id']}"
    assert shop.done(shop.get(shown, customer))["supplier_deadline"] is None
    assert datetime.fromisoformat(shop.done(shop.get(shown, shop.admin))["supplier_deadline"]) == ends
    assert "supplier" not in str(shop.done(shop.get(f"/api/v1/packages/{offer.package_id}")))
    later = shop.book(shop.admin, offer)
    assert later["supplier_deadline"] is None
    audited = shop.done(shop.get("/api/v1/admin/audit-logs?action=policies.update", shop.admin))["items"]
    assert audited[0]["changes"]["before"]["supplier_hours_before"] == 240


def test_what_a_release_before_froze_says_nothing_of_suppliers(shop: Shop, sign_up: SignUp) -> None:
    customer = sign_up()
    booking = shop.book(customer, shop.offer(cancellation_policy_id=a_policy(shop, supplier_hours_before=240)["id"]))
    with connect(shop.addresses.owner) as connection:
        connection.execute(
            "UPDATE bookings SET cancellation_terms = cancellation_terms - 'supplier_hours_before' WHERE id = %s",
            (booking["id"],),
        )

    assert shop.done(shop.get(f"/api/v1/bookings/{booking['id']}", shop.admin))["supplier_deadline"] is None
    assert shop.done(cancel(shop, customer, booking))["status"] == "CANCELLED"


@pytest.mark.parametrize("hours", [-1, 8761, 1.5, "24", True, 25])
def test_suppliers_deadlines_that_make_no_sense_are_refused(shop: Shop, hours: Any) -> None:
    tiers = [{"hours_before": 24, "refund_percent": "100.00"}]
    body = {"name_ar": "شروط", "name_en": "Terms", "tiers": tiers, "supplier_hours_before": hours}
    problem(shop.post(POLICIES, shop.admin, body), 422, "validation_failed", pointer="/supplier_hours_before")


def test_items_name_policies_that_are_offered(shop: Shop, sign_up: SignUp) -> None:
    vendor, policy, hidden = sign_up("VENDOR"), a_policy(shop), a_policy(shop, is_active=False)
    package = shop.package()
    path, headers = f"/api/v1/packages/{package['id']}", shop.admin.headers
    for wrong in (hidden["id"], str(uuid4())):
        answer = shop.client.patch(path, json={"cancellation_policy_id": wrong}, headers=headers)
        problem(answer, 422, "validation_failed", pointer="/cancellation_policy_id")
    changed = shop.done(shop.client.patch(path, json={"cancellation_policy_id": policy["id"]}, headers=headers))
    assert changed["cancellation"]["policy_id"] == policy["id"]

    # One that is not offered any more stays with whoever named it, also when something else of it changes.
    shop.done(shop.client.patch(f"{POLICIES}/{policy['id']}", json={"is_active": False}, headers=headers))
    body = {"name_en": "Nile", "cancellation_policy_id": policy["id"]}
    assert shop.done(shop.client.patch(path, json=body, headers=headers))["cancellation"]["policy_id"] == policy["id"]
    assert [row["name_en"] for row in shop.done(shop.get(POLICIES, vendor))["items"]] == ["Standard terms"]
    problem(shop.get(f"{POLICIES}/{hidden['id']}", vendor), 404, "cancellation_policy_not_found")
    problem(shop.post(POLICIES, vendor, {}), 403, "forbidden")
    problem(shop.get(POLICIES, sign_up()), 403, "forbidden")


class TestSecondFactors:
    """Cancelling for others moves money, as a permission that is asked for in the middle of a route."""

    @pytest.fixture
    def proved(self, shop: Shop) -> Iterator[Callable[[Person], Person]]:
        """The company wants a second factor; somebody as they are once they have proved one."""
        use = shop.running.dependencies
        command = ChangeSetting(key=SECOND_FACTOR_REQUIRED.key, value=True, actor_id=None)
        change_setting(command, uow=use.new_uow(), values=use.system_settings, clock=use.clock)
        use.system_settings.forget()

        def prove(person: Person) -> Person:
            session = shop.database.row("SELECT id FROM sessions WHERE user_id = %s LIMIT 1", (person.user_id,))
            assert session is not None
            token = use.tokens.issue(
                user_id=person.user_id,
                session_id=session["id"],
                roles=["ADMIN"],
                at=use.clock.now(),
                second_factor=True,
            )
            return Person(person.user_id, person.email, {"Authorization": f"Bearer {token}"})

        yield prove
        use.system_settings.forget()

    def test_staff_prove_one_before_they_cancel_for_others(
        self, shop: Shop, sign_up: SignUp, proved: Callable[[Person], Person]
    ) -> None:
        booking = paid(shop, sign_up(), shop.offer(cancellation_policy_id=a_policy(shop, tiers=[])["id"]))
        override = {"refund_percent": "100.00", "reason": "the ship does not sail"}
        before = shop.state()
        for body in ({}, {"refund_override": override}):
            problem(cancel(shop, shop.admin, booking, **body), 403, "second_factor_needed")
        for query in ("", "?refund_percent=100"):
            problem(preview(shop, shop.admin, booking, query), 403, "second_factor_needed")
        assert shop.state() == before

        done = shop.done(cancel(shop, proved(shop.admin), booking, refund_override=override))
        assert (done["status"], done["kept_amount"]) == ("CANCELLED", egp("0.00"))

    def test_customers_and_agents_cancel_their_own_without(
        self, shop: Shop, sign_up: SignUp, proved: Callable[[Person], Person]
    ) -> None:
        customer, agent, offer = sign_up(), sign_up("AGENT"), shop.offer()
        assert shop.done(cancel(shop, customer, shop.book(customer, offer)))["status"] == "CANCELLED"
        for_them = shop.done(shop.post("/api/v1/bookings", agent, offer.booking(user_id=str(customer.user_id))), 201)
        assert shop.done(cancel(shop, agent, for_them))["status"] == "CANCELLED"
