"""The seed: what the guide says, once, however often and by however many it is run; the demo on top of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from time import process_time
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.catalogue.activity_queries import ActivitySearch
from application.catalogue.queries import ON_SALE, PackageSearch
from config.settings import Environment, Settings, SettingsError
from domain.catalogue.publication import ItemStatus
from domain.partners.bank_accounts import BankAccount
from domain.pricing.baskets import Benefit
from domain.pricing.vouchers import HeldVoucher
from domain.shared.clock import business_date
from infrastructure.clock import SystemClock, new_id
from infrastructure.database.catalogue.activity_queries import SqlActivityQueries
from infrastructure.database.catalogue.queries import SqlCatalogueQueries
from infrastructure.database.identity.queries import SqlIdentityQueries
from infrastructure.database.pricing.promotions import read_offered
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database
from infrastructure.seed import seed
from infrastructure.seed_activities import demo_activities, demo_activity
from infrastructure.seed_demo import (
    DEMO_PASSWORD,
    demo_catalogue,
    demo_package,
    seed_demo,
)
from infrastructure.seed_departures import FORTNIGHT, HALF_A_YEAR, departure_dates
from infrastructure.seed_promotions import DEMO_VOUCHER
from security.field_encryption import FernetEncryption
from security.password_handler import BcryptPasswords
from security.permissions import CATALOGUE, ROLES, permissions_of
from tests.builders import NOON, egp
from tests.deals import a_basket, an_item
from tests.integration.shop import all_at_once

pytestmark = pytest.mark.database

TABLES = (
    "roles", "permissions", "role_permissions", "membership_plans", "booking_types", "users",
    "membership_subscriptions", "packages", "activities", "departures", "offers", "vouchers",
    "partner_profiles", "partner_bank_accounts",
)  # fmt: skip

ENCRYPTION = FernetEncryption(["of these tests alone"])

State = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def state(addresses: DatabaseAddresses) -> Callable[[], State]:
    """Every row of the tables that the seed writes."""

    def read() -> State:
        with connect(addresses.owner) as connection:
            return {
                table: sorted(connection.execute(f"SELECT {table}::text FROM {table}").fetchall()) for table in TABLES
            }

    return read


class TestWhatTheSystemNeeds:
    def test_the_plans_are_the_guides(self, database: Database) -> None:
        rows = database.rows(
            """SELECT tier_code, tier_name_ar, tier_name_en, tier_order, price_minor, currency, cashback_rate,
                      points_multiplier, color_hex, is_active FROM membership_plans ORDER BY tier_order"""
        )
        assert [tuple(row.values()) for row in rows] == [
            ("GUEST", "ضيف", "Guest", 0, 0, "EGP", Decimal("0.00"), Decimal("1.00"), "#9E9E9E", True),
            ("BRONZE", "برونزي", "Bronze", 1, 49900, "EGP", Decimal("2.00"), Decimal("1.10"), "#CD7F32", True),
            ("SILVER", "فضي", "Silver", 2, 99900, "EGP", Decimal("3.00"), Decimal("1.25"), "#C0C0C0", True),
            ("GOLD", "ذهبي", "Gold", 3, 199900, "EGP", Decimal("5.00"), Decimal("1.50"), "#FFD700", True),
            ("PLATINUM", "بلاتيني", "Platinum", 4, 399900, "EGP", Decimal("7.00"), Decimal("1.75"), "#E5E4E2", True),
            ("DIAMOND", "ماسي", "Diamond", 5, 799900, "EGP", Decimal("10.00"), Decimal("2.00"), "#B9F2FF", True),
        ]

    def test_the_booking_types_are_the_guides(self, database: Database) -> None:
        rows = database.rows("SELECT type_code, type_name_ar, icon_name FROM booking_types ORDER BY display_order")
        codes = ["HOTEL", "FLIGHT", "TOUR", "TRANSPORTATION", "CAR_RENTAL", "ACTIVITY", "PACKAGE"]
        assert [row["type_code"] for row in rows] == codes
        assert all(row["type_name_ar"] and row["icon_name"] for row in rows)

    @pytest.mark.parametrize("role", ROLES)
    def test_each_role_may_what_the_code_says(self, database: Database, role: str) -> None:
        assert SqlIdentityQueries(database).permissions_of([role]) == permissions_of([role])

    def test_a_second_run_changes_nothing(
        self, settings: Settings, addresses: DatabaseAddresses, state: Callable[[], State]
    ) -> None:
        before = state()
        seed(settings, addresses, demo=False)
        assert state() == before
        assert before["users"] == before["packages"] == []

    def test_what_the_company_changed_stays(self, settings: Settings, addresses: DatabaseAddresses) -> None:
        with connect(addresses.owner) as connection:
            connection.execute("UPDATE membership_plans SET price_minor = 1 WHERE tier_code = 'GOLD'")
            connection.execute("UPDATE booking_types SET is_active = false WHERE type_code = 'HOTEL'")
            seed(settings, addresses, demo=False)
            assert connection.execute("SELECT price_minor FROM membership_plans WHERE tier_order = 3").fetchone() == (
                1,
            )
            hotel = connection.execute("SELECT is_active FROM booking_types WHERE type_code = 'HOTEL'").fetchone()
            assert hotel == (False,)

    def test_permissions_follow_the_code(
        self, settings: Settings, addresses: DatabaseAddresses, state: Callable[[], State]
    ) -> None:
        before = state()
        with connect(addresses.owner) as connection:
            # A code that was dropped, and one that is new in this release.
            connection.execute(
                """INSERT INTO permissions (id, permission_code, module, action, description_en)
                   VALUES (%s, 'old.one', 'old', 'one', 'Gone from the code')""",
                [new_id()],
            )
            connection.execute(
                "INSERT INTO role_permissions SELECT r.id, p.id FROM roles r, permissions p WHERE module = 'old'"
            )
            connection.execute("UPDATE permissions SET description_ar = '' WHERE permission_code = 'users.read'")
        seed(settings, addresses, demo=False)
        assert state() == before
        assert len(before["permissions"]) == len(CATALOGUE)

    def test_a_permission_that_is_new_is_given_to_those_who_begin_with_it(
        self, settings: Settings, addresses: DatabaseAddresses, database: Database
    ) -> None:
        with connect(addresses.owner) as connection:
            connection.execute("DELETE FROM permissions WHERE permission_code = 'bookings.start'")
        seed(settings, addresses, demo=False)
        holders = {role for role in ROLES if "bookings.start" in SqlIdentityQueries(database).permissions_of([role])}
        assert holders == {"SUPER_ADMIN", "ADMIN", "EMPLOYEE"}

    def test_what_staff_changed_in_a_role_stays_but_a_super_admin_may_everything(
        self, settings: Settings, addresses: DatabaseAddresses, database: Database
    ) -> None:
        with connect(addresses.owner) as connection:
            connection.execute(
                """INSERT INTO role_permissions SELECT r.id, p.id FROM roles r, permissions p
                   WHERE r.role_name = 'EMPLOYEE' AND p.permission_code = 'analytics.read'"""
            )
            connection.execute(
                """DELETE FROM role_permissions g USING roles r, permissions p
                   WHERE r.id = g.role_id AND p.id = g.permission_id AND p.permission_code = 'users.read'
                     AND r.role_name IN ('EMPLOYEE', 'SUPER_ADMIN')"""
            )
        seed(settings, addresses, demo=False)
        read = SqlIdentityQueries(database).permissions_of
        assert read(["EMPLOYEE"]) == permissions_of(["EMPLOYEE"]) - {"users.read"} | {"analytics.read"}
        assert read(["SUPER_ADMIN"]) == set(CATALOGUE)

    def test_grants_of_the_companys_own_roles_stay(
        self, settings: Settings, addresses: DatabaseAddresses, database: Database
    ) -> None:
        with connect(addresses.owner) as connection:
            connection.execute("INSERT INTO roles VALUES (%s, 'AUDITOR', 'مراجع', 'Auditor', false)", [new_id()])
            connection.execute(
                """INSERT INTO role_permissions SELECT r.id, p.id FROM roles r, permissions p
                   WHERE r.role_name = 'AUDITOR' AND p.permission_code = 'ledger.read'"""
            )
        seed(settings, addresses, demo=False)
        assert SqlIdentityQueries(database).permissions_of(["AUDITOR"]) == {"ledger.read"}


class TestDemo:
    def test_it_is_refused_in_production(
        self, settings: Settings, addresses: DatabaseAddresses, state: Callable[[], State]
    ) -> None:
        before = state()
        with pytest.raises(SettingsError, match="refused in production"):
            seed(replace(settings, environment=Environment.PRODUCTION), addresses, demo=True)
        assert state() == before

    def test_each_role_has_an_account_that_can_sign_in(
        self, settings: Settings, addresses: DatabaseAddresses, database: Database
    ) -> None:
        seed(settings, addresses, demo=True)
        rows = database.rows("SELECT email, roles, status, password_hash, email_verified_at FROM users")
        assert {row["email"]: row["roles"] for row in rows} == {
            "admin@altayar.test": ["ADMIN"],
            "finance@altayar.test": ["EMPLOYEE", "FINANCE"],
            "vendor@altayar.test": ["VENDOR"],
            "agent@altayar.test": ["AGENT"],
            "customer@altayar.test": ["CUSTOMER"],
        }
        assert DEMO_PASSWORD == "Altayar-demo-2026"
        passwords = BcryptPasswords(settings.bcrypt_cost)
        assert all(passwords.verify(DEMO_PASSWORD, [row["password_hash"]]) == 0 for row in rows)
        assert all(row["status"] == "ACTIVE" and row["email_verified_at"] for row in rows)

    def test_vendor_and_agent_are_approved_and_can_be_paid(
        self, settings: Settings, addresses: DatabaseAddresses, database: Database
    ) -> None:
        seed(settings, addresses, demo=True)

        rows = database.rows(
            """SELECT u.email, f.payee_type, f.status, f.payout_method, b.details_encrypted,
                      b.usable_from <= now() AS is_usable
               FROM partner_profiles f JOIN users u ON u.id = f.user_id
               JOIN partner_bank_accounts b ON b.profile_id = f.id ORDER BY u.email"""
        )
        assert [(row["email"], row["payee_type"], row["status"], row["is_usable"]) for row in rows] == [
            ("agent@altayar.test", "AGENT", "ACTIVE", True),
            ("vendor@altayar.test", "VENDOR", "ACTIVE", True),
        ]
        encryption = FernetEncryption(settings.field_encryption_keys)
        for row in rows:
            assert BankAccount.of(orjson.loads(encryption.decrypt(bytes(row["details_encrypted"])))).holder_name

    def test_the_customer_is_a_gold_member_for_a_year(
        self, settings: Settings, addresses: DatabaseAddresses, database: Database
    ) -> None:
        seed(settings, addresses, demo=True)
        customer = database.row("SELECT id FROM users WHERE email = 'customer@altayar.test'")
        assert customer is not None
        today = business_date(SystemClock().now())
        profile = SqlIdentityQueries(database).profile(customer["id"], today=today)
        assert profile is not None
        assert (profile["tier_code"], profile["expiry_date"]) == ("GOLD", today + timedelta(days=365))
        assert profile["membership_number"].startswith(f"MB-{today.year}-")

    def test_every_package_is_on_sale_and_can_be_booked(
        self, settings: Settings, addresses: DatabaseAddresses, database: Database
    ) -> None:
        seed(settings, addresses, demo=True)
        today = business_date(SystemClock().now())
        rows = (
            SqlCatalogueQueries(database).search(PackageSearch(at=SystemClock().now(), limit=100), sight=ON_SALE).rows
        )
        assert len(rows) == len(demo_catalogue()) >= 12
        assert all(today < row["next_departure"] <= today + FORTNIGHT for row in rows)
        assert {row["currency"] for row in rows} == {"EGP", "KWD", "USD"}
        assert {row["tax_rate"] for row in rows} == {Decimal("0.00"), Decimal("14.00")}
        assert {row["category"] for row in rows} == {
            "HONEYMOON", "FAMILY", "ADVENTURE", "LUXURY", "BUSINESS", "WEEKEND", "SEASONAL",
        }  # fmt: skip
        seats = database.row("SELECT min(capacity) AS least, max(capacity) AS most FROM departures")
        assert seats == {"least": 5, "most": 40}

    def test_activities_are_on_sale_the_vendors_once_approved_and_one_waits(
        self, settings: Settings, addresses: DatabaseAddresses, database: Database
    ) -> None:
        seed(settings, addresses, demo=True)
        queries, today = SqlActivityQueries(database), business_date(SystemClock().now())
        rows = queries.search(ActivitySearch(at=SystemClock().now()), sight=ON_SALE).rows
        assert all(today < row["next_departure"] <= today + FORTNIGHT for row in rows)
        assert {row["approval"] for row in rows} == {"NOT_NEEDED", "APPROVED"}
        [approved] = [row for row in rows if row["vendor_id"] is not None]
        assert approved["approval"] == "APPROVED"
        waiting = queries.reviews(at=SystemClock().now(), limit=10, after=None)
        assert [(row["status"], row["next_departure"]) for row in waiting] == [("DRAFT", None)]
        assert len(rows) + len(waiting) == len(demo_activities())
        hours = database.rows("SELECT DISTINCT start_time FROM departures WHERE activity_id IS NOT NULL")
        assert len(hours) == 5

    def test_the_offer_is_on_one_activity_and_the_voucher_is_for_everybody(
        self, settings: Settings, addresses: DatabaseAddresses, database: Database
    ) -> None:
        seed(settings, addresses, demo=True)
        customer = database.row("SELECT id FROM users WHERE email = 'customer@altayar.test'")
        assert customer is not None
        now = SystemClock().now()
        found = read_offered(database, buyer_id=customer["id"], at=now, voucher_code=DEMO_VOUCHER)
        (felucca,) = database.rows("SELECT id FROM activities WHERE slug = 'sunset-felucca-on-the-nile'")
        for key, offers in ((felucca["id"], [True]), (new_id(), [False])):
            basket = a_basket(an_item(egp("650.00"), key=key, booking_type="ACTIVITY"), at=now)
            assert [isinstance(offer.evaluate(basket), Benefit) for offer in found.offers] == offers
            assert isinstance(found.voucher, HeldVoucher)
            assert isinstance(found.voucher.evaluate(basket), Benefit)

    def test_it_is_found_in_both_languages(
        self, settings: Settings, addresses: DatabaseAddresses, database: Database
    ) -> None:
        seed(settings, addresses, demo=True)
        queries = SqlCatalogueQueries(database)

        def slugs(**search: Any) -> set[str]:
            found = queries.search(PackageSearch(at=SystemClock().now(), **search), sight=ON_SALE)
            return {row["slug"] for row in found.rows}

        assert slugs(q="رحله نيليه اسوان") == {"luxor-and-aswan-nile-cruise"}
        assert slugs(q="siwa") == slugs(q="سيوه") == {"siwa-oasis-and-white-desert-adventure"}
        both = {"luxor-and-aswan-nile-cruise", "private-dahabiya-and-abu-simbel"}
        assert slugs(destination="أسوان") == slugs(destination="aswan") == both

    def test_a_second_run_changes_nothing(
        self, settings: Settings, addresses: DatabaseAddresses, state: Callable[[], State]
    ) -> None:
        seed(settings, addresses, demo=True)
        before = state()
        seed(settings, addresses, demo=True)
        assert state() == before

    def test_four_at_once_seed_once(
        self, settings: Settings, addresses: DatabaseAddresses, state: Callable[[], State]
    ) -> None:
        assert all_at_once([lambda: seed(settings, addresses, demo=True)] * 4) == [None] * 4
        found = state()
        assert (len(found["users"]), len(found["membership_subscriptions"])) == (5, 1)
        assert len(found["packages"]) == len(demo_catalogue())
        twice = len(found["departures"])
        seed(settings, addresses, demo=True)
        assert len(state()["departures"]) == twice

    def test_a_later_run_adds_what_has_come_into_sight_and_no_more(
        self, addresses: DatabaseAddresses, state: Callable[[], State]
    ) -> None:
        now = datetime.now(UTC)
        with connect(addresses.app) as connection:
            seed_demo(connection, at=now, bcrypt_cost=4, encryption=ENCRYPTION)
            before = state()
            connection.execute("UPDATE departures SET status = 'CANCELLED'")
            cancelled = state()
            seed_demo(connection, at=now + FORTNIGHT, bcrypt_cost=4, encryption=ENCRYPTION)
        after = state()
        assert {name for name in TABLES if after[name] != cancelled[name]} == {"departures"}
        added = set(after["departures"]) - set(cancelled["departures"])
        assert set(cancelled["departures"]) <= set(after["departures"])
        activities = sum(len(one["hours"]) for one in demo_activities() if not one.get("asks"))
        assert len(added) == len(before["packages"]) + activities

    def test_a_membership_that_ran_out_begins_again(self, addresses: DatabaseAddresses, database: Database) -> None:
        now = datetime.now(UTC)
        with connect(addresses.app) as connection:
            seed_demo(connection, at=now, bcrypt_cost=4, encryption=ENCRYPTION)
            later = now + timedelta(days=400)
            seed_demo(connection, at=later, bcrypt_cost=4, encryption=ENCRYPTION)
        rows = database.rows("SELECT start_date, status FROM membership_subscriptions")
        assert rows == [{"start_date": business_date(later), "status": "ACTIVE"}]

    def test_it_takes_less_than_two_seconds_of_work(self, settings: Settings, addresses: DatabaseAddresses) -> None:
        begun = process_time()
        seed(replace(settings, bcrypt_cost=12), addresses, demo=True)
        assert process_time() - begun < 2


class TestDemoCatalogue:
    def test_every_package_is_whole_in_both_languages(self) -> None:
        for described in demo_catalogue():
            package = demo_package(described, admin=new_id(), vendor=new_id(), at=NOON)
            assert package.status is ItemStatus.ACTIVE
            assert len(package.itinerary) == package.duration_days, package.slug
            assert all(all(step.values()) for step in package.itinerary), package.slug
            assert len(package.inclusions_ar) == len(package.inclusions_en) > 0, package.slug
            assert len(package.exclusions_ar) == len(package.exclusions_en) > 0, package.slug
            assert any("؀" <= letter <= "ۿ" for letter in package.name_ar + package.description_ar), package.slug
            assert (package.name_en + package.description_en).isascii(), package.slug
            assert 5 <= described["seats"] <= 40, package.slug

    def test_every_activity_is_whole_in_both_languages(self) -> None:
        for described in demo_activities():
            activity = demo_activity(described, admin=new_id(), vendor=new_id(), at=NOON)
            activity.refuse_incomplete(activity.details())
            assert (activity.status is ItemStatus.ACTIVE) != described.get("asks", False), activity.slug
            assert (activity.name_en + activity.description_en).isascii(), activity.slug
            assert any("؀" <= letter <= "ۿ" for letter in activity.name_ar + activity.description_ar), activity.slug

    @pytest.mark.parametrize("catalogue", [demo_catalogue(), demo_activities()])
    def test_no_two_have_the_same_slug_or_place(self, catalogue: tuple[Any, ...]) -> None:
        assert len({described["name_en"] for described in catalogue}) == len(catalogue)
        assert len({described["order"] for described in catalogue}) == len(catalogue)

    @given(offset=st.integers(0, 13), today=st.dates(date(2020, 1, 1), date(2100, 1, 1)), later=st.integers(0, 60))
    def test_departures_are_a_fortnight_apart_on_days_that_stay(self, offset: int, today: date, later: int) -> None:
        dates = list(departure_dates(offset, today=today))
        assert len(dates) == 13
        assert today < dates[0] <= today + FORTNIGHT
        assert dates[-1] <= today + HALF_A_YEAR
        assert all(after - before == FORTNIGHT for before, after in pairwise(dates))
        afterwards = set(departure_dates(offset, today=today + timedelta(days=later)))
        assert {day for day in dates if day > today + timedelta(days=later)} <= afterwards
