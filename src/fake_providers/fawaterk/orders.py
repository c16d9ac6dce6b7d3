"""What the create calls are refused for, and what they write into the books (contract §2, §3.2, §4)."""

from __future__ import annotations

import re
import secrets
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from fake_providers.fawaterk.values import Json, Refusal, now_in_cairo

CURRENCIES = {"USD": 2, "EGP": 2, "SR": 2, "AED": 2, "KWD": 3, "QAR": 2, "BHD": 3}
NAME = re.compile(r"[\w@\-.]{1,100}")
TELEPHONE = re.compile(r"01\d{9}")
KEY_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def record_of(order: Json, method: dict[str, object] | None, *, generation: str, sar_code: str) -> Json:
    """A new line of the books. Raises Refusal."""
    _check(order, method, generation, sar_code)
    return {
        "generation": generation,
        "invoice_key": "".join(secrets.choice(KEY_LETTERS) for _ in range(18 if generation == "v3" else 15)),
        "is_real": method is not None,
        "paid": 0,
        "paid_at": None,
        "created_at": now_in_cairo(),
        "total": str(Decimal(str(order["cartTotal"]))),
        "currency": order["currency"],
        "customer": order["customer"],
        "pay_load": order.get("payLoad" if generation == "v2" else "pay_load"),
        "due_date": order.get("due_date"),
        "payment_method": method["name_en"] if method else "Visa-Mastercard",
        "status_text": "unpaid",
        "transactions": [],
        "code": "",
        **_addresses(order.get("redirectionUrls") or {}),
    }


def _addresses(urls: Json) -> Json:
    return {
        "webhook_url": urls.get("webhookUrl", ""),
        "success_url": urls.get("successUrl", ""),
        "fail_url": urls.get("failUrl", ""),
    }


def _check(order: Json, method: dict[str, object] | None, generation: str, sar_code: str) -> None:
    customer = order.get("customer") or {}
    for name in ("first_name", "last_name"):
        if not NAME.fullmatch(str(customer.get(name) or "")):
            raise Refusal(422, {f"customer.{name}": [f"The customer.{name} format is invalid."]})
    telephone = customer.get("phone")
    if telephone is not None and not TELEPHONE.fullmatch(str(telephone)):
        raise Refusal(422, {"customer.phone": ["The customer.phone format is invalid."]})
    if ".." in str(customer.get("email", "")):
        raise Refusal(422, {"customer.email": ["The customer.email must be a valid email address."]})
    if order.get("currency") not in CURRENCIES.keys() - {"SR"} | {sar_code}:
        raise Refusal(422, {"currency": ["The selected currency is invalid."]})
    if method is not None and method["name_en"] == "Meeza" and not order.get("mobileWalletNumber"):
        raise Refusal(422, "The mobile wallet number is required.")
    for url in (order.get("redirectionUrls") or {}).values():
        _check_address(str(url))
    if generation == "v3":
        _check_numbers(order)
    _check_total(order)


def _check_address(url: str) -> None:
    # The real one refuses plain http; loopback is let through, where tests and the demo listen.
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname != "127.0.0.1":
        raise Refusal(422, {"redirectionUrls": ["The redirection url format is invalid."]})


def _check_numbers(order: Json) -> None:
    """API v3 takes numbers where v2 takes their texts too (contract §4)."""
    amounts: list[Any] = [order.get("cartTotal"), *(item.get("price") for item in order.get("cartItems") or [])]
    if not all(isinstance(amount, int | Decimal) for amount in amounts):
        raise Refusal(422, {"cartTotal": ["The cart total must be a number."]})


def _check_total(order: Json) -> None:
    items = order.get("cartItems") or []
    try:
        summed = sum(Decimal(str(it["price"])) * Decimal(str(it["quantity"])) for it in items)
        total = Decimal(str(order["cartTotal"]))
    except (KeyError, InvalidOperation):
        raise Refusal(422, {"cartItems": ["The cart items field is required."]}) from None
    if not items or summed != total or total <= 0:
        raise Refusal(422, {"cartTotal": ["Your cart total doesn't match the items total."]})
