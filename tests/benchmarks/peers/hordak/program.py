"""django-hordak, as its documentation sets it up and posts with it. Runs in the peers' environment, without our code.

Each line that comes in is a question in JSON and gets a line with its answer. The database is the one that libpq's
environment variables name.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import django
from django.conf import settings

CURRENCY = "EGP"
OPENING_BALANCE = Decimal(1_000_000)
"""In every account: no run empties one."""

settings.configure(
    DEBUG=False,
    # docs/installation.rst; the migrations name the content types.
    INSTALLED_APPS=["django.contrib.contenttypes", "mptt", "hordak"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": os.environ["PGHOST"],
            "PORT": os.environ["PGPORT"],
            "USER": os.environ["PGUSER"],
            "PASSWORD": os.environ["PGPASSWORD"],
            "NAME": os.environ["PGDATABASE"],
            # Kept open, as ours are.
            "CONN_MAX_AGE": None,
        }
    },
    USE_TZ=True,
    DEFAULT_CURRENCY=CURRENCY,
    CURRENCIES=[CURRENCY],
)
django.setup()

# Only once Django is set up.
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from hordak.models import Account, AccountType, Leg, Transaction  # noqa: E402
from moneyed import Money  # noqa: E402

_accounts: list[Account] = []
"""Held in memory: reading them is no part of what is measured without locks."""


def prepare(accounts: int) -> dict[str, Any]:
    """Run all migrations, triggers included, and open so many accounts, each with the same balance."""
    call_command("migrate", verbosity=0)
    # Set-wise, with what mptt would fill in for an account without parent: saved one by one it takes many minutes.
    capital, *wallets = Account.objects.bulk_create(
        Account(
            name=f"Wallet {number}" if number else "Capital",
            type=AccountType.liability if number else AccountType.equity,
            tree_id=number + 1,
            lft=1,
            rght=2,
            level=0,
        )
        for number in range(accounts + 1)
    )
    opened = Transaction.objects.bulk_create(Transaction(description="Opening balance") for _ in wallets)
    opening = Money(OPENING_BALANCE, CURRENCY)
    Leg.objects.bulk_create(
        leg
        for wallet, entry in zip(wallets, opened, strict=True)
        for leg in (
            Leg(transaction=entry, account=wallet, credit=opening),
            Leg(transaction=entry, account=capital, debit=opening),
        )
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return {"accounts": len(wallets)}


def connect() -> dict[str, Any]:
    """Open the connection and read the accounts."""
    _accounts.extend(Account.objects.filter(type=AccountType.liability).order_by("pk"))
    return {"accounts": len(_accounts)}


def post(seconds: float, way: str) -> dict[str, Any]:
    """Transfer between two accounts by chance, again and again; answers the rate."""
    transfer = _WAYS[way]
    posted, began = 0, time.perf_counter()
    until = began + seconds
    while (now := time.perf_counter()) < until:
        source, target = random.sample(_accounts, 2)
        transfer(source, target, Money(Decimal(random.randint(1, 100)) / 100, CURRENCY))
        posted += 1
    return {"rate": posted / (now - began)}


def _unlocked(source: Account, target: Account, amount: Money) -> None:
    """The shortcut that the documentation recommends; crediting a liability is what pays in."""
    target.transfer_to(source, amount)


def _locked(source: Account, target: Account, amount: Money) -> None:
    """What an account that must not fall below zero needs: both locked in one order, the balance looked at."""
    with transaction.atomic():
        list(Account.objects.select_for_update().filter(pk__in=[source.pk, target.pk]).order_by("pk"))
        balance = Account.objects.with_balances().get(pk=source.pk).balance
        if balance[CURRENCY] < amount:
            raise RuntimeError(f"{source} has less than {amount}")
        entry = Transaction.objects.create()
        Leg.objects.create(transaction=entry, account=source, debit=amount)
        Leg.objects.create(transaction=entry, account=target, credit=amount)


_WAYS: dict[str, Callable[[Account, Account, Money], None]] = {"unlocked": _unlocked, "locked": _locked}
_ANSWERS: dict[str, Callable[..., dict[str, Any]]] = {"prepare": prepare, "connect": connect, "post": post}


def main(lines: Iterable[str]) -> None:
    """Answer until nobody asks any more."""
    for line in lines:
        question = json.loads(line)
        answer = _ANSWERS[question.pop("do")](**question)
        print(json.dumps(answer), flush=True)  # noqa: T201 - the answer is what goes to standard output


if __name__ == "__main__":
    main(sys.stdin)
