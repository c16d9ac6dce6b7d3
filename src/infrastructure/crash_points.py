"""Crash points: places with a name where a process can be told to die at once, as by SIGKILL.

`CRASH_POINT` arms one of them for a whole process, outside production only (config/settings.py). Nothing in a use case
knows of them: they lie around the two things between which a use case can die, its commits and its calls to providers.

- `<use case>.before_commit`, `<use case>.after_commit`: the function of the application layer that commits, without a
  leading underscore: `intend`, `ask` (both of open_payment), `receive_webhook`, `settle_attempt`, …
- `<call>.before_call`, `<call>.after_answer`: `create_checkout`, `read`, `refund`, `transfer`, `read_transfer`. After
  the answer nothing of it is stored yet.

A process that is not armed has neither of these classes: there is nothing to pay for.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, Final, cast

from application.billing.ports import Gateways, PaymentGateway
from infrastructure.database.unit_of_work import SqlUnitOfWork

CALLS: Final = frozenset({"create_checkout", "read", "refund", "transfer", "read_transfer"})

_armed: str = ""


def arm(point: str) -> None:
    """Let this process die at the point; the empty name disarms it."""
    global _armed
    _armed = point


def crash_point(name: str) -> None:
    """Die here if the process is armed for this point: no `finally`, no rollback, no goodbye to anybody."""
    if _armed and name == _armed:
        os.kill(os.getpid(), signal.SIGKILL)


class CrashingUnitOfWork(SqlUnitOfWork):
    """A unit of work whose commits are crash points, named after the use case that commits."""

    def commit(self) -> None:
        use_case = _committing()
        crash_point(f"{use_case}.before_commit")
        super().commit()
        crash_point(f"{use_case}.after_commit")


def _committing() -> str:
    """The nearest function of the application layer among the callers; empty where there is none."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("application."):
            return frame.f_code.co_name.lstrip("_")
        frame = frame.f_back
    return ""


class CrashingGateways:
    """The enabled gateways, with a crash point before and after every call to a provider."""

    def __init__(self, gateways: Gateways) -> None:
        self._gateways = gateways

    def get(self, name: str) -> PaymentGateway:
        return cast(PaymentGateway, _CrashingGateway(self._gateways.get(name)))

    def names(self) -> tuple[str, ...]:
        return self._gateways.names()


class _CrashingGateway:
    """Everything is the gateway's own; what calls the provider passes two crash points."""

    def __init__(self, gateway: PaymentGateway) -> None:
        self._gateway = gateway

    def __getattr__(self, name: str) -> Any:
        own = getattr(self._gateway, name)
        return _between_points(name, own) if name in CALLS else own


def _between_points(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def calling(*args: Any, **kwargs: Any) -> Any:
        crash_point(f"{name}.before_call")
        answer = call(*args, **kwargs)
        crash_point(f"{name}.after_answer")
        return answer

    return calling
