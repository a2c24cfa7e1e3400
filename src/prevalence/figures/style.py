"""The one style of all figures: type, colours, marks, rounding, and bytes that don't vary."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, FAINT, BAND = "#1b2733", "#5d6975", "#c3ccd4", "#dfe7ee"
# Blue and orange differ in hue for all common kinds of colour vision and in lightness in grey.
COLOURS = ("#14507f", "#c2671c", "#3f7d5a", "#7a5195")
WIDTH = 7.0
MARK = "SYNTHETIC DATA"
UNITS = {
    "persons": "people",
    "per_100": "per 100",
    "per_1000": "per 1,000",
    "ratio": "ratio",
}


@dataclass(frozen=True)
class Words:
    """What a survey's config says, as figures need it.

    Parameters
    ----------
    survey, estimate, headline
        Sections of the survey's config.
    findings
        The published findings where the survey mirrors a study; each with `group`, `unit`, `low`
        and `high`.
    """

    survey: dict[str, Any]
    estimate: dict[str, Any]
    headline: dict[str, Any]
    findings: list[dict[str, Any]]

    @property
    def synthetic(self) -> bool:
        """Whether the data are synthetic."""
        return bool(self.survey["synthetic"])

    @property
    def groups(self) -> dict[str, dict[str, Any]]:
        """Hidden groups in the config's order."""
        return dict(self.estimate["hidden_groups"])

    def label(self, group: str) -> str:
        """Group in words, with a capital letter."""
        text = str(self.groups[group]["label"])
        return text[:1].upper() + text[1:]

    def denominator(self, group: str) -> str:
        """Return the unit of the rate in words: per 100 children."""
        people = {"all_ages": "people"}.get(self.groups[group]["population"])
        return f"{UNITS[self.groups[group]['per']]} {people or self.groups[group]['population']}"


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


def canvas(height: float, columns: int = 1, **options: Any) -> tuple[Figure, list[Axes]]:
    """Open a figure of the report's width.

    Parameters
    ----------
    height
        Height in inches.
    columns
        Panels beside each other.
    **options
        For :func:`matplotlib.pyplot.subplots`.
    """
    import matplotlib as mpl

    mpl.use("agg")
    mpl.rcParams.update(
        {
            "font.family": "DejaVu Sans",
            "font.size": 8.5,
            "text.color": INK,
            "axes.edgecolor": FAINT,
            "axes.labelcolor": MUTED,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": False,
            "axes.axisbelow": True,
            "xtick.color": MUTED,
            "ytick.color": INK,
            "xtick.labelsize": 8,
            "ytick.left": False,
            "svg.hashsalt": "prevalence",
            # Outlines look the same in every browser, in Typst and in Word, whatever fonts they
            # have; what they say stands in the text alternative and in the CSV.
            "svg.fonttype": "path",
            "figure.dpi": 100,
        }
    )
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, columns, figsize=(WIDTH, height), squeeze=False, **options)
    return figure, list(axes[0])


def finish(figure: Figure, *, synthetic: bool, note: str = "") -> None:
    """Set the mark of synthetic data and a note under the picture."""
    figure.tight_layout(rect=(0, 0.0 if not note else 0.03, 1, 0.95 if synthetic else 1))
    if synthetic:
        figure.text(
            0.995,
            0.985,
            MARK,
            ha="right",
            va="top",
            fontsize=8,
            fontweight="bold",
            color="#8c1d18",
        )
    if note:
        figure.text(0.005, 0.005, note, ha="left", va="bottom", fontsize=7, color=MUTED)


def rows_of(table: pd.DataFrame) -> list[Any]:
    """Rows of a table with its columns as attributes."""
    return list(table.itertuples())


def rounded(value: Any, digits: int = 3) -> str:
    """Write a number with few significant digits and thousands separators."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "–"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    number = round(value, places)
    return f"{number:,.{max(places, 0)}f}"


def interval_dot(
    axes: Axes,
    row: Any,
    height: float,
    colour: str,
    *,
    text: bool = True,
    suffix: str = "",
) -> None:
    """Draw an estimate with its interval, or say that it is withheld.

    Parameters
    ----------
    axes
        Where.
    row
        `estimate`, `lower`, `upper`, `suppressed`, `precision`.
    height
        Place on the vertical axis.
    colour
        Colour of the mark.
    text
        Whether the numbers stand beside it.
    suffix
        What follows the numbers.
    """
    if str(row.get("suppressed") or "") not in ("", "nan"):
        axes.text(
            0.02,
            height,
            f"withheld ({row['suppressed']})",
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=7.5,
            color=MUTED,
            style="italic",
        )
        return
    axes.plot([row["lower"], row["upper"]], [height, height], color=colour, lw=2, alpha=0.85)
    precision = str(row.get("precision") or "")
    if precision != "interval_only":
        axes.plot(
            row["estimate"],
            height,
            "o",
            ms=6,
            mec=colour,
            mfc="white" if precision == "imprecise" else colour,
            mew=1.5,
        )
    if text:
        said = f"{rounded(row['lower'])} to {rounded(row['upper'])}"
        if precision != "interval_only":
            said = f"{rounded(row['estimate'])}  ({said})"
        axes.annotate(
            said + suffix,
            (row["upper"], height),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
        )


def save(figure: Figure, svg: str, png: str) -> None:
    """Write the picture as SVG and PNG, without clocks or versions."""
    import matplotlib.pyplot as plt

    figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    figure.savefig(png, format="png", dpi=200, metadata={"Software": None})
    plt.close(figure)
