"""Published claims without a number, and what this run can set beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prevalence.report.cells import unbroken
from prevalence.report.material import NATIONAL, Material, Row
from prevalence.report.wording import capitalised, interval, point, withheld, written


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


def _by_place(material: Material, statement: Mapping[str, Any]) -> tuple[str, str] | None:
    kind = statement.get("domain_type")
    if kind is None:
        return None
    group, settings = next(iter(material.groups.items()))
    rows = material.estimates(domain_type=kind, group=group, unit=settings["per"])
    shown = [row for row in rows if not withheld(row) and row.get("lower") is not None]
    if not shown:
        return None
    run = "; ".join(f"{row['domain']} {_number(row)}" for row in shown)
    base = {"per_100": "per 100", "per_1000": "per 1,000"}[settings["per"]]
    # An interval on the log scale never reaches zero: how low it does reach says something.
    reported = [row for row in shown if row["estimate"] or row["lower"] > 0]
    places = material.domain_words(kind)["many"]
    every = len(reported) == len(rows)
    verdict = f"reported in {'all' if every else f'{len(reported)} of'} {len(rows)} {places}"
    if reported:
        lowest = min(reported, key=lambda row: float(row["lower"]))
        verdict += f"; the lowest lower limit is {written(lowest, 'lower')} {base}"
    return f"{run} ({base} {settings['many']})", verdict


def _number(row: Row) -> str:
    return unbroken(f"{point(row)} ({interval(row)})")


def _by_share(material: Material, statement: Mapping[str, Any]) -> tuple[str, str] | None:
    name, bound = statement.get("table"), statement.get("below")
    if name is None or bound is None:
        return None
    rows = material.rows(name, domain_type=NATIONAL, estimator="reported_of_answered")
    row = next((row for row in rows if not withheld(row)), None)
    if row is None:
        return None
    run = f"{point(row)}% ({unbroken(interval(row))}) of described situations"
    if row["upper"] < bound:
        verdict = f"the whole interval lies below {bound}%"
    elif row["lower"] > bound:
        verdict = f"the whole interval lies above {bound}%"
    else:
        verdict = f"the interval includes {bound}%"
    return run, verdict
