"""What doesn't pass the gate isn't published, and what was published before stays."""

import pytest

from prevalence.disclosure.publishing import described, digests, publish, written
from prevalence.errors import PipelineError

WORDS = "config/terminology.yaml"
AVOIDED = """  - id: avoided
    pattern: '\\bsurvey\\b'
    class: avoid
    instead: another word
    source: a test
    why: It is a test.
"""


def published(project, survey="tiny"):
    return {
        path.relative_to(project.folder).as_posix(): path.read_bytes()
        for path in sorted((project / f"reports/{survey}").rglob("*"))
        if path.is_file()
    }


def avoid_a_word(project):
    """Make a word of every page one that may not be published; give what undoes it."""
    text = (project / WORDS).read_text(encoding="utf-8")
    (project / WORDS).write_text(text.replace("terms:\n", f"terms:\n{AVOIDED}", 1))
    return lambda: (project / WORDS).write_text(text, encoding="utf-8")


def test_a_report_that_does_not_pass_leaves_the_last_one(project):
    before = published(project)
    assert len(before) > 20
    undo = avoid_a_word(project)
    done = project.snakemake()
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Staged files may not be published." in said, said[-3000:]
    assert published(project) == before
    assert not (project / "data/processed/tiny/passed/report.json").exists()
    assert {"check_report"} <= project.planned()
    undo()
    project.run()
    assert published(project) == before
    assert project.planned() == set()


def test_a_file_of_an_option_that_is_gone_neither_stops_the_report_nor_is_published(project):
    before = published(project)
    for path in ("data/processed/tiny/staged/figures", "reports/tiny/figures"):
        (project / path / "provinces.csv").write_text("domain,estimate\nX,13400\n")
    said = project.run("--forcerun", "check_report", "publish_report")
    assert "no rule of this run makes them: 1 (figures/provinces.csv)" in said
    assert published(project) == before


FILES = {"summary.html": b"<p>1</p>", "figures/a.svg": b"<svg/>"}


def test_only_what_passed_is_written(tmp_path):
    targets = {name: tmp_path / name for name in FILES}
    publish(FILES, digests(FILES), targets, "passed.json")
    assert {name: path.read_bytes() for name, path in targets.items()} == FILES


@pytest.mark.parametrize(
    ("files", "passed"),
    [
        (FILES | {"figures/a.svg": b"<svg>2</svg>"}, FILES),
        (FILES | {"figures/b.svg": b"<svg/>"}, FILES),
        (FILES, {"summary.html": FILES["summary.html"]}),
        (FILES, {}),
    ],
    ids=["changed", "undeclared", "unchecked", "nothing passed"],
)
def test_nothing_is_written_where_a_file_did_not_pass(tmp_path, files, passed):
    with pytest.raises(PipelineError, match="not the one that passed") as caught:
        publish(files, digests(passed), {name: tmp_path / name for name in files}, "passed.json")
    assert "passed.json" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_descriptions_are_the_same_each_time():
    identity = {"identity": "0123456789ab"}
    tables = {"tables/scale_up.csv": b"survey,estimate\ntiny,1\n"}
    first, second = (written(described(tables, identity, synthetic=True)) for _ in range(2))
    assert first == second
    assert list(first) == ["tables/scale_up.csv-metadata.json"]
    assert b"SYNTHETIC DATA" in first["tables/scale_up.csv-metadata.json"]
