"""The cluster profiles: whole, of existing rules, and plans of a run that they allow."""

import importlib.util
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROFILES = {
    path.parent.name: yaml.safe_load(path.read_text())
    for path in sorted((ROOT / "profiles").glob("*/config.yaml"))
}
CLUSTERS = ["slurm", "kubernetes"]
RULES = {
    name
    for path in (ROOT / "workflow" / "rules").glob("*.smk")
    for name in re.findall(r"^rule (\w+):", path.read_text(), re.M)
}
PLUGINS = {
    "slurm": ["snakemake_executor_plugin_slurm"],
    "kubernetes": ["snakemake_executor_plugin_kubernetes", "snakemake_storage_plugin_fs"],
}


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_profile_names_rules_that_exist(name):
    profile = PROFILES[name]
    named = {*profile["set-resources"], *profile.get("groups", {})}
    assert named <= RULES, f"no such rules: {sorted(named - RULES)}"
    assert set(profile.get("group-components", {})) <= set(profile.get("groups", {}).values())


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_further_attempt_asks_for_more(name):
    profile = PROFILES[name]
    assert profile["retries"] >= 1
    for asked in [profile["default-resources"], *profile["set-resources"].values()]:
        for resource in ("mem_mb", "runtime"):
            first, second = (eval(asked[resource], {"attempt": n}) for n in (1, 2))
            assert second == 2 * first > 0


def test_every_profile_keeps_what_the_default_one_promises():
    kept = ("rerun-incomplete", "show-failed-logs", "quiet")
    for profile in PROFILES.values():
        assert [profile[key] for key in kept] == [PROFILES["default"][key] for key in kept]
    assert (
        PROFILES["slurm"]["max-checksum-file-size"]
        == (PROFILES["default"]["max-checksum-file-size"])
    )


def test_what_a_rule_asks_for_is_computed_from_what_it_took():
    program = ROOT / "benchmarks" / "job_resources.py"
    sys.path.insert(0, str(program.parent))
    try:
        resources = runpy.run_path(str(program))
    finally:
        sys.path.remove(str(program.parent))
    assert resources["asked"](0, 0) == (500, 5)
    assert resources["asked"](839.4, 105.2) == (1600, 18)
    lines = (ROOT / "profiles" / "slurm" / "config.yaml").read_text()
    took = re.findall(r"mem_mb: (\d+) \* attempt  # (\d+) MB", lines)
    assert len(took) == len(PROFILES["slurm"]["set-resources"])
    for asked, measured in took:
        assert int(asked) == max(500, 100 * -(-(1.5 * int(measured) + 300) // 100)) or (
            abs(int(asked) - resources["asked"](int(measured), 0)[0]) <= 100
        )


def test_groups_of_a_survey_s_run_wait_for_each_other_in_no_circle(fresh):
    """Snakemake refuses a group that waits for a rule outside that waits for the group."""
    groups = PROFILES["slurm"]["groups"]
    words = [f"{rule}={group}" for rule, group in groups.items()]
    text = fresh.run("--dry-run", "--groups", *words, "--", "all")
    planned = set(re.findall(r"^ *rule (\w+):", text, re.M)) - {"all"}
    assert len(planned) > 25
    assert len(planned & set(groups)) > 25


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_dry_run_accepts_the_profile(fresh, name):
    if not all(map(importlib.util.find_spec, PLUGINS[name])):
        pytest.skip(f"not installed: {', '.join(PLUGINS[name])} (an extra of pyproject.toml)")
    command = [sys.executable, "-m", "snakemake", "--workflow-profile", f"profiles/{name}"]
    if "default-storage-prefix" in PROFILES[name]:
        command += ["--default-storage-prefix", str(fresh.folder)]
    done = subprocess.run(
        [*command, "--dry-run"],
        cwd=fresh.folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(fresh / "src")},
    )
    text = done.stdout + done.stderr
    assert done.returncode == 0, text[-3000:]
    assert "This was a dry-run" in text
    assert re.search(r"^fit_model +1|^release_tables +1$", text, re.M)


def test_the_untested_profile_says_so():
    for path in ("profiles/kubernetes/config.yaml", "docs/cluster.md"):
        assert "untested on a cluster" in (ROOT / path).read_text().lower()
