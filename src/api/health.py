"""Is it alive, can it serve, how does it do: for whoever runs it."""

from __future__ import annotations

import os

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from api.answers import json_answer
from api.context import use
from middlewares.auth_middleware import public

blueprint = Blueprint("health", __name__)


@blueprint.get("/health/live")
@public
def live() -> Response:
    """The process answers; nothing else is asked."""
    return json_answer({"status": "alive"})


@blueprint.get("/health/ready")
@public
def ready() -> Response:
    """The database is there and migrated. Redis is told, but reads survive without it (guarantee A1)."""
    report = use().readiness()
    return json_answer(
        {"status": "ready" if report.is_ready else "not_ready", "checks": report.checks},
        200 if report.is_ready else 503,
    )


@blueprint.get("/metrics")
@public
def metrics() -> Response:
    """Prometheus metrics, of every web process together."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
