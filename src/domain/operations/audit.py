"""The record of what staff did: what a change may say, and what never stands in it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from domain.shared.card_numbers import without_card_numbers


class AuditStatus(StrEnum):
    """What came of it."""

    SUCCESS = "SUCCESS"
    """It was done; the row is in the transaction that did it."""
    FAILED = "FAILED"
    """It was refused, for lack of rights or by a rule; nothing was changed."""
    PARTIAL = "PARTIAL"
    """Of many things some were done."""


WITHHELD: Final = "[withheld]"
SECRET_WORDS: Final = frozenset({"password", "token", "secret", "key", "code", "hash"})
NO_SECRETS: Final = frozenset(
    {"plan_code", "tier_code", "type_code", "permission_code", "setting_key", "error_code", "currency_code"}
)
"""Names that end like a secret and are none: a new one here is a decision."""


class SecretInChanges(ValueError):
    """A change names something secret: the code that recorded it is wrong."""


def changed(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """What differs, on both sides, as the audit log keeps it; what is on one side only differs too.

    Raises SecretInChanges where a name says that its value is a secret.
    """
    names = [name for name in {**before, **after} if name not in before or before.get(name) != after.get(name, _NONE)]
    changes = {
        "before": {name: before[name] for name in names if name in before},
        "after": {name: after[name] for name in names if name in after},
    }
    refuse_secrets(changes)
    return changes


_NONE: Final = object()


def is_secret(name: str) -> bool:
    """Whether a field's name says that its value is a secret: one of its words is, in one or many."""
    if name.lower() in NO_SECRETS:
        return False
    return any(word.removesuffix("s") in SECRET_WORDS or word in SECRET_WORDS for word in name.lower().split("_"))


def refuse_secrets(changes: object) -> None:
    """Raises SecretInChanges where something in it, however deep, has a secret's name."""
    if isinstance(changes, Mapping):
        for name, value in changes.items():
            if is_secret(str(name)):
                raise SecretInChanges(f"{name!r} does not go into the audit log")
            refuse_secrets(value)
    elif isinstance(changes, list | tuple):
        for value in changes:
            refuse_secrets(value)


def without_secrets(changes: object) -> object:
    """The same with what has a secret's name withheld and card numbers struck out."""
    if isinstance(changes, Mapping):
        return {
            str(name): WITHHELD if is_secret(str(name)) else without_secrets(value) for name, value in changes.items()
        }
    if isinstance(changes, list | tuple):
        return [without_secrets(value) for value in changes]
    return without_card_numbers(changes) if isinstance(changes, str) else changes
