"""Network size (degree) of each respondent, from the numbers known in groups of known size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prevalence.domains import Domain
from prevalence.errors import PipelineError, check_known, listed
from prevalence.ratio import Inference, RatioBatch, Sampling, tidy

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

MISSING = ("exclude", "zero")


def known_population_degrees(
    counts: Array,
    sizes: Array,
    population: float | Array,
    *,
    missing: str = "exclude",
    minimum_groups: int = 1,
) -> Array:
    """Estimate degrees by the known-population method, with a denominator of each respondent's own.

    ``d_i = N_U * sum_{k in A_i} y_ik / sum_{k in A_i} N_k``, where ``A_i`` holds the known groups
    that respondent `i` answered: a skipped question doesn't shrink the network.

    Parameters
    ----------
    counts
        People known, shape (n, K); NaN where the question wasn't answered.
    sizes
        Sizes of the known groups in persons, shape (K,), or (n, K) where they differ by region.
    population
        ``N_U``, the size of everyone whom the tie definition admits; (n,) with `sizes` (n, K).
    missing
        ``exclude`` leaves an unanswered group out of the respondent's denominator; ``zero`` counts
        it as nobody known (what some R packages do; for comparison only).
    minimum_groups
        Fewer answered groups than this: degree missing.

    Returns
    -------
    numpy.ndarray
        Degrees in persons, shape (n,); NaN where missing.

    Raises
    ------
    PipelineError
        If a size isn't positive or the arrays don't fit.

    Notes
    -----
    Killworth et al. 1998b, *Evaluation Review* 22:289; Feehan & Salganik 2016, *Sociological
    Methodology* 46:153.
    """
    _check(counts, sizes, missing)
    answered = ~np.isnan(counts)
    known = np.where(answered, counts, 0.0).sum(axis=1)
    counted = np.ones_like(answered) if missing == "zero" else answered
    size_answered = (counted * sizes).sum(axis=1)
    enough = answered.sum(axis=1) >= max(minimum_groups, 1)
    safe = np.where(enough, size_answered, 1.0)
    return np.where(enough, population * known / safe, np.nan)


def mean_of_ratios_degrees(
    counts: Array,
    sizes: Array,
    population: float | Array,
    *,
    missing: str = "exclude",
    minimum_groups: int = 1,
) -> Array:
    """Estimate degrees by the mean of ratios, every known group having the same say.

    ``d_i = (N_U / |A_i|) sum_{k in A_i} y_ik / N_k``.

    Parameters
    ----------
    counts, sizes, population, missing, minimum_groups
        As in :func:`known_population_degrees`.

    Returns
    -------
    numpy.ndarray
        Degrees in persons, shape (n,); NaN where missing.

    Raises
    ------
    PipelineError
        If a size isn't positive or the arrays don't fit.

    Notes
    -----
    Killworth et al. 1998a, *Social Networks* 20:23.
    """
    _check(counts, sizes, missing)
    answered = ~np.isnan(counts)
    ratios = (np.where(answered, counts, 0.0) / sizes).sum(axis=1)
    n_answered = answered.sum(axis=1)
    divisor = counts.shape[1] if missing == "zero" else n_answered
    enough = n_answered >= max(minimum_groups, 1)
    return np.where(enough, population * ratios / np.maximum(divisor, 1), np.nan)


def degrees(
    estimator: str,
    counts: Array,
    sizes: Array,
    population: float | Array,
    *,
    missing: str = "exclude",
    minimum_groups: int = 1,
) -> Array:
    """Estimate degrees by the named estimator: ``known_population`` or ``mean_of_ratios``.

    Raises
    ------
    PipelineError
        If the estimator has no such name.
    """
    functions = {
        "known_population": known_population_degrees,
        "mean_of_ratios": mean_of_ratios_degrees,
    }
    if estimator not in functions:
        raise PipelineError(
            "A degree estimator is unknown.", found=estimator, allowed=", ".join(functions)
        )
    return functions[estimator](
        counts, sizes, population, missing=missing, minimum_groups=minimum_groups
    )


def groups_answered(counts: Array) -> NDArray[np.int64]:
    """Count the known groups that each respondent answered, shape (n,)."""
    answered: NDArray[np.int64] = (~np.isnan(counts)).sum(axis=1)
    return answered


def degree_distribution(
    degree: Array, weights: Array, bins: int = 20
) -> tuple[Array, Array, Array, NDArray[np.int64]]:
    """Distribute degrees in bins that a reader can name.

    Parameters
    ----------
    degree
        Degrees, shape (n,); NaN is left out.
    weights
        Weights, shape (n,).
    bins
        About how many bins span the range up to the 95th percentile; the last bin is open.

    Returns
    -------
    lower, upper : numpy.ndarray
        Bounds in persons. The first bin is degree 0 alone (both bounds 0); each other one runs from
        above its lower bound up to and including its upper one; the last is open (NaN).
    share : numpy.ndarray
        Weighted shares, which sum to 1.
    n : numpy.ndarray
        Respondents.
    """
    here = ~np.isnan(degree)
    values, mass = degree[here], weights[here]
    high = float(np.quantile(values, 0.95)) if values.size else 0.0
    step = _readable_step(high / bins)
    edges = np.arange(0.0, max(high, step), step)
    upper = np.append(edges[1:], np.inf)
    place = np.where(values == 0, 0, 1 + np.searchsorted(upper, values, side="left"))
    n = np.bincount(place, minlength=len(edges) + 1)
    total = np.bincount(place, weights=mass, minlength=len(edges) + 1)
    bounds = np.append(0.0, upper)
    return (
        np.append(0.0, edges),
        np.where(np.isinf(bounds), np.nan, bounds),
        total / mass.sum(),
        n.astype(np.int64),
    )


def degree_summary(
    by_definition: Mapping[str, Array],
    domains: Sequence[Domain],
    sampling: Sampling,
    inference: Inference,
) -> pd.DataFrame:
    """Average the degrees, by definition and domain.

    Parameters
    ----------
    by_definition
        Degrees by definition, each of shape (n,).
    domains
        The nation first.
    sampling
        Weights, replicates, design.
    inference
        How intervals are made.

    Returns
    -------
    pandas.DataFrame
        Weighted mean degree with its interval, and the weighted share of degree 0 (zero_share).
    """
    batch, keys = RatioBatch(len(sampling.weights)), []
    shares = []
    for name, degree in by_definition.items():
        for domain in domains:
            batch.add(degree, np.ones(len(degree)), domain.mask)
            inside = domain.mask & ~np.isnan(degree)
            mass = sampling.weights[inside]
            shares.append(float(mass[degree[inside] == 0].sum() / mass.sum()) if mass.size else 0.0)
            keys.append(
                {"estimator": name, "group": "degree", "unit": "people_known"}
                | {"domain_type": domain.type, "domain": domain.name}
            )
    table = tidy(keys, batch.evaluate(sampling), np.ones(len(keys)), inference)
    return table.assign(zero_share=shares)


def _readable_step(width: float) -> float:
    """Find the smallest of 1, 2, 5, 10, 20, 50, … that isn't below `width`."""
    if width <= 1:
        return 1.0
    power = 10.0 ** np.floor(np.log10(width))
    return float(next(m * power for m in (1, 2, 5, 10) if m * power >= width * (1 - 1e-12)))


def _check(counts: Array, sizes: Array, missing: str) -> None:
    if missing not in MISSING:
        raise PipelineError(
            "The treatment of missing answers is unknown.",
            place="estimate.degree.missing",
            found=missing,
            allowed=", ".join(MISSING),
        )
    if counts.ndim != 2 or sizes.shape[-1] != counts.shape[1]:
        raise PipelineError(
            "Counts and sizes of the known groups don't fit.",
            found=f"counts {counts.shape}, sizes {sizes.shape}",
            allowed="(n, K) and (K,) or (n, K)",
        )
    if not np.all(sizes > 0):
        raise PipelineError(
            "A known group has no size above 0.",
            file="known_groups.csv",
            place="size",
            found=f"{int((~(sizes > 0)).sum())} of {sizes.size} sizes",
            allowed="a number of persons above 0",
            remedy="Give the size with its source, or take the group out of headline.known_groups.",
        )


def check_sized(
    groups: Sequence[str], sizes: Mapping[str, float], asked: Iterable[str], place: str
) -> None:
    """Refuse known groups that don't exist, or have no size.

    Parameters
    ----------
    groups
        Known groups that the config names.
    sizes
        Sizes of known groups, in persons.
    asked
        Groups that respondents were asked about.
    place
        Where the config names them.

    Raises
    ------
    PipelineError
        Naming the groups: those that don't exist with the likeliest name.
    """
    there = {*sizes, *asked}
    check_known(
        [group for group in groups if group not in there],
        sizes,
        "A known group of the config doesn't exist.",
        place=place,
    )
    unsized = [group for group in groups if not sizes.get(group, 0) > 0]
    if unsized:
        raise PipelineError(
            "A known group has no size above 0.",
            file="known_groups.csv",
            place="size",
            found=listed(unsized),
            allowed="a number of persons above 0",
            remedy=f"Give the size with its source, or take the group out of {place}.",
        )


def leave_one_out_degrees(
    estimator: str,
    counts: Array,
    sizes: Array,
    population: float,
    *,
    missing: str = "exclude",
    minimum_groups: int = 1,
) -> Array:
    """Estimate degrees from all known groups but one, for each group that is left out.

    Parameters
    ----------
    estimator
        ``known_population`` or ``mean_of_ratios``.
    counts
        People known, shape (n, K); NaN where the question wasn't answered.
    sizes
        Sizes of the known groups, shape (K,).
    population
        ``N_U``.
    missing
        ``exclude`` or ``zero``.
    minimum_groups
        Fewer answers in the other groups than this: degree missing; at most K - 1.

    Returns
    -------
    numpy.ndarray
        Shape (n, K): column `k` holds the degrees without group `k`.
    """
    _check(counts, sizes, missing)
    answered = ~np.isnan(counts)
    known = np.where(answered, counts, 0.0)
    counted = np.ones_like(answered) if missing == "zero" else answered
    if estimator == "mean_of_ratios":
        top, bottom = known / sizes, counted.astype(float)
    else:
        top, bottom = known, counted * sizes
    others = answered.sum(axis=1, keepdims=True) - answered
    enough = others >= max(min(minimum_groups, counts.shape[1] - 1), 1)
    rest = bottom.sum(axis=1, keepdims=True) - bottom
    numerator = top.sum(axis=1, keepdims=True) - top
    return np.where(enough, population * numerator / np.where(enough, rest, 1.0), np.nan)
