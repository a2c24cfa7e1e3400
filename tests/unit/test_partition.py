import pandas as pd

from prevalence.partition import unsampled_domains, without_partial_sums
from prevalence.scale_up import scale_up_table


def estimated(study):
    return scale_up_table(
        study.hidden_groups(),
        study.domains,
        study.populations,
        study.sampling,
        estimators=["ratio_of_sums"],
        headline="ratio_of_sums",
        inference=study.headline.inference,
        benchmarked=["island"],
    )


def test_domains_that_are_all_sampled_are_summed(study_from):
    study = study_from()
    assert unsampled_domains(study.domains, study.populations) == {}
    table = estimated(study)
    pd.testing.assert_frame_equal(without_partial_sums(table, []), table)
    assert {"sum_of_island", "ratio_of_sums_benchmarked"} <= set(table["estimator"])


def test_an_island_without_respondents_is_no_part_of_a_national_sum(study_from, tables_of):
    tables = tables_of()
    more = pd.DataFrame(
        {
            "domain_type": ["island"],
            "domain": ["west"],
            "all_ages": [50_000.0],
            "children": [20_000.0],
            "adults": [30_000.0],
        }
    )
    tables["populations"] = pd.concat([tables["populations"], more], ignore_index=True)
    study = study_from(tables)
    partial = unsampled_domains(study.domains, study.populations)
    assert partial == {"island": ["west"]}
    table = without_partial_sums(estimated(study), list(partial))
    assert set(table["estimator"]) == {"ratio_of_sums"}
    assert {"north", "south"} <= set(table["domain"])
