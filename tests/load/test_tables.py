"""Results as tables."""

from __future__ import annotations

from typing import Any

from tests.load.results import Request, summary
from tests.load.tables import page

REQUESTS = [Request(0, 10, 200, "GET wallet"), Request(0, 30, 503, "GET wallet")]


def _found(**more: Any) -> dict[str, Any]:
    of_all = summary(REQUESTS, 1.0)
    return {
        "whole": of_all,
        "webhooks": of_all,
        "confirmed": {"bookings": 2, "seconds": [0.5, 1.5]},
        "worked_off": {"seconds": 3.0, "left": 0},
        "broken": [],
        "load_average": [1.0, 2.0],
        "samples": {"processor": {"web": [0.0, 0.25, 0.75]}},
        **more,
    }


def test_a_page_has_a_section_for_each_profile_that_ran() -> None:
    told = page({"ramp": _found(steps=[{"rate": 12.5, **summary(REQUESTS, 1.0)}], capacity=12.5)})
    assert "## Ramp" in told
    assert "## Soak" not in told
    assert "Capacity: 12.5 requests a second." in told
    assert "| planned 12.5 / s | 2 | 1 | 10 | 10 | 10 | 1 | 0 | 0 | 0 |" in told


def test_a_profile_that_did_not_run_keeps_its_section() -> None:
    ramp = {"ramp": _found(steps=[{"rate": 12.5, **summary(REQUESTS, 1.0)}], capacity=12.5)}
    mix = {"mix": _found(rate=2, summary=summary(REQUESTS, 1.0), routes={})}
    assert page(mix, before=page(ramp)) == page(ramp | mix)
    assert page(ramp, before=page(ramp | mix)) == page(ramp | mix)
    assert page({}, before=page(ramp)) == page(ramp)


def test_processor_time_is_told_for_each_request_that_was_served() -> None:
    told = page({"mix": _found(rate=2, summary=summary(REQUESTS, 1.0), routes={})})
    assert "in ms: web 500.0." in told


def test_an_overload_that_was_not_over_within_the_run_says_so() -> None:
    parts = {name: summary(REQUESTS, 1.0) for name in ("before", "during", "after")}
    told = page({"overload": _found(**parts, statuses={"200": 1, "503": 1}, recovered_after=None)})
    assert "200: 1, 503: 1" in told
    assert "p95 was back not within the run." in told


def test_what_does_not_add_up_is_named() -> None:
    told = page({"mix": {**_found(rate=2, summary=summary(REQUESTS, 1.0), routes={}), "broken": ["a promise"]}})
    assert "Invariants broken: a promise." in told
