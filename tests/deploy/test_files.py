"""What is shipped for operators names what there is, and its units are as closed as they claim to be."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from application.subscriptions import QUEUES
from cli import main
from tests.deploy.conftest import ROOT

UNITS = ROOT / "deploy/systemd"
SERVICES = sorted(UNITS.glob("*.service"))
DRAIN_SECONDS = "30"
MOST_EXPOSED = 2.0
"""Of `systemd-analyze security`: 10 is a process without any bounds."""


def commands_of(file: Path) -> list[list[str]]:
    """The words behind `altayar` on every line that starts it, up to the first argument."""
    return [found.split() for found in re.findall(r"bin/altayar ([a-z ]+)", file.read_text("utf-8"))]


def test_units_start_commands_that_there_are() -> None:
    started = [words for file in SERVICES for words in commands_of(file)]
    assert len(started) == 7
    for words in started:
        command: Any = main
        while words and hasattr(command, "commands"):
            command = command.commands[words.pop(0)]


def test_there_is_a_worker_for_every_queue() -> None:
    wanted = re.findall(r"altayar-worker@(\w+)\.service", (UNITS / "altayar.target").read_text("utf-8"))
    assert sorted(wanted) == sorted(QUEUES)
    compose = yaml.safe_load((ROOT / "deploy/docker/compose.yml").read_text("utf-8"))["services"]
    workers = [
        service["command"][2] for service in compose.values() if service.get("command", [])[:2] == ["altayar", "worker"]
    ]
    assert sorted(workers) == sorted(QUEUES)


def test_what_works_on_has_time_to_finish_and_no_child_is_asked_to_stop_ahead_of_it() -> None:
    for file in SERVICES:
        unit = section(file, "Service")
        if unit.get("Type") != "oneshot":
            assert (unit["TimeoutStopSec"], unit["KillMode"]) == (DRAIN_SECONDS, "mixed"), file.name
    compose = yaml.safe_load((ROOT / "deploy/docker/compose.yml").read_text("utf-8"))["services"]
    ours = {name: service for name, service in compose.items() if service["image"] == "altayar"}
    assert sorted(ours) == ["documents", "migrate", "relay", "scheduler", "web", "worker"]
    for service in ours.values():
        assert service["stop_grace_period"] == f"{DRAIN_SECONDS}s"
        assert (service["cap_drop"], service["read_only"]) == (["ALL"], True)


def section(file: Path, name: str) -> dict[str, str]:
    """A unit's section; of names that occur more than once, the last."""
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(file)
    return dict(parser[name])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("file", SERVICES, ids=lambda file: file.stem)
def test_units_are_understood_and_closed(file: Path) -> None:
    read = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", str(file)], capture_output=True, text=True, check=False
    )
    complaints = [line for line in read.stderr.splitlines() if "is not executable" not in line]
    assert complaints == []

    looked_at = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", str(file)], capture_output=True, text=True, check=False
    )
    (exposure,) = re.findall(r"Overall exposure level .*: ([\d.]+)", looked_at.stdout)
    assert float(exposure) < MOST_EXPOSED
    assert section(file, "Service")["NoNewPrivileges"] == "yes"


def test_the_image_runs_as_nobody_in_particular_from_locked_packages() -> None:
    dockerfile = (ROOT / "deploy/docker/Dockerfile").read_text("utf-8")
    assert re.search(r"^USER [1-9]\d+$", dockerfile, re.MULTILINE)
    assert "bash scripts/setup.sh run" in dockerfile
    assert "pip install" not in dockerfile
    procfile = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text("utf-8").splitlines())
    (command,) = re.findall(r"^CMD (.+)$", dockerfile, re.MULTILINE)
    assert yaml.safe_load(command) == shlex.split(procfile["web"].replace("${PORT:-8000}", "8000"))


def test_both_upstreams_differ_in_the_address_alone() -> None:
    here, there = (ROOT / path for path in ("deploy/nginx/upstream.conf", "deploy/docker/upstream.conf"))
    said, said_there = (path.read_text("utf-8").splitlines()[1:] for path in (here, there))
    assert [line.replace("127.0.0.1:", "web:") for line in said] == said_there
