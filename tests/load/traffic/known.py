"""What the runner tells users: tokens, trips, words; read anew when it was written anew."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from pacing import Stage, seconds_between

_LOOKED_AT_EVERY_SECONDS = 1.0


class Told:
    """A JSON file as it is now."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._looked_at = 0.0
        self._written_at = 0.0
        self._content: Any = None

    def now(self) -> Any:
        if time.monotonic() - self._looked_at > _LOOKED_AT_EVERY_SECONDS:
            self._looked_at = time.monotonic()
            written_at = self._path.stat().st_mtime
            if written_at != self._written_at:
                self._content, self._written_at = json.loads(self._path.read_bytes()), written_at
        return self._content


STAGES = [Stage(*stage) for stage in json.loads(os.environ["LOAD_STAGES"])]
SECONDS_BETWEEN = seconds_between(STAGES)
"""On average, between two requests of one user; so users are rate times this."""

_FOLDER = Path(os.environ["LOAD_FOLDER"])
WORLD = Told(_FOLDER / "world.json")
PAID = Told(_FOLDER / "paid.json")
