"""`make freeze` puts the headline's choices on record, once."""

import contextlib
import importlib.util
import shutil
from pathlib import Path

import pytest

from prevalence.errors import PipelineError
from prevalence.files import read_yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture
def freeze(tmp_path):
    path = ROOT / "scripts" / "audit" / "freeze_headline.py"
    spec = importlib.util.spec_from_file_location("freeze", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    shutil.copytree(ROOT / "tests/surveys/tiny/config/surveys", tmp_path / "config/surveys")
    shutil.copytree(ROOT / "workflow/schemas", tmp_path / "workflow/schemas")
    with contextlib.chdir(tmp_path):
        yield module.freeze


def test_the_record_is_the_headline_and_is_never_written_over(freeze):
    record = freeze("tiny")
    config = Path("config/surveys/tiny.yaml")
    assert read_yaml(record) == read_yaml(config)["headline"]
    before = record.read_bytes()
    config.write_text(config.read_text().replace("hidden: 30", "hidden: 5"))
    with pytest.raises(PipelineError, match="on record already"):
        freeze("tiny")
    assert record.read_bytes() == before


@pytest.mark.parametrize("survey", ["ph2022", "ph2024", "rwanda2011"])
def test_the_shipped_surveys_keep_to_their_records(survey):
    record = read_yaml(ROOT / f"config/prespecified/{survey}.yaml")
    assert read_yaml(ROOT / f"config/surveys/{survey}.yaml")["headline"] == record
