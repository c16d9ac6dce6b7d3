"""Calendar files keep the rules of RFC 5545, whatever stands in them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from api.icalendar import LINE_OCTETS, Event, EventStatus, calendar_file

AT = datetime(2026, 11, 29, 8, 30, tzinfo=UTC)


def an_event(**changes: Any) -> Event:
    details: dict[str, Any] = {
        "uid": "departure-1@altayarvip",
        "revision": 3,
        "begins": AT,
        "ends": datetime(2026, 11, 29, 10, 30, tzinfo=UTC),
        "summary": "Nile cruise",
        "description": "2 of 10",
        "status": EventStatus.CONFIRMED,
    }
    return Event(**{**details, **changes})


def written(*events: Event) -> str:
    return "".join(calendar_file("Trips", events, made_at=AT))


def unfolded(text: str) -> list[str]:
    return text.replace("\r\n ", "").removesuffix("\r\n").split("\r\n")


def unescaped(value: str) -> str:
    read, chars = "", iter(value)
    for char in chars:
        if char == "\\":
            after = next(chars)
            read += "\n" if after == "n" else after
        else:
            read += char
    return read


def test_an_event_of_hours_is_two_instants_and_one_of_days_two_dates() -> None:
    lines = unfolded(written(an_event(), an_event(begins=date(2026, 12, 1), ends=date(2026, 12, 5))))
    assert lines[:5] == ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//AltayarVIP//Departures//EN",
                         "CALSCALE:GREGORIAN", "METHOD:PUBLISH"]  # fmt: skip
    assert lines[-1] == "END:VCALENDAR"
    assert [line for line in lines if line.startswith("DT")] == [
        "DTSTAMP:20261129T083000Z", "DTSTART:20261129T083000Z", "DTEND:20261129T103000Z",
        "DTSTAMP:20261129T083000Z", "DTSTART;VALUE=DATE:20261201", "DTEND;VALUE=DATE:20261205",
    ]  # fmt: skip
    assert lines.count("UID:departure-1@altayarvip") == lines.count("SEQUENCE:3") == 2


def test_what_is_cancelled_says_so() -> None:
    assert "STATUS:CANCELLED" in unfolded(written(an_event(status=EventStatus.CANCELLED)))


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
@settings(max_examples=150, deadline=None)
def test_any_text_comes_back_and_no_line_is_too_long_or_broken(text: str) -> None:
    file = written(an_event(summary=text))
    assert all(len(line.encode()) <= LINE_OCTETS for line in file.split("\r\n"))
    assert "\n" not in file.replace("\r\n", "")
    assert "\r" not in file.replace("\r\n", "")
    (shown,) = [line for line in unfolded(file) if line.startswith("SUMMARY:")]
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(char for char in plain if char == "\n" or (char >= " " and char != "\x7f"))
    assert unescaped(shown.removeprefix("SUMMARY:")) == kept


def test_nothing_that_is_written_in_a_name_begins_a_line_of_its_own() -> None:
    sly = "x\r\nEND:VEVENT\r\nBEGIN:VALARM"
    lines = unfolded(written(an_event(summary=sly, description=sly)))
    assert lines.count("END:VEVENT") == 1
    assert "BEGIN:VALARM" not in lines
