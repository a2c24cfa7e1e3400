import numpy as np
import pandas as pd
import pytest

from prevalence.degree import degrees, leave_one_out_degrees
from prevalence.errors import PipelineError
from prevalence.known_groups import check_groups
from prevalence.scale_up import scale_up_table
from prevalence.specifications import (
    CHOICES,
    Specification,
    choice_shares,
    headline_specification,
    reports_of,
    specification_table,
    specifications,
)

CHOSEN = {
    "estimator": ["ratio_of_sums", "mean_of_ratios"],
    "degree": ["known_population", "mean_of_ratios"],
    "top_code": ["headline", "none", "p95"],
    "known_groups": {"with_lawyers": ["doctors", "nurses", "drivers", "lawyers"]},
    "weights": ["final", "none"],
    "combination": ["maximum", "sum"],
    "imputation": ["none", "published"],
}
COMBINE = {
    "victims": {"items": ["victims_nonlive", "victims_live"], "rule": "maximum"},
    "perpetrators": {"items": ["perpetrators_nonlive", "perpetrators_live"], "rule": "maximum"},
}


@pytest.fixture
def made(study_from, tables_of):
    tables = tables_of()
    study = study_from(
        tables,
        estimate={
            "imputation_between": {"victims": "victims", "perpetrators": "perpetrators"},
            "estimators": ["ratio_of_sums", "mean_of_ratios", "mean_of_sums"],
        },
    )
    reports = reports_of(study, COMBINE)
    wanted = specifications(CHOSEN, study, reports)
    table = specification_table(study, reports, wanted, CHOSEN["known_groups"], tables["weights"])
    return study, wanted, table


def test_every_combination_once(made):
    _, wanted, table = made
    assert len(wanted) == len(set(wanted)) == 2 * 2 * 3 * 2 * 2 * 2 * 2
    usual = table[(table["interval"] == "log_t") & (table["variance"] == "bootstrap")]
    assert len(usual) == 2 * len(wanted)
    assert not usual.duplicated(["group", *CHOICES]).any()


def test_the_headline_is_the_one_of_the_long_table(made):
    study, _, table = made
    assert table["headline"].sum() == 2
    usual = scale_up_table(
        study.hidden_groups(),
        study.domains[:1],
        study.populations,
        study.sampling,
        estimators=["ratio_of_sums"],
        headline="ratio_of_sums",
        inference=study.headline.inference,
    ).set_index(["group", "unit"])
    for row in table[table["headline"]].to_dict("records"):
        expected = usual.loc[(row["group"], "persons")]
        for column in ("estimate", "std_error", "lower", "upper", "df", "n"):
            assert row[column] == pytest.approx(expected[column], rel=1e-12)


def test_the_headline_has_each_hidden_groups_own_known_groups(study_from):
    groups = study_from().settings["hidden_groups"]
    own = groups | {"victims": {**groups["victims"], "known_groups": ["doctors", "lawyers"]}}
    study = study_from(estimate={"hidden_groups": own})
    reports = reports_of(study, None)
    steps = pd.DataFrame({"final": study.sampling.weights})
    wanted = specifications({"known_groups": CHOSEN["known_groups"]}, study, reports)
    table = specification_table(study, reports, wanted, CHOSEN["known_groups"], steps)
    exact = study.headline_estimates(study.hidden_groups()).ratio * study.populations.total
    found = table[table["headline"]].set_index("group")
    np.testing.assert_allclose(found.loc[["victims", "perpetrators"], "estimate"], exact)
    assert found["loo_rms"].nunique() == 2
    assert set(table["known_groups"]) == {"headline", "with_lawyers"}


def test_other_intervals_of_the_headline_are_shown(made):
    _, _, table = made
    headline = table[(table["group"] == "victims")].merge(table[table["headline"]][[*CHOICES]])
    shown = set(zip(headline["interval"], headline["variance"], strict=True))
    assert shown == {
        ("log_t", "bootstrap"),
        ("t", "bootstrap"),
        ("percentile", "bootstrap"),
        ("log_t", "linearised"),
        ("t", "linearised"),
        ("gamma_mid_p", "bootstrap"),
        ("gamma_mid_p", "linearised"),
    }


def test_the_score_is_that_of_leave_one_out(made):
    study, _, table = made
    _, agreement = check_groups(study)
    expected = agreement[agreement["group"] == "root_mean_square"].set_index("estimator")
    mine = table[(table["top_code"] == "headline") & (table["known_groups"] == "headline")]
    mine = mine[(mine["weights"] == "final")].drop_duplicates(["estimator", "degree"])
    found = mine.set_index(["estimator", "degree"])["loo_rms"]
    for key, name in (
        (("ratio_of_sums", "known_population"), "ratio_of_sums"),
        (("mean_of_ratios", "known_population"), "mean_of_ratios"),
        (("ratio_of_sums", "mean_of_ratios"), "mean_of_sums"),
    ):
        assert found[key] == pytest.approx(expected.loc[name, "estimate"], rel=1e-9)


def test_unweighted_and_summed_rows_worked_by_hand(made):
    study, _, table = made
    row = table.set_index(list(CHOICES)).loc[
        ("ratio_of_sums", "known_population", "headline", "headline", "none", "sum", "none")
    ]
    row = row[row["group"] == "victims"].iloc[0]
    reports = np.minimum(study.counts["victims_nonlive"] + study.counts["victims_live"], 20)
    degree = study.sizes().by_definition["known_population"]
    inside = ~np.isnan(degree)
    expected = 100_000 * reports[inside].sum() / degree[inside].sum()
    assert row["estimate"] == pytest.approx(expected)


def test_shares_of_variance(made):
    _, _, table = made
    shares = choice_shares(table)
    victims = shares[shares["group"] == "victims"].set_index("choice")["share"]
    assert victims.sum() == pytest.approx(1)
    assert (victims >= 0).all()
    table = table.assign(estimate=np.where(table["weights"] == "final", 2.0, 1.0))
    only = choice_shares(table).set_index(["group", "choice"])
    assert only.loc[("victims", "weights"), "share"] == pytest.approx(1)
    assert only.loc[("victims", "weights"), "largest_ratio"] == pytest.approx(2)


def test_a_survey_with_one_item_a_group_has_nothing_to_combine(study_from):
    study = study_from()
    reports = reports_of(study, None)
    wanted = specifications(CHOSEN, study, reports)
    assert {one.combination for one in wanted} == {"as_given"}
    assert {one.imputation for one in wanted} == {"none"}
    assert headline_specification(study, reports) in wanted


def test_an_unknown_choice_is_refused(study_from):
    study = study_from()
    with pytest.raises(PipelineError) as error:
        specifications({"top_code": ["p96"]}, study, reports_of(study, None))
    assert "p95" in str(error.value)


def test_leaving_out_one_by_one_equals_leaving_out_together():
    generator = np.random.default_rng(2)
    counts = generator.poisson(2, (30, 4)).astype(float)
    counts[generator.uniform(size=counts.shape) < 0.1] = np.nan
    sizes = np.array([10.0, 20.0, 50.0, 5.0])
    for name in ("known_population", "mean_of_ratios"):
        for missing in ("exclude", "zero"):
            found = leave_one_out_degrees(
                name, counts, sizes, 1e4, missing=missing, minimum_groups=2
            )
            for k in range(4):
                others = [j for j in range(4) if j != k]
                expected = degrees(
                    name, counts[:, others], sizes[others], 1e4, missing=missing, minimum_groups=2
                )
                np.testing.assert_allclose(found[:, k], expected, rtol=1e-9)


def test_a_specification_is_a_key():
    assert len(CHOICES) == 7
    assert Specification(*"abcdefg") == Specification(*"abcdefg")


def test_a_set_with_a_group_of_unknown_size_is_refused(study_from, tables_of):
    tables = tables_of()
    study = study_from(tables)
    reports = reports_of(study, None)
    wanted = specifications({"known_groups": {"odd": ["doctors", "nurse"]}}, study, reports)
    with pytest.raises(PipelineError) as error:
        specification_table(
            study, reports, wanted, {"odd": ["doctors", "nurse"]}, tables["weights"]
        )
    assert "known_groups.odd" in str(error.value)
    assert "nurses" in str(error.value)
