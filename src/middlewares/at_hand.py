"""The request at hand, from where Flask's proxies have it: looking through one costs as much as ten attributes.

What runs on every request takes them once; views, which say more than they look, may use Flask's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flask import Flask, Request
from flask.ctx import _AppCtxGlobals
from flask.globals import _cv_app, _cv_request
from werkzeug.datastructures import Headers

from application.dependencies import Dependencies

WEBHOOKS: Final = ("/api/v1/payments/webhooks/", "/api/payments/webhook/")
"""How the paths of providers' webhooks begin; the second is the customer's guide's."""


def asked() -> Request:
    """What is being asked."""
    return _cv_request.get().request


def noted() -> _AppCtxGlobals:
    """Flask's `g`: what was noted while this request ran."""
    return _cv_app.get().g


def application() -> Flask:
    """The application that answers."""
    return _cv_app.get().app


def add_ours(headers: Headers, named: Iterable[tuple[str, str]]) -> None:
    """Add headers that we make ourselves: werkzeug looks for line breaks in each, and an answer has eight of them."""
    headers._list.extend(named)


def dependencies() -> Dependencies:
    """The ports that the application was made with."""
    return application().extensions["altayar"]  # type: ignore[no-any-return]
