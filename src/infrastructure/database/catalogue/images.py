"""Pictures of packages and activities, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.catalogue.images import ImageNotFound, ItemImage
from domain.catalogue.items import Item
from infrastructure.database.catalogue.finding import ITEM_COLUMN
from infrastructure.database.transaction import Row, Statements

_COLUMNS: Final = """id, package_id, activity_id, storage_key, content_type, size_bytes, digest, width, height,
       caption_ar, caption_en, display_order, is_featured, created_at"""
_BEGIN: Final = """
INSERT INTO package_images (id, package_id, activity_id, storage_key, content_type, size_bytes, digest, width, height,
                            caption_ar, caption_en, display_order, is_featured, state, created_at, changed_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, false, 'UPLOADING', %s, %s)
"""
_OF: Final = f"""
SELECT {_COLUMNS} FROM package_images WHERE {{item}} = %s AND state = 'STORED' ORDER BY display_order, id
"""
_STORED: Final = """
UPDATE package_images SET state = 'STORED', display_order = %s, changed_at = %s
WHERE id = %s AND state = 'UPLOADING' RETURNING id
"""
_NO_LONGER_FEATURED: Final = """
UPDATE package_images SET is_featured = false, changed_at = %s WHERE {item} = %s AND is_featured
"""
_FEATURE: Final = """
UPDATE package_images SET is_featured = true, changed_at = %s WHERE {item} = %s AND id = %s AND state = 'STORED'
"""
_ARRANGE: Final = """
UPDATE package_images i SET display_order = a.place - 1, changed_at = %s
FROM unnest(%s::uuid[]) WITH ORDINALITY AS a (id, place) WHERE i.id = a.id
"""
# Whoever comes second leaves those alone that somebody is deleting.
_LEFT_BEHIND: Final = f"""
UPDATE package_images SET state = 'DROPPED'
WHERE id IN (SELECT id FROM package_images
             WHERE state = 'DROPPED' OR (state = 'UPLOADING' AND changed_at < %s)
             ORDER BY changed_at LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING {_COLUMNS}
"""


class SqlItemImages:
    """Implements `application.catalogue.ports.ItemImages`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def of(self, item: Item) -> Sequence[ItemImage]:
        return [_image(row) for row in self._statements.rows(_naming(item, _OF), (item.id,))]

    def get(self, item: Item, image_id: UUID) -> ItemImage:
        found = next((image for image in self.of(item) if image.id == image_id), None)
        if found is None:
            raise ImageNotFound()
        return found

    def begin(self, image: ItemImage) -> None:
        self._statements.execute(
            _BEGIN,
            (image.id, image.item.package_id, image.item.activity_id, image.storage_key, image.content_type,
             image.size_bytes, image.digest, image.width, image.height, image.caption_ar,
             image.caption_en, image.display_order, image.created_at, image.created_at),
        )  # fmt: skip

    def stored(self, image: ItemImage, *, at: datetime) -> bool:
        return self._statements.row(_STORED, (image.display_order, at, image.id)) is not None

    def describe(self, image_id: UUID, *, caption_ar: str, caption_en: str, at: datetime) -> None:
        sql = "UPDATE package_images SET caption_ar = %s, caption_en = %s, changed_at = %s WHERE id = %s"
        self._statements.execute(sql, (caption_ar, caption_en, at, image_id))

    def feature(self, item: Item, image_id: UUID | None, *, at: datetime) -> None:
        self._statements.execute(_naming(item, _NO_LONGER_FEATURED), (at, item.id))
        if image_id is not None:
            self._statements.execute(_naming(item, _FEATURE), (at, item.id, image_id))

    def arrange(self, image_ids: Sequence[UUID], *, at: datetime) -> None:
        self._statements.execute(_ARRANGE, (at, list(image_ids)))

    def drop(self, image: ItemImage, *, at: datetime) -> None:
        sql = "UPDATE package_images SET state = 'DROPPED', is_featured = false, changed_at = %s WHERE id = %s"
        self._statements.execute(sql, (at, image.id))

    def forget(self, image_ids: Sequence[UUID]) -> None:
        self._statements.execute(
            "DELETE FROM package_images WHERE id = ANY(%s) AND state = 'DROPPED'", (list(image_ids),)
        )

    def left_behind(self, *, begun_before: datetime, limit: int) -> Sequence[ItemImage]:
        return [_image(row) for row in self._statements.rows(_LEFT_BEHIND, (begun_before, limit))]


def _naming(item: Item, statement: str) -> str:
    return statement.format(item=ITEM_COLUMN[item.kind])


def _image(row: Row) -> ItemImage:
    item = Item.of(row["package_id"], row["activity_id"])
    values = {name: value for name, value in row.items() if name not in ITEM_COLUMN.values()}
    return ItemImage(**{**values, "item": item, "digest": bytes(row["digest"])})
