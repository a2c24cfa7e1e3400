"""A scratch copy of the project with the tiny survey, on which tests of the DAG run."""

import re
import shutil
import subprocess
from pathlib import Path

import forked

ROOT = Path(__file__).parents[1]
PARTS = [
    "Snakefile",
    "workflow",
    "scripts",
    "src",
    "profiles",
    "requirements.lock",
    "environment.yml",
    "reports",
    "config",
]


class Project:
    """A folder with a project in it, and snakemake to run there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __truediv__(self, path: str) -> Path:
        return self.folder / path

    def snakemake(self, *arguments: str, cores: int = 2, env=None) -> subprocess.CompletedProcess:
        return forked.run(self.folder, ["--cores", str(cores), *arguments], env)

    def run(self, *arguments: str, cores: int = 2) -> str:
        done = self.snakemake(*arguments, cores=cores)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
        return done.stdout + done.stderr

    def planned(self, *arguments: str) -> set[str]:
        """Rules that a run would execute."""
        text = self.run("--dry-run", *arguments)
        if "Nothing to be done" in text:
            return set()
        table = re.search(r"Job stats:\njob\s+count\n[-\s]+\n(.*?)\ntotal", text, re.S)
        assert table, text[-2000:]
        return {line.split()[0] for line in table[1].splitlines()} - {"all", "tiny"}

    def outputs(self) -> dict[str, bytes]:
        """Content of every file that a run made, logs and timings aside."""
        made = {}
        for top in ("data/processed", "reports/tiny"):
            for path in sorted((self.folder / top).rglob("*")):
                if path.is_file() and path.name != "README.md":
                    made[str(path.relative_to(self.folder))] = path.read_bytes()
        return made


def copy_project(folder: Path) -> Project:
    ignore = shutil.ignore_patterns("__pycache__", "ph2022", "rwanda2011", "tiny", ".*")
    for part in PARTS:
        source, target = ROOT / part, folder / part
        if source.is_dir():
            shutil.copytree(source, target, ignore=ignore)
        elif source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    tiny = ROOT / "tests" / "surveys" / "tiny"
    for survey in (folder / "config" / "surveys").glob("*.yaml"):
        survey.unlink()
    shutil.copytree(tiny, folder, dirs_exist_ok=True)
    (folder / "config" / "config.yaml").write_text(
        "surveys: [tiny]\nseed: 20230907\nrenderer: builtin\n"
    )
    return Project(folder)
