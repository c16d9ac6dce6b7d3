"""Ratings, as rows."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from domain.catalogue.items import Item
from domain.catalogue.ratings import Rating, RatingNotFound, RatingStatus, RatingWords
from infrastructure.database.transaction import Row, Statements

_ADD: Final = """
INSERT INTO ratings (id, booking_id, user_id, package_id, activity_id, stars, title, comment, status, created_at,
                     updated_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_SAVE: Final = """
UPDATE ratings SET stars = %s, title = %s, comment = %s, status = %s, hidden_reason = %s, moderated_by_user_id = %s,
                   moderated_at = %s, updated_at = %s
WHERE id = %s
"""


class SqlRatings:
    """Implements `application.catalogue.ports.Ratings`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self.seen: list[Rating] = []

    def of_booking(self, booking_id: UUID) -> Rating | None:
        return self._one("SELECT * FROM ratings WHERE booking_id = %s FOR NO KEY UPDATE", booking_id)

    def get(self, rating_id: UUID) -> Rating:
        rating = self._one("SELECT * FROM ratings WHERE id = %s FOR NO KEY UPDATE", rating_id)
        if rating is None:
            raise RatingNotFound()
        return rating

    def _one(self, sql: str, key: UUID) -> Rating | None:
        row = self._statements.row(sql, (key,))
        if row is None:
            return None
        rating = _rating(row)
        self.seen.append(rating)
        return rating

    def add(self, rating: Rating) -> None:
        words = rating.words
        self._statements.execute(
            _ADD,
            (rating.id, rating.booking_id, rating.user_id, rating.item.package_id, rating.item.activity_id, words.stars,
             words.title, words.comment, rating.status, rating.created_at, rating.updated_at),
        )  # fmt: skip
        self.seen.append(rating)

    def save(self, rating: Rating) -> None:
        words = rating.words
        self._statements.execute(
            _SAVE,
            (words.stars, words.title, words.comment, rating.status, rating.hidden_reason, rating.moderated_by,
             rating.moderated_at, rating.updated_at, rating.id),
        )  # fmt: skip


def _rating(row: Row) -> Rating:
    return Rating(
        id=row["id"],
        booking_id=row["booking_id"],
        user_id=row["user_id"],
        item=Item.of(row["package_id"], row["activity_id"]),
        words=RatingWords(stars=row["stars"], title=row["title"], comment=row["comment"]),
        status=RatingStatus(row["status"]),
        hidden_reason=row["hidden_reason"],
        moderated_by=row["moderated_by_user_id"],
        moderated_at=row["moderated_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
