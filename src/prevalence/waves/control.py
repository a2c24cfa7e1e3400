"""Disclosure control of a trend: nothing is shown that either wave's own release withholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from prevalence.disclosure.release import rounded_estimates
from prevalence.disclosure.rounding import rounded, rounded_apart, rounding_step, significant
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


class Shown(NamedTuple):
    """What a wave's own release shows of a cell.

    Parameters
    ----------
    reason
        Why it is withheld; empty where it is shown.
    precision
        Its precision flag.
    n
        Its number of respondents; NaN where that isn't shown.
    """

    reason: str
    precision: str
    n: float


Reasons = dict[tuple[str, str, str, str], Shown]
NOWHERE = Shown(GEOGRAPHY, "", np.nan)
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
        By group, type of domain, domain and unit (any rate's is ``rate``).
    """
    ratios = (scale_up["unit"] == "ratio") & ~modelled_rows(scale_up)
    own = scale_up[(scale_up["estimator"] == headline) | ratios]
    return {
        _cell(row): Shown(_plain(row["suppressed"]), _plain(row["precision"]), _number(row["n"]))
        for row in records(own)
    }


def _cell(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Key of a cell; a rate is one whatever it is per, since waves may give it in two units."""
    unit = "rate" if str(row["unit"]).startswith("per_1") else str(row["unit"])
    return (str(row["group"]), str(row["domain_type"]), str(row["domain"]), unit)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float, np.number)) else np.nan


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
        A wave's cell is withheld where its own release withholds it or doesn't have it; the others
        are rounded as there. Numbers of respondents are shown where they are those shown there.
    """
    given = [[reasons[str(row["wave"])].get(_cell(row), NOWHERE)] for row in records(table)]
    flags = precision_flags(table, policy)
    return _controlled(rounded_estimates(table, policy), given, flags, policy)


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
        Precision is that of the ratio, since a difference may be near 0. Numbers of respondents
        are shown where they are those that the waves' own releases show.
    """
    given = [[wave.get(_cell(row), NOWHERE) for wave in reasons] for row in records(table)]
    error, estimate = (table[name].to_numpy(float) for name in ("std_error", "estimate"))
    keys = [(r["group"], r["domain_type"], r["domain"], r["unit"]) for r in records(table)]
    relative = {
        key: error[place] / estimate[place]
        for place, (key, measure) in enumerate(zip(keys, table["measure"], strict=True))
        if measure == "ratio" and estimate[place] > 0
    }
    spread = np.array([relative.get(key, np.inf) for key in keys])
    flags = precision_flags(table.assign(estimate=1.0, std_error=spread), policy)
    return _controlled(_rounded_changes(table, policy), given, flags, policy)


def _rounded_changes(table: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    frame = table.copy()
    step = rounding_step(
        frame["estimate"].to_numpy(float), frame["std_error"].to_numpy(float), policy
    )
    # Neither a change nor a standard error, as of a sample beside itself: the limits set the step.
    ends = np.abs(frame[["lower", "upper"]].to_numpy(float)).max(axis=1, initial=0.0)
    step = np.where(np.isnan(step), rounding_step(ends, np.full(len(frame), np.nan), policy), step)
    equal = np.where(frame["measure"] == "ratio", 1.0, 0.0)
    for name in ("lower", "upper"):
        frame[name] = rounded_apart(frame[name].to_numpy(float), step, equal)
    for name in ("estimate", "std_error"):
        frame[name] = rounded(frame[name].to_numpy(float), step)
    for name in {"df", "correlation"} & {*frame.columns}:
        frame[name] = significant(frame[name].to_numpy(float), 2)
    return frame


def _controlled(
    table: pd.DataFrame,
    given: Sequence[Sequence[Shown]],
    flags: NDArray[np.object_],
    policy: Policy,
) -> pd.DataFrame:
    """Withhold of rounded rows what the wave's own release, or either wave's, doesn't show."""
    frame = table.reset_index(drop=True)
    counts = [name for name in ("n_earlier", "n") if name in frame]  # in the order of the waves
    given_reasons = [next(filter(None, (one.reason for one in row)), "") for row in given]
    reasons = np.array(given_reasons, dtype=object)
    few = np.zeros(len(frame), bool)
    for name in counts:
        few |= frame[name].to_numpy(float) < policy.minimum_respondents
    reasons = np.where(few & (reasons == ""), PRIMARY, reasons)
    only = np.array([any(one.precision == INTERVAL_ONLY for one in row) for row in given], bool)
    flags = np.where(only, INTERVAL_ONLY, flags)
    frame.loc[flags == INTERVAL_ONLY, ["estimate", "std_error"]] = np.nan
    withheld = reasons != ""
    for place, name in enumerate(counts):
        own = np.array([row[place].n for row in given])
        hidden = withheld | _other_counts(frame, name, own, withheld)
        frame[name] = frame[name].astype("Int64")
        frame.loc[hidden, name] = None
    for name in {*NUMBERS} & {*frame.columns} - {*counts}:
        frame.loc[withheld, name] = np.nan
    if "interval" in frame:  # how the limits were made would tell that nobody reported
        frame.loc[withheld, "interval"] = ""
    frame["suppressed"] = reasons
    frame["precision"] = np.where(withheld, "", flags)
    return frame.drop(
        columns=[c for c in ("n_reporting", "n_reporting_earlier", "se_linearised") if c in frame]
    )


def _other_counts(
    frame: pd.DataFrame, name: str, own: NDArray[np.float64], withheld: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Find the rows of groups whose number of respondents isn't that of the wave's own release.

    Under another wave's choices a few others have no network size: the difference of two numbers
    would count a handful of people.
    """
    which = [key for key in ("wave", "group") if key in frame]
    keys = list(zip(*(frame[key].astype(str) for key in which), strict=True))
    differs = ~withheld & (frame[name].to_numpy(float) != own)
    others = {key for key, other in zip(keys, differs, strict=True) if other}
    return np.array([key in others for key in keys], bool)


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
