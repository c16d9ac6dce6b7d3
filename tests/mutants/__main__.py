"""`make mutants`: `python -m tests.mutants ["words of a name" …]`, all of them by default.

Answers 1 where a mutant is not caught, and writes what it found into docs/mutant-results.md.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.junit import Outcome
from tests.mutants import report
from tests.mutants.runs import run_tests
from tests.mutants.table import ROOT, Mutant, TextMoved, mutants
from tests.mutants.trees import a_copy
from tests.mutants.verdicts import Finding, Verdict, is_sound, judged

AT_ONCE = 2
"""Mutants side by side: each has a database server of its own."""
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
    commit = report.commit_of(ROOT)
    with a_copy() as tree:
        sound = _without_a_mutant(tree, chosen, console)
        findings = list(_tried(tree, chosen, sound, console))
    findings.sort(key=lambda finding: chosen.index(finding.mutant))
    console.print(report.shown(findings))
    report.write(findings, known, commit=commit)
    return 0 if all(finding.is_good for finding in findings) else 1


def _without_a_mutant(tree: Path, chosen: Sequence[Mutant], console: Console) -> set[tuple[str, ...]]:
    """The selections of tests that pass as the tree is; all of them in one run, which compiles for the others, too."""
    selections = list(dict.fromkeys(mutant.tests for mutant in chosen))
    tests = list(dict.fromkeys(test for selection in selections for test in selection))
    console.print(f"{len(selections)} selections without a mutant …", style="dim")
    began = time.monotonic()
    outcomes = run_tests(tree, tests, processes=AT_ONCE, seconds=TIME_FOR_ALL)
    sound = {selection for selection in selections if is_sound(selection, outcomes)}
    passed = sum(outcome.passed for outcome in outcomes)
    took = f"{time.monotonic() - began:.0f} s"
    console.print(f"{passed} of {len(outcomes)} tests pass, {len(sound)} of {len(selections)} selections, {took}")
    _complain(outcomes, tree, console)
    return sound


def _complain(outcomes: Sequence[Outcome], tree: Path, console: Console) -> None:
    for outcome in outcomes:
        if not outcome.passed:
            console.print(f"  {outcome.node}: {outcome.said}", style="red", markup=False)
    if not outcomes:
        console.print((tree.parent / "output.txt").read_text("utf-8", "replace")[-2000:], markup=False)


def _tried(tree: Path, chosen: Sequence[Mutant], sound: set[tuple[str, ...]], console: Console) -> Iterator[Finding]:
    columns = (TextColumn("mutants"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress, ThreadPoolExecutor(AT_ONCE) as pool:
        bar = progress.add_task("mutants", total=len(chosen))
        trying = [pool.submit(_try, tree, mutant, sound) for mutant in chosen]
        try:
            for done in as_completed(trying):
                finding = done.result()
                progress.advance(bar)
                _tell(finding, console)
                yield finding
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _try(tree: Path, mutant: Mutant, sound: set[tuple[str, ...]]) -> Finding:
    began = time.monotonic()
    with a_copy(tree) as copy:
        if mutant.tests not in sound and not _passes_alone(copy, mutant):
            return Finding(mutant, Verdict.FAILS_ANYWAY)
        try:
            mutant.apply(copy)
        except TextMoved as moved:
            return Finding(mutant, Verdict.TEXT_MOVED, said=str(moved))
        outcomes = run_tests(copy, mutant.tests, processes=0, seconds=TIME_FOR_A_MUTANT)
    return judged(mutant, outcomes, time.monotonic() - began)


def _passes_alone(tree: Path, mutant: Mutant) -> bool:
    """Whether its tests pass after all where nothing else runs beside them: much at once may outlast their patience."""
    return is_sound(mutant.tests, run_tests(tree, mutant.tests, processes=0, seconds=TIME_FOR_A_MUTANT))


def _tell(finding: Finding, console: Console) -> None:
    color = "green" if finding.is_good else "bold red"
    console.print(f"[{color}]{finding.verdict}[/] {finding.mutant.name} [dim]{finding.seconds:.0f} s")
    if finding.said:
        console.print(f"    {finding.said}", style="dim", markup=False, soft_wrap=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
