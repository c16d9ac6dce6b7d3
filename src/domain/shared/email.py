"""E-mail addresses, compared without regard to case."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from domain.shared.errors import InvalidValue

# RFC 5321 lengths; the shape is deliberately plain: one @, a dotted domain, no white space or quoting.
_SHAPE = re.compile(
    r"[^\s@\"<>(),:;\\\[\]]{1,64}@(?=.{4,190}$)(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{0,61}[^\W_]"
)


@dataclass(frozen=True, slots=True)
class Email:
    """An address as people write it, folded to one spelling; raises InvalidValue when it is none."""

    address: str

    def __post_init__(self) -> None:
        folded = fold(self.address)
        # Control characters, invisible ones and halves of surrogate pairs are nobody's address.
        hidden = any(unicodedata.category(char).startswith("C") for char in folded)
        if hidden or not _SHAPE.fullmatch(folded) or ".." in folded:
            raise InvalidValue("not an e-mail address", pointer="/email", code="invalid_email")
        object.__setattr__(self, "address", folded)

    def __str__(self) -> str:
        return self.address


def fold(written: str) -> str:
    """The one spelling of what people type alike; says nothing about whether it is an address."""
    return unicodedata.normalize("NFKC", written).strip().casefold()
