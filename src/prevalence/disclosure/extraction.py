"""What a reader, or a program, finds in a rendered file: texts, hidden ones included.

HTML with attributes and embedded files, SVG with its comments and metadata, DOCX with properties
and media, PDF with its metadata, the text chunks of PNG, JSON, CSV and plain text.
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
import json
import re
import struct
import urllib.parse
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from xml.etree import ElementTree

from prevalence.errors import PipelineError

_ATTRIBUTES = ("alt", "title", "aria-label", "content", "value", "placeholder", "download")
_TICK = re.compile(r"tick", re.I)
_DATA = re.compile(r"data:([\w/+.-]+)(?:;charset=[\w-]+)?(;base64)?,(.*)", re.S)
_PNG_TEXT = (b"tEXt", b"zTXt", b"iTXt", b"eXIf")


@dataclass(frozen=True)
class Piece:
    """A text found in a file.

    Parameters
    ----------
    place
        Where in the file.
    text
        The text.
    kind
        ``text``; ``tick`` for the labels of an axis; ``cell`` for a cell of a table; ``row`` for a
        whole row of a table; ``url`` for what a page loads from elsewhere.
    """

    place: str
    text: str
    kind: str = "text"


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
    suffix = name.rsplit(".", 1)[-1].lower()
    reader = _READERS.get(suffix, _plain)
    try:
        return list(reader(content))
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
        self.skip = 0
        self.row: list[str] | None = None
        self.block: list[str] = []
        self.ticks: list[bool] = []  # of the open groups of a picture: is it an axis's tick?

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("style", "script"):
            self.skip += 1
        if tag == "tr":
            self.row = []
        if tag == "g":
            inside = bool(self.ticks) and self.ticks[-1]
            self.ticks.append(inside or bool(_TICK.search(dict(attrs).get("id") or "")))
        if tag not in _INLINE:
            self._flush()
        place = f"line {self.getpos()[0]}, <{tag}>"
        for name, value in attrs:
            if not value:
                continue
            if value.startswith("data:"):
                self.found += _embedded(value, place)
            elif name in _ATTRIBUTES:
                self.found.append(Piece(place, value))
            elif name in ("src", "srcset") or (name == "href" and tag == "link"):
                self.found.append(Piece(place, value, "url"))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag in ("style", "script"):
            self.skip -= 1
        if tag == "g":
            self.ticks.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script"):
            self.skip = max(0, self.skip - 1)
        if tag == "g" and self.ticks:
            self.ticks.pop()
        if tag == "tr" and self.row is not None:
            self._flush()
            self.found.append(Piece(f"line {self.getpos()[0]}", " | ".join(self.row), "row"))
            self.row = None
        if tag not in _INLINE:
            self._flush()

    def handle_data(self, data: str) -> None:
        if not self.skip:
            self.block.append(data)

    def handle_comment(self, data: str) -> None:
        kind = "tick" if self.ticks and self.ticks[-1] else "text"
        self.found.append(Piece(f"line {self.getpos()[0]}, comment", data, kind))

    def _flush(self) -> None:
        text = " ".join("".join(self.block).split())
        self.block = []
        if text:
            self.found.append(Piece(f"line {self.getpos()[0]}", text))
            if self.row is not None:
                self.row.append(text)


_INLINE = {"a", "b", "i", "em", "strong", "span", "sup", "sub", "small", "code", "abbr", "cite"}
_INLINE |= {
    "q",
    "mark",
    "wbr",
    "mi",
    "mn",
    "mo",
    "mrow",
    "msub",
    "msup",
    "munder",
    "mover",
    "mtext",
}


def _html(content: bytes) -> Iterator[Piece]:
    page = _Page()
    page.feed(content.decode("utf-8"))
    page.close()
    page._flush()
    yield from page.found


def _embedded(uri: str, place: str) -> list[Piece]:
    match = _DATA.match(uri)
    if not match:
        return []
    kind, coded, body = match[1], match[2], match[3]
    plain = urllib.parse.unquote_to_bytes(body)
    try:
        content = base64.b64decode(plain) if coded else plain
    except binascii.Error as error:
        raise ValueError("base64") from error
    suffix = {"text/csv": "csv", "image/svg+xml": "svg", "image/png": "png", "text/css": "css"}
    if kind.startswith("font/") or kind in ("text/css", "application/font-woff"):
        return []
    if kind not in suffix:
        return [Piece(place, f"embedded file of the type {kind}", "url")]
    inner = pieces(f"embedded.{suffix[kind]}", content)
    return [Piece(f"{place}, embedded {suffix[kind]}, {p.place}", p.text, p.kind) for p in inner]


def _svg(content: bytes) -> Iterator[Piece]:
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
    root = ElementTree.fromstring(content.decode("utf-8"), parser=parser)

    def walk(node: ElementTree.Element, tick: bool) -> Iterator[Piece]:
        tick = tick or bool(_TICK.search(node.get("id") or ""))
        name = _local(node) or "comment"
        text = " ".join("".join(node.itertext()).split()) if name == "text" else node.text or ""
        if name != "style" and text.strip():
            yield Piece(f"<{name}>", text.strip(), "tick" if tick else "text")
        for key, value in node.attrib.items():
            if key.rsplit("}", 1)[-1] in ("label", "title", "desc", "aria-label"):
                yield Piece(f"<{name}>", value)
            if key.rsplit("}", 1)[-1] == "href" and not value.startswith("#"):
                if value.startswith("data:"):
                    yield from _embedded(value, f"<{name}>")
                else:
                    yield Piece(f"<{name}>", value, "url")
        if name != "text":
            for child in node:
                yield from walk(child, tick)

    yield from walk(root, False)


def _docx(content: bytes) -> Iterator[Piece]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in sorted(archive.namelist()):
            inner = archive.read(name)
            if name.endswith((".png", ".svg")):
                yield from (
                    Piece(f"{name}, {p.place}", p.text, p.kind) for p in pieces(name, inner)
                )
            elif name.endswith(".xml") and "theme" not in name and "styles" not in name:
                yield from _word_xml(name, inner)
            elif not name.endswith((".xml", ".rels", "/")):
                yield Piece(name, f"embedded file {name}", "url")


def _word_xml(name: str, content: bytes) -> Iterator[Piece]:
    root = ElementTree.fromstring(content)
    paragraphs = [node for node in root.iter() if _local(node) == "p"]
    if not paragraphs:
        text = " ".join(" ".join(root.itertext()).split())
        if text and name.startswith("docProps"):
            yield Piece(name, text, "metadata")
        return
    for number, paragraph in enumerate(paragraphs, start=1):
        runs = [
            (node.text or "") if _local(node) == "t" else " "
            for node in paragraph.iter()
            if _local(node) in ("t", "br", "tab")
        ]
        if "".join(runs).strip():
            yield Piece(f"{name}, paragraph {number}", "".join(runs))
        for node in paragraph.iter():
            if _local(node) == "docPr":
                for key in ("descr", "title", "name"):
                    if node.get(key):
                        yield Piece(f"{name}, picture", str(node.get(key)))
    for number, row in enumerate((n for n in root.iter() if _local(n) == "tr"), start=1):
        cells = [
            "".join(node.text or "" for node in cell.iter() if _local(node) == "t")
            for cell in row
            if _local(cell) == "tc"
        ]
        yield Piece(f"{name}, row {number}", " | ".join(cells), "row")


def _local(node: ElementTree.Element) -> str:
    return node.tag.rsplit("}", 1)[-1] if isinstance(node.tag, str) else ""


def _pdf(content: bytes) -> Iterator[Piece]:
    import pypdf
    import pypdf.errors

    try:
        reader = pypdf.PdfReader(io.BytesIO(content))
        for key, value in (reader.metadata or {}).items():
            yield Piece(f"metadata {key}", str(value), "metadata")
        for number, page in enumerate(reader.pages, start=1):
            yield Piece(f"page {number}", page.extract_text())
    except pypdf.errors.PyPdfError as error:
        raise ValueError("PDF") from error


def _png(content: bytes) -> Iterator[Piece]:
    if content[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("PNG")
    at = 8
    while at < len(content):
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        body = content[at + 8 : at + 8 + length]
        at += 12 + length
        if kind in _PNG_TEXT:
            yield Piece(f"chunk {kind.decode()}", body.decode("latin-1").replace("\0", " "))
        if kind == b"IEND":
            break
    if at < len(content):
        yield Piece("after the picture", "bytes after the end of the picture", "url")


_READERS = {
    "html": _html,
    "svg": _svg,
    "docx": _docx,
    "pdf": _pdf,
    "png": _png,
    "json": _json,
    "csv": _csv,
}
