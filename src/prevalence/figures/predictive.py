"""Do the models resemble the answers? Data drawn from them, relative to what was answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from prevalence.figures.forest import Entry, farthest, is_known, plain_row, shown_values, suppressed
from prevalence.figures.legend import key
from prevalence.figures.panels import Panel, side_by_side
from prevalence.figures.style import SMALL, Drawing, Sheet, estimator_look
from prevalence.figures.words import Words, in_sentence
from prevalence.report.names import plain
from prevalence.report.wording import REASONS, capitalised, joined, significant

if TYPE_CHECKING:
    import pandas as pd

# The two summaries that a model can miss: it fits the mean by its construction, and the upper
# percentile is mostly a small whole number.
SUMMARIES = {
    "zero_share": ("Respondents who know nobody", "share who know nobody"),
    "variance_to_mean": ("Spread: variance over mean", "variance over the mean"),
}
MOST_NAMED = 5  # groups that the text alternative lists; more of them are only counted
LEAST, BESIDE = 0.16, 0.09  # height of a row, and more of it for each model beside the first
Row = dict[str, Any]


def replicated(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Draw data of each model over the answers: groups by two summaries.

    Parameters
    ----------
    tables
        Released `predictive`, and `known_groups` for its labels.
    words
        The survey's words.

    Returns
    -------
    Drawing
        A panel for each summary and a row for each group; 1 is as answered.
    """
    table = tables["predictive"]
    table = table[table["statistic"].isin(list(SUMMARIES))]
    rows = [_relative(plain_row(row)) for row in table.to_dict("records")]
    labels = _labels(tables["known_groups"], words, list(dict.fromkeys(table["group"])))
    looks = {str(name): estimator_look(str(name)) for name in dict.fromkeys(table["estimator"])}
    panels = [
        _panel(title, [row for row in rows if row["statistic"] == name], list(labels), looks)
        for name, (title, _) in SUMMARIES.items()
    ]
    sheet = Sheet(words)
    pitch = LEAST + BESIDE * (len(looks) - 1)
    side_by_side(sheet, list(labels.values()), panels, pitch=pitch, label_size=SMALL)
    key(sheet, _key(words, rows, looks, panels))
    # The released numbers, of which the picture draws the ratios: what leaves stands in a table.
    columns = ["estimator", "group", "statistic", "observed", "predicted", "lower", "upper"]
    return Drawing(
        sheet.close(),
        table.reindex(columns=[*columns, "converged", "suppressed"]).reset_index(drop=True),
        alt=_alt(words, rows, labels, looks),
        caption="Data drawn from the models, relative to the answers: the share of respondents who "
        "know nobody in a group, and how widely the answers are spread. An interval holds the "
        f"middle {words.level} of such data; where it leaves out 1, the model does not resemble "
        f"the answers. {_inside(words, rows, looks)}",
    )


def _inside(words: Words, rows: list[Row], names: Iterable[str]) -> str:
    """Say for how many groups each model resembles the answers, by both summaries."""
    said = []
    for name in names:
        counts = [
            f"{sum(row['lower'] <= 1 <= row['upper'] for row in mine)} of {len(mine)}"
            for mine in (_known(rows, name, statistic) for statistic in SUMMARIES)
        ]
        said.append(f"{in_sentence(words.estimator(name))} {joined(counts)}")
    return f"Groups whose answers lie inside, by each summary: {'; '.join(said)}"


def _known(rows: list[Row], name: str, statistic: str) -> list[Row]:
    """Rows of a model and a summary that may be shown."""
    keys = {"estimator": name, "statistic": statistic}
    return [
        row
        for row in rows
        if all(row[key] == value for key, value in keys.items()) and is_known(row.get("estimate"))
    ]


def _relative(row: Row) -> Row:
    """Give what the model predicts over what was observed; nothing where that is zero."""
    observed = row.get("observed")
    names = {"estimate": "predicted", "lower": "lower", "upper": "upper"}
    ratios = {
        new: float(row[old]) / float(observed)
        if is_known(observed) and is_known(row.get(old)) and observed
        else None
        for new, old in names.items()
    }
    return {**row, **ratios}


def _labels(known: pd.DataFrame, words: Words, groups: list[str]) -> dict[str, str]:
    """Label the groups that the models take in, as the figure of known groups does."""
    labels = dict(zip(known["group"], known["label"], strict=True))
    return {
        group: words.short(group)
        if group in words.groups
        else capitalised(str(labels.get(group, plain(group))))
        for group in groups
    }


def _panel(
    title: str, rows: list[Row], groups: list[str], looks: Mapping[str, tuple[str, str]]
) -> Panel:
    found = {(row["group"], str(row["estimator"])): row for row in rows}
    entries = []
    for group in groups:
        first, *beside = [
            Entry("", row, colour=colour, marker=marker, filled=row.get("converged") is not False)
            for name, (colour, marker) in looks.items()
            for row in [found.get((group, name), {})]
        ]
        entries.append(
            Entry(
                "",
                first.row,
                colour=first.colour,
                marker=first.marker,
                filled=first.filled,
                beside=beside,
            )
        )
    points, ends = shown_values(entries)
    low = min([0.9, *points, *ends])
    scale = (0.97 * low, max(1.1, farthest(entries)))
    axis = "ratio of the model to the answers"
    return Panel(title, axis, entries, scale, line=1.0, line_text="as answered")


def _key(
    words: Words,
    rows: list[Row],
    looks: Mapping[str, tuple[str, str]],
    panels: list[Panel],
) -> list[tuple[str, str]]:
    parts = [
        (f"{marker}:{colour}", words.estimator(name)) for name, (colour, marker) in looks.items()
    ]
    if any(row.get("converged") is False for row in rows):
        parts.append(("hollow", "a model that has not converged"))
    for panel in panels:
        if max(shown_values(panel.entries)[1], default=0.0) > panel.scale[1]:
            parts.append(("beyond", "goes on beyond the scale"))
            break
    reasons = dict.fromkeys(suppressed(row) for row in rows if suppressed(row))
    if reasons:
        why = ", ".join(REASONS.get(reason, reason) for reason in reasons)
        parts.append(("suppressed", f"suppressed ({why})"))
    return parts


def _alt(
    words: Words,
    rows: list[Row],
    labels: Mapping[str, str],
    looks: Mapping[str, tuple[str, str]],
) -> str:
    said = []
    for name in looks:
        parts = []
        failed = False
        for statistic, (_, what) in SUMMARIES.items():
            mine = _known(rows, name, statistic)
            failed |= any(row.get("converged") is False for row in mine)
            if mine:
                parts.append(_found(mine, what, labels))
        mark = " (not converged)" if failed else ""
        said.append(f"{words.estimator(name)}{mark}: {'; '.join(parts) or 'nothing shown'}.")
    return " ".join(["Data drawn from each model beside the answers.", *said])


def _found(rows: list[Row], what: str, labels: Mapping[str, str]) -> str:
    """Say for how many groups the answers lie inside, and which lies farthest off."""
    outside = [row for row in rows if not row["lower"] <= 1 <= row["upper"]]
    text = f"the {what} is inside of the model's range for {len(rows) - len(outside)} of "
    text += f"{len(rows)} groups"
    if not outside:
        return text
    far = max(outside, key=lambda row: abs(row["estimate"] - 1))
    names = joined([labels[str(row["group"])] for row in outside])
    listed = f" (outside: {names})" if len(outside) <= MOST_NAMED else ""
    numbers = [significant(float(far[name])) for name in ("observed", "predicted")]
    return (
        f"{text}{listed}; farthest off: {labels[str(far['group'])]}, "
        f"{numbers[0]} in the answers and {numbers[1]} in the model's data"
    )
