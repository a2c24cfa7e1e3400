import numpy as np
import pandas as pd
import pytest

from prevalence.design import SampleDesign
from prevalence.errors import PipelineError
from prevalence.generalised import generalised_estimate, generalised_rows, probe_visibility
from prevalence.ratio import Inference
from prevalence.replication import Replicates, jackknife
from prevalence.sampling import bootstrap_sampling, replicate_sampling


def test_a_toy_network_worked_by_hand(sampling_of):
    """Six people of the frame, all asked, and two hidden ones outside it.

    Hidden person A is known by frame members 1, 2, 3 and aware of it; B by 3 and 4. The frame makes
    five reports in all, mean visibility is 5 / 2, hence two hidden people, though degrees are
    nowhere known and A is seen more than B.
    """
    reports = np.array([0.0, 1.0, 1.0, 2.0, 1.0, 0.0])
    visibility = np.array([3.0, 2.0])
    frame = sampling_of(np.ones(6), ["f"] * 6, range(6), replicates=30)
    hidden = sampling_of(np.ones(2), ["h"] * 2, range(2), replicates=30)
    found = generalised_estimate(reports, frame, visibility, hidden, Inference())
    assert found.out_reports == 5
    assert found.visibility == 2.5
    assert found.estimate == pytest.approx(2)
    assert found.lower < 2 < found.upper


def test_each_side_keeps_its_own_weights_and_non_answers(sampling_of):
    reports = np.array([1.0, np.nan, 3.0])
    frame = sampling_of([10.0, 20.0, 30.0], ["f"] * 3, range(3), replicates=20)
    hidden = sampling_of([1.0, 4.0], ["h"] * 2, range(2), replicates=20)
    found = generalised_estimate(
        reports, frame, np.array([2.0, 7.0]), hidden, Inference(), precision=0.5
    )
    # 100 reports by those of weight 40 among 60: 150; visibility (2 + 28) / 5 = 6; half are true.
    assert found.out_reports == pytest.approx(150)
    assert found.visibility == pytest.approx(6)
    assert found.estimate == pytest.approx(0.5 * 150 / 6)


def test_a_game_of_contacts_with_probe_alters(sampling_of):
    """Members say how many of two probe groups (20 and 30 people of 1,000) know of them.

    Known by 2 of 50 probes, a member is seen by 40 of 1,000; who was asked about one group only is
    scaled by that one.
    """
    aware = np.array([[1.0, 1.0], [0.0, 3.0], [1.0, np.nan], [np.nan, np.nan]])
    found = probe_visibility(aware, np.array([20.0, 30.0]), 1_000)
    np.testing.assert_allclose(found, [40, 60, 50, np.nan])
    np.testing.assert_allclose(probe_visibility(np.array([2.0, 3.0]), 50, 1_000), [40, 60])
    frame = sampling_of(np.full(4, 250.0), ["f"] * 4, range(4), replicates=20)
    weights = np.array([1.0, 1.0, 2.0, 5.0])
    hidden = sampling_of(weights, ["h"] * 4, range(4), replicates=20)
    reports = np.array([0.0, 2.0, 1.0, 1.0])
    estimate = generalised_estimate(reports, frame, found, hidden, Inference())
    assert estimate.visibility == pytest.approx((40 + 60 + 2 * 50) / 4)
    assert estimate.estimate == pytest.approx(1_000 / 50)


def test_samples_with_other_replicates_add_their_relative_variances():
    rng = np.random.default_rng(3)
    reports, visibility = rng.poisson(1, 60).astype(float), rng.poisson(5, 30) + 1.0
    frame_design = SampleDesign.from_columns(np.ones(60))
    hidden_design = SampleDesign.from_columns(np.ones(30))
    frame = replicate_sampling(Replicates(frame_design, jackknife(frame_design)))
    hidden = replicate_sampling(Replicates(hidden_design, jackknife(hidden_design)))
    found = generalised_estimate(
        reports, frame, visibility, hidden, Inference(variance="replicates")
    )
    a = 60 * reports.var(ddof=1) / reports.sum() ** 2
    b = visibility.var(ddof=1) / 30 / visibility.mean() ** 2
    assert found.std_error == pytest.approx(found.estimate * np.sqrt(a + b))
    drawn = bootstrap_sampling(np.ones(30), replicates=50, generator=rng)
    mixed = generalised_estimate(reports, frame, visibility, drawn, Inference())
    assert mixed.estimate == found.estimate
    assert mixed.replicates.size == 0
    with pytest.raises(PipelineError, match="bootstrap"):
        generalised_estimate(reports, frame, visibility, hidden, Inference("percentile"))


def test_equal_visibility_gives_the_variance_of_the_reports_alone(sampling_of):
    generator = np.random.default_rng(5)
    reports = generator.poisson(1, 40).astype(float)
    frame = sampling_of(np.ones(40), ["f"] * 40, range(40), replicates=200)
    hidden = sampling_of(np.ones(10), ["h"] * 10, range(10), replicates=200)
    found = generalised_estimate(reports, frame, np.full(10, 4.0), hidden, Inference())
    alone = np.sqrt(40 * reports.var(ddof=1)) / 4
    assert found.std_error == pytest.approx(alone, rel=0.15)


def test_each_member_has_the_visibility_given_or_else_that_by_probe_groups(study_from):
    """Of 65,000 adults: 4 given; 2 of 5,000 aware are 26; the last member is left out."""
    table = pd.DataFrame(
        {
            "group": "victims",
            "visibility": [4.0, np.nan, np.nan],
            "aware": [np.nan, 2.0, np.nan],
            "probe_size": [np.nan, 5_000.0, 5_000.0],
        }
    )
    study = study_from()
    mixed = generalised_rows(study, table, [1])
    whole = generalised_rows(study, table[["group"]].assign(visibility=[4.0, 26.0, np.nan]), [1])
    persons = mixed["unit"] == "persons"
    assert mixed.loc[persons, "estimate"].item() == pytest.approx(whole["estimate"].iloc[0])
    with pytest.raises(PipelineError, match="Visibility to the frame"):
        generalised_rows(study, table[["group", "aware"]], [1])
