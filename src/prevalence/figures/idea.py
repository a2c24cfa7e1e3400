"""The network scale-up method in one picture."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from prevalence.figures.estimates import national_headline
from prevalence.figures.forest import written
from prevalence.figures.networks import national_mean
from prevalence.figures.style import (
    BODY,
    COLOURS,
    FAINT,
    HEADING,
    INK,
    MARGIN,
    MUTED,
    SMALL,
    Drawing,
    Sheet,
    line_height,
    text_width,
    wrapped,
)
from prevalence.figures.words import Words
from prevalence.report.wording import joined, phrase
from prevalence.report.wording import written as digits

if TYPE_CHECKING:
    import pandas as pd

# Round numbers that explain the idea and are nobody's estimate; the report's text has the same.
PEOPLE, IN_THOUSAND = 1000, 5
AROUND, KNOWN_MARKED, HIDDEN_MARKED = 26, 5, 1
KNOWN, HIDDEN = COLOURS[3], COLOURS[1]
SIDE = 1.62
NAMED = 3  # known groups that are named
PERSON_KEY = ("●", INK, "respondent")
KNOWN_KEY = (PERSON_KEY, ("■", KNOWN, "known, in a group on record"))
HIDDEN_KEY = (PERSON_KEY, ("◆", HIDDEN, "known, in the hidden group"))
THOUSAND_KEY = (("◆", HIDDEN, f"{IN_THOUSAND} in {PEOPLE:,}"),)


def steps(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Three steps: whom respondents know in known groups, in the hidden group, and scaling up."""
    known = tables["known_groups"]
    used = known[known["in_headline"].astype(bool)].drop_duplicates("group")
    names = [str(name) for name in used["label"]]
    chosen = national_headline(tables["scale_up"], words)
    degree = national_mean(tables["degree_summary"])
    sheet = Sheet(words)
    _step(
        sheet,
        "1  How many people does somebody know?",
        _first(names, degree, words),
        _network,
        KNOWN_KEY,
    )
    _step(
        sheet,
        "2  How many of them are in the hidden group?",
        _second(),
        _network_hidden,
        HIDDEN_KEY,
    )
    _step(sheet, "3  From the acquaintances to the population", _third(), _thousand, THOUSAND_KEY)
    _results(sheet, words, chosen)
    said = "; ".join(f"{words.label(group)}: {phrase(row)}" for group, row in chosen.items())
    mean = f" The mean is {phrase(degree)} people." if degree else ""
    return Drawing(
        sheet.close(),
        _data(names, degree, chosen),
        alt="The network scale-up method in three steps. First, respondents say how many people "
        f"they know in {len(names)} groups whose size is on record, which tells how many people "
        f"they know altogether.{mean} Second, they say how many they know in the hidden group. "
        "Third, its share among all whom respondents know is taken as its share in the "
        f"population. Results: {said}.",
        caption="The network scale-up method in three steps. The dots are drawn to explain the "
        "idea; the numbers below them are this survey’s",
    )


def _first(names: list[str], degree: Mapping[str, Any], words: Words) -> str:
    some = f"{', '.join(names[:NAMED])} and others" if len(names) > NAMED + 1 else joined(names)
    text = (
        "Nobody can say offhand. But people can say how many they know in groups whose size is on "
        f"record. Here there are {len(names)}: {some}. Whoever knows many of these knows "
        "many people."
    )
    if degree:
        text += (
            f" In this survey {digits(degree, 'estimate')} on average "
            f"({words.level} interval {digits(degree, 'lower')} to {digits(degree, 'upper')})."
        )
    return text


def _second() -> str:
    return (
        "Nobody is asked about themselves. Respondents only say how many people they know in the "
        "group, under the same definition of knowing."
    )


def _third() -> str:
    return (
        f"If {IN_THOUSAND} in every {PEOPLE:,} of all whom respondents know are in the group, then "
        f"about {IN_THOUSAND} in every {PEOPLE:,} of the population are. (Round numbers, chosen to "
        "explain.) That holds if people in the group are as well known as others, and known to be "
        "in it."
    )


def _step(sheet: Sheet, title: str, text: str, picture: Any, explained: Any) -> None:
    sheet.heading(title)
    start = sheet.top
    left = MARGIN + SIDE + 0.18
    lines = wrapped(text, sheet.width - left - MARGIN)
    sheet.draw(picture, start)
    height = max(1.22, len(lines) * line_height(BODY) + 0.28)
    sheet.write("\n".join(lines), left, start + 0.02)
    for sign, colour, words in explained:
        sheet.write(sign, left, start + height - 0.18, size=SMALL, colour=colour)
        left += text_width(sign, SMALL) + 0.05
        sheet.write(words, left, start + height - 0.18, size=SMALL, colour=MUTED)
        left += text_width(words, SMALL) + 0.2
    sheet.top = start + height + 0.14


def _ring() -> list[tuple[float, float]]:
    """Places of acquaintances around a respondent, in inches: an even spiral without the middle."""
    golden = math.pi * (3 - math.sqrt(5))
    places = []
    for number in range(AROUND):
        radius = 0.22 + 0.36 * math.sqrt((number + 0.5) / AROUND)
        angle = number * golden
        places.append((1.3 * radius * math.cos(angle), radius * math.sin(angle)))
    return places


def _network(where: Any) -> list[Any]:
    return _people(where, KNOWN, KNOWN_MARKED, "s", 4)


def _network_hidden(where: Any) -> list[Any]:
    return _people(where, HIDDEN, HIDDEN_MARKED, "D", 9)


def _people(where: Any, colour: str, marked: int, marker: str, apart: int) -> list[Any]:
    from matplotlib.lines import Line2D

    centre = (MARGIN + SIDE / 2, -0.61)
    chosen = {3 + apart * step for step in range(marked)}
    artists: list[Any] = []
    dots: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for number, (x, y) in enumerate(_ring()):
        place = (centre[0] + x, centre[1] + y)
        ends = ([centre[0], place[0]], [centre[1], place[1]])
        artists.append(Line2D(*ends, transform=where, color=FAINT, lw=0.6, zorder=1))
        dots[number in chosen].append(place)
    shape: dict[str, Any] = {"ls": "", "transform": where, "zorder": 2}
    others = list(zip(*dots[False], strict=True))
    artists.append(Line2D(*others, marker="o", ms=5, color="#8e9aa5", **shape))
    members = list(zip(*dots[True], strict=True))
    artists.append(Line2D(*members, marker=marker, ms=7, color=colour, **shape))
    middle: dict[str, Any] = {"marker": "o", "ms": 12, "color": INK}
    artists.append(Line2D([centre[0]], [centre[1]], **middle, **shape))
    return artists


def _thousand(where: Any) -> list[Any]:
    from matplotlib.lines import Line2D

    columns = 40
    step = SIDE / columns
    chosen = {37, 291, 458, 702, 865}
    places: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for number in range(PEOPLE):
        row, column = divmod(number, columns)
        place = (MARGIN + (column + 0.5) * step, -0.04 - (row + 0.5) * step)
        places[number in chosen].append(place)
    shape: dict[str, Any] = {"ls": "", "transform": where, "mew": 0}
    others = list(zip(*places[False], strict=True))
    members = list(zip(*places[True], strict=True))
    return [
        Line2D(*others, marker="o", ms=1.9, color="#aab4bd", **shape),
        Line2D(*members, marker="D", ms=4.6, color=HIDDEN, **shape),
    ]


def _results(sheet: Sheet, words: Words, chosen: Mapping[str, Mapping[str, Any]]) -> None:
    sheet.paragraph("This survey’s estimates", size=HEADING, weight="bold")
    for group, row in chosen.items():
        sheet.paragraph(f"{words.label(group)}: {written(row)}", gap=0.02)
    sheet.paragraph(f"people; in brackets the {words.level} interval", size=SMALL, colour=MUTED)


def _data(
    names: list[str], degree: Mapping[str, Any], chosen: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    import pandas as pd

    rows: list[dict[str, Any]] = [
        {
            "shown": "illustration",
            "what": "people in the hidden group in a thousand acquaintances",
            "estimate": IN_THOUSAND,
        },
        {"shown": "known groups", "what": "known groups of the headline", "estimate": len(names)},
    ]
    if degree:
        rows.append({"shown": "survey", "what": "mean number of people known", **_limits(degree)})
    rows += [{"shown": "survey", "what": group, **_limits(row)} for group, row in chosen.items()]
    return pd.DataFrame(rows, columns=["shown", "what", "estimate", "lower", "upper", "suppressed"])


def _limits(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row.get(name) for name in ("estimate", "lower", "upper", "suppressed")}
