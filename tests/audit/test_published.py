"""A report that does not match its inputs is refused."""

import json

import pytest
from toy_runs import GRAPH, IDENTITY, PAGE, files, manifest

from prevalence.audit.contents import described
from prevalence.audit.published import refusals, stated_identity

RESULTS = "reports/toy/results.json"


def results(identity="0123456789ab", estimate=430000):
    return json.dumps(
        {"run": {"identity": identity}, "estimates": [{"estimate": estimate}]}
    ).encode()


@pytest.fixture
def report():
    return {path: content for path, content in files().items() if path.startswith("reports/")} | {
        RESULTS: results()
    }


@pytest.fixture
def made():
    found = manifest()
    content = described(RESULTS, results(), values=True)
    contents = {**found.contents, content["sha256"]: content}
    outputs = {**found.outputs, RESULTS: content["sha256"]}
    return type(found)(**{**vars(found), "outputs": outputs, "contents": contents})


def test_the_report_of_these_inputs_is_accepted(report, made):
    assert refusals(report, made, None, GRAPH) == []


def test_a_changed_digit_is_refused_with_its_file(report, made):
    report[RESULTS] = results(estimate=431000)
    (told,) = refusals(report, made, None, GRAPH)
    assert RESULTS in told
    assert "number: " in told


def test_another_identity_is_refused_and_what_differs_is_named(report, made):
    report[RESULTS] = results("ffffffffffff")
    report[PAGE] = report[PAGE].replace(b"0123456789ab", b"ffffffffffff")
    then = {"identity": "ffffffffffff", "parts": {**IDENTITY["parts"], "code": "older"}}
    told = refusals(report, made, then, GRAPH)
    assert "ffffffffffff" in told[0]
    assert "what differs: code" in told[0]
    assert any("does not print the identity 0123456789ab" in text for text in told)


def test_a_file_too_many_and_one_too_few_are_refused(report, made):
    del report[PAGE]
    report["reports/toy/tables/old.csv"] = b"a\n1\n"
    told = " ".join(refusals(report, made, None, GRAPH))
    assert "old.csv: the file is not made from these inputs" in told
    assert "summary.html: the file is missing" in told


def test_a_broken_file_is_refused_and_does_not_stop_the_audit(report, made):
    report[PAGE] = b"\xff\xfe broken"
    assert any("summary.html" in text for text in refusals(report, made, None, GRAPH))


def test_other_bytes_with_the_same_words_pass_from_another_platform_alone(report, made):
    report[PAGE] = report[PAGE].replace(b" children", b"  children")
    assert refusals(report, made, None, GRAPH)
    assert refusals(report, made, None, GRAPH, elsewhere=True) == []


def test_a_report_without_results_states_no_identity():
    assert stated_identity({}) is None
    assert stated_identity({RESULTS: b"{"}) is None
