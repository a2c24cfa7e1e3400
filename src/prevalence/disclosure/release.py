"""Released tables: controlled, rounded, flagged; what was withheld is on record without values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prevalence.disclosure.cells import Figures, Geography, decide, decide_shares
from prevalence.disclosure.process import (
    controlled_areas,
    controlled_beside,
    controlled_diagnostics,
    controlled_process,
    merged_bins,
)
from prevalence.disclosure.rounding import (
    derivable_estimates,
    numeric_columns,
    rounded,
    rounded_apart,
    rounding_step,
    significant,
)
from prevalence.disclosure.rules import (
    CELL,
    COMPLEMENTARY,
    GEOGRAPHY,
    INTERVAL_ONLY,
    NATION,
    REASONS,
    Place,
    Policy,
    places_of,
    precision_flags,
    records,
)
from prevalence.disclosure.tables import (
    COUNTS,
    ERRORS,
    EXACT,
    LIMITS,
    RULES,
    check_tables,
)
from prevalence.united import modelled_rows

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

SUM_OF = "sum_of_"
RATE_UNITS = ("per_100", "per_1000")


@dataclass(frozen=True)
class Released:
    """What a release consists of.

    Parameters
    ----------
    tables
        Released tables by name.
    log
        One row a withheld or excepted cell and table, without values.
    summary
        Cells, withheld cells by reason and flags, for each table, group and type of domain.
    """

    tables: Mapping[str, pd.DataFrame]
    log: pd.DataFrame
    summary: pd.DataFrame


def release(
    tables: Mapping[str, pd.DataFrame],
    inputs: pd.DataFrame,
    geography: Geography,
    policy: Policy,
    *,
    headline: str,
    exceptions: set[tuple[str, str, str]] | None = None,
    shown_before: set[tuple[str, str, str]] | None = None,
) -> Released:
    """Control every table of a survey together.

    Parameters
    ----------
    tables
        Uncontrolled tables by name; each falls under a rule of
        :data:`prevalence.disclosure.tables.RULES`, and any may be absent.
    inputs
        The table ``disclosure_inputs``.
    geography
        How the published domains lie in one another.
    policy
        The thresholds.
    headline
        The pre-specified estimator.
    exceptions
        Cells (group, domain type, domain) that are released although they fail.
    shown_before
        Cells of hidden groups that an earlier release showed: withholding one of them now would
        protect no other.

    Returns
    -------
    Released
        Tables of the same names and columns; tables of estimates have ``suppressed`` and
        ``precision`` besides.

    Raises
    ------
    PipelineError
        If a table falls under no rule, or an exception names no cell.
    """
    check_tables(tables)
    scale_up = tables.get("scale_up")
    figures = {} if scale_up is None else published_sums(scale_up, headline, policy)
    cells, sums = decide(
        inputs, figures, geography, policy, exceptions or set(), shown_before or set()
    )
    reasons = _reasons_of(cells)
    done: dict[str, pd.DataFrame] = {}
    for name, table in tables.items():
        frame = table.reset_index(drop=True)
        if name == "reporting" and len(frame):
            why = decide_shares(frame, cells, geography, policy)
            done[name] = _controlled(frame, why, policy)
        elif RULES[name] == "estimates":
            frame = _of_published_domains(frame, geography)
            why = _row_reasons(frame, cells, sums, name)
            if name == "small_areas":
                frame, why = _without_borrowed_places(frame, why)
            if "headline" in frame and len(frame):
                frame = _without_small_differences(frame, policy)
            done[name] = _controlled(_without_few_zeros(frame, why, policy), why, policy)
        elif RULES[name] == "distribution":
            done[name] = merged_bins(frame, policy)
        elif RULES[name] == "areas":
            done[name] = controlled_areas(frame, reasons, policy)
        elif RULES[name] == "process":
            done[name] = controlled_process(frame, reasons, geography, policy)
        elif RULES[name] == "diagnostics":
            done[name] = controlled_diagnostics(frame, geography, policy)
        else:
            done[name] = controlled_beside(name, frame, reasons, policy)
    return Released(done, _log(done, cells), _summary(done))


def _of_published_domains(table: pd.DataFrame, geography: Geography) -> pd.DataFrame:
    """Leave out rows of places that aren't published, such as a model's areas: names as well."""
    if "domain_type" not in table:
        return table
    kinds = {NATION[0], *geography.kinds}
    return table[table["domain_type"].isin(kinds)].reset_index(drop=True)


def _without_few_zeros(
    table: pd.DataFrame, reasons: NDArray[np.object_], policy: Policy
) -> pd.DataFrame:
    """Leave out shares of respondents without any degree where they are, or all but, a handful.

    The share is weighted; about how many respondents it stands for follows from the number of
    respondents. Where one domain's share is left out, so are those of all domains of its type,
    whose rest it would be.
    """
    if "zero_share" not in table or not len(table):
        return table
    n, share = table["n"].to_numpy(float), table["zero_share"].to_numpy(float)
    few = reasons != ""
    for count in (share * n, (1 - share) * n):
        few |= (count > 0) & (count < policy.minimum_respondents)
    keys = [key for key in ("estimator", "group", "domain_type") if key in table]
    gone = table.assign(few=few).groupby(keys, sort=False)["few"].transform("any")
    return table.assign(zero_share=table["zero_share"].where(~gone))


def published_sums(scale_up: pd.DataFrame, headline: str, policy: Policy) -> dict[str, Figures]:
    """Tell how finely each hidden group's sums over domains are published.

    Parameters
    ----------
    scale_up
        The uncontrolled estimates.
    headline
        The estimator whose estimates are summed.
    policy
        Rounding.

    Returns
    -------
    dict
        By group.
    """
    persons = scale_up[scale_up["unit"] == "persons"]
    figures = {}
    for group, part in persons.groupby("group", sort=False):
        own = part[part["estimator"] == headline]
        estimates = {
            place: float(value)
            for place, value in zip(places_of(own), own["estimate"].to_numpy(float), strict=True)
        }
        sums: dict[str, tuple[float, float, Mapping[Place, float]]] = {}
        totals = part[part["estimator"].astype(str).str.startswith(SUM_OF)]
        low, high = derivable_estimates(totals, policy)
        for row, least, most in zip(records(totals), low, high, strict=True):
            domain_type = str(row["estimator"]).removeprefix(SUM_OF)
            within = {place: value for place, value in estimates.items() if place[0] == domain_type}
            total = float(row["estimate"])
            ends = (least / total, most / total) if total > 0 else (1.0, 1.0)
            sums[domain_type] = (*ends, within)
        figures[str(group)] = Figures(sums)
    return figures


def _without_borrowed_places(
    table: pd.DataFrame, reasons: NDArray[np.object_]
) -> tuple[pd.DataFrame, NDArray[np.object_]]:
    """Withhold what would give a withheld place away by what it lends to the others.

    Fay-Herriot's places are drawn to a mean of all direct rates, from which a lone withheld one
    could be solved; so could it from a chi-squared of all places' distances.
    """
    frame, found = table.copy(), reasons.copy()
    keys = list(zip(frame["estimator"], frame["group"], frame["domain_type"], strict=True))
    torn = {key for key, reason in zip(keys, reasons, strict=True) if reason}
    inside = np.array([key in torn for key in keys], bool)
    frame["disagreement_p"] = frame["disagreement_p"].where(~inside)
    lent = inside & (frame["estimator"] == "fay_herriot").to_numpy(bool) & (found == "")
    found[lent] = COMPLEMENTARY
    return frame, found


def _row_reasons(
    table: pd.DataFrame, cells: pd.DataFrame, sums: set[tuple[str, str]], name: str
) -> NDArray[np.object_]:
    """Take each row's reason from its cell; a row of several cells fails with any of them."""
    reasons = _reasons_of(cells)
    known = {group for group, _ in reasons}
    hidden = set(cells.loc[cells["role"] == "hidden", "group"])
    found = np.full(len(table), "", dtype=object)
    for position, row in enumerate(records(table)):
        group, estimator = str(row["group"]), str(row.get("estimator", ""))
        place = (str(row.get("domain_type", NATION[0])), str(row.get("domain", NATION[1])))
        places = [place, (place[0], str(row["against"]))] if "against" in row else [place]
        if name in ("degree_summary", "agreement"):
            groups = {"degree"}
        else:  # a ratio of hidden groups has no cell of its own: it fails where any of them does
            groups = {group} if group in known else hidden
        # A hidden group's place that was never decided about stays in.
        open_ = "" if groups <= (known - hidden) else GEOGRAPHY
        own = [reasons.get((member, where), open_) for member in sorted(groups) for where in places]
        found[position] = next(filter(None, own), "")
        summed = estimator.startswith(SUM_OF) and (group, estimator.removeprefix(SUM_OF)) in sums
        forced = estimator.endswith("_benchmarked") and (group, place[0]) in sums
        if not found[position] and (summed or forced):
            found[position] = COMPLEMENTARY
    return found


def _reasons_of(cells: pd.DataFrame) -> dict[tuple[str, Place], str]:
    return {
        (str(row["group"]), place): str(row["suppressed"])
        for row, place in zip(records(cells), places_of(cells), strict=True)
    }


def _controlled(table: pd.DataFrame, reasons: NDArray[np.object_], policy: Policy) -> pd.DataFrame:
    """Round, flag and withhold the rows of a table of estimates."""
    flags = precision_flags(_with_precision(table), policy)
    frame = rounded_estimates(table, policy)
    points = [c for c in ("estimate", *ERRORS) if c in frame]
    frame.loc[flags == INTERVAL_ONLY, points] = np.nan
    withheld = reasons != ""
    numbers = [c for c in numeric_columns(frame) if c not in ("level", "known_size", "year")]
    for column in numbers:
        if column in COUNTS:
            frame[column] = frame[column].astype("Int64")
        frame.loc[withheld, column] = None if column in COUNTS else np.nan
    if "interval" in frame:  # how the limits were made would tell that nobody reported
        frame.loc[withheld, "interval"] = ""
    frame["suppressed"] = reasons
    frame["precision"] = np.where(withheld, "", flags)
    return frame


def _with_precision(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out of the flags what has no coefficient of variation: logarithms and factors."""
    if "unit" not in table:
        return table
    logarithm = table["unit"].astype(str).str.startswith("log_")
    return table.assign(std_error=table["std_error"].where(~logarithm))


def rounded_estimates(table: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Round a table of estimates: counts first, rates from the rounded counts.

    Parameters
    ----------
    table
        Unrounded estimates with their limits and standard errors.
    policy
        Digits.

    Returns
    -------
    pandas.DataFrame
        A copy; numbers of respondents and settings stay.
    """
    frame = table.copy()
    step = rounding_step(
        frame["estimate"].to_numpy(float), frame["std_error"].to_numpy(float), policy
    )
    # Where nobody reports there is no standard error: the upper limit sets the step.
    fallback = rounding_step(frame["upper"].to_numpy(float), np.full(len(frame), np.nan), policy)
    step = np.where(np.isnan(step), fallback, step)
    equal = np.full(len(frame), 1.0 if "against" in frame else np.nan)
    if "known_size" in frame:
        equal = frame["known_size"].to_numpy(float)
    frame["estimate"] = rounded(frame["estimate"].to_numpy(float), step)
    for column in ("lower", "upper"):
        frame[column] = rounded_apart(frame[column].to_numpy(float), step, equal)
    for column in ERRORS:
        if column in frame:
            frame[column] = significant(frame[column].to_numpy(float), 2)
    for column in numeric_columns(frame):
        if column not in EXACT and column not in LIMITS and column not in ERRORS:
            values = frame[column].to_numpy(float)
            frame[column] = significant(values, policy.significant_digits)
    return _rates_from_counts(frame, table, policy)


def _rates_from_counts(frame: pd.DataFrame, exact: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Compute rates and their limits anew from the rounded counts."""
    if "unit" not in frame or not set(frame["unit"]) & set(RATE_UNITS):
        return frame
    keys = [c for c in _keys_of(exact) if c != "unit"]
    cells = list(exact[keys].itertuples(index=False, name=None))
    units = exact["unit"].tolist()
    places = {
        cell: place
        for place, (cell, unit) in enumerate(zip(cells, units, strict=True))
        if unit == "persons"
    }
    pairs = [
        (place, places[cell])
        for place, (cell, unit) in enumerate(zip(cells, units, strict=True))
        if unit in RATE_UNITS and cell in places
    ]
    upper = exact["upper"].to_numpy(float)
    limits = frame[LIMITS].to_numpy(float)
    for rate, count in pairs:
        if upper[rate] > 0 and upper[count] > 0:
            exactly = limits[count] * (upper[rate] / upper[count])
            limits[rate] = significant(exactly, policy.significant_digits)
    frame[LIMITS] = limits
    return frame


def _keys_of(table: pd.DataFrame) -> list[str]:
    from pandas.api.types import is_numeric_dtype

    return [c for c in table.columns if not is_numeric_dtype(table[c]) and c != "interval"]


def _log(tables: Mapping[str, pd.DataFrame], cells: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    columns = ["table", *CELL, "against", "estimator", "unit", "suppressed"]
    parts = []
    for name, table in tables.items():
        if "suppressed" not in table:
            continue
        rows = table[table["suppressed"] != ""].assign(table=name)
        parts.append(rows.reindex(columns=columns))
    excepted = cells[cells["exception"]]
    if len(excepted):
        parts.append(excepted.assign(table="all", suppressed="exception").reindex(columns=columns))
    filled = [part.astype(object).fillna("") for part in parts if len(part)]
    log = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=columns)
    return log.drop_duplicates(ignore_index=True)


def _without_small_differences(table: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Leave an estimator's counts out where they differ by a few from others that are shown.

    Estimators leave different respondents out; the difference of two counts of one cell would be a
    count of a handful of people, and so would what remains of a whole's difference beside its
    parts'. An estimator's counts of a group are therefore shown in all cells or in none: where each
    is the same as, or far enough from, those of the headline and of every estimator before it.
    """
    frame = table.copy()
    for column in COUNTS:
        frame[column] = frame[column].astype("Int64")
    place = [key for key in CELL[1:] if key in table]
    which = [key for key in _keys_of(table) if key not in (*CELL, "unit")]
    ways: dict[tuple[str, ...], list[int]] = {}
    for row, key in enumerate(zip(*(table[k].astype(str) for k in ["group", *which]), strict=True)):
        ways.setdefault(key, []).append(row)
    cells = [tuple(row) for row in table[place].to_numpy(object)]
    counts = [tuple(row) for row in table[COUNTS].to_numpy(float)]
    headline = table["headline"].to_numpy(bool)
    shown: dict[str, list[dict[Any, tuple[float, ...]]]] = {}
    few: list[int] = []
    for (group, *_), rows in sorted(ways.items(), key=lambda way: not headline[way[1]].any()):
        own = {cells[row]: counts[row] for row in rows}
        before = shown.setdefault(group, [])
        if own in before:
            continue
        if all(_far_apart(own, other, policy) for other in before):
            before.append(own)
        else:
            few += rows
    for column in COUNTS:
        frame.loc[few, column] = None
    return frame


def _far_apart(
    first: Mapping[Any, tuple[float, ...]], second: Mapping[Any, tuple[float, ...]], policy: Policy
) -> bool:
    """Whether the counts of all cells are the same, or differ by as many as may be shown."""
    floors = (policy.minimum_respondents, policy.minimum_reporting)
    return not any(
        0 < abs(one - other) < floor
        for cell in first.keys() & second.keys()
        for one, other, floor in zip(first[cell], second[cell], floors, strict=True)
    )


def _summary(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for name, table in tables.items():
        if "suppressed" not in table or not len(table):
            continue
        by = [c for c in ("group", "domain_type") if c in table]
        for key, part in table.groupby(by, sort=False):
            row: dict[str, Any] = {"table": name, "group": "", "domain_type": "national"}
            row |= dict(zip(by, key, strict=True))
            row |= {"rows": len(part), "released": int((part["suppressed"] == "").sum())}
            row |= {reason: int((part["suppressed"] == reason).sum()) for reason in REASONS}
            flags = part["precision"] if "precision" in part else pd.Series([], dtype=str)
            row |= {flag: int((flags == flag).sum()) for flag in ("imprecise", "interval_only")}
            rows.append(row)
    columns = ["table", "group", "domain_type", "rows", "released", *REASONS]
    return pd.DataFrame(rows, columns=[*columns, "imprecise", "interval_only"])


def validation(
    scale_up: pd.DataFrame, truth: Sequence[Mapping[str, Any]], headline: str
) -> pd.DataFrame:
    """Compare the released headline with a planted truth; synthetic surveys only.

    Parameters
    ----------
    scale_up
        The released estimates.
    truth
        Rows with `group`, `domain_type`, `domain`, `unit` and `truth`.
    headline
        The pre-specified estimator.

    Returns
    -------
    pandas.DataFrame
        Columns group, domain_type, domain, unit, truth, estimate, lower, upper, covered (empty
        where the interval is withheld), suppressed.
    """
    import pandas as pd

    keys = [*CELL, "unit"]
    columns = [*keys, "truth", *LIMITS, "covered", "suppressed"]
    if not len(truth):
        return pd.DataFrame(columns=columns)
    planted = pd.DataFrame(list(truth))[[*keys, "truth"]]
    ratios = (scale_up["unit"] == "ratio") & ~modelled_rows(scale_up)  # whatever the headline is
    own = scale_up[(scale_up["estimator"] == headline) | ratios][[*keys, *LIMITS, "suppressed"]]
    found = own.merge(planted, on=keys, how="inner", validate="one_to_one")
    inside = (found["lower"] <= found["truth"]) & (found["truth"] <= found["upper"])
    shown = found["lower"].notna() & (found["suppressed"] == "")
    covered = inside.astype(object).where(shown, None)
    digits = significant(found["truth"].to_numpy(float), 4)
    return found.assign(covered=covered, truth=digits)[columns]
