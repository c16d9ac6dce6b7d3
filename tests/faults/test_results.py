"""The summary of `make faults` says what failed, what was left out, and what nothing tried."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.catalogue import Fault
from tests.faults.results import Outcomes, as_document, rows, without_tests

ONE, OTHER, NEVER = "tests/a.py::test_one", "tests/a.py::test_other", "tests/a.py::test_never"
FAULTS = (
    Fault("a row lock held 10 s", "M5", (ONE, OTHER)),
    Fault("the disk is full", "A6", (OTHER,), listed=False),
    Fault("poison payload", "J6", (NEVER,)),
)


def report(node: str, outcome: Any, when: Any = "call", **properties: object) -> pytest.TestReport:
    return pytest.TestReport(
        node, ("a.py", 1, "test"), {}, outcome, None, when, duration=0.5, user_properties=list(properties.items())
    )


@pytest.fixture
def outcomes() -> Outcomes:
    made = Outcomes()
    for one in (
        report(f"{ONE}[fast]", "passed", "setup"),
        report(f"{ONE}[fast]", "passed", invariants=80),
        report(f"{ONE}[slow]", "passed"),
        report(f"{ONE}[slow]", "failed", "teardown", invariants=81),
        report(OTHER, "skipped", "setup"),
    ):
        made.pytest_runtest_logreport(one)
    return made


def test_each_variant_counts_and_a_failure_of_the_teardown_is_one(outcomes: Outcomes) -> None:
    first, second, third = rows(FAULTS, outcomes)
    assert first == ("a row lock held 10 s", "M5", "3", "1 failed, 1 skipped, 1 passed", "2.5", "81")
    assert second == ("the disk is full (beside the list)", "A6", "1", "1 skipped", "0.5", "its own")
    assert third == ("poison payload", "J6", "0", "not run", "0.0", "its own")


def test_what_nothing_tried_is_named(outcomes: Outcomes) -> None:
    assert [fault.words for fault in without_tests(FAULTS, outcomes)] == ["the disk is full", "poison payload"]


def test_the_document_has_seed_and_table(outcomes: Outcomes) -> None:
    document = as_document(FAULTS, outcomes, seed=7, seconds=3)
    assert "`ALTAYAR_FAULTS_SEED=7 make faults`" in document
    assert "- All tests: 1 passed, 1 failed, 1 skipped, in 3 s" in document
    assert "| a row lock held 10 s | M5 | 3 | 1 failed, 1 skipped, 1 passed | 2.5 | 81 |" in document
