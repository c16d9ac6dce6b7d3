"""What pytest's JUnit reports say of each test."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Became(StrEnum):
    """What became of a test."""

    PASSED = "passed"
    FAILED = "failed"
    """In its call: it noticed something."""
    BROKEN = "broken"
    """Before its call, or after it; or it could not be collected."""
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One test by its node id; `said` is how it failed, `seconds` how long it took."""

    node: str
    became: Became
    said: str = ""
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return self.became is Became.PASSED

    @property
    def file(self) -> str:
        return self.node.partition("::")[0]

    def is_of(self, selected: str) -> bool:
        """Whether a file or node id on a command line meant it."""
        return self.node == selected or self.node.startswith((f"{selected}::", f"{selected}["))


def outcomes(report: Path) -> list[Outcome]:
    """Every test of a report, in its order."""
    return [_outcome(case) for case in ET.parse(report).iter("testcase")]  # noqa: S314 - pytest has just written it


def _outcome(case: ET.Element) -> Outcome:
    seconds = float(case.get("time", "0"))
    # A test that failed may have left behind what its end fails over, too.
    for kind, became in (("failure", Became.FAILED), ("error", Became.BROKEN), ("skipped", Became.SKIPPED)):
        found = case.find(kind)
        if found is not None:
            return Outcome(_node(case), became, found.get("message", ""), seconds)
    return Outcome(_node(case), Became.PASSED, seconds=seconds)


def _node(case: ET.Element) -> str:
    """`tests.api.test_x.TestY`, `test_z` is `tests/api/test_x.py::TestY::test_z`: classes alone begin in capitals."""
    names = case.get("classname", "").split(".")
    path = "/".join(name for name in names if name[:1].islower())
    return "::".join([f"{path}.py", *(name for name in names if name[:1].isupper()), case.get("name", "")])
