"""Form bodies with bracketed names, read strictly: what no parameter is named is refused, as Stripe does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from fake_providers.stripe.refusals import Json, Refusal, malformed

NAME = re.compile(r"([a-z_]+)((?:\[[^\[\]]*\])*)")
MOST_FIELDS = 1_000

Reader = Callable[[str, str], object]
"""Text and the parameter's name → value; raises Refusal."""


@dataclass(frozen=True)
class Needed:
    """A parameter that has to be given."""

    of: Any


@dataclass(frozen=True)
class Many:
    """A list of values or objects of one shape."""

    of: Any


Shape = Mapping[str, Any]
"""Parameter → Reader, Shape, Many, or Needed of one of them."""


def text(value: str, param: str) -> str:
    if not value:
        raise malformed(f"You passed an empty string for '{param}'.", param, "parameter_invalid_empty")
    return value


def whole(value: str, param: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise malformed(f"Invalid integer: {value}", param, "parameter_invalid_integer")
    return int(value)


def flag(value: str, param: str) -> bool:
    if value not in ("true", "false"):
        raise malformed(f"Invalid boolean: {value}", param, "parameter_unknown")
    return value == "true"


def one_of(*values: str) -> Reader:
    def read(value: str, param: str) -> str:
        if value not in values:
            raise malformed(f"Invalid {param}: must be one of {', '.join(values)}", param, "parameter_invalid_value")
        return value

    return read


def address(value: str, param: str) -> str:
    if not re.match(r"https?://[^/\s]+", value):
        raise malformed(f"Not a valid URL: {param}", param, "url_invalid")
    return value


class Metadata:
    """Any names: at most 50, values of at most 500 characters."""


def read(raw: str, shape: Shape) -> Json:
    """The parameters of a body or query. Raises Refusal."""
    return _checked(_nested(raw), shape, "")


def _nested(raw: str) -> Json:
    try:
        fields = parse_qsl(raw, keep_blank_values=True, strict_parsing=bool(raw), max_num_fields=MOST_FIELDS)
    except ValueError as trouble:
        raise Refusal(f"Invalid request body: {trouble}", saved=False) from trouble
    tree: Json = {}
    for name, value in fields:
        match = NAME.fullmatch(name)
        if match is None:
            raise malformed(f"Received unknown parameter: {name}", name, "parameter_unknown")
        _put(tree, [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])], value, name)
    return tree


def _put(tree: Json, path: list[str], value: str, name: str) -> None:
    *outer, last = path
    for step in outer:
        tree = tree.setdefault(step, {})
        if not isinstance(tree, dict):
            raise malformed(f"Invalid object: {name}", name, "parameter_invalid")
    last = last or str(len(tree))
    if last in tree:
        raise malformed(f"Received a parameter twice: {name}", name, "parameter_invalid")
    tree[last] = value


def _checked(given: Json, shape: Shape, outer: str) -> Json:
    for name in given:
        if name not in shape:
            param = _param(outer, name)
            raise malformed(f"Received unknown parameter: {param}", param, "parameter_unknown")
    for name, wanted in shape.items():
        if isinstance(wanted, Needed) and name not in given:
            param = _param(outer, name)
            raise malformed(f"Missing required param: {param}.", param, "parameter_missing")
    return {name: _value(value, shape[name], _param(outer, name)) for name, value in given.items()}


def _value(given: Any, wanted: Any, param: str) -> object:
    if isinstance(wanted, Needed):
        return _value(given, wanted.of, param)
    if isinstance(wanted, Many):
        return [_value(one, wanted.of, f"{param}[{place}]") for place, one in enumerate(_listed(given, param))]
    if isinstance(wanted, Metadata):
        return _metadata(given, param)
    if isinstance(wanted, Mapping):
        if not isinstance(given, dict):
            raise malformed(f"Invalid object: {param}", param, "parameter_invalid")
        return _checked(given, wanted, param)
    if not isinstance(given, str):
        raise malformed(f"Invalid string: {param}", param, "parameter_invalid")
    return wanted(given, param)


def _listed(given: Any, param: str) -> list[Any]:
    if not isinstance(given, dict) or list(given) != [str(place) for place in range(len(given))]:
        raise malformed(f"Invalid array: {param}", param, "parameter_invalid")
    return list(given.values())


def _metadata(given: Any, param: str) -> dict[str, str]:
    fits = isinstance(given, dict) and len(given) <= 50
    if not fits or not all(isinstance(it, str) and len(it) <= 500 for it in given.values()):
        raise malformed(f"Metadata values can have up to 500 characters: {param}", param, "parameter_invalid")
    return dict(given)


def _param(outer: str, name: str) -> str:
    return f"{outer}[{name}]" if outer else name
