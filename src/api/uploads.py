"""Pictures that come as a body of their own, or as a part of a form."""

from __future__ import annotations

from itertools import chain
from typing import Any, Final

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from application.pictures import LARGEST_UPLOAD

IMAGES: Final = ("image/jpeg", "image/png", "image/webp")
_AROUND_A_FILE: Final = 16 * 1024


def picture_bodies(part: str) -> dict[str, Any]:
    """What the specification says of a route that takes a picture."""
    file = {"type": "string", "format": "binary"}
    form = {"type": "object", "required": [part], "properties": {part: file}}
    return {
        "requestBody": {
            "required": True,
            "description": "A photograph or a picture of the screen: at most 10 MiB, 40 megapixels. No PDF.",
            "content": {**{image: {"schema": file} for image in IMAGES}, "multipart/form-data": {"schema": form}},
        }
    }


def sent_picture(part: str) -> bytes:
    """The body, or this part of a form. Raises UnsupportedMediaType, RequestEntityTooLarge."""
    request.max_content_length = LARGEST_UPLOAD + _AROUND_A_FILE
    if request.mimetype in IMAGES:
        content = request.get_data(cache=False)
    elif request.mimetype == "multipart/form-data":
        content = _part(part)
    else:
        raise UnsupportedMediaType()
    if len(content) > LARGEST_UPLOAD:
        raise RequestEntityTooLarge()
    return content


def _part(name: str) -> bytes:
    """One file of a form; what else was sent is let go of."""
    parts = request.files
    try:
        if name not in parts:
            raise UnsupportedMediaType()
        return parts[name].stream.read()
    finally:
        for one in chain.from_iterable(parts.listvalues()):
            one.close()
