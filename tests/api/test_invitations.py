"""Invitations: who invites whom, what a link does once, and what the page at its end says."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import cli
from app import create_app
from application.identity.invitations import AcceptInvitation, accept_invitation
from application.identity.signing_in import SignedIn
from config.settings import Settings
from domain.identity.invitations import WrongInvitation
from domain.identity.lockout import ACCOUNT_FAILURES
from infrastructure.bootstrap import Running
from infrastructure.database.roles import DatabaseAddresses, connect
from security.password_handler import BcryptPasswords
from tests.api.mailbox import mails_to
from tests.api.shop import Shop, SignUp, problem
from tests.conftest import MovableClock, Person
from tests.integration.shop import all_at_once

pytestmark = pytest.mark.database

PATH = "/api/v1/admin/invitations"
ACCEPT = "/api/v1/auth/invitations/accept"
EMAIL = "vendor@example.com"
PASSWORD = "correct horse 42"
NEW = {"password": PASSWORD, "first_name": "ليلى", "last_name": "Adel", "phone": "01000000000"}


def invite(shop: Shop, by: Person, **changes: Any) -> TestResponse:
    body = {"email": EMAIL, "roles": ["VENDOR"], "locale": "ar", **changes}
    return shop.client.post(PATH, json=body, headers=by.headers)


def links(shop: Shop, settings: Settings, email: str = EMAIL) -> list[str]:
    """The links in the invitations that an address was mailed, oldest first."""
    shop.deliver_events()
    found = [re.findall(r"http\S+/invitations/accept\?\S+", mail.text) for mail in mails_to(email, settings.home)]
    return [link for (link,) in filter(None, found)]


def token_of(link: str) -> str:
    return parse_qs(urlsplit(link).query)["token"][0]


def accept(shop: Shop, link: str, **body: Any) -> TestResponse:
    return shop.client.post(ACCEPT, json={"token": token_of(link), **body})


def proved(addresses: DatabaseAddresses, person: Person) -> None:
    """Somebody whose address was proved long ago."""
    with connect(addresses.owner) as connection:
        connection.execute("UPDATE users SET email_verified_at = created_at WHERE id = %s", [person.user_id])


@pytest.fixture
def admin(sign_up: SignUp) -> Person:
    return sign_up("ADMIN")


class TestInviting:
    def test_it_is_shown_listed_and_mailed_in_the_readers_language(
        self, shop: Shop, admin: Person, settings: Settings
    ) -> None:
        shown = shop.done(invite(shop, admin, email=f" {EMAIL.upper()}"), 201)
        assert (shown["email"], shown["roles"], shown["state"]) == (EMAIL, ["VENDOR"], "PENDING")
        assert shown["invited_by"] == str(admin.user_id)
        listed = shop.done(shop.client.get(PATH, headers=admin.headers))
        assert listed == {"items": [shown], "next_cursor": None}
        shop.deliver_events()
        (mail,) = mails_to(EMAIL, settings.home)
        subject, text = mail.subject, mail.text
        assert subject == "دعوة للانضمام إلى AltayarVIP"
        assert "مورد" in text

    @pytest.mark.parametrize(
        ("granter", "roles", "code"),
        [
            ("ADMIN", ["ADMIN"], "role_not_grantable"),
            ("ADMIN", ["VENDOR", "SUPER_ADMIN"], "role_not_grantable"),
            ("EMPLOYEE", ["VENDOR"], "forbidden"),
            ("CUSTOMER", ["VENDOR"], "wrong_surface"),
            ("SUPER_ADMIN", ["SUPER_ADMIN", "ADMIN"], ""),
            ("ADMIN", ["EMPLOYEE", "AGENT", "VENDOR"], ""),
        ],
    )
    def test_nobody_invites_above_themselves(
        self, shop: Shop, sign_up: SignUp, granter: str, roles: list[str], code: str
    ) -> None:
        answer = invite(shop, sign_up(granter), roles=roles)
        if code:
            problem(answer, 403, code)
        else:
            assert answer.status_code == 201

    def test_bad_input_is_refused_at_its_field(self, shop: Shop, admin: Person) -> None:
        before = shop.state()
        for name, value in (
            ("email", "x"),
            ("email", None),
            ("roles", []),
            ("roles", ["CUSTOMER"]),
            ("roles", ["NOBODY"]),
            ("roles", "VENDOR"),
            ("roles", ["VENDOR"] * 11),
            ("locale", "fr"),
            ("token", "x"),
        ):
            problem(invite(shop, admin, **{name: value}), 422, "validation_failed", pointer=f"/{name}")
        assert shop.state() == before

    def test_inviting_again_withdraws_the_older_one(self, shop: Shop, admin: Person, settings: Settings) -> None:
        first = shop.done(invite(shop, admin), 201)
        (old_link,) = links(shop, settings)
        second = shop.done(invite(shop, admin, roles=["AGENT"]), 201)
        states = {item["id"]: item["state"] for item in shop.client.get(PATH, headers=admin.headers).json["items"]}
        assert states == {first["id"]: "WITHDRAWN", second["id"]: "PENDING"}
        problem(accept(shop, old_link, **NEW), 422, "invitation_invalid", pointer="/token")
        assert shop.done(accept(shop, links(shop, settings)[-1], **NEW), 201)["user"]["roles"] == ["AGENT"]

    def test_withdrawn_it_is_over(self, shop: Shop, admin: Person, settings: Settings) -> None:
        path = f"{PATH}/{shop.done(invite(shop, admin), 201)['id']}"
        (link,) = links(shop, settings)
        assert shop.client.delete(path, headers=admin.headers).status_code == 204
        problem(accept(shop, link, **NEW), 422, "invitation_invalid")
        problem(shop.client.delete(path, headers=admin.headers), 409, "invitation_closed")
        problem(shop.client.post(f"{path}/resend", headers=admin.headers), 409, "invitation_closed")
        unknown = f"{PATH}/{admin.user_id}"
        problem(shop.client.delete(unknown, headers=admin.headers), 404, "invitation_not_found")

    def test_sent_again_the_new_link_is_good_for_a_week_and_the_old_one_is_not(
        self, shop: Shop, admin: Person, settings: Settings, clock: MovableClock
    ) -> None:
        path = f"{PATH}/{shop.done(invite(shop, admin), 201)['id']}"
        (old,) = links(shop, settings)
        clock.offset = timedelta(days=8)
        admin = shop.again(admin)
        expired = shop.client.get(PATH, query_string={"state": "EXPIRED"}, headers=admin.headers)
        assert [item["state"] for item in expired.json["items"]] == ["EXPIRED"]
        problem(accept(shop, old, **NEW), 422, "invitation_invalid")
        again = shop.done(shop.client.post(f"{path}/resend", headers=admin.headers))
        assert again["state"] == "PENDING"
        new = links(shop, settings)[-1]
        problem(accept(shop, old, **NEW), 422, "invitation_invalid")
        assert accept(shop, new, **NEW).status_code == 201

    def test_every_step_is_recorded_without_the_address(
        self, shop: Shop, admin: Person, settings: Settings, addresses: DatabaseAddresses
    ) -> None:
        path = f"{PATH}/{shop.done(invite(shop, admin), 201)['id']}"
        shop.client.post(f"{path}/resend", headers=admin.headers)
        shop.client.delete(path, headers=admin.headers)
        invite(shop, admin)
        user = shop.done(accept(shop, links(shop, settings)[-1], **NEW), 201)["user"]
        with connect(addresses.owner) as connection:
            rows = connection.execute(
                "SELECT action, user_id::text, changes::text FROM audit_logs ORDER BY created_at, id"
            ).fetchall()
        assert [(action, actor) for action, actor, _ in rows] == [
            ("users.invite", str(admin.user_id)),
            ("users.resend_invitation", str(admin.user_id)),
            ("users.withdraw_invitation", str(admin.user_id)),
            ("users.invite", str(admin.user_id)),
            ("users.accept_invitation", user["id"]),
        ]
        assert EMAIL not in str(rows)


class TestAccepting:
    @pytest.fixture
    def link(self, shop: Shop, admin: Person, settings: Settings) -> str:
        assert invite(shop, admin).status_code == 201
        return links(shop, settings)[-1]

    def test_it_opens_an_account_whose_address_is_proved(
        self, shop: Shop, link: str, admin: Person, settings: Settings
    ) -> None:
        signed_in = shop.done(accept(shop, link, **NEW), 201)
        assert set(signed_in) == {"user", "access_token", "refresh_token", "token_type", "expires_in"}
        user = signed_in["user"]
        assert (user["email"], user["roles"], user["locale"]) == (EMAIL, ["VENDOR"], "ar")
        assert (user["email_verified"], user["phone"], user["phone_verified"]) == (True, "+201000000000", False)
        logged_in = shop.client.post("/api/v1/auth/login", json={"email": EMAIL, "password": PASSWORD})
        assert logged_in.status_code == 200
        # Nobody is asked to prove the address a second time.
        assert len(links(shop, settings)) == len(mails_to(EMAIL, settings.home)) == 1
        (listed,) = shop.client.get(PATH, query_string={"state": "ACCEPTED"}, headers=admin.headers).json["items"]
        assert listed["accepted_at"] is not None

    def test_a_link_works_once(self, shop: Shop, link: str) -> None:
        assert accept(shop, link, **NEW).status_code == 201
        problem(accept(shop, link, **NEW), 422, "invitation_invalid", pointer="/token")

    def test_accepted_twice_at_once_there_is_one_account(
        self, shop: Shop, link: str, running: Running, addresses: DatabaseAddresses
    ) -> None:
        use = running.dependencies

        def accepting() -> SignedIn:
            return accept_invitation(
                AcceptInvitation(token=token_of(link), user_agent="", address="", **NEW),
                uow=use.new_uow(),
                passwords=use.passwords,
                codes=use.one_time_codes,
                tokens=use.tokens,
                clock=use.clock,
                new_id=use.new_id,
            )

        results = all_at_once([accepting] * 4)

        assert sorted(type(result).__name__ for result in results) == ["SignedIn", *["WrongInvitation"] * 3]
        assert all(isinstance(result, SignedIn | WrongInvitation) for result in results)
        with connect(addresses.owner) as connection:
            assert connection.execute("SELECT count(*) FROM users WHERE email = %s", [EMAIL]).fetchone() == (1,)

    def test_what_a_new_account_needs_is_asked_for_and_the_link_stays_good(self, shop: Shop, link: str) -> None:
        before = shop.state()
        for name, value in (
            ("first_name", None),
            ("last_name", ""),
            ("password", "short"),
            ("password", "password123"),
            ("phone", "12"),
            ("roles", ["ADMIN"]),
            ("email", "x@example.com"),
        ):
            problem(accept(shop, link, **{**NEW, name: value}), 422, "validation_failed", pointer=f"/{name}")
        names = {name: NEW[name] for name in ("password", "last_name")}
        problem(accept(shop, link, **names), 422, "validation_failed", pointer="/first_name")
        assert shop.state() == before
        assert accept(shop, link, **NEW).status_code == 201

    def test_unknown_links_are_refused(self, shop: Shop) -> None:
        before = shop.state()
        for token in ("", "x", "x" * 1024, "ليلى"):
            answer = shop.client.post(ACCEPT, json={"token": token, **NEW})
            problem(answer, 422, "invitation_invalid", pointer="/token")
        assert shop.state() == before

    def test_the_owner_of_the_address_gives_its_password_and_gets_the_roles(
        self, shop: Shop, link: str, sign_up: SignUp, addresses: DatabaseAddresses
    ) -> None:
        known = sign_up(email=EMAIL)
        proved(addresses, known)
        problem(accept(shop, link, password="wrong horse 42"), 401, "wrong_credentials")
        signed_in = shop.done(accept(shop, link, password=PASSWORD), 201)
        assert signed_in["user"]["id"] == str(known.user_id)
        assert signed_in["user"]["roles"] == ["CUSTOMER", "VENDOR"]

    def test_guessing_that_password_is_locked(
        self, shop: Shop, link: str, sign_up: SignUp, addresses: DatabaseAddresses
    ) -> None:
        proved(addresses, sign_up(email=EMAIL))
        for _ in range(ACCOUNT_FAILURES):
            problem(accept(shop, link, password="wrong horse 42"), 401, "wrong_credentials")
        problem(accept(shop, link, password=PASSWORD), 429, "too_many_attempts")

    def test_a_second_factor_is_asked_for_here_too(
        self, shop: Shop, link: str, sign_up: SignUp, addresses: DatabaseAddresses, clock: MovableClock
    ) -> None:
        known = sign_up(email=EMAIL)
        proved(addresses, known)
        factor = "/api/v1/users/me/second-factor"
        started = shop.client.post(factor, json={"current_password": PASSWORD}, headers=known.headers)
        app = pyotp.TOTP(started.json["secret"])
        shop.client.post(f"{factor}/confirm", json={"code": app.at(clock.now())}, headers=known.headers)
        problem(accept(shop, link, password=PASSWORD), 401, "second_factor_required")
        clock.offset = timedelta(seconds=31)
        code = app.at(clock.now())
        assert accept(shop, link, password=PASSWORD, second_factor_code=code).status_code == 201

    def test_a_closed_account_accepts_nothing(
        self, shop: Shop, link: str, sign_up: SignUp, addresses: DatabaseAddresses
    ) -> None:
        known = sign_up(email=EMAIL)
        proved(addresses, known)
        with connect(addresses.owner) as connection:
            connection.execute("UPDATE users SET status = 'DISABLED' WHERE id = %s", [known.user_id])
        problem(accept(shop, link, password=PASSWORD), 401, "wrong_credentials")

    def test_no_token_is_in_the_rows(self, shop: Shop, link: str, addresses: DatabaseAddresses) -> None:
        token = token_of(link)
        with connect(addresses.owner) as connection:
            tables = ("invitations", "invitation_tokens", "outbox_events", "audit_logs")
            dump = str([connection.execute(f"SELECT t::text FROM {table} t").fetchall() for table in tables])  # type: ignore[arg-type]
        assert token not in dump
        assert token.encode().hex() not in dump


class TestWhoAnswersForIt:
    """Nobody invites to more than they may do, and whoever invited has to be able to when it is accepted."""

    @pytest.fixture
    def poorer(self, addresses: DatabaseAddresses) -> Callable[[], None]:
        """Administrators may not approve payouts any more."""

        def strip() -> None:
            with connect(addresses.owner) as connection:
                connection.execute(
                    """DELETE FROM role_permissions g USING roles r, permissions p
                       WHERE r.id = g.role_id AND p.id = g.permission_id
                         AND r.role_name = 'ADMIN' AND p.permission_code = 'payouts.approve'"""
                )

        return strip

    def test_nobody_invites_to_a_role_that_permits_more(
        self, shop: Shop, admin: Person, sign_up: SignUp, poorer: Callable[[], None]
    ) -> None:
        assert admin
        poorer()
        before = shop.state()
        problem(invite(shop, admin, roles=["EMPLOYEE", "FINANCE"]), 403, "role_not_grantable")
        assert shop.state() == before
        assert invite(shop, admin, roles=["EMPLOYEE"]).status_code == 201
        assert invite(shop, sign_up("SUPER_ADMIN"), roles=["FINANCE"]).status_code == 201

    def test_nor_sends_it_again(self, shop: Shop, admin: Person, poorer: Callable[[], None]) -> None:
        path = f"{PATH}/{shop.done(invite(shop, admin, roles=['FINANCE']), 201)['id']}"
        poorer()
        before = shop.state()
        problem(shop.client.post(f"{path}/resend", headers=admin.headers), 403, "role_not_grantable")
        assert shop.state() == before
        assert shop.client.delete(path, headers=admin.headers).status_code == 204

    @pytest.mark.parametrize(
        "change",
        ["status = 'DISABLED'", "deleted_at = now()", "roles = '{CUSTOMER}'", "roles = '{EMPLOYEE,FINANCE}'"],
    )
    def test_it_is_over_once_the_inviter_could_not_invite(
        self, shop: Shop, admin: Person, settings: Settings, addresses: DatabaseAddresses, change: str
    ) -> None:
        assert invite(shop, admin, roles=["FINANCE"]).status_code == 201
        (link,) = links(shop, settings)
        with connect(addresses.owner) as connection:
            connection.execute(f"UPDATE users SET {change} WHERE id = %s", [admin.user_id])
        before = shop.state()
        problem(accept(shop, link, **NEW), 422, "invitation_invalid", pointer="/token")
        assert shop.state() == before

    def test_or_may_do_less_than_the_role(
        self, shop: Shop, admin: Person, settings: Settings, poorer: Callable[[], None]
    ) -> None:
        assert invite(shop, admin, roles=["FINANCE"]).status_code == 201
        (link,) = links(shop, settings)
        poorer()
        before = shop.state()
        problem(accept(shop, link, **NEW), 422, "invitation_invalid", pointer="/token")
        assert shop.state() == before

    def test_the_owner_of_the_address_gets_nothing_by_it_either(
        self, shop: Shop, admin: Person, settings: Settings, addresses: DatabaseAddresses, sign_up: SignUp
    ) -> None:
        proved(addresses, sign_up(email=EMAIL))
        assert invite(shop, admin, roles=["FINANCE"]).status_code == 201
        (link,) = links(shop, settings)
        with connect(addresses.owner) as connection:
            connection.execute("UPDATE users SET status = 'DISABLED' WHERE id = %s", [admin.user_id])
        problem(accept(shop, link, password=PASSWORD), 422, "invitation_invalid")
        assert shop.database.row("SELECT roles FROM users WHERE email = %s", (EMAIL,)) == {"roles": ["CUSTOMER"]}

    def test_also_where_that_comes_while_the_password_is_hashed(
        self, shop: Shop, admin: Person, settings: Settings, addresses: DatabaseAddresses, running: Running
    ) -> None:
        assert invite(shop, admin, roles=["FINANCE"]).status_code == 201
        (link,) = links(shop, settings)

        class SlowPasswords(BcryptPasswords):
            def hash(self, password: str, *, like: Sequence[str] = (), pointer: str = "/password") -> str:
                with connect(addresses.owner) as connection:
                    connection.execute("UPDATE users SET status = 'DISABLED' WHERE id = %s", [admin.user_id])
                return super().hash(password, like=like, pointer=pointer)

        use = replace(running.dependencies, passwords=SlowPasswords(4))
        client = create_app(running=replace(running, dependencies=use)).test_client()
        problem(client.post(ACCEPT, json={"token": token_of(link), **NEW}), 422, "invitation_invalid")
        assert shop.database.row("SELECT 1 FROM users WHERE email = %s", (EMAIL,)) is None

    def test_whoever_sends_it_again_answers_for_it(
        self, shop: Shop, admin: Person, settings: Settings, addresses: DatabaseAddresses, sign_up: SignUp
    ) -> None:
        path = f"{PATH}/{shop.done(invite(shop, admin, roles=['FINANCE']), 201)['id']}"
        with connect(addresses.owner) as connection:
            connection.execute("UPDATE users SET status = 'DISABLED' WHERE id = %s", [admin.user_id])
        colleague = sign_up("ADMIN")
        again = shop.done(shop.client.post(f"{path}/resend", headers=colleague.headers))
        assert again["invited_by"] == str(colleague.user_id)
        assert shop.done(accept(shop, links(shop, settings)[-1], **NEW), 201)["user"]["roles"] == ["FINANCE"]


class TestPage:
    """The end of the mailed link, for people without the app."""

    @pytest.fixture
    def link(self, shop: Shop, admin: Person, settings: Settings) -> str:
        assert invite(shop, admin).status_code == 201
        return links(shop, settings)[-1]

    @staticmethod
    def at(client: FlaskClient, link: str, **query: str) -> TestResponse:
        return client.get("/invitations/accept", query_string={"token": token_of(link), **query})

    def test_looking_at_it_accepts_nothing(self, shop: Shop, link: str) -> None:
        before = shop.state()
        page = self.at(shop.client, link)
        assert page.status_code == 200
        assert page.headers["Content-Language"] == "ar"
        assert "script" not in page.text
        assert EMAIL in page.text
        assert self.at(shop.client, link, lang="en").headers["Content-Language"] == "en"
        assert shop.state() == before

    def test_its_form_opens_the_account(self, shop: Shop, link: str) -> None:
        form = {"token": token_of(link), "phone": "", **{name: NEW[name] for name in NEW if name != "phone"}}
        page = shop.client.post("/invitations/accept?lang=en", data=form)
        assert page.status_code == 200
        assert "The invitation is accepted" in page.text
        login = shop.client.post("/api/v1/auth/login", json={"email": EMAIL, "password": PASSWORD})
        assert login.json["user"]["roles"] == ["VENDOR"]
        over = shop.client.post("/invitations/accept?lang=en", data=form)
        assert over.status_code == 422
        assert "The link is not valid" in over.text

    def test_a_refusal_is_told_beside_what_was_written_but_never_the_password(self, shop: Shop, link: str) -> None:
        form = {"token": token_of(link), "password": "short", "first_name": "<b>Mona</b>", "last_name": "Adel"}
        page = shop.client.post("/invitations/accept?lang=en", data=form)
        assert page.status_code == 422
        assert 'role="alert"' in page.text
        assert "&lt;b&gt;Mona&lt;/b&gt;" in page.text
        assert 'value="short"' not in page.text

    def test_a_known_account_is_asked_for_its_password_alone(
        self, shop: Shop, link: str, sign_up: SignUp, addresses: DatabaseAddresses
    ) -> None:
        proved(addresses, sign_up(email=EMAIL))
        assert re.findall(r'<input type="\w+" name="(\w+)"', self.at(shop.client, link).text) == ["token", "password"]

    def test_unknown_links_are_told_so(self, client: FlaskClient) -> None:
        for token in ("", "x", "<script>"):
            page = client.get("/invitations/accept", query_string={"token": token, "lang": "en"})
            assert page.status_code == 422
            assert "The link is not valid" in page.text


class TestCommand:
    """`altayar users invite`: the first administrator of an installation."""

    @pytest.fixture(autouse=True)
    def installation(self, running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
        @contextlib.contextmanager
        def this_system() -> Iterator[Running]:
            yield running

        monkeypatch.setattr(cli, "_system", this_system)

    def test_the_printed_link_and_the_mailed_one_both_work(self, shop: Shop, settings: Settings) -> None:
        said = CliRunner().invoke(cli.main, ["users", "invite", EMAIL, "--role", "SUPER_ADMIN"])
        assert said.exit_code == 0, said.output
        (printed,) = re.findall(r"http\S+", said.output)
        (mailed,) = links(shop, settings)
        assert "Super Admin" in mails_to(EMAIL, settings.home)[0].text
        assert TestPage.at(shop.client, mailed).status_code == 200
        assert shop.done(accept(shop, printed, **NEW), 201)["user"]["roles"] == ["SUPER_ADMIN"]
        problem(accept(shop, mailed, **NEW), 422, "invitation_invalid")

    @pytest.mark.parametrize("arguments", [["x", "--role", "ADMIN"], [EMAIL, "--role", "NOBODY"], [EMAIL]])
    def test_what_cannot_be_is_said_in_a_line(self, arguments: list[str]) -> None:
        said = CliRunner().invoke(cli.main, ["users", "invite", *arguments])
        assert said.exit_code != 0
        assert "Traceback" not in said.output
        assert "Error" in said.output
