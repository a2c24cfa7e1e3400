"""Replicate weights, kept as PSU factors and adjustment coefficients, never as a big matrix.

The weight of respondent i in replicate b is

    base_i × psu factor_{c(i) b} × nonresponse factor_{k(i) b} × F(x_i'λ_b),

so that a replicate is a column of PSU factors, one factor for each nonresponse class and one
coefficient for each calibration category. Respondents who share PSU, class and calibration cell are
added up before any replicate is looked at; the cost of a total is then that of the cells.

Sources: Rao & Wu 1988 and Rao, Wu & Yue 1992 (rescaled bootstrap); Wolter 2007, *Introduction to
Variance Estimation* (jackknife, balanced repeated replication); Fay 1989.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prevalence.calibration import Auxiliary, Distance, calibration_distance, rake, solve_newton
from prevalence.design import SampleDesign, sums
from prevalence.errors import PipelineError, listed

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Codes = NDArray[np.intp]
Mask = NDArray[np.bool_]

BLOCK_CELLS = 8_000_000  # cell weights that are expanded at once: 64 MB
MOST_MERGED_SHARE = 0.01  # share of replicates that may need a merged category
KEYS = ("kind", "margin", "category", "method", "lower", "upper")


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
    """

    drawn: NDArray[np.int16] | Array
    offset: Array
    rescaling: Array
    scale: Array
    degrees_of_freedom: float | None = None

    @property
    def count(self) -> int:
        """Number of replicates B."""
        return int(self.drawn.shape[1])

    def block(self, place: slice, psus: Codes | slice = slice(None)) -> Array:
        """Expand factors of some replicates, shape (psus, b)."""
        factors = self.drawn[psus, place] * self.rescaling[psus, None]
        offset = self.offset[psus, None]
        return factors + offset if offset.any() else factors


@dataclass(frozen=True, eq=False)
class Adjustments:
    """What is done again in each replicate: nonresponse factors, trimming, calibration.

    Parameters
    ----------
    base
        Weight before these adjustments, shape (n,).
    nonresponse_class
        Class of each respondent, shape (n,).
    nonresponse
        Factor of each class in each replicate, shape (L, B).
    bound
        Weights are cut here (before the PSU's factor); infinite without trimming.
    redistribution
        Factor by which the weight cut off is spread over all, shape (B,).
    auxiliary
        Auxiliary variables of the calibration.
    coefficients
        λ of each replicate, shape (p, B).
    distance
        The distance function F.
    """

    base: Array
    nonresponse_class: Codes
    nonresponse: Array
    bound: float
    redistribution: Array
    auxiliary: Auxiliary
    coefficients: Array
    distance: Distance

    def calibration_factors(self, place: slice) -> Array:
        """Calibration factor of each cell in some replicates, shape (cells, b)."""
        return self.distance.factor(self.auxiliary.x @ self.coefficients[:, place])


@dataclass(frozen=True, eq=False)
class Replicates:
    """Replicate weights of a sample.

    Parameters
    ----------
    design
        The design with the full-sample weights.
    factors
        PSU factors, in the order of ``design.psus``.
    adjustments
        What is repeated in each replicate; None: the full-sample weights are only multiplied.
    merged
        Replicates in which a category was empty and merged with its partner, shape (B,).
    """

    design: SampleDesign
    factors: PsuFactors
    adjustments: Adjustments | None = None
    merged: Mask = field(default_factory=lambda: np.zeros(0, dtype=bool))

    @property
    def count(self) -> int:
        """Number of replicates B."""
        return self.factors.count

    @property
    def scale(self) -> Array:
        """Multiplier of each replicate's squared deviation, shape (B,)."""
        return self.factors.scale

    @property
    def degrees_of_freedom(self) -> float | None:
        """Degrees of freedom if the replicates limit them; None: the design's."""
        return self.factors.degrees_of_freedom

    def totals(self, columns: ArrayLike, domain: Codes | None = None, domains: int = 1) -> Array:
        """Weighted totals in each replicate.

        Parameters
        ----------
        columns
            Values, shape (n,) or (n, q), without missing ones.
        domain
            Place of each respondent's domain, -1 for none, shape (n,).
        domains
            Number of domains D.

        Returns
        -------
        numpy.ndarray
            Shape (B, D * q), the columns of the first domain first.
        """
        values = np.asarray(columns, dtype=float)
        values = values[:, None] if values.ndim == 1 else values
        codes = np.zeros(self.design.n, dtype=np.intp) if domain is None else domain
        cells, alone = self._cells()
        q = values.shape[1]
        sums_of_cells = np.empty((cells.count, domains * q))
        keep = codes >= 0 if alone is None else (codes >= 0) & ~alone
        everybody = bool(keep.all())
        place = cells.of_respondent * domains + codes
        place = place if everybody else place[keep]
        base = self._base()
        for k in range(q):
            weighted = base * values[:, k]
            found = sums(place, weighted if everybody else weighted[keep], cells.count * domains)
            sums_of_cells[:, k::q] = found.reshape(cells.count, domains)
        result = np.empty((self.count, domains * q))
        for block in self._blocks(cells.count):
            result[block] = self._cell_weights(cells, block).T @ sums_of_cells
        if alone is not None:
            self._add_trimmed(result, values, codes, alone)
        return result

    def calibration_cell_totals(self) -> Array:
        """Sum of the weights of each calibration cell in each replicate, shape (cells, B)."""
        a = self.adjustments
        assert a is not None
        cells, alone = self._cells()
        base = a.base if alone is None else np.where(alone, 0.0, a.base)
        base_sums = sums(cells.of_respondent, base, cells.count)[:, None]
        # Cells are sorted by group and so by calibration cell: each is one run of rows.
        starts = np.searchsorted(cells.group_cell[cells.group], np.arange(a.auxiliary.count))
        result = np.empty((a.auxiliary.count, self.count))
        for block in self._blocks(cells.count):
            weights = self._cell_weights(cells, block)
            weights *= base_sums
            result[:, block] = np.add.reduceat(weights, starts, axis=0)
            if alone is not None:
                rows = np.flatnonzero(alone)
                np.add.at(
                    result[:, block], a.auxiliary.cell[rows], self._trimmed_weights(rows, block)
                )
        return result

    def weights(self, block: slice = slice(None)) -> Array:
        """Expand the weights of some replicates.

        Parameters
        ----------
        block
            Which replicates.

        Returns
        -------
        numpy.ndarray
            Shape (n, b).
        """
        cells, alone = self._cells()
        expanded = self._cell_weights(cells, block)[cells.of_respondent] * self._base()[:, None]
        if alone is not None:
            expanded[alone] = self._trimmed_weights(np.flatnonzero(alone), block)
        return np.asarray(expanded)

    def _base(self) -> Array:
        return self.design.weights if self.adjustments is None else self.adjustments.base

    def _blocks(self, cells: int) -> Iterator[slice]:
        size = max(1, min(self.count, BLOCK_CELLS // max(cells, 1)))
        for start in range(0, self.count, size):
            yield slice(start, min(start + size, self.count))

    def _cells(self) -> tuple[Cells, Mask | None]:
        """Cells of respondents who share every factor, and who stands alone because of trimming."""
        cached = self.__dict__.get("_cached_cells")
        if cached is None:
            cached = (Cells.of(self), _trimmable(self.adjustments))
            self.__dict__["_cached_cells"] = cached  # frozen: a cache is not a change of state
        return cached

    def _cell_weights(self, cells: Cells, block: slice) -> Array:
        weights = self.factors.block(block, cells.psu)
        if self.adjustments is not None:
            weights *= self._group_factors(cells, block)[cells.group]
        return weights

    def _group_factors(self, cells: Cells, block: slice) -> Array:
        """Nonresponse × redistribution × calibration factors of each group, shape (G, b)."""
        a = self.adjustments
        assert a is not None
        factors = a.calibration_factors(block)[cells.group_cell]
        factors *= a.nonresponse[cells.group_class, block]
        return np.asarray(factors * a.redistribution[block])

    def _trimmed_weights(self, rows: Codes, block: slice) -> Array:
        """Weights of respondents whom the bound may touch, shape (rows, b)."""
        a = self.adjustments
        assert a is not None
        before = a.base[rows, None] * a.nonresponse[a.nonresponse_class[rows], block]
        cut = np.minimum(before * a.redistribution[block], a.bound)
        psu = self.factors.block(block, self.design.psu[rows])
        return np.asarray(cut * psu * a.calibration_factors(block)[a.auxiliary.cell[rows]])

    def _add_trimmed(self, result: Array, values: Array, codes: Codes, alone: Mask) -> None:
        rows = np.flatnonzero(alone & (codes >= 0))
        q = values.shape[1]
        for block in self._blocks(len(rows)):
            weights = self._trimmed_weights(rows, block)
            for d in np.unique(codes[rows]):
                inside = codes[rows] == d
                result[block, d * q : (d + 1) * q] += weights[inside].T @ values[rows[inside]]

    @classmethod
    def from_tables(
        cls, weights: pd.DataFrame, replicates: pd.DataFrame, factors: pd.DataFrame
    ) -> Replicates:
        """Read replicates from the tables of the weight stage.

        Parameters
        ----------
        weights
            ``weights.parquet``: a row a respondent; the order of its rows is that of all columns.
        replicates
            ``replicates.parquet``: a row a PSU, how often it was drawn in r0001 … rB.
        factors
            ``replicate_factors.parquet``: nonresponse factors, trimming, calibration coefficients.

        Returns
        -------
        Replicates
        """
        design = design_of_tables(weights, replicates)
        columns = [name for name in replicates.columns if name not in ("stratum", "psu")]
        places = {
            pair: k
            for k, pair in enumerate(
                zip(replicates["stratum"].astype(str), replicates["psu"].astype(str), strict=True)
            )
        }
        order = [places[pair] for pair in design.psus]
        drawn = replicates[columns].to_numpy()[order]
        return cls(
            design,
            rescaled(design, drawn),
            _adjustments_from_table(weights, factors, columns) if len(factors) else None,
        )


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells of respondents who share PSU and group; a group shares class and calibration cell.

    Parameters
    ----------
    of_respondent
        Cell of each respondent, shape (n,).
    psu, group
        Of each cell, shape (K,); cells are sorted by group.
    group_class, group_cell
        Nonresponse class and calibration cell of each group, shape (G,).
    """

    of_respondent: Codes
    psu: Codes
    group: Codes
    group_class: Codes
    group_cell: Codes

    @property
    def count(self) -> int:
        """Number of cells K."""
        return len(self.psu)

    @classmethod
    def of(cls, replicates: Replicates) -> Cells:
        """Find the cells of a sample."""
        a, psu = replicates.adjustments, replicates.design.psu
        zeros = np.zeros(len(psu), dtype=np.intp)
        if a is None:
            return cls.joint(psu, zeros, zeros)
        return cls.joint(psu, a.nonresponse_class, a.auxiliary.cell)

    @classmethod
    def joint(cls, psu: Codes, nonresponse_class: Codes, calibration_cell: Codes) -> Cells:
        """Join PSU, class and calibration cell of the respondents, each of shape (n,)."""
        from prevalence.design import distinct

        classes = int(nonresponse_class.max(initial=0)) + 1
        groups, group = distinct(calibration_cell * classes + nonresponse_class)
        psus = int(psu.max(initial=0)) + 1
        cells, cell = distinct(group * psus + psu)
        return cls(cell, cells % psus, cells // psus, groups % classes, groups // classes)


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
    if first.lone.any() and design.lone_psu in ("adjust", "average"):
        raise PipelineError(
            f"The bootstrap cannot follow the rule {design.lone_psu!r} for lone PSUs.",
            place="weight.lone_psu",
            found=f"{int(first.lone.sum())} strata with a lone PSU",
            allowed="error, collapse, certainty",
            remedy="Join these strata with partners: lone_psu: collapse.",
        )
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
        ``(1 - f_h)(n_h - 1)/n_h``.
    """
    first = design.stages[0]
    usable = np.flatnonzero((first.sampled > 1)[first.stratum])
    n = first.sampled[first.stratum]
    factors = np.ones((first.units, len(usable)))
    for b, deleted in enumerate(usable):
        siblings = first.stratum == first.stratum[deleted]
        factors[siblings, b] = n[deleted] / (n[deleted] - 1)
        factors[deleted, b] = 0.0
    scale = ((1 - first.fraction)[first.stratum] * (n - 1) / n)[usable]
    zeros, ones = np.zeros(first.units), np.ones(first.units)
    return PsuFactors(factors, zeros, ones, scale)


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
    return PsuFactors(
        1 + (1 - fay) * sign, zeros, ones, np.full(count, 1 / (count * (1 - fay) ** 2))
    )


@dataclass(frozen=True, eq=False)
class GivenReplicates:
    """Replicate weights that a survey supplies, a column each.

    Parameters
    ----------
    design
        The design; only its weights count.
    replicate_weights
        Shape (n, B).
    scale
        Multiplier of each replicate's squared deviation, shape (B,).
    degrees_of_freedom
        None: the rank of the replicate weights minus 1.
    """

    design: SampleDesign
    replicate_weights: Array
    scale: Array
    degrees_of_freedom: float | None

    @classmethod
    def of(
        cls,
        weights: ArrayLike,
        replicate_weights: ArrayLike,
        scale: ArrayLike | float,
        degrees_of_freedom: float | None = None,
    ) -> GivenReplicates:
        """Take supplied weights.

        Parameters
        ----------
        weights
            Full-sample weights, shape (n,).
        replicate_weights
            Shape (n, B).
        scale
            Scalar or shape (B,): 1/B for a bootstrap, (n-1)/n for JK1, 1/(B (1-k)²) for Fay.
        degrees_of_freedom
            From the survey's documentation; otherwise the rank of the replicate weights minus 1.
        """
        matrix = np.asarray(replicate_weights, dtype=float)
        if degrees_of_freedom is None:
            degrees_of_freedom = float(np.linalg.matrix_rank(matrix) - 1)
        return cls(
            SampleDesign.from_columns(weights),
            matrix,
            np.broadcast_to(np.asarray(scale, dtype=float), (matrix.shape[1],)).copy(),
            degrees_of_freedom,
        )

    @property
    def count(self) -> int:
        """Number of replicates B."""
        return int(self.replicate_weights.shape[1])

    def totals(self, columns: ArrayLike, domain: Codes | None = None, domains: int = 1) -> Array:
        """Weighted totals in each replicate, shape (B, D * q); see :meth:`Replicates.totals`."""
        values = np.asarray(columns, dtype=float)
        values = values[:, None] if values.ndim == 1 else values
        if domain is None:
            return np.asarray(self.replicate_weights.T @ values)
        parts = [
            self.replicate_weights[domain == d].T @ values[domain == d] for d in range(domains)
        ]
        return np.hstack(parts)


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
                remedy="Name it under weight.calibration.partners, or raise minimum_psus.",
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


def _trimmable(adjustments: Adjustments | None) -> Mask | None:
    """Respondents whose weight may reach the bound in some replicate; None if there are none."""
    if adjustments is None or not np.isfinite(adjustments.bound):
        return None
    a = adjustments
    most = (a.nonresponse * a.redistribution).max(axis=1)[a.nonresponse_class]
    alone: Mask = a.base * most > a.bound
    return alone if alone.any() else None


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


def design_of_tables(weights: pd.DataFrame, replicates: pd.DataFrame) -> SampleDesign:
    """Build the design of the tables of the weight stage.

    Parameters
    ----------
    weights
        ``weights.parquet``: columns stratum, psu, final.
    replicates
        ``replicates.parquet``: all sampled PSUs, those without respondents too.

    Returns
    -------
    SampleDesign
        With replacement at the first stage; a lone PSU there is one that was enumerated completely,
        since all others were joined when the weights were computed.
    """
    present = set(zip(weights["stratum"].astype(str), weights["psu"].astype(str), strict=True))
    sampled = zip(replicates["stratum"].astype(str), replicates["psu"].astype(str), strict=True)
    return SampleDesign.from_columns(
        weights["final"].to_numpy(float),
        strata=weights["stratum"].astype(str).to_numpy(str),
        units=weights["psu"].astype(str).to_numpy(str),
        empty_psus=[pair for pair in sampled if pair not in present],
        lone_psu="certainty",
    )


def factors_table(
    replicates: Replicates,
    class_names: Sequence[str],
    *,
    calibrated: bool,
    nonresponse: bool,
    method: str,
) -> pd.DataFrame:
    """Write the adjustments of replicates as the rows of ``replicate_factors.parquet``.

    Parameters
    ----------
    replicates
        Replicates with adjustments.
    class_names
        Names of the nonresponse classes.
    calibrated, nonresponse
        Which adjustments were made.
    method
        Calibration method.

    Returns
    -------
    pandas.DataFrame
        Columns kind, margin, category, method, lower, upper, r0001 … rB; no rows where nothing
        was adjusted.
    """
    import pandas as pd

    a = replicates.adjustments
    columns = [*KEYS, *replicate_names(replicates.count)]
    if a is None or not (calibrated or nonresponse or np.isfinite(a.bound)):
        return pd.DataFrame(columns=columns)
    low, high = a.distance.lower, a.distance.upper
    keys: list[tuple[object, ...]] = []
    rows: list[Array] = []
    if nonresponse:
        keys += [
            ("nonresponse", "nonresponse_class", name, "", -np.inf, np.inf) for name in class_names
        ]
        rows += list(a.nonresponse)
    if np.isfinite(a.bound):
        keys.append(("trimming", "", "redistribution", "", -np.inf, a.bound))
        rows.append(a.redistribution)
    if calibrated:
        keys += [
            ("calibration", *name.split(": ", 1), method, low, high) for name in a.auxiliary.names
        ]
        rows += list(a.coefficients)
    head = pd.DataFrame(keys, columns=list(KEYS))
    body = pd.DataFrame(np.array(rows), columns=replicate_names(replicates.count))
    return pd.concat([head, body], axis=1)


def replicate_names(count: int) -> list[str]:
    """Column names of the replicates: r0001 … rB."""
    return [f"r{b:04d}" for b in range(1, count + 1)]


def _adjustments_from_table(
    weights: pd.DataFrame, factors: pd.DataFrame, columns: list[str]
) -> Adjustments:
    def rows(kind: str) -> pd.DataFrame:
        return factors[factors["kind"] == kind]

    n, count = len(weights), len(columns)
    classes: Codes = np.zeros(n, dtype=np.intp)
    response = np.ones((1, count))
    start = weights["nonresponse"].to_numpy(float)
    if len(found := rows("nonresponse")):
        place = {name: k for k, name in enumerate(found["category"].astype(str))}
        classes = np.array([place[name] for name in weights["nonresponse_class"].astype(str)])
        response = found[columns].to_numpy(float)
        start = weights["base"].to_numpy(float)
    bound, redistribution = np.inf, np.ones(count)
    if len(found := rows("trimming")):
        bound = float(found["upper"].iloc[0])
        redistribution = found[columns].to_numpy(float)[0]
    auxiliary = Auxiliary(np.zeros((1, 1)), np.zeros(n, dtype=np.intp), ("none",), {})
    coefficients, distance = np.zeros((1, count)), Distance("exponential")
    if len(found := rows("calibration")):
        margins = list(dict.fromkeys(found["margin"].astype(str)))
        auxiliary = Auxiliary.from_margins(
            {m: weights[f"margin_{m}"].astype(str).to_numpy(str) for m in margins}
        )
        names = found["margin"].astype(str) + ": " + found["category"].astype(str)
        by_name = dict(zip(names, found[columns].to_numpy(float), strict=True))
        coefficients = np.array([by_name[name] for name in auxiliary.names])
        method, low, high = (found[key].iloc[0] for key in ("method", "lower", "upper"))
        distance = calibration_distance(
            str(method), (float(low), float(high)) if np.isfinite([low, high]).all() else None
        )
    return Adjustments(
        start, classes, response, bound, redistribution, auxiliary, coefficients, distance
    )
