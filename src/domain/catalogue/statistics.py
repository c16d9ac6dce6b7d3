"""What is counted about the things that the catalogue sells."""

from __future__ import annotations

from enum import StrEnum


class ItemKind(StrEnum):
    """What is counted: the catalogue's kinds of things."""

    PACKAGE = "PACKAGE"
    ACTIVITY = "ACTIVITY"
