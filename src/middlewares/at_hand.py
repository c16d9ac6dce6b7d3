"""The request at hand, without Flask's proxies: looking through one costs as much as ten attributes.

What runs on every request takes them once; views, which say more than they look, may use Flask's own.
"""

from __future__ import annotations

from typing import Any, cast

from flask import Flask, Request, current_app, g, request
from flask.ctx import _AppCtxGlobals

from application.dependencies import Dependencies


def asked() -> Request:
    """What is being asked."""
    return cast(Request, cast(Any, request)._get_current_object())


def noted() -> _AppCtxGlobals:
    """Flask's `g`: what was noted while this request ran."""
    return cast(_AppCtxGlobals, cast(Any, g)._get_current_object())


def application() -> Flask:
    """The application that answers."""
    return cast(Flask, cast(Any, current_app)._get_current_object())


def dependencies() -> Dependencies:
    """The ports that the application was made with."""
    return cast(Dependencies, application().extensions["altayar"])
