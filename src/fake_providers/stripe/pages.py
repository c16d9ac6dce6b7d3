"""The payer's page in plain HTML, and the routes by which another process says what happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from flask import Flask, Response, redirect, request
from markupsafe import escape

from fake_providers.stripe.provider import THREE_DECIMALS, shown
from fake_providers.stripe.refusals import Json, Refusal

if TYPE_CHECKING:
    from fake_providers.stripe.server import StripeServer

WITHOUT_DECIMALS = frozenset({"jpy", "krw", "clp", "vnd"})
OUTCOMES = ("pay", "pay_later", "decline")


def add_pages(app: Flask, server: StripeServer) -> None:
    """The page at `/c/pay/<session>`, and everything under `/_control`."""

    @app.get("/c/pay/<session_id>")
    def page(session_id: str) -> Response:
        return _html(_page(server.provider.session(session_id), declined="declined" in request.args))

    @app.post("/c/pay/<session_id>")
    def press(session_id: str) -> Any:
        outcome = request.form.get("outcome", "")
        if outcome not in OUTCOMES:
            raise Refusal(f"outcome is one of {', '.join(OUTCOMES)}")
        if outcome == "decline":
            server.act("decline", {"session_id": session_id})
            return redirect(f"/c/pay/{session_id}?declined=1", 303)
        paid = server.act("pay", {"session_id": session_id, "delayed": outcome == "pay_later"})
        return redirect(paid["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id), 303)

    @app.get("/_control/<shelf>")
    def books(shelf: str) -> Response:
        """`calls`, `deliveries`, or all objects of a kind: `checkout.session`, `refund`, `event`…"""
        shelves = {"calls": server.books.calls, "deliveries": server.books.deliveries}
        found = shelves[shelf]() if shelf in shelves else [shown(one) for one in server.books.all(shelf)]
        return Response(orjson.dumps(found), content_type="application/json")

    @app.post("/_control/<act>")
    def control(act: str) -> Response:
        told: Json = request.get_json(force=True, silent=True) or {}
        try:
            done = server.act(act, told)
        except (KeyError, TypeError) as trouble:
            raise Refusal(f"{type(trouble).__name__}: {trouble}") from trouble
        result = shown(done) if isinstance(done, dict) else done
        return Response(orjson.dumps({"result": result}), content_type="application/json")


def _html(text: str) -> Response:
    return Response(text, content_type="text/html; charset=utf-8")


def _page(session: Json, *, declined: bool) -> str:
    """A page that works without scripts or styles."""
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Pay</title>"
        f"<h1>{escape(_amount(session))}</h1>"
        f"<p>Checkout is {escape(session['status'])}.</p>"
        + ("<p role=alert>Your card was declined.</p>" if declined else "")
        + (_buttons(session) if session["status"] == "open" else "")
        + "</html>"
    )


def _buttons(session: Json) -> str:
    back = session["cancel_url"]
    return (
        "<form method=post><button name=outcome value=pay>Pay</button> "
        "<button name=outcome value=pay_later>Pay by a delayed method</button> "
        "<button name=outcome value=decline>Decline</button></form>"
        + (f'<p><a href="{escape(back)}">Go back</a></p>' if back else "")
    )


def _amount(session: Json) -> str:
    code, number = session["currency"], session["amount_total"]
    decimals = 0 if code in WITHOUT_DECIMALS else 3 if code in THREE_DECIMALS else 2
    digits = str(number).zfill(decimals + 1)
    return (
        f"{code.upper()} {digits[: len(digits) - decimals]}{'.' if decimals else ''}{digits[len(digits) - decimals :]}"
    )
