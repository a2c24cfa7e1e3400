"""Compare two runs of a survey by exhibit: what changed, why, and a line for the changelog."""

import argparse
import csv
import sys
from pathlib import Path

from prevalence.audit.contents import read_table, sha256
from prevalence.audit.graph import Graph, jobs_from
from prevalence.audit.record import Manifest, manifest_from
from prevalence.audit.runs import Run, difference, markdown
from prevalence.errors import PipelineError
from prevalence.files import read_json, write_text

FILE = "manifest.json"


def manifest_path(given: Path) -> Path:
    """Find the manifest of a run: the file itself, or in its folder or the folder's ``audit/``."""
    for path in (given, given / FILE, given / "audit" / FILE):
        if path.is_file():
            return path
    raise PipelineError(
        "There is no run to compare.",
        file=given,
        found="no manifest.json there or in its folder audit/",
        allowed="a manifest, an audit's folder, or a copy of data/processed/<survey>/",
        remedy="Record the run first: snakemake audit.",
    )


def at_hand(manifest: Manifest, folder: Path) -> dict[str, object]:
    """Read the released tables beside a manifest that are the ones it speaks of."""
    found = {}
    for path in set(manifest.exhibits.values()):
        name = Path(path).name
        place = "release" if "/tables/" in path else "staged/figures"
        file = folder / place / name
        if file.is_file() and sha256(file.read_bytes()) == manifest.outputs.get(path):
            found[path] = read_table(name, file.read_bytes())
    return found


def corrections(survey: str) -> list[dict[str, str]]:
    """Read the corrections of raw data with their reasons."""
    path = Path("data/raw") / survey / "CORRECTIONS.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def read_run(given: str) -> tuple[Run, Path]:
    """Read a run with what is at hand of it; also its audit's folder."""
    path = manifest_path(Path(given))
    manifest = manifest_from(read_json(path), path)
    tables = at_hand(manifest, path.parent.parent)
    return Run(manifest, tables), path.parent


def main() -> int:
    """Parse the command line and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--survey", default="ph2022")
    parser.add_argument("--old", default="", help="manifest or folder; else the committed one")
    parser.add_argument("--new", default="", help="manifest or folder; else what stands here")
    given = parser.parse_args()
    here = Path("data/processed") / given.survey
    committed = sorted(Path("data/reference").glob(f"manifest.{given.survey}.*.json"))
    try:
        old, _ = read_run(given.old or str(next(iter(committed), "OLD")))
        new, folder = read_run(given.new or str(here))
        jobs = folder / "jobs.json"
        graph = Graph(jobs_from(read_json(jobs)) if jobs.exists() else [])
        before = old.manifest.inputs
        changed = [
            row
            for row in corrections(given.survey)
            if row["sha256_before"] == before.get(f"data/raw/{given.survey}/{row['file']}")
        ]
        found = difference(old, Run(new.manifest, new.tables, changed), graph)
        text = markdown(found, old.manifest, new.manifest)
        write_text(text, here / "audit" / "diff.md")
    except PipelineError as error:
        print(error, file=sys.stderr)
        return 1
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
