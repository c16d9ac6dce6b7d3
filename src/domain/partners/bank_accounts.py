"""Where a partner's money goes: an account by its IBAN, or by its plain number at a bank that has none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from domain.shared.errors import InvalidValue

IBAN_LENGTHS: Final = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
    "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29,
    "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24,
    "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
    "YE": 30,
}  # fmt: skip
"""How many characters an IBAN has, by its country (SWIFT, IBAN Registry)."""

_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]+")
_PLAIN_NUMBER: Final = re.compile(r"[0-9]{4,30}")
_BIC: Final = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_SPACING: Final = re.compile(r"[\s-]")
SHOWN: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class BankAccount:
    """An account as its bank knows it; numbers are kept without spaces, in capitals.

    `account_number` is an IBAN where it begins like one (ISO 13616), else the bank's plain number, with which the
    bank has to be named. `swift_code` is a BIC (ISO 9362) or empty. Raises InvalidValue naming the field.
    """

    SAID: ClassVar = ("holder_name", "account_number", "bank_name", "bank_branch", "swift_code")

    holder_name: str
    account_number: str
    bank_name: str = ""
    bank_branch: str = ""
    swift_code: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "account_number", _spelled(self.account_number))
        object.__setattr__(self, "swift_code", _spelled(self.swift_code))
        if not self.holder_name.strip():
            raise InvalidValue("say whose account it is", pointer="/holder_name", code="required")
        if self.swift_code and not _BIC.fullmatch(self.swift_code):
            raise InvalidValue("a BIC has 8 or 11 letters and digits", pointer="/swift_code", code="invalid_swift_code")
        if self.account_number[:1].isalpha():
            _refuse_unless_iban(self.account_number)
        else:
            self._refuse_unless_plain()

    def _refuse_unless_plain(self) -> None:
        if not _PLAIN_NUMBER.fullmatch(self.account_number):
            raise InvalidValue("an IBAN, or 4 to 30 digits", pointer="/account_number", code="invalid_account_number")
        if not self.bank_name.strip():
            raise InvalidValue("a number alone names no bank", pointer="/bank_name", code="required")

    @property
    def has_iban(self) -> bool:
        return self.account_number[:1].isalpha()

    @property
    def masked(self) -> str:
        """As much as its owner needs to know it again: the bank, and the last four characters of the number."""
        bank = self.bank_name.strip() or self.account_number[:2]
        return f"{bank} •••• {self.account_number[-SHOWN:]}"

    def document(self) -> dict[str, str]:
        """What is kept of it, encrypted."""
        return {name: getattr(self, name) for name in self.SAID}

    @classmethod
    def of(cls, document: Mapping[str, str]) -> BankAccount:
        """The account that was kept."""
        return cls(**{name: document[name] for name in cls.SAID})


def _spelled(number: str) -> str:
    # Other letters stay what they are, and are refused: some have capitals of two letters.
    return _SPACING.sub("", number).upper() if number.isascii() else number


def _refuse_unless_iban(number: str) -> None:
    if not _IBAN.fullmatch(number) or IBAN_LENGTHS.get(number[:2]) != len(number):
        raise _no_iban()
    # ISO 7064 MOD 97-10: letters count from 10, and what is left is 1.
    if int("".join(str(int(char, 36)) for char in number[4:] + number[:4])) % 97 != 1:
        raise _no_iban()


def _no_iban() -> InvalidValue:
    return InvalidValue("not an IBAN: a character is wrong or missing", pointer="/account_number", code="invalid_iban")
