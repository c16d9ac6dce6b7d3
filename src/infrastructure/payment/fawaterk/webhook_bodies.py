"""The two content types that Fawaterk's webhooks come in (contract §5.1)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, NoReturn
from urllib.parse import parse_qsl

from application.billing.ports import UnreadableWebhook
from infrastructure.payment.fawaterk.wire import PROVIDER

LARGEST_BODY: Final = 256 * 1024
MOST_FORM_FIELDS: Final = 200

Members = Mapping[str, object]


def _content_type(headers: Mapping[str, str]) -> str:
    declared = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    return declared.partition(";")[0].strip().lower()


def read_members(body: bytes, headers: Mapping[str, str]) -> Members:
    """The top members of a webhook, values as the text they were sent as. Raises UnreadableWebhook.

    By the declared type where it is one of Fawaterk's two, else by the first byte; never by our address,
    which asks for JSON with `_json` and may get a form all the same.
    """
    if len(body) > LARGEST_BODY:
        raise UnreadableWebhook(provider=PROVIDER, reason="too large")
    readers = {"application/json": _from_json, "application/x-www-form-urlencoded": _from_form}
    sniffed = _from_json if body.lstrip()[:1] in (b"{", b"[") else _from_form
    try:
        return readers.get(_content_type(headers), sniffed)(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as trouble:
        raise UnreadableWebhook(provider=PROVIDER, reason=str(trouble)[:100]) from trouble


def _from_json(text: str) -> Members:
    """Numbers stay the text they were sent as: that is what is signed, and ids outgrow 53 bits."""
    document = json.loads(
        text,
        parse_int=str,
        parse_float=str,
        parse_constant=_refuse_constant,
        object_pairs_hook=_without_duplicates,
    )
    if not isinstance(document, dict):
        raise ValueError("not an object")
    return document


def _from_form(text: str) -> Members:
    """Fields by name; `customerData[customer_email]` becomes a member of `customerData`."""
    fields = parse_qsl(
        text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=MOST_FORM_FIELDS
    )
    members: dict[str, object] = {}
    for name, value in _without_duplicates(fields).items():
        outer, bracket, inner = name.partition("[")
        group = members.setdefault(outer, {}) if bracket else None
        if isinstance(group, dict):
            group[inner.removesuffix("]")] = value
        elif group is None and name not in members:
            members[name] = value
        else:
            raise ValueError(f"{outer} is both a value and a group")
    return members


def _without_duplicates(pairs: list[tuple[str, object]] | list[tuple[str, str]]) -> dict[str, object]:
    members: dict[str, object] = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name occurs twice")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
