"""No float reaches money: not in code, not in columns (M1)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, CheckConstraint, Column, Float, Integer, Numeric

import infrastructure.database.tables  # noqa: F401 - completes the metadata
from infrastructure.database.metadata import metadata
from tests.architecture.code import SRC

PURE = sorted([*(SRC / "domain").rglob("*.py"), *(SRC / "application").rglob("*.py")])
COLUMNS = [column for table in metadata.sorted_tables for column in table.columns]
MONEY_WORDS = ("amount", "price", "balance", "total", "fee")
NOT_MONEY = {
    "activities.price_thousandths",
    "packages.price_thousandths",  # what a search sorts and filters by; never shown, never summed
    "vouchers.usage_limit_total",
    "offers.usage_limit_total",
}
# Terms that may hold no amount at all: a CHECK says that they have a currency exactly where they hold one.
PERHAPS_WITHOUT_AMOUNTS = {"vouchers", "offers"}
# Heads of the release before have neither unit nor amounts until one statement writes them all (decision 0022).
COMPLETED_TOGETHER = {"ledger_heads"}


def floats_in(tree: ast.AST) -> Iterator[int]:
    """The lines where a float is written, made or comes of a division."""
    for node in ast.walk(tree):
        is_literal = isinstance(node, ast.Constant) and isinstance(node.value, float | complex)
        is_made = isinstance(node, ast.Name) and node.id == "float"
        is_division = isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)
        if is_literal or is_made or is_division:
            yield node.lineno  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", PURE, ids=lambda path: str(path.relative_to(SRC)))
def test_no_rule_or_use_case_knows_floats(path: Path) -> None:
    assert list(floats_in(ast.parse(path.read_text()))) == []


@pytest.mark.parametrize("code", ["x = 0.5", "x = float('1')", "x = a / b", "x /= 2", "x: float = 1", "x = 1e3"])
def test_the_check_above_sees_floats(code: str) -> None:
    assert list(floats_in(ast.parse(code))) == [1]


def test_there_is_code_to_check() -> None:
    assert len(PURE) > 40


def test_no_column_is_a_float() -> None:
    numbers = [column for column in COLUMNS if isinstance(column.type, Numeric)]

    assert [str(column) for column in COLUMNS if isinstance(column.type, Float)] == []
    assert [str(column) for column in numbers if not (column.type.asdecimal and column.type.scale is not None)] == []


def test_amounts_are_whole_minor_units_beside_their_currency() -> None:
    amounts = [column for column in COLUMNS if column.name.endswith("_minor")]

    assert len(amounts) > 20
    assert [str(column) for column in amounts if type(column.type) is not BigInteger] == []
    assert [str(column) for column in amounts if "currency" not in column.table.columns] == []
    assert [str(column) for column in amounts if not _has_currency_with_it(column)] == []


def _has_currency_with_it(amount: Column[Any]) -> bool:
    """A currency always, or by the database's word whenever there is an amount."""
    rules = {str(rule.sqltext) for rule in amount.table.constraints if isinstance(rule, CheckConstraint)}
    together = f"({amount.name} IS NULL) = (currency IS NULL)"
    is_always = not amount.table.columns["currency"].nullable or amount.table.name in COMPLETED_TOGETHER
    return is_always or together in rules or _has_currency_for_all(amount)


def _has_currency_for_all(amount: Column[Any]) -> bool:
    """Whether a check of the table's says so of all of its amounts, each of which may be missing."""
    named = {str(rule.name) for rule in amount.table.constraints if isinstance(rule, CheckConstraint)}
    name = amount.table.name
    says_so = name in PERHAPS_WITHOUT_AMOUNTS and f"ck_{name}_amounts_have_a_currency" in named
    return says_so and bool(amount.nullable)


def test_what_is_named_like_money_is_in_minor_units() -> None:
    numbers = [column for column in COLUMNS if isinstance(column.type, Integer | Numeric)]
    like_money = {str(column) for column in numbers if any(word in column.name for word in MONEY_WORDS)}

    assert {name for name in like_money if not name.endswith("_minor")} == NOT_MONEY
