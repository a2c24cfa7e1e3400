"""Estimates with their intervals, a row each: the form of most figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from prevalence.figures.style import (
    BAND,
    BODY,
    COLOURS,
    FAINT,
    MARGIN,
    MUTED,
    SMALL,
    TICK,
    Sheet,
    line_height,
    number_axis,
    text_width,
    wrapped,
)
from prevalence.report.wording import interval, point, withheld, without_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# An interval that reaches beyond so many times the largest estimate is cut, with an arrow.
FARTHEST = 2.5
HATCH = "////"
BROKEN = (0, (1.2, 0.8))  # a line in lengths of its width
CROSSES = ("P", "X")  # markers whose arms a thick edge would close
SIZES = {"o": 6.0, "s": 6.0, "*": 8.0, TICK: 7.5}  # of markers that look smaller than others


@dataclass(frozen=True)
class Entry:
    """A row of the figure.

    Parameters
    ----------
    label
        What is estimated.
    row
        `estimate`, `lower`, `upper` and, where known, `unit`, `suppressed`, `precision`.
    text
        The numbers in words; lines of it stand below each other.
    colour, marker, filled
        Of the mark.
    bold
        Whether the label is emphasised.
    heading
        Whether the row is only a heading.
    beside
        Further marks in the same row, a little below each other.
    """

    label: str
    row: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    colour: str = COLOURS[0]
    marker: str = "o"
    filled: bool = True
    bold: bool = False
    heading: bool = False
    beside: Sequence[Entry] = ()


def suppressed(row: Mapping[str, Any]) -> str:
    """Return the reason for which a row is withheld, or the empty text."""
    reason = row.get("suppressed")
    return reason if isinstance(reason, str) else ""


def plain_row(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Give a table's row with missing values as None."""
    return {
        str(key): None if isinstance(value, float) and math.isnan(value) else value
        for key, value in row.items()
    }


def written(row: Mapping[str, Any], *, lines: bool = False, places: int | None = None) -> str:
    """Write an estimate and its interval, as the report's tables do.

    Parameters
    ----------
    row
        A row of a released table.
    lines
        Whether the interval stands in a line of its own.
    places
        Decimals; where not given, as many as the row allows.

    Returns
    -------
    str
        ``465,000 (405,000 to 540,000)``, or why there is no number.
    """
    row = plain_row(row)
    if withheld(row):
        return withheld(row)
    said = point(row, places).removesuffix(" †")
    limits = interval(row, places)
    if said == "interval only":
        return limits
    if without_interval(row):
        return said
    return f"{said}\n{limits}" if lines else f"{said} ({limits})"


def shown_values(entries: Sequence[Entry]) -> tuple[list[float], list[float]]:
    """Estimates and limits that are drawn."""
    every = [part for entry in entries for part in (entry, *entry.beside)]
    rows = [entry.row for entry in every if entry.row and not suppressed(entry.row)]
    points = [float(r["estimate"]) for r in rows if is_known(r.get("estimate"))]
    ends = [float(r[k]) for r in rows for k in ("lower", "upper") if is_known(r.get(k))]
    return points, ends


def farthest(entries: Sequence[Entry], *others: float) -> float:
    """Right end of a scale from zero that holds the entries: far intervals are cut."""
    points, ends = shown_values(entries)
    if not points and not ends:
        return max([1.0, *others])
    widest = max([*points, *ends])
    if points:
        widest = min(widest, FARTHEST * max(points))
    return 1.04 * max([widest, *others])


def is_known(value: Any) -> bool:
    """Whether a cell holds a number."""
    return value is not None and math.isfinite(float(value))


def mark(
    axes: Axes,
    row: Mapping[str, Any],
    height: float,
    *,
    colour: str,
    marker: str = "o",
    filled: bool = True,
) -> None:
    """Draw an interval and its estimate; a withheld one is hatched over the whole scale.

    Parameters
    ----------
    axes
        With their scale set.
    row
        `estimate`, `lower`, `upper`, and `suppressed` and `precision` where known.
    height
        On the vertical axis.
    colour, marker, filled
        Of the mark. An imprecise estimate is hollow, one that may not be quoted has only a line. A
        tick can't be hollow: its line is broken instead.
    """
    low, high = axes.get_xlim()
    if suppressed(row):
        hatched(axes, height)
        return
    lower, upper = row.get("lower"), row.get("upper")
    if is_known(lower) and is_known(upper):
        ends = [max(float(lower), low), min(float(upper), high)]  # type: ignore[arg-type]
        broken = marker == TICK and not filled
        line: dict[str, Any] = {"lw": 2, "solid_capstyle": "butt", "dash_capstyle": "butt"}
        line["ls"] = BROKEN if broken else "-"
        axes.plot(ends, [height] * 2, color=colour, label="_interval", **line)
        if float(upper) > high:  # type: ignore[arg-type]
            axes.plot(high, height, ">", color=colour, ms=5, clip_on=False, label="_beyond")
    precision = str(row.get("precision") or "")
    if is_known(row.get("estimate")) and precision != "interval_only":
        hollow = precision == "imprecise" or not filled
        axes.plot(
            float(row["estimate"]),
            height,
            marker,
            ms=SIZES.get(marker, 5.5),
            mec=colour,
            mfc="white" if hollow else colour,
            mew=1.0 if marker in CROSSES else 1.4,
            clip_on=False,
            label="_estimate",
        )


def hatched(axes: Axes, height: float, tall: float = 0.12) -> None:
    """Draw the mark of a withheld number over the whole scale."""
    from matplotlib.patches import Rectangle

    axes.add_patch(
        Rectangle(
            (0, height - tall / 2),
            1,
            tall,
            transform=axes.get_yaxis_transform(),
            facecolor="white",
            edgecolor=FAINT,
            hatch=HATCH,
            lw=0.6,
            label="_suppressed",
        )
    )


def forest(
    sheet: Sheet,
    entries: Sequence[Entry],
    *,
    title: str,
    scale: tuple[float, float],
    log_ticks: Sequence[float] | None = None,
    band: tuple[float, float] | None = None,
    line: float | None = None,
    line_text: str = "",
    label_width: float | None = None,
    text_column: float | None = None,
    column_title: str = "",
    room_for_labels: float = 1.9,
    label_size: float = BODY,
    pad: float = 0.09,
    unit: float | None = None,
) -> Axes:
    """Draw rows of estimates: label, interval on a common scale, numbers.

    Parameters
    ----------
    sheet
        The sheet; it goes on below the axis title.
    entries
        The rows, from top to bottom.
    title
        Axis title with its unit; ``{million}`` before it is filled in where ticks are in millions.
    scale
        Ends of the axis.
    log_ticks
        Ticks of a logarithmic axis.
    band, line, line_text
        A shaded range, a dashed line, and what the line is.
    label_width, text_column
        Widths in inches; from the entries if not given.
    column_title
        Head of the column of numbers.
    room_for_labels
        The widest that labels may be before they are broken, in inches.
    label_size
        Of the labels' type.
    pad
        Room between rows in inches.
    unit
        Of the axis, from :func:`~prevalence.figures.style.unit_of`, where panels share one.

    Returns
    -------
    matplotlib.axes.Axes
        The panel.
    """
    weights = ["bold" if entry.bold else "normal" for entry in entries]
    pairs = list(zip(entries, weights, strict=True))
    if label_width is None:
        plain = [text_width(e.label, label_size, w) for e, w in pairs if not e.heading]
        label_width = min(1.03 * max(plain, default=0.5), room_for_labels)
    if text_column is None:
        texts = [(t, w) for e, w in pairs for t in e.text.split("\n")]
        texts += [(t, "normal") for t in column_title.split("\n")]
        text_column = max((text_width(text, SMALL, weight) for text, weight in texts), default=0)
    left = MARGIN + label_width + 0.12
    right = MARGIN + (text_column + 0.14 if text_column else 0.1)
    labels = [
        wrapped(e.label, label_width if not e.heading else sheet.room, label_size, w)
        for e, w in pairs
    ]
    lines = [
        max(len(label), len(entry.text.split("\n")))
        for label, entry in zip(labels, entries, strict=True)
    ]
    heights = [count * line_height(BODY) + pad for count in lines]
    if line_text or column_title:
        sheet.clear_mark()
        _above(sheet, line_text, line, scale, left, right, column_title, text_column, log_ticks)
    axes = sheet.axes(sum(heights) + 0.04, left, right)
    width = sheet.width - left - right
    million = ""
    if log_ticks is None:
        million = number_axis(axes, *scale, width, unit)
    else:
        axes.set_xscale("log")
        axes.set_xlim(*scale)
        axes.set_xticks(list(log_ticks), [f"{tick:g}" for tick in log_ticks])
        axes.minorticks_off()
        axes.xaxis.set_tick_params(pad=2)
    if band is not None:
        axes.axvspan(*band, color=BAND, lw=0, zorder=-2)
    if line is not None:
        axes.axvline(line, color=MUTED, lw=0.9, ls=(0, (4, 3)), zorder=-1)
    place = 0.0
    for entry, label, height in zip(entries, labels, heights, strict=True):
        middle = place + height / 2
        weight = "bold" if entry.bold or entry.heading else "normal"
        sheet.at(axes, "\n".join(label), MARGIN, middle, weight=weight, size=label_size)
        if not entry.heading:
            axes.axhline(middle, color="#edf0f3", lw=0.7, zorder=-3)
            marks(axes, entry, middle)
        if entry.text:
            side = sheet.width - MARGIN - text_column
            sheet.at(axes, entry.text, side, middle, size=SMALL, weight=weight)
        place += height
    sheet.below_axis(title.format(million=million), left)
    return axes


def marks(axes: Axes, entry: Entry, middle: float) -> None:
    """Draw a row's marks, those beside the first a little below each other."""
    parts = [entry, *entry.beside]
    for number, part in enumerate(parts):
        height = middle + 0.09 * (number - (len(parts) - 1) / 2)
        look = {"colour": part.colour, "marker": part.marker}
        mark(axes, part.row, height, filled=part.filled, **look)


def _above(
    sheet: Sheet,
    text: str,
    value: float | None,
    scale: tuple[float, float],
    left: float,
    right: float,
    column_title: str,
    text_column: float,
    log_ticks: Sequence[float] | None,
) -> None:
    rows = max(1, len(column_title.split("\n")))
    if column_title:
        side = sheet.width - MARGIN - text_column
        sheet.write(column_title, side, sheet.top, size=SMALL, colour=MUTED)
    if text and value is not None:
        width = sheet.width - left - right
        low, high = (math.log(end) for end in scale) if log_ticks else scale
        place = math.log(value) if log_ticks else value
        here = left + width * (place - low) / (high - low)
        half = text_width(text, SMALL) / 2
        edge = sheet.width - MARGIN - (text_column + 0.1 if column_title else 0)
        here = min(max(here, MARGIN + half), edge - half)
        top = sheet.top + (rows - 1) * line_height(SMALL)
        sheet.write(text, here, top, size=SMALL, colour=MUTED, align="center")
    sheet.skip(rows * line_height(SMALL) + 0.03)
