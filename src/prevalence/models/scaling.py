"""From a model's log prevalences, known up to a constant, to sizes: the scaling, by name.

The constant of target *k* is ``C_k``: ``log(Σ_l W_kl e^{b_l} / Σ_l W_kl N_l/N)`` for a ratio of
sums (Zheng, Salganik & Gelman 2006), ``log(Σ_l W_kl e^{b_l} N/N_l / Σ_l W_kl)`` for a mean of
ratios (Laga, Bao & Niu 2023; Nyarko-Agyei et al.). Scaled: ``b_k − C_k``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from prevalence.errors import PipelineError, listed

Array = NDArray[np.float64]

FORMS = ("ratio_of_sums", "mean_of_ratios")
CHOICES = ("all", "subset", "leave_target_out", "correlation_weighted")


@dataclass(frozen=True)
class Scaling:
    """A named way to scale.

    Parameters
    ----------
    groups
        ``all`` known groups, a ``subset`` of them, all but the target (``leave_target_out``), or
        all by their correlation with the target (``correlation_weighted``).
    form
        ``ratio_of_sums`` or ``mean_of_ratios``.
    subset
        Names for ``subset``.
    """

    groups: str = "leave_target_out"
    form: str = "ratio_of_sums"
    subset: tuple[str, ...] = ()


def alternatives(scaling: Scaling, *, correlated: bool) -> tuple[Scaling, ...]:
    """Name the scalings that a model's estimates are compared under, the chosen one first.

    Parameters
    ----------
    scaling
        The chosen one.
    correlated
        Whether the model knows correlations of groups.

    Returns
    -------
    tuple of Scaling
        Both forms of: the chosen groups, all but the target, and, where they are known, all by
        correlation. For a hidden target ``all`` and ``leave_target_out`` are the same.
    """
    choices = [scaling.groups, "leave_target_out"] + ["correlation_weighted"] * correlated
    if scaling.groups == "all":
        choices.remove("leave_target_out")
    every = [replace(scaling, groups=g, form=f) for g in dict.fromkeys(choices) for f in FORMS]
    return (scaling, *(other for other in every if other != scaling))


def scaling_weights(
    scaling: Scaling,
    groups: Sequence[str],
    known_sizes: Array,
    correlation: Array | None = None,
    admitted: NDArray[np.bool_] | None = None,
) -> Array:
    """Weight of each known group in each target's constant.

    Parameters
    ----------
    scaling
        The named choice.
    groups
        All groups, known and hidden; there are ``K``.
    known_sizes
        In persons, shape (K,); NaN where unknown.
    correlation
        Of the groups' reports, shape (K, K), for ``correlation_weighted``.
    admitted
        Whether a group may scale a target, shape (K, K); all may where it is None. A ``subset``
        is taken as it is.

    Returns
    -------
    numpy.ndarray
        Shape (K, K), row a target; the target never scales itself but under ``all`` and ``subset``.

    Raises
    ------
    PipelineError
        If a target is left without a known group.
    """
    known = np.where(np.isnan(known_sizes), 0.0, 1.0)
    weights = np.tile(known, (len(groups), 1))
    if scaling.groups == "subset":
        weights = weights * np.isin(groups, scaling.subset)
    elif admitted is not None:
        weights = weights * admitted
    if scaling.groups not in ("all", "subset"):
        np.fill_diagonal(weights, 0.0)
    if scaling.groups == "correlation_weighted":
        if correlation is None:
            raise PipelineError(
                "A model without correlations can't be scaled by them.",
                place="model.scaling.groups",
                found=scaling.groups,
                allowed="all, subset, leave_target_out",
                remedy="Choose another scaling, or the model `correlated`.",
            )
        weights = weights * np.maximum(correlation, 0.0)
    # A known group may be left without others; only what will be reported has to have some.
    hidden = np.isnan(known_sizes)
    lost = [g for g, row, h in zip(groups, weights, hidden, strict=True) if h and row.sum() <= 0]
    if lost or weights.sum() <= 0:
        raise PipelineError(
            "A group has no known group to be scaled by.",
            place="model.scaling",
            found=listed(lost or groups),
            allowed="one group of known size at least",
            remedy="Give sizes in known_groups.csv, or name known groups in model.known_groups.",
        )
    return weights


def scaled(
    log_prevalence: Array, known_sizes: Array, population: float, weights: Array, form: str
) -> Array:
    """Scale log prevalences to the known groups.

    Parameters
    ----------
    log_prevalence
        Shape (…, K), up to one constant for each leading index.
    known_sizes
        In persons, shape (K,); NaN where unknown.
    population
        ``N``, in persons.
    weights
        From :func:`scaling_weights`, shape (K, K).
    form
        ``ratio_of_sums`` or ``mean_of_ratios``.

    Returns
    -------
    numpy.ndarray
        Log prevalence of each target, shape (…, K): its size is ``N e^b``. NaN for a target with
        no known group.
    """
    share = np.where(np.isnan(known_sizes), 1.0, known_sizes / population)
    peak = log_prevalence.max(axis=-1, keepdims=True)
    relative = np.exp(log_prevalence - peak)
    total = weights.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        if form == "ratio_of_sums":
            constant = np.log(relative @ weights.T) - np.log(weights @ share)
        else:
            constant = np.log((relative / share) @ weights.T) - np.log(total)
    result: Array = log_prevalence - peak - constant
    result[..., total <= 0] = np.nan
    return result
