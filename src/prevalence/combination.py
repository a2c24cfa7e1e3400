"""Combining the items of a hidden group into one report, and the published imputations.

Live and non-live reports of one respondent overlap: maximum ≤ union ≤ sum. Which bound is used is
configured and named (`methods`, cleaning).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from prevalence.codebook import MISSING_KINDS
from prevalence.errors import PipelineError, check_known

if TYPE_CHECKING:
    from numpy.typing import NDArray

COMBINATIONS = ("maximum", "sum", "single")
INCOMPLETE = ("available", "missing")
AS_GIVEN = "as_given"  # nothing to combine, or groups with a rule each
NOT_IMPUTED, PUBLISHED = "none", "published"


def shared_rule(rules: Iterable[str]) -> str:
    """Name the rule by which all groups of several items are combined, else ``as_given``."""
    named = {rule for rule in rules if rule != AS_GIVEN}
    return named.pop() if len(named) == 1 else AS_GIVEN


def choices_made(
    combine: Mapping[str, Mapping[str, Any]] | None, imputations: Sequence[Any] | None
) -> tuple[str, str]:
    """Name what the clean stage does to the reports of hidden groups.

    Parameters
    ----------
    combine, imputations
        The sections `clean.combine` and `clean.imputations` of a survey's config.

    Returns
    -------
    combination, imputation : str
        As in the specification table.
    """
    several = [one for one in (combine or {}).values() if len(one.get("items", ())) > 1]
    rule = shared_rule(one.get("rule", AS_GIVEN) for one in several)
    return rule, PUBLISHED if imputations else NOT_IMPUTED


def combine_reports(
    items: NDArray[np.float64], rule: str, incomplete: str = "available"
) -> NDArray[np.float64]:
    """Combine the items of a hidden group, respondent by respondent.

    A report on one item and none on another (refused, don't know) is a lower bound of either rule.
    Dropping such respondents would lose reports and keep their zeros, or the reverse, depending on
    who leaves items out; the answered items are therefore used, and the choice can be changed.

    Parameters
    ----------
    items
        Shape (n, items): people known, NaN where missing.
    rule
        ``maximum`` (the lower bound of the union, and the union itself where one item is a subset
        of the other), ``sum`` (its upper bound) or ``single`` (the first item alone).
    incomplete
        ``available``: the answered items are combined. ``missing``: one missing item makes the
        report missing.

    Returns
    -------
    numpy.ndarray
        Shape (n,): people known; NaN where every item is missing.

    Raises
    ------
    PipelineError
        If the rule is unknown or there is no item.
    """
    for name, value, allowed in (
        ("rule", rule, COMBINATIONS),
        ("incomplete", incomplete, INCOMPLETE),
    ):
        check_known(
            value,
            allowed,
            "A way of combining reports is unknown.",
            place=f"clean.combine ({name})",
        )
    items = np.asarray(items, dtype=np.float64)
    if items.ndim != 2 or items.shape[1] == 0:
        raise PipelineError("A hidden group has no item to combine.", place="clean.combine")
    if rule == "single":
        return items[:, 0].copy()
    answered = ~np.isnan(items)
    known = answered.all(axis=1) if incomplete == "missing" else answered.any(axis=1)
    if rule == "sum":
        combined = np.where(answered, items, 0.0).sum(axis=1)
    else:
        combined = np.where(answered, items, -np.inf).max(axis=1)
    return np.where(known, combined, np.nan)


def combine_reasons(
    reasons: NDArray[np.object_], combined: NDArray[np.float64], rule: str
) -> NDArray[np.object_]:
    """Say why combined reports are missing.

    Parameters
    ----------
    reasons
        Shape (n, items): kind of missing value, empty where there is an answer.
    combined
        Shape (n,): the combined reports.
    rule
        The rule that combined them.

    Returns
    -------
    numpy.ndarray
        Shape (n,): empty where there is a report; else the first of refused, don't know, out of
        range, not asked and system that any item has.
    """
    if rule == "single":
        reasons = reasons[:, :1]
    result = np.full(combined.shape, "", dtype=object)
    for kind in reversed(MISSING_KINDS):
        result[(reasons == kind).any(axis=1)] = kind
    return np.where(np.isnan(combined), result, "").astype(object)


def impute_victims_from_perpetrators(
    victims: NDArray[np.float64], perpetrators: NDArray[np.float64], value: float = 4.0
) -> NDArray[np.float64]:
    """Impute victims where a respondent reports perpetrators only.

    In the published code such a respondent gets 4 victims. It makes a ratio of victims to
    perpetrators partly circular, and is off in the headline.

    Parameters
    ----------
    victims, perpetrators
        Shape (n,): people known, NaN where missing.
    value
        Number of victims imputed.

    Returns
    -------
    numpy.ndarray
        Shape (n,): victims, imputed where perpetrators are above zero and victims zero or missing.
    """
    alone = (perpetrators > 0) & ~(victims > 0)
    return np.where(alone, value, victims)


def impute_perpetrators_from_victims(
    victims: NDArray[np.float64],
    perpetrators: NDArray[np.float64],
    adults: NDArray[np.float64],
    municipality: NDArray[np.object_],
) -> NDArray[np.float64]:
    """Impute perpetrators where a respondent reports victims only.

    In the published code such a respondent gets the mean number of adults in the households of the
    municipality. It is off in the headline.

    Parameters
    ----------
    victims, perpetrators
        Shape (n,): people known, NaN where missing.
    adults
        Shape (n,): adults in the respondent's household, NaN where missing.
    municipality
        Shape (n,): the respondent's municipality.

    Returns
    -------
    numpy.ndarray
        Shape (n,): perpetrators, imputed where victims are above zero and perpetrators zero or
        missing. Where no household of the municipality says how many adults it has, the mean over
        all households is taken.
    """
    alone = (victims > 0) & ~(perpetrators > 0)
    places, index = np.unique(np.asarray(municipality, dtype=str), return_inverse=True)
    told = np.isfinite(adults)
    n = np.bincount(index[told], minlength=places.size)
    total = np.bincount(index[told], weights=adults[told], minlength=places.size)
    overall = total.sum() / n.sum() if n.sum() else np.nan
    means = np.where(n > 0, total / np.maximum(n, 1), overall)
    return np.where(alone, means[index], perpetrators)
