"""Reading everything that the registry says is held about a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from application.ports import Encryption
from application.privacy.ports import Document
from domain.ledger.accounts import POINTS_UNIT
from domain.shared.money import currency, format_minor
from infrastructure.database.holdings import Holding
from infrastructure.database.personal_data import PERSONAL_DATA
from infrastructure.database.transaction import Database, Row

_ENCRYPTED, _MINOR = "_encrypted", "_minor"
_PERSON = "SELECT email, phone FROM users WHERE id = %s"
_FILES = """
SELECT i.invoice_number || '-' || d.language || '.pdf' AS name, d.storage_key
FROM invoice_documents d JOIN invoices i ON i.id = d.invoice_id WHERE i.user_id = %s ORDER BY 1
"""


class SqlPersonalData:
    """Implements `application.privacy.ports.PersonalDataReader`."""

    def __init__(self, database: Database, encryption: Encryption, holdings: Sequence[Holding] = PERSONAL_DATA) -> None:
        self._database = database
        self._decrypt: Callable[[bytes], str] = encryption.decrypt
        self._holdings = holdings

    def collect(self, user_id: UUID) -> Document:
        person = self._database.row(_PERSON, (user_id,)) or {"email": None, "phone": None}
        values = {"person": user_id, **person}
        return {
            holding.exported_as: [
                self._shown(row) for row in self._database.rows(_select(holding), values, replan=True)
            ]
            for holding in self._holdings
            if holding.exported_as
        }

    def invoice_files(self, user_id: UUID) -> Mapping[str, str]:
        return {row["name"]: row["storage_key"] for row in self._database.rows(_FILES, (user_id,))}

    def _shown(self, row: Row) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for column, value in row.items():
            if column.endswith(_ENCRYPTED):
                sealed = None if value is None else bytes(value)
                shown[shown_name(column)] = None if sealed is None else self._decrypt(sealed)
            elif column.endswith(_MINOR):
                name = shown_name(column)
                shown[name] = _amount(value, row.get(f"{name}_currency") or row["currency"])
            elif column != "currency" or not any(name.endswith(_MINOR) for name in row):
                shown[column] = _plain(value)
        return shown


def shown_name(column: str) -> str:
    """What a column is called in an export: amounts are no minor units there, and what is encrypted is readable."""
    return column.removesuffix(_ENCRYPTED).removesuffix(_MINOR)


def _select(holding: Holding) -> str:
    condition = " ".join(holding.belongs.split()).replace("%", "%%")
    for name in ("person", "email", "phone"):
        condition = condition.replace(f"${name}", f"%({name})s::{'uuid' if name == 'person' else 'text'}")
    key = ", ".join(column.name for column in holding.table.primary_key)
    return f"SELECT {', '.join(holding.exported)} FROM {holding.table.name} WHERE {condition} ORDER BY {key}"


def _amount(minor: int | None, unit: str) -> Any:
    """Money as the API shows it; points are whole numbers."""
    if minor is None or unit == POINTS_UNIT:
        return minor
    return {"amount": format_minor(minor, currency(unit).exponent), "currency": unit}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    return value
