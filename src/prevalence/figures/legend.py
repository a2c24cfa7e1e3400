"""What the marks of a figure mean, in rows below it: only the marks that occur."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from prevalence.figures.forest import BROKEN, HATCH, SIZES, is_known, suppressed
from prevalence.figures.style import (
    BAND,
    FAINT,
    MARGIN,
    MUTED,
    SMALL,
    TICK,
    Sheet,
    line_height,
    text_width,
    wrapped,
)
from prevalence.report.wording import REASONS

if TYPE_CHECKING:
    from matplotlib.artist import Artist

HANDLE = 0.24
MIDDLE = -0.062
SYMBOLS = {"filled": "o", "hollow": "o", "line": "", "tick": TICK, "broken": "", "beyond": ">"}


class Measured(Protocol):
    """What a key must know of the estimates."""

    @property
    def level(self) -> str:
        """Level of the intervals, as in ``95%``."""

    @property
    def precision(self) -> Mapping[str, float]:
        """From which coefficient of variation a number is flagged."""


def key(sheet: Sheet, parts: Sequence[tuple[str, str]]) -> None:
    """Explain marks in rows below a panel: a handle and its words each.

    Parameters
    ----------
    sheet
        The sheet; it goes on below.
    parts
        Kind of handle and what it means. A kind is `filled`, `hollow`, `line`, `broken`, `tick`,
        `beyond`, `suppressed`, `band`, `dash`, `fill`, or a marker of matplotlib (with a minus:
        hollow); a colour may follow it after a colon.
    """
    left = MARGIN
    step = line_height(SMALL) + 0.03
    sheet.clear_mark()
    sheet.skip(0.03)
    for kind, text in parts:
        lines = wrapped(text, sheet.room - HANDLE - 0.05, SMALL)
        width = HANDLE + 0.05 + max(text_width(part, SMALL) for part in lines)
        if left > MARGIN and left + width > sheet.width - MARGIN:
            sheet.skip(step)
            left = MARGIN
        _handle(sheet, kind, left)
        sheet.write("\n".join(lines), left + HANDLE + 0.05, sheet.top, size=SMALL, colour=MUTED)
        sheet.skip((len(lines) - 1) * line_height(SMALL))
        left += width + 0.18
    sheet.skip(step)


def _handle(sheet: Sheet, kind: str, left: float) -> None:
    name, _, colour = kind.partition(":")
    boxes: dict[str, dict[str, Any]] = {
        "suppressed": {"facecolor": "white", "edgecolor": FAINT, "hatch": HATCH, "lw": 0.6},
        "band": {"facecolor": BAND, "lw": 0},
        "fill": {"facecolor": colour, "edgecolor": MUTED, "lw": 0.5},
    }

    def make(where: Any) -> list[Artist]:
        if name in boxes:
            return [_box(where, left, boxes[name])]
        return _lines(where, left, name, colour or MUTED)

    sheet.draw(make)


def _box(where: Any, left: float, look: Mapping[str, Any]) -> Artist:
    from matplotlib.patches import Rectangle

    return Rectangle((left, MIDDLE - 0.05), HANDLE, 0.1, transform=where, **look)


def _lines(where: Any, left: float, name: str, colour: str) -> list[Artist]:
    from matplotlib.lines import Line2D

    ends, height = [left, left + HANDLE], [MIDDLE] * 2
    if name == "dash":
        dashes: dict[str, Any] = {"color": colour, "lw": 0.9, "ls": (0, (4, 3))}
        return [Line2D(ends, height, transform=where, **dashes)]
    found: list[Artist] = []
    if name in SYMBOLS:
        line: dict[str, Any] = {"lw": 2, "ls": BROKEN if name == "broken" else "-"}
        found.append(Line2D(ends, height, transform=where, color=colour, **line))
    symbol = SYMBOLS.get(name, name)
    if symbol:
        hollow = name == "hollow" or name.endswith("-")
        marker = symbol.removesuffix("-")
        look: dict[str, Any] = {
            "marker": marker,
            "ms": 5.5 if marker in "os" else SIZES.get(marker, 5.5),
            "mec": colour,
            "mfc": "white" if hollow else colour,
            "mew": 1.3,
            "ls": "",
        }
        place = left + HANDLE - 0.04 if name == "beyond" else left + HANDLE / 2
        found.append(Line2D([place], [MIDDLE], transform=where, **look))
    return found


def marks_used(rows: Sequence[Mapping[str, Any]], words: Measured, limit: float) -> list[Any]:
    """Choose what a key must explain: only the marks that occur.

    Parameters
    ----------
    rows
        What is drawn.
    words
        For the level and the thresholds of precision.
    limit
        Right end of the scale.

    Returns
    -------
    list of (str, str)
        For :func:`key`.
    """
    shown = [row for row in rows if not suppressed(row)]
    flags = {
        str(row.get("precision") or "")
        for row in shown
        if row.get("precision") == row.get("precision")
    }
    parts: list[tuple[str, str]] = []
    if "" in flags:
        parts.append(("filled", f"estimate with {words.level} interval"))
    if "imprecise" in flags:
        above = words.precision.get("imprecise")
        how = f" (coefficient of variation above {100 * above:g}%)" if above else ""
        parts.append(("hollow", f"imprecise{how}"))
    if "interval_only" in flags:
        parts.append(("line", "interval only: too imprecise for a number"))
    if any(is_known(row.get("upper")) and float(row["upper"]) > limit for row in shown):
        parts.append(("beyond", "goes on beyond the scale"))
    reasons = list(dict.fromkeys(suppressed(row) for row in rows if suppressed(row)))
    if reasons:
        why = ", ".join(REASONS.get(reason, reason) for reason in reasons)
        parts.append(("suppressed", f"suppressed ({why}): neither zero nor small"))
    return parts
