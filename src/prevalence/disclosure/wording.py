"""The words of what would be published: which stop a publication, and which advise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from prevalence.disclosure.extraction import pieces
from prevalence.disclosure.gate import Finding
from prevalence.disclosure.numbers import is_number

if TYPE_CHECKING:
    from prevalence.disclosure.pieces import Piece
    from prevalence.terminology import Terminology

# Kinds of text whose words are checked.
WORDED = ("text", "hidden", "tick", "cell", "metadata")


def worded(found: Sequence[Piece]) -> list[str]:
    """Texts whose words are checked, in order; a cell of data once, and none that is a number."""
    texts: list[str] = []
    told: set[str] = set()
    for piece in found:
        if piece.kind == "cell":
            if piece.text in told or is_number(piece.text):
                continue
            told.add(piece.text)
        if piece.kind in WORDED:
            texts.append(piece.text)
    return texts


def word_stops(files: Mapping[str, bytes], words: Terminology) -> list[Finding]:
    """List what stops the publication of files by their words.

    Parameters
    ----------
    files
        Bytes of each, by its path below the staged folder.
    words
        The word list.

    Returns
    -------
    list of Finding
        Those of :func:`word_findings` that stop.

    Raises
    ------
    PipelineError
        If a file can't be read as what its name says.
    """
    return [stop for name in files for stop in word_findings(name, files[name], words)[0]]


def word_findings(
    name: str, content: bytes, words: Terminology
) -> tuple[list[Finding], list[Finding]]:
    """Check the words of a file.

    Parameters
    ----------
    name, content
        Path of the file below the staged folder, and its bytes.
    words
        The word list.

    Returns
    -------
    list of Finding, list of Finding
        What stops its publication, and what advises.

    Raises
    ------
    PipelineError
        If the file can't be read as what its name says.
    """
    stops: list[Finding] = []
    advice: list[Finding] = []
    texts = worded(pieces(name, content))
    breaches = words.breaches("\n".join(texts), name, report=True)
    if name.endswith((".html", ".docx")):
        breaches += words.lone_sentences(texts, name)
    for b in breaches:
        where = f"line {b.line} of its text"
        finding = Finding(b.file, where, f"Write {b.instead!r}. {b.why}", b.found)
        (stops if b.stops else advice).append(finding)
    return stops, advice
