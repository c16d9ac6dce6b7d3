"""What the audit log says of a change: only what differs, and nothing secret."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.operations.audit import (
    NO_SECRETS,
    SECRET_WORDS,
    SecretInChanges,
    changed,
    is_secret,
    refuse_secrets,
    without_secrets,
)

VALUES = st.none() | st.integers() | st.text(max_size=5)
STATES = st.dictionaries(st.sampled_from(["status", "name", "price", "seats"]), VALUES)


def test_only_what_differs_is_kept() -> None:
    changes = changed({"status": "DRAFT", "name": "Siwa"}, {"status": "PUBLISHED", "name": "Siwa"})

    assert changes == {"before": {"status": "DRAFT"}, "after": {"status": "PUBLISHED"}}


def test_what_was_not_there_before_differs_even_when_it_is_nothing() -> None:
    assert changed({}, {"slug": None}) == {"before": {}, "after": {"slug": None}}
    assert changed({"slug": None}, {}) == {"before": {"slug": None}, "after": {}}


@given(STATES, STATES)
def test_before_and_after_tell_the_whole_difference(before: dict[str, object], after: dict[str, object]) -> None:
    changes = changed(before, after)
    again = {name: value for name, value in before.items() if name not in changes["before"]} | changes["after"]

    assert again == after
    assert all(changes["before"].get(name, ...) != changes["after"].get(name, ...) for name in changes["after"])


@pytest.mark.parametrize(
    "name",
    ["password", "new_password", "refresh_token", "api_key", "recovery_codes", "password_hash", "Secret", "code"],
)
def test_a_secret_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(SecretInChanges):
        changed({}, {name: "x"})
    with pytest.raises(SecretInChanges):
        refuse_secrets({"after": {"items": [{name: "x"}]}})
    assert without_secrets({"after": {"items": [{name: "x"}]}}) == {"after": {"items": [{name: "[withheld]"}]}}


@pytest.mark.parametrize("name", [*sorted(NO_SECRETS), "status", "keyboard", "coded", "monkey", "hashtag"])
def test_other_names_are_no_secrets(name: str) -> None:
    assert changed({}, {name: "x"})["after"] == {name: "x"}


def test_every_exception_is_one_from_the_rule() -> None:
    assert all(not SECRET_WORDS.isdisjoint(name.split("_")) and not is_secret(name) for name in NO_SECRETS)


def test_card_numbers_are_struck_out_wherever_they_stand() -> None:
    assert without_secrets({"note": ["paid with 4111 1111 1111 1111"], "seats": 4}) == {
        "note": ["paid with [card number]"],
        "seats": 4,
    }
