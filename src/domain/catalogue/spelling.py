"""How the words of a search are spelled: what people type alike, what may stand before a word, one slip of the hand."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

# Forms of alef and hamza, ya, ta marbuta; letters of Persian, Urdu and Kurdish keyboards, and those that Arabic
# borrows for foreign sounds, as the letters that are typed in their place; both sets of digits; case; white space.
_FOLDS: Final = str.maketrans(
    "ٱىةیېےکڪہھەۃپچژڤگ٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹ABCDEFGHIJKLMNOPQRSTUVWXYZ\t\n\r",
    "ايهيييككههههبجزفك01234567890123456789abcdefghijklmnopqrstuvwxyz   ",
)
# Accents, harakat, tatweel; what joins, parts or turns letters round and is not seen; which picture of an emoji.
_MARKS: Final = re.compile(
    r"[\u00ad\u0300-\u036f\u0610-\u061a\u061c\u0640\u064b-\u065f\u0670\u06d6-\u06ed"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]"
)


def fold_for_search(text: str) -> str:
    """One spelling for what people type alike, in Arabic and in Latin letters.

    Taken apart first (NFKD): hamza, madda and accents become marks of their own, which are dropped with
    harakat and tatweel, however they were typed. `fold_for_search` in migrations/sql is its twin.
    """
    return _MARKS.sub("", unicodedata.normalize("NFKD", text)).translate(_FOLDS)


def words_of(text: str) -> dict[str, str]:
    """The folded words of what somebody typed, each once, and how each was typed."""
    words: dict[str, str] = {}
    for typed in text.split():
        folded = fold_for_search(typed).split()
        for word in folded:
            words.setdefault(word, typed if len(folded) == 1 else word)
    return words


LEAST_OF_A_STEM: Final = 4
"""Letters that have to be left where the article may be there or not: of shorter ones too many words begin."""
LEAST_OF_A_WORD: Final = 3
"""Letters of the words that are learnt from the catalogue."""
LEAST_TO_CORRECT: Final = 4
"""Letters of a word that may be a slip of another: nearly every shorter one is near to some other."""
MOST_TO_CORRECT: Final = 32
MOST_NEAREST: Final = 3

_LETTERS: Final = re.compile(r"[a-z]+|[ء-غف-ي]+")
# And, with, as, for, the, and what they make together: written as one with the word after them.
_PREFIXES: Final = ("و", "ب", "ك", "ل", "ال", "وب", "وك", "ول", "لل", "وال", "بال", "كال", "ولل", "وبال", "وكال")


def without_article(word: str) -> str | None:
    """A folded word as it is without the definite article, where enough is left of it."""
    stem = word.removeprefix("ال")
    return stem if stem != word and len(stem) >= LEAST_OF_A_STEM and _LETTERS.fullmatch(stem) else None


def stems(word: str) -> list[str]:
    """What a folded Arabic word may be without و, ب, ك, ل and ال before it, the longest first.

    Sound only for words that nothing holds, and only where what is left is a word by itself: وادي is no "and" + ادي.
    """
    left = [word.removeprefix(prefix) for prefix in _PREFIXES if word.startswith(prefix)]
    return sorted((stem for stem in left if len(stem) >= LEAST_OF_A_WORD), key=len, reverse=True)


def forms(word: str) -> list[str]:
    """A folded word, and it without its article and what stands before that: the forms that may hold a slip.

    One letter before a word and a slip besides would be too much of a guess.
    """
    bare = [stem for stem in stems(word) if word.removesuffix(stem).endswith(("ال", "لل"))]
    return [form for form in (word, *bare) if is_correctable(form)]


def is_correctable(word: str) -> bool:
    """Whether a folded word is made of letters of one script, and long enough: numbers are never corrected."""
    return LEAST_TO_CORRECT <= len(word) <= MOST_TO_CORRECT and _LETTERS.fullmatch(word) is not None


def deletions(word: str) -> set[str]:
    """A word, and what is left of it when any one letter is missed.

    Two words that one slip parts (a letter missed, doubled or added, a wrong one, two that changed places) have
    one of these in common, so the words near to another are found by equality, in an index, whatever their number.
    `deletions_of` in migrations/sql is its twin.
    """
    return {word, *(word[:place] + word[place + 1 :] for place in range(len(word)))}


def is_one_slip(one: str, other: str) -> bool:
    """Whether one letter too many, too few or wrong, or two neighbours that changed places, make one of the other."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    if len(one) != len(other):
        shorter, longer = sorted((one, other), key=len)
        return shorter in deletions(longer)
    differing = [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if len(differing) == 1:
        return True
    first, last = differing[0], differing[-1]
    return len(differing) == 2 and last == first + 1 and (one[first], one[last]) == (other[last], other[first])


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """Those of the known words that are one slip away, likeliest first, at most MOST_NEAREST.

    The first letter is rarely the wrong one, and two that changed places are likelier than one that was taken
    for another.
    """
    near = {other for other in known if is_one_slip(word, other)}

    def unlikeliness(other: str) -> tuple[bool, bool, bool, str]:
        is_wrong_letter = len(other) == len(word) and sorted(other) != sorted(word)
        return other[0] != word[0], is_wrong_letter, len(other) > len(word), other

    return sorted(near, key=unlikeliness)[:MOST_NEAREST]
