"""Runs of pytest in a copy of the tree, and what became of each test."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_CANNOT_RUN = r"(Import|ModuleNotFound|Name|UnboundLocal|Attribute|Syntax|Indentation|Type)Error"
_BAD_SQL = r"psycopg\.errors\.(Syntax|Undefined)"
_NOT_A_CATCH = re.compile(rf"^(?:\S*\.)?(?:{_CANNOT_RUN}|Failed: Timeout)\b|{_BAD_SQL}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one test: `said` is how its call failed, `passed` whether it passed."""

    node: str
    passed: bool
    said: str = ""
    broke: bool = False
    """It never came to its call, or failed after it: nothing that a test notices."""

    @property
    def noticed(self) -> bool:
        """Whether it failed as a test fails that sees something wrong, not as code that cannot run."""
        return not self.passed and not self.broke and not _NOT_A_CATCH.search(self.said)

    def is_of(self, selected: str) -> bool:
        """Whether a file or node id on the command line meant it."""
        return self.node == selected or self.node.startswith((f"{selected}::", f"{selected}["))


def run_tests(tree: Path, tests: Sequence[str], *, processes: int, seconds: int) -> list[Outcome]:
    """Run tests in a copy of the tree; none is answered where pytest could not even collect, or was not done in time.

    With 0 processes they run in pytest's own.
    """
    report = tree.parent / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
    command += ["-n", str(processes), f"--junitxml={report}", *tests]
    _finish(command, tree, seconds)
    return outcomes(report) if report.exists() else []


def outcomes(report: Path) -> list[Outcome]:
    """What a JUnit report says of each test; who is skipped neither passed nor noticed anything."""
    return [_outcome(case) for case in ET.parse(report).iter("testcase")]  # noqa: S314 - pytest has just written it


def _outcome(case: ET.Element) -> Outcome:
    names = case.get("classname", "").split(".")
    # Classes begin with a capital letter, folders and files here with a small one.
    path = "/".join(name for name in names if name[:1].islower())
    node = "::".join([f"{path}.py", *(name for name in names if name[:1].isupper()), case.get("name", "")])
    failure, error = case.find("failure"), case.find("error")
    if error is not None or case.find("skipped") is not None:
        return Outcome(node, passed=False, said=(error.get("message", "") if error is not None else ""), broke=True)
    if failure is not None:
        return Outcome(node, passed=False, said=failure.get("message", ""))
    return Outcome(node, passed=True)


def _finish(command: Sequence[str], tree: Path, seconds: int) -> None:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {**kept, "PYTHONPATH": f"{tree / 'src'}{os.pathsep}{tree}"}
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
    """As Ctrl-C does, so that the servers of the tests are stopped, too."""
    running.send_signal(signal.SIGINT)
    running.wait(60)
