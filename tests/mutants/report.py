"""docs/mutant-results.md: every mutant with its guarantee, its place and the tests that noticed it."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from tests.mutants.table import ROOT
from tests.mutants.verdicts import Finding

PAGE = ROOT / "docs" / "mutant-results.md"
_HEAD = """# Mutants

`make mutants` makes the mistakes below in copies of the tree, one at a time, and runs the tests that have to notice. A
mutant is caught when a test fails at what it asserts while another of the same selection still passes; the same tests
pass without it. The list is `tests/mutants/mutants.toml`; letters are those of the guarantees. This page is written by
that command.

"""


def page(findings: Sequence[Finding], *, commit: str, at: datetime) -> str:
    """The whole page."""
    caught = sum(finding.is_good for finding in findings)
    rows = "\n".join(_row(finding) for finding in findings)
    return (
        f"{_HEAD}{at:%Y-%m-%d}, commit {commit}: {caught} of {len(findings)} caught.\n\n"
        f"| breaks | mutant | in | | noticed by |\n| --- | --- | --- | --- | --- |\n{rows}\n"
    )


def write(findings: Sequence[Finding]) -> None:
    """Write the page for the commit that stands here now."""
    PAGE.write_text(page(findings, commit=commit_of(ROOT), at=datetime.now(UTC)), "utf-8")


def commit_of(tree: Path) -> str:
    """The short name of the commit that a working tree stands on, and whether it has changes."""

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=tree, capture_output=True, text=True, check=True).stdout.strip()

    return git("rev-parse", "--short", "HEAD") + (" with changes" if git("status", "--porcelain") else "")


def shown(findings: Sequence[Finding]) -> Table:
    """The same for a terminal."""
    table = Table(title="Mutants", title_justify="left")
    for heading in ("breaks", "mutant", "", "noticed by", "s"):
        table.add_column(heading, justify="right" if heading == "s" else "left", overflow="fold")
    for finding in findings:
        color = "green" if finding.is_good else "bold red"
        by = _brief(finding.by[0]) if finding.by else finding.said
        verdict = f"[{color}]{finding.verdict}[/]"
        table.add_row(finding.mutant.breaks, finding.mutant.name, verdict, by, f"{finding.seconds:.0f}")
    return table


def _row(finding: Finding) -> str:
    mutant = finding.mutant
    place = f"[{Path(mutant.file).name}](../{mutant.file})"
    by = ", ".join(_link(node) for node in finding.by[:2]) + (" and others" if len(finding.by) > 2 else "")
    return f"| {mutant.breaks} | {mutant.name} | {place} | {finding.verdict} | {by} |"


def _link(node: str) -> str:
    path, _, name = node.partition("::")
    return f"[{name.split('::')[-1].split('[')[0]}](../{path})"


def _brief(node: str) -> str:
    path, _, name = node.partition("::")
    return f"{Path(path).stem}::{name.split('::')[-1]}"
