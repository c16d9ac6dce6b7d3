"""Write docs/problems.md anew: every problem code with its status and its sentences in both languages."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

import app  # noqa: E402, F401 - with it come all errors, of which the catalogue tells
from middlewares.problem_catalogue import catalogue_page  # noqa: E402 - src is put on the path first


def main() -> None:
    (ROOT / "docs" / "problems.md").write_text(catalogue_page(), "utf-8")


main()
