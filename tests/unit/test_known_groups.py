import numpy as np
import pytest

from prevalence.known_groups import (
    agreement_table,
    check_groups,
    design_effects,
    leave_one_out,
    root_mean_square,
    trim_known_groups,
    trimmed_estimates,
    typical_design_effect,
)
from prevalence.ratio import Inference, RatioBatch, RatioEstimates


def test_groups_known_in_proportion_are_estimated_exactly(sampling_of):
    degree = np.array([100.0, 200.0, 400.0, 50.0])
    sizes = {"a": 100.0, "b": 500.0, "c": 1_000.0}
    counts = {name: degree * size / 10_000 for name, size in sizes.items()}
    sampling = sampling_of([1.0, 3.0, 2.0, 5.0], ["x"] * 4, range(4), replicates=10)
    found = leave_one_out(counts, sizes, list(sizes), 10_000.0, sampling)
    np.testing.assert_allclose(10_000 * found.ratio, list(sizes.values()))
    np.testing.assert_allclose(found.std_error, 0, atol=1e-12)


def test_a_group_is_never_estimated_from_itself(study_from):
    study = study_from()
    table, _ = check_groups(study)
    before = table.set_index(["estimator", "group"])["estimate"]
    tables = study.known.copy()
    tables.loc[tables["group"] == "nurses", "size"] *= 3
    changed = check_groups(type(study)(**(vars_of(study) | {"known": tables})))[0]
    after = changed.set_index(["estimator", "group"])["estimate"]
    key = ("ratio_of_sums", "nurses")
    assert after[key] == pytest.approx(before[key])
    assert after[("ratio_of_sums", "doctors")] != pytest.approx(
        before[("ratio_of_sums", "doctors")]
    )


def vars_of(study):
    return {name: getattr(study, name) for name in study.__dataclass_fields__}


def test_groups_outside_the_headline_are_checked_too(study_from):
    table, agreement = check_groups(study_from())
    assert set(table["estimator"]) == {"ratio_of_sums", "mean_of_ratios"}
    flags = dict(zip(table["group"], table["in_headline"], strict=True))
    assert flags == {"doctors": True, "nurses": True, "drivers": True, "lawyers": False}
    np.testing.assert_allclose(
        table["log_ratio"], np.log(table["estimate"] / table["known_size"]), rtol=1e-12
    )
    assert (table["log_ratio_lower"] < table["log_ratio"]).all()
    assert set(agreement["n"]) == {3}


def test_leaving_out_the_only_group_that_anybody_knows_leaves_nothing(sampling_of):
    counts = {"a": np.array([1.0, 2, 0, 3]), "b": np.zeros(4)}
    sampling = sampling_of(np.ones(4), ["s"] * 4, range(4), replicates=10)
    found = leave_one_out(counts, {"a": 10.0, "b": 5.0}, ["a", "b"], 100.0, sampling)
    assert np.isnan(found.ratio[0])
    assert found.ratio[1] == 0
    alone = leave_one_out(counts, {"a": 10.0}, ["a"], 100.0, sampling)
    assert np.isnan(alone.ratio).all()


def test_agreement_worked_by_hand(study_from):
    study = study_from()
    table, agreement = check_groups(study)
    mine = table[(table["estimator"] == "ratio_of_sums") & table["in_headline"]]
    rows = agreement[agreement["estimator"] == "ratio_of_sums"].set_index("group")["estimate"]
    assert rows["root_mean_square"] == pytest.approx(np.sqrt((mine["log_ratio"] ** 2).mean()))
    slope = np.polyfit(np.log(mine["known_size"]), mine["log_ratio"], 1)[0]
    assert rows["recall_slope"] == pytest.approx(slope)


def test_design_effects_compare_with_a_poisson_count():
    ones = np.ones(2, np.int64)
    found = RatioEstimates(
        ratio=np.array([0.01, 0.0]),
        replicates=np.zeros((1, 2)),
        std_error=np.array([0.002, 0.0]),
        se_linearised=np.zeros(2),
        df=np.ones(2),
        n=ones,
        n_reporting=ones,
        exposure=np.ones(2),
        largest_share=np.full(2, np.nan),
    )
    effects = design_effects(found, np.array([100.0, 0.0]))
    assert effects[0] == pytest.approx(0.2**2 * 100)
    assert np.isnan(effects[1])
    assert typical_design_effect(effects) == pytest.approx(4)
    assert typical_design_effect(np.array([0.2, np.nan])) == 1


def trimmed(study, **options):
    return trim_known_groups(
        study.counts,
        study.known_sizes,
        ["doctors", "nurses", "drivers", "lawyers"],
        study.populations.total,
        study.sampling,
        **({"threshold": 0.5, "minimum_kept": 2} | options),
    )


def test_trimming_takes_out_the_group_of_the_wrong_size_and_records_it(study_from, tables_of):
    tables = tables_of(n=400)
    wrong = tables["known_groups"]["group"] == "doctors"
    tables["known_groups"].loc[wrong, "size"] *= 6
    found = trimmed(study_from(tables))
    assert [name for name, _ in found.record] == ["doctors"]
    assert found.record[0][1] < -0.5
    assert found.kept == ("nurses", "drivers", "lawyers")
    assert found.removed_share("doctors") > 0.9
    assert sum(len(places) for places in found.kept_by_replicate.values()) == 60


def test_nothing_is_trimmed_where_all_agree(study_from):
    study = study_from(n=400)
    found = trimmed(study, threshold=3.0)
    assert found.record == ()
    assert found.removed_share("drivers") == 0
    reports = study.counts["victims"]
    groups = list(found.kept)
    plain = trimmed_estimates(
        found,
        [reports],
        lambda kept: study.sizes(kept).by_definition["known_population"],
        study.sampling,
    )
    batch = RatioBatch(len(reports))
    batch.add(reports, study.sizes(groups).by_definition["known_population"])
    expected = batch.evaluate(study.sampling)
    np.testing.assert_allclose(plain.replicates, expected.replicates)


def test_each_replicate_uses_the_groups_that_it_kept(study_from, tables_of):
    study = study_from(tables_of(n=60))
    found = trimmed(study, threshold=0.15)
    assert len(found.kept_by_replicate) > 1
    degrees_on = lambda kept: study.sizes(kept).by_definition["known_population"]  # noqa: E731
    estimates = trimmed_estimates(found, [study.counts["victims"]], degrees_on, study.sampling)
    for kept, places in found.kept_by_replicate.items():
        batch = RatioBatch(60)
        batch.add(study.counts["victims"], degrees_on(kept))
        expected = batch.evaluate(study.sampling).replicates[places, 0]
        np.testing.assert_allclose(estimates.replicates[places, 0], expected)


def test_a_group_that_a_replicate_misses_stays_in_the_agreement(sampling_of):
    counts = {
        "a": np.array([1.0, 2, 0, 3, 1, 2, 1, 2]),
        "b": np.array([2.0, 1, 1, 3, 0, 4, 2, 1]),
        "rare": np.array([0.0, 0, 0, 0, 0, 0, 0, 1]),
    }
    sizes = {"a": 10.0, "b": 15.0, "rare": 4.0}
    sampling = sampling_of(np.ones(8), ["s"] * 8, range(8), replicates=50)
    found = leave_one_out(counts, sizes, list(sizes), 100.0, sampling)
    assert (found.replicates[:, 2] == 0).any()
    known = np.array(list(sizes.values()))
    table = agreement_table(found, known, 100.0, Inference(), estimator="x").set_index("group")
    errors = np.log(100 * found.ratio / known)
    row = table.loc["root_mean_square"]
    assert row["estimate"] == pytest.approx(np.sqrt((errors**2).mean()))
    assert row["estimate"] == pytest.approx(root_mean_square(100 * found.ratio, known))
    again = [root_mean_square(100 * one, known) for one in found.replicates]
    assert row["std_error"] == pytest.approx(
        np.sqrt(((np.array(again) - row["estimate"]) ** 2).mean())
    )
    assert row["n"] == 3
    slope = np.polyfit(np.log(known), errors, 1)[0]
    assert table.loc["recall_slope", "estimate"] == pytest.approx(slope)
