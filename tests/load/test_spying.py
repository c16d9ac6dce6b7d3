"""What stacks of a running program come to."""

from __future__ import annotations

from pathlib import Path

from tests.load.spying import stacks

BEGINS = 'process 7:"gunicorn: worker";run (gunicorn/app/base.py:1)'
VIEW = "get (api/v1/sales/bookings.py:9)"
READ = "rows (infrastructure/database/transaction.py:3);execute (psycopg/cursor.py:4)"
WRITTEN = f"""\
{BEGINS};{VIEW};{READ} 6
{BEGINS};{VIEW};answer_page (api/answers.py:5) 3
{BEGINS};run (threading.py:8) 1
{BEGINS};Hub.run (gevent/hub.py:647) 99
"""


def test_samples_are_shared_out_by_package_by_view_and_by_function(tmp_path: Path) -> None:
    path = tmp_path / "web.txt"
    path.write_text(WRITTEN, "utf-8")
    found = stacks(path)
    assert found["samples"] == 10
    assert dict(found["packages"]) == {"psycopg": 60.0, "our api": 30.0, "threading": 10.0}
    assert dict(found["views"]) == {"v1/sales/bookings.py get": 90.0, "outside of views": 10.0}
    assert dict(found["functions"])["infrastructure/database/transaction.py:rows"] == 60.0


def test_a_program_that_nobody_saw_has_no_samples(tmp_path: Path) -> None:
    assert stacks(tmp_path / "nothing.txt")["samples"] == 0
