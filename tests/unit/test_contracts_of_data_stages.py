"""Contracts and schemas of ingest and clean: each column and key is described."""

from pathlib import Path

import jsonschema
import pandas as pd
import pytest
import yaml

from prevalence.config import check_config
from prevalence.contracts import check_table
from prevalence.contracts.dictionary import contracts_of
from prevalence.contracts.weight import REPLICATES
from prevalence.edits import EDIT_RULES
from prevalence.errors import PipelineError
from prevalence.screening import SCREENING_RULES

ROOT = Path(__file__).parents[2]
SCHEMAS = {
    name: yaml.safe_load((ROOT / f"workflow/schemas/survey/{name}.yaml").read_text())
    for name in ("ingest", "clean")
}
SURVEYS = sorted((ROOT / "config" / "surveys").glob("*.yaml"))


@pytest.mark.parametrize("stage", ["ingest", "clean"])
def test_every_column_is_described(stage):
    contracts = contracts_of(stage)
    assert contracts
    for name, contract in contracts.items():
        assert contract.description, name
        for column, spec in contract.columns.items():
            assert spec.description, (name, column)


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schema_is_valid_and_closed(name):
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["additionalProperties"] is False


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("survey", SURVEYS, ids=lambda path: path.stem)
def test_the_shipped_surveys_keep_to_it(name, survey):
    section = yaml.safe_load(survey.read_text())[name]
    check_config(section, SCHEMAS[name], survey.name)


def test_the_schema_names_the_rules_that_exist():
    properties = SCHEMAS["clean"]["properties"]
    assert set(properties["screening"]["items"]["properties"]["rule"]["enum"]) == set(
        SCREENING_RULES
    )
    assert set(properties["edits"]["items"]["properties"]["rule"]["enum"]) == set(EDIT_RULES)


CLEAN = {"keys": {"respondent": "respondent"}, "screening": [{"rule": "duplicate_id"}]}
INGEST = {
    "responses": "export.sav",
    "codebook": "config/codebooks/x.csv",
    "pseudonym_key": {"env": "KEY"},
}


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("clean", {"screening": [{"rule": "duplicate_ids"}]}, "duplicate_id"),
        ("clean", {"screening": [{"rule": "consent"}]}, "keep"),
        ("clean", {"screening": [{"rule": "consent", "keep": [True]}]}, "string"),
        ("clean", {"screening": [{"rule": "too_short", "minimum_share_of_median": 33}]}, "1"),
        ("clean", {"edits": [{"rule": "out_of_range", "codes": [9]}]}, "codes"),
        ("clean", {"combine": {"victims": {"items": ["a"], "rule": "max"}}}, "maximum"),
        ("clean", {"screning": []}, "Did you mean 'screening'"),
        ("ingest", {"responses": "../export.sav"}, "pattern"),
        ("ingest", {"responses": "/etc/passwd"}, "pattern"),
        ("ingest", {"responses": "export.rds"}, "pattern"),
        ("ingest", {"codebook": "config/codebooks/../../x.csv"}, "pattern"),
        ("ingest", {"tables": {"frame": "sub/frame.csv"}}, "pattern"),
        ("ingest", {"tables": {"frames": "frame.csv"}}, "Did you mean 'frame'"),
        ("ingest", {"pseudonym_key": {"env": "not a name"}}, "pattern"),
        ("ingest", {"pseudonym_key": "short"}, "minLength"),
        (
            "ingest",
            {"accepted_identifiers": [{"variable": "A", "kind": "name", "reason": "ok"}]},
            "minLength",
        ),
    ],
)
def test_a_bad_value_is_refused_with_its_key(name, change, expected):
    base = {"clean": CLEAN, "ingest": INGEST}[name]
    check_config(base, SCHEMAS[name], "survey.yaml")
    with pytest.raises(PipelineError) as caught:
        check_config(base | change, SCHEMAS[name], "survey.yaml")
    assert expected in str(caught.value)


def wide(count):
    numbers = {f"r{k:04d}": [1, 2] for k in range(count)}
    return pd.DataFrame({"stratum": ["a", "a"], "psu": ["1", "2"], **numbers})


@pytest.mark.parametrize("count", [3, 60])
def test_many_columns_of_one_pattern_are_checked_as_few_are(count):
    table = wide(count)
    pd.testing.assert_frame_equal(check_table(table, REPLICATES, "t"), REPLICATES.validate(table))
    table[f"r{count - 1:04d}"] = [1, -1]
    with pytest.raises(PipelineError, match=r"1 row is below 0"):
        check_table(table, REPLICATES, "t")
    with pytest.raises(PipelineError, match="2 rows with the same stratum, psu"):
        check_table(wide(count).assign(psu="1"), REPLICATES, "t")
    with pytest.raises(PipelineError, match="unknown column strange"):
        check_table(wide(count).assign(strange=1), REPLICATES, "t")
