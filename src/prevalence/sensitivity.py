"""How far the answer moves with what is assumed: tornado, contour, break-even, single places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prevalence.adjustment import EXPONENTS, Factor
from prevalence.ratio import divided
from prevalence.strata import distinct_units

if TYPE_CHECKING:
    import pandas as pd

    from prevalence.estimation import Study

Array = NDArray[np.float64]

TORNADO_LEVEL = 0.95
COLUMNS = (
    "analysis",
    "group",
    "unit",
    "factor",
    "value",
    "second_factor",
    "second_value",
    "finding",
    "estimate",
    "lower",
    "upper",
)


def sensitivity_table(
    factors: Mapping[str, Sequence[Factor]],
    settings: Mapping[str, Any] | None,
    headline: pd.DataFrame,
    findings: Sequence[Mapping[str, Any]],
) -> pd.DataFrame:
    """Run every sensitivity analysis on the headline.

    Parameters
    ----------
    factors
        From :func:`prevalence.adjustment.draw_factors`.
    settings
        The `estimate.sensitivity` section: for the contour two factors, each with `low`, `high` and
        `steps`.
    headline
        National rows of the scale-up table for the headline's estimator.
    findings
        Published claims: `id`, `group`, `unit`, `low`, `high`.

    Returns
    -------
    pandas.DataFrame
        Rows of :func:`tornado` and :func:`contour` in persons, of :func:`break_even` in the unit
        of each claim.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    grid = (settings or {}).get("contour") or {}
    axes = [
        (name, np.linspace(axis["low"], axis["high"], axis["steps"])) for name, axis in grid.items()
    ]
    for row in headline.to_dict("records"):
        place = {"group": row["group"], "unit": row["unit"]}
        found: list[dict[str, Any]] = []
        if row["unit"] == "persons" and row["group"] in factors:
            found += tornado(row["estimate"], factors[row["group"]])
            found += contour(row["estimate"], *axes) if len(axes) == 2 else []
        mine = [f for f in findings if (f["group"], f["unit"]) == (row["group"], row["unit"])]
        found += break_even(row["estimate"], row["lower"], row["upper"], mine)
        rows += [place | one for one in found]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    words = {name: table[name].astype(object).fillna("") for name in ("second_factor", "finding")}
    return table.assign(**words)


def tornado(estimate: float, factors: Sequence[Factor]) -> list[dict[str, Any]]:
    """Move one factor at a time from the low to the high end of its distribution.

    Parameters
    ----------
    estimate
        The unadjusted estimate.
    factors
        Factors of the hidden group; the others stay at their medians.

    Returns
    -------
    list of dict
        Two rows a factor: `factor`, `value` (its 2.5 % or 97.5 % quantile), and the estimate there.
    """
    medians = {factor.name: float(np.median(factor.draws)) for factor in factors}
    rows = []
    for factor in factors:
        tails = np.quantile(factor.draws, [0.5 - TORNADO_LEVEL / 2, 0.5 + TORNADO_LEVEL / 2])
        for value in tails:
            moved = medians | {factor.name: float(value)}
            rows.append(
                {
                    "analysis": "tornado",
                    "factor": factor.name,
                    "value": float(value),
                    "estimate": estimate * combined_multiplier(moved),
                }
            )
    return rows


def combined_multiplier(values: Mapping[str, float]) -> float:
    """Multiply for several factors at given values."""
    return float(np.prod([value ** EXPONENTS[name] for name, value in values.items()]))


def contour(
    estimate: float, first: tuple[str, Array], second: tuple[str, Array]
) -> list[dict[str, Any]]:
    """Adjust the headline over a grid of two factors, the others at 1.

    Parameters
    ----------
    estimate
        The unadjusted estimate.
    first, second
        Name and values of each factor.

    Returns
    -------
    list of dict
        One row a point of the grid.
    """
    return [
        {
            "analysis": "contour",
            "factor": first[0],
            "value": float(a),
            "second_factor": second[0],
            "second_value": float(b),
            "estimate": estimate * combined_multiplier({first[0]: float(a), second[0]: float(b)}),
        }
        for a in first[1]
        for b in second[1]
    ]


def break_even(
    estimate: float, lower: float, upper: float, findings: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Find how large the product of the factors would have to be for each published claim.

    Parameters
    ----------
    estimate, lower, upper
        The unadjusted estimate with its interval, in the unit of the findings.
    findings
        Published claims about this group and unit: `id`, `low`, `high`.

    Returns
    -------
    list of dict
        For each claim and end of its range the value of
        ``frame_ratio * degree_ratio * true_positive_rate / precision`` at which the adjusted
        estimate equals that end, for a ratio of two groups the quotient of their values; `lower`
        and `upper` are the same for the interval's ends. Values above 1 say that people would have
        to be seen more than they are reported, which false reports alone can do.
    """
    return [
        {
            "analysis": "break_even",
            "factor": "product",
            "finding": finding["id"],
            "value": float(finding[end]),
            "estimate": estimate / float(finding[end]),
            "lower": lower / float(finding[end]),
            "upper": upper / float(finding[end]),
        }
        for finding in findings
        for end in ("low", "high")
    ]


def influence(
    reports: Array, degree: Array, weights: Array, unit: NDArray[Any], population: float
) -> pd.DataFrame:
    """Leave out one place at a time, to see whether one case known to many makes the estimate.

    Parameters
    ----------
    reports, degree, weights
        Shape (n,); NaN where missing. What an estimator divides may take the place of reports and
        degree.
    unit
        Second-stage unit (barangay) of each respondent, or PSU, shape (n,).
    population
        ``N_U``.

    Returns
    -------
    pandas.DataFrame
        One row a unit with respondents, the most influential first: `rank`, `n`, `n_reporting`,
        `share_of_reports` (of the weighted reports), `estimate_without` (persons) and
        `relative_change` of the estimate when the unit is left out. Units aren't named.
    """
    import pandas as pd

    inside = ~(np.isnan(reports) | np.isnan(degree))
    inside &= (weights[inside] * degree[inside]).sum() > 0  # else there is nothing to compare
    _, place = np.unique(unit[inside].astype(str), return_inverse=True)
    y, d, w = reports[inside], degree[inside], weights[inside]
    n = np.bincount(place).astype(np.int64)
    n_reporting = np.bincount(place, weights=y > 0).astype(np.int64)
    top: Array = np.bincount(place, weights=w * y).astype(float)
    bottom: Array = np.bincount(place, weights=w * d).astype(float)
    whole = float(population * top.sum() / bottom.sum()) if inside.any() else float("nan")
    without = population * divided(top.sum() - top, bottom.sum() - bottom)
    change = divided(without, np.full(len(without), whole)) - 1
    table = pd.DataFrame(
        {
            "n": n,
            "n_reporting": n_reporting,
            "share_of_reports": divided(top, np.full(len(top), top.sum())),
            "estimate_without": without,
            "relative_change": change,
        }
    )
    order = np.argsort(-np.abs(np.nan_to_num(change)), kind="stable")
    table = table.iloc[order].reset_index(drop=True)
    return table.assign(rank=np.arange(1, len(table) + 1))


def influence_table(study: Study) -> pd.DataFrame:
    """Find the influence of single places on every hidden group of a survey.

    Parameters
    ----------
    study
        The survey; places are second-stage units where it has them, PSUs where not. The label of a
        unit counts within its stratum: two strata may have a PSU of the same label.

    Returns
    -------
    pandas.DataFrame
        Rows of :func:`influence` with `group`, of the headline's estimator.
    """
    import pandas as pd

    frame = study.respondents
    unit = distinct_units(frame["stratum"], frame["psu"])
    if "ssu" in frame:
        unit = distinct_units(unit, frame["ssu"])
    tables = [
        influence(
            *study.headline_columns(group)[:2],
            study.sampling.weights,
            unit,
            study.populations.total,
        ).assign(group=group.name)
        for group in study.hidden_groups()
    ]
    return pd.concat(tables, ignore_index=True)
