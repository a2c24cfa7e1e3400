"""Identical, equal within the tolerance, or different, with where, by how much and why."""

import pytest
from toy_runs import DRAWN, GRAPH, PAGE, PICTURE, RELEASED, RESTRICTED, SOURCES, estimates, manifest

from prevalence.audit.comparison import (
    changes,
    compared,
    counts,
    reproduced,
    verdict,
)

ELSEWHERE = {"platform": "Darwin arm64", "numpy": "2.3"}


def status(outcomes):
    return {outcome.path: outcome.status for outcome in outcomes}


def found(outcomes, path):
    return next(outcome for outcome in outcomes if outcome.path == path)


def test_a_run_is_identical_with_itself():
    outcomes = compared(manifest(), manifest(), GRAPH)
    assert set(status(outcomes).values()) == {"identical"}
    assert reproduced(outcomes)
    assert verdict(outcomes, 1e-9).startswith("reproduced: 5 outputs: 5 identical, 0 equal")


def test_no_outputs_are_no_reproduction():
    assert not reproduced([])


def test_numbers_within_the_tolerance_are_equal_and_said_to_be():
    after = manifest(released=estimates(row3=1000.0 * 1.7**3 * (1 + 1e-12)))
    outcomes = compared(manifest(), after, GRAPH)
    assert status(outcomes)[RELEASED] == "equal"
    assert "within 1e-09" in found(outcomes, RELEASED).detail
    assert reproduced(outcomes)


@pytest.mark.parametrize("factor", [1 + 1e-6, 1.01, -1.0, 0.0])
def test_one_cell_beyond_it_is_different_with_column_and_row(factor):
    after = manifest(released=estimates(row0=1000.0 * factor))
    outcome = found(compared(manifest(), after, GRAPH), RELEASED)
    assert outcome.status == "different"
    assert outcome.detail.startswith("estimate: ")
    assert "1 of 8 rows (1)" in outcome.detail


def test_how_much_a_column_moved_is_said():
    after = manifest(released=estimates(row7=50000.0))
    detail = found(compared(manifest(), after, GRAPH), RELEASED).detail
    assert "most 41033.8673 → 50000" in detail


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("data/raw/toy/toy.sav", b"answerz"),
        ("src/prevalence/ratio.py", b"def ratio(): return 1\n"),
    ],
    ids=["a digit of a raw cell", "a line of an estimator"],
)
@pytest.mark.parametrize("made_with", [None, ELSEWHERE], ids=["here", "elsewhere"])
def test_a_difference_is_led_back_to_the_file_that_changed(path, content, made_with):
    changed = manifest(
        sources={path: content},
        restricted=estimates(row1=2.0),
        released=estimates(row1=1.0),
        made_with=made_with,
    )
    outcomes = compared(manifest(), changed, GRAPH)
    for output in (RESTRICTED, RELEASED):
        assert found(outcomes, output).status == "different"
        assert found(outcomes, output).reasons == (path,)
    assert status(outcomes)[PAGE] == "identical"
    assert not reproduced(outcomes)
    assert "NOT reproduced" in verdict(outcomes, 1e-9)


def test_a_word_in_the_report_explains_the_page_and_nothing_else():
    changed = manifest(
        sources={"reports/sections/headline.qmd": b"Another sentence.\n"},
        page=b"<p>Some 430,000 children. Run 0123456789ab</p>",
    )
    outcomes = compared(manifest(), changed, GRAPH)
    outcome = found(outcomes, PAGE)
    assert outcome.reasons == ("reports/sections/headline.qmd",)
    assert "numbers are the same" in outcome.detail
    assert counts(outcomes)["different"] == 1


def test_a_config_value_explains_only_what_takes_it():
    changed = manifest(
        config={"estimate": {"level": 0.9}, "report": {"title": "A"}},
        released=estimates(row2=1.0),
        page=b"<p>other</p>",
    )
    outcomes = compared(manifest(), changed, GRAPH)
    assert found(outcomes, RELEASED).reasons == ("estimate.level 0.95 → 0.9",)
    title = manifest(
        config={"estimate": {"level": 0.95}, "report": {"title": "B"}}, page=b"<p>other</p>"
    )
    assert found(compared(manifest(), title, GRAPH), PAGE).reasons == ("report.title A → B",)


def test_software_is_the_reason_where_nothing_else_changed():
    changed = manifest(made_with=ELSEWHERE, released=estimates(row2=1.0))
    reasons = found(compared(manifest(), changed, GRAPH), RELEASED).reasons
    assert "numpy 2.2 → 2.3" in reasons


def test_missing_and_extra_outputs_fail():
    fewer = manifest()
    fewer = type(fewer)(
        **{**vars(fewer), "outputs": {k: v for k, v in fewer.outputs.items() if k != PAGE}}
    )
    assert status(compared(manifest(), fewer, GRAPH))[PAGE] == "missing"
    assert status(compared(fewer, manifest(), GRAPH))[PAGE] == "extra"
    assert not reproduced(compared(manifest(), fewer, GRAPH))


def test_a_page_with_the_same_words_is_equal_on_another_platform_alone():
    page = b"<html><body><p>An estimated  430,000 children. Run 0123456789ab</p></body></html>"
    assert status(compared(manifest(), manifest(page=page), GRAPH))[PAGE] == "different"
    there = manifest(page=page, made_with=ELSEWHERE)
    assert status(compared(manifest(), there, GRAPH))[PAGE] == "equal"
    renderer = manifest(page=page, renderer="quarto 1.8")
    outcome = found(compared(manifest(), renderer, GRAPH), PAGE)
    assert (outcome.status, outcome.detail) == ("equal", "same words and numbers, other bytes")


def test_a_picture_drawn_elsewhere_from_the_same_data_is_equal():
    there = manifest(picture=b"<svg a='1'/>", made_with=ELSEWHERE)
    assert status(compared(manifest(), there, GRAPH))[PICTURE] == "equal"
    here = manifest(picture=b"<svg a='1'/>")
    assert status(compared(manifest(), here, GRAPH))[PICTURE] == "different"
    other = manifest(picture=b"<svg a='1'/>", drawn=estimates(row1=7.0), made_with=ELSEWHERE)
    assert status(compared(manifest(), other, GRAPH))[PICTURE] == "different"
    assert status(compared(manifest(), other, GRAPH))[DRAWN] == "different"


def test_restricted_values_are_neither_kept_nor_told():
    changed = manifest(restricted=estimates(row1=123456.0))
    outcome = found(compared(manifest(), changed, GRAPH), RESTRICTED)
    assert outcome.status == "different"
    assert "123456" not in str(changed.plain()["contents"][changed.outputs[RESTRICTED]])
    assert "123456" not in outcome.detail
    there = manifest(restricted=estimates(row1=123456.0), made_with=ELSEWHERE)
    assert status(compared(manifest(), there, GRAPH))[RESTRICTED] == "not compared"


def test_what_went_in_is_compared_by_file_and_key():
    after = manifest(
        sources={"data/raw/toy/toy.sav": b"corrected", "src/prevalence/new.py": b""},
        config={"estimate": {"level": 0.9}},
    )
    told = changes(manifest(), after)
    assert told.files == {"data/raw/toy/toy.sav": "changed", "src/prevalence/new.py": "added"}
    assert told.config["survey:estimate.level"] == (0.95, 0.9)
    assert told.config["survey:report.title"] == ("A", None)
    assert not changes(manifest(), manifest())
    assert set(SOURCES) <= set(after.inputs)
