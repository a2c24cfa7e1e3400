"""A text that a reader, or a program, finds in a file."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass


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
        ``text``; ``hidden`` for what a program reads and an eye doesn't, such as comments and text
        alternatives; ``tick`` for a number at an axis, whose `place` names the axis; ``cell`` for a
        cell of data; ``row`` for a whole row of a table, cells divided by `` | ``; ``metadata``;
        ``link`` for where a link leads; ``url`` for what is loaded from elsewhere or can't be read;
        ``program`` for a script; ``embedded`` for the digest of an embedded file.
    within
        Digest of the embedded file in which the text stands; empty outside of embedded files.
    """

    place: str
    text: str
    kind: str = "text"
    within: str = ""


def digest(name: str, content: bytes) -> str:
    """Tell files apart by what they say.

    Parameters
    ----------
    name
        The file's name.
    content
        Its bytes.

    Returns
    -------
    str
        SHA-256; of a CSV file over its cells, so that ``3554`` and ``3554.0`` are the same.
    """
    if not name.endswith(".csv"):
        return hashlib.sha256(content).hexdigest()
    rows = csv.reader(io.StringIO(content.decode("utf-8", errors="replace")))
    cells = "\n".join("\t".join(map(_plain, row)) for row in rows)
    return hashlib.sha256(cells.encode()).hexdigest()


def _plain(cell: str) -> str:
    try:
        return repr(float(cell))
    except ValueError:
        return cell
