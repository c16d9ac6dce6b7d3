"""Load on what is shipped: `python -m tests.load [ramp] [mix] [overload] [soak] [--rate N] [--minutes N] [--fresh]`.

`scripts/load.sh` installs what sends it. Results are kept in `.altayar/load/results`, pictures in docs/load.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import orjson
from rich.console import Console

from tests.load import profiles
from tests.load.profiles import FOLDER, Found, draw, keep
from tests.load.seeding import Size
from tests.load.site import Site, running_site
from tests.load.spying import SETTINGS, make_extension

PROFILES = ("ramp", "mix", "overload", "soak")
_AS_SHIPPED: Any = {"settings": {}, "prepare": lambda server: None}
_console = Console(soft_wrap=True)


def main() -> int:
    """Run what is asked for, all by default. Answers 1 where something does not add up afterwards."""
    asked = _parser().parse_args()
    signal.signal(signal.SIGTERM, _leave)
    if asked.profiles == ["draw"]:
        draw()
        return 0
    broken: list[str] = []
    spied = {"settings": SETTINGS, "prepare": make_extension} if "hot" in asked.profiles else _AS_SHIPPED
    with running_site(Size(customers=asked.customers), say, fresh=asked.fresh, **spied) as site:
        for name in asked.profiles:
            say(name)
            found = _run(name, site, asked)
            path = keep(name, found)
            say(f"{name}: {_told(found)}; {path.relative_to(Path.cwd())}")
            broken += found["broken"]
    draw()
    return 1 if broken else 0


def _run(name: str, site: Site, asked: argparse.Namespace) -> Found:
    if name == "ramp":
        return profiles.ramp(site, first=asked.first, steps=asked.steps)
    rate = asked.rate or _known_capacity()
    if name == "mix":
        return profiles.mix(site, rate=rate * 0.65, minutes=asked.minutes or 2)
    if name == "hot":
        return profiles.hot(site, rate=rate * 0.65, seconds=60 * (asked.minutes or 1))
    if name == "overload":
        return profiles.overload(site, rate=rate, seconds=60 * (asked.minutes or 1))
    return profiles.soak(site, rate=rate, minutes=asked.minutes or 15)


def _known_capacity() -> float:
    """As the last ramp found it."""
    path = FOLDER / "results/ramp.json"
    found: Any = orjson.loads(path.read_bytes()) if path.exists() else {}
    if not found.get("capacity"):
        raise SystemExit("no capacity is known: run `ramp` first, or say --rate")
    return float(found["capacity"])


def _told(found: Found) -> str:
    said = [
        f"{key} {value}" for key, value in found.items() if key in ("capacity", "recovered_after", "broken", "statuses")
    ]
    for part in ("summary", "before", "during", "after"):
        said += [f"{part} {found[part]}"] if part in found else []
    return "; ".join(said)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description="Load on what is shipped.")
    known = f"{', '.join(PROFILES)}; all by default; hot for where time goes; draw for tables and pictures anew"
    parser.add_argument("profiles", nargs="*", default=list(PROFILES), help=known)
    parser.add_argument("--rate", type=float, help="capacity, requests a second; by default what the last ramp found")
    parser.add_argument("--minutes", type=float, help="of mix (2), of each part of the overload (1), of the soak (15)")
    parser.add_argument("--first", type=float, default=60.0, help="rate of the ramp's first step (60)")
    parser.add_argument("--steps", type=int, default=8, help="of the ramp, each a quarter above the one before (8)")
    parser.add_argument("--customers", type=int, default=10_000, help="with ten bookings each; where data is made")
    parser.add_argument("--fresh", action="store_true", help="make the data anew")
    return parser


def say(text: str) -> None:
    """A line of what happens now."""
    _console.print(f"{time.strftime('%H:%M:%S')} {text}", markup=False, highlight=False)


def _leave(number: int, _frame: FrameType | None) -> None:
    """SIGTERM ends the blocks, and with them every process that was started, as Ctrl-C does."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
