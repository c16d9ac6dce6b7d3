"""Quiet hours and choices: what is held back, until when, and what can be switched off."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.messaging.channels import KINDS, Channel, MessageKind
from domain.messaging.preferences import ChannelFixed, Preferences, QuietHours
from domain.shared.errors import InvalidValue

CAIRO = ZoneInfo("Africa/Cairo")
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
NIGHT = QuietHours(time(22), time(8))


@pytest.mark.parametrize(
    ("here", "over"),
    [
        (datetime(2026, 3, 1, 21, 59, tzinfo=CAIRO), None),
        (datetime(2026, 3, 1, 22, 0, tzinfo=CAIRO), datetime(2026, 3, 2, 8, 0, tzinfo=CAIRO)),
        (datetime(2026, 3, 1, 23, 30, tzinfo=CAIRO), datetime(2026, 3, 2, 8, 0, tzinfo=CAIRO)),
        (datetime(2026, 3, 2, 7, 59, tzinfo=CAIRO), datetime(2026, 3, 2, 8, 0, tzinfo=CAIRO)),
        (datetime(2026, 3, 2, 8, 0, tzinfo=CAIRO), None),
        # Egypt's clocks go forward at midnight of 24 April 2026, and back at the end of 29 October.
        (datetime(2026, 4, 23, 23, 0, tzinfo=CAIRO), datetime(2026, 4, 24, 8, 0, tzinfo=CAIRO)),
        (datetime(2026, 10, 29, 22, 30, tzinfo=CAIRO), datetime(2026, 10, 30, 8, 0, tzinfo=CAIRO)),
    ],
)
def test_a_night_in_cairo(here: datetime, over: datetime | None) -> None:
    assert NIGHT.over_at(here.astimezone(UTC), CAIRO) == over


def test_an_hour_of_one_day() -> None:
    siesta = QuietHours(time(13), time(15))
    at = datetime(2026, 3, 1, 14, 0, tzinfo=CAIRO)
    assert siesta.over_at(at, CAIRO) == datetime(2026, 3, 1, 15, 0, tzinfo=CAIRO)
    assert siesta.over_at(at - timedelta(hours=2), CAIRO) is None


times = st.times().map(lambda each: each.replace(second=0, microsecond=0))


@given(
    begins=times,
    ends=times,
    at=st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: FIRST + timedelta(minutes=minutes)),
    zone=st.sampled_from(["Africa/Cairo", "Asia/Riyadh", "Europe/London", "America/St_Johns"]),
)
def test_quiet_is_over_within_a_day_and_not_before(begins: time, ends: time, at: datetime, zone: str) -> None:
    if begins == ends:
        return
    over = QuietHours(begins, ends).over_at(at, ZoneInfo(zone))
    if over is not None:
        assert at <= over <= at + timedelta(hours=25)


def test_quiet_hours_that_never_end_or_never_begin_are_refused() -> None:
    with pytest.raises(InvalidValue):
        QuietHours(time(8), time(8))


def test_a_zone_that_there_is_none_is_refused() -> None:
    with pytest.raises(InvalidValue) as refused:
        Preferences(time_zone="Africa/Atlantis")
    assert refused.value.faults[0].pointer == "/time_zone"


@pytest.mark.parametrize("name", ["localtime", "Factory", "EET", "Etc/GMT+3", "Africa/Atlantis"])
def test_readers_live_in_places(name: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        Preferences().living_in(name)
    assert refused.value.faults[0].pointer == "/time_zone"
    assert [Preferences().living_in(zone).time_zone for zone in ("Asia/Dubai", "UTC")] == ["Asia/Dubai", "UTC"]


@pytest.mark.parametrize("kind", MessageKind)
def test_what_was_not_chosen_is_usual(kind: MessageKind) -> None:
    assert {channel for channel in Channel if Preferences().wants(kind, channel)} == KINDS[kind].usual


@pytest.mark.parametrize("kind", [kind for kind, ways in KINDS.items() if ways.fixed])
def test_mails_about_money_cannot_be_switched_off(kind: MessageKind) -> None:
    with pytest.raises(ChannelFixed) as refused:
        Preferences().choosing({kind: {Channel.EMAIL: False}})
    assert refused.value.faults[0].pointer == f"/kinds/{kind}/EMAIL"
    assert Preferences().choosing({kind: {Channel.PUSH: False}}).wants(kind, Channel.EMAIL)


def test_choices_are_kept_one_over_the_other() -> None:
    first = Preferences().choosing({MessageKind.POINTS_EARNED: {Channel.PUSH: False}})
    both = first.choosing({MessageKind.POINTS_EARNED: {Channel.EMAIL: True}})
    assert not both.wants(MessageKind.POINTS_EARNED, Channel.PUSH)
    assert both.wants(MessageKind.POINTS_EARNED, Channel.EMAIL)
    assert both.asks_for(MessageKind.POINTS_EARNED, Channel.EMAIL)
    assert not Preferences().asks_for(MessageKind.POINTS, Channel.EMAIL)


@pytest.mark.parametrize("kind", MessageKind)
def test_every_kind_has_its_ways(kind: MessageKind) -> None:
    assert KINDS[kind].fixed <= KINDS[kind].usual
