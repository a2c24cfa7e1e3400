"""What the DAG promises: what is deleted is made again; nothing restricted leaves."""

import re
from pathlib import Path

RESTRICTED = "/restricted/"


def test_a_second_run_has_nothing_to_do(finished):
    assert finished.planned() == set()


def test_every_file_that_is_made_is_asked_for(finished):
    """What the whole run asks for itself is made again once deleted, whoever else needs it or not.

    Snakemake looks for a lost file among what is asked for alone, not among all outputs of a job.
    """
    text = finished.run("--dry-run", "--force", "all")
    asked = set(re.search(r"^rule all:\n    input: (.*)$", text, re.M)[1].split(", "))
    made = [path for path in finished.outputs() if "/." not in path]
    assert len(made) > 200
    unasked = [path for path in made if not asked & {path, *map(str, Path(path).parents)}]
    assert unasked == [], "deleted, they would not be rebuilt"


def test_a_deleted_intermediate_is_rebuilt(project):
    makers = {file: rule for file, (rule, _) in graph(project).items()}
    lost = {
        "restricted/ingest/dropped_variables.csv": "read_responses",
        "restricted/clean/edits.parquet": "clean_responses",
        "restricted/weight/nonresponse_bias.csv": "compare_respondents",
        "restricted/estimate/planning.csv": "plan_next_wave",
        "staged/figures/coverage.png": "draw_coverage",
        "audit/identity.json": "identify_run",
    }
    for name, rule in lost.items():
        path = f"data/processed/tiny/{name}"
        assert makers[path] == rule
        (project / path).unlink()
    assert set(lost.values()) <= project.planned()


def graph(project) -> dict[str, tuple[str, list[str]]]:
    """Rule and inputs of each file, from snakemake's own summary."""
    text = project.run("--detailed-summary", cores=1)
    rows = [line.split("\t") for line in text.splitlines() if line.count("\t") >= 6]
    head = rows[0]
    columns = {name: head.index(name) for name in ("output_file", "rule", "input-file(s)")}
    return {
        row[columns["output_file"]]: (
            row[columns["rule"]],
            [file for file in re.split(r"[,\s]+", row[columns["input-file(s)"]]) if file],
        )
        for row in rows[1:]
    }


def test_what_leaves_passes_through_release(finished):
    files = graph(finished)
    leaving = [file for file in files if "/staged/" in file or file.startswith("reports/")]
    assert len(leaving) > 5
    for file in leaving:
        waiting, seen = [file], set()
        while waiting:
            here = waiting.pop()
            if here in seen or here not in files:
                continue
            seen.add(here)
            rule, inputs = files[here]
            if "/release/" in here:
                continue
            touching = [path for path in inputs if RESTRICTED in path and "/verified/" not in path]
            assert not touching, f"{file} reads {touching} by the rule {rule}"
            waiting += inputs
