"""A clean copy of the project with nothing in it but a survey's declared inputs, and runs there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from prevalence.audit.graph import Graph, Job
from prevalence.errors import PipelineError

_RULE = re.compile(r"^(?:local)?rule (?=\w+:$)", re.M)
_FILES = re.compile(r"^    (input|output): (.+)$", re.M)


def run_snakemake(
    folder: Path, words: Sequence[str], prefix: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Run snakemake in a folder with the Python that runs this.

    Parameters
    ----------
    folder
        The project's folder.
    words
        Arguments.
    prefix
        Words before the command, such as those that shut the network off.

    Returns
    -------
    subprocess.CompletedProcess
        With its output as text.
    """
    left_out = ("PYTHONPATH", "SNAKEMAKE_PROFILE")
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    command = [*prefix, sys.executable, "-m", "snakemake", *words]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env=environment
    )


def graph_from_plan(text: str) -> Graph:
    """Read the jobs of a run from ``snakemake --dry-run --forceall``.

    Parameters
    ----------
    text
        What it prints.

    Returns
    -------
    Graph
        Its jobs with rule, inputs and outputs.
    """
    jobs = []
    for block in _RULE.split(text)[1:]:
        lines = dict(_FILES.findall(block))
        inputs, outputs = (
            [path for path in lines.get(name, "").split(", ") if path]
            for name in ("input", "output")
        )
        jobs.append(Job(block.partition(":")[0], "", {"": outputs}, inputs))
    return Graph(jobs)


def planned(folder: Path, target: str) -> Graph:
    """Ask snakemake which jobs a target rests on, without running anything.

    Parameters
    ----------
    folder
        The project's folder.
    target
        A file.

    Returns
    -------
    Graph
        The jobs.

    Raises
    ------
    PipelineError
        If the workflow can't be read; snakemake's own message is in it.
    """
    done = run_snakemake(folder, ["--dry-run", "--forceall", "--cores", "1", target])
    if done.returncode:
        raise PipelineError(
            "The workflow can't be planned.",
            file=folder / "Snakefile",
            found="\n" + last_lines(done.stdout + done.stderr),
            remedy="Mend what the message speaks of.",
        )
    return graph_from_plan(done.stdout + done.stderr)


def last_lines(text: str, most: int = 25) -> str:
    """Give the last lines of a program's output, indented."""
    return "\n".join(f"    {line}" for line in text.strip().splitlines()[-most:])


def copied(paths: Iterable[str], source: Path, target: Path) -> None:
    """Copy files, and nothing else, to the same places in another folder.

    Parameters
    ----------
    paths
        Paths from the project's root.
    source, target
        The two roots; what a symbolic link points to is copied.

    Raises
    ------
    PipelineError
        If the disk is full or a file can't be read.
    """
    for path in paths:
        try:
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / path, target / path)
        except OSError as error:
            raise PipelineError(
                "A declared input could not be copied for the audit.",
                file=source / path,
                found=error.strerror,
                allowed=f"a readable file, and free space for a copy in {target}",
                remedy="Free space, or give another place: make audit SCRATCH=<folder>.",
            ) from error


def files_below(folder: Path, root: Path) -> Iterator[str]:
    """Paths from the root of every file below a folder, Snakemake's own marks aside."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith((".snakemake", ".")):
            yield path.relative_to(root).as_posix()
