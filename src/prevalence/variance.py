"""Totals, means, proportions and ratios by domain, with their joint variance.

Every estimate is a function of weighted totals. A total carries its *variation*: its influence on
each ultimate unit of the design (Taylor linearisation), or its value in each replicate. Quotients
and differences of estimates carry theirs along, so that the variance of any function of any two
estimates needs no formula of its own, and both kinds of variance go through the same calls.

Source: Binder 1983, *Int Stat Rev* 51:279 (linearisation by influence values).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prevalence.coding import encoded, missing_labels, sums, sums_by_domain, texts
from prevalence.design import SampleDesign, check_lengths
from prevalence.errors import PipelineError, check_known

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

INTERVALS = ("t", "log_t", "logit", "wilson", "beta", "percentile")
SMALLEST_SHARE = 1e-9  # of the population that a sample must leave out to have a variance


@dataclass(frozen=True, eq=False)
class Domains:
    """A partition of the respondents, or of some of them.

    Parameters
    ----------
    codes
        Domain of each respondent, -1 for none, shape (n,).
    names
        Name of each domain.
    """

    codes: Codes
    names: tuple[str, ...]

    @classmethod
    def of(cls, labels: ArrayLike | Domains | None, n: int) -> Domains:
        """Make domains from labels (n,); the whole sample where None; a mask is one domain.

        Respondents whose label is missing are in no domain; they stay in the design.
        """
        if isinstance(labels, Domains):
            return labels
        if labels is None:
            return cls(np.zeros(n, dtype=np.intp), ("all",))
        values = np.asarray(labels)
        check_lengths("domain", [values], n)
        missing = missing_labels(values)
        known = values if missing is None else values[~missing]
        if known.dtype == object and all(isinstance(value, bool | np.bool_) for value in known):
            known = known.astype(bool)
        if known.dtype == bool:
            codes, names = np.where(known, 0, -1).astype(np.intp), ["inside"]
        else:
            codes, names = encoded(known)
        if missing is not None:
            everybody = np.full(len(values), -1, dtype=np.intp)
            everybody[~missing] = codes
            codes = everybody
        return cls(codes, tuple(names))

    @property
    def count(self) -> int:
        """Number of domains D."""
        return len(self.names)

    def without(self, rows: NDArray[np.bool_]) -> Domains:
        """Take respondents out of every domain, such as those without an answer."""
        return Domains(np.where(rows, -1, self.codes), self.names) if rows.any() else self


@dataclass(frozen=True, eq=False)
class Influence:
    """Variation by linearisation.

    Parameters
    ----------
    design
        The design.
    units
        Totals of the influence values by ultimate unit, shape (m, q).
    present
        Respondents of the domain by ultimate unit, shape (m, q), where the rule for lone PSUs asks
        for them; else None.
    """

    design: SampleDesign
    units: Array
    present: Array | None = None

    def covariance(self) -> Array:
        """Covariance matrix (q, q)."""
        return self.design.covariance(self.units, self.present)

    def variance(self) -> Array:
        """Variances (q,)."""
        return self.design.variance(self.units, self.present)

    def take(self, places: Codes) -> Influence:
        """Give the influence on some of the estimates, by place."""
        present = None if self.present is None else self.present[:, places]
        return Influence(self.design, self.units[:, places], present)

    def combined(self, other: Influence, of_self: Array, of_other: Array) -> Influence:
        """Give the influence on functions of estimates one by one, from their derivatives (q,)."""
        present = None
        if self.present is not None and other.present is not None:
            present = np.maximum(self.present, other.present)
        return Influence(self.design, self.units * of_self + other.units * of_other, present)

    @classmethod
    def joined(cls, parts: Sequence[Influence]) -> Influence:
        """Put the influence on estimates of one design side by side."""
        present = [part.present for part in parts if part.present is not None]
        return cls(
            parts[0].design,
            np.hstack([part.units for part in parts]),
            np.hstack(present) if len(present) == len(parts) else None,
        )


@dataclass(frozen=True, eq=False)
class ReplicateValues:
    """Variation over replicates.

    Parameters
    ----------
    value
        Estimates in each replicate, shape (B, q).
    centre
        What deviations are taken from, shape (q,): the full-sample estimates.
    scale
        Multiplier of each replicate's squared deviation, shape (B,).
    about_mean
        Whether deviations are taken from the replicates' mean instead of from `centre`.
    """

    value: Array
    centre: Array
    scale: Array
    about_mean: bool = False

    def _deviations(self) -> Array:
        # Replicates that don't count, such as those of a stratum taken whole, have no part in it.
        counted = self.value[self.scale > 0]
        return self.value - (counted.mean(axis=0) if self.about_mean else self.centre)

    def covariance(self) -> Array:
        """Covariance matrix (q, q)."""
        deviations = self._deviations()
        return np.asarray((deviations * self.scale[:, None]).T @ deviations)

    def variance(self) -> Array:
        """Variances (q,)."""
        return np.asarray(self.scale @ self._deviations() ** 2)

    def take(self, places: Codes) -> ReplicateValues:
        """Give the replicates of some of the estimates, by place."""
        return replace(self, value=self.value[:, places], centre=self.centre[places])

    @classmethod
    def joined(cls, parts: Sequence[ReplicateValues]) -> ReplicateValues:
        """Put replicates of estimates from one set side by side."""
        return replace(
            parts[0],
            value=np.hstack([part.value for part in parts]),
            centre=np.concatenate([part.centre for part in parts]),
        )


class ReplicateSample(Protocol):
    """Replicate weights as the estimators see them (see :mod:`prevalence.replication`)."""

    @property
    def design(self) -> SampleDesign:
        """The design that was replicated, with the full-sample weights."""
        ...

    @property
    def scale(self) -> Array:
        """Multiplier of each replicate's squared deviation, shape (B,)."""
        ...

    @property
    def degrees_of_freedom(self) -> float | None:
        """Degrees of freedom if the replicates limit them; None: the design's."""
        ...

    @property
    def about_mean(self) -> bool:
        """Whether deviations are taken from the replicates' mean."""
        ...

    def totals(self, columns: Array, domain: Codes | None = None, domains: int = 1) -> Array:
        """Weighted totals in each replicate, shape (B, domains * q)."""
        ...


Sample = SampleDesign | ReplicateSample


@dataclass(frozen=True, eq=False)
class Estimates:
    """Several estimates with their joint variation.

    Parameters
    ----------
    value
        Estimates, shape (q,); NaN where there is nothing to estimate.
    names
        What each estimates.
    variation
        Influence values or replicate values.
    df
        Degrees of freedom, shape (q,).
    n
        Respondents behind each, shape (q,).
    random_variance
        Variance that a simple random sample of n respondents, drawn with replacement, would have,
        shape (q,), for the design effect; None where it isn't defined.
    unsampled
        Share of the population that such a sample leaves out, shape (q,).
    """

    value: Array
    names: tuple[str, ...]
    variation: Influence | ReplicateValues
    df: Array
    n: Array
    random_variance: Array | None = None
    unsampled: Array | None = None

    @property
    def std_errors(self) -> Array:
        """Standard errors, shape (q,)."""
        return np.sqrt(np.maximum(self.variation.variance(), 0.0))

    @property
    def covariance(self) -> Array:
        """Covariance matrix, shape (q, q)."""
        return self.variation.covariance()

    @property
    def design_effects(self) -> Array:
        """Variance over that of a simple random sample of the same size, shape (q,).

        The sample is one without replacement, from as many people as the weights sum to; NaN where
        they sum to n, as weights with mean 1 do.
        """
        if self.unsampled is None:
            return np.full(len(self.value), np.nan)
        left_out = np.where(self.unsampled > SMALLEST_SHARE, self.unsampled, np.nan)
        return self.design_effects_with_replacement / left_out

    @property
    def design_effects_with_replacement(self) -> Array:
        """Variance over that of a simple random sample drawn with replacement, shape (q,)."""
        if self.random_variance is None:
            return np.full(len(self.value), np.nan)
        possible = np.where(self.random_variance > 0, self.random_variance, np.nan)
        return self.variation.variance() / possible

    def table(self, level: float = 0.95, kind: str = "t") -> pd.DataFrame:
        """Give everything as a table, a row an estimate.

        Parameters
        ----------
        level, kind
            As in :meth:`interval`.

        Returns
        -------
        pandas.DataFrame
            name, estimate, std_error, lower, upper, df, n, design_effect.
        """
        import pandas as pd

        lower, upper = self.interval(level, kind)
        return pd.DataFrame(
            {
                "name": self.names,
                "estimate": self.value,
                "std_error": self.std_errors,
                "lower": lower,
                "upper": upper,
                "df": self.df,
                "n": self.n.astype(int),
                "design_effect": self.design_effects,
            }
        )

    def take(self, places: Sequence[int] | Codes) -> Estimates:
        """Give some of the estimates, by place; a place may occur more than once."""
        chosen = np.asarray(places, dtype=np.intp)
        variation = self.variation.take(chosen)
        random, unsampled = (
            None if part is None else part[chosen]
            for part in (self.random_variance, self.unsampled)
        )
        names = tuple(self.names[k] for k in chosen)
        return Estimates(
            self.value[chosen], names, variation, self.df[chosen], self.n[chosen], random, unsampled
        )

    def __truediv__(self, other: Estimates) -> Estimates:
        """Quotients, one by one; a single estimate on either side serves all."""
        a, b = _paired(self, other)
        bottom = np.where(b.value == 0, np.nan, b.value)
        ratio = a.value / bottom
        variation = _combined(
            a,
            b,
            1 / bottom,
            -ratio / bottom,
            lambda top, low: top / np.where(low == 0, np.nan, low),
        )
        return _derived(a, b, ratio, variation, "/")

    def __sub__(self, other: Estimates) -> Estimates:
        """Differences, one by one; a single estimate on either side serves all."""
        a, b = _paired(self, other)
        ones = np.ones(len(a.value))
        variation = _combined(a, b, ones, -ones, lambda top, low: top - low)
        return _derived(a, b, a.value - b.value, variation, "-")

    def interval(self, level: float = 0.95, kind: str = "t") -> tuple[Array, Array]:
        """Confidence limits.

        Parameters
        ----------
        level
            Confidence level.
        kind
            ``t``: ``R ± t se``; ``log_t``: on the log scale, for positive estimates; ``logit``: on
            the logit scale, for proportions; ``wilson``, ``beta``: for proportions near 0 or 1,
            with the effective sample size (Korn & Graubard 1998); ``percentile``: quantiles of the
            replicates.

        Returns
        -------
        lower, upper : numpy.ndarray
            Shape (q,).

        Raises
        ------
        PipelineError
            If the kind is unknown, or percentiles are asked without replicates.
        """
        check_known(kind, INTERVALS, "A kind of interval is unknown.")
        if kind == "percentile":
            return self._percentiles(level)
        from prevalence.interval import t_quantile

        p, se, t = self.value, self.std_errors, t_quantile(level, self.df)
        if kind == "t":
            return p - t * se, p + t * se
        if kind == "log_t":
            width = t * se / np.where(p > 0, p, np.nan)
            return p * np.exp(-width), p * np.exp(width)
        inside = np.where((p > 0) & (p < 1), p, np.nan)
        if kind == "logit":
            middle = np.log(inside / (1 - inside))
            half = t * se / (inside * (1 - inside))
            return 1 / (1 + np.exp(half - middle)), 1 / (1 + np.exp(-half - middle))
        return self._effective_size_interval(kind, inside, se, t, level)

    def _effective_size_interval(
        self, kind: str, p: Array, se: Array, t: Array, level: float
    ) -> tuple[Array, Array]:
        from scipy.special import betaincinv

        from prevalence.interval import t_quantile

        size = p * (1 - p) / np.where(se > 0, se, np.nan) ** 2
        if kind == "wilson":
            middle = (p + t**2 / (2 * size)) / (1 + t**2 / size)
            half = t * np.sqrt(p * (1 - p) / size + t**2 / (4 * size**2)) / (1 + t**2 / size)
            return middle - half, middle + half
        size = size * (t_quantile(level, self.n - 1) / t) ** 2
        tail = (1 - level) / 2
        lower = betaincinv(size * p, size * (1 - p) + 1, tail)
        upper = betaincinv(size * p + 1, size * (1 - p), 1 - tail)
        return lower, upper

    def _percentiles(self, level: float) -> tuple[Array, Array]:
        if not isinstance(self.variation, ReplicateValues):
            raise PipelineError(
                "Percentile intervals need replicates.",
                found="linearised estimates",
                remedy="Estimate from replicates, or use a t interval.",
            )
        tails = np.quantile(self.variation.value, [0.5 - level / 2, 0.5 + level / 2], axis=0)
        return tails[0], tails[1]


def estimate_totals(
    sample: Sample, columns: ArrayLike, domain: ArrayLike | Domains | None = None
) -> Estimates:
    """Weighted totals by domain.

    Parameters
    ----------
    sample
        A design (linearisation) or replicates.
    columns
        Values, shape (n,) or (n, q). A missing value leaves its respondent out of that total, and
        keeps it in the design.
    domain
        Labels, a mask, or :class:`Domains`; everybody where None.

    Returns
    -------
    Estimates
        Shape (D * q,), the columns of the first domain first.
    """
    design = _design(sample)
    values, missing = _known(columns, design.n)
    domains = Domains.of(domain, design.n)
    parts = [
        _totals(sample, values[:, [k]], domains.without(missing[:, k]))
        for k in range(values.shape[1])
    ]
    joined = parts[0] if len(parts) == 1 else join(parts)
    order = np.arange(len(joined.value)).reshape(len(parts), domains.count).T.ravel()
    return joined if len(parts) == 1 else joined.take(order)


def estimate_ratios(
    sample: Sample,
    numerator: ArrayLike,
    denominator: ArrayLike,
    domain: ArrayLike | Domains | None = None,
) -> Estimates:
    """Ratios of weighted totals by domain.

    Parameters
    ----------
    sample
        A design or replicates.
    numerator, denominator
        Shape (n,). Respondents who lack either are out of both sums.
    domain
        As in :func:`estimate_totals`.

    Returns
    -------
    Estimates
        Shape (D,).
    """
    design = _design(sample)
    top, lack_top = _known(numerator, design.n)
    bottom, lack_bottom = _known(denominator, design.n)
    inside = Domains.of(domain, design.n).without((lack_top | lack_bottom)[:, 0])
    both = _totals(sample, np.hstack([top, bottom]), inside)
    d = inside.count
    ratio = both.take(range(d)) / both.take(range(d, 2 * d))
    random, unsampled = _random_variance(design, top[:, 0], bottom[:, 0], ratio.value, inside)
    return replace(ratio, names=inside.names, random_variance=random, unsampled=unsampled)


def estimate_means(
    sample: Sample, values: ArrayLike, domain: ArrayLike | Domains | None = None
) -> Estimates:
    """Weighted means by domain: ratios to the number of people; see :func:`estimate_ratios`."""
    return estimate_ratios(sample, values, np.ones(_design(sample).n), domain)


def estimate_proportions(
    sample: Sample, labels: ArrayLike, domain: ArrayLike | Domains | None = None
) -> Estimates:
    """Weighted proportions of the categories of a variable, by domain.

    Parameters
    ----------
    sample
        A design or replicates.
    labels
        Category of each respondent, shape (n,); who lacks one is left out.
    domain
        As in :func:`estimate_totals`.

    Returns
    -------
    Estimates
        Shape (categories * D,), the domains of the first category first.
    """
    values = np.asarray(labels)
    missing = missing_labels(values)
    codes, names = encoded(values if missing is None else texts(values))
    if missing is not None:
        # Sorting puts the empty text, which stands for the missing ones, first.
        codes, names = codes - 1, names[1:]
    shares = [np.where(codes >= 0, codes == k, np.nan) for k in range(len(names))]
    parts = [estimate_means(sample, share, domain) for share in shares]
    joined = join(parts)
    single = len(parts[0].value) == 1
    full = [
        name if single else f"{name}, {inner}"
        for name, part in zip(names, parts, strict=True)
        for inner in part.names
    ]
    return replace(joined, names=tuple(full))


def estimate_variances(
    sample: Sample, values: ArrayLike, domain: ArrayLike | Domains | None = None
) -> Estimates:
    """Estimate population variances by domain, with divisor n - 1 as Kish has it.

    The mean is taken as known, since its own influence on the variance is 0.
    """
    design = _design(sample)
    y, missing = _known(values, design.n)
    domains = Domains.of(domain, design.n).without(missing[:, 0])
    mean = estimate_means(design, np.where(missing[:, 0], np.nan, y[:, 0]), domains)
    inside = domains.codes >= 0
    n = np.bincount(domains.codes[inside], minlength=domains.count)
    squares = (y[:, 0] - mean.value[domains.codes]) ** 2 * (n / np.maximum(n - 1, 1))[domains.codes]
    return estimate_means(sample, np.where(inside, squares, np.nan), domains)


def join(parts: Sequence[Estimates]) -> Estimates:
    """Put estimates from the same sample into one, so that they have a joint covariance.

    Parameters
    ----------
    parts
        Estimates from one design, or from one set of replicates.
    """
    first = parts[0].variation
    variation: Influence | ReplicateValues
    if isinstance(first, Influence):
        variation = Influence.joined(
            [part.variation for part in parts if isinstance(part.variation, Influence)]
        )
    else:
        variation = ReplicateValues.joined(
            [part.variation for part in parts if isinstance(part.variation, ReplicateValues)]
        )
    random = [part.random_variance for part in parts if part.random_variance is not None]
    unsampled = [part.unsampled for part in parts if part.unsampled is not None]
    return Estimates(
        np.concatenate([part.value for part in parts]),
        tuple(name for part in parts for name in part.names),
        variation,
        np.concatenate([part.df for part in parts]),
        np.concatenate([part.n for part in parts]),
        np.concatenate(random) if len(random) == len(parts) else None,
        np.concatenate(unsampled) if len(unsampled) == len(parts) else None,
    )


def _design(sample: Sample) -> SampleDesign:
    return sample if isinstance(sample, SampleDesign) else sample.design


def _known(columns: ArrayLike, n: int) -> tuple[Array, NDArray[np.bool_]]:
    """Values (n, q) with 0 for missing ones, and which are missing."""
    values = np.asarray(columns, dtype=float)
    values = values[:, None] if values.ndim == 1 else values
    if len(values) != n:
        raise PipelineError(
            "A column doesn't have one value a respondent.",
            found=f"{len(values)} values",
            allowed=f"{n} values",
        )
    missing = np.isnan(values)
    return (np.where(missing, 0.0, values) if missing.any() else values), missing


def _totals(sample: Sample, values: Array, domains: Domains) -> Estimates:
    """Totals of complete columns, all domains of the first column first, shape (q * D,)."""
    design = _design(sample)
    codes, d, q = domains.codes, domains.count, values.shape[1]
    weighted = values * design.weights[:, None]
    variation: Influence | ReplicateValues
    if isinstance(sample, SampleDesign):
        m = design.stages[-1].units
        units = np.hstack(
            [sums_by_domain(design.unit, m, weighted[:, k], codes, d) for k in range(q)]
        )
        full = units.sum(axis=0)
        if design.calibration is not None:
            units = units - _fitted(design, weighted, codes, d)
        present = np.tile(_present(design, codes, d), (1, q)) if design.borrows_for_lone else None
        variation = Influence(design, units, present)
        df = design.domain_degrees_of_freedom(codes, d)
    else:
        zeros = np.zeros(design.n, dtype=np.intp)
        full = np.hstack([sums_by_domain(zeros, 1, weighted[:, k], codes, d)[0] for k in range(q)])
        replicated = sample.totals(values, codes, d)
        by_column = replicated.reshape(len(replicated), d, q).transpose(0, 2, 1)
        variation = ReplicateValues(
            by_column.reshape(len(replicated), -1), full, sample.scale, sample.about_mean
        )
        limit = sample.degrees_of_freedom
        df = design.domain_degrees_of_freedom(codes, d) if limit is None else np.full(d, limit)
    inside = codes >= 0
    n = np.bincount(codes[inside], minlength=d).astype(float)
    return Estimates(full, domains.names * q, variation, np.tile(df, q), np.tile(n, q))


def _present(design: SampleDesign, codes: Codes, domains: int) -> Array:
    """Respondents of each domain by ultimate unit, shape (m, D), for the rules on lone PSUs.

    An estimate from calibrated weights rests on everybody, whatever its domain.
    """
    m = design.stages[-1].units
    if design.calibration is not None or (domains == 1 and bool((codes == 0).all())):
        return np.ones((m, domains))
    return sums_by_domain(design.unit, m, np.ones(design.n), codes, domains)


def _fitted(design: SampleDesign, weighted: Array, codes: Codes, domains: int) -> Array:
    """Give what the calibration explains of each column in each domain, by ultimate unit."""
    calibration = design.calibration
    if calibration is None:
        return np.zeros((design.stages[-1].units, 1))
    parts = []
    for k in range(weighted.shape[1]):
        for d in range(domains):
            inside = np.where(codes == d, weighted[:, k], 0.0)
            parts.append(calibration.fitted_unit_totals(design, inside[:, None]))
    return np.hstack(parts)


def _paired(a: Estimates, b: Estimates) -> tuple[Estimates, Estimates]:
    if len(a.value) == 1 and len(b.value) > 1:
        a = a.take([0] * len(b.value))
    if len(b.value) == 1 and len(a.value) > 1:
        b = b.take([0] * len(a.value))
    if len(a.value) != len(b.value) or not _of_one_sample(a.variation, b.variation):
        raise PipelineError(
            "Estimates that don't belong together are compared.",
            found=f"{len(a.value)} and {len(b.value)} estimates",
            allowed="as many on both sides, from the same sample",
        )
    return a, b


def _of_one_sample(a: Influence | ReplicateValues, b: Influence | ReplicateValues) -> bool:
    if isinstance(a, Influence) and isinstance(b, Influence):
        mine, other = a.design.stages, b.design.stages
        return len(mine) == len(other) and all(
            np.array_equal(x.stratum, y.stratum) for x, y in zip(mine, other, strict=True)
        )
    if isinstance(a, ReplicateValues) and isinstance(b, ReplicateValues):
        return np.array_equal(a.scale, b.scale) and a.about_mean == b.about_mean
    return False


def _combined(
    a: Estimates, b: Estimates, of_a: Array, of_b: Array, exact: object
) -> Influence | ReplicateValues:
    """Variation of a function of a and b: by its derivatives, or exactly in each replicate."""
    first, second = a.variation, b.variation
    if isinstance(first, Influence) and isinstance(second, Influence):
        return first.combined(second, of_a, of_b)
    assert isinstance(first, ReplicateValues)
    assert isinstance(second, ReplicateValues)
    assert callable(exact)
    return replace(
        first,
        value=exact(first.value, second.value),
        centre=exact(first.centre, second.centre),
    )


def _derived(
    a: Estimates, b: Estimates, values: Array, variation: Influence | ReplicateValues, sign: str
) -> Estimates:
    names = tuple(f"{x} {sign} {y}" for x, y in zip(a.names, b.names, strict=True))
    return Estimates(values, names, variation, np.minimum(a.df, b.df), np.minimum(a.n, b.n))


def _random_variance(
    design: SampleDesign, top: Array, bottom: Array, ratio: Array, domains: Domains
) -> tuple[Array, Array]:
    """Variance of a ratio in a simple random sample, and the share left out, by domain (D,)."""
    codes, d = domains.codes, domains.count
    inside = codes >= 0
    c, w = codes[inside], design.weights[inside]
    y, x = top[inside], bottom[inside]
    population = sums(c, w, d)
    n = np.bincount(c, minlength=d).astype(float)
    scale = sums(c, w * x, d)
    residual = y - ratio[c] * x
    spread = sums(c, w * residual**2, d)
    spread -= sums(c, w * residual, d) ** 2 / np.where(population > 0, population, 1.0)
    enough = (n > 1) & (scale != 0)
    safe = np.where(enough, n, 2.0)
    per_person = spread / np.where(population > 0, population, 1.0) * safe / (safe - 1)
    unsampled = 1 - n / np.where(population > 0, population, np.nan)
    variance = per_person * population**2 / safe / np.where(enough, scale, 1.0) ** 2
    return np.where(enough, variance, np.nan), unsampled


def total_random_variance(design: SampleDesign, values: ArrayLike) -> float:
    """Variance of a total in a simple random sample without replacement, for its design effect.

    Parameters
    ----------
    design
        Gives n and the weights.
    values
        Shape (n,).

    Returns
    -------
    float
        NaN where the weights sum to no more than n.
    """
    y = np.asarray(values, dtype=float)
    w, n = design.weights, design.n
    population = w.sum()
    spread = (w * (y - w @ y / population) ** 2).sum() / population * n / (n - 1)
    left_out = 1 - n / population
    if left_out <= SMALLEST_SHARE:
        return float("nan")
    return float(spread * population**2 * left_out / n)
