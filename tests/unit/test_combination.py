import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from prevalence.combination import (
    choices_made,
    combine_reasons,
    combine_reports,
    impute_perpetrators_from_victims,
    impute_victims_from_perpetrators,
)
from prevalence.errors import PipelineError

NA = np.nan
ITEMS = np.array([[2.0, 1.0], [0.0, 3.0], [4.0, NA], [NA, 0.0], [NA, NA]])
COUNTS = st.one_of(st.just(NA), st.integers(0, 50).map(float))
REPORTS = arrays(float, st.tuples(st.integers(1, 12), st.integers(1, 4)), elements=COUNTS)


@pytest.mark.parametrize(
    ("rule", "incomplete", "expected"),
    [
        ("maximum", "available", [2, 3, 4, 0, NA]),
        ("sum", "available", [3, 3, 4, 0, NA]),
        ("maximum", "missing", [2, 3, NA, NA, NA]),
        ("sum", "missing", [3, 3, NA, NA, NA]),
        ("single", "available", [2, 0, 4, NA, NA]),
    ],
)
def test_items_are_combined_by_rule(rule, incomplete, expected):
    np.testing.assert_array_equal(combine_reports(ITEMS, rule, incomplete), expected)


@given(REPORTS)
def test_maximum_is_at_most_the_sum_and_missing_alike(items):
    largest, total = combine_reports(items, "maximum"), combine_reports(items, "sum")
    np.testing.assert_array_equal(np.isnan(largest), np.isnan(total))
    np.testing.assert_array_equal(np.isnan(largest), np.isnan(items).all(axis=1))
    told = ~np.isnan(largest)
    assert (largest[told] <= total[told]).all()


@given(REPORTS, st.randoms())
def test_the_order_of_items_does_not_matter(items, random):
    order = list(range(items.shape[1]))
    random.shuffle(order)
    for rule in ("maximum", "sum"):
        np.testing.assert_array_equal(
            combine_reports(items, rule), combine_reports(items[:, order], rule)
        )


def test_the_items_are_not_changed():
    items = ITEMS.copy()
    combine_reports(items, "single")[0] = 99
    np.testing.assert_array_equal(items, ITEMS)


def test_the_reason_that_wins():
    reasons = np.array(
        [["", "refused"], ["not_asked", "dont_know"], ["system", "refused"]], dtype=object
    )
    combined = np.array([3.0, NA, NA])
    assert combine_reasons(reasons, combined, "maximum").tolist() == ["", "dont_know", "refused"]
    assert combine_reasons(reasons, np.array([1.0, NA, NA]), "single").tolist() == [
        "",
        "not_asked",
        "system",
    ]


@pytest.mark.parametrize(
    ("rule", "incomplete", "expected"),
    [("max", "available", "maximum"), ("maximum", "drop", "available, missing")],
)
def test_an_unknown_rule_is_refused(rule, incomplete, expected):
    with pytest.raises(PipelineError, match=expected):
        combine_reports(ITEMS, rule, incomplete)


def test_nothing_to_combine():
    with pytest.raises(PipelineError, match="no item"):
        combine_reports(np.empty((3, 0)), "maximum")


def test_victims_are_imputed_for_perpetrators_only():
    victims = np.array([0.0, NA, 2.0, 0.0, NA])
    perpetrators = np.array([1.0, 3.0, 1.0, 0.0, NA])
    imputed = impute_victims_from_perpetrators(victims, perpetrators)
    np.testing.assert_array_equal(imputed, [4, 4, 2, 0, NA])
    assert impute_victims_from_perpetrators(victims, perpetrators, 7.0)[0] == 7


def test_perpetrators_are_imputed_from_the_adults_of_the_municipality():
    victims = np.array([1.0, 1.0, 0.0, 2.0, 1.0])
    perpetrators = np.array([0.0, NA, 0.0, 5.0, 0.0])
    adults = np.array([2.0, 4.0, NA, 1.0, NA])
    place = np.array(["a", "a", "a", "b", "c"], dtype=object)
    imputed = impute_perpetrators_from_victims(victims, perpetrators, adults, place)
    # Municipality c tells nothing: the mean of all households, 7/3.
    np.testing.assert_allclose(imputed, [3, 3, 0, 5, 7 / 3])


def test_what_was_done_to_the_reports_has_one_name():
    """As the specification table has it: a rule where all groups of several items share one."""
    two = {"items": ["a", "b"], "rule": "maximum"}
    assert choices_made(None, None) == ("as_given", "none")
    assert choices_made({"victims": two, "perpetrators": two}, []) == ("maximum", "none")
    assert choices_made({"victims": two, "perpetrators": {**two, "rule": "sum"}}, None)[0] == (
        "as_given"
    )
    one = {"items": ["a"], "rule": "sum"}
    assert choices_made({"victims": two, "perpetrators": one}, [{"rule": "any"}]) == (
        "maximum",
        "published",
    )
