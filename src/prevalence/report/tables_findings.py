"""Tables of what was found: the headline, places, reporting, published claims, planted truth."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from prevalence.report.cells import (
    ANSWERED,
    DASH,
    count_cells,
    estimate_cells,
    level_of,
    notes,
    once,
    precision_note,
    subheading,
    suppression_note,
    truth_cell,
    unbroken,
    whole,
)
from prevalence.report.markdown import card, cards, table
from prevalence.report.material import NATIONAL, Material, Row, slug
from prevalence.report.names import place_name, plain
from prevalence.report.statements import statement_rows, statement_sources
from prevalence.report.story import PER, is_true, per_words
from prevalence.report.wording import (
    TOO_IMPRECISE,
    UNIT_WORDS,
    capitalised,
    interval,
    number,
    phrase,
    point,
    withheld,
    without_interval,
    written,
)

MOST_DOMAINS = 6
COUNTED = "Answered: respondents who did. Know any: those who know at least one such person."


def headline_cards(material: Material) -> str:
    """Write the headline numbers as cards: number, what it counts, interval, respondents."""
    found = []
    for group, settings in material.groups.items():
        count, rate = material.national(group, "persons"), material.national(group, settings["per"])
        if count is None:
            continue
        label = f"{settings['label']} {material.report['period']}"
        more = _unbroken_brackets(capitalised(phrase(rate, per_words(settings)))) if rate else ""
        found.append(_card(count, label, more))
    for name, settings in material.ratios.items():
        ratio = material.national(name, "ratio")
        if ratio:
            found.append(_card(ratio, settings["label"], ""))
    return cards(found)


def _unbroken_brackets(text: str) -> str:
    """Keep what stands in brackets on one line."""
    return re.sub(r"\([^)]*\)", lambda found: unbroken(found[0]), text)


def _card(row: Row, label: str, more: str) -> str:
    text = point(row)
    big = interval(row) if text == "interval only" else text
    others = []
    if not withheld(row):
        if not without_interval(row):
            others.append(f"{100 * row['level']:g}% interval {unbroken(interval(row))}")
        others += [more] if more else []
        others.append(f"from {number(row['n'])} respondents")
    return card(big, label, others, span=" to " in big or bool(withheld(row)))


def headline_table(material: Material) -> str:
    """Write the national estimates with intervals and numbers of respondents."""
    rows: list[list[str]] = []
    for group, settings in material.groups.items():
        name = capitalised(settings["label"])
        for unit, words in (("persons", name), (settings["per"], f"– {per_words(settings)}")):
            row = material.national(group, unit)
            if row:
                rows.append([words, *estimate_cells(row), *count_cells(row)])
    for name, settings in material.ratios.items():
        ratio = material.national(name, "ratio")
        if ratio:
            label = capitalised(settings["label"])
            rows.append([label, *estimate_cells(ratio), *count_cells(ratio)])
    if not rows:
        return ""
    return table(
        ["Estimate of", "Estimate", f"{level_of(material)} interval", *ANSWERED],
        rows,
        caption=f"National estimates {material.report['period']}",
        label="headline",
        align="lrrrr",
        widths=[46, 13, 24, 12, 12],
        note=notes(COUNTED, precision_note(material, material.estimates(domain_type=NATIONAL))),
    )


def domain_tables(material: Material, kind: str) -> str:
    """Write one table of a type of geographic domain for each hidden group."""
    return "\n".join(
        text for group in material.groups if (text := _domain_table(material, kind, group))
    )


def _domain_table(material: Material, kind: str, group: str) -> str:
    settings = material.groups[group]
    counts = material.estimates(domain_type=kind, group=group, unit="persons")
    rates = {
        row["domain"]: row
        for row in material.estimates(domain_type=kind, group=group, unit=settings["per"])
    }
    if not counts:
        return ""
    rows = [
        [
            material.place(kind, str(row["domain"])),
            *_domain_cells(row, rates.get(row["domain"])),
            *count_cells(row),
        ]
        for row in counts
    ]
    national = material.national(group, "persons")
    if national:
        rate = material.national(group, settings["per"])
        rows.append(["The nation", *_domain_cells(national, rate), *count_cells(national)])
    words = material.domain_words(kind)
    named = any((material.places.get(kind) or {}).values())
    shown = [*counts, *rates.values()]
    return table(
        [
            capitalised(words["one"]),
            "Estimate, persons",
            f"{level_of(material)} interval",
            capitalised(per_words(settings)),
            f"{level_of(material)} interval",
            *ANSWERED,
        ],
        rows,
        caption=f"{capitalised(settings['label'])} by {words['one']}, {material.report['period']}: "
        "people whom the residents know; the order is no ranking",
        label=f"{slug(kind)}-{slug(group)}",
        align="lrrrrrr",
        widths=[24.5, 13, 20, 11.5, 15, 11, 12] if named else [15, 15, 23, 13, 16, 11, 11],
        note=notes(COUNTED, suppression_note(shown), precision_note(material, shown)),
    )


def _domain_cells(count: Row, rate: Row | None) -> list[str]:
    if withheld(count):
        return [withheld(count), DASH, DASH, DASH]
    return [*estimate_cells(count), *(estimate_cells(rate) if rate else [DASH, DASH])]


def contrasts_table(material: Material, kind: str) -> str:
    """Write how many times as high the rate of one place is as that of another."""
    found = [
        row
        for group in material.groups
        for row in material.rows(
            "contrasts",
            group=group,
            domain_type=kind,
            estimator=material.headline["estimator"],
        )
    ]
    rows: list[list[str]] = []
    for group in material.groups:
        of_group = [row for row in found if row["group"] == group]
        rows += [subheading(material.heading(group), 4)] if of_group else []
        rows += [
            [f"{row['domain']} to {row['against']}", *estimate_cells(row), _includes_one(row)]
            for row in of_group
        ]
    if not rows:
        return ""
    words = material.domain_words(kind)
    return table(
        ["Rates compared", "Ratio", f"{level_of(material)} interval", "Equal rates are"],
        rows,
        caption=f"Rates of two {words['many']} compared: how many times as high one is as the "
        "other, and whether equal rates lie inside of the interval",
        label=f"contrasts-{slug(kind)}",
        align="lrrl",
        widths=[40, 18, 24, 18],
        note=notes(suppression_note(found), precision_note(material, found)),
    )


def _includes_one(row: Row) -> str:
    if withheld(row) or row.get("lower") is None:
        return DASH
    return "inside" if row["lower"] <= 1 <= row["upper"] else "outside"


def reporting_table(material: Material) -> str:
    """Write the shares of described situations that were reported, to whom, and by place."""
    found = material.rows("reporting", domain_type=NATIONAL)
    if not found:
        return ""
    rows: list[list[str]] = []
    for group in dict.fromkeys(row["group"] for row in found):
        of_group = [row for row in found if row["group"] == group]
        if len({row["group"] for row in found}) > 1:
            rows.append(subheading(material.heading(group), 4))
        rows += [_share_row(words, row) for row in of_group if (words := _overall(row))]
        told = [row for row in of_group if not _overall(row)]
        rows += [subheading("Of the reported, told to", 4)] if told else []
        rows += [_share_row(_authority(material, row), row) for row in told]
        for kind in material.domain_types("geographic"):
            keys = {"group": group, "domain_type": kind, "estimator": "reported_of_answered"}
            placed = material.rows("reporting", **keys)
            if any(not withheld(row) for row in placed):
                found = [*found, *placed]
                one = material.domain_words(kind)["one"]
                rows.append(
                    subheading(f"Reported, by {one}, of those with the answer yes or no", 4)
                )
                rows += [_share_row(str(row["domain"]), row) for row in placed]
    return table(
        ["Described situations", "Per cent", f"{level_of(material)} interval", "n"],
        rows,
        caption="Situations that respondents described: the share that was reported, and of the "
        "reported ones the share that each authority was told of",
        label="reporting",
        align="lrrr",
        widths=[50, 24, 18, 8],
        note=notes(
            "n: respondents who described such situations.",
            suppression_note(found),
            precision_note(material, found),
        ),
    )


def _share_row(words: str, row: Row) -> list[str]:
    return [words, *estimate_cells(row), whole(row.get("n"))]


def _overall(row: Row) -> str:
    words = {
        "reported_of_answered": "Reported, of those with the answer yes or no",
        "reported_of_all": "Reported, of all described, “don't know” and refusals included",
    }
    return words.get(str(row["estimator"]), "")


def _authority(material: Material, row: Row) -> str:
    name = str(row["estimator"]).removeprefix("reported_to_")
    words = ((material.report.get("reporting") or {}).get("to") or {}).get(name)
    return capitalised(words or plain(name))


def published_table(material: Material) -> str:
    """Set each published claim beside this run and this project's reading of its words."""
    if not material.published:
        return ""
    rows = []
    used: list[Row] = []
    sources = []
    for claimed in material.published["findings"]:
        finding = _in_own_unit(claimed, material.groups.get(claimed["group"]))
        row = material.national(finding["group"], finding["unit"])
        if row is None:
            continue
        used.append(row)
        if finding.get("source"):
            sources.append(finding)
        run = point(row)
        if not withheld(row) and not without_interval(row):
            run += f" ({unbroken(interval(row))})"
        reading = DASH if withheld(row) else _reading(finding)
        rows.append([capitalised(finding["claim"]), run, reading, _agreement(finding, row)])
    rows += statement_rows(material)
    if not rows:
        return ""
    return table(
        ["Published", f"This run ({level_of(material)} interval)", "Read here as", "Reading"],
        rows,
        caption="Each published claim, this run, and this project's reading of the published words",
        label="published",
        align="llll",
        widths=[30, 28, 20, 24],
        note=notes(
            "“Read here as” is this project's reading of published words, and is not published.",
            *(
                f"“{capitalised(one['wording'])}” is from {one['source']}, not from the release."
                for one in sources
            ),
            precision_note(material, [*used, *statement_sources(material)]),
        ),
    )


def _in_own_unit(
    finding: Mapping[str, Any], settings: Mapping[str, Any] | None
) -> Mapping[str, Any]:
    """Give a published rate's range in the unit in which the survey gives the group's rate."""
    per = (settings or {}).get("per")
    if finding["unit"] not in PER or per is None or per == finding["unit"]:
        return finding
    factor = PER[per] / PER[finding["unit"]]
    return {**finding, "unit": per, **{end: factor * finding[end] for end in ("low", "high")}}


def _reading(finding: Mapping[str, Any]) -> str:
    low, high = (_plain_number(finding[name]) for name in ("low", "high"))
    unit = "" if finding["unit"] in ("persons", "ratio") else f" {UNIT_WORDS[finding['unit']]}"
    return f"{low} to {high}{unit}"


def _plain_number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def _agreement(finding: Mapping[str, Any], row: Row) -> str:
    if withheld(row):
        return "not comparable: suppressed"
    if without_interval(row):
        return f"not comparable: {TOO_IMPRECISE}"
    if row["upper"] < finding["low"] or row["lower"] > finding["high"]:
        return "the interval and the range do not meet"
    estimate = row.get("estimate")
    if estimate is None:
        return "the interval meets the range"
    if finding["low"] <= estimate <= finding["high"]:
        return "the estimate lies in the range"
    return "the interval meets the range, the estimate lies outside of it"


def validation_table(material: Material) -> str:
    """Set the planted truth of a synthetic population beside estimates and intervals."""
    planted = material.rows("validation")
    sizes = Counter((row["domain_type"], row["group"], row["unit"]) for row in planted)
    units = {"persons", "ratio"} | {str(words["per"]) for words in material.groups.values()}
    rows = []
    order = [*material.groups, *material.ratios]
    first = {NATIONAL: 0}
    for row in sorted(
        planted,
        key=lambda row: (order.index(row["group"]), first.get(row["domain_type"], 1)),
    ):
        many = sizes[row["domain_type"], row["group"], row["unit"]] > MOST_DOMAINS
        national = row["domain_type"] == NATIONAL
        # Of places the rate says the same as the count; many small places are counted in the text.
        if row["unit"] not in units or many or not (national or row["unit"] == "persons"):
            continue
        if withheld(row) and row["unit"] not in ("persons", "ratio"):
            continue
        rows.append([material.heading(row["group"]), *_validation_cells(material, row)])
    if not rows:
        return ""
    return table(
        ["Group", "Where", "Unit", "Planted", "Estimate", "Interval", "Planted value is"],
        once(rows, 2),
        caption="Synthetic data only: what was planted, what the survey found, and whether the "
        f"{level_of(material)} interval holds the planted value",
        label="validation",
        align="lllrrrl",
        widths=[19, 14, 15, 12, 12, 26, 12],
    )


def _validation_cells(material: Material, row: Row) -> list[str]:
    covered = row.get("covered")
    verdict = DASH if covered is None else ("inside" if is_true(covered) else "outside")
    hidden = withheld(row)
    group = material.groups.get(row["group"])
    unit = str(row["unit"])
    missing = row.get("estimate") is None
    return [
        place_name(row["domain_type"], material.place(row["domain_type"], str(row["domain"]))),
        per_words(group) if group and unit == group["per"] else UNIT_WORDS.get(unit, unit),
        DASH if hidden else truth_cell(row),
        hidden or (DASH if missing else written(row, "estimate")),
        DASH if hidden or row.get("lower") is None else unbroken(interval(row)),
        DASH if hidden else verdict,
    ]


def operations_table(material: Material) -> str:
    """Write the operational figures of the release, as published."""
    operations = (material.published or {}).get("operations")
    if not operations:
        return ""
    rows = [
        [capitalised(figure["label"]), f"{figure.get('qualifier', '')} {figure['value']:,}".strip()]
        for figure in operations["figures"]
    ]
    return table(
        ["Persons", f"Published, as of {operations['as_of']}"],
        rows,
        caption="Operational figures, as the release gives them",
        label="operations",
        align="lr",
        widths=[60, 40],
    )
