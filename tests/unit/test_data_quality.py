import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prevalence.data_quality import heaped_share, interviewer_correlation

NA = np.nan


def test_heaping_is_the_share_of_fives_among_large_answers():
    assert heaped_share(np.array([0, 1, 4, 5, 10, 7, NA])) == pytest.approx(2 / 3)
    assert np.isnan(heaped_share(np.array([0.0, 4.0, NA])))


def test_evenly_spread_answers_are_heaped_by_a_fifth():
    assert heaped_share(np.arange(5.0, 105.0)) == pytest.approx(0.2)


def test_interviewers_who_always_get_their_own_answer():
    who = np.repeat(["a", "b", "c"], 10).astype(object)
    answers = np.repeat([0.0, 5.0, 30.0], 10)
    assert interviewer_correlation(answers, who) == pytest.approx(1)


def test_agreement_with_the_textbook_formula():
    """Balanced groups of m: (MSB − MSW) / (MSB + (m − 1) MSW)."""
    answers = np.array([1.0, 2, 4, 3, 3, 9, 0, 1, 2])
    values = np.log1p(answers).reshape(3, 3)
    between = 3 * values.mean(axis=1).var(ddof=1)
    within = values.var(axis=1, ddof=1).mean()
    expected = (between - within) / (between + 2 * within)
    who = np.repeat(["a", "b", "c"], 3).astype(object)
    assert interviewer_correlation(answers, who) == pytest.approx(expected, rel=1e-12)


def test_where_there_is_no_correlation_to_speak_of():
    one = np.array(["a", "a", "a"], dtype=object)
    assert np.isnan(interviewer_correlation(np.array([1.0, 2, 3]), one))
    each = np.array(["a", "b", "c"], dtype=object)
    assert np.isnan(interviewer_correlation(np.array([1.0, 2, 3]), each))
    pairs = np.array(["a", "a", "b", "b"], dtype=object)
    assert np.isnan(interviewer_correlation(np.array([2.0, 2, 2, 2]), pairs))
    unknown = np.array(["", "", "", ""], dtype=object)
    assert np.isnan(interviewer_correlation(np.array([1.0, 2, 3, 4]), unknown))


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 90)), min_size=6, max_size=30),
    st.randoms(),
)
def test_the_order_of_interviews_does_not_matter(pairs, random):
    shuffled = pairs.copy()
    random.shuffle(shuffled)
    values = [
        interviewer_correlation(
            np.array([n for _, n in rows], float), np.array([who for who, _ in rows], object)
        )
        for rows in (pairs, shuffled)
    ]
    np.testing.assert_allclose(values[0], values[1], rtol=1e-9, atol=1e-12)
    assert np.isnan(values[0]) or values[0] <= 1 + 1e-12
