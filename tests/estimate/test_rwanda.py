"""Agreement with other software on the Rwandan survey, relative difference below 1e-9."""

import json

import numpy as np
import pandas as pd
import pytest

from prevalence.adjustment import Factor, adjusted_table
from prevalence.known_groups import leave_one_out
from prevalence.ratio import RatioBatch
from prevalence.relational import capped, quantile_cap
from prevalence.scale_up import FORMS, killworth_std_error, network_sizes, ratio_columns

POPULATION = 10_718_378.0
HIDDEN = ["sex.workers", "msm", "idu", "clients"]
CLOSE = 1e-9


@pytest.fixture
def sampling(rwanda, sampling_of):
    return sampling_of(rwanda.weights, rwanda.stratum, rwanda.psu, replicates=2)


def sizes_of(rwanda, missing="zero", cap=30.0, counts=None):
    return network_sizes(
        counts or rwanda.counts, rwanda.sizes, rwanda.known, POPULATION, cap=cap, missing=missing
    )


def estimate(rwanda, sampling, form, group, sizes, *, cap=None):
    reports = rwanda.counts[group] if cap is None else np.minimum(rwanda.counts[group], cap)
    batch = RatioBatch(len(rwanda.weights))
    columns = ratio_columns(
        FORMS[form], reports, sizes.by_definition[FORMS[form].degree], rwanda.weights
    )
    batch.add(*columns[:2], exposure=columns[2])
    return batch.evaluate(sampling)


def test_weighted_ratio_with_the_missing_answer_as_zero(rwanda, sampling, reference):
    published = json.loads((reference / "networkreporting_point_estimates.json").read_text())
    expected = published["results"]["topcode_30__known_only"]
    sizes = sizes_of(rwanda)
    for group in HIDDEN:
        for form, side in (
            ("ratio_of_sums", "weighted"),
            ("unweighted_ratio_of_sums", "unweighted"),
        ):
            found = POPULATION * estimate(rwanda, sampling, form, group, sizes).ratio[0]
            assert found == pytest.approx(expected[side][group]["estimate"], rel=CLOSE)
    degree = sizes.by_definition["known_population"]
    assert degree.mean() == pytest.approx(expected["mean_degree_unweighted"], rel=CLOSE)
    assert (degree == 0).sum() == expected["n_zero_degree"]


@pytest.mark.parametrize("case", ["topcode_30__known_and_hidden", "topcode_none__known_only"])
def test_other_top_codes(rwanda, sampling, reference, case):
    published = json.loads((reference / "networkreporting_point_estimates.json").read_text())
    known_cap = None if "none" in case else 30.0
    hidden_cap = 30.0 if "hidden" in case else None
    sizes = sizes_of(rwanda, cap=known_cap)
    for group in HIDDEN:
        found = estimate(rwanda, sampling, "ratio_of_sums", group, sizes, cap=hidden_cap)
        expected = published["results"][case]["weighted"][group]["estimate"]
        assert POPULATION * found.ratio[0] == pytest.approx(expected, rel=CLOSE)


@pytest.mark.parametrize(
    "case", ["topcode_30__known_only", "topcode_30__known_and_hidden", "topcode_none__known_only"]
)
def test_every_figure_of_the_point_estimates(rwanda, sampling, reference, case):
    """Sums, shares, binomial errors and degrees beside the estimates, in each of the three runs.

    Despite its name `killworth.se.wgtdenom` is the unweighted estimate's error in both halves.
    """
    published = json.loads((reference / "networkreporting_point_estimates.json").read_text())
    expected = published["results"][case]
    sizes = sizes_of(rwanda, cap=None if "none" in case else 30.0)
    cap = 30.0 if "hidden" in case else None
    degree = sizes.by_definition["known_population"]
    assert degree.sum() == pytest.approx(expected["sum_d"], rel=CLOSE)
    assert degree.mean() == pytest.approx(expected["mean_degree_unweighted"], rel=CLOSE)
    mean = np.average(degree, weights=rwanda.weights)
    assert mean == pytest.approx(expected["mean_degree_weighted"], rel=CLOSE)
    assert (degree == 0).sum() == expected["n_zero_degree"]
    assert sum(rwanda.sizes.values()) == expected["total_kp_size"]
    quantiles = np.quantile(degree, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(
        quantiles, list(expected["degree_quantiles"].values()), rtol=CLOSE, atol=0
    )
    for side, form in (
        ("weighted", "ratio_of_sums"),
        ("unweighted", "unweighted_ratio_of_sums"),
    ):
        weights = rwanda.weights if side == "weighted" else np.ones(len(degree))
        for group in HIDDEN:
            row = expected[side][group]
            share = estimate(rwanda, sampling, form, group, sizes, cap=cap).ratio[0]
            reports = rwanda.counts[group] if cap is None else np.minimum(rwanda.counts[group], cap)
            found = {
                "estimate": POPULATION * share,
                "prevalence": share,
                "tot.connections": weights @ reports,
                "sum.d.hat": weights @ degree,
            }
            plain = estimate(rwanda, sampling, "unweighted_ratio_of_sums", group, sizes, cap=cap)
            for name, size, denominator in (
                ("killworth.se", POPULATION * share, weights @ degree),
                ("killworth.se.wgtdenom", POPULATION * plain.ratio[0], degree.sum()),
            ):
                found[name] = killworth_std_error(np.array([size]), POPULATION, denominator)[0]
            assert found == pytest.approx(row, rel=CLOSE)
    clients = (
        POPULATION * estimate(rwanda, sampling, "ratio_of_sums", "clients", sizes, cap=cap).ratio[0]
    )
    adjusted = adjusted_table(
        {"clients": np.full(3, clients)},
        {
            "clients": [
                Factor("degree_ratio", np.full(3, 0.8), "given"),
                Factor("true_positive_rate", np.full(3, 0.7), "given"),
            ]
        },
        {"clients": np.ones(3)},
        0.95,
    )
    value = adjusted.set_index("adjustment").loc["all", "estimate"]
    assert value == pytest.approx(expected["weighted_dratio08_tau07_clients"], rel=CLOSE)


def test_figures_with_the_missing_answer_as_zero_and_left_out(rwanda, sampling):
    expected = {
        "zero": [34_107.6355104039, 2_158.2007044431, 607.465169953518, 35_100.0379454774],
        "exclude": [34_107.22848581, 2_158.17494949, 607.45792075, 35_099.61907801],
    }
    mean_degree = {"zero": 108.096271008823, "exclude": 108.09756099}
    for missing, values in expected.items():
        sizes = sizes_of(rwanda, missing)
        tolerance = CLOSE if missing == "zero" else 2e-9  # given to ten digits only
        for group, value in zip(HIDDEN, values, strict=True):
            found = estimate(rwanda, sampling, "ratio_of_sums", group, sizes)
            assert POPULATION * found.ratio[0] == pytest.approx(value, rel=tolerance)
        degree = sizes.by_definition["known_population"]
        mean = np.average(degree, weights=rwanda.weights)
        assert mean == pytest.approx(mean_degree[missing], rel=tolerance)


def test_every_respondents_degree(rwanda, reference):
    published = pd.read_csv(reference / "networkreporting_degrees_topcode30.csv")
    degree = sizes_of(rwanda, "zero").by_definition["known_population"]
    known = rwanda.frame["id"].map(dict(zip(published["id"], published["d_hat"], strict=True)))
    # networkreporting gives degree 0 to the respondent with one missing answer.
    differing = ~np.isclose(degree, known, rtol=CLOSE)
    assert differing.sum() <= 1
    assert not differing[rwanda.complete].any()


def test_mean_degree_by_domain(rwanda, sampling, reference):
    published = json.loads((reference / "networkreporting_kp_estimator_dbar.json").read_text())
    degree = sizes_of(rwanda).by_definition["known_population"]
    reported = np.sum([np.minimum(np.nan_to_num(rwanda.counts[g]), 30) for g in rwanda.known], 0)
    for variable in ("overall", "sex", "region", "age.cat"):
        for row in published["alter_popn_size_N"][variable]:
            mask = np.ones(len(degree), bool)
            if variable != "overall":
                mask = (rwanda.frame[variable] == row[variable]).to_numpy()
            mass = rwanda.weights[mask]
            assert mass.sum() == pytest.approx(row["wgt.total.y.kp"], rel=CLOSE)
            assert mass @ reported[mask] == pytest.approx(row["sum.y.kp"], rel=CLOSE)
            share = row["sum.y.kp.over.kptot"]
            assert mass @ degree[mask] / POPULATION == pytest.approx(share, rel=CLOSE)
            batch = RatioBatch(len(degree))
            batch.add(degree, np.ones(len(degree)), mask)
            found = batch.evaluate(sampling)
            assert found.n[0] == row["num.obs.y.kp"]
            assert found.ratio[0] == pytest.approx(row["dbar.Fcell.F"], rel=CLOSE)
    # Without a size of the population networkreporting takes the sum of the weights for it.
    (row,) = published["alter_popn_size_default_sum_of_weights"]
    mean = np.average(degree, weights=rwanda.weights) * rwanda.weights.sum() / POPULATION
    assert mean == pytest.approx(row["dbar.Fcell.F"], rel=CLOSE)


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("mean_of_ratios", "PIMLE_weighted"),
        ("unweighted_mean_of_ratios", "PIMLE_unweighted"),
        ("mean_of_sums", "MoS_ratio_of_sums_weighted"),
        ("mean_of_sums_mean_of_ratios", "MoS_mean_of_ratios_weighted"),
        ("unweighted_mean_of_sums_mean_of_ratios", "MoS_mean_of_ratios_unweighted"),
    ],
)
def test_simple_estimators_from_their_definitions(rwanda, sampling, reference, form, name):
    published = json.loads((reference / "numpy_simple_estimators.json").read_text())
    sizes = sizes_of(rwanda)
    for group in HIDDEN:
        found = POPULATION * estimate(rwanda, sampling, form, group, sizes).ratio[0]
        assert found == pytest.approx(published[group][name], rel=CLOSE)
    degree = sizes.by_definition["mean_of_ratios"]
    mean = np.average(degree, weights=rwanda.weights)
    assert mean == pytest.approx(published["mean_degree_MoS_weighted"], rel=CLOSE)


def test_three_r_packages_on_the_complete_rows(rwanda, sampling, reference):
    published = json.loads((reference / "R_networkscaleup_and_NSUM_killworth.json").read_text())
    counts = {g: np.where(rwanda.complete, c, np.nan) for g, c in rwanda.counts.items()}
    sizes = sizes_of(rwanda, "exclude", counts=counts)
    for form, name in (
        ("unweighted_ratio_of_sums", "R_networkscaleup_0.1-2_MLE"),
        ("unweighted_mean_of_ratios", "R_networkscaleup_0.1-2_PIMLE"),
        ("unweighted_ratio_of_sums", "NSUM_1.0_killworth"),
    ):
        for group in HIDDEN:
            found = POPULATION * estimate(rwanda, sampling, form, group, sizes).ratio[0]
            assert found == pytest.approx(published[name]["sizes"][group], rel=CLOSE)
    starts = published["NSUM_1.0_killworth.start"]
    degree = sizes.by_definition["known_population"]
    for group in HIDDEN:
        found = POPULATION * estimate(rwanda, sampling, form, group, sizes).ratio[0]
        assert found == pytest.approx(starts["NK"][group], rel=CLOSE)
    logs = np.log(degree[degree > 0])
    assert logs.mean() == pytest.approx(starts["mu"], rel=CLOSE)
    assert logs.std() == pytest.approx(starts["sigma"], rel=CLOSE)
    mean = np.nanmean(degree)
    expected = published["R_networkscaleup_0.1-2_MLE"]["mean_degree"]
    assert mean == pytest.approx(expected, rel=CLOSE)


def test_killworths_binomial_error(rwanda, sampling, reference):
    published = json.loads((reference / "networkreporting_point_estimates.json").read_text())
    expected = published["results"]["topcode_30__known_only"]["unweighted"]
    for group in HIDDEN:
        found = killworth_std_error(
            np.array([expected[group]["estimate"]]), POPULATION, expected[group]["sum.d.hat"]
        )
        assert found[0] == pytest.approx(expected[group]["killworth.se"], rel=CLOSE)


def test_linearised_standard_errors(rwanda, sampling, reference):
    published = json.loads((reference / "rwanda_variance.json").read_text())
    sizes = sizes_of(rwanda)
    for group in HIDDEN:
        found = estimate(rwanda, sampling, "ratio_of_sums", group, sizes)
        expected = published["linearisation_survey"][group]["se"]
        assert POPULATION * found.se_linearised[0] == pytest.approx(expected, rel=CLOSE)
        assert found.df[0] == published["degf"]


def test_thousand_replicates_with_given_psu_counts(rwanda, sampling_of, reference):
    drawn = pd.read_csv(reference / "rescaled_bootstrap_cluster_counts_1000reps.csv")
    expected = pd.read_csv(reference / "rescaled_bootstrap_estimates_1000reps.csv")
    drawn = drawn.set_index("cluster").loc[np.unique(rwanda.psu)]
    sampling = sampling_of(
        rwanda.weights,
        rwanda.stratum,
        rwanda.psu,
        multiplicity=drawn.drop(columns="region").to_numpy(float),
    )
    sizes = sizes_of(rwanda)
    for group in HIDDEN:
        found = estimate(rwanda, sampling, "ratio_of_sums", group, sizes)
        np.testing.assert_allclose(POPULATION * found.replicates[:, 0], expected[group], rtol=CLOSE)
        squares = (expected[group] - POPULATION * found.ratio[0]) ** 2
        assert POPULATION * found.std_error[0] == pytest.approx(np.sqrt(squares.mean()), rel=CLOSE)
    degree = sizes.by_definition["known_population"]
    batch = RatioBatch(len(degree))
    batch.add(degree, np.ones(len(degree)))
    found = batch.evaluate(sampling)
    np.testing.assert_allclose(found.replicates[:, 0], expected["mean_degree"], rtol=CLOSE)


@pytest.mark.parametrize("side", ["weighted", "unweighted"])
def test_leave_one_out(rwanda, sampling, reference, side):
    """Estimates agree; the column d.hat.sum differs where weights are used.

    networkreporting prints the unweighted sum of degrees in both files, though its weighted
    estimate divides by the weighted sum: the estimate times that column isn't N times its
    numerator. The exposure here is that unweighted sum. In both, the one respondent who left out a
    group is out of both sums when that group is estimated.
    """
    published = pd.read_csv(
        reference / f"internal_consistency_{side}_topcode30.csv", skipinitialspace=True
    ).set_index("name")
    estimator = "ratio_of_sums" if side == "weighted" else "unweighted_ratio_of_sums"
    found = leave_one_out(
        rwanda.counts,
        rwanda.sizes,
        rwanda.known,
        POPULATION,
        sampling,
        estimator=estimator,
        cap=30.0,
        missing="zero",
    )
    expected = published.loc[rwanda.known]
    np.testing.assert_allclose(POPULATION * found.ratio, expected["nsum.holdout.est"], rtol=CLOSE)
    muslim = rwanda.known.index("muslim")
    others = np.arange(len(rwanda.known)) != muslim
    np.testing.assert_allclose(
        found.exposure[others], expected["d.hat.sum"].to_numpy()[others], rtol=CLOSE
    )
    np.testing.assert_array_equal(expected["known.size"], [rwanda.sizes[g] for g in rwanda.known])


def test_quantile_caps_on_known_groups_inflate(rwanda, sampling):
    expected = {"none": 33_154.6320652887, "p95": 45_791.0}
    for name, value in expected.items():
        counts = dict(rwanda.counts)
        if name == "p95":
            for group in rwanda.known:
                answers = np.nan_to_num(rwanda.counts[group])
                counts[group] = capped(answers, quantile_cap(answers, 0.95))
        sizes = sizes_of(rwanda, cap=None, counts=counts)
        found = POPULATION * estimate(rwanda, sampling, "ratio_of_sums", "clients", sizes).ratio[0]
        assert found == pytest.approx(value, abs=0.51)
