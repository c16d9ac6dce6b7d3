"""Rounds that take turns, the ratios of neighbours, and how they stand to the gates.

Absolute figures jump with whatever else the machine does. Ours and the floor are therefore measured by
turns, each pair within seconds, and what counts is the median of the pairs' ratios.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

Measure = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Target:
    """What a ratio ours / floor has to reach; `at_most` where less is better."""

    number: int
    wanted: str
    gate: float
    stretch: float
    at_most: bool = False

    def is_met(self, ratio: float, bound: float) -> bool:
        return ratio <= bound if self.at_most else ratio >= bound

    def bound(self, value: float) -> str:
        return f"{'≤' if self.at_most else '≥'} {value:g}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Ours beside the floor, round by round, in one unit."""

    target: Target
    unit: str
    ours: Sequence[float]
    floor: Sequence[float]

    @property
    def ratios(self) -> list[float]:
        return [ours / floor for ours, floor in zip(self.ours, self.floor, strict=True)]

    @property
    def ratio(self) -> float:
        return median(self.ratios)

    @property
    def passes(self) -> bool:
        return self.target.is_met(self.ratio, self.target.gate)

    def as_json(self) -> dict[str, Any]:
        return {
            "target": self.target.number,
            "wanted": self.target.wanted,
            "unit": self.unit,
            "ours": [round(value, 2) for value in self.ours],
            "floor": [round(value, 2) for value in self.floor],
            "ratio": round(self.ratio, 4),
            "ratios": [round(ratio, 4) for ratio in self.ratios],
            "gate": self.target.gate,
            "stretch": self.target.stretch,
            "gate_met": self.passes,
            "stretch_met": self.target.is_met(self.ratio, self.target.stretch),
        }


@dataclass(frozen=True, slots=True)
class Figure:
    """A median for orientation; nothing is gated on it."""

    what: str
    value: float
    unit: str

    def as_json(self) -> dict[str, Any]:
        return {"what": self.what, "value": round(self.value, 3), "unit": self.unit}


@dataclass(frozen=True, slots=True)
class Findings:
    """What one benchmark found out."""

    comparisons: Sequence[Comparison] = ()
    figures: Sequence[Figure] = field(default=())

    def __add__(self, more: Findings) -> Findings:
        return Findings([*self.comparisons, *more.comparisons], [*self.figures, *more.figures])


def take_turns(rounds: int, *measures: Measure) -> list[list[float]]:
    """The figures of each measure, one a round; every second round goes through them backwards.

    Whoever is measured later in a round finds larger tables and another load: turning round evens that out.
    """
    found: list[list[float]] = [[] for _ in measures]
    for number in range(rounds):
        turn = list(enumerate(measures))
        for place, measure in reversed(turn) if number % 2 else turn:
            found[place].append(measure())
    return found


def show(findings: Sequence[Findings], console: Console) -> None:
    """Print the ratios beside their gates, then the figures for orientation."""
    console.print(_ratios([one for found in findings for one in found.comparisons]))
    console.print(_figures([one for found in findings for one in found.figures]))


def _ratios(comparisons: Sequence[Comparison]) -> Table:
    table = Table("target", "ours", "floor", "unit", "ratio", "rounds", "gate", "stretch")
    for one in comparisons:
        target, ratios = one.target, one.ratios
        table.add_row(
            f"#{target.number} {target.wanted}",
            f"{median(one.ours):,.0f}",
            f"{median(one.floor):,.0f}",
            one.unit,
            f"{one.ratio:.3f}",
            f"{min(ratios):.3f} to {max(ratios):.3f}",
            f"{target.bound(target.gate)} {_verdict(one.passes)}",
            f"{target.bound(target.stretch)} {_verdict(target.is_met(one.ratio, target.stretch))}",
        )
    return table


def _verdict(met: bool) -> str:
    return "met" if met else "not met"


def _figures(figures: Sequence[Figure]) -> Table:
    table = Table("for orientation", "median", "unit")
    for one in figures:
        decimals = 3 if one.unit == "ratio" else 1 if one.value < 100 else 0
        table.add_row(one.what, f"{one.value:,.{decimals}f}", one.unit)
    return table
