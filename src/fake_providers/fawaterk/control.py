"""What a test or a demonstration in another process says to the fake, as JSON under /_control."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Flask, Response, request

from fake_providers.fawaterk.serving import json_response
from fake_providers.fawaterk.values import Json, Refusal

if TYPE_CHECKING:
    from fake_providers.fawaterk.server import FawaterkServer


def add_control(app: Flask, server: FawaterkServer) -> None:
    """The counterparts of the server's own methods: `POST /_control/pay {"invoice_id": "…"}` and so on."""
    told: dict[str, Callable[[], object]] = {
        "books": lambda: server.books.all(),
        "refunds": lambda: server.books.refunds(),
        "calls": lambda: server.books.calls(),
        "webhooks": lambda: server.books.webhooks(),
    }
    acts: dict[str, Callable[..., object]] = {
        "pay": lambda **it: server.pay(**it),
        "pay_code": lambda **it: server.pay_code(**it),
        "fail": lambda **it: server.fail(**it),
        "expire": lambda **it: server.expire(**it),
        "forget": lambda **it: server.forget(**it),
        "revoke_tokens": lambda **it: server.revoke_tokens(**it),
        "refund_on_dashboard": lambda **it: server.refund_on_dashboard(**it),
        "approve_refund": lambda **it: server.approve_refund(**it),
        "refuse_refund": lambda **it: server.refuse_refund(**it),
        "script": lambda **it: server.script(**it),
        "script_webhooks": lambda **it: server.script_webhooks(**it),
        "release_webhooks": lambda **it: server.release_webhooks(**it),
        "send_webhook": lambda **it: server.send_webhook(**it),
        "settings": lambda **it: _change_settings(server, **it),
    }

    @app.get("/_control/<what>")
    def tell(what: str) -> Response:
        if what not in told:
            raise Refusal(404, f"there is no {what}; there are {', '.join(told)}")
        return json_response(told[what]())

    @app.post("/_control/<act>")
    def control(act: str) -> Response:
        words: Json = request.get_json(force=True, silent=True) or {}
        if act not in acts:
            raise Refusal(404, f"there is no {act}; there are {', '.join(acts)}")
        try:
            return json_response({"result": acts[act](**words)})
        except (TypeError, KeyError) as trouble:
            raise Refusal(400, f"{type(trouble).__name__}: {trouble}") from trouble


def _change_settings(server: FawaterkServer, *, automatic_webhooks: bool) -> None:
    server.automatic_webhooks = automatic_webhooks
