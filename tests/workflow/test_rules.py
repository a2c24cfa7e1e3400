"""What holds for the text of every rule and script."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULE_FILES = sorted((ROOT / "workflow" / "rules").glob("*.smk"))
SCRIPTS = sorted((ROOT / "scripts").glob("*/*.py"))
STAGES = ["synthesize", "ingest", "clean", "weight", "estimate", "model", "release"]
STAGES += ["figures", "report", "audit", "trend", "compare", "simulate"]
COMMAND_LINE = {
    "adopt_export.py",
    "audit_run.py",
    "check_survey.py",
    "compare_runs.py",
    "draft_survey.py",
    "draw_dag.py",
    "freeze_headline.py",
    "preview_page.py",
    "resume_run.py",
    "write_data_dictionary.py",
    "write_manifest.py",
    "write_studies_page.py",
}


def rules_of(path: Path) -> dict[str, str]:
    pieces = re.split(r"^rule (\w+):\n", path.read_text(), flags=re.M)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


RULES = {name: (path, body) for path in RULE_FILES for name, body in rules_of(path).items()}


def test_there_are_rules_and_scripts_to_check():
    assert len(RULES) > 10
    assert len(SCRIPTS) > 10


@pytest.mark.parametrize("path", RULE_FILES, ids=lambda path: path.name)
def test_a_rule_file_opens_with_its_contract(path):
    head = path.read_text().splitlines()
    comments = "\n".join(line for line in head[:12] if line.startswith("#"))
    assert "required:" in comments
    assert "gives:" in comments


@pytest.mark.parametrize("name", RULES)
def test_a_rule_has_what_every_rule_has(name):
    _path, body = RULES[name]
    assert re.match(r'    """\S', body), "a docstring"
    for part in ("input:", "output:", "log:", "benchmark:", "conda:", "script:"):
        assert f"    {part}" in body, part
    assert '"../../environment.yml"' in body
    assert "message:" not in body
    assert "run:" not in body
    assert "shell:" not in body
    script = re.search(r'"\.\./\.\./(scripts/[^"]+)"', body)[1]
    assert f'code("{script}")' in body, "the modules that the script imports are inputs"
    assert (ROOT / script).exists()
    assert Path(script).stem == name or "{" in script, "rule and script have one name"
    folder = _path.stem if _path.stem in ("compare", "simulate") else "{survey}"
    assert f"logs/{folder}/" in body


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_script_takes_its_values_from_params(path):
    text = path.read_text()
    assert "snakemake.config" not in text
    assert "job.config" not in text
    assert ast.get_docstring(ast.parse(text))
    assert path.parent.name in STAGES
    if path.name not in COMMAND_LINE:
        assert "run_job(main, snakemake)" in text


def test_no_rule_writes_raw_data():
    for name, (_, body) in RULES.items():
        outputs = re.search(r"    output:\n(.*?)\n    \w+:", body, re.S)[1]
        assert "data/raw" not in outputs, name


def test_stage_names_are_the_same_everywhere():
    assert {path.parent.name for path in SCRIPTS} <= set(STAGES)
    assert {path.stem for path in RULE_FILES} <= {*STAGES, "common", "publish"}


@pytest.mark.parametrize("name", [name for name, (_, body) in RULES.items() if "threads:" in body])
def test_a_job_of_several_threads_sums_in_one(name):
    """Snakemake gives linear algebra a job's threads; sums by several have other last digits."""
    script = (ROOT / re.search(r'"\.\./\.\./(scripts/[^"]+)"', RULES[name][1])[1]).read_text()
    only_reads = name == "check_report"  # files are searched, nothing is computed
    assert only_reads or script.index("os.environ.update(ONE_THREAD)") < script.index(
        "import pandas"
    )
