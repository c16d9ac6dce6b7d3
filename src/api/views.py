"""Views by method, as Flask has them, without what it looks up anew for each request."""

from __future__ import annotations

import functools
from typing import Any

import flask.views

from middlewares.at_hand import asked


class MethodView(flask.views.MethodView):
    """Flask's; a request goes straight to its method instead of through the proxies of the request and the app."""

    @classmethod
    def as_view(cls, name: str, *class_args: Any, **class_kwargs: Any) -> Any:
        flasks = super().as_view(name, *class_args, **class_kwargs)
        by_method = {method: getattr(cls, method.lower()) for method in cls.methods or ()}
        if "GET" in by_method:
            by_method.setdefault("HEAD", by_method["GET"])

        @functools.wraps(flasks)
        def view(**arguments: Any) -> Any:
            return by_method[asked().method](cls(*class_args, **class_kwargs), **arguments)

        return view
