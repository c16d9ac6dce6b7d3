"""Telephone numbers in one spelling, E.164."""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers

from domain.shared.errors import InvalidValue

HOME_REGION = "EG"
"""Whose numbers may be written without a country code."""


@dataclass(frozen=True, slots=True)
class Phone:
    """A number as people write it, kept as E.164 (`+201000000000`); raises InvalidValue where it is none.

    Possible by its length, not surely in use: numbering plans change faster than any table of them.
    """

    number: str

    def __post_init__(self) -> None:
        try:
            parsed = phonenumbers.parse(self.number, HOME_REGION)
        except phonenumbers.NumberParseException:
            raise _no_phone() from None
        if parsed.extension or not phonenumbers.is_possible_number(parsed):
            raise _no_phone()
        object.__setattr__(self, "number", phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))

    def __str__(self) -> str:
        return self.number


def _no_phone() -> InvalidValue:
    return InvalidValue("not a telephone number", pointer="/phone", code="invalid_phone")
