import numpy as np
import pandas as pd
import pytest

from prevalence.errors import PipelineError
from prevalence.relational import capped, count_columns, quantile_cap, stacked

NAN = np.nan


def test_counts_are_spread_in_the_order_of_the_weights():
    ard = pd.DataFrame(
        {
            "respondent": ["a", "a", "b", "b"],
            "group": ["doctors", "nurses", "doctors", "nurses"],
            "count": [1.0, NAN, 3.0, 4.0],
        }
    )
    counts = count_columns(ard, ["b", "a"])
    assert list(counts) == ["doctors", "nurses"]
    np.testing.assert_array_equal(counts["doctors"], [3, 1])
    np.testing.assert_array_equal(counts["nurses"], [4, NAN])


def test_counts_of_somebody_without_a_weight_are_refused():
    ard = pd.DataFrame({"respondent": ["a"], "group": ["x"], "count": [1.0]})
    with pytest.raises(PipelineError, match="weights don't have"):
        count_columns(ard, ["b"])


def test_an_unknown_group_is_named_with_its_likely_spelling():
    with pytest.raises(PipelineError) as error:
        stacked({"doctors": np.ones(2)}, ["doctor"])
    assert "doctors" in str(error.value)


def test_caps():
    counts = np.array([0.0, 2.0, 50.0, NAN])
    np.testing.assert_array_equal(capped(counts, 30), [0, 2, 30, NAN])
    np.testing.assert_array_equal(capped(counts, None), counts)
    assert quantile_cap(np.append(np.arange(101.0), NAN), 0.95) == 95
    assert quantile_cap(np.zeros(50), 0.95) == 1
