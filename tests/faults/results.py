"""What became of each fault: gathered while pytest runs, shown as a table and as a document."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.table import Table

from tests.faults.catalogue import Fault

ROOT = Path(__file__).resolve().parents[2]
HEAD = ("fault", "guarantees", "tests", "outcome", "seconds", "invariants")


@dataclass
class One:
    """One test that ran: how it ended, how long it took, how many invariants were checked after it."""

    outcome: str = "passed"
    seconds: float = 0.0
    invariants: int = 0


@dataclass
class Outcomes:
    """A plugin of pytest's that remembers every test."""

    of: dict[str, One] = field(default_factory=dict)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called for setup, call and teardown of each, in the process that leads the others."""
        if type(report) is not pytest.TestReport:
            return  # of a subtest, whose test is told of by itself
        one = self.of.setdefault(report.nodeid, One())
        one.seconds += report.duration
        if report.outcome != "passed" and one.outcome != "failed":
            one.outcome = report.outcome
        one.invariants = max(
            [one.invariants, *(int(str(it)) for name, it in report.user_properties if name == "invariants")]
        )

    def belonging_to(self, fault: Fault) -> list[One]:
        """Those that ran of a fault's tests, each variant by itself."""
        return [one for node, one in self.of.items() if node.split("[")[0] in fault.tests]


def without_tests(faults: Sequence[Fault], outcomes: Outcomes) -> list[Fault]:
    """The faults of which nothing ran that was not skipped."""
    return [fault for fault in faults if all(one.outcome == "skipped" for one in outcomes.belonging_to(fault))]


def rows(faults: Sequence[Fault], outcomes: Outcomes) -> list[tuple[str, ...]]:
    """A row for each fault, in the order of the catalogue."""
    return [_row(fault, outcomes.belonging_to(fault)) for fault in faults]


def _row(fault: Fault, ran: list[One]) -> tuple[str, ...]:
    counted = {name: sum(one.outcome == name for one in ran) for name in ("failed", "skipped", "passed")}
    outcome = ", ".join(f"{count} {name}" for name, count in counted.items() if count) or "not run"
    checked = max((one.invariants for one in ran), default=0)
    seconds = sum(one.seconds for one in ran)
    words = fault.words if fault.listed else f"{fault.words} (beside the list)"
    return (words, fault.guarantees, str(len(ran)), outcome, f"{seconds:.1f}", str(checked) if checked else "its own")


def as_table(faults: Sequence[Fault], outcomes: Outcomes) -> Table:
    """For the terminal."""
    table = Table(*HEAD, title="Faults")
    for row in rows(faults, outcomes):
        table.add_row(*row, style="red" if "failed" in row[3] or row[3] == "not run" else None)
    return table


def as_document(faults: Sequence[Fault], outcomes: Outcomes, *, seed: int, seconds: float) -> str:
    """For the docs: when, of what, on what, and the table."""
    everything = list(outcomes.of.values())
    counted = {name: sum(one.outcome == name for one in everything) for name in ("passed", "failed", "skipped")}
    lines = [
        "# What became of each fault",
        "",
        "Written by `make faults`; docs/faults.md says what each of them is. *Invariants* are the queries of",
        "`tests/e2e/invariants.py` that found no row afterwards, with the ledger's chains computed again; tests from",
        "elsewhere end with promises of their own.",
        "",
        f"- Date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"- Commit: {_commit()}",
        f"- Machine: {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        f"- Seed: {seed} (`ALTAYAR_FAULTS_SEED={seed} make faults`)",
        f"- All tests: {', '.join(f'{count} {name}' for name, count in counted.items())}, in {seconds:.0f} s",
        "",
        f"| {' | '.join(HEAD)} |",
        f"|{' --- |' * len(HEAD)}",
        *(f"| {' | '.join(row)} |" for row in rows(faults, outcomes)),
        "",
    ]
    return "\n".join(lines)


def _commit() -> str:
    git = shutil.which("git")
    if git is None:
        return "unknown"
    said = subprocess.run(
        [git, "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return said.stdout.strip() or "unknown"
