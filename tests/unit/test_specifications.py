from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from prevalence.combination import (
    choices_made,
    combine_reports,
    impute_victims_from_perpetrators,
)
from prevalence.degree import degrees, leave_one_out_degrees
from prevalence.errors import PipelineError
from prevalence.known_groups import check_groups, study_design_effect
from prevalence.scale_up import scale_up_table
from prevalence.specifications import (
    CHOICES,
    Specification,
    alternatives,
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


def combined(study, rules, incomplete):
    """The survey's reports as the clean stage would combine them."""
    counts = dict(study.counts)
    for group, rule in rules.items():
        items = np.column_stack([counts[f"{group}_nonlive"], counts[f"{group}_live"]])
        counts[group] = combine_reports(items, rule, incomplete)
    return replace(study, counts=counts)


@pytest.mark.parametrize(
    ("rules", "incomplete"),
    [
        ({"victims": "maximum", "perpetrators": "sum"}, "available"),
        ({"victims": "maximum", "perpetrators": "maximum"}, "missing"),
    ],
)
def test_the_headline_combines_each_group_by_its_own_rule(study_from, tables_of, rules, incomplete):
    tables = tables_of()
    gone = (tables["ard"]["group"] == "victims_live") & (tables["ard"].index % 5 == 0)
    tables["ard"]["count"] = tables["ard"]["count"].mask(gone)
    study = combined(study_from(tables), rules, incomplete)
    combine = {
        group: {**COMBINE[group], "rule": rule, "incomplete": incomplete}
        for group, rule in rules.items()
    }
    reports = reports_of(study, combine)
    steps = pd.DataFrame({"final": study.sampling.weights})
    wanted = specifications({"combination": ["maximum", "sum"]}, study, reports)
    table = specification_table(study, reports, wanted, {}, steps)
    exact = study.headline_estimates(study.hidden_groups()).ratio * study.populations.total
    found = table[table["headline"]].set_index("group")
    np.testing.assert_allclose(found.loc[["victims", "perpetrators"], "estimate"], exact)
    usual = table[(table["interval"] == "log_t") & (table["variance"] == "bootstrap")]
    maximum = usual[usual["combination"] == "maximum"].set_index("group")
    both = combined(study, dict.fromkeys(rules, "maximum"), incomplete)
    exact = both.headline_estimates(both.hidden_groups()).ratio * study.populations.total
    np.testing.assert_allclose(maximum.loc[["victims", "perpetrators"], "estimate"], exact)


def test_reports_that_were_imputed_are_the_headlines(study_from):
    pair = {"victims": "victims", "perpetrators": "perpetrators"}
    study = study_from(estimate={"imputation_between": pair})
    before = study.counts["victims"]
    imputed = impute_victims_from_perpetrators(before, study.counts["perpetrators"])
    assert imputed.sum() > before.sum()
    study = replace(study, counts=dict(study.counts) | {"victims": imputed})
    done = [{"rule": "victims_from_perpetrators"}]
    reports = reports_of(study, COMBINE, done)
    headline = headline_specification(study, reports)
    assert headline.imputation == "published"
    assert (headline.combination, headline.imputation) == choices_made(COMBINE, done)
    np.testing.assert_array_equal(reports.of(headline)["victims"], imputed)
    np.testing.assert_array_equal(
        reports.of(replace(headline, imputation="none"))["victims"], before
    )
    wanted = specifications({"imputation": ["none"]}, study, reports)
    assert {one.imputation for one in wanted} == {"none", "published"}
    single = reports_of(study, None, [{"rule": "victims_from_perpetrators"}])
    wanted = specifications({"imputation": ["none"]}, study, single)
    assert {one.imputation for one in wanted} == {"published"}


def test_without_a_municipality_places_are_psus(study_from):
    study = study_from()
    people = study.respondents.assign(city="")
    places = reports_of(replace(study, respondents=people), COMBINE).place
    assert len(set(places)) == 20
    named = people.assign(city=np.where(people.index % 2 == 0, "a", "b"))
    assert set(reports_of(replace(study, respondents=named), COMBINE).place) == {"a", "b"}


def test_trimmed_groups_have_the_limit_of_the_others_where_nobody_reports(study_from, tables_of):
    tables = tables_of()
    mine = tables["ard"]["group"].str.startswith("victims")
    tables["ard"]["count"] = tables["ard"]["count"].mask(mine, 0.0)
    rule = {"start": "headline", "threshold": 99.0, "minimum_kept": 2}
    study = study_from(tables, estimate={"trimming": rule})
    steps = pd.DataFrame({"final": study.sampling.weights})
    table = alternatives(study, steps, COMBINE)[0]
    rows = table[table["group"] == "victims"].set_index("known_groups")
    assert study_design_effect(study) > 1
    assert rows.loc["trimmed", "upper"] == pytest.approx(rows.loc["headline", "upper"])


def test_trimming_may_keep_fewer_groups_than_a_degree_needs(study_from, tables_of):
    tables = tables_of(n=400)
    wrong = tables["known_groups"]["group"] == "doctors"
    tables["known_groups"].loc[wrong, "size"] *= 6
    rule = {"start": "headline", "threshold": 0.5, "minimum_kept": 2}
    ruled = {"tie_definition": "known", "minimum_groups": 3, "missing": "exclude"}
    study = study_from(tables, estimate={"trimming": rule, "degree": ruled})
    steps = pd.DataFrame({"final": study.sampling.weights})
    table, _, record = alternatives(study, steps, COMBINE)
    assert (record["step"].fillna(0) > 0).sum() == 1
    row = table[(table["known_groups"] == "trimmed") & (table["group"] == "victims")].iloc[0]
    counts = np.column_stack([study.counts[name] for name in ("nurses", "drivers")])
    counts = np.minimum(counts, study.headline.known_cap or np.inf)
    sizes = np.array([study.known_sizes[name] for name in ("nurses", "drivers")])
    degree = degrees("known_population", counts, sizes, 100_000.0, minimum_groups=2)
    reports = study.hidden_groups()[0].reports
    inside = ~np.isnan(degree)
    w = study.sampling.weights[inside]
    expected = 100_000 * (w @ reports[inside]) / (w @ degree[inside])
    assert row["estimate"] == pytest.approx(expected)
