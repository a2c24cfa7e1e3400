"""Draw docs/figures/dag.svg: the rules, a column a stage, from Snakemake's own graph."""

import os
import re
import subprocess
import sys
from pathlib import Path

from prevalence.audit.picture import drawn
from prevalence.files import replacing

TARGETS = {"all"}
TARGET_FILE = Path("docs/figures/dag.svg")


def rule_graph(survey: str) -> tuple[list[str], set[tuple[str, str]]]:
    """Rules of a survey and which follows which, from ``snakemake --rulegraph``."""
    snakemake = [sys.executable, "-m", "snakemake", "--rulegraph", "dot", survey, "--forceall"]
    text = subprocess.run(snakemake, check=True, capture_output=True, text=True).stdout
    names = dict(re.findall(r'(\d+)\[label = "(\w+)', text))
    edges = {(names[a], names[b]) for a, b in re.findall(r"(\d+) -> (\d+)", text)}
    left_out = TARGETS | {survey}
    rules = [name for name in names.values() if name not in left_out]
    return rules, {edge for edge in edges if not left_out & set(edge)}


def stage_of(rules: list[str]) -> dict[str, str]:
    """Stage of each rule: the folder of its script."""
    scripts = {path.stem: path.parent.name for path in sorted(Path("scripts").glob("*/*.py"))}
    return {rule: scripts[rule] for rule in rules}


def draw(survey: str) -> None:
    """Draw the picture."""
    os.environ["SOURCE_DATE_EPOCH"] = "1694044800"
    rules, edges = rule_graph(survey)
    with replacing(TARGET_FILE) as partial:
        partial.write_bytes(drawn(rules, edges, stage_of(rules)))


if __name__ == "__main__":
    draw(sys.argv[1] if len(sys.argv) > 1 else "ph2022")
