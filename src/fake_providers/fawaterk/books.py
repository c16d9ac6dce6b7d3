"""The fake's books: what was opened, paid and given back, in a file."""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fake_providers.fawaterk.values import Json

FIRST_ID = 2_304_130_044
"""Above a signed 32-bit integer, as in production."""
FIRST_HUGE_ID = 9_007_199_254_740_993
"""Above the whole numbers that a double holds; sent as strings."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS invoices (id INTEGER PRIMARY KEY, reference TEXT UNIQUE, code TEXT, invoice TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS refunds (id INTEGER PRIMARY KEY, refund TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS calls (path TEXT PRIMARY KEY, count INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS webhooks (url TEXT, kind TEXT, invoice_id TEXT, status INTEGER);
CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY);
"""


@dataclass
class Books:
    """Every method is one locked transaction. Invoices of v2 and transactions of v3 share numbers and table."""

    path: Path
    guard: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.connection = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        self.connection.executescript(_SCHEMA)

    def close(self) -> None:
        with self.guard:
            self.connection.close()

    # Invoices and transactions

    def add(self, invoice: Json, first_id: int) -> str:
        """Number it and keep it; answers the number, which v2 calls the invoice's id."""
        with self.guard:
            (last,) = self._one("SELECT max(id) FROM invoices")
            number = max(first_id, (last or 0) + 1)
            invoice["invoice_id"] = str(number)
            invoice["code"] = f"7{str(number)[-8:]}"
            invoice["reference"] = invoice["invoice_key"] if invoice["generation"] == "v3" else str(number)
            self._do(
                "INSERT INTO invoices VALUES (?, ?, ?, ?)",
                (number, invoice["reference"], invoice["code"], json.dumps(invoice)),
            )
            return str(number)

    def invoice(self, reference: str) -> Json:
        """By what the merchant knows it by: v2's invoice id, v3's intent key. Raises KeyError."""
        with self.guard:
            row = self._one("SELECT invoice FROM invoices WHERE reference = ?", (reference,))
        if row is None:
            raise KeyError(reference)
        found: Json = json.loads(row[0])
        return found

    def numbered(self, number: int, generation: str) -> Json:
        """By its number, of v2 or of v3 alone. Raises KeyError."""
        found = [it for it in self.all() if it["invoice_id"] == str(number) and it["generation"] == generation]
        if not found:
            raise KeyError(str(number))
        return found[0]

    def by_code(self, code: str) -> Json:
        """By the code that is paid at a counter. Raises KeyError."""
        with self.guard:
            row = self._one("SELECT reference FROM invoices WHERE code = ?", (code,))
        if row is None:
            raise KeyError(code)
        return self.invoice(row[0])

    def change(self, reference: str, change: Callable[[Json], object]) -> Json:
        with self.guard:
            invoice = self.invoice(reference)
            change(invoice)
            self._do("UPDATE invoices SET invoice = ? WHERE reference = ?", (json.dumps(invoice), reference))
            return invoice

    def all(self) -> list[Json]:
        with self.guard:
            rows = self.connection.execute("SELECT invoice FROM invoices ORDER BY id").fetchall()
        return [json.loads(row[0]) for row in rows]

    # Refunds

    def add_refund(self, refund: Json) -> Json:
        with self.guard:
            (last,) = self._one("SELECT coalesce(max(id), 0) FROM refunds")
            refund["id"] = last + 1
            self._do("INSERT INTO refunds VALUES (?, ?)", (last + 1, json.dumps(refund)))
            return refund

    def change_refund(self, number: int, **changes: object) -> Json:
        """Raises KeyError for an unknown one."""
        with self.guard:
            refund = next((it for it in self.refunds() if it["id"] == number), None)
            if refund is None:
                raise KeyError(number)
            refund.update(changes)
            self._do("UPDATE refunds SET refund = ? WHERE id = ?", (json.dumps(refund), number))
            return refund

    def delete_refund(self, number: int) -> None:
        with self.guard:
            self._do("DELETE FROM refunds WHERE id = ?", (number,))

    def refunds(self) -> list[Json]:
        """The newest first, as the list of API v3 is."""
        with self.guard:
            rows = self.connection.execute("SELECT refund FROM refunds ORDER BY id DESC").fetchall()
        return [json.loads(row[0]) for row in rows]

    # Calls, webhooks, tokens

    def count(self, path: str) -> None:
        with self.guard:
            self._do("INSERT INTO calls VALUES (?, 1) ON CONFLICT (path) DO UPDATE SET count = count + 1", (path,))

    def calls(self) -> dict[str, int]:
        with self.guard:
            return dict(self.connection.execute("SELECT path, count FROM calls").fetchall())

    def sent(self, url: str, kind: str, invoice_id: str, status: int) -> None:
        with self.guard:
            self._do("INSERT INTO webhooks VALUES (?, ?, ?, ?)", (url, kind, invoice_id, status))

    def webhooks(self) -> list[Json]:
        names = ("url", "kind", "invoice_id", "status")
        with self.guard:
            rows = self.connection.execute("SELECT url, kind, invoice_id, status FROM webhooks").fetchall()
        return [dict(zip(names, row, strict=True)) for row in rows]

    def new_token(self) -> str:
        token = secrets.token_urlsafe(48)
        with self.guard:
            self._do("INSERT INTO tokens VALUES (?)", (token,))
        return token

    def knows_token(self, token: str) -> bool:
        with self.guard:
            return self._one("SELECT 1 FROM tokens WHERE token = ?", (token,)) is not None

    def forget_tokens(self) -> None:
        with self.guard:
            self._do("DELETE FROM tokens")

    def _one(self, statement: str, values: tuple[object, ...] = ()) -> Any:
        return self.connection.execute(statement, values).fetchone()

    def _do(self, statement: str, values: tuple[object, ...] = ()) -> None:
        self.connection.execute(statement, values)
