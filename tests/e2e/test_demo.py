"""`altayar demo`, as a person calls it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from pypdf import PdfReader

from tests.e2e.system import ROOT, System

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


def demo(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", "demo", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "120", "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        timeout=360,
        check=False,
    )


def test_it_tells_the_journey_against_a_given_server(system: System, tmp_path: Path) -> None:
    told = demo("--url", system.address + "/", "--output", str(tmp_path / "left here"))
    assert (told.returncode, told.stderr) == (0, "")
    (pdf,) = (tmp_path / "left here").iterdir()
    assert f"The invoice is at {pdf}" in told.stdout
    assert pdf.stem in "".join(page.extract_text() for page in PdfReader(pdf).pages)
    for step in ("1. Register", "4. Buy a gold membership", "7. Pay through", "10. Staff start and complete"):
        assert step in told.stdout
    for fact in ("CONFIRMED", "COMPLETED", "PENDING", "DEPOSIT", "EARNED", "303 See Other"):
        assert fact in told.stdout
    assert system.rows("SELECT 1 FROM invoices WHERE invoice_number = %s", pdf.stem)


@pytest.mark.slow
def test_without_one_it_starts_a_system_of_its_own_and_leaves_only_the_invoice(tmp_path: Path) -> None:
    rooms = tmp_path / "rooms"
    rooms.mkdir()
    told = demo("--output", str(tmp_path / "mine.pdf"), TMPDIR=str(rooms))
    assert told.returncode == 0, told.stderr
    assert "e-mail verified" in told.stdout
    assert (tmp_path / "mine.pdf").read_bytes().startswith(b"%PDF-")
    assert list(rooms.iterdir()) == []
    assert not [
        one for one in psutil.process_iter(["environ"]) if (one.info["environ"] or {}).get("TMPDIR") == str(rooms)
    ]


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "no address"])
def test_where_nothing_answers_it_says_so_in_a_line(address: str, tmp_path: Path) -> None:
    told = demo("--url", address, "--output", str(tmp_path))
    assert told.returncode == 1
    assert told.stderr.startswith(f"Error: POST {address}/api/v1/auth/register: no answer")
    assert told.stderr.count("\n") == 1


def test_a_step_that_fails_is_named(system: System, tmp_path: Path) -> None:
    (tmp_path / "in the way").write_text("a file")
    told = demo("--url", system.address, "--output", str(tmp_path / "in the way" / "invoice.pdf"))
    assert told.returncode == 1
    assert told.stderr.startswith("Error: the invoice cannot be left at")
    assert "8. " not in told.stdout
