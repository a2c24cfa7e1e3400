"""Ratios of weighted totals: what every scale-up estimator is, with its sampling variance.

Estimators only say which two columns they divide. All columns of a table are stacked and sent
through the replicates at once, so that every estimate shares the same replicates and differences
between estimates have valid intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from prevalence.errors import PipelineError
from prevalence.interval import confidence_interval, zero_report_limit

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

BLOCK_CELLS = 32_000_000  # cells of columns that are made whole at once: 256 MB
BOOTSTRAP, LINEARISED, REPLICATES = "bootstrap", "linearised", "replicates"


class ReplicateTotals(Protocol):
    """Replicate weights, of which only the weighted totals are asked."""

    def totals(self, columns: Array) -> Array:
        """Weighted totals of columns (n, q) in each replicate, shape (B, q)."""
        ...


@dataclass(frozen=True)
class Sampling:
    """What inference about weighted totals needs to know of the sample.

    Parameters
    ----------
    weights
        Final weights, shape (n,).
    replicates
        The shared replicates.
    variance
        Linearised variance: from weighted scores ``w_i z_i`` of shape (n, q) to variances (q,).
    degrees_of_freedom
        Design degrees of freedom of the respondents in a mask of shape (n,).
    scale
        Multiplier of each replicate's squared deviation, shape (B,), for a jackknife or half-
        samples; None for a bootstrap, whose replicates are draws of the estimate.
    psu_totals
        Totals by PSU of columns (n, q) that already carry their weight, shape (C, q); None where
        PSUs aren't known.
    """

    weights: Array
    replicates: ReplicateTotals
    variance: Callable[[Array], Array]
    degrees_of_freedom: Callable[[Mask], float]
    scale: Array | None = None
    psu_totals: Callable[[Array], Array] | None = None

    @property
    def drawn(self) -> bool:
        """Whether the replicates are draws, as those of a bootstrap are."""
        return self.scale is None

    @property
    def variance_name(self) -> str:
        """How the replicates' variance is called in tables: ``bootstrap`` or ``replicates``."""
        return BOOTSTRAP if self.drawn else REPLICATES


@dataclass(frozen=True)
class RatioEstimates:
    """Several ratios with what their intervals are made of.

    Parameters
    ----------
    ratio
        Estimates, shape (q,); NaN where the denominator is 0.
    replicates
        Replicate estimates, shape (B, q).
    std_error
        Replicate standard errors about the full-sample estimate, shape (q,).
    se_linearised
        Linearised standard errors, shape (q,).
    df
        Design degrees of freedom, shape (q,).
    n, n_reporting
        Respondents in the ratio, and those among them with a report above 0; shape (q,).
    exposure
        Unweighted sum of the degrees of these respondents, in persons, shape (q,).
    largest_share
        Share of the PSU with the largest part of the numerator, shape (q,); NaN where the numerator
        is 0 or PSUs aren't known, and for what was combined of several ratios.
    replicate_scale
        As `scale` of the :class:`Sampling`.
    """

    ratio: Array
    replicates: Array
    std_error: Array
    se_linearised: Array
    df: Array
    n: NDArray[np.int64]
    n_reporting: NDArray[np.int64]
    exposure: Array
    largest_share: Array
    replicate_scale: Array | None = None

    def chosen(self, places: Mask | Sequence[int]) -> RatioEstimates:
        """Give some of the ratios, by mask or by place."""
        return RatioEstimates(
            self.ratio[places],
            self.replicates[:, places],
            self.std_error[places],
            self.se_linearised[places],
            self.df[places],
            self.n[places],
            self.n_reporting[places],
            self.exposure[places],
            self.largest_share[places],
            self.replicate_scale,
        )

    @classmethod
    def joined(cls, parts: Sequence[RatioEstimates]) -> RatioEstimates:
        """Put the ratios of several batches of one sample after one another."""
        if len(parts) == 1:
            return parts[0]
        columns = {
            name: np.concatenate([getattr(part, name) for part in parts], axis=-1)
            for name in cls.__dataclass_fields__
            if name != "replicate_scale"
        }
        return cls(**columns, replicate_scale=parts[0].replicate_scale)


@dataclass(frozen=True)
class Inference:
    """How intervals are made: their kind, which variance, the confidence level.

    The variance is ``linearised``, or that of the replicates: ``bootstrap`` where they are drawn,
    else ``replicates``.
    """

    interval: str = "log_t"
    variance: str = "bootstrap"
    level: float = 0.95

    @property
    def of_comparisons(self) -> Inference:
        """The same for ratios and sums of estimates: gamma limits are of one estimate alone."""
        return replace(self, interval="log_t") if self.interval == "gamma_mid_p" else self


class PackedColumns(Sequence[Array]):
    """Columns of which those with many zeros are kept by their other cells alone.

    Most columns of a survey's ratios are those of a domain, or reports of a rare group: 0 for most
    respondents. A column that is asked for is made whole.

    Parameters
    ----------
    n
        Number of respondents.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self._kept: list[tuple[NDArray[np.uint32] | None, Array]] = []

    def append(self, values: Array) -> None:
        """Add a column of shape (n,)."""
        cells = np.flatnonzero(values)
        if 2 * cells.size < self.n < np.iinfo(np.uint32).max:
            self._kept.append((cells.astype(np.uint32), values[cells]))
        else:
            self._kept.append((None, values))

    def __len__(self) -> int:
        """Give the number of columns."""
        return len(self._kept)

    def __getitem__(self, place: Any) -> Any:
        """Make a column whole, shape (n,)."""
        if isinstance(place, slice):
            return [self[k] for k in range(*place.indices(len(self)))]
        cells, values = self._kept[place]
        if cells is None:
            return values
        whole = np.zeros(self.n)
        whole[cells] = values
        return whole

    def blocks(self) -> Iterator[slice]:
        """Give places of columns that are made whole together, `BLOCK_CELLS` cells at most."""
        size = max(1, BLOCK_CELLS // max(self.n, 1))
        for start in range(0, max(len(self), 1), size):
            yield slice(start, min(start + size, len(self)))

    def stacked(self, places: Sequence[int]) -> Array:
        """Put some columns side by side, shape (n, number of places)."""
        whole = np.empty((self.n, len(places)))
        for number, place in enumerate(places):
            whole[:, number] = self[place]
        return whole


@dataclass
class RatioBatch:
    """Collects the numerators and denominators of many ratios, each distinct column once."""

    n: int
    columns: PackedColumns = field(init=False)
    numerators: list[int] = field(default_factory=list)
    denominators: list[int] = field(default_factory=list)
    masks: list[Mask] = field(default_factory=list)
    reporting: list[int] = field(default_factory=list)
    exposures: list[float] = field(default_factory=list)
    _places: dict[bytes, int] = field(default_factory=dict)
    _masks: dict[bytes, Mask] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Start without columns."""
        self.columns = PackedColumns(self.n)

    def add(
        self,
        numerator: Array,
        denominator: Array,
        mask: Mask | None = None,
        exposure: Array | None = None,
    ) -> int:
        """Add one ratio.

        Parameters
        ----------
        numerator, denominator
            Columns, shape (n,). A respondent who lacks either (NaN) is out of both sums, never 0.
        mask
            The domain, shape (n,); everybody where None.
        exposure
            Degrees, shape (n,), where the denominator isn't the degree itself.

        Returns
        -------
        int
            The ratio's place in the results.
        """
        inside = ~(np.isnan(numerator) | np.isnan(denominator))
        if mask is not None:
            inside &= mask
        self.numerators.append(self._column(np.where(inside, numerator, 0.0)))
        self.denominators.append(self._column(np.where(inside, denominator, 0.0)))
        self.masks.append(self._masks.setdefault(_digest(inside), inside))
        self.reporting.append(int((numerator[inside] > 0).sum()))
        looked_at = (denominator if exposure is None else exposure)[inside]
        self.exposures.append(float(np.nansum(looked_at)))
        return len(self.masks) - 1

    @property
    def is_large(self) -> bool:
        """Whether its columns, made whole, would take more than 1 GB: time to evaluate them."""
        return len(self.columns) * self.n > 4 * BLOCK_CELLS

    def _column(self, values: Array) -> int:
        key = _digest(values)
        if key not in self._places:
            self._places[key] = len(self.columns)
            self.columns.append(values)
        return self._places[key]

    def evaluate(self, sampling: Sampling, *, linearised: bool = True) -> RatioEstimates:
        """Estimate every ratio with its replicates and both variances.

        Parameters
        ----------
        sampling
            Weights, replicates and design.
        linearised
            False spares the linearised variance and the degrees of freedom (then NaN).

        Returns
        -------
        RatioEstimates
            In the order in which the ratios were added.
        """
        full, largest = np.empty(len(self.columns)), np.full(len(self.columns), np.nan)
        parts = []
        for block in self.columns.blocks():
            stack = self.columns.stacked(range(block.start, block.stop))
            full[block] = sampling.weights @ stack
            parts.append(sampling.replicates.totals(stack))
            if sampling.psu_totals is not None and stack.size:
                stack *= sampling.weights[:, None]
                largest[block] = sampling.psu_totals(stack).max(axis=0)
        replicated = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        top, bottom = np.array(self.numerators, int), np.array(self.denominators, int)
        ratio = divided(full[top], full[bottom])
        replicates = divided(replicated[:, top], replicated[:, bottom])
        q = len(top)
        return RatioEstimates(
            ratio=ratio,
            replicates=replicates,
            std_error=replicate_error(ratio, replicates, sampling.scale),
            se_linearised=self._linearised(sampling, ratio, full[bottom])
            if linearised
            else np.full(q, np.nan),
            df=self._degrees_of_freedom(sampling) if linearised else np.full(q, np.nan),
            n=np.array([mask.sum() for mask in self.masks], np.int64),
            n_reporting=np.array(self.reporting, np.int64),
            exposure=np.array(self.exposures),
            largest_share=divided(largest[top], full[top]),
            replicate_scale=sampling.scale,
        )

    def _linearised(self, sampling: Sampling, ratio: Array, bottom: Array) -> Array:
        known = np.isfinite(ratio)
        safe, below = np.where(known, ratio, 0.0), np.where(known, bottom, 1.0)
        found = np.empty(len(ratio))
        # A ratio takes two columns, their scores, and what is between.
        size = max(1, BLOCK_CELLS // (4 * max(self.n, 1)))
        for start in range(0, len(ratio), size):
            block = slice(start, start + size)
            sides = np.array([self.numerators[block], self.denominators[block]])
            used, places = np.unique(sides, return_inverse=True)
            stack = self.columns.stacked(used.tolist())
            places = places.reshape(sides.shape)
            scores: Array = stack[:, places[0]] - stack[:, places[1]] * safe[block]
            scores *= sampling.weights[:, None] / below[block]
            found[block] = sampling.variance(scores)
        return np.where(known, np.sqrt(found), np.nan)

    def _degrees_of_freedom(self, sampling: Sampling) -> Array:
        found: dict[int, float] = {}
        for mask in self.masks:  # equal masks are one and the same
            if id(mask) not in found:
                found[id(mask)] = sampling.degrees_of_freedom(mask)
        return np.array([found[id(mask)] for mask in self.masks])


def _digest(values: Array | Mask) -> bytes:
    """Name a column by its content."""
    return blake2b(np.ascontiguousarray(values).data, digest_size=16).digest()


def divided(numerator: Array, denominator: Array) -> Array:
    """Quotient, NaN where the denominator is 0."""
    possible = denominator != 0
    return np.where(possible, numerator / np.where(possible, denominator, 1.0), np.nan)


def replicate_error(estimate: Array, replicates: Array, scale: Array | None = None) -> Array:
    """Replicate standard error about the full-sample estimate.

    Parameters
    ----------
    estimate
        Shape (q,).
    replicates
        Shape (B, q).
    scale
        Multiplier of each replicate's squared deviation, shape (B,); None: 1/B, for a bootstrap.

    Returns
    -------
    numpy.ndarray
        ``sqrt(sum_b scale_b (theta_b - theta)^2)``, shape (q,); NaN where any replicate has no
        estimate: leaving such replicates out would understate the variance.
    """
    if replicates.shape[0] == 0:
        return np.full(estimate.shape, np.nan)
    squares: Array = (replicates - estimate) ** 2
    return np.sqrt(squares.mean(axis=0) if scale is None else scale @ squares)


def check_percentiles(scale: Array | None) -> None:
    """Refuse percentile intervals from replicates that aren't draws.

    Parameters
    ----------
    scale
        As in :class:`Sampling`.

    Raises
    ------
    PipelineError
        If the replicates are a jackknife's or half-samples: they lie too close together.
    """
    if scale is not None:
        raise PipelineError(
            "Percentile intervals need a bootstrap.",
            place="headline.interval",
            found="percentile, with replicates of a jackknife or of half-samples",
            allowed="log_t or t",
            remedy="Use interval: log_t, or weight.replication: {method: rescaled_bootstrap}.",
        )


def tidy(
    keys: Sequence[Mapping[str, Any]],
    estimates: RatioEstimates,
    scale: Array,
    inference: Inference,
    design_effect: float = 1.0,
) -> pd.DataFrame:
    """Turn ratios into rows of the long tables.

    Parameters
    ----------
    keys
        Key columns of each row.
    estimates
        The ratios.
    scale
        What each ratio is multiplied by, shape (q,); rows where it is NaN are left out.
    inference
        How intervals are made.
    design_effect
        For the upper limit where nobody reports.

    Returns
    -------
    pandas.DataFrame
        Keys, then estimate, std_error, lower, upper, level, interval, df, se_linearised, n,
        n_reporting.
    """
    import pandas as pd

    linear = inference.variance == LINEARISED
    chosen = estimates.se_linearised if linear else estimates.std_error
    if inference.interval == "percentile":
        check_percentiles(estimates.replicate_scale)
    lower, upper = confidence_interval(
        inference.interval,
        estimates.ratio,
        chosen,
        estimates.df,
        level=inference.level,
        replicates=estimates.replicates,
        largest_share=estimates.largest_share,
    )
    nobody = estimates.ratio == 0
    lower = np.where(nobody, 0.0, lower)
    limit = zero_report_limit(estimates.exposure, design_effect, inference.level)
    upper = np.where(nobody, limit, upper)
    table = pd.DataFrame(list(keys)).assign(
        estimate=estimates.ratio * scale,
        std_error=chosen * scale,
        lower=lower * scale,
        upper=upper * scale,
        level=inference.level,
        interval=np.where(nobody, "zero_reports", inference.interval),
        df=estimates.df,
        se_linearised=estimates.se_linearised * scale,
        n=estimates.n,
        n_reporting=estimates.n_reporting,
    )
    return table[~np.isnan(scale)].reset_index(drop=True)
