"""Where a partner's money goes: an account by its IBAN, or by its plain number at a bank that has none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from domain.shared.bank_codes import is_bic, is_iban
from domain.shared.errors import InvalidValue

_PLAIN_NUMBER: Final = re.compile(r"[0-9]{4,30}")
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
        if self.swift_code and not is_bic(self.swift_code):
            raise InvalidValue("a BIC has 8 or 11 letters and digits", pointer="/swift_code", code="invalid_swift_code")
        if self.account_number[:1].isalpha():
            self._refuse_unless_iban()
        else:
            self._refuse_unless_plain()

    def _refuse_unless_iban(self) -> None:
        if not is_iban(self.account_number):
            raise InvalidValue(
                "not an IBAN: a character is wrong or missing", pointer="/account_number", code="invalid_iban"
            )

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
