"""Onboarding over HTTP: profiles, approval by another, bank accounts that cool off, rates, and who sees what (§10)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import psycopg
import pytest

from domain.identity.lockout import ACCOUNT_FAILURES
from domain.partners.bank_accounts import BankAccount
from infrastructure.bootstrap import Running
from infrastructure.database.roles import DatabaseAddresses, connect
from security.field_encryption import FernetEncryption
from tests.api.mailbox import mails_to
from tests.api.partners import (
    IBAN,
    OTHER_IBAN,
    PARTNERS,
    PASSWORD,
    a_partner,
    apply,
    decide,
    desk,
    put_account,
)
from tests.api.personas import Personas
from tests.api.shop import Json, Shop, SignUp, problem
from tests.api.test_erasure import every_row
from tests.api.test_second_factor import Phone
from tests.conftest import MovableClock, Person
from tests.integration.shop import all_at_once

pytestmark = pytest.mark.database


@pytest.fixture
def vendor(sign_up: SignUp) -> Person:
    return sign_up("VENDOR")


@pytest.fixture
def agent(sign_up: SignUp) -> Person:
    return sign_up("AGENT")


def seen(shop: Shop, person: Person, profile: Json) -> Json:
    return shop.done(shop.get(f"{PARTNERS}/{profile['id']}", person))


def at_desk(shop: Shop, staff: Person, profile: Json) -> Json:
    return shop.done(shop.get(f"{desk(profile['payee_type'])}/{profile['id']}", staff))


def audited(running: Running, action: str) -> list[Any]:
    return [row["changes"] for row in running.database.rows("SELECT * FROM audit_logs WHERE action = %s", (action,))]


class TestApplying:
    def test_a_profile_waits_for_staff(self, shop: Shop, vendor: Person) -> None:
        profile = apply(shop, vendor, license_number="TR-2041", tax_id="402-118-733")
        assert (profile["status"], profile["payee_type"]) == ("PENDING_APPROVAL", "VENDOR")
        assert (profile["license_number"], profile["tax_id"]) == ("TR-2041", "402-118-733")
        assert (profile["bank_account"], profile["approved_at"], profile["payout_method"]) == (
            None,
            None,
            "BANK_TRANSFER",
        )
        assert seen(shop, vendor, profile) == profile
        assert shop.done(shop.get(PARTNERS, vendor))["items"] == [profile]
        (waiting,) = shop.done(shop.get(f"{desk('VENDOR')}?status=PENDING_APPROVAL&q=voyages", shop.admin))["items"]
        assert (waiting["id"], waiting["email"]) == (profile["id"], vendor.email)

    def test_it_takes_the_role(self, shop: Shop, vendor: Person, sign_up: SignUp) -> None:
        for person, trade in ((vendor, "AGENT"), (sign_up(), "VENDOR"), (shop.admin, "VENDOR")):
            problem(shop.post(PARTNERS, person, {"payee_type": trade, "company_name": "Nile"}), 403, "forbidden")

    def test_one_person_may_be_both_once_each(self, shop: Shop, sign_up: SignUp) -> None:
        both = sign_up("VENDOR", "AGENT")
        made = [apply(shop, both, trade) for trade in ("VENDOR", "AGENT")]
        again = shop.post(PARTNERS, both, {"payee_type": "AGENT", "company_name": "Another"})
        problem(again, 409, "partner_exists")
        assert {one["id"] for one in shop.done(shop.get(PARTNERS, both))["items"]} == {one["id"] for one in made}

    def test_two_at_once_make_one(self, shop: Shop, vendor: Person, running: Running) -> None:
        body = {"payee_type": "VENDOR", "company_name": "Nile Voyages"}
        answers = all_at_once([lambda: shop.post(PARTNERS, vendor, body) for _ in range(4)])
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
        assert len(running.database.rows("SELECT 1 FROM partner_profiles")) == 1

    def test_what_is_wrong_is_named(self, shop: Shop, vendor: Person) -> None:
        for body, pointer in (
            ({"payee_type": "VENDOR"}, "/company_name"),
            ({"payee_type": "PLUMBER", "company_name": "Nile"}, "/payee_type"),
            ({"payee_type": "VENDOR", "company_name": "Nile", "payout_method": "STRIPE"}, "/payout_method"),
            ({"payee_type": "VENDOR", "company_name": "Nile", "status": "ACTIVE"}, "/status"),
        ):
            problem(shop.post(PARTNERS, vendor, body), 422, "validation_failed", pointer=pointer)

    def test_a_profile_is_changed_as_its_reader_saw_it(self, shop: Shop, vendor: Person) -> None:
        profile = apply(shop, vendor)
        path = f"{PARTNERS}/{profile['id']}"
        tag = shop.get(path, vendor).headers["ETag"]
        first = shop.client.patch(path, json={"tax_id": "1-2-3"}, headers={**vendor.headers, "If-Match": tag})
        assert shop.done(first)["tax_id"] == "1-2-3"
        stale = shop.client.patch(path, json={"tax_id": "9-9-9"}, headers={**vendor.headers, "If-Match": tag})
        problem(stale, 412, "precondition_failed")
        assert seen(shop, vendor, profile)["tax_id"] == "1-2-3"
        assert shop.get(path, vendor, If_None_Match=first.headers["ETag"]).status_code == 304

    def test_somebody_elses_is_not_there(self, shop: Shop, vendor: Person, sign_up: SignUp) -> None:
        profile, other = a_partner(shop, vendor), sign_up("VENDOR")
        path = f"{PARTNERS}/{profile['id']}"
        for person in (other, sign_up(), shop.admin):
            problem(shop.get(path, person), 404, "partner_not_found")
            problem(shop.client.patch(path, json={}, headers=person.headers), 404, "partner_not_found")
            problem(shop.get(f"{path}/documents", person), 404, "partner_not_found")
        problem(put_account(shop, other, profile), 404, "partner_not_found")
        body = {"payout_method": "WALLET", "current_password": PASSWORD}
        answer = shop.client.put(f"{path}/payout-method", json=body, headers=other.headers)
        problem(answer, 404, "partner_not_found")
        assert seen(shop, vendor, profile) == {k: v for k, v in profile.items() if k in seen(shop, vendor, profile)}


class TestDeciding:
    def test_staff_approve_what_they_have_seen(self, shop: Shop, vendor: Person) -> None:
        profile = apply(shop, vendor)
        shop.done(put_account(shop, vendor, profile))
        tag = shop.get(f"{desk('VENDOR')}/{profile['id']}", shop.admin).headers["ETag"]
        shop.done(put_account(shop, vendor, profile, account_number=OTHER_IBAN))

        stale = decide(shop, shop.admin, profile, "approve", headers={"If-Match": tag})

        problem(stale, 412, "precondition_failed")
        approved = shop.done(decide(shop, shop.admin, profile, "approve"))
        assert (approved["status"], approved["approved_by_user_id"]) == ("ACTIVE", str(shop.admin.user_id))
        assert approved["bank_account"]["masked"].endswith("•••• 7519")

    def test_nobody_approves_themselves(self, shop: Shop, sign_up: SignUp, addresses: DatabaseAddresses) -> None:
        both = sign_up("VENDOR", "ADMIN")
        profile = apply(shop, both, payout_method="WALLET")
        for verb, said in (("approve", {}), ("refuse", {"reason": "because"}), ("suspend", {"reason": "because"})):
            problem(decide(shop, both, profile, verb, **said), 403, "own_request")
        rate = shop.client.post(
            f"{desk('VENDOR')}/{profile['id']}/rates", json={"rate": "99", "reason": "mine"}, headers=both.headers
        )
        problem(rate, 403, "own_request")
        with connect(addresses.app) as connection, pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(
                "UPDATE partner_profiles SET status = 'ACTIVE', approved_at = now(), approved_by_user_id = user_id"
            )

    def test_two_at_once_approve_once(self, shop: Shop, vendor: Person, running: Running) -> None:
        profile = apply(shop, vendor, payout_method="WALLET")
        answers = all_at_once([lambda: decide(shop, shop.admin, profile, "approve") for _ in range(3)])
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
        assert len(audited(running, "partners.approve")) == 1

    def test_without_a_bank_account_nobody_is_paid_by_transfer(self, shop: Shop, vendor: Person) -> None:
        profile = apply(shop, vendor)
        problem(decide(shop, shop.admin, profile, "approve"), 409, "bank_account_missing")

    def test_a_refused_one_hears_why_changes_it_and_waits_again(
        self, shop: Shop, vendor: Person, running: Running
    ) -> None:
        profile = apply(shop, vendor)
        shop.done(decide(shop, shop.admin, profile, "refuse", reason="The licence is missing"))
        shop.deliver_events()
        assert seen(shop, vendor, profile)["refusal_reason"] == "The licence is missing"
        *_, mail = mails_to(vendor.email, running.settings.home)
        assert "The licence is missing" in mail.text

        path = f"{PARTNERS}/{profile['id']}"
        shop.done(shop.client.patch(path, json={"license_number": "TR-1"}, headers=vendor.headers))

        again = at_desk(shop, shop.admin, profile)
        assert (again["status"], again["refusal_reason"]) == ("PENDING_APPROVAL", None)

    def test_whoever_is_suspended_is_told_and_comes_back(self, shop: Shop, vendor: Person, running: Running) -> None:
        profile = a_partner(shop, vendor)
        shop.done(decide(shop, shop.admin, profile, "suspend", reason="Too many complaints"))
        assert seen(shop, vendor, profile)["suspension_reason"] == "Too many complaints"
        problem(put_account(shop, vendor, profile, account_number=OTHER_IBAN), 409, "partner_suspended")
        problem(decide(shop, shop.admin, profile, "suspend", reason="again"), 409, "illegal_transition")
        shop.done(decide(shop, shop.admin, profile, "reinstate"))
        shop.deliver_events()

        assert seen(shop, vendor, profile)["status"] == "ACTIVE"
        told = [one["title"] for one in shop.done(shop.get("/api/v1/notifications", vendor))["items"]]
        assert {"Your profile is suspended", "Your profile is active again"} <= set(told)
        subjects = [mail.subject for mail in mails_to(vendor.email, running.settings.home)]
        assert {"Your profile is suspended", "Your profile is active again"} <= set(subjects)
        (suspension,) = audited(running, "partners.suspend")
        assert (suspension["before"]["status"], suspension["after"]["status"]) == ("ACTIVE", "SUSPENDED")

    def test_each_trade_has_its_own_desk(self, shop: Shop, vendor: Person, personas: Personas) -> None:
        profile = apply(shop, vendor, payout_method="WALLET")
        elsewhere = {**profile, "payee_type": "AGENT"}
        problem(shop.get(f"{desk('AGENT')}/{profile['id']}", shop.admin), 404, "partner_not_found")
        problem(decide(shop, shop.admin, elsewhere, "approve"), 404, "partner_not_found")
        sales = personas.with_roles("EMPLOYEE", "SALES").person
        problem(decide(shop, sales, profile, "approve"), 403, "forbidden")
        operations = personas.with_roles("EMPLOYEE", "OPERATIONS").person
        assert shop.done(decide(shop, operations, profile, "approve"))["status"] == "ACTIVE"
        for path in (desk("VENDOR"), f"{desk('VENDOR')}/{profile['id']}"):
            assert shop.get(path, vendor).status_code == 403

    def test_unknown_ones_are_not_there(self, shop: Shop) -> None:
        nobody = {"id": str(uuid4()), "payee_type": "VENDOR"}
        for verb, said in (("approve", {}), ("reinstate", {}), ("suspend", {"reason": "because"})):
            problem(decide(shop, shop.admin, nobody, verb, **said), 404, "partner_not_found")


class TestBankAccounts:
    def test_the_first_is_used_at_once_and_the_next_cools_off(
        self, shop: Shop, vendor: Person, clock: MovableClock
    ) -> None:
        profile = a_partner(shop, vendor)
        first = seen(shop, vendor, profile)["bank_account"]
        assert first["usable_from"] == first["created_at"]

        shop.done(put_account(shop, vendor, profile, account_number=OTHER_IBAN))

        second = seen(shop, vendor, profile)["bank_account"]
        assert second["masked"] == "Bank of the Delta •••• 7519"
        assert instant(second["usable_from"]) - instant(second["created_at"]) == timedelta(hours=72)

    def test_the_company_says_for_how_long(self, shop: Shop, vendor: Person) -> None:
        profile = a_partner(shop, vendor)
        path = "/api/v1/admin/settings/payout.bank_change_cooling_hours"
        shop.done(shop.client.put(path, json={"value": 24}, headers=shop.admin.headers))
        changed = shop.done(put_account(shop, vendor, profile, account_number=OTHER_IBAN))["bank_account"]
        assert instant(changed["usable_from"]) - instant(changed["created_at"]) == timedelta(hours=24)

    def test_the_same_again_changes_nothing(self, shop: Shop, vendor: Person, running: Running) -> None:
        profile = a_partner(shop, vendor)
        shop.done(put_account(shop, vendor, profile, account_number="eg38 0019 0005 0000 0000 2631 8000 2"))
        assert len(running.database.rows("SELECT 1 FROM partner_bank_accounts")) == 1
        assert len(audited(running, "partners.bank_account")) == 1

    def test_two_at_once_leave_both_on_file_and_one_that_counts(
        self, shop: Shop, vendor: Person, running: Running
    ) -> None:
        profile = a_partner(shop, vendor)
        numbers = (OTHER_IBAN, "AE070331234567890123456")
        answers = all_at_once([lambda n=n: put_account(shop, vendor, profile, account_number=n) for n in numbers])
        assert [answer.status_code for answer in answers] == [200, 200]
        rows = running.database.rows("SELECT masked FROM partner_bank_accounts ORDER BY created_at DESC, id DESC")
        assert len(rows) == 3
        assert seen(shop, vendor, profile)["bank_account"]["masked"] == rows[0]["masked"]

    def test_the_number_is_nowhere_but_encrypted(
        self, shop: Shop, vendor: Person, running: Running, addresses: DatabaseAddresses
    ) -> None:
        profile = a_partner(shop, vendor)
        shop.deliver_events()
        answers = [
            shop.get(f"{PARTNERS}/{profile['id']}", vendor).text,
            shop.get(f"{desk('VENDOR')}/{profile['id']}", shop.admin).text,
            shop.get("/api/v1/admin/audit-logs", shop.admin).text,
            *(mail.text for mail in mails_to(vendor.email, running.settings.home)),
        ]
        assert [text for text in answers if IBAN[8:] in text] == []
        assert IBAN[8:] not in every_row(addresses)
        (row,) = running.database.rows("SELECT details_encrypted FROM partner_bank_accounts")
        encryption = FernetEncryption(running.settings.field_encryption_keys)
        kept = orjson.loads(encryption.decrypt(bytes(row["details_encrypted"])))
        assert kept == {
            "holder_name": "Nile Voyages", "account_number": IBAN, "bank_name": "Bank of the Delta", "bank_branch": "",
            "swift_code": "",
        }  # fmt: skip
        assert BankAccount.of(kept).account_number == IBAN

    def test_its_owner_is_told_by_mail_and_in_the_app(self, shop: Shop, vendor: Person, running: Running) -> None:
        profile = a_partner(shop, vendor)
        shop.deliver_events()
        before = len(mails_to(vendor.email, running.settings.home))

        shop.done(put_account(shop, vendor, profile, account_number=OTHER_IBAN))
        shop.deliver_events()

        mail = mails_to(vendor.email, running.settings.home)[-1]
        assert len(mails_to(vendor.email, running.settings.home)) == before + 1
        assert mail.subject == "Where your money goes has changed"
        (newest, *_) = shop.done(shop.get("/api/v1/notifications", vendor))["items"]
        assert newest["title"] == mail.subject

    def test_it_takes_the_password_and_wrong_ones_are_counted(self, shop: Shop, vendor: Person) -> None:
        profile = apply(shop, vendor)
        for _ in range(ACCOUNT_FAILURES):
            wrong = put_account(shop, vendor, profile, current_password="wrong horse 42")
            problem(wrong, 422, "wrong_current_password", pointer="/current_password")
        assert put_account(shop, vendor, profile).status_code == 429
        assert seen(shop, vendor, profile)["bank_account"] is None

    def test_and_the_second_factor_where_there_is_one(self, shop: Shop, vendor: Person, clock: MovableClock) -> None:
        profile = apply(shop, vendor)
        phone = Phone(shop, clock, vendor).switch_on()
        problem(put_account(shop, vendor, profile), 401, "second_factor_required")
        wrong = put_account(shop, vendor, profile, second_factor_code=phone.wrong_code())
        assert wrong.json["code"] == "second_factor_invalid"
        assert seen(shop, vendor, profile)["bank_account"] is None
        shop.done(put_account(shop, vendor, profile, second_factor_code=phone.code()))

    def test_a_wrong_number_is_named(self, shop: Shop, vendor: Person) -> None:
        profile = apply(shop, vendor)
        for said, pointer in (
            ({"account_number": IBAN[:-1] + "3"}, "/account_number"),
            ({"account_number": "12345678", "bank_name": ""}, "/bank_name"),
            ({"swift_code": "NOPE"}, "/swift_code"),
        ):
            problem(put_account(shop, vendor, profile, **said), 422, "validation_failed", pointer=pointer)

    def test_another_way_of_payout_cools_off_too(self, shop: Shop, vendor: Person) -> None:
        profile = a_partner(shop, vendor)
        path = f"{PARTNERS}/{profile['id']}/payout-method"
        body = {"payout_method": "WALLET", "current_password": PASSWORD}
        wrong = shop.client.put(path, json={**body, "current_password": "wrong horse 42"}, headers=vendor.headers)
        problem(wrong, 422, "wrong_current_password")
        changed = shop.done(shop.client.put(path, json=body, headers=vendor.headers))
        assert changed["payout_method"] == "WALLET"
        assert instant(changed["payouts_from"]) > instant(changed["approved_at"]) + timedelta(hours=71)
        stripe = shop.client.put(path, json={**body, "payout_method": "STRIPE"}, headers=vendor.headers)
        problem(stripe, 409, "stripe_account_missing")

    def test_staff_enter_the_account_at_stripe(self, shop: Shop, vendor: Person, personas: Personas) -> None:
        profile = a_partner(shop, vendor)
        path = f"{desk('VENDOR')}/{profile['id']}/stripe-account"
        finance, employee = personas.named("finance").person, personas.named("employee").person
        body = {"stripe_account": "acct_1NvQ2eLkdIwHu7ix"}
        problem(shop.client.put(path, json=body, headers=employee.headers), 403, "forbidden")
        wrong = shop.client.put(path, json={"stripe_account": "cus_1NvQ2e"}, headers=finance.headers)
        problem(wrong, 422, "validation_failed", pointer="/stripe_account")
        shop.done(shop.client.put(path, json=body, headers=finance.headers))
        chosen = {"payout_method": "STRIPE", "current_password": PASSWORD}
        own = f"{PARTNERS}/{profile['id']}/payout-method"
        assert shop.done(shop.client.put(own, json=chosen, headers=vendor.headers))["payout_method"] == "STRIPE"


class TestRates:
    def test_staff_agree_on_rates_and_all_of_them_stay(
        self, shop: Shop, vendor: Person, clock: MovableClock, personas: Personas
    ) -> None:
        profile = a_partner(shop, vendor)
        path, finance = f"{desk('VENDOR')}/{profile['id']}/rates", personas.named("finance").person
        assert seen(shop, vendor, profile)["rate"] is None
        later = (clock.now() + timedelta(days=30)).isoformat()
        shop.done(shop.post(path, finance, {"rate": "82.5", "reason": "renewed"}), 201)
        shop.done(shop.post(path, finance, {"rate": "85", "reason": "next year", "valid_from": later}), 201)
        assert seen(shop, vendor, profile)["rate"] == "82.50"
        problem(
            shop.post(path, finance, {"rate": "90", "reason": "the same instant", "valid_from": later}),
            409,
            "rate_exists",
        )
        assert [one["rate"] for one in shop.done(shop.get(path, finance))["items"]] == ["85.00", "82.50"]

    def test_never_in_the_past_and_never_by_the_vendor(
        self, shop: Shop, vendor: Person, clock: MovableClock, personas: Personas
    ) -> None:
        profile = a_partner(shop, vendor)
        path, finance = f"{desk('VENDOR')}/{profile['id']}/rates", personas.named("finance").person
        past = {"rate": "99", "reason": "backdated", "valid_from": (clock.now() - timedelta(hours=1)).isoformat()}
        problem(shop.post(path, finance, past), 422, "validation_failed", pointer="/valid_from")
        problem(shop.post(path, finance, {"rate": "101", "reason": "more"}), 422, "validation_failed", pointer="/rate")
        assert shop.post(path, vendor, {"rate": "99", "reason": "mine"}).status_code == 403
        problem(shop.post(path, personas.named("employee").person, {"rate": "99", "reason": "mine"}), 403, "forbidden")


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
