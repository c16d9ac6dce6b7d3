"""How Fawaterk is asked: with the vendor key (API v2), or with a token that client credentials earn (API v3)."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import orjson

from application.billing.ports import OutcomeUnknown, ProviderRefused, ProviderUnreachable
from config.settings import FawaterkSettings
from domain.shared.clock import Clock
from infrastructure.payment.fawaterk import wire
from infrastructure.payment.fawaterk.readings import unknown
from infrastructure.payment.http import JsonAnswer, ProviderClient, RefusedWithAnswer, refusal_reason

LIVE_HOST: Final = "app.fawaterk.com"
"""The only host that takes real money; staging.fawaterk.com and everything else is a test (contract §1)."""

TOKEN_RENEWED_BEFORE_ITS_END: Final = timedelta(minutes=5)
TOKEN_KEPT_AT_MOST: Final = timedelta(days=30)
TOKEN_KEPT_WITHOUT_A_TERM: Final = timedelta(minutes=30)


class Access(Protocol):
    """A way to ask one of Fawaterk's two interfaces."""

    def call(self, operation: str, verb: str, path: str, order: dict[str, Any] | None = None) -> JsonAnswer:
        """Ask once; paths are relative to the version's.

        Raises what ProviderClient does, and ProviderRefused where a 200 says "error" (contract §2).
        """
        ...


class VendorAccess:
    """API v2, which knows a merchant by a key that stays."""

    def __init__(self, account: FawaterkSettings, client: ProviderClient) -> None:
        self._address = account.address_of("v2")
        self._key = account.api_key
        self._client = client

    def call(self, operation: str, verb: str, path: str, order: dict[str, Any] | None = None) -> JsonAnswer:
        """Ask and require success: v2 says so in every answer."""
        answer = _asked(self._client, operation, verb, f"{self._address}/{path}", self._key, order)
        if answer.document.get("status") != "success":
            raise unknown("the answer has no status")
        return answer


class OAuthAccess:
    """API v3: a token of the OAuth client-credentials grant, fetched once and renewed before its end."""

    def __init__(self, account: FawaterkSettings, client: ProviderClient, clock: Clock) -> None:
        self._address = account.address_of("v3")
        self._client = client
        self._tokens = _Tokens(account, client, clock)

    def call(self, operation: str, verb: str, path: str, order: dict[str, Any] | None = None) -> JsonAnswer:
        """Ask with the token that is kept; with a new one, once, where that is no longer taken.

        A 401 is the one answer after which a create call is made again: it was turned away unread. Flat
        answers and lists name no success (contract §4), so who asks looks for what it needs.
        """
        url = f"{self._address}/{path}"
        token = self._tokens.current()
        try:
            return _asked(self._client, operation, verb, url, token, order)
        except RefusedWithAnswer as refusal:
            if refusal.answer.status != 401:
                raise
        self._tokens.forget(token)
        return _asked(self._client, operation, verb, url, self._tokens.current(), order)


class _Tokens:
    """One token at a time; whoever needs it while it is fetched waits for that one."""

    def __init__(self, account: FawaterkSettings, client: ProviderClient, clock: Clock) -> None:
        self._url = f"{account.root}/oauth/token"
        self._grant = {
            "grant_type": "client_credentials",
            "client_id": account.client_id,
            "client_secret": account.client_secret,
        }
        self._client = client
        self._clock = clock
        self._guard = threading.Lock()
        self._kept: tuple[str, datetime] | None = None

    def current(self) -> str:
        """Raises ProviderUnreachable or ProviderRefused; then nothing else was asked either."""
        with self._guard:
            if self._kept is None or self._kept[1] <= self._clock.now():
                self._kept = self._fetched()
            return self._kept[0]

    def forget(self, token: str) -> None:
        """Unless another thread has already replaced it."""
        with self._guard:
            if self._kept is not None and self._kept[0] == token:
                self._kept = None

    def _fetched(self) -> tuple[str, datetime]:
        try:
            answer = self._client.call(
                "oauth/token", "POST", self._url, headers=_headers(), body=orjson.dumps(self._grant)
            )
        except OutcomeUnknown as trouble:
            raise ProviderUnreachable(provider=wire.PROVIDER, reason="no access token") from trouble
        token = answer.document.get("access_token")
        if not isinstance(token, str) or not wire.is_header_value(token):
            raise ProviderUnreachable(provider=wire.PROVIDER, reason="an access token that cannot be used")
        return token, self._clock.now() + _kept_for(answer.document.get("expires_in"))


def _kept_for(told: object) -> timedelta:
    """From `expires_in`, seconds as number or text; never zero, or every call would fetch a token."""
    text = wire.read_identifier(told)
    if not (text.isascii() and text.isdigit()):
        return TOKEN_KEPT_WITHOUT_A_TERM
    term = min(timedelta(seconds=min(int(text), 10**9)), TOKEN_KEPT_AT_MOST)
    return max(term - TOKEN_RENEWED_BEFORE_ITS_END, term / 2)


def _asked(
    client: ProviderClient, operation: str, verb: str, url: str, token: str, order: dict[str, Any] | None
) -> JsonAnswer:
    answer = client.call(
        operation,
        verb,
        url,
        headers={"Authorization": f"Bearer {token}", **_headers()},
        body=None if order is None else orjson.dumps(order),
    )
    if answer.document.get("status") == "error":
        raise ProviderRefused(provider=wire.PROVIDER, reason=refusal_reason(answer.document))
    return answer


def _headers() -> dict[str, str]:
    # The content type on GET too: Fawaterk answers 400 without it (contract §2).
    return {"Content-Type": "application/json", "Accept": "application/json"}


def is_live(account: FawaterkSettings) -> bool:
    """Whether this account takes real money; Fawaterk's answers do not say, its address does."""
    return urlsplit(account.base_url).hostname == LIVE_HOST
