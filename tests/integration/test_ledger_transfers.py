"""A journal of two entries is posted from columns: by the same rules as all others, and refused where they would be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import orjson
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.ledger import accounts
from domain.ledger.accounts import AccountKind, AccountRef
from domain.ledger.journal import Journal, JournalType, transfer
from infrastructure.clock import new_id
from infrastructure.database.ledger.repositories import _POST, _TRANSFER, _columns, _document, _legs
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database
from tests.builders import a_journal
from tests.integration.books import Ledger, assert_books_are_right
from tests.integration.by_hand import ISSUED, Scene, Session, a_scene
from tests.integration.shop import a_stored_user

DENIED = "42501"
COLUMNS = (
    "journal_id", "journal_type", "idempotency_key", "fingerprint", "reference_type", "reference_id",
    "description_ar", "description_en", "occurred_at", "currency", "first_account_id", "second_account_id",
    "amount_minor", "line", "legs",
)  # fmt: skip
Way = Callable[[Session, Journal], object]


@pytest.fixture(scope="module")
def ledger(module_addresses: DatabaseAddresses) -> Iterator[Ledger]:
    database = Database(module_addresses.app)
    yield Ledger(database)
    database.dispose()
    assert_books_are_right(module_addresses)


@pytest.fixture(scope="module")
def scene(ledger: Ledger) -> Scene:
    return a_scene(ledger)


@pytest.fixture(scope="module")
def pool(ledger: Ledger, scene: Scene) -> list[AccountRef]:
    """Accounts of all sorts: the scene's, one more with money, and some that nobody has opened yet."""
    newcomer = a_stored_user(ledger.new_uow)
    return [
        scene.wallet, scene.points, scene.debt, scene.clearing, scene.prepaid, ISSUED, ledger.a_wallet(70),
        accounts.wallet(newcomer, "EGP"), accounts.debt(newcomer, "EGP"), accounts.agent_deposit(newcomer, "EGP"),
        accounts.points(newcomer), accounts.wallet(newcomer, "USD"), accounts.wallet(new_id(), "EGP"),
        AccountRef(AccountKind.VENDOR_PAYABLE, "EGP", newcomer), accounts.clearing(new_id().hex, "EGP"),
        AccountRef(AccountKind.CUSTOMER_PREPAYMENTS, "USD", provider=new_id().hex),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def app_role(module_addresses: DatabaseAddresses) -> Iterator[Session]:
    with connect(module_addresses.app) as session:
        yield session


@pytest.fixture(scope="module")
def owner(module_addresses: DatabaseAddresses) -> Iterator[Session]:
    with connect(module_addresses.owner) as session:
        yield session


def from_columns(session: Session, journal: Journal) -> None:
    session.execute(_TRANSFER, _columns(journal))


def from_documents(session: Session, journal: Journal) -> None:
    values = orjson.dumps([_document(journal)]).decode(), orjson.dumps(_legs([journal])).decode()
    session.execute(_POST, values)


_WRITTEN = """
SELECT jsonb_agg(to_jsonb(j) - 'posted_at') FROM ledger_journals j WHERE j.id = %(journal)s
UNION ALL
SELECT jsonb_agg(to_jsonb(e) ORDER BY e.line) FROM ledger_entries e WHERE e.journal_id = %(journal)s
UNION ALL
SELECT jsonb_agg(to_jsonb(h) ORDER BY h.account_id) FROM ledger_heads h WHERE h.account_id = ANY (%(accounts)s)
UNION ALL
SELECT jsonb_agg(to_jsonb(a) - 'created_at' ORDER BY a.id) FROM ledger_accounts a WHERE a.id = ANY (%(accounts)s)
"""


def outcome(session: Session, way: Way, journal: Journal) -> list[Any] | str | None:
    """What is in the ledger afterwards, or what refuses it; it is taken back."""
    touched = [entry.account.id for entry in journal.entries]
    try:
        with session.transaction(force_rollback=True):
            way(session, journal)
            session.execute("SET CONSTRAINTS ALL IMMEDIATE")
            return session.execute(_WRITTEN, {"journal": journal.id, "accounts": touched}).fetchall()
    except psycopg.Error as error:
        return error.sqlstate


# One amount, two accounts ----------------------------------------------------------------------------

_AMOUNTS = st.sampled_from([1, 49, 50, 51, 69, 70, 71, 110, 111, 2**62]) | st.integers(1, 200)
_TYPES = st.sampled_from(sorted(JournalType))


@given(data=st.data(), minor=_AMOUNTS, kind=_TYPES)
@settings(max_examples=300)
def test_columns_and_documents_say_the_same(
    pool: list[AccountRef], app_role: Session, data: st.DataObject, minor: int, kind: JournalType
) -> None:
    """Whatever moves between whichever accounts: the same rows to the last hash, or the same refusal."""
    source = data.draw(st.sampled_from(pool))
    target = data.draw(st.sampled_from([one for one in pool if one.currency == source.currency and one != source]))
    journal = a_journal(*transfer(source, target, minor), journal_type=kind)

    assert outcome(app_role, from_columns, journal) == outcome(app_role, from_documents, journal)


@pytest.mark.parametrize(
    ("sums", "refused"),
    [
        (lambda s: transfer(s.wallet, s.prepaid, 70), None),
        (lambda s: transfer(s.wallet, s.prepaid, 71), "AL001"),
        (lambda s: transfer(s.prepaid, s.wallet, 5), None),
        (lambda s: transfer(s.clearing, s.prepaid, 5), None),
        (lambda s: transfer(s.clearing, s.debt, 50), None),
        (lambda s: transfer(s.clearing, s.debt, 51), "AL010"),
        (lambda s: transfer(ISSUED, s.points, 5), "AL010"),
        (lambda s: transfer(s.wallet, accounts.wallet(s.person, "EGP"), 5), "23514"),
    ],
    ids=["all that is free", "of what is held", "given", "the platform's alone", "a debt paid", "more than is owed",
         "points of no lot", "to itself"],
)  # fmt: skip
def test_a_transfer_is_held_to_every_rule(
    scene: Scene, app_role: Session, sums: Callable[[Scene], Any], refused: str | None
) -> None:
    found = outcome(app_role, from_columns, a_journal(*sums(scene)))

    assert (found if isinstance(found, str) else None) == refused


def test_a_transfer_is_posted_once(scene: Scene, app_role: Session) -> None:
    journal = a_journal(*transfer(scene.wallet, scene.prepaid, 5))

    def twice(session: Session, journal: Journal) -> None:
        from_columns(session, journal)
        from_columns(session, journal)

    assert outcome(app_role, twice, journal) == outcome(app_role, from_columns, journal)


# Written by somebody else ----------------------------------------------------------------------------


def columns(scene: Scene, **changes: object) -> tuple[object, ...]:
    """Five from the wallet to the platform, unless the changes say otherwise."""
    told = dict(zip(COLUMNS, _columns(a_journal(*transfer(scene.wallet, scene.prepaid, 5))), strict=True))
    return tuple({**told, **changes}.values())


def swapped(scene: Scene) -> dict[str, object]:
    """The higher account first."""
    told = dict(zip(COLUMNS, columns(scene), strict=True))
    return {"first_account_id": told["second_account_id"], "second_account_id": told["first_account_id"]}


NOBODYS = UUID(int=404)
WRONG: dict[str, tuple[Callable[[Scene], dict[str, object]], str]] = {
    "locked in another order": (swapped, "23514"),
    "one account twice": (lambda s: {"first_account_id": s.wallet.id, "second_account_id": s.wallet.id}, "23514"),
    "nothing moved": (lambda s: {"amount_minor": "0"}, "23514"),
    "no amount": (lambda s: {"amount_minor": None}, "23514"),
    "no such line": (lambda s: {"line": "0"}, "23514"),
    "a third line": (lambda s: {"line": "3"}, "23514"),
    "no line": (lambda s: {"line": None}, "23514"),
    "no account": (lambda s: {"first_account_id": None}, "23514"),
    "an unknown type": (lambda s: {"journal_type": "GIFT"}, "23514"),
    "no type": (lambda s: {"journal_type": None}, "23514"),
    "no fingerprint": (lambda s: {"fingerprint": None}, "23502"),
    "no time": (lambda s: {"occurred_at": None}, "23502"),
    "another currency": (lambda s: {"currency": "USD"}, "AL004"),
    "an account of nobody": (lambda s: {"first_account_id": NOBODYS}, "AL004"),
    "an account that nobody describes": (lambda s: {"first_account_id": NOBODYS, "legs": "[]"}, "AL004"),
    "a key used before": (lambda s: {"idempotency_key": s.deposit.idempotency_key}, "AL002"),
}


@pytest.mark.parametrize("name", WRONG)
def test_columns_that_are_wrong_are_refused_whoever_writes_them(
    scene: Scene, owner: Session, app_role: Session, name: str
) -> None:
    wrong, refused = WRONG[name]

    for session in (owner, app_role):
        with pytest.raises(psycopg.Error) as caught, session.transaction(force_rollback=True):
            session.execute(_TRANSFER, columns(scene, **wrong(scene)))
        assert caught.value.sqlstate == refused


@pytest.mark.parametrize(
    ("statement", "refused"),
    [
        ("SELECT * FROM ledger_transfers", DENIED),
        # Nobody can: there is no trigger that would.
        ("UPDATE ledger_transfers SET amount_minor = 1", "55000"),
        ("DELETE FROM ledger_transfers", "55000"),
    ],
)
def test_nothing_else_is_done_through_it(app_role: Session, statement: str, refused: str) -> None:
    with pytest.raises(psycopg.Error) as caught, app_role.transaction():
        app_role.execute(statement)
    assert caught.value.sqlstate == refused
