"""How often a password may be guessed: failures are counted by account and by network address (S5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.shared.errors import RuleBroken
from domain.shared.network import subscriber_of

ACCOUNT_FAILURES = 10
ADDRESS_FAILURES = 100
PERIOD = timedelta(minutes=15)


class TooManyAttempts(RuleBroken):
    """There was too much guessing or asking here; `retry_after` is how many seconds to wait."""

    code = "too_many_attempts"

    def __init__(self, *, until: datetime, at: datetime) -> None:
        super().__init__(retry_after=max(1, -((at - until) // timedelta(seconds=1))))


@dataclass(frozen=True, slots=True)
class LockoutPolicy:
    """So many failures within a period lock for as long, counted from the last of them.

    Both counts are 2 or more. The lock is as long as the period, so that when it ends the count begins anew.
    """

    account_failures: int = ACCOUNT_FAILURES
    address_failures: int = ADDRESS_FAILURES
    period: timedelta = PERIOD


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody at a network address who gives a password for an e-mail address (folded).

    What is counted is the address that was written, whether or not it has an account: the count tells nothing.
    """

    email: str
    address: str
    by_registering: bool = False
    """Counted apart: else whoever registers with a known address and then fails to sign in would see the sum."""

    @property
    def account(self) -> str:
        return f"{'registration' if self.by_registering else 'account'}:{self.email}"

    @property
    def origin(self) -> str:
        return f"address:{subscriber_of(self.address)}"
