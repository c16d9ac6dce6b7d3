"""The fake's webhooks: bodies as contract §5.3 shows them, signed as §5.2 says."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping

import orjson
import requests

from fake_providers.fawaterk.answers import transaction_id
from fake_providers.fawaterk.values import Json, exact, now_in_cairo


def sign(text: str, key: str) -> str:
    """A hash as Fawaterk makes it: HMAC-SHA256, lower-case hex."""
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def notice_of(kind: str, record: Json, key: str) -> dict[str, object]:
    """A signed body of a kind: paid, pending, failed, expired, cancelled, or refund (of all that was paid)."""
    if kind in ("expired", "cancelled"):
        return _code_notice(kind, record, key)
    if kind == "refund":
        return refund_notice({"amount": record["total"], "reason": "requested by customer"}, record, key)
    of_payment = _transaction_notice if record["generation"] == "v3" else _invoice_notice
    return of_payment(kind, record, key)


def _invoice_notice(kind: str, record: Json, key: str) -> dict[str, object]:
    signed = (
        f"InvoiceId={record['invoice_id']}&InvoiceKey={record['invoice_key']}&PaymentMethod={record['payment_method']}"
    )
    body = {
        "hashKey": sign(signed, key),
        "invoice_key": record["invoice_key"],
        "invoice_id": int(record["invoice_id"]),
        "payment_method": record["payment_method"],
        "pay_load": json.dumps(record["pay_load"]),
        "referenceNumber": record["code"],
        "paidCurrency": record["currency"],
    }
    if kind == "failed":
        return {**body, **_declined(record)}
    return {**body, "invoice_status": kind, **_amounts(record)}


def _transaction_notice(kind: str, record: Json, key: str) -> dict[str, object]:
    number = transaction_id(record)
    signed = f"TransactionId={number}&TransactionKey={record['invoice_key']}&PaymentMethod={record['payment_method']}"
    body = {
        "transaction_key": record["invoice_key"],
        "transaction_id": number,
        "payment_method": record["payment_method"],
        "pay_load": json.dumps(record["pay_load"]),
        "referenceNumber": record["code"],
        "paidCurrency": record["currency"],
    }
    if kind == "failed":
        return {**body, **_declined(record), "hashKey": sign(signed, key)}
    return {
        **body,
        **_amounts(record),
        "status": kind,
        "paidAt": record["paid_at"],
        "transactionHashKey": sign(signed, key),
    }


def _declined(record: Json) -> Json:
    return {
        "amount": exact(record["total"]),
        "errorMessage": "Declined",
        "response": {"gatewayCode": "DECLINED", "gatewayMessage": "Do not honour"},
    }


def _amounts(record: Json) -> Json:
    customer = record["customer"]
    return {
        "paidAmount": exact(record["total"]),
        "customerData": {
            "customer_unique_id": None,
            "customer_first_name": customer["first_name"],
            "customer_last_name": customer["last_name"],
            "customer_email": customer.get("email"),
            "customer_phone": customer.get("phone"),
        },
        "cardDiscountAmount": 0,
        "discountBankCode": None,
        "paymentToken": None,
    }


def _code_notice(kind: str, record: Json, key: str) -> dict[str, object]:
    """Names a text in v2; a number in v3, with the transaction beside it."""
    method, is_v3 = record["payment_method"], record["generation"] == "v3"
    body = {
        "hashKey": sign(f"referenceId={record['code']}&PaymentMethod={method}", key),
        "referenceId": int(record["code"]) if is_v3 else record["code"],
        "status": "EXPIRED" if kind == "expired" else "CANCELED",
        "paymentMethod": method,
        "pay_load": json.dumps(record["pay_load"]),
    }
    if not is_v3:
        return body
    return {**body, "transactionId": transaction_id(record), "transactionKey": record["invoice_key"]}


def refund_notice(refund: Json, record: Json, key: str) -> dict[str, object]:
    """Of one refund; it names a transaction by number alone."""
    number, amount = int(record["invoice_id"]), refund["amount"]
    return {
        "hashKey": sign(f"transactionId={number}&amount={amount}&currency={record['currency']}", key),
        "transactionId": number,
        "amount": exact(amount),
        "currency": record["currency"],
        "status": 1,
        "reason": refund["reason"],
        "approvedAt": refund.get("decided_at") or now_in_cairo(),
    }


def encode(body: Mapping[str, object], *, form: bool) -> tuple[bytes, str]:
    """A body in one of the two content types; in a form everything is a string, objects are nested names."""
    if not form:
        return orjson.dumps(body), "application/json"
    fields: dict[str, str] = {}
    for name, value in json.loads(orjson.dumps(body), parse_float=str, parse_int=str).items():
        if isinstance(value, dict):
            fields |= {f"{name}[{inner}]": "" if it is None else str(it) for inner, it in value.items()}
        else:
            fields[name] = "" if value is None else str(value)
    prepared = requests.Request("POST", "http://127.0.0.1", data=fields).prepare()
    return str(prepared.body).encode(), "application/x-www-form-urlencoded"
