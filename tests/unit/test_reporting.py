import numpy as np
import pandas as pd
import pytest

from prevalence.domains import Domain
from prevalence.ratio import Inference
from prevalence.reporting import answer_counts, reporting_table

SITUATIONS = pd.DataFrame(
    {
        "respondent": ["a", "a", "b", "c", "d", "d"],
        "group": ["victims", "perpetrators"] * 3,
        "reported": ["yes", "no", "dont_know", "yes", "refused", ""],
        "authority": ["police", "", "", "barangay", "", ""],
    }
)
PEOPLE = ["a", "b", "c", "d", "e"]


@pytest.fixture
def table(sampling_of):
    sampling = sampling_of([1.0, 2.0, 3.0, 4.0, 5.0], ["x"] * 5, range(5), replicates=40)
    nation = Domain("national", "national", "geographic", np.ones(5, bool))
    found = reporting_table(answer_counts(SITUATIONS, PEOPLE), [nation], sampling, Inference())
    return found.set_index(["estimator", "group"])


def test_both_treatments_of_dont_know(table):
    # Answered: yes of a (1) and c (3), no of a (1). All: also b's don't know (2), d's refusal (4).
    assert table.loc[("reported_of_answered", "all"), "estimate"] == pytest.approx(100 * 4 / 5)
    assert table.loc[("reported_of_all", "all"), "estimate"] == pytest.approx(100 * 4 / 11)
    assert table.loc[("reported_of_all", "all"), "n"] == 4
    assert table.loc[("reported_of_answered", "all"), "n"] == 2


def test_by_group_and_authority(table):
    assert table.loc[("reported_of_all", "victims"), "estimate"] == pytest.approx(100 / 7)
    assert table.loc[("reported_to_barangay", "all"), "estimate"] == pytest.approx(75)


def test_a_share_of_nothing_or_everything_has_no_interval(table):
    row = table.loc[("reported_of_answered", "victims")]
    assert row["estimate"] == pytest.approx(100)
    assert np.isnan(row["lower"])


def test_limits_stay_between_nothing_and_everything(table):
    rows = table.dropna(subset=["lower"])
    assert len(rows)
    assert (rows["lower"] > 0).all()
    assert (rows["upper"] < 100).all()


def test_without_situations_the_table_is_empty(sampling_of):
    sampling = sampling_of([1.0] * 5, ["x"] * 5, range(5), replicates=4)
    nation = Domain("national", "national", "geographic", np.ones(5, bool))
    answers = answer_counts(SITUATIONS.iloc[:0], PEOPLE)
    assert reporting_table(answers, [nation], sampling, Inference()).empty
