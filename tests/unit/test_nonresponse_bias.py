"""Respondents against frame and census, worked by hand and on the made-up survey of the chain."""

import numpy as np
import pandas as pd
import pytest
from test_weighting import SETTINGS, made_up_survey

from prevalence.contracts import check_table
from prevalence.contracts.weight import NONRESPONSE_BIAS
from prevalence.errors import PipelineError
from prevalence.nonresponse_bias import nonresponse_bias
from prevalence.weighting import weigh


@pytest.fixture(scope="module")
def survey():
    """Urban households answer half as often; the made-up survey otherwise."""
    respondents, frame, census = made_up_survey(n=1500)
    rng = np.random.default_rng(4)
    urban = frame["urban"] == "1"
    gone = urban & frame["disposition"].str.startswith("1") & (rng.uniform(size=len(frame)) < 0.5)
    frame["disposition"] = frame["disposition"].mask(gone, "2.112")
    respondents = respondents[~respondents["household"].isin(frame["household"][gone])]
    respondents = respondents.reset_index(drop=True)
    rule = SETTINGS["nonresponse"] | {"maximum_factor": 9}
    made = weigh(respondents, SETTINGS | {"nonresponse": rule}, frame, census)
    table = nonresponse_bias(
        respondents, made.weights, made.households, frame, census, ["region", "urban"]
    )
    return respondents, frame, census, made, check_table(table, NONRESPONSE_BIAS, "table")


def test_against_the_frame(survey):
    respondents, frame, _, made, table = survey
    rows = table[(table["against"] == "frame") & (table["variable"] == "urban")]
    rows = rows.set_index("category")
    eligible = made.households["eligible"].to_numpy()
    urban = (frame["urban"] == "1").to_numpy()
    share = eligible[urban].sum() / eligible.sum()
    assert rows.loc["1", "benchmark"] == pytest.approx(share)
    responding = made.households["responding"].to_numpy()
    mine = responding[urban].sum() / responding.sum()
    assert rows.loc["1", "responding"] == pytest.approx(mine)
    assert rows.loc["1", "difference"] == pytest.approx(mine - share)
    # Urban households are the fewer by design, and by far more than by chance.
    assert rows.loc["1", "difference"] < -4 * rows.loc["1", "std_error"]
    # They form the classes: the adjustment takes the difference away.
    assert abs(rows.loc["1", "remaining"]) < 1e-12
    assert rows["final"].isna().all()
    assert rows["n"].sum() == len(respondents)


def test_codes_of_the_frame_take_the_respondents_labels(survey):
    respondents, frame, census, made, _ = survey
    household = respondents["household"].map(frame.set_index("household")["urban"])
    named = respondents.assign(urban=household.map({"0": "rural", "1": "city"}))
    table = nonresponse_bias(named, made.weights, made.households, frame, census, ["urban"])
    assert set(table.loc[table["against"] == "frame", "category"]) == {"rural", "city"}
    # Not where a code has two labels.
    mixed = named.assign(urban=named["urban"].where(named.index > 5, "city"))
    table = nonresponse_bias(mixed, made.weights, made.households, frame, census, ["urban"])
    assert set(table.loc[table["against"] == "frame", "category"]) == {"0", "1"}


def test_the_error_is_that_of_the_difference(survey):
    _, frame, _, made, table = survey
    rows = table[(table["against"] == "frame") & (table["variable"] == "urban")]
    error = rows.set_index("category").loc["1", "std_error"]
    # Jackknife over PSUs of the same difference.
    households = made.households.assign(urban=(frame["urban"] == "1").to_numpy())
    psus = households.groupby(["stratum", "psu"])

    def difference(part):
        inside = part["urban"]
        one = part.loc[inside, "responding"].sum() / part["responding"].sum()
        return one - part.loc[inside, "eligible"].sum() / part["eligible"].sum()

    whole, squares = difference(households), 0.0
    sizes = households.groupby("stratum")["psu"].nunique()
    for (stratum, psu), _ in psus:
        n = sizes[stratum]
        rest = households[(households["stratum"] != stratum) | (households["psu"] != psu)].copy()
        raised = rest["stratum"] == stratum
        rest.loc[raised, ["eligible", "responding"]] *= n / (n - 1)
        squares += (n - 1) / n * (difference(rest) - whole) ** 2
    # Sixteen PSUs: linear and jackknife errors differ by their curvature.
    assert error == pytest.approx(np.sqrt(squares), rel=0.05)


def test_against_the_census(survey):
    respondents, _, census, made, table = survey
    rows = table[table["against"] == "census"].set_index(["variable", "category"])
    w = made.weights
    share = w.loc[respondents["sex"] == "female", "base"].sum() / w["base"].sum()
    found = rows.loc[("sex", "female")]
    assert found["benchmark"] == pytest.approx(0.51)
    assert found["responding"] == pytest.approx(share)
    assert found["final"] == pytest.approx(0.51)
    assert abs(found["remaining"]) < 1e-9
    assert len(rows) == len(census)


def test_what_is_not_there_is_not_compared():
    respondents, frame, census = made_up_survey()
    made = weigh(respondents, SETTINGS, frame, census)
    empty = nonresponse_bias(respondents, made.weights, made.households, None, None, [])
    assert len(check_table(empty, NONRESPONSE_BIAS, "table")) == 0
    with pytest.raises(PipelineError, match="urbann"):
        nonresponse_bias(
            respondents, made.weights, made.households, frame, census, ["region", "urbann"]
        )
    # A missing answer must not cut the labels of the others.
    missing = respondents.assign(sex=respondents["sex"].where(np.arange(len(respondents)) > 50))
    table = nonresponse_bias(missing, made.weights, made.households, frame, census, [])
    shares = table[table["variable"] == "sex"]
    assert shares["responding"].sum() == pytest.approx(1)
    assert pd.isna(table.loc[table["against"] == "frame", "final"]).all()
