"""Structured logs: one JSON object a line in production, readable lines in a terminal; no personal data."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict

from application.origin import current_origin
from config.settings import Settings
from infrastructure.redaction import redact


class _Lines:
    """Writes lines where libraries' lines go, each with one call: no two of them mix."""

    def __init__(self, *_names: str) -> None:
        self._root = logging.getLogger()

    def msg(self, line: str) -> None:
        for handler in self._root.handlers:
            if isinstance(handler, logging.StreamHandler):
                # As its own lines are: a full disk or a closed terminal fails no request.
                with contextlib.suppress(OSError):
                    handler.stream.write(f"{line}\n")
                    handler.stream.flush()

    debug = info = warning = error = critical = exception = msg


def _stamped(logger: structlog.typing.WrappedLogger, method: str, event: EventDict) -> EventDict:
    """A structlog processor: when it was said, how loud, by which request, job or command, and what went wrong."""
    request_id = current_origin().request_id
    if request_id:
        event.setdefault("request_id", request_id)
    event["level"] = method
    event["timestamp"] = f"{datetime.now(UTC).isoformat()[:-6]}Z"
    return structlog.processors.format_exc_info(logger, method, event) if "exc_info" in event else event


def _as_json(event: Any, **options: Any) -> str:
    """The standard library writes what orjson refuses: half a surrogate pair, a number without end."""
    try:
        return orjson.dumps(event, default=options["default"]).decode()
    except TypeError:
        return json.dumps(event, **options)


def configure_logging(settings: Settings) -> None:
    """Send every log line of the process through one chain, with the id of the request or job that says it.

    Last in the chain, whatever a library or an exception's text brought along is struck out (redaction.py).
    """
    shared: list[structlog.typing.Processor] = [_stamped]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(serializer=_as_json)
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    # Our own lines go straight to the stream: a record of the standard library's costs more than all else of a line.
    structlog.configure(
        processors=[*shared, redact, renderer],
        logger_factory=_Lines,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for noisy in ("rq", "rq_scheduler", "alembic", "weasyprint", "fontTools"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
