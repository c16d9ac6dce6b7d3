"""Digits that look like a payment card: found so that they are refused on the way in and struck out elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

SHORTEST, LONGEST = 13, 19
"""How many digits a card number has (ISO/IEC 7812-1)."""

STRUCK_OUT: Final = "[card number]"
# Ids of our own are no cards, however many digits stand in them by chance.
_ID = r"(?P<id>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|(?=[0-9]*[a-fA-F])[0-9a-fA-F]{24,})"
_CANDIDATE = re.compile(rf"{_ID}|\d+(?:[ -]{{1,3}}\d+)*")
_DIGITS = re.compile(r"\d+")


def holds_card_number(text: str) -> bool:
    """Whether 13 to 19 digits in it, together or in groups, have a card's check digit; digits of any script."""
    return len(text) >= SHORTEST and next(_found(text), None) is not None


def without_card_numbers(text: str) -> str:
    """The text with every such number struck out."""
    if len(text) < SHORTEST:
        return text
    for start, end in reversed(list(_found(text))):
        text = text[:start] + STRUCK_OUT + text[end:]
    return text


def _found(text: str) -> Iterator[tuple[int, int]]:
    for match in _CANDIDATE.finditer(text):
        if match["id"] is None and len(match[0]) >= SHORTEST:
            yield from _in_groups(text, [group.span() for group in _DIGITS.finditer(text, *match.span())])


def _in_groups(text: str, groups: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Neighbouring groups that make a card number; what stands before or behind it (a date, a code) is not of it."""
    first = 0
    while first < len(groups):
        last = _last_of_card(text, groups, first)
        if last is not None:
            yield groups[first][0], groups[last][1]
            first = last
        first += 1


def _last_of_card(text: str, groups: list[tuple[int, int]], first: int) -> int | None:
    digits: list[int] = []
    for last in range(first, len(groups)):
        start, end = groups[last]
        if len(digits) + end - start > LONGEST:
            return None
        digits += [int(digit) for digit in text[start:end]]
        if len(digits) >= SHORTEST and digits[0] != 0 and _checks(digits):
            return last
    return None


def _checks(digits: list[int]) -> bool:
    """The Luhn sum (ISO/IEC 7812-1, annex B)."""
    doubled = (digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
