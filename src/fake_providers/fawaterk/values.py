"""What the fake's parts share: exact numbers, Cairo's times, refusals in Fawaterk's envelope."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import orjson

CAIRO = ZoneInfo("Africa/Cairo")
EGP_RATE = Decimal("53.333")
"""What a unit of any foreign currency is converted at in `total`."""

Json = dict[str, Any]


class Refusal(Exception):
    """An error answer in Fawaterk's envelope; `message` is a sentence, or sentences by field."""

    def __init__(self, status: int, message: str | dict[str, list[str]]) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def exact(number: Decimal | str) -> orjson.Fragment:
    """A decimal as a JSON number, digit for digit."""
    return orjson.Fragment(str(number))


def now_in_cairo() -> str:
    return f"{datetime.now(CAIRO):%Y-%m-%d %H:%M:%S}"


def spoken(stored: str | None) -> str | None:
    """The other of Fawaterk's two spellings of a time: 08 Oct 2026, 04:42 PM."""
    return f"{datetime.fromisoformat(stored):%d %b %Y, %I:%M %p}" if stored else None


def total_in_egp(record: Json) -> Decimal:
    """`total` as readings have it: converted, whatever was charged (contract §3.4, §4)."""
    return Decimal(record["total"]) * (1 if record["currency"] == "EGP" else EGP_RATE)


def paid_sum(record: Json) -> Decimal:
    return sum((Decimal(row["amount"]) for row in record["transactions"] if row["paying"]), Decimal(0))
