"""The record of a run: jobs, settings, exhibits, machine, and the committed manifest."""

import json
import re
from pathlib import Path

import pytest
import yaml
from toy_runs import DRAWN, GRAPH, PAGE, RELEASED, RESTRICTED, estimates, manifest

from prevalence.audit.comparison import changes, compared
from prevalence.audit.exhibits import Sources, exhibit_rows, raw_variables, script_place
from prevalence.audit.graph import Graph, Job, jobs_from, plain, rule_settings, takes
from prevalence.audit.machine import checkout, resources
from prevalence.audit.picture import drawn, reduced, rules_of
from prevalence.audit.record import flattened, manifest_from
from prevalence.audit.reference import (
    EXHIBITS,
    MANIFEST,
    RUN,
    exhibit_text,
    line,
    marks,
    run_text,
    with_block,
)
from prevalence.audit.scratch import copied, graph_from_plan
from prevalence.audit.sidecar import sidecar
from prevalence.audit.summary import codecheck, differences, summary
from prevalence.errors import PipelineError

ROOT = Path(__file__).parents[2]


def test_a_file_is_followed_to_its_sources():
    assert [job.rule for job in GRAPH.ancestors(PAGE)] == ["render", "release", "estimate"]
    assert GRAPH.sources(RELEASED) == {"data/raw/toy/toy.sav", "src/prevalence/ratio.py"}
    assert GRAPH.settings(PAGE) == {"estimate", "report"}
    assert GRAPH.maker("data/raw/toy/toy.sav") is None


def test_a_file_in_a_folder_belongs_to_the_job_that_makes_the_folder():
    job = Job(
        "publish", "scripts/report/publish.py", {"figures": ["reports/toy/figures"]}, [], [], []
    )
    assert Graph([job]).maker("reports/toy/figures/headline.svg") == job
    assert Graph([job]).maker("reports/toy/figures2/headline.svg") is None
    assert jobs_from([plain(job)]) == [job]


def test_the_settings_of_every_rule_are_read_from_its_text():
    found = {}
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        found |= rule_settings(path.read_text(encoding="utf-8"))
    assert found["compute_weights"] == ["weight"]
    assert found["draw_replicates"] == ["seed", "weight"]
    assert "" in found["check_report"]
    assert found["publish_report"] == ["survey.synthetic"]
    assert "ingest.arrange" in found["read_table"]
    assert found["verify_raw"] == []


@pytest.mark.parametrize(
    ("settings", "key", "taken"),
    [
        (["weight"], "weight.trimming.upper", True),
        (["weight"], "weights", False),
        (["weight.trimming"], "weight", True),
        ([""], "report.language", True),
        ([], "report.language", False),
    ],
)
def test_a_key_within_what_a_rule_takes_is_taken(settings, key, taken):
    assert takes(settings, key) is taken


def test_settings_are_laid_out_by_key():
    assert flattened({"a": {"b": [1, 2], "c": [{"d": None}]}, "e": {}}) == {
        "a.b": [1, 2],
        "a.c[0].d": None,
        "e": "{}",
    }


def test_a_manifest_comes_back_from_json_as_it_was():
    before = manifest()
    assert manifest_from(json.loads(json.dumps(before.plain())), "m.json") == before


def test_what_is_no_manifest_is_refused_by_name():
    with pytest.raises(PipelineError, match="not a manifest") as told:
        manifest_from({"schema_version": "0.1"}, "old.json")
    assert "old.json" in str(told.value)


PLAN = """
[Mon Nov 23 23:30:14 2026]
rule verify_raw:
    input: src/prevalence/errors.py, data/raw/toy/toy.sav
    output: data/processed/toy/verified/toy.sav.json
    log: logs/toy/a.log
    wildcards: survey=toy
localrule read_responses:
    input: data/processed/toy/verified/toy.sav.json, config/codebooks/toy.csv
    output: data/processed/toy/a.parquet, data/processed/toy/b.csv
"""


def test_jobs_are_read_from_a_dry_run():
    graph = graph_from_plan(PLAN)
    assert [job.rule for job in graph.jobs] == ["verify_raw", "read_responses"]
    assert graph.sources("data/processed/toy/b.csv") == {
        "src/prevalence/errors.py",
        "data/raw/toy/toy.sav",
        "config/codebooks/toy.csv",
    }


def test_only_the_named_files_are_copied(tmp_path):
    source, target = tmp_path / "from", tmp_path / "to"
    (source / "a").mkdir(parents=True)
    (source / "a" / "one.txt").write_text("1")
    (source / "a" / "two.txt").write_text("2")
    copied(["a/one.txt"], source, target)
    assert [path.name for path in target.rglob("*.txt")] == ["one.txt"]
    with pytest.raises(PipelineError, match="could not be copied"):
        copied(["a/none.txt"], source, target)


TEXTS = {
    "scripts/estimate/estimate.py": "def main(job):\n    x = 1\n    write(job.output.scale_up)\n",
    "src/prevalence/report/story.py": (
        "def variables(material):\n"
        "    more = {'agreement': sentences.agreed(material)}\n"
        '    return {"groups": {g: _group(material, g) for g in "a"}} | more\n\n\n'
        "def _group(material, group):\n    return _more(material)\n\n\n"
        'def _more(material):\n    return material.national("a", "persons")\n'
    ),
    "src/prevalence/report/sentences.py": (
        'def agreed(material):\n    return material.rows("agreement", group="a")\n'
    ),
    "src/prevalence/report/tables.py": (
        'def _headline(material):\n    return table(label="headline")\n'
    ),
    "src/prevalence/figures/headline.py": "\n\ndef headline(tables, words): ...\n",
}
STUDY = Graph(
    [
        Job(
            "clean_responses",
            "scripts/clean/clean_responses.py",
            {"ard": ["data/processed/toy/restricted/clean/ard.parquet"]},
            ["data/raw/toy/toy.sav"],
        ),
        Job(
            "estimate_scale_up",
            "scripts/estimate/estimate.py",
            {"scale_up": [RESTRICTED]},
            ["data/processed/toy/restricted/clean/ard.parquet"],
        ),
        Job("release_tables", "scripts/release/r.py", {"tables": [RELEASED]}, [RESTRICTED]),
        Job(
            "draw_headline",
            "scripts/figures/draw_headline.py",
            {"csv": ["data/processed/toy/staged/figures/headline.csv"]},
            [RELEASED],
        ),
        Job("compose_report", "scripts/report/compose_report.py", {"source": ["s"]}, [RELEASED]),
    ]
)
VARIABLES = [("RESP_ID", "key"), ("Q_DOCTORS", "known"), ("Q_REPORT", "situation"), ("X", "ignore")]


@pytest.fixture(scope="module")
def rows():
    composed = {
        "partials/tbl-exhibits.md": (
            "| Exhibit | Data | Rule |\n|:--|:--|:--|\n"
            "| @fig-headline | `figures/headline.csv` | `draw_headline` |\n"
            "| @tbl-headline | `tables/scale_up.csv` | `compose_report` |\n"
            "| @tbl-terms | `config/surveys/toy.yaml` | `compose_report` |\n"
        ),
        "partials/fig-headline.md": "![…](/figures/headline){#fig-headline}\n",
        "partials/tbl-headline.md": "| a |\n\n: words {#tbl-headline}\n",
        "sections/headline.qmd": "Words.\n{{< var groups.victims.count >}} children\n",
        "sections/more.qmd": "{{< var agreement.sentence >}}\n",
    }
    return {row["exhibit"]: row for row in exhibit_rows(Sources(STUDY, TEXTS, composed, VARIABLES))}


def test_a_figure_is_led_back_to_raw_variables(rows):
    row = rows["fig-headline"]
    assert row["rule"] == "draw_headline"
    assert row["written_by"] == "src/prevalence/figures/headline.py:3"
    assert row["released"] == "release/scale_up.csv"
    assert row["restricted"] == RESTRICTED
    assert row["restricted_script"] == "scripts/estimate/estimate.py:3"
    assert row["raw_files"] == "data/raw/toy/toy.sav"
    assert row["raw_variables"] == "RESP_ID Q_DOCTORS"


def test_a_table_is_led_to_the_function_that_writes_it(rows):
    assert rows["tbl-headline"]["written_by"] == "src/prevalence/report/tables.py:1"
    assert rows["tbl-headline"]["restricted"] == RESTRICTED
    assert rows["tbl-terms"]["data"] == "config/surveys/toy.yaml"
    assert rows["tbl-terms"]["raw_variables"] == ""


def test_a_number_of_the_prose_is_led_to_its_line_and_table(rows):
    row = rows["groups.victims.count"]
    assert row["shown_in"] == "sections/headline.qmd:2"
    assert row["data"] == "release/scale_up.csv"
    assert row["written_by"] == "src/prevalence/report/story.py:6"
    sentence = rows["agreement.sentence"]
    assert sentence["data"] == "release/agreement.csv"
    assert sentence["written_by"] == "src/prevalence/report/sentences.py:1"


def test_variables_without_a_bearing_are_left_out():
    assert raw_variables(STUDY, [RESTRICTED], VARIABLES) == ["RESP_ID", "Q_DOCTORS"]
    assert raw_variables(STUDY, [], VARIABLES) == []
    assert script_place(STUDY.jobs[1], "", TEXTS) == "scripts/estimate/estimate.py:3"


def test_the_picture_leaves_implied_arrows_out_and_is_the_same_each_time():
    assert reduced({("a", "b"), ("b", "c"), ("a", "c")}) == {("a", "b"), ("b", "c")}
    rules, edges, stages = rules_of(STUDY)
    assert ("estimate_scale_up", "release_tables") in edges
    first = drawn(rules, edges, stages)
    assert first == drawn(rules, edges, stages)
    assert b"estimate_scale_up" in first


def test_times_and_memory_are_read_from_benchmarks():
    head = "s\th:m:s\tmax_rss\tcpu_time\n"
    found = resources(
        {"a/x": head + "1.5\t0:00:01\t120.5\t1.2\n", "b/y": head + "9\t0:00:09\t-\tNA\n"}
    )
    assert found[0] == {"job": "b/y", "seconds": 9.0, "cpu_seconds": None, "peak_mb": None}
    assert found[1]["peak_mb"] == 120.5


def test_outside_of_a_checkout_there_is_no_commit(tmp_path):
    assert checkout(tmp_path)["commit"] is None


def block_of(text, name):
    first, last = marks(name)
    return text.partition(first)[2].partition(last)[0].strip()


def test_a_generated_block_of_the_readme_is_replaced_and_the_rest_stays():
    first, last = marks(MANIFEST)
    text = f"before\n{first}\nold\n{last}\nafter\n"
    content = json.dumps(manifest().plain()).encode()
    said = line("data/reference/manifest.toy.builtin.json", content)
    written = with_block(text, MANIFEST, said)
    assert written == f"before\n{first}\n{said}\n{last}\nafter\n"
    assert with_block(written, MANIFEST, said) == written
    assert block_of(written, MANIFEST) == said
    with pytest.raises(PipelineError, match="no place"):
        with_block("no marks", MANIFEST, said)


def test_the_readme_says_what_a_run_took():
    jobs = [
        {"job": "model/fit", "seconds": 40.0, "peak_mb": None},
        {"job": "report/render", "seconds": 9.0, "peak_mb": 512.4},
    ]
    machine = {"cores": 2, "processor": "A processor", "memory_gb": 8.0}
    said = run_text(manifest(), {"seconds": 80.2, "jobs": jobs}, machine)
    assert "`0123456789ab` of `toy`: 2 jobs from 6 declared inputs to 5 outputs" in said
    assert "in 80 s on 2 cores (A processor, 8.0 GB)" in said
    assert "`model/fit`, took 40 s, the heaviest, `report/render`, 512 MB" in said


def test_the_readme_leads_each_exhibit_to_its_code():
    shown = {"written_by": "src/a.py:12 src/a.py:20", "script": "scripts/b.py:3"}
    row = {"kind": "figure", "exhibit": "fig-headline", **shown, "restricted_script": "c.py:1"}
    text = exhibit_text([row, {"kind": "number", "exhibit": "x"}], manifest())
    assert f"| fig-headline | `{DRAWN}` | `src/a.py` | `c.py` |" in text
    assert "has 1 numbers of the text" in text


COMMITTED = sorted((ROOT / "data" / "reference").glob("manifest.*.json"))


def committed(survey):
    """The committed manifest of a survey; none while results are being changed."""
    paths = [path for path in COMMITTED if path.name.startswith(f"manifest.{survey}.")]
    if not paths:
        pytest.skip(f"no manifest of {survey} is committed: make reference writes it")
    return manifest_from(json.loads(paths[0].read_bytes()), paths[0])


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.name)
def test_the_hash_in_the_readme_is_that_of_the_committed_manifest(path):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert line(path.relative_to(ROOT).as_posix(), path.read_bytes()) in block_of(readme, MANIFEST)


def test_the_times_and_the_exhibits_in_the_readme_are_those_of_the_committed_run():
    made = committed("ph2022")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"`{made.identity['identity']}` of `ph2022`" in block_of(readme, RUN)
    rows = [row.strip("| ").split(" | ") for row in block_of(readme, EXHIBITS).splitlines()[2:]]
    told = {row[0]: row[1].strip("`") for row in rows if len(row) > 1}
    assert told == dict(made.exhibits)
    code = re.findall(r"`((?:scripts|src)/[\w/]+\.py)`", block_of(readme, EXHIBITS))
    assert code
    assert [path for path in code if not (ROOT / path).is_file()] == []


def test_the_summary_says_what_went_in_and_what_came_out():
    before = manifest()
    after = manifest(
        sources={"src/prevalence/ratio.py": b"other"},
        released=estimates(row1=1.0),
        page=b"<p>x</p>",
    )
    outcomes = compared(before, after, GRAPH)
    text = summary(
        after, "NOT reproduced: …", "m.json", outcomes, ["refused"], changes(before, after)
    )
    for words in ("changed: src/prevalence/ratio.py", "| different | 2 |", RELEASED, "- refused"):
        assert words in text
    assert len([line for line in differences(outcomes) if line.startswith("because")]) == 1


def test_codecheck_lists_the_published_files_with_what_they_show():
    found = codecheck(manifest(), "A title", ["An author"], "An auditor", "reproduced")
    files = {entry["file"]: entry["comment"] for entry in found["manifest"]}
    assert files["reports/toy/figures/headline.svg"] == "shown by fig-headline"
    assert all(path.startswith("reports/") for path in files)
    assert yaml.safe_load(yaml.safe_dump(found)) == found


def test_a_sidecar_describes_the_columns_that_the_file_has():
    from prevalence.contracts.release import SCALE_UP

    content = b"group,estimate,extra\nvictims,1.5,x\n"
    found = sidecar("scale_up.csv", content, SCALE_UP, {"identity": "abc"}, synthetic=True)
    columns = {column["name"]: column for column in found["tableSchema"]["columns"]}
    assert list(columns) == ["group", "estimate", "extra"]
    assert columns["estimate"]["datatype"] == "double"
    assert columns["estimate"]["dc:description"]
    assert found["dc:identifier"] == "abc"
    assert "SYNTHETIC" in found["dc:rights"]
    assert "dc:rights" not in sidecar("a.csv", content, None, {"identity": "abc"}, synthetic=False)
