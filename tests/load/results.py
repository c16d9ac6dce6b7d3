"""What requests and samples come to: rates, percentiles, slopes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

SHED = frozenset({429, 503})
"""Excess that was refused as it has to be."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as its sender saw it."""

    at: float
    """Unix time when it was sent."""
    ms: float
    status: int
    """0 where no answer came."""
    name: str

    @property
    def is_served(self) -> bool:
        return 200 <= self.status < 400

    @property
    def is_shed(self) -> bool:
        return self.status in SHED


def read_requests(lines: Iterable[str]) -> list[Request]:
    """Lines of `requests.csv`; the last may be cut."""
    found = []
    for line in lines:
        fields = line.rstrip("\n").split(",", 3)
        if len(fields) == 4 and line.endswith("\n"):
            found.append(Request(float(fields[0]), float(fields[1]), int(fields[2]), fields[3]))
    return found


def percentile(values: Sequence[float], percent: float) -> float:
    """By nearest rank; nought of nothing."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def slope(at: Sequence[float], values: Sequence[float]) -> float:
    """Of the straight line through the points by least squares: units of `values` for each unit of `at`."""
    if len(at) < 2:
        return 0.0
    mean_at, mean_value = fmean(at), fmean(values)
    spread = sum((one - mean_at) ** 2 for one in at)
    together = sum((one - mean_at) * (value - mean_value) for one, value in zip(at, values, strict=True))
    return together / spread if spread else 0.0


def summary(requests: Sequence[Request], seconds: float) -> dict[str, Any]:
    """One line of a table of results."""
    served = [one.ms for one in requests if one.is_served]
    shed = [one.ms for one in requests if one.is_shed]
    return {
        "sent_a_second": round(len(requests) / seconds, 1),
        "served_a_second": round(len(served) / seconds, 1),
        **{f"p{percent}_ms": round(percentile(served, percent), 1) for percent in (50, 95, 99)},
        "shed": len(shed),
        "shed_p99_ms": round(percentile(shed, 99), 1),
        "errors": sum(one.status >= 500 and not one.is_shed for one in requests),
        "unanswered": sum(one.status == 0 for one in requests),
        "refused": sum(400 <= one.status < 500 and not one.is_shed for one in requests),
    }


def by_route(requests: Sequence[Request], seconds: float) -> dict[str, dict[str, Any]]:
    """The same for each name, most frequent first."""
    names: dict[str, list[Request]] = defaultdict(list)
    for one in requests:
        names[one.name].append(one)
    ordered = sorted(names.items(), key=lambda item: -len(item[1]))
    return {name: summary(found, seconds) for name, found in ordered}


def over_time(requests: Sequence[Request], began: float, seconds: float, step: float) -> list[dict[str, float]]:
    """Summaries of slices of time, each under `t`, the seconds since the beginning of the run."""
    slices: list[list[Request]] = [[] for _ in range(math.ceil(seconds / step))]
    for one in requests:
        number = math.floor((one.at - began) / step)
        if 0 <= number < len(slices):
            slices[number].append(one)
    return [{"t": number * step, **summary(found, step)} for number, found in enumerate(slices)]


def between(requests: Sequence[Request], start: float, end: float) -> list[Request]:
    """Those that were sent within these instants."""
    return [one for one in requests if start <= one.at < end]


def capacity(steps: Sequence[dict[str, Any]], *, most_p95_ms: float, least_served: float = 0.95) -> float:
    """The highest planned rate (`rate`) of a ramp up to which every step was answered in time.

    A step holds when p95 is within the bound and at least this share of what was planned was served.
    """
    held = 0.0
    for step in steps:
        if step["p95_ms"] > most_p95_ms or step["served_a_second"] < least_served * step["rate"]:
            return held
        held = step["rate"]
    return held


def seconds_to_recover(
    slices: Sequence[dict[str, Any]], *, after: float, most_p95_ms: float, steady: int = 3
) -> float | None:
    """From `after` to the first of so many slices in a row in time with nothing shed; None if never."""
    row = 0
    for one in (one for one in slices if one["t"] >= after):
        fine = one["served_a_second"] > 0 and one["p95_ms"] <= most_p95_ms and one["shed"] == 0
        row = row + 1 if fine else 0
        if row == steady:
            step = slices[1]["t"] - slices[0]["t"]
            return max(0.0, float(one["t"] - (steady - 1) * step - after))
    return None
