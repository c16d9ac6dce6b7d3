"""Proving a telephone number with a code that is sent to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from domain.shared.errors import Conflict, InvalidValue, RuleBroken
from domain.shared.events import DomainEvent

LIFETIME = timedelta(minutes=10)
MOST_TRIES = 5
MOST_AN_HOUR = 3
HOUR = timedelta(hours=1)


class PhoneMissing(RuleBroken):
    """The profile has no telephone number to prove."""

    code = "phone_missing"


class PhoneAlreadyVerified(Conflict):
    """The number is proved."""

    code = "phone_already_verified"


class WrongPhoneCode(InvalidValue):
    """Not the newest code that was sent to this number, or spent, too old, or tried too often."""

    code = "phone_code_invalid"

    def __init__(self) -> None:
        super().__init__("the code is wrong, used or expired", pointer="/code", code="phone_code_invalid")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneCodeRequested(DomainEvent):
    name: ClassVar[str] = "identity.phone_code_requested"
    verification_id: UUID


@dataclass(kw_only=True)
class PhoneVerification:
    """One code for one number of one person; number and code are kept as keyed digests.

    `code_digest` is None until the code is made, which is when it is sent.
    """

    id: UUID
    user_id: UUID
    phone_digest: bytes
    requested_at: datetime
    code_digest: bytes | None = None
    tries: int = 0
    used_at: datetime | None = None

    @property
    def expires_at(self) -> datetime:
        return self.requested_at + LIFETIME

    def is_open(self, *, at: datetime) -> bool:
        return self.used_at is None and at < self.expires_at and self.tries < MOST_TRIES

    def try_code(self, *, is_right: bool, at: datetime) -> bool:
        """Count one try; whether the number is proved by it."""
        if not self.is_open(at=at):
            return False
        self.tries += 1
        if is_right:
            self.used_at = at
        return is_right
