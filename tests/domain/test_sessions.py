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


def test_a_token_spent_twice_ends_the_whole_session() -> None:
    session = a_session()
    session.rotate(presented=b"0", successor=b"1", at=NOON)

    assert not session.rotate(presented=b"0", successor=b"stolen", at=NOON)

    assert session.revoked_at == NOON
    assert session.revoked_reason == "refresh token used twice"
    assert not session.rotate(presented=b"1", successor=b"2", at=NOON)
    assert [token.token_hash for token in session.tokens] == [b"0", b"1"]


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


@given(st.lists(st.integers(0, 6), max_size=10))
def test_whatever_is_presented_no_token_ever_works_twice(presented: list[int]) -> None:
    session, worked = a_session(), []

    for number in presented:
        known = [token.token_hash for token in session.tokens]
        token = known[number % len(known)]
        if session.rotate(presented=token, successor=b"%d" % len(known), at=NOON):
            assert not worked or session.revoked_at is None
            worked.append(token)

    assert len(set(worked)) == len(worked)
    unused = [token for token in session.tokens if token.used_at is None]
    assert [token.token_hash for token in unused] == [session.tokens[-1].token_hash]
