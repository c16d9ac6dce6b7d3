"""What identity needs from outside: passwords, tokens, codes, digests; and who is asking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.identity.roles import Surface, surface_of


class PasswordHasher(Protocol):
    """Hashes passwords slowly; takes the same time whether or not there is a hash to compare with.

    Accounts that claim one address share one salt, so that one slow hash is compared with all of them
    (docs/decisions/0008): whoever hashes for an address passes the hashes that it has as `like`.
    """

    def hash(self, password: str, *, like: Sequence[str] = (), pointer: str = "/password") -> str:
        """A hash with the salt of the first of `like` that costs what is set now, else with a fresh one.

        Raises InvalidValue, at `pointer`, for a password that is too short, too long or well known.
        """
        ...

    def rehash(self, password: str, *, like: Sequence[str] = ()) -> str:
        """The same for a password that was accepted when other rules held: refuses nothing."""
        ...

    def same(self, made: str, hashes: Sequence[str]) -> int | None:
        """Which of the hashes first equals one made by `hash`, in constant time; hashes nothing."""
        ...

    def verify(self, password: str, hashes: Sequence[str]) -> int | None:
        """Which of the hashes is first one of the password; None for none of them.

        Hashes once for each salt among them, and once where there are none.
        """
        ...

    def is_outdated(self, password_hash: str) -> bool:
        """Whether it cost something else than what is set now."""
        ...


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is asking: what a valid access token or API key says.

    Roles and permissions are those that count on the surface; of a key, those that it was made for besides.
    """

    user_id: UUID
    session_id: UUID
    """The key's id where a key asks."""
    roles: frozenset[str]
    permissions: frozenset[str]
    second_factor: bool = False
    """Whether the session proved the account's second factor (`otp` in `amr`, RFC 8176)."""
    surface: Surface = Surface.APP
    scopes: frozenset[str] | None = None
    """What an API key was made for; None for people who are signed in."""

    def may(self, permission: str) -> bool:
        return permission in self.permissions

    def permitted(self, permissions: frozenset[str]) -> Viewer:
        """The same, who may do just this."""
        # Not `replace`: this is every change's, and that looks at the fields anew each time.
        who = (self.user_id, self.session_id, self.roles, permissions)
        return Viewer(*who, self.second_factor, self.surface, self.scopes)

    @property
    def agent_id(self) -> UUID | None:
        """Their id where they are an agent, as whom they have in hand what they booked for customers."""
        return self.user_id if "AGENT" in self.roles else None

    @property
    def is_staff(self) -> bool:
        return any(surface_of(role) is Surface.STAFF for role in self.roles)


class AccessTokens(Protocol):
    """Short-lived signed tokens."""

    lifetime_seconds: int

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
        """A token for a surface, naming the roles that count there; for the widest where none is given."""
        ...

    def read(self, token: str, *, at: datetime) -> Viewer:
        """Who it was issued to. Raises NotAllowed for anything but a valid token of ours."""
        ...


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A TOTP secret as it is shown once (base32, `otpauth:` address, SVG of that address), and as it is kept."""

    text: str
    uri: str
    qr_svg: bytes
    sealed: bytes


class OneTimeCodes(Protocol):
    """TOTP (RFC 6238: SHA-1, 30 seconds, 6 digits); secrets leave it sealed by `Encryption`, but for `new_secret`."""

    def new_secret(self, account: str) -> NewSecret:
        """A fresh secret; `account` is the label under which an app shows it."""
        ...

    def step_of(self, sealed: bytes, code: str, *, at: datetime) -> int | None:
        """The step of 30 seconds that a code belongs to: the present one, the one before or after; else None."""
        ...


class KeyedDigests(Protocol):
    """Digests of what is short enough to be guessed by whoever reads the rows, without the key."""

    def of(self, text: str) -> bytes:
        """A digest by the newest key."""
        ...

    def matches(self, text: str, kept: bytes) -> bool:
        """Whether a kept digest is of this text, by any key that is still known."""
        ...
