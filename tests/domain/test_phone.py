"""Telephone numbers: one spelling for what people write, and nothing that cannot be one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.shared.errors import InvalidValue
from domain.shared.phone import Phone


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+20 100 000 0000", "+201000000000"),
        ("01000000000", "+201000000000"),
        ("0100-000-0000", "+201000000000"),
        ("00201000000000", "+201000000000"),
        ("٠١٠٠٠٠٠٠٠٠٠", "+201000000000"),
        ("+966 50 123 4567", "+966501234567"),
        ("+1 202 555 0123", "+12025550123"),
    ],
)
def test_a_number_has_one_spelling(written: str, number: str) -> None:
    assert Phone(written).number == number
    assert Phone(number) == Phone(written)


@pytest.mark.parametrize(
    "written", ["", "12", "call me", "+999 12345678", "+1234567890123456", "0", "+20", "+201000000000;ext=5"]
)
def test_what_cannot_be_a_number_is_refused_at_its_field(written: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        Phone(written)

    assert [fault.pointer for fault in refused.value.faults] == ["/phone"]


@given(st.text(max_size=40))
def test_whatever_is_written_is_a_number_or_refused(written: str) -> None:
    try:
        number = Phone(written).number
    except InvalidValue:
        return
    assert number[0] == "+"
    assert number[1:].isascii()
    assert number[1:].isdigit()
