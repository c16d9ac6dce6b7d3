"""Who may call a view: every view declares it with one of these, and a test fails for one that does not."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from flask import current_app, g, request

from application.dependencies import Dependencies
from application.identity.ports import Viewer
from application.origin import note_actor
from domain.shared.errors import NotAllowed

View = Callable[..., Any]
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY: Final = "__access_policy__"


class Unauthorized(NotAllowed):
    """There is no access token where one is needed."""

    code = "unauthorized"


def public(view: View) -> View:
    """Anybody may call this."""
    return _declare(view, "public")


def optional_token(view: View) -> View:
    """Anybody may call this; a token, where there is one, has to be valid."""

    @functools.wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        g.viewer = _viewer() if "Authorization" in request.headers else None
        return view(*args, **kwargs)

    return _declare(wrapper, "optional")


def token_required(view: View) -> View:
    """Anybody who is signed in may call this; views and queries narrow it to their own rows."""

    @functools.wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        g.viewer = _viewer()
        return view(*args, **kwargs)

    return _declare(wrapper, "token")


def permission_required(permission: str) -> Callable[[View], View]:
    """Only holders of a permission (security/permissions.py) may call this."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            g.viewer = viewer = _viewer()
            if not viewer.may(permission):
                raise NotAllowed()
            return view(*args, **kwargs)

        return _declare(wrapper, permission)

    return decorate


def _viewer() -> Viewer:
    """Who is asking; from here on that is known wherever the request's work goes."""
    viewer = _bearer()
    note_actor(viewer.user_id)
    return viewer


def _bearer() -> Viewer:
    """Who the bearer token was issued to. What changes anything asks the database whether that still holds."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized()
    use: Dependencies = current_app.extensions["altayar"]
    viewer = use.tokens.read(token.strip(), at=use.clock.now())
    if request.method in SAFE:
        return viewer
    standing = use.queries.identity.standing(viewer.user_id, viewer.session_id)
    if standing is None or frozenset(standing["roles"]) != viewer.roles:
        raise Unauthorized()
    return viewer


def _declare(view: View, policy: str) -> View:
    setattr(view, POLICY, policy)
    return view
