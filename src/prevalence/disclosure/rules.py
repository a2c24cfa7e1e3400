"""Primary rules of disclosure control: thresholds, complements, dominance, geography, precision.

Source: Hundepool et al., *Handbook on Statistical Disclosure Control*, chapters 4 and 5. The floors
of the thresholds stand in ``workflow/schemas/disclosure.yaml``.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prevalence.errors import PipelineError, listed

if TYPE_CHECKING:
    import pandas as pd

PRIMARY = "primary"
DOMINANCE = "dominance"
GEOGRAPHY = "geography"
COMPLEMENTARY = "complementary"
REASONS = (PRIMARY, COMPLEMENTARY, DOMINANCE, GEOGRAPHY)
IMPRECISE = "imprecise"
INTERVAL_ONLY = "interval_only"
CELL = ["group", "domain_type", "domain"]
Place = tuple[str, str]  # type of domain, domain
NATION: Place = ("national", "national")
# Variables of a sampling frame that are places below any that is released.
UNITS = ("stratum", "psu", "ssu", "barangay", "city", "municipality", "province", "interviewer")
# Roles whose reports are about hidden people or crimes: the number who report matters too.
SENSITIVE_ROLES = ("hidden", "situation")


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the rows of a table as plain mappings, in order."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def places_of(table: pd.DataFrame) -> list[Place]:
    """Give each row's type of domain and domain."""
    return [
        (str(domain_type), str(domain))
        for domain_type, domain in zip(table["domain_type"], table["domain"], strict=True)
    ]


@dataclass(frozen=True)
class Policy:
    """The thresholds of ``config/disclosure.yaml``, whose schema explains each.

    Parameters
    ----------
    minimum_respondents, minimum_reporting
        Floors of a cell and of its complement, in respondents.
    minimum_areas
        Fewest areas in a distribution over areas that aren't named.
    largest, two_largest
        Largest shares of the weighted reports of one and of two respondents.
    relative_width, protected_reporting
        Least width of what can be derived of a suppressed cell.
    largest_failing_share
        Of a geography's cells; above it the whole geography is withheld.
    geographies
        Types of geographic domain from the largest to the smallest.
    protected
        Types of domain that are never suppressed for another cell's sake.
    significant_digits, standard_error_share
        Digits of released numbers.
    imprecise, interval_only, minimum_df
        Precision flags.
    """

    minimum_respondents: int = 10
    minimum_reporting: int = 10
    minimum_areas: int = 50
    largest: float = 0.5
    two_largest: float = 0.9
    relative_width: float = 0.5
    protected_reporting: int = 10
    largest_failing_share: float = 0.5
    geographies: tuple[str, ...] = ("national", "island_group", "region")
    protected: tuple[str, ...] = ("national", "island_group")
    significant_digits: int = 3
    standard_error_share: float = 0.1
    imprecise: float = 0.3
    interval_only: float = 0.5
    minimum_df: float = 4

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Policy:
        """Take the policy from a checked ``config/disclosure.yaml``.

        Raises
        ------
        PipelineError
            If places below the region stand before it: they would count as larger.
        """
        order = list(config["geographies"])
        region = order.index("region") if "region" in order else len(order)
        if order[0] != NATION[0] or set(order[:region]) & set(UNITS):
            raise PipelineError(
                "The geographies aren't in order, and small places would count as large ones.",
                file="config/disclosure.yaml",
                place="geographies",
                found=listed(order),
                allowed="from the largest, national, to the smallest",
                remedy="Put them in order.",
            )
        return cls(
            minimum_respondents=config["minimum_respondents"],
            minimum_reporting=config["minimum_reporting"],
            minimum_areas=config["minimum_areas"],
            largest=config["dominance"]["largest"],
            two_largest=config["dominance"]["two_largest"],
            relative_width=config["protection"]["relative_width"],
            protected_reporting=config["protection"]["reporting"],
            largest_failing_share=config["largest_failing_share"],
            geographies=tuple(config["geographies"]),
            protected=tuple(config["protected"]),
            significant_digits=config["rounding"]["significant_digits"],
            standard_error_share=config["rounding"]["standard_error_share"],
            imprecise=config["precision"]["imprecise"],
            interval_only=config["precision"]["interval_only"],
            minimum_df=config["precision"]["minimum_df"],
        )


def valid_exceptions(
    exceptions: Sequence[Mapping[str, Any]], survey: str, today: datetime.date
) -> set[tuple[str, str, str]]:
    """Cells of a survey that an exception releases.

    Parameters
    ----------
    exceptions
        As ``config/disclosure.yaml`` has them.
    survey
        Id of the survey.
    today
        The day of the run.

    Returns
    -------
    set of tuple
        Group, domain type and domain of each cell.

    Raises
    ------
    PipelineError
        If one of them has expired: a release must not change silently with the calendar.
    """
    mine = [exception for exception in exceptions if exception["survey"] == survey]
    for exception in mine:
        if _day(exception) < today:
            raise PipelineError(
                "An exception from disclosure control has expired.",
                file="config/disclosure.yaml",
                place=f"exceptions: {exception['group']}, {exception['domain']}",
                found=f"expiry {exception['expiry']}",
                allowed=f"a day from {today.isoformat()} on",
                remedy="Remove the exception, or have it approved again with a new expiry.",
            )
    return {(e["group"], e["domain_type"], e["domain"]) for e in mine}


def _day(exception: Mapping[str, Any]) -> datetime.date:
    """Day of an expiry; YAML reads one without quotation marks as a date."""
    try:
        return datetime.date.fromisoformat(str(exception["expiry"]))
    except ValueError:
        raise PipelineError(
            "The expiry of an exception from disclosure control is no day.",
            file="config/disclosure.yaml",
            place=f"exceptions: {exception['group']}, {exception['domain']}",
            found=exception["expiry"],
            allowed="a day of the calendar, YYYY-MM-DD",
            remedy="Mend the date.",
        ) from None


def exceptions_table(exceptions: Sequence[Mapping[str, str]], survey: str) -> pd.DataFrame:
    """List a survey's exceptions, as the report shows them.

    Parameters
    ----------
    exceptions
        As ``config/disclosure.yaml`` has them.
    survey
        Id of the survey.

    Returns
    -------
    pandas.DataFrame
        Columns group, domain_type, domain, reason, approver, expiry.
    """
    import pandas as pd

    columns = [*CELL, "reason", "approver", "expiry"]
    rows = [exception for exception in exceptions if exception["survey"] == survey]
    return pd.DataFrame(rows, columns=columns).astype(str)


def cell_reasons(cells: pd.DataFrame, policy: Policy) -> NDArray[np.object_]:
    """Say why each cell fails on its own: its counts, its complement, or dominance.

    Parameters
    ----------
    cells
        Columns `role`, `n`, `n_reporting`, `n_complement`, `n_reporting_complement` (NaN where the
        cell is the whole), `top1_share`, `top2_share`; optionally `n_zero`, respondents who report
        nobody, where a share of respondents is published.
    policy
        The thresholds.

    Returns
    -------
    numpy.ndarray
        ``""``, ``primary`` or ``dominance`` for each cell, shape (n,).
    """
    few = _below(cells["n"], policy.minimum_respondents)
    few |= _below(cells["n_complement"], policy.minimum_respondents)
    sensitive = cells["role"].isin(SENSITIVE_ROLES).to_numpy(bool)
    few |= sensitive & _below(cells["n_reporting"], policy.minimum_reporting)
    few |= sensitive & _below(cells["n_reporting_complement"], policy.minimum_reporting)
    if "n_zero" in cells:
        few |= sensitive & _below(cells["n_zero"], policy.minimum_reporting)
    tolerance = 1e-12  # shares are sums of floats
    dominated = _above(cells["top1_share"], policy.largest + tolerance)
    dominated |= _above(cells["top2_share"], policy.two_largest + tolerance)
    reasons = np.full(len(cells), "", dtype=object)
    reasons[sensitive & dominated] = DOMINANCE
    reasons[few] = PRIMARY
    return reasons


def geographic_reasons(
    cells: pd.DataFrame,
    reasons: NDArray[np.object_],
    kinds: Mapping[str, str],
    smallest: str,
    policy: Policy,
) -> NDArray[np.object_]:
    """Withhold a geography that is too small, or of which too many cells fail.

    Parameters
    ----------
    cells
        Columns `group`, `domain_type`.
    reasons
        From :func:`cell_reasons`, shape (n,).
    kinds
        ``geographic`` or ``respondent`` for each type of domain.
    smallest
        Smallest geography that may be released.
    policy
        The thresholds.

    Returns
    -------
    numpy.ndarray
        The reasons, with ``geography`` for every cell of a withheld geography, shape (n,).
    """
    found = reasons.copy()
    for (_, domain_type), part in cells.groupby(["group", "domain_type"], sort=False):
        if domain_type == "national" or kinds.get(str(domain_type)) != "geographic":
            continue
        places = cells.index.get_indexer(part.index)
        failing = np.mean(found[places] != "")
        whole = domain_type in policy.protected and domain_type != smallest
        sieve = not whole and failing > policy.largest_failing_share
        if too_small(str(domain_type), smallest, policy) or sieve:
            found[places] = GEOGRAPHY
    return found


def too_small(domain_type: str, smallest: str, policy: Policy) -> bool:
    """Whether a type of geographic domain is smaller than the smallest that may be released."""
    order = {name: place for place, name in enumerate(policy.geographies)}
    last = len(order)
    return domain_type != smallest and order.get(domain_type, last) >= order.get(smallest, last)


def precision_flags(table: pd.DataFrame, policy: Policy) -> NDArray[np.object_]:
    """Flag imprecise estimates; precision has nothing to do with privacy.

    Parameters
    ----------
    table
        Columns `estimate`, `std_error`; optionally `df`.
    policy
        The thresholds.

    Returns
    -------
    numpy.ndarray
        ``""``, ``imprecise`` or ``interval_only`` for each row, shape (n,).
    """
    estimate = table["estimate"].to_numpy(float)
    error = table["std_error"].to_numpy(float)
    size = np.where(estimate == 0, np.nan, np.abs(estimate))
    variation = error / size
    flags = np.full(len(table), "", dtype=object)
    flags[np.nan_to_num(variation) > policy.imprecise] = IMPRECISE
    only = np.nan_to_num(variation) > policy.interval_only
    if "df" in table:
        only |= _below(table["df"], policy.minimum_df)
    flags[only] = INTERVAL_ONLY
    return flags


def _below(values: pd.Series, floor: float) -> NDArray[np.bool_]:
    """Values below a floor; missing ones aren't (a whole has no complement)."""
    numbers = values.to_numpy(float)
    low: NDArray[np.bool_] = np.where(np.isnan(numbers), np.inf, numbers) < floor
    return low


def _above(values: pd.Series, ceiling: float) -> NDArray[np.bool_]:
    high: NDArray[np.bool_] = np.nan_to_num(values.to_numpy(float)) > ceiling
    return high
