"""altayar's contract of gateways, run on Nile Pay's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from nile_pay.gateway import NilePayGateway

from infrastructure.payment.http import ProviderClient
from tests.contract.gateway_contract import GatewayContract
from tests.fakes.nile_pay_server import API_KEY, WEBHOOK_SECRET, NilePayServer, NilePayStaff


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class NilePayBench(NilePayStaff):
    """The gateway, and a provider whose customers, bank and staff do as they are told."""

    def __init__(self, server: NilePayServer) -> None:
        super().__init__(server)
        self.gateway = NilePayGateway(
            server.url, API_KEY, WEBHOOK_SECRET, client=ProviderClient("NILE_PAY"), clock=SystemClock()
        )


@pytest.fixture
def bench() -> Iterator[NilePayBench]:
    with NilePayServer() as server:
        yield NilePayBench(server)


class TestNilePayKeepsTheContract(GatewayContract):
    """Every promise."""
