"""Panels side by side whose rows have the same labels: two groups, or two summaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from prevalence.figures.forest import Entry, marks
from prevalence.figures.style import (
    BAND,
    BODY,
    HEADING,
    MARGIN,
    MUTED,
    SMALL,
    Sheet,
    line_height,
    number_axis,
    text_width,
    wrapped,
)

GAP = 0.22
WIDEST_LABEL = 1.7
SLACK = 1.03  # so that a label as wide as its column isn't broken


@dataclass(frozen=True)
class Panel:
    """One of the panels.

    Parameters
    ----------
    title, axis
        What it shows, and its axis title with the unit.
    entries
        A mark or several in each row, from top to bottom.
    scale
        Ends of the axis.
    line, line_text, band
        A dashed line, what it is, and a shaded range.
    """

    title: str
    axis: str
    entries: Sequence[Entry]
    scale: tuple[float, float]
    line: float | None = None
    line_text: str = ""
    band: tuple[float, float] | None = None


def side_by_side(
    sheet: Sheet,
    labels: Sequence[str],
    panels: Sequence[Panel],
    *,
    pitch: float,
    label_size: float = BODY,
) -> None:
    """Draw panels in pairs; more than two go on below.

    Parameters
    ----------
    sheet
        The sheet; it goes on below the axis titles.
    labels
        Of the rows, written once for each pair.
    panels
        Each with an entry for every label.
    pitch
        Least height of a row in inches.
    label_size
        Of the labels' type.
    """
    widest = max((text_width(label, label_size) for label in labels), default=0.0)
    column = min(widest, WIDEST_LABEL)
    names = [wrapped(label, SLACK * column, label_size) for label in labels]
    heights = [max(pitch, len(lines) * line_height(label_size) + 0.05) for lines in names]
    across = 2 if len(panels) > 1 else 1
    start = MARGIN + column + 0.12
    room = (sheet.width - MARGIN - start - GAP * (across - 1) - 0.08) / across
    sheet.clear_mark()
    for first in range(0, len(panels), across):
        pair = panels[first : first + across]
        lefts = [start + number * (room + GAP) for number in range(len(pair))]
        titles = [wrapped(panel.title, room, HEADING, "bold") for panel in pair]
        top = sheet.top + max(map(len, titles)) * line_height(HEADING)
        for left, lines in zip(lefts, titles, strict=True):
            head = top - len(lines) * line_height(HEADING)
            sheet.write("\n".join(lines), left, head, size=HEADING, weight="bold")
        sheet.skip(top - sheet.top + 0.03)
        for number, (left, panel) in enumerate(zip(lefts, pair, strict=True)):
            _panel(sheet, panel, left, room, heights, names if number == 0 else [], label_size)
        sheet.skip(line_height(SMALL) + sum(heights) + 0.23)
        under = [wrapped(panel.axis, room, SMALL) for panel in pair]
        for left, lines in zip(lefts, under, strict=True):
            sheet.write("\n".join(lines), left, sheet.top, size=SMALL, colour=MUTED)
        sheet.skip(max(map(len, under)) * line_height(SMALL) + 0.08)


def _panel(
    sheet: Sheet,
    panel: Panel,
    left: float,
    room: float,
    heights: Sequence[float],
    names: Sequence[Sequence[str]],
    label_size: float,
) -> None:
    here = sheet.top
    sheet.top += line_height(SMALL)
    axes = sheet.axes(sum(heights) + 0.02, left, sheet.width - left - room, advance=False)
    sheet.top = here
    low, high = panel.scale
    number_axis(axes, low, high, room)
    if panel.band is not None:
        axes.axvspan(*panel.band, color=BAND, lw=0, zorder=-3)
    if panel.line is not None:
        axes.axvline(panel.line, color=MUTED, lw=0.9, ls=(0, (4, 3)), zorder=-1)
        half = text_width(panel.line_text, SMALL) / 2
        spot = left + room * (panel.line - low) / (high - low)
        spot = min(max(spot, left + half), left + room - half)
        sheet.write(panel.line_text, spot, here - 0.02, size=SMALL, colour=MUTED, align="center")
    middles = [sum(heights[:place]) + height / 2 for place, height in enumerate(heights)]
    for middle, entry in zip(middles, panel.entries, strict=True):
        axes.axhline(middle, color="#edf0f3", lw=0.7, zorder=-4)
        marks(axes, entry, middle)
    for middle, lines in zip(middles, names, strict=False):
        sheet.at(axes, "\n".join(lines), MARGIN, middle, size=label_size)
