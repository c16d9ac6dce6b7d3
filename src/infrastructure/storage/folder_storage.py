"""Object storage in a local folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from application.billing.ports import ObjectStorage
from config.settings import SettingsError
from domain.shared.errors import InvalidValue, Unavailable
from infrastructure.storage.atomic_file import write_atomically

# No part begins with a dot, so no key climbs out, and dotted names are free for what belongs to a key.
_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,119}){0,7}")
_CONTENT_TYPE: Final = re.compile(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,80}(?:; ?charset=[a-z0-9-]{1,20})?")


class StorageUnavailable(Unavailable):
    """The folder cannot be read or written now: full, unmounted, or not ours."""

    code = "storage_unavailable"


class FolderStorage:
    """ObjectStorage below a folder that it owns; a key is a path of plain names: `invoices/2026/1.pdf`.

    Folders are 0700 and files 0600. The content type lies beside each file, under a name that no key has.
    Raises InvalidValue for a key or a content type of another shape, StorageUnavailable for the disk's
    refusals.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, key: str, content: bytes, content_type: str) -> None:
        """Store durably; whoever reads meanwhile gets the old bytes or the new ones, never a mixture."""
        path = self._path(key)
        if not _CONTENT_TYPE.fullmatch(content_type):
            raise InvalidValue("a content type such as application/pdf", code="invalid_content_type")
        try:
            # The type first: a file that is there always has one.
            write_atomically(_type_path(path), content_type.encode("ascii"))
            write_atomically(path, content)
        except OSError as error:
            raise StorageUnavailable(key=key) from error

    def get(self, key: str) -> bytes | None:
        """The bytes last put under a key, or None."""
        return _read(self._path(key), key)

    def delete(self, key: str) -> None:
        """Forget a key; one that is not there is no fault."""
        path = self._path(key)
        try:
            # The type last: a file that is there always has one.
            path.unlink(missing_ok=True)
            _type_path(path).unlink(missing_ok=True)
        except NotADirectoryError:
            return
        except OSError as error:
            raise StorageUnavailable(key=key) from error

    def content_type(self, key: str) -> str | None:
        """The content type last put under a key, or None."""
        content_type = _read(_type_path(self._path(key)), key)
        return None if content_type is None else content_type.decode("ascii")

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise InvalidValue("a storage key is a path of plain names", code="invalid_storage_key")
        return self._folder / key


def _type_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.type")


def _read(path: Path, key: str) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        raise StorageUnavailable(key=key) from error


def storage_from_url(url: str) -> ObjectStorage:
    """The storage that STORAGE_URL names: `file:///absolute/folder`. Raises SettingsError for another."""
    parts = urlsplit(url)
    folder = Path(unquote(parts.path))
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not folder.is_absolute():
        raise SettingsError("STORAGE_URL is file:// and an absolute folder, such as file:///var/lib/altayar")
    return FolderStorage(folder)
