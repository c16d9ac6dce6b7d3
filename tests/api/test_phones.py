"""Proving a telephone number: one code, a few tries, a few messages an hour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from application.identity.phones import confirm_phone, make_phone_code, request_phone_code
from application.messaging.ports import SmsUnavailable
from application.subscriptions import HANDLERS
from config.settings import Settings
from domain.identity.lockout import TooManyAttempts
from domain.identity.phones import WrongPhoneCode
from infrastructure.bootstrap import Running
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.messaging.sms import TwilioSmsSender
from tests.api.mailbox import code_in, texts
from tests.api.shop import Shop, SignUp, problem
from tests.conftest import MovableClock, Person
from tests.fakes.twilio_server import REFUSED, FakeTwilio, twilio_server
from tests.integration.shop import all_at_once

pytestmark = pytest.mark.database

NUMBER = "+201000000000"
PATH = "/api/v1/users/me/phone/verification"


@pytest.fixture
def mona(sign_up: SignUp) -> Person:
    return sign_up(phone="0100 000 0000", locale="ar")


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    with twilio_server() as server:
        yield server


def ask(shop: Shop, person: Person, **headers: str) -> TestResponse:
    return shop.client.post(PATH, headers={**person.headers, **headers})


def confirm(shop: Shop, person: Person, code: str) -> TestResponse:
    return shop.client.post(f"{PATH}/confirm", json={"code": code}, headers=person.headers)


def sent_code(shop: Shop, settings: Settings) -> str:
    shop.deliver_events()
    return code_in(texts(settings.home)[-1][1])


def other_than(code: str) -> str:
    return "000000" if code != "000000" else "000001"


def test_a_number_is_proved_by_the_code_that_was_sent_to_it(shop: Shop, mona: Person, settings: Settings) -> None:
    assert shop.done(ask(shop, mona), 202) == {"status": "SENDING"}
    code = sent_code(shop, settings)
    ((to, text),) = texts(settings.home)
    assert to == NUMBER
    assert "رمز" in text
    shown = shop.done(confirm(shop, mona, code))
    assert (shown["phone"], shown["phone_verified"]) == (NUMBER, True)
    problem(confirm(shop, mona, code), 422, "phone_code_invalid", pointer="/code")
    problem(ask(shop, mona), 409, "phone_already_verified")


def test_another_number_has_to_be_proved_anew_and_the_same_does_not(
    shop: Shop, mona: Person, settings: Settings
) -> None:
    ask(shop, mona)
    shop.done(confirm(shop, mona, sent_code(shop, settings)))
    for phone, is_verified in (("+20 100 000 0000", True), ("+201000000001", False)):
        changed = shop.client.patch("/api/v1/users/me", json={"phone": phone}, headers=mona.headers)
        assert shop.done(changed)["phone_verified"] is is_verified


def test_a_code_proves_the_number_that_it_was_sent_to_alone(shop: Shop, mona: Person, settings: Settings) -> None:
    ask(shop, mona)
    code = sent_code(shop, settings)
    shop.client.patch("/api/v1/users/me", json={"phone": "+201000000001"}, headers=mona.headers)
    problem(confirm(shop, mona, code), 422, "phone_code_invalid")


def test_a_number_that_another_account_proved_is_proved_for_each_alone(
    shop: Shop, mona: Person, settings: Settings, sign_up: SignUp
) -> None:
    other = sign_up(phone=NUMBER)
    for person in (mona, other):
        ask(shop, person)
        code = sent_code(shop, settings)
        if person is mona:
            problem(confirm(shop, other, code), 422, "phone_code_invalid")
        assert shop.done(confirm(shop, person, code))["phone_verified"] is True


def test_five_wrong_tries_end_a_code(shop: Shop, mona: Person, settings: Settings) -> None:
    ask(shop, mona)
    code = sent_code(shop, settings)
    for _ in range(5):
        problem(confirm(shop, mona, other_than(code)), 422, "phone_code_invalid")
    problem(confirm(shop, mona, code), 422, "phone_code_invalid")


def test_a_try_is_counted_whatever_key_the_request_has(shop: Shop, mona: Person, settings: Settings) -> None:
    ask(shop, mona)
    code = sent_code(shop, settings)
    for number in range(5):
        headers = {**mona.headers, "Idempotency-Key": f"key-{number}"}
        shop.client.post(f"{PATH}/confirm", json={"code": other_than(code)}, headers=headers)
    problem(confirm(shop, mona, code), 422, "phone_code_invalid")


def test_tries_at_once_are_all_counted(shop: Shop, mona: Person, running: Running, settings: Settings) -> None:
    ask(shop, mona)
    code, use = sent_code(shop, settings), running.dependencies

    def attempt() -> None:
        confirm_phone(mona.user_id, other_than(code), uow=use.new_uow(), digests=use.digests, clock=use.clock)

    assert [type(result) for result in all_at_once([attempt] * 6)] == [WrongPhoneCode] * 6
    problem(confirm(shop, mona, code), 422, "phone_code_invalid")


def test_a_code_is_good_for_ten_minutes(shop: Shop, mona: Person, settings: Settings, clock: MovableClock) -> None:
    ask(shop, mona)
    code = sent_code(shop, settings)
    clock.offset = timedelta(minutes=10)
    problem(confirm(shop, mona, code), 422, "phone_code_invalid")


def test_only_the_newest_code_is_good(shop: Shop, mona: Person, settings: Settings) -> None:
    ask(shop, mona)
    first = sent_code(shop, settings)
    ask(shop, mona)
    second = sent_code(shop, settings)
    if first != second:
        problem(confirm(shop, mona, first), 422, "phone_code_invalid")
    assert shop.done(confirm(shop, mona, second))["phone_verified"] is True


def test_three_codes_an_hour_for_each_account(shop: Shop, mona: Person, clock: MovableClock) -> None:
    for number in range(3):
        shop.client.patch("/api/v1/users/me", json={"phone": f"+20100000000{number}"}, headers=mona.headers)
        assert ask(shop, mona).status_code == 202
    refused = ask(shop, mona)
    problem(refused, 429, "too_many_attempts")
    assert 3500 < int(refused.headers["Retry-After"]) <= 3601
    clock.offset = timedelta(hours=1)
    assert ask(shop, shop.again(mona)).status_code == 202


def test_three_codes_an_hour_for_each_number(shop: Shop, sign_up: SignUp) -> None:
    for _ in range(3):
        assert ask(shop, sign_up(phone=NUMBER)).status_code == 202
    problem(ask(shop, sign_up(phone=NUMBER)), 429, "too_many_attempts")
    assert ask(shop, sign_up(phone="+201000000001")).status_code == 202


def test_asking_at_once_does_not_pass_the_limit(running: Running, sign_up: SignUp) -> None:
    people, use = [sign_up(phone=NUMBER) for _ in range(6)], running.dependencies

    def asking(user_id: UUID) -> None:
        request_phone_code(
            user_id, uow=use.new_uow(), digests=use.digests, sms=use.sms, clock=use.clock, new_id=use.new_id
        )

    results = all_at_once([lambda p=person: asking(p.user_id) for person in people])  # type: ignore[misc]

    assert [type(result) for result in results].count(TooManyAttempts) == 3


def test_a_profile_without_a_number_has_nothing_to_prove(shop: Shop, sign_up: SignUp) -> None:
    problem(ask(shop, sign_up()), 422, "phone_missing")


def test_the_same_request_twice_sends_one_code(shop: Shop, mona: Person, settings: Settings) -> None:
    for _ in range(2):
        assert ask(shop, mona, **{"Idempotency-Key": "once"}).status_code == 202
    shop.deliver_events()
    assert len(texts(settings.home)) == 1


def test_neither_code_nor_number_is_in_the_rows(
    shop: Shop, mona: Person, settings: Settings, addresses: DatabaseAddresses
) -> None:
    ask(shop, mona, **{"Idempotency-Key": "once"})
    code = sent_code(shop, settings)
    with connect(addresses.owner) as connection:
        tables = ("phone_verifications", "outbox_events", "idempotency_keys", "processed_events")
        dump = str([connection.execute(f"SELECT t::text FROM {table} t").fetchall() for table in tables])  # type: ignore[arg-type]
    plain = [NUMBER, NUMBER.encode().hex(), f'"{code}"', code.encode().hex()]
    assert not [value for value in plain if value in dump]


class TestDelivery:
    """What becomes of the event that asks for a code."""

    handler = HANDLERS["identity.text_phone_code"]

    def asked(self, shop: Shop, person: Person) -> dict[str, str]:
        ask(shop, person)
        row = shop.database.row("SELECT payload FROM outbox_events WHERE name = 'identity.phone_code_requested'")
        assert row is not None
        return dict(row["payload"])

    def test_delivered_twice_the_later_code_is_good(
        self, shop: Shop, mona: Person, running: Running, settings: Settings
    ) -> None:
        event = self.asked(shop, mona)
        for _ in range(2):
            self.handler.handle(event, running.dependencies)
        assert shop.done(confirm(shop, mona, code_in(texts(settings.home)[-1][1])))["phone_verified"] is True

    def test_too_late_nothing_is_sent(
        self, shop: Shop, mona: Person, running: Running, settings: Settings, clock: MovableClock
    ) -> None:
        event = self.asked(shop, mona)
        clock.offset = timedelta(minutes=10)
        self.handler.handle(event, running.dependencies)
        assert texts(settings.home) == []

    def test_a_provider_that_is_away_is_asked_again_and_one_that_refuses_is_not(
        self, shop: Shop, mona: Person, running: Running, twilio: FakeTwilio
    ) -> None:
        use = replace(running.dependencies, sms=TwilioSmsSender(twilio.account))
        event = self.asked(shop, mona)
        twilio.answers = [(503, {}), (400, REFUSED)]
        with pytest.raises(SmsUnavailable):
            self.handler.handle(event, use)
        self.handler.handle(event, use)
        self.handler.handle(event, use)
        assert [request["To"] for request in twilio.requests] == [NUMBER] * 3
        assert shop.done(confirm(shop, mona, code_in(twilio.requests[-1]["Body"])))["phone_verified"] is True

    def test_an_unknown_request_sends_nothing(self, running: Running) -> None:
        use = running.dependencies
        assert make_phone_code(use.new_id(), uow=use.new_uow(), digests=use.digests, clock=use.clock) is None


def test_where_nobody_delivers_messages_the_request_says_so(running: Running, mona: Person) -> None:
    silent = replace(running, dependencies=replace(running.dependencies, sms=None))
    client: FlaskClient = create_app(running=silent).test_client()
    problem(client.post(PATH, headers=mona.headers), 503, "sms_unavailable")
