"""Breaking the ledger in plain SQL, as the application's role and as the owner: PostgreSQL refuses (M3 to M9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import UUID

import orjson
import psycopg
import pytest

from domain.ledger import accounts
from domain.ledger.accounts import CHART, AccountKind
from domain.ledger.journal import Entry, Journal, JournalType, transfer
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database
from tests.builders import a_journal
from tests.integration.books import Ledger, assert_books_are_right
from tests.integration.by_hand import FIRST_OF_YEAR, ISSUED, REDEEMED, Line, Scene, Session, a_scene, document, write
from tests.integration.shop import a_stored_user, all_at_once, units_of_work

DENIED = "42501"
NOWHERE = UUID(int=404)
PARTITIONS = ("ledger_entries_2026", "ledger_entries_2027", "ledger_entries_2028", "ledger_entries_beyond")
WRITTEN_ONCE = {
    "ledger_account_kinds": "nature", "ledger_accounts": "currency", "ledger_journals": "description_en",
    "ledger_heads": "sequence", "ledger_entries": "amount_minor", "points_lots": "remaining",
    "points_lot_entries": "points", **dict.fromkeys(PARTITIONS, "amount_minor"),
}  # fmt: skip
"""Tables that nobody changes, each with a column to try it on."""


@pytest.fixture(scope="module")
def database(module_addresses: DatabaseAddresses) -> Iterator[Database]:
    opened = Database(module_addresses.app)
    yield opened
    opened.dispose()


@pytest.fixture(scope="module")
def owner(module_addresses: DatabaseAddresses) -> Iterator[Session]:
    """A session of the database's owner, past all of the application's own checks."""
    with connect(module_addresses.owner) as session:
        yield session


@pytest.fixture(scope="module")
def app_role(module_addresses: DatabaseAddresses) -> Iterator[Session]:
    with connect(module_addresses.app) as session:
        yield session


@pytest.fixture(scope="module")
def scene(database: Database, owner: Session, module_addresses: DatabaseAddresses) -> Iterator[Scene]:
    """One of everything, and an entry in every partition; no test of this module leaves anything behind."""
    found = a_scene(Ledger(database))
    assert_books_are_right(module_addresses)
    with owner.transaction():
        for year in (2027, 2028, 2029):
            write(owner, found.at_clearing(-1), found.prepaying(1), journal=an_id_of(owner, year))
    before = state(owner)
    yield found
    assert state(owner) == before


def an_id_of(session: Session, year: int) -> UUID:
    """An id that a journal of this year might have."""
    row = session.execute(FIRST_OF_YEAR, (year, new_id().hex[20:])).fetchone()
    assert row is not None
    return UUID(str(row[0]))


def state(session: Session) -> list[tuple[Any, ...]]:
    counts = " UNION ALL ".join(f"SELECT '{table}', count(*)::text FROM {table}" for table in sorted(WRITTEN_ONCE))
    return session.execute(
        counts + " UNION ALL SELECT id::text, remaining::text FROM points_lots"
        " UNION ALL SELECT id::text, status || amount_minor FROM balance_holds"
        " UNION ALL SELECT account_id::text, sequence::text FROM ledger_heads ORDER BY 1, 2"
    ).fetchall()  # fmt: skip


def sqlstate_of(session: Session, attempt: Callable[[], object]) -> str | None:
    """What a transaction with this attempt in it is refused with when it commits; it never does."""
    try:
        with session.transaction(force_rollback=True):
            attempt()
            session.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except psycopg.Error as error:
        return error.sqlstate
    return None


# Rows that are never changed -------------------------------------------------------------------------


@pytest.mark.parametrize("statement", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"])
@pytest.mark.parametrize("table", WRITTEN_ONCE)
def test_nobody_changes_a_row(scene: Scene, owner: Session, app_role: Session, table: str, statement: str) -> None:
    attempt = statement.format(table, WRITTEN_ONCE[table])

    assert sqlstate_of(owner, lambda: owner.execute(attempt)) == "AL005"
    assert sqlstate_of(app_role, lambda: app_role.execute(attempt)) == DENIED


@pytest.mark.parametrize(
    ("attempt", "refused"),
    [
        ("INSERT INTO ledger_heads VALUES (%(wallet)s, 9)", "23505"),
        ("INSERT INTO ledger_heads VALUES (%(wallet)s, 0) ON CONFLICT (account_id) DO UPDATE SET sequence = 0",
         "AL005"),
        ("UPDATE ledger_heads SET sequence = sequence + 1, journal_id = NULL WHERE account_id = %(wallet)s", "AL005"),
        ("INSERT INTO ledger_heads VALUES (%(nowhere)s, 0)", "23503"),
        ("INSERT INTO ledger_heads (account_id, sequence) VALUES (%(clearing)s, 0)", "AL005"),
        ("UPDATE ledger_heads SET balance_minor = 1000000 WHERE account_id = %(wallet)s", "AL005"),
        ("UPDATE ledger_heads SET held_minor = 0 WHERE account_id = %(wallet)s", "AL005"),
        ("INSERT INTO ledger_account_kinds VALUES ('WALLET', 'LIABILITY', true, 'EITHER_SIDE')", "23505"),
    ],
    ids=["a second head", "a head put back", "a head moved", "a head of nothing", "a head of the platform's",
         "a balance", "what is held", "a kind said again"],
)  # fmt: skip
def test_nobody_moves_what_the_guards_go_by(
    scene: Scene, owner: Session, app_role: Session, attempt: str, refused: str
) -> None:
    values = {"wallet": scene.wallet.id, "clearing": scene.clearing.id, "nowhere": NOWHERE}

    assert sqlstate_of(owner, lambda: owner.execute(attempt, values)) == refused
    assert sqlstate_of(app_role, lambda: app_role.execute(attempt, values)) == DENIED


ACCOUNT = """
INSERT INTO ledger_accounts (id, kind, currency, user_id, provider, is_chained, allows_debt, created_at)
VALUES (%s, %s, 'USD', %s, '', true, true, now())
"""


@pytest.mark.parametrize(
    ("kind", "is_owned"),
    [("WALLET", False), ("CUSTOMER_DEBT", False), ("BOOKING_REVENUE", True), ("SUSPENSE", True), ("SAVINGS", True)],
)
def test_an_account_is_whose_its_kind_says(
    scene: Scene, owner: Session, app_role: Session, kind: str, is_owned: bool
) -> None:
    values = (new_id(), kind, scene.person if is_owned else None)

    assert sqlstate_of(owner, lambda: owner.execute(ACCOUNT, values)) == "AL004"
    assert sqlstate_of(app_role, lambda: app_role.execute(ACCOUNT, values)) == DENIED


def test_an_account_stands_as_its_kind_says_whoever_makes_it(scene: Scene, owner: Session) -> None:
    with owner.transaction(force_rollback=True):
        account = new_id()
        owner.execute(ACCOUNT, (account, "WALLET", scene.person))
        row = owner.execute("SELECT is_chained, allows_debt FROM ledger_accounts WHERE id = %s", (account,)).fetchone()

    assert row == (True, False)


# Journals by hand ------------------------------------------------------------------------------------

Attempt = Callable[[Scene], tuple[tuple[Line, ...], dict[str, Any]]]


def of(*lines: Line, **how: Any) -> tuple[tuple[Line, ...], dict[str, Any]]:
    return lines, how


def reversing(s: Scene, original: UUID, *lines: Line, **how: Any) -> tuple[tuple[Line, ...], dict[str, Any]]:
    return of(*lines, **{"kind": "REVERSAL", "reverses": original, **how})


WRONG: dict[str, tuple[Attempt, str]] = {
    "unbalanced": (lambda s: of(s.in_wallet(50), s.at_clearing(-49)), "AL003"),
    "one entry alone": (lambda s: of(s.in_wallet(50)), "AL003"),
    "balanced over two units": (lambda s: of(s.in_wallet(50), s.at_clearing(-50, currency="USD")), "AL003"),
    "skipped sequence": (lambda s: of(s.in_wallet(50, sequence=6), s.at_clearing(-50)), "AL004"),
    "repeated sequence": (lambda s: of(s.in_wallet(50, sequence=4, before=120), s.at_clearing(-50)), "23505"),
    "sequence nought": (lambda s: of(s.in_wallet(50, sequence=0, before=0), s.at_clearing(-50)), "AL004"),
    "chained without sequence": (
        lambda s: of(s.in_wallet(50, sequence=None, before=None), s.at_clearing(-50)), "AL004"),
    "summed with sequence": (lambda s: of(s.in_wallet(50), s.at_clearing(-50, sequence=1, before=0)), "AL004"),
    "wrong balance before": (lambda s: of(s.in_wallet(50, before=109), s.at_clearing(-50)), "AL004"),
    "wrong balance after": (lambda s: of(s.in_wallet(50, after=161), s.at_clearing(-50)), "23514"),
    "nothing moved": (lambda s: of(s.in_wallet(0), s.at_clearing(0)), "23514"),
    "below zero": (lambda s: of(s.in_wallet(-111), s.at_clearing(111)), "AL001"),
    "below what is held": (lambda s: of(s.in_wallet(-71), s.at_clearing(71)), "AL001"),
    "below zero in between": (
        lambda s: of(s.in_wallet(-111), s.at_clearing(111), s.in_wallet(90, sequence=6, before=-1),
                     s.at_clearing(-90)), "AL001"),
    "unknown account": (lambda s: of(s.in_wallet(50, account=NOWHERE), s.at_clearing(-50)), "AL004"),
    "unknown platform account": (lambda s: of(s.in_wallet(50), s.at_clearing(-50, account=NOWHERE)), "AL004"),
    "unknown journal": (lambda s: of(s.in_wallet(50), s.at_clearing(-50), journal=new_id(), is_known=True), "AL004"),
    "another currency": (
        lambda s: of(s.in_wallet(50, currency="USD"), s.at_clearing(-50, currency="USD")), "AL004"),
    "debt above zero": (
        lambda s: of(Line(s.debt.id, 51, sequence=2, before=-50), s.at_clearing(-51)), "AL010"),
    "points of no lot": (
        lambda s: of(Line(s.points.id, 5, 4, 24, "PTS"), Line(ISSUED.id, -5, currency="PTS")), "AL010"),
    "lines added to a posted journal": (
        lambda s: of(s.in_wallet(9), s.at_clearing(-9), journal=s.deposit.id, is_known=True, behind=2), "AL003"),
    "lines of a posted journal again": (
        lambda s: of(s.in_wallet(9), s.at_clearing(-9), journal=s.deposit.id, is_known=True), "23505"),
    "reversal of more than is left": (
        lambda s: reversing(s, s.payment.id, s.in_wallet(41), s.prepaying(-41)), "AL009"),
    "reversal the same way again": (
        lambda s: reversing(s, s.payment.id, s.in_wallet(-1), s.prepaying(1), s.in_wallet(-20, sequence=6, before=109),
                            s.prepaying(20)), "AL009"),
    "reversal of another account": (
        lambda s: reversing(s, s.payment.id, s.in_wallet(1), s.at_clearing(-1)), "AL009"),
    "reversal of a reversal": (lambda s: reversing(s, s.reversal, s.in_wallet(-1), s.prepaying(1)), "AL009"),
    "reversal of nothing": (lambda s: reversing(s, NOWHERE, s.in_wallet(50), s.at_clearing(-50)), "AL009"),
    "reversal by another type": (
        lambda s: reversing(s, s.payment.id, s.in_wallet(1), s.prepaying(-1), kind="REFUND"), "23514"),
    "unknown type": (lambda s: of(s.in_wallet(50), s.at_clearing(-50), kind="GIFT"), "23514"),
}  # fmt: skip


def test_what_is_right_stands_even_by_hand(scene: Scene, owner: Session) -> None:
    """The refusals below are refusals of what is wrong in them, not of every insert."""
    for table in ("ledger_entries", "ledger_entries_2026"):
        attempt = partial(write, owner, scene.in_wallet(50), scene.at_clearing(-50), table=table)
        assert sqlstate_of(owner, attempt) is None
    part = (scene.in_wallet(40), scene.prepaying(-40))
    assert sqlstate_of(owner, lambda: write(owner, *part, kind="REVERSAL", reverses=scene.payment.id)) is None


@pytest.mark.parametrize("table", ["ledger_entries", "ledger_entries_2026"])
@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_refused_whoever_writes_it_and_wherever(
    scene: Scene, owner: Session, app_role: Session, name: str, table: str
) -> None:
    attempt, refused = WRONG[name]
    lines, how = attempt(scene)

    assert sqlstate_of(owner, lambda: write(owner, *lines, table=table, **how)) == refused
    assert sqlstate_of(app_role, lambda: write(app_role, *lines, table=table, **how)) == DENIED


@pytest.mark.parametrize("sequence", [1, 4, 6])
def test_a_chain_is_not_broken_across_partitions_either(scene: Scene, owner: Session, sequence: int) -> None:
    lines = (scene.in_wallet(50, sequence=sequence), scene.at_clearing(-50))

    assert sqlstate_of(owner, lambda: write(owner, *lines, journal=an_id_of(owner, 2027))) == "AL004"


@pytest.mark.parametrize(("year", "refused"), [(2026, {"23505", "AL004"}), (2027, {"AL004"})])
def test_of_two_that_write_the_same_sequence_at_once_one_does(
    addresses: DatabaseAddresses, year: int, refused: set[str]
) -> None:
    """The second waits for the first: in the same partition on the index, in another on the head."""
    with connect(addresses.app) as session:
        wallet, clearing = _two_that_moved(session, addresses)

    def second_entry(journal: UUID) -> None:
        with connect(addresses.owner) as session, session.transaction():
            write(session, Line(wallet, 50, 2, 100), Line(clearing, -50), journal=journal)

    with connect(addresses.owner) as session:
        ids = [new_id(), new_id() if year == 2026 else an_id_of(session, year)]
    results = all_at_once([partial(second_entry, journal) for journal in ids])

    assert results.count(None) == 1
    assert [result.sqlstate in refused for result in results if isinstance(result, psycopg.Error)] == [True]


def _two_that_moved(session: Session, addresses: DatabaseAddresses) -> tuple[UUID, UUID]:
    """A wallet of 100 and where it came from."""
    database = Database(addresses.app)
    person = a_stored_user(units_of_work(database))
    database.dispose()
    wallet, clearing = accounts.wallet(person, "EGP"), accounts.clearing("CARDS", "EGP")
    post(session, document(a_journal(*transfer(clearing, wallet, 100))))
    return wallet.id, clearing.id


# Holds and lots --------------------------------------------------------------------------------------

HOLD = """
INSERT INTO balance_holds (id, account_id, amount_minor, currency, status, reference_type, reference_id, created_at,
                           captured_minor, journal_id, resolved_at)
VALUES (%(new)s, {account}, {amount}, {unit}, {status}, 'TEST', %(new)s, now(), {captured})
"""


def a_hold(*, account: str = "%(wallet)s", amount: int = 10, unit: str = "'EGP'", status: str = "'ACTIVE'",
           captured: str = "0, NULL, NULL") -> str:  # fmt: skip
    return HOLD.format(account=account, amount=amount, unit=unit, status=status, captured=captured)


CAPTURED = "status = 'CAPTURED', captured_minor = {}, journal_id = {}, resolved_at = now() WHERE id = {}"
LOT = """
INSERT INTO points_lots (id, user_id, journal_id, points, remaining, earned_at, expires_at)
VALUES (%(new)s, %(person)s, %(deposit)s, 5, {}, now(), now() + interval '1 year')
"""
ENTRY = "INSERT INTO points_lot_entries (journal_id, lot_id, points, grace_until) VALUES (%({})s, %(lot)s, {}, {})"
WRONG_ROWS = {
    "a hold of more than is free": (a_hold(amount=71), "AL001"),
    "a hold of nothing": (a_hold(amount=0), "23514"),
    "a hold that begins captured": (
        a_hold(status="'CAPTURED'", captured="10, %(deposit)s, now()"), "AL010"),
    "a hold in another unit": (a_hold(unit="'USD'"), "AL010"),
    "a hold on nothing": (a_hold(account="%(nowhere)s"), "AL001"),
    "a hold captured twice": ("UPDATE balance_holds SET captured_minor = 15 WHERE id = %(ended)s", "AL010"),
    "a hold captured, then released": (
        "UPDATE balance_holds SET status = 'RELEASED', captured_minor = 0, journal_id = NULL WHERE id = %(ended)s",
        "AL010"),
    "a hold resurrected": (
        "UPDATE balance_holds SET status = 'ACTIVE', captured_minor = 0, journal_id = NULL, resolved_at = NULL"
        " WHERE id = %(ended)s", "AL010"),
    "a hold grown": ("UPDATE balance_holds SET amount_minor = amount_minor + 1 WHERE id = %(hold)s", "AL010"),
    "a hold shrunk": ("UPDATE balance_holds SET amount_minor = amount_minor - 1 WHERE id = %(hold)s", "AL010"),
    "a hold prolonged": (
        "UPDATE balance_holds SET expires_at = expires_at + interval '1 day' WHERE id = %(hold)s", "AL010"),
    "a hold moved to another account": (
        "UPDATE balance_holds SET account_id = %(points)s WHERE id = %(hold)s", "AL010"),
    "more captured than held": (
        "UPDATE balance_holds SET " + CAPTURED.format(41, "%(deposit)s", "%(hold)s"), "23514"),
    "captured by no journal": ("UPDATE balance_holds SET " + CAPTURED.format(40, "NULL", "%(hold)s"), "23514"),
    "captured by an unknown journal": (
        "UPDATE balance_holds SET " + CAPTURED.format(40, "%(nowhere)s", "%(hold)s"), "23503"),
    "a hold deleted": ("DELETE FROM balance_holds WHERE id = %(hold)s", "AL010"),
    "a lot without points in the account": (LOT.format(5), "AL010"),
    "a lot that begins used up": (LOT.format(0), "AL010"),
    "a lot taken from beside the account": (ENTRY.format("deposit", -5, "NULL"), "AL010"),
    "more taken than a lot holds": (ENTRY.format("deposit", -25, "NULL"), "23514"),
    "given back by what reverses nothing": (ENTRY.format("deposit", 1, "NULL"), "AL009"),
    "an entry of nothing": (ENTRY.format("deposit", 0, "NULL"), "23514"),
    "grace for what is taken": (ENTRY.format("deposit", -5, "now()"), "23514"),
    "taken twice by one journal": (ENTRY.format("redemption", -5, "NULL"), "23505"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_ROWS)
def test_holds_and_lots_add_up_whoever_writes_them(scene: Scene, owner: Session, app_role: Session, name: str) -> None:
    statement, refused = WRONG_ROWS[name]
    values = {
        "new": new_id(), "nowhere": NOWHERE, "person": scene.person, "wallet": scene.wallet.id,
        "points": scene.points.id, "hold": scene.hold, "ended": scene.ended, "lot": scene.lot,
        "deposit": scene.deposit.id, "redemption": scene.redemption.id,
    }  # fmt: skip

    for session in (owner, app_role):
        assert sqlstate_of(session, partial(session.execute, statement, values)) == refused


def test_holds_are_not_truncated(scene: Scene, owner: Session, app_role: Session) -> None:
    assert sqlstate_of(owner, lambda: owner.execute("TRUNCATE balance_holds CASCADE")) == "AL005"
    assert sqlstate_of(app_role, lambda: app_role.execute("TRUNCATE balance_holds CASCADE")) == DENIED


@pytest.mark.parametrize(("points", "refused"), [(6, None), (7, "AL009")])
def test_a_lot_gets_back_no_more_than_was_taken_from_it(
    scene: Scene, app_role: Session, points: int, refused: str | None
) -> None:
    """Of ten points taken four came back; the account is given what the lot is."""
    reversal = a_journal(
        *transfer(REDEEMED, scene.points, 6), journal_type=JournalType.REVERSAL, reverses=scene.redemption.id
    )

    def attempt() -> None:
        post(app_role, document(reversal))
        app_role.execute(ENTRY.format("new", points, "NULL"), {"new": reversal.id, "lot": scene.lot})

    assert sqlstate_of(app_role, attempt) == refused


# The application's own way in ------------------------------------------------------------------------


_POST = "SELECT ledger_post(%s::jsonb, %s::jsonb)"


def post(session: Session, *documents: dict[str, Any]) -> None:
    legs = [
        [*leg, place, line] for place, told in enumerate(documents) for line, leg in enumerate(told["entries"], start=1)
    ]
    legs.sort(key=lambda leg: leg[0].int)
    journals = [{name: value for name, value in told.items() if name != "entries"} for told in documents]
    session.execute(_POST, (orjson.dumps(journals).decode(), orjson.dumps(legs).decode()))


def entry(account: UUID, kind: str, unit: str, person: UUID | None, amount: int) -> list[object]:
    return [account, kind, unit, person, "", amount]


def moving(s: Scene, *entries: list[object], **changes: object) -> dict[str, object]:
    return document(s.deposit, **{"id": new_id(), "key": new_id().hex, "entries": entries, **changes})


def a_reversal(original: UUID, journal: Journal, **changes: object) -> dict[str, object]:
    return document(journal, **{"type": "REVERSAL", "reverses": original, **changes})


WRONG_DOCUMENTS: dict[str, tuple[Callable[[Scene], dict[str, object]], str]] = {
    "unbalanced": (
        lambda s: moving(s, entry(s.wallet.id, "WALLET", "EGP", s.person, 5),
                         entry(s.prepaid.id, "CUSTOMER_PREPAYMENTS", "EGP", None, -4)), "AL003"),
    "one entry alone": (lambda s: moving(s, entry(s.wallet.id, "WALLET", "EGP", s.person, 5)), "AL003"),
    "nothing moved": (
        lambda s: moving(s, entry(s.wallet.id, "WALLET", "EGP", s.person, 0),
                         entry(s.prepaid.id, "CUSTOMER_PREPAYMENTS", "EGP", None, 0)), "23514"),
    "below zero": (lambda s: document(a_journal(*transfer(s.wallet, s.prepaid, 111))), "AL001"),
    "below what is held": (lambda s: document(a_journal(*transfer(s.wallet, s.prepaid, 71))), "AL001"),
    "another currency": (
        lambda s: moving(s, entry(s.wallet.id, "WALLET", "USD", s.person, 5),
                         entry(s.prepaid.id, "CUSTOMER_PREPAYMENTS", "USD", None, -5)), "AL004"),
    "a wallet of nobody": (
        lambda s: moving(s, entry(new_id(), "WALLET", "EGP", None, -5),
                         entry(s.wallet.id, "WALLET", "EGP", s.person, 5)), "AL004"),
    "a wallet under another id": (
        lambda s: moving(s, entry(new_id(), "WALLET", "EGP", s.person, 5),
                         entry(s.wallet.id, "WALLET", "EGP", s.person, -5)), "AL004"),
    "an unknown kind": (
        lambda s: moving(s, entry(new_id(), "SAVINGS", "EGP", s.person, 5),
                         entry(s.wallet.id, "WALLET", "EGP", s.person, -5)), "AL004"),
    "a key used before": (
        lambda s: document(s.deposit, fingerprint="00", id=new_id()), "AL002"),
    "debt above zero": (lambda s: document(a_journal(*transfer(s.clearing, s.debt, 51))), "AL010"),
    "points of no lot": (lambda s: document(a_journal(*transfer(ISSUED, s.points, 5))), "AL010"),
    "reversal of more than is left": (
        lambda s: a_reversal(s.payment.id, a_journal(*transfer(s.prepaid, s.wallet, 41))), "AL009"),
    "reversal of a reversal": (
        lambda s: a_reversal(s.reversal, a_journal(*transfer(s.wallet, s.prepaid, 1))), "AL009"),
    "reversal of nothing": (
        lambda s: a_reversal(NOWHERE, a_journal(*transfer(s.prepaid, s.wallet, 1))), "AL009"),
    "reversal by another type": (
        lambda s: a_reversal(s.payment.id, a_journal(*transfer(s.prepaid, s.wallet, 1)), type="REFUND"), "23514"),
    "unknown type": (lambda s: document(a_journal(*transfer(s.clearing, s.prepaid, 5)), type="GIFT"), "23514"),
    "no type": (lambda s: document(a_journal(*transfer(s.clearing, s.prepaid, 5)), type=None), "23502"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_DOCUMENTS)
def test_the_posting_function_takes_nothing_that_is_wrong(scene: Scene, app_role: Session, name: str) -> None:
    wrong, refused = WRONG_DOCUMENTS[name]

    assert sqlstate_of(app_role, lambda: post(app_role, wrong(scene))) == refused


def test_a_reversal_by_debt_is_no_more_than_was_moved(scene: Scene, app_role: Session) -> None:
    """What an owner cannot give may be a debt of theirs; the other side has its bounds all the same."""
    debt = accounts.debt(scene.person, "EGP")
    within = a_reversal(scene.deposit.id, a_journal(Entry(debt, -160), Entry(scene.clearing, 160)))
    beyond = a_reversal(scene.deposit.id, a_journal(Entry(debt, -161), Entry(scene.clearing, 161)))

    assert sqlstate_of(app_role, lambda: post(app_role, within)) is None
    assert sqlstate_of(app_role, lambda: post(app_role, beyond)) == "AL009"


@pytest.mark.parametrize("lines", [(), (2, 3)], ids=["no lines at all", "lines from the second on"])
def test_a_journal_is_posted_with_its_first_line(scene: Scene, app_role: Session, lines: tuple[int, ...]) -> None:
    """Without it somebody could add another pair of lines later."""
    told = document(a_journal(*transfer(scene.clearing, scene.prepaid, 5)))
    legs = [[*leg, 0, line] for line, leg in zip(lines, told.pop("entries"), strict=False)]
    values = [orjson.dumps(part).decode() for part in ([told], legs)]

    assert sqlstate_of(app_role, lambda: app_role.execute(_POST, values)) == "AL003"


CONTINUE = """
INSERT INTO ledger_continuations (of_journal, legs, posted)
VALUES (ARRAY[ROW(%(journal)s, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', now())::ledger_entries],
        jsonb_build_array(jsonb_build_array(%(wallet)s::uuid, NULL, 'EGP', NULL, NULL, 1000, 0, 1)), 1)
"""


def test_nobody_moves_a_head_by_what_posting_is_made_of(scene: Scene, owner: Session, app_role: Session) -> None:
    values = {"journal": scene.deposit.id, "wallet": scene.wallet.id}

    assert sqlstate_of(owner, lambda: owner.execute(CONTINUE, values)) == "AL005"
    assert sqlstate_of(app_role, lambda: app_role.execute(CONTINUE, values)) == DENIED


@pytest.mark.parametrize(
    ("statement", "refused"),
    [
        ("SELECT * FROM ledger_postings", DENIED),
        ("INSERT INTO ledger_postings (posted) VALUES (1)", DENIED),
        # Nobody can: there is no trigger that would.
        ("UPDATE ledger_postings SET posted = 1", "55000"),
        ("DELETE FROM ledger_postings", "55000"),
    ],
)
def test_through_the_way_into_the_ledger_nothing_else_is_done(app_role: Session, statement: str, refused: str) -> None:
    assert sqlstate_of(app_role, lambda: app_role.execute(statement)) == refused


def test_the_way_into_the_ledger_takes_no_more_than_an_account_has(
    scene: Scene, owner: Session, app_role: Session
) -> None:
    told = document(a_journal(*transfer(scene.wallet, scene.prepaid, 111)))
    legs = [[*leg, 0, line] for line, leg in enumerate(told.pop("entries"), start=1)]
    legs.sort(key=lambda leg: leg[0].int)
    values = [orjson.dumps(part).decode() for part in ([told], legs)]
    attempt = "INSERT INTO ledger_postings (journals, legs) VALUES (%s, %s)"

    assert sqlstate_of(owner, lambda: owner.execute(attempt, values)) == "AL001"
    assert sqlstate_of(app_role, lambda: app_role.execute(attempt, values)) == "AL001"


# What the guards lean on -----------------------------------------------------------------------------


def test_the_database_holds_the_chart_of_accounts(owner: Session) -> None:
    rows = owner.execute("SELECT kind, nature, is_owned, standing FROM ledger_account_kinds").fetchall()

    assert {AccountKind(kind): rest for kind, *rest in rows} == {
        kind: [line.nature, line.is_owned, line.standing] for kind, line in CHART.items()
    }


def test_the_database_knows_all_types_of_journals(owner: Session) -> None:
    [known] = owner.execute("SELECT ledger_journal_types()").fetchone() or (None,)

    assert set(known) == set(JournalType)


def guards_of(session: Session, partition: str) -> set[str]:
    rows = session.execute(
        """SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgenabled = 'O' AND NOT tgisinternal
           UNION SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgparentid <> 0""",
        (partition, partition),
    ).fetchall()
    return {name for (name,) in rows}


def test_entries_have_a_guarded_place_two_years_ahead_and_beyond(owner: Session) -> None:
    rows = owner.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'ledger_entries'::regclass"
    ).fetchall()

    assert {name for (name,) in rows} >= set(PARTITIONS)
    for (name,) in rows:
        assert guards_of(owner, name) >= {"keep_rows", "keep_table", "hold_together", "lots_agree"}


def test_a_later_years_partition_is_made_with_all_its_guards(
    owner: Session, app_role: Session, module_addresses: DatabaseAddresses
) -> None:
    with app_role.transaction(force_rollback=True):
        app_role.execute("SELECT ledger_make_partition(2045)")
        found = guards_of(app_role, "ledger_entries_2045")
        chain = app_role.execute(
            "SELECT 1 FROM pg_indexes WHERE tablename = 'ledger_entries_2045' AND indexdef LIKE '%UNIQUE%sequence)'"
        ).fetchone()

    assert found >= {"keep_rows", "keep_table", "hold_together", "lots_agree"}
    assert chain is not None
