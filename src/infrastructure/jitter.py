"""Chance, where many would otherwise come back at the same moment."""

from __future__ import annotations

import random
from datetime import timedelta


def full_jitter(longest: timedelta) -> timedelta:
    """A span drawn evenly between nothing and the longest."""
    return longest * random.random()  # noqa: S311 - nobody gains by guessing it
