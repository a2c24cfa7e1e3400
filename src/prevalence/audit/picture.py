"""The DAG of the rules as a picture: a column a stage, without arrows that others imply."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from prevalence.audit.graph import Graph

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STAGES = ("ingest", "clean", "weight", "estimate", "model", "release", "figures", "report", "audit")
Edges = set[tuple[str, str]]
# Inches a column and a row; half a box in columns and rows; how far arrows bend, in columns.
WIDE, TALL = 1.42, 0.42
HALF, LOW, BEND = 0.36, 0.42, 0.08


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
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    settings: Any = {"svg.hashsalt": "dag", "svg.fonttype": "path", "font.size": 8.0}
    where = places(rules, stages)
    columns = _columns(stages)
    heights = [height for _, height in where.values()]
    highest, lowest = max(heights, default=0.0), min(heights, default=0.0)
    arrows = reduced(edges)
    lanes = _lanes(arrows, where, lowest)
    bottom = min([lowest, *lanes.values()])
    with mpl.rc_context(settings):
        size = (WIDE * len(columns), TALL * (highest - bottom + 2.2))
        figure = Figure(figsize=size)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_xlim(-0.5, len(columns) - 0.5)
        axes.set_ylim(bottom - 0.6, highest + 1.6)
        axes.axis("off")
        for first, then in sorted(arrows):
            _arrow(axes, where[first], where[then], lanes.get((first, then)))
        for rule, (column, height) in where.items():
            _box(axes, column, height, rule.replace("_", "\n", 1).replace("_", " "))
        for column, stage in enumerate(columns):
            look: Any = {"ha": "center", "fontweight": "bold", "fontsize": 10}
            axes.text(column, highest + 1.0, stage, **look)
        stream = io.BytesIO()
        title = "Rules: " + " ".join(sorted(rules))
        metadata = {"Date": None, "Creator": None, "Title": title}
        figure.savefig(stream, format="svg", metadata=metadata)
    return stream.getvalue()


def _lanes(
    arrows: Edges, where: Mapping[str, tuple[float, float]], lowest: float
) -> dict[tuple[str, str], float]:
    """Give each arrow that leaves out a column a lane of its own below the columns.

    An arrow from or to a box that stands below the columns runs at the height of that box.
    """
    columns = {name: column for name, (column, _) in where.items()}
    low = {name for name, (_, height) in where.items() if height <= lowest}
    found: dict[tuple[str, str], float] = {}
    far = [(a, b) for a, b in sorted(arrows) if columns[b] - columns[a] > 1]
    free = lowest - 0.55 if low else lowest - 0.75
    for first, then in far:
        if first in low or then in low:
            found[first, then] = lowest
        else:
            found[first, then] = free
            free -= 0.3
    return found


def _box(axes: Axes, column: float, height: float, words: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    look: Any = {"facecolor": "#eef3f8", "edgecolor": "#33587a", "linewidth": 0.9}
    corner = (column - HALF, height - LOW)
    rounding = "round,pad=0,rounding_size=0.03"
    axes.add_patch(FancyBboxPatch(corner, 2 * HALF, 2 * LOW, boxstyle=rounding, **look))
    axes.text(column, height, words, ha="center", va="center", linespacing=1.05)


def _arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], lane: float | None
) -> None:
    """Draw an arrow from the side of a box to the side of another; none passes behind a box."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    (x0, y0), (x1, y1) = (start[0] + HALF, start[1]), (end[0] - HALF, end[1])
    curve, line, begin = Path.CURVE4, Path.LINETO, Path.MOVETO
    if lane is not None:
        left, right = x0 + BEND, x1 - BEND
        points = [
            (x0, y0),
            *[(left, y0), (left, y0), (left, (y0 + lane) / 2)],
            *[(left, lane), (left, lane), (left + BEND, lane)],
            (right - BEND, lane),
            *[(right, lane), (right, lane), (right, (y1 + lane) / 2)],
            *[(right, y1), (right, y1), (x1, y1)],
        ]
        codes = [begin, *[curve] * 6, line, *[curve] * 6]
    elif start[0] == end[0]:
        if abs(start[1] - end[1]) <= 1:  # the next box of the column
            step = LOW if end[1] < start[1] else -LOW
            points = [(start[0], start[1] - step), (end[0], end[1] + step)]
            codes = [begin, line]
        else:  # around the boxes between
            out = start[0] - HALF - BEND
            points = [(start[0] - HALF, y0), (out, y0), (out, y1), (x1, y1)]
            codes = [begin, curve, curve, curve]
    else:
        middle = (x0 + x1) / 2
        points = [(x0, y0), (middle, y0), (middle, y1), (x1, y1)]
        codes = [begin, curve, curve, curve]
    look: Any = {"arrowstyle": "-|>", "mutation_scale": 8, "color": "#7b8792", "linewidth": 0.9}
    axes.add_patch(FancyArrowPatch(path=Path(points, codes), **look))
