"""The gate: every staged file is read, and only what passes is published. It fails closed.

A number must stand in a released table (or be one of its usual forms: a share as per cent, a rate
as one in n), in the reviewed words of the report, in the survey's config or in the published
findings; or be a label of an axis. Identifier patterns, withheld cells with a number, text that was
left unresolved, and what a report must say are checked as well.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prevalence.disclosure.extraction import Piece, pieces
from prevalence.errors import PipelineError, listed

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

ALLOWED_TYPES = frozenset({"html", "pdf", "docx", "json", "svg", "png", "csv"})
# Digits of a number as it is read: not part of a word, a version, a hash or a date.
_NUMBER = re.compile(r"(?<![\w.,/:#-])[-−]?\d+(?:,\d{3})*(?:\.\d+)?(?![\w]|[.,/:-]\d)")
# "4.1 How it was done" at the start of a line, "section 4.1" anywhere: not decimal numbers.
_SECTION = re.compile(
    r"^\s*[1-9]\d?(?:\.[1-9]\d?){1,2}(?=\s+[A-Z])|"
    r"(?:[Ss]ections?|[Aa]ppendix)\s+[1-9]\d?(?:\.[1-9]\d?)+",
    re.M,
)
_LEFT_OVER = re.compile(
    r"\?(?:var|meta|env)\b|\?@\w|\{\{<|7B7B3C|\bNaN\b|\bnan\b|\bTODO\b|\[object Object"
    r"|^\s*(?:None|null|undefined)\s*$"
)
_FEW = re.compile(r"(?<![\d.,–-])[1-9]\s+(?:respondent|interviewee|household|reporter)s?\b", re.I)
_WITHHELD = re.compile(r"\bsuppressed\s*\(", re.I)
# Patterns that a number in a table or a reference could look like by chance are left to `ingest`.
_IDENTIFIERS = ("email", "phone", "device", "government_id", "coordinates")
# What a page of its own, such as the brief, must say as well.
_ALWAYS = ("identity of the run", "notice that the data are synthetic")
_SMALL = 100  # whole numbers below are counted as structure: figures, chapters, percentages


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
    """

    file: str
    place: str
    problem: str
    found: str = ""


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
        Cells (group, type of domain, domain) of which no number may be shown.
    """

    declared: Sequence[str]
    numbers: Array
    texts: Sequence[str]
    required: Mapping[str, str]
    withheld: frozenset[tuple[str, str, str]] = frozenset()


def allowed_numbers(tables: Mapping[str, pd.DataFrame], texts: Iterable[str]) -> Array:
    """Collect the numbers that may be shown.

    Parameters
    ----------
    tables
        Released tables.
    texts
        Reviewed texts: prose of the report, config, published findings.

    Returns
    -------
    numpy.ndarray
        Sorted and unique: values, the same as per cent, ``base / value`` of rates, exponentials of
        log ratios, factors between estimates and known sizes, how many specifications there are,
        and every number in the texts.
    """
    parts = [_numbers_in(text) for text in texts]
    for table in tables.values():
        for column in table.columns:
            values = _numeric(table[column])
            parts += [values, 100 * values]
            if str(column).startswith("log_ratio"):
                parts.append(np.exp(values))
        parts += _one_in_numbers(table)
        parts += _counts_of_rows(table)
        if {"known_size", "estimate"} <= set(table.columns):
            size, estimate = (
                _numeric(table["known_size"], keep=True),
                _numeric(table["estimate"], keep=True),
            )
            with np.errstate(divide="ignore", invalid="ignore"):
                parts += [estimate / size, size / estimate]
    numbers = np.concatenate([*parts, [0.0, 100.0, 1000.0]])  # the bases of rates besides
    return np.unique(np.abs(numbers[np.isfinite(numbers)]))


def _numeric(values: pd.Series, *, keep: bool = False) -> Array:
    import pandas as pd

    numbers = pd.to_numeric(values, errors="coerce").to_numpy(float)
    return numbers if keep else numbers[np.isfinite(numbers)]


def _counts_of_rows(table: pd.DataFrame) -> list[Array]:
    """How many combinations of choices a table of specifications holds for each hidden group."""
    from prevalence.specifications import CHOICES

    if not {"group", "estimate", *CHOICES} <= set(table.columns):
        return []
    counts = []
    for _, rows in table.groupby("group"):
        known = rows[rows["estimate"].notna()]
        counts += [len(rows), len(known), len(known.drop_duplicates(list(CHOICES)))]
    return [np.array(counts, float)]


def _one_in_numbers(table: pd.DataFrame) -> list[Array]:
    if "unit" not in table:
        return []
    parts = []
    for unit, base in (("per_100", 100.0), ("per_1000", 1000.0)):
        rows = table[table["unit"] == unit]
        for column in {"estimate", "lower", "upper"} & set(table.columns):
            values = _numeric(rows[column])
            parts.append(base / values[values > 0])
            rates = base / values[values > 0]
            digits = 1 - np.floor(np.log10(rates))
            parts.append(np.round(rates * 10.0**digits) / 10.0**digits)
    return parts


def _numbers_in(text: str) -> Array:
    found = []
    for token in re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", text):
        found.append(float(token.replace(",", "")))
    return np.array(found, float)


def withheld_cells(tables: Mapping[str, pd.DataFrame]) -> frozenset[tuple[str, str, str]]:
    """Cells of the headline table of which no number may be shown."""
    table = tables.get("scale_up")
    if table is None:
        return frozenset()
    rows = table[table["suppressed"].fillna("") != ""]
    return frozenset(
        (str(group), str(kind), str(domain))
        for group, kind, domain in zip(
            rows["group"], rows["domain_type"], rows["domain"], strict=True
        )
    )


def check_files(files: Mapping[str, bytes], allowed: Allowed) -> list[Finding]:
    """Check every staged file.

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
    found: list[Finding] = []
    for name, content in sorted(files.items()):
        suffix = name.rsplit(".", 1)[-1].lower() if "." in name else ""
        if not any(fnmatch(name, pattern) for pattern in allowed.declared):
            found.append(Finding(name, "", "The file is not declared by any rule."))
            continue
        if suffix not in ALLOWED_TYPES:
            found.append(Finding(name, "", "A file of this type is not published.", suffix))
            continue
        try:
            texts = pieces(name, content)
        except PipelineError as error:
            found.append(Finding(name, "", error.problem, error.found or ""))
            continue
        found += check_pieces(name, texts, allowed)
        if suffix == "csv":
            found += _check_table(name, content, allowed)
        if name.endswith("results.json"):
            found += _check_results(name, content)
        if suffix in ("html", "pdf", "docx"):
            found += _check_required(name, texts, allowed)
    missing = [
        pattern for pattern in allowed.declared if "*" not in pattern and pattern not in files
    ]
    found += [Finding(name, "", "A declared file is missing.") for name in missing]
    return found


def check_pieces(name: str, texts: Sequence[Piece], allowed: Allowed) -> list[Finding]:
    """Check the texts of a file: numbers, identifiers, leftovers, withheld rows, small counts."""
    found = []
    pdf = name.endswith(".pdf")
    for piece in texts:
        if piece.kind == "url":
            problem = "Something is loaded from elsewhere, or embedded, that can't be checked."
            found.append(Finding(name, piece.place, problem, piece.text[:80]))
            continue
        if piece.kind == "row":
            found += _check_row(name, piece)
            continue
        text = _without(piece.text, allowed.texts, broken=pdf)
        if _LEFT_OVER.search(text):
            match = _LEFT_OVER.search(text)
            found.append(
                Finding(name, piece.place, "Text was left unresolved.", match[0] if match else "")
            )
        if _FEW.search(text):
            found.append(Finding(name, piece.place, "A count of fewer than 10 is shown."))
        found += _check_identifiers(name, piece, text, pdf=pdf)
        if piece.kind in ("tick", "metadata"):
            continue
        found += [
            Finding(name, piece.place, "A number is in no released table or reviewed text.", token)
            for token in unknown_numbers(text, allowed.numbers, exact=piece.kind == "cell")
        ]
    return found


def _without(text: str, allowed: Sequence[str], *, broken: bool) -> str:
    """Leave exact allowed texts out; in a PDF they may be broken over lines."""
    for known in allowed:
        text = text.replace(known, " ")
        if broken and known:
            text = re.sub(r"-?\s*".join(map(re.escape, known)), " ", text)
    return text


def _check_identifiers(name: str, piece: Piece, text: str, *, pdf: bool) -> list[Finding]:
    from prevalence.identifier_scan import identifier_kinds

    if pdf:  # columns of a table run together; nobody's telephone number has commas
        text = re.sub(r"\d{1,3}(?:,\d{3})+", "|", text)
    kinds = [kind for kind in _IDENTIFIERS if kind in identifier_kinds(text)]
    if pdf or piece.kind in ("cell", "tick"):  # neighbouring numbers of a table run together
        kinds = [kind for kind in kinds if kind != "coordinates"]
    if re.fullmatch(r"\s*-?\d+\.\d+(?:e-?\d+)?\s*", text):  # a decimal number is no one's number
        kinds = []
    return [
        Finding(name, piece.place, "What looks like an identifier of a person is shown.", kind)
        for kind in kinds
    ]


def _check_row(name: str, piece: Piece) -> list[Finding]:
    """Find a row that says it is withheld and shows a number all the same."""
    if not _WITHHELD.search(piece.text):
        return []
    cells = piece.text.split(" | ")[1:]
    shown = [cell for cell in cells if not _WITHHELD.search(cell) and re.search(r"\d", cell)]
    if not shown:
        return []
    problem = "A withheld row shows numbers."
    return [Finding(name, piece.place, problem, f"{len(shown)} cells")]


def unknown_numbers(text: str, numbers: Array, *, exact: bool = False) -> list[str]:
    """Find the numbers of a text that may not be shown.

    Parameters
    ----------
    text
        The text.
    numbers
        Sorted numbers that may be shown.
    exact
        Whether the text is a cell of data, whose numbers aren't rounded for print.

    Returns
    -------
    list of str
        As they stand in the text.
    """
    if exact:
        return [] if _known_cell(text, numbers) else [text]
    text = _SECTION.sub(" ", text)
    return [match[0] for match in _NUMBER.finditer(text) if not _known_token(match[0], numbers)]


def _known_token(token: str, numbers: Array) -> bool:
    plain = token.lstrip("-−").replace(",", "")
    value = float(plain)
    decimals = len(plain.partition(".")[2])
    if not decimals and value < _SMALL:
        return True
    return _near(value, 0.5 * 10.0**-decimals * (1 + 1e-9), numbers)


def _known_cell(text: str, numbers: Array) -> bool:
    try:
        value = abs(float(text))
    except ValueError:
        return True
    if not math.isfinite(value) or (value.is_integer() and value < _SMALL):
        return True
    return _near(value, 1e-6 * value, numbers)


def _near(value: float, tolerance: float, numbers: Array) -> bool:
    place = int(np.searchsorted(numbers, value - tolerance))
    return bool(place < len(numbers) and numbers[place] <= value + tolerance)


def _check_table(name: str, content: bytes, allowed: Allowed) -> list[Finding]:
    """Find withheld rows, and rows of withheld cells, that hold a number."""
    import io

    import pandas as pd

    try:
        table = pd.read_csv(io.BytesIO(content), keep_default_na=False, dtype=str)
    except ValueError:
        return [Finding(name, "", "A table can't be read.")]
    numbers = [
        c for c in ("estimate", "lower", "upper", "std_error", "n", "n_reporting") if c in table
    ]
    hidden = np.zeros(len(table), bool)
    if "suppressed" in table:
        hidden |= (table["suppressed"] != "").to_numpy(bool)
    if {"group", "domain_type", "domain"} <= set(table.columns):
        keys = zip(table["group"], table["domain_type"], table["domain"], strict=True)
        hidden |= np.array([key in allowed.withheld for key in keys], bool)
    shown = (table.loc[hidden, numbers] != "").to_numpy().any(axis=1) if numbers else np.zeros(0)
    if not np.any(shown):
        return []
    return [Finding(name, "", "A withheld cell has a number.", f"{int(np.sum(shown))} rows")]


def _check_results(name: str, content: bytes) -> list[Finding]:
    estimates = json.loads(content).get("estimates", [])
    numbers = ("estimate", "lower", "upper", "std_error", "n", "n_reporting")
    shown = [
        row
        for row in estimates
        if row.get("suppressed") and any(row.get(key) is not None for key in numbers)
    ]
    if not shown:
        return []
    return [Finding(name, "estimates", "A withheld cell has a number.", f"{len(shown)} rows")]


def _check_required(name: str, texts: Sequence[Piece], allowed: Allowed) -> list[Finding]:
    whole = _squeezed(" ".join(piece.text for piece in texts if piece.kind != "row"))
    short = not name.startswith("summary")
    return [
        Finding(name, "", "Something that every report must say is missing.", what)
        for what, text in allowed.required.items()
        if _squeezed(text) not in whole and not (short and what not in _ALWAYS)
    ]


def _squeezed(text: str) -> str:
    """Leave out what renderers change: spaces, hyphens at line ends, forms of quotes and dashes."""
    return re.sub(r"[\W_]+", "", text.replace("\u00ad", "")).casefold()


def required_texts(
    survey: Mapping[str, Any], report: Mapping[str, Any], identity: str
) -> dict[str, str]:
    """Say what every report must hold, as far as the survey's config supplies the words.

    Parameters
    ----------
    survey, report
        Sections of the survey's config.
    identity
        The run's identity.

    Returns
    -------
    dict
        Text by what it is.

    Raises
    ------
    PipelineError
        If a survey of a crime lacks words that a report must have.
    """
    texts = {"identity of the run": identity}
    if survey["synthetic"]:
        texts["notice that the data are synthetic"] = "synthetic data"
    for key, what in (
        ("content_note", "content note"),
        ("ethics", "ethics"),
        ("funding", "funding"),
    ):
        if report.get(key):
            texts[what] = str(report[key])
    for line in report.get("help_lines") or []:
        for number in line.get("numbers", []):
            texts[f"help line {number}"] = str(number)
    for place, limit in enumerate(report.get("limits") or [], start=1):
        texts[f"limit {place}"] = str(limit)
    return texts


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
    raise PipelineError(
        "Staged files may not be published.",
        file=folder,
        place=f"{len({finding.file for finding in found})} files",
        found="\n             ".join(["", *lines[:40]])
        + (f"\n             and {len(lines) - 40} more" if len(lines) > 40 else ""),
        allowed=f"declared files of the types {listed(sorted(ALLOWED_TYPES))} whose every number "
        "stands in a released table or a reviewed text",
        remedy="Mend the text or the figure at that place; nothing was published. "
        "docs/disclosure.md explains each check.",
    )
