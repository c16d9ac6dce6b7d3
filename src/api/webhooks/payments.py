"""Where payment providers call: the signature is checked, the event stored, the answer quick."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response

from api.answers import json_answer
from api.context import use
from application.billing.webhooks import ReceiveWebhook, Reception, receive_webhook
from middlewares.at_hand import asked
from middlewares.auth_middleware import public
from middlewares.idempotency import not_idempotent
from middlewares.request_context import told_by_its_row

blueprint = Blueprint("payment_webhooks", __name__)

LARGEST_BODY = 256 * 1024


@blueprint.post("/api/v1/payments/webhooks/<provider>")
@blueprint.post("/api/payments/webhook/<provider>", endpoint="receive_guide")
@public
@not_idempotent("providers name their events themselves, and each is stored once")
def receive(provider: str) -> Response:
    """A provider's event, JSON or form. Fawaterk sends JSON only to an address that ends in `_json`."""
    arrived, ports = asked(), use()
    arrived.max_content_length = LARGEST_BODY
    reception = receive_webhook(
        ReceiveWebhook(
            provider=provider.removesuffix("_json"),
            body=arrived.get_data(cache=False),
            headers=_headers(arrived.environ),
            address=arrived.remote_addr or "",
        ),
        uow=ports.new_uow(),
        gateways=ports.gateways,
        clock=ports.clock,
        new_id=ports.new_id,
    )
    told_by_its_row()
    return json_answer({"status": "duplicate" if reception is Reception.DUPLICATE else "accepted"})


def _headers(environ: Mapping[str, Any]) -> dict[str, str]:
    """The headers by their names, `Content-Type` and so on (PEP 3333); Werkzeug's own way takes ten times as long."""
    given = {name[5:]: value for name, value in environ.items() if name.startswith("HTTP_")}
    given["CONTENT_TYPE"] = environ.get("CONTENT_TYPE", "")
    return {name.replace("_", "-").title(): value for name, value in given.items()}
