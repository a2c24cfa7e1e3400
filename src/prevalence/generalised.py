"""The generalised scale-up estimator: out-reports over mean visibility, from two samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prevalence.interval import confidence_interval
from prevalence.ratio import Inference, Sampling, bootstrap_error, divided

Array = NDArray[np.float64]


@dataclass(frozen=True)
class GeneralisedEstimate:
    """A generalised scale-up estimate.

    Parameters
    ----------
    estimate
        Size of the hidden group, in persons.
    std_error, lower, upper
        From the joint bootstrap of both samples.
    out_reports
        Reports that the whole frame would make.
    visibility
        Mean number of frame members who would report a member of the hidden group.
    replicates
        Shape (B,).
    """

    estimate: float
    std_error: float
    lower: float
    upper: float
    out_reports: float
    visibility: float
    replicates: Array


def generalised_estimate(
    reports: Array,
    frame: Sampling,
    visibility: Array,
    hidden: Sampling,
    inference: Inference,
    *,
    precision: float = 1.0,
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
        Sampling of the frame; weights sum to the frame's size.
    visibility
        For each member in the hidden group's sample, the people of the frame who would report them,
        shape (m,).
    hidden
        Sampling of the hidden group, with as many replicates; drawn independently.
    inference
        How the interval is made.
    precision
        Share of the reports that are true.

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
    point = precision * _quotient(totals, others)
    replicates = precision * _quotient(
        frame.replicates.totals(above), hidden.replicates.totals(below)
    )
    error = bootstrap_error(point, replicates[:, None])
    df = np.array(
        [
            min(
                frame.degrees_of_freedom(np.ones(len(told), bool)),
                hidden.degrees_of_freedom(np.ones(len(seen), bool)),
            )
        ]
    )
    lower, upper = confidence_interval(
        inference.interval, point, error, df, level=inference.level, replicates=replicates[:, None]
    )
    return GeneralisedEstimate(
        estimate=float(point[0]),
        std_error=float(error[0]),
        lower=float(lower[0]),
        upper=float(upper[0]),
        out_reports=float((totals[:, 0] * divided(totals[:, 2], totals[:, 1]))[0]),
        visibility=float(divided(others[:, 0], others[:, 1])[0]),
        replicates=replicates,
    )


def _quotient(frame: Array, hidden: Array) -> Array:
    """Out-reports of the whole frame over mean visibility, row by row."""
    out_reports = frame[:, 0] * divided(frame[:, 2], frame[:, 1])
    return divided(out_reports, divided(hidden[:, 0], hidden[:, 1]))
