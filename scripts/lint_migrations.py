"""Reads every migration with squawk by the rules in migrations/rules.toml: `scripts/lint_migrations.py`.

Fails on what no exception there allows, and on an exception that nothing needs.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from migration_sql import sql_of

from infrastructure.database.migrations import FOLDER

OLDEST_POSTGRES = "15.0"


def main() -> int:
    rules = tomllib.loads((FOLDER / "rules.toml").read_text("utf-8"))
    excepted = {(revision, rule) for revision, reasons in rules["migrations"].items() for rule in reasons}
    found = look(sorted(rules["everywhere"]))
    for revision, rule in sorted(found.keys() - excepted):
        for place in found[revision, rule]:
            print(f"{revision}: {rule}: {place}")
    for revision, rule in sorted(excepted - found.keys()):
        print(f"migrations/rules.toml: {revision} needs no exception from {rule}")
    return 0 if found.keys() == excepted else 1


def look(rules_left_out: list[str]) -> dict[tuple[str, str], list[str]]:
    """What squawk says: by migration and rule, with the statement that each is about."""
    said: dict[tuple[str, str], list[str]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        for script in ScriptDirectory(str(FOLDER)).walk_revisions():
            (Path(folder) / f"{script.revision}.sql").write_text(sql_of(script), "utf-8")
        for one in _squawk(Path(folder), rules_left_out):
            file = Path(one["file"])
            statement = file.read_text("utf-8").splitlines()[one["line"]].strip()
            said[file.stem, one["rule_name"]].append(f"{one['message']} In: {statement[:100]}")
    return said


def _squawk(folder: Path, rules_left_out: list[str]) -> list[dict[str, Any]]:
    program = Path(sys.executable).with_name("squawk")
    options = ["--reporter=json", f"--pg-version={OLDEST_POSTGRES}", f"--exclude={','.join(rules_left_out)}"]
    done = subprocess.run([program, *options, *sorted(folder.glob("*.sql"))], capture_output=True, check=False)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    sys.exit(main())
