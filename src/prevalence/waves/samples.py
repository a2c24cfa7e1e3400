"""The samples of two waves under joint replicates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prevalence.design import SampleDesign
from prevalence.estimation import calibrated_design
from prevalence.ratio import Sampling
from prevalence.replication import PsuFactors, design_of_tables, rescaled
from prevalence.sampling import replicate_sampling
from prevalence.waves.joint import Overlap, draw_jointly, overlap_of
from prevalence.weighting import replicate_weights

if TYPE_CHECKING:
    import pandas as pd

REPLICATES = 1000  # where the later wave's own replicates are of another method


def joint_samplings(
    tables: tuple[Mapping[str, pd.DataFrame], Mapping[str, pd.DataFrame]],
    weighting: tuple[Mapping[str, Any], Mapping[str, Any]],
    entropy: Sequence[int],
    *,
    independent: bool = False,
) -> tuple[tuple[Sampling, Sampling], Overlap]:
    """Draw joint replicates of two waves and repeat each wave's weighting chain in them.

    Parameters
    ----------
    tables
        Of the earlier and the later wave: `weights`, `households`, `margins`, `replicates` and
        `replicate_factors` of the weight stage.
    weighting
        The `weight:` sections of their configs.
    entropy
        Seeds of the random numbers.
    independent
        As in :func:`prevalence.waves.joint.overlap_of`.

    Returns
    -------
    samplings : tuple of Sampling
        Of the earlier and the later wave, with rescaled bootstrap replicates whatever method their
        own replicates have.
    overlap : Overlap
        Which PSUs they share, with the calibrated designs.
    """
    plain = [design_of_tables(one["weights"], one["replicates"]) for one in tables]
    designs = [
        calibrated_design(design, one["weights"], one["replicate_factors"])
        for design, one in zip(plain, tables, strict=True)
    ]
    overlap = overlap_of(designs[0], designs[1], independent=independent)
    count = int(weighting[1]["replication"].get("replicates") or REPLICATES)
    generator = np.random.default_rng(np.random.SeedSequence(list(entropy)))
    drawn = draw_jointly(overlap, count, generator)
    samplings = [
        replicate_sampling(
            replicate_weights(
                one["weights"],
                one["households"],
                one["margins"],
                settings,
                entropy,
                factors=_Given(design, counts),
            )[2],
            design,
        )
        for one, settings, design, counts in zip(tables, weighting, designs, drawn, strict=True)
    ]
    return (samplings[0], samplings[1]), overlap


class _Given:
    """The draws of a design's PSUs, by label, for the same PSUs in whatever order."""

    def __init__(self, design: SampleDesign, drawn: NDArray[np.int16]) -> None:
        self._drawn = drawn
        self._places = {pair: place for place, pair in enumerate(design.psus)}

    def __call__(self, design: SampleDesign) -> PsuFactors:
        order = [self._places[pair] for pair in design.psus]
        return rescaled(design, self._drawn[order])
