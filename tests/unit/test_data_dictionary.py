from pathlib import Path

import pytest

from prevalence.contracts.dictionary import STAGES, contracts_of, data_dictionary

ROOT = Path(__file__).parents[2]


def test_the_dictionary_is_fresh():
    written = (ROOT / "docs" / "data-dictionary.md").read_text()
    assert written == data_dictionary(), "run `make docs`"


@pytest.mark.parametrize("stage", STAGES)
def test_every_column_says_what_it_holds(stage):
    for name, contract in contracts_of(stage).items():
        for column, spec in contract.columns.items():
            assert spec.description, f"{name}.{column}"
