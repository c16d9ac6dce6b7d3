"""How amounts, instants and names of either language are put into sentences."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from domain.shared.clock import BUSINESS_ZONE
from domain.shared.money import Money


def amount(source: Mapping[str, Any], name: str) -> Money:
    """An amount of an event or of facts, which is `<name>_minor` beside `currency`."""
    return Money.of(source[f"{name}_minor"], source["currency"])


def on_the_wall(at: datetime, zone: ZoneInfo = BUSINESS_ZONE) -> str:
    """An instant as clocks of a place show it, those of Cairo unless another is given."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def apart(text: str) -> str:
    """Text of either direction, kept from turning the sentence around it (Unicode FSI and PDI, UAX 9)."""
    return f"\u2068{text}\u2069"


def in_language(facts: Mapping[str, Any], name: str = "name") -> Any:
    """The fact that there is in both languages, in its reader's."""
    return facts[f"{name}_{facts['locale']}"]
