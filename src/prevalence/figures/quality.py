"""How the count questions were answered, as a heat map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from prevalence.figures.forest import HATCH
from prevalence.figures.legend import key
from prevalence.figures.style import (
    FAINT,
    INK,
    MARGIN,
    MUTED,
    SMALL,
    Drawing,
    Sheet,
    lean_seaborn,
    line_height,
    text_on,
    text_width,
    wrapped,
)
from prevalence.figures.words import Words
from prevalence.report.names import plain
from prevalence.report.wording import capitalised

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from numpy.typing import NDArray

NARROWEST = 0.65  # of a column, in inches
COLUMNS = {
    "zero_share": "know nobody",
    "heaped_share": "multiples of\u00a05",
    "top_code_share": "at the top code",
    "refused_share": "refused",
    "dont_know_share": "don’t know",
    "not_asked_share": "not asked",
    "out_of_range_share": "out of range",
    "system_share": "no entry",
}
OF_ANSWERS = {"zero_share": "know nobody", "top_code_share": "top code"}
ROLES = {
    "known": "Groups of known size",
    "child": "Children known, by age",
    "hidden_item": "Hidden groups, by question",
    "hidden": "Hidden groups",
}


def heat_map(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Shares of each kind of answer by group, per cent, one scale of shades for all."""
    import matplotlib as mpl
    import pandas as pd

    sns = lean_seaborn()
    table = tables["data_quality"]
    shown = [name for name in COLUMNS if name in table and _worth(table[name])]
    values = 100 * table[shown].astype(float)
    order = [role for role in ROLES if (table["role"] == role).any()]
    labels = {g: _label(g, tables.get("known_groups"), words) for g in table["group"]}
    sheet = Sheet(words)
    widest = max(2.3, sheet.width - 2 * MARGIN - 0.1 - NARROWEST * len(shown))
    longest = 1.03 * max(text_width(text, SMALL) for text in labels.values())
    left = MARGIN + min(longest, widest) + 0.1
    room = sheet.width - left - MARGIN
    wide = room / len(shown)
    heads = [wrapped(COLUMNS[name], wide - 0.05, SMALL) for name in shown]
    sheet.clear_mark()
    tall = max(map(len, heads)) * line_height(SMALL)
    for number, lines in enumerate(heads):
        middle = left + (number + 0.5) * wide
        top = sheet.top + tall - len(lines) * line_height(SMALL)
        sheet.write("\n".join(lines), middle, top, size=SMALL, colour=MUTED, align="center")
    sheet.skip(tall + 0.03)
    shades = mpl.colors.LinearSegmentedColormap.from_list("paper", ["#ffffff", "#12385f"])
    kept = []
    for role in order:
        mine = table["role"] == role
        sheet.paragraph(ROLES[role], weight="bold", gap=0.02)
        part = values[mine]
        texts = {
            g: wrapped(labels[g], left - MARGIN - 0.06, SMALL) for g in table.loc[mine, "group"]
        }
        pitch = max(0.215, max(map(len, texts.values())) * line_height(SMALL) + 0.06)
        axes = sheet.axes(pitch * int(mine.sum()), left)
        axes.patch.set(visible=True, facecolor="white", edgecolor=FAINT, hatch=HATCH)
        sns.heatmap(
            part,
            ax=axes,
            vmin=0,
            vmax=100,
            cmap=shades,
            cbar=False,
            linewidths=1.2,
            linecolor="white",
            xticklabels=False,
            yticklabels=False,
        )
        axes.set(xlabel="", ylabel="")
        axes.tick_params(length=0)
        _write_shares(axes, part.to_numpy(float), shades)
        for place, text in enumerate(texts.values()):
            sheet.at(axes, "\n".join(text), MARGIN, place + 0.5, size=SMALL, color=INK)
        sheet.skip(0.08)
        kept.append(table[mine][["group", "role", *shown]])
    if values.isna().to_numpy().any():
        key(sheet, [("suppressed", "too few answers to be released, or no such answers")])
    sheet.note(_bases(shown))
    kept_table = pd.concat(kept, ignore_index=True)
    return Drawing(
        sheet.close(),
        kept_table,
        alt=_alt(table, values, labels),
        caption=f"How each count question was answered, per cent{_most_missing(table, labels)}",
    )


def _most_missing(table: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Say which question has the most interviews without an answer."""
    missing = 100 * table["missing_share"].astype(float)
    if missing.isna().all():
        return ""
    worst = labels[str(table["group"].iloc[int(np.nanargmax(missing.to_numpy(float)))])]
    if missing.max() < 0.05:
        return f". {'Hardly any' if missing.max() > 0 else 'No'} interview lacks an answer"
    return f". At most {missing.max():.1f}% of interviews lack an answer ({worst})"


def _write_shares(axes: Axes, shares: NDArray[np.float64], shades: Colormap) -> None:
    """Write each share in its cell, in the colour that can be read on its shade."""
    from matplotlib.colors import to_hex

    for (down, across), share in np.ndenumerate(shares):
        if np.isfinite(share):
            colour = text_on(to_hex(shades(share / 100)))
            place: dict[str, Any] = {"ha": "center", "va": "center", "size": SMALL, "color": colour}
            axes.text(across + 0.5, down + 0.5, f"{share:.1f}", label="_share", **place)


def _bases(shown: list[str]) -> str:
    """Say of what the columns are shares."""
    answers = [text for name, text in OF_ANSWERS.items() if name in shown]
    parts = ["Per cent."]
    if answers:
        parts.append(f"{capitalised(' and '.join(answers))}: of all answers.")
    if "heaped_share" in shown:
        parts.append("Multiples of 5: of answers of 5 or more; without heaping about 20.")
    if set(shown) - {*OF_ANSWERS, "heaped_share"}:
        parts.append("The other columns: of all interviews.")
    return " ".join(parts)


def _worth(column: pd.Series) -> bool:
    numbers = column.to_numpy(float)
    return bool(100 * np.nanmax(numbers, initial=0.0) >= 0.05)


def _label(group: str, known: pd.DataFrame | None, words: Words) -> str:
    if known is not None and (known["group"] == group).any():
        return capitalised(str(known.loc[known["group"] == group, "label"].iloc[0]))
    if group in words.groups:
        return words.label(group)
    return capitalised(words.items.get(group, plain(group)).removeprefix("Number of "))


def _alt(table: pd.DataFrame, values: pd.DataFrame, labels: Mapping[str, str]) -> str:
    parts = [f"Heat map of the answers to {len(table)} count questions"]
    parts[0] += f"{_most_missing(table, labels)}."
    for role, text in (
        ("known", "groups of known size"),
        ("hidden_item", "questions on hidden groups"),
        ("hidden", "hidden groups"),
    ):
        mine = (table["role"] == role).to_numpy()
        if "zero_share" in values and mine.any() and values.loc[mine, "zero_share"].notna().any():
            part = values.loc[mine, "zero_share"]
            parts.append(
                f"In {text} between {part.min():.1f}% and {part.max():.1f}% of answers are 0."
            )
    return " ".join(parts)
