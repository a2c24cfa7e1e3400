"""Control of what stands beside estimates: distributions, the making of the survey, its quality."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prevalence.disclosure.cells import Geography
from prevalence.disclosure.rounding import numeric_columns, rounded_numbers, significant
from prevalence.disclosure.rules import (
    NATION,
    PRIMARY,
    SENSITIVE_ROLES,
    UNITS,
    Place,
    Policy,
    places_of,
    records,
    too_small,
)
from prevalence.disclosure.tables import EXACT, NEVER

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Reasons = Mapping[tuple[str, Place], str]

_FEW_IN_WORDS = re.compile(r"(?<![\d.,])\d+(?=\s+respondents)")


def merged_bins(table: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Merge neighbouring bins of a distribution until each holds enough respondents.

    Parameters
    ----------
    table
        Columns `lower_bound`, `upper_bound`, `share`, `n`; other columns (such as `step`)
        distinguish several distributions.
    policy
        Fewest respondents.

    Returns
    -------
    pandas.DataFrame
        The same columns; shares to three significant digits.
    """
    import pandas as pd

    if not len(table):
        return table
    others = [c for c in table.columns if c not in ("lower_bound", "upper_bound", "share", "n")]
    parts = table.groupby(others, sort=False, dropna=False) if others else [((), table)]
    rows: list[dict[str, Any]] = []
    for _, part in parts:
        bins: list[dict[str, Any]] = []
        for row in records(part):
            if bins and bins[-1]["n"] < policy.minimum_respondents:
                bins[-1] = _joined(bins[-1], row)
            else:
                bins.append(row)
        if len(bins) > 1 and bins[-1]["n"] < policy.minimum_respondents:
            last = bins.pop()
            bins[-1] = _joined(bins[-1], last)
        rows += [row for row in bins if row["n"] >= policy.minimum_respondents]
    frame = pd.DataFrame(rows, columns=table.columns)
    frame["share"] = significant(frame["share"].to_numpy(float), policy.significant_digits)
    return rounded_numbers(frame, EXACT, policy)


def controlled_areas(table: pd.DataFrame, reasons: Reasons, policy: Policy) -> pd.DataFrame:
    """Control a distribution over areas that are too small to be named.

    Parameters
    ----------
    table
        Columns `group`, `value`, `std_error`, `areas`; no name of an area.
    reasons
        Why each cell is withheld, by group and place.
    policy
        Fewest areas.

    Returns
    -------
    pandas.DataFrame
        The table with ``suppressed``: ``primary`` where the areas are too few, else as the group's
        national cell.
    """
    why = _national_reasons(table, reasons)
    few = table["areas"].to_numpy(float) < policy.minimum_areas
    found = np.where((why == "") & few, PRIMARY, why)
    frame = table.assign(suppressed=found)
    for column, digits in (("value", policy.significant_digits), ("std_error", 2)):
        shown = significant(table[column].to_numpy(float), digits)
        frame[column] = np.where(found == "", shown, np.nan)
    return frame


def _joined(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **first,
        "upper_bound": second["upper_bound"],
        "share": first["share"] + second["share"],
        "n": first["n"] + second["n"],
    }


def controlled_process(
    table: pd.DataFrame, reasons: Reasons, geography: Geography, policy: Policy
) -> pd.DataFrame:
    """Control a table that says how the survey was made.

    Rows of places that are too small to be named, such as cities that are strata, of places or
    categories with too few respondents or households, and of domains whose number of respondents
    is withheld are left out; where the rest of a whole would tell what was left out, so is a
    further one. Counts in words, as in the reasons for merging thin classes, are kept above the
    threshold.

    Parameters
    ----------
    table
        The table.
    reasons
        Why each cell is withheld, by group and place.
    geography
        How domains lie in one another.
    policy
        The thresholds.

    Returns
    -------
    pandas.DataFrame
        Rows that may be shown, rounded.
    """
    frame = table
    if "domain_type" in frame:
        named = [_named(str(kind), geography, policy) for kind in frame["domain_type"]]
        frame = frame[np.array(named, bool)]
        kept = [not reasons.get(("degree", place)) for place in places_of(frame)]
        frame = _large(frame[np.array(kept, bool)], ["domain_type"], "domain", policy)
    if "variable" in frame:
        places = {*policy.geographies, *UNITS}
        large = [
            kind not in places or not too_small(str(kind), geography.smallest, policy)
            for kind in frame["variable"]
        ]
        frame = _large(frame[np.array(large, bool)], ["against", "variable"], "category", policy)
    if "reason" in frame and "n" not in frame:
        words = [_in_words(str(text), policy.minimum_respondents) for text in frame["reason"]]
        frame = frame.assign(reason=words)
    return rounded_numbers(frame.reset_index(drop=True), EXACT, policy)


def _named(kind: str, geography: Geography, policy: Policy) -> bool:
    """Whether a type of domain may be named: it is published, or a large enough geography."""
    if geography.kinds.get(kind) == "respondent":
        return True
    return kind in policy.geographies and not too_small(kind, geography.smallest, policy)


def _in_words(text: str, least: int) -> str:
    def hidden(match: re.Match[str]) -> str:
        return match[0] if int(match[0]) >= least else f"fewer than {least}"

    return _FEW_IN_WORDS.sub(hidden, text)


def _large(table: pd.DataFrame, whole: list[str], part: str, policy: Policy) -> pd.DataFrame:
    """Leave out parts with few respondents, and more while those left out are a few together."""
    if not len(table):
        return table
    counts = table.groupby([*whole, part], sort=False)["n"].max().reset_index()
    gone: set[tuple[Any, ...]] = set()
    for _, parts in counts.groupby(whole, sort=False):
        ordered = parts.sort_values(["n", part], kind="stable")
        n = ordered["n"].to_numpy(float)
        dropped = int((n < policy.minimum_respondents).sum())
        while (
            dropped
            and dropped < len(n)
            and (dropped == 1 or n[:dropped].sum() < policy.minimum_respondents)
        ):
            dropped += 1
        gone |= set(ordered[[*whole, part]].head(dropped).itertuples(index=False, name=None))
    keys = table[[*whole, part]].itertuples(index=False, name=None)
    return table[np.array([key not in gone for key in keys], bool)]


def controlled_beside(
    name: str, table: pd.DataFrame, reasons: Reasons, policy: Policy
) -> pd.DataFrame:
    """Control a table that isn't of estimates: a group's row goes where its national cell does.

    Parameters
    ----------
    name
        The table's name.
    table
        The table.
    reasons
        Why each cell is withheld, by group and place.
    policy
        The thresholds.

    Returns
    -------
    pandas.DataFrame
        The table with ``suppressed``, where it has groups.
    """
    kept = table.drop(columns=NEVER.get(name, []), errors="ignore")
    frame = rounded_numbers(kept, EXACT, policy)
    if "group" not in frame:
        return frame
    why = _national_reasons(table, reasons)
    if name == "influence" and len(table):
        why = _influence_reasons(table, why, policy)
    if name == "data_quality":
        why = _quality_reasons(table, why, policy)
        frame = _without_small_shares(frame, table, policy)
    for column in numeric_columns(frame):
        if column not in ("rank", "n", "step"):
            frame[column] = frame[column].where(why == "")
    if "finding" in frame:  # words that hold what the numbers say
        frame["finding"] = frame["finding"].where(why == "")
    frame["suppressed"] = why
    return frame


def _national_reasons(table: pd.DataFrame, reasons: Reasons) -> NDArray[np.object_]:
    """Take each row's reason from the nation's cell; a ratio fails where any of its groups does."""
    groups = {group for group, _ in reasons}
    own = {group: reasons.get((group, NATION), "") for group in groups}
    worst = next(filter(None, (own[group] for group in sorted(own))), "")
    if "role" in table:  # the quality of an item isn't that of a group
        return np.array([own.get(str(group), "") for group in table["group"]], object)
    return np.array([own.get(str(group), worst) for group in table["group"]], object)


def _influence_reasons(
    table: pd.DataFrame, why: NDArray[np.object_], policy: Policy
) -> NDArray[np.object_]:
    """Withhold places of few; not a single one of a group, since shares add up to 1."""
    n, reporting = table["n"].to_numpy(float), table["n_reporting"].to_numpy(float)
    few = (n < policy.minimum_respondents) | (reporting < policy.minimum_reporting)
    found: NDArray[np.object_] = np.where((why == "") & few, PRIMARY, why)
    for _, part in table.assign(place=np.arange(len(table))).groupby("group", sort=False):
        places = part["place"].to_numpy()
        gone = found[places] != ""
        left = gone & (reporting[places] > 0)
        if left.any() and reporting[places][gone].sum() < policy.minimum_reporting:
            found[places] = PRIMARY
    return found


def _quality_reasons(
    table: pd.DataFrame, why: NDArray[np.object_], policy: Policy
) -> NDArray[np.object_]:
    """Withhold a hidden item's quality where too few, or too many, report nobody."""
    hidden = _sensitive(table)
    answered = table["answered"].to_numpy(float)
    reporting = np.round(answered * (1 - table["zero_share"].to_numpy(float)))
    few = (answered < policy.minimum_respondents) | (
        hidden & (np.nan_to_num(reporting) < policy.minimum_reporting)
    )
    found: NDArray[np.object_] = np.where((why == "") & few, PRIMARY, why)
    return found


def _sensitive(table: pd.DataFrame) -> NDArray[np.bool_]:
    return table["role"].isin([*SENSITIVE_ROLES, "hidden_item"]).to_numpy(bool)


def _without_small_shares(frame: pd.DataFrame, table: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Leave out shares of a handful of answers, among a handful, or of all but a handful.

    Heaping is a share of the answers of 5 or more, which are few where a group is hardly known:
    of a single one it would tell the answer. For questions about hidden people it isn't shown.
    """
    answered = table["answered"].to_numpy(float)
    wholes = {"zero_share": answered, "top_code_share": answered}
    if "heaped_share" in frame:
        wholes["heaped_share"] = table["five_or_more"].to_numpy(float)
        frame["heaped_share"] = frame["heaped_share"].where(~_sensitive(table))
    for column, whole in wholes.items():
        count = np.round(table[column].to_numpy(float) * whole)
        few = whole < policy.minimum_respondents
        for part in (count, whole - count):
            few |= (part > 0) & (part < policy.minimum_respondents)
        frame[column] = frame[column].where(~few)
    return frame


def controlled_diagnostics(
    table: pd.DataFrame, geography: Geography, policy: Policy
) -> pd.DataFrame:
    """Control the diagnostics of models: quantities of places that aren't published are left out.

    Parameters
    ----------
    table
        With `quantity`, written ``role:group:domain_type:domain``.
    geography
        How domains lie in one another.
    policy
        The thresholds.

    Returns
    -------
    pandas.DataFrame
        Without what a posterior says of a cell.
    """
    places = [quantity_place(str(quantity)) for quantity in table["quantity"]]
    kept = [
        place == NATION or (place[0] in geography.kinds and _named(place[0], geography, policy))
        for place in places
    ]
    frame = table[np.array(kept, bool)].reset_index(drop=True)
    return rounded_numbers(frame.drop(columns=NEVER["diagnostics"], errors="ignore"), EXACT, policy)


def quantity_place(quantity: str) -> Place:
    """Type of domain and domain of a model's quantity; empty where it has another form."""
    parts = quantity.split(":", 3)
    return (parts[2], parts[3]) if len(parts) == 4 else ("", "")
