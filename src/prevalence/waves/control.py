"""Disclosure control of a trend: nothing is shown that either wave's own release withholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prevalence.disclosure.rounding import rounded, rounding_step, significant
from prevalence.disclosure.rules import (
    GEOGRAPHY,
    INTERVAL_ONLY,
    PRIMARY,
    Policy,
    precision_flags,
    records,
)
from prevalence.united import modelled_rows

if TYPE_CHECKING:
    import pandas as pd

Reasons = dict[tuple[str, str, str, str], tuple[str, str]]
NUMBERS = ("estimate", "std_error", "lower", "upper", "df", "correlation", "n", "n_earlier")


def cell_reasons(scale_up: pd.DataFrame, headline: str) -> Reasons:
    """Read from a wave's own release what may be shown.

    Parameters
    ----------
    scale_up
        The released estimates of the wave.
    headline
        Its headline's estimator.

    Returns
    -------
    dict
        By group, type of domain, domain and unit (any rate's is ``rate``): why the cell is withheld
        (empty: it is shown) and its precision flag.
    """
    ratios = (scale_up["unit"] == "ratio") & ~modelled_rows(scale_up)
    own = scale_up[(scale_up["estimator"] == headline) | ratios]
    return {
        _cell(row): (_plain(row["suppressed"]), _plain(row["precision"])) for row in records(own)
    }


def _cell(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Key of a cell; a rate is one whatever it is per, since waves may give it in two units."""
    unit = "rate" if str(row["unit"]).startswith("per_1") else str(row["unit"])
    return (str(row["group"]), str(row["domain_type"]), str(row["domain"]), unit)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else ""


def controlled_levels(
    table: pd.DataFrame, reasons: Mapping[str, Reasons], policy: Policy
) -> pd.DataFrame:
    """Control the levels of both waves.

    Parameters
    ----------
    table
        As the contract ``trend_levels`` has it.
    reasons
        By wave, from :func:`cell_reasons`.
    policy
        Rounding and precision.

    Returns
    -------
    pandas.DataFrame
        A wave's cell is withheld where its own release withholds it or doesn't have it.
    """
    given = [_given([reasons[str(row["wave"])]], row) for row in records(table)]
    flags = precision_flags(table, policy)
    return _controlled(table, given, flags, policy)


def controlled_changes(
    table: pd.DataFrame, reasons: Sequence[Reasons], policy: Policy
) -> pd.DataFrame:
    """Control the changes.

    Parameters
    ----------
    table
        As the contract ``trend_changes`` has it.
    reasons
        Of the earlier and the later wave, from :func:`cell_reasons`.
    policy
        Rounding and precision.

    Returns
    -------
    pandas.DataFrame
        A change is withheld where either wave's release withholds the level: with one level and the
        change the other could be told. Likewise it has no point estimate where a level has none.
        Precision is that of the ratio, since a difference may be near 0.
    """
    given = [_given(reasons, row) for row in records(table)]
    error, estimate = (table[name].to_numpy(float) for name in ("std_error", "estimate"))
    keys = [(r["group"], r["domain_type"], r["domain"], r["unit"]) for r in records(table)]
    relative = {
        key: error[place] / estimate[place]
        for place, (key, measure) in enumerate(zip(keys, table["measure"], strict=True))
        if measure == "ratio" and estimate[place] > 0
    }
    spread = np.array([relative.get(key, np.inf) for key in keys])
    flags = precision_flags(table.assign(estimate=1.0, std_error=spread), policy)
    return _controlled(table, given, flags, policy)


def _given(waves: Sequence[Reasons], row: Mapping[str, Any]) -> tuple[str, str]:
    """Why a row is withheld in one of the waves, and whether only its interval is shown there."""
    found = [wave.get(_cell(row), (GEOGRAPHY, "")) for wave in waves]
    flag = INTERVAL_ONLY if any(precision == INTERVAL_ONLY for _, precision in found) else ""
    return next((reason for reason, _ in found if reason), ""), flag


def _controlled(
    table: pd.DataFrame,
    given: Sequence[tuple[str, str]],
    flags: NDArray[np.object_],
    policy: Policy,
) -> pd.DataFrame:
    frame = table.reset_index(drop=True).copy()
    counts = [name for name in ("n", "n_earlier") if name in frame]
    reasons = np.array([reason for reason, _ in given], dtype=object)
    few = np.zeros(len(frame), bool)
    for name in counts:
        few |= frame[name].to_numpy(float) < policy.minimum_respondents
    reasons = np.where(few & (reasons == ""), PRIMARY, reasons)
    flags = np.where(np.array([flag for _, flag in given]) == INTERVAL_ONLY, INTERVAL_ONLY, flags)
    estimate, error = (frame[name].to_numpy(float) for name in ("estimate", "std_error"))
    step = rounding_step(estimate, error, policy)
    for name in ("estimate", "lower", "upper", "std_error"):
        frame[name] = rounded(frame[name].to_numpy(float), step)
    for name in {"df", "correlation"} & {*frame.columns}:
        frame[name] = significant(frame[name].to_numpy(float), 2)
    frame.loc[flags == INTERVAL_ONLY, ["estimate", "std_error"]] = np.nan
    withheld = reasons != ""
    for name in NUMBERS:
        if name in frame:
            if name in counts:
                frame[name] = frame[name].astype("Int64")
            frame.loc[withheld, name] = None if name in counts else np.nan
    if "interval" in frame:  # how the limits were made would tell that nobody reported
        frame.loc[withheld, "interval"] = ""
    frame["suppressed"] = reasons
    frame["precision"] = np.where(withheld, "", flags)
    return frame.drop(
        columns=[c for c in ("n_reporting", "n_reporting_earlier", "se_linearised") if c in frame]
    )


def controlled_controls(table: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Control the changes of known groups: national, of groups that aren't hidden.

    Parameters
    ----------
    table
        As the contract ``trend_controls`` has it.
    policy
        Rounding and precision.

    Returns
    -------
    pandas.DataFrame
        Rows that rest on enough respondents in both waves, rounded and flagged.
    """
    enough = (table[["n", "n_earlier"]] >= policy.minimum_respondents).all(axis=1)
    frame = table[enough].reset_index(drop=True).copy()
    flags = precision_flags(frame, policy)
    step = rounding_step(
        frame["estimate"].to_numpy(float), frame["std_error"].to_numpy(float), policy
    )
    for name in ("estimate", "lower", "upper", "std_error"):
        frame[name] = rounded(frame[name].to_numpy(float), step)
    frame["df"] = significant(frame["df"].to_numpy(float), 2)
    frame["expected"] = significant(frame["expected"].to_numpy(float), policy.significant_digits)
    frame.loc[flags == INTERVAL_ONLY, ["estimate", "std_error"]] = np.nan
    return frame.assign(precision=flags)


def validated(changes: pd.DataFrame, truth: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Set the planted change beside the released one.

    Parameters
    ----------
    changes
        Released changes.
    truth
        Rows with group, domain type, domain, unit, measure and `truth`.

    Returns
    -------
    pandas.DataFrame
        Columns of the contract ``trend_validation`` without the waves' ids; empty without a truth.
    """
    keys = ["group", "domain_type", "domain", "unit", "measure"]
    columns = [*keys, "truth", "estimate", "lower", "upper", "covered"]
    import pandas as pd

    if not truth:
        return pd.DataFrame(columns=columns)
    planted = pd.DataFrame(list(truth))[[*keys, "truth"]]
    found = changes.merge(planted, on=keys, how="inner", validate="one_to_one")
    inside = (found["lower"] <= found["truth"]) & (found["truth"] <= found["upper"])
    shown = found["lower"].notna()
    found["covered"] = [bool(x) if y else None for x, y in zip(inside, shown, strict=True)]
    found["truth"] = significant(found["truth"].to_numpy(float), 4)
    return found[columns]
