"""Refusals in Stripe's own shape."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


class Refusal(Exception):
    """An error answer; `saved` where the idempotency key remembers it, as of everything that began to run."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        saved: bool = True,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.saved = saved
        told = {"type": kind, "code": code, "message": message, "param": param}
        self.body: Json = {"error": {name: value for name, value in told.items() if value is not None}}


def malformed(message: str, param: str, code: str) -> Refusal:
    """A parameter that is wrong in itself: nothing began to run, and the key is free."""
    return Refusal(message, code=code, param=param, saved=False)


def missing(kind: str, object_id: str) -> Refusal:
    return Refusal(f"No such {kind}: '{object_id}'", status=404, code="resource_missing", param="id")
