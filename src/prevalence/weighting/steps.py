"""Single steps of the weighting chain: base weights from selection probabilities, trimming."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prevalence.errors import PipelineError, check_known

Array = NDArray[np.float64]

REDISTRIBUTIONS = ("proportional", "equal")


def selection_weights(probabilities: Sequence[ArrayLike]) -> Array:
    """Inverse of the product of the selection probabilities of each stage.

    Parameters
    ----------
    probabilities
        One column a stage, shape (N,); a missing probability is a stage that the unit didn't pass.

    Returns
    -------
    numpy.ndarray
        Design weights, shape (N,).

    Raises
    ------
    PipelineError
        If there is no probability, or one isn't in (0, 1], by stage and count.
    """
    if not probabilities:
        raise PipelineError(
            "The sampling frame has no selection probabilities.",
            place="sampling frame",
            allowed="one column a stage: p_psu, p_ssu, p_household",
            remedy="Complete the frame, or leave it out and use base: {variable: …}.",
        )
    product = np.ones(len(np.asarray(probabilities[0])))
    for stage, column in enumerate(probabilities, start=1):
        p = np.asarray(column, dtype=float)
        p = np.where(np.isnan(p), 1.0, p)
        bad = (p <= 0) | (p > 1)
        if bad.any():
            raise PipelineError(
                "Selection probabilities are not probabilities.",
                place=f"sampling frame, stage {stage}",
                found=f"{int(bad.sum())} values outside (0, 1]",
                allowed="numbers above 0 and up to 1",
                remedy="Correct the sampling frame.",
            )
        product = product * p
    return np.asarray(1 / product, dtype=float)


def trim_weights(
    weights: ArrayLike,
    upper: float = np.inf,
    lower: float = -np.inf,
    *,
    redistribution: str = "proportional",
    passes: int = 1000,
) -> Array:
    """Cut weights at bounds and spread what was cut off over the others.

    Parameters
    ----------
    weights
        Shape (n,).
    upper, lower
        Bounds.
    redistribution
        ``proportional``: the others are multiplied by one factor; ``equal``: each gets the same
        amount, as R survey's ``trimWeights`` does it.
    passes
        Redistribution may push others over the bound, hence it is repeated; 1 does it once.

    Returns
    -------
    numpy.ndarray
        Weights with the same sum, shape (n,).

    Raises
    ------
    PipelineError
        If the bounds cannot hold the sum of the weights, or the redistribution is unknown.
    """
    before = np.asarray(weights, dtype=float)
    check_known(
        redistribution,
        REDISTRIBUTIONS,
        "A way to redistribute weights is unknown.",
        place="redistribution",
    )
    n, total = len(before), before.sum()
    if not n * lower <= total * (1 + 1e-12) or not total <= n * upper * (1 + 1e-12):
        raise PipelineError(
            "Trimming bounds cannot hold the sum of the weights.",
            place="weight.trimming",
            found=f"bounds {lower:.6g} to {upper:.6g}, mean weight {total / n:.6g}",
            allowed="bounds on both sides of the mean weight",
            remedy="Raise the upper bound.",
        )
    current = before
    for _ in range(passes):
        outside = (current < lower) | (current > upper)
        if not outside.any():
            break
        cut = np.clip(current, lower, upper)
        # Later passes spread only over those strictly within the bounds.
        inside = ~outside if redistribution == "equal" else (current > lower) & (current < upper)
        excess = (current - cut).sum()
        if not inside.any():
            current = cut
            break
        if redistribution == "equal":
            cut[inside] += excess / inside.sum()
        else:
            cut[inside] *= 1 + excess / cut[inside].sum()
        current = cut
    return current


def trimming_bound(weights: Array, rule: Mapping[str, Any] | None) -> float:
    """Upper bound of the weights; infinite without a rule.

    Parameters
    ----------
    weights
        Weights before trimming, shape (n,).
    rule
        ``{upper_share_of_median: 6.0}`` or ``{upper: 5000.0}``.
    """
    if not rule:
        return np.inf
    if "upper" in rule:
        return float(rule["upper"])
    return float(rule["upper_share_of_median"] * np.median(weights))
