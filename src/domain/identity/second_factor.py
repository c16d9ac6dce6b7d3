"""The second question at sign-in: one-time codes of an app (TOTP, RFC 6238), and recovery codes for its loss."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain.shared.aggregate import Aggregate
from domain.shared.errors import Conflict, NotAllowed
from domain.shared.events import DomainEvent

RECOVERY_CODES = 10
CODE_DIGITS = 6


class SecondFactorState(StrEnum):
    """How far an account's second factor is set up."""

    OFF = "OFF"
    """There is none."""
    PENDING = "PENDING"
    """A secret was shown, and no code of it was given yet; sign-in does not ask for one."""
    CONFIRMED = "CONFIRMED"
    """Sign-in asks for a code."""


class SecondFactorRequired(NotAllowed):
    """The password is right, and the account asks for a code too: send `second_factor_code` with it."""

    code = "second_factor_required"


class SecondFactorInvalid(NotAllowed):
    """The code is wrong, from another time, or used before."""

    code = "second_factor_invalid"


class SecondFactorAlreadyOn(Conflict):
    """There is a confirmed one; it has to be switched off before another is set up."""

    code = "second_factor_already_on"


class SecondFactorNotOn(Conflict):
    """There is none to prove, change or switch off."""

    code = "second_factor_not_on"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorSwitchedOn(DomainEvent):
    name: ClassVar[str] = "identity.second_factor_switched_on"
    user_id: UUID
    factor_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorSwitchedOff(DomainEvent):
    name: ClassVar[str] = "identity.second_factor_switched_off"
    user_id: UUID
    factor_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorReset(DomainEvent):
    """Staff took it away."""

    name: ClassVar[str] = "identity.second_factor_reset"
    user_id: UUID
    factor_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCodeUsed(DomainEvent):
    """`left` is how many codes remain."""

    name: ClassVar[str] = "identity.recovery_code_used"
    user_id: UUID
    recovery_code_id: UUID
    left: int


@dataclass(eq=False, kw_only=True)
class SecondFactor(Aggregate):
    """An account's TOTP secret, sealed; a step of 30 seconds is accepted once, and never an earlier one after it."""

    id: UUID
    user_id: UUID
    sealed_secret: bytes
    created_at: datetime
    confirmed_at: datetime | None = None
    last_step: int | None = None

    @property
    def is_confirmed(self) -> bool:
        return self.confirmed_at is not None

    @property
    def state(self) -> SecondFactorState:
        return SecondFactorState.CONFIRMED if self.is_confirmed else SecondFactorState.PENDING

    def accept(self, step: int | None) -> bool:
        """Whether a code of this step is good (None: of no step at all); it is spent with that (RFC 6238 §5.2)."""
        if step is None or (self.last_step is not None and step <= self.last_step):
            return False
        self.last_step = step
        return True

    def confirm(self, *, at: datetime) -> None:
        """The person's app makes the right codes: from now on sign-in asks for them."""
        if self.is_confirmed:
            raise SecondFactorAlreadyOn()
        self.confirmed_at = at
        self.record(SecondFactorSwitchedOn(at=at, user_id=self.user_id, factor_id=self.id))

    def switch_off(self, *, at: datetime) -> None:
        """The person does without; one that was never confirmed goes silently."""
        if self.is_confirmed:
            self.record(SecondFactorSwitchedOff(at=at, user_id=self.user_id, factor_id=self.id))

    def reset(self, *, at: datetime) -> None:
        """Staff take it away from somebody who lost both app and recovery codes."""
        self.record(SecondFactorReset(at=at, user_id=self.user_id, factor_id=self.id))


def plain_code(written: str) -> str:
    """A code as it was made: without spaces and hyphens, digits of any script as ASCII, letters as capitals."""
    kept = (char for char in unicodedata.normalize("NFKC", written) if not char.isspace() and char != "-")
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char.upper() for char in kept)


def is_one_time_code(code: str) -> bool:
    """Whether this is written like a code of an app; anything else can only be a recovery code."""
    return len(code) == CODE_DIGITS and code.isascii() and code.isdigit()
