"""The demo's chapters on paying: a cash code, a card, two sources at once, money that comes too late, a refund.

Providers are played by fakes on loopback: what their customers do is said to them under `/_control` and on their pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from demo_providers import Providers
from demo_server import DemoFailed
from demo_story import Json, Story, money

SHORT_HOLD: Final = {"booking.hold_minutes": 1, "booking.grace_minutes": 0}
"""For two bookings of the demo, so that their time is over while the others are told."""


@dataclass(frozen=True, slots=True)
class Traveller:
    """Who pays, and for which trip: a token, and a request for a booking of it."""

    token: str
    wanted: Json


@dataclass(frozen=True, slots=True)
class Late:
    """A booking whose time will be over before its payment is made."""

    booking: Json
    payment: Json


def tell_payments(story: Story, traveller: Traveller) -> None:
    """All chapters, where the system is the demo's own. Raises DemoFailed."""
    providers = story.server.providers
    if providers is None:
        story.tell("Pay by cash code and by card, and get money back", {"left out": "these providers are not fakes"})
        return
    chapters = _Chapters(story, traveller, providers)
    kept, lost = chapters.book_for_a_minute()
    chapters.pay_a_cash_code()
    chapters.pay_by_card()
    both = chapters.pay_from_wallet_and_card()
    chapters.give_back_a_part(both)
    chapters.keep_the_trip(kept)
    chapters.choose_for(lost)


class _Chapters:
    def __init__(self, story: Story, traveller: Traveller, providers: Providers) -> None:
        self._story = story
        self._traveller = traveller
        self._providers = providers
        self._staff = story.as_staff()

    def _get(self, path: str) -> Json:
        return self._story.json("GET", path, as_=self._traveller.token)

    def _post(self, path: str, body: Json) -> Json:
        return self._story.json("POST", path, as_=self._traveller.token, json=body)

    def _as_staff(self, method: str, path: str, **sent: Any) -> Json:
        return self._story.json(method, path, as_=self._staff, **sent)

    def _book(self, departure_id: str | None = None) -> Json:
        named = {"departure_id": departure_id} if departure_id is not None else {}
        return self._post("/bookings", {**self._traveller.wanted, **named})

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

    def book_for_a_minute(self) -> tuple[Late, Late]:
        """Two bookings on other dates that will not be paid in time, and the card pages that were opened for them."""
        for key, value in SHORT_HOLD.items():
            self._as_staff("PUT", f"/admin/settings/{key}", json={"value": value})
        kept, lost = (self._late(departure["id"]) for departure in self._other_departures())
        self._as_before("booking.hold_minutes")
        self._story.tell(
            "Book twice for a minute only, and open card pages that will be paid too late",
            {
                "booking": f"{kept.booking['booking_number']}, held until {kept.booking['hold_expires_at']}",
                "another": f"{lost.booking['booking_number']}, on another date",
            },
        )
        return kept, lost

    def _late(self, departure_id: str) -> Late:
        booking = self._book(departure_id)
        return Late(booking, self._pay(booking, method="CREDIT_CARD", provider="STRIPE"))

    def _other_departures(self) -> list[Json]:
        path = f"/packages/{self._traveller.wanted['package_id']}/departures"
        shown: list[Json] = self._get(path)["items"]
        others = [row for row in shown if row["id"] != self._traveller.wanted["departure_id"] and row["seats_left"]]
        if len(others) < 2:
            raise DemoFailed("the demo needs two more departures with seats left")
        return others[:2]

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

    def keep_the_trip(self, late: Late) -> None:
        """Its time is over, and there are seats left: the money takes them again, as a booking of its own."""
        self._until(f"/bookings/{late.booking['id']}", "CANCELLED")
        self._as_before("booking.grace_minutes")
        self._at_stripe(late.payment)
        new = self._story.wait("the booking in its place", lambda: self._replacement(late.booking["id"]))
        self._story.tell(
            "Pay after the booking has expired: there are seats left, so the trip is kept, at its price",
            {
                "booking": f"{late.booking['booking_number']}, CANCELLED",
                "in its place": f"{new['booking_number']}, {new['status']}, {money(new['final_amount'])}",
            },
        )

    def _replacement(self, booking_id: str) -> Json | None:
        new = self._get(f"/bookings/{booking_id}")["replaced_by_booking_id"]
        return self._get(f"/bookings/{new}") if new is not None else None

    def choose_for(self, late: Late) -> None:
        """Its date is on sale no more: the money is kept and seen, and its owner says what becomes of it."""
        departure, path = f"/departures/{late.booking['departure_id']}", f"/bookings/{late.booking['id']}/late-payment"
        self._as_staff("POST", f"{departure}/close")
        self._at_stripe(late.payment)
        waiting = self._story.wait("the choice", lambda: self._waiting(path))
        [seen] = [row for row in self._as_staff("GET", _ATTENTION)["items"] if row["id"] == waiting["receipt_id"]]
        self._post(path, {"choice": "WALLET"})
        wallet = self._get(f"/wallet?currency={waiting['amount']['currency']}")
        self._as_staff("POST", f"{departure}/reopen")
        self._story.tell(
            "Pay after a date is on sale no more: the money is kept, and the customer chooses the wallet",
            {
                "seen by staff as": f"{seen['reason']}, {money(seen['amount'])}, {seen['detail']}",
                "the choice is open until": waiting["choose_until"],
                "wallet": money(wallet["balance"]),
            },
        )

    def _waiting(self, path: str) -> Json | None:
        items: list[Json] = self._get(path)["items"]
        return next(iter(items), None)


_ATTENTION: Final = "/admin/payments/attention"


def _half(amount: str) -> str:
    """Half of an amount, down to what its currency can say."""
    whole, _, decimals = amount.partition(".")
    minor = int(whole + decimals) // 2
    if not decimals:
        return str(minor)
    text = str(minor).zfill(len(decimals) + 1)
    return f"{text[: -len(decimals)]}.{text[-len(decimals) :]}"
