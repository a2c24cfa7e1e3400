"""Ready-made sampling for the scale-up estimators: from design columns, or from replicates."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prevalence.coding import sums_by, texts
from prevalence.design import SampleDesign
from prevalence.errors import PipelineError
from prevalence.ratio import Sampling
from prevalence.replication import (
    RESCALED_BOOTSTRAP,
    GivenReplicates,
    Replicates,
    draw_rescaled_bootstrap,
    rescaled,
)

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


def bootstrap_sampling(
    weights: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    units: ArrayLike | None = None,
    empty_psus: Sequence[tuple[str, str]] = (),
    replicates: int = 1000,
    generator: np.random.Generator,
) -> Sampling:
    """Give a sample with rescaled bootstrap replicates of its own.

    Parameters
    ----------
    weights
        Shape (n,), positive.
    strata, units
        Labels of strata and PSUs, shape (n,). None: one stratum; each respondent a unit.
    empty_psus
        (stratum, PSU) labels of sampled PSUs in which nobody responded.
    replicates
        Number of replicates.
    generator
        Source of randomness.

    Returns
    -------
    Sampling
        In the order of the rows.

    Raises
    ------
    PipelineError
        If weights aren't positive, or a stratum has a single PSU.
    """
    design = SampleDesign.from_columns(weights, strata=strata, units=units, empty_psus=empty_psus)
    drawn = draw_rescaled_bootstrap(design, replicates, generator)
    return replicate_sampling(Replicates(design, rescaled(design, drawn)))


def members_sampling(
    table: pd.DataFrame, replicates: int, generator: np.random.Generator
) -> Sampling:
    """Give a sample of a hidden group rescaled bootstrap replicates of its own.

    Parameters
    ----------
    table
        `weight`, `stratum` and `psu` where the sample has them: else equal weights, one stratum,
        and each member a unit: the rows that share a `respondent`, or each row.
    replicates
        Number of replicates.
    generator
        Source of randomness, independent of that of the frame's sample.

    Returns
    -------
    Sampling
        In the order of the rows.
    """
    units = next((name for name in ("psu", "respondent") if name in table), None)
    return bootstrap_sampling(
        table["weight"].to_numpy(float) if "weight" in table else np.ones(len(table)),
        strata=texts(table["stratum"]) if "stratum" in table else None,
        units=None if units is None else texts(table[units]),
        replicates=replicates,
        generator=generator,
    )


def replicate_sampling(
    replicates: Replicates | GivenReplicates, design: SampleDesign | None = None
) -> Sampling:
    """Give a sample with the replicates that there are.

    Parameters
    ----------
    replicates
        Drawn or computed replicates, or weights that a survey supplies.
    design
        The design for the linearised variance, such as one with its calibration; None: that of the
        replicates.

    Returns
    -------
    Sampling
        With supplied replicate weights there is no linearised variance (NaN).

    Raises
    ------
    PipelineError
        If deviations are to be taken from the replicates' mean: here they are always taken from
        the full-sample estimate.
    """
    if isinstance(replicates, GivenReplicates):
        if replicates.about_mean:
            raise PipelineError(
                "Scale-up estimates take deviations from the full-sample estimate.",
                place="GivenReplicates.of",
                found="about_mean",
                allowed="about_mean=False",
            )
        limit = replicates.degrees_of_freedom
        return Sampling(
            replicates.design.weights,
            replicates,
            lambda scores: np.full(scores.shape[1], np.nan),
            lambda _: np.nan if limit is None else limit,
            scale=replicates.scale,
        )
    design = replicates.design if design is None else design
    drawn = replicates.factors.method == RESCALED_BOOTSTRAP
    return Sampling(
        design.weights,
        replicates,
        design.linearised_variance,
        design.degrees_of_freedom,
        scale=None if drawn else replicates.scale,
        psu_totals=partial(sums_by, design.psu, count=design.stages[0].units),
    )
