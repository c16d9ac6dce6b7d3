"""E-mail addresses: one spelling for what people type alike, nothing that could be two addresses or a header."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.shared.email import Email
from domain.shared.errors import InvalidValue


@pytest.mark.parametrize(
    "address",
    ["mona@example.com", "mona.adel+trips@mail.example.co.uk", "o'neil@example.com", "منى@مثال.مصر", "m@b.co",
     f"{'m' * 64}@example.com", "1@2.com", "x@sub-domain.example"],
)  # fmt: skip
def test_addresses_of_people_are_taken(address: str) -> None:
    assert str(Email(address)) == address


def test_spelling_is_folded() -> None:
    written = [" Mona@Example.COM ", "mona@example.com", "ＭＯＮＡ@example.com"]  # the last in full-width letters

    assert {Email(each) for each in written} == {Email("mona@example.com")}


@pytest.mark.parametrize(
    "address",
    ["", "mona", "mona@", "@example.com", "mona@example", "mona@@example.com", "mona@a@example.com",
     "mona@example.com, omar@example.com", "mona@example.com\nBcc: all@example.com", "mo na@example.com",
     '"mona"@example.com', "mona@[127.0.0.1]", "mona@-example.com", "mona@example-.com", "mona@.example.com",
     "mona@example..com", "mona..adel@example.com", "mona@example.c", "<mona@example.com>",
     f"{'m' * 65}@example.com", f"mona@{'a' * 64}.com", "mona@" + "a." * 100 + "com", "mona\0@example.com",
     "mona\u202e@example.com", "mo\u200bna@example.com", "mona\ud800@example.com", "mona\x7f@example.com"],
)  # fmt: skip
def test_other_texts_are_refused(address: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        Email(address)

    assert refused.value.faults[0].pointer == "/email"


@given(st.text(max_size=60) | st.text(alphabet="aB.@-+_ \n,<>\"'", max_size=30))
def test_folding_twice_changes_nothing(text: str) -> None:
    try:
        email = Email(text)
    except InvalidValue:
        return
    assert Email(email.address) == email
    assert email.address.count("@") == 1
    assert not any(char.isspace() or char in ',<>"' for char in email.address)
