"""The models' rows below the estimators', in one table."""

import pandas as pd

from prevalence.united import is_modelled, modelled_rows, united


def test_models_stand_below_the_estimators_in_the_same_columns():
    own = pd.DataFrame({"estimator": ["ratio_of_sums"], "interval": ["log_t"], "df": [40.0]})
    models = pd.DataFrame(
        {"df": [float("nan")], "interval": ["credible_unconverged"], "estimator": ["overdispersed"]}
    )
    empty = models[:0]
    tables = {"scale_up": own, "specifications": own, "x": own}
    found = united(tables | {"scale_up_models": models, "specifications_models": empty})
    assert list(found) == ["scale_up", "specifications", "x"]
    assert list(found["scale_up"].columns) == list(own.columns)
    assert list(modelled_rows(found["scale_up"])) == [False, True]
    assert found["specifications"].equals(own)
    assert [is_modelled(row) for row in found["scale_up"].to_dict("records")] == [False, True]
    assert united(tables) == tables
