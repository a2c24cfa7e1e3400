from prevalence.estimands import NATIONAL_MIX, NOT_STATED, estimand_sheet

COMBINE = {"victims": {"items": ["victims_nonlive", "victims_live"], "rule": "maximum"}}


def sheet_of(configured, estimate=None, headline=None, **options):
    sheet = estimand_sheet(
        configured["estimate"] | (estimate or {}),
        configured["headline"] | (headline or {}),
        **({"combine": COMBINE} | options),
    )
    return sheet.set_index(["group", "element"])


def test_what_the_config_does_not_say_is_not_made_up(configured):
    sheet = sheet_of(configured)
    assert sheet.loc[("victims", "person"), "text"] == NOT_STATED
    assert sheet.loc[("victims", "denominator"), "text"] == "children aged 0–17"
    assert sheet.loc[("headline", "mix"), "text"] == NATIONAL_MIX
    assert not sheet["deviation"].any()


def test_each_departure_from_the_headline_is_marked(configured):
    summed = {"victims": COMBINE["victims"] | {"rule": "sum"}}
    sheet = sheet_of(configured, combine=summed, imputations=[{"rule": "four_victims"}])
    assert sheet.loc[("victims", "combination"), "deviation"]
    assert sheet.loc[("headline", "imputation"), "deviation"]
    degree = configured["estimate"]["degree"] | {"missing": "zero"}
    assert sheet_of(configured, {"degree": degree}).loc[
        ("headline", "missing_answers"), "deviation"
    ]
    hidden = {
        "victims": configured["estimate"]["hidden_groups"]["victims"]
        | {"known_groups": ["doctors", "nurses"]}
    }
    sheet = sheet_of(configured, {"hidden_groups": hidden})
    assert sheet.loc[("victims", "known_groups"), "deviation"]


def test_the_hash_changes_with_any_choice(configured):
    before = sheet_of(configured).loc[("headline", "hash"), "text"]
    assert before == sheet_of(configured).loc[("headline", "hash"), "text"]
    for change in ({"interval": "t"}, {"top_codes": {"known": 41, "hidden": 20}}):
        assert sheet_of(configured, headline=change).loc[("headline", "hash"), "text"] != before


def test_a_choice_that_differs_from_its_record_is_marked(configured):
    """Top codes that were changed after the results stood as fixed: nothing was compared."""
    record = configured["headline"]
    kept = sheet_of(configured, record=record)
    assert not kept["deviation"].any()
    assert kept.loc[("headline", "estimator"), "fixed"] == record["estimator"]
    changed = sheet_of(
        configured, headline={"top_codes": {"known": 30, "hidden": 5}}, record=record
    )
    assert list(changed.index[changed["deviation"]]) == [("headline", "top_codes")]
    assert sheet_of(configured)["fixed"].eq("").all()
    dropped = {name: value for name, value in record.items() if name != "variance"}
    assert sheet_of(configured, record=dropped).loc[("headline", "variance"), "deviation"]
