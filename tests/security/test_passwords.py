"""Passwords: no byte is lost, any script works, the known ones are refused, and nothing breaks (S4)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import bcrypt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.shared.errors import InvalidValue
from security.password_handler import LONGEST, SHORTEST, BcryptPasswords

PASSWORDS = BcryptPasswords(4)
GOOD = "correct horse 42"


def test_the_right_password_opens_and_a_wrong_one_does_not() -> None:
    stored = PASSWORDS.hash(GOOD)

    assert PASSWORDS.verify(GOOD, stored)
    assert not PASSWORDS.verify(GOOD + " ", stored)
    assert not PASSWORDS.verify("", stored)


def test_hashes_are_salted_and_cost_what_was_asked_for() -> None:
    one, other = PASSWORDS.hash(GOOD), BcryptPasswords(5).hash(GOOD)

    assert one != PASSWORDS.hash(GOOD)
    assert one.startswith("$2b$04$")
    assert other.startswith("$2b$05$")


@pytest.mark.parametrize(
    "beginning", ["a" * 72, "كلمة سر طويلة جدا " * 5, "密" * 71, "🔑" * 30], ids=["72 bytes", "Arabic", "Han", "emoji"]
)
def test_passwords_that_differ_in_their_last_byte_differ(beginning: str) -> None:
    assert len(beginning.encode()) >= 72
    stored = PASSWORDS.hash(beginning + "ا")

    assert PASSWORDS.verify(beginning + "ا", stored)
    assert not PASSWORDS.verify(beginning + "ب", stored)
    assert not PASSWORDS.verify(beginning, stored)


def test_a_zero_byte_ends_nothing() -> None:
    stored = PASSWORDS.hash("secret\0one!")

    assert not PASSWORDS.verify("secret\0two!", stored)


@pytest.mark.parametrize(
    ("typed", "elsewhere"), [("e\u0301t\u00e9 2026", "\u00e9te\u0301 2026"), ("ＦＵＬＬ width", "FULL width")]
)
def test_what_looks_the_same_is_the_same_on_every_keyboard(typed: str, elsewhere: str) -> None:
    assert PASSWORDS.verify(elsewhere, PASSWORDS.hash(typed))


def test_case_and_spaces_count() -> None:
    stored = PASSWORDS.hash("Correct Horse")

    assert not PASSWORDS.verify("correct horse", stored)
    assert not PASSWORDS.verify("CorrectHorse", stored)


@pytest.mark.parametrize("letter", ["a1", "س٣", "密鑰", "🔑🗝"])
def test_8_to_128_characters_of_any_script(letter: str) -> None:
    for length in (SHORTEST, LONGEST):
        password = (letter * length)[:length]
        assert PASSWORDS.verify(password, PASSWORDS.hash(password))


@pytest.mark.parametrize("length", [0, 1, 7, 129, 1_000, 100_000])
def test_other_lengths_are_refused(length: int) -> None:
    with pytest.raises(InvalidValue) as refused:
        PASSWORDS.hash("q" * length)

    assert refused.value.faults[0].code == "invalid_password"
    assert refused.value.faults[0].pointer == "/password"


def test_what_is_longer_than_any_password_opens_nothing() -> None:
    longest = "q1" * 64

    assert not PASSWORDS.verify(longest + "q", PASSWORDS.hash(longest))


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "PASSWORD",
        "PassWord1",
        "12345678",
        "qwertyuiop",
        "ｐａｓｓｗｏｒｄ",
        "１２３４５６７８",
        "١٢٣٤٥٦٧٨",
        "iloveyou",
    ],
)
def test_passwords_that_everybody_tries_first_are_refused(password: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        PASSWORDS.hash(password)

    assert refused.value.faults[0].code == "common_password"


def test_the_demos_password_is_not_among_them() -> None:
    PASSWORDS.hash("Altayar-demo-2026")


def test_an_account_that_is_not_there_costs_as_much_and_opens_to_nothing() -> None:
    runs: list[int] = []

    def counted(work: Callable[[], bytes]) -> bytes:
        runs.append(1)
        return work()

    passwords = BcryptPasswords(4, counted)

    for password in (GOOD, "nobody", ""):
        assert not passwords.verify(password, None)
    assert not passwords.verify(GOOD, passwords.hash("another one"))
    assert len(runs) == 3 + 2


def test_the_hash_of_nobody_is_as_costly_as_a_real_one() -> None:
    passwords = BcryptPasswords(5)

    assert passwords._nobody.startswith("$2b$05$")
    assert not bcrypt.checkpw(GOOD.encode(), passwords._nobody.encode())


ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=140)


@given(ANY_TEXT)
@settings(max_examples=150, deadline=None)
def test_any_text_is_hashed_or_refused_and_never_breaks(text: str) -> None:
    try:
        stored = PASSWORDS.hash(text)
    except InvalidValue:
        assert not PASSWORDS.verify(text, PASSWORDS.hash(GOOD))
        return
    assert SHORTEST <= len(unicodedata.normalize("NFKC", text)) <= LONGEST
    assert PASSWORDS.verify(text, stored)
    assert len(stored) == 60
