"""API v2 of the fake: invoices, by a vendor key (contract §3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Flask, Response

from fake_providers.fawaterk.answers import invoice_data, payment_data
from fake_providers.fawaterk.serving import check_vendor_key, served, told_order
from fake_providers.fawaterk.values import Json, Refusal

if TYPE_CHECKING:
    from fake_providers.fawaterk.server import FawaterkServer

LOGO = "https://app.fawaterk.com/logo.png"


def add_v2(app: Flask, server: FawaterkServer) -> None:
    def answered(path: str, effect: Callable[[], object]) -> Response:
        return served(server, path, effect, check=check_vendor_key)

    @app.get("/api/v2/getPaymentmethods")
    def v2_methods() -> Response:
        return answered("getPaymentmethods", lambda: _methods(server))

    @app.post("/api/v2/createInvoiceLink")
    def v2_link() -> Response:
        return answered("createInvoiceLink", lambda: _link(server))

    @app.post("/api/v2/invoiceInitPay")
    def v2_direct() -> Response:
        return answered("invoiceInitPay", lambda: _direct(server))

    @app.get("/api/v2/getInvoiceData/<invoice_id>")
    def v2_data(invoice_id: str) -> Response:
        return answered("getInvoiceData", lambda: _data(server, invoice_id))


def _methods(server: FawaterkServer) -> Json:
    listed = [dict(method, logo=LOGO) for method in server.methods]
    return {"status": "success", "vendorSettingsData": {"custome_iframe_title": None}, "data": listed}


def _link(server: FawaterkServer) -> Json:
    """Answers in camelCase, unlike the direct call (contract §3.2, §3.3)."""
    invoice = server.create(told_order(server), None)
    data = {
        "url": f"{server.address}/lk/{invoice['invoice_id']}",
        "invoiceKey": invoice["invoice_key"],
        "invoiceId": server.written_id(invoice["invoice_id"]),
    }
    return {"status": "success", "data": data}


def _direct(server: FawaterkServer) -> Json:
    order = told_order(server)
    invoice = server.create(order, method_of(server, order))
    data = {
        "invoice_id": server.written_id(invoice["invoice_id"]),
        "invoice_key": invoice["invoice_key"],
        "payment_data": payment_data(invoice, f"{server.address}/lk/{invoice['invoice_id']}"),
    }
    return {"status": "success", "data": data}


def method_of(server: FawaterkServer, order: Json) -> dict[str, object]:
    """The account's method that an order names by number. Raises Refusal."""
    for method in server.methods:
        if str(method["paymentId"]) == str(order.get("payment_method_id")):
            return method
    raise Refusal(422, "you are not allow to use this payment method")


def _data(server: FawaterkServer, invoice_id: str) -> Json:
    try:
        invoice = server.books.invoice(invoice_id)
    except KeyError:
        invoice = {"generation": ""}
    if invoice["generation"] != "v2":
        raise Refusal(422, "The selected invoice id is invalid.")
    data = invoice_data(invoice, as_text=server.writes_text(), huge_ids=server.huge_ids, newer_shape=server.newer_shape)
    return {"status": "success", "data": data}
