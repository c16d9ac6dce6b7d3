"""Sessions: every refresh token is spent once, and one spent twice ends them all (S3)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identity.sessions import SESSION_LIFETIME, Session
from infrastructure.clock import new_id
from tests.builders import NOON


def a_session() -> Session:
    return Session.open(session_id=new_id(), user_id=new_id(), token_hash=b"0", user_agent="browser", at=NOON)


def test_a_token_is_exchanged_for_its_successor() -> None:
    session = a_session()

    assert session.rotate(presented=b"0", successor=b"1", at=NOON)
    assert session.rotate(presented=b"1", successor=b"2", at=NOON)
    assert [token.used_at is None for token in session.tokens] == [False, False, True]
    assert session.revoked_at is None


@pytest.mark.parametrize("after", [timedelta(), timedelta(microseconds=1), timedelta(seconds=10), timedelta(days=29)])
def test_a_token_spent_twice_ends_the_whole_session_however_soon(after: timedelta) -> None:
    session, later = a_session(), NOON + after
    session.rotate(presented=b"0", successor=b"1", at=NOON)

    assert not session.rotate(presented=b"0", successor=b"stolen", at=later)

    assert session.revoked_at == later
    assert session.revoked_reason == "refresh token used twice"
    assert not session.rotate(presented=b"1", successor=b"2", at=later)
    assert [token.token_hash for token in session.tokens] == [b"0", b"1"]


@pytest.mark.parametrize("presented", [b"0", b"1"], ids=["the first", "the second"])
def test_any_token_but_the_newest_ends_the_session(presented: bytes) -> None:
    session = a_session()
    session.rotate(presented=b"0", successor=b"1", at=NOON)
    session.rotate(presented=b"1", successor=b"2", at=NOON)

    assert not session.rotate(presented=presented, successor=b"9", at=NOON)

    assert session.revoked_at == NOON
    assert not session.rotate(presented=b"2", successor=b"3", at=NOON)


def test_what_an_earlier_release_withdrew_is_as_good_as_spent() -> None:
    session = a_session()
    session.tokens[0].withdrawn_at = NOON

    assert not session.rotate(presented=b"0", successor=b"1", at=NOON)
    assert session.revoked_at == NOON


def test_a_refresh_is_the_last_use() -> None:
    session, later = a_session(), NOON + timedelta(hours=2)

    session.rotate(presented=b"0", successor=b"1", at=later, address="192.0.2.7")

    assert (session.created_at, session.last_used_at, session.address) == (NOON, later, "192.0.2.7")


@pytest.mark.parametrize("late_by", [timedelta(), timedelta(days=1)])
def test_a_session_ends_after_its_lifetime(late_by: timedelta) -> None:
    session = a_session()

    assert not session.rotate(presented=b"0", successor=b"1", at=NOON + SESSION_LIFETIME + late_by)
    assert len(session.tokens) == 1


def test_a_session_is_good_to_its_last_moment() -> None:
    assert a_session().rotate(presented=b"0", successor=b"1", at=NOON + SESSION_LIFETIME - timedelta(microseconds=1))


def test_a_revoked_session_gives_nothing_and_keeps_its_first_reason() -> None:
    session = a_session()

    session.revoke(at=NOON, reason="signed out")
    session.revoke(at=NOON + timedelta(days=1), reason="account closed")

    assert not session.rotate(presented=b"0", successor=b"1", at=NOON)
    assert (session.revoked_at, session.revoked_reason) == (NOON, "signed out")


def test_long_names_of_browsers_are_cut() -> None:
    session = Session.open(session_id=new_id(), user_id=new_id(), token_hash=b"0", user_agent="x" * 999, at=NOON)

    assert len(session.user_agent) == 200


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 12)), max_size=10))
def test_whatever_is_presented_every_token_works_once_and_a_second_time_ends_it_all(
    presented: list[tuple[int, int]],
) -> None:
    session, at = a_session(), NOON
    worked: list[bytes] = []

    for number, seconds in presented:
        at += timedelta(seconds=seconds)
        known = [token.token_hash for token in session.tokens]
        token = known[number % len(known)]
        was_over = session.revoked_at is not None
        if session.rotate(presented=token, successor=b"%d" % len(known), at=at):
            assert not was_over
            assert token not in worked
            worked.append(token)
        else:
            assert session.revoked_at is not None
            assert was_over or token in worked

    assert [token.token_hash for token in session.tokens if token.is_live] == [session.tokens[-1].token_hash]
