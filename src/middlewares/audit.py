"""Refusals on staff's routes, kept in the audit log: what staff tried and were not let do."""

from __future__ import annotations

import contextlib
from typing import cast
from uuid import UUID

import structlog
from flask import Flask, Response, current_app, g, request

from application.dependencies import Dependencies
from application.identity.ports import Viewer
from application.operations.audit import RecordRefusal, record_refusal
from domain.shared.errors import DomainError
from middlewares.at_hand import noted
from middlewares.auth_middleware import POLICY, SAFE

_log = structlog.get_logger("audit")


def register_audit(app: Flask) -> None:
    """Look at every refused request once its answer is made, when its own transaction is over."""
    app.after_request(_keep_refusal)


def _keep_refusal(response: Response) -> Response:
    here = noted()
    viewer: Viewer | None = here.get("viewer")
    if "refusal" not in here or viewer is None or request.method in SAFE:
        return response
    permission = _permission()
    # Whoever is neither staff nor has the permission is turned away unrecorded: anybody could fill the log.
    if permission is None or not (viewer.is_staff or viewer.may(permission)):
        return response
    _record(viewer, permission)
    return response


def _permission() -> str | None:
    """The permission that the called view asks for; None for other policies."""
    view = current_app.view_functions.get(request.endpoint or "")
    method = getattr(getattr(view, "view_class", None), request.method.lower(), view)
    policy: str = getattr(method, POLICY, "")
    return policy if "." in policy else None


def _resource_id() -> UUID | None:
    """The first id in the address, where there is one."""
    for value in (request.view_args or {}).values():
        with contextlib.suppress(ValueError):
            return UUID(str(value))
    return None


def _record(viewer: Viewer, permission: str) -> None:
    use = cast(Dependencies, current_app.extensions["altayar"])
    refusal = RecordRefusal(
        actor_id=viewer.user_id,
        permission=permission,
        method=request.method,
        route=request.url_rule.rule if request.url_rule else "",
        resource_id=_resource_id(),
        reason=g.refusal,
    )
    try:
        record_refusal(refusal, uow=use.new_uow(), clock=use.clock)
    except DomainError as error:
        # The refusal stands, and is told as it is; only its record is missing.
        _log.error("refusal_unrecorded", permission=permission, reason=g.refusal, because=error.code)
