"""The generalised scale-up estimator: out-reports over mean visibility, from two samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prevalence.degree import known_population_degrees
from prevalence.errors import PipelineError
from prevalence.interval import confidence_interval
from prevalence.ratio import (
    Inference,
    Sampling,
    check_percentiles,
    divided,
    replicate_error,
)
from prevalence.sampling import members_sampling
from prevalence.scale_up import PER
from prevalence.streams import stream

if TYPE_CHECKING:
    import pandas as pd

    from prevalence.estimation import Study

Array = NDArray[np.float64]

VISIBILITY_REPLICATES = 1000  # of the visibility sample, where the frame's aren't draws


@dataclass(frozen=True)
class GeneralisedEstimate:
    """A generalised scale-up estimate.

    Parameters
    ----------
    estimate
        Size of the hidden group, in persons.
    std_error, lower, upper
        From the joint bootstrap of both samples; where one of them has other replicates, from
        both relative variances, the samples being independent.
    out_reports
        Reports that the whole frame would make.
    visibility
        Mean number of frame members who would report a member of the hidden group.
    df
        Design degrees of freedom: the fewer of the two samples'.
    replicates
        Shape (B,); empty without a joint bootstrap.
    """

    estimate: float
    std_error: float
    lower: float
    upper: float
    out_reports: float
    visibility: float
    df: float
    replicates: Array


def generalised_estimate(
    reports: Array,
    frame: Sampling,
    visibility: Array,
    hidden: Sampling,
    inference: Inference,
    *,
    precision: float = 1.0,
    frame_size: float | None = None,
) -> GeneralisedEstimate:
    """Divide the frame's true reports by the hidden group's mean visibility.

    ``N_H = precision * sum_i w_i y_i / (sum_j v_j a_j / sum_j v_j)``: respondents `i` of the frame
    sample report `y_i` members; members `j` of the hidden group's own sample are visible to `a_j`
    people of the frame. No degree is needed.

    Parameters
    ----------
    reports
        Members known by each respondent of the frame sample, shape (n,); NaN is left out of the
        sum, which then is scaled to the sample's whole weight.
    frame
        Sampling of the frame; its weights sum to the frame's size unless that is given.
    visibility
        For each member in the hidden group's sample, the people of the frame who would report them,
        shape (m,).
    hidden
        Sampling of the hidden group, with as many replicates; drawn independently.
    inference
        How the interval is made.
    precision
        Share of the reports that are true.
    frame_size
        People of the frame, where the weights are only relative.

    Returns
    -------
    GeneralisedEstimate
        With the joint bootstrap of both samples.

    Notes
    -----
    Feehan & Salganik 2016, *Sociological Methodology* 46:153.
    """
    told = ~np.isnan(reports)
    seen = ~np.isnan(visibility)
    above = np.column_stack([np.where(told, reports, 0.0), told, np.ones(len(told))])
    below = np.column_stack([np.where(seen, visibility, 0.0), seen])
    totals = (frame.weights @ above)[None, :]
    others = (hidden.weights @ below)[None, :]
    replicated = frame.replicates.totals(above)
    size, sizes = totals[:, 2], replicated[:, 2]
    if frame_size is not None:
        size, sizes = np.full(1, frame_size), np.full(len(sizes), frame_size)
    point = precision * _quotient(totals, size, others)
    seen_again = hidden.replicates.totals(below)
    if frame.drawn and hidden.drawn:
        replicates = precision * _quotient(replicated, sizes, seen_again)
        error = replicate_error(point, replicates[:, None])
    else:
        if inference.interval == "percentile":
            check_percentiles(np.empty(0))
        replicates = np.empty(0)
        out = size * divided(totals[:, 0], totals[:, 1])
        outs = sizes * divided(replicated[:, 0], replicated[:, 1])
        mean, means = (divided(v[:, 0], v[:, 1]) for v in (others, seen_again))
        relative = [
            divided(replicate_error(centre, values[:, None], scale), centre)
            for centre, values, scale in ((out, outs, frame.scale), (mean, means, hidden.scale))
        ]
        error = point * np.hypot(*relative)
    df = np.array(
        [
            min(
                frame.degrees_of_freedom(np.ones(len(told), bool)),
                hidden.degrees_of_freedom(np.ones(len(seen), bool)),
            )
        ]
    )
    kind = inference.of_comparisons.interval  # of two samples' quotient
    lower, upper = confidence_interval(
        kind, point, error, df, level=inference.level, replicates=replicates[:, None]
    )
    return GeneralisedEstimate(
        estimate=float(point[0]),
        std_error=float(error[0]),
        lower=float(lower[0]),
        upper=float(upper[0]),
        out_reports=float((size * divided(totals[:, 0], totals[:, 1]))[0]),
        visibility=float(divided(others[:, 0], others[:, 1])[0]),
        df=float(df[0]),
        replicates=replicates,
    )


def probe_visibility(aware: Array, probe_sizes: ArrayLike, frame_size: float) -> Array:
    """Visibility to the frame, from who knows of a member among probe groups of known size.

    ``a_j = N_F * sum_k v_jk / sum_k N_k`` over the probe groups `k` that member `j` was asked
    about: it takes members to be as visible to the probes as to the frame.

    Parameters
    ----------
    aware
        People of each probe group who know that the respondent is a member, shape (m, K), or (m,)
        for one group or the sum over all; NaN where the question wasn't answered.
    probe_sizes
        People of the frame in each probe group, shape (K,), or a number.
    frame_size
        People of the frame.

    Returns
    -------
    numpy.ndarray
        Shape (m,); NaN where no group was answered.

    Notes
    -----
    Feehan & Salganik 2016, equation 7; the game of contacts of Salganik et al. 2011, *American
    Journal of Epidemiology* 174:1190.
    """
    counts = np.asarray(aware, dtype=float)
    counts = counts[:, None] if counts.ndim == 1 else counts
    return known_population_degrees(
        counts, np.atleast_1d(np.asarray(probe_sizes, dtype=float)), frame_size
    )


def _quotient(frame: Array, size: Array, hidden: Array) -> Array:
    """Out-reports of the whole frame over mean visibility, row by row."""
    out_reports = size * divided(frame[:, 0], frame[:, 1])
    return divided(out_reports, divided(hidden[:, 0], hidden[:, 1]))


def _visibility(table: pd.DataFrame, frame_size: float) -> Array:
    """Visibility of each member: as given, or where it isn't, from the probe groups' awareness."""
    given = np.full(len(table), np.nan)
    if "visibility" in table:
        given = table["visibility"].to_numpy(float)
    probed = {"aware", "probe_size"} <= set(table) and not np.isnan(frame_size)
    if not probed and np.isnan(given).all():
        raise PipelineError(
            "Visibility to the frame isn't known.",
            file="visibility",
            place="columns visibility, aware, probe_size",
            found="neither visibility, nor aware and probe_size with the number of adults",
            allowed="one or the other",
            remedy="Give each member's visibility, or the people of the probe groups who are aware "
            "of it, their number, and the adults in populations.csv.",
        )
    if not probed:
        return given
    share = divided(table["aware"].to_numpy(float), table["probe_size"].to_numpy(float))
    return np.where(np.isnan(given), frame_size * share, given)


def generalised_rows(
    study: Study, visibility: pd.DataFrame, entropy: Sequence[int]
) -> pd.DataFrame:
    """Estimate the hidden groups that have a visibility sample, as rows of the scale-up table.

    Parameters
    ----------
    study
        The survey.
    visibility
        One row a member in the sample: `group`, `visibility` or else `aware` and `probe_size` (see
        :func:`probe_visibility`), and the columns of
        :func:`prevalence.sampling.members_sampling`.
    entropy
        Seed of the replicates of the visibility samples.

    Returns
    -------
    pandas.DataFrame
        National rows of the estimator ``generalised``, in persons and as rates. The frame is the
        adults where their number is known, else the sum of the weights.
    """
    import pandas as pd

    inference = study.headline.inference
    nation, rows = study.domains[0], []
    adults = study.populations.of(nation, "adults")
    count = VISIBILITY_REPLICATES
    if study.sampling.drawn:
        count = len(study.sampling.replicates.totals(np.ones((len(study.respondents), 1))))
    for group in study.hidden_groups():
        mine = visibility[visibility["group"] == group.name]
        if len(mine) == 0:
            continue
        found = generalised_estimate(
            group.reports,
            study.sampling,
            _visibility(mine, adults),
            members_sampling(mine, count, stream(entropy, group.name, "visibility")),
            inference,
            frame_size=None if np.isnan(adults) else adults,
        )
        rate = PER[group.per] / study.populations.of(nation, group.population)
        answered = ~np.isnan(group.reports)
        for unit, factor in (("persons", 1.0), (group.per, rate)):
            if np.isnan(factor):
                continue
            rows.append(
                {
                    "estimator": "generalised",
                    "group": group.name,
                    "unit": unit,
                    "domain_type": nation.type,
                    "domain": nation.name,
                    "estimate": found.estimate * factor,
                    "std_error": found.std_error * factor,
                    "lower": found.lower * factor,
                    "upper": found.upper * factor,
                    "level": inference.level,
                    "interval": inference.of_comparisons.interval,
                    "df": found.df,
                    "se_linearised": np.nan,
                    "n": int(answered.sum()),
                    "n_reporting": int((group.reports[answered] > 0).sum()),
                    "headline": False,
                }
            )
    return pd.DataFrame(rows)
