import numpy as np
import pandas as pd
import pytest

from prevalence.adjustment import (
    NO_FACTORS,
    SIZE_ERROR,
    Factor,
    adjust_study,
    adjusted_ratio,
    adjusted_table,
    beta_draws,
    companion_degree_draws,
    companion_draws,
    factor_of,
    factor_table,
    known_size_multiplier,
    log_normal_draws,
    pooled_draws,
    replicate_draws,
    study_factors,
    study_size_error,
    variance_components,
)
from prevalence.contracts import check_table
from prevalence.contracts.estimate import arranged
from prevalence.contracts.model import ADJUSTMENT_MODELS
from prevalence.errors import PipelineError
from prevalence.models.adjusted import adjusted_model_rows, spread

M = 20_000


@pytest.fixture
def generator():
    return np.random.default_rng(11)


def constant(name, value, size=M):
    return Factor(name, np.full(size, value), "given")


def test_the_formula_worked_by_hand():
    # 1,000 * 0.9 / (1.25 * 0.8 * 0.6) = 1,500.
    factors = [
        constant("frame_ratio", 1.25),
        constant("degree_ratio", 0.8),
        constant("true_positive_rate", 0.6),
        constant("precision", 0.9),
    ]
    basic = {"victims": np.full(M, 1_000.0)}
    table = adjusted_table(basic, {"victims": factors}, {"victims": np.ones(M)}, 0.95)
    found = table.set_index("adjustment")["estimate"]
    assert found["none"] == 1_000
    assert found["true_positive_rate"] == pytest.approx(1_000 / 0.6)
    assert found["precision"] == pytest.approx(900)
    assert found["all"] == pytest.approx(1_500)


def test_rwanda_figure_with_degree_ratio_and_transmission():
    # networkreporting: clients 35,100 with degree ratio 0.8 and rate 0.7.
    basic = {"clients": np.full(10, 35_100.0379454774)}
    factors = [constant("degree_ratio", 0.8, 10), constant("true_positive_rate", 0.7, 10)]
    table = adjusted_table(basic, {"clients": factors}, {"clients": np.ones(10)}, 0.95)
    found = table.set_index("adjustment").loc["all", "estimate"]
    assert found == pytest.approx(62_678.6391883526, rel=1e-9)


def test_the_ratio_moves_by_the_factors_of_both_groups():
    below = [constant("true_positive_rate", 0.4)]
    above = [constant("true_positive_rate", 0.8)]
    rows = {r["adjustment"]: r for r in adjusted_ratio(np.full(M, 2.0), above, below, 0.95)}
    # Victims are seen twice as often as perpetrators: their ratio is half of what is reported.
    assert rows["all"]["estimate"] == pytest.approx(1.0)


def test_draws_have_the_moments_that_were_asked_for(generator):
    rate = beta_draws(0.6, 0.1, M, generator)
    assert rate.mean() == pytest.approx(0.6, abs=0.005)
    assert rate.std() == pytest.approx(0.1, abs=0.005)
    ratio = log_normal_draws(0.9, 0.2, M, generator)
    assert np.median(ratio) == pytest.approx(0.9, abs=0.01)
    assert ratio.std() / ratio.mean() == pytest.approx(0.2, abs=0.01)
    assert (beta_draws(0.6, 0.0, 5, generator) == 0.6).all()
    with pytest.raises(PipelineError, match="No Beta distribution"):
        beta_draws(0.5, 0.6, 5, generator)


def test_each_draw_of_the_pool_is_one_members(generator):
    best, low, high = np.array([0.2, 0.8]), np.array([0.1, 0.7]), np.array([0.3, 0.9])
    drawn = pooled_draws(best, low, high, M, generator)
    inside = [((drawn >= a) & (drawn <= b)).mean() for a, b in zip(low, high, strict=True)]
    assert sum(inside) == 1  # never between the members, as a pool of their means would be
    assert inside[0] == pytest.approx(0.5, abs=0.02)
    assert drawn[drawn < 0.5].mean() == pytest.approx(0.2, abs=0.005)
    certain = pooled_draws(np.array([0.5]), np.array([0.5]), np.array([0.5]), 10, generator)
    assert (certain == 0.5).all()


def test_a_companion_sample_has_its_own_weights_and_error(generator):
    table = pd.DataFrame(
        {
            "aware": [1.0, 2.0, 0.0, 4.0] * 25,
            "alters": [4.0, 4.0, 5.0, 5.0] * 25,
            "weight": [1.0, 3.0, 1.0, 1.0] * 25,
            "stratum": ["a", "b"] * 50,
        }
    )
    estimate, drawn = companion_draws(table, 4_000, generator)
    assert estimate == pytest.approx((1 + 6 + 0 + 4) / (4 + 12 + 5 + 5))
    assert drawn.mean() == pytest.approx(estimate, abs=0.01)
    # The linearised error of the same ratio, strata of 50 members each.
    w = table["weight"].to_numpy()
    z = w * (table["aware"] - estimate * table["alters"]).to_numpy() / (w @ table["alters"])
    variance = sum(50 * z[(table["stratum"] == s).to_numpy()].var(ddof=1) for s in "ab")
    assert drawn.std() == pytest.approx(np.sqrt(variance), rel=0.08)
    with pytest.raises(PipelineError, match="single sampled unit"):
        companion_draws(table.assign(psu="x"), 10, generator)
    with pytest.raises(PipelineError, match="weights cannot be used"):
        companion_draws(table.assign(weight=np.inf), 10, generator)
    # Who lacks a number is out of both sums.
    table.loc[0, "aware"] = np.nan
    w = table["weight"]
    told = table["aware"].notna()
    expected = (w * table["aware"])[told].sum() / (w * table["alters"])[told].sum()
    assert companion_draws(table, 10, generator)[0] == pytest.approx(expected)


def test_rows_of_one_member_of_a_companion_sample_stay_together(generator):
    """One row a member and name asked about gives what one row a member gives, error included."""
    rng = np.random.default_rng(2)
    alters = rng.integers(1, 6, (60, 3)).astype(float)
    aware = np.floor(alters * rng.uniform(size=(60, 1)))
    weight = rng.uniform(1, 3, 60)
    whole = pd.DataFrame(
        {"aware": aware.sum(axis=1), "alters": alters.sum(axis=1), "weight": weight}
    )
    degree = rng.gamma(4, 20, 60)
    rows = pd.DataFrame(
        {
            "respondent": np.repeat([f"m{k:02d}" for k in range(60)], 3),
            "aware": aware.ravel(),
            "alters": alters.ravel(),
            "weight": np.repeat(weight, 3),
            "degree": np.repeat(degree, 3),
        }
    )
    one, other = (companion_draws(table, 500, np.random.default_rng(4)) for table in (whole, rows))
    assert one[0] == pytest.approx(other[0])
    np.testing.assert_allclose(one[1], other[1])
    without_ids = companion_draws(rows.drop(columns="respondent"), 500, generator)[1]
    assert without_ids.std() < 0.8 * other[1].std()  # as if names were members
    mean, _ = companion_degree_draws(rows.drop(index=[0]), np.full(500, 100.0), generator)
    assert mean == pytest.approx(weight @ degree / weight.sum() / 100)


def test_the_degree_ratio_of_a_companion_sample(generator):
    rng = np.random.default_rng(6)
    table = pd.DataFrame(
        {"group": "victims", "degree": rng.gamma(4, 20, 200), "weight": rng.uniform(1, 3, 200)}
    )
    frame = 100 * np.exp(0.05 * rng.standard_normal(M))
    estimate, drawn = companion_degree_draws(table, frame, generator)
    w, d = table["weight"], table["degree"]
    mean = (w * d).sum() / w.sum()
    assert estimate == pytest.approx(mean / np.median(frame))
    z = w * (d - mean) / w.sum()
    relative = np.sqrt(200 * z.var(ddof=1)) / mean
    assert np.log(drawn).std() == pytest.approx(np.hypot(relative, 0.05), rel=0.05)
    found = factor_of(
        "degree_ratio",
        {"from": "companion"},
        "victims",
        M,
        generator,
        companion=table,
        frame_degree=frame,
    )
    assert np.median(found.draws) == pytest.approx(estimate, rel=0.01)
    with pytest.raises(PipelineError, match="cannot come from this table"):
        factor_of("precision", {"from": "companion"}, "victims", 9, generator, companion=table)


def test_factors_as_the_config_writes_them(generator):
    panel = pd.DataFrame(
        {"member": ["m"], "group": ["victims"], "best": [0.5], "low": [0.4], "high": [0.6]}
    )
    for setting, source in (
        ({"value": 1.0}, "given"),
        ({"mean": 0.5, "sd": 0.1}, "given"),
        ({"median": 0.5, "cv": 0.1}, "given"),
        ({"from": "survivor_panel"}, "elicited"),
    ):
        found = factor_of("true_positive_rate", setting, "victims", 9, generator, panel=panel)
        assert found.source == source
        assert found.draws.shape == (9,)
    with pytest.raises(PipelineError) as error:
        factor_of("precision", {"from": "survivor_panel"}, "others", 9, generator, panel=panel)
    assert "others.precision" in str(error.value)
    with pytest.raises(PipelineError, match="cannot come from this table"):
        factor_of("precision", {"from": "survivor_panel"}, "victims", 9, generator, panel=panel)


def test_errors_in_known_sizes(generator):
    sizes, reported = np.array([100.0, 900.0]), np.array([10.0, 45.0])
    exact = known_size_multiplier(sizes, ["A", "C"], reported, M, generator)
    # Variance of the sum: (100 * 0.02)^2 + (900 * 0.25)^2, relative to 1,000.
    assert exact.std() == pytest.approx(np.hypot(2, 225) / 1_000, rel=0.05)
    means = known_size_multiplier(
        sizes, ["A", "C"], reported, M, generator, degree="mean_of_ratios"
    )
    assert np.median(means) == pytest.approx(1, abs=0.01)
    with pytest.raises(PipelineError, match="grade of quality"):
        known_size_multiplier(sizes, ["A", ""], reported, 5, generator)


def test_variance_components_add_up(generator):
    basic = {"victims": log_normal_draws(1_000, 0.2, M, generator)}
    factors = {
        "victims": [
            Factor("degree_ratio", log_normal_draws(0.9, 0.1, M, generator), "given"),
            constant("precision", 1.0),
        ]
    }
    size_error = {"victims": log_normal_draws(1, 0.05, M, generator)}
    found = variance_components(basic, factors, size_error).set_index("source")
    assert found["share"].sum() == pytest.approx(1)
    assert found.loc["precision", "share"] == 0
    assert found.loc["sampling", "variance"] == pytest.approx(np.log(1 + 0.2**2), rel=0.05)
    whole = adjusted_table(basic, factors, size_error, 0.95).set_index("adjustment").loc["all"]
    width = np.log(whole["upper"] / whole["lower"]) / (2 * 1.96)
    assert width**2 == pytest.approx(found["variance"].sum(), rel=0.05)
    assert set(factor_table(factors, 0.95)["factor"]) == {"degree_ratio", "precision"}


def test_every_replicate_is_drawn_equally_often():
    drawn = replicate_draws(np.arange(4.0)[:, None], 12)
    np.testing.assert_array_equal(np.bincount(drawn[:, 0].astype(int)), [3, 3, 3, 3])


def test_draws_of_a_posterior_are_spread_over_all_chains():
    draws = np.arange(6.0)
    np.testing.assert_array_equal(np.bincount(spread(draws, 9).astype(int)), [2, 1, 2, 1, 2, 1])
    np.testing.assert_array_equal(spread(draws, 3), [0, 2, 4])


def test_models_are_adjusted_by_the_factors_of_the_headline(study_from):
    given = {"true_positive_rate": {"mean": 0.6, "sd": 0.1}, "precision": {"value": 0.9}}
    settings = {"draws": 4_000, "factors": {"victims": given, "perpetrators": given}}
    study = study_from()
    factors = study_factors(study, settings, [1, 2])
    headline, _ = adjust_study(study, settings, factors, [1, 2])
    rng = np.random.default_rng(4)
    sizes = {group: 300 * np.exp(0.1 * rng.standard_normal(800)) for group in factors}
    sample = {f"hidden:{group}:national:national": draws for group, draws in sizes.items()}
    diagnostics = pd.DataFrame(
        {"estimator": "some", "quantity": list(sample), "passed": [True, False]}
    )
    table = adjusted_model_rows(study, settings, {}, factors, {"some": sample}, diagnostics, [1, 2])
    found = table.set_index(["group", "adjustment", "unit"])
    exact = spread(sizes["victims"], 4_000) * 0.9 / factors["victims"][2].draws
    precise = found.loc[("victims", "all", "persons")]
    # All factors, those that are 1 too, and the errors of known sizes, which are the headline's.
    error = study_size_error(study, study.headline.known_groups, "known_population", 4_000, [1, 2])
    assert precise["estimate"] == pytest.approx(np.median(exact * error))
    assert precise["lower"] == pytest.approx(np.quantile(exact * error, 0.025))
    rate = found.loc[("victims", "none", "per_100"), "estimate"]
    assert rate == pytest.approx(np.median(sizes["victims"]) / 35_000 * 100, rel=1e-3)
    assert found.loc[("victims_per_perpetrator", "none", "ratio"), "estimate"] == pytest.approx(
        np.median(sizes["victims"] / sizes["perpetrators"]), rel=0.01
    )
    converged = {group: found.xs(group)["converged"].all() for group in set(table["group"])}
    assert converged == {"victims": True, "perpetrators": False, "victims_per_perpetrator": False}
    kinds = set(zip(headline["group"], headline["adjustment"], headline["unit"], strict=True))
    assert set(found.index) == kinds


def test_known_sizes_err_as_each_hidden_groups_own_network_sizes_use_them(study_from):
    """Doctors (grade A, 900) and lawyers (B, 400): the sum of a log-normal each."""
    own = {
        "victims": {"population": "children", "per": "per_100", "label": "children"},
        "perpetrators": {"population": "adults", "per": "per_1000", "label": "adults"},
    }
    own["victims"]["known_groups"] = ["doctors", "lawyers"]
    study = study_from(estimate={"hidden_groups": own})
    settings = {"draws": 20_000, "factors": {"victims": {}, "perpetrators": {}}}
    factors = study_factors(study, settings, [3])
    parts = adjust_study(study, settings, factors, [3])[1].set_index(["group", "source"])
    found = parts["variance"].xs("known_size", level="source")
    rest = [900 * 0.02, 2_000 * 0.10, 5_000 * 0.25]
    assert found["victims"] == pytest.approx((18**2 + 40**2) / 1_300**2, rel=0.05)
    assert found["perpetrators"] == pytest.approx(np.sum(np.square(rest)) / 7_900**2, rel=0.1)


def test_known_sizes_err_as_the_models_scaling_uses_them(study_from):
    study = study_from()
    settings = {"draws": 3_000, "factors": {"victims": {}}}
    factors = study_factors(study, settings, [3])
    sample = {"hidden:victims:national:national": np.full(50, 100.0)}
    passed = pd.DataFrame({"estimator": ["m"], "quantity": list(sample), "passed": [True]})
    width = {}
    for name, scaling in {
        "ratio": {},
        "mean": {"form": "mean_of_ratios"},
        "subset": {"groups": "subset", "subset": ["doctors"]},
    }.items():
        rows = adjusted_model_rows(
            study, settings, {"scaling": scaling}, factors, {"m": sample}, passed, [3]
        )
        error = rows.set_index(["adjustment", "unit"])["std_error"]
        width[name] = error["known_size", "persons"] / 100
    grades = dict(zip(study.known["group"], study.known["quality"], strict=True))
    assert width["subset"] == pytest.approx(SIZE_ERROR[grades["doctors"]], rel=0.1)
    assert len({round(value, 4) for value in width.values()}) == 3


def test_without_factors_there_is_nothing_to_adjust(study_from):
    study = study_from()
    passed = pd.DataFrame(columns=["estimator", "quantity", "passed"])
    table = adjusted_model_rows(study, NO_FACTORS, {}, {}, {"m": {}}, passed, [1])
    table = arranged(table, ADJUSTMENT_MODELS, "made_up")
    assert len(check_table(table, ADJUSTMENT_MODELS, "here")) == 0
