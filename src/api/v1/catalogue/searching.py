"""What the searches of packages and of activities have in common: what is asked, where a page begins, what is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date
from typing import Any, Final
from uuid import UUID

from flask import Response

from api.answers import answer, answer_page
from api.context import use
from api.fields import Schema
from api.pagination import InvalidCursor, instant, order_of, plain_text, read_cursor, split_page
from application.catalogue.queries import CHANGES, ON_SALE, Behind, Correction, Facets, Found, ItemSearch, Row, Sight
from domain.shared.errors import NotAllowed
from middlewares.language import reading_language

_PAGED: Final = {"at", "sort", "updated_after", "limit", "after"}
_FILTERS: Final = [one.name for one in fields(ItemSearch) if one.name not in _PAGED]


def asked(query: Mapping[str, Any]) -> dict[str, Any]:
    """What narrows a search of any kind of item; its order and page apart."""
    return {"at": use().clock.now(), **{name: query[name] for name in _FILTERS}}


def paged(query: Mapping[str, Any], sight: Sight) -> dict[str, Any]:
    """In which order, and which page; names are sorted in the language that is read.

    Raises NotAllowed where somebody who sees what is on sale only walks changes.
    """
    if query["updated_after"] is not None and sight == ON_SALE:
        raise NotAllowed()
    order = order_of(query, "relevance" if query["q"] else "featured")
    order = f"name_{reading_language()}" if order == "name" else order
    return {
        "sort": order,
        "updated_after": query["updated_after"],
        "limit": query["limit"],
        "after": _behind(query["cursor"], order),
    }


def answer_found(
    schema: type[Schema], search: ItemSearch, found: Found, shown: Callable[[Row], Mapping[str, Any]]
) -> Response:
    """A page of what was found, and what of the search was corrected."""
    page, cursor = split_page(found.rows, search.limit, lambda row: (search.sort, row["sort_key"], row["id"]))
    corrected = _corrections(found.corrections)
    return answer_page(schema, [shown(row) for row in page], cursor, corrected=corrected)


def answer_facets(schema: type[Schema], counted: Facets) -> Response:
    """What a search can be narrowed to."""
    told = {"total": counted.total, "is_exact": counted.is_exact, "corrected": _corrections(counted.corrections)}
    facets = {name: [asdict(one) for one in found] for name, found in counted.facets.items()}
    return answer(schema, {**told, **facets})


def _corrections(corrections: Sequence[Correction]) -> list[dict[str, Any]]:
    return [{"typed": one.typed, "searched": one.words} for one in corrections]


def _behind(cursor: str | None, order: str) -> Behind | None:
    """Where a page of items begins. Raises InvalidCursor for anything but a cursor of this very order."""
    values = read_cursor(cursor)
    if values is None:
        return None
    try:
        made_for, key, row_id = values
        if made_for != order:
            raise InvalidCursor()
        read_key: Callable[[Any], Any] = _KEYS.get(order, _number)
        return Behind(read_key(key), UUID(row_id))
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidCursor() from error


def _number(key: Any) -> int:
    if type(key) is not int or not 0 <= key < 2**63:
        raise InvalidCursor()
    return key


_KEYS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "newest": instant,
    CHANGES: instant,
    "departure": date.fromisoformat,
    "name_ar": plain_text,
    "name_en": plain_text,
}
