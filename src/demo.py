"""`altayar demo`: the customer's journey, told step by step, as requests that anybody could send.

It knows nothing but the HTTP interface; only the mail that proves an address is read from a folder, where the
server is the demo's own.
"""

from __future__ import annotations

import re
from email import message_from_bytes
from email.policy import default as mail_policy
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from rich.console import Console

from demo_bookings import tell_booking
from demo_payments import Traveller, tell_payments
from demo_payouts import tell_payouts
from demo_server import DemoFailed, Server
from demo_story import Json, Story, money, yes

CUSTOMER_PASSWORD: Final = "A-journey-on-the-Nile-1"  # noqa: S105 - of an account that is made for the demo


def tell_journey(server: Server, console: Console, output: Path) -> Path:
    """The whole journey; the invoice's PDF is left at `output`, or in it under the invoice's number.

    Raises DemoFailed at the first step that does not go as it should.
    """
    story = Story(server, console)
    customer = _Customer(story)
    customer.register()
    customer.prove_address()
    customer.sign_in()
    customer.become_gold()
    wanted = customer.find()
    booking = customer.book(wanted)
    customer.pay(booking)
    path = customer.fetch_invoice(booking, output)
    customer.pay_from_wallet(wanted)
    tell_booking(story, Traveller(customer.token, customer.later(wanted)), customer.pay_at_sandbox)
    _finish_trip(story, booking)
    tell_payments(story, Traveller(customer.token, wanted))
    tell_payouts(story, customer.token, customer.pay_at_sandbox)
    customer.show_books()
    console.print(f"The invoice is at {path}", soft_wrap=True)
    return path


class _Customer:
    """Somebody new, and what they do."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._email = f"traveller-{uuid4().hex[:8]}@altayar.test"
        self.token = ""

    def _get(self, path: str, **sent: Any) -> Json:
        return self._story.json("GET", path, as_=self.token, **sent)

    def _post(self, path: str, body: Json) -> Json:
        return self._story.json("POST", path, as_=self.token, json=body)

    def register(self) -> None:
        body = {
            "email": self._email,
            "password": CUSTOMER_PASSWORD,
            "first_name": "ليلى",
            "last_name": "Hassan",
            "phone": "01000000000",
        }
        user = self._story.json("POST", "/auth/register", json=body)["user"]
        self._story.tell("Register", {"account": user["email"], "tier": user["membership"]["tier_code"]})

    def prove_address(self) -> None:
        """Open the link of the mail, where the server's mails are ours to read; nobody is kept from booking else."""
        folder = self._story.server.mail
        if folder is None:
            self._story.tell("Verify the e-mail", {"left out": "the mails of this server are not ours to read"})
            return
        token = self._story.wait("the mail", lambda: _token_mailed_to(self._email, folder))
        user = self._story.json("POST", "/auth/verify-email", json={"token": token})
        self._story.tell("Verify the e-mail", {"e-mail verified": yes(user["email_verified"])})

    def sign_in(self) -> None:
        body = {"email": self._email, "password": CUSTOMER_PASSWORD}
        tokens = self._story.json("POST", "/auth/login", json=body)
        self.token = tokens["access_token"]
        self._story.tell("Sign in", {"signed in for": f"{tokens['expires_in']} s"})

    def become_gold(self) -> None:
        subscription = self._post("/memberships/subscriptions", {"plan_code": "GOLD"})
        self.pay_at_sandbox({"payable": {"type": "MEMBERSHIP", "id": subscription["id"]}})
        path = f"/memberships/subscriptions/{subscription['id']}"
        active = self._story.wait("the membership", lambda: self._once(path, "ACTIVE"))
        self._story.tell(
            "Buy a gold membership through the sandbox's checkout page",
            {
                "membership": active["membership_number"],
                "paid": money(active["price"]),
                "active until": active["expiry_date"],
            },
        )

    def find(self) -> Json:
        """A departure with seats of a package that its own words find in both languages."""
        package = self._bookable()
        arabic, english = _words(package["name_ar"]), _words(package["name_en"])
        found = {
            language: self._get("/packages", params={"q": words}, headers={"Accept-Language": language})["items"]
            for language, words in (("ar", arabic), ("en", english))
        }
        for items in found.values():
            if package["id"] not in [row["id"] for row in items]:
                raise DemoFailed(f"search does not find {package['name_en']}")
        departures = self._get(f"/packages/{package['slug']}/departures")["items"]
        departure = next((row for row in departures if row["seats_left"] >= 2), None)
        if departure is None:
            raise DemoFailed(f"{package['name_en']} has no departure with two seats left")
        self._story.tell(
            "Search in Arabic and in English, and choose a departure",
            {
                f"«{arabic}»": f"{len(found['ar'])} found",
                f"“{english}”": f"{len(found['en'])} found",
                "package": package["name_en"],
                "departure": f"{departure['starts_on']}, {departure['seats_left']} seats left",
            },
        )
        return {"package_id": package["id"], "departure_id": departure["id"], "travelers_count": 1}

    def later(self, wanted: Json) -> Json:
        """The same on its last date on sale, which is far enough to be cancelled for nothing."""
        departures = self._get(f"/packages/{wanted['package_id']}/departures")["items"]
        return {**wanted, "departure_id": departures[-1]["id"]}

    def _bookable(self) -> Json:
        packages = self._get("/packages", params={"limit": 100})["items"]
        fitting = (row for row in packages if row["next_departure"] and row["min_travelers"] == 1)
        package: Json | None = next(fitting, None)
        if package is None:
            raise DemoFailed("nothing is on sale here; the demo's catalogue comes with: altayar seed --demo")
        return package

    def book(self, wanted: Json) -> Json:
        quote = self._post("/quotes", wanted)
        booking = self._post("/bookings", wanted)
        if booking["final_amount"] != quote["total"]:
            raise DemoFailed(f"quoted {money(quote['total'])}, booked at {money(booking['final_amount'])}")
        self._story.tell(
            "Quote and book",
            {
                **{line["description"]: money(line["amount"]) for line in quote["lines"]},
                "total": money(quote["total"]),
                "will earn": f"{quote['expected_points']} points, {money(quote['expected_cashback'])} cashback",
                "booking": f"{booking['booking_number']}, {booking['status']}",
                "seats held until": booking["hold_expires_at"],
            },
        )
        return booking

    def pay(self, booking: Json) -> None:
        payment = self.pay_at_sandbox({"payable": {"type": "BOOKING", "id": booking["id"]}})
        confirmed = self._story.wait("the confirmation", lambda: self._once(f"/bookings/{booking['id']}", "CONFIRMED"))
        notes = self._story.wait("the messages", lambda: self._at_least("/notifications", 3))
        self._story.tell(
            "Pay through the sandbox's checkout page; its webhook confirms",
            {
                "payment": f"{payment['payment_number']}, {money(payment['amount'])}",
                "booking": f"{confirmed['booking_number']}, {confirmed['status']}",
                "points": str(self._get("/points")["balance"]),
                "told in the app": ", ".join(dict.fromkeys(note["title"] for note in notes)),
            },
        )

    def pay_at_sandbox(self, body: Json) -> Json:
        payment = self._post("/payments", {**body, "method": "CREDIT_CARD", "provider": "SANDBOX"})
        page = payment["checkout"]["url"]
        self._story.ask("GET", page)
        self._story.ask("POST", page, data={"outcome": "paid"})
        return payment

    def fetch_invoice(self, booking: Json, output: Path) -> Path:
        query = f"/invoices?booking_id={booking['id']}"
        (invoice,) = self._story.wait("the invoice", lambda: self._at_least(query, 1))
        drawn = self._story.wait("its PDF", lambda: self._drawn(invoice["id"]))
        path = output if output.suffix.lower() == ".pdf" else output / f"{invoice['invoice_number']}.pdf"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(drawn)
        except OSError as error:
            raise DemoFailed(f"the invoice cannot be left at {path}: {error.strerror}") from error
        self._story.tell(
            "Fetch the invoice in Arabic and English",
            {
                "invoice": f"{invoice['invoice_number']}, {invoice['status']}",
                "tax": f"{money(invoice['tax_amount'])} ({invoice['tax_rate']} %)",
                "total": money(invoice["total_amount"]),
                "PDF": f"{len(drawn):,} bytes",
            },
        )
        return path

    def _drawn(self, invoice_id: str) -> bytes | None:
        answer = self._story.ask("GET", f"/invoices/{invoice_id}/pdf", as_=self.token, params={"lang": "both"})
        return answer.content if answer.status_code == 200 else None

    def pay_from_wallet(self, wanted: Json) -> None:
        """The same trip once more: money is put into the wallet first."""
        booking = self._post("/bookings", wanted)
        deposit = self.pay_at_sandbox({"payable": {"type": "WALLET_DEPOSIT"}, "amount": booking["amount_due"]})
        self._story.wait("the deposit", lambda: self._once(f"/payments/{deposit['id']}", "PAID"))
        before = self._get("/wallet", params={"currency": booking["amount_due"]["currency"]})
        self._post("/payments", {"payable": {"type": "BOOKING", "id": booking["id"]}, "method": "WALLET"})
        confirmed = self._get(f"/bookings/{booking['id']}")
        self._story.tell(
            "Put money into the wallet, and pay another booking from it",
            {
                "wallet after the deposit": money(before["balance"]),
                "booking": f"{confirmed['booking_number']}, {confirmed['status']}",
                "payment": confirmed["payment_status"],
            },
        )

    def show_books(self) -> None:
        """Balances, and every entry of the customer's own accounts."""
        cashback = self._get("/cashback")["items"]
        unit = cashback[0]["cashback_amount"]["currency"] if cashback else "EGP"
        wallet = self._get("/wallet", params={"currency": unit})
        points = self._get("/points")
        self._story.table(
            "Balances",
            ("account", "balance", "remark"),
            [
                ("wallet", money(wallet["balance"]), f"{money(wallet['available'])} available"),
                ("points", str(points["balance"]), f"{points['expiring_soon']} expire soon"),
                *(("cashback", money(row["cashback_amount"]), row["status"]) for row in cashback),
            ],
        )
        wallet_entries = self._get("/wallet/entries", params={"currency": unit})["items"]
        points_entries = self._get("/points/entries")["items"]
        self._story.table(
            "Ledger entries, newest first",
            ("account", "#", "type", "amount", "balance", "what"),
            [
                *(
                    _entry("wallet", row, row["amount"]["amount"], row["balance_after"]["amount"])
                    for row in wallet_entries
                ),
                *(_entry("points", row, str(row["amount"]), str(row["balance_after"])) for row in points_entries),
            ],
        )

    def _once(self, path: str, status: str) -> Json | None:
        shown = self._get(path)
        return shown if shown["status"] == status else None

    def _at_least(self, path: str, number: int) -> list[Json] | None:
        items: list[Json] = self._get(path)["items"]
        return items if len(items) >= number else None


def _entry(account: str, row: Json, amount: str, balance: str) -> tuple[str, ...]:
    return account, str(row["sequence"]), row["transaction_type"], amount, balance, row["description"]


def _finish_trip(story: Story, booking: Json) -> None:
    """Staff start and complete the trip ahead of its dates, with a reason; cashback is promised."""
    staff = story.as_staff()
    reason = {"override_reason": "demonstration"}
    for step in ("start", "complete"):
        shown = story.json("POST", f"/bookings/{booking['id']}/{step}", as_=staff, json=reason)
    history = story.json("GET", f"/bookings/{booking['id']}/history", as_=staff)["items"]
    steps = " → ".join(step["to_status"] for step in history)
    story.tell("Staff start and complete the trip", {"booking": f"{shown['booking_number']}: {steps}"})


def _token_mailed_to(email: str, folder: Path) -> str | None:
    """The token of the verification mail, once it lies in the folder."""
    for path in sorted(folder.glob("*.eml")):
        mail = message_from_bytes(path.read_bytes(), policy=mail_policy)
        body = mail.get_body(("plain",))
        found = re.search(r"/verify-email\?token=([\w-]+)", body.get_content() if body else "")
        if found and email in str(mail["To"]):
            return found.group(1)
    return None


def _words(name: str) -> str:
    """The first two words of a name: what somebody might type."""
    return " ".join(name.split()[:2])
