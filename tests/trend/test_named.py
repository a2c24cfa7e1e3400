"""Which earlier waves a survey may name."""

import pytest

from prevalence.errors import PipelineError
from prevalence.waves.named import named_waves

YEARS = {"first": 2022, "second": 2024, "third": 2026}
FILES = {name: f"config/surveys/{name}.yaml" for name in YEARS}


def named(*waves):
    section = [{"survey": name, "psus": psus} for name, psus in waves]
    return named_waves("second", section, FILES, YEARS.__getitem__)


def test_waves_are_read_in_their_order():
    assert named() == {}
    assert named(("first", "shared")) == {"first": "shared"}
    same_year = named_waves(
        "second", [{"survey": "first", "psus": "shared"}], FILES, lambda _: 2024
    )
    assert same_year == {"first": "shared"}


@pytest.mark.parametrize(
    ("waves", "problem"),
    [
        ([("frist", "shared")], "no config file"),
        ([("second", "shared")], "with itself"),
        ([("third", "shared")], "of a later year"),
        ([("first", "shared"), ("first", "independent")], "stands twice"),
    ],
)
def test_a_wave_that_cannot_be_compared_is_told(waves, problem):
    with pytest.raises(PipelineError, match=problem) as error:
        named(*waves)
    assert error.value.file == FILES["second"]
    assert error.value.remedy
