"""Draw docs/figures/dag.svg: the rules, a column a stage, from Snakemake's own graph."""

import os
import re
import subprocess
import sys
from pathlib import Path

from prevalence.files import replacing

STAGES = ["ingest", "clean", "weight", "estimate", "model", "release", "figures", "report", "audit"]
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
    """Stage of each rule: the name of the file in which it stands, publish counted as report."""
    stages = {}
    for path in sorted(Path("workflow/rules").glob("*.smk")):
        for name in re.findall(r"^rule (\w+):", path.read_text(), flags=re.M):
            if name in rules:
                stages[name] = {"publish": "report"}.get(path.stem, path.stem)
    return stages


def reduced(edges: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Edges without those that a longer way already implies."""
    after: dict[str, set[str]] = {}
    for first, then in edges:
        after.setdefault(first, set()).add(then)

    def reached(start: str) -> set[str]:
        seen, waiting = set(), list(after.get(start, ()))
        while waiting:
            here = waiting.pop()
            if here not in seen:
                seen.add(here)
                waiting += after.get(here, ())
        return seen

    return {
        (first, then)
        for first, then in edges
        if not any(then in reached(other) for other in after[first] - {then})
    }


def places(rules: list[str], stages: dict[str, str]) -> dict[str, tuple[float, float]]:
    """Column and height of each rule; columns are centred."""
    columns = [stage for stage in STAGES if stage in stages.values() and stage != "audit"]
    found = {}
    for column, stage in enumerate(columns):
        members = [rule for rule in rules if stages[rule] == stage]
        for row, rule in enumerate(members):
            found[rule] = (float(column), (len(members) - 1) / 2 - row)
    lowest = min(height for _, height in found.values())
    for number, rule in enumerate(rule for rule in rules if stages[rule] == "audit"):
        found[rule] = (1.0 + number, lowest - 1.4)
    return found


def draw(survey: str) -> None:
    """Draw the picture."""
    os.environ["SOURCE_DATE_EPOCH"] = "1694044800"
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt
    from matplotlib.patches import FancyArrowPatch

    rules, edges = rule_graph(survey)
    stages = stage_of(rules)
    where = places(rules, stages)
    columns = [stage for stage in STAGES if stage in stages.values() and stage != "audit"]
    mpl.rcParams.update({"svg.hashsalt": "dag", "svg.fonttype": "path", "font.size": 7.5})
    heights = [height for _, height in where.values()]
    figure, axes = plt.subplots(
        figsize=(1.62 * len(columns), 0.42 * (max(heights) - min(heights)) + 1.2)
    )
    for first, then in sorted(reduced(edges)):
        axes.add_patch(
            FancyArrowPatch(
                where[first],
                where[then],
                connectionstyle="arc3,rad=0.06",
                arrowstyle="-|>",
                mutation_scale=7,
                shrinkA=30 if where[first][0] != where[then][0] else 9,
                shrinkB=34 if where[first][0] != where[then][0] else 9,
                color="#8a94a0",
                linewidth=0.8,
            )
        )
    for rule, (column, height) in where.items():
        box = {"boxstyle": "round,pad=0.35", "facecolor": "#eef3f8", "edgecolor": "#33587a"}
        axes.text(
            column,
            height,
            rule.replace("_", "\n", 1),
            ha="center",
            va="center",
            bbox=box,
            linespacing=1.05,
        )
    for column, stage in enumerate(columns):
        axes.text(column, max(heights) + 0.95, stage, ha="center", fontweight="bold", fontsize=9)
    axes.set_xlim(-0.6, len(columns) - 0.4)
    axes.set_ylim(min(heights) - 0.7, max(heights) + 1.4)
    axes.axis("off")
    with replacing(TARGET_FILE) as partial:
        figure.savefig(
            partial,
            bbox_inches="tight",
            metadata={"Date": None, "Creator": None, "Title": "Rules: " + " ".join(sorted(rules))},
        )


if __name__ == "__main__":
    draw(sys.argv[1] if len(sys.argv) > 1 else "ph2022")
