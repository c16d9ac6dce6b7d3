"""`altayar demo` where no system runs: it starts one of its own, or says that nothing answers."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from tests.launcher.processes import demo


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.timeout(400)
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
