"""Access tokens: JWTs (RFC 9068) with one pinned algorithm, required claims, and named keys that rotate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID, uuid4

import jwt

from application.identity.ports import Viewer
from domain.identity.roles import Surface, roles_on, widest_surface
from domain.shared.errors import NotAllowed
from security.permissions import permissions_of

ALGORITHM: Final = "HS256"
TYPE: Final = "at+jwt"
ISSUER: Final = "altayar"
AUDIENCES: Final = {
    "altayar-app": Surface.APP,
    "altayar-partner": Surface.PARTNER,
    "altayar-staff": Surface.STAFF,
}
LIFETIME: Final = timedelta(minutes=15)
LEEWAY: Final = timedelta(seconds=60)
"""How far ahead of ours the clock of the process that issued a token may be."""
LONGEST: Final = 4096
REMEMBERED: Final = 10_000
"""Verified tokens that a process remembers, some 10 MB at most."""
_REQUIRED: Final = ["iss", "aud", "exp", "iat", "jti", "sub", "sid", "roles", "amr"]
_HEADER: Final = {"alg", "kid", "typ"}
_AUDIENCE_OF: Final = {surface: audience for audience, surface in AUDIENCES.items()}


class InvalidToken(NotAllowed):
    """Not a valid access token of ours: forged, expired, or signed with a key that is gone."""

    code = "invalid_token"


@dataclass(frozen=True, slots=True)
class _Signed:
    """What a token of ours says, its signature checked; times are Unix seconds."""

    user_id: UUID
    session_id: UUID
    surface: Surface
    roles: frozenset[str]
    second_factor: bool
    issued: int
    expires: int

    def check_times(self, *, at: datetime) -> None:
        """Raises ValueError unless it is of now, and short-lived."""
        now = at.timestamp()
        if not 0 < self.expires - self.issued <= LIFETIME.total_seconds():
            raise ValueError("a token lives for 15 minutes at most")
        if now >= self.expires or self.issued > now + LEEWAY.total_seconds():
            raise ValueError("expired, or not issued yet")


class JwtAccessTokens:
    """Implements `application.identity.ports.AccessTokens`; the first key signs, every key verifies.

    `grants` says what roles may do now: the token names roles, never permissions.
    """

    def __init__(
        self, keys: Mapping[str, str], grants: Callable[[Iterable[str]], frozenset[str]] = permissions_of
    ) -> None:
        self._keys = {kid: secret.encode() for kid, secret in keys.items()}
        self._signing_kid = next(iter(keys))
        self._grants = grants
        # A token is sent with every request, and its signature stays what it is; what it says of times is looked at
        # each time. A token that is refused is not remembered.
        self._verified = lru_cache(maxsize=REMEMBERED)(self._signed)
        self.lifetime_seconds = int(LIFETIME.total_seconds())

    def issue(
        self,
        *,
        user_id: UUID,
        session_id: UUID,
        roles: Sequence[str],
        at: datetime,
        surface: Surface | None = None,
        second_factor: bool = False,
    ) -> str:
        surface = surface or widest_surface(roles)
        claims = {
            "iss": ISSUER,
            "aud": _AUDIENCE_OF[surface],
            "sub": str(user_id),
            "sid": str(session_id),
            "roles": sorted(roles_on(surface, roles)),
            # RFC 8176 §2: how the session was entered.
            "amr": ["pwd", "otp"] if second_factor else ["pwd"],
            "iat": int(at.timestamp()),
            "exp": int((at + LIFETIME).timestamp()),
            "jti": uuid4().hex,
        }
        headers = {"kid": self._signing_kid, "typ": TYPE}
        return jwt.encode(claims, self._keys[self._signing_kid], algorithm=ALGORITHM, headers=headers)

    def read(self, token: str, *, at: datetime) -> Viewer:
        try:
            signed = self._verified(token)
            signed.check_times(at=at)
        except (jwt.InvalidTokenError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise InvalidToken() from error
        return Viewer(
            signed.user_id,
            signed.session_id,
            signed.roles,
            self._grants(signed.roles),
            second_factor=signed.second_factor,
            surface=signed.surface,
        )

    def _signed(self, token: str) -> _Signed:
        claims = self._claims(token)
        surface = AUDIENCES[_text(claims["aud"])]
        _text(claims["jti"])
        return _Signed(
            user_id=UUID(_text(claims["sub"])),
            session_id=UUID(_text(claims["sid"])),
            surface=surface,
            roles=roles_on(surface, map(_text, _list(claims["roles"]))),
            second_factor="otp" in _list(claims["amr"]),
            issued=_whole(claims["iat"]),
            expires=_whole(claims["exp"]),
        )

    def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > LONGEST:
            raise ValueError("longer than any token of ours")
        header = jwt.get_unverified_header(token)
        # Only a key's id is taken from the header; one that brings or names a key (jku, jwk, x5u, x5c) is no token.
        if header.keys() != _HEADER or header["typ"] != TYPE:
            raise ValueError("not the header of an access token")
        claims: dict[str, Any] = jwt.decode(
            token,
            self._keys[_text(header["kid"])],
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCES,
            # The injected clock decides about times, in `check_times`.
            options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False},
        )
        return claims


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("a text is expected")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("a whole number is expected")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("a list is expected")
    return value
