"""The composed source: sections whose inputs exist, words from the config, results for machines."""

import sys
from dataclasses import replace
from pathlib import Path

import jsonschema
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "report"))

from material_of import RWANDA, philippine_material, rwandan_material  # noqa: E402

from prevalence.errors import PipelineError  # noqa: E402
from prevalence.files import read_yaml  # noqa: E402
from prevalence.report.compose import composed  # noqa: E402
from prevalence.report.resolve import resolved  # noqa: E402
from prevalence.report.results import results  # noqa: E402
from prevalence.report.story import metadata, variables  # noqa: E402
from prevalence.report.variables import flattened  # noqa: E402

SOURCE = {
    path.relative_to(ROOT / "reports").as_posix(): path.read_text()
    for pattern in ("*.qmd", "sections/*.qmd", "*.bib", "checklist.yml")
    for path in (ROOT / "reports").glob(pattern)
}
PROJECT = read_yaml(ROOT / "reports" / "_quarto.yml")
PHILIPPINE = [
    "notice",
    "headline",
    "group-victims",
    "group-perpetrators",
    "ratio-victims-per-perpetrator",
    "where",
    "reporting",
    "survivors",
    "recommendations",
    "operations",
    "published",
    "validation",
    "method",
    "certainty",
    "limits",
    "planning",
    "terminology",
    "help",
    "ethics",
    "appendix",
    "checklist",
    "further",
    "provenance",
    "translations",
]
RWANDAN = ["notice", "headline", "group-sex-workers", "group-clients", "method", "certainty"]
RWANDAN += ["limits", "terminology", "ethics", "appendix", "checklist", "provenance"]


def sections(material):
    return composed(material, SOURCE, PROJECT)["sections.md"].split("/sections/")[1:]


def names(material):
    return [text.split(".qmd")[0] for text in sections(material)]


def test_the_order_is_that_of_the_published_findings():
    assert names(philippine_material()) == PHILIPPINE


def test_sections_without_input_are_left_out():
    left = names(rwandan_material())
    assert left == RWANDAN


FULL = philippine_material()


@pytest.mark.parametrize("absent", sorted(set(FULL.tables) - {"scale_up"}))
def test_each_optional_table_can_be_empty(absent):
    """A run always has the file; what a survey has no input for is a table without rows."""
    empty = {name: frame[:0] if name == absent else frame for name, frame in FULL.tables.items()}
    composed(replace(FULL, tables=empty), SOURCE, PROJECT)


def test_figures_can_be_absent():
    composed(replace(FULL, figures={}), SOURCE, PROJECT)


@pytest.mark.parametrize("absent", ["reference", "translations", "policy", "labels"])
def test_what_comes_from_outside_of_the_run_can_be_absent(absent):
    composed(replace(FULL, **{absent: {}}), SOURCE, PROJECT)


@pytest.mark.parametrize("half", [0, 1])
def test_half_of_the_optional_inputs_can_be_absent(half):
    kept = ["scale_up", *sorted(set(FULL.tables) - {"scale_up"})[half::2]]
    tables = {name: FULL.tables[name] for name in kept}
    figures = {name: FULL.figures[name] for name in sorted(FULL.figures)[half::2]}
    words = {"language", "period", "groups"}
    words |= set(sorted(set(FULL.report) - words)[half::2])
    report = {name: FULL.report[name] for name in FULL.report if name in words}
    published = FULL.published if half else None
    material = replace(FULL, tables=tables, figures=figures, report=report, published=published)
    files = composed(material, SOURCE, PROJECT)
    told = flattened(variables(material))
    text = resolved(files, "summary.qmd", told, metadata(material), "html")
    blocks = [block.strip() for block in text.split("\n\n") if block.strip(" \n:")]
    levels = [len(block) - len(block.lstrip("#")) for block in blocks]
    for block, level, below in zip(blocks, levels, [*levels[1:], 1], strict=True):
        assert level == 0 or below == 0 or below > level, f"nothing stands below {block}"
    for block in blocks:
        assert not block.startswith("|") or block.count("\n") > 1, f"no rows in {block}"


def test_composing_again_gives_the_same_text():
    once, again = (composed(philippine_material(), SOURCE, PROJECT) for _ in range(2))
    assert once == again


def test_a_misspelt_variable_is_told_with_its_line_before_anything_is_rendered():
    source = SOURCE | {"sections/limits.qmd": "# Limits {#sec-limits}\n\n{{< var no.such >}}\n"}
    with pytest.raises(PipelineError, match="variable of the report is missing") as error:
        composed(philippine_material(), source, PROJECT)
    assert error.value.file == "sections/limits.qmd"
    assert error.value.place == "line 3"


def test_a_line_number_survives_blocks_that_are_left_out():
    text = '# L {#sec-limits}\n::: {.content-visible when-meta="has.never"}\nx\n:::\n@sec-none\n'
    with pytest.raises(PipelineError, match="leads nowhere") as error:
        composed(rwandan_material(), SOURCE | {"sections/limits.qmd": text}, PROJECT)
    assert error.value.place == "line 5"


def test_a_hidden_group_without_words_is_an_error():
    report = RWANDA["report"] | {"groups": {"clients": RWANDA["report"]["groups"]["clients"]}}
    with pytest.raises(PipelineError, match="no words for a hidden group") as error:
        composed(rwandan_material(report=report), SOURCE, PROJECT)
    assert "sex_workers" in str(error.value)


def test_source_texts_hold_no_number_of_a_result():
    for path, text in SOURCE.items():
        if path.endswith(".qmd"):
            prose = [line for line in text.splitlines() if "{{<" not in line and "$" not in line]
            digits = [line for line in prose if any(letter.isdigit() for letter in line)]
            kept = [line for line in digits if "[@" not in line and not line.startswith("[@")]
            assert [line for line in kept if "20" not in line] == [], path


def test_no_line_begins_with_a_reference_in_brackets():
    """Pandoc would take it for an item of a numbered list."""
    for path, text in SOURCE.items():
        assert [line for line in text.splitlines() if line.lstrip().startswith("(@")] == [], path


@pytest.mark.parametrize("material", [philippine_material(), rwandan_material()])
def test_results_follow_their_schema(material):
    made = results(material)
    jsonschema.Draft202012Validator(
        read_yaml(ROOT / "workflow" / "schemas" / "results.yaml")
    ).validate(made)
    assert made["run"]["identity"] == "0123456789ab"
    assert made["survey"]["synthetic"] == material.synthetic


def test_results_hold_no_number_of_a_suppressed_cell():
    withheld = [row for row in results(philippine_material())["estimates"] if row["suppressed"]]
    assert len(withheld) == 16
    assert {row[name] for row in withheld for name in ("estimate", "lower", "n")} == {None}


def test_configs_follow_their_schemas():
    from prevalence.config import check_config

    schemas = ROOT / "workflow" / "schemas"
    for path in sorted((ROOT / "config" / "surveys").glob("*.yaml")):
        config = read_yaml(path)
        for section in ("survey", "report"):
            schema = read_yaml(schemas / "survey" / f"{section}.yaml")
            check_config(config[section], schema, str(path))
    findings = read_yaml(ROOT / "config" / "published_findings.yaml")
    check_config(findings, read_yaml(schemas / "published_findings.yaml"), "published_findings")


def test_an_estimate_that_is_an_interval_only_is_worded_as_one():
    material = rwandan_material()
    frame = material.tables["scale_up"].assign(precision="interval_only")
    text = composed(rwandan_material(tables={"scale_up": frame}), SOURCE, PROJECT)
    assert "The survey gives a range only:" in text["_variables.yml"]
    assert "34,107" not in text["_variables.yml"] + text["partials/tbl-headline.md"]


def test_models_stand_adjusted_beside_the_adjusted_headline():
    from prevalence.report.exhibits import partials
    from prevalence.report.story import variables

    text = partials(FULL)["tbl-adjustment-models"]
    lines = [line for line in text.splitlines() if "Overdispersed" in line]
    assert len(lines) == 2
    assert all("489,000" in line and "803,000" in line for line in lines)
    assert "(headline)" in text and "520,000" in text
    said = variables(FULL)["models_adjusted"]["sentence"]
    assert "Children: the models’ median is 803,000 persons, the headline’s is 520,000" in said
    table = FULL.tables["adjustment_models"]
    failed = replace(
        FULL, tables=FULL.tables | {"adjustment_models": table.assign(converged=False)}
    )
    assert "models_adjusted" not in variables(failed)
    assert "Overdispersed model (not converged)" in partials(failed)["tbl-adjustment-models"]


def test_areas_are_told_as_a_distribution_unless_withheld():
    from prevalence.report.story import variables

    said = variables(FULL)["areas"]["sentence"]
    assert "the middle half of 275 areas lies between rates of 0.90 and 1.60" in said
    assert "the middle 80% between 0.70 and 2.10 per 1,000 adults." in said
    table = FULL.tables["area_distribution"].assign(value=float("nan"), suppressed="primary")
    withheld = replace(FULL, tables=FULL.tables | {"area_distribution": table})
    assert "areas" not in variables(withheld)


def islands(rows):
    """The row of the published table on where it happens, from rates of three island groups."""
    material = philippine_material()
    table = material.tables["scale_up"]
    here = (table["domain_type"] == "island_group") & (table["group"] == "victims")
    here &= (table["unit"] == "per_100") & (table["headline"])
    for (_, row), values in zip(table[here].iterrows(), rows, strict=True):
        table.loc[row.name, ["estimate", "lower", "upper"]] = values
    changed = philippine_material(tables=material.tables | {"scale_up": table})
    text = composed(changed, SOURCE, PROJECT)["partials/tbl-published.md"]
    return next(line for line in text.splitlines() if "across Luzon" in line)


def test_a_log_interval_above_zero_is_not_held_up_as_a_finding():
    """It lies above zero wherever anybody reports; how low it reaches is told instead."""
    line = islands([(1.4, 1.2, 1.7), (0.9, 0.66, 1.4), (0.9, 0.71, 1.2)])
    assert "above zero" not in line
    assert "reported in all 3 island groups; the lowest lower limit is 0.66 per 100" in line
    line = islands([(1.4, 1.2, 1.7), (0.0, 0.0, 0.4), (0.9, 0.71, 1.2)])
    assert "reported in 2 of 3 island groups; the lowest lower limit is 0.71 per 100" in line


def test_a_claim_that_is_not_in_the_release_has_its_own_source():
    files = composed(philippine_material(), SOURCE, PROJECT)
    told = "Two victims per trafficker” is from the University of Nottingham"
    assert told in files["partials/tbl-published.md"].replace("\\'", "'")
    text = next(text for path, text in files.items() if "ratio-victims" in path)
    paragraph = text[text.index("*As published.*") :]
    assert "@scaleofharm2023" not in paragraph
    assert "published_in" in paragraph


def test_a_withheld_point_is_not_said_to_lie_outside_of_the_range():
    material = philippine_material()
    table = material.tables["scale_up"]
    nation = (table["domain_type"] == "national") & (table["group"] == "victims")
    nation &= (table["unit"] == "persons") & table["headline"]
    table.loc[nation, ["estimate", "precision"]] = [float("nan"), "interval_only"]
    text = composed(material, SOURCE, PROJECT)["partials/tbl-published.md"]
    line = next(line for line in text.splitlines() if "half a million" in line)
    assert "interval only" in line
    assert "outside" not in line


def test_the_break_even_value_of_a_ratio_is_said_to_be_a_quotient():
    material = philippine_material()
    table = material.tables["sensitivity"]
    ratio = table[table["analysis"] == "break_even"].head(1)
    ratio = ratio.assign(group="victims_per_perpetrator", unit="ratio", finding="ratio", value=1.5)
    for tables, told in ((table, False), (pd.concat([table, ratio]), True)):
        changed = philippine_material(tables=material.tables | {"sensitivity": tables})
        text = composed(changed, SOURCE, PROJECT)["partials/tbl-break-even.md"]
        assert ("over that of the group below it" in text) == told


def test_the_check_of_the_planning_formula_is_told_as_it_was_found():
    told = flattened(variables(FULL))["planning.checked"]
    assert told == (
        "In simulations of 3 designs, 400 surveys each, changes of which the formula says that "
        "they are found with a probability of 80% were found in 77% to 81% of the pairs of surveys."
    )
    without = replace(FULL, reference={})
    assert "planning.checked" not in flattened(variables(without))
    assert not metadata(without)["has"]["planning_study"]
