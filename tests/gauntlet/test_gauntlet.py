"""Every case of cases.yaml ends in a clear message or a correct run, and leaves nothing behind."""

from pathlib import Path

import pipeline
import pytest
import spoil
import yaml

from prevalence.errors import PipelineError

TABLE = yaml.safe_load((Path(__file__).parent / "cases.yaml").read_text(encoding="utf-8"))
CASES = {
    f"{room}-{name}": {"room": room, **case}
    for room, cases in TABLE.items()
    for name, case in cases.items()
}
LAST_STAGE = {
    "config": "config",
    "codebook": "ingest",
    "manifest": "ingest",
    "export": "ingest",
    "tables": "ingest",
    "clean": "clean",
    "weight": "weight",
    "estimate": "estimate",
}
FOREIGN = ("Traceback", "Error(", 'File "', "object at 0x", "numpy.", "<class")


@pytest.fixture(scope="module")
def memory():
    """What each step gave for the inputs and params that it had: shared by the cases."""
    return {}


@pytest.fixture(scope="module")
def good(tmp_path_factory, memory):
    """The tiny survey as it is shipped, run to the end; and what it wrote."""
    tiny = pipeline.Tiny(tmp_path_factory.mktemp("good"), memory)
    tiny.run("estimate")
    return {path: (tiny.restricted.parents[1] / path).read_bytes() for path in tiny.made()}


def test_there_are_cases_enough_and_each_says_what_is_wrong():
    assert len(CASES) >= 150
    for name, case in CASES.items():
        assert case["wrong"], name
        assert ("says" in case) != ("runs" in case), f"{name}: a message or a run, one of them"
        assert set(case) <= {"room", "wrong", "spoil", "until", "says", "never", "runs"}, name
    told = [case["wrong"] for case in CASES.values()]
    assert len(set(told)) == len(told), "two cases have the same words"


@pytest.mark.parametrize("name", CASES)
def test_bad_input_ends_well(name, tmp_path, memory, request):
    case = CASES[name]
    tiny = pipeline.Tiny(tmp_path / "project", memory)
    for how, value in case["spoil"].items():
        getattr(spoil, "set_keys" if how == "set" else how)(tiny, value)
    until = case.get("until", LAST_STAGE[case["room"]])
    if "runs" in case:
        tiny.run(until)
        CHECKS[case["runs"]](tiny, request)
        return
    with pytest.raises(PipelineError) as caught:
        tiny.run(until)
    message = str(caught.value)
    for fragment in case["says"]:
        assert fragment in message, message
    for fragment in [*case.get("never", []), *FOREIGN]:
        assert fragment not in message, message
    error = caught.value
    assert error.file or error.place, f"no place is named: {message}"
    assert error.remedy or error.allowed, f"nothing says what to do: {message}"
    assert len(message) < 3000, "a message too long to read"
    assert not [path for path in tiny.made() if ".partial" in path]


def same_results(tiny, request):
    """Every table that was made is the one of the survey as shipped, to the byte."""
    good = request.getfixturevalue("good")
    made = [path for path in tiny.made() if "/verified/" not in path]
    assert made
    top = tiny.restricted.parents[1]
    differing = [path for path in made if good.get(path) != (top / path).read_bytes()]
    # What was dropped, and where a variable comes from, may differ with the form of the file.
    free = ("dropped_variables.csv", "variables.csv")
    assert [path for path in differing if not path.endswith(free)] == []


def runs(tiny, _request):
    """It ends without an error."""
    assert tiny.made()


CHECKS = {"the same": same_results, "yes": runs}
