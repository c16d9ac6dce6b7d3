"""Gateways that let nobody call a provider while a transaction is open (guarantee P1)."""

from __future__ import annotations

from typing import Any, Final

from application.billing.ports import Gateways, PaymentGateway
from infrastructure.database.transaction import Database

_CALLS: Final = frozenset({"create_checkout", "read", "refund", "transfer", "read_transfer", "statement"})


class OutsideTransactions:
    """Implements `Gateways` by others, whose calls fail within a transaction of this thread."""

    def __init__(self, gateways: Gateways, database: Database) -> None:
        self._gateways = gateways
        self._database = database

    def get(self, name: str) -> PaymentGateway:
        watched: Any = _Watched(self._gateways.get(name), self._database)
        return watched

    def names(self) -> tuple[str, ...]:
        return self._gateways.names()


class _Watched:
    """A gateway with everything that another has."""

    def __init__(self, gateway: PaymentGateway, database: Database) -> None:
        self._gateway = gateway
        self._database = database

    def __getattr__(self, name: str) -> Any:
        if name in _CALLS:
            assert not self._database.in_transaction, f"{self._gateway.name}: {name} within a transaction"
        return getattr(self._gateway, name)
