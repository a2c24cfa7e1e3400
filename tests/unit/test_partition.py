import numpy as np
import pandas as pd
import pytest

from prevalence.errors import PipelineError
from prevalence.partition import check_populations, unsampled_domains, without_partial_sums
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


def test_a_domain_whose_population_has_another_name_is_told(study_from, tables_of):
    tables = tables_of()
    check_populations(study_from(tables).domains, study_from(tables).populations)
    named = tables["populations"]["domain"]
    tables["populations"]["domain"] = named.replace("north", "nort")
    study = study_from(tables)
    assert "north" not in set(estimated(study)["domain"])  # what nobody was told before
    with pytest.raises(PipelineError) as error:
        check_populations(study.domains, study.populations)
    assert "north" in str(error.value)
    assert "nort" in str(error.value)
    nation = tables["populations"]["domain_type"] == "national"
    tables["populations"] = tables["populations"][nation]
    study = study_from(tables)
    check_populations(study.domains, study.populations)


def test_places_whose_rows_are_of_another_year_are_told(study_from, tables_of):
    tables = tables_of()
    nation = tables["populations"]["domain_type"] == "national"
    tables["populations"]["year"] = np.where(nation, 2022, 2020)
    study = study_from(tables, year=2022)
    types = tables["populations"]["domain_type"]
    assert "north" not in set(estimated(study)["domain"])  # what nobody was told before
    with pytest.raises(PipelineError) as error:
        check_populations(study.domains, study.populations, types)
    assert "year" in str(error.value)
