"""What every ObjectStorage holds to, and what the folder adds."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from application.billing.ports import ObjectStorage
from config.settings import SettingsError
from domain.shared.errors import InvalidValue
from infrastructure.storage.folder_storage import FolderStorage, StorageUnavailable, storage_from_url

KEY = "invoices/2026/INV-2026-000123.ar.pdf"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "أرشيف الملفات" / "objects"


@pytest.fixture
def storage(folder: Path) -> ObjectStorage:
    return storage_from_url(folder.as_uri())


def test_what_was_put_is_got(storage: ObjectStorage) -> None:
    storage.put(KEY, b"%PDF-1.7\x00\xff", "application/pdf")
    assert storage.get(KEY) == b"%PDF-1.7\x00\xff"


def test_a_second_put_replaces_the_first(storage: ObjectStorage) -> None:
    storage.put(KEY, b"first and longer", "application/pdf")
    storage.put(KEY, b"second", "application/pdf")
    assert storage.get(KEY) == b"second"


def test_an_unknown_key_has_nothing(storage: ObjectStorage) -> None:
    storage.put(KEY, b"x", "application/pdf")
    for absent in ("nothing/here.pdf", "invoices", "invoices/2026", f"{KEY}/below"):
        assert storage.get(absent) is None


def test_empty_content_is_content(storage: ObjectStorage) -> None:
    storage.put(KEY, b"", "text/plain; charset=utf-8")
    assert storage.get(KEY) == b""


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "..",
        "../outside",
        "a/../../outside",
        "a/./b",
        "a//b",
        "a/",
        ".hidden",
        "a/.hidden",
        "a\\b",
        "a b",
        "a\nb",
        "a\x00b",
        "a\n",
        "C:evil",
        "ملف",
        "a" * 121,
        "/".join("a" * 9),
    ],
)
def test_keys_that_are_no_plain_path_are_refused(storage: ObjectStorage, key: str) -> None:
    with pytest.raises(InvalidValue):
        storage.put(key, b"x", "application/pdf")
    with pytest.raises(InvalidValue):
        storage.get(key)


@pytest.mark.parametrize("content_type", ["", "pdf", "text/html\r\nX: y", "text/html; charset=utf-8; x=y"])
def test_content_types_of_another_shape_are_refused(storage: ObjectStorage, content_type: str) -> None:
    with pytest.raises(InvalidValue):
        storage.put(KEY, b"x", content_type)
    assert storage.get(KEY) is None


def test_the_content_type_is_kept(folder: Path) -> None:
    storage = FolderStorage(folder)
    storage.put(KEY, b"x", "application/pdf")
    assert storage.content_type(KEY) == "application/pdf"
    assert storage.content_type("other") is None


def test_files_and_folders_are_closed_to_others(folder: Path) -> None:
    former = os.umask(0o000)
    try:
        FolderStorage(folder).put(KEY, b"x", "application/pdf")
    finally:
        os.umask(former)
    made = [folder.parent, folder, folder / "invoices", folder / "invoices" / "2026"]
    assert [oct(each.stat().st_mode & 0o777) for each in made] == ["0o700"] * 4
    assert all(each.stat().st_mode & 0o777 == 0o600 for each in (folder / KEY).parent.iterdir())


def test_readers_never_see_half_a_file(storage: ObjectStorage) -> None:
    whole = {bytes([letter]) * 300_000 for letter in b"abcdef"}
    storage.put(KEY, b"a" * 300_000, "application/pdf")
    done = threading.Event()
    seen: set[bytes | None] = set()

    def read_on() -> None:
        while not done.is_set():
            seen.add(storage.get(KEY))

    reader = threading.Thread(target=read_on)
    reader.start()
    for content in sorted(whole) * 3:
        storage.put(KEY, content, "application/pdf")
    done.set()
    reader.join()
    assert seen
    assert seen <= whole


def test_a_write_that_fails_leaves_the_former_file_and_no_rest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = FolderStorage(folder)
    storage.put(KEY, b"former", "application/pdf")
    names = sorted(each.name for each in (folder / KEY).parent.iterdir())

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(StorageUnavailable):
            storage.put(KEY, b"newer", "application/pdf")
    assert storage.get(KEY) == b"former"
    assert sorted(each.name for each in (folder / KEY).parent.iterdir()) == names


def test_what_is_deleted_is_gone_and_may_be_deleted_again(folder: Path) -> None:
    storage = FolderStorage(folder)
    storage.put(KEY, b"one", "application/pdf")
    storage.put("a", b"other", "application/pdf")
    for _ in range(2):
        storage.delete(KEY)
        storage.delete("a/below/a/file")
    assert storage.get(KEY) is None
    assert storage.content_type(KEY) is None
    assert list((folder / KEY).parent.iterdir()) == []
    assert storage.get("a") == b"other"
    with pytest.raises(InvalidValue):
        storage.delete("../a")


def test_a_key_below_a_file_is_an_outage_of_that_key_only(storage: ObjectStorage) -> None:
    storage.put("a", b"file", "application/pdf")
    with pytest.raises(StorageUnavailable):
        storage.put("a/b", b"x", "application/pdf")
    assert storage.get("a") == b"file"


@pytest.mark.parametrize("url", ["", "s3://bucket", "file://host/path", "file:relative", "/plain/path"])
def test_other_addresses_of_storage_are_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="STORAGE_URL"):
        storage_from_url(url)
