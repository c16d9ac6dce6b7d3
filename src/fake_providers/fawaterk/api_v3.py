"""API v3 of the fake: transactions and refunds, by a token of client credentials (contract §4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Flask, Response, request

from fake_providers.fawaterk.answers import flat_fawry, payment_data, transaction_data, transaction_summary
from fake_providers.fawaterk.api_v2 import LOGO, method_of
from fake_providers.fawaterk.refunds import listed
from fake_providers.fawaterk.serving import check_token, served, told_order
from fake_providers.fawaterk.values import Json, Refusal

if TYPE_CHECKING:
    from fake_providers.fawaterk.server import FawaterkServer

PAGE_LASTS_SECONDS = 7200
LARGEST_PAGE = 100


def add_v3(app: Flask, server: FawaterkServer) -> None:
    def answered(path: str, effect: Callable[[], object]) -> Response:
        return served(server, path, effect, check=check_token)

    @app.post("/oauth/token")
    def token() -> Response:
        return served(server, "oauth/token", lambda: _token(server), check=lambda _: None)

    @app.get("/api/v3/getTrPaymentmethods")
    def v3_methods() -> Response:
        return answered("getTrPaymentmethods", lambda: _methods(server))

    @app.post("/api/v3/createTransaction")
    def v3_create() -> Response:
        return answered("createTransaction", lambda: _create(server))

    @app.post("/api/v3/getTransactionData")
    def v3_data() -> Response:
        return answered("getTransactionData", lambda: _data(server))

    @app.get("/api/v3/getTransactionsData")
    def v3_list() -> Response:
        return answered("getTransactionsData", lambda: _list(server))

    _add_refunds(app, server, answered)


def _add_refunds(app: Flask, server: FawaterkServer, answered: Callable[[str, Callable[[], object]], Response]) -> None:
    @app.post("/api/v3/refund/create")
    def refund_create() -> Response:
        def effect() -> Json:
            server.refunds.create(told_order(server))
            return {"status": "success", "message": "Refunded successfully"}

        return answered("refund/create", effect)

    @app.post("/api/v3/refund/index")
    def refund_index() -> Response:
        return answered("refund/index", lambda: server.refunds.page(_number_in(request.args.get("page"), 1)))

    @app.get("/api/v3/refund/details/<int:number>")
    def refund_details(number: int) -> Response:
        return answered("refund/details", lambda: _details(server, number))

    @app.post("/api/v3/refund/delete")
    def refund_delete() -> Response:
        def effect() -> Json:
            try:
                server.refunds.delete(_number_in(str(told_order(server, kept=False).get("refund_id")), 0))
            except KeyError:
                raise Refusal(422, {"refund_id": ["The selected refund id is invalid."]}) from None
            return {"status": "success", "message": "Deleted successfully"}

        return answered("refund/delete", effect)


def _token(server: FawaterkServer) -> Json:
    told = request.form if request.form else told_order(server, kept=False)
    if (told.get("client_id"), told.get("client_secret")) != (server.client_id, server.client_secret):
        raise Refusal(401, "Client authentication failed.")
    if told.get("grant_type") != "client_credentials":
        raise Refusal(400, "The authorization grant type is not supported.")
    return {"token_type": "Bearer", "expires_in": server.token_seconds, "access_token": server.books.new_token()}


def _methods(server: FawaterkServer) -> Json:
    """The number under either of its names, by turns."""
    name = "paymentId" if server.writes_text() else "payment_method_id"
    rows = []
    for method in server.methods:
        told = {key: value for key, value in method.items() if key != "paymentId"}
        rows.append({name: method["paymentId"], "logo": LOGO, "commission_on_customer": 2, **told})
    return {"status": "success", "data": rows}


def _create(server: FawaterkServer) -> Json:
    order = told_order(server)
    method = method_of(server, order) if order.get("payment_method_id") is not None else None
    record = server.create(order, method, "v3")
    page = f"{server.address}/lk/{record['invoice_key']}"
    if method is None:
        data = {"intent_key": record["invoice_key"], "url": page, "expires_in": PAGE_LASTS_SECONDS}
    elif method["name_en"] == "Fawry" and server.writes_text():
        return flat_fawry(record)
    else:
        data = {"intent_key": record["invoice_key"], "payment_data": payment_data(record, page)}
    return {"status": "success", "data": data}


def _data(server: FawaterkServer) -> Json:
    """Sentences by field for a malformed question; one sentence for what is not found, or over."""
    key = told_order(server, kept=False).get("intent_key")
    if not isinstance(key, str) or not key:
        raise Refusal(422, {"intent_key": ["The intent key field is required."]})
    try:
        record = server.books.invoice(key)
    except KeyError:
        record = {"generation": ""}
    if record["generation"] != "v3" or record.get("is_forgotten"):
        raise Refusal(422, "Transaction intent not found or expired.")
    return {"status": "success", "data": transaction_data(record, as_text=server.writes_text())}


def _list(server: FawaterkServer) -> Json:
    """Real transactions by the day on which they were opened, without their history."""
    since, until = request.args.get("start_date", ""), request.args.get("end_date", "")
    page, size = _number_in(request.args.get("page"), 1), _number_in(request.args.get("per_page"), 15)
    size = min(size, LARGEST_PAGE)
    found = [
        it
        for it in reversed(server.books.all())
        if it["generation"] == "v3" and it["is_real"] and since <= it["created_at"][:10] <= until
    ]
    first, as_text = (page - 1) * size, server.writes_text()
    data = {
        "current_page": page,
        "data": [transaction_summary(it, as_text=as_text) for it in found[first : first + size]],
        "last_page": max(1, -(-len(found) // size)),
        "per_page": size,
        "total": len(found),
    }
    return {"status": "success", "data": data}


def _details(server: FawaterkServer, number: int) -> Json:
    try:
        return {"status": "success", "data": listed(server.refunds.found(number))}
    except KeyError:
        return {"status": "success", "data": {}}


def _number_in(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and int(text) > 0 else default
