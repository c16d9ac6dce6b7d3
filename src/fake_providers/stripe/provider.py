"""What the provider does with money, and what it tells of it; every act is one transaction of its books."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Final

from fake_providers.stripe import objects
from fake_providers.stripe.books import Books
from fake_providers.stripe.refusals import Json, Refusal, malformed
from fake_providers.stripe.shapes import API_VERSION

SHORTEST_SESSION: Final = 30 * 60
LONGEST_SESSION: Final = 24 * 3600
LARGEST: Final = 99_999_999
THREE_DECIMALS: Final = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
WHOLE_HUNDREDS: Final = frozenset({"isk", "ugx"})
UNKNOWN_CURRENCIES: Final = frozenset({"iqd", "lyd", "syp", "irr", "kpw"})
DISPUTE_FEE: Final = 1_500


def fee_of(amount: int) -> int:
    """2.9 %, rounded down."""
    return amount * 29 // 1_000


def check_digits(amount: int, code: str, param: str) -> None:
    """Three-decimal currencies end in 0, those sent as if they had two decimals in 00."""
    if (code in THREE_DECIMALS and amount % 10) or (code in WHOLE_HUNDREDS and amount % 100):
        raise malformed(f"Invalid amount for {code}: its last digits have to be 0.", param, "parameter_invalid")


class Provider:
    """One account. `now` answers seconds; `address` is where its pages are."""

    def __init__(self, books: Books, *, live: bool, now: Callable[[], int], address: Callable[[], str]) -> None:
        self.books = books
        self.live = live
        self.now = now
        self.refunds_begin = "succeeded"
        """The status of a new refund; `pending` where a bank takes its time."""
        self._address = address
        self._request = threading.local()

    def asked_with(self, key: str | None) -> None:
        """The idempotency key of the request that this thread serves: events name it."""
        self._request.key = key

    # Checkout

    def open_session(self, params: Json) -> Json:
        self._check_prices(params["line_items"])
        end = params.get("expires_at")
        if end is not None and not SHORTEST_SESSION <= end - self.now() <= LONGEST_SESSION:
            raise malformed("`expires_at` lies between 30 minutes and 24 hours ahead.", "expires_at", "invalid_time")
        made = objects.session(params, at=self.now(), live=self.live, address=self._address())
        # Kept for the PaymentIntent that begins with the payment; no member of the session.
        made["_payment_intent_data"] = params.get("payment_intent_data", {})
        return self.books.add(made)

    def _check_prices(self, items: list[Json]) -> None:
        if not items or len({item["price_data"]["currency"].lower() for item in items}) != 1:
            raise malformed("All prices have one currency.", "line_items", "parameter_invalid")
        amount = sum(item["price_data"]["unit_amount"] * item["quantity"] for item in items)
        self.check_amount(amount, items[0]["price_data"]["currency"], "line_items[0][price_data][unit_amount]")

    def check_amount(self, amount: int, currency: str, param: str) -> None:
        code = currency.lower()
        if not re.fullmatch("[a-z]{3}", code) or code in UNKNOWN_CURRENCIES:
            raise malformed(f"Invalid currency: {currency}.", "currency", "parameter_invalid")
        if amount < 1:
            raise malformed("This value must be greater than or equal to 1.", param, "parameter_invalid_integer")
        if amount > LARGEST:
            raise malformed("Amount must be no more than 99999999.", param, "amount_too_large")
        if code == "usd" and amount < 50:
            raise malformed("Amount must be at least $0.50 usd.", param, "amount_too_small")
        check_digits(amount, code, param)

    def session(self, session_id: str) -> Json:
        """As it stands now: an open one past its end has expired."""
        found = self.books.get("checkout.session", session_id)
        return self.expire(session_id) if found["status"] == "open" and found["expires_at"] <= self.now() else found

    def expire(self, session_id: str) -> Json:
        with self.books.effect():
            found = self.books.get("checkout.session", session_id)
            if found["status"] != "open":
                raise Refusal("Only Checkout Sessions with a status in `open` can be expired.")
            found = self.books.put({**found, "status": "expired", "url": None})
            self.tell("checkout.session.expired", found)
            return found

    def pay(self, session_id: str, *, delayed: bool = False) -> Json:
        """The customer pays on the page; `delayed` by a method whose money comes, or not, days later."""
        self.session(session_id)
        with self.books.effect():
            found = self._open(session_id)
            intent = self._intent_of(found)
            if delayed:
                intent = self.books.put({**intent, "status": "processing"})
                self.tell("payment_intent.processing", intent)
            else:
                self.charge(intent["id"])
            paid = {"status": "complete", "payment_status": "unpaid" if delayed else "paid", "url": None}
            found = self.books.put({**found, **paid, "payment_intent": intent["id"]})
            self.tell("checkout.session.completed", found)
            return found

    def settle_delayed(self, session_id: str, *, succeeded: bool = True) -> Json:
        """The money of a delayed method comes, or does not."""
        with self.books.effect():
            found = self.books.get("checkout.session", session_id)
            intent = self.books.get("payment_intent", found["payment_intent"] or "")
            if intent["status"] != "processing":
                raise Refusal("Nothing is on its way.")
            if succeeded:
                self.charge(intent["id"])
                found = self.books.put({**found, "payment_status": "paid"})
            else:
                self._fail(intent)
            outcome = "succeeded" if succeeded else "failed"
            self.tell(f"checkout.session.async_payment_{outcome}", found)
            return found

    def decline(self, session_id: str) -> Json:
        """The customer's card is declined; the page stays open for another try."""
        self.session(session_id)
        with self.books.effect():
            found = self._open(session_id)
            intent = self._intent_of(found)
            self._fail(intent)
            return self.books.put({**found, "payment_intent": intent["id"]})

    def _open(self, session_id: str) -> Json:
        found = self.books.get("checkout.session", session_id)
        if found["status"] != "open":
            raise Refusal(f"This Checkout Session is {found['status']}.")
        return found

    def _intent_of(self, session: Json) -> Json:
        if session["payment_intent"]:
            return self.books.get("payment_intent", session["payment_intent"])
        return self._new_intent(session["_payment_intent_data"], session["amount_total"], session["currency"])

    # PaymentIntents

    def _new_intent(self, params: Json, amount: int, code: str) -> Json:
        made = objects.payment_intent(params, amount=amount, code=code, at=self.now(), live=self.live)
        self.books.add(made)
        self.tell("payment_intent.created", made)
        return made

    def create_intent(self, params: Json) -> Json:
        self.check_amount(params["amount"], params["currency"], "amount")
        made = self._new_intent(params, params["amount"], params["currency"].lower())
        return self.confirm(made["id"], params) if params.get("confirm") else made

    def confirm(self, intent_id: str, params: Json) -> Json:
        """By Stripe's test methods: pm_card_visa, pm_card_chargeDeclined, pm_card_authenticationRequired."""
        intent = self.books.get("payment_intent", intent_id)
        method = params.get("payment_method") or intent["payment_method"]
        if intent["status"] not in ("requires_payment_method", "requires_confirmation", "requires_action"):
            raise Refusal("This PaymentIntent cannot be confirmed.", code="payment_intent_unexpected_state")
        if method == "pm_card_authenticationRequired":
            waiting = self.books.put({**intent, "status": "requires_action", "payment_method": method})
            self.tell("payment_intent.requires_action", waiting)
            return waiting
        if method != "pm_card_visa":
            self._fail(intent)
            raise Refusal("Your card was declined.", status=402, kind="card_error", code="card_declined")
        return self.charge(intent_id)

    def cancel(self, intent_id: str, params: Json) -> Json:
        intent = self.books.get("payment_intent", intent_id)
        if intent["status"] in ("succeeded", "canceled", "processing"):
            raise Refusal("This PaymentIntent cannot be canceled.", code="payment_intent_unexpected_state")
        reason = params.get("cancellation_reason")
        ended = {"status": "canceled", "canceled_at": self.now(), "cancellation_reason": reason}
        intent = self.books.put({**intent, **ended})
        self.tell("payment_intent.canceled", intent)
        return intent

    def charge(self, intent_id: str) -> Json:
        """The money comes: a charge, its place in the balance, and a PaymentIntent that is done."""
        intent = self.books.get("payment_intent", intent_id)
        made = self.books.add(objects.charge(intent, at=self.now(), succeeded=True))
        entry = self.book("charge", "charge", made["amount"], made, fee=fee_of(made["amount"]))
        made = self.books.put({**made, "balance_transaction": entry["id"]})
        done = {"status": "succeeded", "amount_received": made["amount"], "latest_charge": made["id"]}
        intent = self.books.put({**intent, **done})
        self.tell("charge.succeeded", made)
        self.tell("payment_intent.succeeded", intent)
        return intent

    def _fail(self, intent: Json) -> None:
        """A decline is not the end: the PaymentIntent waits for another method."""
        made = self.books.add(objects.charge(intent, at=self.now(), succeeded=False))
        told = {"type": "card_error", "code": "card_declined", "message": "Your card was declined."}
        failed = {"status": "requires_payment_method", "last_payment_error": told, "latest_charge": made["id"]}
        self.tell("payment_intent.payment_failed", self.books.put({**intent, **failed}))

    # The balance and events

    def book(self, kind: str, category: str, amount: int, source: Json, *, fee: int = 0) -> Json:
        return self.books.add(
            objects.balance_transaction(
                kind=kind,
                category=category,
                amount=amount,
                fee=fee,
                code=source["currency"],
                source=source["id"],
                at=self.now(),
            )
        )

    def held(self) -> dict[str, int]:
        """Minor units by currency, after fees."""
        sums: dict[str, int] = {}
        for entry in self.books.all("balance_transaction"):
            sums[entry["currency"]] = sums.get(entry["currency"], 0) + entry["net"]
        return sums

    def balance(self) -> Json:
        rows = [{"amount": net, "currency": code, "source_types": {"card": net}} for code, net in self.held().items()]
        available = rows or [{"amount": 0, "currency": "usd", "source_types": {"card": 0}}]
        return {"object": "balance", "available": available, "pending": [], "livemode": self.live}

    def tell(self, kind: str, about: Json) -> Json:
        """An event of what just happened, with the object as it is now; sent once the transaction is kept."""
        key = getattr(self._request, "key", None)
        made = objects.event(kind, shown(about), at=self.now(), live=self.live, version=API_VERSION, key=key)
        self.books.add(made)
        self.books.to_send(made["id"])
        return made


def shown(document: Json) -> Json:
    """An object without what only these books keep of it."""
    return {name: value for name, value in document.items() if not name.startswith("_")}
