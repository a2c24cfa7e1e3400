"""Replicate weights, expanded cell by cell and block by block where they are used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prevalence.calibration import Auxiliary, Distance
from prevalence.coding import sums
from prevalence.design import SampleDesign
from prevalence.errors import PipelineError
from prevalence.replication.factors import PsuFactors

Array = NDArray[np.float64]
Codes = NDArray[np.intp]
Mask = NDArray[np.bool_]

BLOCK_CELLS = 8_000_000  # cell weights that are expanded at once: 64 MB


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

    @property
    def about_mean(self) -> bool:
        """False: deviations are taken from the full-sample estimates."""
        return False

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
        from prevalence.coding import distinct

        classes = int(nonresponse_class.max(initial=0)) + 1
        groups, group = distinct(calibration_cell * classes + nonresponse_class)
        psus = int(psu.max(initial=0)) + 1
        cells, cell = distinct(group * psus + psu)
        return cls(cell, cells % psus, cells // psus, groups % classes, groups // classes)


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
        None: the design's.
    about_mean
        Whether deviations are taken from the replicates' mean, not from the full-sample estimate.
    """

    design: SampleDesign
    replicate_weights: Array
    scale: Array
    degrees_of_freedom: float | None
    about_mean: bool = False

    @classmethod
    def of(
        cls,
        weights: ArrayLike,
        replicate_weights: ArrayLike,
        scale: ArrayLike | float,
        degrees_of_freedom: float | None = None,
        *,
        about_mean: bool = False,
    ) -> GivenReplicates:
        """Take supplied weights.

        Parameters
        ----------
        weights
            Full-sample weights, shape (n,).
        replicate_weights
            Shape (n, B).
        scale
            Scalar or shape (B,): 1/B for a bootstrap, (n-1)/n for JK1, 1/(B (1-k)²) for Fay,
            (n_h-1)/n_h of the replicate's stratum for JKn; R survey's `scale` times `rscales`.
        degrees_of_freedom
            From the survey's documentation; otherwise the rank of the replicate weights minus 1,
            where what the other columns explain but for a share of 1e-5 adds nothing (as in R).
        about_mean
            Deviations from the replicates' mean (``mse = FALSE`` in R survey).

        Raises
        ------
        PipelineError
            If the replicate weights don't have a row for each respondent, or have gaps.
        """
        matrix = np.asarray(replicate_weights, dtype=float)
        _check_given(matrix, np.size(weights), np.size(scale))
        known = _rank(matrix) - 1 if degrees_of_freedom is None else degrees_of_freedom
        return cls(
            SampleDesign.from_columns(weights),
            matrix,
            np.broadcast_to(np.asarray(scale, dtype=float), (matrix.shape[1],)).copy(),
            float(known),
            about_mean,
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


def _check_given(matrix: Array, n: int, scales: int) -> None:
    """Refuse supplied replicate weights that don't fit the respondents, or have gaps."""
    fits = matrix.ndim == 2 and len(matrix) == n and scales in (1, matrix.shape[-1])
    if not fits or not np.isfinite(matrix).all():
        raise PipelineError(
            "Replicate weights don't fit the sample.",
            place="replicate_weights, scale",
            found=f"shape {matrix.shape}, {int((~np.isfinite(matrix)).sum())} missing; "
            f"{scales} values of scale",
            allowed=f"a row for each of the {n} respondents, a column a replicate, none missing; "
            "one scale, or one a replicate",
            remedy="Multiply factors by the full-sample weights before, where the survey supplies "
            "factors.",
        )


def _rank(columns: Array, tolerance: float = 1e-5) -> int:
    """Count the columns that those before them don't explain, as R's ``qr`` does."""
    # Turned so that the first column has one entry, the next two …: lengths and angles stay.
    turned = np.ascontiguousarray(np.asarray(np.linalg.qr(columns, mode="r")).T)
    least = tolerance * np.linalg.norm(turned, axis=1)
    rows, count = min(columns.shape), len(turned)
    if rows == count and (np.abs(np.diagonal(turned)) > least).all():
        return count
    # A column that is explained must not leave its rounding errors in the basis.
    basis, rank = np.empty((rows, rows)), 0
    for column, enough in zip(turned, least, strict=True):
        rest = column
        for _ in range(2):  # the second time takes away the first one's rounding errors
            rest = rest - (basis[:rank] @ rest) @ basis[:rank]
        length = np.linalg.norm(rest)
        if length > enough and rank < rows:
            basis[rank] = rest / length
            rank += 1
    return rank


def _trimmable(adjustments: Adjustments | None) -> Mask | None:
    """Respondents whose weight may reach the bound in some replicate; None if there are none."""
    if adjustments is None or not np.isfinite(adjustments.bound):
        return None
    a = adjustments
    most = (a.nonresponse * a.redistribution).max(axis=1)[a.nonresponse_class]
    alone: Mask = a.base * most > a.bound
    return alone if alone.any() else None
