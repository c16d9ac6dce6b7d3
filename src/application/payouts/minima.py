"""The least that payroll pays out: as the company says, or what that is worth where it says nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Final

from application.ledger.queries import WalletRequestQueries
from application.operations.ports import SystemSettings
from application.queries import Row
from domain.operations.kinds import amount_in
from domain.operations.settings import PAYOUT_MINIMUM
from domain.pricing.exchange import ExchangeRate
from domain.shared.money import Money, currency

COMPARED_IN: Final = "USD"
"""What the minimum is said in (product.md §10); other currencies have amounts of their own, or what it is worth."""


def minima_of(settings: SystemSettings, queries: WalletRequestQueries, *, at: datetime) -> dict[str, int]:
    """The least that is paid out, in minor units by currency; none in a currency that is not there.

    An amount of the setting goes before what the amount in USD is worth at the newest rate from USD.
    """
    amounts = settings.value(PAYOUT_MINIMUM)
    named = [Money.parse(one["amount"], one["currency"]) for one in amounts]
    least = amount_in(amounts, COMPARED_IN)
    worth = () if least is None else _worth(least, queries.newest_rates(source=COMPARED_IN, target=None, at=at))
    return {amount.currency.code: amount.minor for amount in (*worth, *named)}


def _worth(least: Money, rates: Iterable[Row]) -> list[Money]:
    return [
        ExchangeRate(
            id=row["id"],
            source=least.currency,
            target=currency(row["to_currency"]),
            rate=Decimal(row["rate"]),
            valid_from=row["valid_from"],
        ).convert_price(least)
        for row in rates
    ]
