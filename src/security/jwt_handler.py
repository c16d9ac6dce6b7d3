"""Access tokens: JWTs with one pinned algorithm, required claims, and named keys that rotate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt

from application.identity.ports import Viewer
from domain.shared.errors import NotAllowed
from security.permissions import permissions_of

ALGORITHM = "HS256"
ISSUER = "altayar"
AUDIENCE = "altayar-api"
LIFETIME = timedelta(minutes=15)
_REQUIRED = ["iss", "aud", "exp", "iat", "jti", "sub", "sid", "amr"]


class InvalidToken(NotAllowed):
    """Not a valid access token of ours: forged, expired, or signed with a key that is gone."""

    code = "invalid_token"


class JwtAccessTokens:
    """Implements `application.identity.ports.AccessTokens`; the first key signs, every key verifies."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._keys = {kid: secret.encode() for kid, secret in keys.items()}
        self._signing_kid = next(iter(keys))
        self.lifetime_seconds = int(LIFETIME.total_seconds())

    def issue(
        self, *, user_id: UUID, session_id: UUID, roles: Sequence[str], at: datetime, second_factor: bool = False
    ) -> str:
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "sid": str(session_id),
            "roles": list(roles),
            # RFC 8176 §2: how the session was entered.
            "amr": ["pwd", "otp"] if second_factor else ["pwd"],
            "iat": int(at.timestamp()),
            "exp": int((at + LIFETIME).timestamp()),
            "jti": uuid4().hex,
        }
        headers = {"kid": self._signing_kid}
        return jwt.encode(claims, self._keys[self._signing_kid], algorithm=ALGORITHM, headers=headers)

    def read(self, token: str, *, at: datetime) -> Viewer:
        try:
            claims = self._claims(token)
            roles = frozenset(map(str, claims["roles"]))
            second_factor = "otp" in claims["amr"]
            viewer = Viewer(UUID(claims["sub"]), UUID(claims["sid"]), roles, permissions_of(roles), second_factor)
            expired = int(claims["exp"]) <= at.timestamp()
        except (jwt.InvalidTokenError, ValueError, TypeError, KeyError) as error:
            raise InvalidToken() from error
        if expired:
            raise InvalidToken()
        return viewer

    def _claims(self, token: str) -> dict[str, Any]:
        # Only the key id is taken from the header; where a key comes from (jku, jwk, x5u) is never asked of it.
        key = self._keys[str(jwt.get_unverified_header(token)["kid"])]
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            # The injected clock decides about `exp`, in `read`.
            options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False},
        )
        return claims
