"""Passwords: no byte is lost, any script works, the known ones are refused, and nothing breaks (S4)."""

from __future__ import annotations

import subprocess
import sys
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

import bcrypt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.identity.passwords import refuse_personal_password
from domain.shared.errors import InvalidValue
from security.password_handler import LONGEST, SHORTEST, BcryptPasswords

PASSWORDS = BcryptPasswords(4)
GOOD = "correct horse 42"


def opens(password: str, *hashes: str) -> bool:
    return PASSWORDS.verify(password, hashes) is not None


def test_the_right_password_opens_and_a_wrong_one_does_not() -> None:
    stored = PASSWORDS.hash(GOOD)

    assert opens(GOOD, stored)
    assert not opens(GOOD + " ", stored)
    assert not opens("", stored)


def test_hashes_are_salted_and_cost_what_was_asked_for() -> None:
    one, other = PASSWORDS.hash(GOOD), BcryptPasswords(5).hash(GOOD)

    assert one != PASSWORDS.hash(GOOD)
    assert one.startswith("$2b$04$")
    assert other.startswith("$2b$05$")
    assert bcrypt.checkpw(b"wrong", one.encode()) is False


@pytest.mark.parametrize(
    "beginning", ["a" * 72, "كلمة سر طويلة جدا " * 5, "密" * 71, "🔑" * 30], ids=["72 bytes", "Arabic", "Han", "emoji"]
)
def test_passwords_that_differ_in_their_last_byte_differ(beginning: str) -> None:
    assert len(beginning.encode()) >= 72
    stored = PASSWORDS.hash(beginning + "ا")

    assert opens(beginning + "ا", stored)
    assert not opens(beginning + "ب", stored)
    assert not opens(beginning, stored)


def test_a_zero_byte_ends_nothing() -> None:
    stored = PASSWORDS.hash("secret\0one!")

    assert not opens("secret\0two!", stored)


@pytest.mark.parametrize(
    ("typed", "elsewhere"), [("e\u0301t\u00e9 2026", "\u00e9te\u0301 2026"), ("ＦＵＬＬ width", "FULL width")]
)
def test_what_looks_the_same_is_the_same_on_every_keyboard(typed: str, elsewhere: str) -> None:
    assert opens(elsewhere, PASSWORDS.hash(typed))


def test_case_and_spaces_count() -> None:
    stored = PASSWORDS.hash("Correct Horse")

    assert not opens("correct horse", stored)
    assert not opens("CorrectHorse", stored)


@pytest.mark.parametrize("letter", ["a1", "س٣", "密鑰", "🔑🗝"])
def test_8_to_128_characters_of_any_script(letter: str) -> None:
    for length in (SHORTEST, LONGEST):
        password = (letter * length)[:length]
        assert opens(password, PASSWORDS.hash(password))


@pytest.mark.parametrize("length", [0, 1, 7, 129, 1_000, 100_000])
def test_other_lengths_are_refused(length: int) -> None:
    with pytest.raises(InvalidValue) as refused:
        PASSWORDS.hash("q" * length, pointer="/new_password")

    assert refused.value.faults[0].code == "invalid_password"
    assert refused.value.faults[0].pointer == "/new_password"


def test_what_is_longer_than_any_password_opens_nothing() -> None:
    longest = "q1" * 64

    assert not opens(longest + "q", PASSWORDS.hash(longest))


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
        "trustno1",
        "AltayarVIP",
        "xxxxxxxxxxxxxxx",
        "سسسسسسسس",
    ],
)
def test_passwords_that_everybody_tries_first_are_refused(password: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        PASSWORDS.hash(password)

    assert refused.value.faults[0].code == "common_password"
    assert refused.value.faults[0].pointer == "/password"


def test_the_demos_password_is_not_among_them() -> None:
    PASSWORDS.hash("Altayar-demo-2026")


def test_the_list_is_read_on_first_use_and_nothing_else_of_its_package() -> None:
    script = """
import sys
from security.known_passwords import _known, is_known
assert _known.cache_info().currsize == 0
assert is_known("password1") and not is_known("correct horse 42")
assert _known.cache_info().currsize == 1
assert not [name for name in sys.modules if name.split(".")[0] == "zxcvbn"]
"""
    source = Path(__file__).parents[2] / "src"
    subprocess.run([sys.executable, "-c", script], check=True, env={"PYTHONPATH": str(source)}, timeout=20)


@pytest.mark.parametrize(
    "password",
    ["Mona.Adel@Example.com", "mona.adel", "Mona Adel", "monaadel", "adelmona", "Adel Mona", "ＭＯＮＡ ADEL"],
)
def test_ones_own_name_and_address_are_refused(password: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        refuse_personal_password(
            password, email="mona.adel@example.com", first_name="Mona", last_name="Adel", pointer="/new_password"
        )

    assert (refused.value.faults[0].code, refused.value.faults[0].pointer) == ("personal_password", "/new_password")


def test_a_password_that_only_holds_ones_name_is_ones_own_business() -> None:
    refuse_personal_password("mona adel 1987!", email="m@example.com", first_name="Mona", last_name="Adel")


class TestOneHashForEveryClaim:
    """Accounts of one address share a salt (decision 0008)."""

    def counting(self, cost: int = 4) -> tuple[BcryptPasswords, list[int]]:
        runs: list[int] = []

        def counted(work: Callable[[], bytes]) -> bytes:
            runs.append(1)
            return work()

        return BcryptPasswords(cost, counted), runs

    def shared(self, *passwords: str) -> list[str]:
        first = PASSWORDS.hash(passwords[0])
        return [first, *(PASSWORDS.hash(password, like=[first]) for password in passwords[1:])]

    def test_it_is_compared_with_all_of_them(self) -> None:
        hashes = self.shared("one of many", "two of many", "three of many")
        passwords, runs = self.counting()

        assert [passwords.verify(f"{name} of many", hashes) for name in ("one", "two", "three", "four")] == [
            0,
            1,
            2,
            None,
        ]
        assert len(runs) == 4

    def test_equal_passwords_are_equal_hashes_and_the_first_is_meant(self) -> None:
        hashes = self.shared("two of many", GOOD, GOOD)

        assert hashes[1] == hashes[2]
        assert PASSWORDS.verify(GOOD, hashes) == 1
        assert PASSWORDS.same(PASSWORDS.hash(GOOD, like=hashes), hashes) == 1

    @pytest.mark.parametrize("hashes", [(), ("",), ("!", "$2b$04$short")])
    def test_where_there_is_no_hash_it_costs_as_much_and_opens_nothing(self, hashes: Sequence[str]) -> None:
        passwords, runs = self.counting()

        for password in (GOOD, "nobody", "", "\ud800\0"):
            assert passwords.verify(password, hashes) is None
        assert len(runs) == 4

    def test_each_salt_is_hashed_for_once(self) -> None:
        passwords, runs = self.counting()
        hashes = [*self.shared("two of many", "one of many"), PASSWORDS.hash(GOOD)]

        assert passwords.verify(GOOD, hashes) == 2
        assert len(runs) == 2

    def test_a_salt_of_another_cost_is_not_taken_over(self) -> None:
        old = BcryptPasswords(5).hash(GOOD)

        assert PASSWORDS.is_outdated(old)
        made = PASSWORDS.hash(GOOD, like=[old])
        assert made.startswith("$2b$04$")
        assert not PASSWORDS.is_outdated(made)

    def test_a_hash_for_what_the_rules_refuse_today_is_made_again(self) -> None:
        assert opens("password", PASSWORDS.rehash("password"))

    def test_the_hash_of_nobody_is_as_costly_as_a_real_one(self) -> None:
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
        assert not opens(text, PASSWORDS.hash(GOOD))
        return
    assert SHORTEST <= len(unicodedata.normalize("NFKC", text)) <= LONGEST
    assert opens(text, stored)
    assert len(stored) == 60
