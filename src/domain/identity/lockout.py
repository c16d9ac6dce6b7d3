"""How often a password may be guessed: failures are counted by account and by network address (S5)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.shared.errors import RuleBroken

ACCOUNT_FAILURES = 10
ADDRESS_FAILURES = 100
PERIOD = timedelta(minutes=15)


class TooManyAttempts(RuleBroken):
    """Passwords were guessed here too often; `retry_after` is how many seconds to wait."""

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
        return f"address:{_network(self.address)}"


def _network(address: str) -> str:
    """The address itself; of IPv6 its /64, which is what one subscriber has (RFC 6177 §2)."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((int(known), 64), strict=False))
