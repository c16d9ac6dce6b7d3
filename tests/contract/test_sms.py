"""Short messages: what every SmsSender holds to, what Twilio's answers mean, and which sender a setting chooses."""

from __future__ import annotations

import base64
import socket
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from application.messaging.ports import SmsMessage, SmsRefused, SmsSender, SmsUnavailable
from application.messaging.texts import PHONE_CODE
from config.settings import SettingsError, load_settings
from domain.shared.errors import InvalidValue
from infrastructure.clock import SystemClock
from infrastructure.messaging.sms import SmsFolderSender, TwilioSmsSender, sms_sender_from
from tests.fakes.twilio_server import REFUSED, SENDER, SID, TOKEN, FakeTwilio, twilio_server

MESSAGE = SmsMessage(to="+201000000000", text="رمز AltayarVIP: 123456 & more")


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    with twilio_server() as server:
        yield server


class TestEverySender:
    """The contract, for both."""

    @pytest.fixture(params=["twilio", "folder"])
    def sender(self, request: pytest.FixtureRequest, twilio: FakeTwilio, tmp_path: Path) -> SmsSender:
        if request.param == "twilio":
            return TwilioSmsSender(twilio.account)
        return SmsFolderSender(tmp_path, SystemClock())

    def test_a_message_is_handed_over_whole(self, sender: SmsSender, twilio: FakeTwilio, tmp_path: Path) -> None:
        sender.send(MESSAGE)

        if isinstance(sender, TwilioSmsSender):
            (request,) = twilio.requests
            handed_over = (request["To"], request["Body"])
        else:
            (file,) = tmp_path.glob("*.txt")
            to, _, text = file.read_text("utf-8").partition("\n\n")
            handed_over = (to.removeprefix("To: "), text.removesuffix("\n"))
        assert handed_over == (MESSAGE.to, MESSAGE.text)

    def test_a_message_may_be_sent_again(self, sender: SmsSender, twilio: FakeTwilio, tmp_path: Path) -> None:
        sender.send(MESSAGE)
        sender.send(MESSAGE)

        assert len(twilio.requests) + len(list(tmp_path.glob("*.txt"))) == 2

    def test_neither_number_nor_text_is_logged(self, sender: SmsSender) -> None:
        with structlog.testing.capture_logs() as logs:
            sender.send(MESSAGE)

        assert not [word for word in (MESSAGE.to, "123456") if word in str(logs)]


class TestTwilio:
    def test_a_request_is_what_twilio_asks_for(self, twilio: FakeTwilio) -> None:
        TwilioSmsSender(twilio.account).send(MESSAGE)

        (request,) = twilio.requests
        assert request["path"] == f"/2010-04-01/Accounts/{SID}/Messages.json"
        assert base64.b64decode(request["authorization"].removeprefix("Basic ")).decode() == f"{SID}:{TOKEN}"
        assert request["From"] == SENDER

    @pytest.mark.parametrize("code", [21211, 21408, 21610, 21612, 21614])
    def test_what_is_said_of_the_number_is_final(self, twilio: FakeTwilio, code: int) -> None:
        twilio.answers = [(400, {**REFUSED, "code": code})]

        with structlog.testing.capture_logs() as logs, pytest.raises(SmsRefused) as refused:
            TwilioSmsSender(twilio.account).send(MESSAGE)

        assert MESSAGE.to not in str(logs) + str(refused.value)
        assert len(twilio.requests) == 1

    @pytest.mark.parametrize(
        "answer",
        [
            (429, {"code": 20429, "message": "Too Many Requests", "status": 429}),
            (500, {"code": 20500, "message": "Internal", "status": 500}),
            (503, b"<html>busy</html>"),
            (401, {"code": 20003, "message": "Authenticate", "status": 401}),
            (404, {"code": 20404, "message": "not found", "status": 404}),
            (400, {"code": 21606, "message": "the From number", "status": 400}),
            (400, b"not json"),
            (400, [1]),
            (400, {"code": [21211]}),
            (302, b""),
        ],
        ids=lambda answer: str(answer)[:30],
    )
    def test_everything_else_may_pass_and_is_not_repeated_here(
        self, twilio: FakeTwilio, answer: tuple[int, object]
    ) -> None:
        twilio.answers = [answer]

        with pytest.raises(SmsUnavailable):
            TwilioSmsSender(twilio.account).send(MESSAGE)

        assert len(twilio.requests) == 1

    def test_a_slow_server_is_not_waited_for(self, twilio: FakeTwilio) -> None:
        twilio.waits = True

        with pytest.raises(SmsUnavailable):
            TwilioSmsSender(twilio.account, total_seconds=0.2).send(MESSAGE)

    def test_no_server_is_unavailable(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        with twilio_server() as fake:
            nobody = replace(fake.account, base_url=f"http://127.0.0.1:{port}")

        with pytest.raises(SmsUnavailable):
            TwilioSmsSender(nobody).send(MESSAGE)


class TestFolder:
    def test_files_are_for_their_owner_alone(self, tmp_path: Path) -> None:
        SmsFolderSender(tmp_path / "sms", SystemClock()).send(MESSAGE)

        (file,) = (tmp_path / "sms").glob("*.txt")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_a_disk_that_refuses_is_unavailable(self, tmp_path: Path) -> None:
        (tmp_path / "sms").write_text("a file where the folder would be")

        with pytest.raises(SmsUnavailable):
            SmsFolderSender(tmp_path / "sms", SystemClock()).send(MESSAGE)


class TestSettings:
    TWILIO = {"TWILIO_ACCOUNT_SID": SID, "TWILIO_AUTH_TOKEN": TOKEN, "TWILIO_FROM": SENDER}  # noqa: RUF012
    PRODUCTION = {  # noqa: RUF012
        "ENVIRONMENT": "production",
        "DATABASE_URL": "postgresql://owner:secret@db/altayar",
        "REDIS_URL": "redis://redis",
        "BACKEND_URL": "https://api.altayar.example",
        "JWT_SIGNING_KEYS": "1:" + "k" * 48,
        "FIELD_ENCRYPTION_KEYS": "f" * 48,
        "SMTP_URL": "smtps://mail.altayar.example",
    }

    def test_an_account_is_used_where_it_is_given(self, tmp_path: Path) -> None:
        settings = load_settings({"ENVIRONMENT": "test", **self.TWILIO}, root=tmp_path)

        assert isinstance(sms_sender_from(settings, SystemClock()), TwilioSmsSender)
        assert settings.twilio is not None
        assert settings.twilio.base_url == "https://api.twilio.com"
        assert TOKEN not in repr(settings)

    def test_without_one_a_developer_reads_files_and_production_sends_none(self, tmp_path: Path) -> None:
        development = load_settings({"ENVIRONMENT": "test"}, root=tmp_path)
        production = load_settings(self.PRODUCTION, root=tmp_path)

        assert isinstance(sms_sender_from(development, SystemClock()), SmsFolderSender)
        assert sms_sender_from(production, SystemClock()) is None

    @pytest.mark.parametrize("missing", TWILIO)
    def test_half_an_account_is_refused(self, tmp_path: Path, missing: str) -> None:
        with pytest.raises(SettingsError, match=missing):
            load_settings({"ENVIRONMENT": "test", **self.TWILIO, missing: ""}, root=tmp_path)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("TWILIO_ACCOUNT_SID", "AC123"),
            ("TWILIO_AUTH_TOKEN", "short"),
            ("TWILIO_FROM", "12025550123"),
            ("TWILIO_FROM", "a name too long"),
            ("TWILIO_BASE_URL", "http://twilio.example"),
            ("TWILIO_BASE_URL", "ftp://twilio.example"),
        ],
    )
    def test_what_cannot_work_is_named(self, tmp_path: Path, name: str, value: str) -> None:
        with pytest.raises(SettingsError, match=name):
            load_settings({"ENVIRONMENT": "test", **self.TWILIO, name: value}, root=tmp_path)

    def test_plain_http_is_for_loopback_outside_production(self, tmp_path: Path) -> None:
        loopback = {**self.TWILIO, "TWILIO_BASE_URL": "http://127.0.0.1:9000"}

        assert load_settings({"ENVIRONMENT": "test", **loopback}, root=tmp_path).twilio is not None
        with pytest.raises(SettingsError, match="TWILIO_BASE_URL"):
            load_settings({**self.PRODUCTION, **loopback}, root=tmp_path)


@pytest.mark.parametrize("to", ["01000000000", "+20 100 000 0000", "nobody", ""])
def test_a_message_goes_to_a_number_in_e164(to: str) -> None:
    with pytest.raises(InvalidValue):
        SmsMessage(to=to, text="x")


def test_texts_fit_one_part_and_carry_the_code() -> None:
    texts = {language: text.format(code="123456") for language, text in PHONE_CODE.items()}

    assert len(texts["ar"]) <= 70
    assert len(texts["en"]) <= 160
    assert all("123456" in text for text in texts.values())
