"""`altayar demo`, as a person calls it, against a system that runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from pypdf import PdfReader

from tests.e2e.system import System
from tests.launcher.processes import demo

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


def test_it_tells_the_journey_against_a_given_server(system: System, tmp_path: Path) -> None:
    told = demo("--url", system.address + "/", "--output", str(tmp_path / "left here"))
    assert (told.returncode, told.stderr) == (0, "")
    (pdf,) = (tmp_path / "left here").iterdir()
    assert f"The invoice is at {pdf}" in told.stdout
    assert pdf.stem in "".join(page.extract_text() for page in PdfReader(pdf).pages)
    for step in (
        "1. Register",
        "4. Buy a gold membership",
        "7. Pay through",
        "13. Cancel",
        "14. Staff start and complete",
    ):
        assert step in told.stdout
    for fact in ("CONFIRMED", "COMPLETED", "PENDING", "DEPOSIT", "EARNED", "303 See Other"):
        assert fact in told.stdout
    assert system.rows("SELECT 1 FROM invoices WHERE invoice_number = %s", pdf.stem)


def test_a_step_that_fails_is_named(system: System, tmp_path: Path) -> None:
    (tmp_path / "in the way").write_text("a file")
    told = demo("--url", system.address, "--output", str(tmp_path / "in the way" / "invoice.pdf"))
    assert told.returncode == 1
    assert told.stderr.startswith("Error: the invoice cannot be left at")
    assert "8. " not in told.stdout
