"""Access tokens: JWTs (RFC 9068) with one pinned algorithm, required claims, and named keys that rotate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
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
_REQUIRED: Final = ["iss", "aud", "exp", "iat", "jti", "sub", "sid", "roles"]
_HEADER: Final = {"alg", "kid", "typ"}
_AUDIENCE_OF: Final = {surface: audience for audience, surface in AUDIENCES.items()}


class InvalidToken(NotAllowed):
    """Not a valid access token of ours: forged, expired, or signed with a key that is gone."""

    code = "invalid_token"


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
        self.lifetime_seconds = int(LIFETIME.total_seconds())

    def issue(
        self,
        *,
        user_id: UUID,
        session_id: UUID,
        roles: Sequence[str],
        at: datetime,
        surface: Surface | None = None,
    ) -> str:
        surface = surface or widest_surface(roles)
        claims = {
            "iss": ISSUER,
            "aud": _AUDIENCE_OF[surface],
            "sub": str(user_id),
            "sid": str(session_id),
            "roles": sorted(roles_on(surface, roles)),
            "iat": int(at.timestamp()),
            "exp": int((at + LIFETIME).timestamp()),
            "jti": uuid4().hex,
        }
        headers = {"kid": self._signing_kid, "typ": TYPE}
        return jwt.encode(claims, self._keys[self._signing_kid], algorithm=ALGORITHM, headers=headers)

    def read(self, token: str, *, at: datetime) -> Viewer:
        try:
            claims = self._claims(token)
            _check_times(claims, at=at)
            surface = AUDIENCES[_text(claims["aud"])]
            roles = roles_on(surface, map(_text, _list(claims["roles"])))
            ids = UUID(_text(claims["sub"])), UUID(_text(claims["sid"]))
            _text(claims["jti"])
        except (jwt.InvalidTokenError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise InvalidToken() from error
        return Viewer(*ids, roles, self._grants(roles), surface=surface)

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
            # The injected clock decides about times, in `_check_times`.
            options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False},
        )
        return claims


def _check_times(claims: Mapping[str, Any], *, at: datetime) -> None:
    issued, expires, now = _whole(claims["iat"]), _whole(claims["exp"]), at.timestamp()
    if not 0 < expires - issued <= LIFETIME.total_seconds():
        raise ValueError("a token lives for 15 minutes at most")
    if now >= expires or issued > now + LEEWAY.total_seconds():
        raise ValueError("expired, or not issued yet")


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
