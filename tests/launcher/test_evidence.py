"""Each promise of the README has a test that is there, and `make evidence` says how it ended."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scripts.evidence import Promise, faults, newest_runs, page, promises
from tests.launcher.processes import ROOT

README = """
| you look for | it is in |
| --- | --- |
| a rule | `src/domain` |

## What it promises

| promise | test |
| --- | --- |
| nothing is lost | [test_a](tests/test_a.py), [in PostgreSQL](tests/test_b.py) |
| nothing is done twice | [test_c](tests/test_c.py) |
"""


def test_every_promise_of_the_readme_has_tests_that_are_there() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    told = promises(readme)
    table = readme.partition("## What it promises")[2]
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    # A row whose tests are no links would not be read as a promise at all.
    assert rows[:2] == ["| promise | test |", "| --- | --- |"]
    assert len(told) == len(rows) - 2
    assert len({promise.text for promise in told}) == len(told)
    missing = [path for promise in told for _, path in promise.tests if not (ROOT / path).is_file()]
    assert missing == []


def test_a_table_is_read() -> None:
    assert promises(README) == [
        Promise("nothing is lost", (("test_a", "tests/test_a.py"), ("in PostgreSQL", "tests/test_b.py"))),
        Promise("nothing is done twice", (("test_c", "tests/test_c.py"),)),
    ]


def test_the_newest_run_of_each_file_counts(tmp_path: Path) -> None:
    a_report(tmp_path / "20261128T100000Z-aaaaaaa.xml", "test_a", "failed")
    a_report(tmp_path / "20261129T100000Z-bbbbbbb.xml", "test_a", "passed", "passed", "skipped")
    a_report(tmp_path / "20261127T100000Z-ccccccc-dirty.xml", "test_b", "passed")
    a_report(tmp_path / "20261129T110000Z-ddddddd.xml", "test_b", "skipped")
    a_report(tmp_path / "of-somebody-else.xml", "test_c", "passed")

    runs = newest_runs(tmp_path.glob("*.xml"))

    assert sorted(runs) == ["tests/test_a.py", "tests/test_b.py"]
    shown = page(promises(README), runs).splitlines()
    assert shown[-2] == (
        "| nothing is lost | [test_a](../tests/test_a.py), [in PostgreSQL](../tests/test_b.py) | 3 | 0 | 1 | 2 "
        "| 2026-11-27 10:00 ccccccc-dirty, 2026-11-29 10:00 bbbbbbb |"
    )
    assert shown[-1] == "| nothing is done twice | [test_c](../tests/test_c.py) | 0 | 0 | 0 | 0 | never |"


@pytest.mark.parametrize(
    ("outcomes", "fault"),
    [
        (("passed",), None),
        (("passed", "skipped"), None),
        (("skipped",), "tests/test_c.py ran no test"),
        ((), "tests/test_c.py ran no test"),
        (("passed", "failed"), "tests/test_c.py: 1 failed"),
    ],
)
def test_a_promise_without_evidence_is_told(tmp_path: Path, outcomes: tuple[str, ...], fault: str | None) -> None:
    (tmp_path / "tests").mkdir()
    for name in ("test_a", "test_c"):
        (tmp_path / f"tests/{name}.py").touch()
    a_report(tmp_path / "20261129T100000Z-aaaaaaa.xml", "test_a", "passed")
    a_report(tmp_path / "20261129T110000Z-aaaaaaa.xml", "test_c", *outcomes)

    found = faults(promises(README), newest_runs(tmp_path.glob("*.xml")), tmp_path)

    assert found == ["tests/test_b.py does not exist", *([fault] if fault else [])]


def test_a_readme_without_a_table_is_told() -> None:
    assert faults(promises("# Nothing"), {}) == ["the README has no table of promises"]


@pytest.mark.parametrize(("arguments", "is_kept"), [("", True), ("tests/domain -k money", False)])
def test_whole_runs_of_make_test_are_kept_and_others_are_not(arguments: str, is_kept: bool) -> None:
    said = subprocess.run(
        ["make", "--dry-run", "test", f"PYTEST_ARGS={arguments}"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert ("--junitxml=.altayar/evidence/" in said) == is_kept
    assert arguments in said


def a_report(path: Path, file: str, *outcomes: str) -> None:
    inner = {"passed": "", "failed": '<failure message="assert 1 == 2"/>', "skipped": '<skipped message="why"/>'}
    cases = "".join(
        f'<testcase classname="tests.{file}" name="test_{number}" time="0.5">{inner[outcome]}</testcase>'
        for number, outcome in enumerate(outcomes)
    )
    path.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
