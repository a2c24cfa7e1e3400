"""What the DAG promises: what is deleted is made again; nothing restricted leaves."""

import re

import pytest

RESTRICTED = "/restricted/"


def test_a_second_run_has_nothing_to_do(finished):
    assert "Nothing to be done" in finished.run("--dry-run") + finished.run("--dry-run")
    assert finished.planned() == set()


STAGE_FOLDERS = ["restricted/ingest", "restricted/clean", "restricted/weight"]
STAGE_FOLDERS += ["restricted/estimate", "release", "staged/figures", "audit"]


@pytest.mark.parametrize("stage", STAGE_FOLDERS)
def test_deleting_any_intermediate_rebuilds_it(project, stage):
    files = [path for path in project.outputs() if path.startswith(f"data/processed/tiny/{stage}")]
    assert files
    makers = {file: rule for file, (rule, _) in graph(project).items()}
    for path in {makers[path]: path for path in files}.values():  # one file of each rule
        kept = project / f"{path}.kept"
        (project / path).rename(kept)
        assert makers[path] in project.planned(), f"{path} was deleted and would not be rebuilt"
        kept.rename(project / path)


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
