"""Providers' statements as files: what is read of them, and what is refused, by its line."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.ledger.clearing_files import MOST_LINES, read_statement
from domain.ledger.reconciliation import Balances, LineKind, StatementLine
from domain.shared.errors import InvalidValue
from domain.shared.money import Money

pytestmark = pytest.mark.unit
HEADING = "booked_on,provider_reference,kind,amount,currency"


def test_columns_may_come_in_any_order_and_beside_others() -> None:
    text = "note,currency,amount,kind,provider_reference,booked_on\n=1+1,KWD,-1.250,REFUND, r-1 ,2026-11-23\n"

    statement = read_statement("FAWATERK", text)

    assert statement.lines == (
        StatementLine(
            provider_reference="r-1",
            kind=LineKind.REFUND,
            amount=Money.of(-1_250, "KWD"),
            booked_on=date(2026, 11, 23),
        ),
    )


def test_balances_are_told_by_lines_of_their_own() -> None:
    day = "2026-11-23"
    statement = read_statement("FAWATERK", f"{HEADING}\n{day},,OPENING,5.00,EGP\n{day},,CLOSING,7.00,EGP\n")

    egp = Money.of(500, "EGP"), Money.of(700, "EGP")
    assert statement.balances == {("EGP", date(2026, 11, 23)): Balances(*egp)}
    assert statement.lines == ()


def test_fees_without_a_reference_are_those_of_their_day() -> None:
    statement = read_statement("FAWATERK", f"{HEADING}\n2026-11-23,,FEE,-5.00,EGP\n")

    assert [line.provider_reference for line in statement.lines] == ["2026-11-23"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "first line"),
        ("a,b\r\n1,2", "first line"),
        (HEADING, "1 to 400"),
        (f"{HEADING}\r\n2026-13-01,r,PAYMENT,1.00,EGP", "line 2"),
        (f"{HEADING}\r\n0001-01-01,r,PAYMENT,1.00,EGP", "line 2"),
        (f"{HEADING}\r\n2026-11-01,r,PAYMENT,1.00,EGP\r\n2026-11-01,r,PAYMENT,1.005,EGP", "line 3"),
        (f"{HEADING}\r\n2026-11-01,r,PAYMENT,1e3,EGP", "line 2"),
        (f"{HEADING}\r\n2026-11-01,r,PAYMENT,1.00,PTS", "line 2"),
        (f"{HEADING}\r\n2026-11-01,r,GIFT,1.00,EGP", "line 2"),
        (f"{HEADING}\r\n2026-11-01,,PAYMENT,1.00,EGP", "line 2"),
        (f"{HEADING}\r\n2026-11-01,{'r' * 201},PAYMENT,1.00,EGP", "line 2"),
        (f'{HEADING}\r\n2026-11-01,"r"x,PAYMENT,1.00,EGP', "line 2"),
        (f"{HEADING}\r\n2026-11-01", "line 2"),
        (HEADING + "\n2026-11-01,r,PAYMENT,1.00,EGP" * (MOST_LINES + 1), "at most 20000"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_line(text: str, word: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        read_statement("FAWATERK", text)

    [fault] = refused.value.faults
    assert (fault.pointer, word in fault.detail) == ("/statement", True)


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_whatever_a_file_holds_it_is_read_or_refused(text: str) -> None:
    for whole in (text, f"{HEADING}\n{text}", f"{HEADING}\n2026-11-23,{text},PAYMENT,1.00,EGP"):
        try:
            statement = read_statement("FAWATERK", whole)
        except InvalidValue:
            continue
        assert statement.days
