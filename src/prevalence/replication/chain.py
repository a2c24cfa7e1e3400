"""The weighting chain done again in every replicate: nonresponse, trimming, calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from prevalence.calibration import Auxiliary, Distance, calibration_distance, rake, solve_newton
from prevalence.coding import sums
from prevalence.design import SampleDesign
from prevalence.errors import PipelineError
from prevalence.replication.factors import PsuFactors
from prevalence.replication.weights import Adjustments, Replicates

Array = NDArray[np.float64]
Codes = NDArray[np.intp]
Mask = NDArray[np.bool_]

MOST_MERGED_SHARE = 0.01  # share of replicates that may need a merged category


@dataclass(frozen=True, eq=False)
class Households:
    """Sampled households, for the nonresponse factors of each replicate.

    Parameters
    ----------
    psu
        PSU of each household, as a place in ``design.psus``, shape (N,).
    nonresponse_class
        Class, shape (N,).
    eligible
        Design weight times the share that counts as eligible, shape (N,).
    responding
        Design weight of the households that responded, 0 for the others, shape (N,).
    names
        Names of the classes, L of them.
    """

    psu: Codes
    nonresponse_class: Codes
    eligible: Array
    responding: Array
    names: tuple[str, ...]


def nonresponse_factors(
    factors: PsuFactors, households: Households, partners: Mapping[str, str]
) -> tuple[Array, Mask]:
    """Nonresponse factors of each class in each replicate.

    Parameters
    ----------
    factors
        PSU factors.
    households
        The sampled households.
    partners
        Class with which a class is merged in a replicate in which it has no respondent.

    Returns
    -------
    factors : numpy.ndarray
        Eligible over responding weight, shape (L, B).
    merged : numpy.ndarray
        Replicates in which a class was merged, shape (B,).
    """
    eligible = _by_class(factors, households, households.eligible)
    responding = _by_class(factors, households, households.responding)
    merged = merge_empty(
        [eligible, responding], (responding <= 0) & (eligible > 0), households.names, partners
    )
    positive = responding > 0
    return np.where(positive, eligible / np.where(positive, responding, 1.0), 1.0), merged


def _by_class(factors: PsuFactors, households: Households, weight: Array) -> Array:
    classes, psus = len(households.names), len(factors.offset)
    place = households.nonresponse_class * psus + households.psu
    table = sums(place, weight, classes * psus).reshape(classes, psus)
    return np.asarray(
        (table * factors.rescaling) @ factors.drawn + (table @ factors.offset)[:, None]
    )


def merge_empty(
    tables: Sequence[Array], empty: Mask, names: Sequence[str], partners: Mapping[str, str]
) -> Mask:
    """Add the rows of categories that are empty in a replicate to their partner's, in place.

    Parameters
    ----------
    tables
        What is merged, each of shape (categories, B); the empty category is left with 0.
    empty
        Which categories are empty in which replicates, shape (categories, B).
    names
        The categories.
    partners
        Category -> partner; where the partner is empty too, its own partner.

    Returns
    -------
    numpy.ndarray
        Replicates in which something was merged, shape (B,).

    Raises
    ------
    PipelineError
        If an empty category has no partner.
    """
    place = {name: k for k, name in enumerate(names)}
    for k, b in zip(*np.nonzero(empty), strict=True):
        into = place.get(partners.get(names[k], ""))
        passed = {int(k)}
        while into is not None and empty[into, b] and into not in passed:
            passed.add(into)
            into = place.get(partners.get(names[into], ""))
        if into is None or into in passed:
            raise PipelineError(
                "A category is empty in a replicate and has no partner to be merged with.",
                place=f"category {names[k]}",
                found=f"empty in {int(empty[k].sum())} of {empty.shape[1]} replicates",
                allowed="a partner for each category that rests on few PSUs",
                remedy="Name it under weight.calibration.partners, or raise minimum_psus; for a "
                "class of nonresponse, raise weight.nonresponse.minimum_respondents.",
            )
        for table in tables:
            table[into, b] += table[k, b]
            table[k, b] = 0.0
    return np.asarray(empty.any(axis=0))


@dataclass(frozen=True)
class CalibrationPlan:
    """The calibration that each replicate repeats.

    Parameters
    ----------
    totals
        Population total of each variable, by its name in the auxiliary variables.
    method, bounds, tolerance, maximum_iterations
        As in :func:`prevalence.calibration.calibrate`.
    partners
        ``"margin: category"`` -> the same of its partner.
    """

    totals: Mapping[str, float]
    method: str = "raking"
    bounds: tuple[float, float] | None = None
    tolerance: float = 1e-10
    maximum_iterations: int = 200
    partners: Mapping[str, str] = field(default_factory=dict)


def replicate(
    design: SampleDesign,
    factors: PsuFactors,
    *,
    base: Array,
    nonresponse_class: Codes | None = None,
    households: Households | None = None,
    class_partners: Mapping[str, str] | None = None,
    bound: float = np.inf,
    auxiliary: Auxiliary | None = None,
    plan: CalibrationPlan | None = None,
) -> Replicates:
    """Repeat the weighting chain in every replicate.

    Parameters
    ----------
    design
        The design with the final weights.
    factors
        PSU factors of the replicates.
    base
        Base weights, shape (n,).
    nonresponse_class
        Class of each respondent, as a place in ``households.names``, shape (n,).
    households
        The sampled households; None: no adjustment for nonresponse.
    class_partners
        Partners of the nonresponse classes.
    bound
        Trimming bound of the full sample.
    auxiliary, plan
        The calibration; None: none.

    Returns
    -------
    Replicates

    Raises
    ------
    PipelineError
        If more than 1 % of the replicates need a merged category, or a calibration fails.
    """
    n, count = design.n, factors.count
    classes = np.zeros(n, dtype=np.intp) if nonresponse_class is None else nonresponse_class
    response, merged = np.ones((1, count)), np.zeros(count, dtype=bool)
    if households is not None:
        response, merged = nonresponse_factors(factors, households, class_partners or {})
    if auxiliary is None:
        auxiliary = Auxiliary(np.zeros((1, 1)), np.zeros(n, dtype=np.intp), ("none",), {})
    uncalibrated = Adjustments(
        base,
        classes,
        response,
        bound,
        np.ones(count),
        auxiliary,
        np.zeros((auxiliary.x.shape[1], count)),
        Distance("exponential"),
    )
    trimmed = _with(uncalibrated, redistribution=_redistribution(design, factors, uncalibrated))
    if plan is None:
        return Replicates(design, factors, trimmed, merged)
    before = Replicates(design, factors, trimmed)
    coefficients, merged_margins = _calibrated(before, plan)
    merged = merged | merged_margins
    if merged.sum() > MOST_MERGED_SHARE * count:
        raise PipelineError(
            "Too many replicates have an empty category.",
            place="weight.calibration.minimum_psus",
            found=f"{int(merged.sum())} of {count} replicates",
            allowed=f"at most {MOST_MERGED_SHARE:.0%}",
            remedy="Raise minimum_psus (or minimum_respondents of the nonresponse classes), so "
            "that small categories are merged beforehand.",
        )
    final = _with(
        trimmed,
        coefficients=coefficients,
        distance=calibration_distance(plan.method, plan.bounds),
    )
    return Replicates(design, factors, final, merged)


def _with(adjustments: Adjustments, **changes: object) -> Adjustments:
    from dataclasses import replace

    return replace(adjustments, **changes)  # type: ignore[arg-type]


def _redistribution(design: SampleDesign, factors: PsuFactors, a: Adjustments) -> Array:
    """Factor ρ_b with ``Σ min(ρ_b v_i, bound) = Σ v_i`` in each replicate, shape (B,)."""
    ones = np.ones(factors.count)
    if not np.isfinite(a.bound):
        return ones
    everybody = Replicates(design, factors, _with(a, bound=np.inf))
    goal = everybody.totals(np.ones(design.n))[:, 0]
    found = ones
    for _ in range(100):
        current = Replicates(design, factors, _with(a, redistribution=found))
        ratio = goal / current.totals(np.ones(design.n))[:, 0]
        found = found * ratio
        if np.abs(ratio - 1).max() < 1e-13:
            break
    return found


def _calibrated(before: Replicates, plan: CalibrationPlan) -> tuple[Array, Mask]:
    """Calibration coefficients (p, B), and in which replicates categories were merged (B,)."""
    a = before.adjustments
    assert a is not None
    auxiliary = a.auxiliary
    target = np.array([float(plan.totals[name]) for name in auxiliary.names])
    weights = before.calibration_cell_totals()
    goals = np.repeat(target[:, None], before.count, axis=1)
    merged = np.zeros(before.count, dtype=bool)
    for place in auxiliary.margins.values():
        names = auxiliary.names[place]
        have = auxiliary.x[:, place].T @ weights
        part = goals[place]
        merged |= merge_empty([part], (have <= 0) & (part > 0), names, plan.partners)
    if plan.method in ("raking", "poststratification"):
        _, logs, _ = rake(
            weights,
            [auxiliary.x[:, place].T for place in auxiliary.margins.values()],
            [goals[place] for place in auxiliary.margins.values()],
            tolerance=plan.tolerance,
            maximum_iterations=plan.maximum_iterations,
        )
        coefficients = np.log(np.concatenate(logs))
    else:
        coefficients = np.column_stack(
            [
                solve_newton(
                    weights[:, b],
                    auxiliary.x,
                    goals[:, b],
                    calibration_distance(plan.method, plan.bounds),
                    tolerance=plan.tolerance,
                    maximum_iterations=plan.maximum_iterations,
                )[0]
                for b in range(before.count)
            ]
        )
    factors = calibration_distance(plan.method, plan.bounds).factor(auxiliary.x @ coefficients)
    off = np.abs(auxiliary.x.T @ (weights * factors) - goals).max(axis=0) / np.abs(target).max()
    failed = off > max(plan.tolerance, 1e-8)
    if failed.any():
        raise PipelineError(
            "The calibration cannot be met in some replicates.",
            place="weight.calibration",
            found=f"{int(failed.sum())} of {before.count} replicates, off by up to {off.max():.2g} "
            "of the largest total",
            allowed=f"{plan.tolerance:g}",
            remedy="Widen the bounds, merge small categories, or raise maximum_iterations.",
        )
    return coefficients, merged
