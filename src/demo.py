"""`altayar demo`: the customer's journey, told step by step, as requests that anybody could send.

It knows nothing but the HTTP interface; only the mail that proves an address is read from a folder, where the
server is the demo's own.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from email import message_from_bytes
from email.policy import default as mail_policy
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import uuid4

import requests
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from demo_server import DemoFailed, Server
from infrastructure.seed_demo import DEMO_PASSWORD

PATIENCE_SECONDS: Final = 120.0
"""How long is waited for what workers do; far above what it takes."""
CUSTOMER_PASSWORD: Final = "A-journey-on-the-Nile-1"  # noqa: S105 - of an account that is made for the demo
STAFF: Final = "admin@altayar.test"

Json = dict[str, Any]
Found = TypeVar("Found")


class Story:
    """Sends the journey's requests and tells each: what was asked, what came back, what is different now."""

    def __init__(self, server: Server, console: Console) -> None:
        self.server = server
        self.console = console
        self._session = requests.Session()
        # Straight to the address that was given, whatever proxy the environment names.
        self._session.trust_env = False
        self._steps = 0
        self._asked: list[tuple[str, str]] = []

    def ask(self, method: str, path: str, *, as_: str = "", **sent: Any) -> requests.Response:
        """One request. Raises DemoFailed when the server cannot be reached, or refuses."""
        url = path if path.startswith("http") else f"{self.server.address}/api/v1{path}"
        headers = {"Accept-Language": "en", **sent.pop("headers", {})}
        if as_:
            headers["Authorization"] = f"Bearer {as_}"
        if method == "POST":
            headers["Idempotency-Key"] = uuid4().hex
        try:
            answer = self._session.request(method, url, headers=headers, timeout=30, allow_redirects=False, **sent)
        except requests.RequestException as error:
            raise DemoFailed(f"{method} {url}: no answer ({type(error).__name__})") from error
        if answer.status_code >= 400:
            raise DemoFailed(f"{method} {path} answered {answer.status_code}: {_reason(answer)}")
        told = f"{answer.status_code} {HTTPStatus(answer.status_code).phrase}"
        self._asked.append((f"{method} {_short(path, sent.get('params'))}", told))
        return answer

    def json(self, method: str, path: str, *, as_: str = "", **sent: Any) -> Json:
        """The same, for the document that it answers."""
        document: Json = self.ask(method, path, as_=as_, **sent).json()
        return document

    def wait(self, what: str, look: Callable[[], Found | None]) -> Found:
        """What `look` finds, as soon as it finds something; questions asked in vain are not told."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self.console.status(f"waiting for {what}"):
            while True:
                before = len(self._asked)
                found = look()
                if found is not None:
                    return found
                del self._asked[before:]
                if time.monotonic() > deadline:
                    raise DemoFailed(f"{what} did not come in {PATIENCE_SECONDS:.0f} s; do relay and workers run?")
                time.sleep(0.3)

    def tell(self, title: str, facts: Mapping[str, str]) -> None:
        """End a step: its requests with their answers, and below them what is different now."""
        self._steps += 1
        rows = [*self._asked, *facts.items()]
        self.table(f"{self._steps}. {title}", ("", ""), rows, sections=[len(self._asked)])

    def table(
        self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, sections: Sequence[int] = ()
    ) -> None:
        """Print a table with a line above each row that begins a section; what was asked until now is told."""
        table = Table(title=title, title_justify="left", title_style="bold", expand=True, show_header=any(columns))
        for name in columns:
            table.add_column(name, ratio=None if name else 1, overflow="fold")
        for number, row in enumerate(rows):
            if number in sections:
                table.add_section()
            table.add_row(*map(escape, row))
        self._asked.clear()
        self.console.print(table)
        self.console.print()


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
    _finish_trip(story, booking)
    customer.show_books()
    console.print(f"The invoice is at {path}", soft_wrap=True)
    return path


class _Customer:
    """Somebody new, and what they do."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._email = f"traveller-{uuid4().hex[:8]}@altayar.test"
        self._token = ""

    def _get(self, path: str, **sent: Any) -> Json:
        return self._story.json("GET", path, as_=self._token, **sent)

    def _post(self, path: str, body: Json) -> Json:
        return self._story.json("POST", path, as_=self._token, json=body)

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
        self._story.tell("Verify the e-mail", {"e-mail verified": _yes(user["email_verified"])})

    def sign_in(self) -> None:
        body = {"email": self._email, "password": CUSTOMER_PASSWORD}
        tokens = self._story.json("POST", "/auth/login", json=body)
        self._token = tokens["access_token"]
        self._story.tell("Sign in", {"signed in for": f"{tokens['expires_in']} s"})

    def become_gold(self) -> None:
        subscription = self._post("/memberships/subscriptions", {"plan_code": "GOLD"})
        self._pay_at_sandbox({"payable": {"type": "MEMBERSHIP", "id": subscription["id"]}})
        path = f"/memberships/subscriptions/{subscription['id']}"
        active = self._story.wait("the membership", lambda: self._once(path, "ACTIVE"))
        self._story.tell(
            "Buy a gold membership through the sandbox's checkout page",
            {
                "membership": active["membership_number"],
                "paid": _money(active["price"]),
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
            raise DemoFailed(f"quoted {_money(quote['total'])}, booked at {_money(booking['final_amount'])}")
        self._story.tell(
            "Quote and book",
            {
                **{line["description"]: _money(line["amount"]) for line in quote["lines"]},
                "total": _money(quote["total"]),
                "will earn": f"{quote['expected_points']} points, {_money(quote['expected_cashback'])} cashback",
                "booking": f"{booking['booking_number']}, {booking['status']}",
                "seats held until": booking["hold_expires_at"],
            },
        )
        return booking

    def pay(self, booking: Json) -> None:
        payment = self._pay_at_sandbox({"payable": {"type": "BOOKING", "id": booking["id"]}})
        confirmed = self._story.wait("the confirmation", lambda: self._once(f"/bookings/{booking['id']}", "CONFIRMED"))
        notes = self._story.wait("the messages", lambda: self._at_least("/notifications", 3))
        self._story.tell(
            "Pay through the sandbox's checkout page; its webhook confirms",
            {
                "payment": f"{payment['payment_number']}, {_money(payment['amount'])}",
                "booking": f"{confirmed['booking_number']}, {confirmed['status']}",
                "points": str(self._get("/points")["balance"]),
                "told in the app": ", ".join(dict.fromkeys(note["title"] for note in notes)),
            },
        )

    def _pay_at_sandbox(self, body: Json) -> Json:
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
                "tax": f"{_money(invoice['tax_amount'])} ({invoice['tax_rate']} %)",
                "total": _money(invoice["total_amount"]),
                "PDF": f"{len(drawn):,} bytes",
            },
        )
        return path

    def _drawn(self, invoice_id: str) -> bytes | None:
        answer = self._story.ask("GET", f"/invoices/{invoice_id}/pdf", as_=self._token, params={"lang": "both"})
        return answer.content if answer.status_code == 200 else None

    def pay_from_wallet(self, wanted: Json) -> None:
        """The same trip once more: money is put into the wallet first."""
        booking = self._post("/bookings", wanted)
        deposit = self._pay_at_sandbox({"payable": {"type": "WALLET_DEPOSIT"}, "amount": booking["amount_due"]})
        self._story.wait("the deposit", lambda: self._once(f"/payments/{deposit['id']}", "PAID"))
        before = self._get("/wallet", params={"currency": booking["amount_due"]["currency"]})
        self._post("/payments", {"payable": {"type": "BOOKING", "id": booking["id"]}, "method": "WALLET"})
        confirmed = self._get(f"/bookings/{booking['id']}")
        self._story.tell(
            "Put money into the wallet, and pay another booking from it",
            {
                "wallet after the deposit": _money(before["balance"]),
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
                ("wallet", _money(wallet["balance"]), f"{_money(wallet['available'])} available"),
                ("points", str(points["balance"]), f"{points['expiring_soon']} expire soon"),
                *(("cashback", _money(row["cashback_amount"]), row["status"]) for row in cashback),
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
    body = {"email": STAFF, "password": DEMO_PASSWORD}
    staff = story.json("POST", "/auth/login", json=body)["access_token"]
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


def _money(amount: Json) -> str:
    return f"{amount['currency']} {amount['amount']}"


def _yes(fact: object) -> str:
    return "yes" if fact else "no"


def _short(path: str, params: Mapping[str, object] | None) -> str:
    """A path as it reads well: no host, and of long ids enough to tell them apart."""
    path = re.sub(r"https?://[^/]+", "", path)
    path = re.sub(r"([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f-]{22,}|(?<=checkout/)([\w-]{8})[\w.-]+", r"\1\2…", path)
    return path + ("?" + "&".join(f"{name}={value}" for name, value in params.items()) if params else "")


def _reason(answer: requests.Response) -> str:
    """What a problem document says, its fields included."""
    try:
        problem: Json = answer.json()
    except ValueError:
        return answer.text[:200]
    faults = [f"{fault['pointer']} {fault['detail']}" for fault in problem.get("errors", [])]
    return "; ".join([f"{problem.get('title')}: {problem.get('detail')} ({problem.get('code')})", *faults])
