"""Every refusal has its sentences, in both languages, saying the same facts (Q4)."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from domain.shared.errors import Conflict, DomainError, InvalidValue, NotAllowed, NotFound, RuleBroken, Unavailable
from middlewares.error_handler import CODE_OF_STATUS, STATUS_OF_CODE, STATUS_OF_FAMILY
from middlewares.messages import FIELD_MESSAGES, MESSAGES, sentences
from tests.architecture.code import every_subclass

ERRORS = sorted(every_subclass(DomainError), key=lambda error: (error.__module__, error.__qualname__))
FAMILIES = (NotFound, Conflict, RuleBroken, NotAllowed, Unavailable)
ARABIC = re.compile(r"[\u0600-\u06ff]")


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: f"{error.__module__}.{error.__qualname__}")
def test_every_error_has_a_code_of_its_family_and_sentences_for_it(error: type[DomainError]) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]+", error.code)
    assert error.code in MESSAGES
    assert issubclass(error, FAMILIES)
    if error not in (*FAMILIES, InvalidValue):
        assert error.code not in {family.code for family in FAMILIES}, "it speaks with its family's general code"


def test_there_are_errors_to_check() -> None:
    assert len(ERRORS) > 40


def test_one_code_is_one_fact() -> None:
    """Two errors share a code only where one is a kind of the other, or clients are told the same."""
    by_code: dict[str, set[str]] = {}
    for error in ERRORS:
        if not any(getattr(parent, "code", None) == error.code for parent in error.__mro__[1:]):
            by_code.setdefault(error.code, set()).add(error.__name__)

    assert {code: names for code, names in by_code.items() if len(names) > 1} == {
        "idempotency_key_reused": {"IdempotencyKeyReused", "PaymentKeyReused", "RefundKeyReused"},
        "validation_failed": {
            "InvalidValue",
            "UnfitTravelers",
            "UnsoundActivity",
            "UnsoundDeal",
            "UnsoundOffer",
            "UnsoundPackage",
            "UnsoundPrices",
        },
    }


def test_answers_without_an_error_of_ours_have_sentences_too() -> None:
    assert {"internal_error", *CODE_OF_STATUS.values(), *STATUS_OF_CODE} <= set(MESSAGES)


def test_no_sentence_is_left_over() -> None:
    spoken = {error.code for error in ERRORS} | {"internal_error"} | set(CODE_OF_STATUS.values())

    assert set(MESSAGES) - spoken == set()


def test_every_family_has_a_status() -> None:
    assert {family for family, _ in STATUS_OF_FAMILY} == set(FAMILIES)


@pytest.mark.parametrize("code", sorted(MESSAGES))
def test_both_languages_say_the_same_facts(code: str) -> None:
    english, arabic = MESSAGES[code]

    assert _facts(english) == _facts(arabic)
    assert not any(ARABIC.search(sentence) for sentence in english)
    assert all(ARABIC.search(sentence) for sentence in arabic)
    assert all(sentence.strip() == sentence and sentence for sentence in (*english, *arabic))


@pytest.mark.parametrize("code", sorted(FIELD_MESSAGES))
def test_what_is_wrong_with_a_field_is_said_in_both_languages(code: str) -> None:
    english, arabic = FIELD_MESSAGES[code]

    assert english.isascii()
    assert ARABIC.search(arabic)


def _facts(texts: tuple[str, str]) -> set[str]:
    return {name for text in texts for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("code", sorted(MESSAGES))
def test_a_sentence_whose_facts_are_missing_is_still_a_sentence(code: str, language: str) -> None:
    title, detail = sentences(code, language, {})

    assert title
    assert "{" not in title + detail
