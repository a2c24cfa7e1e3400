import numpy as np
import pytest

from prevalence.generalised import generalised_estimate
from prevalence.ratio import Inference


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


def test_equal_visibility_gives_the_variance_of_the_reports_alone(sampling_of):
    generator = np.random.default_rng(5)
    reports = generator.poisson(1, 40).astype(float)
    frame = sampling_of(np.ones(40), ["f"] * 40, range(40), replicates=200)
    hidden = sampling_of(np.ones(10), ["h"] * 10, range(10), replicates=200)
    found = generalised_estimate(reports, frame, np.full(10, 4.0), hidden, Inference())
    alone = np.sqrt(40 * reports.var(ddof=1)) / 4
    assert found.std_error == pytest.approx(alone, rel=0.15)
