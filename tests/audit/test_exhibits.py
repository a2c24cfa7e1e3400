"""The exhibit map names the function that is meant, where two modules have one of the same name."""

import re
from pathlib import Path

import pytest

from prevalence.audit.exhibits import Functions

ROOT = Path(__file__).parents[2]
TWO = {
    "report/other.py": "def _run(size):\n    return material.rows('weighting')\n",
    "report/story.py": (
        "def _run(material):\n    return material.rows('degree_summary')\n\n"
        "def variables(material):\n    return {'run': _run(material)}\n"
    ),
}


def test_a_number_is_led_to_the_function_that_its_own_module_calls():
    functions = Functions({f"src/prevalence/{path}": text for path, text in TWO.items()})
    name, file = functions.branch("run")
    assert functions.place(name, file) == "src/prevalence/report/story.py:1"
    assert functions.tables(name, file) == {"degree_summary"}


@pytest.mark.parametrize("key", ["run", "headline", "groups", "degree", "sample", "words"])
def test_the_reports_own_variables_are_written_where_the_map_says(key):
    paths = [*ROOT.glob("src/prevalence/report/*.py"), *ROOT.glob("src/prevalence/figures/*.py")]
    texts = {path.relative_to(ROOT).as_posix(): path.read_text() for path in paths}
    functions = Functions(texts)
    name, file = functions.branch(key)
    path, line = functions.place(name, file).split(":")
    assert path == file == "src/prevalence/report/story.py"
    assert re.match(rf"def {name}\(material", texts[path].splitlines()[int(line) - 1])
