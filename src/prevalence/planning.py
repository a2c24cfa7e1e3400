"""Planning the next wave: expected width of the interval and the smallest change to be detected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prevalence.coding import texts
from prevalence.interval import t_quantile
from prevalence.ratio import LINEARISED
from prevalence.strata import distinct_units

if TYPE_CHECKING:
    import pandas as pd

    from prevalence.estimation import Study

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RelativeVariance:
    """Relative variance of an estimate, by where it arises.

    Parameters
    ----------
    between
        Component between PSUs, for one PSU.
    within
        Component within PSUs, for one respondent.
    psus, respondents
        The design on which it was estimated.
    """

    between: float
    within: float
    psus: int
    respondents: int

    def of(self, psus: int, respondents: int, prevalence: float = 1.0) -> float:
        """Give the relative variance under another design.

        Parameters
        ----------
        psus, respondents
            Of the new design.
        prevalence
            New prevalence over the present one; reports are rare events, so that the part within
            PSUs falls in proportion to it.
        """
        return self.between / psus + self.within / respondents / prevalence

    def anchored(self, relative_error: float) -> RelativeVariance:
        """Scale both components to an error that the survey itself has.

        Parameters
        ----------
        relative_error
            Standard error of the estimate over the estimate, under the design on which the
            components were estimated. It knows of weighting and calibration, and of the error of
            each stage; the components only say how the variance divides.

        Returns
        -------
        RelativeVariance
            The same share between PSUs, and the square of that error under the present design.
        """
        factor = relative_error**2 / self.of(self.psus, self.respondents)
        return replace(self, between=self.between * factor, within=self.within * factor)


def relative_variance(
    reports: Array,
    degree: Array,
    weights: Array,
    stratum: NDArray[Any],
    psu: NDArray[Any],
) -> RelativeVariance:
    """Split the relative variance of a ratio estimate by analysis of variance.

    Parameters
    ----------
    reports, degree
        Numerator and denominator of the estimate, shape (n,); NaN where missing.
    weights
        Final weights, shape (n,).
    stratum, psu
        Labels, shape (n,).

    Returns
    -------
    RelativeVariance
        From the linearised scores ``n w (y - R d) / sum(w y)`` of the respondents: the mean squares
        between PSUs (within strata) and within PSUs. A negative component between is set to 0.
    """
    inside = ~(np.isnan(reports) | np.isnan(degree))
    y, d, w = reports[inside], degree[inside], weights[inside]
    n = len(y)
    scores = n * w * (y - (w @ y) / (w @ d) * d) / (w @ y)
    strata, of_stratum = np.unique(stratum[inside].astype(str), return_inverse=True)
    labels = distinct_units(stratum[inside], psu[inside])
    units, of_unit = np.unique(labels, return_inverse=True)
    size = np.bincount(of_unit).astype(float)
    means = np.bincount(of_unit, weights=scores) / size
    within = float(((scores - means[of_unit]) ** 2).sum() / max(n - len(units), 1))
    stratum_means = np.bincount(of_stratum, weights=scores) / np.bincount(of_stratum)
    centred = means[of_unit] - stratum_means[of_stratum]
    between = float((centred**2).sum() / max(len(units) - len(strata), 1))
    typical = (n - float(size @ size) / n) / max(len(units) - 1, 1)
    return RelativeVariance(max((between - within) / typical, 0.0), within, len(units), n)


def detectable_log_change(
    now: float, then: float, df: float, *, level: float, power: float
) -> float:
    """Smallest change of the logarithm that a two-sided test between two waves would find.

    Parameters
    ----------
    now, then
        Relative variances of the two waves' estimates, independent of one another.
    df
        Degrees of freedom.
    level
        Confidence level.
    power
        Probability of finding the change.

    Returns
    -------
    float
        ``(t_{df, level} + t_{df, power}) * sqrt(now + then)``.
    """
    from scipy.special import stdtrit

    reach = t_quantile(level, np.array([df]))[0] + stdtrit(df, power)
    return float(reach * np.sqrt(now + then))


def planning_table(
    present: RelativeVariance,
    designs: Sequence[Mapping[str, Any]],
    *,
    strata: int,
    level: float,
    power: float,
) -> pd.DataFrame:
    """Expect the precision of other designs.

    Parameters
    ----------
    present
        From :func:`relative_variance`.
    designs
        Each with `psus`, `respondents` and `prevalence` (over the present one).
    strata
        Strata of the new designs, for the degrees of freedom.
    level
        Confidence level.
    power
        Probability of detecting the smallest detectable change.

    Returns
    -------
    pandas.DataFrame
        For each design the coefficient of variation, the factors by which the interval's ends
        differ from the estimate (`lower_factor`, `upper_factor`), and the smallest relative fall
        and rise between this wave and that one that a two-sided test would find.
    """
    import pandas as pd

    rows = []
    now = present.of(present.psus, present.respondents)
    for design in designs:
        share = float(design.get("prevalence", 1.0))
        variance = present.of(design["psus"], design["respondents"], share)
        df = np.array([max(design["psus"] - strata, 1.0)])
        half = float(t_quantile(level, df)[0]) * np.sqrt(variance)
        reach = detectable_log_change(now, variance, float(df[0]), level=level, power=power)
        rows.append(
            {
                "psus": int(design["psus"]),
                "respondents": int(design["respondents"]),
                "prevalence": share,
                "cv": float(np.sqrt(variance)),
                "lower_factor": float(np.exp(-half)),
                "upper_factor": float(np.exp(half)),
                "detectable_fall": float(np.exp(-reach) - 1),
                "detectable_rise": float(np.exp(reach) - 1),
            }
        )
    return pd.DataFrame(rows)


def plan_study(
    study: Study, weights: pd.DataFrame, settings: Mapping[str, Any] | None
) -> pd.DataFrame:
    """Expect the precision of the configured designs for every hidden group of a survey.

    Parameters
    ----------
    study
        The survey.
    weights
        Table `weights` of the weight stage: stratum and PSU of each respondent.
    settings
        The `estimate.planning` section: `power` and `designs`.

    Returns
    -------
    pandas.DataFrame
        Rows of :func:`planning_table` with `group`, for the headline's estimator, its present
        standard error that of the headline; empty without designs, and for groups that nobody
        reports.
    """
    import pandas as pd

    groups = [group for group in study.hidden_groups() if np.nansum(group.reports) > 0]
    if not (settings and groups):
        return pd.DataFrame()
    headline = study.headline_estimates(groups)
    linearised = study.headline.inference.variance == LINEARISED
    errors = headline.se_linearised if linearised else headline.std_error
    labels = [texts(weights[name]) for name in ("stratum", "psu")]
    tables = []
    for group, error in zip(groups, errors / headline.ratio, strict=True):
        columns = study.headline_columns(group)[:2]
        present = relative_variance(*columns, study.sampling.weights, *labels)
        table = planning_table(
            present.anchored(float(error)),
            settings["designs"],
            strata=len(np.unique(labels[0])),
            level=study.headline.inference.level,
            power=settings["power"],
        )
        tables.append(table.assign(group=group.name))
    return pd.concat(tables, ignore_index=True)
