"""The payment methods of one merchant account, by the numbers that the account gives them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from application.billing.ports import OutcomeUnknown, ProviderRefused, ProviderUnreachable
from domain.shared.clock import Clock
from infrastructure.payment.fawaterk import wire
from infrastructure.payment.http import JsonAnswer

HOSTED: Final = frozenset({"CREDIT_CARD", "DEBIT_CARD", "OTHER"})
"""Paid on Fawaterk's page, which an account has even where its list of methods is empty (contract §3.1)."""

DIRECT: Final = {
    "FAWRY": "fawry",
    "AMAN": "aman",
    "MASARY": "masary",
    "MEEZA": "meeza",
    "VODAFONE_CASH": "meeza",
}
"""The guide's methods that are paid without a page → `name_en` in the account's list (contract §3.1).

Mobile wallets of every operator are paid through Meeza's.
"""

WALLETS: Final = frozenset({"MEEZA", "VODAFONE_CASH"})

KEPT_FOR: Final = timedelta(hours=1)

COMMISSION_ON_CUSTOMER: Final = "1"
"""`commission_on_customer`: 1, the customer pays it on top of the price; 2, it is taken from us (contract §4)."""

_NUMBER = re.compile(r"[0-9]{1,18}")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Listed:
    """One row of the account's list."""

    number: int
    adds_commission: bool


class AccountMethods:
    """The account's list, kept for an hour: it is to be cached (contract §2)."""

    def __init__(self, ask: Callable[[], JsonAnswer], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._guard = threading.Lock()
        self._kept: tuple[datetime, Mapping[str, _Listed]] | None = None

    def offered(self) -> frozenset[str]:
        """The hosted page's always; codes and wallets as the list has them. Raises ProviderUnreachable.

        Not those on which Fawaterk's commission comes on top: more would arrive than was asked for, and
        all of it would wait in suspense (guarantee P6).
        """
        try:
            listed = self._listed()
        except ProviderRefused as refusal:
            raise ProviderUnreachable(provider=wire.PROVIDER, reason="no list of methods") from refusal
        direct = {method for method, name in DIRECT.items() if name in listed and not listed[name].adds_commission}
        return HOSTED | direct

    def number_of(self, method: str) -> int:
        """The account's own number. Raises ProviderRefused where the account does not offer the method."""
        row = self._listed().get(DIRECT[method])
        if row is None:
            raise ProviderRefused(provider=wire.PROVIDER, reason=f"the account does not offer {method}")
        if row.adds_commission:
            raise ProviderRefused(provider=wire.PROVIDER, reason=f"customers would pay a commission on {method}")
        return row.number

    def _listed(self) -> Mapping[str, _Listed]:
        now = self._clock.now()
        with self._guard:
            kept = self._kept
        if kept is not None and now - kept[0] < KEPT_FOR:
            return kept[1]
        listed = self._asked()
        with self._guard:
            self._kept = (now, listed)
        return listed

    def _asked(self) -> Mapping[str, _Listed]:
        try:
            answer = self._ask()
        except OutcomeUnknown as trouble:
            # Asking for the list changes nothing, so it is still certain that nothing was created.
            raise ProviderUnreachable(provider=wire.PROVIDER, reason="no list of methods") from trouble
        rows = answer.document.get("data")
        listed = dict(filter(None, map(_listed_row, rows if isinstance(rows, list) else [])))
        on_customer = sorted(name for name, row in listed.items() if row.adds_commission)
        if on_customer:
            log.warning("payment_method_adds_commission", provider=wire.PROVIDER, methods=on_customer)
        return listed


def _listed_row(row: object) -> tuple[str, _Listed] | None:
    """Name and row; rows that cannot be read are left out, methods that we do not serve are kept.

    The number is `paymentId`, in the documentation of v3 `payment_method_id` (contract §4).
    """
    if not isinstance(row, Mapping):
        return None
    number = wire.read_identifier(wire.first_told(row, "payment_method_id", "paymentId"))
    name = row.get("name_en")
    if not isinstance(name, str) or not name.strip() or not _NUMBER.fullmatch(number):
        return None
    adds_commission = wire.read_identifier(row.get("commission_on_customer")) == COMMISSION_ON_CUSTOMER
    return name.strip().casefold(), _Listed(int(number), adds_commission)
