"""Pushes by FCM HTTP v1 (firebase.google.com/docs/cloud-messaging/send-message), signed in as a service account."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

import jwt
import orjson
import structlog

from application.messaging.ports import DeviceGone, PushMessage, PushRefused, PushSender, PushUnavailable
from config.settings import FcmSettings, Settings
from domain.shared.clock import Clock
from infrastructure.payment.exchange import Cut, Exchange, NothingSent
from infrastructure.payment.http import CONNECT_SECONDS, TOTAL_SECONDS, json_object

SCOPE: Final = "https://www.googleapis.com/auth/firebase.messaging"
_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LIFETIME: Final = timedelta(hours=1)
_RENEWED_BEFORE: Final = timedelta(minutes=5)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Access:
    token: str
    until: datetime


class FcmPushSender:
    """PushSender over FCM: one request for each push, never repeated here.

    The access token is fetched with a signed assertion (RFC 7523 §2.1) and kept until shortly before its end.
    Safe to share between threads. Fetching and sending together take no longer than `total_seconds`.
    """

    def __init__(
        self,
        account: FcmSettings,
        clock: Clock,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._account = account
        self._url = f"{account.base_url}/v1/projects/{account.project_id}/messages:send"
        self._clock = clock
        # A push may need two requests.
        self._seconds = (connect_seconds, total_seconds / 2)
        self._lock = threading.Lock()
        self._access: _Access | None = None

    def send(self, message: PushMessage) -> None:
        """Hand over one push; raises PushUnavailable, PushRefused or DeviceGone."""
        headers = {"Authorization": f"Bearer {self._token()}", "Content-Type": "application/json"}
        status, answer = self._ask("push", self._url, headers, orjson.dumps({"message": _written(message)}))
        if 200 <= status < 300:
            log.info("push", outcome="accepted", status=status)
            return
        if status == HTTPStatus.UNAUTHORIZED:
            self._access = None
        code = _fcm_code(answer)
        # Its sentence is left out: it may repeat the token.
        log.warning("push", outcome="not_accepted", status=status, code=code)
        if status == HTTPStatus.NOT_FOUND and code == "UNREGISTERED":
            raise DeviceGone(code=code)
        if status == HTTPStatus.BAD_REQUEST and code == "INVALID_ARGUMENT":
            raise DeviceGone(code=code) if _is_about_token(answer) else PushRefused(code=code)
        # Everything else may pass, or is about our account (SENDER_ID_MISMATCH among it), and stays for a person.
        raise PushUnavailable(status=status, code=code)

    def _token(self) -> str:
        with self._lock:
            if self._access is None or self._access.until <= self._clock.now():
                self._access = self._signed_in()
            return self._access.token

    def _signed_in(self) -> _Access:
        now = self._clock.now()
        claims = {
            "iss": self._account.client_email,
            "scope": SCOPE,
            "aud": self._account.token_uri,
            "iat": now,
            "exp": now + _LIFETIME,
        }
        key_id = {"kid": self._account.private_key_id}
        assertion = jwt.encode(claims, self._account.private_key, algorithm="RS256", headers=key_id)
        body = urlencode({"grant_type": _GRANT, "assertion": assertion}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        status, answer = self._ask("push_sign_in", self._account.token_uri, headers, body)
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if status != HTTPStatus.OK or not isinstance(token, str) or not isinstance(seconds, int):
            log.warning("push_sign_in", outcome="refused", status=status)
            raise PushUnavailable(status=status)
        return _Access(token, now + timedelta(seconds=seconds) - _RENEWED_BEFORE)

    def _ask(self, what: str, url: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        try:
            status, content = Exchange("POST", url, headers, body).run(*self._seconds)
        except (NothingSent, Cut) as trouble:
            log.warning(what, outcome="unavailable", reason=str(trouble))
            raise PushUnavailable(reason=str(trouble)) from trouble
        return status, json_object(content) or {}


def _written(message: PushMessage) -> dict[str, Any]:
    return {
        "token": message.token,
        "notification": {"title": message.title, "body": message.text},
        "data": dict(message.facts),
    }


def _details(answer: dict[str, Any]) -> list[dict[str, Any]]:
    error = answer.get("error")
    details = error.get("details") if isinstance(error, dict) else None
    return [each for each in details if isinstance(each, dict)] if isinstance(details, list) else []


def _fcm_code(answer: dict[str, Any]) -> str | None:
    """FCM's own code, not the status of HTTP or RPC: a project that is not found is 404 as well."""
    codes = [each.get("errorCode") for each in _details(answer) if str(each.get("@type")).endswith(".FcmError")]
    return codes[0] if codes and isinstance(codes[0], str) else None


def _is_about_token(answer: dict[str, Any]) -> bool:
    violations = [each for detail in _details(answer) for each in detail.get("fieldViolations") or ()]
    fields = {each.get("field") for each in violations if isinstance(each, dict)}
    return fields == {"message.token"}


def push_sender_from(settings: Settings, clock: Clock) -> PushSender | None:
    """FCM where a service account is set; else nobody."""
    return FcmPushSender(settings.fcm, clock) if settings.fcm is not None else None
