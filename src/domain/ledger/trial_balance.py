"""The trial balance: what every account began with, what moved, what it ended with; proof that the books balance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from domain.ledger.accounts import CHART, AccountKind, ChartLine
from domain.ledger.periods import Period

_PLACE: Final = {kind: place for place, kind in enumerate(CHART)}


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTotals:
    """One line, in minor units of its `unit`: all owned accounts of a kind together, a platform account by itself.

    Balances count credits as positive, as the chart does; debits and credits are never below zero.
    """

    kind: AccountKind
    provider: str
    unit: str
    opening: int
    debits: int
    credits: int

    @property
    def closing(self) -> int:
        return self.opening - self.debits + self.credits

    @property
    def chart_line(self) -> ChartLine:
        return CHART[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitProof:
    """The sums of one unit; in books that balance opening and closing are nothing, and debits equal credits."""

    unit: str
    opening: int
    debits: int
    credits: int
    closing: int

    @property
    def is_balanced(self) -> bool:
        return self.opening == self.closing == 0 and self.debits == self.credits


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """Every account that ever moved before the period's end, in the order of unit and chart."""

    period: Period
    lines: tuple[AccountTotals, ...]
    proofs: tuple[UnitProof, ...]

    @property
    def is_balanced(self) -> bool:
        return all(proof.is_balanced for proof in self.proofs)


def trial_balance(period: Period, totals: Iterable[AccountTotals]) -> TrialBalance:
    """Put the accounts' totals in order and add them up, unit by unit."""
    lines = tuple(sorted(totals, key=lambda line: (line.unit, _PLACE[line.kind], line.provider)))
    units = dict.fromkeys(line.unit for line in lines)
    return TrialBalance(period, lines, tuple(_proof(unit, lines) for unit in units))


def _proof(unit: str, lines: Iterable[AccountTotals]) -> UnitProof:
    of_unit = [line for line in lines if line.unit == unit]
    return UnitProof(
        unit=unit,
        opening=sum(line.opening for line in of_unit),
        debits=sum(line.debits for line in of_unit),
        credits=sum(line.credits for line in of_unit),
        closing=sum(line.closing for line in of_unit),
    )
