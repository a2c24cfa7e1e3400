"""Whether two runs' sampled numbers agree within Monte Carlo error.

A chain that meets another last digit goes another way from there: two processors that compute with
different instructions give two samples of one posterior. Their summaries are compared by how far
two samples may lie apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from prevalence.audit.record import TOLERANCE

# Rules whose numbers are draws of a chain, or rest on them.
SAMPLERS = ("fit_model",)
# How many Monte Carlo standard errors of a difference two samples may lie apart.
ERRORS = 4.0
# The least effective sample size at which the pipeline takes a chain's summaries for good.
EFFECTIVE_SIZE = 400.0
# Standard error of a 2.5 % quantile over that of a mean, for a normal posterior: a quantile's
# asymptotic variance is p (1 - p) / (n f(q)^2), so the ratio is sqrt(p (1 - p)) / phi(1.96).
_OF_AN_END = 2.672
_HALF_WIDTH = 1.959964
# Column and the one that holds its posterior standard deviation; the interval's where it is None.
_CENTRES: Mapping[str, tuple[str | None, ...]] = {
    "estimate": ("std_error", None),
    "mean": ("sd",),
    "predicted": (None,),
    "value": ("std_error",),
    "std_error": ("std_error",),
    "sd": ("sd",),
    "elpd": ("elpd_error",),
    "difference": ("difference_error",),
}
_ENDS = ("lower", "upper")
# What tells how a chain went, or follows from other columns: not compared between samples.
_TOLD_ALONE = (
    *("mcse", "rhat", "ess_bulk", "ess_tail", "divergent", "ebfmi", "gradients"),
    *("pareto_k", "power_scaling", "high_k", "largest_k", "effective_parameters", "tail"),
    *("elpd_error", "difference_error", "log_ratio", "shrinkage", "discrepancy", "disagreement_p"),
    "against_nation",
)
# Numbers of at most so many digits were rounded: to a unit of the last one, or to 1 %.
_ROUNDED, _COARSEST = 4, 0.01

Cells = Mapping[str, Sequence[float | None]]


def allowance(deviation: float) -> float:
    """How far two samples' means of one quantity may lie apart.

    Parameters
    ----------
    deviation
        Posterior standard deviation.

    Returns
    -------
    float
        ``4 sqrt(2) deviation / sqrt(400)``: four standard errors of the difference of two means.
    """
    return float(ERRORS * 2**0.5 * deviation / EFFECTIVE_SIZE**0.5)


def beyond(old: Cells, new: Cells, column: str) -> tuple[int, float]:
    """Count the rows of a column that differ by more than Monte Carlo error.

    Parameters
    ----------
    old, new
        Numbers of every column of the two tables, None where one is missing.
    column
        The column.

    Returns
    -------
    tuple
        How many rows differ by more, and the largest difference in Monte Carlo standard errors.
    """
    if column in _TOLD_ALONE:
        return 0, 0.0
    sampled = column in _CENTRES or column in _ENDS
    count, largest = 0, 0.0
    for row, (was, now) in enumerate(zip(old[column], new[column], strict=True)):
        if was is None or now is None or was == now:
            count += was != now
            continue
        if not sampled:
            count += abs(was - now) > TOLERANCE * max(abs(was), abs(now))
            continue
        deviation = max(_deviation(old, column, row), _deviation(new, column, row))
        allowed = allowance(deviation) * (_OF_AN_END if column in _ENDS else 1.0)
        gap = max(abs(was - now) - max(_step(was), _step(now)), 0.0)
        if gap:
            count += gap > allowed
            largest = max(largest, ERRORS * gap / allowed if allowed else float("inf"))
    return count, largest


def _deviation(cells: Cells, column: str, row: int) -> float:
    """Posterior standard deviation of a row's quantity; 0 for what isn't a sampled quantity."""
    names = (None,) if column in _ENDS else _CENTRES.get(column, ())
    for name in names:
        if name is None:
            ends = [cells[end][row] if end in cells else None for end in _ENDS]
            if ends[0] is not None and ends[1] is not None:
                return abs(ends[1] - ends[0]) / (2.0 * _HALF_WIDTH)
        elif name in cells and cells[name][row] is not None:
            return abs(float(cells[name][row] or 0.0))
    return 0.0


def _step(value: float) -> float:
    """Give the unit of the last digit of a number that was rounded; 0 for one that was not."""
    digits, _, power = f"{value:.14e}".partition("e")
    kept = len(digits.replace("-", "").replace(".", "").rstrip("0"))
    unit = float(10.0 ** (int(power) + 1 - kept)) if 0 < kept <= _ROUNDED else 0.0
    return min(unit, _COARSEST * abs(value))


def _numbers(cells: Mapping[str, str]) -> dict[str, list[float | None]]:
    """Read a manifest's cells; what is missing or infinite is None."""
    found = {name: [float(number) for number in text.split()] for name, text in cells.items()}
    return {
        name: [number if isfinite(number) else None for number in numbers]
        for name, numbers in found.items()
    }


def agreement(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[bool, str]:
    """Compare two sampled tables as a manifest describes them.

    Parameters
    ----------
    old, new
        Descriptions with ``rows``, ``columns`` and ``cells`` (numbers of a column as one text).

    Returns
    -------
    tuple
        Whether they agree, and in words by how much they differ.
    """
    if old["rows"] != new["rows"] or list(old["columns"]) != list(new["columns"]):
        return False, ""
    texts = [
        name
        for name, was in old["columns"].items()
        if name not in old["cells"] and was != new["columns"][name]
    ]
    if texts or old["cells"].keys() != new["cells"].keys():
        return False, ""
    before, after = _numbers(old["cells"]), _numbers(new["cells"])
    told, largest, agree = [], 0.0, True
    for name in before:
        count, most = beyond(before, after, name)
        largest = max(largest, most)
        if count:
            agree = False
            told.append(f"{name}: {count} of {old['rows']} rows beyond Monte Carlo error")
    if not agree:
        return False, "; ".join(told)
    return True, f"sampled anew: at most {largest:.2g} Monte Carlo standard errors apart"
