"""The demo's chapter on a booking's life: a voucher, a price that is kept, another date, and a cancellation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from demo_payments import Traveller
from demo_story import Json, Story, money

TENTH: Final = {"voucher_type": "DISCOUNT_PERCENTAGE", "discount_value": "10.00"}

Pay = Callable[[Json], Json]
"""Pays what such a body names through a checkout page that is at hand; the payment."""


def tell_booking(story: Story, traveller: Traveller, pay: Pay) -> None:
    """The chapter, on a trip that `traveller` wants. Raises DemoFailed."""
    chapter = _Chapter(story, traveller, pay)
    booking = chapter.book_with_a_voucher(chapter.make_a_voucher())
    chapter.take_somebody_along(booking)
    chapter.cancel(booking)


@dataclass(frozen=True, slots=True)
class _Chapter:
    _story: Story
    _traveller: Traveller
    _pay: Pay

    def _get(self, path: str) -> Json:
        return self._story.json("GET", path, as_=self._traveller.token)

    def _post(self, path: str, body: Json) -> Json:
        return self._story.json("POST", path, as_=self._traveller.token, json=body)

    def make_a_voucher(self) -> str:
        """Staff make a tenth off everything, for one use; its code."""
        staff = self._story.as_staff()
        code = f"DEMO-{uuid4().hex[:8].upper()}"
        named = {"title_ar": "خصم العُشر", "title_en": "A tenth off", "is_public": True, "usage_limit_total": 1}
        made = self._story.json("POST", "/vouchers", as_=staff, json={"code": code, **TENTH, **named})
        self._story.tell("Staff make a voucher for one use", {"voucher": f"{made['code']}, {made['status']}"})
        return code

    def book_with_a_voucher(self, code: str) -> Json:
        wanted = {**self._traveller.wanted, "voucher_code": code}
        quote = self._post("/quotes", wanted)
        booking = self._post("/bookings", {**wanted, "quote_token": quote["quote_token"]})
        again = self._post("/quotes", wanted)["not_applied"]
        self._story.tell(
            "Book with the voucher, at the price of the quote or not at all",
            {
                **{line["description"]: money(line["amount"]) for line in quote["lines"]},
                "booked at": money(booking["final_amount"]),
                "the same voucher again": ", ".join(row["reason"] for row in again),
            },
        )
        return self._paid(booking)

    def _paid(self, booking: Json) -> Json:
        self._pay({"payable": {"type": "BOOKING", "id": booking["id"]}})
        return self._story.wait("the payment", lambda: self._settled(booking["id"]))

    def _settled(self, booking_id: str) -> Json | None:
        shown = self._get(f"/bookings/{booking_id}")
        return shown if shown["status"] == "CONFIRMED" and shown["payment_status"] == "PAID" else None

    def take_somebody_along(self, booking: Json) -> None:
        """One traveller more: the seat is held, and theirs once the difference is paid."""
        path = f"/bookings/{booking['id']}/amendments"
        body = {"travelers_count": booking["travelers_count"] + 1}
        plan = self._post(f"{path}/preview", body)
        amendment = self._post(path, {**body, "preview_token": plan["token"]})
        self._pay({"payable": {"type": "BOOKING", "id": booking["id"]}})
        applied = self._story.wait("the change", lambda: self._applied(path, amendment["id"]))
        self._story.tell(
            "Take somebody along: the difference is shown, held and paid",
            {
                "the trip costs now": money(plan["after"]["final_amount"]),
                "difference": money(plan["difference"]),
                "amendment": f"{amendment['status']}, then {applied['status']}",
            },
        )

    def _applied(self, path: str, amendment_id: str) -> Json | None:
        amendments = self._get(path)["items"]
        return next((row for row in amendments if row["id"] == amendment_id and row["status"] == "APPLIED"), None)

    def cancel(self, booking: Json) -> None:
        """What the preview shows is what happens."""
        path = f"/bookings/{booking['id']}"
        plan = self._get(f"{path}/cancellation-preview")
        self._post(f"{path}/cancel", {"reason": "another plan", "preview_token": plan["token"]})
        ended = self._story.wait("the money", lambda: self._given_back(path, plan))
        self._story.tell(
            "Cancel: the preview is what happens",
            {
                "the terms give back": f"{plan['applies']['refund_percent']} %",
                "fee": money(plan["kept_fee"]),
                "given back": money(ended["refunded_amount"]),
                "booking": f"{ended['booking_number']}, {ended['status']}, {ended['payment_status']}",
            },
        )

    def _given_back(self, path: str, plan: Json) -> Json | None:
        shown = self._get(path)
        return shown if shown["refunded_amount"] == plan["refund"] else None
