"""What respondents cannot know: adjustment factors as distributions, carried by Monte Carlo.

``N_adjusted = N_basic * precision / (frame_ratio * degree_ratio * true_positive_rate)``: the
true-positive out-reports over mean visibility (Feehan & Salganik 2016, *Sociological Methodology*
46:153). The unadjusted estimate stays the headline; adjusted figures are sensitivity.
"""

from prevalence.adjustment.estimates import (
    KNOWN_SIZE,
    NO_FACTORS,
    SAMPLING,
    adjust_study,
    adjusted_ratio,
    adjusted_rows,
    adjusted_table,
    frame_degree_draws,
    national_rates,
    replicate_draws,
    sampling_draws,
    study_factors,
    study_size_error,
    variance_components,
)
from prevalence.adjustment.factors import (
    EXPONENTS,
    SIZE_ERROR,
    Factor,
    beta_draws,
    companion_degree_draws,
    companion_draws,
    draw_factors,
    factor_of,
    factor_table,
    known_size_multiplier,
    log_normal_draws,
    pooled_draws,
    summary,
)

__all__ = [
    "EXPONENTS",
    "KNOWN_SIZE",
    "NO_FACTORS",
    "SAMPLING",
    "SIZE_ERROR",
    "Factor",
    "adjust_study",
    "adjusted_ratio",
    "adjusted_rows",
    "adjusted_table",
    "beta_draws",
    "companion_degree_draws",
    "companion_draws",
    "draw_factors",
    "factor_of",
    "factor_table",
    "frame_degree_draws",
    "known_size_multiplier",
    "log_normal_draws",
    "national_rates",
    "pooled_draws",
    "replicate_draws",
    "sampling_draws",
    "study_factors",
    "study_size_error",
    "summary",
    "variance_components",
]
