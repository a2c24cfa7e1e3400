"""A project as a newcomer has it, and the page docs/your-own-survey.md as commands."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = ("Snakefile", "workflow", "scripts", "src", "profiles", "reports", "config", "Makefile")
FILES = ("requirements.lock", "environment.yml", "pyproject.toml")
BLOCK = re.compile(r"^```(bash|yaml)(?: (\S+))?\n(.*?)^```$", re.M | re.S)


def copy_of_project(folder):
    """The project as a newcomer has it after `make report`, without what was computed."""
    folder.mkdir()
    ignore = shutil.ignore_patterns("__pycache__", "rwanda2011", ".*")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=ignore)
        else:
            shutil.copy(source, folder / part)
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)
    shutil.rmtree(folder / "reports" / "ph2022", ignore_errors=True)
    shutil.copytree(ROOT / "tests" / "surveys", folder / "tests" / "surveys")
    tools = folder / ".venv" / "bin"
    tools.mkdir(parents=True)
    for name, module in (("python", ""), ("snakemake", "-m snakemake")):
        (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {module} "$@"\n')
        (tools / name).chmod(0o755)
    (folder / ".venv" / ".installed").touch()
    run_config = folder / "config" / "config.yaml"
    text = re.sub(r"^renderer: \w+", "renderer: builtin", run_config.read_text(), flags=re.M)
    run_config.write_text(text)
    return folder


def script_of(page):
    """The page's blocks as one script: commands as they are, files as they are to be written."""
    steps = ["set -eu"]
    for kind, path, body in BLOCK.findall(page):
        if kind == "bash":
            steps.append(body)
        elif path:
            steps.append(f"cat > {path} <<'END_OF_FILE'\n{body}END_OF_FILE\n")
    return "\n".join(steps)


def shell(folder, script):
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
    environment["PYTHONPATH"] = str(folder / "src")
    return subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=900,
    )


def followed_page(folder):
    """Run the page's blocks; what they said."""
    page = (ROOT / "docs" / "your-own-survey.md").read_text(encoding="utf-8")
    script = script_of(page)
    assert script.count("make ") >= 3, "the page has lost its commands"
    done = shell(folder, script)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout + done.stderr
