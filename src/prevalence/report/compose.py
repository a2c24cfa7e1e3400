"""Compose the report's source: the sections whose inputs exist, their variables and exhibits.

The result is the text of every file of a small Quarto project, which either renderer reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from prevalence.report.exhibits import (
    checklist_table,
    exhibit_map,
    partials,
    source_of,
    with_data,
)
from prevalence.report.material import Material, slug
from prevalence.report.resolve import Line, checked_source, reachable, shown
from prevalence.report.story import metadata, variables
from prevalence.report.tables_certainty import coverage_rows
from prevalence.report.variables import FILE, escaped, flattened, variables_text

START = "summary.qmd"
BRIEF = "brief.qmd"
OPENING = "sections/opening.qmd"
BANNER = "templates/banner.html"
EXHIBITS = "partials/tbl-exhibits.md"
CHECKLIST = "partials/tbl-checklist.md"
SECTION_LABEL = re.compile(r"\{#(sec-[\w-]+)")
SHOWN_FIGURE = re.compile(r"/partials/fig-([\w-]+)\.md")
LABEL = "SYNTHETIC DATA"
NOTICE = (
    "The survey data behind this report were made by a computer program. No person was "
    "interviewed. The numbers show that the method and its software work; they say nothing about "
    "{country} and must not be quoted as findings about any real place or person."
)


def _always(_: Material) -> bool:
    return True


# In the order of the published findings. A section stands where its condition holds.
SECTIONS: dict[str, Callable[[Material], bool]] = {
    "notice": _always,
    "headline": lambda material: material.has("scale_up"),
    "groups": lambda material: material.has("scale_up"),
    "ratios": lambda material: bool(_ratios(material)),
    "where": lambda material: bool(material.domain_types("geographic")),
    "reporting": lambda material: (
        bool(material.rows("reporting", domain_type="national", estimator="reported_of_answered"))
        and "reporting" in material.report
    ),
    "survivors": lambda material: _publishes(material, "survivors"),
    "recommendations": lambda material: _publishes(material, "recommendations"),
    "operations": lambda material: _publishes(material, "operations"),
    "published": lambda material: _publishes(material, "findings"),
    "validation": lambda material: (
        material.synthetic
        and any(row.get("covered") is not None for row in material.rows("validation"))
    ),
    "method": _always,
    "certainty": _always,
    "limits": _always,
    "planning": lambda material: bool(material.rows("planning")),
    "terminology": _always,
    "help": lambda material: bool(material.report.get("help_lines")),
    "ethics": _always,
    "appendix": _always,
    "checklist": _always,
    "further": _always,
    "provenance": _always,
    "translations": lambda material: bool(material.translations),
}


def composed(
    material: Material, source: Mapping[str, str], project: Mapping[str, Any]
) -> dict[str, str]:
    """Compose the source of a survey's report.

    Parameters
    ----------
    material
        What the report is made of.
    source
        Text of the files under ``reports/``, by path from there.
    project
        The project file ``_quarto.yml``, to which title, language and marks are added.

    Returns
    -------
    dict
        Text of each file of the composed source, by path from its root.

    Raises
    ------
    PipelineError
        If the source can't be resolved with this survey's variables, in any format.
    """
    conditions = metadata(material)
    tree = variables(material)
    files = {path: source[path] for path in (START, BRIEF, OPENING)} | _sections(material, source)
    files |= {f"partials/{name}.md": text for name, text in _with_data(material).items()}
    files["partials/further.md"] = _list_of(
        [f"partials/fig-{name}.md" for name in _further(material, source)]
    )
    files = _pruned({**files, EXHIBITS: "", CHECKLIST: ""}, conditions)
    labels = [label for text in files.values() for label in SECTION_LABEL.findall(text)]
    files[CHECKLIST] = checklist_table(yaml.safe_load(source["checklist.yml"]), labels)
    files[EXHIBITS] = exhibit_map(
        material,
        {
            path.removeprefix("partials/").removesuffix(".md"): text
            for path, text in files.items()
            if path.startswith("partials/")
        },
    )
    for start in (START, BRIEF):
        checked_source(files, start, _parsed(tree), conditions)
    banner = f'<aside class="banner" aria-label="Status of the data">{LABEL}</aside>\n'
    return files | {
        FILE: variables_text(tree),
        **({BANNER: banner} if material.synthetic else {}),
        "_quarto.yml": project_text(material, project, conditions),
        **{
            path: text
            for path, text in source.items()
            if path.split("/", 1)[0] in ("style", "templates", "filters") or path.endswith(".bib")
        },
    }


def _parsed(tree: Mapping[str, Any]) -> dict[str, str]:
    variables_text(tree)  # refuses a malformed tree before anything refers to it
    return {name: escaped(text) for name, text in flattened(tree).items()}


def _ratios(material: Material) -> list[str]:
    return [name for name in material.ratios if material.national(name, "ratio")]


def _further(material: Material, source: Mapping[str, str]) -> list[str]:
    """List the figures that no section shows: none that is made is lost."""
    placed = {name for text in source.values() for name in SHOWN_FIGURE.findall(text)}
    placed |= {slug(f"{kind}s") for kind in material.domain_types("geographic")}
    return [slug(name) for name in material.figures if slug(name) not in placed]


def _publishes(material: Material, name: str) -> bool:
    return bool((material.published or {}).get(name))


def _sections(material: Material, source: Mapping[str, str]) -> dict[str, str]:
    wanted = material.report.get("sections") or list(SECTIONS)
    present = [name for name in wanted if SECTIONS[name](material)]
    if not _further(material, source):
        present = [name for name in present if name != "further"]
    files: dict[str, str] = {}
    order: list[str] = []
    for name in present:
        for path, text in _instances(material, source, name).items():
            files[path] = text
            order.append(path)
    kinds = material.domain_types("geographic")
    parts = {
        f"sections/where-{slug(kind)}.qmd": _filled(source["sections/domain.qmd"], kind)
        for kind in kinds
    }
    files |= parts
    files["domains.md"] = _list_of(list(parts))
    files["sections.md"] = _list_of(order)
    return {path: _cited(text, material) for path, text in files.items()}


def _instances(material: Material, source: Mapping[str, str], name: str) -> dict[str, str]:
    """Give a section's files: one, or one for each group or ratio."""
    if name == "groups":
        return {
            f"sections/group-{slug(group)}.qmd": _filled(source["sections/group.qmd"], group)
            for group in material.groups
        }
    if name == "ratios":
        return {
            f"sections/ratio-{slug(ratio)}.qmd": _filled(source["sections/ratio.qmd"], ratio)
            for ratio in _ratios(material)
        }
    return {f"sections/{name}.qmd": source[f"sections/{name}.qmd"]}


def _filled(text: str, name: str) -> str:
    marks = {
        "@id@": name,
        "@slug@": slug(name),
        "@figure@": f"{slug(name)}s",
    }
    for mark, value in marks.items():
        text = text.replace(mark, value)
    return text


def _cited(text: str, material: Material) -> str:
    key = (material.published or {}).get("release", {}).get("key", "")
    return text.replace("@@release@", f"@{key}")


def _list_of(paths: list[str]) -> str:
    return "".join(f"{{{{< include /{path} >}}}}\n\n" for path in paths)


def _with_data(material: Material) -> dict[str, str]:
    texts = partials(material)
    for name, text in texts.items():
        table = source_of(name) if name.startswith("tbl-") else None
        if table:
            texts[name] = with_data(text, material.tables.get(table), table)
        if name == "tbl-coverage":
            level = float(material.estimate["level"])
            rows = coverage_rows(material.reference["coverage"], material.headline, level)
            texts[name] = with_data(text, rows, "coverage", "")
    return texts


def _pruned(files: Mapping[str, str], conditions: Mapping[str, Any]) -> dict[str, str]:
    """Take out what this survey has no input for, so that no renderer meets its variables.

    Blocks for one format only stay: they are decided when that format is rendered.
    """
    kept = {path: _prune(path, text, conditions) for path, text in files.items()}
    reached = [path for start in (START, BRIEF) for path in reachable(kept, start)]
    return {path: kept[path] for path in reached}


_META = re.compile(r'(when|unless)-meta="')


def _prune(path: str, text: str, conditions: Mapping[str, Any]) -> str:
    if not _META.search(text):
        return text
    # Every format's own blocks must survive: their fences are hidden from the pruning.
    guarded = text.replace(".content-visible when-format", ".keep when-format").splitlines()
    numbered = (Line(line, path, number) for number, line in enumerate(guarded, start=1))
    kept = {line.number: line.text for line in shown(numbered, conditions, "")}
    # A blank line for each one taken out: a fault is then told with its line in reports/.
    lines = (kept.get(number, "") for number in range(1, len(guarded) + 1))
    text = "".join(f"{line}\n" for line in lines)
    return text.replace(".keep when-format", ".content-visible when-format")


def project_text(
    material: Material, project: Mapping[str, Any], conditions: Mapping[str, Any]
) -> str:
    """Write the composed project file.

    Parameters
    ----------
    material
        What the report is made of.
    project
        The project file in ``reports/``.
    conditions
        What ``when-meta`` refers to.

    Returns
    -------
    str
        YAML.
    """
    survey = material.survey
    added: dict[str, Any] = {
        "title": escaped(survey["title"]),
        "subtitle": escaped(survey.get("subtitle") or str(survey["year"])),
        "pagetitle": survey["title"],
        "lang": material.report["language"],
        "run-identity": str(material.identity["identity"]),
        "renderer": material.renderer,
    }
    formats = {name: dict(options) for name, options in project["format"].items()}
    if material.synthetic:
        added["notice-label"] = LABEL
        added["notice-text"] = escaped(NOTICE.format(country=survey["country"]))
        formats["html"]["include-before-body"] = BANNER
    merged = {**project, "format": formats, **added, **conditions}
    return yaml.safe_dump(merged, sort_keys=True, allow_unicode=True, width=100)
