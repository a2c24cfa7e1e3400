"""What the report says where a survey isn't like the shipped one."""

import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "report"))

from material_of import philippine_material  # noqa: E402

from prevalence.disclosure.gate import Allowed, check_files  # noqa: E402
from prevalence.disclosure.numbers import sorted_numbers  # noqa: E402
from prevalence.files import read_yaml  # noqa: E402
from prevalence.report import sentences  # noqa: E402
from prevalence.report.cells import fixed, limits  # noqa: E402
from prevalence.report.compose import composed  # noqa: E402
from prevalence.report.resolve import resolved  # noqa: E402
from prevalence.report.results import results  # noqa: E402
from prevalence.report.statements import statement_rows  # noqa: E402
from prevalence.report.story import (  # noqa: E402
    BECAUSE,
    MANY_BECAUSE,
    metadata,
    variables,
)
from prevalence.report.tables_certainty import (  # noqa: E402
    WEIGHTED_SUMMARIES,
    coverage_table,
    predictive_table,
)
from prevalence.report.tables_findings import published_table  # noqa: E402
from prevalence.report.tables_method import (  # noqa: E402
    choices_table,
    quality_table,
    weighting_table,
)
from prevalence.report.variables import flattened  # noqa: E402

FULL = philippine_material()
NUMBERS = ["estimate", "std_error", "lower", "upper", "n", "n_reporting"]
SOURCE = {
    path.relative_to(ROOT / "reports").as_posix(): path.read_text()
    for pattern in ("*.qmd", "sections/*.qmd", "*.bib", "checklist.yml")
    for path in (ROOT / "reports").glob(pattern)
}
PROJECT = read_yaml(ROOT / "reports" / "_quarto.yml")


def page(material):
    files = composed(material, SOURCE, PROJECT)
    told = flattened(variables(material))
    text = resolved(files, "summary.qmd", told, metadata(material), "html")
    return " ".join(line for line in text.splitlines() if "base64" not in line)


def changed(name, where, **values):
    """The material with cells of a released table changed."""
    frame = FULL.tables[name].copy()
    chosen = frame.apply(where, axis=1)
    for column, value in values.items():
        frame[column] = frame[column].astype(object)
        frame.loc[chosen, column] = value
    return replace(FULL, tables={**FULL.tables, name: frame})


def withheld(name, where, reason="primary"):
    gone = {column: None for column in NUMBERS if column in FULL.tables[name]}
    return changed(name, where, suppressed=reason, **gone)


def national(group):
    return lambda row: row["group"] == group and row["domain_type"] == "national"


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("primary", "It rests on too few respondents or reports to be released."),
        ("dominance", "It rests mostly on the reports of a respondent or two."),
        ("complementary", "It would give another withheld number away."),
    ],
)
def test_a_withheld_national_estimate_is_told_with_its_own_reason(reason, why):
    text = page(withheld("scale_up", national("victims"), reason))
    assert "The estimated number of children trafficked to produce CSEM in 2022 is **supp" in text
    assert why in text
    assert ")** children were trafficked" not in text
    assert "That is suppressed" not in text


@pytest.mark.parametrize("why", [*BECAUSE.values(), *MANY_BECAUSE.values()])
def test_the_gate_lets_the_reasons_pass(why):
    files = {
        "summary.html": f"<p>Three of the estimates may be shown; the others {why}</p>".encode()
    }
    assert check_files(files, Allowed([*files], sorted_numbers([]), [], {})) == []


def test_a_number_without_a_rate_says_nothing_of_a_rate():
    frame = FULL.tables["scale_up"]
    frame = frame[frame["unit"] != "per_100"]
    text = page(replace(FULL, tables={**FULL.tables, "scale_up": frame}))
    assert "An estimated **471,000" in text
    assert "That is not" not in text
    assert "not available" not in text


def test_a_withheld_ratio_is_no_part_of_a_sentence_about_its_size():
    text = page(withheld("scale_up", national("victims_per_perpetrator")))
    assert "The estimated number of children trafficked per adult trafficker is suppressed" in text
    assert "The survey estimates suppressed" not in text


def test_a_withheld_mean_network_size_is_not_told():
    assert "degree" not in variables(withheld("degree_summary", lambda row: True))


def test_places_are_withheld_for_the_reasons_that_occur():
    told = variables(FULL)["domains"]["region"]["released"]
    for words in ("too few respondents or", "a respondent or two", "give another number away"):
        assert words in told


def test_a_share_that_is_an_interval_only_is_written_as_one():
    material = changed(
        "reporting",
        lambda row: row["estimator"] == "reported_of_answered",
        estimate=None,
        precision="interval_only",
    )
    told = sentences.reported(material)["sentence"]
    assert "answered for, between 11.2 and 19.6% (95% interval) were reported." in told
    assert statement_rows(material)[-1][1] == "11.2 to 19.6% of described situations".replace(
        "11.2 to 19.6%", "11.2\u00a0to\u00a019.6%"
    )


def test_an_imprecise_share_carries_its_mark_and_the_mark_is_explained():
    material = changed(
        "reporting", lambda row: row["estimator"] == "reported_of_answered", precision="imprecise"
    )
    assert statement_rows(material)[-1][1].startswith("15.2%\u00a0†")
    assert "† imprecise" in published_table(material)
    assert "†" not in published_table(FULL)


def test_a_withheld_place_is_not_said_to_be_without_reports():
    material = withheld("scale_up", lambda row: row["domain"] == "Visayas", "complementary")
    assert "reported in 2 of 3 island groups, 1 suppressed" in statement_rows(material)[0][3]


def test_one_comparison_of_several_is_not_told_of_the_two_places():
    material = withheld("contrasts", lambda row: row["against"] == "Mindanao")
    assert "the two island groups show" not in sentences.compared(material, "island_group")


def test_the_size_on_record_is_judged_by_the_unrounded_ratio_as_in_the_figure():
    """Rounded to hundreds, a limit can stand on the size that the interval leaves out."""
    frame = FULL.tables["known_groups"].assign(log_ratio_lower=-0.1, log_ratio_upper=0.2)
    material = replace(FULL, tables={**FULL.tables, "known_groups": frame})
    assert sentences.leave_one_out(material)["sentence"].startswith("For all 4 of the headline's")
    frame = frame.copy()
    frame.loc[frame["group"] == "lawyers", ["lower", "log_ratio_lower"]] = [90000.0, 0.00005]
    material = replace(FULL, tables={**FULL.tables, "known_groups": frame})
    assert sentences.leave_one_out(material)["sentence"].startswith(
        "For 3 of the headline's 4 known"
    )


def test_a_known_group_that_may_not_be_shown_is_not_counted_among_all():
    material = withheld("known_groups", lambda row: row["group"] == "lawyers")
    told = sentences.leave_one_out(material)["sentence"]
    assert told.startswith("For all 3 of the headline's known groups that may be shown the size")


def test_a_known_group_with_an_interval_only_is_counted():
    material = changed(
        "known_groups", lambda row: row["group"] == "lawyers", estimate=None, std_error=None
    )
    assert sentences.leave_one_out(material)["sentence"].startswith("For all 4 of the headline's")


def of_level(level):
    tables = {
        name: frame.assign(level=level) if "level" in frame else frame
        for name, frame in FULL.tables.items()
    }
    return replace(FULL, tables=tables, estimate={**FULL.estimate, "level": level})


def test_a_study_of_other_intervals_is_not_the_surveys():
    text = page(of_level(0.9))
    assert "90% interval" in text
    assert "95% interval" not in text
    assert not sentences.covered(of_level(0.9))
    assert sentences.covered(FULL)


def headlined(estimator="ratio_of_sums", **choices):
    frame = FULL.tables["scale_up"].copy()
    swapped = {"ratio_of_sums": estimator, estimator: "ratio_of_sums"}
    mine = frame["unit"] != "ratio"
    frame.loc[mine, "estimator"] = frame.loc[mine, "estimator"].replace(swapped)
    headline = {**FULL.headline, "estimator": estimator, **choices}
    return replace(FULL, headline=headline, tables={**FULL.tables, "scale_up": frame})


def test_another_headline_has_its_own_formula_and_keeps_the_ratio():
    material = headlined("mean_of_ratios")
    text = page(material)
    assert r"\frac{\sum_i w_i \, y_{iH} / \hat{d}_i}{\sum_i w_i}" in text
    assert "are the ratio of two" not in text
    assert "children trafficked per adult trafficker. It is the ratio" in text
    groups = [row["group"] for row in results(material)["estimates"]]
    assert groups.count("victims_per_perpetrator") == 1
    assert len(groups) == len(results(FULL)["estimates"])


def test_the_shipped_headline_has_the_ratio_of_sums():
    text = page(FULL)
    assert r"\frac{\sum_i w_i \, y_{iH}}{\sum_i w_i \, \hat{d}_i}" in text
    assert "takes every weight" not in text
    assert r"e^{\pm t s / \hat{R}}" in text


@pytest.mark.parametrize(
    ("choices", "replication", "said", "unsaid"),
    [
        ({"interval": "gamma_mid_p"}, "rescaled_bootstrap", "mid-p gamma", r"e^{\pm t s"),
        ({"interval": "t"}, "rescaled_bootstrap", "Student's t", "cannot reach below zero"),
        ({"variance": "linearised"}, "rescaled_bootstrap", "linearised estimate", "drawn again"),
        ({"variance": "replicates"}, "jkn", "jackknife or half-sample", "drawn again"),
    ],
)
def test_the_appendix_describes_the_variance_and_the_interval_of_the_headline(
    choices, replication, said, unsaid
):
    material = replace(
        FULL,
        headline={**FULL.headline, **choices},
        weight={"replication": {"method": replication, "replicates": 20}},
    )
    text = page(material).replace("\\'", "'")
    assert said in text
    assert unsaid not in text


def of_another_unit():
    """The children's rate per 1,000 instead of per 100."""
    groups = FULL.estimate["hidden_groups"]
    groups = {**groups, "victims": {**groups["victims"], "per": "per_1000"}}
    frame = FULL.tables["scale_up"].copy()
    mine = frame["unit"] == "per_100"
    frame.loc[mine, ["estimate", "lower", "upper", "std_error"]] *= 10
    frame.loc[mine, "unit"] = "per_1000"
    return replace(
        FULL,
        estimate={**FULL.estimate, "hidden_groups": groups},
        tables={**FULL.tables, "scale_up": frame},
    )


def test_a_rate_in_another_unit_is_so_in_every_language():
    text = page(of_another_unit())
    assert "That is 12.1 per 1,000 children" in text
    assert "Sa bawat 1,000 bata, ito ay 12.1" in text
    assert "Sa bawat 100 bata, ito ay 1.21" in page(FULL)


def test_a_published_rate_is_compared_in_the_surveys_unit():
    row = next(line for line in published_table(of_another_unit()).splitlines() if "1 in 1" in line)
    assert "8.0 to 13.0 per 1,000" in row
    assert "the estimate lies in the range" in row


def test_a_claim_that_has_no_row_has_no_note():
    frame = FULL.tables["scale_up"]
    tables = {**FULL.tables, "scale_up": frame[frame["unit"] != "ratio"]}
    assert "news page" not in published_table(replace(FULL, tables=tables))
    assert "news page" in published_table(FULL)


def test_a_limit_below_zero_has_a_minus_sign():
    material = changed("scale_up", national("victims"), lower=-5000.0)
    assert "−5,000 to" in variables(material)["groups"]["victims"]["count"]


def test_a_place_without_any_number_is_told_and_stops_nothing():
    """A place with one sampling unit has no degree of freedom: no limits, and so no number."""
    gone = dict.fromkeys(["estimate", "std_error", "lower", "upper"])
    place = changed(
        "scale_up", lambda row: row["domain"] == "XI", precision="interval_only", **gone
    )
    row = next(line for line in page(place).split(" | XI ")[1:2])
    assert row.startswith("| too imprecise | – | too imprecise | – | 209 | 24 |")
    nation = changed("scale_up", national("victims"), precision="interval_only", **gone)
    text = page(nation)
    assert "CSEM in 2022 is **too imprecise to be given**." in text
    assert "not comparable: too imprecise" in text


def test_a_share_of_all_has_no_interval():
    material = changed(
        "reporting",
        lambda row: row["estimator"] == "reported_of_answered",
        estimate=100.0,
        lower=None,
        upper=None,
    )
    assert "100.0% (no interval) were reported" in sentences.reported(material)["sentence"]
    page(material)


def test_combinations_without_a_number_are_counted():
    told = sentences.specified(FULL)["sentence"]
    assert told.startswith("Children: 3 combinations give estimates from 310,000 to 690,000")
    material = changed("specifications", lambda row: row["top_code"] == "2", estimate=None)
    told = sentences.specified(material)["sentence"]
    assert told.startswith(
        "Children: 2 of 3 combinations give an estimate that may be stated as a number, from 310"
    )


def test_the_headline_is_placed_among_all_combinations():
    told = sentences.specified(FULL)
    own = FULL.national("victims", "persons")["estimate"]
    assert own == 471_000
    assert "; 1 of the 3 lies above the headline’s 471,000." in told["sentence"]
    table = FULL.tables["specifications"]
    higher = table.assign(estimate=table["estimate"].where(table["headline"], 900_000.0))
    found = sentences.spread(higher, FULL.headline)
    assert list(found["above"]) == [2, 2]
    assert list(found["below"]) == [0, 0]


def test_numbers_below_zero_have_a_true_minus_sign_in_tables():
    assert fixed(-460.2, 0) == "−460"
    assert limits(-0.5, 0.25) == "−0.50\u00a0to\u00a00.25"


def departing(*rows, fixed=None):
    """The material of a run whose estimand sheet has these rows: group, element, text, flag."""
    columns = ["group", "element", "text", "deviation"]
    sheet = pd.DataFrame(list(rows), columns=columns)
    fixed = {"date": "2023-09-07"} if fixed is None else fixed
    sheet["fixed"] = sheet["element"].map(lambda name: fixed.get(name, ""))
    return replace(FULL, tables={**FULL.tables, "estimands": sheet})


def test_what_departs_for_one_hidden_group_is_no_choice_as_fixed():
    material = departing(
        ("victims", "combination", "sum of victims_nonlive, victims_live", True),
        ("perpetrators", "combination", "maximum of perpetrators_nonlive", False),
        ("victims", "known_groups", "doctors, teachers", True),
        ("headline", "imputation", "perpetrators_without_victims", True),
        ("headline", "missing_answers", "exclude", False),
        ("headline", "date", "2023-09-07", False),
    )
    lines = choices_table(material).splitlines()
    row = {line.split(" | ")[0].strip("| "): line for line in lines if line.startswith("| ")}
    combined = row["Two answers on one group"]
    assert "departs from it: Children, the sum of the two answers" in combined
    assert "departs from it: Children, doctors and teachers" in row["Known groups"]
    assert "| None | departs from it: perp" in row["Imputation between hidden groups"]
    assert row["Estimator"].endswith("as fixed |")
    assert "Known groups not answered about" not in row
    assert "This run departs from the choices" in page(material)


def test_a_run_that_keeps_to_everything_says_of_nothing_that_it_departs():
    material = departing(("headline", "estimator", "ratio_of_sums", False))
    assert "departs" not in choices_table(material)
    assert "This run departs" not in page(material)


def test_a_choice_that_differs_from_its_record_departs_from_it():
    material = departing(
        ("headline", "top_codes", "known 100, hidden 5", True),
        fixed={"top_codes": "known 100, hidden 30"},
    )
    row = next(line for line in choices_table(material).splitlines() if "Top codes" in line)
    assert row.endswith("departs from it: known 100, hidden 30 |")
    assert "This run departs from the choices" in page(material)


def test_choices_without_a_record_are_not_said_to_be_as_fixed():
    material = departing(("headline", "estimator", "ratio_of_sums", False), fixed={})
    assert "as fixed" not in choices_table(material)
    assert "No record of them was kept" in page(material)


def test_answers_at_the_top_code_are_not_told_as_above_it():
    """The share is of answers at the questionnaire's highest answer or above."""
    table = quality_table(FULL)
    assert "At the top code |" in table
    assert "Over the top code" not in table


def test_a_geography_below_the_smallest_is_told_by_the_rule_without_figure_and_table():
    material = withheld("scale_up", lambda row: row["domain_type"] == "region", "geography")
    empty = {"csv": "group,suppressed\nvictims,geography\n", "alt": "", "caption": "All regions"}
    figures = {**material.figures, "regions": {**material.figures["regions"], **empty}}
    release = {"smallest_geography": "island_group", "reason": None}
    text = page(replace(material, figures=figures, release=release))
    why = "this survey’s rules release nothing smaller than the island group."
    assert f"Estimates by region are not shown: {why}" in text
    assert "#tbl-region-victims" not in text
    assert "All regions" not in text
    assert "#tbl-island-group-victims" in text


def test_a_geography_of_which_nothing_is_shown_has_no_others():
    material = withheld("scale_up", lambda row: row["domain_type"] == "region", "geography")
    told = variables(material)["domains"]["region"]["released"]
    assert told.startswith("None of the ")
    assert told.endswith(" may be shown. They are of a kind of which too many may not be released.")


def test_weights_that_came_with_the_data_are_not_called_probabilities_and_repeat_nothing():
    weight = {"base": {"variable": "w"}, "replication": {"method": "rescaled_bootstrap"}}
    weight["replication"]["replicates"] = 300
    material = replace(FULL, weight=weight)
    assert "300 times, with no weighting to repeat." in " ".join(page(material).split())
    assert "and the weighting was repeated each time" in page(FULL)
    assert "Base weight" in weighting_table(material)
    assert "Selection probability" not in weighting_table(material)


@pytest.mark.parametrize(("strata", "words"), [(6, " of each stratum"), (1, "")])
def test_a_sample_of_one_stratum_is_not_drawn_again_in_each(strata, words):
    rows = {"estimator": "ratio_of_sums", "domain_type": "national", "psus": 60, "strata": strata}
    material = replace(FULL, tables={**FULL.tables, "effective_n": pd.DataFrame([rows])})
    assert f"The primary sampling units{words} were drawn again" in page(material)


def test_without_factors_nothing_else_takes_them_as_other_than_one():
    assert "The headline takes all four as one; @sec-visibility does not." in page(FULL)
    tables = {name: table for name, table in FULL.tables.items() if name != "adjustment"}
    text = page(replace(FULL, tables=tables))
    assert "The headline takes all four as one." in text
    assert "does not." not in text.split("takes all four as one")[1][:40]


@pytest.mark.parametrize(
    ("models", "parts", "told"),
    [
        (
            ["overdispersed"],
            "respondent and group.",
            "Fitted without survey weights, each respondent counting alike, unlike in the "
            "headline: overdispersed model.",
        ),
        (
            ["partially_pooled", "overdispersed_weighted"],
            "respondent, group and area.",
            "Fitted with the survey weights: overdispersed model, weighted. Fitted without survey "
            "weights, and then summed over areas with them: model partially pooled over areas.",
        ),
    ],
)
def test_the_text_says_which_models_use_the_weights(models, parts, told):
    frame = FULL.tables["scale_up"]
    modelled = frame["estimator"] == "overdispersed"
    kept = [frame[~modelled], *(frame[modelled].assign(estimator=name) for name in models)]
    text = page(replace(FULL, tables={**FULL.tables, "scale_up": pd.concat(kept)}))
    assert f"take the answers apart by {parts}" in text
    assert told in text


def test_summaries_of_weighted_models_are_said_to_be_weighted():
    assert WEIGHTED_SUMMARIES not in predictive_table(FULL)
    frame = FULL.tables["predictive"].assign(estimator="overdispersed_weighted")
    tables = {**FULL.tables, "predictive": frame}
    assert WEIGHTED_SUMMARIES in predictive_table(replace(FULL, tables=tables))


def test_a_simulated_world_is_one_row_with_the_groups_beside_each_other():
    lines = coverage_table(FULL).splitlines()
    (row,) = [line for line in lines if line.startswith("| Assumptions hold |")]
    one = "| 0.0 | 1.01 | 94.3 (92.3\u00a0to\u00a096.3) "
    assert row == f"| Assumptions hold {one}{one}|"
