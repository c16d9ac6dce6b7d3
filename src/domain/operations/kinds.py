"""What a setting's value may be: each kind reads what JSON said, or refuses it at `/value`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from domain.shared.bank_codes import is_bic, is_iban
from domain.shared.card_numbers import holds_card_number
from domain.shared.email import Email
from domain.shared.errors import InvalidValue
from domain.shared.money import EXPONENTS, Money

T = TypeVar("T")


class SettingType(StrEnum):
    """What kind of JSON value it is."""

    STRING = "STRING"
    NUMBER = "NUMBER"
    BOOLEAN = "BOOLEAN"
    JSON = "JSON"
    ARRAY = "ARRAY"


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """`read` makes the value of what JSON said, and raises InvalidValue; `accepts` says what it takes."""

    setting_type: SettingType
    accepts: str
    read: Callable[[object], T]


def _refused(accepts: str, code: str = "invalid") -> InvalidValue:
    return InvalidValue(accepts, pointer="/value", code=code)


def whole(least: int, most: int) -> Kind[int]:
    """A whole number within bounds, both included."""
    accepts = f"a whole number from {least} to {most}"

    def read(value: object) -> int:
        # `True` is an int to Python, and none to people.
        if type(value) is not int:
            raise _refused(accepts)
        if not least <= value <= most:
            raise _refused(accepts, "out_of_range")
        return value

    return Kind(SettingType.NUMBER, accepts, read)


def flag() -> Kind[bool]:
    """Yes or no."""
    accepts = "true or false"

    def read(value: object) -> bool:
        if type(value) is not bool:
            raise _refused(accepts)
        return value

    return Kind(SettingType.BOOLEAN, accepts, read)


def text(*, least: int = 0, most: int) -> Kind[str]:
    """One line of text, trimmed."""
    accepts = f"text of {least} to {most} characters on one line"

    def read(value: object) -> str:
        if not isinstance(value, str) or any(unicodedata.category(char) in ("Cc", "Cs") for char in value):
            raise _refused(accepts)
        if not least <= len(value.strip()) <= most:
            raise _refused(accepts, "out_of_range")
        if holds_card_number(value):
            raise _refused(accepts, "card_number_refused")
        return value.strip()

    return Kind(SettingType.STRING, accepts, read)


def paragraphs(*, most: int) -> Kind[str]:
    """Text of several lines, trimmed. Our own account's number may look like a card's, so it is not refused."""
    accepts = f"text of up to {most} characters"

    def read(value: object) -> str:
        if not isinstance(value, str) or any(
            unicodedata.category(char) in ("Cc", "Cs") and char != "\n" for char in value
        ):
            raise _refused(accepts)
        if len(value.strip()) > most:
            raise _refused(accepts, "out_of_range")
        return value.strip()

    return Kind(SettingType.STRING, accepts, read)


def e_mail() -> Kind[str]:
    """An e-mail address, or nothing."""
    accepts = "an e-mail address, or an empty text"

    def read(value: object) -> str:
        if not isinstance(value, str):
            raise _refused(accepts)
        try:
            return Email(value).address if value else ""
        except InvalidValue as error:
            raise _refused(accepts, "invalid_email") from error

    return Kind(SettingType.STRING, accepts, read)


def money_per_currency() -> Kind[list[dict[str, str]]]:
    """Amounts that are not below zero, at most one in each currency; `amount_in` finds one."""
    accepts = 'amounts such as [{"amount": "1000.00", "currency": "EGP"}], at most one in each currency'

    def read(value: object) -> list[dict[str, str]]:
        if not isinstance(value, list):
            raise _refused(accepts)
        amounts = [_money(one, accepts) for one in value]
        if len({amount.currency for amount in amounts}) < len(amounts):
            raise _refused(accepts, "duplicate_currency")
        if any(amount.minor < 0 for amount in amounts):
            raise _refused(accepts, "out_of_range")
        return [{"amount": amount.decimal(), "currency": amount.currency.code} for amount in amounts]

    return Kind(SettingType.ARRAY, accepts, read)


def _money(value: object, accepts: str) -> Money:
    if not isinstance(value, dict) or set(value) != {"amount", "currency"}:
        raise _refused(accepts)
    if not isinstance(value["amount"], str) or not isinstance(value["currency"], str):
        raise _refused(accepts)
    try:
        return Money.parse(value["amount"], value["currency"])
    except InvalidValue as error:
        raise _refused(accepts, error.faults[0].code) from error


def amount_in(amounts: list[dict[str, str]], code: str) -> Money | None:
    """The amount that a setting has in this currency; None where it says nothing of it."""
    return next((Money.parse(one["amount"], code) for one in amounts if one["currency"] == code), None)


_POINTS_FIGURES = ("money_units_per_point", "points_per_money_unit")
_MOST_POINTS_FIGURE = 1_000_000


def points_per_currency() -> Kind[list[dict[str, Any]]]:
    """Both figures of points for some currencies, each named once: whole numbers above zero."""
    accepts = (
        'figures such as [{"currency": "KWD", "money_units_per_point": 1, "points_per_money_unit": 15000}], each from 1'
        f" to {_MOST_POINTS_FIGURE}, at most one in each currency"
    )

    def read(value: object) -> list[dict[str, Any]]:
        if not isinstance(value, list):
            raise _refused(accepts)
        figures = [_points_figures(one, accepts) for one in value]
        if len({one["currency"] for one in figures}) < len(figures):
            raise _refused(accepts, "duplicate_currency")
        return figures

    return Kind(SettingType.ARRAY, accepts, read)


def _points_figures(value: object, accepts: str) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != {"currency", *_POINTS_FIGURES}:
        raise _refused(accepts)
    if not isinstance(value["currency"], str) or value["currency"] not in EXPONENTS:
        raise _refused(accepts, "unknown_currency")
    figures = {name: value[name] for name in _POINTS_FIGURES}
    if any(type(figure) is not int for figure in figures.values()):
        raise _refused(accepts)
    if not all(1 <= figure <= _MOST_POINTS_FIGURE for figure in figures.values()):
        raise _refused(accepts, "out_of_range")
    return {"currency": value["currency"], **figures}


_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")


def phone() -> Kind[str]:
    """A telephone number as E.164 writes it, or nothing."""
    accepts = "a telephone number such as +201001234567, or an empty text"

    def read(value: object) -> str:
        if not isinstance(value, str) or not (value == "" or _PHONE.fullmatch(value)):
            raise _refused(accepts)
        return value

    return Kind(SettingType.STRING, accepts, read)


def one_of(*allowed: str) -> Kind[str]:
    """One of a few words."""
    accepts = f"one of {', '.join(allowed)}"

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise _refused(accepts)
        return value

    return Kind(SettingType.STRING, accepts, read)


def iban() -> Kind[str]:
    """An account's number (ISO 13616) without spaces, its check digits right; or nothing."""
    accepts = "an IBAN such as EG380019000500000000263180002, or an empty text"

    def read(value: object) -> str:
        if not isinstance(value, str):
            raise _refused(accepts)
        number = value.replace(" ", "").upper()
        if number and not is_iban(number):
            raise _refused(accepts, "invalid_iban")
        return number

    return Kind(SettingType.STRING, accepts, read)


def bic() -> Kind[str]:
    """A bank's code (ISO 9362), or nothing."""
    accepts = "a BIC of 8 or 11 letters and digits, or an empty text"

    def read(value: object) -> str:
        if not isinstance(value, str) or (value and not is_bic(value)):
            raise _refused(accepts)
        return value

    return Kind(SettingType.STRING, accepts, read)
