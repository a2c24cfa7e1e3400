"""The report's exhibits as Markdown: generated tables, figures, lists."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from prevalence.report.markdown import bullets, raw, table
from prevalence.report.material import NATIONAL, Material, Row
from prevalence.report.story import help_line, is_true, label_of, per_words
from prevalence.report.variables import escaped
from prevalence.report.wording import (
    EXPLANATIONS,
    UNIT_WORDS,
    capitalised,
    interval,
    number,
    phrase,
    point,
    significant,
    withheld,
)

if TYPE_CHECKING:
    import pandas as pd

DASH = "–"
MOST_DOMAINS = 6
PRECISION_NOTE = "† imprecise: the coefficient of variation is above 30%."
# Which released table each exhibit shows: its CSV stands beside it, and in the exhibit map.
TABLE_SOURCES = {
    "headline": "scale_up",
    "reporting": "reporting",
    "published": "scale_up",
    "validation": "validation",
    "sample-flow": "sample_flow",
    "response-rates": "response_rates",
    "weighting": "weighting",
    "known-groups": "known_groups",
    "estimators": "scale_up",
    "respondents": "scale_up",
    "adjustment": "adjustment",
}
ESTIMATOR_WORDS = {
    "ratio_of_sums": "Ratio of sums, weighted",
    "mean_of_ratios": "Mean of ratios, weighted",
    "mean_of_sums": "Ratio of sums with mean-of-ratios degrees",
    "unweighted_ratio_of_sums": "Ratio of sums, unweighted",
    "ratio_of_sums_child_alters": "Ratio of sums over child acquaintances",
}


ADJUSTMENTS = {
    "none": "Nothing: the headline",
    "frame_ratio": "Members who could not be drawn differ in acquaintances",
    "degree_ratio": "Members have more or fewer acquaintances",
    "true_positive_rate": "Members whom acquaintances do not know as such",
    "precision": "Reports of people who are not members",
    "known_size": "Errors of the sizes on record",
    "all": "All of these together",
}


def partials(material: Material) -> dict[str, str]:
    """Write every partial that the material allows.

    Parameters
    ----------
    material
        What the report is made of.

    Returns
    -------
    dict
        Markdown by the partial's name, without folder and suffix.
    """
    made = {name: write(material) for name, write in _WRITERS.items()}
    for kind in material.domain_types("geographic"):
        made[f"tbl-domain-{slug(kind)}"] = _domain_tables(material, kind)
    exhibits = {name: text for name, text in made.items() if text or not name.startswith("tbl-")}
    for name, figure in material.figures.items():
        exhibits[f"fig-{slug(name)}"] = _figure(name, figure)
    return exhibits


def slug(name: str) -> str:
    """Give a name as it stands in labels and files: with hyphens."""
    return name.replace("_", "-")


def _headline_cards(material: Material) -> str:
    cards = []
    for group, settings in material.groups.items():
        count, rate = material.national(group, "persons"), material.national(group, settings["per"])
        if count is None:
            continue
        cards.append(
            _card(
                _big(count),
                f"{settings['label']} {material.report['period']}",
                f"{_interval_words(count)} · {number(count['n'])} respondents",
                f"{capitalised(phrase(rate, per_words(settings)))}" if rate else "",
            )
        )
    for name, settings in material.ratios.items():
        ratio = material.national(name, "ratio")
        if ratio:
            words = f"{_interval_words(ratio)} · {number(ratio['n'])} respondents"
            cards.append(_card(_big(ratio), settings["label"], words, ""))
    return ":::: {.headline}\n" + "".join(cards) + "::::\n" if cards else ""


def _big(row: Row) -> str:
    text = point(row)
    return f"{interval(row)}" if text == "interval only" else text


def _interval_words(row: Row) -> str:
    if withheld(row):
        return "no number is released"
    return f"{100 * row['level']:g}% interval {interval(row)}"


def _card(big: str, label: str, words: str, more: str) -> str:
    range_class = " .range" if " to " in big else ""
    lines = [f"[{escaped(big)}]{{.big{range_class}}}", escaped(label), escaped(words)]
    if more:
        lines.append(escaped(more))
    return "::: {.card}\n" + "\\\n".join(lines) + "\n:::\n\n"


def _cells(row: Row) -> list[str]:
    if withheld(row):
        return [withheld(row), DASH]
    return [point(row), unbroken(interval(row))]


def unbroken(text: str) -> str:
    """Keep a short text on one line of its cell."""
    return text.replace(" ", "\u00a0")


def _counts(row: Row) -> list[str]:
    return [_whole(row.get("n")), _whole(row.get("n_reporting"))]


def _whole(value: Any) -> str:
    return DASH if value is None else number(float(value))


def _headline_table(material: Material) -> str:
    rows: list[list[str]] = []
    for group, settings in material.groups.items():
        count, rate = material.national(group, "persons"), material.national(group, settings["per"])
        if count:
            name = settings["heading"]
            if name.lower() != settings["label"].lower():
                name += f": {settings['label']}"
            rows.append([name, "persons", *_cells(count), *_counts(count)])
        if rate:
            rows.append(
                [
                    f"{settings['heading']}: as a rate",
                    per_words(settings),
                    *_cells(rate),
                    *_counts(rate),
                ]
            )
    for name, settings in material.ratios.items():
        ratio = material.national(name, "ratio")
        if ratio:
            label = capitalised(settings["label"])
            rows.append([label, "ratio", *_cells(ratio), *_counts(ratio)])
    if not rows:
        return ""
    return table(
        ["Estimate of", "Unit", "Estimate", f"{_level(material)} interval", "n", "reporting"],
        rows,
        caption=f"National estimates {material.report['period']}: estimate, interval, number of "
        "respondents (n) and of those who reported at least one such person",
        label="headline",
        align="llrrrr",
        widths=[30, 17, 13, 24, 8, 14],
        note=_precision_note(material.estimates(domain_type=NATIONAL)),
    )


def _precision_note(rows: list[Row]) -> str:
    return PRECISION_NOTE if any(row.get("precision") == "imprecise" for row in rows) else ""


def _level(material: Material) -> str:
    return f"{100 * float(material.estimate['level']):g}%"


def _domain_tables(material: Material, kind: str) -> str:
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
        [str(row["domain"]), *_domain_cells(row, rates.get(row["domain"])), *_counts(row)]
        for row in counts
    ]
    national = material.national(group, "persons")
    if national:
        rate = material.national(group, settings["per"])
        rows.append(["The nation", *_domain_cells(national, rate), *_counts(national)])
    words = material.domain_words(kind)
    return table(
        [
            capitalised(words["one"]),
            "Estimate, persons",
            f"{_level(material)} interval",
            capitalised(per_words(settings)),
            f"{_level(material)} interval",
            "n",
            "reporting",
        ],
        rows,
        caption=f"{settings['heading']} by {words['one']}: {settings['label']} "
        f"{material.report['period']}",
        label=f"{slug(kind)}-{slug(group)}",
        align="lrrrrrr",
        widths=[14, 18, 24, 13, 16, 8, 13],
        note=_domain_note([*counts, *rates.values()]),
    )


def _domain_cells(count: Row, rate: Row | None) -> list[str]:
    if withheld(count):
        return [withheld(count), DASH, DASH, DASH]
    return [*_cells(count), *(_cells(rate) if rate else [DASH, DASH])]


def _domain_note(rows: list[Row]) -> str:
    parts = ["n: respondents; reporting: those who know at least one such person."]
    reasons = {str(row.get("suppressed") or "") for row in rows} - {""}
    if reasons:
        meanings = "; ".join(EXPLANATIONS.get(reason, reason) for reason in sorted(reasons))
        parts.append(f"A suppressed cell is neither zero nor small ({meanings}).")
    if any(row.get("precision") == "imprecise" for row in rows):
        parts.append(PRECISION_NOTE)
    return " ".join(parts)


def _reporting_table(material: Material) -> str:
    words = {
        "reported_of_answered": "of those with an answer yes or no",
        "reported_of_all": "of all described, don't know included",
    }
    rows = [
        [
            material.groups.get(row["group"], {}).get("heading", capitalised(row["group"])),
            words.get(row["estimator"], _to_whom(row["estimator"])),
            str(row["domain"]) if row["domain_type"] != NATIONAL else "The nation",
            *_cells(row),
            _whole(row.get("n")),
        ]
        for row in material.rows("reporting", domain_type=NATIONAL)
    ]
    if not rows:
        return ""
    return table(
        ["Situations", "Share reported", "Where", "Per cent", f"{_level(material)} interval", "n"],
        rows,
        caption="Share of described situations that were reported to authorities",
        label="reporting",
        align="lllrrr",
        widths=[16, 30, 14, 14, 18, 8],
    )


def _to_whom(estimator: str) -> str:
    """Word the share of an authority: of the reported situations, those reported to it."""
    return f"of those reported: {estimator.removeprefix('reported_').replace('_', ' ')}"


def _published_table(material: Material) -> str:
    if not material.published:
        return ""
    rows = []
    for finding in material.published["findings"]:
        row = material.national(finding["group"], finding["unit"])
        if row is None:
            continue
        run = withheld(row) or f"{point(row)} ({unbroken(interval(row))})"
        rows.append(
            [capitalised(finding["claim"]), run, _reading(finding), _agreement(finding, row)]
        )
    if not rows:
        return ""
    return table(
        ["Published claim", f"This run ({_level(material)} interval)", "Read as", "Reading"],
        rows,
        caption="Published, this run, and this project's reading of the published words",
        label="published",
        align="lrll",
        widths=[34, 25, 20, 23],
        note="The ranges are this project's reading of published words, not published numbers.",
    )


def _reading(finding: Mapping[str, Any]) -> str:
    low, high = (_plain_number(finding[name]) for name in ("low", "high"))
    unit = "" if finding["unit"] in ("persons", "ratio") else f" {UNIT_WORDS[finding['unit']]}"
    return f"{low} to {high}{unit}"


def _plain_number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def _agreement(finding: Mapping[str, Any], row: Row) -> str:
    if withheld(row) or row.get("lower") is None:
        return "not comparable: suppressed"
    if row["upper"] < finding["low"] or row["lower"] > finding["high"]:
        return "the interval and the range do not meet"
    estimate = row.get("estimate")
    if estimate is not None and finding["low"] <= estimate <= finding["high"]:
        return "the estimate lies in the range"
    return "the interval meets the range"


def _validation_table(material: Material) -> str:
    planted = material.rows("validation")
    sizes = Counter((row["domain_type"], row["group"], row["unit"]) for row in planted)
    rows = []
    for row in planted:
        # A rate's truth says the same as its count's; many small domains are counted in the text.
        many = sizes[row["domain_type"], row["group"], row["unit"]] > MOST_DOMAINS
        if row["unit"] not in ("persons", "ratio") or many:
            continue
        covered = row.get("covered")
        verdict = DASH if covered is None else ("inside" if is_true(covered) else "outside")
        hidden = withheld(row)
        truth = DASH if row.get("truth") is None else number(row["truth"], row["unit"])
        rows.append(
            [
                capitalised(label_of(material, row["group"])),
                "The nation" if row["domain_type"] == NATIONAL else str(row["domain"]),
                UNIT_WORDS.get(str(row["unit"]), str(row["unit"])),
                truth,
                hidden or (DASH if row.get("estimate") is None else point(row)),
                DASH if hidden or row.get("lower") is None else unbroken(interval(row)),
                DASH if hidden else verdict,
            ]
        )
    if not rows:
        return ""
    return table(
        ["Group", "Where", "Unit", "Planted", "Estimate", "Interval", "Planted value is"],
        rows,
        caption="Planted truth of the synthetic population, and what the survey found",
        label="validation",
        align="lllrrrl",
        widths=[25, 12, 11, 12, 12, 22, 12],
    )


def _sample_flow_table(material: Material) -> str:
    rows = [
        [
            capitalised(str(row["label"])),
            str(row.get("stage") or ""),
            _whole(row.get("excluded")),
            _whole(row.get("n")),
            str(row.get("reason") or "").replace("_", " "),
        ]
        for row in sorted(material.rows("sample_flow"), key=lambda row: row["step"])
    ]
    if not rows:
        return ""
    return table(
        ["Step", "Stage", "Left out", "Remaining", "Reason"],
        rows,
        caption="From the sample to the analysis",
        label="sample-flow",
        align="llrrl",
        widths=[34, 14, 12, 14, 28],
    )


def _response_table(material: Material) -> str:
    rows = [
        [
            str(row["rate"]),
            _share(row.get("unweighted")),
            _share(row.get("weighted")),
            _whole(row["n"]),
        ]
        for row in material.rows("response_rates", domain_type=NATIONAL)
    ]
    if not rows:
        return ""
    return table(
        ["Rate", "Unweighted, per cent", "Weighted, per cent", "Sampled households"],
        rows,
        caption="Response rates by the standard definitions",
        label="response-rates",
        align="lrrr",
        widths=[20, 25, 25, 25],
    )


def _share(value: Any) -> str:
    if value is None:
        return DASH
    return number(100 * float(value), "per_cent")


def _weighting_table(material: Material) -> str:
    rows = [
        [
            capitalised(str(row["step"])),
            _whole(row["n"]),
            _significant(row.get("mean")),
            _significant(row.get("cv")),
            _significant(row.get("median")),
            _significant(row.get("max")),
            _significant(row.get("deff_kish")),
            _whole(row.get("effective_n")),
        ]
        for row in material.rows("weighting")
    ]
    if not rows:
        return ""
    return table(
        [
            "After step",
            "n",
            "Mean",
            "Variation",
            "Median",
            "Largest",
            "Design effect",
            "Effective n",
        ],
        rows,
        caption="Weights after each step: mean, coefficient of variation, median, largest weight, "
        "Kish's design effect and the effective number of respondents",
        label="weighting",
        align="lrrrrrrr",
        widths=[20, 10, 12, 12, 12, 12, 12, 12],
    )


def _significant(value: Any) -> str:
    return DASH if value is None else significant(float(value))


def _known_groups_table(material: Material) -> str:
    rows = [
        [
            capitalised(str(row["label"])),
            _whole(row.get("known_size")),
            *_cells({**row, "unit": "persons"}),
            f"{row['year']:.0f}" if isinstance(row.get("year"), int | float) else DASH,
            str(row.get("quality") or DASH),
            "yes" if is_true(row.get("in_headline")) else "no",
        ]
        for row in material.rows("known_groups", estimator=material.headline["estimator"])
    ]
    if not rows:
        return ""
    return table(
        [
            "Group",
            "Size on record",
            "Estimated",
            f"{_level(material)} interval",
            "Year",
            "Grade",
            "In headline",
        ],
        rows,
        caption="Known groups, each estimated from the others, and the size on record",
        label="known-groups",
        align="lrrrrll",
        widths=[26, 16, 15, 25, 8, 11, 13],
        note="Grade of the size on record: A counted by a register, B an estimate of an official "
        "or trade body, C a rough figure.",
    )


def _estimators_table(material: Material) -> str:
    rows = []
    for group, settings in material.groups.items():
        for row in material.rows(
            "scale_up", group=group, domain_type=NATIONAL, unit=settings["per"]
        ):
            if row["estimator"].startswith("sum_of_"):
                continue
            name = ESTIMATOR_WORDS.get(row["estimator"], row["estimator"].replace("_", " "))
            mark = " (headline)" if row["estimator"] == material.headline["estimator"] else ""
            rows.append(
                [
                    settings["heading"],
                    capitalised(name) + mark,
                    per_words(settings),
                    *_cells(row),
                    _whole(row.get("n")),
                ]
            )
    if not rows:
        return ""
    return table(
        ["Group", "Estimator", "Unit", "Estimate", f"{_level(material)} interval", "n"],
        rows,
        caption="The same quantity by different estimators",
        label="estimators",
        align="lllrrr",
        widths=[19, 34, 17, 13, 23, 9],
    )


def _respondents_table(material: Material) -> str:
    rows = []
    for kind in material.domain_types("respondent"):
        words = material.domain_words(kind)
        for group, settings in material.groups.items():
            for row in material.estimates(domain_type=kind, group=group, unit="persons"):
                domain = f"{capitalised(words['one'])}: {row['domain']}"
                rows.append([domain, settings["heading"], *_cells(row), *_counts(row)])
    if not rows:
        return ""
    return table(
        [
            "Answers of",
            "Group",
            "National total, persons",
            f"{_level(material)} interval",
            "n",
            "reporting",
        ],
        rows,
        caption="Estimates of one national total, each from a part of the respondents",
        label="respondents",
        align="llrrrr",
        widths=[31, 18, 18, 23, 8, 14],
        note=_precision_note(
            [
                row
                for kind in material.domain_types("respondent")
                for row in material.estimates(domain_type=kind)
            ]
        ),
    )


def _adjustment_table(material: Material) -> str:
    rows = []
    for group, settings in material.groups.items():
        for row in material.rows("adjustment", group=group, unit="persons"):
            name = str(row["adjustment"])
            words = ADJUSTMENTS.get(name, capitalised(name.replace("_", " ")))
            rows.append([settings["heading"], words, *_cells(row)])
    if not rows:
        return ""
    return table(
        ["Group", "Adjusted for", "Estimate, persons", f"{_level(material)} interval"],
        rows,
        caption="National estimates under other assumptions about what respondents can know",
        label="adjustment",
        align="llrr",
        widths=[22, 38, 18, 24],
    )


def _operations_table(material: Material) -> str:
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
        caption="Operational figures of the release, as context",
        label="operations",
        align="lr",
        widths=[60, 40],
    )


def _terms_table(material: Material) -> str:
    general = [
        {
            "term": "Prevalence",
            "meaning": "How many people a thing happened to within a period, each counted once. "
            "Not incidence, which counts new events.",
        },
        {
            "term": "Estimate, estimated",
            "meaning": "Made from a sample, with an interval. An estimated person is not a "
            "person on record, and is not called a case.",
        },
        {
            "term": "Scale-up, NSUM",
            "meaning": "The network scale-up method of @sec-method.",
        },
    ]
    rows = [
        [term["term"], raw(_with_reference(term["meaning"]))]
        for term in [*(material.report.get("terms") or []), *general]
    ]
    return table(
        ["Word", "What it means here"],
        rows,
        caption="Words and what they mean in this report",
        label="terms",
        align="ll",
        widths=[28, 72],
    )


def _with_reference(text: str) -> str:
    return escaped(text).replace("\\@sec-method", "@sec-method")


def _limits(material: Material) -> str:
    return bullets(material.report.get("limits") or [])


def _help(material: Material) -> str:
    lines = [help_line(line) for line in material.report.get("help_lines") or []]
    return bullets(lines)


def _source(material: Material) -> str:
    source = material.report.get("source")
    if not source:
        return ""
    keys = "; ".join(f"@{key}" for key in source.get("keys") or [])
    return escaped(source["text"]) + (f" [{keys}]" if keys else "") + "\n"


def _published_list(name: str) -> Callable[[Material], str]:
    def write(material: Material) -> str:
        return bullets((material.published or {}).get(name) or [])

    return write


def _raw_files_table(material: Material) -> str:
    rows = [
        [name, raw(f"`{digest[:12]}`")]
        for name, digest in (material.identity.get("raw_files") or {}).items()
    ]
    if not rows:
        return ""
    return table(
        ["Raw file", "SHA-256, first 12 digits"],
        rows,
        caption="Raw files that this run rests on",
        label="raw-files",
        align="ll",
        widths=[50, 50],
    )


def _figure(name: str, figure: Mapping[str, str]) -> str:
    label = slug(name)
    image = (
        f"![{escaped(figure['caption'])}](figures/{name})"
        f'{{#fig-{label} fig-alt="{_attribute(figure["alt"])}"}}\n'
    )
    return image + "\n" + _links(name, figure.get("csv", ""), str(figure.get("rule", "")))


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


def _links(name: str, csv: str, rule: str) -> str:
    parts = []
    if csv:
        data = base64.b64encode(csv.encode()).decode()
        parts.append(f'[Data (CSV)](data:text/csv;base64,{data}){{download="{name}.csv"}}')
    if rule:
        parts.append(f"made by the rule `{rule}`")
    if not parts:
        return ""
    return (
        '::: {.content-visible when-format="html"}\n::: {.exhibit-links}\n'
        + " · ".join(parts)
        + "\n:::\n:::\n"
    )


def exhibit_map(material: Material, exhibits: Mapping[str, str]) -> str:
    """Write the table that leads from each exhibit to its data and its rule.

    Parameters
    ----------
    material
        What the report is made of.
    exhibits
        Partials of the exhibits that the report shows, in the order in which it does.

    Returns
    -------
    str
        Markdown.
    """
    rows = []
    for name in exhibits:
        if name.startswith("fig-"):
            figure = name.removeprefix("fig-").replace("-", "_")
            rule = str(material.figures[figure].get("rule", DASH))
            rows.append([f"@{name}", f"figures/{figure}.csv", rule])
        elif name.startswith("tbl-domain-"):
            kind = name.removeprefix("tbl-domain-")
            rows += [
                [f"@tbl-{kind}-{slug(group)}", "release/scale_up.csv", "compose_report"]
                for group in material.groups
                if f"{{#tbl-{kind}-{slug(group)}}}" in exhibits[name]
            ]
        elif name.startswith("tbl-"):
            source = TABLE_SOURCES.get(name.removeprefix("tbl-"))
            path = f"release/{source}.csv" if source else "config"
            rows.append([f"@{name}", path, "compose_report"])
    return table(
        ["Exhibit", "Data", "Rule"],
        [[raw(exhibit), raw(f"`{path}`"), raw(f"`{rule}`")] for exhibit, path, rule in rows],
        caption="Exhibits, the data they show and the rule that made them",
        label="exhibits",
        align="lll",
        widths=[24, 42, 34],
    )


def checklist_table(items: list[dict[str, Any]], labels: set[str]) -> str:
    """Write the reporting checklist with the sections in which each item is met.

    Parameters
    ----------
    items
        Number, question and sections of each item.
    labels
        Labels of the sections that the report has.

    Returns
    -------
    str
        Markdown.
    """
    rows = []
    for item in items:
        wanted = [f"sec-{name}" for name in item["sections"]]
        met = [
            label
            for name in wanted
            for label in sorted(labels)
            if label == name or (name == "sec-groups" and label.startswith("sec-group-"))
        ]
        where = ", ".join(f"@{label}" for label in met)
        rows.append([item["item"], item["asks"], raw(where or "no input in this survey")])
    return table(
        ["Item", "What is asked", "Where it is met"],
        rows,
        caption="Items of the reporting guidelines and where each is met",
        label="checklist",
        align="lll",
        widths=[8, 52, 40],
    )


def with_data(text: str, frame: pd.DataFrame | None, name: str) -> str:
    """Put a link to a table's data below it, for formats that can hold it.

    Parameters
    ----------
    text
        The partial.
    frame
        The released table that it shows.
    name
        Name of the table.

    Returns
    -------
    str
        The partial with the link.
    """
    if frame is None:
        return text
    csv = frame.to_csv(index=False, lineterminator="\n")
    return f"{text}\n{_links(name, csv, 'compose_report')}"


_WRITERS: dict[str, Callable[[Material], str]] = {
    "headline": _headline_cards,
    "tbl-headline": _headline_table,
    "tbl-reporting": _reporting_table,
    "tbl-published": _published_table,
    "tbl-operations": _operations_table,
    "tbl-validation": _validation_table,
    "tbl-sample-flow": _sample_flow_table,
    "tbl-response-rates": _response_table,
    "tbl-weighting": _weighting_table,
    "tbl-known-groups": _known_groups_table,
    "tbl-estimators": _estimators_table,
    "tbl-respondents": _respondents_table,
    "tbl-adjustment": _adjustment_table,
    "tbl-terms": _terms_table,
    "tbl-raw-files": _raw_files_table,
    "survivors": _published_list("survivors"),
    "recommendations": _published_list("recommendations"),
    "limits": _limits,
    "help": _help,
    "source": _source,
}
