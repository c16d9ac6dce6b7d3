"""What counts as a card number: the check digit decides, however the digits are grouped (S8)."""

from __future__ import annotations

import time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.shared.card_numbers import holds_card_number, without_card_numbers

CARDS = (
    "4111111111111111",
    "4111 1111 1111 1111",
    "3782-822463-10005",
    "5555555555554444",
    "6304000000000000018",
    "٤١١١١١١١١١١١١١١١",
    "4111 1111 1111 1111 12/27",
    "pay with visa4242424242424242, please",
    "4111 1111 1111 1111 123",
)
NO_CARDS = (
    "",
    "4111111111111112",
    "+20 100 123 4567",
    "BK-2026-000123",
    "2026-11-25 16:27:29",
    "00000000000000",
    "411111111111",
    "41111111111111111111",
    "41111111-1111-1111-8111-111111111111",
    "a4111111111111111b0000000000000000",
)


@pytest.mark.parametrize("text", CARDS)
def test_a_card_number_is_seen(text: str) -> None:
    assert holds_card_number(text)
    assert not holds_card_number(without_card_numbers(text))


@pytest.mark.parametrize("text", NO_CARDS)
def test_other_digits_stay(text: str) -> None:
    assert not holds_card_number(text)
    assert without_card_numbers(text) == text


def test_what_stands_around_it_stays() -> None:
    text = "first 4111 1111 1111 1111 12/27, then 5555555555554444."

    assert without_card_numbers(text) == "first [card number] 12/27, then [card number]."


@given(st.uuids(), st.integers(1, 9), st.text(st.sampled_from("0123456789"), min_size=11, max_size=17))
def test_a_digit_decides(row_id: UUID, first: int, rest: str) -> None:
    """Of ten numbers that differ in their last digit, one is a card number; ids never are."""
    found = [last for last in "0123456789" if holds_card_number(f"{first}{rest}{last}")]

    assert len(found) == 1
    assert not holds_card_number(str(row_id))
    assert not holds_card_number(f"id {row_id}")


def test_a_long_text_takes_no_time() -> None:
    began = time.process_time()

    holds_card_number("1 " * 50_000)
    holds_card_number("9" * 100_000)
    holds_card_number("a" * 100_000)

    # A search that looks back takes minutes, on a busy machine, too.
    assert time.process_time() - began < 20
