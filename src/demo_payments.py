"""The demo's chapters on paying: a cash code, a card, two sources at once, money that comes too late, a refund.

Providers are played by fakes on loopback: what their customers do is said to them under `/_control` and on their pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from demo_providers import Providers
from demo_story import Json, Story, money
from infrastructure.seed_demo import DEMO_PASSWORD

STAFF: Final = "admin@altayar.test"
SHORT_HOLD: Final = {"booking.hold_minutes": 1, "booking.grace_minutes": 0}
"""For one booking of the demo, so that its time is over while the others are told."""


@dataclass(frozen=True, slots=True)
class Traveller:
    """Who pays, and for which trip: a token, and a request for a booking of it."""

    token: str
    wanted: Json


def tell_payments(story: Story, traveller: Traveller) -> None:
    """All chapters, where the system is the demo's own. Raises DemoFailed."""
    providers = story.server.providers
    if providers is None:
        story.tell("Pay by cash code and by card, and get money back", {"left out": "these providers are not fakes"})
        return
    chapters = _Chapters(story, traveller, providers)
    late = chapters.book_for_a_minute()
    chapters.pay_a_cash_code()
    chapters.pay_by_card()
    both = chapters.pay_from_wallet_and_card()
    chapters.give_back_a_part(both)
    chapters.pay_too_late(late)


class _Chapters:
    def __init__(self, story: Story, traveller: Traveller, providers: Providers) -> None:
        self._story = story
        self._traveller = traveller
        self._providers = providers
        body = {"email": STAFF, "password": DEMO_PASSWORD}
        self._staff: str = story.json("POST", "/auth/login", json=body)["access_token"]

    def _get(self, path: str) -> Json:
        return self._story.json("GET", path, as_=self._traveller.token)

    def _post(self, path: str, body: Json) -> Json:
        return self._story.json("POST", path, as_=self._traveller.token, json=body)

    def _as_staff(self, method: str, path: str, **sent: Any) -> Json:
        return self._story.json(method, path, as_=self._staff, **sent)

    def _book(self) -> Json:
        return self._post("/bookings", self._traveller.wanted)

    def _pay(self, booking: Json, **how: Any) -> Json:
        return self._post("/payments", {"payable": {"type": "BOOKING", "id": booking["id"]}, **how})

    def _fawry(self, booking: Json) -> Json:
        return self._pay(booking, method="FAWRY", provider="FAWATERK")

    def _at_the_counter(self, payment: Json) -> None:
        """Somebody pays the code with cash; Fawaterk tells of it by webhook."""
        url = f"{self._providers.fawaterk}/_control/pay"
        self._story.ask("POST", url, json={"invoice_id": payment["provider_reference"]})

    def _at_stripe(self, payment: Json) -> None:
        """The customer presses the button on Stripe's page."""
        page = payment["checkout"]["url"]
        self._story.ask("GET", page)
        self._story.ask("POST", page, data={"outcome": "pay"})

    def _until(self, path: str, status: str) -> Json:
        return self._story.wait(f"{status}", lambda: self._once(path, status))

    def _once(self, path: str, status: str) -> Json | None:
        shown = self._get(path)
        return shown if shown["status"] == status else None

    def book_for_a_minute(self) -> tuple[Json, Json]:
        """A booking that will not be paid in time, and the cash code that was given out for it."""
        for key, value in SHORT_HOLD.items():
            self._as_staff("PUT", f"/admin/settings/{key}", json={"value": value})
        booking = self._book()
        payment = self._fawry(booking)
        self._as_before("booking.hold_minutes")
        self._story.tell(
            "Book for a minute only, and take a cash code that will be paid too late",
            {
                "booking": f"{booking['booking_number']}, held until {booking['hold_expires_at']}",
                "Fawry code": payment["checkout"]["reference_number"],
            },
        )
        return booking, payment

    def _as_before(self, key: str) -> None:
        self._story.ask("DELETE", f"/admin/settings/{key}", as_=self._staff)

    def pay_a_cash_code(self) -> None:
        booking = self._book()
        payment = self._fawry(booking)
        self._at_the_counter(payment)
        self._until(f"/bookings/{booking['id']}", "CONFIRMED")
        paid = self._get(f"/payments/{payment['id']}")
        self._story.tell(
            "Pay a Fawry code with cash; Fawaterk's webhook is checked against its own books",
            {
                "Fawry code": payment["checkout"]["reference_number"],
                "payment": f"{paid['payment_number']}, {money(paid['amount'])}, {paid['status']}",
            },
        )

    def pay_by_card(self) -> None:
        booking = self._book()
        payment = self._pay(booking, method="CREDIT_CARD", provider="STRIPE")
        self._at_stripe(payment)
        self._until(f"/bookings/{booking['id']}", "CONFIRMED")
        paid = self._get(f"/payments/{payment['id']}")
        self._story.tell(
            "Pay by card on Stripe's page",
            {"payment": f"{paid['payment_number']}, {money(paid['amount'])}, {paid['status']}"},
        )

    def pay_from_wallet_and_card(self) -> Json:
        """Half of a booking from the wallet, the rest by card; the payment."""
        booking = self._book()
        half = {**booking["amount_due"], "amount": _half(booking["amount_due"]["amount"])}
        deposit = {"amount": half, "method": "CREDIT_CARD", "provider": "STRIPE"}
        filled = self._post("/wallet/deposits", deposit)
        self._at_stripe(filled)
        self._until(f"/payments/{filled['id']}", "PAID")
        payment = self._pay(
            booking, method="CREDIT_CARD", provider="STRIPE", tenders=[{"type": "WALLET", "amount": half}]
        )
        held = self._get(f"/wallet?currency={half['currency']}")["held"]
        self._at_stripe(payment)
        paid = self._until(f"/payments/{payment['id']}", "PAID")
        self._story.tell(
            "Pay half from the wallet and half by card: both are taken, or neither",
            {
                "set aside in the wallet meanwhile": money(held),
                **{f"{part['type'].lower()}, {part['method']}": money(part["amount"]) for part in paid["tenders"]},
                "booking": self._get(f"/bookings/{booking['id']}")["payment_status"],
            },
        )
        return paid

    def give_back_a_part(self, payment: Json) -> None:
        """Staff refund a quarter of it: each part goes back to where it came from."""
        quarter = {**payment["amount"], "amount": _half(_half(payment["amount"]["amount"]))}
        body = {"amount": quarter, "reason": "the demonstration gives a quarter back"}
        refund = self._as_staff("POST", f"/payments/{payment['id']}/refunds", json=body)
        done = self._story.wait("the refund", lambda: self._refunded(refund["id"]))
        after = self._get(f"/payments/{payment['id']}")
        self._story.tell(
            "Give a quarter back: to wallet and card, in proportion",
            {
                "refund": f"{done['refund_number']}, {money(done['amount'])}, {done['status']}",
                **{f"back to {part['type'].lower()}": money(part["refunded"]) for part in after["tenders"]},
                "payment": after["status"],
            },
        )

    def _refunded(self, refund_id: str) -> Json | None:
        shown = self._as_staff("GET", f"/refunds/{refund_id}")
        return shown if shown["status"] == "SUCCEEDED" else None

    def pay_too_late(self, late: tuple[Json, Json]) -> None:
        """The code of the booking whose time is over is paid after all; staff put the money into the wallet."""
        booking, payment = late
        self._until(f"/bookings/{booking['id']}", "CANCELLED")
        self._as_before("booking.grace_minutes")
        self._at_the_counter(payment)
        item = self._story.wait("the money in suspense", lambda: self._suspended(payment["id"]))
        self._as_staff("POST", f"{_ATTENTION}/suspense/{item['id']}/wallet", json={"reason": "paid after its time"})
        wallet = self._get(f"/wallet?currency={payment['amount']['currency']}")
        self._story.tell(
            "Pay a code whose booking has expired: the money is kept, seen, and given to its owner",
            {
                "booking": f"{booking['booking_number']}, CANCELLED",
                "seen by staff as": f"{item['reason']}, {money(item['amount'])}",
                "wallet": money(wallet["balance"]),
            },
        )

    def _suspended(self, payment_id: str) -> Json | None:
        items: list[Json] = self._as_staff("GET", _ATTENTION)["items"]
        return next((item for item in items if item["payment_id"] == payment_id and "SUSPENSE" in item["reason"]), None)


_ATTENTION: Final = "/admin/payments/attention"


def _half(amount: str) -> str:
    """Half of an amount, down to what its currency can say."""
    whole, _, decimals = amount.partition(".")
    minor = int(whole + decimals) // 2
    if not decimals:
        return str(minor)
    text = str(minor).zfill(len(decimals) + 1)
    return f"{text[: -len(decimals)]}.{text[-len(decimals) :]}"
