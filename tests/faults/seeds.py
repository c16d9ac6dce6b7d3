"""Chance that can be had again: a failure shows its seed, ALTAYAR_STORM_SEED runs it again."""

from __future__ import annotations

import os
import random


def seeded() -> random.Random:
    """Random numbers whose seed is printed, which is shown with a failure."""
    seed = int(os.environ.get("ALTAYAR_STORM_SEED") or random.randrange(2**32))
    print(f"ALTAYAR_STORM_SEED={seed}")  # noqa: T201
    return random.Random(seed)
