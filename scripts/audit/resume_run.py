"""Unlock and complete a run that was killed; refuse while a run is alive."""

import os
import re
import subprocess
import sys
from pathlib import Path

from prevalence.errors import PipelineError, listed

# As `prevalence.files.replacing` and the PDF's own source name them.
HALF_WRITTEN = re.compile(r"\..*\.partial\d+.*|\.\d+\.typ")


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


def clear_half_written(folder: Path) -> int:
    """Delete what a killed job was writing beside its target; return how many files that were."""
    left = [
        path
        for top in ("data/processed", "reports")
        for path in (folder / top).rglob(".*")
        if path.is_file() and HALF_WRITTEN.fullmatch(path.name)
    ]
    for path in left:
        path.unlink()
    return len(left)


def main() -> int:
    """Check, clear, unlock, and become the run, so that a signal reaches it; 1 if one is alive."""
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
    cleared = clear_half_written(folder)
    if cleared:
        print(f"{cleared} half-written files of the killed run were deleted")
    snakemake = str(Path(sys.executable).with_name("snakemake"))
    subprocess.run([snakemake, "--unlock", "--quiet"], check=True)
    sys.stdout.flush()
    return os.execv(snakemake, [snakemake, *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
