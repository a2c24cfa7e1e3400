"""Which numbers may be shown, and reading the numbers of a text as a reader would.

A number may be shown if it stands in a released table, or is one of its usual forms (a share as per
cent, a rate as one in n), or stands in a reviewed text. Of a row about a place only the numbers of
that place may be shown.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
_Parts = dict[tuple[str | None, str], list[Array]]

SMALL = 100  # whole numbers below are counted as structure: figures, chapters, percentages
# Positions of rows: not numbers that anything else may show.
POSITIONS = ("rank", "step")
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_TOKEN = re.compile(
    r"(?<![\w.])(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(e[+-]?\d+(?!\w)|[A-Za-zµ]+)?", re.I
)
_MIXED = re.compile(
    r"(?<!\w)(?:(?:[^\W\d_]|_)\w*\d{4,}\w*|(?=\d*[^\W\d])(?=(?:[^\W\d]*\d){3})(?!\d+[a-z]+\b)\w{7,})"
)
_FACTORS = {"k": 1e3, "m": 1e6, "mn": 1e6, "bn": 1e9}
# What has digits and is no number: addresses, dates with or without times, versions.
_APART = re.compile(
    r"https?://\S+|\b10\.\d{4,}/\S+"
    r"|\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?Z?)?"
    r"|\bv?\d+(?:\.\d+){2,}\b"
)
_THIN = re.compile(r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3}(?!\d))")
_SUPERSCRIPTS = str.maketrans({c: f"^{d}" for d, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")})
_IN_WORDS = re.compile(
    r"\b((?:(?:a|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|"
    r"thirty|forty|fifty|sixty|seventy|eighty|ninety|and)[\s-]+)+(?:hundred|thousand|million))\b",
    re.I,
)


def readable(text: str) -> str:
    """Write a text as it is read: one form of digits and spaces, nothing invisible."""
    if text.isascii():  # it has one form only
        return text
    text = _THIN.sub(",", text).translate(_SUPERSCRIPTS)
    text = "".join(c for c in text if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFKC", text)


def numeric(values: pd.Series) -> Array:
    """Numbers of a column, as floats; NaN where there is none."""
    import pandas as pd

    numbers: Array = pd.to_numeric(values, errors="coerce").to_numpy(float)
    return numbers


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
    parts = [numbers_in(text) for text in texts]
    for table in tables.values():
        parts.append(_forms(table).ravel())
        parts += _counts_of_rows(table)
    return sorted_numbers([*parts, np.array([0.0, 100.0, 1000.0])])  # the bases of rates besides


def sorted_numbers(parts: Iterable[Array]) -> Array:
    """Absolute values of all parts, sorted and unique."""
    numbers = np.concatenate([np.zeros(0), *parts])
    return np.unique(np.abs(numbers[np.isfinite(numbers)]))


def _forms(table: pd.DataFrame) -> Array:
    """Every number of a table, in its usual forms; shape (rows, forms), NaN where there is none."""
    parts: list[Array] = []
    for column in table.columns:
        if column in POSITIONS:
            continue
        values = numeric(table[column])
        parts += [values, 100 * values]
        if str(column).startswith("log_ratio"):
            parts.append(np.exp(values))
    parts += _one_in_numbers(table)
    if {"known_size", "estimate"} <= set(table.columns):
        size, estimate = (numeric(table[name]) for name in ("known_size", "estimate"))
        with np.errstate(divide="ignore", invalid="ignore"):
            parts += [estimate / size, size / estimate]
    return np.column_stack(parts) if parts else np.zeros((len(table), 0))


def _counts_of_rows(table: pd.DataFrame) -> list[Array]:
    """How many combinations of choices a table of specifications holds for each hidden group."""
    if not {"top_code", "group", "estimate"} <= set(table.columns):
        return []
    from prevalence.specifications import CHOICES
    from prevalence.united import modelled_rows

    choices = [column for column in CHOICES if column in table]
    counts = []
    for _, rows in table.groupby("group"):
        told = []
        for part in (rows, rows[rows["estimate"].notna()]):
            combined = part.drop_duplicates(choices)
            told.append([len(part), len(combined), int((~modelled_rows(combined)).sum())])
        counts += [*told[0], *told[1], told[0][1] - told[1][1]]  # the last have no number
    return [np.array(counts, float)]


def _one_in_numbers(table: pd.DataFrame) -> list[Array]:
    """Turn rates into the n of "one in n", exact and to two digits; NaN for other rows."""
    if "unit" not in table:
        return []
    unit = table["unit"].astype(str)
    base = unit.map({"per_100": 100.0, "per_1000": 1000.0}).to_numpy(float)
    if not np.isfinite(base).any():
        return []
    parts = []
    for column in sorted({"estimate", "lower", "upper"} & set(table.columns)):
        with np.errstate(divide="ignore", invalid="ignore"):
            values = numeric(table[column])
            rates = np.where(values > 0, base / values, np.nan)
            digits = 1 - np.floor(np.log10(rates))
            parts += [rates, np.round(rates * 10.0**digits) / 10.0**digits]
    return parts


def numbers_in(text: str) -> Array:
    """Every number in a text, signs aside."""
    return np.array([float(token.replace(",", "")) for token in _NUMBER.findall(text)], float)


def words_in(texts: Iterable[str]) -> frozenset[str]:
    """Words with letters and digits, such as ids of variables, and numbers in words."""
    found: set[str] = set()
    for text in texts:
        plain = readable(text)
        found |= {match[0].casefold() for match in _MIXED.finditer(plain)}
        found |= {_spelled(match[0]) for match in _IN_WORDS.finditer(plain)}
    return frozenset(found)


def _spelled(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def unknown_numbers(
    text: str, numbers: Array, *, exact: bool = False, words: Collection[str] = ()
) -> list[str]:
    """Find the numbers of a text that may not be shown.

    Parameters
    ----------
    text
        The text.
    numbers
        Sorted numbers that may be shown.
    exact
        Whether the text is a cell of data: a number that isn't rounded for print, or a text.
    words
        Words with digits, and numbers in words, that may be shown: from :func:`words_in`.

    Returns
    -------
    list of str
        As they stand in the text.
    """
    if exact and is_number(text):
        return [] if known_value(text, numbers) else [text]
    plain = readable(text)
    found = [m[0] for m in _MIXED.finditer(plain) if m[0].casefold() not in words]
    found += [m[0] for m in _IN_WORDS.finditer(plain) if _strange(m[0], words)]
    plain = _MIXED.sub(" ", _APART.sub(" ", plain))
    for match in _TOKEN.finditer(plain):
        if not _known_token(match[1], (match[2] or "").lower(), numbers):
            found.append(match[0])
    return found


def _strange(phrase: str, words: Collection[str]) -> bool:
    """Whether a number in words is a count, which nobody reviewed: not "a hundred"."""
    spelled = _spelled(phrase)
    return spelled not in words and spelled.split()[0] not in ("a", "and")


def _known_token(token: str, ending: str, numbers: Array) -> bool:
    plain = token.replace(",", "")
    decimals = len(plain.partition(".")[2])
    value, tolerance = float(plain), 0.5 * 10.0**-decimals * (1 + 1e-9)
    if ending[:1] == "e" and ending[-1].isdigit():
        value, tolerance = float(plain + ending), tolerance * 10.0 ** float(ending[1:])
    elif ending in _FACTORS:
        value, tolerance = value * _FACTORS[ending], tolerance * _FACTORS[ending]
    elif not decimals and value < SMALL:
        return True
    return near(value, tolerance, numbers)


def is_number(text: str) -> bool:
    """Whether a cell of data is a number, or says that there is none."""
    try:
        float(text)
    except ValueError:
        return False
    return not text.strip()[:1].isspace()


def known_value(text: str, numbers: Array, *, small: bool = True) -> bool:
    """Whether the number of a cell may be shown.

    Parameters
    ----------
    text
        The number.
    numbers
        Sorted numbers that may be shown.
    small
        Whether whole numbers below 100 may be shown anyway.

    Returns
    -------
    bool
        True also for infinity and for no number.
    """
    value = abs(float(text))
    if not math.isfinite(value) or (small and value.is_integer() and value < SMALL):
        return True
    return near(value, 1e-6 * value, numbers)


def near(value: float, tolerance: float, numbers: Array) -> bool:
    """Whether one of the sorted numbers lies within the tolerance of a value."""
    place = int(np.searchsorted(numbers, value - tolerance))
    return bool(place < len(numbers) and numbers[place] <= value + tolerance)


class Places:
    """The numbers that are shown of each cell and of each place, from the released tables.

    Parameters
    ----------
    tables
        Released tables.
    """

    def __init__(self, tables: Mapping[str, pd.DataFrame]) -> None:
        parts: _Parts = {}
        for table in tables.values():
            names = [name for name in ("domain", "category", "against") if name in table]
            forms = _forms(table) if names else np.zeros((0, 0))
            for name in names:
                self._add(parts, table, name, forms)
        self.cells = {key: sorted_numbers(values) for key, values in parts.items()}
        self.names = frozenset(place for _, place in self.cells) - {"national"}

    @staticmethod
    def _add(parts: _Parts, table: pd.DataFrame, name: str, forms: Array) -> None:
        grouped = "group" in table and name != "category"
        by_group = table["group"].astype(str) if grouped else [None] * len(table)
        rows: dict[tuple[str | None, str], list[int]] = {}
        places = zip(by_group, table[name].astype(object), table[name].notna(), strict=True)
        for row, (group, place, named) in enumerate(places):
            if named:
                rows.setdefault((None, str(place)), []).append(row)
                if group is not None:
                    rows.setdefault((group, str(place)), []).append(row)
        for key, found in rows.items():
            parts.setdefault(key, []).append(forms[found].ravel())

    def numbers(self, place: str, group: str | None = None) -> Array:
        """Sorted numbers of a place, or of a group there; none of what is withheld."""
        return self.cells.get((group, place), np.zeros(0))

    def strange(self, row: Mapping[str, Any], columns: Collection[str]) -> list[str]:
        """Columns of a row of data that hold a number which isn't one of the row's place.

        Parameters
        ----------
        row
            Texts by column, with `domain` and perhaps `group`.
        columns
            The columns to look at.

        Returns
        -------
        list of str
            Names of columns; empty if the row is about the nation or an unknown place.
        """
        place, group = str(row.get("domain", "")), row.get("group")
        if place not in self.names:
            return []
        known = self.numbers(place, str(group) if group else None)
        texts = {name: str(row[name]) for name in columns if row.get(name) not in (None, "")}
        return [
            name
            for name, text in texts.items()
            if is_number(text) and not known_value(text, known, small=False)
        ]
