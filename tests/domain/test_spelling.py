"""Spelling: what people type alike, what stands before Arabic words, and slips of the hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue.spelling import (
    deletions,
    fold_for_search,
    is_correctable,
    is_one_slip,
    nearest,
    stems,
    without_article,
    words_of,
)

LETTERS = "ابتمنو"


class TestFolding:
    @pytest.mark.parametrize(
        ("written", "folded"),
        [
            ("أسوان إسنا آثار ٱلأقصر", "اسوان اسنا اثار الاقصر"),
            ("مؤتمر شاطئ", "موتمر شاطي"),
            ("مستشفى", "مستشفي"),
            ("سيوة", "سيوه"),
            ("مســــقط", "مسقط"),
            ("رِحْلَةٌ نِيلِيَّةٌ", "رحله نيليه"),
            ("٢٠٢٦ ۲۰۲۶", "2026 2026"),
            ("LUXOR Café São", "luxor cafe sao"),
            ("کشتی", "كشتي"),
            ("پاریس ڤيلا چورچيا گيزا ژنيف", "باريس فيلا جورجيا كيزا زنيف"),
            ("ہوٹل مدینۃ ۀ", "هوٹل مدينه ه"),
            ("ﷲ ﻻ ﻷﻗﺼﺮ", "الله لا لاقصر"),
            ("می\u200cروم كت\u200dاب \u202bالأقصر\u202c \u200fسيوة\u200e", "ميروم كتاب الاقصر سيوه"),
            ("Lu\u00adxor \ufeffAswan", "luxor aswan"),
            ("first\nsecond\tthird", "first second third"),
        ],
    )
    def test_what_people_type_alike_has_one_spelling(self, written: str, folded: str) -> None:
        assert fold_for_search(written) == folded

    def test_a_hamza_typed_apart_folds_like_one_typed_together(self) -> None:
        assert fold_for_search("ا\u0654سوان") == fold_for_search("أسوان") == "اسوان"

    @given(st.text())
    def test_folding_twice_changes_nothing_more(self, text: str) -> None:
        assert fold_for_search(fold_for_search(text)) == fold_for_search(text)

    @given(st.text(), st.text())
    def test_words_fold_alone_as_they_do_in_a_sentence(self, first: str, second: str) -> None:
        assert fold_for_search(f"{first} {second}") == f"{fold_for_search(first)} {fold_for_search(second)}"

    @given(st.text())
    def test_the_words_of_a_text_are_those_of_its_folded_form(self, text: str) -> None:
        assert list(words_of(text)) == list(dict.fromkeys(fold_for_search(text).split()))

    def test_each_word_remembers_how_it_was_typed(self) -> None:
        assert words_of(" أسوان  CRUISE أسوان ") == {"اسوان": "أسوان", "cruise": "CRUISE"}


class TestPrefixes:
    @pytest.mark.parametrize(
        ("word", "stem"),
        [("الاقصر", "اقصر"), ("الغردقه", "غردقه"), ("البحر", None), ("اقصر", None), ("ال", None), ("الnile", "nile")],
    )
    def test_the_article_is_taken_off_where_enough_is_left(self, word: str, stem: str | None) -> None:
        assert without_article(word) == stem

    @pytest.mark.parametrize(
        ("word", "found"),
        [
            ("والاقصر", ["الاقصر", "اقصر"]),
            ("بالاقصر", ["الاقصر", "اقصر"]),
            ("كالاقصر", ["الاقصر", "اقصر"]),
            ("للاقصر", ["لاقصر", "اقصر"]),
            ("وبالاقصر", ["بالاقصر", "الاقصر", "اقصر"]),
            ("لاسوان", ["اسوان"]),
            ("البحر", ["بحر"]),
            ("سيوه", []),
            ("ولد", []),
            ("cruise", []),
        ],
    )
    def test_what_may_stand_before_a_word_is_taken_off_it(self, word: str, found: list[str]) -> None:
        assert stems(word) == found


class TestSlips:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("cruise", "cruse"), ("cruise", "cruisee"), ("cruise", "crruise"), ("cruise", "cruize"),
            ("cruise", "curise"), ("cruise", "ruise"), ("cruise", "rcuise"), ("cruise", "cruies"),
            ("الغردقه", "الغردقة".replace("ة", "ت")), ("اسوان", "اسون"), ("اسوان", "اسوووان".replace("ووو", "وو")),
            ("اسوان", "اسوام"), ("اسوان", "اوسان"), ("سيوه", "سوهي".replace("وهي", "ويه")),
        ],
    )  # fmt: skip
    def test_one_letter_missed_doubled_wrong_or_in_the_wrong_place_is_one_slip(self, one: str, other: str) -> None:
        assert is_one_slip(one, other)
        assert is_one_slip(other, one)
        assert deletions(one) & deletions(other)

    @pytest.mark.parametrize(
        ("one", "other"),
        [("cruise", "cruise"), ("cruise", "crs"), ("cruise", "iruesc"), ("رومانيا", "المانيا"), ("abcd", "badc")],
    )
    def test_more_than_one_is_another_word(self, one: str, other: str) -> None:
        assert not is_one_slip(one, other)

    @given(st.text(LETTERS, min_size=1, max_size=7), st.text(LETTERS, min_size=1, max_size=7))
    def test_every_slip_has_a_deletion_in_common(self, one: str, other: str) -> None:
        assert is_one_slip(one, other) == is_one_slip(other, one)
        if is_one_slip(one, other):
            assert deletions(one) & deletions(other)

    def test_the_likeliest_comes_first(self) -> None:
        assert nearest("curise", {"cruise", "nurise", "cursie", "dubai", "curises"}) == ["cruise", "cursie", "curises"]

    @pytest.mark.parametrize("word", ["2027", "4x4x4", "nilنيل", "سيو", "a" * 33, "", "100%"])
    def test_numbers_and_what_is_no_word_are_not_corrected(self, word: str) -> None:
        assert not is_correctable(word)
