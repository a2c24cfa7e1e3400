"""Published claims without a number, and what this run can set beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prevalence.report.cells import unbroken
from prevalence.report.material import NATIONAL, Material, Row
from prevalence.report.sentences import per_words
from prevalence.report.wording import UNIT_WORDS, capitalised, interval, point, withheld, written


def statement_rows(material: Material) -> list[list[str]]:
    """Set each published statement beside what this run says on it.

    Parameters
    ----------
    material
        What the report is made of.

    Returns
    -------
    list of list of str
        Claim, this run, how the claim is read here, and the reading; a statement that this run
        has nothing on is left out.
    """
    rows = []
    for statement in (material.published or {}).get("statements") or []:
        found = _by_place(material, statement) or _by_share(material, statement)
        if found:
            claim, read = statement["claim"], statement.get("read_as", "a statement in words")
            rows.append([capitalised(claim), found[0], read, found[1]])
    return rows


def statement_sources(material: Material) -> list[Row]:
    """Rows from which the statements' numbers come, for what must be explained of them."""
    group, settings = next(iter(material.groups.items()))
    rows: list[Row] = []
    for statement in (material.published or {}).get("statements") or []:
        kind, name = statement.get("domain_type"), statement.get("table")
        if kind is not None:
            rows += material.estimates(domain_type=kind, group=group, unit=settings["per"])
        elif name is not None:
            rows += _shares(material, name)
    return rows


def _shares(material: Material, name: str) -> list[Row]:
    return material.rows(name, domain_type=NATIONAL, estimator="reported_of_answered")


def _by_place(material: Material, statement: Mapping[str, Any]) -> tuple[str, str] | None:
    kind = statement.get("domain_type")
    if kind is None:
        return None
    group, settings = next(iter(material.groups.items()))
    rows = material.estimates(domain_type=kind, group=group, unit=settings["per"])
    shown = [row for row in rows if not withheld(row) and row.get("lower") is not None]
    if not shown:
        return None
    run = "; ".join(f"{material.place(kind, str(row['domain']))} {_number(row)}" for row in shown)
    base = UNIT_WORDS[settings["per"]]
    # An interval on the log scale never reaches zero: how low it does reach says something.
    reported = [row for row in shown if row["estimate"] or row["lower"] > 0]
    places = material.domain_words(kind)["many"]
    every = len(reported) == len(rows)
    verdict = f"reported in {'all' if every else f'{len(reported)} of'} {len(rows)} {places}"
    if len(shown) < len(rows):
        verdict += f", {len(rows) - len(shown)} suppressed"
    if reported:
        lowest = min(reported, key=lambda row: float(row["lower"]))
        verdict += f"; the lowest lower limit is {written(lowest, 'lower')} {base}"
    return f"{run} ({per_words(settings)})", verdict


def _number(row: Row, sign: str = "") -> str:
    """Write an estimate with its interval in brackets, or the interval alone."""
    if point(row) == "interval only":
        return unbroken(f"{interval(row)}{sign}")
    value, mark = written(row, "estimate"), point(row).removeprefix(written(row, "estimate"))
    return unbroken(f"{value}{sign}{mark} ({interval(row)})")


def _by_share(material: Material, statement: Mapping[str, Any]) -> tuple[str, str] | None:
    name, bound = statement.get("table"), statement.get("below")
    if name is None or bound is None:
        return None
    rows = _shares(material, name)
    row = next((row for row in rows if not withheld(row) and row.get("lower") is not None), None)
    if row is None:
        return None
    run = f"{_number(row, '%')} of described situations"
    if row["upper"] < bound:
        verdict = f"the whole interval lies below {bound}%"
    elif row["lower"] > bound:
        verdict = f"the whole interval lies above {bound}%"
    else:
        verdict = f"the interval includes {bound}%"
    return run, verdict
