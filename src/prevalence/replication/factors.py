"""Factors of the PSUs in each replicate: rescaled bootstrap, jackknife, balanced half-samples.

Sources: Rao & Wu 1988 and Rao, Wu & Yue 1992 (rescaled bootstrap); Wolter 2007, *Introduction to
Variance Estimation* (jackknife, balanced repeated replication); Fay 1989.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prevalence.design import SampleDesign
from prevalence.errors import PipelineError, check_known, listed

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

RESCALED_BOOTSTRAP = "rescaled_bootstrap"
METHODS = (RESCALED_BOOTSTRAP, "jk1", "jkn", "brr", "fay")


@dataclass(frozen=True, eq=False)
class PsuFactors:
    """Factor of each PSU in each replicate: ``offset + rescaling × drawn``.

    Parameters
    ----------
    drawn
        How often a PSU was drawn, or its factor, shape (C, B).
    offset, rescaling
        Shape (C,). 0 and n_h/(n_h - 1) in the rescaled bootstrap, unless sampling fractions count.
    scale
        Multiplier of each replicate's squared deviation, shape (B,).
    degrees_of_freedom
        Where the replicates limit them; None: the design's.
    method
        One of `METHODS`.
    """

    drawn: NDArray[np.int16] | Array
    offset: Array
    rescaling: Array
    scale: Array
    degrees_of_freedom: float | None = None
    method: str = RESCALED_BOOTSTRAP

    @property
    def count(self) -> int:
        """Number of replicates B."""
        return int(self.drawn.shape[1])

    def block(self, place: slice, psus: Codes | slice = slice(None)) -> Array:
        """Expand factors of some replicates, shape (psus, b)."""
        factors = self.drawn[psus, place] * self.rescaling[psus, None]
        offset = self.offset[psus, None]
        return factors + offset if offset.any() else factors


def rescaled(design: SampleDesign, drawn: ArrayLike) -> PsuFactors:
    """Rescaled bootstrap factors from how often each PSU was drawn.

    Parameters
    ----------
    design
        The design; sampling fractions of its first stage count (Rao & Wu 1988, section 2).
    drawn
        Times each PSU of ``design.psus`` was drawn in ``m_h = n_h - 1`` draws, shape (C, B).

    Returns
    -------
    PsuFactors
        ``1 - a_h + a_h · n_h/(n_h - 1) · r_hc`` with ``a_h = √(1 - f_h)``; 1 for a PSU that was
        taken with certainty and enumerated completely.
    """
    counts = np.asarray(drawn)
    first = design.stages[0]
    n = first.sampled[first.stratum]
    root = np.sqrt(1 - first.fraction)[first.stratum]
    root = np.where(n > 1, root, 0.0)
    return PsuFactors(
        counts,
        1 - root,
        root * n / np.maximum(n - 1, 1),
        np.full(counts.shape[1], 1 / counts.shape[1]),
    )


def draw_rescaled_bootstrap(
    design: SampleDesign, replicates: int, generator: np.random.Generator
) -> NDArray[np.int16]:
    """Draw ``n_h - 1`` PSUs with replacement from each stratum.

    Parameters
    ----------
    design
        The design. PSUs are drawn in the order of their labels, whatever the order of the rows.
    replicates
        Number of replicates B.
    generator
        Source of randomness.

    Returns
    -------
    numpy.ndarray
        Times each PSU was drawn, shape (C, B). 1 for the lone PSU of a stratum under the rule
        ``certainty``.

    Raises
    ------
    PipelineError
        Under the rules ``adjust`` and ``average``, which the bootstrap cannot follow.
    """
    first = design.stages[0]
    _check_lone(design, "bootstrap")
    drawn = np.ones((first.units, replicates), dtype=np.int16)
    for h, size in enumerate(first.sampled.astype(int)):
        if size > 1:
            members = np.flatnonzero(first.stratum == h)
            times = generator.multinomial(size - 1, np.full(size, 1 / size), replicates)
            drawn[members] = times.T
    return drawn


def jackknife(design: SampleDesign) -> PsuFactors:
    """Delete one PSU at a time: JKn, and JK1 where there is one stratum.

    Parameters
    ----------
    design
        The design; sampling fractions of the first stage enter the scale.

    Returns
    -------
    PsuFactors
        One replicate a PSU: 0 for it, n_h/(n_h - 1) for the others of its stratum; scale
        ``(1 - f_h)(n_h - 1)/n_h``. None for a lone PSU under the rule ``certainty``.

    Raises
    ------
    PipelineError
        Under the rules ``adjust`` and ``average``, which the jackknife cannot follow.
    """
    first = design.stages[0]
    _check_lone(design, "jackknife")
    usable = np.flatnonzero((first.sampled > 1)[first.stratum])
    n = first.sampled[first.stratum]
    factors = np.ones((first.units, len(usable)))
    for b, deleted in enumerate(usable):
        siblings = first.stratum == first.stratum[deleted]
        factors[siblings, b] = n[deleted] / (n[deleted] - 1)
        factors[deleted, b] = 0.0
    scale = ((1 - first.fraction)[first.stratum] * (n - 1) / n)[usable]
    zeros, ones = np.zeros(first.units), np.ones(first.units)
    method = "jkn" if len(first.sampled) > 1 else "jk1"
    return PsuFactors(factors, zeros, ones, scale, method=method)


def _check_lone(design: SampleDesign, method: str) -> None:
    """Refuse rules for lone PSUs that replicates cannot follow."""
    lone = int(design.stages[0].lone.sum())
    if lone and design.lone_psu in ("adjust", "average"):
        raise PipelineError(
            f"The {method} cannot follow the rule {design.lone_psu!r} for lone PSUs.",
            place="weight.lone_psu",
            found=f"{lone} strata with a lone PSU",
            allowed="error, collapse, certainty",
            remedy="Join these strata with partners: lone_psu: collapse.",
        )


def balanced_repeated(design: SampleDesign, fay: float = 0.0) -> PsuFactors:
    """Balanced half-samples of two PSUs a stratum (BRR), or Fay's version.

    Parameters
    ----------
    design
        The design: two PSUs in each stratum.
    fay
        Fay's coefficient: the half left out keeps this share of its weight; 0 is BRR.

    Returns
    -------
    PsuFactors
        From Sylvester's Hadamard matrices, with as many replicates as the next power of 2 above
        the strata; scale ``1/(B (1 - fay)²)``.

    Raises
    ------
    PipelineError
        If a stratum doesn't have two PSUs, or `fay` isn't in [0, 1).
    """
    first = design.stages[0]
    uneven = np.flatnonzero(first.sampled != 2)
    if len(uneven) or not 0 <= fay < 1:
        raise PipelineError(
            "Balanced repeated replication needs two PSUs in each stratum.",
            place=f"strata {listed(design.strata[h] for h in uneven)}" if len(uneven) else "fay",
            found=f"{len(uneven)} strata with another number of PSUs, fay {fay}",
            allowed="two PSUs a stratum; fay in [0, 1)",
            remedy="Use the jackknife or the rescaled bootstrap.",
        )
    signs = np.ones((1, 1))
    while len(signs) <= len(first.sampled):
        signs = np.block([[signs, signs], [signs, -signs]])
    count = len(signs)
    order = np.argsort(first.stratum, kind="stable")
    is_second = np.zeros(first.units, dtype=bool)
    is_second[order[1::2]] = True
    # The first column of the matrix is constant: it would leave a stratum unbalanced.
    sign = signs[:, 1:][:, first.stratum].T * np.where(is_second, -1.0, 1.0)[:, None]
    zeros, ones = np.zeros(first.units), np.ones(first.units)
    scale = np.full(count, 1 / (count * (1 - fay) ** 2))
    method = "fay" if fay else "brr"
    return PsuFactors(1 + (1 - fay) * sign, zeros, ones, scale, method=method)


def psu_factors(
    design: SampleDesign, settings: Mapping[str, Any], generator: np.random.Generator
) -> PsuFactors:
    """Make the replicates that the config asks for.

    Parameters
    ----------
    design
        The design.
    settings
        The `weight.replication` section: `method`, one of `METHODS`; `replicates` for the rescaled
        bootstrap; `fay`, the coefficient of Fay's method.
    generator
        Source of randomness of the rescaled bootstrap; the other methods need none.

    Returns
    -------
    PsuFactors

    Raises
    ------
    PipelineError
        If the method is unknown, doesn't fit the design, or lacks its setting.
    """
    method = settings["method"]
    place = "weight.replication"
    check_known(str(method), METHODS, "A replication method is unknown.", place=f"{place}.method")
    needed = {RESCALED_BOOTSTRAP: "replicates", "fay": "fay"}.get(method)
    if needed is not None and settings.get(needed) is None:
        raise PipelineError(
            f"The replication method {method} lacks a setting.",
            place=f"{place}.{needed}",
            found="nothing",
            remedy=f"Add it, for instance {needed}: {1000 if needed == 'replicates' else 0.3}.",
        )
    if method == RESCALED_BOOTSTRAP:
        return rescaled(
            design, draw_rescaled_bootstrap(design, int(settings["replicates"]), generator)
        )
    if method in ("brr", "fay"):
        return balanced_repeated(design, float(settings["fay"]) if method == "fay" else 0.0)
    strata = len(design.stages[0].sampled)
    if method == "jk1" and strata > 1:
        raise PipelineError(
            "The jackknife JK1 is for a sample without strata.",
            place=f"{place}.method",
            found=f"jk1 with {strata} strata",
            allowed="jkn, which deletes PSUs within strata",
            remedy="Use method: jkn.",
        )
    return jackknife(design)
