"""What pretix is asked beside its REST API. Runs in pretix's environment, without our code.

Each line that comes in is a question in JSON and gets a line with its answer. The installation is the one that
`PRETIX_CONFIG_FILE` describes.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "pretix.settings"
django.setup()

# Only once Django is set up.
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import Sum  # noqa: E402
from django.utils.timezone import now  # noqa: E402
from django_scopes import scopes_disabled  # noqa: E402
from pretix.base.models import Event, Order, OrderPosition, Organizer, Quota, Team  # noqa: E402

PRICE = Decimal("2998.00")
PLACES = 1_000_000
"""Of each product: no run sells them out."""


def prepare(organizer: str, events: list[str], items: int) -> dict[str, Any]:
    """Run all migrations and put events on sale, each with so many products that have a quota of their own.

    Answers an API token that may read and write orders, and the products of each event.
    """
    call_command("migrate", verbosity=0)
    with scopes_disabled():
        shop = Organizer.objects.create(name="Altayar", slug=organizer)
        products = {event: _open(shop, event, items) for event in events}
        team = Team.objects.create(
            organizer=shop,
            name="Sales",
            all_events=True,
            limit_event_permissions={"event.orders:read": True, "event.orders:write": True},
        )
        token = team.tokens.create(name="Website").token
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return {"token": token, "items": products}


def _open(shop: Organizer, slug: str, items: int) -> list[int]:
    """An event in the state that its organizer would sell it in; its products' keys."""
    event = Event.objects.create(
        organizer=shop,
        name="Nile cruises",
        slug=slug,
        currency="EGP",
        date_from=now() + timedelta(days=30),
        # What an event made in the back office has.
        plugins="pretix.plugins.sendmail,pretix.plugins.statistics,pretix.plugins.checkinlists",
        live=True,
    )
    event.set_defaults()
    vat = event.tax_rules.create(name="VAT", rate=Decimal(14), price_includes_tax=True)
    keys = []
    for number in range(items):
        item = event.items.create(name=f"Nile cruise {number}", default_price=PRICE, tax_rule=vat, admission=True)
        quota = Quota.objects.create(event=event, name=f"Places {number}", size=PLACES)
        quota.items.add(item)
        keys.append(item.pk)
    return keys


def books(event: str) -> dict[str, Any]:
    """What an event has sold: its orders, those that wait for their money, their positions, and what they cost."""
    with scopes_disabled():
        orders = Order.objects.filter(event__slug=event)
        return {
            "orders": orders.count(),
            "pending": orders.filter(status=Order.STATUS_PENDING).count(),
            "positions": OrderPosition.objects.filter(order__event__slug=event, price=PRICE).count(),
            "as_priced": orders.aggregate(total=Sum("total"))["total"] == PRICE * orders.count(),
        }


_ANSWERS: dict[str, Callable[..., dict[str, Any]]] = {"prepare": prepare, "books": books}


def main(lines: Iterable[str]) -> None:
    """Answer until nobody asks any more."""
    for line in lines:
        question = json.loads(line)
        answer = _ANSWERS[question.pop("do")](**question)
        print(json.dumps(answer), flush=True)  # noqa: T201 - the answer is what goes to standard output


if __name__ == "__main__":
    main(sys.stdin)
