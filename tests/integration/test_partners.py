"""Vendors and agents in the database: what it refuses whoever asks, what analysts see, and who is not erased yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from application.billing.ports import ObjectStorage
from application.partners.decisions import DecidePartner, approve_partner
from application.partners.documents import DocumentDesk, SendDocument, send_document
from application.partners.ports import FiledAccount
from application.partners.profiles import ApplyAsPartner, apply_as_partner
from domain.ledger.accounts import AccountKind, AccountRef, platform
from domain.ledger.journal import Entry
from domain.partners.bank_accounts import BankAccount
from domain.partners.documents import DocumentKind
from domain.partners.partners import PartnerNotFound, PayoutMethod
from domain.sales.bookings import Booking
from domain.shared.clock import business_date
from domain.shared.payees import PayeeType
from infrastructure.bootstrap import Running
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.api.test_manual_payments import picture
from tests.conftest import MovableClock
from tests.integration.shop import Shop
from tests.integration.test_erasing import carry_out, leave

pytestmark = pytest.mark.database

REFUSED = (psycopg.errors.CheckViolation, psycopg.errors.RaiseException, psycopg.errors.InsufficientPrivilege)


def a_partner(shop: Shop, user_id: UUID, trade: PayeeType = PayeeType.AGENT) -> UUID:
    """An approved profile that is paid in the wallet."""
    use = shop.use
    partner_id = apply_as_partner(
        ApplyAsPartner(
            user_id=user_id,
            roles=frozenset({trade}),
            payee_type=trade,
            payout_method=PayoutMethod.WALLET,
            company={"company_name": "Sameh's office", "license_number": "AG-0417"},
        ),
        uow=use.new_uow(),
        clock=use.clock,
        new_id=new_id,
    )
    command = DecidePartner(partner_id=partner_id, payee_type=trade, actor_id=shop.a_customer(), expected_version=None)
    approve_partner(command, uow=use.new_uow(), clock=use.clock)
    return partner_id


def owe(shop: Shop, user_id: UUID, minor: int) -> None:
    """So much more is owed to an agent, or less."""
    account = AccountRef(AccountKind.AGENT_PAYABLE, "EGP", user_id)
    shop.post(Entry(account, minor), Entry(platform(AccountKind.AGENT_COMMISSIONS, "EGP"), -minor))


class TestGuards:
    @pytest.mark.parametrize(
        "change",
        [
            "status = 'SUSPENDED'",
            "status = 'ACTIVE', approved_at = NULL",
            "suspension_reason = 'no'",
            "refusal_reason = 'no'",
            "approved_by_user_id = user_id",
            "payout_method = 'STRIPE'",
            "payout_method = 'PIGEON'",
            "status = 'CLOSED'",
        ],
    )
    def test_a_profile_is_whole(self, shop: Shop, addresses: DatabaseAddresses, change: str) -> None:
        a_partner(shop, shop.a_customer())
        with connect(addresses.app) as app, pytest.raises(REFUSED):
            app.execute(f"UPDATE partner_profiles SET {change}".encode())

    def test_rates_are_only_added(self, shop: Shop, addresses: DatabaseAddresses) -> None:
        partner_id = a_partner(shop, shop.a_customer())
        add = """INSERT INTO partner_rates (id, profile_id, rate, valid_from, set_by_user_id, created_at)
                 SELECT gen_random_uuid(), id, %s, %s, user_id, now() FROM partner_profiles WHERE id = %s"""
        at = shop.use.clock.now()
        with connect(addresses.app) as app:
            app.execute(add, (10, at, partner_id))
            for statement in ("UPDATE partner_rates SET rate = 99", "DELETE FROM partner_rates"):
                with pytest.raises(REFUSED):
                    app.execute(statement.encode())
            with pytest.raises(psycopg.errors.UniqueViolation):
                app.execute(add, (99, at, partner_id))
            with pytest.raises(REFUSED):
                app.execute(add, (101, at + timedelta(days=1), partner_id))

    def test_a_paper_is_verified_by_somebody_who_could_see_it(self, shop: Shop, addresses: DatabaseAddresses) -> None:
        partner_id = a_partner(shop, shop.a_customer())
        with connect(addresses.app) as app:
            app.execute(
                """INSERT INTO partner_documents (id, profile_id, kind, storage_key, content_type, size_bytes,
                                                  uploaded_at)
                   VALUES (gen_random_uuid(), %s, 'LICENSE', 'partners/1', 'image/jpeg', 1, now())""",
                (partner_id,),
            )
            for change in ("verified_at = now()", "verified_at = now(), verified_by_user_id = gen_random_uuid()"):
                with pytest.raises(REFUSED):
                    app.execute(f"UPDATE partner_documents SET {change}".encode())


class TestPapers:
    """A paper is kept in three steps: its row, its file, and the mark that the file is there."""

    @staticmethod
    def send(shop: Shop, partner_id: UUID, owner: UUID, storage: ObjectStorage) -> UUID:
        use = shop.use
        command = SendDocument(
            partner_id=partner_id, user_id=owner, kind=DocumentKind.LICENSE, expires_on=None, content=picture()
        )
        desk = DocumentDesk(pictures=use.document_desk.pictures, storage=storage)
        return send_document(command, desk=desk, new_uow=use.new_uow, clock=use.clock, new_id=new_id)

    def test_one_whose_file_was_not_written_is_shown_to_nobody_and_sent_again(
        self, shop: Shop, running: Running
    ) -> None:
        agent = shop.a_customer()
        partner_id = a_partner(shop, agent)
        storage = running.dependencies.storage
        with pytest.raises(ConnectionError):
            self.send(shop, partner_id, agent, Interrupted(storage, fails=True))
        today = business_date(shop.use.clock.now())
        assert shop.use.queries.partners.documents(partner_id, today=today) == []

        sent = self.send(shop, partner_id, agent, storage)

        assert [paper["id"] for paper in shop.use.queries.partners.documents(partner_id, today=today)] == [sent]
        # What was written down before its file is found when its owner is erased.
        assert len(running.database.rows("SELECT storage_key FROM partner_documents")) == 2

    def test_one_whose_owner_is_gone_when_its_file_is_there_is_not_kept(
        self, shop: Shop, running: Running, addresses: DatabaseAddresses
    ) -> None:
        agent = shop.a_customer()
        partner_id = a_partner(shop, agent)
        storage = Interrupted(running.dependencies.storage, addresses=addresses)
        with pytest.raises(PartnerNotFound):
            self.send(shop, partner_id, agent, storage)
        assert len(storage.keys) == 1
        assert running.dependencies.storage.get(storage.keys[0]) is None


@dataclass
class Interrupted:
    """A storage of which something happens at once after a file was put, or in its stead."""

    storage: ObjectStorage
    fails: bool = False
    addresses: DatabaseAddresses | None = None
    keys: list[str] = field(default_factory=list)

    def put(self, key: str, content: bytes, content_type: str) -> None:
        self.keys.append(key)
        if self.fails:
            raise ConnectionError("nobody is there")
        self.storage.put(key, content, content_type)
        if self.addresses is not None:
            with connect(self.addresses.owner) as connection:
                connection.execute("DELETE FROM partner_documents")

    def get(self, key: str) -> bytes | None:
        return self.storage.get(key)

    def delete(self, key: str) -> None:
        self.storage.delete(key)


class TestErasing:
    def test_whoever_is_owed_something_is_not_erased_yet(
        self, shop: Shop, running: Running, clock: MovableClock, addresses: DatabaseAddresses
    ) -> None:
        agent = shop.a_customer()
        a_partner(shop, agent)
        owe(shop, agent, 12_500)
        erasure = leave(shop, agent)
        clock.offset += timedelta(days=15)

        assert not carry_out(shop, erasure)
        assert running.database.rows("SELECT blocked_by FROM erasures") == [{"blocked_by": ["EARNINGS"]}]

        owe(shop, agent, -12_500)
        before = totals(running)
        assert carry_out(shop, erasure)
        assert totals(running) == before
        (row,) = running.database.rows("SELECT company_name, license, tax_id FROM partner_profiles")
        assert row == {"company_name": "erased", "license": "", "tax_id": ""}

    def test_nor_whoever_will_be_when_a_trip_is_over(self, shop: Shop, running: Running, clock: MovableClock) -> None:
        agent, customer = shop.a_customer(), shop.a_customer()
        a_partner(shop, agent)
        sold_by(running, agent, shop.a_paid_booking(customer))
        erasure = leave(shop, agent)
        clock.offset += timedelta(days=15)
        assert not carry_out(shop, erasure)
        assert running.database.rows("SELECT blocked_by FROM erasures") == [{"blocked_by": ["EARNINGS"]}]

    def test_bank_accounts_and_papers_go_and_none_come_after(
        self, shop: Shop, running: Running, clock: MovableClock, addresses: DatabaseAddresses
    ) -> None:
        agent = shop.a_customer()
        partner_id = a_partner(shop, agent)
        account = """INSERT INTO partner_bank_accounts (id, profile_id, details_encrypted, masked, added_by_user_id,
                                                        created_at, usable_from)
                     VALUES (gen_random_uuid(), %s, 'sealed', 'A bank', %s, now(), now())"""
        paper = """INSERT INTO partner_documents (id, profile_id, kind, storage_key, content_type, size_bytes,
                                                  uploaded_at)
                   VALUES (gen_random_uuid(), %s, 'LICENSE', 'partners/1', 'image/jpeg', 1, now())"""
        running.dependencies.storage.put("partners/1", b"a licence", "image/jpeg")
        with connect(addresses.app) as app:
            app.execute(account, (partner_id, agent))
            app.execute(paper, (partner_id,))
        erasure = leave(shop, agent)
        clock.offset += timedelta(days=15)
        assert carry_out(shop, erasure)

        assert running.database.rows("SELECT 1 FROM partner_bank_accounts") == []
        assert running.database.rows("SELECT 1 FROM partner_documents") == []
        assert running.dependencies.storage.get("partners/1") is None
        with connect(addresses.app) as app:
            for statement, values in ((account, (partner_id, agent)), (paper, (partner_id,))):
                with pytest.raises(psycopg.Error) as refused:
                    app.execute(statement.encode(), values)
                assert refused.value.sqlstate == "AL008"

    def test_an_export_has_the_profile_and_the_account_in_full(self, shop: Shop, running: Running) -> None:
        agent = shop.a_customer()
        partner_id = a_partner(shop, agent)
        kept = BankAccount(holder_name="Sameh", account_number="100200300417", bank_name="A bank")
        file_account(shop, partner_id, agent, kept)
        document = running.dependencies.exporting.reader.collect(agent)
        (profile,), (account,) = document["partner_profiles"], document["partner_bank_accounts"]
        assert (profile["company_name"], profile["license"]) == ("Sameh's office", "AG-0417")
        assert "100200300417" in account["details"]


class TestAnalysts:
    def test_they_read_profiles_with_what_was_sold_and_earned_and_no_bank_account(
        self, shop: Shop, running: Running, addresses: DatabaseAddresses
    ) -> None:
        agent, customer = shop.a_customer(), shop.a_customer()
        partner_id = a_partner(shop, agent)
        kept = BankAccount(holder_name="Sameh", account_number="100200300417", bank_name="A bank")
        file_account(shop, partner_id, agent, kept)
        paid = shop.a_paid_booking(customer)
        sold_by(running, agent, paid, shop.book(customer, shop.a_departure(seats=5)))
        with connect(addresses.readonly) as analyst:
            cursor = analyst.execute("SELECT * FROM agent_profiles")
            (row,) = cursor.fetchall()
            assert cursor.description is not None
            shown: dict[str, Any] = dict(zip((column.name for column in cursor.description), row, strict=True))
            assert analyst.execute("SELECT * FROM vendor_profiles").fetchall() == []
        assert (shown["company_name"], shown["license_number"], shown["status"]) == (
            "Sameh's office", "AG-0417", "ACTIVE",
        )  # fmt: skip
        assert (shown["total_bookings"], shown["total_commission_earned"]) == (1, {})
        assert shown["total_revenue"] == {"EGP": paid.final_amount.minor}
        # Not a masked one either; identifiers and moments may contain any digits.
        told = [shown[name] for name in shown.keys() - {"license_number"} if isinstance(shown[name], str | list | dict)]
        assert "417" not in str(told)

    def test_the_columns_are_the_guides_but_for_bank_accounts(self, addresses: DatabaseAddresses) -> None:
        with connect(addresses.readonly) as analyst:
            described = analyst.execute("SELECT * FROM agent_profiles").description or ()
        assert {
            "id", "user_id", "company_name", "license_number", "commission_rate", "status", "total_bookings",
            "total_revenue", "total_commission_earned", "documents", "approved_by_user_id", "approved_at",
        } <= {column.name for column in described}  # fmt: skip
        assert [column.name for column in described if "bank" in column.name] == []


def file_account(shop: Shop, partner_id: UUID, owner: UUID, account: BankAccount) -> None:
    at = shop.use.clock.now()
    filed = FiledAccount(
        id=new_id(), partner_id=partner_id, account=account, added_by=owner, created_at=at, usable_from=at
    )
    with shop.use.new_uow() as uow:
        uow.partners.add_account(filed)
        uow.commit()


def sold_by(running: Running, agent: UUID, *bookings: Booking) -> None:
    with running.database.transaction() as statements:
        statements.execute(
            "UPDATE bookings SET agent_id = %s WHERE id = ANY(%s)", (agent, [one.id for one in bookings])
        )
        statements.commit()


def totals(running: Running) -> list[dict[str, Any]]:
    return running.database.rows(
        "SELECT currency, sum(amount_minor)::bigint AS total, count(*) AS entries FROM ledger_entries GROUP BY currency"
    )
