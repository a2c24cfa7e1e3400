"""Replicate weights, kept as PSU factors and adjustment coefficients, never as a big matrix.

The weight of respondent i in replicate b is

    base_i × psu factor_{c(i) b} × nonresponse factor_{k(i) b} × F(x_i'λ_b),

so that a replicate is a column of PSU factors, one factor for each nonresponse class and one
coefficient for each calibration category. Respondents who share PSU, class and calibration cell are
added up before any replicate is looked at; the cost of a total is then that of the cells.

`factors` makes the PSU factors, `chain` repeats the weighting in each replicate, `weights` expands
what they give, `tables` reads and writes it.
"""

from prevalence.replication.chain import (
    CalibrationPlan,
    Households,
    merge_empty,
    nonresponse_factors,
    replicate,
)
from prevalence.replication.factors import (
    METHODS,
    RESCALED_BOOTSTRAP,
    PsuFactors,
    balanced_repeated,
    draw_rescaled_bootstrap,
    jackknife,
    psu_factors,
    rescaled,
)
from prevalence.replication.tables import (
    auxiliary_of_table,
    design_of_tables,
    factors_table,
    psu_table,
    replicate_names,
    replicates_of_tables,
)
from prevalence.replication.weights import Adjustments, Cells, GivenReplicates, Replicates

__all__ = [
    "METHODS",
    "RESCALED_BOOTSTRAP",
    "Adjustments",
    "CalibrationPlan",
    "Cells",
    "GivenReplicates",
    "Households",
    "PsuFactors",
    "Replicates",
    "auxiliary_of_table",
    "balanced_repeated",
    "design_of_tables",
    "draw_rescaled_bootstrap",
    "factors_table",
    "jackknife",
    "merge_empty",
    "nonresponse_factors",
    "psu_factors",
    "psu_table",
    "replicate",
    "replicate_names",
    "replicates_of_tables",
    "rescaled",
]
