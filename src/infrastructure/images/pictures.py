"""Pictures that people send, decoded and encoded anew (guarantee S7)."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Final

from gevent import monkey
from gevent.threadpool import ThreadPool
from PIL import Image, ImageFile, ImageOps

from application.pictures import Picture
from domain.shared.errors import InvalidValue

MOST_PIXELS: Final = 40_000_000
LONGEST_SIDE: Final = 3000
"""Pixels of the longer side that are kept: enough to read a slip by."""
FORMATS: Final = ("PNG", "JPEG", "WEBP")
QUALITY: Final = 88
THUMBNAIL_SIDE: Final = 480
"""Pixels of a thumbnail's longer side."""

# What Pillow's decoders raise for bytes that are not what they say (its handbook names OSError; fuzzing the others).
_BROKEN: Final = (OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, TypeError, OverflowError,
                  struct.error, zlib.error)  # fmt: skip
_BOMBS: Final = (Image.DecompressionBombError, Image.DecompressionBombWarning)


class PillowPictures:
    """Implements `application.pictures.Pictures`; what comes out is a JPEG without any metadata.

    Under gevent one picture at a time is decoded, beside the loop: others keep moving, and memory is bounded.
    """

    def cleaned(self, content: bytes, *, pointer: str) -> Picture:
        made = self._run(lambda: _encoded_or_refused(content, pointer, LONGEST_SIDE))
        if isinstance(made, InvalidValue):
            raise made
        return made

    def thumbnail(self, picture: Picture) -> Picture:
        made = self._run(lambda: _encoded_or_refused(picture.content, "", THUMBNAIL_SIDE))
        if isinstance(made, InvalidValue):
            raise made
        return made

    @cached_property
    def _run(self) -> Callable[[Callable[[], Picture | InvalidValue]], Picture | InvalidValue]:
        if not monkey.is_module_patched("threading"):
            return lambda work: work()
        pool = ThreadPool(1)

        def run(work: Callable[[], Picture | InvalidValue]) -> Picture | InvalidValue:
            made: Picture | InvalidValue = pool.apply(work)
            return made

        return run


def _encoded_or_refused(content: bytes, pointer: str, side: int) -> Picture | InvalidValue:
    """A refusal is an answer, not raised: gevent's threads write whatever is raised in them to the log."""
    try:
        return _encoded_anew(content, pointer, side)
    except InvalidValue as refusal:
        return refusal


def _encoded_anew(content: bytes, pointer: str, side: int) -> Picture:
    try:
        with _whole_pictures_only():
            return _opened(content, side)
    except _BOMBS as bomb:
        raise InvalidValue("at most 40 megapixels", pointer=pointer, code="image_too_large") from bomb
    except _BROKEN as fault:
        raise InvalidValue("a PNG, JPEG or WebP image", pointer=pointer, code="unusable_image") from fault


@contextlib.contextmanager
def _whole_pictures_only() -> Iterator[None]:
    """Where documents are drawn too, WeasyPrint has told Pillow to make do with what is there of a cut picture."""
    before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _opened(content: bytes, side: int) -> Picture:
    # The header alone is read here: how large it says to be is known before anything is decoded.
    with Image.open(io.BytesIO(content), formats=FORMATS) as image:
        if image.width * image.height > MOST_PIXELS:
            raise Image.DecompressionBombError(f"{image.width} x {image.height}")
        return _as_jpeg(image, side)


def _as_jpeg(image: Image.Image, side: int) -> Picture:
    image.thumbnail((side, side))
    upright = ImageOps.exif_transpose(image).convert("RGBA")
    paper = Image.new("RGB", upright.size, "white")
    paper.paste(upright, mask=upright.getchannel("A"))
    encoded = io.BytesIO()
    paper.save(encoded, "JPEG", quality=QUALITY)
    return Picture(encoded.getvalue(), "image/jpeg", paper.width, paper.height)
