"""Search: what people type finds what is meant, pages meet exactly, and nobody sees what is not theirs to see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest import Subtests

from application.catalogue.departure_queries import LastDeparture
from application.catalogue.queries import ON_SALE, SORTS, Behind, PackageSearch, Sight
from domain.catalogue.departures import DepartureStatus
from domain.catalogue.items import Item, ItemKind
from domain.catalogue.package_details import PackageCategory
from domain.catalogue.publication import ItemStatus
from domain.catalogue.spelling import deletions, fold_for_search
from domain.shared.money import Money
from infrastructure.database.catalogue import facets
from infrastructure.database.catalogue.departure_queries import SqlDepartureQueries
from infrastructure.database.catalogue.queries import SqlCatalogueQueries
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database, Parameters, Row
from tests.builders import NOON, TODAY, a_departure
from tests.integration.catalogue import EVERYTHING, Catalogue
from tests.integration.shop import a_stored_user

pytestmark = pytest.mark.database


class Explaining(Database):
    """Answers the plans of statements in place of their rows."""

    def rows(self, sql: str, parameters: Parameters = (), *, replan: bool = False) -> list[Row]:
        return super().rows(f"EXPLAIN {sql}", parameters, replan=replan)


class TestFoldingInSql:
    """The database and the domain agree on every text, or search would miss what is there."""

    # Arabic with its presentation forms, Latin with its accents, digits and punctuation of both.
    LETTERS = st.characters(min_codepoint=0x20, max_codepoint=0x36F) | st.characters(
        min_codepoint=0x600, max_codepoint=0x6FF
    ) | st.characters(min_codepoint=0xFB50, max_codepoint=0xFEFF) | st.characters(
        min_codepoint=0x2000, max_codepoint=0x206F
    )  # fmt: skip

    @given(texts=st.lists(st.text(LETTERS, max_size=40), min_size=1, max_size=30))
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    def test_it_folds_as_the_domain_does(self, database: Database, texts: list[str]) -> None:
        rows = database.rows(
            "SELECT fold_for_search(t) AS folded FROM unnest(%s::text[]) WITH ORDINALITY AS u(t, n) ORDER BY n",
            (texts,),
        )
        assert [row["folded"] for row in rows] == [fold_for_search(text) for text in texts]

    def test_every_single_letter_of_both_scripts_folds_alike(self, database: Database) -> None:
        letters = [
            chr(code)
            for code in (*range(0x20, 0x370), *range(0x600, 0x700), *range(0x2000, 0x2070), *range(0xFB50, 0xFF00))
        ]
        rows = database.rows(
            "SELECT fold_for_search(t) AS folded FROM unnest(%s::text[]) WITH ORDINALITY AS u(t, n) ORDER BY n",
            (letters,),
        )
        differing = [
            letter for letter, row in zip(letters, rows, strict=True) if row["folded"] != fold_for_search(letter)
        ]
        assert differing == []

    @given(words=st.lists(st.text("abcاقصر", max_size=8), min_size=1, max_size=20))
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
    def test_it_misses_letters_as_the_domain_does(self, database: Database, words: list[str]) -> None:
        rows = database.rows(
            "SELECT deletions_of(w) AS parts FROM unnest(%s::text[]) WITH ORDINALITY AS u(w, n) ORDER BY n", (words,)
        )
        assert [set(row["parts"]) for row in rows] == [deletions(word) for word in words]


class TestWords:
    @pytest.mark.parametrize(
        "typed",
        [
            "أسوان", "اسوان", "إسوان", "آسوان", "أســــوان", "أَسْوَان", "ا\u0654سوان",
            "رحلة", "رحله", "رِحلة", "نيلية", "نيليه",
            "شاطئ", "شاطي", "شاطى", "ملتقى", "ملتقي",
            "٢٠٢٧", "2027", "۲۰۲۷",
            "رحلة أسوان", "أسوان رحلة", "  اسوان   رحله ", "أسوان cruise 2027", "CRUISE", "Cruise", "cafe", "Café",
            "سوان", "ruis",
        ],
    )  # fmt: skip
    def test_however_it_is_typed_it_is_found(self, catalogue: Catalogue, typed: str) -> None:
        catalogue.add(
            "wanted",
            name_ar="رِحلة نيليّة إلى أسوان ٢٠٢٧",
            name_en="Nile Cruise to Aswan",
            description_ar="شاطئ وملتقى",
            description_en="With a café on deck",
        )
        catalogue.add("other", name_ar="دبي", name_en="Dubai", description_ar="برج", description_en="Tower")
        assert catalogue.found(q=typed) == ["wanted"]

    def test_every_word_has_to_occur(self, catalogue: Catalogue) -> None:
        catalogue.add("aswan", name_en="Cruise to Aswan")
        catalogue.add("dubai", name_en="Cruise to Dubai", destinations=["Dubai"], description_en="By sea")
        assert catalogue.found(q="cruise dubai") == ["dubai"]
        assert catalogue.found(q="dubai siwa") == []

    @pytest.mark.parametrize("typed", ["%", "_", "100%", "a_c", "\\", "%%", "a\\c", "'", '"', ";--", "$1", "%s", "{}"])
    def test_wildcards_and_quotes_mean_themselves(self, catalogue: Catalogue, typed: str) -> None:
        catalogue.add("plain", name_en="abc 1000", description_en="axc")
        catalogue.add("literal", name_en=f"before{typed}after")
        assert catalogue.found(q=typed) == ["literal"]

    @pytest.mark.parametrize("typed", ["", "   ", "ـــ", "\u064b\u064b"])
    def test_what_folds_to_nothing_filters_nothing(self, catalogue: Catalogue, typed: str) -> None:
        catalogue.add("one")
        assert catalogue.found(q=typed) == ["one"]

    def test_destinations_are_searched_in(self, catalogue: Catalogue) -> None:
        catalogue.add("siwa", destinations=["Cairo", "سيوة"])
        assert catalogue.found(q="سيوه") == ["siwa"]


INDEX_OF_ORDER = {
    "featured": "ix_packages_listing_place_id",
    "price": "ix_packages_price_thousandths_id",
    "-price": "ix_packages_price_thousandths_id",
    "newest": "ix_packages_created_at_id",
    "duration": "ix_packages_duration_days_id",
    "name_ar": "ix_packages_name_ar",
    "name_en": "ix_packages_name_en",
    "popular": "ix_item_statistics_popularity",
    "rating": "ix_item_statistics_rating_rank",
}


class TestPlans:
    """In a large catalogue a search reads an index, whichever suits its words."""

    @pytest.fixture
    def plan(self, catalogue: Catalogue, addresses: DatabaseAddresses) -> Iterator[Callable[..., str]]:
        template = catalogue.add("template", name_en="Zanzibar")
        with connect(addresses.owner) as connection:
            columns = [
                row[0]
                for row in connection.execute(
                    "SELECT column_name FROM information_schema.columns"
                    " WHERE table_name = 'packages' AND is_generated = 'NEVER'"
                )
            ]
            copied = ["gen_random_uuid()" if c == "id" else "'p-' || n" if c == "slug" else c for c in columns]
            copied = ["'Cruise ' || n" if c == "name_en" else c for c in copied]
            connection.execute(
                f"INSERT INTO packages ({', '.join(map(str, columns))}) SELECT {', '.join(map(str, copied))}"
                f" FROM packages, generate_series(1, 5000) AS n WHERE id = '{template}'"
            )
            connection.execute("VACUUM ANALYZE packages, item_statistics")
        explaining = Explaining(addresses.app)
        queries = SqlCatalogueQueries(explaining)
        yield lambda **search: str(queries.search(PackageSearch(at=NOON, **search), sight=ON_SALE).rows)
        explaining.dispose()

    def test_a_rare_word_is_looked_up(self, plan: Callable[..., str]) -> None:
        assert "ix_packages_search_text" in plan(q="zanzibar")

    @pytest.mark.usefixtures("unconnected")
    def test_no_plan_is_kept_for_words_that_come_later(self, catalogue: Catalogue) -> None:
        for _ in range(8):
            catalogue.found(q="cruise")
        kept = catalogue.database.rows("SELECT statement FROM pg_prepared_statements")
        assert not [row for row in kept if "search_text" in row["statement"] and "FROM packages" in row["statement"]]

    def test_a_list_and_a_common_word_stop_at_the_end_of_their_page(
        self, plan: Callable[..., str], subtests: pytest.Subtests
    ) -> None:
        for sort, index in INDEX_OF_ORDER.items():
            for search in ({}, {"q": "cruise"}):
                with subtests.test(sort=sort, **search):
                    found = plan(sort=sort, **search)
                    assert index in found
                    assert "Sort" not in found


class TestFilters:
    def test_category(self, catalogue: Catalogue) -> None:
        catalogue.add("family", category=PackageCategory.FAMILY)
        catalogue.add("luxury", category=PackageCategory.LUXURY)
        assert catalogue.found(category=PackageCategory.LUXURY) == ["luxury"]

    @pytest.mark.parametrize("typed", ["siwa", "SIWA", "سيوة", "سيوه", "Siwa"])
    def test_a_destination_is_a_whole_entry_however_it_is_typed(self, catalogue: Catalogue, typed: str) -> None:
        catalogue.add("siwa", destinations=["Cairo", "Siwa", "سيوة"])
        catalogue.add("siwa-springs", destinations=["Siwa Springs", "عيون سيوة"])
        catalogue.add("only-named", name_en="Siwa", name_ar="سيوة", destinations=["Cairo"])
        assert catalogue.found(destination=typed) == ["siwa"]

    def test_prices_compare_by_their_number_whatever_the_decimals(self, catalogue: Catalogue) -> None:
        for slug, amount, unit in (
            ("egp", "389.50", "EGP"), ("kwd", "389.500", "KWD"), ("jpy", "390", "JPY"), ("usd", "389.49", "USD"),
        ):  # fmt: skip
            catalogue.add(slug, price=Money.parse(amount, unit))
        assert catalogue.found(min_price=389_500, max_price=389_500, sort="price") == ["egp", "kwd"]
        assert catalogue.found(min_price=389_501) == ["jpy"]
        assert catalogue.found(max_price=389_499) == ["usd"]
        assert catalogue.found(sort="price") == ["usd", "egp", "kwd", "jpy"]
        assert catalogue.found(sort="-price") == ["jpy", "kwd", "egp", "usd"]

    def test_featured_ones_or_the_others(self, catalogue: Catalogue) -> None:
        catalogue.add("featured", is_featured=True)
        catalogue.add("ordinary")
        assert catalogue.found(featured=True) == ["featured"]
        assert catalogue.found(featured=False) == ["ordinary"]

    @pytest.mark.parametrize(
        ("first", "last", "found"),
        [(10, 10, True), (1, 9, False), (11, 20, False), (None, 10, True), (10, None, True), (11, None, False)],
    )
    def test_dates_ask_for_a_departure_within_them(
        self, catalogue: Catalogue, first: int | None, last: int | None, found: bool
    ) -> None:
        catalogue.add("wanted", days_ahead=[10])
        search: dict[str, Any] = {"starts_from": _ahead(first), "starts_to": _ahead(last)}
        assert catalogue.found(**search) == (["wanted"] if found else [])

    def test_a_departure_counts_only_while_it_can_be_booked(self, catalogue: Catalogue) -> None:
        catalogue.add("full", days_ahead=[10], seats=2, taken=2)
        catalogue.add("today", days_ahead=[0])
        closed = catalogue.add("closed", days_ahead=[10])
        with catalogue.database.transaction() as transaction:
            transaction.execute("UPDATE departures SET status = 'CLOSED' WHERE package_id = %s", (closed,))
            transaction.commit()
        catalogue.add("open", days_ahead=[10])
        assert catalogue.found(starts_from=TODAY - timedelta(days=9)) == ["open"]

    def test_a_departure_has_seats_for_the_whole_party(self, catalogue: Catalogue) -> None:
        catalogue.add("roomy", days_ahead=[10], seats=10, taken=6)
        catalogue.add("nearly-full", days_ahead=[10], seats=10, taken=7)
        catalogue.add("for-couples", days_ahead=[10], min_travelers=1, max_travelers=2)
        assert catalogue.found(starts_from=TODAY, travelers=4) == ["roomy"]
        assert set(catalogue.found(travelers=4)) == {"roomy", "nearly-full"}
        assert set(catalogue.found(travelers=2)) == {"roomy", "nearly-full", "for-couples"}
        assert catalogue.found(sort="departure", travelers=4) == ["roomy"]

    def test_durations_and_currencies(self, catalogue: Catalogue) -> None:
        for days in (1, 4, 9):
            catalogue.add(f"days-{days}", duration_days=days, price=Money.of(days * 100, "KWD" if days == 9 else "EGP"))
        assert catalogue.found(duration_min=4, sort="duration") == ["days-4", "days-9"]
        assert catalogue.found(duration_min=2, duration_max=8) == ["days-4"]
        assert catalogue.found(currency="KWD") == ["days-9"]

    def test_the_soonest_departure_within_the_dates_decides(self, catalogue: Catalogue) -> None:
        catalogue.add("early-and-late", days_ahead=[2, 30])
        catalogue.add("between", days_ahead=[20])
        catalogue.add("undated")
        assert catalogue.found(sort="departure") == ["early-and-late", "between"]
        assert catalogue.found(sort="departure", starts_from=TODAY + timedelta(days=5)) == ["between", "early-and-late"]

    def test_seats_that_a_shared_pool_has_no_more_do_not_count(self, catalogue: Catalogue) -> None:
        package_id = catalogue.add("pooled", days_ahead=[10])
        catalogue.add("free", days_ahead=[10])
        with catalogue.database.transaction() as transaction:
            transaction.execute(
                """WITH bus AS (INSERT INTO pools (id, name_ar, name_en, capacity, seats_taken, created_at)
                                VALUES (gen_random_uuid(), '', 'Bus', 10, 8, now()) RETURNING id),
                        marked AS (UPDATE departures SET has_pools = true WHERE package_id = %s RETURNING id)
                   INSERT INTO departure_pools (departure_id, pool_id) SELECT marked.id, bus.id FROM marked, bus""",
                (package_id,),
            )
            transaction.commit()
        for sort in ("featured", "departure"):
            assert set(catalogue.found(starts_from=TODAY, travelers=2, sort=sort)) == {"pooled", "free"}
            assert catalogue.found(starts_from=TODAY, travelers=3, sort=sort) == ["free"]

    def test_ratings_from_a_number_of_stars_up(self, catalogue: Catalogue) -> None:
        for slug, stars in (("best", [5, 5]), ("good", [4]), ("nearly", [4, 4, 3]), ("bad", [1]), ("new", [])):
            catalogue.count(catalogue.add(slug), stars=stars)
        assert catalogue.found(min_rating=4, sort="rating") == ["best", "good"]
        assert catalogue.found(min_rating=3, sort="rating") == ["best", "good", "nearly"]
        rated = catalogue.facets(min_rating=5).facets["rating"]
        assert {facet.filters["min_rating"]: facet.count for facet in rated} == {4: 2, 3: 3}

    def test_filters_hold_together(self, catalogue: Catalogue) -> None:
        wanted: dict[str, Any] = {"name_en": "Siwa camp", "category": PackageCategory.ADVENTURE, "is_featured": True}
        catalogue.add("wanted", days_ahead=[5], destinations=["Siwa"], **wanted)
        catalogue.add("undated", destinations=["Siwa"], **wanted)
        catalogue.add("elsewhere", days_ahead=[5], destinations=["Fayoum"], **wanted)
        found = catalogue.found(
            q="camp",
            category=PackageCategory.ADVENTURE,
            destination="siwa",
            min_price=1,
            max_price=9_999_999,
            starts_from=TODAY,
            starts_to=TODAY + timedelta(days=30),
            featured=True,
            sort="newest",
        )
        assert found == ["wanted"]


class TestPages:
    @pytest.fixture
    def crowded(self, catalogue: Catalogue) -> Catalogue:
        """Forty packages that share few prices, places and instants, so that ids decide often."""
        random = Random(7)
        for number in range(40):
            package_id = catalogue.add(
                f"p-{number}",
                price=random.choice([Money.of(1000_00, "EGP"), Money.of(1000_000, "KWD"), Money.of(500_00, "EGP")]),
                name_en=random.choice(["Nile cruise", "Desert camp", "Red Sea"]),
                name_ar=random.choice(["نيل", "واحة"]),
                description_en="From the Nile",
                duration_days=random.choice([3, 4, 5]),
                days_ahead=random.choice([[3, 9], [3], [9], [4, 4]]),
                is_featured=random.random() < 0.4,
                display_order=random.choice([0, 1, 2]),
                created_at=NOON + timedelta(minutes=random.choice([0, 0, 1])),
            )
            counted = random.choice([{}, {"bookings": 3, "views": 1}, {"bookings": 3, "views": 9}, {"views": 90}])
            catalogue.count(package_id, **counted, stars=random.choice([[], [4], [4, 4], [5, 4], [1]]))
        return catalogue

    @pytest.mark.parametrize("limit", [1, 7, 40])
    def test_pages_neither_skip_nor_repeat(self, crowded: Catalogue, limit: int, subtests: Subtests) -> None:
        for sort, q in [*((sort, "") for sort in SORTS), ("relevance", "nile"), ("departure", "nile")]:
            with subtests.test(sort, q=q):
                whole = crowded.found(sort=sort, q=q, limit=100)
                pages = crowded.pages(sort=sort, q=q, limit=limit)
                assert [slug for page in pages for slug in page] == whole
                assert Counter(whole) == Counter(f"p-{number}" for number in range(40))
                assert all(len(page) == limit for page in pages[:-1])

    def test_each_order_is_what_its_name_says(self, crowded: Catalogue) -> None:
        def keys(sort: str, *columns: str) -> list[tuple[Any, ...]]:
            rows = crowded.queries.search(PackageSearch(at=NOON, sort=sort, limit=100), sight=ON_SALE).rows
            return [tuple(row[column] for column in columns) for row in rows]

        featured = keys("featured", "is_featured", "display_order", "id")
        assert featured == sorted(featured, key=lambda key: (not key[0], key[1], key[2]))
        assert keys("price", "sort_key", "id") == sorted(keys("price", "sort_key", "id"))
        assert keys("-price", "sort_key", "id") == sorted(keys("price", "sort_key", "id"), reverse=True)
        newest = keys("newest", "created_at", "id")
        assert newest == sorted(newest, reverse=True)
        assert keys("duration", "duration_days", "id") == sorted(keys("duration", "duration_days", "id"))
        assert keys("-duration", "duration_days", "id") == sorted(keys("duration", "duration_days", "id"), reverse=True)
        assert keys("departure", "next_departure", "id") == sorted(keys("departure", "next_departure", "id"))
        for name in ("name_ar", "name_en"):
            assert keys(name, name, "id") == sorted(keys(name, name, "id"), key=lambda key: (key[0].casefold(), key[1]))
        ranked = {
            sort: [row["statistics"] for row in crowded.search(sort=sort, limit=100).rows]
            for sort in ("popular", "rating")
        }
        sold = [(one["bookings"], one["views"]) for one in ranked["popular"]]
        assert sold == sorted(sold, reverse=True)
        rated = [(float(one["average"] or 0), one["ratings"]) for one in ranked["rating"]]
        assert rated == sorted(rated, reverse=True)
        relevant = crowded.search(q="nile", sort="relevance", limit=100).rows
        in_order = [
            ("Nile" not in row["name_en"], not row["is_featured"], row["display_order"], row["id"]) for row in relevant
        ]
        assert in_order == sorted(in_order)

    @pytest.mark.parametrize("most_shared", [5, 0])
    def test_facets_are_the_same_whether_rows_are_read_once_or_for_each(
        self, crowded: Catalogue, most_shared: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """5 is fewer than there are, but not than the planner may expect."""
        asked: dict[str, Any] = {"q": "nile", "duration_min": 4, "max_price": 999_000, "min_rating": 3, "travelers": 2}
        shared = crowded.facets(**asked)
        monkeypatch.setattr(facets, "MOST_SHARED", most_shared)
        assert crowded.facets(**asked) == shared
        assert 0 < shared.total == len(crowded.found(limit=100, **asked)) < 40

    def test_a_page_goes_on_behind_its_cursor_though_rows_before_it_vanish(self, crowded: Catalogue) -> None:
        first = crowded.queries.search(PackageSearch(at=NOON, limit=5, sort="price"), sight=ON_SALE).rows
        rest = crowded.found(sort="price", limit=100)[5:]
        with crowded.database.transaction() as transaction:
            transaction.execute("UPDATE packages SET status = 'INACTIVE' WHERE id = %s", (first[0]["id"],))
            transaction.commit()
        after = Behind(first[4]["sort_key"], first[4]["id"])
        assert crowded.found(sort="price", limit=100, after=after) == rest

    def test_pages_of_departures_neither_skip_nor_repeat(self, catalogue: Catalogue) -> None:
        package_id = catalogue.add("busy", days_ahead=[1, 1, 1, 2, 3, 3, 8])
        departures = SqlDepartureQueries(catalogue.database)
        seen: list[UUID] = []
        after = None
        while True:
            rows = departures.departures(
                Item(ItemKind.PACKAGE, package_id), at=NOON, sight=ON_SALE, limit=2, after=after
            )
            seen += [row["id"] for row in rows[:2]]
            if len(rows) <= 2:
                break
            after = LastDeparture(rows[1]["starts_on"], rows[1]["start_time"], rows[1]["id"])
        assert len(seen) == len(set(seen)) == 7


class TestSight:
    @pytest.fixture
    def shelf(self, catalogue: Catalogue) -> Catalogue:
        """One package of each status of the house, and one draft of each of two vendors."""
        for status in ItemStatus:
            catalogue.add(status.value.lower(), status=status)
        self.vendor, self.rival = a_stored_user(catalogue.new_uow), a_stored_user(catalogue.new_uow)
        catalogue.add("vendors-draft", status=ItemStatus.DRAFT, vendor_id=self.vendor)
        catalogue.add("rivals-draft", status=ItemStatus.DRAFT, vendor_id=self.rival)
        return catalogue

    def test_customers_see_what_is_on_sale(self, shelf: Catalogue) -> None:
        assert shelf.found() == ["active"]

    def test_vendors_see_their_own_besides(self, shelf: Catalogue) -> None:
        assert set(shelf.found(sight=Sight(vendor_id=self.vendor))) == {"active", "vendors-draft"}

    def test_staff_see_everything(self, shelf: Catalogue) -> None:
        everything = {"draft", "active", "inactive", "archived", "vendors-draft", "rivals-draft"}
        assert set(shelf.found(sight=EVERYTHING)) == everything

    def test_one_package_is_as_hidden_as_it_is_in_a_list(self, shelf: Catalogue) -> None:
        def seen(slug: str, sight: Sight) -> bool:
            return shelf.queries.one(slug, at=NOON, sight=sight) is not None

        assert seen("active", ON_SALE)
        assert not seen("draft", ON_SALE)
        assert seen("draft", EVERYTHING)
        assert seen("vendors-draft", Sight(vendor_id=self.vendor))
        assert not seen("rivals-draft", Sight(vendor_id=self.vendor))
        assert not seen("draft", Sight(vendor_id=self.vendor))

    def test_cancelled_departures_are_for_staff(self, catalogue: Catalogue) -> None:
        package_id = catalogue.add("trip")
        with catalogue.new_uow() as uow:
            for status in DepartureStatus:
                uow.departures.add(a_departure(package_id=package_id, status=status))
            uow.commit()

        def statuses(sight: Sight) -> set[str]:
            queries = SqlDepartureQueries(catalogue.database)
            rows = queries.departures(Item(ItemKind.PACKAGE, package_id), at=NOON, sight=sight, limit=10, after=None)
            return {row["status"] for row in rows}

        assert statuses(ON_SALE) == {"OPEN", "CLOSED"}
        assert statuses(EVERYTHING) == {"OPEN", "CLOSED", "CANCELLED"}


class TestOnePackage:
    def test_it_is_found_by_id_and_by_slug(self, catalogue: Catalogue) -> None:
        package_id = catalogue.add("رحلة-نيلية")
        for key in (str(package_id), str(package_id).upper(), "رحلة-نيلية"):
            row = catalogue.queries.one(key, at=NOON, sight=ON_SALE)
            assert row is not None
            assert row["id"] == package_id

    @pytest.mark.parametrize("key", ["", "nothing", "\x00", "a b", "%", "x" * 5000, "' OR true --", str(UUID(int=1))])
    def test_what_names_nothing_finds_nothing(self, catalogue: Catalogue, key: str) -> None:
        catalogue.add("one")
        assert catalogue.queries.one(key, at=NOON, sight=EVERYTHING) is None

    def test_the_next_departure_is_the_first_that_can_be_booked(self, catalogue: Catalogue) -> None:
        package_id = catalogue.add("trip", days_ahead=[0, 9, 4])
        with catalogue.new_uow() as uow:
            uow.departures.add(a_departure(package_id=package_id, starts_on=_ahead(2), capacity=3, taken=3))
            uow.departures.add(a_departure(package_id=package_id, starts_on=_ahead(3), status=DepartureStatus.CLOSED))
            uow.commit()
        row = catalogue.queries.one("trip", at=NOON, sight=ON_SALE)
        assert row is not None
        assert row["next_departure"] == _ahead(4)
        catalogue.add("undated")
        undated = catalogue.queries.one("undated", at=NOON, sight=ON_SALE)
        assert undated is not None
        assert undated["next_departure"] is None


class TestStoring:
    def test_a_package_is_read_back_as_it_was_written(self, catalogue: Catalogue) -> None:
        step = {"day": 1, "title_ar": "وصول", "title_en": "Arrival", "description_ar": "", "description_en": ""}
        package_id = catalogue.add(
            "whole",
            price=Money.parse("389.500", "KWD"),
            itinerary=[step],
            inclusions_ar=["إفطار"],
            availability_start=date(2027, 1, 1),
        )
        with catalogue.new_uow() as uow:
            package = uow.packages.get(package_id)
            assert (package.base_price, str(package.tax_rate)) == (Money.parse("389.500", "KWD"), "14.00")
            assert (package.itinerary, package.inclusions_ar) == ([step], ["إفطار"])
            assert (package.availability_start, package.availability_end) == (date(2027, 1, 1), None)

    def test_slugs_get_the_first_number_that_is_free(self, catalogue: Catalogue) -> None:
        for slug in ("nile", "nile-2", "nile-4", "nile-cruise"):
            catalogue.add(slug)
        with catalogue.new_uow() as uow:
            assert uow.packages.free_slug("nile") == "nile-3"
            assert uow.packages.free_slug("siwa") == "siwa"
            assert uow.packages.slug_taken("nile-4")
            assert not uow.packages.slug_taken("nile-3")


def _ahead(days: int | None) -> date | None:
    return None if days is None else TODAY + timedelta(days=days)
