"""What requests come to, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.load.results import (
    Request,
    by_route,
    capacity,
    over_time,
    percentile,
    read_requests,
    seconds_to_recover,
    slope,
    summary,
)


def test_a_line_that_was_cut_is_left_out() -> None:
    lines = ["1.500,20.0,200,GET packages?q,f\n", "2.000,1.0,503,POST payments\n", "2.5,3"]
    assert read_requests(lines) == [
        Request(1.5, 20.0, 200, "GET packages?q,f"),
        Request(2.0, 1.0, 503, "POST payments"),
    ]


@pytest.mark.parametrize(("percent", "found"), [(50, 5), (95, 10), (90, 9), (1, 1)])
def test_percentiles_are_by_nearest_rank(percent: float, found: float) -> None:
    assert percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], percent) == found


def test_nothing_has_a_percentile_of_nought() -> None:
    assert percentile([], 99) == 0


def test_the_slope_is_that_of_the_line() -> None:
    assert slope([0, 1, 2, 3], [5, 7, 9, 11]) == pytest.approx(2)
    assert slope([0, 1, 2, 3], [4, 4, 4, 4]) == 0
    assert slope([1], [4]) == 0


def test_refusals_are_no_errors_and_count_in_no_latency() -> None:
    requests = [
        Request(0, 10, 200, "a"), Request(0, 20, 303, "a"), Request(0, 1, 503, "a"), Request(0, 2, 429, "a"),
        Request(0, 9_999, 500, "a"), Request(0, 30_000, 0, "a"), Request(0, 7, 422, "a"),
    ]  # fmt: skip
    found = summary(requests, 2.0)
    assert (found["sent_a_second"], found["served_a_second"], found["p99_ms"]) == (3.5, 1.0, 20)
    assert (found["shed"], found["errors"], found["unanswered"], found["refused"]) == (2, 1, 1, 1)


def test_routes_are_told_apart_the_most_frequent_first() -> None:
    requests = [Request(0, 1, 200, "rare"), Request(0, 2, 200, "often"), Request(0, 3, 200, "often")]
    assert [(name, row["p99_ms"]) for name, row in by_route(requests, 1).items()] == [("often", 3), ("rare", 1)]


def test_time_is_cut_into_slices_and_what_lies_outside_is_left_out() -> None:
    requests = [Request(at, 1, 200, "a") for at in (99.0, 100.0, 104.9, 105.0, 112.0)]
    found = over_time(requests, began=100.0, seconds=10, step=5)
    assert [(one["t"], one["sent_a_second"]) for one in found] == [(0, 0.4), (5, 0.2)]


def _step(rate: float, p95: float, served: float) -> dict[str, Any]:
    return {"rate": rate, "p95_ms": p95, "served_a_second": served}


def test_capacity_is_the_last_step_before_the_first_that_was_late_or_short() -> None:
    late = [_step(100, 50, 100), _step(120, 80, 118), _step(144, 900, 144), _step(170, 90, 170)]
    short = [_step(100, 50, 100), _step(120, 80, 100)]
    assert capacity(late, most_p95_ms=500) == 120
    assert capacity(short, most_p95_ms=500) == 100
    assert capacity([_step(100, 900, 100)], most_p95_ms=500) == 0


def _slice(t: float, p95: float, shed: int = 0) -> dict[str, Any]:
    return {"t": t, "p95_ms": p95, "served_a_second": 10.0, "shed": shed}


def test_a_site_has_recovered_when_it_stays_so() -> None:
    storm = [_slice(0, 900, 50), _slice(5, 900, 50)]
    unsteady = [_slice(10, 90), _slice(15, 700), _slice(20, 90, 1), _slice(25, 90), _slice(30, 90), _slice(35, 90)]
    assert seconds_to_recover([*storm, *unsteady], after=10, most_p95_ms=500) == 15
    assert seconds_to_recover(storm, after=0, most_p95_ms=500) is None
