"""What identity needs from outside: passwords, tokens, codes, and the rows that they are checked against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.identity.api_keys import ApiKey
from domain.identity.guesses import Guesses
from domain.identity.invitations import Invitation
from domain.identity.phones import PhoneVerification
from domain.identity.roles import Role, Surface, surface_of
from domain.identity.second_factor import SecondFactor


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


class SecondFactors(Protocol):
    """Second factors, at most one for each account, and recovery codes; of codes only SHA-256."""

    def get(self, user_id: UUID) -> SecondFactor | None:
        """The account's, locked."""
        ...

    def put(self, factor: SecondFactor) -> None:
        """In place of one that was never confirmed. Raises SecondFactorAlreadyOn."""
        ...

    def save(self, factor: SecondFactor) -> None: ...

    def remove(self, factor: SecondFactor) -> None:
        """With its recovery codes; no session counts as having proved it any more."""
        ...

    def prove_session(self, session_id: UUID, *, at: datetime) -> None: ...

    def replace_recovery_codes(self, user_id: UUID, hashes: Mapping[UUID, bytes], *, at: datetime) -> None: ...

    def spend_recovery_code(self, user_id: UUID, code_hash: bytes, *, at: datetime) -> UUID | None:
        """The id of an unused code, used from now on; None where there is no such code."""
        ...

    def recovery_codes_left(self, user_id: UUID) -> int: ...


class CountedGuesses(Protocol):
    """Wrong guesses by subject."""

    def of(self, subject: str) -> Guesses:
        """The count, locked, so that guesses at one subject come one after another."""
        ...

    def save(self, guesses: Guesses) -> None: ...

    def forget(self, subject: str) -> None: ...


class PhoneVerifications(Protocol):
    """Codes for telephone numbers."""

    def requested_since(
        self, since: datetime, *, user_id: UUID, phone_digest: bytes
    ) -> tuple[Sequence[datetime], Sequence[datetime]]:
        """When codes were asked for, newest first: by this user, for this number; nobody else asks for it meanwhile."""
        ...

    def add(self, verification: PhoneVerification) -> None: ...

    def owner_of(self, verification_id: UUID) -> UUID | None: ...

    def newest(self, user_id: UUID) -> PhoneVerification | None:
        """The user's newest, locked; earlier ones count for nothing."""
        ...

    def save(self, verification: PhoneVerification) -> None: ...


class Invitations(Protocol):
    """Invitations, and the hashes of the links that were mailed for them."""

    def unknown_roles(self, roles: Sequence[str]) -> Sequence[str]: ...

    def pending_for(self, email: str) -> Invitation | None:
        """The one that is not accepted or withdrawn, locked; nobody else invites the address meanwhile."""
        ...

    def add(self, invitation: Invitation) -> None: ...

    def get(self, invitation_id: UUID) -> Invitation:
        """The invitation, locked. Raises InvitationNotFound."""
        ...

    def by_token(self, token_hash: bytes) -> Invitation | None:
        """The invitation that this link was mailed for, locked."""
        ...

    def save(self, invitation: Invitation) -> None: ...

    def add_token(self, invitation_id: UUID, token_hash: bytes) -> None: ...

    def forget_tokens(self, invitation_id: UUID) -> None:
        """No link that was mailed before works any more."""
        ...


class Roles(Protocol):
    """Roles and what they permit."""

    def add(self, role: Role) -> None:
        """Raises RoleNameTaken, here or at commit."""
        ...

    def get(self, role_id: UUID) -> Role:
        """The role, locked. Raises RoleNotFound."""
        ...

    def save(self, role: Role) -> None: ...

    def remove(self, role: Role) -> None: ...

    def is_in_use(self, name: str) -> bool:
        """Whether an account that is not closed has it."""
        ...

    def permissions_of(self, name: str) -> frozenset[str] | None:
        """What a role permits, kept from being removed meanwhile; None where there is no such role."""
        ...


class ApiKeys(Protocol):
    """API keys, of which only hashes are kept."""

    def add(self, key: ApiKey) -> None: ...

    def get(self, key_id: UUID, *, owner: UUID | None) -> ApiKey:
        """The owner's key, or anybody's for None; locked. Raises ApiKeyNotFound."""
        ...

    def save(self, key: ApiKey) -> None: ...

    def count_good(self, owner: UUID, *, at: datetime) -> int:
        """How many of an owner's keys open something; nobody makes another one for them meanwhile."""
        ...

    def note_use(self, key_id: UUID, *, address: str, at: datetime) -> None:
        """Remember a use, without waiting for anybody who remembers another one."""
        ...
