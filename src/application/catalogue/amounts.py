"""Amounts that age bands and seasons name: in the currency of their item, always."""

from __future__ import annotations

from application.ports import UnitOfWork
from domain.catalogue.items import Item
from domain.pricing.age_bands import AmountsInOldCurrency
from domain.shared.money import Currency, Money


def refuse_amounts_left_behind(item: Item, left: Currency, entered: Currency, *, uow: UnitOfWork) -> None:
    """An item changes its currency only while no band and no season names an amount in the old one.

    Asked under the item's lock. Raises AmountsInOldCurrency.
    """
    if entered == left:
        return
    amounts = [band.price for band in uow.item_prices.bands_of(item)]
    amounts += [season.amount for season in uow.item_prices.seasons_of(item)]
    if any(isinstance(amount, Money) and amount.currency != entered for amount in amounts):
        raise AmountsInOldCurrency()
