"""Views by method, as Flask has them."""

from __future__ import annotations

from typing import Any

import flask.views

from middlewares.at_hand import asked


class MethodView(flask.views.MethodView):
    """Flask's, which looks for the request's method through its proxies, four times for each request."""

    def dispatch_request(self, **arguments: Any) -> Any:
        method = asked().method.lower()
        return getattr(self, "get" if method == "head" else method)(**arguments)
