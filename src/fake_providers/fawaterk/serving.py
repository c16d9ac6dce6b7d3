"""How each call is served: counted, its credentials checked, then answered or ended in the scripted fault."""

from __future__ import annotations

import hmac
import json
import socket
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

import orjson
from flask import Response, request

from fake_providers.fawaterk.values import Json, Refusal

if TYPE_CHECKING:
    from fake_providers.fawaterk.server import FawaterkServer

BEFORE_ANY_EFFECT = (
    "timeout_before", "cut_before", "error_500", "cache_unavailable", "refuse", "refuse_fields", "status_error",
    "unauthorized", "html", "redirect",
)  # fmt: skip


def json_response(document: object, status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, content_type="application/json")


def served(
    server: FawaterkServer, path: str, effect: Callable[[], object], *, check: Callable[[FawaterkServer], None]
) -> Response:
    """Count, check the credentials, and answer, or end in the scripted fault."""
    server.books.count(path)
    fault = server.next_fault(path)
    if fault in BEFORE_ANY_EFFECT:
        return _broken(server, fault)
    check(server)
    answer = effect()
    return _broken(server, fault, orjson.dumps(answer)) if fault else json_response(answer)


def check_vendor_key(server: FawaterkServer) -> None:
    """As API v2: 400 whatever is wrong (contract §2)."""
    if "content-type" not in request.headers:
        raise Refusal(400, {"content-type": ["The content-type field is required."]})
    token = bearer()
    if not token:
        raise Refusal(400, {"token": ["Token Is Missing"]})
    if not hmac.compare_digest(token.encode(), server.api_key.encode()):
        raise Refusal(400, {"token": ["Invalid Token or inactive vendor."]})


def check_token(server: FawaterkServer) -> None:
    """As API v3: 401 for a token that was not given out, or no longer holds."""
    if not server.books.knows_token(bearer()):
        raise Refusal(401, "Unauthenticated.")


def bearer() -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme == "Bearer" else ""


def told_order(server: FawaterkServer, *, kept: bool = True) -> Json:
    """The body, exactly; of create calls it is kept for tests to look at. Raises Refusal."""
    body = request.get_data()
    if kept:
        server.orders.append(body)
    try:
        order = json.loads(body, parse_float=Decimal)
    except ValueError:
        raise Refusal(422, "The given data was invalid.") from None
    if not isinstance(order, dict):
        raise Refusal(422, "The given data was invalid.")
    return order


def _broken(server: FawaterkServer, fault: str, answer: bytes = b"") -> Response:
    if fault.startswith("timeout"):
        server.hang()
    if fault.startswith(("timeout", "cut")):
        request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return Response(status=200)
    if fault == "slow":
        return Response(_dripping(server, answer), 200, content_type="application/json")
    unavailable = {"status": "error", "message": "Transaction intent cache unavailable"}
    return {
        "error_500": json_response({"status": "error", "message": "Server Error"}, 500),
        "error_500_after": json_response({"status": "error", "message": "Server Error"}, 500),
        "cache_unavailable": json_response(unavailable, 503),
        "html": Response("<html><h1>Be right back.</h1></html>", 200, content_type="text/html"),
        "half_json": Response(answer[: len(answer) // 2], 200, content_type="application/json"),
        "huge": Response(answer + b" " * 2_000_000, 200, content_type="application/json"),
        "redirect": Response(status=302, headers={"Location": f"{server.address}/elsewhere"}),
        "refuse": json_response({"status": "error", "message": "you are not allow to use this payment method"}, 422),
        "refuse_fields": json_response(
            {"status": "error", "message": {"intent_key": ["The field is malformed."]}}, 422
        ),
        "status_error": json_response({"status": "error", "message": "Payment method not active"}, 200),
        "unauthorized": json_response({"status": "error", "message": "Unauthenticated."}, 401),
    }[fault]


def _dripping(server: FawaterkServer, answer: bytes) -> Iterator[bytes]:
    """One byte at a time: never late for a timeout that counts per read."""
    for byte in answer:
        if server.stopping.wait(0.05):
            return
        yield bytes([byte])
