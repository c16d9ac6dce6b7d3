"""People: names of any script, profiles that keep what was not given, accounts that close."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity.users import EmailVerified, UserRegistered, UserStatus, person_name
from domain.shared.errors import InvalidValue
from tests.builders import NOON, a_user


def test_a_new_account_is_active_unproved_and_a_customers() -> None:
    user = a_user()

    assert user.may_sign_in
    assert user.email_verified_at is None
    assert user.roles == ["CUSTOMER"]
    assert user.pull_events() == [UserRegistered(at=NOON, user_id=user.id)]


def test_an_address_is_proved_once() -> None:
    user = a_user()
    user.pull_events()

    user.verify_email(at=NOON)
    user.verify_email(at=NOON)

    assert user.email_verified_at == NOON
    assert user.pull_events() == [EmailVerified(at=NOON, user_id=user.id)]


@pytest.mark.parametrize("status", UserStatus)
def test_only_active_accounts_sign_in(status: UserStatus) -> None:
    user = a_user()
    user.status = status

    assert user.may_sign_in == (status is UserStatus.ACTIVE)


def test_who_left_does_not_sign_in() -> None:
    user = a_user()

    user.close(at=NOON)

    assert not user.may_sign_in
    assert user.deleted_at == NOON


def test_what_was_not_given_stays() -> None:
    user = a_user(locale="ar")

    user.change_profile(first_name="منى", last_name=None, phone="+201000000000", locale=None)
    user.change_profile(first_name=None, last_name=" Adel  Hassan ", phone=None, locale="en")

    assert (user.first_name, user.last_name, user.phone, user.locale) == ("منى", "Adel Hassan", "+201000000000", "en")


@pytest.mark.parametrize("name", ["", "   ", "\t", "x" * 101, "a\0b", "a\x1bb", "a\x7fb"])
def test_names_without_substance_or_with_control_characters_are_refused(name: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        person_name(name, "/first_name")

    assert refused.value.faults[0].pointer == "/first_name"


@given(st.text(max_size=110))
def test_any_text_is_a_clean_name_or_refused(text: str) -> None:
    try:
        name = person_name(text, "/first_name")
    except InvalidValue:
        return
    assert 1 <= len(name) <= 100
    assert name == " ".join(name.split())
    assert person_name(name, "/first_name") == name
    assert not any(unicodedata.category(char) == "Cc" for char in name)
