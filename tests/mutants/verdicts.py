"""What tests made of a mutant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tests.junit import Became, Outcome
from tests.mutants.runs import noticed
from tests.mutants.table import Mutant


class Verdict(StrEnum):
    """Only the first is good."""

    CAUGHT = "caught"
    SURVIVED = "SURVIVED"
    """All tests passed."""
    ONLY_BROKEN = "ONLY BROKEN"
    """Nothing was noticed: it could not be collected, all of it failed, or it failed as code that cannot run."""
    TEXT_MOVED = "TEXT MOVED"
    """What it replaces is not exactly once in its file."""
    FAILS_ANYWAY = "FAILS ANYWAY"
    """Its tests do not pass without it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One mutant, what became of it, by which test, and how long that took."""

    mutant: Mutant
    verdict: Verdict
    by: tuple[str, ...] = ()
    said: str = ""
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        return self.verdict is Verdict.CAUGHT


def judged(mutant: Mutant, outcomes: Sequence[Outcome], seconds: float) -> Finding:
    """Caught is what a test noticed while another of the same selection still passed."""
    failed = [outcome for outcome in outcomes if outcome.became in (Became.FAILED, Became.BROKEN)]
    caught = [outcome for outcome in failed if noticed(outcome)]
    passed = [outcome for outcome in outcomes if outcome.passed]
    if passed and caught:
        by = tuple(outcome.node for outcome in caught)
        return Finding(mutant, Verdict.CAUGHT, by=by, said=_first_line(caught[0]), seconds=seconds)
    if passed and not failed:
        return Finding(mutant, Verdict.SURVIVED, seconds=seconds)
    said = _first_line(failed[0]) if failed else "nothing was collected"
    return Finding(mutant, Verdict.ONLY_BROKEN, said=said, seconds=seconds)


def is_sound(tests: Sequence[str], outcomes: Sequence[Outcome]) -> bool:
    """Whether of every file or node id of a selection something passed without a mutant, and nothing failed."""
    return all(
        any(outcome.passed for outcome in found)
        and all(outcome.became in (Became.PASSED, Became.SKIPPED) for outcome in found)
        for found in ([outcome for outcome in outcomes if outcome.is_of(selected)] for selected in tests)
    )


def _first_line(outcome: Outcome) -> str:
    return outcome.said.partition("\n")[0]
