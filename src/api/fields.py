"""Fields of requests and answers: money as decimal strings, text that a database can keep."""

from __future__ import annotations

import contextlib
import functools
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

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

    _way: _Way | None = None

    def load(self, data: Any, *, many: bool | None = None, partial: Any = None, unknown: Any = None) -> Any:
        way = self._way
        if way is None:
            way = self._way = _Way(self)
        if way.is_plain and type(data) is dict and not (many or partial) and unknown in (None, RAISE):
            with contextlib.suppress(ValidationError):
                return way.read(data)
        return super().load(data, many=many, partial=partial, unknown=unknown)


class _Way:
    """How what plainly fits a schema is read: not at all where it does more than read its fields one by one and look
    at all of them together.
    """

    def __init__(self, schema: Schema) -> None:
        checks, endings = schema._hooks[VALIDATES_SCHEMA], schema._hooks[POST_LOAD]
        looks_elsewhere = schema._hooks[PRE_LOAD] or schema._hooks[VALIDATES]
        wants_more = any(takes_many or options.get("pass_original") for _, takes_many, options in (*checks, *endings))
        self.is_plain = not (looks_elsewhere or wants_more or schema.many or schema.partial) and schema.unknown == RAISE
        self._checks = [getattr(schema, name) for name, _, _ in checks]
        self._endings = [getattr(schema, name) for name, _, _ in endings]
        known = {field.attribute or name: (field.data_key or name, field) for name, field in schema.load_fields.items()}
        if any("." in key for key in known):
            raise TypeError(f"{type(schema).__name__}: no field is read into another")
        self._readers = {name: (key, _reader(field)) for key, (name, field) in known.items()}
        self._required = frozenset(name for name, field in known.values() if field.required)
        # In the order of the fields, whatever was sent first.
        defaults = {key: field.load_default for key, (_, field) in known.items()}
        self._unsaid = {key: missing if callable(default) else default for key, default in defaults.items()}
        self._makers = {key: default for key, default in defaults.items() if callable(default)}
        self._optional = [
            key for key, (_, field) in known.items() if field.load_default is missing and not field.required
        ]

    def read(self, data: dict[str, Any]) -> Any:
        """What a request says. Raises ValidationError for what is wrong, whichever of several that is."""
        loaded: Any = dict(self._unsaid)
        if not self._required <= data.keys():
            raise ValidationError("missing")
        for name, value in data.items():
            known = self._readers.get(name)
            if known is None:
                raise ValidationError("unknown")
            loaded[known[0]] = known[1](value)
        for key, make in self._makers.items():
            if loaded[key] is missing:
                loaded[key] = make()
        for key in self._optional:
            if loaded[key] is missing:
                del loaded[key]
        for check in self._checks:
            check(loaded, many=False, partial=None, unknown=RAISE)
        for ending in self._endings:
            loaded = ending(loaded, many=False, partial=None, unknown=RAISE)
        return loaded


Reader = Callable[[Any], Any]


def _reader(field: fields.Field[Any]) -> Reader:
    """`field.deserialize` without what is nothing in most fields. Raises ValidationError."""
    if field.pre_load or field.post_load:
        return field.deserialize
    take, validators, may_be_none = _taking(field), tuple(field.validators), field.allow_none

    def read(value: Any) -> Any:
        if value is None:
            if may_be_none:
                return None
            raise ValidationError("null")
        taken = take(value)
        for validate in validators:
            validate(taken)
        return taken

    return read


def _taking(field: fields.Field[Any]) -> Reader:
    """What makes of a value what its field says, before anybody looks at it."""
    if type(field) is fields.Nested and isinstance(field.schema, Schema):
        return functools.partial(field.schema.load, unknown=field.unknown)
    if type(field) is not fields.List:
        return lambda value: field._deserialize(value, field.name, None)
    each = _reader(field.inner)

    def take(values: Any) -> list[Any]:
        if type(values) is not list:
            raise ValidationError("no list")
        return [each(value) for value in values]

    return take


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
        text = (value if type(value) is str else super()._deserialize(value, attr, data, **rest)).strip()
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
