"""Amounts at Fawaterk, exact on the wire in both directions, for both versions and for refunds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.billing.ports import ProviderRefused
from domain.shared.money import LARGEST_MINOR, Money
from fake_providers.fawaterk import FawaterkServer
from tests.contract.fawaterk_bench import KEY, FawaterkBench, a_refund
from tests.contract.gateway_contract import a_request

TAKEN = ["EGP", "SAR", "USD", "KWD", "BHD"]
NOT_TAKEN = ["JPY"]
ODD = (1, 9, 10, 99, 100, 101, 999, 1_001, 2_999_999_999_999_999 % LARGEST_MINOR, LARGEST_MINOR)
"""Where binary fractions, exponents and ends of types would show."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FawaterkServer]:
    path: Path = tmp_path_factory.mktemp("fawaterk") / "books.sqlite"
    with FawaterkServer(path, api_key=KEY, automatic_webhooks=False) as running:
        yield running


@pytest.fixture(scope="module", params=["v2", "v3"])
def bench(server: FawaterkServer, request: pytest.FixtureRequest) -> FawaterkBench:
    return FawaterkBench(server, version=request.param, with_credentials=True)


@settings(max_examples=25, deadline=None)
@given(
    minor=st.sampled_from(ODD) | st.integers(min_value=1, max_value=LARGEST_MINOR),
    code=st.sampled_from(TAKEN),
    part=st.integers(min_value=1, max_value=LARGEST_MINOR),
)
def test_what_is_asked_paid_and_given_back_is_the_same_to_the_last_digit(
    bench: FawaterkBench, minor: int, code: str, part: int
) -> None:
    price, back = Money.of(minor, code), Money.of(min(part, minor), code)
    checkout = bench.gateway.create_checkout(a_request(price))
    order = bench.last_order()
    item = order["cartItems"][0]
    assert order["cartTotal"] == item["price"] * item["quantity"] == Decimal(price.decimal())
    bench.pay(checkout)
    # As numbers on one read, as texts on the next.
    assert [bench.gateway.read(checkout.identity).paid for _ in range(2)] == [(price,), (price,)]

    reference = f"rf_{uuid4().hex}"
    bench.gateway.refund(a_refund(checkout, back, charged=price, reference=reference))
    asked = json.loads(bench.server.orders[-1], parse_float=Decimal)
    assert asked["refundable_amount"] == Decimal(back.decimal())
    (told,) = bench.gateway.read(checkout.identity).refunds
    assert (told.amount, told.merchant_reference) == (back, reference)


@settings(max_examples=10, deadline=None)
@given(minor=st.integers(min_value=1, max_value=LARGEST_MINOR), code=st.sampled_from(NOT_TAKEN))
def test_a_currency_that_fawaterk_does_not_take_is_refused_and_never_converted(
    bench: FawaterkBench, minor: int, code: str
) -> None:
    before = len(bench.server.books.all())
    with pytest.raises(ProviderRefused):
        bench.gateway.create_checkout(a_request(Money.of(minor, code)))
    assert bench.last_order()["cartTotal"] == minor
    assert len(bench.server.books.all()) == before
