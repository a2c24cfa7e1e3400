"""What is in documents and pictures that aren't text themselves: DOCX, PDF, PNG.

Only parts that are known to be harmless are passed over; anything else is read, or told as
something that can't be checked.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from prevalence.disclosure.pieces import Piece, digest
from prevalence.pdf import page_texts

# Parts of a DOCX without words of their own.
_STRUCTURE = re.compile(
    r"(?:word/)?(?:styles|numbering|settings|fontTable|webSettings|stylesWithEffects)\.xml"
    r"|word/theme/theme\d*\.xml|\[Content_Types\]\.xml"
)
_TEXT_PARTS = re.compile(r"word/(?:document|footnotes|endnotes|comments|header\d*|footer\d*)\.xml")
_PROPERTIES = re.compile(r"docProps/(?:core|app|custom)\.xml")
# Properties that are counts of pages and words, versions and times.
_PLAIN_PROPERTIES = {"created", "modified", "lastPrinted", "revision", "TotalTime", "Pages"}
_PLAIN_PROPERTIES |= {"Words", "Characters", "CharactersWithSpaces", "Lines", "Paragraphs"}
_PLAIN_PROPERTIES |= {"AppVersion", "Application", "DocSecurity", "Template"}
_PNG_KNOWN = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"pHYs", b"tRNS", b"gAMA", b"cHRM", b"sRGB"}
_PNG_KNOWN |= {b"sBIT", b"bKGD", b"iCCP", b"tIME"}
# Words that a PDF's objects may hold outside of the pages' text.
_PDF_WORDS = ("/Alt", "/ActualText", "/Contents", "/Title", "/T", "/TU", "/V", "/E", "/Subj")
_PDF_ACTIVE = {"/JavaScript", "/JS", "/EmbeddedFile", "/Filespec", "/RichMedia", "/Launch"}
_PDF_ACTIVE |= {"/AcroForm", "/XFA", "/SubmitForm", "/GoToR"}
_PDF_PLAIN_METADATA = ("/CreationDate", "/ModDate")


def docx(content: bytes) -> Iterator[Piece]:
    """Find every text in a DOCX: words, hidden and struck ones too, properties, pictures."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in sorted(archive.namelist()):
            inner = archive.read(name)
            if name.endswith(".png") and name.startswith("word/media/"):
                own = digest(name, inner)
                yield Piece(name, own, "embedded")
                yield from (Piece(f"{name}, {p.place}", p.text, p.kind, own) for p in png(inner))
            elif name.endswith(".rels"):
                yield from _relations(name, inner)
            elif _TEXT_PARTS.fullmatch(name):
                yield from _word_xml(name, inner)
            elif _PROPERTIES.fullmatch(name):
                yield from _properties(name, inner)
            elif _STRUCTURE.fullmatch(name):
                yield from _structure(name, inner)
            elif not name.endswith("/"):
                yield Piece(name, f"part {name}", "url")


def local(node: ElementTree.Element) -> str:
    """Name of an element without its namespace; empty for a comment."""
    return node.tag.rsplit("}", 1)[-1] if isinstance(node.tag, str) else ""


def _relations(name: str, content: bytes) -> Iterator[Piece]:
    for node in ElementTree.fromstring(content).iter():
        target = node.get("Target", "")
        if node.get("TargetMode") == "External":
            link = node.get("Type", "").endswith("/hyperlink")
            yield Piece(name, target, "link" if link else "url")


def _properties(name: str, content: bytes) -> Iterator[Piece]:
    root = ElementTree.fromstring(content)
    for node in root.iter():
        text = (node.text or "").strip()
        if text and local(node) not in _PLAIN_PROPERTIES:
            yield Piece(f"{name}, {local(node)}", text, "metadata")
        if node.get("name"):
            yield Piece(f"{name}, name", str(node.get("name")), "metadata")


def _structure(name: str, content: bytes) -> Iterator[Piece]:
    """Tell of words, and of variables, where there are only settings."""
    for node in ElementTree.fromstring(content).iter():
        if (node.text or "").strip():
            yield Piece(f"{name}, {local(node)}", (node.text or "").strip())
        if local(node) == "docVar":
            yield Piece(f"{name}, variable", " ".join(node.attrib.values()))


def _word_xml(name: str, content: bytes) -> Iterator[Piece]:
    root = ElementTree.fromstring(content)
    for number, paragraph in enumerate((n for n in root.iter() if local(n) == "p"), start=1):
        runs = [
            (node.text or "") if local(node) in ("t", "delText", "instrText") else " "
            for node in paragraph.iter()
            if local(node) in ("t", "br", "tab", "delText", "instrText")
        ]
        if "".join(runs).strip():
            yield Piece(f"{name}, paragraph {number}", "".join(runs))
    for node in root.iter():
        if local(node) in ("docPr", "cNvPr"):
            for key in ("descr", "title", "name"):
                if node.get(key):
                    yield Piece(f"{name}, picture", str(node.get(key)), "hidden")
        if local(node) in ("alias", "tag", "comment", "ins", "del"):
            words = [value for key, value in node.attrib.items() if _says(key)]
            if words:
                yield Piece(f"{name}, {local(node)}", " ".join(words), "hidden")
    for number, row in enumerate((n for n in root.iter() if local(n) == "tr"), start=1):
        cells = [
            "".join(node.text or "" for node in cell.iter() if local(node) == "t")
            for cell in row
            if local(cell) == "tc"
        ]
        yield Piece(f"{name}, row {number}", " | ".join(cells), "row")


def _says(key: str) -> bool:
    return key.rsplit("}", 1)[-1] in ("val", "author", "initials")


def pdf(content: bytes) -> Iterator[Piece]:
    """Find every text in a PDF: pages, metadata, outlines, alternative texts, notes, links."""
    import pypdf
    import pypdf.errors

    try:
        reader = pypdf.PdfReader(io.BytesIO(content))
        for key, value in (reader.metadata or {}).items():
            if key not in _PDF_PLAIN_METADATA:
                yield Piece(f"metadata {key}", str(value), "metadata")
        for number, text in enumerate(page_texts(content), start=1):
            yield Piece(f"page {number}", text)
        yield from _pdf_objects(reader)
    except pypdf.errors.PyPdfError as error:
        raise ValueError("PDF") from error


def _pdf_objects(reader: Any) -> Iterator[Piece]:
    told: set[str] = set()
    for number in range(1, int(reader.trailer["/Size"])):
        place = f"object {number}"
        for entry in _dictionaries(_object(reader, number)):
            kinds = {*entry, str(entry.raw_get("/S") if "/S" in entry else "")}
            kinds.add(str(entry.raw_get("/Type") if "/Type" in entry else ""))
            for kind in sorted(kinds & _PDF_ACTIVE):
                yield Piece(place, f"active or attached content {kind}", "url")
            if isinstance(entry.get("/URI"), str):
                yield Piece(place, str(entry["/URI"]), "link")
            if "/Metadata" in kinds and hasattr(entry, "get_data"):
                words = _xmp(entry.get_data())
                yield from (Piece("metadata XMP", word, "metadata") for word in words)
            for key in _PDF_WORDS:
                text = entry.get(key)
                if isinstance(text, str) and text not in told:
                    told.add(text)
                    yield Piece(f"{place} {key}", str(text), "hidden")


def _dictionaries(entry: Any) -> Iterator[Any]:
    """Give a dictionary and those within it that are no objects of their own."""
    from pypdf.generic import ArrayObject, DictionaryObject

    if isinstance(entry, DictionaryObject):
        yield entry
        inner = [entry.raw_get(key) for key in entry]
    elif isinstance(entry, ArrayObject):
        inner = list(entry)
    else:
        return
    for value in inner:
        if isinstance(value, ArrayObject | DictionaryObject):
            yield from _dictionaries(value)


def _object(reader: Any, number: int) -> Any:
    from pypdf.errors import PyPdfError
    from pypdf.generic import IndirectObject

    try:
        return IndirectObject(number, 0, reader).get_object()
    except (PyPdfError, KeyError, ValueError):
        return None


def _xmp(content: bytes) -> list[str]:
    """Words of the metadata, times and ids of the document aside."""
    root = ElementTree.fromstring(content)
    plain = {"CreateDate", "ModifyDate", "MetadataDate", "DocumentID", "InstanceID"}
    plain |= {"NPages", "RenditionClass", "PDFVersion", "part", "conformance"}
    return [
        (node.text or "").strip()
        for node in root.iter()
        if (node.text or "").strip() and local(node) not in plain
    ]


def png(content: bytes) -> Iterator[Piece]:
    """Find every text chunk of a PNG; a chunk of unknown kind, or bytes after the end, are told."""
    if content[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("PNG")
    at = 8
    while at < len(content):
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        body = content[at + 8 : at + 8 + length]
        at += 12 + length
        name = kind.decode("latin-1")
        if kind in (b"tEXt", b"zTXt", b"iTXt"):
            yield Piece(f"chunk {name}", _chunk_text(kind, body), "metadata")
        elif kind not in _PNG_KNOWN:
            yield Piece(f"chunk {name}", f"a chunk of the kind {name}", "url")
        if kind == b"IEND":
            break
    if at < len(content):
        yield Piece("after the picture", "bytes after the end of the picture", "url")


def _chunk_text(kind: bytes, body: bytes) -> str:
    """Key and text of a chunk, unpacked."""
    key, _, rest = body.partition(b"\0")
    packed = kind == b"zTXt"
    if kind == b"iTXt":
        packed, rest = rest[:1] == b"\1", rest[2:].split(b"\0", 2)[-1]
    elif packed:
        rest = rest[1:]
    try:
        text = zlib.decompress(rest) if packed else rest
    except zlib.error as error:
        raise ValueError("PNG") from error
    coding = "utf-8" if kind == b"iTXt" else "latin-1"
    return f"{key.decode('latin-1')} {text.decode(coding, errors='replace')}"
