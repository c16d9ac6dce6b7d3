"""How one person wants to be told: which ways by kind, and when it is quiet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from domain.messaging.channels import KINDS, Channel, MessageKind
from domain.shared.clock import BUSINESS_ZONE, is_place, is_zone
from domain.shared.errors import InvalidValue

Choices = Mapping[MessageKind, Mapping[Channel, bool]]

HOME_ZONE: Final = BUSINESS_ZONE.key
_UNIVERSAL: Final = frozenset({"UTC", "Etc/UTC"})
"""What devices say that are set to no place."""


class ChannelFixed(InvalidValue):
    """Messages about money always go out by mail."""

    code = "channel_fixed"

    def __init__(self, kind: MessageKind, channel: Channel) -> None:
        super().__init__("this cannot be switched off", pointer=f"/kinds/{kind}/{channel}", code=self.code)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one time of day to another, on the reader's clocks; over midnight where it ends before it begins.

    Raises InvalidValue where both are the same: nobody can say whether that is a day or nothing.
    """

    begins: time
    ends: time

    def __post_init__(self) -> None:
        if self.begins == self.ends:
            raise InvalidValue("quiet hours end at another time than they begin", pointer="/quiet_hours/ends")

    def over_at(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """When the quiet that this instant lies in is over; None where it is not quiet."""
        here = at.astimezone(zone)
        if not self._is_quiet(here.time()):
            return None
        day = here.date() if here.time() < self.ends else here.date() + timedelta(days=1)
        return max(datetime.combine(day, self.ends, zone).astimezone(UTC), at)

    def _is_quiet(self, clock: time) -> bool:
        if self.begins < self.ends:
            return self.begins <= clock < self.ends
        return clock >= self.begins or clock < self.ends


@dataclass(frozen=True, slots=True)
class Preferences:
    """What somebody chose; where nothing was chosen, the kind's usual ways and no quiet hours.

    Raises InvalidValue for a zone that there is none, ChannelFixed for what cannot be switched off.
    """

    choices: Choices = field(default_factory=dict)
    quiet: QuietHours | None = None
    time_zone: str = HOME_ZONE

    def __post_init__(self) -> None:
        if not is_zone(self.time_zone):
            raise _no_zone()
        for kind, chosen in self.choices.items():
            for channel, wanted in chosen.items():
                if channel in KINDS[kind].fixed and not wanted:
                    raise ChannelFixed(kind, channel)

    def wants(self, kind: MessageKind, channel: Channel) -> bool:
        """Whether messages of this kind go out this way."""
        ways = KINDS[kind]
        return channel in ways.fixed or self.choices.get(kind, {}).get(channel, channel in ways.usual)

    def asks_for(self, kind: MessageKind, channel: Channel) -> bool:
        """Whether that was chosen, and is not only usual."""
        return self.choices.get(kind, {}).get(channel, False)

    def choosing(self, choices: Choices) -> Preferences:
        """With these choices over the ones before."""
        merged = {kind: {**self.choices.get(kind, {}), **choices.get(kind, {})} for kind in MessageKind}
        return replace(self, choices={kind: chosen for kind, chosen in merged.items() if chosen})

    def living_in(self, time_zone: str) -> Preferences:
        """With the clocks of a place. Raises InvalidValue."""
        if not (is_place(time_zone) or time_zone in _UNIVERSAL):
            raise _no_zone()
        return replace(self, time_zone=time_zone)

    def quiet_until(self, at: datetime) -> datetime | None:
        """When the reader may be disturbed again; None where that is now."""
        return self.quiet.over_at(at, ZoneInfo(self.time_zone)) if self.quiet else None


def _no_zone() -> InvalidValue:
    return InvalidValue("there is no such time zone", pointer="/time_zone", code="unknown_time_zone")
