"""The rows of identity that use cases lock and change: accounts, sessions, factors, invitations, roles, keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.identity.api_keys import ApiKey
from domain.identity.guesses import Guesses
from domain.identity.invitations import Invitation
from domain.identity.lockout import Attempt
from domain.identity.phones import PhoneVerification
from domain.identity.roles import Role
from domain.identity.second_factor import SecondFactor
from domain.identity.sessions import Session
from domain.identity.users import Claim, User


class Users(Protocol):
    """Accounts, by id or address."""

    def add(self, user: User) -> None: ...

    def get(self, user_id: UUID) -> User:
        """The user, locked until the unit of work ends. Raises NotFound."""
        ...

    def lock(self, user_ids: Collection[UUID]) -> None:
        """Lock them in one order until the unit of work ends, for what is theirs; nobody waits for an answer."""
        ...

    def by_email(self, email: str) -> User | None:
        """The account that has proved an address and is not closed."""
        ...

    def claims(self, email: str) -> Sequence[Claim]:
        """The accounts of an address that are not closed, at most 100.

        Those that may sign in come first; of them the one that proved the address, then the newest.
        """
        ...

    def roles_of_active(self, user_id: UUID) -> frozenset[str]:
        """The roles of somebody who may sign in, and none of anybody else's; locks nothing."""
        ...

    def other_super_admins(self, user_id: UUID) -> int:
        """How many other super admins may act; nobody else is made or unmade one until the unit of work ends."""
        ...


class Sessions(Protocol):
    """Signed-in devices and the single-use tokens that are mailed; only hashes are kept."""

    def add(self, session: Session) -> None: ...

    def by_token(self, token_hash: bytes) -> Session | None:
        """The session that ever had this refresh token, locked."""
        ...

    def owner_of(self, token_hash: bytes) -> UUID | None:
        """Whose session ever had this refresh token; locks nothing. A user is locked before its sessions."""
        ...

    def get(self, session_id: UUID, *, user_id: UUID) -> Session:
        """A session of this user that is not over, locked. Raises SessionNotFound."""
        ...

    def of_user(self, user_id: UUID) -> Sequence[Session]:
        """The user's sessions that were not revoked, locked."""
        ...

    def expect_verification(self, *, token_hash: bytes, user_id: UUID, expires_at: datetime) -> None: ...

    def verifications_until(self, user_id: UUID, *, after: datetime) -> Sequence[datetime]:
        """When a user's verification tokens end, those that end after an instant, the newest first."""
        ...

    def take_verification(self, *, token_hash: bytes, at: datetime) -> UUID | None:
        """Spend an unused, unexpired verification token: whose it was, or None."""
        ...

    def expect_reset(self, *, token_hash: bytes, user_id: UUID, at: datetime, expires_at: datetime) -> None:
        """Remember a password-reset token; the user's older ones are over."""
        ...

    def resets_since(self, email: str, at: datetime) -> int:
        """How many password-reset tokens were made for an address."""
        ...

    def reset_of(self, *, token_hash: bytes, at: datetime) -> UUID | None:
        """Whose unused, unexpired password-reset token this is, or None."""
        ...

    def take_reset(self, *, token_hash: bytes, at: datetime) -> UUID | None:
        """Spend it: whose it was, or None."""
        ...

    def end_resets(self, user_id: UUID, *, at: datetime) -> None:
        """No password-reset token of this user works any more."""
        ...


class LoginFailures(Protocol):
    """How often passwords were guessed; names nobody: accounts and addresses are kept as keyed digests."""

    def locked_until(self, attempt: Attempt, *, at: datetime) -> datetime | None:
        """Until when this account or this network address is locked; None where neither is."""
        ...

    def add(self, attempt: Attempt, *, at: datetime) -> bool:
        """Count a failure of both; True when it is the one that locked the account."""
        ...

    def add_to_account(self, attempt: Attempt, *, at: datetime) -> bool:
        """Count a failure of the account alone, as when registering; True when it is the one that locked it."""
        ...

    def end(self, attempt: Attempt, *, at: datetime) -> datetime | None:
        """The password was right: the account's failures are forgotten, unless a lock stands: until when it does.

        Failures that are being counted meanwhile are waited for: the right one among many guesses at once
        is let in only if it came before the one that locked.
        """
        ...

    def keep(self, attempt: Attempt, *, at: datetime) -> datetime | None:
        """The same, but that the failures stay as they are counted."""
        ...

    def unlock(self, attempt: Attempt) -> None:
        """Forget the account's failures, locked or not; those of the network address stay."""
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
