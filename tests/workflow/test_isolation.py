"""Each rule runs with nothing but its declared inputs, without a network, to the same bytes."""

import shutil
from pathlib import Path

import pytest
from isolated import declared, describe, outputs, run_alone, set_out
from test_rules import RULES
from test_simulate import written

ROOT = Path(__file__).parents[2]
# The record of a run holds times, hence other bytes each time.
RECORD = "record_run"


@pytest.fixture(scope="module")
def described(finished, tmp_path_factory):
    """A finished project with a description of each of its jobs, one for each rule."""
    folder = tmp_path_factory.mktemp("described") / "project"
    shutil.copytree(finished.folder, folder, symlinks=True)
    return folder, describe(type(finished)(folder))


def made(folder: Path, job) -> dict[str, bytes]:
    """Content of every file that a job made, by path."""
    found = {}
    for path in map(Path, outputs(job)):
        inner = sorted((folder / path).rglob("*")) if (folder / path).is_dir() else [folder / path]
        for file in inner:
            if file.is_file() and not file.name.startswith(".snakemake"):
                found[file.relative_to(folder).as_posix()] = file.read_bytes()
    return found


def faults_of(rules, project, jobs, tmp_path) -> list[str]:
    """What goes wrong when rules run alone, or come to other bytes."""
    faults = []
    for rule in rules:
        job = jobs[rule]
        folder = tmp_path / rule
        set_out(job, project, folder)
        done = run_alone(job, folder, tmp_path / f"said-{rule}")
        if done.returncode:
            faults.append(f"{rule}: {(done.stdout + done.stderr)[-800:]}")
        elif rule != RECORD:
            expected = made(project, job)
            found = made(folder, job)
            assert expected
            differing = [path for path in expected | found if expected.get(path) != found.get(path)]
            faults += [f"{rule}: other bytes in {differing}"] if differing else []
        shutil.rmtree(folder)
    return faults


def test_rules_make_the_same_bytes_from_their_declared_inputs(described, tmp_path):
    project, jobs = described
    assert len(jobs) > 30
    assert RECORD in jobs
    assert not faults_of(jobs, project, jobs, tmp_path)


@pytest.mark.slow
def test_rules_that_run_on_request_do_so_too(described, fresh, tmp_path):
    """A second wave, the comparison of surveys, simulations, the synthetic export."""
    config = (fresh / "config/surveys/tiny.yaml").read_text()
    waves = "waves:\n  - {survey: tiny, psus: independent}\n\n"
    (fresh / "config/surveys/later.yaml").write_text(waves + config)
    shutil.copytree(fresh / "data/raw/tiny", fresh / "data/raw/later")
    shutil.copytree(ROOT / "data/raw/psa", fresh / "data/raw/psa")
    run = (fresh / "config/config.yaml").read_text()
    (fresh / "config/config.yaml").write_text(run.replace("[tiny]", "[tiny, later]"))
    written(fresh)
    fresh.run("trend", "compare", "simulate", "data/processed/synthetic/tiny/truth.json")
    made_files = [
        path.relative_to(fresh.folder).as_posix()
        for top in ("data/processed", "reports/later", "reports/compare")
        for path in sorted((fresh / top).rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    ]
    jobs = describe(fresh, made_files)
    requested = sorted(jobs.keys() - described[1].keys())
    assert not faults_of(requested, fresh.folder, jobs, tmp_path)
    assert {*requested, *described[1]} == set(RULES), "each rule is covered"


@pytest.mark.parametrize(
    ("rule", "left_out", "said"),
    [
        ("clean_responses", "config/codebooks/tiny.csv", "FileNotFoundError"),
        ("compute_weights", "src/prevalence/weighting/chain.py", "ModuleNotFoundError"),
    ],
    ids=["file", "module"],
)
def test_an_input_that_is_not_declared_fails(described, tmp_path, rule, left_out, said):
    project, jobs = described
    job = jobs[rule]
    assert left_out in declared(job)
    set_out(job, project, tmp_path / "job", without=left_out)
    done = run_alone(job, tmp_path / "job", tmp_path / "said")
    assert done.returncode != 0
    assert said in done.stdout + done.stderr


def test_a_job_that_calls_out_fails(described, tmp_path):
    project, jobs = described
    job = jobs["describe_estimands"]
    set_out(job, project, tmp_path / "job")
    script = tmp_path / "job" / job["script"]
    call = "import socket\nsocket.create_connection(('192.0.2.1', 80), timeout=2)\n"
    script.write_text(call + script.read_text())
    done = run_alone(job, tmp_path / "job", tmp_path / "said")
    assert done.returncode != 0
    assert "may not use the network" in done.stderr
