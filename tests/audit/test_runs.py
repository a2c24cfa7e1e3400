"""Two runs compared by exhibit, for the editor who regenerates after a correction."""

import json

import pandas as pd
from toy_runs import DRAWN, GRAPH, RELEASED, estimates, manifest

from prevalence.audit.contents import read_table
from prevalence.audit.runs import Run, cell_changes, changelog_line, difference, markdown

TABLE = {"row1": 2000.0}


def runs(**changed):
    content = estimates(**TABLE)
    new = manifest(released=content, drawn=content, **changed)
    new = type(new)(**{**vars(new), "numbers": {"groups.victims.count": "440,000"}})
    tables = {path: read_table(path, estimates()) for path in (RELEASED, DRAWN)}
    later = {path: read_table(path, content) for path in (RELEASED, DRAWN)}
    correction = {"date": "2023-10-01", "file": "toy.sav", "reason": "A typing error."}
    return Run(manifest(), tables), Run(new, later, [correction])


def test_one_run_has_no_difference():
    found = difference(Run(manifest()), Run(manifest()), GRAPH)
    assert (found.exhibits, found.numbers, found.unchanged) == ([], [], 2)
    text = markdown(found, manifest(), manifest())
    assert "Nothing changed." in text
    assert "no headline number changed; 0 of 2 exhibits changed" in text


def test_exhibits_are_told_by_cell_with_the_reason():
    old, new = runs(sources={"data/raw/toy/toy.sav": b"corrected"})
    found = difference(old, new, GRAPH)
    assert {label for label, _, _ in found.exhibits} == {"fig-headline", "tbl-headline"}
    _, what, why = found.exhibits[0]
    assert what == "estimate victims region 1 1,700 → 2,000 (+18%)"
    assert why == "data/raw/toy/toy.sav"
    assert found.numbers == [("groups.victims.count", "430,000", "440,000")]


def test_the_changelog_line_gives_the_reason_of_the_correction():
    old, new = runs(sources={"data/raw/toy/toy.sav": b"corrected"})
    text = changelog_line(difference(old, new, GRAPH), new.manifest)
    assert text.startswith("- toy: toy.sav: A typing error. groups")
    assert "groups.victims.count 430,000 → 440,000" in text
    assert "2 of 2 exhibits changed" in text
    assert "\n" not in text


def test_without_tables_at_hand_columns_are_told():
    old, new = runs(sources={"src/prevalence/ratio.py": b"other"})
    found = difference(Run(old.manifest), Run(new.manifest), GRAPH)
    assert found.exhibits[0][1].startswith("estimate: sum ")
    assert "code (ratio.py)" in changelog_line(found, new.manifest)


def test_config_and_software_are_told():
    old, new = runs(config={"estimate": {"level": 0.9}}, made_with={"numpy": "3"})
    text = markdown(difference(old, new, GRAPH), old.manifest, new.manifest)
    assert "- value: `survey:estimate.level` 0.95 → 0.9" in text
    assert "- software: numpy 2.2 → 3" in text


def test_a_changed_list_of_words_is_told_without_its_words():
    old, new = manifest(), manifest(words="another word")
    found = difference(Run(old), Run(new), GRAPH)
    text = markdown(found, old, new)
    assert "- config: changed `config/terminology.yaml`" in text
    assert "config (config/terminology.yaml)" in changelog_line(found, new)
    assert "another" not in text + json.dumps(new.plain())


def test_withheld_and_new_rows_are_told():
    before = pd.DataFrame({"group": ["a", "b"], "estimate": [1.0, 5.0]})
    after = pd.DataFrame({"group": ["a", "c"], "estimate": [None, 5.0]})
    assert cell_changes(before, after) == "estimate a 1 → withheld; 1 rows gone; 1 rows new"
    assert cell_changes(before, None) == ""
    assert cell_changes(before, before) == ""


def test_an_exhibit_that_came_or_went_is_told():
    old, new = runs()
    fewer = type(new.manifest)(**{**vars(new.manifest), "exhibits": {"fig-headline": DRAWN}})
    found = difference(old, Run(fewer, new.tables), GRAPH)
    assert ("tbl-headline", "gone", "") in found.exhibits


def test_an_exhibit_whose_data_are_an_input_follows_the_input():
    terms = {"tbl-terms": "config/surveys/toy.yaml"}
    old = manifest()
    old = type(old)(**{**vars(old), "exhibits": terms})
    new = manifest(sources={"config/surveys/toy.yaml": b"weight: 2\n"})
    new = type(new)(**{**vars(new), "exhibits": terms})
    assert difference(Run(old), Run(old), GRAPH).exhibits == []
    ((label, what, _),) = difference(Run(old), Run(new), GRAPH).exhibits
    assert (label, what) == ("tbl-terms", "config/surveys/toy.yaml changed")
