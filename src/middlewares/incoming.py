"""Requests as they come in: what each of them is asked for is looked up where WSGI has it (PEP 3333)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from flask import Request
from werkzeug.exceptions import ClientDisconnected
from werkzeug.sansio.utils import get_content_length

from middlewares.at_hand import application

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


@cache
def _blueprints_of(endpoint: str) -> list[str]:
    """Flask asks three times in each request, and splits the name anew."""
    names = endpoint.split(".")[:-1]
    return [".".join(names[:count]) for count in range(len(names), 0, -1)]


class Incoming(Request):
    """Flask's, without an exception for each header that is not there, and with bodies that are read at once."""

    content_length: int | None = None

    def __init__(self, environ: WSGIEnvironment, populate_request: bool = True, shallow: bool = False) -> None:
        super().__init__(environ, populate_request, shallow)
        self.content_length = get_content_length(environ.get("CONTENT_LENGTH"), environ.get("HTTP_TRANSFER_ENCODING"))

    @property
    def blueprints(self) -> list[str]:
        return [] if self.url_rule is None else _blueprints_of(self.url_rule.endpoint)

    @property
    def max_content_length(self) -> int | None:
        """The view's own bound, or the application's."""
        own = self._max_content_length
        return own if own is not None else application().config["MAX_CONTENT_LENGTH"]

    @max_content_length.setter
    def max_content_length(self, most: int | None) -> None:
        self._max_content_length = most

    def get_data(self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False) -> Any:
        """The body. Raises what werkzeug raises for one that is too long, or broke off.

        werkzeug reads through a stream of its own, which makes room for 64 KiB before it looks how much there is.
        """
        length, most = self.content_length, self.max_content_length
        was_begun = "stream" in self.__dict__ or "_cached_data" in self.__dict__
        is_plain = cache and not as_text and not parse_form_data and not was_begun
        if not is_plain or length is None or (most is not None and length > most):
            return super().get_data(cache, as_text, parse_form_data)  # type: ignore[call-overload]
        try:
            body: bytes = self.environ["wsgi.input"].read(length)
            # gunicorn hands over all of it; others may give what has come so far.
            while len(body) < length and (more := self.environ["wsgi.input"].read(length - len(body))):
                body += more
        except (OSError, ValueError) as error:
            raise ClientDisconnected() from error
        if len(body) < length:
            raise ClientDisconnected()
        self._cached_data = body
        return body
