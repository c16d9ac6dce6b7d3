"""What tests ask of the machine: a free port, and what a process says of itself."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TypeVar

import psutil

Found = TypeVar("Found")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def told(question: Callable[[], Found], otherwise: Found) -> Found:
    """What a process says of itself, or `otherwise` where it has just ended: sessions of PostgreSQL come and go."""
    try:
        return question()
    except psutil.Error:
        return otherwise
