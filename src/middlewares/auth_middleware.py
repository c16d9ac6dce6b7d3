"""Who may call a view: every view declares it with one of these, and a test fails for one that does not."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final, overload

from flask import Request

from application.identity.api_keys import PREFIX, holder_of
from application.identity.ports import Viewer
from application.origin import note_actor
from application.queries import Row
from domain.identity.api_keys import KeyNotAccepted, ScopeMissing
from domain.identity.roles import ADMINS, Surface, WrongSurface, roles_on
from domain.operations.settings import SECOND_FACTOR_REQUIRED
from domain.shared.errors import NotAllowed
from middlewares.at_hand import asked, dependencies, noted
from security.permissions import CATALOGUE

View = Callable[..., Any]
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
NOTHING: Final = frozenset[str]()
POLICY: Final = "__access_policy__"
SCOPE: Final = "__access_scope__"
STAFF_ONLY: Final = "/api/v1/admin/"
"""Routes below this answer nobody but staff, signed in as staff."""
CONFIRMS: Final = "__confirms_who_asks__"
"""A view that asks the database itself whether a token still holds, together with its first question (`let_in`)."""
KEY_HEADER: Final = "X-API-Key"
_AUTHORIZATION, _KEY = "HTTP_AUTHORIZATION", "HTTP_X_API_KEY"
"""The headers as WSGI names them (PEP 3333): one look into its dictionary instead of three functions."""
_CREDENTIALS: Final = frozenset({_AUTHORIZATION, _KEY})


class Unauthorized(NotAllowed):
    """There is no access token where one is needed."""

    code = "unauthorized"


class SecondFactorNeeded(NotAllowed):
    """Whoever moves money, or decides what others may do, has to have proved a second factor in this session."""

    code = "second_factor_needed"


def public(view: View) -> View:
    """Anybody may call this."""
    return _declare(view, "public")


@overload
def optional_token(view: View) -> View: ...
@overload
def optional_token(*, scope: str) -> Callable[[View], View]: ...
def optional_token(view: View | None = None, *, scope: str | None = None) -> View | Callable[[View], View]:
    """Anybody may call this; a token or key, where there is one, has to be valid."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            here = noted()
            here.viewer = None
            if not asked().environ.keys().isdisjoint(_CREDENTIALS):
                here.viewer = viewer = _viewer()
                _refuse_other_keys(viewer, scope)
            return view(*args, **kwargs)

        return _declare(wrapper, "optional", scope)

    return decorate if view is None else decorate(view)


@overload
def token_required(view: View) -> View: ...
@overload
def token_required(*, scope: str) -> Callable[[View], View]: ...
def token_required(view: View | None = None, *, scope: str | None = None) -> View | Callable[[View], View]:
    """Anybody who is signed in may call this; views and queries narrow it to their own rows.

    API keys only where a `scope` (security/permissions.py) is named, and only those that were made for it.
    """

    def decorate(view: View) -> View:
        confirms = hasattr(view, CONFIRMS)

        @functools.wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            viewer = _viewer(confirms=confirms)
            _refuse_other_keys(viewer, scope)
            here = noted()
            if "claimed" not in here:
                here.viewer = viewer
            return view(*args, **kwargs)

        return _declare(wrapper, "token", scope)

    return decorate if view is None else decorate(view)


def permission_required(permission: str) -> Callable[[View], View]:
    """Only holders of a permission (security/permissions.py) may call this, and keys that were made for it.

    Where it moves money, reading too asks the database whether the token still holds (S2).
    """
    guarded = CATALOGUE[permission]
    trusting = NOTHING if guarded.moves_money else SAFE

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            noted().viewer = viewer = _viewer(trusting=trusting)
            _refuse_other_keys(viewer, permission if guarded.is_for_keys else None)
            if not allowed(viewer, permission):
                raise NotAllowed()
            return view(*args, **kwargs)

        return _declare(wrapper, permission, permission if guarded.is_for_keys else None)

    return decorate


def allowed(viewer: Viewer, permission: str) -> bool:
    """Whether somebody has a permission. Raises SecondFactorNeeded where they have it without the factor."""
    if not viewer.may(permission):
        return False
    if CATALOGUE[permission].needs_factor:
        _ask_for_second_factor(viewer)
    return True


def _ask_for_second_factor(viewer: Viewer) -> None:
    """Refuse staff who have not proved one in this session, where the company's setting asks for it."""
    if viewer.is_staff and not viewer.second_factor and dependencies().system_settings.value(SECOND_FACTOR_REQUIRED):
        raise SecondFactorNeeded()


def admin_required(view: View) -> View:
    """Only administrators, signed in as staff, may call this."""

    @functools.wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        noted().viewer = viewer = _viewer()
        _refuse_other_keys(viewer, None)
        if viewer.surface is not Surface.STAFF:
            raise WrongSurface()
        if viewer.roles.isdisjoint(ADMINS):
            raise NotAllowed()
        return view(*args, **kwargs)

    return _declare(wrapper, "admin")


def claimed() -> Viewer | None:
    """Who asks, by a token that nobody has confirmed yet; None where that is settled."""
    viewer: Viewer | None = noted().get("claimed")
    return viewer


def let_in(viewer: Viewer, standing: Row | None) -> None:
    """Settle who asks by what the database says of them now. Raises Unauthorized."""
    here = noted()
    here.viewer = _confirmed(viewer, standing)
    here.pop("claimed", None)


def standing_of(viewer: Viewer) -> Row | None:
    """What the database says of somebody's session now."""
    return dependencies().queries.identity.standing(viewer.user_id, viewer.session_id)


def _viewer(*, confirms: bool = False, trusting: frozenset[str] = SAFE) -> Viewer:
    """Who is asking, and that they ask where they may; `claimed` where the view `confirms` that its token holds.

    Methods that are `trusting` take what a token says, for as long as it lives.
    """
    request = asked()
    credential = _credential(request)
    if credential.startswith(PREFIX):
        viewer = _key_holder(credential)
    else:
        viewer = _token_holder(credential, request, confirms, trusting)
    # From here on that is known wherever the request's work goes, for what is refused, too.
    note_actor(viewer.user_id)
    if request.path.startswith(STAFF_ONLY) and viewer.surface is not Surface.STAFF:
        raise WrongSurface()
    return viewer


def _credential(request: Request) -> str:
    """The bearer token, or the API key in either place."""
    authorization = request.environ.get(_AUTHORIZATION)
    if authorization is None:
        key: str = request.environ.get(_KEY, "").strip()
        if not key.startswith(PREFIX):
            raise Unauthorized()
        return key
    scheme, _, rest = str(authorization).partition(" ")
    token = rest.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized()
    return token


def _token_holder(token: str, request: Request, confirms: bool, trusting: frozenset[str]) -> Viewer:
    """Who a token was issued to. What is not `trusting` asks the database whether that still holds."""
    use = dependencies()
    viewer = use.tokens.read(token, at=use.clock.now())
    if request.method in trusting:
        return viewer
    if confirms:
        noted().claimed = viewer
        return viewer
    return _confirmed(viewer, standing_of(viewer))


def _confirmed(viewer: Viewer, standing: Row | None) -> Viewer:
    if standing is None or roles_on(viewer.surface, standing["roles"]) != viewer.roles:
        raise Unauthorized()
    return viewer.permitted(frozenset(standing["permissions"]))


def _key_holder(key: str) -> Viewer:
    """Whom a key speaks for; the database is asked every time."""
    use = dependencies()
    address = asked().remote_addr or ""
    return holder_of(key, address=address, queries=use.queries.access, uow=use.new_uow(), clock=use.clock)


def _refuse_other_keys(viewer: Viewer, scope: str | None) -> None:
    """People pass; a key only where keys are accepted, with the scope that is asked for."""
    if viewer.scopes is None:
        return
    if scope is None:
        raise KeyNotAccepted()
    if scope not in viewer.scopes:
        raise ScopeMissing(scope)


def _declare(view: View, policy: str, scope: str | None = None) -> View:
    setattr(view, POLICY, policy)
    setattr(view, SCOPE, scope)
    return view
