"""The DAG of the rules as a picture: a column a stage, without arrows that others imply."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from prevalence.audit.graph import Graph

STAGES = ("ingest", "clean", "weight", "estimate", "model", "release", "figures", "report", "audit")
Edges = set[tuple[str, str]]


def rules_of(graph: Graph) -> tuple[list[str], Edges, dict[str, str]]:
    """Reduce the jobs of a run to its rules.

    Parameters
    ----------
    graph
        The run's jobs.

    Returns
    -------
    tuple
        Names of the rules in the order of the jobs, which follows which, and the stage of each:
        the folder of its script.
    """
    rules = list(dict.fromkeys(job.rule for job in graph.jobs))
    stages = {job.rule: job.script.split("/")[-2] for job in graph.jobs}
    makers = [(graph.maker(path), job) for job in graph.jobs for path in job.inputs]
    edges = {(first.rule, then.rule) for first, then in makers if first is not None}
    return rules, edges, stages


def reduced(edges: Collection[tuple[str, str]]) -> Edges:
    """Leave out the edges that a longer way already implies.

    Parameters
    ----------
    edges
        Pairs (first, then) of an acyclic graph.

    Returns
    -------
    set
        The transitive reduction.
    """
    after: dict[str, set[str]] = {}
    for first, then in edges:
        after.setdefault(first, set()).add(then)

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = list(after.get(start, ()))
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


def places(rules: Sequence[str], stages: Mapping[str, str]) -> dict[str, tuple[float, float]]:
    """Place each rule: columns are stages and centred; the audit's rules stand below.

    Parameters
    ----------
    rules
        Names of the rules.
    stages
        Stage of each.

    Returns
    -------
    dict
        Column and height of each rule.
    """
    found = {}
    for column, stage in enumerate(_columns(stages)):
        members = [rule for rule in rules if stages[rule] == stage]
        for row, rule in enumerate(members):
            found[rule] = (float(column), (len(members) - 1) / 2 - row)
    lowest = min((height for _, height in found.values()), default=0.0)
    for number, rule in enumerate(rule for rule in rules if stages[rule] == "audit"):
        found[rule] = (1.0 + number, lowest - 1.4)
    return found


def _columns(stages: Mapping[str, str]) -> list[str]:
    return [stage for stage in STAGES if stage in stages.values() and stage != "audit"]


def drawn(rules: Sequence[str], edges: Edges, stages: Mapping[str, str]) -> bytes:
    """Draw the rules as SVG, the same bytes each time.

    Parameters
    ----------
    rules
        Names of the rules.
    edges
        Which follows which.
    stages
        Stage of each rule.

    Returns
    -------
    bytes
        The SVG.
    """
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt
    from matplotlib.patches import FancyArrowPatch

    settings: Any = {"svg.hashsalt": "dag", "svg.fonttype": "path", "font.size": 7.5}
    where = places(rules, stages)
    columns = _columns(stages)
    heights = [height for _, height in where.values()]
    with mpl.rc_context(settings):
        size = (1.62 * len(columns), 0.42 * (max(heights) - min(heights)) + 1.2)
        figure, axes = plt.subplots(figsize=size)
        for first, then in sorted(reduced(edges)):
            apart = where[first][0] != where[then][0]
            arrow = FancyArrowPatch(
                where[first],
                where[then],
                connectionstyle="arc3,rad=0.06",
                arrowstyle="-|>",
                mutation_scale=7,
                shrinkA=30 if apart else 9,
                shrinkB=34 if apart else 9,
                color="#8a94a0",
                linewidth=0.8,
            )
            axes.add_patch(arrow)
        box = {"boxstyle": "round,pad=0.35", "facecolor": "#eef3f8", "edgecolor": "#33587a"}
        for rule, (column, height) in where.items():
            words = rule.replace("_", "\n", 1)
            axes.text(column, height, words, ha="center", va="center", bbox=box, linespacing=1.05)
        for column, stage in enumerate(columns):
            top = max(heights) + 0.95
            axes.text(column, top, stage, ha="center", fontweight="bold", fontsize=9)
        axes.set_xlim(-0.6, len(columns) - 0.4)
        axes.set_ylim(min(heights) - 0.7, max(heights) + 1.4)
        axes.axis("off")
        stream = io.BytesIO()
        title = "Rules: " + " ".join(sorted(rules))
        metadata = {"Date": None, "Creator": None, "Title": title}
        figure.savefig(stream, format="svg", bbox_inches="tight", metadata=metadata)
        plt.close(figure)
    return stream.getvalue()
