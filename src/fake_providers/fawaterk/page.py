"""The payer's page of the fake: plain HTML that works without scripts or styles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask, Response, redirect, request
from markupsafe import escape

from fake_providers.fawaterk.values import Json

if TYPE_CHECKING:
    from fake_providers.fawaterk.server import FawaterkServer


def add_page(app: Flask, server: FawaterkServer) -> None:
    @app.get("/lk/<reference>")
    def page(reference: str) -> Response:
        try:
            record = server.books.invoice(reference)
        except KeyError:
            return Response("no such invoice", 404, content_type="text/plain")
        return Response(_page(record), content_type="text/html; charset=utf-8")

    @app.post("/lk/<reference>")
    def submit(reference: str) -> Any:
        declined = request.form.get("outcome") == "declined"
        try:
            record = server.fail(reference) if declined else server.pay(reference)
        except KeyError:
            return Response("no such invoice", 404, content_type="text/plain")
        url = record["fail_url" if declined else "success_url"]
        if not url:
            return Response("done", content_type="text/plain")
        # Appended unsigned, as the real one does: it proves nothing (contract §5.5).
        return redirect(f"{url}{'&' if '?' in url else '?'}invoice_id={record['invoice_id']}", 303)


def _page(record: Json) -> str:
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width"><title>Pay</title>'
        "<h1>Fake Fawaterk: no real money</h1>"
        f"<p><strong>{escape(record['currency'])} {escape(record['total'])}</strong></p>"
        f"<p>Invoice {escape(record['invoice_id'])}: {escape(record['status_text'])}</p>"
        "<form method=post><button name=outcome value=paid>Pay</button> "
        "<button name=outcome value=declined>Decline</button></form></html>"
    )
