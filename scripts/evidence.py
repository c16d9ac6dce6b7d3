"""Write docs/evidence.md: each promise of the README with its tests and how they ended when all of them last ran.

`make test` and `make faults` leave a JUnit report in `.altayar/evidence`, named by when and of which commit. Of each
file the newest report counts. Fails where a promise names a file that is not there, that ran no test, or where one
failed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.junit import Became, Outcome, outcomes  # noqa: E402 - the project's folder is put on the path first

REPORTS = ROOT / ".altayar" / "evidence"
PAGE = ROOT / "docs" / "evidence.md"
_PROMISE = re.compile(r"^\| (.+) \| ((?:\[[^\]]+\]\(tests/[^)]+\)(?:, )?)+) \|$", re.MULTILINE)
_TEST = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")
_NAME = re.compile(r"(\d{8}T\d{6})Z-(.+)\.xml")
_TABLE = "## What it promises"
_HEAD = """# Evidence

Each promise of the [README](../README.md), the tests behind it, and how they ended when they last ran. This page is
written by `make evidence` from what `make test` and `make faults` leave in `.altayar/evidence`.

| promise | tests | passed | failed | skipped | s | run |
| --- | --- | --- | --- | --- | --- | --- |
"""


@dataclass(frozen=True, slots=True)
class Promise:
    """One row of the README's table: what it says, and its tests by name and path."""

    text: str
    tests: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Run:
    """How the tests of one file ended, when and of which commit."""

    at: datetime
    commit: str
    outcomes: tuple[Outcome, ...]

    def count(self, *wanted: Became) -> int:
        return sum(outcome.became in wanted for outcome in self.outcomes)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.commit}"


def promises(readme: str) -> list[Promise]:
    """The rows of the table of promises."""
    table = readme.partition(_TABLE)[2]
    return [Promise(text, tuple(_TEST.findall(tests))) for text, tests in _PROMISE.findall(table)]


def newest_runs(reports: Iterable[Path]) -> dict[str, Run]:
    """The newest run of each test file; reports are named by their time, which orders them."""
    newest: dict[str, Run] = {}
    for report in sorted(reports):
        named = _NAME.fullmatch(report.name)
        if named is None:
            continue
        by_file: dict[str, list[Outcome]] = {}
        for outcome in outcomes(report):
            by_file.setdefault(outcome.file, []).append(outcome)
        at = datetime.strptime(f"{named[1]}+0000", "%Y%m%dT%H%M%S%z")
        # What `make test` leaves to `make faults` has been skipped there: that is no run.
        ran = {file: found for file, found in by_file.items() if any(one.became is not Became.SKIPPED for one in found)}
        newest |= {file: Run(at, named[2], tuple(found)) for file, found in ran.items()}
    return newest


def page(told: Sequence[Promise], runs: Mapping[str, Run]) -> str:
    """The whole page."""
    return _HEAD + "".join(f"{_row(promise, runs)}\n" for promise in told)


def faults(told: Sequence[Promise], runs: Mapping[str, Run], tree: Path = ROOT) -> list[str]:
    """What is wrong with the evidence, in sentences."""
    if not told:
        return ["the README has no table of promises"]
    found = []
    for path in dict.fromkeys(path for promise in told for _, path in promise.tests):
        if not (tree / path).is_file():
            found.append(f"{path} does not exist")
        elif path not in runs or not runs[path].count(Became.PASSED, Became.FAILED, Became.BROKEN):
            found.append(f"{path} ran no test")
        elif failed := runs[path].count(Became.FAILED, Became.BROKEN):
            found.append(f"{path}: {failed} failed")
    return found


def main() -> int:
    """Answers 1 where something is wrong; the page is written all the same."""
    told = promises((ROOT / "README.md").read_text("utf-8"))
    runs = newest_runs(REPORTS.glob("*.xml"))
    PAGE.write_text(page(told, runs), "utf-8")
    wrong = faults(told, runs)
    for fault in wrong:
        print(f"evidence: {fault}", file=sys.stderr)
    print(f"{len(told)} promises, {len(wrong)} without evidence: {PAGE.relative_to(ROOT)}")
    return 1 if wrong else 0


def _row(promise: Promise, runs: Mapping[str, Run]) -> str:
    links = ", ".join(f"[{name}](../{path})" for name, path in promise.tests)
    known = [runs[path] for _, path in promise.tests if path in runs]
    passed, skipped = (sum(run.count(became) for run in known) for became in (Became.PASSED, Became.SKIPPED))
    failed = sum(run.count(Became.FAILED, Became.BROKEN) for run in known)
    seconds = sum(outcome.seconds for run in known for outcome in run.outcomes)
    when = ", ".join(dict.fromkeys(map(str, sorted(known, key=lambda run: run.at)))) or "never"
    return f"| {promise.text} | {links} | {passed} | {failed} | {skipped} | {seconds:.0f} | {when} |"


if __name__ == "__main__":
    sys.exit(main())
