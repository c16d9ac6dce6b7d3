"""The demo's chapter on paying a vendor: its share of a completed trip, a batch by one person, approved by another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from demo_server import DemoFailed
from demo_story import Json, Story, money

VENDOR: Final = "vendor@altayar.test"
MAKER: Final = "finance@altayar.test"

Pay = Callable[[Json], Json]


def tell_payouts(story: Story, traveller: str, pay: Pay) -> None:
    """The chapter, on a trip of the demo's vendor that somebody takes, named by a token. Raises DemoFailed."""
    chapter = _Chapter(story, traveller, pay, vendor=story.signed_in(VENDOR))
    booking = chapter.take_the_vendors_trip()
    chapter.see_the_share(booking)
    batch = chapter.make_and_approve()
    chapter.send(batch)
    chapter.see_what_is_on_its_way()


@dataclass(frozen=True, slots=True)
class _Chapter:
    _story: Story
    _traveller: str
    _pay: Pay
    vendor: str

    def take_the_vendors_trip(self) -> Json:
        """The traveller books and pays something of the vendor's; staff say that the trip is over."""
        booking = self._story.json("POST", "/bookings", as_=self._traveller, json=self._wanted())
        self._pay({"payable": {"type": "BOOKING", "id": booking["id"]}})
        self._story.wait("the payment", lambda: self._confirmed(booking["id"]))
        staff, reason = self._story.as_staff(), {"override_reason": "demonstration"}
        for step in ("start", "complete"):
            shown = self._story.json("POST", f"/bookings/{booking['id']}/{step}", as_=staff, json=reason)
        self._story.tell(
            "A trip of a vendor's is paid and over",
            {"booking": shown["booking_number"], "paid": money(booking["final_amount"])},
        )
        return booking

    def _wanted(self) -> Json:
        """Two seats on the next date of something that is the vendor's."""
        packages = self._story.json("GET", "/packages", params={"limit": 100})["items"]
        for package in (row for row in packages if row["next_departure"] and row["min_travelers"] <= 2):
            shown = self._story.json("GET", f"/packages/{package['slug']}", as_=self.vendor)
            # How a package was reviewed is shown to its own vendor alone.
            if shown["approval"] is None:
                continue
            departures = self._story.json("GET", f"/packages/{package['slug']}/departures")["items"]
            free = next((row for row in departures if row["seats_left"] >= 2), None)
            if free is not None:
                return {"package_id": package["id"], "departure_id": free["id"], "travelers_count": 2}
        raise DemoFailed("the demo's vendor has nothing on sale")

    def _confirmed(self, booking_id: str) -> Json | None:
        shown = self._story.json("GET", f"/bookings/{booking_id}", as_=self._traveller)
        return shown if shown["status"] == "CONFIRMED" and shown["payment_status"] == "PAID" else None

    def see_the_share(self, booking: Json) -> None:
        entry = self._story.wait("the vendor's share", lambda: self._entry_of(booking["id"]))
        self._story.tell(
            "Its vendor sees the share that was agreed when it was sold",
            {entry["reason"]: money(entry["amount"]), "state": entry["state"]},
        )

    def _entry_of(self, booking_id: str) -> Json | None:
        entries = self._story.json("GET", "/payouts", as_=self.vendor)["entries"]
        return next((row for row in entries if row["booking_id"] == booking_id), None)

    def make_and_approve(self) -> Json:
        """Finance makes the batch and cannot approve it; somebody else can."""
        maker, checker = self._story.signed_in(MAKER), self._story.as_staff()
        batch = self._story.json(
            "POST", "/admin/payout-batches", as_=maker, json={"period": "WEEKLY", "payee_type": "ALL"}
        )
        if not batch["payouts"]:
            raise DemoFailed("the batch pays nobody")
        approved = self._story.json("POST", f"/admin/payout-batches/{batch['id']}/approve", as_=checker)
        self._story.tell(
            "Finance makes a payout batch, and somebody else approves it",
            {
                "batch": f"{batch['batch_number']}: {batch['status']} → {approved['status']}",
                **{row["payout_number"]: money(row["amount"]) for row in batch["payouts"]},
            },
        )
        return approved

    def send(self, batch: Json) -> None:
        staff, path = self._story.as_staff(), f"/admin/payout-batches/{batch['id']}"
        self._story.json("POST", f"{path}/process", as_=staff)
        document = self._story.ask("GET", f"{path}/bank-file", as_=staff, params={"format": "pain.001"}).text
        self._story.tell(
            "The bank's file is complete, whoever asks for it, and however often",
            {"ISO 20022": f"pain.001.001.09, {len(document.encode()):,} bytes"},
        )

    def see_what_is_on_its_way(self) -> None:
        standing = self._story.json("GET", "/payouts", as_=self.vendor)
        self._story.tell(
            "Its vendor sees what is on its way",
            {"in transit": ", ".join(money(each) for each in standing["in_transit"])},
        )
