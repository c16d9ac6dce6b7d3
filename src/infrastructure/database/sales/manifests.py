"""Manifests of departures, and the PDFs that were made of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from application.ports import Encryption
from application.sales.manifest_ports import AskedManifest, ManifestToDraw
from domain.sales.booking_states import BookingStatus
from domain.sales.manifests import ASKED_AGAIN_AFTER, TRAVELING, Manifest, Party
from domain.sales.travelers import Traveler
from infrastructure.database.transaction import Database, Row, Statements

_DEPARTURE: Final = """
SELECT d.id AS departure_id, coalesce(p.name_ar, a.name_ar) AS name_ar, coalesce(p.name_en, a.name_en) AS name_en,
       d.status, d.starts_on, d.ends_on, d.start_time, d.time_zone, d.capacity
FROM departures d LEFT JOIN packages p ON p.id = d.package_id LEFT JOIN activities a ON a.id = d.activity_id
WHERE d.id = %(id)s AND (%(vendor)s::uuid IS NULL OR coalesce(p.vendor_id, a.vendor_id) = %(vendor)s)
"""
_PARTIES: Final = """
SELECT b.id, b.booking_number, b.status, b.no_show_at IS NOT NULL AS no_show, b.customer_info, b.special_requests,
       b.travelers_count, coalesce(t.travelers, '[]'::json) AS travelers
FROM bookings b LEFT JOIN LATERAL (
    SELECT json_agg(json_build_object(
        'first_name', t.first_name, 'last_name', t.last_name, 'birth_date', t.birth_date,
        'document', convert_from(t.document_number_encrypted, 'UTF8'),
        'document_expires_on', t.document_expires_on) ORDER BY t.position) AS travelers
    FROM booking_travelers t WHERE t.booking_id = b.id) t ON true
WHERE b.departure_id = %(id)s AND b.status = ANY(%(statuses)s)
ORDER BY b.booking_number
"""
_TO_DRAW: Final = "SELECT departure_id, language FROM departure_manifests WHERE id = %s AND made_at IS NULL"
_REMEMBER: Final = "UPDATE departure_manifests SET made_at = %s, size_bytes = %s WHERE id = %s RETURNING 1"
_ASK: Final = """
INSERT INTO departure_manifests AS m (id, departure_id, language, content, requested_by_user_id, requested_at)
VALUES (%(id)s, %(departure_id)s, %(language)s, %(content)s, %(by)s, %(at)s)
ON CONFLICT ON CONSTRAINT uq_departure_manifests_content DO UPDATE
SET requested_at = CASE WHEN m.made_at IS NULL AND m.requested_at < %(in_vain)s THEN excluded.requested_at
                        ELSE m.requested_at END
RETURNING m.id, m.made_at IS NOT NULL AS is_made, m.requested_at = %(at)s AND m.made_at IS NULL AS is_new
"""
_PAST: Final = "SELECT id FROM departure_manifests WHERE requested_at < %s ORDER BY requested_at LIMIT %s"


class SqlManifests:
    """Implements `application.sales.manifest_ports.Manifests`."""

    def __init__(self, database: Database, encryption: Encryption) -> None:
        self._database = database
        self._encryption = encryption

    def read(self, departure_id: UUID, *, vendor_id: UUID | None) -> Manifest | None:
        departure = self._database.row(_DEPARTURE, {"id": departure_id, "vendor": vendor_id})
        if departure is None:
            return None
        rows = self._database.rows(_PARTIES, {"id": departure_id, "statuses": [one.value for one in TRAVELING]})
        return Manifest(**departure, parties=tuple(self._party(row) for row in rows))

    def _party(self, row: Row) -> Party:
        contact = row["customer_info"]
        return Party(
            booking_id=row["id"],
            booking_number=row["booking_number"],
            status=BookingStatus(row["status"]),
            no_show=row["no_show"],
            first_name=contact.get("first_name", ""),
            last_name=contact.get("last_name", ""),
            email=contact.get("email", ""),
            phone=contact.get("phone", ""),
            special_requests=row["special_requests"],
            seats=row["travelers_count"],
            travelers=tuple(self._traveler(traveler) for traveler in row["travelers"]),
        )

    def _traveler(self, row: Row) -> Traveler:
        sealed = row["document"]
        return Traveler(
            first_name=row["first_name"],
            last_name=row["last_name"],
            birth_date=_day(row["birth_date"]),
            document_number=self._encryption.decrypt(sealed.encode()) if sealed is not None else None,
            document_expires_on=_day(row["document_expires_on"]),
        )

    def to_draw(self, manifest_id: UUID) -> ManifestToDraw | None:
        row = self._database.row(_TO_DRAW, (manifest_id,))
        return ManifestToDraw(**row) if row is not None else None

    def remember(self, manifest_id: UUID, *, size: int, at: datetime) -> bool:
        with self._database.transaction() as transaction:
            wanted = transaction.row(_REMEMBER, (at, size, manifest_id))
            transaction.commit()
        return wanted is not None


class SqlManifestRequests:
    """Implements `application.sales.manifest_ports.ManifestRequests`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def ask(
        self, departure_id: UUID, language: str, *, content: bytes, manifest_id: UUID, by: UUID, at: datetime
    ) -> AskedManifest:
        (row,) = self._statements.rows(
            _ASK,
            {
                "id": manifest_id,
                "departure_id": departure_id,
                "language": language,
                "content": content,
                "by": by,
                "at": at,
                "in_vain": at - ASKED_AGAIN_AFTER,
            },
        )
        return AskedManifest(**row)

    def past(self, *, requested_before: datetime, limit: int) -> Sequence[UUID]:
        return [row["id"] for row in self._statements.rows(_PAST, (requested_before, limit))]

    def drop(self, manifests: Sequence[UUID]) -> None:
        self._statements.execute("DELETE FROM departure_manifests WHERE id = ANY(%s)", (list(manifests),))


def _day(written: str | None) -> date | None:
    return date.fromisoformat(written) if written is not None else None
