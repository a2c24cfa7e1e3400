"""The summary in other languages, from reviewed strings: only numbers are filled in."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any

from prevalence.errors import PipelineError, listed
from prevalence.report.material import Material, Row
from prevalence.report.sentences import PER
from prevalence.report.variables import escaped
from prevalence.report.wording import number, point, withheld, written

KEYS = ("language", "name", "heading", "status", "synthetic", "estimate", "range", "withheld",
        "groups", "ratios", "method", "quote")  # fmt: skip


def translated(material: Material) -> str:
    """Write the summary in each language for which there is a table of strings.

    Parameters
    ----------
    material
        What the report is made of.

    Returns
    -------
    str
        Markdown: a section a language, marked as such for screen readers.
    """
    return "\n".join(
        _section(material, language, strings) for language, strings in material.translations.items()
    )


def _section(material: Material, language: str, strings: Mapping[str, Any]) -> str:
    _check(language, strings)
    heading = f"# {escaped(strings['heading'])} {{#sec-translation-{language} lang={language}}}"
    paragraphs = []
    if not strings.get("reviewed_by"):
        opening = f'::: {{.callout-note title="{escaped(strings["status_title"])}"}}'
        paragraphs.append(f"{opening}\n{escaped(strings['status'])}\n:::")
    if material.synthetic:
        paragraphs.append(f"**{escaped(strings['synthetic'])}**")
    paragraphs += [escaped(text) for text in _sentences(material, language, strings)]
    paragraphs += [escaped(strings["method"]), escaped(strings["quote"])]
    if strings.get("help") and material.report.get("help_lines"):
        numbers = "; ".join(
            f"{line['name']}: {', '.join(ways)}" if ways else str(line["name"])
            for line in material.report["help_lines"]
            for ways in [[*line.get("numbers", []), *filter(None, [line.get("url")])]]
        )
        paragraphs.append(escaped(f"{strings['help']} {numbers}."))
    body = "\n\n".join(paragraphs)
    return f"{heading}\n\n::::: {{lang={language}}}\n{body}\n:::::\n"


def _check(language: str, strings: Mapping[str, Any]) -> None:
    missing = [key for key in (*KEYS, "status_title") if key not in strings]
    if missing:
        raise PipelineError(
            "A translation of the summary lacks strings.",
            place=language,
            found=f"no {listed(missing)}",
            allowed=listed(KEYS),
        )


def _sentences(material: Material, language: str, strings: Mapping[str, Any]) -> list[str]:
    found = []
    for group, settings in material.groups.items():
        words = strings["groups"].get(group)
        per = {"per": number(PER[settings["per"]])}
        count, rate = material.national(group, "persons"), material.national(group, settings["per"])
        if words is None or count is None:
            continue
        found.append(_filled(language, strings, words["count"], count))
        if rate and not withheld(rate):
            found[-1] += " " + _filled(language, strings, words["rate"], rate, per)
    for name in material.ratios:
        ratio = material.national(name, "ratio")
        if ratio and name in strings["ratios"]:
            found.append(_filled(language, strings, strings["ratios"][name], ratio))
    return found


def _filled(
    language: str,
    strings: Mapping[str, Any],
    text: str,
    row: Row,
    others: Mapping[str, str] | None = None,
) -> str:
    """Fill an estimate with its interval, and what else the sentence names, into a sentence."""
    if withheld(row):
        return str(strings["withheld"])
    values = {
        "lower": written(row, "lower"),
        "upper": written(row, "upper"),
        "level": f"{100 * float(row['level']):g}%",
        "n": number(row["n"]),
    }
    form = "range" if point(row) == "interval only" else "estimate"
    if form == "estimate":
        values["value"] = written(row, "estimate")
    try:
        value = string.Template(str(strings[form])).substitute(values)
        return string.Template(text).substitute({**values, **(others or {}), "estimate": value})
    except (KeyError, ValueError) as error:
        raise PipelineError(
            "A string of a translation has a mark that cannot be filled in.",
            place=language,
            found=str(error),
            allowed="${estimate}, ${n}, of a rate ${per}; within estimate and range also ${value}, "
            "${lower}, ${upper}, ${level}",
        ) from error
