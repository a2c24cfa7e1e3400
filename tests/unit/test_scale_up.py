from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prevalence.disclosure_inputs import disclosure_inputs, top_shares
from prevalence.domains import Domain, Populations
from prevalence.errors import PipelineError
from prevalence.estimation import study_of
from prevalence.interval import gamma_mid_p_interval
from prevalence.ratio import Inference
from prevalence.scale_up import (
    FORMS,
    HiddenGroup,
    domain_contrasts,
    network_sizes,
    ratio_columns,
    scale_up_table,
)

NAN = np.nan


def table_of(study, **changes):
    options = {
        "estimators": study.estimators(),
        "headline": study.headline.estimator,
        "inference": study.headline.inference,
        "ratios": study.settings["ratios"],
        "benchmarked": study.settings["benchmarked"],
        "design_effect": 1.5,
    } | changes
    table = scale_up_table(
        study.hidden_groups(), study.domains, study.populations, study.sampling, **options
    )
    return table.set_index(["estimator", "group", "domain_type", "domain", "unit"]).sort_index()


def cell(table, estimator, group, unit, *place):
    return table.loc[(estimator, group, *(place or ("national", "national")), unit)]


def test_a_toy_network_worked_by_hand():
    """Ten people, all asked; everybody's ties are known.

    A ring of ten in which each knows the two neighbours: degree 2. Known group {0, 5}, hidden group
    {2, 3, 4}. Each hidden person is reported by two neighbours, each known one too, so the sums of
    reports are 6 and 4, and N * (6/N) / (4/2) ... = 2 * 6 / 4 = 3 hidden people: exact.
    """
    people = np.arange(10)
    known, hidden = np.isin(people, [0, 5]), np.isin(people, [2, 3, 4])
    neighbours = np.stack([(people - 1) % 10, (people + 1) % 10])
    counts = {"known": known[neighbours].sum(axis=0).astype(float)}
    reports = hidden[neighbours].sum(axis=0).astype(float)
    sizes = network_sizes(counts, {"known": 2.0}, ["known"], 10.0)
    degree = sizes.by_definition["known_population"]
    assert degree.sum() == 20
    top, bottom, _ = ratio_columns(FORMS["ratio_of_sums"], reports, degree, np.ones(10))
    assert 10 * top.sum() / bottom.sum() == pytest.approx(3)


def test_who_did_not_answer_is_out_of_both_sums(sampling_of):
    reports = np.array([1.0, NAN, 0.0, 3.0])
    degree = np.array([10.0, 1_000.0, 20.0, NAN])
    group = HiddenGroup(
        "victims",
        reports,
        network_sizes({"k": degree}, {"k": 100.0}, ["k"], 100.0),
        "all_ages",
        "per_100",
    )
    sampling = sampling_of([1.0, 1.0, 2.0, 1.0], ["a"] * 4, [0, 1, 2, 3], replicates=4)
    nation = Domain("national", "national", "geographic", np.ones(4, bool))
    populations = Populations({("national", "national", "all_ages"): 100.0})
    table = scale_up_table(
        [group],
        [nation],
        populations,
        sampling,
        estimators=["ratio_of_sums"],
        headline="ratio_of_sums",
        inference=Inference(),
    )
    row = table[table["unit"] == "persons"].iloc[0]
    assert row["estimate"] == pytest.approx(100 * 1 / (10 + 2 * 20))
    assert row["n"] == 2
    assert row["n_reporting"] == 1


def test_rates_follow_their_denominators(study_from):
    study = study_from()
    table = table_of(study)
    for domain_type, domain, children, adults in (
        ("national", "national", 35_000, 65_000),
        ("island", "south", 15_000, 25_000),
        ("sex", "female", 35_000, 65_000),
    ):
        place = (domain_type, domain)
        count = cell(table, "ratio_of_sums", "victims", "persons", *place)
        rate = cell(table, "ratio_of_sums", "victims", "per_100", *place)
        for column in ("estimate", "std_error", "lower", "upper"):
            assert rate[column] == pytest.approx(100 * count[column] / children)
        count = cell(table, "ratio_of_sums", "perpetrators", "persons", *place)
        rate = cell(table, "ratio_of_sums", "perpetrators", "per_1000", *place)
        assert rate["estimate"] == pytest.approx(1_000 * count["estimate"] / adults)


def test_child_alters_are_scaled_by_children_and_only_for_children(study_from):
    study = study_from()
    table = table_of(study)
    known = study.counts["children_0_5"] + study.counts["children_6_17"]
    weights = study.sampling.weights
    expected = 35_000 * (weights @ study.counts["victims"]) / (weights @ known)
    found = cell(table, "ratio_of_sums_child_alters", "victims", "persons")["estimate"]
    assert found == pytest.approx(expected)
    assert ("ratio_of_sums_child_alters", "perpetrators") not in {key[:2] for key in table.index}


def test_the_sum_over_domains_stands_beside_the_nation(study_from):
    table = table_of(study_from())
    parts = [
        cell(table, "ratio_of_sums", "victims", "persons", "island", name)["estimate"]
        for name in ("north", "south")
    ]
    total = cell(table, "sum_of_island", "victims", "persons")
    assert total["estimate"] == pytest.approx(sum(parts))
    assert total["lower"] < total["estimate"] < total["upper"]
    rate = cell(table, "sum_of_island", "victims", "per_100")
    assert rate["estimate"] == pytest.approx(100 * sum(parts) / 35_000)
    forced = [
        cell(table, "ratio_of_sums_benchmarked", "victims", "persons", "island", name)
        for name in ("north", "south")
    ]
    nation = cell(table, "ratio_of_sums", "victims", "persons")["estimate"]
    assert sum(row["estimate"] for row in forced) == pytest.approx(nation)
    assert forced[0]["estimate"] / forced[1]["estimate"] == pytest.approx(parts[0] / parts[1])


def test_contrasts_share_the_replicates(study_from):
    study = study_from()
    table = table_of(study)
    found = domain_contrasts(
        study.hidden_groups(),
        study.domains,
        study.populations,
        study.sampling,
        estimator="ratio_of_sums",
        inference=study.headline.inference,
    ).set_index(["group", "domain", "against"])
    rates = [
        cell(table, "ratio_of_sums", "victims", "per_100", "island", name)
        for name in ("north", "south")
    ]
    row = found.loc[("victims", "north", "south")]
    assert row["estimate"] == pytest.approx(rates[0]["estimate"] / rates[1]["estimate"])
    # The islands share no stratum: relative variances add up, but for the replicates' chance.
    apart = np.hypot(*(rate["std_error"] / rate["estimate"] for rate in rates))
    assert row["std_error"] / row["estimate"] == pytest.approx(apart, rel=0.3)
    assert ("perpetrators", "female", "male") in found.index


def test_the_ratio_of_hidden_groups_needs_no_degrees(study_from):
    study = study_from()
    table = table_of(study)
    weights = study.sampling.weights
    reports = [np.minimum(study.counts[name], 20) for name in ("victims", "perpetrators")]
    row = cell(table, "ratio_of_sums", "victims_per_perpetrator", "ratio")
    assert row["estimate"] == pytest.approx((weights @ reports[0]) / (weights @ reports[1]))
    assert row["headline"]


def test_nobody_reporting_gives_zero_and_an_upper_limit(study_from, tables_of):
    tables = tables_of()
    victims = tables["ard"]["group"] == "victims"
    tables["ard"].loc[victims, "count"] = 0.0
    study = study_from(tables)
    row = cell(table_of(study), "ratio_of_sums", "victims", "persons")
    degree = study.sizes().by_definition["known_population"]
    assert row["estimate"] == 0
    assert row["lower"] == 0
    assert row["interval"] == "zero_reports"
    assert row["upper"] == pytest.approx(1.5 * 100_000 * 3.68888 / np.nansum(degree), rel=1e-4)


def test_gamma_limits_take_the_share_of_the_largest_psu(study_from):
    study = study_from(headline={"interval": "gamma_mid_p"})
    table = table_of(study)
    row = cell(table, "ratio_of_sums", "victims", "persons")
    assert row["interval"] == "gamma_mid_p"
    reports = np.nan_to_num(study.hidden_groups()[0].reports)
    degree = study.sizes().by_definition["known_population"]
    reported = study.sampling.weights * np.where(np.isnan(degree), 0.0, reports)
    psu = study.respondents["psu"].to_numpy()
    by_psu = reported @ (psu[:, None] == np.unique(psu))
    limits = gamma_mid_p_interval(
        *(np.array([row[name]]) for name in ("estimate", "std_error", "df")),
        np.array([by_psu.max() / by_psu.sum()]),
        0.95,
    )
    assert [row["lower"], row["upper"]] == pytest.approx([limit[0] for limit in limits])
    # The log interval is kept for what is a quotient or a sum of estimates.
    assert cell(table, "ratio_of_sums", "victims_per_perpetrator", "ratio")["interval"] == "log_t"
    assert cell(table, "sum_of_island", "victims", "persons")["interval"] == "log_t"


def test_gamma_limits_need_psus(study_from, tables_of, configured):
    tables = tables_of()
    without = replace(study_from(tables).sampling, psu_totals=None)
    headline = configured["headline"] | {"interval": "gamma_mid_p"}
    with pytest.raises(PipelineError, match="needs the primary sampling units"):
        study_of(
            tables, estimate=configured["estimate"], headline=headline, year=2022, sampling=without
        )


def test_an_unknown_size_of_a_domain_leaves_out_what_needs_it(study_from, tables_of):
    tables = tables_of()
    tables["populations"] = tables["populations"].iloc[:2]
    table = table_of(study_from(tables))
    keys = {(key[2], key[3], key[4]) for key in table.index}
    assert ("island", "north", "persons") in keys
    assert ("island", "south", "persons") not in keys
    assert not any(key[0] == "sum_of_island" for key in table.index)


def test_a_misspelt_estimator_is_refused(study_from):
    study = study_from()
    with pytest.raises(PipelineError) as error:
        table_of(study, estimators=["ratio_of_sum"])
    assert "ratio_of_sums" in str(error.value)


def test_disclosure_inputs(study_from):
    study = study_from()
    reports, roles = study.published_counts()
    degree = study.sizes().by_definition["known_population"]
    table = disclosure_inputs(reports, roles, degree, study.domains, study.sampling.weights)
    table = table.set_index(["group", "domain_type", "domain"])
    nation = table.loc[("victims", "national", "national")]
    north, south = (table.loc[("victims", "island", name)] for name in ("north", "south"))
    assert np.isnan(nation["n_complement"])
    assert north["n"] + north["n_complement"] == nation["n"]
    assert north["n_reporting_complement"] == south["n_reporting"]
    assert north["sum_wy"] + south["sum_wy"] == pytest.approx(nation["sum_wy"])
    assert set(table["role"]) == {"hidden", "known", "degree"}


def test_shares_of_the_largest_contributions():
    assert top_shares(np.array([1.0, 6.0, 3.0])) == pytest.approx((0.6, 0.9))
    assert all(np.isnan(top_shares(np.zeros(3))))


INVARIANT = ["estimate", "std_error", "lower", "upper", "se_linearised"]


@settings(max_examples=15, deadline=None)
@given(factor=st.floats(1e-3, 1e3), seed=st.integers(0, 2**20))
def test_invariances(sampling_of, factor, seed):
    """Nothing changes with the scale of the weights, N_U, the order of rows or groups, or twins."""
    generator = np.random.default_rng(seed)
    n, k = 40, 3
    psu = np.arange(n) % 10
    stratum = psu % 2
    weights = generator.uniform(1, 5, n)
    counts = {f"g{j}": generator.poisson(3, n).astype(float) for j in range(k)}
    reports = generator.poisson(0.5, n).astype(float)
    sizes = {f"g{j}": float(100 * (j + 1)) for j in range(k)}

    def run(order, weights, n_u, groups):
        sampling = sampling_of(weights[order], stratum[order], psu[order], replicates=20)
        group = HiddenGroup(
            "h",
            reports[order],
            network_sizes({g: counts[g][order] for g in groups}, sizes, groups, n_u),
            "all_ages",
            "per_100",
        )
        nation = Domain("national", "national", "geographic", np.ones(len(order), bool))
        table = scale_up_table(
            [group],
            [nation],
            Populations({("national", "national", "all_ages"): n_u}),
            sampling,
            estimators=["ratio_of_sums"],
            headline="ratio_of_sums",
            inference=Inference(),
        )
        return table[table["unit"] == "persons"][INVARIANT].to_numpy()

    rows, names = np.arange(n), list(counts)
    reference = run(rows, weights, 10_000.0, names)
    np.testing.assert_allclose(run(rows, weights * factor, 10_000.0, names), reference, rtol=1e-9)
    scaled = run(rows, weights, 10_000.0 * factor, names)
    np.testing.assert_allclose(scaled, reference, rtol=1e-9)
    shuffled = generator.permutation(n)
    np.testing.assert_allclose(run(shuffled, weights, 10_000.0, names), reference, rtol=1e-9)
    np.testing.assert_allclose(run(rows, weights, 10_000.0, names[::-1]), reference, rtol=1e-9)
    # Two respondents of one PSU with the same answers are one with the sum of their weights.
    twins = np.tile(rows, 2)
    np.testing.assert_allclose(run(twins, weights / 2, 10_000.0, names), reference, rtol=1e-9)
