"""Runs of pytest in a copy of the tree."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.junit import Became, Outcome, outcomes

_CANNOT_RUN = r"(Import|ModuleNotFound|Name|UnboundLocal|Attribute|Syntax|Indentation|Type)Error"
_BAD_SQL = r"psycopg\.errors\.(Syntax|Undefined)"
_NOT_A_CATCH = re.compile(rf"^(?:\S*\.)?(?:{_CANNOT_RUN}|Failed: Timeout)\b|{_BAD_SQL}")


def noticed(outcome: Outcome) -> bool:
    """Whether a test failed as one fails that sees something wrong, not as code that cannot run."""
    return outcome.became is Became.FAILED and not _NOT_A_CATCH.search(outcome.said)


def run_tests(
    tree: Path, tests: Sequence[str], *, on: Mapping[str, str], processes: int, seconds: int
) -> list[Outcome]:
    """Run tests in a copy of the tree; none is answered where pytest could not even collect, or was not done in time.

    `on` names servers and a template that are there; with 0 processes they run in pytest's own.
    """
    report = tree.parent / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--randomly-dont-reorganize"]
    # What tests draw at random is the same in every run, with a mutant or without.
    command += ["--randomly-seed=1", "-n", str(processes), f"--junitxml={report}", *tests]
    _finish(command, tree, on, seconds)
    return outcomes(report) if report.exists() else []


def _finish(command: Sequence[str], tree: Path, on: Mapping[str, str], seconds: int) -> None:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    # Hashes are alike: processes that share the work have to collect the same tests in the same order.
    environment = {**kept, **on, "PYTHONPATH": f"{tree / 'src'}{os.pathsep}{tree}", "PYTHONHASHSEED": "0"}
    with (tree.parent / "output.txt").open("wb") as output:
        running = subprocess.Popen(command, cwd=tree, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            running.wait(seconds)
        except subprocess.TimeoutExpired:
            _interrupt(running)
        except BaseException:
            _interrupt(running)
            raise


def _interrupt(running: subprocess.Popen[bytes]) -> None:
    """As Ctrl-C does, so that the servers of the tests are stopped, too; what does not hear of it is killed."""
    running.send_signal(signal.SIGINT)
    try:
        running.wait(60)
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait()
