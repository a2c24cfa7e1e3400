"""Where: rates by place with intervals, always in the same order, never ranked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from prevalence.errors import PipelineError, listed
from prevalence.figures.areas import spread
from prevalence.figures.estimates import against_nation, national_rate
from prevalence.figures.forest import Entry, farthest, plain_row, shown_values, suppressed
from prevalence.figures.legend import key, marks_used
from prevalence.figures.panels import GAP, Panel, side_by_side
from prevalence.figures.small_areas import borrowing
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
    wrapped,
)
from prevalence.figures.words import Words
from prevalence.report.wording import REASONS, interval, point, written

if TYPE_CHECKING:
    import pandas as pd

PITCH = 0.225  # from row to row, in inches
TILE_HEIGHT, TILE_GAP = 0.6, 0.05
FINE = 8.2  # size of the type of a tile's interval
CLASSES = {
    "above": ("#dd9058", "▲ interval wholly above the national estimate"),
    "within": ("#e6ebf0", "interval holds the national estimate"),
    "below": ("#a9c3dc", "▼ interval wholly below the national estimate"),
}
# Tiles that are compared with nothing have no shade.
UNSHADED = {
    "open": "too imprecise for an interval",
    "alone": "no national estimate to set the interval beside",
}


def island_groups(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Rates by island group."""
    return places(tables, words, "island_group")


def regions(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Rates by region."""
    return places(tables, words, "region")


def shrinkage(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Direct estimates of places beside those that borrow strength."""
    return borrowing(tables, words)


def area_distribution(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """How the rates of unnamed areas are spread."""
    return spread(tables, words)


def figure(name: str) -> Callable[[Mapping[str, pd.DataFrame], Words], Drawing]:
    """Give the function that draws the figure of another type of place.

    Parameters
    ----------
    name
        The type of domain with an s: ``provinces``.
    """
    return partial(places, domain_type=name.removesuffix("s"))


def rates(
    table: pd.DataFrame, words: Words, domain_type: str
) -> tuple[list[str], dict[str, dict[str, dict[str, Any]]]]:
    """Rates of each hidden group by place.

    Parameters
    ----------
    table
        The released scale-up table.
    words
        The survey's words.
    domain_type
        Type of place.

    Returns
    -------
    order : list of str
        The places in official order.
    rows : dict
        By group and place.
    """
    own = table[
        (table["estimator"] == words.headline["estimator"])
        & (table["domain_type"] == domain_type)
        & (table["unit"] != "persons")
    ]
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    for group in words.groups:
        mine = own[own["group"] == group]
        if len(mine):
            rows[group] = {str(r["domain"]): plain_row(r) for r in mine.to_dict("records")}
    order = words.order(domain_type, list(dict.fromkeys(own["domain"].astype(str))))
    return order, rows


def places(tables: Mapping[str, pd.DataFrame], words: Words, domain_type: str) -> Drawing:
    """Rates by place: an interval each, two groups side by side."""
    order, rows = rates(tables["scale_up"], words, domain_type)
    groups = list(rows)
    panels = [
        _panel(words, group, rows[group], order, COLOURS[number % len(COLOURS)], tables)
        for number, group in enumerate(groups)
    ]
    sheet = Sheet(words)
    side_by_side(sheet, [words.place(domain_type, place) for place in order], panels, pitch=PITCH)
    every = [row for group in groups for row in rows[group].values()]
    limit = float("inf")
    used = marks_used(every, words, limit)
    beyond = any(_beyond(rows[group].values()) for group in groups)
    used += [("beyond", "goes on beyond the scale")] if beyond else []
    if any(panel.line is not None for panel in panels):
        used += [("dash", "national estimate"), ("band", f"national {words.level} interval")]
    key(sheet, used)
    classes = {group: _classes(tables["scale_up"], words, group, rows[group]) for group in groups}
    sheet.note(f"{words.kind(domain_type)['many'].capitalize()} in a fixed order: no ranking.")
    return Drawing(
        sheet.close(),
        _place_data(order, rows),
        alt=_place_alt(words, rows, domain_type),
        caption=f"Estimated rates by {words.kind(domain_type)['one']} with {words.level} "
        f"intervals: people whom residents know. {_compared(words, order, classes, domain_type)}",
    )


def _panel(
    words: Words,
    group: str,
    rows: Mapping[str, Mapping[str, Any]],
    order: list[str],
    colour: str,
    tables: Mapping[str, pd.DataFrame],
) -> Panel:
    entries = [Entry("", rows.get(place, {}), colour=colour) for place in order]
    return Panel(
        title=words.label(group),
        axis=f"estimated {words.denominator(group)}",
        entries=entries,
        **against_nation(tables["scale_up"], words, group, entries),
    )


def _beyond(rows: Any) -> bool:
    entries = [Entry("", row) for row in rows]
    _, ends = shown_values(entries)
    return bool(ends) and max(ends) > farthest(entries)


def _place_data(order: list[str], rows: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    columns = ["estimate", "lower", "upper", "suppressed", "precision"]
    return pd.DataFrame(
        [
            {
                "group": group,
                "domain": place,
                "unit": rows[group][place]["unit"],
                **{column: rows[group][place].get(column) for column in columns},
            }
            for group in rows
            for place in order
            if place in rows[group]
        ],
        columns=["group", "domain", "unit", *columns],
    )


def _place_alt(words: Words, rows: Mapping[str, Mapping[str, Any]], domain_type: str) -> str:
    many = words.kind(domain_type)["many"]
    parts = []
    for group, mine in rows.items():
        shown = [row for row in mine.values() if not suppressed(row)]
        text = f"{words.label(group)}: {len(shown)} of {len(mine)} {many} shown"
        limited = [row for row in shown if row.get("lower") is not None]
        if limited:
            low = min(limited, key=lambda row: float(row["lower"]))
            high = max(limited, key=lambda row: float(row["upper"]))
            text += (
                f", with intervals from {written(low, 'lower')} at the lowest end to "
                f"{written(high, 'upper')} at the highest, {words.denominator(group)}"
            )
        if len(mine) > len(shown):
            text += f"; {len(mine) - len(shown)} suppressed"
        parts.append(text)
    one = words.kind(domain_type)["one"]
    start = f"Estimates with {words.level} intervals by {one}, in a fixed order."
    return f"{start} {'. '.join(parts)}."


def tile_map(tables: Mapping[str, pd.DataFrame], words: Words) -> Drawing:
    """Tiles in about the places of a map, each with its estimate and interval."""
    (domain_type, tiles), *_ = (words.places.get("tiles") or {}).items()
    order, rows = rates(tables["scale_up"], words, domain_type)
    check_tiles(tiles, order, domain_type)
    groups = list(rows)
    columns = max(column for column, _ in tiles.values()) + 1
    deep = max(row for _, row in tiles.values()) + 1
    across = 2 if len(groups) > 1 else 1
    sheet = Sheet(words)
    sheet.clear_mark()
    room = (sheet.room - GAP * (across - 1)) / across
    wide = room / columns
    classes: dict[str, dict[str, str]] = {}
    for first in range(0, len(groups), across):
        pair = groups[first : first + across]
        titles = [wrapped(words.label(group), room, HEADING, "bold") for group in pair]
        tall = max(map(len, titles)) * line_height(HEADING)
        for number, group in enumerate(pair):
            left = MARGIN + number * (room + GAP)
            head = sheet.top + tall - len(titles[number]) * line_height(HEADING)
            sheet.write("\n".join(titles[number]), left, head, size=HEADING, weight="bold")
            nation = national_rate(tables["scale_up"], words, group)
            unit = words.denominator(group)
            text = f"{unit}; nation {written(nation, 'estimate')}" if nation else unit
            sheet.write(text, left, sheet.top + tall, size=SMALL, colour=MUTED)
            classes[group] = _classes(tables["scale_up"], words, group, rows[group])
            for place, spot in tiles.items():
                corner = (left + spot[0] * wide, sheet.top + tall + 0.2 + spot[1] * TILE_HEIGHT)
                row = rows[group].get(place, {})
                _tile(sheet, place, row, classes[group].get(place, ""), corner, wide)
        sheet.skip(tall + 0.2 + deep * TILE_HEIGHT + 0.04)
    used = {found for mine in classes.values() for found in mine.values()}
    parts = [(f"fill:{c}", text) for name, (c, text) in CLASSES.items() if name in used]
    parts += [("fill:white", text) for name, text in UNSHADED.items() if name in used]
    if not set(tiles) <= set(order):
        parts.append(("fill:white", "no estimate in this survey"))
    if "" in used:
        reasons = [suppressed(r) for g in groups for r in rows[g].values() if suppressed(r)]
        why = ", ".join(REASONS.get(reason, reason) for reason in dict.fromkeys(reasons))
        parts.append(("suppressed", f"suppressed ({why}): neither zero nor small"))
    key(sheet, parts)
    sheet.note(
        f"In each tile: estimate, and below it the {words.level} interval; † imprecise; a dash "
        f"where only the interval is given.{_by_chance(len(order), words)}"
    )
    data = _place_data(order, rows)
    data["against_nation"] = [
        classes[g].get(d, "") for g, d in zip(data["group"], data["domain"], strict=True)
    ]
    return Drawing(
        sheet.close(),
        data,
        alt=_tile_alt(words, order, classes, domain_type),
        caption=f"{words.kind(domain_type)['many'].capitalize()} as tiles in about their places: "
        f"estimated rates with {words.level} intervals. Shaded by whether the interval holds the "
        f"national estimate, which is no ranking. {_compared(words, order, classes, domain_type)}",
    )


def check_tiles(tiles: Mapping[str, tuple[int, int]], order: list[str], domain_type: str) -> None:
    """Refuse tiles that would leave a place with an estimate out, or draw one over another.

    Parameters
    ----------
    tiles
        Column and row of each place.
    order
        Places with an estimate, shown or withheld.
    domain_type
        Type of place.

    Raises
    ------
    PipelineError
        If a place has no tile, or two have one.
    """
    where = f"figures.tiles.{domain_type}"
    without = [place for place in order if place not in tiles]
    if without:
        raise PipelineError(
            "A place with an estimate has no tile on the map.",
            place=where,
            found=f"no tile for {listed(without)}",
            allowed="a tile for each place that has an estimate",
            remedy=f"Add {without[0]}: [column, row], or leave {where} out: then there is no map.",
        )
    spots: dict[tuple[int, ...], list[str]] = {}
    for place, at in tiles.items():
        spots.setdefault(tuple(at), []).append(str(place))
    shared = {spot: names for spot, names in spots.items() if len(names) > 1}
    if shared:
        spot, names = next(iter(shared.items()))
        raise PipelineError(
            "Two places have the same tile on the map.",
            place=where,
            found=f"{listed(names)} at {list(spot)}",
            allowed="one place a tile",
            remedy=f"Give {names[-1]} a column and row of its own.",
        )


def _by_chance(count: int, words: Words) -> str:
    """Warn that of many intervals some miss, where one miss among them is likelier than none."""
    expected = count * (1 - float(words.level.rstrip("%")) / 100)
    if expected < 0.7:  # the chance of none, exp(-0.7), is then a half
        return ""
    how_many = "one" if expected < 1.5 else f"{expected:.0f}"
    return f" Of {count} such intervals about {how_many} may miss by chance."


def _classes(
    table: pd.DataFrame, words: Words, group: str, rows: Mapping[str, Mapping[str, Any]]
) -> dict[str, str]:
    """Tell of each place on which side of the national estimate its interval lies."""
    nation = national_rate(table, words, group)
    return {place: _class(row, nation) for place, row in rows.items()}


def _class(row: Mapping[str, Any], nation: Mapping[str, Any]) -> str:
    if suppressed(row):
        return ""
    if row.get("lower") is None:
        return "open"
    if not nation:
        return "alone"
    if float(row["lower"]) > float(nation["estimate"]):
        return "above"
    return "below" if float(row["upper"]) < float(nation["estimate"]) else "within"


def _tile(
    sheet: Sheet,
    place: str,
    row: Mapping[str, Any],
    found: str,
    corner: tuple[float, float],
    wide: float,
) -> None:
    from matplotlib.patches import Rectangle

    left, top = corner
    width, height = wide - TILE_GAP, TILE_HEIGHT - TILE_GAP
    settings: dict[str, Any] = {"facecolor": "white", "edgecolor": FAINT, "lw": 0.6}
    if found in CLASSES:
        settings = {"facecolor": CLASSES[found][0], "lw": 0}
    elif not found and row:
        settings["hatch"] = "////"

    def make(where: Any) -> list[Any]:
        return [Rectangle((left, -height), width, height, transform=where, **settings)]

    sheet.draw(make, top)
    middle = left + width / 2
    sign = {"above": " ▲", "below": " ▼"}.get(found, "")
    lines = [(place + sign, "bold", SMALL)]
    if found == "open":
        lines.append(("–", "normal", BODY))
    elif found:
        dagger = " †" if row.get("precision") == "imprecise" else ""
        value = point(dict(row)).removesuffix(" †")
        lines.append((f"{'–' if value == 'interval only' else value}{dagger}", "normal", BODY))
        lines.append((interval(dict(row)).replace(" to ", "–"), "normal", FINE))
    step = 0.17
    start = top + (height - step * len(lines)) / 2 + 0.01
    for number, (text, weight, size) in enumerate(lines):
        where = start + number * step
        sheet.write(text, middle, where, size=size, weight=weight, colour=INK, align="center")


def _tile_alt(
    words: Words,
    order: list[str],
    classes: Mapping[str, Mapping[str, str]],
    domain_type: str,
) -> str:
    return f"Tile map. {_compared(words, order, classes, domain_type, full=True)}."


def _compared(
    words: Words,
    order: list[str],
    classes: Mapping[str, Mapping[str, str]],
    domain_type: str,
    *,
    full: bool = False,
) -> str:
    """Say of how many places the interval holds the national estimate, and of which it doesn't.

    Parameters
    ----------
    words
        The survey's words.
    order
        The places in official order.
    classes
        By group and place, from :func:`_classes`.
    domain_type
        Type of place.
    full
        Whether groups have their whole label.

    Returns
    -------
    str
        A sentence for each hidden group, without the last full stop.
    """
    kind = words.kind(domain_type)
    parts = []
    for group, mine in classes.items():
        compared = [c for c in mine.values() if c not in ("alone", "open")]
        imprecise = sum(c == "open" for c in mine.values())
        text = f"{words.label(group) if full else words.short(group)}: "
        alone = len(mine) - len(compared) - imprecise
        if alone:
            text += f"{alone} {kind['many']} shown, and no national estimate"
        else:
            text += (
                f"in {sum(c == 'within' for c in compared)} of {len(mine)} {kind['many']} the "
                "interval holds the national estimate"
            )
        for found, side in (("above", "above"), ("below", "below")):
            names = [
                words.place(domain_type, p).replace("  ", " ")
                for p in order
                if mine.get(p) == found
            ]
            if names:
                text += f"; wholly {side} it: {', '.join(names)}"
        if imprecise:
            text += f"; {imprecise} too imprecise for an interval"
        hidden = [p for p in order if mine.get(p) == ""]
        if hidden:
            text += f"; {len(hidden)} suppressed"
        parts.append(text)
    return ". ".join(parts)
