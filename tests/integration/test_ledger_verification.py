"""`altayar ledger verify` finds what was changed behind the guards' back, and names it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from click.testing import CliRunner

from cli import main
from config.settings import Settings
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.ledger.journal import JournalType
from infrastructure.database.ledger.verification import count_rows, verify_ledger
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.transaction import Database
from tests.integration.audited import CLEARING, PREPAID, REVENUE, Audited, Story, a_story

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def books(module_addresses: DatabaseAddresses) -> Iterator[Audited]:
    """A ledger that no test changes: what is changed in it is taken back."""
    opened = Database(module_addresses.app)
    yield Audited(opened, module_addresses)
    opened.dispose()


@pytest.fixture(scope="module")
def story(books: Audited) -> Story:
    """All but the last journal of it is sealed."""
    return _sealed(books)


def _sealed(books: Audited) -> Story:
    told = a_story(books)
    books.as_owner("SELECT ledger_seal()")
    return told


@pytest.fixture
def own_books(database: Database, addresses: DatabaseAddresses) -> Audited:
    return Audited(database, addresses)


def test_an_honest_ledger_is_as_it_was_written(books: Audited, story: Story) -> None:
    seen: list[int] = []

    verified = verify_ledger(books.addresses.owner, seen.append)

    assert verified.fault is None
    assert (verified.entries, verified.seals) == (18, 1)
    assert sum(seen) == count_rows(books.addresses.owner).looks == 18 + 8


Tampering = tuple[str, Callable[[Story], tuple[object, ...]], Callable[[Story], str]]

TAMPERINGS: dict[str, Tampering] = {
    "an amount": (
        "UPDATE ledger_entries SET amount_minor = 2001, balance_after_minor = 3001"
        " WHERE account_id = %s AND sequence = 2",
        lambda story: (story.wallet.id,),
        lambda story: (
            f"entry 2 of account {story.wallet.id}, journal {story.deposits[1].id}: its hash does not fit its content"
        ),
    ),
    "an amount without its balance": (
        "UPDATE ledger_entries SET amount_minor = 2001 WHERE journal_id = '{1}' AND sequence = 2",
        lambda story: (),
        lambda story: (
            f"entry 2 of account {story.wallet.id}, journal {story.deposits[1].id}: its balance does not follow"
        ),
    ),
    "an entry's time": (
        "UPDATE ledger_entries SET occurred_at = occurred_at - interval '1 day' WHERE account_id = %s AND sequence = 3",
        lambda story: (story.wallet.id,),
        lambda story: (
            f"entry 3 of account {story.wallet.id}, journal {story.deposits[2].id}: its hash does not fit its content"
        ),
    ),
    "a balance below zero": (
        "UPDATE ledger_entries SET amount_minor = -5, balance_after_minor = -5 WHERE account_id = %s AND sequence = 1",
        lambda story: (story.wallet.id,),
        lambda story: (
            f"entry 1 of account {story.wallet.id}, journal {story.deposits[0].id}: its balance is below zero"
        ),
    ),
    "a debt above zero": (
        "UPDATE ledger_entries SET amount_minor = 50, balance_after_minor = 50 WHERE account_id = %s",
        lambda story: (story.clawback.entries[0].account.id,),
        lambda story: f", journal {story.clawback.id}: its balance is above zero",
    ),
    "a balance": (
        "UPDATE ledger_entries SET balance_before_minor = 1100, balance_after_minor = 2101"
        " WHERE account_id = %s AND sequence = 2",
        lambda story: (story.wallet.id,),
        lambda story: (
            f"entry 2 of account {story.wallet.id}, journal {story.deposits[1].id}: its balance does not follow"
        ),
    ),
    "a hash": (
        "UPDATE ledger_entries SET hash = sha256('x') WHERE account_id = %s AND sequence = 3",
        lambda story: (story.wallet.id,),
        lambda story: (
            f"entry 3 of account {story.wallet.id}, journal {story.deposits[2].id}: its hash does not fit its content"
        ),
    ),
    "whose an entry is": (
        "UPDATE ledger_entries SET account_id = %s, currency = 'EGP' WHERE journal_id = %s AND sequence IS NULL",
        lambda story: (PREPAID.id, story.deposits[0].id),
        lambda story: (
            f"line 1 of journal {story.deposits[0].id}, account {PREPAID.id}: its hash does not fit its content"
        ),
    ),
    "whose an account is": (
        "UPDATE ledger_accounts SET user_id = (SELECT id FROM users WHERE id <> user_id LIMIT 1) WHERE id = %s",
        lambda story: (story.wallet.id,),
        lambda story: f"account {story.wallet.id}: its id does not fit its owner, kind and unit",
    ),
    "an account taken away": (
        "DELETE FROM ledger_accounts WHERE id = %s",
        lambda story: (CLEARING.id,),
        lambda story: (
            f"line 1 of journal {story.deposits[0].id}, account {CLEARING.id}: it is not of its account's kind"
        ),
    ),
    "an owned account taken away": (
        "WITH head AS (DELETE FROM ledger_heads WHERE account_id = %s RETURNING account_id)"
        " DELETE FROM ledger_accounts USING head WHERE id = head.account_id",
        lambda story: (story.clawback.entries[0].account.id,),
        lambda story: f", journal {story.clawback.id}: its account is missing",
    ),
    "an entry in the middle taken away": (
        "DELETE FROM ledger_entries WHERE account_id = %s AND sequence = 2",
        lambda story: (story.wallet.id,),
        lambda story: (
            f"entry 3 of account {story.wallet.id}, journal {story.deposits[2].id}: its sequence does not follow"
        ),
    ),
    "the newest entry taken away": (
        "DELETE FROM ledger_entries WHERE account_id = %s AND sequence = 5",
        lambda story: (story.wallet.id,),
        lambda story: f"account {story.wallet.id}: its head points at entry 5, and the newest is 4",
    ),
    "a head moved back": (
        "UPDATE ledger_heads h SET sequence = 4, journal_id = e.journal_id, line = e.line"
        " FROM ledger_entries e WHERE e.account_id = h.account_id AND h.account_id = %s AND e.sequence = 4",
        lambda story: (story.wallet.id,),
        lambda story: f"account {story.wallet.id}: its head points at entry 4, and the newest is 5",
    ),
    "a balance in a head": (
        "UPDATE ledger_heads SET balance_minor = balance_minor + 1 WHERE account_id = %s",
        lambda story: (story.wallet.id,),
        lambda story: f"account {story.wallet.id}: its head says another balance or hash than its newest entry",
    ),
    "a hash in a head": (
        "UPDATE ledger_heads SET hash = sha256(hash) WHERE account_id = %s",
        lambda story: (story.wallet.id,),
        lambda story: f"account {story.wallet.id}: its head says another balance or hash than its newest entry",
    ),
    "a head's kind": (
        "UPDATE ledger_heads SET kind = 'CUSTOMER_DEBT' WHERE account_id = %s",
        lambda story: (story.wallet.id,),
        lambda story: f"account {story.wallet.id}: its head says another kind or unit",
    ),
    "what a head counts as held": (
        "UPDATE ledger_heads SET held_minor = held_minor + 1 WHERE account_id = %s",
        lambda story: (story.wallet.id,),
        lambda story: f"account {story.wallet.id}: its head counts other than is held of it",
    ),
    "what a journal tells": (
        "UPDATE ledger_journals SET description_ar = 'هدية' WHERE id = %s",
        lambda story: (story.deposits[0].id,),
        lambda story: f"journal {story.deposits[0].id}: its fingerprint does not fit what it says",
    ),
    "a journal's type": (
        "UPDATE ledger_journals SET journal_type = 'BONUS' WHERE id = %s",
        lambda story: (story.completed.id,),
        lambda story: f"journal {story.completed.id}: its fingerprint does not fit what it says",
    ),
    "what a journal refers to": (
        "UPDATE ledger_journals SET reference_id = gen_random_uuid() WHERE id = %s",
        lambda story: (story.completed.id,),
        lambda story: f"journal {story.completed.id}: its fingerprint does not fit what it says",
    ),
    "what a journal reverses": (
        "UPDATE ledger_journals SET reverses_journal_id = %s WHERE id = %s",
        lambda story: (story.deposits[0].id, story.reversal.id),
        lambda story: f"journal {story.reversal.id}: its fingerprint does not fit what it says",
    ),
    "a fingerprint": (
        "UPDATE ledger_journals SET fingerprint = sha256('x') WHERE id = %s",
        lambda story: (story.completed.id,),
        lambda story: (
            f"line 1 of journal {story.completed.id}, account {PREPAID.id}: its hash does not fit its content"
        ),
    ),
    "the entries of a journal": (
        "DELETE FROM ledger_entries WHERE journal_id = %s",
        lambda story: (story.completed.id,),
        lambda story: f"journal {story.completed.id}: it has no entries",
    ),
    "one entry of a journal": (
        "DELETE FROM ledger_entries WHERE journal_id = %s AND line = 2",
        lambda story: (story.completed.id,),
        lambda story: f"journal {story.completed.id}: it is off by -300 EGP",
    ),
    "a journal without its entries": (
        "DELETE FROM ledger_journals WHERE id = %s",
        lambda story: (story.completed.id,),
        lambda story: f"journal {story.completed.id}: it is missing, and its entries are there",
    ),
    "a journal of a sealed day, whole": (
        "WITH gone AS (DELETE FROM ledger_journals WHERE id = %s RETURNING id)"
        " DELETE FROM ledger_entries USING gone WHERE journal_id = gone.id",
        lambda story: (story.completed.id,),
        lambda story: f"journal {story.completed.id} was sealed with the day and is gone",
    ),
    "a journal moved into a sealed day": (
        "UPDATE ledger_journals SET posted_at = posted_at - interval '2 days' WHERE id = %s",
        lambda story: (story.reversal.id,),
        lambda story: f"journal {story.reversal.id} was added to the day after it was sealed",
    ),
    "a seal's root": (
        "UPDATE ledger_seals SET root = sha256('x')",
        lambda story: (),
        lambda story: ": its root does not fit the entries of its day",
    ),
    "a seal's count": (
        "UPDATE ledger_seals SET entries = entries - 1",
        lambda story: (),
        lambda story: ": 8 journals with 15 entries were sealed, and there are 8 with 16, or others",
    ),
    "a seal's end": (
        "UPDATE ledger_seals SET sealed_until = sealed_until - interval '1 hour'",
        lambda story: (),
        lambda story: ": it does not end with its day",
    ),
    "what is left of a lot": (
        "UPDATE points_lots SET remaining = 71 WHERE id = %s",
        lambda story: (story.lot_id,),
        lambda story: f"points lot {story.lot_id}: what is left of it is not what its entries left",
    ),
    "a lot and its size": (
        "UPDATE points_lots SET remaining = 71, points = 101 WHERE id = %s",
        lambda story: (story.lot_id,),
        lambda story: f"points of user {story.points.owner}: the lots hold other than the account says",
    ),
    "a hold": (
        "UPDATE balance_holds SET amount_minor = 1702 WHERE id = %s",
        lambda story: (story.held.id,),
        lambda story: f"hold {story.held.id}: its account has less than is held of it",
    ),
    "a hold that was captured": (
        "UPDATE balance_holds SET amount_minor = 301, captured_minor = 301 WHERE id = %s",
        lambda story: (story.captured.id,),
        lambda story: f"hold {story.captured.id}: its journal took less than was captured",
    ),
    "the chart of accounts": (
        "UPDATE ledger_account_kinds SET standing = 'EITHER_SIDE' WHERE kind = 'WALLET'",
        lambda story: (),
        lambda story: "account kind WALLET: it is not what the chart of accounts says",
    ),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_what_was_changed_is_named(books: Audited, story: Story, what: str) -> None:
    statement, values, named = TAMPERINGS[what]

    found = books.fault_after(statement.replace("{1}", str(story.deposits[1].id)), *values(story))

    assert named(story) in found


def test_entries_beside_the_chain_of_a_wallet_are_named(books: Audited, story: Story) -> None:
    """A balanced pair without a sequence: no chain and no sum shows it."""
    found = books.fault_after(
        f"""UPDATE ledger_entries SET sequence = NULL, balance_before_minor = NULL, balance_after_minor = NULL
            WHERE journal_id = '{story.reversal.id}';
            UPDATE ledger_heads h SET sequence = 4, journal_id = e.journal_id, line = e.line, hash = e.hash,
                balance_minor = e.balance_after_minor FROM ledger_entries e
            WHERE e.account_id = h.account_id AND h.account_id = '{story.wallet.id}' AND e.sequence = 4"""
    )

    assert found == (
        f"line 1 of journal {story.reversal.id}, account {story.wallet.id}: it is not of its account's kind"
    )


def test_a_reversal_of_more_than_there_was_is_named(own_books: Audited) -> None:
    """Posted while the guard was switched off, it is right in everything else."""
    completed = own_books.move(PREPAID, REVENUE, 300)
    own_books.as_owner(
        "CREATE OR REPLACE FUNCTION check_reversals(originals uuid[]) RETURNS void LANGUAGE plpgsql AS 'BEGIN END'"
    )
    own_books.move(REVENUE, PREPAID, 301, journal_type=JournalType.REVERSAL, reverses=completed.id)

    assert own_books.fault() == f"journal {completed.id}: its reversals take more than it moved"


def test_an_account_that_nobody_opened_is_named(books: Audited, story: Story) -> None:
    unit, deposit = accounts.platform(AccountKind.SUSPENSE, "EGP"), story.deposits[0]
    found = books.fault_after(
        "INSERT INTO ledger_entries SELECT journal_id, 9::smallint, %s, NULL, 7, 'EGP', NULL, NULL, hash, occurred_at"
        " FROM ledger_entries WHERE journal_id = %s LIMIT 1",
        unit.id,
        deposit.id,
    )

    assert found == f"line 9 of journal {deposit.id}, account {unit.id}: it is not of its account's kind"


def test_a_chain_across_many_batches_is_followed(books: Audited, story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infrastructure.database.ledger.faults.BATCH", 2)

    assert verify_ledger(books.addresses.owner).fault is None


def test_books_that_move_meanwhile_are_seen_as_of_one_moment(own_books: Audited) -> None:
    wallet, over = own_books.a_wallet(), threading.Event()

    def post_until_it_is_over() -> None:
        while not over.is_set():
            own_books.move(CLEARING, wallet, 1)

    with ThreadPoolExecutor(2) as posters:
        posting = [posters.submit(post_until_it_is_over) for _ in range(2)]
        seen = [verify_ledger(own_books.addresses.owner)]
        while len({verified.entries for verified in seen}) < 4:
            seen.append(verify_ledger(own_books.addresses.owner))
        over.set()
        for poster in posting:
            poster.result()

    assert {verified.fault for verified in seen} == {None}


@pytest.fixture
def altayar(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, addresses: DatabaseAddresses
) -> Iterator[Callable[..., tuple[int, str]]]:
    monkeypatch.setenv("ENVIRONMENT", "test")
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REDIS_URL", settings.redis_url)
    # The role that this database's clones share.
    monkeypatch.setattr("infrastructure.bootstrap.addresses_from", lambda url: addresses)

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["ledger", *arguments])
        return done.exit_code, done.output

    return run


def test_the_command_says_what_is_right_and_names_what_is_not(
    altayar: Callable[..., tuple[int, str]], own_books: Audited
) -> None:
    story = _sealed(own_books)
    status, said = altayar("verify")
    assert (status, said.splitlines()[-1]) == (
        0,
        "18 entries are as they were written, and the seals of 1 days fit them",
    )

    own_books.behind_the_guards("UPDATE ledger_journals SET description_en = '' WHERE id = %s", story.completed.id)
    status, said = altayar("verify")
    assert status == 1
    assert f"Error: journal {story.completed.id}: its fingerprint does not fit what it says" in said


def test_a_root_that_was_kept_elsewhere_is_looked_for(
    altayar: Callable[..., tuple[int, str]], own_books: Audited
) -> None:
    """The newest seals can be taken away, and all that is left is right: only a copy tells."""
    _, said = altayar("seal")
    [(day, root)] = own_books.as_owner("SELECT business_day, root FROM ledger_seals")
    assert said == f"seal 1 of {day}: 0 journals, 0 entries, root {root.hex()}\n"
    assert altayar("seal") == (0, "every day that is over is sealed\n")
    assert altayar("verify", "--root", root.hex())[0] == 0
    assert altayar("verify", "--root", "abc")[0] == 2

    own_books.behind_the_guards("DELETE FROM ledger_seals")
    status, said = altayar("verify", "--root", root.hex())
    assert (status, f"root {root.hex()}: no seal has it" in said) == (1, True)
