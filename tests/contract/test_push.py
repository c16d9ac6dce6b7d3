"""Pushes: what FCM is sent, what its answers mean for a device, and which settings are taken."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from application.messaging.ports import DeviceGone, PushMessage, PushRefused, PushUnavailable
from config.settings import FcmSettings, SettingsError, load_settings
from infrastructure.clock import SystemClock
from infrastructure.messaging.push import SCOPE, FcmPushSender, push_sender_from
from tests.fakes.fcm_server import ACCOUNT, INVALID_TOKEN, OUTAGE, PROJECT, UNREGISTERED, FakeFcm, error, fcm_server

MESSAGE = PushMessage("device-token-1", "تم تأكيد حجزك", "BK-2026-000001", {"link_type": "BOOKING"})


@pytest.fixture
def fcm() -> Iterator[FakeFcm]:
    with fcm_server() as server:
        yield server


def account_of(fcm: FakeFcm) -> FcmSettings:
    account = load_settings({"ENVIRONMENT": "test", **fcm.environ}, root=Path("/nowhere")).fcm
    assert account is not None
    return account


@pytest.fixture
def sender(fcm: FakeFcm, settings_secrets: None) -> FcmPushSender:
    return FcmPushSender(account_of(fcm), SystemClock())


@pytest.fixture(autouse=True)
def settings_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Secrets that settings make for themselves are kept in this test's folder."""
    monkeypatch.setattr("config.settings._kept_secret", lambda _home, _name: "s" * 48)


def test_a_push_is_what_fcm_asks_for(sender: FcmPushSender, fcm: FakeFcm) -> None:
    sender.send(MESSAGE)

    (sign_in,), (push,) = fcm.sign_ins, fcm.pushes
    assert (sign_in["iss"], sign_in["scope"], sign_in["kid"]) == (ACCOUNT, SCOPE, "key-1")
    assert sign_in["exp"] - sign_in["iat"] == 3600
    assert push == {
        "path": f"/v1/projects/{PROJECT}/messages:send",
        "authorization": "Bearer token-1",
        "token": "device-token-1",
        "notification": {"title": "تم تأكيد حجزك", "body": "BK-2026-000001"},
        "data": {"link_type": "BOOKING"},
    }


def test_one_sign_in_serves_until_shortly_before_its_end(fcm: FakeFcm) -> None:
    class Later(SystemClock):
        by = timedelta()

        def now(self) -> Any:
            return super().now() + self.by

    clock = Later()
    sender = FcmPushSender(account_of(fcm), clock)
    sender.send(MESSAGE)
    sender.send(MESSAGE)
    assert len(fcm.sign_ins) == 1
    clock.by = timedelta(minutes=56)
    sender.send(MESSAGE)
    assert [push["authorization"] for push in fcm.pushes] == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


@pytest.mark.parametrize("answer", [UNREGISTERED, INVALID_TOKEN])
def test_only_what_is_said_of_the_token_means_that_the_device_is_gone(
    sender: FcmPushSender, fcm: FakeFcm, answer: tuple[int, Any]
) -> None:
    fcm.answers = [answer]
    with structlog.testing.capture_logs() as logs, pytest.raises(DeviceGone) as gone:
        sender.send(MESSAGE)
    assert MESSAGE.token not in str(logs) + str(gone.value)
    assert len(fcm.pushes) == 1


@pytest.mark.parametrize(
    "answer",
    [
        OUTAGE,
        error(500, "INTERNAL", "INTERNAL"),
        error(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"),
        error(401, "UNAUTHENTICATED"),
        error(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"),
        error(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"),
        # The project, not the device.
        error(404, "NOT_FOUND"),
        (404, b"<html>no such page</html>"),
        (400, b"not json"),
        (400, {"error": {"details": "no list"}}),
        (200 + 102, b""),
    ],
    ids=str,
)
def test_everything_else_may_pass_and_no_device_is_lost_by_it(
    sender: FcmPushSender, fcm: FakeFcm, answer: tuple[int, Any]
) -> None:
    fcm.answers = [answer]
    with pytest.raises(PushUnavailable):
        sender.send(MESSAGE)
    assert len(fcm.pushes) == 1


@pytest.mark.parametrize(
    "answer",
    [
        error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
        error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "message.data[0].value"),
    ],
)
def test_a_push_that_is_wrong_is_refused_and_says_nothing_of_the_device(
    sender: FcmPushSender, fcm: FakeFcm, answer: tuple[int, Any]
) -> None:
    fcm.answers = [answer]
    with pytest.raises(PushRefused) as refused:
        sender.send(MESSAGE)
    assert not isinstance(refused.value, DeviceGone)


def test_a_token_that_is_no_longer_taken_is_fetched_anew_for_the_next_try(sender: FcmPushSender, fcm: FakeFcm) -> None:
    fcm.answers = [error(401, "UNAUTHENTICATED")]
    with pytest.raises(PushUnavailable):
        sender.send(MESSAGE)
    sender.send(MESSAGE)
    assert [push["authorization"] for push in fcm.pushes] == ["Bearer token-1", "Bearer token-2"]


@pytest.mark.parametrize(
    "answer", [(400, {"error": "invalid_grant"}), (503, b"busy"), (200, {}), (200, {"access_token": 1})], ids=str
)
def test_without_a_sign_in_nothing_is_pushed(sender: FcmPushSender, fcm: FakeFcm, answer: tuple[int, Any]) -> None:
    fcm.sign_in_answers = [answer]
    with pytest.raises(PushUnavailable):
        sender.send(MESSAGE)
    assert fcm.pushes == []


def test_a_slow_server_is_not_waited_for(fcm: FakeFcm) -> None:
    fcm.waits = True
    with pytest.raises(PushUnavailable):
        FcmPushSender(account_of(fcm), SystemClock(), total_seconds=0.4).send(MESSAGE)


def test_no_server_is_unavailable(fcm: FakeFcm) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(PushUnavailable):
        FcmPushSender(replace(account_of(fcm), token_uri=nobody), SystemClock()).send(MESSAGE)


def test_without_credentials_nobody_pushes(tmp_path: Path) -> None:
    assert push_sender_from(load_settings({"ENVIRONMENT": "test"}, root=tmp_path), SystemClock()) is None


def test_credentials_are_read_from_a_file_too_and_never_shown(fcm: FakeFcm, tmp_path: Path) -> None:
    file = tmp_path / "account.json"
    file.write_text(json.dumps(fcm.credentials))
    settings = load_settings(
        {"ENVIRONMENT": "test", "FCM_CREDENTIALS": str(file), "FCM_BASE_URL": fcm.url}, root=tmp_path
    )
    assert isinstance(push_sender_from(settings, SystemClock()), FcmPushSender)
    assert "PRIVATE KEY" not in repr(settings)


@pytest.mark.parametrize("environment", ["production", "development"])
@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"private_key": "-----BEGIN PRIVATE KEY-----\nbroken\n-----END PRIVATE KEY-----\n"}, "private_key"),
        ({"private_key": ""}, "private_key"),
        ({"project_id": ""}, "project_id"),
        ({"project_id": "../other"}, "project_id"),
        ({"client_email": None}, "client_email"),
        ({"type": "authorized_user"}, "service account"),
        ({"token_uri": "http://oauth.example/token"}, "token_uri"),
    ],
)
def test_broken_credentials_are_refused_at_the_start(
    fcm: FakeFcm, tmp_path: Path, environment: str, change: dict[str, Any], named: str
) -> None:
    environ = {
        "ENVIRONMENT": environment,
        "DATABASE_URL": "postgresql://owner:secret@db/altayar",
        "REDIS_URL": "redis://redis",
        "BACKEND_URL": "https://api.altayar.example",
        "JWT_SIGNING_KEYS": "1:" + "k" * 48,
        "FIELD_ENCRYPTION_KEYS": "f" * 48,
        "SMTP_URL": "smtps://mail.altayar.example",
        "FCM_CREDENTIALS": json.dumps({**fcm.credentials, "token_uri": "https://oauth.example/token", **change}),
    }
    with pytest.raises(SettingsError, match="FCM_CREDENTIALS") as refused:
        load_settings(environ, root=tmp_path)
    assert named in str(refused.value)
    assert "BEGIN" not in str(refused.value)


@pytest.mark.parametrize("given", ["/no/such/file.json", "{half", "[]"])
def test_what_is_no_file_and_no_json_is_refused(tmp_path: Path, given: str) -> None:
    with pytest.raises(SettingsError, match="FCM_CREDENTIALS"):
        load_settings({"ENVIRONMENT": "test", "FCM_CREDENTIALS": given}, root=tmp_path)
