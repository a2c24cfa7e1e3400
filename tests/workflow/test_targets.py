"""What a person types."""

import pytest


def test_each_survey_is_a_target(finished):
    assert finished.planned("tiny") == set()


def test_rules_are_listed_with_what_they_do(finished):
    listed = finished.run("--list-rules")
    for rule in ("clean_responses", "estimate_scale_up", "publish_report", "synthesize"):
        assert rule in listed


def test_what_is_run_on_request_is_no_part_of_the_default_run(fresh):
    planned = fresh.planned()
    assert "publish_report" in planned
    assert not [rule for rule in planned if rule.startswith(("synthesize", "simulate"))]
    assert not planned & {"compare_waves", "compare_surveys", "record_run"}


def test_what_was_published_is_there(finished):
    for name in ("summary.html", "summary.pdf", "summary.docx"):
        assert (finished / f"reports/tiny/{name}").stat().st_size > 10_000


EXPIRED = (
    "{survey: tiny, group: victims, domain_type: region, domain: NCR, approver: A. Person, "
    "reason: published by its owner before, expiry: '2020-02-03'}"
)


@pytest.mark.parametrize(
    ("file", "before", "after", "place", "said"),
    [
        ("config/config.yaml", "surveys: [tiny]", "surveys: [tinny]", "surveys", "'tiny'"),
        ("config/config.yaml", "seed:", "sed:", "(top level)", "seed"),
        (
            "config/surveys/tiny.yaml",
            "estimator: ratio_of_sums",
            "estimator: ratio_of_sum",
            "headline.estimator",
            "estimator: ratio_of_sums",
        ),
        (
            "config/surveys/tiny.yaml",
            "method: raking",
            "methud: raking",
            "weight.calibration",
            "method: raking",
        ),
        (
            "config/disclosure.yaml",
            "exceptions: []",
            f"exceptions: [{EXPIRED}]",
            "exceptions: victims, NCR",
            "expiry 2020-02-03",
        ),
        (
            "config/disclosure.yaml",
            "respondents: 10",
            "respondents: 9",
            "minimum_respondents",
            "10",
        ),
        (
            "config/surveys/tiny.yaml",
            "smallest_geography: region",
            "smallest_geography: region\n  earlier: data/released_before",
            "release.earlier",
            "data/released_before",
        ),
    ],
    ids=["survey", "run key", "estimator", "survey key", "exception", "floor", "earlier release"],
)
def test_a_wrong_config_is_told_before_anything_runs(project, file, before, after, place, said):
    path = project / file
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))
    kept = project.outputs()
    done = project.snakemake()
    assert done.returncode != 0
    message = done.stdout + done.stderr
    for words in (file, place, said):
        assert words in message
    assert project.outputs() == kept


def test_a_survey_named_like_a_rule_is_refused(project):
    config = project / "config/surveys/tiny.yaml"
    (project / "config/surveys/clean_responses.yaml").write_text(config.read_text())
    done = project.snakemake("--dry-run")
    assert done.returncode != 0
    assert "name of a rule" in done.stdout + done.stderr


def test_the_draft_of_one_survey_stops_no_other(fresh):
    config = fresh / "config/surveys/tiny.yaml"
    draft = config.read_text().replace("country: the Philippines", 'country: "DECIDE: where"')
    (fresh / "config/surveys/pilot.yaml").write_text(draft)
    assert "draw_where" in fresh.planned("tiny")
    done = fresh.snakemake("pilot", "--dry-run")
    assert done.returncode != 0
    assert "open decisions" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "before", "after", "words"),
    [
        (
            "config/disclosure.yaml",
            "exceptions: []",
            f"exceptions: [{EXPIRED.replace('tiny', 'tinny').replace('2020', '2120')}]",
            ["exceptions.0.survey", "'tiny'"],
        ),
        (
            "config/disclosure.yaml",
            "exceptions: []",
            f"exceptions: [{EXPIRED.replace('victims', 'victim').replace('2020', '2120')}]",
            ["exceptions.0.group", "'victims'"],
        ),
        (
            "config/surveys/tiny.yaml",
            "  language: en\n",
            "  language: en\n  translations: [pt]\n",
            ["report.translations", "reports/strings/tiny.pt.yml"],
        ),
        (
            "config/surveys/tiny.yaml",
            "headline:",
            "waves: [{survey: before, psus: shared}]\n\nheadline:",
            ["waves", "no config file"],
        ),
    ],
    ids=["exception's survey", "exception's group", "translation", "wave"],
)
def test_what_a_config_names_elsewhere_is_there_before_a_run(fresh, file, before, after, words):
    path = fresh / file
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))
    done = fresh.snakemake("tiny", "--dry-run")
    assert done.returncode != 0
    for word in (*words, file):
        assert word in done.stdout + done.stderr


def test_an_expiry_may_be_written_as_a_date(fresh):
    exception = EXPIRED.replace("'2020-02-03'", "2120-02-03")
    path = fresh / "config/disclosure.yaml"
    path.write_text(path.read_text().replace("exceptions: []", f"exceptions: [{exception}]"))
    assert "release_tables" in fresh.planned("tiny")


def test_a_comparison_of_surveys_without_their_files_is_told(fresh):
    (fresh / "data/raw/tiny/tiny.sav").unlink()
    done = fresh.snakemake("compare", "--dry-run")
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "Raw files of a survey are missing" in said
    assert "MissingInput" not in said
