"""Where payment providers call: the signature is checked, the event stored, the answer quick."""

from __future__ import annotations

from flask import Blueprint, Response, request

from api.answers import json_answer
from api.context import use
from application.billing.webhooks import ReceiveWebhook, Reception, receive_webhook
from middlewares.auth_middleware import public
from middlewares.idempotency import not_idempotent

blueprint = Blueprint("payment_webhooks", __name__)

LARGEST_BODY = 256 * 1024


@blueprint.post("/api/v1/payments/webhooks/<provider>")
@blueprint.post("/api/payments/webhook/<provider>", endpoint="receive_guide")
@public
@not_idempotent("providers name their events themselves, and each is stored once")
def receive(provider: str) -> Response:
    """A provider's event, JSON or form. Fawaterk sends JSON only to an address that ends in `_json`."""
    request.max_content_length = LARGEST_BODY
    reception = receive_webhook(
        ReceiveWebhook(
            provider=provider.removesuffix("_json"),
            body=request.get_data(cache=False),
            headers=dict(request.headers),
            address=request.remote_addr or "",
        ),
        uow=use().new_uow(),
        gateways=use().gateways,
        clock=use().clock,
        new_id=use().new_id,
    )
    return json_answer({"status": "duplicate" if reception is Reception.DUPLICATE else "accepted"})
