"""No fault of the catalogue is without a test that there is."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from tests.faults.catalogue import FAULTS, nodes, uncovered

ROOT = Path(__file__).resolve().parents[2]


def test_every_fault_of_the_catalogue_is_in_the_table() -> None:
    assert list(uncovered()) == []


def test_every_fault_has_tests_and_each_of_them_is_there() -> None:
    assert [fault.words for fault in FAULTS if not fault.tests or not fault.guarantees] == []
    assert [node for node in nodes() if not _is_there(node)] == []


def test_one_that_is_not_there_would_be_noticed() -> None:
    assert not _is_there("tests/faults/test_catalogue.py::test_that_nobody_wrote")
    assert not _is_there("tests/faults/test_that_nobody_wrote.py::test_one")


def _is_there(node: str) -> bool:
    file, *path = node.split("::")
    return tuple(path) in _tests_of(file)


@cache
def _tests_of(file: str) -> frozenset[tuple[str, ...]]:
    """The tests that a file holds, as the parts of their names."""
    path = ROOT / file
    if not path.exists():
        return frozenset()
    found: set[tuple[str, ...]] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add((node.name,))
        elif isinstance(node, ast.ClassDef):
            found |= {(node.name, one.name) for one in node.body if isinstance(one, ast.FunctionDef)}
    return frozenset(found)
