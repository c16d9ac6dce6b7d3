"""How often passwords and codes may be guessed."""

from __future__ import annotations

from datetime import datetime

from domain.shared.errors import RuleBroken


class TooManyAttempts(RuleBroken):
    """There was too much guessing or asking here; `retry_after` is how many seconds to wait."""

    code = "too_many_attempts"

    def __init__(self, *, until: datetime, at: datetime) -> None:
        super().__init__(retry_after=max(1, int((until - at).total_seconds()) + 1))
