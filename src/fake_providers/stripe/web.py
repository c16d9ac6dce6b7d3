"""The API's routes."""

from __future__ import annotations

import hmac
import socket
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import orjson
from flask import Flask, Response, request

from fake_providers.stripe import shapes
from fake_providers.stripe.forms import Shape, read
from fake_providers.stripe.pages import add_pages
from fake_providers.stripe.provider import shown
from fake_providers.stripe.refusals import Json, Refusal

if TYPE_CHECKING:
    from fake_providers.stripe.server import StripeServer

BEFORE = frozenset({"timeout_before", "cut_before", "error_500", "html", "rate_limited"})


def application(server: StripeServer) -> Flask:
    """The whole server as a WSGI application."""
    app = Flask("fake_stripe")
    _add_payments(app, server)
    _add_afterwards(app, server)
    add_pages(app, server)

    @app.errorhandler(404)
    @app.errorhandler(405)
    def no_such_route(_error: Exception) -> Response:
        message = f"Unrecognized request URL ({request.method}: {request.path})."
        return json_response(Refusal(message).body, 404)

    @app.errorhandler(Refusal)
    def refused(refusal: Refusal) -> Response:
        return json_response(refusal.body, refusal.status)

    return app


def json_response(document: object, status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, content_type="application/json")


def _add_payments(app: Flask, server: StripeServer) -> None:
    books, provider = server.books, server.provider

    @app.post("/v1/checkout/sessions")
    def open_session() -> Response:
        return _served(server, "checkout/sessions/create", shapes.SESSION, provider.open_session)

    @app.get("/v1/checkout/sessions")
    def sessions() -> Response:
        return _listed(server, "checkout/sessions/list", shapes.SESSIONS, "checkout.session")

    @app.get("/v1/checkout/sessions/<object_id>")
    def session(object_id: str) -> Response:
        return _served(server, "checkout/sessions/retrieve", shapes.EXPAND, lambda told: provider.session(object_id))

    @app.post("/v1/checkout/sessions/<object_id>/expire")
    def expire(object_id: str) -> Response:
        return _served(server, "checkout/sessions/expire", shapes.EXPAND, lambda told: provider.expire(object_id))

    @app.post("/v1/payment_intents")
    def create_intent() -> Response:
        return _served(server, "payment_intents/create", shapes.INTENT, provider.create_intent)

    @app.get("/v1/payment_intents")
    def intents() -> Response:
        return _listed(server, "payment_intents/list", shapes.LIST, "payment_intent")

    @app.get("/v1/payment_intents/<object_id>")
    def intent(object_id: str) -> Response:
        return _served(
            server, "payment_intents/retrieve", shapes.EXPAND, lambda told: books.get("payment_intent", object_id)
        )

    @app.post("/v1/payment_intents/<object_id>/confirm")
    def confirm(object_id: str) -> Response:
        return _served(
            server, "payment_intents/confirm", shapes.CONFIRM, lambda told: provider.confirm(object_id, told)
        )

    @app.post("/v1/payment_intents/<object_id>/cancel")
    def cancel(object_id: str) -> Response:
        return _served(server, "payment_intents/cancel", shapes.CANCEL, lambda told: provider.cancel(object_id, told))

    @app.get("/v1/balance")
    def balance() -> Response:
        return _served(server, "balance/retrieve", shapes.EXPAND, lambda told: provider.balance())

    @app.get("/v1/balance_transactions")
    def booked() -> Response:
        return _listed(server, "balance_transactions/list", shapes.BOOKED, "balance_transaction")

    @app.get("/v1/events")
    def events() -> Response:
        return _listed(server, "events/list", shapes.EVENTS, "event")


def _add_afterwards(app: Flask, server: StripeServer) -> None:
    books, afterwards = server.books, server.afterwards

    @app.post("/v1/refunds")
    def refund() -> Response:
        return _served(server, "refunds/create", shapes.REFUND, afterwards.refund)

    @app.get("/v1/refunds")
    def refunds() -> Response:
        return _listed(server, "refunds/list", shapes.OF_CHARGE, "refund")

    @app.get("/v1/disputes")
    def disputes() -> Response:
        return _listed(server, "disputes/list", shapes.OF_CHARGE, "dispute")

    @app.post("/v1/transfers")
    def transfer() -> Response:
        return _served(server, "transfers/create", shapes.TRANSFER, afterwards.transfer)

    @app.get("/v1/transfers")
    def transfers() -> Response:
        return _listed(server, "transfers/list", shapes.TRANSFERS, "transfer")

    @app.post("/v1/transfers/<object_id>/reversals")
    def reverse(object_id: str) -> Response:
        return _served(server, "transfers/reverse", shapes.REVERSAL, lambda told: afterwards.reverse(object_id, told))

    @app.get("/v1/<collection>/<object_id>")
    def one(collection: str, object_id: str) -> Response:
        kinds = {"refunds": "refund", "disputes": "dispute", "transfers": "transfer", "charges": "charge"}
        kinds |= {"balance_transactions": "balance_transaction", "events": "event"}
        if collection not in kinds:
            raise Refusal(f"Unrecognized request URL (GET: {request.path}).", status=404)
        return _served(
            server, f"{collection}/retrieve", shapes.EXPAND, lambda told: books.get(kinds[collection], object_id)
        )


def _listed(server: StripeServer, operation: str, shape: Shape, kind: str) -> Response:
    return _served(server, operation, shape, lambda told: _page(server.books.all(kind), told))


def _page(found: list[Json], told: Json) -> Json:
    """Newest first, from after `starting_after`, at most `limit`."""
    created, limit = told.get("created", {}), told.get("limit", 10)
    if not 1 <= limit <= 100:
        raise Refusal("Limit must be between 1 and 100.", param="limit")
    filters = {
        name: value for name, value in told.items() if name not in ("created", "limit", "starting_after", "expand")
    }
    kept = [one for one in found if _is_asked_for(one, filters, created)]
    after = told.get("starting_after")
    if after is not None:
        places = [place for place, one in enumerate(kept) if one["id"] == after]
        if not places:
            raise Refusal(f"No such object: '{after}'", code="resource_missing", param="starting_after")
        kept = kept[places[0] + 1 :]
    page = [shown(one) for one in kept[:limit]]
    return {"object": "list", "url": request.path, "has_more": len(kept) > limit, "data": page}


def _is_asked_for(one: Json, filters: Mapping[str, object], created: Mapping[str, int]) -> bool:
    at = one["created"]
    in_time = (
        created.get("gte", at) <= at <= created.get("lte", at)
        and at < created.get("lt", at + 1)
        and at > created.get("gt", at - 1)
    )
    return in_time and all(one.get(name) == value for name, value in filters.items())


def _served(server: StripeServer, operation: str, shape: Shape, effect: Callable[[Json], Json]) -> Response:
    """Count, check the key and the parameters, run the effect once, and answer, or end in the scripted fault."""
    server.books.count(operation)
    fault = server.next_fault(operation)
    if fault in BEFORE:
        return _broken(server, fault)
    _check_bearer(server)
    raw = request.get_data(as_text=True) if request.method == "POST" else request.query_string.decode()
    told = read(raw, shape)
    status, body = _run(server, operation, raw, told, effect, slow=fault == "slow")
    server.webhooks.wake()
    answer = orjson.dumps(_expanded(server, shown(body), told.get("expand", [])))
    return (
        _broken(server, fault, answer) if fault and fault != "slow" else json_response(orjson.Fragment(answer), status)
    )


def _run(
    server: StripeServer, operation: str, raw: str, told: Json, effect: Callable[[Json], Json], *, slow: bool
) -> tuple[int, Json]:
    if request.method != "POST":
        with server.books.effect():
            return 200, effect(told)
    server.bodies.append((operation, raw))
    key = request.headers.get("Idempotency-Key", "")
    server.provider.asked_with(key or None)
    if key:
        return server.once(key, f"{request.path}?{raw}", lambda: effect(told), slow=slow)
    with server.books.effect():
        return 200, effect(told)


def _check_bearer(server: StripeServer) -> None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not hmac.compare_digest(token.encode(), server.api_key.encode()):
        raise Refusal(f"Invalid API Key provided: {token[:7]}****", status=401)


def _expanded(server: StripeServer, body: Json, paths: Iterable[str]) -> Json:
    """Ids along each path become the objects that they name."""
    for path in paths:
        _expand(server, body, path.split("."))
    return body


def _expand(server: StripeServer, body: Any, path: list[str]) -> None:
    if isinstance(body, list):
        for one in body:
            _expand(server, one, path)
    elif path and isinstance(body, dict) and path[0] in body:
        inner = body[path[0]]
        if isinstance(inner, str):
            found = server.books.find(inner)
            body[path[0]] = inner if found is None else shown(found)
        _expand(server, body[path[0]], path[1:])


def _broken(server: StripeServer, fault: str, answer: bytes = b"") -> Response:
    if fault.startswith("timeout"):
        server.hang()
    if fault.startswith(("timeout", "cut")):
        request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return Response(status=200)
    trouble = Refusal("An unknown error occurred", kind="api_error").body
    return {
        "error_500": json_response(trouble, 500),
        "error_500_after": json_response(trouble, 500),
        "html": Response("<html><h1>Be right back.</h1></html>", 200, content_type="text/html"),
        "half_json": Response(answer[: len(answer) // 2], 200, content_type="application/json"),
        "strange": json_response({"object": 5, "data": 7, "id": ["x"], "payment_intent": 1}),
        "deep": Response(b'{"object":' * 400 + b"{}" + b"}" * 400, 200, content_type="application/json"),
        "redirect": Response(b"{}", 302, headers={"Location": f"{server.address}/v1/balance"}),
        "rate_limited": json_response(Refusal("Too many requests", code="rate_limit").body, 429),
    }[fault]
