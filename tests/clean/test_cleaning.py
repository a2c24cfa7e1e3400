"""The clean stage as a whole: what is excluded, changed and written."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from prevalence.cleaning import clean_responses
from prevalence.codebook import parse_codebook
from prevalence.contracts import check_table
from prevalence.contracts import clean as contracts
from prevalence.errors import PipelineError

CONTRACTS = {
    "respondents": contracts.RESPONDENTS,
    "ard": contracts.ARD,
    "intervals": contracts.INTERVALS,
    "situations": contracts.SITUATIONS,
    "edits": contracts.EDITS,
    "sample_flow": contracts.SAMPLE_FLOW,
    "data_quality": contracts.DATA_QUALITY,
}


@pytest.fixture
def clean(codebook, settings, frame):
    def run(responses):
        tables = clean_responses(responses, codebook, settings, frame)
        return {
            name: check_table(tables[name], contract, name) for name, contract in CONTRACTS.items()
        }

    return run


def spoiled(responses):
    """The survey with every kind of dirt, one interview each."""
    responses = responses.copy()
    responses.loc[0, "CONS"] = 2.0
    responses.loc[1, "S4"] = 12.0
    responses.loc[2, "S4"] = 140.0
    responses.loc[3, ["K0", "K1", "K2", "K3", "C1"]] = 998.0
    responses.loc[4, "T2"] = responses.loc[4, "T1"]
    responses.loc[5, ["K0", "K1", "K2", "K3", "C1"]] = 7.0
    responses.loc[6, "K0"] = 999.0
    responses.loc[7, "K1"] = 450.0
    responses.loc[8, "K2"] = 2.5
    responses.loc[9, "S4"] = 997.0
    responses.loc[10, ["H0", "H1"]] = [997.0, 3.0]
    responses.loc[11, ["H0", "H1"]] = [997.0, 998.0]
    again = responses.loc[[12]].assign(K0=np.nan)
    return pd.concat([responses, again], ignore_index=True)


def test_each_exclusion_has_its_line(clean, responses):
    flow = clean(spoiled(responses))["sample_flow"].set_index("code")
    excluded = flow["excluded"].to_dict()
    assert excluded["consent"] == 1
    assert excluded["eligible_age"] == 2
    assert excluded["duplicate_id"] == 1
    assert excluded["incomplete"] == 1
    assert excluded["too_short"] == 1
    assert excluded["straight_lining"] == 1
    assert flow.loc["export", "n"] == 61
    assert flow.loc["analysed", "n"] == 61 - 7


def test_the_flow_begins_with_the_sampled_households(clean, responses):
    flow = clean(responses)["sample_flow"]
    sample = flow[flow["stage"] == "sample"].set_index("code")
    assert sample["n"].tolist() == [75, 72, 70, 66, 60, 60, 60]
    assert sample["excluded"].sum() == 15
    assert (flow["n"].diff().fillna(0) <= 0).all(), "a flow only thins out"
    assert flow["step"].tolist() == list(range(1, len(flow) + 1))


def test_more_interviews_than_completed_households_are_said(clean, responses):
    flow = clean(spoiled(responses))["sample_flow"].set_index("code")
    assert flow.loc["export", "reason"] == "1 more than completed households"


def test_each_changed_cell_is_on_record(clean, responses):
    edits = clean(spoiled(responses))["edits"].set_index(["respondent", "variable"])
    assert edits.loc[("r006", "doctors")].tolist() == ["999", "out_of_range", "typed_missing_code"]
    assert edits.loc[("r007", "teachers")].tolist() == ["450", "out_of_range", "out_of_range"]
    assert edits.loc[("r008", "drivers")].tolist() == ["2.5", "out_of_range", "out_of_range"]
    assert len(edits) == 3


def test_missing_counts_are_typed(clean, responses):
    ard = clean(spoiled(responses))["ard"].set_index(["respondent", "group"])
    assert ard.loc[("r006", "doctors"), "missing"] == "out_of_range"
    assert ard.loc[("r010", "victims"), "count"] == 3
    assert ard.loc[("r011", "victims"), "missing"] == "refused"
    assert np.isnan(ard.loc[("r011", "victims"), "count"])


def test_counts_stand_in_the_codebooks_order(clean, responses):
    ard = clean(responses)["ard"]
    groups = ard["group"].head(11).tolist()
    assert groups[:5] == ["doctors", "teachers", "drivers", "nurses", "children"]
    assert groups[-2:] == ["victims", "perpetrators"]
    assert len(ard) == 60 * 11
    assert ard["respondent"].is_monotonic_increasing
    victims = ard[ard["group"] == "victims"]["count"].to_numpy()
    np.testing.assert_array_equal(victims, np.maximum(responses["H0"], responses["H1"]))


def test_respondents_get_their_place_from_the_frame(clean, responses, frame):
    respondents = clean(responses)["respondents"]
    for name in ("stratum", "psu", "ssu", "city", "region"):
        assert respondents[name].tolist() == frame[name].head(60).tolist()
    assert respondents["urban"].tolist() == ["rural", "urban"] * 30
    assert set(respondents["island_group"]) == {"Luzon", "Visayas"}
    assert set(respondents["sex"]) == {"male", "female"}


def test_a_refused_age_is_kept_unless_the_rule_says_otherwise(clean, responses, settings):
    tables = clean(spoiled(responses))
    assert tables["respondents"].set_index("respondent")["age"].isna().sum() == 1
    settings["screening"][1]["missing"] = "exclude"
    assert clean(spoiled(responses))["respondents"]["age"].notna().all()


def test_situations_of_those_who_were_asked(clean, responses):
    responses.loc[0, ["R1", "R2"]] = [1.0, 2.0]
    responses.loc[1, ["R1", "R2"]] = [998.0, 996.0]
    responses.loc[2, ["R1", "R2"]] = [1.0, 997.0]
    situations = clean(responses)["situations"].set_index("respondent")
    asked = (responses["R1"] != 996).sum()
    assert len(situations) == asked
    assert situations.loc["r000"].tolist() == ["victims", "yes", "barangay"]
    assert situations.loc["r001"].tolist() == ["victims", "dont_know", ""]
    assert situations.loc["r002"].tolist() == ["victims", "yes", "refused"]


def test_situations_are_found_by_role_and_values(clean, responses, settings):
    named = clean(responses)["situations"]
    assert len(named)
    del settings["situations"]
    pd.testing.assert_frame_equal(clean(responses)["situations"], named)
    settings["situations"] = []
    assert clean(responses)["situations"].empty


def test_imputations_are_off_unless_named_and_then_on_record(clean, responses, settings):
    responses.loc[0, ["H0", "H1", "H2", "H3"]] = [0, 0, 2, 0]
    responses.loc[1, ["H0", "H1", "H2", "H3"]] = [2, 0, 0, 0]
    plain = clean(responses)
    assert len(plain["edits"]) == 0
    settings["imputations"] = [
        {"rule": "victims_from_perpetrators"},
        {"rule": "perpetrators_from_victims"},
    ]
    imputed = clean(responses)
    ard = imputed["ard"].set_index(["respondent", "group"])["count"]
    assert ard["r000", "victims"] == 4
    mine = np.arange(60) % 6 == 1
    assert ard["r001", "perpetrators"] == pytest.approx(responses.loc[mine, "S9"].mean())
    assert set(imputed["edits"]["rule"]) == {
        "victims_from_perpetrators",
        "perpetrators_from_victims",
    }
    # What was asked stays as it was: only the combined groups are imputed.
    items = imputed["ard"]["role"] == "hidden_item"
    pd.testing.assert_frame_equal(imputed["ard"][items], plain["ard"][items])


def test_the_order_of_rows_does_not_matter(clean, responses):
    dirty = spoiled(responses)
    first = clean(dirty)
    orders = [dirty.sample(frac=1, random_state=seed) for seed in range(3)]
    for shuffled in (dirty[::-1], *orders):
        second = clean(shuffled.reset_index(drop=True))
        for name, table in first.items():
            pd.testing.assert_frame_equal(table, second[name])


def test_cleaning_clean_answers_again_changes_nothing(clean, responses):
    tables = clean(spoiled(responses))
    kept = spoiled(responses).drop_duplicates("ID")
    kept = kept[kept["ID"].isin(tables["respondents"]["respondent"])]
    edits = tables["edits"].merge(
        pd.DataFrame({"variable": ["doctors", "teachers", "drivers"], "raw": ["K0", "K1", "K2"]})
    )
    kept = kept.set_index("ID")
    for row in edits.itertuples():
        kept.loc[row.respondent, row.raw] = np.nan
    again = clean(kept.reset_index())
    assert len(again["edits"]) == 0
    pd.testing.assert_frame_equal(
        again["ard"].drop(columns="missing"), tables["ard"].drop(columns="missing")
    )


@pytest.fixture
def case(codebook, settings, frame, responses):
    return SimpleNamespace(
        codebook=codebook, settings=settings, frame=frame, responses=spoiled(responses)
    )


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda case: case.settings["screening"].pop(2), "1 with an id used before"),
        (lambda case: case.settings.update(edits=[]), "lie outside the range"),
        (lambda case: case.settings["edits"].insert(0, {"rule": "out_of_rnge"}), "'out_of_range'"),
        (lambda case: case.settings["screening"].insert(0, {"rule": "consnt"}), "'consent'"),
        (lambda case: case.settings["screening"][0].update(keep=["Yes"]), "names an answer"),
        (
            lambda case: case.settings["screening"][1].update(minimum=200, missing="exclude"),
            "Screening leaves no interview",
        ),
        (lambda case: case.settings["screening"][1].update(variable="ages"), "Did you mean 'age'"),
        (
            lambda case: case.settings["combine"]["victims"].update(items=["victims_nonlife"]),
            "victims_nonlive",
        ),
        (
            lambda case: case.settings["combine"].update(
                doctors=case.settings["combine"]["victims"]
            ),
            "another id",
        ),
        (lambda case: case.settings["combine"]["victims"].update(rule="max"), "maximum"),
        (
            lambda case: case.settings.update(imputations=[{"rule": "victims"}]),
            "imputation is unknown",
        ),
        (
            lambda case: (
                setattr(case, "frame", case.frame.drop(columns="city")),
                case.settings.update(imputations=[{"rule": "perpetrators_from_victims"}]),
            ),
            "holds nothing",
        ),
        (
            lambda case: case.settings["situations"][0].update(reported="sex"),
            "other values than yes and no",
        ),
        (lambda case: case.settings["keys"].update(stratum="strata"), "clean.keys.stratum"),
        (
            lambda case: setattr(case, "frame", case.frame.drop(index=20)),
            "not in the sampling frame",
        ),
        (
            lambda case: setattr(case, "frame", pd.concat([case.frame, case.frame[:1]])),
            "1 repeated ids",
        ),
        (lambda case: case.responses.pop("K3"), "lack variables of the codebook"),
        (
            lambda case: case.responses.__setitem__(
                "ID", case.responses["ID"].replace("r030", None)
            ),
            "without an id",
        ),
    ],
)
def test_faults_are_told(case, spoil, expected):
    spoil(case)
    with pytest.raises(PipelineError) as caught:
        clean_responses(case.responses, case.codebook, case.settings, case.frame)
    assert expected in str(caught.value)


def test_frame_and_interviews_that_disagree(settings, frame, responses, codebook_text):
    from prevalence.codebook import parse_codebook

    text = codebook_text + "\nST,stratum,Stratum,categorical,design,,,,,1=NCR;2=VII,"
    codebook = parse_codebook(text.encode(), "codebook.csv")
    responses["ST"] = np.where(np.arange(60) % 2, 1.0, 2.0)
    clean_responses(responses, codebook, settings, frame)
    responses.loc[3, "ST"] = 2.0
    with pytest.raises(PipelineError, match="1 interviews"):
        clean_responses(responses, codebook, settings, frame)


def test_a_survey_without_a_frame(codebook, settings, responses):
    settings["derive"] = {}
    tables = clean_responses(responses, codebook, settings, None)
    assert (tables["respondents"]["stratum"] == "").all()
    assert tables["sample_flow"]["stage"].tolist()[0] == "interview"


def with_bins(text, raw, bins):
    """The codebook with one count asked in bins."""
    lines = [
        ",".join([*line.split(",")[:3], "categorical", *line.split(",")[4:6], f",,,{bins}", name])
        if line.startswith(f"{raw},") and (name := line.split(",")[-1])
        else line
        for line in text.split("\n")
    ]
    return "\n".join(lines)


def test_bins_and_top_codes_are_kept_as_intervals(codebook_text, responses, settings, frame):
    text = with_bins(codebook_text, "K1", "0=0;1=1;2=2-5;3=6-10:7;4=11+:15")
    text = with_bins(text, "H1", "0=0;1=1-2;2=3+:4")
    seventh = responses.index == 7
    raw = responses.assign(
        K0=responses["K0"].mask(responses.index == 3, 95.0),
        K1=np.arange(60) % 5.0,
        H1=np.where(seventh, 2.0, 0.0),
        H0=np.where(seventh, 3.0, 0.0),
    )
    tables = clean_responses(raw, parse_codebook(text.encode(), "codebook.csv"), settings, frame)
    ard = tables["ard"]
    teachers = ard.loc[ard["group"] == "teachers", "count"]
    assert set(teachers) == {0, 1, 3.5, 7, 15}
    found = tables["intervals"].set_index("group")
    bins = found.loc["teachers"].drop_duplicates(["lower", "upper"]).sort_values("lower")
    assert bins["lower"].tolist() == [2, 6, 11]
    assert bins["upper"].fillna(-1).tolist() == [5, 10, -1]
    told = ["respondent", "lower", "reason"]
    assert found.loc["doctors", told].tolist() == ["r003", 95, "top_code"]
    # Live 3 and more, not live 3: the larger of the two is 3 or more.
    assert found.loc["victims", ["respondent", "lower", "reason"]].tolist() == ["r007", 3, "bin"]
    assert np.isnan(found.loc["victims", "upper"])
    quality = tables["data_quality"].set_index("group")["heaped_share"]
    assert np.isnan(quality["teachers"])


def test_the_item_taken_alone_says_why_its_count_is_open(codebook_text, responses, settings, frame):
    """The first item is at its top code; the second, in bins, has no part in the report."""
    text = with_bins(codebook_text, "H1", "0=0;1=1-2;2=3+:4")
    text = text.replace(
        "victims_nonlive,numeric,hidden_item,997=refused;998=dont_know;996=not_asked,0,50,,",
        "victims_nonlive,numeric,hidden_item,,0,50,50,",
    )
    raw = responses.assign(H0=50.0, H1=1.0, R1=996.0)
    settings["combine"]["victims"]["rule"] = "single"
    tables = clean_responses(raw, parse_codebook(text.encode(), "codebook.csv"), settings, frame)
    found = tables["intervals"].set_index("group").loc["victims"]
    assert set(found["reason"]) == {"top_code"}
    assert set(found["lower"]) == {50}
