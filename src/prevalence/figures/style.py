"""The one style of all figures: type, colours, a sheet in inches, and bytes that don't vary.

A figure is a column as wide as a page of print and no wider: panels stand below each other, so that
it can still be read on a telephone. Places and sizes are in inches from the top left corner.
"""

from __future__ import annotations

import functools
import importlib
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from prevalence.fonts import FAMILY, font_files

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, FAINT, BAND = "#1b2733", "#4f5b67", "#b9c3cc", "#dbe4ec"
# Each differs from the next in lightness, not in hue alone: they stay apart in grey and for every
# common kind of colour vision, and all have three times the contrast of white paper.
COLOURS = ("#12385f", "#b9601a", "#7a4a94", "#3f9c8d")
WARNING = "#8c1d18"
# Colour and marker of each estimator, the same in every figure in which several stand together.
# None has the colour of a hidden group; weighting changes lightness and shape within a hue. The
# lightness of those that share a panel differs, so that they stay apart in grey.
DIRECT = (INK, "o")  # every design-based estimator, the headline among them
ESTIMATOR_LOOKS = {
    "direct": DIRECT,
    "fay_herriot": ("#6f620c", "P"),
    "poisson_lognormal": ("#87684a", "X"),
    "overdispersed": ("#7d1f55", "D"),
    "overdispersed_weighted": ("#a8437c", "s"),
    "partially_pooled": ("#3f9c8d", "^"),
    "partially_pooled_weighted": ("#17544a", "v"),
    "partially_pooled_all_areas": ("#3f9c8d", "h"),
    "partially_pooled_weighted_all_areas": ("#17544a", "d"),
    "correlated": ("#3c78b4", "p"),
}
TICK = "|"  # the mark of a median within a range, which hides nothing of the range
READABLE = 4.5  # contrast of a text with its ground, as WCAG 2.2 asks for
WIDTH, MARGIN = 5.2, 0.06
HEADING, BODY, SMALL = 10.4, 9.6, 9.0
FEW_GROUPS = 2  # with more hidden groups than this, panels are lower
LINE = 1.22  # from one line to the next, in sizes of the type
BASELINE = 0.84  # from a line's top, in sizes of the type
MARK = "SYNTHETIC DATA"
MILLION = 1_000_000.0
# matplotlib's own font has the marks that the first one lacks.
FONTS = [FAMILY, "DejaVu Sans"]
SETTINGS: dict[str, Any] = {
    "font.family": FONTS,
    "font.size": BODY,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": False,
    "axes.axisbelow": True,
    "axes.linewidth": 0.8,
    "xtick.color": MUTED,
    "xtick.labelsize": SMALL,
    "xtick.major.size": 3,
    "ytick.color": MUTED,
    "ytick.labelsize": SMALL,
    "ytick.major.size": 3,
    "hatch.linewidth": 0.7,
    "hatch.color": FAINT,
    "svg.hashsalt": "prevalence",
    # A label with two dollar signs is no formula.
    "text.parse_math": False,
    # Outlines look the same in every browser, in Typst and in Word, whatever fonts they have; what
    # they say stands in the text alternative and in the CSV.
    "svg.fonttype": "path",
    "figure.dpi": 100,
}


@dataclass(frozen=True)
class Drawing:
    """A figure with what must go with it.

    Parameters
    ----------
    figure
        The picture.
    data
        What is drawn, for the CSV beside it.
    alt
        Text alternative: the finding, with numbers of this run.
    caption
        Caption in the report.
    """

    figure: Figure
    data: pd.DataFrame
    alt: str
    caption: str


def estimator_look(name: str) -> tuple[str, str]:
    """Give the colour and marker of an estimator.

    Parameters
    ----------
    name
        Id of the estimator or model.

    Returns
    -------
    tuple of str
        A design-based estimator looks as :data:`DIRECT`, whichever it is.
    """
    return ESTIMATOR_LOOKS.get(name, DIRECT)


def luminance(colour: str) -> float:
    """Relative luminance of a colour, as WCAG 2.2 defines it."""
    from matplotlib.colors import to_rgb

    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in to_rgb(colour)
    )
    return float(0.2126 * red + 0.7152 * green + 0.0722 * blue)


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, 1 to 21, as WCAG 2.2 defines it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def text_on(ground: str) -> str:
    """Choose the colour in which a text can be read on a ground.

    Parameters
    ----------
    ground
        Colour of the ground.

    Returns
    -------
    str
        Ink if its contrast is enough, else white, else black: one of them always has enough.
    """
    for colour in (INK, "#ffffff"):
        if contrast(colour, ground) >= READABLE:
            return colour
    return "#000000"


@functools.cache
def register_fonts() -> None:
    """Make the figures' font known to matplotlib."""
    from matplotlib.font_manager import fontManager

    for file in font_files():
        fontManager.addfont(file)


def lean_seaborn() -> ModuleType:
    """Import seaborn without the parts of scipy that it can do without.

    Densities and dendrograms, which no figure draws, are what it takes them for; they cost a job
    more than all that it draws.

    Returns
    -------
    module
        seaborn.
    """
    spared = {"scipy.stats", "scipy.cluster"} - set(sys.modules)
    sys.modules.update(dict.fromkeys(spared))  # type: ignore[arg-type]  # None: not to be found
    try:
        return importlib.import_module("seaborn")
    finally:
        for name in spared:
            del sys.modules[name]


def open_canvas(width: float, height: float) -> Figure:
    """Open an empty figure in the one style, sizes in inches."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    register_fonts()
    mpl.rcParams.update(SETTINGS)  # type: ignore[arg-type]
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


@functools.cache
def text_width(text: str, size: float = BODY, weight: str = "normal") -> float:
    """Width of a line of text in inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    register_fonts()
    properties = FontProperties(family=FONTS, weight=weight, size=size)
    width: float = TextToPath().get_text_width_height_descent(text, properties, False)[0]
    return width / 72


def wrapped(text: str, width: float, size: float = BODY, weight: str = "normal") -> list[str]:
    """Break a text into lines.

    Parameters
    ----------
    text
        The text; line ends in it are kept.
    width
        Room in inches. A word that is longer stands alone.
    size, weight
        Of the type.

    Returns
    -------
    list of str
        The lines.
    """
    lines = []
    width *= 0.98  # a renderer's hinting may widen a line a little
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if line and text_width(longer, size, weight) > width:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
    return lines


def line_height(size: float = BODY) -> float:
    """Height of a line of text in inches."""
    return size * LINE / 72


class Marked(Protocol):
    """What a sheet must know of its data."""

    @property
    def synthetic(self) -> bool:
        """Whether the data are synthetic."""


class Sheet:
    """A sheet on which a figure is laid out from top to bottom.

    Parameters
    ----------
    words
        The survey's words: a synthetic survey's sheet is marked as such.
    width
        In inches.
    """

    def __init__(self, words: Marked, width: float = WIDTH) -> None:
        self.figure = open_canvas(width, 1.0)
        self.width = width
        self.top = MARGIN
        self._axes: list[tuple[Axes, float, float, float, float]] = []
        self._later: list[Callable[[float], None]] = []
        self._beside_mark = 0.0
        if words.synthetic:
            options: dict[str, Any] = {
                "size": SMALL,
                "weight": "bold",
                "colour": WARNING,
                "align": "right",
            }
            self.write(MARK, width - MARGIN, MARGIN, **options)
            self._beside_mark = text_width(MARK, SMALL, "bold") + 0.2

    @property
    def room(self) -> float:
        """Width between the margins, in inches."""
        return self.width - 2 * MARGIN

    def write(
        self,
        text: str,
        left: float,
        top: float,
        *,
        size: float = BODY,
        weight: str = "normal",
        colour: str = INK,
        align: str = "left",
        style: str = "normal",
    ) -> None:
        """Write a text at a place, its top there."""
        # A text stands on the baseline of its last line: a tall sign moves no line.
        down = (BASELINE + LINE * text.count("\n")) * size / 72

        def place(height: float) -> None:
            self.figure.text(
                left / self.width,
                1 - (top + down) / height,
                text,
                size=size,
                weight=weight,
                color=colour,
                ha=align,
                va="baseline",
                style=style,
                linespacing=LINE,
            )

        self._later.append(place)

    def paragraph(
        self,
        text: str,
        *,
        size: float = BODY,
        weight: str = "normal",
        colour: str = INK,
        left: float = MARGIN,
        gap: float = 0.04,
    ) -> None:
        """Write a text over the sheet's width, and go on below it."""
        room = self.width - left - MARGIN - self._beside_mark
        lines = wrapped(text, room, size, weight)
        self.write("\n".join(lines), left, self.top, size=size, weight=weight, colour=colour)
        self.top += len(lines) * line_height(size) + gap
        self._beside_mark = 0.0

    def heading(self, text: str) -> None:
        """Head a panel."""
        self.paragraph(text, size=HEADING, weight="bold")

    def note(self, text: str) -> None:
        """Write a note in small type."""
        self.paragraph(text, size=SMALL, colour=MUTED)

    def skip(self, height: float) -> None:
        """Leave room."""
        self.top += height

    def clear_mark(self) -> None:
        """Go below the mark of synthetic data, where nothing stands beside it."""
        if self._beside_mark:
            self.top += line_height(SMALL) + 0.02
            self._beside_mark = 0.0

    def axes(
        self, height: float, left: float = MARGIN, right: float = MARGIN, *, advance: bool = True
    ) -> Axes:
        """Open axes at the present place.

        Parameters
        ----------
        height
            In inches.
        left, right
            Distance from the sheet's edges in inches.
        advance
            Whether to go on below the axes.

        Returns
        -------
        matplotlib.axes.Axes
            With the vertical axis in inches from its top.
        """
        self.clear_mark()
        axes: Axes = self.figure.add_axes((0.0, 0.0, 1.0, 1.0), label=str(len(self._axes)))
        axes.set_ylim(height, 0)
        axes.set_yticks([])
        axes.patch.set_visible(False)
        self._axes.append((axes, left, self.top, self.width - left - right, height))
        if advance:
            self.top += height
        return axes

    def below_axis(self, title: str, left: float, *, ticks: bool = True) -> None:
        """Write an axis title below the tick labels, and go on below it."""
        self.top += 0.22 if ticks else 0.03
        if title:
            self.paragraph(title, size=SMALL, colour=MUTED, left=left)

    def at(self, axes: Axes, text: str, inches: float, height: float, **options: Any) -> None:
        """Write beside axes: `inches` from the sheet's left edge, at a height of the axes."""
        from matplotlib.transforms import blended_transform_factory

        place = blended_transform_factory(self.figure.dpi_scale_trans, axes.transData)
        settings: dict[str, Any] = {
            "va": "center",
            "ha": "left",
            "size": BODY,
            "linespacing": LINE,
        }
        axes.text(inches, height, text, transform=place, clip_on=False, **(settings | options))

    def draw(self, make: Callable[[Any], Sequence[Artist]], top: float | None = None) -> None:
        """Add artists in inches, from a function that takes the transform.

        Parameters
        ----------
        make
            Gets a transform whose origin is at the left edge and at `top`, upwards positive.
        top
            Inches from the sheet's top; the present place if not given.
        """
        here = self.top if top is None else top

        def place(height: float) -> None:
            from matplotlib.transforms import Affine2D

            shift = Affine2D().translate(0.0, height - here) + self.figure.dpi_scale_trans
            for artist in make(shift):
                self.figure.add_artist(artist)

        self._later.append(place)

    def close(self) -> Figure:
        """Give the figure its height and everything its place."""
        height = self.top + MARGIN
        self.figure.set_size_inches(self.width, height)
        for axes, left, top, width, tall in self._axes:
            box = (left / self.width, 1 - (top + tall) / height, width / self.width, tall / height)
            axes.set_position(box)
        for place in self._later:
            place(height)
        return self.figure


def nice_ticks(low: float, high: float, room: float, *, vertical: bool = False) -> list[float]:
    """Choose round values for an axis, so that their labels stand apart.

    Parameters
    ----------
    low, high
        Ends of the axis.
    room
        Its length in inches.
    vertical
        Whether the labels stand above each other.

    Returns
    -------
    list of float
        Values within the ends.
    """
    from matplotlib.ticker import MaxNLocator

    widest = 0.3 if vertical else text_width(tick_label(high, high - low), SMALL) + 0.22
    count = max(2, min(6, int(room / widest)))
    values = MaxNLocator(count, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    slack = 1e-9 * (high - low)
    return [float(value) for value in values if low - slack <= value <= high + slack]


def tick_label(value: float, span: float) -> str:
    """Write a tick of an axis of a given length."""
    if abs(value) < 1e-12:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(span)))
    text = f"{value:,.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", "−")


def unit_of(*ends: float) -> float:
    """Choose the one unit of an exhibit's axes.

    Parameters
    ----------
    ends
        Right ends of its axes.

    Returns
    -------
    float
        A million where every axis reaches it, else one.
    """
    return MILLION if min(ends) >= MILLION else 1.0


def number_axis(
    axes: Axes, low: float, high: float, room: float, scale: float | None = None
) -> str:
    """Give axes a horizontal scale with round ticks.

    Parameters
    ----------
    axes
        The axes.
    low, high
        Ends of the scale.
    room
        Length of the axis in inches.
    scale
        From :func:`unit_of`, where several axes share a unit; from this one's end if not given.

    Returns
    -------
    str
        ``million `` where the ticks are in millions, else nothing: the start of a unit.
    """
    scale = unit_of(high) if scale is None else scale
    ticks = nice_ticks(low / scale, high / scale, room)
    labels = [tick_label(tick, (high - low) / scale) for tick in ticks]
    axes.set_xlim(low, high)
    axes.set_xticks([scale * tick for tick in ticks], labels)
    axes.xaxis.set_tick_params(pad=2)
    return "million " if scale > 1 else ""


def save_svg(figure: Figure, svg: str) -> None:
    """Write the picture as SVG alone, without clocks or versions."""
    figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})


def save(figure: Figure, svg: str, png: str) -> None:
    """Write the picture as SVG and PNG, without clocks or versions."""
    save_svg(figure, svg)
    figure.savefig(png, format="png", dpi=200, metadata={"Software": None})
