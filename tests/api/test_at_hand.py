"""What a request looks up less often says what Flask and the standard library would say."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from flask import Flask
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from api.blueprint import _document

_NUMBERS = st.integers() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
_DOCUMENTS = st.recursive(
    st.none() | st.booleans() | _NUMBERS | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4),
)


_LONG = 2**64
_SPELLINGS = ((", ", ": "), (",", ":"), (" ,\n\t", " :\r\n"))


@given(document=_DOCUMENTS, separators=st.sampled_from(_SPELLINGS), is_whole=st.booleans())
@example(document=_LONG, separators=(",", ":"), is_whole=False)
@example(document=[_LONG, -_LONG, {"a": _LONG, "b": [-_LONG]}], separators=(",", ":"), is_whole=False)
@example(document=[1, _LONG], separators=(" ,\n\t", " :\r\n"), is_whole=False)
@example(document=_LONG, separators=(",", ":"), is_whole=True)
def test_a_body_is_read_as_the_standard_library_reads_it(
    document: Any, separators: tuple[str, str], is_whole: bool
) -> None:
    # orjson reads objects alone; what else is sent whole is for the standard library.
    raw = json.dumps(document if is_whole else {"sent": document}, separators=separators).encode()

    read = _document(raw)

    assert read == json.loads(raw)
    assert json.dumps(read) == json.dumps(json.loads(raw))


@pytest.mark.parametrize("raw", [b'{"a": 1e999}', b'{"a": NaN}', b'{"a": -Infinity}', b'{"a": 1, "a": 2}'])
def test_what_only_the_standard_library_reads_is_left_to_it(raw: bytes) -> None:
    assert json.dumps(_document(raw)) == json.dumps(json.loads(raw))


@pytest.mark.parametrize("raw", [b"{", b"\xff", b"\xef\xbb\xbf{}", rb'"\ud800"', b""])
def test_what_nobody_reads_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):
        _document(raw)
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(raw)


@pytest.mark.parametrize("path", ["/api/v1/packages", "//api//v1/", "/رحلات/x"])
@pytest.mark.parametrize(("host", "scheme"), [("127.0.0.1:8000", "http"), ("Shop.Example", "https")])
def test_a_host_that_is_remembered_makes_what_flask_makes_of_it(app: Flask, path: str, host: str, scheme: str) -> None:
    environ = EnvironBuilder(path=path, query_string="q=رحلة", base_url=f"{scheme}://{host}/").get_environ()
    app.create_url_adapter(app.request_class(environ))

    again = app.create_url_adapter(app.request_class(environ))
    flasks = Flask.create_url_adapter(app, app.request_class(environ))

    assert again is not None and flasks is not None
    assert vars(again) == vars(flasks)
