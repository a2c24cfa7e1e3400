"""Levels of a trend beside the estimates of the wave's own report."""

import numpy as np
import pandas as pd
import pytest

from prevalence.scale_up import scale_up_table
from prevalence.waves.cells import cells_of, frozen
from prevalence.waves.trend import levels_table

KEYS = ["group", "domain_type", "domain", "unit"]
NUMBERS = ["estimate", "std_error", "lower", "upper", "level", "df", "n"]
RATIO = {"quotient": {"numerator": "victims", "denominator": "perpetrators", "label": "a ratio"}}


@pytest.mark.parametrize(
    ("interval", "variance"),
    [("log_t", "bootstrap"), ("gamma_mid_p", "linearised"), ("percentile", "bootstrap")],
)
def test_levels_are_those_of_the_waves_own_report(
    study_from, tables_of, weighted, configured, interval, variance
):
    """Same choices in both waves, whatever the headline's interval and variance are."""
    from prevalence.estimation import study_of

    headline = {**configured["headline"], "interval": interval, "variance": variance}
    estimate = {**configured["estimate"], "ratios": RATIO}
    waves = [
        study_of(weighted(tables_of(seed=seed)), estimate=estimate, headline=headline)
        for seed in (1, 2)
    ]
    earlier, later, _ = frozen(*waves)
    inferences = tuple(wave.headline.inference for wave in waves)
    table = levels_table(
        cells_of(earlier, later), (earlier, later), ("a", "b"), inferences, design_effect=1.3
    )
    for name, wave in zip(("a", "b"), waves, strict=True):
        own = scale_up_table(
            wave.hidden_groups(),
            wave.domains,
            wave.populations,
            wave.sampling,
            estimators=[wave.headline.estimator],
            headline=wave.headline.estimator,
            inference=wave.headline.inference,
            ratios=estimate["ratios"],
            design_effect=1.3,
        ).query("headline")
        mine = table[table["wave"] == name]
        both = mine.merge(own, on=KEYS, suffixes=("", "_own"), validate="one_to_one")
        assert len(both) == len(mine) == len(own)
        assert (both["interval"] == both["interval_own"]).all()
        for number in NUMBERS:
            np.testing.assert_allclose(both[number], both[f"{number}_own"], rtol=1e-12)
    assert isinstance(table, pd.DataFrame)
    assert {"ratio", "persons"} <= set(table["unit"])
