"""Fawaterk's webhooks: read in either content type, verified, and reduced to a hint about one invoice.

The signature covers ids and the method only: not the status, the amount or our reference, and paid and
failed notices are signed alike (contract §5.4). So nothing here says that anything was paid.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from typing import Final, NoReturn
from urllib.parse import parse_qsl

from application.billing.ports import BadSignature, UnreadableWebhook, WebhookNotice
from infrastructure.payment.fawaterk.wire import PROVIDER, is_plain, read_merchant_reference

LARGEST_BODY: Final = 256 * 1024
MOST_FORM_FIELDS: Final = 200

Members = Mapping[str, object]


def read_notice(body: bytes, headers: Mapping[str, str], *, secret: str) -> WebhookNotice:
    """The notice in a webhook. Raises UnreadableWebhook, or BadSignature when its hash is missing or wrong."""
    members = _members(body, _content_type(headers))
    if "invoice_id" in members or "invoice_key" in members:
        return _of_invoice(members, secret)
    if "referenceId" in members:
        return _of_cash_code(members, secret)
    if "transactionId" in members and "amount" in members:
        return _of_refund(members, secret)
    raise UnreadableWebhook(provider=PROVIDER, reason="names no invoice")


def _of_invoice(members: Members, secret: str) -> WebhookNotice:
    """Paid, pending and failed: one formula for all (contract §5.2)."""
    invoice_id, invoice_key = _required(members, "invoice_id"), _required(members, "invoice_key")
    method = _text(members, "payment_method")
    _verify(members, secret, [f"InvoiceId={invoice_id}&InvoiceKey={invoice_key}&PaymentMethod={method}"])
    status = _text(members, "invoice_status") or "failed"
    reference_number = _text(members, "referenceNumber")
    return WebhookNotice(
        event_key=_event_key("invoice", invoice_id, invoice_key, status, reference_number),
        event_type=f"invoice.{status.lower()}",
        provider_reference=invoice_id,
        provider_key=invoice_key,
        merchant_reference=read_merchant_reference(members.get("pay_load")),
        reference_number=reference_number,
    )


def _of_cash_code(members: Members, secret: str) -> WebhookNotice:
    """Cancelled and expired: named by the cash code alone, with no invoice id (contract §5.3)."""
    code, method = _required(members, "referenceId"), _text(members, "paymentMethod")
    _verify(members, secret, [f"referenceId={code}&PaymentMethod={method}"])
    status = _text(members, "status") or "cancelled"
    return WebhookNotice(
        event_key=_event_key("code", code, "", status, ""),
        event_type=f"code.{status.lower()}",
        provider_reference="",
        merchant_reference=read_merchant_reference(members.get("pay_load")),
        reference_number=code,
    )


def _of_refund(members: Members, secret: str) -> WebhookNotice:
    """Refund: named by a transaction, which is no invoice id, so it is not offered as one."""
    transaction, amount = _required(members, "transactionId"), _required(members, "amount")
    unit = _text(members, "currency")
    _verify(
        members,
        secret,
        (f"transactionId={transaction}&amount={form}&currency={unit}" for form in _amount_forms(amount)),
    )
    status = _text(members, "status")
    return WebhookNotice(
        event_key=_event_key("refund", transaction, "", status, f"{amount} {unit}"),
        event_type="refund",
        provider_reference="",
        merchant_reference=read_merchant_reference(members.get("pay_load")),
        reference_number=transaction,
    )


def _amount_forms(amount: str) -> list[str]:
    """The spellings that the hash may have been made over: as sent, shortest, two decimals (contract §5.2)."""
    whole, _, decimals = amount.partition(".")
    shortest = f"{whole}.{decimals.rstrip('0')}".rstrip(".")
    return [amount, shortest, f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"]


def _verify(members: Members, secret: str, signed: Iterable[str]) -> None:
    given = members.get("hashKey")
    if not isinstance(given, str) or not given:
        raise BadSignature(provider=PROVIDER, reason="missing")
    # As bytes: compare_digest refuses text that is not ASCII, and a forger chooses this text.
    offered = given.encode("utf-8", "replace")
    matches = [hmac.compare_digest(offered, _signature(secret, text)) for text in signed]
    if not any(matches):
        raise BadSignature(provider=PROVIDER, reason="wrong")


def _signature(secret: str, text: str) -> bytes:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest().encode()


def _event_key(*parts: str) -> str:
    """Fawaterk gives its events no id: equal parts, equal event (contract §5.4). `is_plain` bars the separator."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _text(members: Members, name: str) -> str:
    """A member exactly as it was sent, empty where it is absent or null."""
    value = members.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or not is_plain(value):
        raise UnreadableWebhook(provider=PROVIDER, reason=f"{name} is no plain text")
    return value


def _required(members: Members, name: str) -> str:
    value = _text(members, name)
    if not value:
        raise UnreadableWebhook(provider=PROVIDER, reason=f"{name} is missing")
    return value


def _content_type(headers: Mapping[str, str]) -> str:
    declared = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    return declared.partition(";")[0].strip().lower()


def _members(body: bytes, content_type: str) -> Members:
    """The top members: by the declared type where it is one of Fawaterk's two, else by the first byte."""
    if len(body) > LARGEST_BODY:
        raise UnreadableWebhook(provider=PROVIDER, reason="too large")
    readers = {"application/json": _from_json, "application/x-www-form-urlencoded": _from_form}
    sniffed = _from_json if body.lstrip()[:1] in (b"{", b"[") else _from_form
    try:
        return readers.get(content_type, sniffed)(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as trouble:
        raise UnreadableWebhook(provider=PROVIDER, reason=str(trouble)[:100]) from trouble


def _from_json(text: str) -> Members:
    """Numbers stay the text they were sent as: that is what is signed, and ids outgrow 53 bits."""
    document = json.loads(
        text,
        parse_int=str,
        parse_float=str,
        parse_constant=_refuse_constant,
        object_pairs_hook=_without_duplicates,
    )
    if not isinstance(document, dict):
        raise ValueError("not an object")
    return document


def _from_form(text: str) -> Members:
    """Fields by name; `customerData[customer_email]` becomes a member of `customerData`."""
    fields = parse_qsl(
        text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=MOST_FORM_FIELDS
    )
    members: dict[str, object] = {}
    for name, value in _without_duplicates(fields).items():
        outer, bracket, inner = name.partition("[")
        group = members.setdefault(outer, {}) if bracket else None
        if isinstance(group, dict):
            group[inner.removesuffix("]")] = value
        elif group is None and name not in members:
            members[name] = value
        else:
            raise ValueError(f"{outer} is both a value and a group")
    return members


def _without_duplicates(pairs: list[tuple[str, object]] | list[tuple[str, str]]) -> dict[str, object]:
    members: dict[str, object] = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name occurs twice")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
