"""What pictures that people send are made into, whatever they are of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

LARGEST_UPLOAD: Final = 10 * 1024 * 1024
"""Bytes of a picture as it is sent (guarantee S7)."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image that we encoded ourselves; sides in pixels."""

    content: bytes
    content_type: str
    width: int
    height: int


class Pictures(Protocol):
    """Makes pictures that carry nothing but what is seen (guarantee S7)."""

    def cleaned(self, content: bytes, *, pointer: str) -> Picture:
        """Decode and encode anew: no metadata, no second meaning of the bytes; the same bytes for the same bytes.

        Raises InvalidValue (`unusable_image`, `image_too_large`) at `pointer` for what is no PNG, JPEG or WebP, or has
        more than 40 megapixels.
        """
        ...

    def thumbnail(self, picture: Picture) -> Picture:
        """A small twin of a picture of ours."""
        ...
