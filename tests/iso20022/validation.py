"""Holds a document to a schema of ISO 20022: elements in order, how often, and what their text may be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

PAIN_001 = Path(__file__).with_name("pain.001.001.09.xsd")
_XS = "{http://www.w3.org/2001/XMLSchema}"
_KNOWN = {"element", "complexType", "simpleType", "sequence", "choice", "any", "restriction", "pattern", "enumeration",
          "minLength", "maxLength", "fractionDigits", "totalDigits", "minInclusive", "simpleContent", "extension",
          "attribute", "schema"}  # fmt: skip
_FORMS = {
    "date": re.compile(r"\d{4}-\d\d-\d\d(Z|[+-]\d\d:\d\d)?"),
    "dateTime": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?"),
    "decimal": re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)"),
    "boolean": re.compile(r"true|false|0|1"),
    "string": re.compile(r".*", re.DOTALL),
}


class Schema:
    """One schema; `faults` names what is wrong with a document, in its order."""

    def __init__(self, path: Path = PAIN_001) -> None:
        self._root = ElementTree.parse(path).getroot()  # noqa: S314 - our own file
        unknown = {node.tag.removeprefix(_XS) for node in self._root.iter()} - _KNOWN
        assert not unknown, f"the validator does not know {unknown}"
        self._namespace = self._root.get("targetNamespace") or ""

    @cached_property
    def _types(self) -> dict[str, Element]:
        return {node.get("name", ""): node for node in self._root if node.tag != f"{_XS}element"}

    def faults(self, document: bytes) -> list[str]:
        root = ElementTree.fromstring(document)  # noqa: S314 - our own document
        (top,) = self._root.findall(f"{_XS}element")
        if root.tag != f"{{{self._namespace}}}{top.get('name')}":
            return [f"the document is a {root.tag}"]
        return list(self._of_type(root, top.get("type", ""), root.tag.rpartition("}")[2]))

    def _of_type(self, node: Element, name: str, path: str) -> Iterator[str]:
        kind = self._types.get(name)
        if kind is None or kind.tag == f"{_XS}simpleType":
            yield from self._simple(node.text or "", name, path)
            yield from (f"{path}: has no elements" for _ in node)
            return
        content = kind.find(f"{_XS}simpleContent/{_XS}extension")
        if content is not None:
            yield from self._simple(node.text or "", content.get("base", ""), path)
            yield from self._attributes(node, content, path)
            return
        yield from self._children(node, kind, path)

    def _children(self, node: Element, kind: Element, path: str) -> Iterator[str]:
        group = kind.find(f"{_XS}sequence")
        is_choice = group is None
        group = kind.find(f"{_XS}choice") if group is None else group
        if group is None:
            return
        told = [child.tag.rpartition("}")[2] for child in node]
        particles = [one for one in group if one.tag == f"{_XS}element"]
        yield from _order(told, particles, path) if not is_choice else _one_of(told, particles, path)
        types = {one.get("name", ""): one.get("type", "") for one in particles}
        for child, name in zip(node, told, strict=True):
            if child.tag != f"{{{self._namespace}}}{name}":
                yield f"{path}/{name}: of another namespace"
            elif name in types:
                yield from self._of_type(child, types[name], f"{path}/{name}")

    def _attributes(self, node: Element, content: Element, path: str) -> Iterator[str]:
        for attribute in content.findall(f"{_XS}attribute"):
            name = attribute.get("name", "")
            value = node.get(name)
            if value is None:
                yield f"{path}: {name} is missing"
            else:
                yield from self._simple(value, attribute.get("type", ""), f"{path}@{name}")

    def _simple(self, text: str, name: str, path: str) -> Iterator[str]:
        if name.startswith("xs:"):
            form = _FORMS[name.removeprefix("xs:")]
            yield from () if form.fullmatch(text) else (f"{path}: {text!r} is no {name}",)
            return
        restriction = self._types[name].find(f"{_XS}restriction")
        assert restriction is not None
        yield from self._simple(text, restriction.get("base", ""), path)
        facets = [(one.tag.removeprefix(_XS), one.get("value", "")) for one in restriction]
        allowed = [value for facet, value in facets if facet == "enumeration"]
        if allowed and text not in allowed:
            yield f"{path}: {text!r} is none of {allowed}"
        yield from (
            f"{path}: {text!r} breaks {facet} {value}" for facet, value in facets if not _fits(text, facet, value)
        )


def _fits(text: str, facet: str, value: str) -> bool:
    match facet:
        case "pattern":
            return re.fullmatch(value, text) is not None
        case "minLength":
            return len(text) >= int(value)
        case "maxLength":
            return len(text) <= int(value)
        case "fractionDigits":
            return len(text.partition(".")[2].rstrip("0")) <= int(value)
        case "totalDigits":
            return len(re.sub(r"\D", "", text).lstrip("0")) <= int(value)
        case "minInclusive":
            return Decimal(text) >= Decimal(value)
    return True


def _often(particle: Element) -> tuple[int, float]:
    most = particle.get("maxOccurs", "1")
    return int(particle.get("minOccurs", "1")), float("inf") if most == "unbounded" else int(most)


def _order(told: list[str], particles: list[Element], path: str) -> Iterator[str]:
    place = 0
    for particle in particles:
        name, (least, most), count = particle.get("name"), _often(particle), 0
        while place < len(told) and told[place] == name:
            place, count = place + 1, count + 1
        if not least <= count <= most:
            yield f"{path}: {count} times {name}"
    if place < len(told):
        yield f"{path}: {told[place]} does not belong there"


def _one_of(told: list[str], particles: list[Element], path: str) -> Iterator[str]:
    names = [particle.get("name") for particle in particles]
    if len(told) != 1 or told[0] not in names:
        yield f"{path}: {told} is not one of {names}"
