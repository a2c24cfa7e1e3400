"""How it was measured: who was interviewed, how they were weighted, how many people they know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from prevalence.figures.forest import hatched, plain_row
from prevalence.figures.idea import steps
from prevalence.figures.legend import key
from prevalence.figures.networks import histogram
from prevalence.figures.quality import heat_map
from prevalence.figures.style import (
    BODY,
    COLOURS,
    MARGIN,
    MUTED,
    SMALL,
    Drawing,
    Sheet,
    line_height,
    number_axis,
    text_width,
    wrapped,
)
from prevalence.figures.words import Words
from prevalence.report.names import STEPS, in_words, steps_named
from prevalence.report.wording import capitalised

if TYPE_CHECKING:
    import pandas as pd

LOST = COLOURS[1]


def nsum(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Draw the method in one picture, for someone who never heard of it."""
    return steps(tables, words)


def data_quality(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """How each count question was answered."""
    return heat_map(tables, words)


def sample_flow(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Draw what remains after each step of sampling, fieldwork and screening, and what was lost."""
    table = tables["sample_flow"]
    rows = [plain_row(row) for row in table.to_dict("records")]
    sheet = Sheet(words)
    most = max(float(row["n"] or 0) + float(row["excluded"] or 0) for row in rows)
    labels = [wrapped(capitalised(str(row["label"])), 2.0, BODY, _weight(row)) for row in rows]
    left = MARGIN + max(text_width(t, BODY, "bold") for lines in labels for t in lines) + 0.15
    right = MARGIN + text_width(f"{most:,.0f}", BODY, "bold") + 0.12
    heights = [len(lines) * line_height(BODY) + 0.09 for lines in labels]
    axes = sheet.axes(sum(heights), left, right)
    number_axis(axes, 0, most, sheet.width - left - right)
    place = 0.0
    for row, lines, height in zip(rows, labels, heights, strict=True):
        middle = place + height / 2
        indent = MARGIN + (0.12 if _lost(row) else 0.0)
        sheet.at(axes, "\n".join(lines), indent, middle, weight=_weight(row))
        side = sheet.width - MARGIN
        if row["n"] is None:
            hatched(axes, middle)
        elif _lost(row):
            bar: dict[str, Any] = {
                "left": row["n"],
                "height": 0.12,
                "color": LOST,
                "label": "_excluded",
                "lw": 0.6,
            }
            bar["edgecolor"] = LOST if row["excluded"] else "none"
            axes.barh(middle, row["excluded"], **bar)
            text = f"−{row['excluded']:,.0f}" if row["excluded"] else "0"
            sheet.at(axes, text, side, middle, ha="right", color="#9a4d10")
        else:
            axes.barh(middle, row["n"], height=0.15, color=COLOURS[0], label="_remaining")
            text = f"{row['n']:,.0f}"
            sheet.at(axes, text, side, middle, ha="right", weight=_weight(row))
        place += height
    unit = "households or interviews" if (table["stage"] == "sample").any() else "interviews"
    sheet.below_axis(unit, left)
    key(sheet, [(f"fill:{COLOURS[0]}", "remaining"), (f"fill:{LOST}", "excluded at this step")])
    for row in rows:
        if not _lost(row) and row["reason"]:
            sheet.note(f"{capitalised(str(row['label']))}: {row['reason']}.")
    first, last = rows[0], rows[-1]
    shown = [row for row in rows if row["n"] is not None]
    lost = max(shown, key=lambda row: float(row["excluded"] or 0))
    most_lost = (
        f" The largest step: {lost['excluded']:,.0f} {lost['label']}." if lost["excluded"] else ""
    )
    return Drawing(
        sheet.close(),
        table,
        alt=f"From {_count(first)} {first['label']} to {_count(last)} {last['label']} in "
        f"{len(rows)} steps.{most_lost}",
        caption="From the sample to the analysed interviews: what remains, and what was excluded "
        f"at each step, from {_count(first)} {first['label']} to {_count(last)} {last['label']}",
    )


def _lost(row: Mapping[str, Any]) -> bool:
    milestones = ("sampled", "completed", "export", "analysed")
    return row["code"] not in milestones


def _weight(row: Mapping[str, Any]) -> str:
    return "normal" if _lost(row) else "bold"


def _count(row: Mapping[str, Any]) -> str:
    return "a withheld number of" if row["n"] is None else f"{row['n']:,.0f}"


def weights(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Spread of the weights after each step, and what it costs in precision."""
    table = tables["weighting"]
    rows = _changing([plain_row(row) for row in table.to_dict("records")])
    sheet = Sheet(words)
    steps_known = steps_named(row["mean"] for row in rows)
    supplied = steps_known != STEPS
    names = [wrapped(in_words(steps_known, row["step"]), 1.35) for row in rows]
    left = MARGIN + max(text_width(line) for lines in names for line in lines) + 0.12
    heads = ("design\neffect", "effective\nrespondents")
    columns = [text_width(line, SMALL) for head in heads for line in head.split("\n")]
    first, second = max(columns[:2]), max(columns[2:])
    right = MARGIN + first + second + 0.3
    sheet.clear_mark()
    ends = (sheet.width - MARGIN - second - 0.16, sheet.width - MARGIN)
    for head, end in zip(heads, ends, strict=True):
        sheet.write(head, end, sheet.top, size=SMALL, colour=MUTED, align="right")
    sheet.skip(2 * line_height(SMALL) + 0.02)
    heights = [max(0.26, len(lines) * line_height(BODY) + 0.09) for lines in names]
    axes = sheet.axes(sum(heights), left, right)
    highest = 1.02 * max(row["max"] for row in rows)
    million = number_axis(axes, 0, highest, sheet.width - left - right)
    place = 0.0
    for row, lines, height in zip(rows, names, heights, strict=True):
        middle = place + height / 2
        sheet.at(axes, "\n".join(lines), MARGIN, middle)
        whole, most = [row["min"], row["max"]], [row["p05"], row["p95"]]
        axes.plot(whole, [middle] * 2, color=COLOURS[0], lw=1, label="_all")
        bar: dict[str, Any] = {
            "color": COLOURS[0],
            "lw": 6,
            "solid_capstyle": "butt",
            "label": "_middle",
        }
        axes.plot(most, [middle] * 2, **bar)
        axes.plot(row["median"], middle, "|", color="white", ms=6, mew=2, label="_median")
        sheet.at(axes, f"{row['deff_kish']:.2f}", ends[0], middle, ha="right")
        sheet.at(axes, f"{row['effective_n']:,.0f}", ends[1], middle, ha="right")
        place += height
    people = f"{million}people for whom a respondent stands"
    unit = "weight, without a unit" if supplied else people
    sheet.below_axis(f"{unit} (line: smallest to largest)", left)
    key(sheet, [(f"fill:{COLOURS[0]}", "middle 90% of the weights, white mark at the median")])
    last = rows[-1]
    return Drawing(
        sheet.close(),
        table,
        alt=f"Spread of the weights{_after(rows)}. At the end the middle 90% lie between "
        f"{_weight_text(last['p05'])} and {_weight_text(last['p95'])}; the design effect of "
        f"unequal weights is {last['deff_kish']:.2f}, so that {last['n']:,.0f} respondents "
        f"are worth {last['effective_n']:,.0f}.",
        caption="Weights after each step. Kish’s design effect says by what factor unequal weights "
        "raise the variance; effective respondents are the number divided by it. At the end it "
        f"is {last['deff_kish']:.2f}: {last['n']:,.0f} respondents are worth "
        f"{last['effective_n']:,.0f}",
    )


def _after(rows: list[dict[str, Any]]) -> str:
    return f" after {len(rows)} steps" if len(rows) > 1 else ""


def _weight_text(value: float) -> str:
    return f"{value:,.0f}" if value > 10 else f"{value:.2f}"


def _changing(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out steps that change nothing."""
    kept: list[dict[str, Any]] = []
    for row in rows:
        values = {name: value for name, value in row.items() if name != "step"}
        if not kept or any(kept[-1][name] != value for name, value in values.items()):
            kept.append(row)
    return kept


def degree_distribution(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """How many people respondents know, as a weighted histogram."""
    return histogram(tables, words)
