"""Waiting beside gevent's loop: the database, and hashing, hold up nobody else and lose nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infrastructure.database.roles import DatabaseAddresses

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def seen(module_addresses: DatabaseAddresses, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one process under gevent saw, by scenario."""
    url = module_addresses.app.render_as_string(hide_password=False)
    said = subprocess.run(
        [sys.executable, "-m", "tests.integration.under_gevent", url, str(tmp_path_factory.mktemp("hashing"))],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert said.returncode == 0, said.stderr
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def test_a_slow_query_holds_up_nobody_else(seen: dict[str, Any]) -> None:
    assert seen["slow_query"] == {"order": ["quick", "slow"]}


def test_a_connection_that_the_server_ends_is_told_as_unavailable_and_replaced(seen: dict[str, Any]) -> None:
    lost = {"told": 1, "outcome": "database_unavailable", "then": [{"one": 1}]}

    assert seen["lost_backend"] == {"found": [lost, lost]}


def test_an_answer_that_nobody_waited_for_is_not_given_to_the_next(seen: dict[str, Any]) -> None:
    fresh = [{"answer": "fresh"}]

    assert seen["ended_greenlet"] == {"read": fresh, "written": fresh}


def test_a_long_pipeline_leaves_others_their_turns(seen: dict[str, Any]) -> None:
    assert seen["long_pipeline"]["turns"] >= 3


def test_hashes_at_once_are_no_more_than_cores_in_all_processes_together(seen: dict[str, Any]) -> None:
    found = seen["hashing"]

    assert (found["most_at_once"], found["answers"]) == (2, 12)
    assert found["turns"] > 100


def test_who_would_wait_too_long_is_sent_away_at_once_and_nobody_else(seen: dict[str, Any]) -> None:
    found = seen["overload"]

    assert found["refusals"] == ["sign_in_busy"]
    assert found["sent_away_at_once"] == 60 - found["served"]
    assert 10 <= found["served"] < 30
    assert found["after"] == "done"
