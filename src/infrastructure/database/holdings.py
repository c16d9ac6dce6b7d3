"""How a context says, beside its tables, what each of them holds about a person.

Conditions and replacements are SQL over the table's own columns, in which `$person` is the person's id,
`$email` and `$phone` what they alone are reached at (else NULL), and `$at` the instant of the erasure. From
these lines the erasing function of the database is made (`erasing.py`), and the export is read
(`privacy/exports.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One table's rows about a person: `belongs` says which, and what becomes of them.

    `erased` maps columns to what replaces them; `deleted` takes the rows away instead. `objects` is an
    expression for the key of a stored file that goes with each row. `exported` columns are what the
    person gets, as `exported_as`. `plain` says of every other column that could hold something personal
    why it does not, or why it stays. A table may have several holdings; without `belongs` it is nobody's.
    """

    table: Table
    belongs: str = ""
    erased: Mapping[str, str] = field(default_factory=dict)
    deleted: bool = False
    objects: str = ""
    exported_as: str = ""
    exported: tuple[str, ...] = ()
    plain: Mapping[str, str] = field(default_factory=dict)


def because(reason: str, *columns: str) -> dict[str, str]:
    """One reason for several columns."""
    return dict.fromkeys(columns, reason)
