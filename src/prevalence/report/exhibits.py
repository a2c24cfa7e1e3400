"""The report's exhibits: which partials there are, figures, data links, the map of all exhibits."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from prevalence.report import tables_certainty, tables_findings, tables_method, tables_models
from prevalence.report.cells import DASH
from prevalence.report.markdown import bullets, raw, table
from prevalence.report.material import Material, slug
from prevalence.report.story import help_line
from prevalence.report.translation import translated
from prevalence.report.variables import escaped

if TYPE_CHECKING:
    import pandas as pd

# Which released table each exhibit shows: its CSV stands beside it, and in the exhibit map. A name
# that ends in a hyphen is that of a family, with a table for each type of domain or hidden group.
TABLE_SOURCES = {
    "headline": "scale_up",
    "domain-": "scale_up",
    "contrasts-": "contrasts",
    "reporting": "reporting",
    "published": "scale_up",
    "validation": "validation",
    "choices": "estimands",
    "known-groups": "known_groups",
    "estimators": "scale_up",
    "choice-shares": "choice_shares",
    "respondents": "scale_up",
    "factors": "factors",
    "adjustment": "adjustment",
    "variance": "variance_components",
    "break-even": "sensitivity",
    "models": "scale_up",
    "adjustment-models": "adjustment_models",
    "diagnostics": "diagnostics",
    "predictive": "predictive",
    "comparison": "model_comparison",
    "priors": "prior_sensitivity",
    "places": "small_areas",
    "planning": "planning",
    "sample-flow": "sample_flow",
    "response-rates": "response_rates",
    "nonresponse": "nonresponse_bias",
    "weighting": "weighting",
    "data-quality": "data_quality",
    "disclosure": "disclosure_summary",
}
# What the other exhibits are made of, by path from the project's root.
OTHER_SOURCES = {
    "operations": "config/published_findings.yaml",
    "terms": "config/surveys/{survey}.yaml",
    "checklist": "reports/checklist.yml",
    "coverage": "data/reference/coverage.csv",
    "raw-files": "data/raw/{survey}/MANIFEST.sha256",
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
        made[f"tbl-domain-{slug(kind)}"] = tables_findings.domain_tables(material, kind)
        made[f"tbl-contrasts-{slug(kind)}"] = tables_findings.contrasts_table(material, kind)
    for group in material.groups:
        made[f"estimand-{slug(group)}"] = tables_method.estimand_list(material, group)
    exhibits = {name: text for name, text in made.items() if text or not name.startswith("tbl-")}
    for name, figure in material.figures.items():
        exhibits[f"fig-{slug(name)}"] = _figure(name, figure)
    return exhibits


def source_of(name: str) -> str | None:
    """Name the released table that a table of the report shows; None where it shows none."""
    name = name.removeprefix("tbl-")
    if name in TABLE_SOURCES:
        return TABLE_SOURCES[name]
    families = [family for family in TABLE_SOURCES if family.endswith("-")]
    return next((TABLE_SOURCES[family] for family in families if name.startswith(family)), None)


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


_LABEL = re.compile(r"\{#(tbl-[\w-]+)\}")


def exhibit_map(material: Material, exhibits: Mapping[str, str]) -> str:
    """Write the table that leads from each exhibit to its data and its rule.

    Parameters
    ----------
    material
        What the report is made of.
    exhibits
        Partials of the exhibits that the report shows, in the order in which it does; that of the
        map itself is there too, and empty.

    Returns
    -------
    str
        Markdown.
    """
    rows = []
    for name, text in exhibits.items():
        if name.startswith("fig-"):
            figure = name.removeprefix("fig-").replace("-", "_")
            rule = str(material.figures[figure].get("rule", DASH))
            rows.append([f"@{name}", f"figures/{figure}.csv", rule])
        elif name.startswith("tbl-"):
            path = _path(material, name)
            labels = _LABEL.findall(text) or [name]
            rows += [[f"@{label}", path, "compose_report"] for label in labels]
    return table(
        ["Exhibit", "Data", "Rule"],
        [[raw(exhibit), raw(f"`{path}`"), raw(f"`{rule}`")] for exhibit, path, rule in rows],
        caption="Exhibits, the data that each one shows and the rule that made it",
        label="exhibits",
        align="lll",
        widths=[20, 48, 32],
    )


def _path(material: Material, name: str) -> str:
    source = source_of(name)
    if source:
        return f"tables/{source}.csv"
    other = OTHER_SOURCES.get(name.removeprefix("tbl-"), "this report")
    return other.format(survey=material.survey_id)


def checklist_table(items: list[dict[str, Any]], labels: list[str]) -> str:
    """Write the reporting checklist with the sections in which each item is met.

    Parameters
    ----------
    items
        Number, question and sections of each item.
    labels
        Labels of the sections that the report has, in its order.

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
            for label in labels
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


def with_data(
    text: str, frame: pd.DataFrame | None, name: str, rule: str = "compose_report"
) -> str:
    """Put a link to a table's data below it, for formats that can hold it.

    Parameters
    ----------
    text
        The partial.
    frame
        The released table that it shows.
    name
        Name of the table.
    rule
        The rule that made it; empty where it was made outside of this run.

    Returns
    -------
    str
        The partial with the link.
    """
    if frame is None:
        return text
    csv = frame.to_csv(index=False, lineterminator="\n")
    return f"{text}\n{_links(name, csv, rule)}"


def _limits(material: Material) -> str:
    return bullets(material.report.get("limits") or [])


def _help(material: Material) -> str:
    return bullets([help_line(line) for line in material.report.get("help_lines") or []])


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


_WRITERS: dict[str, Callable[[Material], str]] = {
    "headline": tables_findings.headline_cards,
    "tbl-headline": tables_findings.headline_table,
    "tbl-reporting": tables_findings.reporting_table,
    "tbl-published": tables_findings.published_table,
    "tbl-operations": tables_findings.operations_table,
    "tbl-validation": tables_findings.validation_table,
    "tbl-choices": tables_method.choices_table,
    "tbl-sample-flow": tables_method.sample_flow_table,
    "tbl-response-rates": tables_method.response_table,
    "tbl-nonresponse": tables_method.nonresponse_table,
    "tbl-weighting": tables_method.weighting_table,
    "tbl-data-quality": tables_method.quality_table,
    "tbl-disclosure": tables_method.disclosure_table,
    "tbl-terms": tables_method.terms_table,
    "tbl-raw-files": tables_method.raw_files_table,
    "tbl-known-groups": tables_certainty.known_groups_table,
    "tbl-estimators": tables_certainty.estimators_table,
    "tbl-choice-shares": tables_certainty.choice_shares_table,
    "tbl-respondents": tables_certainty.respondents_tables,
    "tbl-factors": tables_certainty.factors_table,
    "tbl-adjustment": tables_certainty.adjustment_table,
    "tbl-variance": tables_certainty.variance_table,
    "tbl-break-even": tables_certainty.break_even_table,
    "tbl-models": tables_certainty.models_table,
    "tbl-diagnostics": tables_certainty.diagnostics_table,
    "tbl-predictive": tables_certainty.predictive_table,
    "tbl-adjustment-models": tables_models.adjustment_models_table,
    "tbl-comparison": tables_models.comparison_table,
    "tbl-priors": tables_models.priors_table,
    "tbl-places": tables_models.places_table,
    "tbl-coverage": tables_certainty.coverage_table,
    "tbl-planning": tables_certainty.planning_table,
    "exceptions": tables_method.exceptions,
    "translations": translated,
    "survivors": _published_list("survivors"),
    "recommendations": _published_list("recommendations"),
    "limits": _limits,
    "help": _help,
    "source": _source,
}
