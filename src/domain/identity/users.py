"""People and their accounts."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain.identity.roles import SUPER_ADMIN
from domain.shared.aggregate import Aggregate
from domain.shared.email import Email
from domain.shared.errors import Conflict, InvalidValue, NotAllowed
from domain.shared.events import DomainEvent
from domain.shared.phone import Phone


class UserStatus(StrEnum):
    """Whether a person may act at all."""

    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"


class RoleName(StrEnum):
    """The guide's roles, and VENDOR; staff types and the company's own roles stand beside them."""

    SUPER_ADMIN = "SUPER_ADMIN"
    ADMIN = "ADMIN"
    EMPLOYEE = "EMPLOYEE"
    CUSTOMER = "CUSTOMER"
    AGENT = "AGENT"
    VENDOR = "VENDOR"


class EmailTaken(Conflict):
    """Another account has proved this address; told only to who holds the mailbox."""

    code = "email_taken"


class EmailAlreadyVerified(Conflict):
    """The address is proved; there is nothing to send."""

    code = "email_already_verified"


class WrongCredentials(NotAllowed):
    """E-mail and password do not fit together; never says which of them is wrong."""

    code = "wrong_credentials"


class WrongVerification(InvalidValue):
    """The verification link or code is unknown, used or expired."""

    code = "verification_invalid"

    def __init__(self) -> None:
        super().__init__("the link or code is unknown, used or expired", pointer="/token")


class AccountClosed(Conflict):
    """The account was closed, and stays closed."""

    code = "account_closed"


class LastSuperAdmin(Conflict):
    """Somebody has to be left who may make administrators."""

    code = "last_super_admin"


class OwnAccount(NotAllowed):
    """Nobody changes their own roles or status, or closes their own account from here."""

    code = "own_account"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRegistered(DomainEvent):
    name: ClassVar[str] = "identity.user_registered"
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationRequested(DomainEvent):
    """Somebody asked for another link that proves the address."""

    name: ClassVar[str] = "identity.verification_requested"
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailVerified(DomainEvent):
    name: ClassVar[str] = "identity.email_verified"
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLocked(DomainEvent):
    """Passwords were guessed too often; `user_id` is None where nobody has proved the address."""

    name: ClassVar[str] = "identity.account_locked"
    user_id: UUID | None
    locked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordResetRequested(DomainEvent):
    """Somebody forgot a password; `user_id` is None where the address has no account."""

    name: ClassVar[str] = "identity.password_reset_requested"
    user_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged(DomainEvent):
    name: ClassVar[str] = "identity.password_changed"
    user_id: UUID
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """An account that says it has an address; nobody else has one that `is_proved`."""

    user_id: UUID
    password_hash: str
    is_proved: bool
    may_sign_in: bool


@dataclass(eq=False, kw_only=True)
class User(Aggregate):
    """One person's account; `password_hash` is opaque here (see security/password_handler.py)."""

    id: UUID
    email: str
    password_hash: str
    first_name: str
    last_name: str
    phone: str | None
    locale: str
    status: UserStatus
    roles: list[str] = field(default_factory=list)
    email_verified_at: datetime | None = None
    phone_verified_at: datetime | None = None
    created_at: datetime
    deleted_at: datetime | None = None
    version: int = 1

    @classmethod
    def register(
        cls,
        *,
        user_id: UUID,
        email: Email,
        password_hash: str,
        first_name: str,
        last_name: str,
        phone: str | None,
        locale: str,
        at: datetime,
        roles: tuple[RoleName, ...] = (RoleName.CUSTOMER,),
    ) -> User:
        """A new account, signed in at once; its address is a claim until it is proved (docs/decisions/0008)."""
        user = cls(
            id=user_id,
            email=email.address,
            password_hash=password_hash,
            first_name=person_name(first_name, "/first_name"),
            last_name=person_name(last_name, "/last_name"),
            phone=Phone(phone).number if phone is not None else None,
            locale=locale,
            status=UserStatus.ACTIVE,
            roles=[role.value for role in roles],
            created_at=at,
        )
        user.record(UserRegistered(at=at, user_id=user_id))
        return user

    @classmethod
    def invited(
        cls,
        *,
        user_id: UUID,
        email: Email,
        password_hash: str,
        first_name: str,
        last_name: str,
        phone: str | None,
        locale: str,
        at: datetime,
        roles: Iterable[str],
    ) -> User:
        """A new account whose address was proved by the link that was mailed to it."""
        user = cls.register(
            user_id=user_id,
            email=email,
            password_hash=password_hash,
            first_name=first_name,
            last_name=last_name,
            phone=phone,
            locale=locale,
            at=at,
        )
        # Nobody registered, and no mail has to ask for a proof.
        user.pull_events()
        user.roles = list(roles)
        user.verify_email(at=at)
        return user

    @property
    def may_sign_in(self) -> bool:
        return self.status is UserStatus.ACTIVE and self.deleted_at is None

    @property
    def is_super_admin(self) -> bool:
        return SUPER_ADMIN in self.roles

    def set_status(self, status: UserStatus) -> None:
        """Let the person act, or not; a closed account stays closed. Raises AccountClosed."""
        if self.deleted_at is not None:
            raise AccountClosed()
        self.status = status

    def set_roles(self, roles: Iterable[str]) -> None:
        """Give the person exactly these. Raises AccountClosed."""
        if self.deleted_at is not None:
            raise AccountClosed()
        self.roles = sorted(set(roles))

    def verify_email(self, *, at: datetime) -> None:
        """The address is this person's; saying so twice changes nothing."""
        if self.email_verified_at is None:
            self.email_verified_at = at
            self.record(EmailVerified(at=at, user_id=self.id))

    def change_password(self, password_hash: str, *, at: datetime) -> None:
        """Another password from now on; sessions are the caller's business."""
        self.password_hash = password_hash
        self.record(PasswordChanged(at=at, user_id=self.id, changed_at=at))

    def change_profile(
        self, *, first_name: str | None, last_name: str | None, phone: str | None, locale: str | None
    ) -> None:
        """Change what was given; None leaves a field as it is."""
        if first_name is not None:
            self.first_name = person_name(first_name, "/first_name")
        if last_name is not None:
            self.last_name = person_name(last_name, "/last_name")
        if phone is not None:
            self._change_phone(Phone(phone))
        self.locale = locale if locale is not None else self.locale

    def _change_phone(self, phone: Phone) -> None:
        """Another number has to be proved anew."""
        if phone.number != self.phone:
            self.phone, self.phone_verified_at = phone.number, None

    def verify_phone(self, *, at: datetime) -> None:
        """The number is this person's; whether it is another account's too is not our question."""
        self.phone_verified_at = at

    def add_roles(self, roles: Iterable[str]) -> None:
        """Roles beside those that the person has."""
        self.roles = list(dict.fromkeys([*self.roles, *roles]))

    def close(self, *, at: datetime) -> None:
        """The person left: the account can no longer sign in; what it bought stays on the books."""
        self.deleted_at = at
        self.status = UserStatus.DISABLED


def person_name(text: str, pointer: str) -> str:
    """A name in any script, without control characters; raises InvalidValue when nothing is left."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name or len(name) > 100 or any(unicodedata.category(char) == "Cc" for char in name):
        raise InvalidValue("a name has 1 to 100 characters", pointer=pointer, code="invalid_name")
    return name
