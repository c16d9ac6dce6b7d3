"""What never stands in a log line (S8): secrets, addresses of people, card numbers, wherever they were said."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from structlog.typing import EventDict, WrappedLogger

from domain.shared.card_numbers import SHORTEST, holds_card_number, without_card_numbers

REDACTED: Final = "[redacted]"
_SECRETS: Final = (
    r"passw(?:or)?d|passphrase|secret|token|authorization|cookie|api_?key|private_?key|signing_?key|credential"
    r"|signature|\botp\b|\bcvv\b|\bcvc\b|hash\b"
)
SECRET_NAMES: Final = re.compile(_SECRETS, re.IGNORECASE)
"""Names of what opens a door."""

PERSONAL_NAMES: Final = frozenset(
    {"email", "phone", "first_name", "last_name", "full_name", "birth_date", "document_number", "customer_info",
     "national_id", "passport_number", "iban", "account_number", "card_number", "travelers", "ip_address"}
)  # fmt: skip

# `name: value`, `name=value`, `"name": "value"`. Bounded before and behind, or long words would take for ever.
_NAMED_SECRET: Final = (
    rf"""(["']?[\w-]{{0,30}}(?:{_SECRETS})[\w-]{{0,30}}["']?\s{{0,3}}[:=]\s*)"""
    r"""(?:"[^"]*"|'[^']*'|[^\s"',;&)\]}]+)"""
)
# Nothing below can match a text without one of these; most lines have none.
_SUSPICIOUS: Final = re.compile(r"[@:=]|eyJ|(?i:bearer)|\+\d|\d(?:[ -]{0,3}\d){12}|DETAIL|parameters")
_PATTERNS: Final = (
    # Whole rows, in PostgreSQL's details and SQLAlchemy's parameters.
    (re.compile(r"(?s)(DETAIL:\s*).*?(?=\n(?:HINT|CONTEXT|QUERY|LINE|Traceback|\s*\n|\[SQL)|\Z)"), r"\1" + REDACTED),
    (re.compile(r"(?s)(\[parameters: ).*?\](?=\n|\Z)"), r"\1" + REDACTED + "]"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"), r"\1 " + REDACTED),
    (re.compile(r"\beyJ[\w-]{4,}\.[\w-]+(?:\.[\w-]*)?"), REDACTED),
    (re.compile(r"(://[^\s:/@]*:)[^\s@]+@"), r"\1" + REDACTED + "@"),
    # PostgreSQL's word on a value that is none of its type, and on a statement's parameters.
    (re.compile(r"(invalid input (?:syntax|value) for [^:\n]{1,80}: )\"[^\"\n]*\""), r"\1" + REDACTED),
    (re.compile(r"(parameter \$\d+ = )'[^']*'"), r"\1" + REDACTED),
    (re.compile(_NAMED_SECRET, re.IGNORECASE), r"\1" + REDACTED),
    (re.compile(r"[^\s@\"'<>(),:;=\[\]]{1,64}@[^\s@\"'<>(),:;=\[\]]{1,190}\.[^\W\d_][\w-]+"), REDACTED),
    (re.compile(r"(?<![\w+])\+\d(?:[ -]?\d){7,14}(?!\d)"), REDACTED),
)
_OURS: Final = frozenset({"timestamp", "level"})
_SHORT: Final = 120
_LONGEST: Final = 16_000
"""A longer text loses its middle: of a trace, where it began and what was raised are worth keeping."""
_SHORTEST_CARD: Final = 10 ** (SHORTEST - 1)
_PLAIN: Final = (bool, float, date, UUID, type(None))


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: the same event without what must not be kept."""
    return {name: value if name in _OURS else _redacted(name, value) for name, value in event.items()}


def redacted_text(text: str) -> str:
    """A text, such as an exception's, without secrets, addresses of people and card numbers."""
    if text.isalnum():
        return without_card_numbers(text)
    return _redacted_short(text) if len(text) <= _SHORT else _redacted_long(text)


def _redacted_long(text: str) -> str:
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 4]} […] {text[-_LONGEST * 3 // 4 :]}"
    if not _SUSPICIOUS.search(text):
        return text
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return without_card_numbers(text)


# Routes, event names and the like come again and again.
_redacted_short = lru_cache(maxsize=1024)(_redacted_long)


@lru_cache(maxsize=1024)
def _is_guarded(name: str) -> bool:
    return name.lower() in PERSONAL_NAMES or SECRET_NAMES.search(name) is not None


def _redacted(name: str, value: Any) -> Any:
    if value is not None and _is_guarded(name):
        return REDACTED
    if isinstance(value, str):
        return redacted_text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return REDACTED if value >= _SHORTEST_CARD and holds_card_number(str(value)) else value
    if isinstance(value, Mapping):
        return {str(inner): _redacted(str(inner), found) for inner, found in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(name, inner) for inner in value]
    return value if isinstance(value, _PLAIN) else redacted_text(repr(value))
