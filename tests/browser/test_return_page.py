"""The page that customers come back to, in headless Chromium: it waits, it tells, and it leads on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import expect

from tests.api.shop import Shop, for_booking
from tests.browser.conftest import CHROMIUM, NewTab
from tests.conftest import Person

if TYPE_CHECKING:
    from infrastructure.bootstrap import Running
    from infrastructure.database.roles import DatabaseAddresses

pytestmark = [
    pytest.mark.browser,
    pytest.mark.database,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (make setup says how)"),
]

Begin = Callable[..., str]


@pytest.fixture
def begin(
    client: FlaskClient,
    running: Running,
    addresses: DatabaseAddresses,
    sign_up: Callable[..., Person],
    address: str,
) -> Begin:
    """A customer opens a payment; the address of the return page that the provider got, at this server.

    `outcome` is what they choose at the sandbox, whose webhook never comes.
    """

    def opened(outcome: str = "", **asked: Any) -> str:
        shop = Shop(client, running, addresses, sign_up)
        customer = sign_up()
        booking = shop.book(customer, shop.offer())
        payment = shop.done(shop.post("/api/v1/payments", customer, for_booking(booking["id"], **asked)), 201)
        page = "/" + payment["checkout"]["url"].split("/", 3)[3]
        if outcome:
            assert client.post(page, data={"outcome": outcome}).status_code == 303
        came_by = "cancel" if outcome in ("declined", "never") else "success"
        back = running.dependencies.returns.address(UUID(payment["id"]), outcome=came_by)
        return f"{address}/payments/return?{back.partition('?')[2]}"

    return opened


@pytest.mark.parametrize(
    ("language", "outcome", "title"),
    [
        ("en", "paid", "It is paid"),
        ("ar", "paid", "تم الدفع"),
        ("en", "declined", "It was not paid"),
        ("ar", "declined", "لم يتم الدفع"),
        ("en", "never", "The payment was not completed"),
        ("ar", "short", "وصل مبلغ ونراجعه"),
        ("en", "", "We are waiting for your payment"),
        ("ar", "", "ننتظر تأكيد الدفع"),
    ],
)
def test_the_page_tells_what_the_provider_says(
    new_tab: NewTab, begin: Begin, language: str, outcome: str, title: str
) -> None:
    tab = new_tab(scripts=False)
    tab.page.goto(f"{begin(outcome)}&lang={language}")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text(title)
    expect(tab.page.get_by_text("EGP 2,000.00")).to_be_visible()
    expect(tab.page.get_by_text("PAY-2026-000001")).to_be_visible()
    assert tab.page.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
    tab.picture(f"return-{outcome or 'waiting'}-{language}")
    assert tab.complaints == []


def test_a_page_that_waits_refreshes_itself_without_a_script(
    new_tab: NewTab, begin: Begin, client: FlaskClient, running: Running
) -> None:
    tab = new_tab(scripts=False)
    tab.page.goto(f"{begin()}&lang=en")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("We are waiting for your payment")
    (checkout,) = running.database.rows("SELECT id FROM sandbox_checkouts")
    sandbox = running.dependencies.sandbox
    assert sandbox is not None
    token = sandbox.books.token_of(checkout["id"])  # type: ignore[attr-defined]
    assert client.post(f"/sandbox/checkout/{token}", data={"outcome": "paid"}).status_code == 303
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("It is paid", timeout=15_000)


def test_it_leads_to_another_site_only_when_one_says_so(new_tab: NewTab, begin: Begin, address: str) -> None:
    tab = new_tab(scripts=False)
    tab.page.goto(f"{begin('paid', success_url='https://shop.example/done')}&lang=en")
    link = tab.page.get_by_role("link", name="Continue to shop.example")
    expect(link).to_have_attribute("href", "https://shop.example/done")
    assert tab.page.locator("meta[http-equiv=refresh]").count() == 0
    tab.picture("return-other-site-en")
    assert [url for url in tab.asked if not url.startswith((address, "data:"))] == []


def test_the_language_is_switched(new_tab: NewTab, begin: Begin) -> None:
    tab = new_tab()
    tab.page.goto(f"{begin('paid')}&lang=ar")
    tab.page.get_by_role("link", name="English").click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("It is paid")


@pytest.mark.parametrize("language", ["ar", "en"])
def test_the_page_fits_a_phone(new_tab: NewTab, begin: Begin, language: str) -> None:
    tab = new_tab(width=320, height=700)
    tab.page.goto(
        f"{begin('paid', success_url='https://a-rather-long-name-of-a-host.example.com/done')}&lang={language}"
    )
    tab.picture(f"return-phone-{language}")
    assert not tab.is_too_wide
