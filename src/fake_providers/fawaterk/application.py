"""The fake's web application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, Response, request

from fake_providers.fawaterk.api_v2 import add_v2
from fake_providers.fawaterk.api_v3 import add_v3
from fake_providers.fawaterk.control import add_control
from fake_providers.fawaterk.page import add_page
from fake_providers.fawaterk.serving import json_response
from fake_providers.fawaterk.values import Refusal

if TYPE_CHECKING:
    from fake_providers.fawaterk.server import FawaterkServer


def application(server: FawaterkServer) -> Flask:
    """Both versions, the payer's page and the control of one server."""
    app = Flask("fake_fawaterk")
    for add in (add_v2, add_v3, add_page, add_control):
        add(app, server)

    @app.get("/elsewhere")
    def elsewhere() -> Response:
        """Where the fault `redirect` points; a client that follows would take this for success."""
        server.books.count("elsewhere")
        return json_response({"status": "success", "data": {"url": server.address, "invoiceKey": "k", "invoiceId": 1}})

    @app.errorhandler(404)
    def no_such_route(_: Exception) -> Response:
        # Without Fawaterk's envelope: what its framework answers for an address that it does not have.
        return json_response({"message": f"The route {request.path} could not be found."}, 404)

    @app.errorhandler(Refusal)
    def refused(refusal: Refusal) -> Response:
        return json_response({"status": "error", "message": refusal.message}, refusal.status)

    return app
