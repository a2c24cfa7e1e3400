import numpy as np
import pytest

from prevalence.coverage import coverage_table, monte_carlo_interval

NAN = np.nan


def test_monte_carlo_interval_against_printed_values():
    # Clopper-Pearson of 950 in 1,000: 0.9346 to 0.9627; of 0 in 20: 0 to 0.1684.
    lower, upper = monte_carlo_interval(np.array([950.0, 0.0, 20.0]), np.array([1000.0, 20, 20]))
    np.testing.assert_allclose(lower, [0.9346, 0, 0.8316], atol=1e-4)
    np.testing.assert_allclose(upper, [0.9627, 0.1684, 1], atol=1e-4)


def test_four_surveys_worked_by_hand():
    keys = [
        ("ratio_of_sums", "victims", "national", "log_t", "bootstrap"),
        ("oracle", "victims", "national", "log_t", "bootstrap"),
    ]
    #        truth, estimate, error, lower, upper, reporting
    mine = [
        [10.0, 11.0, 2.0, 8.0, 14.0, 5.0],
        [10.0, 9.0, 2.0, 6.0, 12.0, 6.0],
        [10.0, 13.0, 2.0, 11.0, 16.0, 7.0],
        [10.0, 11.0, 2.0, NAN, NAN, 6.0],
    ]
    oracle = [[10.0, estimate, 1.0, 8.0, 11.0, 5.0] for estimate in (9.0, 10.0, 11.0, 10.0)]
    values = np.stack([np.array(mine), np.array(oracle)], axis=1)
    table = coverage_table(keys, values, oracle="oracle", reference=("log_t", "bootstrap"))
    row = table.iloc[0]
    assert row["coverage"] == 0.5  # above the truth once, no interval once
    assert row["without_interval"] == 1
    assert row["relative_bias"] == pytest.approx(0.1)
    deviation = np.std([11, 9, 13, 11], ddof=1)
    assert row["bias_in_sd"] == pytest.approx(1 / deviation)
    assert row["se_over_sd"] == pytest.approx(2 / deviation)
    assert row["rms_se_over_sd"] == pytest.approx(2 / deviation)
    assert row["width_over_oracle"] == pytest.approx(6 / 3)
    assert row["mean_reporting"] == 6
    assert table.iloc[1]["width_over_oracle"] == 1
