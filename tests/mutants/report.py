"""docs/mutant-results.md: every mutant with its guarantee, its place, the tests that noticed it, and when."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from tests.mutants.table import ROOT, Mutant
from tests.mutants.verdicts import Finding

PAGE = ROOT / "docs" / "mutant-results.md"
_HEAD = """# Mutants

`make mutants` makes the mistakes below in copies of the tree, one at a time, and runs the tests that have to notice. A
mutant is caught when a test fails at what it asserts while another of the same selection still passes; the same tests
pass without it. The list is `tests/mutants/mutants.toml`; letters are those of the guarantees. That command writes this
page; where it tries some of them, the other rows stay.

"""
_NEVER = " | not tried | | |"


def write(findings: Sequence[Finding], mutants: Sequence[Mutant], *, commit: str, path: Path = PAGE) -> None:
    """Write the rows of what was tried of a commit now, and keep those of the other mutants."""
    known = _rows(path.read_text("utf-8")) if path.exists() else {}
    tried = f"{datetime.now(UTC):%Y-%m-%d} {commit}"
    known |= {finding.mutant.name: _row(finding, tried) for finding in findings}
    path.write_text(page(known, mutants), "utf-8")


def page(rows: Mapping[str, str], mutants: Sequence[Mutant]) -> str:
    """The whole page: a row for each mutant of the list, in its order."""
    listed = [
        rows.get(mutant.name) or f"| {mutant.breaks} | {mutant.name} | {_place(mutant)}{_NEVER}" for mutant in mutants
    ]
    caught = sum("| caught |" in row for row in listed)
    body = "\n".join(listed)
    return (
        f"{_HEAD}{caught} of {len(listed)} are caught.\n\n"
        f"| breaks | mutant | in | | noticed by | tried |\n| --- | --- | --- | --- | --- | --- |\n{body}\n"
    )


def commit_of(tree: Path) -> str:
    """The short name of the commit that a working tree stands on, and whether it has changes."""
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude=*"], cwd=tree, capture_output=True, text=True, check=True
    )
    return told.stdout.strip()


def shown(findings: Sequence[Finding]) -> Table:
    """What was tried now, for a terminal."""
    table = Table(title="Mutants", title_justify="left")
    for heading in ("breaks", "mutant", "", "noticed by", "s"):
        table.add_column(heading, justify="right" if heading == "s" else "left", overflow="fold")
    for finding in findings:
        color = "green" if finding.is_good else "bold red"
        by = _brief(finding.by[0]) if finding.by else finding.said
        verdict = f"[{color}]{finding.verdict}[/]"
        table.add_row(finding.mutant.breaks, finding.mutant.name, verdict, escape(by), f"{finding.seconds:.0f}")
    return table


def _rows(text: str) -> dict[str, str]:
    rows = [line for line in text.splitlines() if line.startswith("| ")][2:]
    return {row.split(" | ")[1]: row for row in rows}


def _row(finding: Finding, tried: str) -> str:
    mutant = finding.mutant
    by = ", ".join(dict.fromkeys(map(_link, finding.by[:2]))) + (" and others" if len(finding.by) > 2 else "")
    return f"| {mutant.breaks} | {mutant.name} | {_place(mutant)} | {finding.verdict} | {by} | {tried} |"


def _place(mutant: Mutant) -> str:
    return f"[{Path(mutant.file).name}](../{mutant.file})"


def _link(node: str) -> str:
    path, _, name = node.partition("::")
    return f"[{name.split('::')[-1].split('[')[0]}](../{path})"


def _brief(node: str) -> str:
    path, _, name = node.partition("::")
    return f"{Path(path).stem}::{name.split('::')[-1]}"
