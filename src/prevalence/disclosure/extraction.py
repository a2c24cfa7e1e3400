"""What a reader, or a program, finds in a rendered file: texts, hidden ones included.

HTML with attributes and embedded files, SVG with its comments and metadata, DOCX with properties
and media, PDF with its metadata, the text chunks of PNG, JSON, CSV and plain text.
"""

from __future__ import annotations

import base64
import binascii
import csv
import functools
import hashlib
import io
import json
import re
import struct
import urllib.parse
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from xml.etree import ElementTree

from prevalence.disclosure.documents import docx, local, pdf, png
from prevalence.disclosure.pieces import Piece, digest
from prevalence.errors import PipelineError

__all__ = ["Piece", "pieces"]

# Attributes that a page, or a picture, is built from: they say nothing by themselves.
_SILENT_ATTRIBUTES = """
class id style href xlink:href src srcset type rel charset lang xml:lang dir role tabindex width
height colspan rowspan scope for start align valign loading version encoding xmlns media target
d transform viewbox x y dx dy x1 x2 y1 y2 cx cy r rx ry points fill stroke opacity display
accent clip-path clip-rule fill-rule marker preserveaspectratio aria-labelledby aria-hidden
aria-describedby aria-controls aria-expanded stretchy fence separator columnalign mathvariant
data-number data-cites data-entry-spacing data-line-spacing xml:space
"""
_STRUCTURE = frozenset(_SILENT_ATTRIBUTES.split())
_GEOMETRY = re.compile(r"stroke-|fill-|font-|text-|xmlns:|clip|gradient|stop-|offset", re.I)
_TICK = re.compile(r"(?:^|[-_])[xy]tick", re.I)
_AXIS = re.compile(r"axis_\d+$|axes_\d+$", re.I)
_WORDS_DRAWN = re.compile(r"(?:^|-)text_\d+$")
_PLAIN_NUMBER = re.compile(r"\s*\$?[-−+\d.,\s%^{}\\a-z]*\d[-−\d.,\s%^{}\\]*\$?\s*")
_PICTURE = re.compile(r"<svg\b.*?</svg>", re.S)
_DRAWN = re.compile(r"\s(d|x|y|transform|points)=\"([^\"]*)\"")
_DATA = re.compile(r"data:([\w/+.-]+)(?:;charset=[\w-]+)?(;base64)?,(.*)", re.S)
_CSS_WORDS = re.compile(r"content\s*:\s*(\"[^\"]*\"|'[^']*')|/\*(.*?)\*/", re.S)
_CSS_LOADED = re.compile(r"(?:url\(\s*[\"']?|@import\s+[\"'])((?:https?:)?//[^\"')]+)", re.I)
_INLINE_TAGS = """
a b i em strong span sup sub small code abbr cite q mark wbr mi mn mo mrow msub msup munder mover
mtext
"""
_INLINE = frozenset(_INLINE_TAGS.split())
_DATA_TYPES = {"text/csv": "csv", "image/svg+xml": "svg", "image/png": "png"}


def pieces(name: str, content: bytes) -> list[Piece]:
    """Find every text in a file.

    Parameters
    ----------
    name
        The file's name: its suffix says how it is read.
    content
        Its bytes.

    Returns
    -------
    list of Piece
        In the order of the file.

    Raises
    ------
    PipelineError
        If the file can't be read as what its name says.
    """
    return list(_read(name, content))


@functools.lru_cache(maxsize=256)
def _read(name: str, content: bytes) -> tuple[Piece, ...]:
    """Read a file once, for all that is checked of it."""
    suffix = name.rsplit(".", 1)[-1].lower()
    reader = _READERS.get(suffix, _plain)
    try:
        return tuple(reader(content))
    except (ValueError, zipfile.BadZipFile, ElementTree.ParseError, struct.error) as error:
        raise PipelineError(
            "A staged file can't be read as what its name says.",
            file=name,
            found=type(error).__name__,
            allowed=f"a valid .{suffix} file",
            remedy="Render it again; if it stays so, the renderer is at fault.",
        ) from None


def _plain(content: bytes) -> Iterator[Piece]:
    for number, line in enumerate(content.decode("utf-8").splitlines(), start=1):
        if line.strip():
            yield Piece(f"line {number}", line)


def _csv(content: bytes) -> Iterator[Piece]:
    rows = csv.reader(io.StringIO(content.decode("utf-8")))
    for number, row in enumerate(rows, start=1):
        for cell in row:
            if cell:
                yield Piece(f"line {number}", cell, "cell")


def _json(content: bytes) -> Iterator[Piece]:
    def walk(value: object, place: str) -> Iterator[Piece]:
        if isinstance(value, dict):
            for key, inner in value.items():
                yield Piece(place, str(key), "hidden")
                yield from walk(inner, f"{place}.{key}" if place else str(key))
        elif isinstance(value, list):
            for number, inner in enumerate(value):
                yield from walk(inner, f"{place}[{number}]")
        elif isinstance(value, bool) or value is None:
            return
        elif isinstance(value, int | float):
            yield Piece(place, repr(value), "cell")
        else:
            yield Piece(place, str(value))

    yield from walk(json.loads(content.decode("utf-8")), "")


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Piece] = []
        self.raw: str | None = None  # within <style> or <script>
        self.row: list[str] | None = None
        self.block: list[str] = []
        self.groups: list[str] = []  # ids of the open groups of a picture
        self.pictures = 0
        self.depth = 0

    def add(self, text: str, kind: str = "text", where: str = "") -> None:
        place = f"line {self.getpos()[0]}{where}"
        if kind == "tick":
            place = f"picture {self.pictures}, {_axis(self.groups)}"
        self.found.append(Piece(place, text, kind))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _INLINE:
            self.flush()
        if tag in ("style", "script"):
            self.raw = tag
            if tag == "script":
                kind = dict(attrs).get("type") or "javascript"
                self.add(f"a script of the type {kind}", "program")
        if tag == "tr":
            self.row = []
        if tag == "svg":
            self.depth += 1
            self.pictures += self.depth == 1
        if tag == "g":
            self.groups.append(dict(attrs).get("id") or "")
        for name, value in attrs:
            if value:
                self.attribute(tag, name.lower(), value)

    def attribute(self, tag: str, name: str, value: str) -> None:
        where = f", <{tag}>"
        if value.strip().lower().startswith("data:"):
            self.found += _embedded(value.strip(), f"line {self.getpos()[0]}{where}")
        elif name.startswith("on") or value.strip().lower().startswith("javascript:"):
            self.add(value, "program", where)
        elif name in ("href", "xlink:href") and tag == "a":
            if not value.startswith("#"):
                self.add(value, "link", where)
        elif name in ("src", "srcset", "action", "poster", "background") or (
            name in ("href", "xlink:href", "data") and not value.startswith("#")
        ):
            self.add(value, "url", where)
        elif name == "style":
            for loaded in _CSS_LOADED.findall(value):
                self.add(loaded, "url", where)
        elif name not in _STRUCTURE and not _GEOMETRY.match(name):
            self.add(value, "hidden", where)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "svg":
            self.flush()
            self.depth = max(0, self.depth - 1)
        if tag in ("style", "script"):
            self.raw = None
        if tag == "g" and self.groups:
            self.groups.pop()
        if tag == "tr" and self.row is not None:
            self.flush()
            self.add(" | ".join(self.row), "row")
            self.row = None
        if tag not in _INLINE:
            self.flush()

    def handle_data(self, data: str) -> None:
        if self.raw == "style":
            for kind, text in _style_words(data):
                self.add(text, kind, ", <style>")
        elif self.raw is None:
            self.block.append(data)

    def handle_comment(self, data: str) -> None:
        self.add(data, _kind_drawn(data, self.groups), ", comment")

    def flush(self) -> None:
        text = " ".join("".join(self.block).split())
        self.block = []
        if text:
            self.add(text)
            if self.row is not None:
                self.row.append(text)


def _style_words(text: str) -> Iterator[tuple[str, str]]:
    for words, comment in _CSS_WORDS.findall(text):
        yield "hidden", words.strip("\"'") or comment
    for loaded in _CSS_LOADED.findall(text):
        yield "url", loaded


def _axis(groups: list[str]) -> str:
    """Name the axis of a tick: the open groups that are axes, and its direction."""
    axes = [group for group in groups if _AXIS.search(group)]
    ticks = [group for group in groups if _TICK.search(group)]
    return " ".join([*axes, re.sub(r"_\d+$", "", ticks[-1])] if ticks else axes)


def _kind_drawn(text: str, groups: list[str]) -> str:
    """Tell the number at an axis from other words that are drawn; those stand in comments."""
    tick = any(_TICK.search(group) for group in groups)
    return "tick" if tick and _PLAIN_NUMBER.fullmatch(text) else "hidden"


def drawings(text: str) -> list[str]:
    """Tell the pictures of a page, or of an SVG file, apart by what is drawn.

    Parameters
    ----------
    text
        HTML or SVG.

    Returns
    -------
    list of str
        SHA-256 over paths and positions of each ``svg`` element: identifiers, sizes and comments
        that a renderer changes aside.
    """
    found = []
    for picture in _PICTURE.findall(text):
        drawn = [f"{name} {' '.join(value.split())}" for name, value in _DRAWN.findall(picture)]
        words = re.findall(r"<text\b.*?</text>", picture, re.S)
        plain = [" ".join(re.sub(r"<[^>]+>", " ", word).split()) for word in words]
        found.append(hashlib.sha256("\n".join([*drawn, *plain]).encode()).hexdigest())
    return found


def _html(content: bytes) -> Iterator[Piece]:
    page = _Page()
    page.feed(content.decode("utf-8"))
    page.close()
    page.flush()
    yield from page.found


def _embedded(uri: str, place: str) -> list[Piece]:
    match = _DATA.match(uri)
    if not match:
        return [Piece(place, uri[:80], "url")]
    kind, coded, body = match[1], match[2], match[3]
    plain = urllib.parse.unquote_to_bytes(body)
    try:
        content = base64.b64decode(plain, validate=True) if coded else plain
    except binascii.Error as error:
        raise ValueError("base64") from error
    if kind.startswith("font/") or kind in ("text/css", "application/font-woff"):
        return []
    if kind not in _DATA_TYPES:
        return [Piece(place, f"embedded file of the type {kind}", "url")]
    suffix = _DATA_TYPES[kind]
    name = f"embedded.{suffix}"
    own = digest(name, content)
    return [
        Piece(place, own, "embedded"),
        *(Piece(f"{place}, {name}, {p.place}", p.text, p.kind, own) for p in pieces(name, content)),
    ]


def _svg(content: bytes) -> Iterator[Piece]:
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
    root = ElementTree.fromstring(content.decode("utf-8"), parser=parser)
    yield from _drawn(root, [])


def _drawn(node: ElementTree.Element, groups: list[str]) -> Iterator[Piece]:
    """Walk through a picture: words, comments, attributes, in the order of the file."""
    name = local(node)
    groups = [*groups, node.get("id") or ""] if name == "g" else groups
    if not name:  # a comment
        text = (node.text or "").strip()
        if text:
            yield _drawn_piece("<comment>", text, groups)
        return
    if name == "script":
        yield Piece("<script>", "a script", "program")
    elif name == "style":
        yield from (Piece("<style>", text, kind) for kind, text in _style_words(node.text or ""))
    elif (node.text or "").strip() and name != "text":
        yield _drawn_piece(f"<{name}>", (node.text or "").strip(), groups)
    if name == "text":
        words = " ".join("".join(node.itertext()).split())
        if words:
            tick = _kind_drawn(words, groups) == "tick"
            yield _drawn_piece("<text>", words, groups) if tick else Piece("<text>", words)
    yield from _svg_attributes(node, name)
    if name == "g" and _WORDS_DRAWN.search(groups[-1]) and _unreadable(node):
        yield Piece(f"<g id={groups[-1]}>", "drawn words that can't be read", "url")
    for child in node:
        if name != "text" or not local(child):
            yield from _drawn(child, groups)
        if (child.tail or "").strip() and name != "text":
            yield Piece(f"<{name}>", (child.tail or "").strip(), "hidden")


def _drawn_piece(place: str, text: str, groups: list[str]) -> Piece:
    kind = _kind_drawn(text, groups)
    return Piece(_axis(groups) if kind == "tick" else place, text, kind)


def _svg_attributes(node: ElementTree.Element, name: str) -> Iterator[Piece]:
    for key, value in node.attrib.items():
        plain = key.rsplit("}", 1)[-1].lower()
        if plain.startswith("on") or value.strip().lower().startswith("javascript:"):
            yield Piece(f"<{name}>", value, "program")
        elif plain == "href" and not value.startswith("#"):
            if value.startswith("data:"):
                yield from _embedded(value, f"<{name}>")
            else:
                yield Piece(f"<{name}>", value, "link" if name == "a" else "url")
        elif plain == "resource" or key.startswith("{http://www.w3.org/1999/02/22-rdf"):
            continue
        elif plain not in _STRUCTURE and not _GEOMETRY.match(plain):
            yield Piece(f"<{name}>", value, "hidden")


def _unreadable(node: ElementTree.Element) -> bool:
    """Whether a group of drawn words says nowhere what it spells."""
    inner = list(node.iter())
    drawn = any(local(child) in ("use", "path") for child in inner)
    return drawn and not any(not local(child) or local(child) == "text" for child in inner)


_READERS = {
    "html": _html,
    "svg": _svg,
    "docx": docx,
    "pdf": pdf,
    "png": png,
    "json": _json,
    "csv": _csv,
}
