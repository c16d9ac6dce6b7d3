"""What `make bench` and `make peers` share: arguments, one fresh system, printed tables, figures kept as JSON."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import orjson
from rich.console import Console

from infrastructure.database.roles import connect
from tests.benchmarks.harness import Findings, show
from tests.benchmarks.servers import ROOT, System, fresh_system


class Benchmark(Protocol):
    def __call__(self, system: System, *, seconds: int, rounds: int) -> Findings: ...


def run(benchmarks: Mapping[str, Benchmark], arguments: Sequence[str], *, name: str, purpose: str) -> int:
    """Run those that are asked for, all by default.

    Answers 0; 1 where `--gate` is asked for and one is missed. A benchmark that cannot run raises.
    """
    asked = _parser(benchmarks, name, purpose).parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 160)
    _stop_properly_when_terminated()
    began, load_before = datetime.now(UTC), os.getloadavg()[0]
    with fresh_system() as system:
        findings = []
        for benchmark in asked.benchmarks:
            console.print(f"{benchmark} …", style="dim")
            findings.append(benchmarks[benchmark](system, seconds=asked.seconds, rounds=asked.rounds))
        machine = {**_machine(system), "load_before": load_before, "load_after": os.getloadavg()[0]}
    show(findings, console)
    path = _keep(began, machine, vars(asked), findings)
    console.print(f"load average {load_before:.1f} before; written to {path.relative_to(ROOT)}")
    missed = [one for found in findings for one in found.comparisons if not one.passes]
    return 1 if asked.gate and missed else 0


def _parser(benchmarks: Mapping[str, Benchmark], name: str, purpose: str) -> argparse.ArgumentParser:
    def known(text: str) -> str:
        if text not in benchmarks:
            raise argparse.ArgumentTypeError(f"one of {', '.join(benchmarks)}")
        return text

    parser = argparse.ArgumentParser(prog=name, description=purpose)
    parser.add_argument(
        "benchmarks", nargs="*", type=known, default=list(benchmarks), help=f"{', '.join(benchmarks)}; all by default"
    )
    parser.add_argument("--seconds", type=_whole, default=3, help="each measurement takes (default 3)")
    parser.add_argument("--rounds", type=_whole, default=5, help="in which ours and the floor take turns (default 5)")
    parser.add_argument("--gate", action="store_true", help="exit with 1 when a gate is not met")
    return parser


def _whole(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _stop_properly_when_terminated() -> None:
    """SIGTERM ends the blocks, and with them every process that was started, as Ctrl-C does."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, leave)


def _machine(system: System) -> dict[str, Any]:
    with connect(system.addresses.owner) as connection:
        row = connection.execute("SELECT current_setting('server_version'), current_setting('fsync')").fetchone()
    postgres, fsync = row or ("", "")
    return {
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "postgresql": postgres,
        "fsync": fsync,
        "revision": _revision(),
    }


def _revision() -> str:
    """The commit that was measured, with a + where files differ from it; empty outside a repository."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--abbrev=12"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return said.stdout.strip()


def _keep(began: datetime, machine: dict[str, Any], asked: dict[str, Any], findings: Sequence[Findings]) -> Path:
    """Write the figures where later runs can be compared with them."""
    path = ROOT / ".altayar" / "benchmarks" / f"{began:%Y%m%dT%H%M%SZ}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "began": began,
        "machine": machine,
        "asked": asked,
        "comparisons": [one.as_json() for found in findings for one in found.comparisons],
        "figures": [one.as_json() for found in findings for one in found.figures],
    }
    path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    return path
