"""Lines of CSV that a spreadsheet shows and never runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Final

CSV_TYPE: Final = "text/csv; charset=utf-8"
"""Of every such file that is answered: without its encoding some take one for US-ASCII (RFC 7111 §5.1)."""
BYTE_ORDER_MARK: Final = "\ufeff"
"""Before a file's first line: some spreadsheets take a file without it for one in an old code page."""

STARTS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def csv_line(cells: Iterable[object]) -> str:
    """One line (RFC 4180), None as an empty cell; what would start a formula becomes text (OWASP, CSV injection)."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([neutral(cell) for cell in cells])
    return line.getvalue()


def neutral(cell: object) -> str:
    """The cell as text, with an apostrophe before what a spreadsheet would take for a formula."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(STARTS_A_FORMULA) else text
