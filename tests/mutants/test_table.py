"""The list of mutants does not rot: each fits the tree of today, and its tests are there."""

from __future__ import annotations

import ast
import re
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tests.junit import Became, Outcome, outcomes
from tests.mutants.report import write
from tests.mutants.runs import noticed
from tests.mutants.table import ROOT, Mutant, TextMoved, mutants
from tests.mutants.verdicts import Finding, Verdict, is_sound, judged

pytestmark = pytest.mark.unit

LIST = mutants()
FEWEST = 60
"""Mutants; one that goes has another take its place."""


def test_there_are_many_and_each_has_a_name_of_its_own() -> None:
    assert len(LIST) >= FEWEST
    assert [name for name, count in Counter(mutant.name for mutant in LIST).items() if count > 1] == []


@pytest.mark.parametrize("mutant", LIST, ids=lambda mutant: mutant.name)
def test_a_mutant_fits_the_tree_of_today(mutant: Mutant) -> None:
    assert re.fullmatch(r"[MQPJAS]\d{1,2}", mutant.breaks)
    source = (ROOT / mutant.file).read_text("utf-8")
    mutated = mutant.mutated(source)
    assert mutated != source
    if mutant.file.endswith(".py"):
        ast.parse(mutated)


@pytest.mark.parametrize("mutant", LIST, ids=lambda mutant: mutant.name)
def test_the_tests_of_a_mutant_are_there(mutant: Mutant) -> None:
    assert mutant.tests
    assert [test for test in mutant.tests if not is_there(test)] == []


def test_a_text_that_moved_is_told(tmp_path: Path) -> None:
    mutant = a_mutant()
    for content in ("nothing of it", "once and once again: once"):
        (tmp_path / mutant.file).write_text(content)
        with pytest.raises(TextMoved):
            mutant.apply(tmp_path)
    (tmp_path / mutant.file).write_text("it is once here")
    mutant.apply(tmp_path)
    assert (tmp_path / mutant.file).read_text() == "it is twice here"


def test_only_what_a_test_notices_is_a_catch() -> None:
    fine = Outcome("tests/test_a.py::test_fine", Became.PASSED)
    caught = Outcome("tests/test_a.py::test_it", Became.FAILED, "AssertionError: assert 6 == 5")
    hung = Outcome("tests/test_a.py::test_it", Became.FAILED, "Failed: Timeout (>120.0s) from pytest-timeout.")
    cannot_run = Outcome("tests/test_a.py::test_it", Became.FAILED, "NameError: name 'x' is not defined")
    bad_sql = Outcome("tests/test_a.py::test_it", Became.FAILED, "psycopg.errors.SyntaxError: at or near")
    in_its_setup = Outcome("tests/test_a.py::test_it", Became.BROKEN, "AssertionError: assert False")

    assert judged(a_mutant(), [fine, caught], 1.0).verdict is Verdict.CAUGHT
    assert judged(a_mutant(), [fine], 1.0).verdict is Verdict.SURVIVED
    for nothing_noticed in ([], [caught], *([fine, broken] for broken in (hung, cannot_run, bad_sql, in_its_setup))):
        assert judged(a_mutant(), nothing_noticed, 1.0).verdict is Verdict.ONLY_BROKEN
    assert noticed(caught)


def test_a_selection_is_sound_when_all_of_it_ran_and_passed() -> None:
    ran = [
        Outcome("tests/test_a.py::test_it[1]", Became.PASSED),
        Outcome("tests/test_a.py::TestB::test_more", Became.PASSED),
        Outcome("tests/test_c.py::test_it", Became.SKIPPED),
    ]
    assert is_sound(("tests/test_a.py",), ran)
    assert is_sound(("tests/test_a.py::test_it", "tests/test_a.py::TestB"), ran)
    assert not is_sound(("tests/test_a.py", "tests/test_c.py"), ran)
    assert not is_sound(("tests/test_a.py::test",), ran)


def test_a_report_of_pytest_is_read(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        """<testsuites><testsuite>
        <testcase classname="tests.api.test_x.TestY" name="test_z[a.B]" time="1.5"/>
        <testcase classname="tests.api.test_x" name="test_w"><failure message="assert 1 == 2">…</failure></testcase>
        <testcase classname="tests.api.test_x" name="test_v"><skipped message="why">…</skipped></testcase>
        <testcase classname="" name="tests.api.test_u"><error message="collection failure">…</error></testcase>
        </testsuite></testsuites>"""
    )
    passed, failed, skipped, broken = outcomes(report)
    assert passed == Outcome("tests/api/test_x.py::TestY::test_z[a.B]", Became.PASSED, seconds=1.5)
    assert failed == Outcome("tests/api/test_x.py::test_w", Became.FAILED, "assert 1 == 2")
    assert (skipped.became, broken.became) == (Became.SKIPPED, Became.BROKEN)


def a_mutant() -> Mutant:
    return Mutant(name="m", breaks="M1", file="source.txt", text="once", instead="twice", tests=("tests/test_a.py",))


def is_there(test: str) -> bool:
    path, *names = test.split("::")
    if not names:
        return (ROOT / path).is_file()
    return ".".join(names) in names_in(ROOT / path)


@cache
def names_in(path: Path) -> frozenset[str]:
    """Test functions and classes of a file, methods as Class.name."""
    if not path.is_file():
        return frozenset()
    found = []
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.append(node.name)
        if isinstance(node, ast.ClassDef):
            found += [f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)]
    return frozenset(found)


def test_a_page_keeps_the_rows_of_what_was_not_tried(tmp_path: Path) -> None:
    one, other, never = (replace(a_mutant(), name=name) for name in ("one", "other", "never"))
    path = tmp_path / "page.md"
    caught = Finding(one, Verdict.CAUGHT, by=("tests/test_a.py::TestB::test_it[1]",))

    write([caught, Finding(other, Verdict.SURVIVED)], [one, other, never], commit="aaaaaaa", path=path)
    write([Finding(other, Verdict.CAUGHT)], [one, other, never], commit="bbbbbbb", path=path)

    told = path.read_text("utf-8")
    assert "2 of 3 are caught" in told
    assert re.search(r"\| one \| .* \| caught \| \[test_it\]\(\.\./tests/test_a\.py\) \| \S+ aaaaaaa \|", told)
    assert re.search(r"\| other \| .* \| caught \|  \| \S+ bbbbbbb \|", told)
    assert re.search(r"\| never \| .* \| not tried \|", told)
    write([], [never], commit="ccccccc", path=path)
    assert "one" not in path.read_text("utf-8").partition("| breaks |")[2]
