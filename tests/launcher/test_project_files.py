"""The files a newcomer meets first say what is true."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.launcher.processes import ROOT

TARGETS = (
    "setup",
    "run",
    "test",
    "evidence",
    "mutants",
    "lint",
    "format",
    "types",
    "bench",
    "fuzz",
    "peers",
    "load",
    "problems",
    "demo",
    "drill",
    "faults",
    "lock",
    "help",
    "clean",
)


def test_make_help_explains_every_target() -> None:
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    explained = dict(re.findall(r"^  make (\w+) +(\S.*)$", said, re.MULTILINE))
    assert sorted(explained) == sorted(TARGETS)


def test_the_example_names_every_setting_and_no_other() -> None:
    example = (ROOT / ".env.example").read_text("utf-8")
    source = (ROOT / "src/config/settings.py").read_text("utf-8")
    named = set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))
    read = set(re.findall(r'(?:self\.\w+|given\.get)\(\s*"([A-Z_]+)"', source))
    assert named == read


@pytest.mark.parametrize("lock", ["bootstrap.lock", "run.lock", "dev.lock", "peers.lock", "pretix.lock", "load.lock"])
def test_locks_pin_every_package_with_hashes_and_name_no_index(lock: str) -> None:
    lines = (ROOT / "requirements" / lock).read_text("utf-8").splitlines()
    assert not [line for line in lines if "://" in line or "index-url" in line]
    pins = [position for position, line in enumerate(lines) if not line.startswith(" ")]
    assert pins
    assert all(re.match(r"[a-z0-9.\-]+(\[[a-z,]+\])?==\S+", lines[position]) for position in pins)
    assert all(lines[position + 1].startswith("    --hash=sha256:") for position in pins)


def test_the_tests_run_on_the_versions_that_are_shipped() -> None:
    shipped, tested = (_pins(name) for name in ("run.lock", "dev.lock"))
    assert shipped.items() <= tested.items()


@pytest.mark.parametrize(("complete", "status"), [("", 0), ("1", 1)])
def test_missing_system_packages_are_named_and_ci_refuses_them(tmp_path: Path, complete: str, status: int) -> None:
    done = subprocess.run(
        ["bash", "scripts/system.sh", "dev"],
        cwd=ROOT,
        env={"PATH": str(_few_programs(tmp_path)), "ALTAYAR_TESTS_COMPLETE": complete},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status
    for package in ("fontconfig", "fonts-hosny-amiri", "chromium", "poppler-utils"):
        assert package in done.stderr


def _pins(lock: str) -> dict[str, str]:
    text = (ROOT / "requirements" / lock).read_text("utf-8")
    return dict(re.findall(r"^([a-z0-9.\-]+)(?:\[[a-z,]+\])?==(\S+)", text, re.MULTILINE))


def _few_programs(folder: Path) -> Path:
    """A PATH on which nothing that could be installed is found, nor what would install it."""
    for name in ("bash", "dirname", "tr", "sed", "grep", "cat", "id"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return folder
