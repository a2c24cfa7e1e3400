"""The gate: every staged file is read, and only what passes is published. It fails closed.

A number must stand in a released table (or be one of its usual forms: a share as per cent, a rate
as one in n), in the reviewed words of the report, in the survey's config or in the published
findings; or be a label of an axis. In a row about a place it must be one of that place. A picture
shows the numbers of its own data. Identifier patterns, withheld cells with a number, text that was
left unresolved, programs, what can't be read, and what a report must say are checked as well.
"""

from __future__ import annotations

import functools
import io
import json
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prevalence.disclosure.extraction import drawings, pieces
from prevalence.disclosure.numbers import (
    Places,
    allowed_numbers,
    is_number,
    known_value,
    near,
    numbers_in,
    readable,
    sorted_numbers,
    unknown_numbers,
)
from prevalence.disclosure.pieces import Piece, digest
from prevalence.disclosure.requirements import required_texts
from prevalence.disclosure.withheld import Withheld, withheld_cells
from prevalence.errors import PipelineError, listed

if TYPE_CHECKING:
    pass

__all__ = [
    "Allowed",
    "Finding",
    "Withheld",
    "allowed_numbers",
    "check_files",
    "check_pieces",
    "refuse",
    "required_texts",
    "unknown_numbers",
    "withheld_cells",
]

Array = NDArray[np.float64]

ALLOWED_TYPES = frozenset({"html", "pdf", "docx", "json", "svg", "png", "csv"})
# "4.1 How it was done" at the start of a line, "section 4.1" anywhere: not decimal numbers.
_SECTION = re.compile(
    r"^\s*[1-9]\d?(?:\.[1-9]\d?){1,2}(?=\s+[A-Z])|"
    r"(?:[Ss]ections?|[Aa]ppendix|,|and)\s+[1-9]\d?(?:\.[1-9]\d?)+(?=[\s,.;)]|$)",
    re.M,
)
_NUMBERED = re.compile(r'data-number="([\d.]+)"[^>]*>(.*?)</h\d>', re.S)
_LEFT_OVER = re.compile(
    r"\?(?:var|meta|env)\b|\?@\w|\{\{<|7B7B3C|\bNaN\b|\bnan\b|\bTODO\b|\[object Object"
    r"|^\s*(?:None|null|undefined)\s*$"
)
_PEOPLE = r"(?:respondent|interviewee|household|reporter|informant|participant)s?\b"
_DIGIT = r"(?:[1-9]|one|two|three|four|five|six|seven|eight|nine)"
_FEW = re.compile(
    rf"(?<![\d.,–-])\b{_DIGIT}\s+(?:\w+\s+)?{_PEOPLE}"
    rf"|\b{_PEOPLE}(?:\s+who\s+report\w*)?\s*[:=]\s*{_DIGIT}(?!\d|[.,]\d)"
    r"|\bn\s*=\s*[1-9](?!\d|[.,]\d)",
    re.I,
)
_WITHHELD = re.compile(r"\bsuppressed\s*\(|\bwithheld\b", re.I)
# Patterns that a number in a table or a reference could look like by chance are left to `ingest`.
_IDENTIFIERS = ("email", "phone", "device", "government_id", "coordinates")
# What a page of its own, such as the brief, must say as well.
_ALWAYS = ("identity of the run", "notice that the data are synthetic")
_ESTIMATES = ("estimate", "lower", "upper", "std_error", "n", "n_reporting")
_A_DIGIT = re.compile(r"\d")
_NAME = 3  # letters of a name that is no other word; those of sexes and residences are
_SHORT = 8  # digits of a number that is too short to be a telephone number
# Columns of a figure's data that say which row, or where it is drawn.
_KEYS = {"group", "domain_type", "domain", "unit", "level", "year", "rank", "step", "row", "column"}
_KEYS |= {"x", "y", "order", "position"}


# What to do, by the kind of what was found.
REMEDIES = {
    "text": "Mend the text at that place: in reports/, or in the survey's config. A number in it "
    "must be released, or stand in a reviewed text.",
    "cell": "No text is at fault: a table or figure shows a number of a cell that is withheld, or "
    "of another place. Delete the file under staged/ and run snakemake again; if the message comes "
    "back, report it as a fault of the pipeline, without the data.",
    "file": "Delete the file under staged/ and run snakemake again, which makes it anew.",
    "part": "Take what is loaded, embedded or run there out of the sources under reports/; "
    "the address of a link must stand in a reviewed text.",
    "required": "Give the text in the survey's config under `report`, and have reports/summary.qmd "
    "and reports/brief.qmd show it.",
}


@dataclass(frozen=True)
class Finding:
    """Why a file may not be published.

    Parameters
    ----------
    file, place
        Where.
    problem
        What is wrong, in one sentence.
    found
        What was found, as far as it may be said.
    kind
        What is at fault, a key of :data:`REMEDIES`.
    """

    file: str
    place: str
    problem: str
    found: str = ""
    kind: str = "text"


@dataclass(frozen=True)
class Allowed:
    """What may stand in a published file.

    Parameters
    ----------
    declared
        Patterns of the files that the rules declare, by path below the staged folder.
    numbers
        Sorted numbers that may be shown.
    texts
        Exact texts that may look like identifiers: telephone numbers of help lines, addresses of
        sources.
    required
        Texts that every rendering of the report must hold, by what they are.
    withheld
        Cells and rows of which no number may be shown.
    places
        The numbers of each place; None if the report has no places.
    words
        Words with digits, and numbers in words, that may be shown.
    reviewed
        The reviewed texts: an address that a link leads to must stand there.
    programs
        Whether a page may hold scripts, as those of the renderer Quarto.
    embedded
        Digests of files that may be embedded besides the staged ones: public reference results.
    vocabulary
        Every word of what was reviewed and of the released tables; None if any may be shown.
    """

    declared: Sequence[str]
    numbers: Array
    texts: Sequence[str]
    required: Mapping[str, str]
    withheld: Withheld = field(default_factory=Withheld)
    places: Places | None = None
    words: Collection[str] = ()
    reviewed: str = ""
    programs: bool = False
    embedded: frozenset[str] = frozenset()
    vocabulary: frozenset[str] | None = None


@dataclass
class _Seen:
    """What the staged files together say: which pictures and data there are, how sections count."""

    hashes: set[str] = field(default_factory=set)
    drawings: set[str] = field(default_factory=set)
    sections: re.Pattern[str] | None = None
    pictures: dict[str, Array] = field(default_factory=dict)
    beside: Array = field(default_factory=lambda: np.zeros(0))  # what may stand beside any place
    words: set[str] = field(default_factory=set)  # of pages, in which cells of tables stand apart


class Gate:
    """The staged files of a publication, each checked in the light of all.

    Parameters
    ----------
    files
        Content of every file under ``staged/`` (the report's composed source aside), by path.
    allowed
        What may stand in them.
    """

    def __init__(self, files: Mapping[str, bytes], allowed: Allowed) -> None:
        self.files = files
        self.allowed = allowed
        self._together = _seen(files, allowed)

    def findings(self, name: str) -> list[Finding]:
        """Check one file: everything that is wrong with it; empty if it may be published."""
        content, allowed = self.files[name], self.allowed
        suffix = name.rsplit(".", 1)[-1].lower() if "." in name else ""
        if not any(fnmatch(name, pattern) for pattern in allowed.declared):
            return [Finding(name, "", "The file is not declared by any rule.", kind="file")]
        if suffix not in ALLOWED_TYPES:
            return [Finding(name, "", "A file of this type is not published.", suffix, "file")]
        try:
            texts = pieces(name, content)
        except PipelineError as error:
            return [Finding(name, "", error.problem, error.found or "", "file")]
        found = check_pieces(name, texts, allowed, self._together)
        if suffix == "csv":
            found += _check_table(name, content, allowed)
        if name.endswith("results.json"):
            found += _check_results(name, content, allowed)
        if suffix == "html":
            found += _check_drawings(name, content, self._together)
        if suffix in ("html", "pdf", "docx"):
            found += _check_required(name, texts, allowed)
        return found

    def missing(self) -> list[Finding]:
        """Name the declared files that aren't there."""
        return [
            Finding(pattern, "", "A declared file is missing.", kind="file")
            for pattern in self.allowed.declared
            if "*" not in pattern and pattern not in self.files
        ]


def check_files(files: Mapping[str, bytes], allowed: Allowed) -> list[Finding]:
    """Check every staged file, one after the other.

    Parameters
    ----------
    files
        Content of every file under ``staged/`` (the report's composed source aside), by path.
    allowed
        What may stand in them.

    Returns
    -------
    list of Finding
        Everything that is wrong; empty if all may be published.
    """
    gate = Gate(files, allowed)
    found = [finding for name in sorted(files) for finding in gate.findings(name)]
    return found + gate.missing()


def _seen(files: Mapping[str, bytes], allowed: Allowed) -> _Seen:
    nation = allowed.places.numbers("national") if allowed.places is not None else np.zeros(0)
    beside = sorted_numbers([numbers_in(allowed.reviewed), nation])
    seen = _Seen(hashes=set(allowed.embedded), beside=beside)
    for name, content in files.items():
        text = content.decode("utf-8", errors="replace")
        if name.endswith((".csv", ".svg", ".png")):
            seen.hashes.add(digest(name, content))
        if name.endswith(".svg"):
            seen.drawings |= set(drawings(text))
            words = [files.get(name[:-3] + kind, b"") for kind in ("csv", "json")]
            if words[0]:
                seen.pictures[name] = sorted_numbers([_own_numbers(*words), nation])
        if name.endswith(".html"):
            seen.sections = _headings(text) or seen.sections
            if allowed.vocabulary is not None:
                seen.words |= _words_of_page(name, content)
    return seen


def _words_of_page(name: str, content: bytes) -> set[str]:
    from prevalence.identifier_scan import words_of

    try:
        return words_of("\n".join(p.text for p in pieces(name, content) if p.kind == "text"))
    except PipelineError:  # told where the file itself is checked
        return set()


def _headings(page: str) -> re.Pattern[str] | None:
    """Write the numbered headings of a page as a pattern; spaces and a quote may differ."""
    found = []
    for number, title in _NUMBERED.findall(page):
        words = " ".join(re.sub(r"<[^>]+>", " ", title).split()).removeprefix(number).split()
        found.append(rf"{re.escape(number)}\s+[“\"]?" + r"\s+".join(map(re.escape, words)))
    return re.compile(rf"(?<![\d.,])(?:{'|'.join(found)})") if found else None


def _own_numbers(data: bytes, words: bytes) -> Array:
    """Numbers that a picture may show: of its data, in their usual forms, and of its words."""
    import pandas as pd

    try:
        table = pd.read_csv(io.BytesIO(data))
    except ValueError:
        table = pd.DataFrame()
    texts = [words.decode("utf-8", errors="replace")]
    texts += [str(text) for name in table for text in table[name].unique() if isinstance(text, str)]
    return allowed_numbers({"data": table}, texts)


def check_pieces(
    name: str, texts: Sequence[Piece], allowed: Allowed, seen: _Seen | None = None
) -> list[Finding]:
    """Check the texts of a file: numbers, identifiers, leftovers, withheld rows, small counts."""
    seen = seen or _Seen()
    found: list[Finding] = []
    ticks: dict[str, list[str]] = defaultdict(list)
    done: set[tuple[str, str]] = set()
    for piece in texts:
        if piece.within in seen.hashes or (piece.kind == "cell" and (name, piece.text) in done):
            continue  # the staged file itself is read; the same cell says nothing new
        if piece.kind == "cell":
            done.add((name, piece.text))
        if piece.kind in _UNREAD:
            found += _check_unread(name, piece, allowed, seen)
        elif piece.kind == "row":
            found += _check_row(name, piece, allowed)
        else:
            if piece.kind == "tick":
                ticks[piece.place].append(piece.text)
            found += _check_text(name, piece, allowed, seen)
    for place, labels in ticks.items():
        found += _check_axis(name, place, labels, allowed)
    return found


_UNREAD = ("url", "program", "link", "embedded")


def _check_unread(name: str, piece: Piece, allowed: Allowed, seen: _Seen) -> list[Finding]:
    """Check what is no text: things loaded or embedded, programs, links."""
    problem = ""
    if piece.kind == "url":
        problem = "Something is loaded from elsewhere, or embedded, that can't be checked."
    elif piece.kind == "program" and not allowed.programs:
        problem = "A program is in the file."
    elif piece.kind == "embedded" and piece.text not in seen.hashes:
        problem = "An embedded file is none of the staged figures and tables."
    elif piece.kind == "link" and not _reviewed(piece.text, allowed.reviewed):
        problem = "A link leads to an address that is in no reviewed text."
    return [Finding(name, piece.place, problem, piece.text[:80], "part")] if problem else []


def _reviewed(address: str, reviewed: str) -> bool:
    plain = re.sub(r"^https?://(?:(?:dx\.)?doi\.org/)?|/$", "", address)
    return address.startswith("#") or (len(plain) > 3 and plain in reviewed)


def _check_text(name: str, piece: Piece, allowed: Allowed, seen: _Seen) -> list[Finding]:
    own_table = name.startswith("tables/")  # what is released is what other files are held against
    short = piece.kind == "cell" and len(piece.text) < _SHORT and is_number(piece.text)
    if short and (own_table or known_value(piece.text, allowed.numbers)):
        return []
    pdf = name.endswith(".pdf")
    text = readable(_without(piece.text, allowed.texts, broken=pdf))
    found = []
    left = _LEFT_OVER.search(text)
    if left:
        found.append(Finding(name, piece.place, "Text was left unresolved.", left[0]))
    if _FEW.search(text):
        found.append(Finding(name, piece.place, "A count of fewer than 10 is shown."))
    found += _check_identifiers(name, piece, text, allowed, seen.words if pdf else None)
    if piece.kind == "tick" or (own_table and piece.kind == "cell"):
        return found
    numbers = allowed.numbers
    exact = piece.kind == "cell"
    unknown = unknown_numbers(
        _without_sections(text, seen), numbers, exact=exact, words=allowed.words
    )
    own = seen.pictures.get(name)
    if own is not None and not unknown and piece.kind in ("text", "hidden"):
        unknown = unknown_numbers(text, own, words=allowed.words)
    if not unknown and not pdf and piece.kind in ("text", "hidden"):  # a page of a PDF is too long
        unknown = _beside_withheld(_without_sections(text, seen), allowed, seen)
    problem = "A number is in no released table or reviewed text."
    return found + [Finding(name, piece.place, problem, token) for token in unknown]


def _beside_withheld(text: str, allowed: Allowed, seen: _Seen) -> list[str]:
    """Find numbers of elsewhere in a paragraph that names a place that is withheld in part."""
    if allowed.places is None:
        return []
    places = {
        place for place in allowed.withheld.places if len(place) >= _NAME and not place[0].islower()
    }
    named = [p for p in sorted(places) if re.search(rf"(?<!\w){re.escape(p)}(?!\w)", text)]
    if not named:
        return []
    also = [p for p in allowed.places.names if re.search(rf"(?<!\w){re.escape(p)}(?!\w)", text)]
    known = sorted_numbers([seen.beside, *(allowed.places.numbers(place) for place in also)])
    return unknown_numbers(text, known, words=allowed.words)


def _without_sections(text: str, seen: _Seen) -> str:
    """Leave the numbers of sections out: beside their titles, and where they are referred to."""
    if seen.sections is not None:
        text = seen.sections.sub(" ", text)
    return _SECTION.sub(" ", text)


def _check_axis(name: str, place: str, labels: Sequence[str], allowed: Allowed) -> list[Finding]:
    """Find a label of an axis that's neither in step with the others nor a number to be shown."""
    values = sorted({v for label in labels for v in numbers_in(readable(label))[:1]})
    if len(values) > 2 and (_in_steps(np.array(values)) or _in_powers(np.array(values))):
        return []
    strange = [
        value for value in values if not _round(value) and not near(value, 0, allowed.numbers)
    ]
    if not strange:
        return []
    return [
        Finding(name, place, "A label of an axis is neither in step nor a number that is shown.")
    ]


def _in_steps(values: Array) -> bool:
    gaps = np.diff(values)
    return bool(np.allclose(gaps, gaps[0], rtol=1e-3))


def _in_powers(values: Array) -> bool:
    positive = values[values > 0]
    return len(positive) > 2 and _in_steps(np.log(positive))


def _round(value: float) -> bool:
    """Whether a number has one significant digit, or is 15, 25 and the like: an axis's own."""
    digits = f"{value:.6e}"[:8].replace(".", "").rstrip("0")
    return len(digits) <= 1 or (len(digits) == 2 and digits[1] == "5")


def _without(text: str, allowed: Sequence[str], *, broken: bool) -> str:
    """Leave exact allowed texts out; in a PDF they may be broken over lines."""
    return _told_once(text, tuple(allowed), broken)


@functools.lru_cache(maxsize=1 << 16)
def _told_once(text: str, allowed: tuple[str, ...], broken: bool) -> str:
    known = _any_of(allowed, broken)
    if known is None or (known.digits and not _A_DIGIT.search(text)):
        return text  # most texts have no digit, and most allowed ones have: nothing to look for
    return known.pattern.sub(" ", text)


@dataclass(frozen=True)
class _AnyOf:
    """One pattern of several texts, and whether each of them has a digit."""

    pattern: re.Pattern[str]
    digits: bool


@functools.cache
def _any_of(texts: tuple[str, ...], broken: bool) -> _AnyOf | None:
    """One pattern of all texts, the longest first; None if there is no text."""
    between = r"-?\s*" if broken else ""
    ordered = sorted({text for text in texts if text}, key=len, reverse=True)
    patterns = [_whole(between.join(map(re.escape, text)), text) for text in ordered]
    if not patterns:
        return None
    return _AnyOf(re.compile("|".join(patterns)), all(map(_A_DIGIT.search, ordered)))


def _whole(pattern: str, text: str) -> str:
    """Let a text that begins or ends in a digit, such as 112, be no part of a longer number."""
    before = r"(?<!\d)(?<!\d[.,])" if text[0].isdigit() else ""
    after = r"(?!\d|[.,]\d)" if text[-1].isdigit() else ""
    return f"{before}{pattern}{after}"


# Numbers of a table: of thousands with commas, and short ones with decimals. Nobody's telephone
# number has a comma, or stands in pieces of which one has a point.
_IN_COLUMNS = re.compile(r"\d{1,3}(?:,\d{3})+|(?<![\d.])\d{1,3}\.\d{1,2}(?![\d.])")


def _check_identifiers(
    name: str, piece: Piece, text: str, allowed: Allowed, page: set[str] | None
) -> list[Finding]:
    from prevalence.identifier_scan import person_kinds

    pdf, known = page is not None, allowed.vocabulary
    if page and known is not None:  # columns run together there: names stand apart in the page
        known = known | page
    persons = person_kinds(text, allowed.reviewed, known)
    if pdf:  # columns of a table run together
        text = _IN_COLUMNS.sub("|", text)
    seen = _kinds_in(text)
    kinds = [kind for kind in _IDENTIFIERS if kind in seen]
    if pdf or piece.kind == "tick":  # neighbouring numbers of a table run together
        kinds = [kind for kind in kinds if kind != "coordinates"]
    if re.fullmatch(r"\s*-?\d+\.\d+(?:e-?\d+)?\s*", text):  # a decimal number is no one's number
        kinds = []
    return [
        Finding(name, piece.place, "What looks like an identifier of a person is shown.", kind)
        for kind in [*kinds, *sorted(persons)]
    ]


@functools.lru_cache(maxsize=1 << 16)  # figures and tables say the same words many times
def _kinds_in(text: str) -> frozenset[str]:
    from prevalence.identifier_scan import identifier_kinds

    return frozenset(identifier_kinds(text))


def _check_row(name: str, piece: Piece, allowed: Allowed) -> list[Finding]:
    """Find a row that says it is withheld and shows a number, or shows one of another place."""
    cells = piece.text.split(" | ")
    place = cells[0].strip()
    strange: list[str] = []
    if allowed.places is not None and place in allowed.places.names:
        known = allowed.places.numbers(place)
        for cell in cells[1:]:
            plain = re.sub(r"[†‡*]", " ", readable(_without(cell, allowed.texts, broken=False)))
            strange += unknown_numbers(plain, known, words=allowed.words)
            whole = re.fullmatch(r"\s*(\d{1,2})\s*", plain)
            if whole and not near(float(whole[1]), 0.0, known):
                strange.append(whole[1])
    if strange:
        problem = "A row shows a number that isn't released of its place."
        return [Finding(name, piece.place, problem, f"{len(strange)} numbers", "cell")]
    if not _WITHHELD.search(piece.text):
        return []
    shown = [cell for cell in cells[1:] if not _WITHHELD.search(cell) and re.search(r"\d", cell)]
    if not shown or (allowed.places is not None and place in allowed.places.names):
        return []
    return [
        Finding(name, piece.place, "A withheld row shows numbers.", f"{len(shown)} cells", "cell")
    ]


def _check_table(name: str, content: bytes, allowed: Allowed) -> list[Finding]:
    """Find withheld rows, rows of withheld cells, and rows of a place, with a number not theirs."""
    import pandas as pd

    try:
        table = pd.read_csv(io.BytesIO(content), keep_default_na=False, dtype=str)
    except ValueError:
        return [Finding(name, "", "A table can't be read.", kind="file")]
    found = []
    numbers = [c for c in _ESTIMATES if c in table]
    hidden = np.zeros(len(table), bool)
    if "suppressed" in table:
        hidden |= (table["suppressed"] != "").to_numpy(bool)
    if {"group", "domain_type", "domain"} <= set(table.columns):
        rows = [{str(key): text for key, text in row.items()} for row in table.to_dict("records")]
        hidden |= np.array([allowed.withheld.holds(row) for row in rows], bool)
    shown = (table.loc[hidden, numbers] != "").to_numpy().any(axis=1) if numbers else np.zeros(0)
    if np.any(shown):
        problem = "A withheld cell has a number."
        found.append(Finding(name, "", problem, f"{int(np.sum(shown))} rows", "cell"))
    if name.startswith("figures/") and allowed.places is not None and "domain" in table:
        found += _check_rows(name, table.to_dict("records"), allowed.places)
    return found


def _check_rows(name: str, rows: Sequence[Mapping[Any, Any]], places: Places) -> list[Finding]:
    """Find rows of data about a place with a number that isn't released of it."""
    problem = "A number isn't released of the row's place."
    found = []
    for number, row in enumerate(rows, start=1):
        named = {str(key): value for key, value in row.items()}
        strange = places.strange(named, [key for key in named if key not in _KEYS])
        if strange:
            found.append(Finding(name, f"row {number}", problem, listed(strange), "cell"))
    return found


def _check_results(name: str, content: bytes, allowed: Allowed) -> list[Finding]:
    estimates = json.loads(content).get("estimates", [])
    shown = [
        row
        for row in estimates
        if row.get("suppressed") and any(row.get(key) is not None for key in _ESTIMATES)
    ]
    found = []
    if shown:
        problem = "A withheld cell has a number."
        found.append(Finding(name, "estimates", problem, f"{len(shown)} rows", "cell"))
    if allowed.places is not None:
        found += _check_rows(name, estimates, allowed.places)
    return found


def _check_drawings(name: str, content: bytes, seen: _Seen) -> list[Finding]:
    """Find a picture within a page that isn't drawn like one of the staged figures."""
    strange = [
        number
        for number, drawing in enumerate(drawings(content.decode("utf-8")), start=1)
        if drawing not in seen.drawings
    ]
    problem = "A picture in the page is none of the staged figures."
    return [Finding(name, f"picture {number}", problem, kind="part") for number in strange]


def _check_required(name: str, texts: Sequence[Piece], allowed: Allowed) -> list[Finding]:
    whole = _squeezed(" ".join(piece.text for piece in texts if piece.kind == "text"))
    short = not name.startswith("summary")
    return [
        Finding(name, "", "Something that every report must say is missing.", what, "required")
        for what, text in allowed.required.items()
        if _squeezed(text) not in whole and not (short and what not in _ALWAYS)
    ]


def _squeezed(text: str) -> str:
    """Leave out what renderers change: spaces, hyphens at line ends, forms of quotes and dashes."""
    return re.sub(r"[\W_]+", "", text.replace("\u00ad", "")).casefold()


_NOTHING = "Nothing was published, and what was published before stays. "
_NOTHING += "docs/disclosure.md explains each check."


def refuse(found: Sequence[Finding], folder: object) -> None:
    """Stop a publication with everything that was found.

    Parameters
    ----------
    found
        From :func:`check_files`.
    folder
        The staged folder, for the message.

    Raises
    ------
    PipelineError
        If anything was found: file, place, what is wrong.
    """
    if not found:
        return
    lines = [
        f"{finding.file}{f' ({finding.place})' if finding.place else ''}: {finding.problem}"
        f"{f' [{finding.found}]' if finding.found else ''}"
        for finding in found
    ]
    kinds = {finding.kind for finding in found}
    remedies = [remedy for kind, remedy in REMEDIES.items() if kind in kinds]
    raise PipelineError(
        "Staged files may not be published.",
        file=folder,
        place=f"{len({finding.file for finding in found})} files",
        found="\n             ".join(["", *lines[:40]])
        + (f"\n             and {len(lines) - 40} more" if len(lines) > 40 else ""),
        allowed=f"declared files of the types {listed(sorted(ALLOWED_TYPES))} whose every number "
        "stands in a released table or a reviewed text",
        remedy="\n            ".join([*remedies, _NOTHING]),
    )
