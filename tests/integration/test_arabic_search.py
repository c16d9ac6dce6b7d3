"""Arabic and English as people write them: what has to find each other, what must not, and slips that are put right."""

from __future__ import annotations

from typing import Any

import pytest
from pytest import Subtests

from application.catalogue.queries import Correction
from domain.catalogue.publication import ItemStatus
from domain.catalogue.spelling import fold_for_search
from tests.integration.catalogue import EVERYTHING, Catalogue

pytestmark = pytest.mark.database

FIND_EACH_OTHER = {
    "alef with hamza above": ("أسوان", "اسوان"),
    "alef with hamza below": ("إدفو", "ادفو"),
    "alef with madda": ("آثار", "اثار"),
    "alef wasla": ("ٱلمعبد", "المعبد"),
    "hamza on waw": ("مؤتمر", "موتمر"),
    "hamza on ya": ("شاطئ", "شاطي"),
    "hamza typed apart": ("ا\u0654هرامات", "أهرامات"),
    "alef maqsura": ("مرسى", "مرسي"),
    "alef maqsura at the end of both": ("ملتقي", "ملتقى"),
    "ta marbuta": ("سيوة", "سيوه"),
    "tatweel": ("مســـقط", "مسقط"),
    "harakat": ("صَلالَة", "صلاله"),
    "shadda": ("جدّة", "جدة"),
    "tanwin": ("شكرًا", "شكرا"),
    "dagger alef": ("الرحمٰن", "الرحمن"),
    "Arabic-Indic digits": ("موسم ٢٠٢٧", "2027"),
    "Persian digits": ("دورة ۱۹۹۹", "1999"),
    "Latin digits": ("عام 2031", "٢٠٣١"),
    "Persian ya": ("طرابلسی", "طرابلسي"),
    "Persian kaf": ("مراکش", "مراكش"),
    "Persian pe": ("پاريس", "باريس"),
    "ve": ("ڤيينا", "فيينا"),
    "che": ("چورچيا", "جورجيا"),
    "lam-alef ligature": ("صلاﻻت", "صلالات"),
    "presentation forms": ("ﺩﻫﺐ", "دهب"),
    "zero-width non-joiner": ("می\u200cنابيع", "مينابيع"),
    "zero-width joiner": ("نوي\u200dبع", "نويبع"),
    "marks of direction": ("\u202bطابا\u202c", "طابا"),
    "mixed direction": ("فندق Hilton الجونة", "hilton الجونه"),
    "the article, which only the text has": ("الغردقة", "غردقة"),
    "the article, which only the search has": ("فيوم", "الفيوم"),
    "the article before a short word": ("بحر", "البحر"),
    "and": ("خليج", "وخليج"),
    "and the": ("صحراء", "والصحراء"),
    "in the": ("عقبة", "بالعقبة"),
    "to the, in one": ("دوحة", "للدوحة"),
    "to": ("زنجبار", "لزنجبار"),
    "as the": ("منامة", "كالمنامة"),
    "in the, which only the text has": ("بالإسكندرية", "إسكندرية"),
    "case": ("ZANZIBAR", "zanzibar"),
    "accents": ("São Tomé", "sao tome"),
    "a part of a word": ("Alexandria", "exandr"),
    "the beginning of a word, with the article": ("القسطنطينية", "القسطنط"),
}

NEIGHBOURS = {
    "two countries that share an ending": ("رومانيا", "ألمانيا"),
    "three of them": ("إسبانيا", "ألبانيا"),
    "colours and a town": ("أسوان", "ألوان"),
    "a word that begins like 'and'": ("نادي", "وادي"),
    "a word that begins like 'in'": ("يروتن", "بيروت"),
    "sand and desert": ("desert", "dessert"),
}
"""Near to each other, and each of them is there."""

STRANGERS = {
    "two countries": ("رومانيا", "ألمانيا"),
    "what 'and' would leave": ("ناديه", "وادي"),
    "what 'to' would leave": ("ندنة", "لندن"),
    "what 'in' would leave": ("يروتون", "بيروت"),
    "two years": ("2026", "2027"),
    "two numbers": ("1500", "15000"),
    "two slips": ("cruise", "crxixe"),
    "short words": ("bal", "bar"),
    "short words, in Arabic": ("دبي", "دبا"),
    "another script": ("Luxor", "الأقصر"),
    "two slips, in Arabic": ("سوسنة", "صوصنة"),
}
"""What is written is there, what is typed is not, and is no slip of it."""

SLIPS = {
    "two letters that changed places": ("cruise", "curise"),
    "the last two": ("museum", "musemu"),
    "a letter missed": ("safari", "safri"),
    "the first one wrong": ("Zerzura", "rerzura"),
    "a letter doubled": ("desert", "dessert"),
    "a letter added": ("honeymoon", "honeymooon"),
    "a wrong letter": ("pyramid", "pyramod"),
    "a plural": ("temple", "temples"),
    "changed places, in Arabic": ("اسكندرية", "اسنكدرية"),
    "missed, in Arabic": ("الأهرامات", "الأهرمات"),
    "doubled, in Arabic": ("سفاري", "سفااري"),
    "wrong, in Arabic": ("تبليسي", "تبليصي"),
    "wrong, and the article": ("جيزان", "الجيزاب"),
    "wrong, and in the": ("سراييفو", "بالسراييغو"),
}


def _named(catalogue: Catalogue, slug: str, name: str, **details: Any) -> None:
    """A package that says nothing but its name."""
    nothing = {"name_en": "", "description_ar": "", "description_en": "", "destinations": []}
    catalogue.add(slug, **{**nothing, "name_ar": name, **details})


def test_spellings_find_each_other(catalogue: Catalogue, subtests: Subtests) -> None:
    """Among all the others: each is found, alone."""
    for place, (written, _) in enumerate(FIND_EACH_OTHER.values()):
        _named(catalogue, f"p-{place}", written)
    for place, (why, (written, typed)) in enumerate(FIND_EACH_OTHER.items()):
        with subtests.test(why):
            assert catalogue.found(q=typed) == [f"p-{place}"]
            assert catalogue.found(q=written) == [f"p-{place}"]


def test_it_works_both_ways(catalogue: Catalogue, subtests: Subtests) -> None:
    """What only the search had, only the text has."""
    one_way = {"a part of a word", "the beginning of a word, with the article"}
    pairs = {why: pair for why, pair in FIND_EACH_OTHER.items() if why not in one_way and " " not in pair[0]}
    for place, (_, typed) in enumerate(pairs.values()):
        _named(catalogue, f"p-{place}", typed)
    for place, (why, (written, _)) in enumerate(pairs.items()):
        with subtests.test(why):
            assert catalogue.found(q=written) == [f"p-{place}"]


def test_neighbours_are_kept_apart(catalogue: Catalogue, subtests: Subtests) -> None:
    for place, pair in enumerate(NEIGHBOURS.values()):
        for which, name in enumerate(pair):
            _named(catalogue, f"p-{place}-{which}", name)
    for place, (why, pair) in enumerate(NEIGHBOURS.items()):
        for which, typed in enumerate(pair):
            with subtests.test(why, typed=typed):
                found = catalogue.found(q=typed)
                assert f"p-{place}-{which}" in found
                assert f"p-{place}-{1 - which}" not in found


def test_strangers_do_not_find_each_other(catalogue: Catalogue, subtests: Subtests) -> None:
    for place, (written, _) in enumerate(STRANGERS.values()):
        _named(catalogue, f"p-{place}", written)
    for why, (_, typed) in STRANGERS.items():
        with subtests.test(why):
            assert catalogue.found(q=typed) == []


def test_slips_are_put_right_and_told(catalogue: Catalogue, subtests: Subtests) -> None:
    for place, (written, _) in enumerate(SLIPS.values()):
        _named(catalogue, f"p-{place}", written)
    for place, (why, (written, typed)) in enumerate(SLIPS.items()):
        with subtests.test(why):
            found = catalogue.search(q=typed)
            assert [row["slug"] for row in found.rows] == [f"p-{place}"]
            [correction] = found.corrections
            assert correction.typed == typed
            assert any(word in fold_for_search(written) for word in correction.words)


class TestCorrections:
    def test_what_is_held_is_never_corrected(self, catalogue: Catalogue) -> None:
        _named(catalogue, "desert", "desert")
        _named(catalogue, "dessert", "dessert")
        assert (catalogue.found(q="dessert"), catalogue.search(q="dessert").corrections) == (["dessert"], ())

    def test_only_the_wrong_word_of_a_search_is_replaced(self, catalogue: Catalogue) -> None:
        _named(catalogue, "both", "safari سيناء")
        _named(catalogue, "one", "safari")
        found = catalogue.search(q="سيناء SAFRAI")
        assert [row["slug"] for row in found.rows] == ["both"]
        assert found.corrections == [Correction("SAFRAI", ("safari",))]

    def test_several_words_may_be_as_near(self, catalogue: Catalogue) -> None:
        for name in ("farm", "form", "firm", "felt"):
            _named(catalogue, name, name)
        found = catalogue.search(q="furm")
        assert found.corrections == [Correction("furm", ("farm", "firm", "form"))]
        assert {row["slug"] for row in found.rows} == {"farm", "firm", "form"}

    def test_filters_that_leave_nothing_correct_no_word(self, catalogue: Catalogue) -> None:
        _named(catalogue, "one", "safari")
        _named(catalogue, "other", "safary")
        found = catalogue.search(q="safari", duration_min=300)
        assert (found.rows, found.corrections) == ([], ())

    def test_words_of_what_is_hidden_are_not_given_away(self, catalogue: Catalogue) -> None:
        _named(catalogue, "draft", "Secret safari", status=ItemStatus.DRAFT)
        assert (catalogue.search(q="safary").corrections, catalogue.found(q="safary")) == ((), [])
        assert catalogue.found(q="safary", sight=EVERYTHING) == ["draft"]

    def test_words_are_learnt_when_a_package_changes(self, catalogue: Catalogue) -> None:
        _named(catalogue, "one", "before")
        with catalogue.database.transaction() as transaction:
            transaction.execute("UPDATE packages SET name_en = 'safari'")
            transaction.commit()
        assert catalogue.found(q="safary") == ["one"]

    def test_pages_of_a_corrected_search_follow_each_other(self, catalogue: Catalogue) -> None:
        for number in range(5):
            _named(catalogue, f"p-{number}", "safari" if number % 2 else "", description_en="safari")
        pages = catalogue.pages(q="safary", sort="relevance", limit=2)
        assert [slug for page in pages for slug in page] == ["p-1", "p-3", "p-0", "p-2", "p-4"]
