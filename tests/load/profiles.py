"""Ramp, mix, overload and soak: what is sent for how long, and what is asked of the answers."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import psutil

from infrastructure.database.roles import connect
from infrastructure.embedded.processes import die_with_parent
from tests.benchmarks.servers import ROOT
from tests.deploy.proxy import NAME
from tests.e2e.invariants import broken
from tests.load.results import (
    Request,
    between,
    by_route,
    capacity,
    over_time,
    read_requests,
    seconds_to_recover,
    slope,
    summary,
)
from tests.load.sampling import Samples, sampled
from tests.load.site import FOLDER, Site
from tests.load.spying import PROGRAMS, spied_on, stacks, statements
from tests.load.tables import page
from tests.load.world import told

ENVIRONMENT: Final = FOLDER / "environment"
MOST_P95_MS: Final = 1_000.0
"""Above it the site is not up to the load: what is slower is an alarm (docs/operations.md)."""
WARM_UP: Final = 15.0
SECONDS_A_STEP: Final = 20.0
OVERLOAD: Final = 5.0
"""Times capacity."""
_NICENESS_OF_SENDERS: Final = -10

Stages = list[tuple[float, float]]
"""(seconds, requests a second) each."""
Found = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """What a load left."""

    requests: list[Request]
    samples: Samples
    began: float
    stages: Stages

    @property
    def seconds(self) -> float:
        return sum(seconds for seconds, _ in self.stages)

    def of_stage(self, number: int) -> list[Request]:
        start = self.began + sum(seconds for seconds, _ in self.stages[:number])
        return between(self.requests, start, start + self.stages[number][0])


# ── the profiles ───────────────────────────────────────────────────────────────────────────────────────────


def ramp(site: Site, *, first: float, steps: int, factor: float = 1.25) -> Found:
    """Each step a quarter above the one before; capacity is the last that was answered in time."""
    rates = [round(first * factor**number, 1) for number in range(steps)]
    run = _send(site, [(WARM_UP, first), *((SECONDS_A_STEP, rate) for rate in rates)])
    table = [{"rate": rate, **summary(run.of_stage(number + 1), SECONDS_A_STEP)} for number, rate in enumerate(rates)]
    return {**_kept(site, run), "steps": table, "capacity": capacity(table, most_p95_ms=MOST_P95_MS)}


def mix(site: Site, *, rate: float, minutes: float) -> Found:
    """The real mix at a rate that the site is up to."""
    run = _send(site, [(WARM_UP, rate), (minutes * 60, rate)])
    measured = run.of_stage(1)
    return {
        **_kept(site, run),
        "rate": rate,
        "summary": summary(measured, minutes * 60),
        "routes": by_route(measured, minutes * 60),
    }


def overload(site: Site, *, rate: float, seconds: float) -> Found:
    """Half of capacity, then five times capacity, then half of it again."""
    quiet, storm = rate * 0.5, rate * OVERLOAD
    stages = [(WARM_UP, quiet), (seconds, quiet), (seconds, storm), (90.0, quiet)]
    run = _send(site, stages)
    ends = WARM_UP + 2 * seconds
    return {
        **_kept(site, run),
        "rate": rate,
        "before": summary(run.of_stage(1), seconds),
        # The first seconds are those in which users come.
        "during": summary(run.of_stage(2), seconds),
        "after": summary(run.of_stage(3), 90.0),
        "statuses": _statuses(run.of_stage(2)),
        "recovered_after": seconds_to_recover(_slices(run), after=ends, most_p95_ms=MOST_P95_MS),
    }


def soak(site: Site, *, rate: float, minutes: float) -> Found:
    """Half of capacity for long: what grows with time shows."""
    run = _send(site, [(60.0, rate * 0.5), (minutes * 60, rate * 0.5)])
    measured = run.of_stage(1)
    return {
        **_kept(site, run),
        "rate": rate * 0.5,
        "summary": summary(measured, minutes * 60),
        "routes": by_route(measured, minutes * 60),
        "growth": _growth(run, skip=120.0),
    }


def hot(site: Site, *, rate: float, seconds: float) -> Found:
    """The mix, and where the processor time of all programs goes meanwhile; being looked at costs some itself."""
    folder, whole = FOLDER / "stacks", seconds + WARM_UP
    with spied_on(site, ENVIRONMENT / "bin/py-spy", folder, int(whole)):
        run = _send(site, [(WARM_UP, rate), (seconds, rate)])
    # Ahead of the statements that look whether everything adds up.
    asked = statements(site)
    return {
        **_kept(site, run),
        "rate": rate,
        "summary": summary(run.of_stage(1), seconds),
        "statements": asked,
        "stacks": {name: stacks(folder / f"{name}.txt") for name in PROGRAMS},
    }


# ── sending ────────────────────────────────────────────────────────────────────────────────────────────────


def _send(site: Site, stages: Stages) -> Run:
    with told(site, FOLDER / "told"), _senders(site, stages) as senders, sampled(site, {"senders": senders}) as samples:
        began = time.time()
        status = senders.wait(sum(seconds for seconds, _ in stages) + 120)
    if status != 0:
        raise RuntimeError(f"locust ended with {status}: {(FOLDER / 'logs/locust.log').read_text()[-2000:]}")
    with (FOLDER / "told/requests.csv").open(encoding="utf-8") as written:
        requests = read_requests(written)
    return Run(requests, samples, min((one.at for one in requests), default=began), stages)


@contextmanager
def _senders(site: Site, stages: Stages) -> Iterator[psutil.Popen]:
    """Locust in a process of its own, kept to the last core: so much of the machine it takes and no more."""
    command = [
        str(ENVIRONMENT / "bin/python"), "-m", "locust", "-f", str(ROOT / "tests/load/traffic/locustfile.py"),
        "--headless", "--only-summary", "--host", f"https://{NAME}:{site.proxy.port}", "--exit-code-on-error", "0",
    ]  # fmt: skip
    environment = {
        **os.environ,
        "LOAD_FOLDER": str(FOLDER / "told"),
        "LOAD_CERTIFICATE": str(site.proxy.certificate),
        "LOAD_STAGES": orjson.dumps(stages).decode(),
    }
    with (FOLDER / "logs/locust.log").open("wb") as log:
        process = psutil.Popen(
            command, cwd=FOLDER, env=environment, stdout=log, stderr=log, preexec_fn=die_with_parent(signal.SIGTERM)
        )
    process.cpu_affinity([max(psutil.Process().cpu_affinity())])
    # A sender that waits for its core measures itself. Who may not ask for this has an idle machine to measure on.
    with suppress(psutil.AccessDenied):
        process.nice(_NICENESS_OF_SENDERS)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


# ── looking ────────────────────────────────────────────────────────────────────────────────────────────────

_CONFIRMED_AFTER: Final = """
SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM h.changed_at - g.charged_at)),
       count(*)
FROM sandbox_charges g JOIN payment_attempts a ON a.provider_reference = g.checkout_id::text AND a.provider = 'SANDBOX'
JOIN payments p ON p.id = a.payment_id
JOIN booking_status_history h ON h.booking_id = p.booking_id AND h.to_status = 'CONFIRMED'
WHERE g.charged_at BETWEEN to_timestamp(%s) AND to_timestamp(%s)
"""


def _kept(site: Site, run: Run) -> Found:
    """What every profile keeps: the course of time, what processes took, and whether everything still adds up."""
    worked_off = _worked_off(site)
    with connect(site.addresses.owner) as owner:
        percentiles, confirmed = owner.execute(_CONFIRMED_AFTER, (run.began, run.began + run.seconds)).fetchone() or (
            (),
            0,
        )
    webhooks = [one for one in run.requests if one.name == "POST webhook"]
    return {
        "stages": run.stages,
        "whole": summary(run.requests, run.seconds),
        "slices": _slices(run),
        "samples": {**asdict(run.samples), "at": [round(at - run.began, 1) for at in run.samples.at]},
        "webhooks": summary(webhooks, run.seconds),
        "confirmed": {"bookings": confirmed, "seconds": percentiles},
        "worked_off": worked_off,
        "broken": broken(site.addresses),
        "load_average": [min(run.samples.load), max(run.samples.load)],
    }


def _slices(run: Run) -> list[Found]:
    return over_time(run.requests, run.began, run.seconds, 5.0 if run.seconds < 600 else 15.0)


def _statuses(requests: Sequence[Request]) -> Mapping[str, int]:
    counted: dict[str, int] = {}
    for one in requests:
        counted[str(one.status)] = counted.get(str(one.status), 0) + 1
    return counted


def _growth(run: Run, *, skip: float) -> Found:
    """MiB and connections an hour, by the straight line through the samples after the first minutes."""
    at = [one - run.began for one in run.samples.at]
    kept = [number for number, one in enumerate(at) if one >= skip]

    def of(values: Sequence[float]) -> Found:
        chosen = [values[number] for number in kept]
        return {
            "first": chosen[0] if chosen else 0,
            "last": chosen[-1] if chosen else 0,
            "an_hour": round(slope([at[number] for number in kept], chosen) * 3600, 1),
        }

    memory = {name: of(values) for name, values in run.samples.memory_mib.items()}
    return {"memory_mib": memory, "connections": of(run.samples.connections)}


def _worked_off(site: Site) -> Found:
    """Invariants are those of a system that was left in peace; what is still to do after five minutes is told."""
    waiting = """SELECT (SELECT count(*) FROM outbox_events WHERE published_at IS NULL AND dead_at IS NULL)
        + (SELECT count(*) FROM processed_events WHERE processed_at IS NULL AND dead_at IS NULL)
        + (SELECT count(*) FROM payment_webhook_logs WHERE status IN ('RECEIVED', 'PROCESSING'))"""
    began = time.monotonic()
    while True:
        with connect(site.addresses.owner) as owner:
            row: Any = owner.execute(waiting.encode()).fetchone()
        took = time.monotonic() - began
        if not row[0] or took > 300:
            return {"seconds": round(took, 1), "left": row[0]}
        time.sleep(1)


def keep(name: str, found: Found) -> Path:
    """Where later runs and the plots find it."""
    path = FOLDER / "results" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS))
    return path


def draw() -> None:
    """The tables and pictures of what is kept, in docs/load."""
    kept = {path.stem: orjson.loads(path.read_bytes()) for path in (FOLDER / "results").glob("*.json")}
    table = ROOT / "docs/load/results.md"
    table.write_text(page(kept, table.read_text("utf-8")), "utf-8")
    subprocess.run(
        [ENVIRONMENT / "bin/python", ROOT / "tests/load/plots.py", FOLDER / "results", ROOT / "docs/load"], check=True
    )
