"""The weighting chain: base weights, nonresponse, trimming, calibration, and their diagnostics.

`steps` has the steps that need no survey, `margins` the calibration margins, `chain` runs them in
order, `replicates` repeats them in every replicate, `diagnostics` describes the weights.
"""

from prevalence.weighting.chain import WeightTables, weigh
from prevalence.weighting.diagnostics import (
    effective_sizes,
    influential_respondents,
    weight_distribution,
    weighting_steps,
)
from prevalence.weighting.margins import (
    TEXT_COLUMNS,
    MergedMargin,
    merge_thin_categories,
    partners_after_merging,
)
from prevalence.weighting.replicates import replicate_weights
from prevalence.weighting.steps import selection_weights, trim_weights, trimming_bound

__all__ = [
    "TEXT_COLUMNS",
    "MergedMargin",
    "WeightTables",
    "effective_sizes",
    "influential_respondents",
    "merge_thin_categories",
    "partners_after_merging",
    "replicate_weights",
    "selection_weights",
    "trim_weights",
    "trimming_bound",
    "weigh",
    "weight_distribution",
    "weighting_steps",
]
