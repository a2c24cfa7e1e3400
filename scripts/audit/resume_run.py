"""Unlock and complete a run that was killed; refuse while a run is alive."""

import os
import subprocess
import sys
from pathlib import Path

from prevalence.errors import PipelineError, listed


def runs_alive(folder: Path) -> list[int]:
    """Process ids of snakemake runs whose working folder is `folder`."""
    import psutil

    alive = []
    for process in psutil.process_iter(["pid", "cmdline", "cwd"]):
        words = process.info["cmdline"] or []
        is_run = any(Path(word).name == "snakemake" for word in words[:3])
        if is_run and process.info["cwd"] == str(folder) and process.pid != os.getpid():
            alive.append(process.pid)
    return alive


def main() -> int:
    """Check, unlock, run; return the exit code of the run."""
    folder = Path.cwd()
    alive = runs_alive(folder)
    if alive:
        error = PipelineError(
            "A run is still alive in this folder.",
            file=folder,
            found=f"process {listed(alive)}",
            remedy="Wait until it ends, or stop it with Ctrl-C, then call this again.",
        )
        print(error, file=sys.stderr)
        return 1
    snakemake = str(Path(sys.executable).with_name("snakemake"))
    subprocess.run([snakemake, "--unlock", "--quiet"], check=True)
    return subprocess.run([snakemake, *sys.argv[1:]], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
