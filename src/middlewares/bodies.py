"""Bodies of requests, read at once where their length is known."""

from __future__ import annotations

from typing import Any

from flask import Request
from werkzeug.exceptions import ClientDisconnected


class BodyAtOnce(Request):
    """werkzeug reads through a stream of its own, which makes room for 64 KiB before it looks how much there is."""

    def get_data(self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False) -> Any:
        """The body. Raises what werkzeug raises for one that is too long, or broke off."""
        length = self.content_length
        was_begun = "stream" in self.__dict__ or "_cached_data" in self.__dict__
        if was_begun or length is None or not cache or as_text or parse_form_data or length > self._most:
            return super().get_data(cache, as_text, parse_form_data)  # type: ignore[call-overload]
        try:
            body = self.environ["wsgi.input"].read(length)
        except (OSError, ValueError) as error:
            raise ClientDisconnected() from error
        if len(body) < length:
            raise ClientDisconnected()
        self._cached_data = body
        return body

    @property
    def _most(self) -> float:
        most = self.max_content_length
        return float("inf") if most is None else most
