"""Fawaterk's webhooks: read in either content type, verified, and reduced to a hint about one payment.

The signature covers ids and the method only: not the status, the amount or our reference, and paid and
failed notices are signed alike (contract §5.4). So nothing here says that anything was paid.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence

from application.billing.ports import BadSignature, UnreadableWebhook, WebhookNotice
from infrastructure.payment.fawaterk.webhook_bodies import read_members
from infrastructure.payment.fawaterk.wire import PROVIDER, first_told, is_plain, read_merchant_reference

Members = Mapping[str, object]


def read_notice(
    body: bytes, headers: Mapping[str, str], *, secrets: Sequence[str], references_are_keys: bool
) -> WebhookNotice:
    """The notice in a webhook. Raises UnreadableWebhook, or BadSignature when its hash is missing or wrong.

    `references_are_keys`: whether attempts are known by what API v3 calls the transaction's key. Those of
    API v2 are known by an invoice id that notices in the newer shape do not name.
    """
    members = read_members(body, headers)
    if "invoice_id" in members or "invoice_key" in members:
        return _of_invoice(members, secrets)
    if "transaction_id" in members or "transaction_key" in members:
        return _of_transaction(members, secrets, references_are_keys)
    if "referenceId" in members:
        return _of_cash_code(members, secrets, references_are_keys)
    if "transactionId" in members and "amount" in members:
        return _of_refund(members, secrets)
    if "customerCardToken" in members or "cardTokenUniqueId" in members:
        # Nobody documents what its hash is made over (contract §3.5), so it would have to be taken on trust.
        raise UnreadableWebhook(provider=PROVIDER, reason="saved cards are not taken")
    raise UnreadableWebhook(provider=PROVIDER, reason="names no payment")


def _of_invoice(members: Members, secrets: Sequence[str]) -> WebhookNotice:
    """Paid, pending and failed of API v2: one formula for all (contract §5.2)."""
    invoice_id, invoice_key = _required(members, "invoice_id"), _required(members, "invoice_key")
    method = _text(members, "payment_method")
    signed = f"InvoiceId={invoice_id}&InvoiceKey={invoice_key}&PaymentMethod={method}"
    _verify(members, secrets, [signed])
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


def _of_transaction(members: Members, secrets: Sequence[str], references_are_keys: bool) -> WebhookNotice:
    """Paid, pending and failed of API v3: one formula for all, in one of two members (contract §5.2)."""
    number, key = _required(members, "transaction_id"), _required(members, "transaction_key")
    method = _text(members, "payment_method")
    signed = f"TransactionId={number}&TransactionKey={key}&PaymentMethod={method}"
    _verify(members, secrets, [signed], "transactionHashKey", "hashKey")
    status = _text(members, "status") or "failed"
    reference_number = _text(members, "referenceNumber")
    return WebhookNotice(
        event_key=_event_key("transaction", number, key, status, reference_number, _told(members, "paidAt")),
        event_type=f"transaction.{status.lower()}",
        provider_reference=key if references_are_keys else "",
        merchant_reference=read_merchant_reference(members.get("pay_load")),
        reference_number=reference_number,
        charge_reference=_charge(number),
    )


def _of_cash_code(members: Members, secrets: Sequence[str], references_are_keys: bool) -> WebhookNotice:
    """Cancelled and expired: named by the cash code, in newer bodies by the transaction too (contract §5.3)."""
    code, method = _required(members, "referenceId"), _text(members, "paymentMethod")
    _verify(members, secrets, [f"referenceId={code}&PaymentMethod={method}"])
    status = _text(members, "status") or "cancelled"
    return WebhookNotice(
        event_key=_event_key("code", code, "", status, ""),
        event_type=f"code.{status.lower()}",
        provider_reference=_text(members, "transactionKey") if references_are_keys else "",
        merchant_reference=read_merchant_reference(members.get("pay_load")),
        reference_number=code,
        charge_reference=_charge(_text(members, "transactionId")),
    )


def _of_refund(members: Members, secrets: Sequence[str]) -> WebhookNotice:
    """Refund: named by the transaction alone. Two parts of one sum differ by when they were approved, and why."""
    transaction, amount = _required(members, "transactionId"), _required(members, "amount")
    unit = _text(members, "currency")
    signed = (f"transactionId={transaction}&amount={form}&currency={unit}" for form in _amount_forms(amount))
    _verify(members, secrets, signed)
    told = [_told(members, name) for name in ("status", "approvedAt", "reason")]
    return WebhookNotice(
        event_key=_event_key("refund", transaction, f"{_amount_forms(amount)[1]} {unit}", *told),
        event_type="refund",
        provider_reference="",
        merchant_reference=read_merchant_reference(members.get("pay_load")),
        reference_number="",
        charge_reference=_charge(transaction),
        is_about_refund=True,
    )


def _charge(number: str) -> str:
    """A transaction's number, which is 0 until there is a charge."""
    return number if number.strip("0") else ""


def _amount_forms(amount: str) -> list[str]:
    """The spellings that the hash may have been made over: as sent, shortest, two decimals (contract §5.2)."""
    whole, _, decimals = amount.partition(".")
    shortest = f"{whole}.{decimals.rstrip('0')}".rstrip(".")
    return [amount, shortest, f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"]


def _verify(members: Members, secrets: Sequence[str], signed: Iterable[str], *names: str) -> None:
    """The hash is in the first of `names` that is told; any of the secrets may have made it."""
    given = first_told(members, *(names or ("hashKey",)))
    if not isinstance(given, str) or not given:
        raise BadSignature(provider=PROVIDER, reason="missing")
    # As bytes: compare_digest refuses text that is not ASCII, and a forger chooses this text.
    offered = given.encode("utf-8", "replace")
    matches = [hmac.compare_digest(offered, _signature(secret, text)) for text in signed for secret in secrets]
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


def _told(members: Members, name: str) -> str:
    """A digest of what is only compared: free text of any length, or whatever else may stand there."""
    return hashlib.sha256(repr(members.get(name) or "").encode("utf-8", "replace")).hexdigest()


def _required(members: Members, name: str) -> str:
    value = _text(members, name)
    if not value:
        raise UnreadableWebhook(provider=PROVIDER, reason=f"{name} is missing")
    return value
