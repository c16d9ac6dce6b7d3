"""Fields of requests and answers: money as decimal strings, text that a database can keep."""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from marshmallow import RAISE, ValidationError, fields, missing
from marshmallow import Schema as MarshmallowSchema
from marshmallow.decorators import POST_LOAD, PRE_LOAD, VALIDATES, VALIDATES_SCHEMA

from domain.ledger.accounts import decimals_of
from domain.shared.card_numbers import holds_card_number
from domain.shared.clock import REACH
from domain.shared.errors import InvalidValue
from domain.shared.money import Money, format_minor
from domain.shared.percentage import Percentage
from middlewares.language import reading_language


class Schema(MarshmallowSchema):
    """Unknown fields are refused (marshmallow's default), and order is kept.

    What is plainly right is read without marshmallow's going through every field that nobody sent; whatever is not
    goes its way, which says what is wrong. A property holds both to the same.
    """

    _ways: tuple[_Way, ...] | None = None
    _checks: tuple[Callable[..., Any], ...]
    _endings: tuple[Callable[..., Any], ...]

    def load(self, data: Any, *, many: bool | None = None, partial: Any = None, unknown: Any = None) -> Any:
        ways = self._found_ways() if self._ways is None else self._ways
        if ways and type(data) is dict and not (many or partial) and unknown in (None, RAISE):
            with contextlib.suppress(ValidationError):
                return self._plainly(data, ways)
        return super().load(data, many=many, partial=partial, unknown=unknown)

    def _found_ways(self) -> tuple[_Way, ...]:
        """Its fields; none where it does more than read them one by one and look at all of them together."""
        checks, endings = self._hooks[VALIDATES_SCHEMA], self._hooks[POST_LOAD]
        looks_elsewhere = self._hooks[PRE_LOAD] or self._hooks[VALIDATES]
        wants_more = any(takes_many or options.get("pass_original") for _, takes_many, options in (*checks, *endings))
        is_plain = not (looks_elsewhere or wants_more or self.many or self.partial) and self.unknown == RAISE
        self._checks = tuple(getattr(self, name) for name, _, _ in checks)
        self._endings = tuple(getattr(self, name) for name, _, _ in endings)
        self._ways = tuple(_Way.of(name, field) for name, field in self.load_fields.items()) if is_plain else ()
        return self._ways

    def _plainly(self, data: dict[str, Any], ways: tuple[_Way, ...]) -> Any:
        """What a request says. Raises ValidationError for what is wrong, whichever of several that is."""
        loaded: Any = {}
        understood = 0
        for way in ways:
            if way.name in data:
                loaded[way.key] = way.field.deserialize(data[way.name], way.name, data)
                understood += 1
            elif way.field.required:
                raise ValidationError("missing")
            elif (default := way.field.load_default) is not missing:
                loaded[way.key] = default() if callable(default) else default
        if understood != len(data):
            raise ValidationError("unknown")
        for check in self._checks:
            check(loaded, many=False, partial=None, unknown=RAISE)
        for ending in self._endings:
            loaded = ending(loaded, many=False, partial=None, unknown=RAISE)
        return loaded


class _Way(NamedTuple):
    """What a field is called in a request, and in what is read of it."""

    name: str
    key: str
    field: fields.Field[Any]

    @classmethod
    def of(cls, name: str, field: fields.Field[Any]) -> _Way:
        key = field.attribute or name
        if "." in key:
            raise TypeError(f"{key}: no field is read into another")
        return cls(field.data_key if field.data_key is not None else name, key, field)


class Text(fields.String):
    """Text without control characters, trimmed; `most` and `least` count characters.

    A card number in it is refused, unless the field is an `identifier`: those may look like one by chance.
    """

    def __init__(
        self, *, most: int, least: int = 0, multiline: bool = False, identifier: bool = False, **options: Any
    ) -> None:
        options.setdefault("metadata", {}).update({"minLength": least, "maxLength": most})
        super().__init__(**options)
        self.least, self.most, self.multiline, self.identifier = least, most, multiline, identifier

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **rest: Any) -> str:
        text = super()._deserialize(value, attr, data, **rest).strip()
        allowed = "\n\r\t" if self.multiline else ""
        # Most text can be printed whole: then nobody has to look at each of its characters.
        if not text.isprintable() and any(
            unicodedata.category(char) in ("Cc", "Cs") and char not in allowed for char in text
        ):
            raise ValidationError("Control characters are not allowed.")
        if not self.least <= len(text) <= self.most:
            raise ValidationError(f"Between {self.least} and {self.most} characters.")
        if not self.identifier and holds_card_number(text):
            raise ValidationError([("card_number_refused", "This looks like a card number; never send one here.")])
        return text


class Secret(fields.String):
    """A password or token, taken exactly as it is; never part of an answer or a log."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("metadata", {}).update({"format": "password", "maxLength": 1024})
        super().__init__(load_only=True, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **rest: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **rest)
        if len(text) > 1024:
            raise ValidationError("At most 1024 characters.")
        return text


class Instant(fields.AwareDateTime):
    """An instant that is kept, with its zone: in years that can be read again in any other. What is only looked for
    may be as far away as it likes.
    """

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **rest: Any) -> datetime:
        at = super()._deserialize(value, attr, data, **rest)
        if at.year not in REACH:
            raise ValidationError([("out_of_range", f"From {REACH[0]} to {REACH[-1]}.")])
        return at


class MoneyField(fields.Field[Money]):
    """`{"amount": "1499.00", "currency": "EGP"}`; answers read `<attribute>_minor` and `currency` of a row."""

    def __init__(self, *, unit: str = "currency", **options: Any) -> None:
        super().__init__(**options)
        self.unit = unit

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **rest: Any) -> Money:
        if not isinstance(value, Mapping) or set(value) != {"amount", "currency"}:
            raise ValidationError('Money is {"amount": "1499.00", "currency": "EGP"}.')
        amount, code = value["amount"], value["currency"]
        if not isinstance(amount, str) or not isinstance(code, str):
            raise ValidationError("Amount and currency are strings.")
        try:
            return Money.parse(amount, code)
        except InvalidValue as error:
            raise ValidationError(error.faults[0].detail) from error

    def serialize(self, attr: str, obj: Any, accessor: Any = None, **rest: Any) -> dict[str, str] | None:
        name = self.attribute or attr
        return shown_money(obj[f"{name}_minor"], obj[self.unit])


def shown_money(minor: int | None, code: str | None) -> dict[str, str] | None:
    """An amount as the API shows it; in the books beside money also points, in the unit PTS."""
    if minor is None or code is None:
        return None
    return {"amount": format_minor(minor, decimals_of(code)), "currency": code}


class Percent(fields.String):
    """A percentage as a decimal string, "14.00"."""

    def serialize(self, attr: str, obj: Any, accessor: Any = None, **rest: Any) -> str | None:
        value = obj[self.attribute or attr]
        return None if value is None else f"{value:.2f}"


class Share(fields.String):
    """A share that is kept in hundredths of a percent, as a decimal string, "50.00"."""

    def serialize(self, attr: str, obj: Any, accessor: Any = None, **rest: Any) -> str:
        return format_minor(obj[self.attribute or attr], 2)


class PercentRequest(fields.Field[Percentage]):
    """A percentage as a decimal string, "14.00"."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **rest: Any) -> Percentage:
        if not isinstance(value, str):
            raise ValidationError('A percentage is a string such as "14.00".')
        try:
            return Percentage.parse(value)
        except InvalidValue as error:
            raise ValidationError(error.faults[0].detail) from error


class Localized(fields.String):
    """`name` in the reader's language, from `name_ar` and `name_en`."""

    def serialize(self, attr: str, obj: Any, accessor: Any = None, **rest: Any) -> str:
        text: str = obj[f"{self.attribute or attr}_{reading_language()}"]
        return text


MONEY_SPEC = {
    "type": "object",
    "required": ["amount", "currency"],
    "additionalProperties": False,
    "properties": {
        "amount": {"type": "string", "pattern": r"^-?\d{1,15}(\.\d{1,3})?$", "examples": ["1499.00"]},
        "currency": {"type": "string", "minLength": 3, "maxLength": 3, "examples": ["EGP"]},
    },
}


def money_properties(_self: object, field: fields.Field[Any], **_rest: object) -> dict[str, Any]:
    """How apispec describes money."""
    if not isinstance(field, MoneyField):
        return {}
    return {**MONEY_SPEC, "type": ["object", "null"]} if field.allow_none else dict(MONEY_SPEC)
