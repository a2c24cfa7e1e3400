"""Same inputs, same bytes, whatever the number of cores.

The fast proof of it is test_isolation.py: each job again, one after the other, each alone.
"""

import shutil
from pathlib import Path

import pytest
from same_bytes import differing

from prevalence.computing import instructions_here, portable_settings

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_one_core_and_two_give_the_same_bytes(finished, fresh):
    fresh.run(cores=1)
    assert len(fresh.outputs()) > 50
    assert differing(finished.outputs(), fresh.outputs()) == []


@pytest.mark.skipif(
    "OPENBLAS_CORETYPE" not in portable_settings(instructions_here()),
    reason="another kind of processor: the last digits of side files may differ",
)
def test_the_shipped_synthetic_export_is_what_its_config_gives(fresh):
    shutil.copytree(ROOT / "data/raw/psa", fresh / "data/raw/psa", dirs_exist_ok=True)
    shutil.copy(ROOT / "config/surveys/ph2022.yaml", fresh / "config/surveys")
    fresh.run("data/processed/synthetic/ph2022/truth.json")
    made = sorted((fresh / "data/processed/synthetic/ph2022").iterdir())
    assert len(made) > 8
    for path in made:
        assert path.read_bytes() == (ROOT / "data/raw/ph2022" / path.name).read_bytes(), path.name
