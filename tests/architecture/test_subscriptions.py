"""Events and their handlers: names that never clash, payloads that are plain and about nobody (J2)."""

from __future__ import annotations

import inspect
import re
import types
import typing
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from uuid import UUID

import orjson
import pytest

from application.messaging.told import TOLD
from application.subscriptions import HANDLERS, QUEUES, RETIRED, SUBSCRIPTIONS, Handler
from domain.shared.events import DomainEvent
from infrastructure.clock import new_id
from infrastructure.database.outbox import _payload
from tests.architecture.code import every_subclass
from tests.builders import NOON

EVENTS = sorted(every_subclass(DomainEvent), key=lambda event: event.name)
PLAIN: dict[object, object] = {
    UUID: new_id(),
    UUID | None: None,
    str: "text",
    int: 1,
    bool: True,
    datetime: NOON,
    date: NOON.date(),
}
PERSONAL = {
    "name", "names", "email", "mail", "phone", "address", "birth", "document", "passport", "card", "token", "secret",
    "password", "body", "ip", "info", "locale",
}  # fmt: skip
TELLINGS = {f"messaging.tell.{event}" for event in TOLD} | {handler.name for handler in RETIRED}
REACTIONS = [handler for handler in HANDLERS.values() if handler.name not in TELLINGS]
every_event = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)


def test_there_are_events_to_check() -> None:
    assert len(EVENTS) > 10


def test_names_of_events_are_their_own() -> None:
    assert len({event.name for event in EVENTS}) == len(EVENTS)


@every_event
def test_an_event_says_its_context_and_what_happened(event: type[DomainEvent]) -> None:
    context, _, happened = event.name.partition(".")

    assert event.__module__.startswith(f"domain.{context}.")
    assert re.fullmatch(r"[a-z_]+", happened)
    assert event.version >= 1
    assert is_dataclass(event)
    assert event.__dataclass_params__.frozen  # type: ignore[attr-defined]


@every_event
def test_what_an_event_carries_is_plain(event: type[DomainEvent]) -> None:
    kinds = typing.get_type_hints(event)

    for field in fields(event):
        kind = kinds[field.name]
        options = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
        assert set(options) <= {*PLAIN, type(None)}, field.name


@every_event
def test_what_an_event_carries_is_about_nobody(event: type[DomainEvent]) -> None:
    carried = {field.name for field in fields(event)}

    assert {name for name in carried if PERSONAL.intersection(name.split("_"))} == set()


@every_event
def test_an_event_survives_the_outbox(event: type[DomainEvent]) -> None:
    kinds = typing.get_type_hints(event)
    happened = event(**{field.name: PLAIN[kinds[field.name]] for field in fields(event)})

    read = orjson.loads(orjson.dumps(_payload(happened).obj))

    assert set(read) == {field.name for field in fields(event)} - {"at"}
    for name, value in read.items():
        assert value == orjson.loads(orjson.dumps(PLAIN[kinds[name]]))


def test_what_is_subscribed_to_can_happen() -> None:
    assert set(SUBSCRIPTIONS) <= {event.name for event in EVENTS}


def test_names_of_handlers_are_their_own() -> None:
    every = [handler for handlers in SUBSCRIPTIONS.values() for handler in handlers]

    assert len(HANDLERS) == len(every) + len(RETIRED)
    assert len({handler.handle for handler in every}) == len(every)


def test_one_telling_is_written_by_one_function() -> None:
    assert len({telling.write for telling in TOLD.values()}) == len(TOLD)


@pytest.mark.parametrize("handler", REACTIONS, ids=lambda handler: handler.name)
def test_a_handler_is_named_after_its_context_and_waits_in_a_known_queue(handler: Handler) -> None:
    context = handler.name.partition(".")[0]

    module: str = inspect.getmodule(handler.handle).__name__  # type: ignore[union-attr]
    assert module.startswith(f"application.{context}.")
    assert module.endswith("handlers")
    assert handler.queue in QUEUES
