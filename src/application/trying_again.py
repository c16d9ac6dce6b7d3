"""Units of work that the database broke off: nothing of them happened, so they are run again (guarantee A3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from domain.shared.errors import Busy

ATTEMPTS: Final = 3

Answer = TypeVar("Answer")


class TryAgain(Busy):
    """A deadlock or serialization failure: nothing happened, and the same unit may be run again.

    Told as busy where nobody ran it again.
    """


def tried_again(unit: Callable[[], Answer]) -> Answer:
    """What a whole unit of work answers, run up to ATTEMPTS times. Raises the last TryAgain."""
    for _ in range(ATTEMPTS - 1):
        try:
            return unit()
        except TryAgain:
            continue
    return unit()
