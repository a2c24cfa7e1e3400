"""Scaling, sums over areas, weights and the small-area check, on examples with exact answers."""

from dataclasses import replace

import numpy as np
import pytest

from prevalence.errors import PipelineError
from prevalence.models.area_frame import area_frame
from prevalence.models.areas import area_rows, neighbours
from prevalence.models.counts import CountTable
from prevalence.models.fay_herriot import fay_herriot, smoothed_variances
from prevalence.models.fitting import model_inputs
from prevalence.models.intervals import Intervals
from prevalence.models.predictive import predictive_table, statistics
from prevalence.models.pseudo_posterior import (
    corrected,
    degrees_of_freedom,
    design_covariance,
    exponents,
    psu_scores,
)
from prevalence.models.scaling import Scaling, alternatives, scaled, scaling_weights
from prevalence.models.small_areas import mean_reports, predicted_total, psu_multipliers

SIZES = np.array([1_000.0, 4_000.0, np.nan])
GROUPS = ("doctors", "drivers", "victims")
POPULATION = 100_000.0


@pytest.mark.parametrize("form", ["ratio_of_sums", "mean_of_ratios"])
@pytest.mark.parametrize("groups", ["all", "leave_target_out"])
def test_right_prevalences_are_found_whatever_constant_was_added(form, groups):
    truth = np.log([1_000 / POPULATION, 4_000 / POPULATION, 300 / POPULATION])
    weights = scaling_weights(Scaling(groups, form), GROUPS, SIZES)
    found = scaled(truth + np.array([[-40.0], [3.0]]), SIZES, POPULATION, weights, form)
    assert found == pytest.approx(np.tile(truth, (2, 1)))


def test_forms_differ_where_the_known_groups_disagree():
    draws = np.log([[0.02, 0.04, 0.001]])  # doctors are reported twice as often as they should be
    weights = scaling_weights(Scaling("all"), GROUPS, SIZES)
    sums = np.exp(scaled(draws, SIZES, POPULATION, weights, "ratio_of_sums"))[0, 2]
    ratios = np.exp(scaled(draws, SIZES, POPULATION, weights, "mean_of_ratios"))[0, 2]
    assert sums == pytest.approx(0.001 * 0.05 / 0.06)
    assert ratios == pytest.approx(0.001 / 1.5)


def test_the_chosen_scaling_comes_first_and_no_scaling_twice():
    chosen = Scaling("subset", "mean_of_ratios", ("doctors",))
    found = alternatives(chosen, correlated=True)
    assert found[0] == chosen
    assert len(set(found)) == len(found) == 6
    assert {other.subset for other in found} == {("doctors",)}
    forms = [(other.groups, other.form) for other in alternatives(Scaling(), correlated=False)]
    assert forms == [("leave_target_out", "ratio_of_sums"), ("leave_target_out", "mean_of_ratios")]
    # For hidden groups `all` is the same as `leave_target_out`.
    assert {other.groups for other in alternatives(Scaling("all"), correlated=False)} == {"all"}


def test_a_target_does_not_scale_itself():
    weights = scaling_weights(Scaling("leave_target_out"), GROUPS, SIZES)
    assert weights.tolist() == [[0, 1, 0], [1, 0, 0], [1, 1, 0]]
    doubled = np.log([[0.02, 0.04, 0.001]])
    found = np.exp(scaled(doubled, SIZES, POPULATION, weights, "ratio_of_sums"))[0]
    assert found[0] == pytest.approx(0.02)
    assert found[1] == pytest.approx(0.02)


def test_subset_and_correlation():
    subset = scaling_weights(Scaling("subset", subset=("drivers",)), GROUPS, SIZES)
    assert subset[2].tolist() == [0, 1, 0]
    correlation = np.array([[1, 0.2, 0.6], [0.2, 1, -0.3], [0.6, -0.3, 1]])
    weighted = scaling_weights(Scaling("correlation_weighted"), GROUPS, SIZES, correlation)
    assert weighted[2].tolist() == [0.6, 0, 0]


@pytest.mark.parametrize(
    "scaling",
    [Scaling("subset"), Scaling("correlation_weighted"), Scaling("subset", subset=("x",))],
)
def test_a_hidden_group_without_a_scale_is_a_clear_error(scaling):
    with pytest.raises(PipelineError):
        scaling_weights(scaling, GROUPS, SIZES)


def test_no_known_group_is_a_clear_error():
    with pytest.raises(PipelineError, match="no known group"):
        scaling_weights(Scaling("all"), GROUPS, np.full(3, np.nan))


def test_a_lone_known_group_has_no_leave_out_estimate():
    sizes = np.array([1_000.0, np.nan])
    weights = scaling_weights(Scaling(), ("doctors", "victims"), sizes)
    found = scaled(np.log([[0.01, 0.001]]), sizes, POPULATION, weights, "ratio_of_sums")
    assert np.isnan(found[0, 0])
    assert found[0, 1] == pytest.approx(np.log(0.001))


def test_multipliers_have_mean_one_in_each_stratum_and_spare_lone_areas():
    stratum = np.array([0, 0, 0, 1, 2, 2])
    drawn = psu_multipliers(stratum, 4_000, np.random.default_rng(1))
    for label in range(3):
        assert drawn[:, stratum == label].mean(axis=1) == pytest.approx(np.ones(4_000))
    assert (drawn[:, 3] == 1).all()
    assert (drawn > 0).all()


@pytest.mark.parametrize("areas", [2, 3, 9])
def test_multipliers_give_a_mean_the_variance_of_areas_drawn_with_replacement(areas):
    values = np.random.default_rng(2).lognormal(size=areas)
    drawn = psu_multipliers(np.zeros(areas, int), 40_000, np.random.default_rng(3))
    assert drawn.var(axis=0) == pytest.approx(np.ones(areas), rel=0.06)
    assert (drawn @ values / areas).var() == pytest.approx(values.var(ddof=1) / areas, rel=0.06)


def test_mean_reports_are_the_sums_of_fitted_reports_over_the_weights():
    prevalence = np.array([[[0.01, 0.1], [0.03, 0.2]]])
    network, weights = np.array([[100.0, 200.0, 50.0]]), np.array([[2.0, 1.0, 3.0]])
    area = np.array([0, 1, 1])
    fitted = network[0][:, None] * prevalence[0][area]
    found = mean_reports(prevalence, network, weights, area)
    assert found[0] == pytest.approx(np.average(fitted, axis=0, weights=weights[0]))


def test_mean_reports_do_not_depend_on_how_an_areas_level_is_split():
    """A factor may stand in an area's prevalences or in the network sizes of its respondents."""
    generator = np.random.default_rng(8)
    prevalence, network = generator.random((5, 3, 4)), generator.random((5, 9))
    area, weights = np.repeat([0, 1, 2], 3), generator.random((5, 9))
    factor = np.array([0.5, 1.0, 7.0])
    moved = mean_reports(prevalence * factor[:, None], network / factor[area], weights, area)
    assert moved == pytest.approx(mean_reports(prevalence, network, weights, area))


def test_prediction_adds_unsampled_areas_from_the_sampled_ones():
    generator = np.random.default_rng(4)
    sampled, unsampled = generator.lognormal(10, 0.8, 150), generator.lognormal(10, 0.8, 1500)
    slope = 0.3

    def log_rate(people):
        return -6 + slope * (np.log(people) - 10) + generator.normal(0, 0.4, len(people))

    truth = unsampled @ np.exp(log_rate(unsampled))
    rates = log_rate(sampled)
    truth += sampled @ np.exp(rates)
    draws = np.tile(rates[:, None], (400, 1, 1))
    found = predicted_total(draws, sampled, unsampled, np.ones(150), generator)[:, 0]
    assert found.mean() == pytest.approx(truth, rel=0.15)
    assert found.std() > 0.01 * truth
    low, high = np.quantile(found, [0.005, 0.995])
    assert low < truth < high
    nothing = predicted_total(draws[:1], sampled, np.array([]), np.ones(150), generator)
    assert nothing[0, 0] == pytest.approx(sampled @ np.exp(rates))


def test_prediction_uses_what_is_known_of_all_areas():
    generator = np.random.default_rng(5)
    poverty = generator.normal(0, 1, 1650)
    size = np.full(1650, 1_000.0)
    rates = -6 + 0.8 * poverty + generator.normal(0, 0.1, 1650)
    order = np.argsort(poverty)  # the sampled areas are poorer than the others
    first, last = order[-150:], order[:-150]
    arguments = (np.tile(rates[first, None], (200, 1, 1)), size[first], size[last], np.ones(150))
    truth = size @ np.exp(rates)
    plain = predicted_total(*arguments, np.random.default_rng(1))[:, 0]
    assert plain.mean() > 2 * truth
    known = (poverty[first, None], poverty[last, None])
    informed = predicted_total(*arguments, np.random.default_rng(1), covariates=known)[:, 0]
    assert informed.mean() == pytest.approx(truth, rel=0.1)
    low, high = np.quantile(informed, [0.01, 0.99])
    assert low < truth < high


def listing(**changes):
    """Five areas, three of which have respondents."""
    import pandas as pd

    table = {"city": list("abcde"), "population": [10.0, 20.0, 30.0, 40.0, 50.0]}
    return pd.DataFrame(table | {"poverty": [0.1, 0.4, 0.2, 0.9, 0.3]} | changes)


def frame_of(table, covariates=(), codes=(2, 1, 0, 1)):
    import pandas as pd

    areas, weights = pd.Series(["d", "b", "a", "b"]), np.array([8.0, 1.0, 5.0, 3.0])
    return area_frame(table, areas, np.array(codes), weights, "city", list(covariates))


def test_the_list_of_areas_is_parted_into_sampled_and_unsampled_ones():
    frame = frame_of(listing(), ["poverty"])
    assert frame.sampled.tolist() == [10, 20, 40]  # in the order of their names, as the models'
    assert frame.unsampled.tolist() == [30, 50]
    assert frame.weights.tolist() == [0.5, 0.2, 0.2]  # sums of weights over populations
    assert frame.covariates[0].tolist() == [[0.1], [0.4], [0.9]]
    assert frame.covariates[1].tolist() == [[0.2], [0.3]]
    assert frame_of(listing()).covariates[1].shape == (2, 0)
    other = frame_of(listing(), codes=[0, 2, 1, 2])  # in the order of the model's numbers
    assert other.sampled.tolist() == [40, 10, 20]
    assert other.weights.tolist() == [0.2, 0.5, 0.2]


def test_a_list_cannot_tell_areas_of_one_name_apart():
    with pytest.raises(PipelineError, match="one name in several strata"):
        frame_of(listing(), codes=[3, 1, 0, 2])


@pytest.mark.parametrize(
    ("changes", "covariates", "words"),
    [
        ({"city": list("abcda")}, (), "each once"),
        ({"city": list("abcxe")}, (), "1 of 3 sampled areas not listed"),
        ({}, ("wealth",), "lacks a column"),
        ({"poverty": [0.1, None, 0.2, 0.9, 0.3]}, ("poverty",), "1 of 5 areas without a number"),
        ({"poverty": [1.0] * 5}, ("poverty",), "same everywhere"),
    ],
)
def test_a_list_of_areas_that_cannot_be_used_ends_in_a_message(changes, covariates, words):
    with pytest.raises(PipelineError) as error:
        frame_of(listing(**changes), covariates)
    assert words in str(error.value)
    assert "areas.csv" in str(error.value)


def test_units_of_one_label_in_two_strata_are_two_areas(study_from):
    study = study_from()
    again = study.respondents.assign(psu=study.respondents["psu"].astype(int) // 4)
    apart = model_inputs(replace(study, respondents=again))
    assert apart.area.max() + 1 == apart.psu.max() + 1 == 20
    pairs = {*zip(apart.area, study.respondents["psu"], strict=True)}
    assert len(pairs) == 20


def test_an_area_has_no_more_members_than_people():
    """With two sampled areas a Student tail on the log scale gave billions of times as many."""
    draws = np.log(np.tile(np.array([[0.3], [0.6]]), (400, 1, 1)))
    sampled, unsampled = np.full(2, 10.0), np.full(20, 10.0)
    generator = np.random.default_rng(6)
    total = predicted_total(draws, sampled, unsampled, np.ones(2), generator)
    assert total.max() <= 9 + unsampled.sum()


def test_a_group_of_its_own_known_groups_is_scaled_by_them_alone():
    admitted = np.array([[True, True, True], [True, True, True], [False, True, True]])
    sizes = np.array([100.0, 400.0, np.nan])
    for groups in ("all", "leave_target_out"):
        weights = scaling_weights(Scaling(groups), ("a", "b", "h"), sizes, admitted=admitted)
        assert list(weights[2]) == [0, 1, 0]
    named = Scaling("subset", subset=("a",))
    weights = scaling_weights(named, ("a", "b", "h"), sizes, admitted=admitted)
    assert list(weights[2]) == [1, 0, 0]


def test_a_hidden_groups_own_known_groups_scale_it_in_the_models_too(study_from):
    study = study_from()
    assert model_inputs(study).admitted is None
    settings = study.settings | {
        "hidden_groups": {
            name: group | ({"known_groups": ["doctors", "nurses"]} if name == "victims" else {})
            for name, group in study.settings["hidden_groups"].items()
        }
    }
    inputs = model_inputs(replace(study, settings=settings))
    groups = inputs.counts.groups
    mine = dict(zip(groups, inputs.admitted[groups.index("victims")], strict=True))
    assert {name for name, inside in mine.items() if inside} == {"doctors", "nurses"}
    others = inputs.admitted[groups.index("perpetrators")]
    assert {groups[k] for k in np.flatnonzero(others)} == {*study.headline.known_groups}
    named = model_inputs(replace(study, settings=settings), known_groups=["doctors", "drivers"])
    assert named.admitted is None


def test_respondents_without_an_area_are_told(study_from):
    study = study_from()
    lacking = study.respondents.assign(town=[None, *["x"] * (len(study.respondents) - 1)])
    with pytest.raises(PipelineError, match="no area") as error:
        model_inputs(replace(study, respondents=lacking), area="town")
    assert "1 of" in error.value.found


def test_prediction_takes_areas_of_one_size():
    draws = np.log(np.full((2, 3, 1), 0.01))
    total = predicted_total(
        draws, np.full(3, 10.0), np.full(5, 10.0), np.ones(3), np.random.default_rng(1)
    )
    assert total == pytest.approx(np.full((2, 1), 0.8))


def test_exponents_have_mean_one():
    assert exponents(np.array([2.0, 6.0])) == pytest.approx([0.5, 1.5])
    with pytest.raises(PipelineError, match="positive"):
        exponents(np.array([1.0, 0.0]))


def test_design_covariance_is_the_stratified_formula():
    scores = np.array([[1.0, 0.0], [3.0, 2.0], [5.0, 5.0]])
    found = design_covariance(scores, np.array([0, 0, 1]))
    apart = scores[:2] - scores[:2].mean(axis=0)
    assert found == pytest.approx(2 * apart.T @ apart)


class Means:
    """``y_i ~ N(θ + u_i, 1)``, ``u_i ~ N(0, 1)``: the marginal variance of y is 2."""

    def __init__(self, y, weights=None):
        from prevalence.models.layout import Layout

        self.y, self.w = y, np.ones(len(y)) if weights is None else weights
        self.layout = Layout(("theta",), np.zeros(len(y), int))

    def reweighted(self, weights):
        return Means(self.y, weights)

    def start(self):
        return np.zeros(self.layout.size)

    def value_and_gradient(self, x):
        theta, u = x[0], x[1:]
        residual = self.y - theta - u
        value = -0.5 * self.w @ (residual**2 + u**2) - 0.5e-6 * theta**2
        top = self.w @ residual - 1e-6 * theta
        return float(value), np.concatenate([[top], self.w * (residual - u)])


def test_sandwich_gives_the_design_variance_of_a_mean():
    from prevalence.models.preconditioning import marginal_mode

    generator = np.random.default_rng(3)
    psu = np.repeat(np.arange(20), 10)
    y = generator.normal(size=20)[psu] + generator.normal(size=200)
    density = Means(y)
    shape = marginal_mode(density)
    scores = psu_scores(density, shape, density.w, psu)
    residuals = np.bincount(psu, (y - y.mean()) / 2)
    assert scores[:, 0] == pytest.approx(residuals, abs=1e-3)
    covariance = design_covariance(scores, np.zeros(20, int))
    draws = y.mean() + np.sqrt(2 / 200) * generator.standard_normal((4, 500, 1))
    stretched = corrected(draws, shape, covariance, 10**9, generator)
    by_hand = 20 / 19 * (np.bincount(psu, y - y.mean()) ** 2).sum() / 200**2
    expected = by_hand / (2 / 200) * draws.reshape(-1).var()
    assert stretched.reshape(-1).var() == pytest.approx(expected, rel=1e-3)
    assert stretched.mean() == pytest.approx(draws.mean(), abs=1e-5)


def test_stretched_draws_are_of_students_distribution():
    """The covariance of a few PSUs is itself uncertain."""
    from scipy.stats import kstest

    from prevalence.models.preconditioning import marginal_mode

    generator = np.random.default_rng(5)
    shape = marginal_mode(Means(generator.normal(size=200)))
    precision = 1 / float((shape.root @ shape.root.T)[0, 0])
    draws = generator.standard_normal((4, 2_000, 1)) / np.sqrt(precision)
    found = corrected(draws, shape, np.array([[4 * precision]]), 5, generator)
    assert kstest(found.ravel() * np.sqrt(precision) / 2, "t", args=(5,)).pvalue > 0.01


def test_degrees_of_freedom_are_psus_less_strata():
    assert degrees_of_freedom(np.array([0, 0, 0, 1, 1])) == 3
    assert degrees_of_freedom(np.array([0, 0, 1])) == 1  # a lone PSU tells nothing


def test_fay_herriot_shrinks_towards_the_line_and_recovers_the_variance():
    generator = np.random.default_rng(2)
    covariate = generator.normal(size=400)
    truth = 1 + 0.5 * covariate + generator.normal(0, 0.6, 400)
    variance = generator.uniform(0.1, 1.0, 400)
    direct = truth + generator.normal(0, np.sqrt(variance))
    found = fay_herriot(direct, variance, covariate[:, None])
    assert found.between == pytest.approx(0.36, rel=0.3)
    assert found.coefficients == pytest.approx([1, 0.5], abs=0.15)
    better = ((found.estimate - truth) ** 2).mean() / ((direct - truth) ** 2).mean()
    assert better < 0.6
    covered = np.abs(found.estimate - truth) < 1.96 * found.std_error
    assert 0.91 < covered.mean() < 0.99


def test_fay_herriot_predicts_areas_without_a_direct_estimate():
    direct = np.array([1.0, 1.2, 0.8, 1.1, np.nan])
    found = fay_herriot(direct, np.full(5, 0.01))
    assert found.shrinkage[4] == 0
    assert found.estimate[4] == pytest.approx(found.coefficients[0])
    assert found.std_error[4] >= found.std_error[:4].max()


def test_without_differences_between_areas_everything_is_the_mean():
    direct = np.array([1.0, 1.01, 0.99, 1.0])
    found = fay_herriot(direct, np.full(4, 1.0))
    assert found.between == 0
    assert found.estimate == pytest.approx(np.full(4, 1.0))


def test_smoothed_variances_follow_exposure_and_keep_their_sum():
    exposure = np.array([10.0, 20.0, 40.0, 80.0])
    noisy = 3 / exposure * np.array([1.3, 0.7, 1.1, 0.95])
    smooth = smoothed_variances(noisy, exposure)
    assert smooth.sum() == pytest.approx(noisy.sum())
    assert (np.diff(smooth) < 0).all()
    with pytest.raises(PipelineError, match="Too few"):
        smoothed_variances(np.array([0.1, np.nan]), np.array([1.0, 2.0]))


class Poisson:
    """A model that draws Poisson counts of a given mean."""

    def simulate(self, x, generator):
        return generator.poisson(x[0], (300, 1)).astype(float)


def test_predictive_check_sees_a_misfit_and_nothing_else():
    generator = np.random.default_rng(8)
    parameters = np.full((100, 1), 2.0)
    good = generator.poisson(2.0, (300, 1)).astype(float)
    bad = generator.negative_binomial(0.3, 0.3 / 2.3, (300, 1)).astype(float)
    fits, fails = (
        predictive_table(Poisson(), CountTable(("a",), answers), parameters, generator).set_index(
            "statistic"
        )
        for answers in (good, bad)
    )
    assert fits["tail"].between(0.01, 0.99).all()
    assert fails.loc["zero_share", "tail"] == 0
    assert fails.loc["variance_to_mean", "tail"] == 0


def test_statistics_of_a_group_that_nobody_reports():
    found = statistics(np.array([[0.0], [0.0], [np.nan]]))
    assert found[0, 0] == 1
    assert found[1, 0] == 0
    assert np.isnan(found[2, 0])


def test_predictive_limits_hold_the_level_that_is_asked_for():
    answers = CountTable(("a",), np.random.default_rng(5).poisson(2.0, (200, 1)).astype(float))
    parameters = np.full((400, 1), 2.0)
    wide, narrow = (
        predictive_table(Poisson(), answers, parameters, np.random.default_rng(6), level)
        .set_index("statistic")
        .loc["mean"]
        for level in (0.95, 0.5)
    )
    assert wide["lower"] < narrow["lower"] < narrow["upper"] < wide["upper"]
    ratio = (wide["upper"] - wide["lower"]) / (narrow["upper"] - narrow["lower"])
    assert ratio == pytest.approx(1.96 / 0.674, rel=0.15)


def test_predictive_check_compares_answers_in_the_same_bins():
    generator = np.random.default_rng(8)
    exact = generator.poisson(2.0, (300, 1)).astype(float)
    rows = np.flatnonzero(exact[:, 0] >= 2)
    cells = Intervals(
        rows, np.zeros_like(rows), np.full(len(rows), 2.0), np.full(len(rows), np.inf)
    )
    exact[rows] = np.nan
    answers = CountTable(("a",), exact, cells)
    found = predictive_table(Poisson(), answers, np.full((100, 1), 2.0), generator)
    found = found.set_index("statistic")
    assert found.loc["mean", "observed"] == pytest.approx(np.nanmean(answers.lowest))
    assert found.loc["upper_percentile", "observed"] == found.loc["upper_percentile", "upper"] == 2
    assert found.loc[["zero_share", "mean"], "tail"].between(0.01, 0.99).all()


def test_a_quantile_over_areas_is_that_of_five_neighbours():
    values = np.random.default_rng(1).permutation(np.arange(101.0))
    assert set(values[neighbours(values, 0.1)]) == {8, 9, 10, 11, 12}
    assert set(values[neighbours(values, 0.5)]) == {48, 49, 50, 51, 52}
    assert set(values[neighbours(values, 0.0)]) == {0, 1, 2, 3, 4}
    assert list(neighbours(np.array([1.0, 3.0]), 0.9)) == [0, 1]
    logs = np.log(np.tile(values + 1, (3, 1)))
    table = area_rows({"g": logs}, {"g": ("per_100", 1.0)}).set_index(["statistic", "quantile"])
    assert table.loc[("posterior_medians", 0.1), "value"] == pytest.approx(11)
    assert table["std_error"].to_numpy() == pytest.approx(np.zeros(15), abs=1e-12)


def test_areas_differ_by_more_than_their_medians():
    generator = np.random.default_rng(2)
    truth = 0.5 * generator.standard_normal(400)
    # Posteriors of areas that are seen with as much noise as they differ: drawn halfway to 0.
    seen = truth + 0.5 * generator.standard_normal(400)
    logs = seen / 2 + np.sqrt(0.125) * generator.standard_normal((2_000, 400)) - 5
    table = area_rows({"victims": logs}, {"victims": ("per_100", 300.0)})
    found = table.set_index(["statistic", "quantile"])["value"]
    exact = 300 * np.exp(-5 + 0.5 * np.array([-1.2816, -0.6745, 0, 0.6745, 1.2816]))
    assert found["areas"].to_numpy() == pytest.approx(exact, rel=0.08)
    log_range = np.log(found["posterior_medians", 0.9] / found["posterior_medians", 0.1])
    assert log_range == pytest.approx(np.sqrt(0.5) * 0.5 * 2 * 1.2816, rel=0.15)
    assert found["between_sd", 0.5] == pytest.approx(0.5, rel=0.08)
    error = table.set_index(["statistic", "quantile"])["std_error"]
    # The mean of five log-normal areas, each with a posterior variance of 0.125 in logarithms.
    assert error["posterior_medians", 0.5] / found["posterior_medians", 0.5] == pytest.approx(
        np.sqrt(np.exp(0.125) * np.expm1(0.125) / 5), rel=0.05
    )
    assert (error["areas"] < 0.1 * found["areas"]).all()
    assert set(table["areas"]) == {400}
    assert len(area_rows({}, {})) == 0
