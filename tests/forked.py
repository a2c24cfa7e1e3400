"""Snakemake in a process forked from one that has imported it: imports are half of a plan."""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["snakemake.cli"])


def run(folder: Path, arguments: list[str], environment: dict[str, str] | None = None):
    """What `python -m snakemake` does there: its exit code and what it said."""
    with tempfile.TemporaryDirectory() as said:
        given = (str(folder), arguments, environment or dict(os.environ), said)
        process = FORKS.Process(target=_forked, args=given)
        process.start()
        process.join()
        out, err = ((Path(said) / name).read_text(encoding="utf-8") for name in ("out", "err"))
    return subprocess.CompletedProcess(arguments, process.exitcode, out, err)


def _forked(folder: str, arguments: list[str], environment: dict[str, str], said: str) -> None:
    """In the new process: take on folder, environment and outputs, then do as told."""
    for stream, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(Path(said) / name, os.O_WRONLY | os.O_CREAT), stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    from snakemake.cli import main

    sys.argv = ["snakemake", *arguments]
    main()
