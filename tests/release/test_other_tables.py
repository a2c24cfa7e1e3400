"""Tables beside the estimates: each has a rule, none tells of a handful of people."""

import numpy as np
import pandas as pd
import pytest
from made_up import POLICY, SETTINGS, survey, tables_of

from prevalence.contracts.model import ADJUSTMENT_MODELS
from prevalence.contracts.release import CONTRACTS, DISCLOSURE_EXCEPTIONS
from prevalence.disclosure.cells import geography_of
from prevalence.disclosure.release import _without_small_differences, release
from prevalence.disclosure.rules import exceptions_table
from prevalence.disclosure.tables import RULES
from prevalence.errors import PipelineError
from prevalence.united import modelled_rows, united


def released(share=0.15, exceptions=None, **more):
    respondents, *answers = survey(share)
    tables, inputs = tables_of(respondents, *answers)
    geography = geography_of(respondents, SETTINGS, "region")
    return release(
        united(tables | more),
        inputs,
        geography,
        POLICY,
        headline="ratio_of_sums",
        exceptions=exceptions,
    )


def test_a_table_without_a_rule_is_refused():
    with pytest.raises(PipelineError, match="no rule of disclosure control") as caught:
        released(answers=pd.DataFrame({"respondent": ["a"], "victims": [3]}))
    assert "answers" in str(caught.value)


def test_every_contract_has_a_rule():
    assert set(CONTRACTS) == set(RULES)


def model_rows(kinds, domains):
    return pd.DataFrame(
        {
            "survey": "made_up",
            "estimator": "partially_pooled",
            "group": "victims",
            "domain_type": kinds,
            "domain": domains,
            "estimate": 1000.0,
            "std_error": 100.0,
            "lower": 800.0,
            "upper": 1300.0,
            "level": 0.95,
            "unit": "persons",
            "n": 100,
            "n_reporting": 20,
            "df": 40.0,
            "interval": "credible",
            "se_linearised": np.nan,
            "headline": False,
        }
    )


def test_models_follow_the_cells_of_the_design_based_estimates():
    rows = model_rows(["national", "region", "region"], ["national", "R02", "R99"])
    table = released(0.03, scale_up_models=rows).tables["scale_up"]
    table = table[modelled_rows(table)].reset_index(drop=True)
    assert list(table["suppressed"]) == ["", "geography", "geography"]
    assert table.loc[1:, ["estimate", "lower", "upper", "n", "n_reporting"]].isna().all().all()


def test_a_place_is_not_given_away_by_what_it_lends_to_others():
    one = model_rows(["region", "region"], ["R01", "R99"]).assign(
        shrinkage=0.3, discrepancy=0.5, disagreement_p=0.2
    )
    rows = pd.concat([one.assign(estimator="fay_herriot"), one], ignore_index=True)
    cells = released(0.15, small_areas=rows).tables["scale_up"]
    shown = cells[(cells["domain"] == "R01") & (cells["suppressed"] == "")]
    assert len(shown), "or the test says nothing"
    table = released(0.15, small_areas=rows).tables["small_areas"]
    assert list(table["suppressed"]) == ["complementary", "geography", "", "geography"]
    numbers = table[["estimate", "lower", "upper", "shrinkage", "discrepancy"]]
    assert numbers.loc[[0, 1, 3]].isna().all().all()
    assert numbers.loc[2].notna().all()
    assert table["disagreement_p"].isna().all()


def test_adjusted_models_fall_with_the_national_cell_and_have_no_counts():
    rows = model_rows(["national"] * 2, ["national"] * 2).assign(adjustment=["none", "all"])
    rows = rows.reindex(columns=list(ADJUSTMENT_MODELS.columns)).assign(converged=True)
    table = released(0.15, adjustment_models=rows).tables["adjustment_models"]
    assert list(table["suppressed"]) == ["", ""]
    assert list(table["estimate"]) == [1000.0, 1000.0]
    assert not {"n", "n_reporting"} & set(table.columns)
    few = released(0.001, adjustment_models=rows).tables["adjustment_models"]
    assert set(few["suppressed"]) == {"primary"}
    assert few[["estimate", "std_error", "lower", "upper"]].isna().all().all()


def test_not_even_names_of_municipalities_leave():
    rows = model_rows(["national", "city", "psu"], ["national", "C0001", "p0a"])
    diagnostics = pd.DataFrame(
        {
            "quantity": [
                "hidden:victims:national:national",
                "hidden:victims:region:R02",
                "hidden:victims:city:C0001",
                "something else",
            ],
            "mean": 5.0,
            "sd": 1.0,
            "mcse": 0.1,
            "rhat": 1.0012,
        }
    )
    found = released(scale_up_models=rows, diagnostics=diagnostics).tables
    assert list(found["scale_up"].loc[modelled_rows(found["scale_up"]), "domain"]) == ["national"]
    assert list(found["diagnostics"]["quantity"]) == list(diagnostics["quantity"][:2])
    assert not {"mean", "sd", "mcse"} & set(found["diagnostics"].columns)


def quality(**changes):
    row = {"group": "x", "role": "known", "n": 500, "answered": 500, "zero_share": 0.5}
    row |= {"five_or_more": 100, "heaped_share": 0.4, "max": 77.0}
    row |= {"top_code": 95.0, "top_code_share": 0.0}
    return pd.DataFrame([row | changes])


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.5, True), (9 / 500, False), (10 / 500, True), (491 / 500, False), (490 / 500, True)],
)
def test_a_share_of_a_handful_of_answers_is_left_out(share, shown):
    table = released(data_quality=quality(zero_share=share)).tables["data_quality"]
    assert table["zero_share"].notna().all() == shown
    assert "max" not in table


@pytest.mark.parametrize(
    ("large", "heaped", "shown"),
    [(1, 1, False), (9, 5, False), (24, 17, False), (100, 9, False), (20, 10, True), (50, 0, True)],
)
def test_heaping_among_a_handful_of_answers_is_left_out(large, heaped, shown):
    """One person who knows five doctors would be a heaped share of 1: the answer itself."""
    rows = quality(five_or_more=large, heaped_share=heaped / large)
    table = released(data_quality=rows).tables["data_quality"]
    assert table["heaped_share"].notna().all() == shown
    assert "five_or_more" not in table


def test_the_quality_of_a_hidden_item_needs_ten_who_report():
    for reporting, code in ((9, "primary"), (10, "")):
        rows = quality(role="hidden_item", zero_share=1 - reporting / 500)
        table = released(data_quality=rows).tables["data_quality"]
        assert list(table["suppressed"]) == [code]
        assert table["heaped_share"].isna().all()


def test_a_single_withheld_place_takes_the_others_with_it():
    rows = pd.DataFrame(
        {
            "survey": "made_up",
            "group": "victims",
            "rank": [1, 2, 3],
            "n": [40, 40, 30],
            "n_reporting": [30, 20, 4],
            "share_of_reports": [0.6, 0.3, 0.1],
        }
    )
    table = released(influence=rows).tables["influence"]
    assert set(table["suppressed"]) == {"primary"}
    safe = released(influence=rows.assign(n_reporting=[30, 20, 12])).tables["influence"]
    assert set(safe["suppressed"]) == {""}


def test_a_ratio_is_withheld_where_the_nation_of_a_group_is():
    rows = pd.DataFrame({"group": ["victims_per_perpetrator"], "estimate": [2.0], "finding": "x"})
    shown = released(0.15, sensitivity=rows).tables["sensitivity"]
    hidden = released(0.0, sensitivity=rows).tables["sensitivity"]
    assert shown["estimate"].notna().all()
    assert hidden[["estimate", "finding"]].isna().all().all()


def test_shares_without_a_degree_are_left_out_together():
    respondents, *answers = survey(0.15)
    tables, inputs = tables_of(respondents, *answers)
    geography = geography_of(respondents, SETTINGS, "region")
    means = tables["degree_summary"]
    share = np.where(means["domain"] == "R02", 3 / 80, 0.2)
    tables["degree_summary"] = means.assign(zero_share=share)
    found = release(tables, inputs, geography, POLICY, headline="ratio_of_sums").tables
    table = found["degree_summary"].set_index("domain_type")["zero_share"]
    assert table.loc["region"].isna().all()
    assert table.drop("region").notna().all()


def test_domains_of_few_are_left_out_of_what_describes_the_survey():
    rows = pd.DataFrame(
        {
            "survey": "made_up",
            "domain_type": ["national", "region", "region", "region", "sex", "city"],
            "domain": ["national", "R01", "R02", "R03", "female", "C1"],
            "n": [100, 60, 36, 4, 50, 30],
            "effective_n": 30.0,
        }
    )
    table = released(effective_n=rows).tables["effective_n"]
    assert list(table["domain"]) == ["national", "R01", "female"]


def test_an_exception_that_names_no_cell_is_refused():
    with pytest.raises(PipelineError, match="names no cell"):
        released(exceptions={("victims", "region", "R99")})


def test_exceptions_are_listed_for_the_report():
    entry = {
        "survey": "one",
        "group": "victims",
        "domain_type": "region",
        "domain": "R02",
        "reason": "published by the statistics office already",
        "approver": "two checkers",
        "expiry": "2030-01-01",
    }
    table = exceptions_table([entry, entry | {"survey": "other"}], "one")
    assert table.to_dict("records") == [{k: v for k, v in entry.items() if k != "survey"}]
    DISCLOSURE_EXCEPTIONS.validate(table)
    DISCLOSURE_EXCEPTIONS.validate(exceptions_table([], "one"))


def test_counts_of_estimators_are_shown_only_far_apart_from_one_another():
    """Each differs from every other that is shown by none, or by 10 and more, in every cell."""
    domains = ["national", "Luzon", "Visayas", "Mindanao"]
    rows = model_rows(["national", *["island_group"] * 3], domains)
    counts = {
        "first": [300, 100, 100, 100],
        "same": [300, 100, 100, 100],
        "far": [270, 80, 100, 90],
        "near the first": [291, 91, 100, 100],
        "near in one": [278, 88, 100, 90],
        "near the third": [268, 80, 100, 88],
    }
    tables = [rows.assign(estimator=name, n=n, n_reporting=n) for name, n in counts.items()]
    tables[0]["headline"] = True
    given = pd.concat(tables[::-1], ignore_index=True)
    shown = (
        _without_small_differences(given, POLICY).groupby("estimator")["n"].agg(["size", "count"])
    )
    assert set(shown.index[shown["count"] == 4]) == {"first", "same", "near the third"}
    assert set(shown.index[shown["count"] == 0]) == {"far", "near the first", "near in one"}


def areas(count, group="victims"):
    return pd.DataFrame(
        {
            "survey": "made_up",
            "estimator": "partially_pooled",
            "group": group,
            "statistic": "areas",
            "quantile": [0.1, 0.5, 0.9],
            "value": [0.7654, 1.2345, 12.345],
            "std_error": 0.1234,
            "unit": "per_100",
            "areas": count,
            "converged": True,
        }
    )


@pytest.mark.parametrize(("count", "code"), [(49, "primary"), (50, "")])
def test_a_distribution_over_areas_needs_enough_of_them(count, code):
    table = released(area_distribution=areas(count)).tables["area_distribution"]
    assert set(table["suppressed"]) == {code}
    expected = [np.nan] * 3 if code else [0.765, 1.23, 12.3]
    assert list(table["value"]) == pytest.approx(expected, nan_ok=True)
    assert table["std_error"].notna().all() == (not code)
    assert not {"domain", "domain_type", "area"} & set(table.columns)


def test_a_distribution_over_areas_falls_with_the_groups_national_cell():
    table = released(0.001, area_distribution=areas(200)).tables["area_distribution"]
    assert set(table["suppressed"]) == {"primary"}
    assert table["value"].isna().all()
