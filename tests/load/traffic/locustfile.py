"""The mix for locust, in the environment of scripts/load.sh; tests/load/profiles.py says how many, and for how long.

Every request is written down as it ends: `LOAD_FOLDER/requests.csv`, one line each.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from known import SECONDS_BETWEEN, STAGES
from locust import LoadTestShape, events
from pacing import stage_at
from users import Browser, Buyer, SignIn, Staff, WalletUser, WebhookSender

__all__ = ["Browser", "Buyer", "SignIn", "Staff", "Stages", "WalletUser", "WebhookSender"]

_SPAWNED_A_SECOND = 100
_written = (Path(os.environ["LOAD_FOLDER"]) / "requests.csv").open("w", buffering=1 << 16)


class Stages(LoadTestShape):
    """As many users as send the rate that is planned."""

    def tick(self) -> tuple[int, float] | None:
        stage = stage_at(STAGES, self.get_run_time())
        return None if stage is None else (max(1, round(stage.rate * SECONDS_BETWEEN)), _SPAWNED_A_SECOND)


@events.request.add_listener
def write_down(name: str, response_time: float, start_time: float, response: Any, **_: Any) -> None:
    status = getattr(response, "status_code", 0) or 0
    _written.write(f"{start_time:.3f},{response_time:.1f},{status},{name}\n")


@events.quit.add_listener
def finish(**_: Any) -> None:
    _written.close()
