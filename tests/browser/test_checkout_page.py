"""The sandbox's checkout page in headless Chromium, from a real server."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from domain.billing.sandbox import Outcome
from domain.shared.money import Money
from tests.browser.conftest import CHROMIUM, NewTab
from tests.contract.gateway_contract import a_request

if TYPE_CHECKING:
    from infrastructure.bootstrap import Running

ENGLISH = {
    Outcome.PAID: "It is paid now",
    Outcome.DECLINED: "It is declined",
    Outcome.LATE: "It is paid late",
    Outcome.TWICE: "It is paid twice",
    Outcome.SHORT: "It is paid short",
    Outcome.NEVER: "Nothing happens",
}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.database,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (make setup says how)"),
]

Open = Callable[..., str]


@pytest.fixture
def shop() -> Iterator[str]:
    """A merchant's site of another origin, which customers are sent back to."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<!DOCTYPE html><title>The shop</title><link rel=icon href='data:,'><h1>Welcome back</h1>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def open_page(running: Running, address: str) -> Open:
    """Opens a checkout as the application does; answers its page's address."""

    def opened(**asked: Any) -> str:
        back = f"{address}/payments/return?payment={uuid4()}"
        request = dataclasses.replace(
            a_request(Money.of(149_910, "EGP"), attempt_id=uuid4(), webhook_url="http://127.0.0.1:9/none"),
            description="PAY-2026-000042",
            success_url=f"{back}&outcome=success",
            cancel_url=f"{back}&outcome=cancel",
        )
        checkout = running.dependencies.gateways.get("SANDBOX").create_checkout(dataclasses.replace(request, **asked))
        return f"{address}/sandbox/checkout/{(checkout.url or '').rpartition('/')[2]}"

    return opened


def charged(running: Running) -> list[int]:
    return [row["amount_minor"] for row in running.database.rows("SELECT amount_minor FROM sandbox_charges")]


@pytest.mark.parametrize("scripts", [True, False])
def test_a_customer_pays_in_english(new_tab: NewTab, open_page: Open, running: Running, scripts: bool) -> None:
    tab = new_tab(scripts=scripts)
    tab.page.goto(open_page(locale="en"))
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Sandbox checkout")
    expect(tab.page.get_by_text("EGP 1,499.10")).to_be_visible()
    expect(tab.page.get_by_text("PAY-2026-000042")).to_be_visible()
    tab.picture("checkout-en")
    tab.page.get_by_role("radio", name=ENGLISH[Outcome.PAID], exact=True).check()
    tab.page.get_by_role("button", name="Continue").click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("We are checking your payment")
    tab.picture("return-success-en")
    assert charged(running) == [149_910]
    assert tab.complaints == []


def test_a_customer_reads_arabic_from_right_to_left_and_is_declined(
    new_tab: NewTab, open_page: Open, running: Running
) -> None:
    tab = new_tab()
    tab.page.goto(open_page(locale="ar"))
    assert tab.page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["ar", "rtl"]
    amount, label = tab.page.locator("dd").first.bounding_box(), tab.page.locator("dt").first.bounding_box()
    assert amount is not None and label is not None and amount["x"] < label["x"]
    tab.picture("checkout-ar")
    tab.page.get_by_role("radio", name="تُرفض").check()
    tab.picture("checkout-ar-chosen")
    tab.page.get_by_role("button", name="متابعة").click()
    expect(tab.page.get_by_text("لم يكتمل الدفع")).to_be_visible()
    tab.picture("return-cancel")
    assert charged(running) == []
    assert tab.complaints == []


def test_the_language_is_switched_and_stays_through_the_form(new_tab: NewTab, open_page: Open) -> None:
    tab = new_tab()
    url = open_page(locale="ar", amount=Money.of(1, "EGP"))
    tab.page.goto(url)
    tab.page.get_by_role("link", name="English").click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Sandbox checkout")
    tab.page.get_by_role("radio", name=ENGLISH[Outcome.SHORT]).check()
    tab.page.get_by_role("button", name="Continue").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("Half of this amount cannot be paid")
    tab.picture("checkout-fault-en")
    tab.page.get_by_role("link", name="العربية").click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("صفحة الدفع التجريبية")


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_a_labelled_choice_that_leads_back_to_another_site(
    new_tab: NewTab, open_page: Open, shop: str, outcome: Outcome
) -> None:
    tab = new_tab()
    tab.page.goto(open_page(locale="en", success_url=f"{shop}/ok", cancel_url=f"{shop}/cancel"))
    tab.page.get_by_role("radio", name=ENGLISH[outcome], exact=True).check()
    tab.page.get_by_role("button", name="Continue").click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Welcome back")
    way = "cancel" if outcome in (Outcome.DECLINED, Outcome.NEVER) else "ok"
    assert (tab.page.url, tab.complaints) == (f"{shop}/{way}", [])


def test_the_keyboard_is_enough(new_tab: NewTab, open_page: Open, running: Running) -> None:
    tab = new_tab()
    tab.page.goto(open_page(locale="en"))
    tab.page.keyboard.press("Tab")
    expect(tab.page.get_by_role("link", name="العربية")).to_be_focused()
    tab.page.keyboard.press("Tab")
    expect(tab.page.get_by_role("radio", name=ENGLISH[Outcome.PAID], exact=True)).to_be_focused()
    tab.page.keyboard.press("ArrowDown")
    expect(tab.page.get_by_role("radio", name=ENGLISH[Outcome.DECLINED])).to_be_checked()
    tab.page.keyboard.press("ArrowUp")
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("We are checking your payment")
    assert charged(running) == [149_910]


def test_nothing_is_fetched_from_elsewhere_and_the_style_is_applied(
    new_tab: NewTab, open_page: Open, address: str
) -> None:
    tab = new_tab()
    tab.page.goto(open_page())
    assert [url for url in tab.asked if not url.startswith((address, "data:"))] == []
    assert tab.page.evaluate("getComputedStyle(document.querySelector('header')).backgroundColor") == "rgb(15, 42, 71)"


@pytest.mark.parametrize("language", ["ar", "en"])
def test_the_page_fits_a_phone(new_tab: NewTab, open_page: Open, language: str) -> None:
    tab = new_tab(width=320, height=700)
    tab.page.goto(open_page(locale=language, amount=Money.of(10**14, "KWD"), description="W" * 60))
    tab.picture(f"checkout-phone-{language}")
    assert not tab.is_too_wide


def test_what_a_customer_wrote_is_text(new_tab: NewTab, open_page: Open) -> None:
    tab = new_tab()
    hostile = "<img src=x onerror=alert(1)><script>document.title='taken'</script>"
    tab.page.goto(open_page(locale="en", description=hostile))
    expect(tab.page.get_by_text(hostile)).to_be_visible()
    assert (tab.page.title(), tab.complaints) == ("Sandbox checkout · AltayarVIP", [])


def test_a_decided_checkout_says_so_and_leads_back(new_tab: NewTab, open_page: Open, shop: str) -> None:
    tab = new_tab()
    url = open_page(locale="ar", success_url=f"{shop}/ok")
    tab.page.goto(url)
    tab.page.get_by_role("button").click()
    tab.page.goto(url)
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("انتهت صفحة الدفع هذه")
    expect(tab.page.get_by_role("button")).to_have_count(0)
    tab.picture("decided-ar")
    tab.page.get_by_role("link", name="العودة إلى التاجر").click()
    assert tab.page.url == f"{shop}/ok"


def test_an_expired_checkout_says_so(new_tab: NewTab, open_page: Open, running: Running, clock: Any) -> None:
    tab = new_tab()
    url = open_page(locale="en", expires_at=running.dependencies.clock.now() + timedelta(minutes=1))
    clock.offset = timedelta(minutes=1)
    tab.page.goto(url)
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("This checkout has expired")
    expect(tab.page.get_by_role("radio")).to_have_count(1)
    tab.picture("expired-en")


def test_an_unknown_address_is_a_page_of_the_same_style(new_tab: NewTab, open_page: Open) -> None:
    tab = new_tab()
    answer = tab.page.goto(open_page()[:-6] + "AAAAAA?lang=ar")
    assert answer is not None and answer.status == 404
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("لا توجد صفحة دفع هنا")
    tab.picture("not-found-ar")
