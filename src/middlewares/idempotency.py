"""`Idempotency-Key`: the same key and request get the same answer, and one effect.

Every unsafe view says `@idempotent` or `@not_idempotent(why)`, inside of who may call it; a test fails for one
that says neither.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable
from typing import Any, Final

from flask import Request, Response, make_response

from application.identity.ports import Viewer
from application.ports import Answer, Asker
from domain.shared.errors import InvalidValue, RuleBroken
from middlewares.at_hand import asked, dependencies, noted
from middlewares.auth_middleware import CONFIRMS, POLICY, claimed, let_in, standing_of
from middlewares.callers import caller_address, keyed_digest

View = Callable[..., Any]
HONOURED: Final = "__idempotency_key__"
"""What a view says of the key: "optional" or "required"."""

NOT_HONOURED: Final = "__no_idempotency_key__"
"""Why a view does not look at the key."""

WAITS: Final = "__waits_for_a_provider__"
"""A view that calls a provider: it may take seconds while it costs nothing here."""

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class IdempotencyKeyMissing(RuleBroken):
    """A request that moves money came without a key."""

    code = "idempotency_key_missing"


class PolicyInside(TypeError):
    """`@idempotent` stands outside of who may call the view: it would answer before it knows who asks."""


def idempotent(
    *, required: bool = False, calls_provider: bool = False, staged: bool = False, sealed: bool = False
) -> Callable[[View], View]:
    """Honour the key; `required` refuses a request without one, `sealed` keeps the answer encrypted.

    The view runs inside the transaction that remembers its answer, unless it `calls_provider` or is `staged`
    because it works long: then the claim comes first, and the use case finds by the key what an earlier run left.
    """

    def decorate(view: View) -> View:
        if hasattr(view, POLICY):
            raise PolicyInside(view.__qualname__)
        is_staged = calls_provider or staged

        @functools.wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Response:
            request = asked()
            key = request.environ.get("HTTP_IDEMPOTENCY_KEY")
            asking = claimed()
            if asking is not None and (key is None or not _KEY.fullmatch(key)):
                let_in(asking, standing_of(asking))
            if key is None:
                if required:
                    raise IdempotencyKeyMissing()
                return make_response(view(*args, **kwargs))
            if not _KEY.fullmatch(key):
                raise InvalidValue("1 to 255 visible ASCII characters", pointer="/Idempotency-Key", code="invalid_key")
            run = _Run(lambda: view(*args, **kwargs), sealed=sealed)
            idempotency = dependencies().idempotency
            named = (_scope(request, asking or noted().get("viewer")), key, _fingerprint(request, sealed=sealed))
            if is_staged:
                kept = idempotency.staged(*named, run)
            else:
                kept = idempotency.once(*named, run, asker=None if asking is None else _asker(asking))
            return run.response if run.response is not None and kept is run.answer else _replayed(kept)

        setattr(wrapper, HONOURED, "required" if required else "optional")
        if calls_provider:
            setattr(wrapper, WAITS, True)
        if not is_staged:
            setattr(wrapper, CONFIRMS, True)
        return wrapper

    return decorate


def not_idempotent(why: str) -> Callable[[View], View]:
    """The key is not looked at, for this reason."""

    def decorate(view: View) -> View:
        setattr(view, NOT_HONOURED, why)
        return view

    return decorate


class _Run:
    """A view's last answer, as it is remembered and as the view gave it.

    It counts where it is the one that was kept: a run that was undone may have found another's kept when it ran again.
    """

    def __init__(self, answer: View, *, sealed: bool) -> None:
        self._answer, self._sealed = answer, sealed
        self.answer: Answer | None = None
        self.response: Response | None = None

    def __call__(self) -> Answer:
        answered = self._answer()
        self.response = answered if isinstance(answered, Response) else make_response(answered)
        self.answer = self._kept(self.response)
        return self.answer

    def _kept(self, response: Response) -> Answer:
        # Once through them: werkzeug goes through all for each, and raises where there is none.
        said = {name.lower(): value for name, value in response.headers}
        return Answer(
            status_code=response.status_code,
            content_type=said.get("content-type", ""),
            location=said.get("location", ""),
            body=response.get_data(),
            etag=said.get("etag", ""),
            sealed=self._sealed,
        )


def _asker(viewer: Viewer) -> Asker:
    return Asker(viewer.user_id, viewer.session_id, functools.partial(let_in, viewer))


def _scope(request: Request, viewer: Viewer | None) -> str:
    """Who asks what of which resource: nobody's key meets another's."""
    actor = viewer.user_id if viewer is not None else f"anonymous {caller_address()}"
    return f"{actor} {request.method} {request.path}"


def _fingerprint(request: Request, *, sealed: bool) -> bytes:
    """What was asked. Keyed where it holds a secret: a plain digest of a password is quickly guessed."""
    asked = request.query_string + b"\n" + request.get_data(cache=True)
    return keyed_digest(asked.decode("latin-1")) if sealed else hashlib.sha256(asked).digest()


def _replayed(answer: Answer) -> Response:
    response = Response(answer.body, status=answer.status_code, content_type=answer.content_type)
    if answer.location:
        response.headers["Location"] = answer.location
    if answer.etag:
        response.headers["ETag"] = answer.etag
    response.headers["Idempotent-Replayed"] = "true"
    return response
