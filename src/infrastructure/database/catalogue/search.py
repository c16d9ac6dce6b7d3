"""Search by words, for whatever the catalogue holds: what a kind of item declares, its words, corrections.

A kind of item (`Searched`) has a folded text, a folded name and the place in its list, all of them indexed (trigrams,
trigrams, a btree with the id), and the trigger `learn_words`, which fills the vocabulary that all kinds share.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from application.catalogue.queries import Behind, Correction, Row
from domain.catalogue.spelling import deletions, forms, is_correctable, nearest, stems, without_article, words_of
from infrastructure.database.catalogue.finding import containing
from infrastructure.database.transaction import Database

MOST_CORRECTED: Final = 4
"""Words of one search; whoever types more of them wrong is not helped by a guess at each."""

STEP: Final = 10_000_000
"""How far apart the steps of relevance are in its keys; every place in a list is below it."""

_NEAR: Final = "SELECT word FROM search_words WHERE deletions && %(deletions)s LIMIT 1000"


@dataclass(frozen=True, slots=True)
class Searched:
    """A kind of item as SQL names it: its table with an alias, and that alias's columns."""

    table: str
    row_id: str
    text: str
    name: str
    listing_place: str


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a row has to fulfil, all of it, and the values that the conditions name."""

    sql: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)

    def __and__(self, other: Conditions) -> Conditions:
        return Conditions((*self.sql, *other.sql), {**self.values, **other.values})

    def __str__(self) -> str:
        return " AND ".join(self.sql) or "true"


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a search: as it was typed, and the folded words of which an item has to hold one."""

    typed: str
    spellings: tuple[str, ...]


def typed_words(q: str) -> list[Word]:
    return [Word(typed, (folded,)) for folded, typed in words_of(q).items()]


def held_in(column: str, words: Iterable[Word]) -> Conditions:
    """A column of folded text holds every word; one typed with the article begins a word without it, too."""
    sql: list[str] = []
    values: dict[str, str] = {}
    for number, word in enumerate(words):
        patterns = [pattern for spelling in word.spellings for pattern in _patterns(spelling)]
        named = {f"word_{number}_{place}": pattern for place, pattern in enumerate(patterns)}
        sql.append(f"({' OR '.join(f'{column} LIKE %({name})s' for name in named)})")
        values |= named
    return Conditions(tuple(sql), values)


def _patterns(word: str) -> Iterator[str]:
    yield containing(word)
    stem = without_article(word)
    if stem is not None:
        yield f"{stem}%"
        yield f"% {stem}%"


class Page(Protocol):
    def __call__(self, wanted: Conditions, limit: int, after: Behind | None, /) -> Sequence[Row]:
        """A page in the order of the place in the list: one row more than `limit` where there are more."""
        ...


def by_relevance(
    items: Searched, wanted: Conditions, words: Sequence[Word], page: Page, *, limit: int, after: Behind | None
) -> Sequence[Row]:
    """Those that hold every word in their name, then the others; each by its place in the list.

    The second step is looked at only where the first does not fill the page. Keys say in which step a row is.
    """
    in_name, in_text = held_in(items.name, words), held_in(items.text, words)
    steps = [wanted & in_name]
    if words:
        steps.append(wanted & in_text & Conditions((f"NOT ({in_name})",), in_name.values))
    first, place = divmod(int(after.key), STEP) if after is not None else (0, 0)  # type: ignore[arg-type]
    found: list[Row] = []
    for step in range(first, len(steps)):
        begin = Behind(place, after.id) if after is not None and step == first else None
        rows = page(steps[step], limit - len(found), begin)
        found += [{**row, "sort_key": row["sort_key"] + step * STEP} for row in rows]
        if len(found) > limit:
            break
    return found


def corrected(
    database: Database, items: Searched, seen: Conditions, words: Sequence[Word]
) -> tuple[list[Word], list[Correction]]:
    """The words of a search that found nothing, with those that no item in sight holds replaced by what some hold.

    A word without its prefixes comes before one that is a slip away. Only what is in sight counts, so nobody
    learns a word of what is hidden. Words of which nothing is near stay as they are.
    """
    checked = [word for word in words if is_correctable(word.spellings[0])][:MOST_CORRECTED]
    held = _held(database, items, seen, [word.spellings[0] for word in checked])
    unknown = [word for word in checked if word.spellings[0] not in held]
    guesses = _guesses(database, [word.spellings[0] for word in unknown])
    held = _held(database, items, seen, [guess for near in guesses.values() for group in near for guess in group])
    corrections = {}
    for word in unknown:
        groups = ([guess for guess in group if guess in held] for group in guesses[word.spellings[0]])
        if best := next(filter(None, groups), None):
            corrections[word] = Word(word.typed, tuple(best))
    replaced = [corrections.get(word, word) for word in words]
    return replaced, [Correction(word.typed, word.spellings) for word in corrections.values()]


def _held(database: Database, items: Searched, seen: Conditions, words: Iterable[str]) -> set[str]:
    """Those of the words that some item in sight holds."""
    asked = list(dict.fromkeys(words))
    if not asked:
        return set()
    columns, values = [], dict(seen.values)
    for number, word in enumerate(asked):
        one = f"held_{number}"
        columns.append(f"EXISTS (SELECT 1 FROM {items.table} WHERE {seen} AND {items.text} LIKE %({one})s) AS {one}")
        values[one] = containing(word)
    answers = database.rows(f"SELECT {', '.join(columns)}", values, replan=True)[0]
    return {word for number, word in enumerate(asked) if answers[f"held_{number}"]}


def _guesses(database: Database, words: Sequence[str]) -> dict[str, list[list[str]]]:
    """For each word what it may stand for, in groups of which an earlier one is better."""
    if not words:
        return {}
    slips = {part for word in words for form in forms(word) for part in deletions(form)}
    looked_up = [*slips, *(stem for word in words for stem in stems(word))]
    known = {row["word"] for row in database.rows(_NEAR, {"deletions": looked_up})}
    return {
        word: [
            *([stem] for stem in stems(word) if stem in known),
            *(nearest(form, known) for form in forms(word)),
        ]
        for word in words
    }
