"""`make mutants`: `python -m tests.mutants ["words of a name" …]`, all of them by default.

Answers 1 where a mutant is not caught, and writes what it found into docs/mutant-results.md.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.junit import Became, Outcome
from tests.mutants import report
from tests.mutants.runs import run_tests
from tests.mutants.servers import a_template
from tests.mutants.table import ROOT, Mutant, TextMoved, mutants
from tests.mutants.trees import a_copy
from tests.mutants.verdicts import Finding, Verdict, is_sound, judged

AT_ONCE = 2
"""Mutants side by side."""
TIME_FOR_A_MUTANT, TIME_FOR_ALL = 420, 1800
"""Seconds, for one run with a mutant and for the one without any."""


def main(arguments: Sequence[str]) -> int:
    """Try every mutant, or those whose name has any of the words."""
    console = Console(width=None if sys.stdout.isatty() else 160)
    known = mutants()
    chosen = [mutant for mutant in known if not arguments or any(words in mutant.name for words in arguments)]
    if not chosen:
        console.print(f"no mutant is named like {' '.join(arguments)!r}")
        return 2
    signal.signal(signal.SIGTERM, _leave)
    commit, findings = report.commit_of(ROOT), []
    with a_template() as template, a_copy() as tree:
        bench = Bench(tree, template)
        sound = _without_a_mutant(bench, chosen, console)
        for finding in _tried(bench, chosen, sound, console):
            findings.append(finding)
            report.write([finding], known, commit=commit)
    console.print(report.shown(sorted(findings, key=lambda finding: chosen.index(finding.mutant))))
    return 0 if all(finding.is_good for finding in findings) else 1


def _leave(number: int, _frame: FrameType | None) -> None:
    """SIGTERM ends the blocks, and with them the server that they started, as Ctrl-C does."""
    raise SystemExit(128 + number)


@dataclass(frozen=True, slots=True)
class Bench:
    """The tree that mutants are copies of, and the database that those clone which do not change how one is made."""

    tree: Path
    template: Mapping[str, str]

    def run(self, tree: Path, mutant: Mutant) -> list[Outcome]:
        """The tests of a mutant in a copy of the tree."""
        on = {} if mutant.is_in_the_database else self.template
        return run_tests(tree, mutant.tests, on=on, processes=0, seconds=TIME_FOR_A_MUTANT)


def _without_a_mutant(bench: Bench, chosen: Sequence[Mutant], console: Console) -> set[tuple[str, ...]]:
    """The selections of tests that pass as the tree is; all of them in one run, which compiles for the others, too."""
    selections = list(dict.fromkeys(mutant.tests for mutant in chosen))
    tests = list(dict.fromkeys(test for selection in selections for test in selection))
    console.print(f"{len(selections)} selections without a mutant …", style="dim")
    began = time.monotonic()
    outcomes = run_tests(bench.tree, tests, on=bench.template, processes=AT_ONCE, seconds=TIME_FOR_ALL)
    sound = {selection for selection in selections if is_sound(selection, outcomes)}
    passed = sum(outcome.passed for outcome in outcomes)
    took = f"{time.monotonic() - began:.0f} s"
    console.print(f"{passed} of {len(outcomes)} tests pass, {len(sound)} of {len(selections)} selections, {took}")
    _complain(outcomes, bench.tree, console)
    return sound


def _complain(outcomes: Sequence[Outcome], tree: Path, console: Console) -> None:
    for outcome in outcomes:
        if outcome.became in (Became.FAILED, Became.BROKEN):
            console.print(f"  {outcome.node}: {outcome.said}", style="red", markup=False)
    if not outcomes:
        console.print((tree.parent / "output.txt").read_text("utf-8", "replace")[-2000:], markup=False)


def _tried(bench: Bench, chosen: Sequence[Mutant], sound: set[tuple[str, ...]], console: Console) -> Iterator[Finding]:
    columns = (TextColumn("mutants"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress, ThreadPoolExecutor(AT_ONCE) as pool:
        bar = progress.add_task("mutants", total=len(chosen))
        trying = [pool.submit(_try, bench, mutant, sound) for mutant in chosen]
        try:
            for done in as_completed(trying):
                finding = done.result()
                progress.advance(bar)
                _tell(finding, console)
                yield finding
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _try(bench: Bench, mutant: Mutant, sound: set[tuple[str, ...]]) -> Finding:
    began = time.monotonic()
    with a_copy(bench.tree) as copy:
        # Much at once may outlast the patience of a test: it is asked again, with less beside it.
        if mutant.tests not in sound and not is_sound(mutant.tests, bench.run(copy, mutant)):
            return Finding(mutant, Verdict.FAILS_ANYWAY)
        try:
            mutant.apply(copy)
        except TextMoved as moved:
            return Finding(mutant, Verdict.TEXT_MOVED, said=str(moved))
        return judged(mutant, bench.run(copy, mutant), time.monotonic() - began)


def _tell(finding: Finding, console: Console) -> None:
    color = "green" if finding.is_good else "bold red"
    console.print(f"[{color}]{finding.verdict}[/] {finding.mutant.name} [dim]{finding.seconds:.0f} s")
    if finding.said:
        console.print(f"    {finding.said}", style="dim", markup=False, soft_wrap=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
