"""The list of mutants: `mutants.toml`, read and looked at against the tree."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = Path(__file__).with_name("mutants.toml")

_MADE_BY_MIGRATING = ("migrations/", "src/infrastructure/seed", "src/infrastructure/database/erasing.py")


class TextMoved(Exception):
    """What a mutant replaces does not stand exactly once in its file any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One mistake: in `file`, `text` becomes `instead`, which breaks the guarantee `breaks`; `tests` must notice."""

    name: str
    breaks: str
    file: str
    text: str
    instead: str
    tests: tuple[str, ...]

    @property
    def is_in_the_database(self) -> bool:
        """Whether what it changes is made when a database is migrated, so that its tests need one of their own."""
        return self.file.startswith(_MADE_BY_MIGRATING)

    def apply(self, tree: Path) -> None:
        """Make the mistake in a copy of the tree. Raises TextMoved."""
        path = tree / self.file
        path.write_text(self.mutated(path.read_text("utf-8")), "utf-8")

    def mutated(self, source: str) -> str:
        """The file's text with the mistake in it. Raises TextMoved."""
        found = source.count(self.text)
        if found != 1:
            raise TextMoved(f"{self.file} has the text of “{self.name}” {found} times")
        return source.replace(self.text, self.instead)


def mutants(table: Path = TABLE) -> list[Mutant]:
    """Every mutant of the list, in its order."""
    rows = tomllib.loads(table.read_text("utf-8"))["mutant"]
    return [Mutant(**{**row, "tests": tuple(row["tests"])}) for row in rows]
