"""Calendars as files (RFC 5545): instants are UTC, so that no reader needs to know our zones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Final

LINE_OCTETS: Final = 75
"""The longest line, its end not counted (RFC 5545, 3.1)."""

CONTENT_TYPE: Final = "text/calendar; charset=utf-8"
_MAKER: Final = "-//AltayarVIP//Departures//EN"


class EventStatus(StrEnum):
    """RFC 5545, 3.8.1.11."""

    TENTATIVE = "TENTATIVE"
    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something with a beginning and an end: two instants, or two dates, of which the second is not included.

    `revision` counts up with every change; `uid` stays for ever.
    """

    uid: str
    revision: int
    begins: datetime | date
    ends: datetime | date
    summary: str
    description: str
    status: EventStatus


def calendar_file(name: str, events: Iterable[Event], *, made_at: datetime) -> Iterator[str]:
    """The lines of a calendar, folded and ended as they have to be; readers are asked to come again in an hour."""
    yield from map(_folded, _lines(name, events, made_at))


def _lines(name: str, events: Iterable[Event], made_at: datetime) -> Iterator[str]:
    yield from ("BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{_MAKER}", "CALSCALE:GREGORIAN", "METHOD:PUBLISH")
    yield from (f"NAME:{_escaped(name)}", f"X-WR-CALNAME:{_escaped(name)}")
    yield from ("REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H")
    for event in events:
        yield "BEGIN:VEVENT"
        yield f"UID:{_escaped(event.uid)}"
        yield f"DTSTAMP:{_instant(made_at)}"
        yield f"SEQUENCE:{event.revision}"
        yield f"DTSTART{_moment(event.begins)}"
        yield f"DTEND{_moment(event.ends)}"
        yield f"SUMMARY:{_escaped(event.summary)}"
        yield f"DESCRIPTION:{_escaped(event.description)}"
        yield f"STATUS:{event.status}"
        yield "TRANSP:TRANSPARENT"
        yield "END:VEVENT"
    yield "END:VCALENDAR"


def _moment(at: datetime | date) -> str:
    return f":{_instant(at)}" if isinstance(at, datetime) else f";VALUE=DATE:{at:%Y%m%d}"


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    """RFC 5545, 3.3.11; of control characters only the end of a line can be written."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(char for char in plain if char == "\n" or (char >= " " and char != "\x7f"))
    escaped = kept.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\n", "\\n")


def _folded(line: str) -> str:
    """A line in pieces of at most 75 octets, each after the first behind a space; no character is broken."""
    pieces, size = [""], 0
    for char in line:
        octets = len(char.encode())
        if size + octets > LINE_OCTETS:
            pieces.append(" ")
            size = 1
        pieces[-1] += char
        size += octets
    return "\r\n".join(pieces) + "\r\n"
