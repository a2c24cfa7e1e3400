"""The trend report: its source, composed from released tables for the renderers of the report."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from prevalence.figures.trend import MOST_PLACES
from prevalence.report.cells import (
    DASH,
    notes,
    once,
    precision_note,
    suppression_note,
    unbroken,
    whole,
)
from prevalence.report.compose import BANNER, LABEL, project_text
from prevalence.report.exhibits import partials, with_data
from prevalence.report.markdown import bullets, card, cards, table
from prevalence.report.material import Material, Row
from prevalence.report.names import estimator_name, place_name, plain
from prevalence.report.resolve import checked_source
from prevalence.report.story import INTERVAL_WORDS, VARIANCES, metadata, variables
from prevalence.report.variables import FILE, escaped, flattened, variables_text
from prevalence.report.wording import (
    UNIT_WORDS,
    alike,
    capitalised,
    counted,
    joined,
    level,
    phrase,
    significant,
    withheld,
)
from prevalence.waves.comparability import (
    CAUTION,
    EXPECTED,
    INDEPENDENT,
    NONE,
    NOTHING_SHARED,
    SERIOUS,
)

if TYPE_CHECKING:
    import pandas as pd

START = "trend.qmd"
SHARED = tuple(f"sections/{name}.qmd" for name in ("opening", "notice", "help", "ethics"))
ASPECTS = {
    "instrument": "instrument",
    "tie": "tie definition",
    "groups": "hidden groups",
    "known_groups": "known groups",
    "populations": "populations",
    "frame": "frame and weighting",
    "estimation": "estimation",
}
# Aspects that are two words of a list.
TWO = {"frame": ["frame", "weighting"]}
# What the settings are called that may differ between waves.
SETTINGS = {
    "estimate.degree.tie_definition": "definition of knowing",
    "weight.base": "base weight",
    "weight.within_household": "choice within the household",
    "weight.nonresponse": "adjustment for nonresponse",
    "weight.trimming": "trimming of weights",
    "weight.calibration.method": "method of calibration",
    "weight.calibration.margins": "margins of calibration",
    "clean.screening": "interviews left out",
    "clean.edits": "answers changed",
    "clean.derive": "derived variables",
    "clean.imputations": "imputed answers",
    "headline.estimator": "estimator",
    "headline.interval": "interval",
    "headline.variance": "variance",
    "headline.top_codes": "top codes",
    "headline.known_groups": "known groups",
    "headline.combination": "two answers on one group",
    "estimate.level": "confidence level",
    "estimate.degree.minimum_groups": "least known groups with an answer",
    "estimate.degree.missing": "known groups without an answer",
}
OWN_KNOWN = re.compile(r"estimate\.hidden_groups\.(\w+)\.known_groups")
CHOSEN: dict[str, Callable[[str], str]] = {
    "headline.estimator": estimator_name,
    "headline.interval": lambda name: INTERVAL_WORDS.get(name, plain(name)),
    "headline.variance": lambda name: VARIANCES.get(name, plain(name)),
}
NATIONAL = "national"


def composed(
    material: Material,
    tables: Mapping[str, pd.DataFrame],
    years: tuple[int, int],
    source: Mapping[str, str],
    project: Mapping[str, Any],
) -> dict[str, str]:
    """Compose the source of a trend report.

    Parameters
    ----------
    material
        The later wave's words, figures of the trend, identity; without tables.
    tables
        The released tables `levels`, `changes`, `controls`, `comparability` and `validation`.
    years
        Years of the earlier and the later wave.
    source
        Text of the files under ``reports/``, by path from there.
    project
        The project file ``_quarto.yml``.

    Returns
    -------
    dict
        Text of each file of the composed source, by path from its root.
    """
    rows = {name: _rows(frame) for name, frame in tables.items()}
    conditions = metadata(material)
    present = {name: bool(rows[name]) for name in ("controls", "validation")}
    conditions["has"] = {**conditions["has"], **present}
    known = variables(material)
    tree: dict[str, Any] = {
        **{name: known[name] for name in ("survey", "run", "words", "published") if name in known},
        "waves": {
            "controls": _controls_words(rows["controls"]),
            "samples": _samples_words(rows["comparability"]),
            "validation": _validation_words(material, rows["validation"]),
        },
    }
    words = partials(material)
    files = {path: source[path] for path in (START, *SHARED)}
    files |= {
        "partials/headline.md": _cards(material, rows, years),
        "partials/changed.md": _changed(material, rows, years),
        "partials/comparable.md": _comparable(rows["comparability"]),
        **{
            f"partials/tbl-{name}.md": with_data(
                write(material, rows[name]), tables[name], name, "release_trend"
            )
            for name, write in _TABLES.items()
        },
        **{f"partials/{name}.md": words[name] for name in ("help", "limits")},
        **{f"partials/fig-{name}.md": words[f"fig-{name}"] for name in ("changes", "levels")},
    }
    texts = {name: escaped(text) for name, text in flattened(tree).items()}
    checked_source(files, START, texts, conditions)
    single = {**project, "project": {**project["project"], "render": [START]}}
    banner = f'<aside class="banner" aria-label="Status of the data">{LABEL}</aside>\n'
    return {
        **files,
        FILE: variables_text(tree),
        **({BANNER: banner} if material.synthetic else {}),
        "_quarto.yml": project_text(material, single, conditions),
        **{
            path: text
            for path, text in source.items()
            if path.split("/", 1)[0] in ("style", "templates", "filters") or path.endswith(".bib")
        },
    }


def _rows(frame: pd.DataFrame) -> list[Row]:
    return [
        {str(k): None if isinstance(v, float) and np.isnan(v) else v for k, v in row.items()}
        for row in frame.astype(object).where(frame.notna(), None).to_dict("records")
    ]


def _of(rows: Sequence[Row], **keys: Any) -> Row | None:
    return next((r for r in rows if all(r[key] == value for key, value in keys.items())), None)


@dataclass(frozen=True)
class _National:
    """What is said of a hidden group or ratio in the nation: both levels, and the change."""

    label: str
    per: str
    then: str
    now: str
    ratio: Row
    gap: Row


def _nationally(material: Material, rows: Mapping[str, Sequence[Row]]) -> list[_National]:
    """Collect the national changes of the hidden groups and ratios that have them."""
    found = []
    waves = list(dict.fromkeys(row["wave"] for row in rows["levels"]))
    for group, settings in {**material.groups, **material.ratios}.items():
        unit = settings.get("per", "ratio")
        national = {"group": group, "domain_type": NATIONAL, "unit": unit}
        levels = [_of(rows["levels"], wave=wave, **national) for wave in waves]
        ratio = _of(rows["changes"], measure="ratio", **national)
        gap = _of(rows["changes"], measure="difference", **national)
        if ratio is None or gap is None or None in levels:
            continue
        per = "" if unit == "ratio" else f"{UNIT_WORDS[unit]} {_people(settings)}"
        both = [one for one in levels if one is not None]
        then, now = (
            phrase(one, per, places) for one, places in zip(both, alike(both), strict=True)
        )
        found.append(_National(str(settings["label"]), per, then, now, ratio, gap))
    return found


def _cards(material: Material, rows: Mapping[str, Sequence[Row]], years: tuple[int, int]) -> str:
    """Write the national changes as cards: how many times the earlier rate, of what, interval."""
    found = []
    for one in _nationally(material, rows):
        value, low, high = _written(one.ratio)
        between = unbroken(f"{low} to {high}")
        if withheld(one.ratio) or DASH in (low, high):
            continue
        others = [
            f"{level(one.ratio)} interval {between}",
            f"{years[0]}: {one.then}",
            f"{years[1]}: {one.now}",
        ]
        big, what = between if value == DASH else value, f"{one.label}, {years[1]} over {years[0]}"
        found.append(card(f"× {big}", what, others, span=value == DASH))
    return cards(found)


def _changed(material: Material, rows: Mapping[str, Sequence[Row]], years: tuple[int, int]) -> str:
    """Write a bullet for each hidden group and ratio: both levels, the change, what it shows."""
    said = [
        f"{capitalised(one.label)}: {one.then} in {years[0]}, {one.now} in {years[1]}. "
        f"{_change_words(one)}"
        for one in _nationally(material, rows)
    ]
    return bullets(said) + _warning(rows["comparability"])


def _warning(rows: Sequence[Row]) -> str:
    """Warn below the changes of what may be the whole of them, before anybody quotes one."""
    grave = sum(row["severity"] == SERIOUS for row in rows)
    if not grave:
        return ""
    may, them = ("is", "it") if grave == 1 else ("are", "them")
    return (
        f"\nBetween the waves there {may} {counted(grave, 'difference')} that may be the whole "
        f"change, whatever the intervals say: @sec-comparable lists {them}.\n"
    )


def _people(settings: Mapping[str, Any]) -> str:
    return {"all_ages": "people"}.get(settings["population"], str(settings["population"]))


def _change_words(one: _National) -> str:
    if withheld(one.ratio):
        return f"The change is {withheld(one.ratio)}."
    unit = f" {one.per}" if one.per else ""
    ends = _written(one.ratio)
    if DASH in ends[1:]:
        return "How many times the earlier the later is cannot be told."
    if ends[0] == DASH:
        told = f"The later is between {ends[1]} and {ends[2]} times the earlier"
        said = f"{told} ({level(one.ratio)} interval)"
    else:
        said = f"The later is {_signed(one.ratio)} times the earlier"
    gap = _written(one.gap)
    if DASH in gap[1:] or withheld(one.gap):
        return f"{said}. {_verdict(one.ratio)}"
    if gap[0] == DASH:
        more = f"a difference between {gap[1]} and {gap[2]}{unit} ({level(one.gap)} interval)"
    else:
        more = f"a difference of {_signed(one.gap)}{unit}"
    return f"{said}, {more}. {_verdict(one.ratio)}"


def _verdict(row: Row) -> str:
    """Say what the interval of a ratio shows."""
    if row["lower"] is None or row["upper"] is None:
        return "There is no interval."
    what = "ratio" if row["unit"] == "ratio" else "rate"
    if row["upper"] < 1:
        return f"The whole interval lies below 1: a lower {what} than before."
    if row["lower"] > 1:
        return f"The whole interval lies above 1: a higher {what} than before."
    return "The interval holds 1: it is compatible with a rise and with a fall."


def _signed(row: Row) -> str:
    """Write a change and its limits, as finely as they were released."""
    value, low, high = _written(row)
    return f"{value} ({level(row)} interval {low} to {high})"


def _written(row: Row) -> list[str]:
    """Write estimate and limits with one number of decimals and real minus signs."""
    ends = [row["estimate"], row["lower"], row["upper"]]
    known = [f"{float(end):.10g}" for end in ends if end is not None]
    places = max((len(text.partition(".")[2]) for text in known), default=0)
    return [DASH if end is None else f"{float(end):,.{places}f}".replace("-", "−") for end in ends]


def _cells(row: Row | None) -> list[str]:
    """Write a change and its limits as two cells, or why there are none."""
    if row is None:
        return [DASH, DASH]
    if withheld(row):
        return [withheld(row), DASH]
    value, low, high = _written(row)
    if DASH in (low, high):
        return [DASH, DASH]
    mark = " †" if row["precision"] == "imprecise" else ""
    return ["interval only" if value == DASH else value + mark, unbroken(f"{low} to {high}")]


def _comparable(rows: Sequence[Row]) -> str:
    counts = {
        grade: sum(row["severity"] == grade for row in rows)
        for grade in (SERIOUS, CAUTION, EXPECTED)
    }
    found = [
        f"{counted(counts[grade], 'difference')} {words}"
        for grade, words in (
            (SERIOUS, "that may be the whole change"),
            (CAUTION, "that may move the change"),
            (EXPECTED, "that the comparison takes into account"),
        )
        if counts[grade]
    ]
    if not found:
        return "Nothing that was looked at differs between the waves.\n"
    first = next(count for count in counts.values() if count)
    there = "there is" if first == 1 else "there are"
    return escaped(f"Between the waves {there} {joined(found)}.") + "\n"


def _changes_table(material: Material, rows: Sequence[Row]) -> str:
    geographic = {
        domain["type"]
        for domain in material.estimate.get("domains") or []
        if domain["kind"] == "geographic"
    }
    kinds = list(dict.fromkeys(row["domain_type"] for row in rows))
    wanted = [row for row in rows if row["domain_type"] in {NATIONAL, *geographic}]
    gone = [kind for kind in kinds if all(withheld(r) for r in wanted if r["domain_type"] == kind)]
    shown = [
        row
        for row in wanted
        if row["unit"] != "persons" and row["measure"] == "ratio" and row["domain_type"] not in gone
    ]
    keys = ("group", "domain_type", "domain", "unit")
    cells = []
    for row in shown:
        gap = _of(rows, measure="difference", **{key: row[key] for key in keys})
        if withheld(row) and withheld(gap or row) == withheld(row):
            continue
        label = capitalised(material.label(row["group"]))
        cells.append([label, _place(material, row), *_cells(row), *_cells(gap)])
    left_out = [material.domain_words(kind)["many"] for kind in gone if kind in geographic]
    return table(
        ["Group", "Place", "Ratio", _interval(rows), "Difference", _interval(rows)],
        once(cells),
        caption="Change of the estimated rates: later over earlier, and later less earlier",
        label="changes",
        align="llrrrr",
        widths=[24, 24, 13, 15, 13, 17],
        note=notes(
            suppression_note(shown),
            precision_note(material, shown),
            f"All {joined(left_out)} are suppressed." if left_out else "",
            _not_shown(material, shown),
        ),
    )


def _interval(rows: Sequence[Row]) -> str:
    """Head a column of intervals by their level."""
    return f"{level(rows[0])} interval" if rows else "Interval"


def _place(material: Material, row: Row) -> str:
    kind = row["domain_type"]
    return place_name(kind, material.place(kind, str(row["domain"])))


def _not_shown(material: Material, rows: Sequence[Row]) -> str:
    """Name the places whose change is withheld, by group and reason: they have no row."""
    places: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if withheld(row):
            key = (material.heading(row["group"]), withheld(row))
            places.setdefault(key, []).append(_place(material, row))
    return " ".join(f"{group}, {why}: {joined(names)}." for (group, why), names in places.items())


def _controls_words(rows: Sequence[Row]) -> str:
    if not rows:
        return "There are none."
    tried = [row for row in rows if row["lower"] is not None]
    if not tried:
        return "For none of them is there an interval."
    agree = sum(bool(row["agrees"]) for row in tried)
    return f"For {agree} of {len(tried)} of them the interval holds it."


def _controls_table(material: Material, rows: Sequence[Row]) -> str:
    cells = [
        [
            capitalised(material.item(row["group"])),
            *_cells({**row, "suppressed": ""}),
            significant(float(row["expected"])),
            DASH if row["lower"] is None else ("yes" if row["agrees"] else "no"),
            whole(row["n_earlier"]),
            whole(row["n"]),
        ]
        for row in rows
    ]
    return table(
        ["Known group", "Ratio", _interval(rows), "Of known sizes", "Held", "n earlier", "n later"],
        cells,
        caption="Estimated change of groups of known size, each by network sizes that rest on the "
        "others, beside the change of the known size",
        label="controls",
        align="lrrrlrr",
    )


def _named(material: Material, item: str) -> str:
    """Name what differs by the label of the group, question or setting that it is about."""
    if item in SETTINGS:
        return capitalised(SETTINGS[item])
    own = OWN_KNOWN.fullmatch(item)
    if own:
        return f"{material.heading(own[1])}: known groups"
    name, mark, what = item.partition(": ")
    settings = {**material.groups, **material.ratios}.get(name, {})
    label = settings.get("heading") or material.labels.get(name) or plain(name)
    return f"{capitalised(str(label))}{mark}{what.replace('_', ' ')}"


def _valued(material: Material, row: Row, wave: str) -> str:
    """Write what a wave has, with labels where the config has the names of groups or of methods."""
    item, value = row["item"], " ".join(str(row[f"{wave}_value"]).split())
    if item in CHOSEN:
        return capitalised(CHOSEN[item](value))
    if item.endswith("known_groups"):
        return ", ".join(material.item(name) for name in value.split(", "))
    if item in material.ratios:
        return " over ".join(material.label(name) for name in value.split(" over "))
    return value


def _same_words(aspects: Sequence[str]) -> str:
    """Join aspects as a sentence does; one that is two words stands as two."""
    return joined([word for aspect in aspects for word in TWO.get(aspect, [ASPECTS[aspect]])])


def _comparability_table(material: Material, rows: Sequence[Row]) -> str:
    cells = [
        [
            capitalised(ASPECTS[row["aspect"]]),
            _named(material, row["item"]),
            *(_short(_valued(material, row, wave)) for wave in ("earlier", "later")),
            row["severity"],
            str(row["meaning"] or ""),
        ]
        for row in rows
        if row["severity"] != NONE
    ]
    same = _same_words([row["aspect"] for row in rows if row["severity"] == NONE])
    if not cells:
        return f"{capitalised(same)} are the same in both waves.\n"
    return table(
        ["Aspect", "Item", "Earlier wave", "Later wave", "Severity", "Meaning"],
        cells,
        caption="What differs between the waves",
        label="comparability",
        align="llllll",
        widths=[12, 18, 22, 22, 9, 22],
        note=f"The same in both waves: {same}." if same else "",
    )


def _short(value: str, most: int = 90) -> str:
    return value if len(value) <= most else f"{value[: most - 1]}…"


def _samples_words(rows: Sequence[Row]) -> str:
    row = _of(rows, aspect="frame", item="PSUs")
    if row is None:
        return "The samples have the same primary sampling units, and the same replicates."
    if row["meaning"] == INDEPENDENT:
        return "The samples were drawn independently of one another, and so are the replicates."
    if row["meaning"] == NOTHING_SHARED:
        return (
            "The samples share no primary sampling unit, so that they are compared as ones that "
            "were drawn independently of one another."
        )
    return (
        f"The samples have {row['earlier_value']} and {row['later_value']}: {row['meaning']}. "
        "Where primary sampling units are shared, replicates are drawn jointly, so that what the "
        "waves have in common doesn't count as chance."
    )


def _judged(rows: Sequence[Row]) -> list[Row]:
    """Take the intervals that tell of the planted change: of rates, since persons say the same."""
    return [row for row in rows if row["covered"] is not None and row["unit"] != "persons"]


def _held(row: Row) -> bool:
    return str(row["covered"]) == "True"


def _many_places(rows: Sequence[Row]) -> set[str]:
    """Types of domain with so many places that a table names those alone whose interval misses."""
    places = {(row["domain_type"], row["domain"]) for row in rows}
    kinds = [kind for kind, _ in places]
    return {kind for kind in kinds if kinds.count(kind) > MOST_PLACES}


def _validation_words(material: Material, rows: Sequence[Row]) -> str:
    """Say how many intervals hold the planted change, and name those that don't."""
    shown = _judged(rows)
    if not shown:
        return "None can be shown."
    missed = [row for row in shown if not _held(row)]
    told = (
        f"Of {counted(len(shown), 'released interval')}, a ratio’s and a difference’s for each "
        f"group and place, {len(shown) - len(missed)} hold it"
    )
    if not missed:
        return f"{told}."
    named = [
        f"the {row['measure']} for {material.label(row['group'])} in "
        f"{'the nation' if row['domain_type'] == NATIONAL else _place(material, row)}"
        for row in missed
    ]
    return f"{told}; not so {joined(named)}."


def _validation_table(material: Material, rows: Sequence[Row]) -> str:
    many, judged = _many_places(rows), _judged(rows)
    cells = [
        [
            capitalised(material.label(row["group"])),
            _place(material, row),
            row["measure"],
            significant(float(row["truth"])).replace("-", "−"),
            *_cells({**row, "suppressed": "", "precision": ""}),
            "yes" if _held(row) else "no",
        ]
        for row in judged
        if row["domain_type"] not in many or not _held(row)
    ]
    return table(
        ["Group", "Place", "Measure", "Planted", "Estimate", "Interval", "Held"],
        once(cells, 2),
        caption="Planted and estimated change of the rates",
        label="validation",
        align="lllrrrl",
        widths=[30, 14, 13, 11, 11, 20, 8],
        note=notes(*(_left_out(material, kind, judged) for kind in sorted(many))),
    )


def _left_out(material: Material, kind: str, judged: Sequence[Row]) -> str:
    """Say how many intervals of small places hold the planted change and have no row."""
    mine = [row for row in judged if row["domain_type"] == kind]
    held = sum(map(_held, mine))
    if not held:
        return ""
    many = material.domain_words(kind)["many"]
    return f"Of {many}, {held} of {len(mine)} intervals hold it, and have no row here."


_TABLES = {
    "changes": _changes_table,
    "controls": _controls_table,
    "comparability": _comparability_table,
    "validation": _validation_table,
}
