"""The request at hand, without Flask's proxies: looking through one costs as much as ten attributes.

What runs on every request takes them once; views, which say more than they look, may use Flask's own.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, Request, current_app, g, request
from flask.ctx import _AppCtxGlobals

from application.dependencies import Dependencies

WEBHOOKS: Final = ("/api/v1/payments/webhooks/", "/api/payments/webhook/")
"""How the paths of providers' webhooks begin; the second is the customer's guide's."""

_request: Any = request
_g: Any = g
_current_app: Any = current_app


def asked() -> Request:
    """What is being asked."""
    return _request._get_current_object()  # type: ignore[no-any-return]


def noted() -> _AppCtxGlobals:
    """Flask's `g`: what was noted while this request ran."""
    return _g._get_current_object()  # type: ignore[no-any-return]


def application() -> Flask:
    """The application that answers."""
    return _current_app._get_current_object()  # type: ignore[no-any-return]


def dependencies() -> Dependencies:
    """The ports that the application was made with."""
    return application().extensions["altayar"]  # type: ignore[no-any-return]
