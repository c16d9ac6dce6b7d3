"""Ratings: what may be said, for how long it may be changed, and what staff may do about it."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from domain.catalogue.items import Item, ItemKind
from domain.catalogue.ratings import ItemRated, Rating, RatingClosed, RatingStatus, RatingWords
from domain.shared.errors import IllegalTransition, InvalidValue, OwnRequest
from tests.builders import NOON

STAFF, CUSTOMER = uuid4(), uuid4()


def a_rating() -> Rating:
    return Rating.give(
        rating_id=uuid4(),
        booking_id=uuid4(),
        user_id=CUSTOMER,
        item=Item(ItemKind.ACTIVITY, uuid4()),
        words=RatingWords(stars=4, comment="Good"),
        at=NOON,
    )


@pytest.mark.parametrize("stars", [0, 6, -1])
def test_there_are_one_to_five_stars(stars: int) -> None:
    with pytest.raises(InvalidValue):
        RatingWords(stars=stars)


def test_a_new_rating_is_read_by_everybody() -> None:
    rating = a_rating()
    assert rating.status is RatingStatus.VISIBLE
    assert rating.pull_events() == [
        ItemRated(at=NOON, rating_id=rating.id, package_id=None, activity_id=rating.item.id)
    ]


def test_it_may_be_changed_for_thirty_days() -> None:
    rating, better = a_rating(), RatingWords(stars=5)
    last = NOON + timedelta(days=30)
    rating.change(better, at=last)
    assert (rating.words, rating.updated_at, rating.created_at) == (better, last, NOON)
    with pytest.raises(RatingClosed):
        rating.change(RatingWords(stars=1), at=last + timedelta(microseconds=1))
    assert rating.words == better


def test_what_is_hidden_stays_hidden_when_it_is_changed() -> None:
    rating = a_rating()
    rating.hide(reason="abusive", by=STAFF, at=NOON)
    rating.change(RatingWords(stars=5), at=NOON)
    assert (rating.status, rating.hidden_reason) == (RatingStatus.HIDDEN, "abusive")
    rating.show(by=STAFF, at=NOON)
    assert (rating.status, rating.hidden_reason) == (RatingStatus.VISIBLE, None)


def test_each_is_hidden_and_shown_once_and_not_by_its_writer() -> None:
    rating = a_rating()
    with pytest.raises(IllegalTransition):
        rating.show(by=STAFF, at=NOON)
    with pytest.raises(OwnRequest):
        rating.hide(reason="no", by=CUSTOMER, at=NOON)
    rating.hide(reason="no", by=STAFF, at=NOON)
    with pytest.raises(IllegalTransition):
        rating.hide(reason="again", by=STAFF, at=NOON)
