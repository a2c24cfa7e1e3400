"""How numbers are written in the report: digits, units, intervals, what is suppressed."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from typing import Any

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
REASONS = {
    "primary": "too few",
    "complementary": "protective",
    "dominance": "dominated",
    "geography": "larger area only",
}
EXPLANATIONS = {
    "primary": "too few: fewer respondents or reports than may be released",
    "complementary": "protective: it would give another suppressed cell away",
    "dominance": "dominated: the reports of one or two persons make up most of it",
    "geography": "larger area only: the survey releases none so small, or too many parts of this "
    "size fail to be released",
}
TOO_IMPRECISE = "too imprecise"
UNIT_WORDS = {
    "persons": "persons",
    "per_100": "per 100",
    "per_1000": "per 1,000",
    "ratio": "ratio",
    "per_cent": "per cent",
    "people_known": "people known",
}
# Counts arrive rounded from the release; everything else is written to so many significant digits.
SIGNIFICANT = 3


def number(value: float, unit: str = "persons") -> str:
    """Write a number with thousands separators, as finely as its unit deserves.

    Parameters
    ----------
    value
        The number.
    unit
        Its unit; persons are written whole, per cent to one decimal.

    Returns
    -------
    str
        For instance ``471,000``, ``1.2`` or ``0.043``.
    """
    if unit in ("persons", "respondents"):
        return f"{value:,.0f}"
    if unit == "per_cent":
        return f"{value:.1f}"
    if unit == "people_known":
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"
    return significant(value)


def significant(value: float, digits: int = SIGNIFICANT) -> str:
    """Write a number to so many significant digits, without an exponent.

    Parameters
    ----------
    value
        The number.
    digits
        Significant digits; whole digits are never cut.

    Returns
    -------
    str
        For instance ``1.23``, ``12.3``, ``1,230``.
    """
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "unbounded"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"


def decimals(row: Mapping[str, Any]) -> int:
    """Tell how many decimals an estimate and its limits are written with: all three alike.

    The upper limit gets three significant digits, so that a lower limit of 0.952 beside an
    estimate of 1.11 isn't written more finely than the estimate itself, and no number gets more
    digits than were released.

    Parameters
    ----------
    row
        A row of a released table.

    Returns
    -------
    int
        Digits after the point.
    """
    if row["unit"] in ("persons", "respondents"):
        return 0
    if row["unit"] == "per_cent":
        return 1
    ends = [row.get(name) for name in ("upper", "estimate")]
    largest = next((abs(float(end)) for end in ends if end is not None and not _missing(end)), 0.0)
    if row["unit"] == "people_known":
        return 0 if largest >= 100 else 1
    if not 0 < largest < math.inf:
        return 2
    places = min(max(0, SIGNIFICANT - 1 - math.floor(math.log10(largest))), _released(row))
    return next(p for p in range(places, places + 10) if p >= _released(row) or _apart(row, p))


def places_of(row: Mapping[str, Any], value: float) -> int:
    """Tell how many decimals one number of a row is written with.

    Beside an upper limit of 109 an estimate of 96.5 keeps its decimal: of three digits none is
    false, and "96" is no number that was released.

    Parameters
    ----------
    row
        A row of a released table.
    value
        One of its numbers, or one that is compared with them.

    Returns
    -------
    int
        Digits after the point: those of :func:`decimals`, but at least one of a number below 100
        that isn't whole.
    """
    whole = not math.isfinite(value) or value == round(value)
    return max(decimals(row), 0 if whole or abs(value) >= 100 else 1)


def alike(rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Give rows that stand beside each other one number of decimals.

    It is that of the row with fewest, as long as no estimate loses its first two digits: of rows
    far from one another each keeps what it needs.

    Parameters
    ----------
    rows
        Rows of a released table, of one unit.

    Returns
    -------
    list of int
        Decimals of each row, not more than those of :func:`decimals`.
    """
    own = [decimals(row) for row in rows]
    needed = [min(places, _two_digits(row)) for places, row in zip(own, rows, strict=True)]
    common = max([min(own, default=0), *needed])
    return [min(common, places) for places in own]


def _two_digits(row: Mapping[str, Any]) -> int:
    """How many decimals an estimate, or else its upper limit, needs to have two digits."""
    ends = [float(row[name]) for name in ("estimate", "upper") if not _missing(row.get(name))]
    size = abs(ends[0]) if ends else 0.0
    return 1 - math.floor(math.log10(size)) if 0 < size < math.inf else 0


def _apart(row: Mapping[str, Any], places: int) -> bool:
    """Whether no limit of a comparison reads as equality that isn't."""
    if _missing(row.get("against")):
        return True
    limits = [float(row[name]) for name in ("lower", "upper") if not _missing(row.get(name))]
    return all(limit == 1 or round(limit, places) != 1 for limit in limits)


def _released(row: Mapping[str, Any]) -> int:
    """Digits after the point of a row's numbers as they were released: no more is known of them."""
    ends = (row.get(name) for name in ("estimate", "lower", "upper"))
    known = [f"{float(end):.10g}" for end in ends if end is not None and not _missing(end)]
    return max((len(text.partition(".")[2]) for text in known if "e" not in text), default=2)


def written(row: Mapping[str, Any], name: str, places: int | None = None) -> str:
    """Write a number of a row, as finely as the row's interval allows.

    Parameters
    ----------
    row
        A row of a released table.
    name
        ``estimate``, ``lower`` or ``upper``.
    places
        Decimals; where not given, those of :func:`places_of`.

    Returns
    -------
    str
        For instance ``0.95``.
    """
    if _missing(row.get(name)):
        return "–"
    value = float(row[name])
    if not math.isfinite(value):
        return "unbounded"
    text = f"{value:,.{places_of(row, value) if places is None else places}f}"
    rounded_away = value != 0 and not any(digit in text for digit in "123456789")
    return (significant(value, 1) if rounded_away else text).replace("-", "−")


def interval(row: Mapping[str, Any], places: int | None = None) -> str:
    """Write a row's interval: ``lower to upper``.

    Parameters
    ----------
    row
        A row of a released table.
    places
        Decimals; where not given, those of :func:`places_of`.

    Returns
    -------
    str
        The limits in the row's unit; a dash where there is no interval.
    """
    if without_interval(row):
        return "–"
    return f"{written(row, 'lower', places)} to {written(row, 'upper', places)}"


def without_interval(row: Mapping[str, Any]) -> bool:
    """Whether a row has no interval: a place with one sampling unit, a share of all or none."""
    return _missing(row.get("lower")) or _missing(row.get("upper"))


def day(date: Any) -> str:
    """Write a date in words: ``7 September 2023``.

    Parameters
    ----------
    date
        A date, or its ISO form.

    Returns
    -------
    str
        Day, month and year.
    """
    when = datetime.date.fromisoformat(str(date))
    return f"{when.day} {MONTHS[when.month - 1]} {when.year}"


def level(row: Mapping[str, Any]) -> str:
    """Write a row's confidence level, as in ``95%``."""
    return f"{100 * float(row['level']):g}%"


def withheld(row: Mapping[str, Any]) -> str:
    """Say why a cell is suppressed; the empty text where it isn't."""
    reason = str(row.get("suppressed") or "")
    return f"suppressed ({REASONS.get(reason, reason)})" if reason else ""


def point(row: Mapping[str, Any], places: int | None = None) -> str:
    """Write a row's point estimate, or why there is none.

    Parameters
    ----------
    row
        A row of a released table.
    places
        Decimals; where not given, those of :func:`places_of`.

    Returns
    -------
    str
        The number; ``suppressed (reason)``; that only the interval can be given; or that not even
        that can, as where a place has one sampling unit.
    """
    if withheld(row):
        return withheld(row)
    if _missing(row.get("estimate")) and without_interval(row):
        return TOO_IMPRECISE
    if row.get("precision") == "interval_only" or _missing(row.get("estimate")):
        return "interval only"
    mark = " †" if row.get("precision") == "imprecise" else ""
    return written(row, "estimate", places) + mark


def phrase(row: Mapping[str, Any], per: str = "", places: int | None = None) -> str:
    """Write an estimate with its interval as part of a sentence.

    Parameters
    ----------
    row
        A row of a released table.
    per
        Denominator in words, such as ``per 100 children``.
    places
        Decimals; where not given, those of :func:`places_of`.

    Returns
    -------
    str
        For instance ``471,000 (95% interval 402,000 to 552,000)``.
    """
    if withheld(row):
        return withheld(row)
    unit = f" {per}" if per else ""
    sign = "%" if row["unit"] == "per_cent" else ""
    if point(row) == "interval only":
        ends = interval(row, places).replace(" to ", " and ")
        return f"between {ends}{sign}{unit} ({level(row)} interval)"
    if point(row) == TOO_IMPRECISE:
        return f"{TOO_IMPRECISE} to be given"
    if without_interval(row):
        return f"{written(row, 'estimate', places)}{sign}{unit} (no interval)"
    imprecise = "imprecise: " if row.get("precision") == "imprecise" else ""
    value = written(row, "estimate", places)
    return f"{value}{sign}{unit} ({imprecise}{level(row)} interval {interval(row, places)}{sign})"


def one_in(row: Mapping[str, Any], base: float, who: str = "") -> str:
    """Write a rate as ``1 in n`` with its interval.

    Parameters
    ----------
    row
        A row whose unit is a rate.
    base
        What the rate is per: 100 or 1,000.
    who
        The persons of the denominator, such as ``children``.

    Returns
    -------
    str
        For instance ``1 in 82 children (95% interval 1 in 97 to 1 in 70)``.
    """
    if withheld(row):
        return withheld(row)
    if without_interval(row):
        return f"{TOO_IMPRECISE} to be given"
    low, high = (_one(base, row[name]) for name in ("lower", "upper"))
    if point(row) == "interval only":
        return f"between {low} and {high}{who and f' {who}'} ({level(row)} interval)"
    estimate = _one(base, row["estimate"]) + (f" {who}" if who else "")
    return f"{estimate} ({level(row)} interval {low} to {high})"


def _one(base: float, rate: float) -> str:
    """Write 1 in n to two significant digits: more would be false precision."""
    if rate <= 0:
        return "none"
    count = base / rate
    step = 10 ** max(0, math.floor(math.log10(count)) - 1)
    return f"1 in {significant(round(count / step) * step, 2)}"


def joined(words: list[str], last: str = "and") -> str:
    """Join words as a sentence does: ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def counted(count: int, one: str, many: str = "") -> str:
    """Write a count with its noun: ``1 group``, ``12 groups``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def capitalised(text: str) -> str:
    """Begin a text with a capital letter."""
    return text[:1].upper() + text[1:]


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
