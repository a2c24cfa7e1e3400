"""Two samples of one population that share PSUs: joint draws, covariance, degrees of freedom.

A PSU is shared if both samples have its stratum's and its own label. In a stratum whose PSU sets
are identical both samples get the same draws; where only some are shared, a joint draw; elsewhere
independent ones. Each sample on its own keeps the rescaled bootstrap of
:mod:`prevalence.replication` exactly: joint draws only bring the covariance in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prevalence.coding import sums_by
from prevalence.design import SampleDesign

Array = NDArray[np.float64]
Codes = NDArray[np.intp]
Draws = NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class SharedStratum:
    """A stratum that stands in both samples.

    Parameters
    ----------
    label
        Its label.
    earlier, later
        Its PSUs, as places in the designs' `psus`, the shared ones first and in the same order,
        shape (n1,) and (n2,).
    shared
        How many PSUs are shared.
    """

    label: str
    earlier: Codes
    later: Codes
    shared: int

    @property
    def identical(self) -> bool:
        """Whether both samples have the same PSUs here."""
        return self.shared == len(self.earlier) == len(self.later)


@dataclass(frozen=True, eq=False)
class Overlap:
    """Which PSUs two samples share.

    Parameters
    ----------
    earlier, later
        The designs.
    strata
        The strata that stand in both, by label; none where the samples were drawn independently.
    """

    earlier: SampleDesign
    later: SampleDesign
    strata: tuple[SharedStratum, ...]

    @property
    def shared(self) -> int:
        """Number of PSUs in both samples."""
        return sum(stratum.shared for stratum in self.strata)


def overlap_of(earlier: SampleDesign, later: SampleDesign, *, independent: bool = False) -> Overlap:
    """Find the PSUs that two samples share.

    Parameters
    ----------
    earlier, later
        The designs, PSUs without respondents included.
    independent
        Whether the samples were drawn independently of one another: PSUs that are in both then are
        so by chance, and estimates have no covariance over repeated sampling.

    Returns
    -------
    Overlap
        Strata in the order of their labels.
    """
    if independent:
        return Overlap(earlier, later, ())
    places = [{pair: k for k, pair in enumerate(design.psus)} for design in (earlier, later)]
    found = []
    for label in sorted({*earlier.strata} & {*later.strata}):
        mine = [sorted(pair for pair in place if pair[0] == label) for place in places]
        common = [pair for pair in mine[0] if pair in places[1]]
        ordered = [
            np.array(
                [place[p] for p in [*common, *(p for p in pairs if p not in set(common))]], int
            )
            for pairs, place in zip(mine, places, strict=True)
        ]
        found.append(SharedStratum(label, ordered[0], ordered[1], len(common)))
    return Overlap(earlier, later, tuple(found))


def draw_jointly(
    overlap: Overlap, replicates: int, generator: np.random.Generator
) -> tuple[Draws, Draws]:
    """Draw ``n_h - 1`` PSUs with replacement from each stratum of both samples, jointly.

    Parameters
    ----------
    overlap
        Which PSUs are shared.
    replicates
        Number of replicates B.
    generator
        Source of randomness.

    Returns
    -------
    earlier, later : numpy.ndarray
        Times each PSU was drawn, shape (C1, B) and (C2, B), as
        :func:`prevalence.replication.rescaled` takes them. 1 for the lone PSU of a stratum.

    Notes
    -----
    In a stratum with n1 and n2 PSUs, of which c are shared, the number k of draws that fall on
    shared PSUs is Binomial(n - 1, c/n) in either sample; both come from one uniform number. Both
    samples read their shared draws from one sequence, the earlier its first k1 and the later its
    first k2. With n1 = n2 the covariance of two totals then has expectation ``c S12``, the true
    one, S12 being the covariance of a PSU's contributions; with c = n1 = n2 the draws are the same.
    With unequal n it is less than that, and the less the more they differ (half with n1 = c = 2 and
    n2 = 10), so that the variance of a change errs upwards.
    """
    drawn = (
        np.ones((overlap.earlier.stages[0].units, replicates), dtype=np.int16),
        np.ones((overlap.later.stages[0].units, replicates), dtype=np.int16),
    )
    for stratum in overlap.strata:
        counts = _joint_counts(stratum, replicates, generator)
        for table, places, found in zip(
            drawn, (stratum.earlier, stratum.later), counts, strict=True
        ):
            if len(places) > 1:
                table[places] = found.T
    for design, table in zip((overlap.earlier, overlap.later), drawn, strict=True):
        joint = {stratum.label for stratum in overlap.strata}
        for h, size in enumerate(design.stages[0].sampled.astype(int)):
            if design.strata[h] not in joint and size > 1:
                times = generator.multinomial(size - 1, np.full(size, 1 / size), replicates)
                table[design.stages[0].stratum == h] = times.T
    return drawn


def _joint_counts(
    stratum: SharedStratum, replicates: int, generator: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw a stratum: times each PSU was drawn in both samples, shape (B, n1) and (B, n2)."""
    sizes = (len(stratum.earlier), len(stratum.later))
    c = stratum.shared
    point = generator.uniform(size=replicates)
    on_shared = [np.searchsorted(_binomial_steps(n - 1, c / n), point) for n in sizes]
    together = np.minimum(*on_shared)
    first = _spread(together, c, generator)
    found = []
    for n, k in zip(sizes, on_shared, strict=True):
        more = _spread(k - together, c, generator)
        found.append(np.hstack([first + more, _spread(n - 1 - k, n - c, generator)]))
    return found[0], found[1]


def _spread(
    counts: NDArray[np.int64], cells: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Throw some balls into equal cells, shape (B, cells)."""
    if cells == 0:
        return np.zeros((len(counts), 0), dtype=np.int64)
    return generator.multinomial(counts, np.full(cells, 1 / cells))


def _binomial_steps(trials: int, chance: float) -> Array:
    """Distribution function of a binomial, at 0 … trials - 1."""
    from scipy.special import bdtr

    return np.asarray(bdtr(np.arange(trials), trials, chance), dtype=float)


def linearised_covariance(overlap: Overlap, earlier: Array, later: Array) -> Array:
    """Covariance of sums of weighted scores of two samples.

    Parameters
    ----------
    overlap
        Which PSUs are shared.
    earlier, later
        Weighted influence values of the samples, shape (n1, q) and (n2, q); 0 outside a domain.

    Returns
    -------
    numpy.ndarray
        ``sum_h sum_c (z_1hc - mean_1h)(z_2hc - mean_2h) / (1 - 1/n1 - 1/n2 + c/(n1 n2))`` over the
        shared PSUs, shape (q,); unbiased for PSUs drawn with replacement. Where the sets are
        identical the factor is n/(n - 1), so that the variance of a difference is that of the
        differences by PSU; nothing without shared PSUs.
    """
    totals = [
        psu_totals(design, scores)
        for design, scores in ((overlap.earlier, earlier), (overlap.later, later))
    ]
    found = np.zeros(earlier.shape[1])
    for stratum in overlap.strata:
        n1, n2, c = len(stratum.earlier), len(stratum.later), stratum.shared
        factor = 1 - 1 / n1 - 1 / n2 + c / (n1 * n2)
        if c == 0 or factor <= 0:  # 0: a lone PSU, which contributes nothing
            continue
        deviations = [
            table[places][:c] - table[places].mean(axis=0)
            for table, places in zip(totals, (stratum.earlier, stratum.later), strict=True)
        ]
        found += (deviations[0] * deviations[1]).sum(axis=0) / factor
    return found


def psu_totals(design: SampleDesign, scores: Array) -> Array:
    """Sum weighted scores by PSU, of the calibration's residuals where there is one.

    Parameters
    ----------
    design
        The design.
    scores
        Weighted influence values, shape (n, q).

    Returns
    -------
    numpy.ndarray
        Shape (C, q).
    """
    totals = design.unit_totals(scores)
    if design.calibration is not None:
        totals = totals - design.calibration.fitted_unit_totals(design, scores)
    for k in range(len(design.stages) - 1, 0, -1):
        stage = design.stages[k]
        totals = sums_by(stage.parent[stage.stratum], totals, design.stages[k - 1].units)
    return totals


def shared_degrees_of_freedom(
    overlap: Overlap, earlier: NDArray[np.bool_], later: NDArray[np.bool_]
) -> tuple[float, float]:
    """Degrees of freedom that rest on shared PSUs, in either sample.

    Parameters
    ----------
    overlap
        Which PSUs are shared.
    earlier, later
        The domain's respondents in the samples, shape (n1,) and (n2,).

    Returns
    -------
    tuple of float
        ``sum_h c_h (n_h - 1)/n_h`` over the strata that stand in both samples and in which the
        domain has respondents in both; the whole of PSUs less strata where the sets are identical.
    """
    present = []
    for design, mask in ((overlap.earlier, earlier), (overlap.later, later)):
        inside = np.zeros(len(design.strata), dtype=bool)
        inside[design.stages[0].stratum[design.psu[mask]]] = True
        present.append({design.strata[h] for h in np.flatnonzero(inside)})
    both = present[0] & present[1]
    sums = [0.0, 0.0]
    for stratum in overlap.strata:
        if stratum.label in both:
            for k, places in enumerate((stratum.earlier, stratum.later)):
                sums[k] += stratum.shared * (len(places) - 1) / len(places)
    return sums[0], sums[1]
