"""What a customer or staff write about a trip in a form of their own: a small JSON object, cleaned."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from numbers import Real
from typing import Any, Final

from domain.shared.card_numbers import holds_card_number
from domain.shared.errors import InvalidValue

MOST_BYTES: Final = 8 * 1024
"""As JSON in UTF-8."""
MOST_LEVELS: Final = 3
LONGEST_NAME: Final = 100
LARGEST_NUMBER: Final = 10**15


def clean_details(written: Mapping[str, object], *, pointer: str) -> dict[str, object]:
    """The object with its texts trimmed. Raises InvalidValue, at the member that is wrong.

    At most MOST_BYTES and MOST_LEVELS of objects and lists, no control characters but line ends and tabs, and nothing
    that looks like a card number, in texts, names or numbers.
    """
    cleaned = {_name(name, pointer): _cleaned(value, _step(pointer, name), 1) for name, value in written.items()}
    if len(json.dumps(cleaned, ensure_ascii=False).encode()) > MOST_BYTES:
        raise InvalidValue(f"at most {MOST_BYTES} bytes of JSON", pointer=pointer, code="out_of_range")
    return cleaned


def _cleaned(value: object, pointer: str, level: int) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, pointer)
    if isinstance(value, Real):
        return _number(value, pointer)
    if level >= MOST_LEVELS:
        raise InvalidValue(f"at most {MOST_LEVELS} levels", pointer=pointer, code="too_deep")
    if isinstance(value, Mapping):
        return {_name(name, pointer): _cleaned(each, _step(pointer, name), level + 1) for name, each in value.items()}
    if isinstance(value, list):
        return [_cleaned(each, f"{pointer}/{place}", level + 1) for place, each in enumerate(value)]
    raise InvalidValue("text, numbers, true, false, null, lists and objects", pointer=pointer)


def _name(name: object, pointer: str) -> str:
    text = _text(str(name), pointer)
    if not 1 <= len(text) <= LONGEST_NAME:
        raise InvalidValue(f"names of 1 to {LONGEST_NAME} characters", pointer=pointer, code="out_of_range")
    return text


def _text(text: str, pointer: str) -> str:
    text = text.strip()
    if any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\r\t" for char in text):
        raise InvalidValue("control characters are not allowed", pointer=pointer)
    _refuse_card_number(text, pointer)
    return text


def _number(number: Any, pointer: str) -> object:
    # Infinity and NaN are no JSON; they fail the comparison, too.
    if not -LARGEST_NUMBER <= number <= LARGEST_NUMBER:
        raise InvalidValue(f"numbers up to {LARGEST_NUMBER}", pointer=pointer, code="out_of_range")
    _refuse_card_number(str(number), pointer)
    return number


def _refuse_card_number(text: str, pointer: str) -> None:
    if holds_card_number(text):
        raise InvalidValue("looks like a card number", pointer=pointer, code="card_number_refused")


def _step(pointer: str, name: object) -> str:
    """One step further (RFC 6901 §3)."""
    return f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"
