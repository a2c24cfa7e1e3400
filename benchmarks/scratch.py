"""A scratch copy of the project, in which benchmarks run the workflow."""

import os
import shutil
import subprocess
import sys

from provenance import ROOT

PARTS = ("workflow", "scripts", "src", "profiles", "reports", "config")
FILES = (
    "Snakefile",
    "requirements.lock",
    "environment.yml",
    "pyproject.toml",
    "README.md",
    "CITATION.cff",
)


def scratch_copy(folder, survey, raw):
    """Copy what a run needs, but for the outputs of a survey; `raw` names folders under data/."""
    for part in PARTS:
        leave_out = shutil.ignore_patterns("__pycache__", survey if part == "reports" else "")
        shutil.copytree(ROOT / part, folder / part, ignore=leave_out)
    for name in FILES:
        if (ROOT / name).exists():
            shutil.copyfile(ROOT / name, folder / name)
    for name in raw:
        shutil.copytree(ROOT / "data" / name, folder / "data" / name)


def run(folder, *command):
    """Run a command there; give its exit code."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print((done.stdout + done.stderr)[-2000:], file=sys.stderr)
    return done.returncode


def environment(folder):
    """Let the copy's own package be the one that runs."""
    return os.environ | {"PYTHONPATH": str(folder / "src")}
