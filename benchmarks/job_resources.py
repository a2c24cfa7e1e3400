"""Memory and time that the cluster profiles ask for, rule by rule, from a run's own benchmarks.

    snakemake --cores 1 && python benchmarks/job_resources.py     after a whole run, here
    python benchmarks/job_resources.py --run FOLDER               of a run elsewhere

Snakemake notes peak memory and seconds of every job under logs/; all surveys there count. A rule
asks for half as much again as its largest job took, and 300 MB for the two Snakemake processes that
start a job on a node, rounded up to 100 MB, 500 MB at least; for ten times its seconds, 5 minutes
at least. Each further attempt asks for that much more. Written into profiles/*/config.yaml between
two marked lines.
"""

import argparse
import datetime
import math
import platform
import re
from pathlib import Path

from provenance import ROOT

from prevalence.audit.machine import resources
from prevalence.files import write_text

PROFILES = [ROOT / "profiles" / name / "config.yaml" for name in ("slurm", "kubernetes")]
BEGIN, END = "# measured: begin\n", "# measured: end\n"
STARTING_MB, SHARE, STEP_MB, FEWEST_MB = 300, 1.5, 100, 500
TIMES, FEWEST_MINUTES = 10, 5


def measured(folder, rules):
    """Largest memory in MB and longest time in seconds of each rule's jobs, and whose they are."""
    texts = {
        path.relative_to(folder / "logs").with_suffix("").as_posix(): path.read_text()
        for path in sorted((folder / "logs").rglob("*.tsv"))
    }
    found, surveys = {}, set()
    for row in resources(texts):
        job = row["job"].split("/")[-1]
        matching = [name for name in rules if re.match(rf"{name}(_|$)", job)]
        rule = max(matching, key=len, default=None)
        if rule is not None:
            memory, seconds = found.get(rule, (0.0, 0.0))
            found[rule] = max(memory, row["peak_mb"] or 0), max(seconds, row["seconds"] or 0)
            surveys.add(row["job"].split("/")[0])
    return found, sorted(surveys)


def asked(memory, seconds):
    """Megabytes and minutes that a rule asks for."""
    megabytes = STEP_MB * math.ceil((SHARE * memory + STARTING_MB) / STEP_MB)
    return max(FEWEST_MB, megabytes), max(FEWEST_MINUTES, math.ceil(TIMES * seconds / 60))


def block(found, surveys):
    """Write the lines of a profile."""
    today = datetime.date.today().isoformat()
    lines = [
        BEGIN,
        f"# By benchmarks/job_resources.py, {today}, {platform.machine()}, from a run of "
        f"{', '.join(surveys)};\n",
        "# docs/cluster.md says how. Behind each line the largest memory that a job of it took.\n",
        "set-resources:\n",
    ]
    for rule, (memory, seconds) in sorted(found.items()):
        megabytes, minutes = asked(memory, seconds)
        lines += [
            f"  {rule}:\n",
            f"    mem_mb: {megabytes} * attempt  # {memory:.0f} MB\n",
            f"    runtime: {minutes} * attempt\n",
        ]
    return "".join([*lines, END])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, default=ROOT, help="folder in which the run was made")
    options = parser.parse_args()
    rules = {path.stem for path in (ROOT / "scripts").glob("*/*.py")}
    lines = block(*measured(options.run, rules))
    for profile in PROFILES:
        text = profile.read_text()
        before, rest = text.split(BEGIN)
        write_text(before + lines + rest.split(END)[1], profile)
        print(f"{profile.relative_to(ROOT)}: {lines.count('mem_mb')} rules")


if __name__ == "__main__":
    main()
