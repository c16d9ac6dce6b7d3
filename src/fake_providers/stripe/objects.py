"""Objects as Stripe answers them: the members of its published fixtures that anybody here reads."""

from __future__ import annotations

import secrets

from fake_providers.stripe.refusals import Json


def new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(12)}"


def session(params: Json, *, at: int, live: bool, address: str) -> Json:
    session_id = f"cs_{'live' if live else 'test'}_a1{secrets.token_hex(24)}"
    items = params["line_items"]
    total = sum(item["price_data"]["unit_amount"] * item["quantity"] for item in items)
    return {
        "id": session_id,
        "object": "checkout.session",
        "adaptive_pricing": params.get("adaptive_pricing", {"enabled": True}),
        "amount_subtotal": total,
        "amount_total": total,
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "created": at,
        "currency": items[0]["price_data"]["currency"].lower(),
        "customer": None,
        "customer_email": None,
        "expires_at": params.get("expires_at", at + 24 * 3600),
        "livemode": live,
        "locale": params.get("locale"),
        "metadata": params.get("metadata", {}),
        "mode": "payment",
        "payment_intent": None,
        "payment_method_types": params.get("allowed_payment_method_types", ["card"]),
        "payment_status": "unpaid",
        "presentment_details": None,
        "status": "open",
        "success_url": params["success_url"],
        "url": f"{address}/c/pay/{session_id}",
    }


def payment_intent(params: Json, *, amount: int, code: str, at: int, live: bool) -> Json:
    intent_id = new_id("pi")
    return {
        "id": intent_id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": 0,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic",
        "client_secret": f"{intent_id}_secret_{secrets.token_hex(12)}",
        "created": at,
        "currency": code,
        "customer": None,
        "description": params.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": live,
        "metadata": params.get("metadata", {}),
        "next_action": None,
        "payment_method": params.get("payment_method"),
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
        "transfer_group": params.get("transfer_group"),
    }


def charge(intent: Json, *, at: int, succeeded: bool) -> Json:
    return {
        "id": new_id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if succeeded else 0,
        "amount_refunded": 0,
        "balance_transaction": None,
        "captured": succeeded,
        "created": at,
        "currency": intent["currency"],
        "disputed": False,
        "failure_code": None if succeeded else "card_declined",
        "failure_message": None if succeeded else "Your card was declined.",
        "livemode": intent["livemode"],
        "metadata": dict(intent["metadata"]),
        "paid": succeeded,
        "payment_intent": intent["id"],
        "refunded": False,
        "status": "succeeded" if succeeded else "failed",
        "transfer_group": intent["transfer_group"],
    }


def refund(params: Json, charged: Json, *, amount: int, at: int, status: str) -> Json:
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charged["id"],
        "created": at,
        "currency": charged["currency"],
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "failure_reason": None,
        "metadata": params.get("metadata", {}),
        "payment_intent": charged["payment_intent"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "status": status,
    }


def dispute(charged: Json, *, amount: int, at: int, reason: str, status: str) -> Json:
    return {
        "id": new_id("dp"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charged["id"],
        "created": at,
        "currency": charged["currency"],
        "evidence_details": {"due_by": at + 7 * 86_400, "has_evidence": False, "past_due": False},
        "is_charge_refundable": status.startswith("warning_"),
        "livemode": charged["livemode"],
        "metadata": {},
        "payment_intent": charged["payment_intent"],
        "reason": reason,
        "status": status,
    }


def transfer(params: Json, *, at: int, live: bool) -> Json:
    return {
        "id": new_id("tr"),
        "object": "transfer",
        "amount": params["amount"],
        "amount_reversed": 0,
        "balance_transaction": None,
        "created": at,
        "currency": params["currency"].lower(),
        "description": params.get("description"),
        "destination": params["destination"],
        "destination_payment": new_id("py"),
        "livemode": live,
        "metadata": params.get("metadata", {}),
        "reversed": False,
        "source_transaction": None,
        "source_type": "card",
        "transfer_group": params.get("transfer_group"),
    }


def transfer_reversal(sent: Json, params: Json, *, amount: int, at: int) -> Json:
    return {
        "id": new_id("trr"),
        "object": "transfer_reversal",
        "amount": amount,
        "balance_transaction": None,
        "created": at,
        "currency": sent["currency"],
        "metadata": params.get("metadata", {}),
        "transfer": sent["id"],
    }


def payout(*, amount: int, code: str, at: int, live: bool) -> Json:
    return {
        "id": new_id("po"),
        "object": "payout",
        "amount": amount,
        "arrival_date": at + 2 * 86_400,
        "automatic": True,
        "balance_transaction": None,
        "created": at,
        "currency": code,
        "description": "STRIPE PAYOUT",
        "livemode": live,
        "metadata": {},
        "method": "standard",
        "status": "paid",
        "type": "bank_account",
    }


def balance_transaction(*, kind: str, category: str, amount: int, fee: int, code: str, source: str, at: int) -> Json:
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": at,
        "balance_type": "payments",
        "created": at,
        "currency": code,
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [],
        "net": amount - fee,
        "reporting_category": category,
        "source": source,
        "status": "available",
        "type": kind,
    }


def event(kind: str, about: Json, *, at: int, live: bool, version: str, key: str | None) -> Json:
    return {
        "id": new_id("evt"),
        "object": "event",
        "api_version": version,
        "created": at,
        "data": {"object": about},
        "livemode": live,
        "pending_webhooks": 1,
        "request": {"id": new_id("req"), "idempotency_key": key},
        "type": kind,
    }
