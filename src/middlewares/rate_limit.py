"""Rate limits on signing in and up, counted in Redis by address; in this process while Redis is away."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

AUTH_PER_MINUTE = 30


def register_rate_limits(app: Flask, *, redis_url: str, scale: float) -> None:
    """Limit every route of the auth blueprint; `scale` multiplies the limit."""
    limit = max(1, int(AUTH_PER_MINUTE * scale))
    limiter = Limiter(
        get_remote_address,
        app=app,
        # `limits` wants the family named before a socket's address.
        storage_uri=f"redis+{redis_url}" if redis_url.startswith("unix:") else redis_url,
        strategy="sliding-window-counter",
        headers_enabled=True,
        # Not silently open while Redis is away: each process counts for itself.
        in_memory_fallback_enabled=True,
        storage_options={"socket_connect_timeout": 1, "socket_timeout": 1},
        key_prefix="altayar",
    )
    limiter.limit(f"{limit} per minute", per_method=False)(cast(Blueprint, app.blueprints["auth"]))
