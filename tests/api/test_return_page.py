"""The return page as HTTP clients see it: what proves nothing, what is read back, and where it leads."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from api.pages import returns
from application.billing.ports import ProviderUnreachable
from application.billing.returns import AppAddresses, ReturnPage, host_of
from config.settings import SettingsError, load_settings
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.transaction import Database
from security.keyed_digests import HmacDigests
from tests.api.shop import Json, Shop, SignUp, problem
from tests.conftest import Person

pytestmark = pytest.mark.database

OURS = AppAddresses.of(("app.altayar.test", "pay.altayar.test:8443", "altayar://"))
FINGERPRINT = ":".join(["AB"] * 32)


@pytest.fixture
def customer(sign_up: SignUp) -> Person:
    return sign_up()


@pytest.fixture
def payment(shop: Shop, customer: Person) -> Json:
    return shop.pay(customer, shop.book(customer, shop.offer()))


@pytest.fixture(autouse=True)
def asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test asks for the first time."""
    monkeypatch.setattr(returns, "_asked_about", returns._Recently(returns.ASKED_AGAIN_AFTER))


def back(shop: Shop, payment: Json, came_by: str = "success") -> str:
    return shop.running.dependencies.returns.address(UUID(payment["id"]), outcome=came_by).removeprefix(
        shop.running.settings.backend_url
    )


def choose(shop: Shop, payment: Json, outcome: str) -> str:
    """At the sandbox's page; its webhook does not come. Where it sends the customer."""
    answer = shop.client.post("/" + payment["checkout"]["url"].split("/", 3)[3], data={"outcome": outcome})
    assert answer.status_code == 303
    return answer.headers["Location"]


def title(shop: Shop, path: str, language: str = "en") -> str:
    answer = shop.client.get(path, headers={"Accept-Language": language})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    found = re.search(r"<h1>(.*?)</h1>", answer.text)
    assert found is not None
    return found[1]


def refresh(shop: Shop, path: str) -> str | None:
    found = re.search(r'http-equiv="refresh" content="([^"]*)"', shop.client.get(path).text)
    return found[1].replace("&amp;", "&") if found else None


class TestWhatItTells:
    @pytest.mark.parametrize(
        ("outcome", "english", "arabic"),
        [
            ("paid", "It is paid", "تم الدفع"),
            ("declined", "It was not paid", "لم يتم الدفع"),
            ("never", "The payment was not completed", "لم يكتمل الدفع"),
            ("short", "Money came, and we are looking at it", "وصل مبلغ ونراجعه"),
            ("twice", "It is paid", "تم الدفع"),
            ("late", "We are waiting for your payment", "ننتظر تأكيد الدفع"),
        ],
    )
    def test_the_provider_is_asked_whatever_became_of_its_webhook(
        self, shop: Shop, payment: Json, outcome: str, english: str, arabic: str
    ) -> None:
        where = choose(shop, payment, outcome)
        path = where.removeprefix(shop.running.settings.backend_url)

        assert title(shop, path) == english
        assert title(shop, path, "ar-EG") == title(shop, f"{path}&lang=ar") == arabic

    def test_what_it_reads_is_settled(self, shop: Shop, customer: Person, payment: Json) -> None:
        choose(shop, payment, "paid")
        title(shop, back(shop, payment))
        shop.deliver_events()

        assert shop.done(shop.get(f"/api/v1/payments/{payment['id']}", customer))["status"] == "PAID"
        assert len(shop.database.rows("SELECT 1 FROM payment_receipts")) == 1

    def test_success_in_the_address_is_no_proof(self, shop: Shop, customer: Person, payment: Json) -> None:
        assert title(shop, back(shop, payment, "success")) == "We are waiting for your payment"
        assert shop.done(shop.get(f"/api/v1/payments/{payment['id']}", customer))["status"] == "PENDING"

    def test_a_cancelled_payment_says_so(self, shop: Shop, customer: Person, payment: Json) -> None:
        shop.done(shop.post(f"/api/v1/payments/{payment['id']}/cancel", customer))

        assert title(shop, back(shop, payment)) == "This payment was cancelled"

    def test_it_shows_the_number_and_the_amount_and_nothing_of_the_person(
        self, shop: Shop, customer: Person, payment: Json
    ) -> None:
        text = shop.client.get(back(shop, payment)).text

        assert payment["payment_number"] in text
        assert "EGP 2,000.00" in text
        for secret in (payment["id"], customer.email, str(customer.user_id), "Mona", payment["provider_reference"]):
            assert secret not in text

    def test_the_payments_id_opens_nothing(self, shop: Shop, payment: Json) -> None:
        token = back(shop, payment).partition("t=")[2].partition("&")[0]
        forged = ("A" if token[-1] != "A" else "B").join([token[:-1], ""])
        for path in (
            f"/payments/return?payment={payment['id']}&outcome=success",
            f"/payments/return?t={payment['id']}",
            f"/payments/return?t={forged}",
            f"/payments/return?t={token[:22]}",
            "/payments/return?t=" + "é" * 40,
            "/payments/return",
        ):
            text = shop.client.get(path).text
            assert payment["payment_number"] not in text
            assert "We are checking your payment" in text

    def test_a_provider_that_does_not_answer_leaves_it_waiting(
        self, shop: Shop, payment: Json, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*_: object) -> None:
            raise ProviderUnreachable(provider="SANDBOX")

        monkeypatch.setattr(type(shop.running.dependencies.gateways.get("SANDBOX")), "read", away)

        assert title(shop, back(shop, payment)) == "We are waiting for your payment"

    def test_a_slow_provider_is_not_waited_for(
        self, shop: Shop, payment: Json, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import threading

        let_go = threading.Event()

        def slow(*_: object) -> None:
            let_go.wait(20)
            raise ProviderUnreachable(provider="SANDBOX")

        monkeypatch.setattr(returns, "WAIT_SECONDS", 0.2)
        monkeypatch.setattr(type(shop.running.dependencies.gateways.get("SANDBOX")), "read", slow)
        try:
            assert title(shop, back(shop, payment)) == "We are waiting for your payment"
        finally:
            let_go.set()

    def test_one_payment_is_asked_about_once_in_a_while(
        self, shop: Shop, payment: Json, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gateway = type(shop.running.dependencies.gateways.get("SANDBOX"))
        asked: list[object] = []
        read = gateway.read

        def counted(*said: Any) -> Any:
            asked.append(said)
            return read(*said)

        monkeypatch.setattr(gateway, "read", counted)
        path = back(shop, payment)
        with ThreadPoolExecutor(5) as threads:
            list(threads.map(lambda _: title(shop, path), range(5)))

        assert len(asked) == 1


class TestWhereItLeads:
    def test_the_provider_gets_our_page_alone(self, shop: Shop, customer: Person) -> None:
        booking = shop.book(customer, shop.offer())
        asked = {"success_url": "https://shop.example/done", "cancel_url": "https://shop.example/left"}
        payment = shop.pay(customer, booking, **asked)

        where = choose(shop, payment, "paid")

        assert where.startswith(f"{shop.running.settings.backend_url}/payments/return?t=")

    @pytest.mark.parametrize(("outcome", "way"), [("paid", "done"), ("declined", "left"), ("never", "left")])
    def test_other_hosts_are_named_and_never_gone_to_by_themselves(
        self, shop: Shop, customer: Person, outcome: str, way: str
    ) -> None:
        booking = shop.book(customer, shop.offer())
        asked = {"success_url": "https://shop.example/done?a=1&b=2", "cancel_url": "https://shop.example/left"}
        payment = shop.pay(customer, booking, **asked)
        path = choose(shop, payment, outcome).removeprefix(shop.running.settings.backend_url)

        answer = shop.client.get(path, headers={"Accept-Language": "en"})

        assert f'href="https://shop.example/{way}' in answer.text
        assert "Continue to shop.example" in answer.text
        assert refresh(shop, path) is None
        assert answer.headers["Referrer-Policy"] == "no-referrer"

    def test_a_page_that_waits_comes_again_and_not_for_ever(self, shop: Shop, payment: Json) -> None:
        path = back(shop, payment)

        again = refresh(shop, path)

        assert again is not None and again.startswith("3; url=/payments/return?t=")
        assert (refresh(shop, f"{path}&n=20") or "").startswith("10; url=")
        assert refresh(shop, f"{path}&n=60") is None
        assert "Check again" in shop.client.get(f"{path}&n=60").text
        for nonsense in ("-1", "١", "9999", "x"):
            assert refresh(shop, f"{path}&n={nonsense}") is not None

    @pytest.fixture
    def named(self, running: Running, addresses: DatabaseAddresses, sign_up: SignUp) -> Any:
        """A process of an installation that names its apps."""
        import dataclasses

        from app import create_app

        settings = dataclasses.replace(
            running.settings,
            app_link_hosts=("app.altayar.test", "altayar://"),
            apple_app_ids=("ABCDE12345.test.altayar.app",),
            android_apps=(("test.altayar.app", FINGERPRINT),),
        )
        started = bootstrap(settings, database=Database(addresses.app), clock=running.dependencies.clock)
        yield Shop(create_app(running=started).test_client(), started, addresses, sign_up)
        started.close()

    @pytest.mark.parametrize("address", ["altayar://paid?x=1", "https://app.altayar.test/paid"])
    def test_our_own_app_is_gone_to(self, named: Shop, shop: Shop, customer: Person, address: str) -> None:
        payment = named.pay(customer, named.book(customer, shop.offer()), success_url=address)
        path = choose(named, payment, "paid").removeprefix(named.running.settings.backend_url)

        assert title(named, path) == "It is paid"
        assert refresh(named, path) == f"3; url={address}"
        assert "Back to AltayarVIP" in named.client.get(path, headers={"Accept-Language": "en"}).text

    @pytest.mark.parametrize(
        "address",
        ["javascript:alert(1)", "other://x", "data:text/html,x", "//evil.example", "altayar:\\\\x", "altayar://a b"],
    )
    def test_other_schemes_are_refused(self, named: Shop, shop: Shop, customer: Person, address: str) -> None:
        booking = named.book(customer, shop.offer())
        from tests.api.shop import for_booking

        answer = named.post("/api/v1/payments", customer, for_booking(booking["id"], success_url=address))

        problem(answer, 422, "validation_failed", pointer="/success_url")

    def test_apps_are_told_of_where_they_are_named(self, named: Shop, client: FlaskClient) -> None:
        apple = named.client.get("/.well-known/apple-app-site-association")
        android = named.client.get("/.well-known/assetlinks.json")

        assert apple.content_type == android.content_type == "application/json"
        assert apple.json["applinks"]["details"][0]["appIDs"] == ["ABCDE12345.test.altayar.app"]
        assert android.json[0]["target"]["sha256_cert_fingerprints"] == [FINGERPRINT]
        for path in ("apple-app-site-association", "assetlinks.json"):
            assert client.get(f"/.well-known/{path}").status_code == 404


class TestAddresses:
    @pytest.mark.parametrize(
        ("address", "may", "ours"),
        [
            ("https://app.altayar.test/x?y#z", True, True),
            ("https://APP.altayar.test/", True, True),
            ("https://app.altayar.test:443/", True, True),
            ("https://pay.altayar.test:8443/", True, True),
            ("altayar://paid", True, True),
            ("http://app.altayar.test/", True, False),
            ("https://app.altayar.test:444/", True, False),
            ("https://app.altayar.test@evil.example/", True, False),
            ("https://evil.example/app.altayar.test", True, False),
            ("https://app.altayar.test.evil.example/", True, False),
            ("https://xapp.altayar.test/", True, False),
            ("https://app.altayar.test\\@evil.example/", False, False),
            ("https://app.altayar.test\n/", False, False),
            ("javascript:alert(1)", False, False),
            ("//app.altayar.test/", False, False),
            ("https://", False, False),
            ("https://[::1", False, False),
            ("", False, False),
            ("https://a.example/" + "x" * 1000, False, False),
        ],
    )
    def test_which_may_be_asked_for_and_which_are_ours(self, address: str, may: bool, ours: bool) -> None:
        assert (OURS.may_be_asked_for(address), OURS.are_ours(address)) == (may, ours)

    @pytest.mark.parametrize(
        ("address", "told"),
        [
            ("https://user@shop.example:8443/x", "shop.example"),
            ("https://аltayar.test/", "xn--ltayar-2nf.test"),
            ("altayar://paid", "altayar://"),
        ],
    )
    def test_people_are_told_the_host_as_the_network_knows_it(self, address: str, told: str) -> None:
        assert host_of(address) == told

    @given(st.text(max_size=100))
    def test_no_text_breaks_them(self, text: str) -> None:
        assert OURS.may_be_asked_for(text) or not OURS.are_ours(text)

    @given(st.text(max_size=120))
    def test_no_invented_token_opens_a_page(self, text: str) -> None:
        assert ReturnPage("https://x", HmacDigests(["k" * 32])).payment_of(text) is None

    def test_tokens_outlive_a_rotation_of_keys(self) -> None:
        payment_id, old, new = uuid4(), "o" * 32, "n" * 32
        token = ReturnPage("https://x", HmacDigests([old])).token(payment_id)

        assert ReturnPage("https://x", HmacDigests([new, old])).payment_of(token) == payment_id
        assert ReturnPage("https://x", HmacDigests([new])).payment_of(token) is None

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("APP_LINK_HOSTS", "javascript://"),
            ("APP_LINK_HOSTS", "https://"),
            ("APP_LINK_HOSTS", "https://app.example.com"),
            ("APP_LINK_HOSTS", "app.example.com/path"),
            ("APPLE_APP_IDS", "com.example.app"),
            ("ANDROID_APPS", "com.example.app"),
            ("ANDROID_APPS", "com.example.app=12:34"),
            ("ANDROID_APPS", f"app={FINGERPRINT}"),
        ],
    )
    def test_what_names_no_app_stops_the_start(self, tmp_path: Any, name: str, value: str) -> None:
        given = {"ENVIRONMENT": "test", "ALTAYAR_HOME": str(tmp_path), name: value}
        with pytest.raises(SettingsError, match=name):
            load_settings(given, root=tmp_path)
        load_settings({**given, name: ""}, root=tmp_path)
