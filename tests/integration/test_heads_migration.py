"""The migration of heads: ledgers of the release before go on, whoever completes a head, and there is a way back."""

from __future__ import annotations

import runpy
from pathlib import Path

import orjson
import pytest

from domain.ledger import accounts
from domain.ledger.journal import InsufficientBalance, Journal, transfer
from infrastructure.database import migrations
from infrastructure.database.ledger.repositories import _document, _legs
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database
from tests.builders import a_journal
from tests.integration.audited import CLEARING, PREPAID, Audited, a_story

FILE = Path(__file__).resolve().parents[2] / "migrations" / "versions" / "20261129_27_heads.py"
BEFORE = str(runpy.run_path(str(FILE))["down_revision"])
HOLD = """
INSERT INTO balance_holds (id, account_id, amount_minor, currency, status, reference_type, reference_id, created_at)
VALUES (gen_random_uuid(), %s, %s, 'EGP', 'ACTIVE', 'TEST', gen_random_uuid(), now())
"""
HEAD = "SELECT sequence, balance_minor, held_minor, kind, currency FROM ledger_heads WHERE account_id = %s"
EMPTY = """
UPDATE ledger_heads SET kind = NULL, currency = NULL, balance_minor = NULL, hash = NULL, held_minor = NULL
WHERE account_id = %s
"""


def post_as_before(addresses: DatabaseAddresses, journal: Journal) -> None:
    """As the release before posts."""
    told = [orjson.dumps(part).decode() for part in ([_document(journal)], _legs([journal]))]
    with connect(addresses.app) as session:
        session.execute("SELECT ledger_post(%s::jsonb, %s::jsonb)", told)


def test_ledgers_of_the_release_before_go_on(database: Database, addresses: DatabaseAddresses) -> None:
    books = Audited(database, addresses)
    wallet = a_story(books).wallet
    assert wallet.owner is not None
    other = accounts.voucher_credit(wallet.owner, "EGP")
    database.dispose()

    migrations.downgrade(addresses, BEFORE)
    post_as_before(addresses, a_journal(*transfer(CLEARING, wallet, 7)))
    post_as_before(addresses, a_journal(*transfer(CLEARING, other, 5)))
    books.as_owner(HOLD, wallet.id, 9)
    migrations.upgrade(addresses)

    assert books.as_owner(HEAD, wallet.id) == [(6, 1708, 409, "WALLET", "EGP")]
    assert books.as_owner(HEAD, other.id) == [(1, 5, 0, "VOUCHER_CREDIT", "EGP")]
    assert books.as_owner("SELECT count(*) FROM ledger_heads WHERE held_minor IS NULL") == [(0,)]
    post_as_before(addresses, a_journal(*transfer(wallet, PREPAID, 8)))
    books.move(wallet, PREPAID, 1)
    assert (books.as_owner(HEAD, wallet.id)[0][:2], books.fault()) == ((8, 1699), "")


def test_a_head_that_nobody_has_completed_is_completed_by_who_moves_it(
    database: Database, addresses: DatabaseAddresses
) -> None:
    """As between the two steps of the migration: holds that begin and end meanwhile count once."""
    books = Audited(database, addresses)
    story = a_story(books)
    books.behind_the_guards(EMPTY, story.wallet.id)
    books.as_owner(HOLD, story.wallet.id, 9)
    assert books.as_owner(HEAD, story.wallet.id)[0][2] is None

    books.move(story.wallet, PREPAID, 1)

    assert books.as_owner(HEAD, story.wallet.id) == [(6, 1700, 409, "WALLET", "EGP")]
    assert books.fault() == ""


def test_what_is_held_is_held_whatever_its_head_says_yet(database: Database, addresses: DatabaseAddresses) -> None:
    books = Audited(database, addresses)
    wallet = a_story(books).wallet
    books.behind_the_guards(EMPTY, wallet.id)

    with pytest.raises(InsufficientBalance):
        books.move(wallet, PREPAID, 1302)

    assert books.as_owner(HEAD, wallet.id)[0][1] is None
