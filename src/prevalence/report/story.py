"""The report's variables: every number and every survey's own word that stands in its prose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prevalence.report.material import NATIONAL, Material, Row
from prevalence.report.wording import (
    capitalised,
    interval,
    joined,
    number,
    one_in,
    phrase,
    point,
    significant,
    withheld,
)

INTERVAL_WORDS = {
    "log_t": "made with Student's t distribution on the logarithm of the estimate",
    "t": "made with Student's t distribution",
    "percentile": "made from the percentiles of the replicates",
}
# What a row of the specification table has chosen; the headline stands there more than once.
CHOICES = (
    "estimator",
    "degree",
    "top_code",
    "known_groups",
    "weights",
    "combination",
    "imputation",
)
PER = {"per_100": 100.0, "per_1000": 1000.0}
# The worked example in "The idea": round numbers that are nobody's estimate.
ILLUSTRATION = {"known": "200", "thousand": "1,000", "hidden": "5"}


def variables(material: Material) -> dict[str, Any]:
    """Collect the variables of a report.

    Parameters
    ----------
    material
        What the report is made of.

    Returns
    -------
    dict
        Nested mapping with plain texts as leaves, for `variables.variables_text`.
    """
    tree: dict[str, Any] = {
        "survey": _survey(material),
        "run": _run(material),
        "headline": _headline(material),
        "idea": ILLUSTRATION,
        "groups": {group: _group(material, group) for group in material.groups},
        "sample": {"analysed": _analysed(material)},
    }
    optional = {
        "words": _words(material),
        "ratios": {name: _ratio(material, name) for name in _known_ratios(material)},
        "domains": {kind: _domain(material, kind) for kind in material.domain_types("geographic")},
        "degree": _degree(material),
        "reporting": _reporting(material),
        "published": _published(material),
        "validation": _validation(material),
        "known_groups": _known_groups(material),
        "specifications": _specifications(material),
    }
    return tree | {name: branch for name, branch in optional.items() if branch}


def metadata(material: Material) -> dict[str, Any]:
    """Tell what the sections' conditions refer to: which inputs there are.

    Parameters
    ----------
    material
        What the report is made of.

    Returns
    -------
    dict
        Nested mapping with truth values as leaves.
    """
    words = material.report
    present = {
        **{name: material.has(name) for name in _TABLES},
        **{f"figure_{name}": True for name in material.figures},
        "content_note": "content_note" in words,
        "help_lines": bool(words.get("help_lines")),
        "tie_definition": bool((material.estimate.get("degree") or {}).get("tie_definition")),
        "degree": bool(_degree(material)),
        "bootstrap": material.replication == "rescaled_bootstrap",
        "known_groups": bool(_known_groups(material)),
        "specifications": bool(_specifications(material)),
        "estimators": len(_estimators(material)) > 1,
        "respondent_domains": bool(material.domain_types("respondent")),
        "children": any(
            settings["population"] == "children" for settings in material.groups.values()
        ),
        "source": bool(words.get("source")),
        "raw_files": bool(material.identity.get("raw_files")),
        "ethics": "ethics" in words,
        "funding": "funding" in words,
        "earlier_work": bool(
            ((material.published or {}).get("operations") or {}).get("earlier_work")
        ),
    }
    return {
        "synthetic": material.synthetic,
        "has": {name: bool(value) for name, value in present.items()},
        "groups": {
            group: {"estimand": "estimand" in settings}
            for group, settings in material.groups.items()
        },
        "domains": {
            kind: {
                "has_sum": bool(_sums(material, kind)),
                "has_figure": f"{kind}s" in material.figures,
            }
            for kind in material.domain_types("geographic")
        },
    }


_TABLES = ("sample_flow", "response_rates", "weighting", "reporting", "adjustment", "validation")


def _estimators(material: Material) -> set[str]:
    rows = material.rows("scale_up", domain_type=NATIONAL)
    return {row["estimator"] for row in rows if not row["estimator"].startswith("sum_of_")}


def _survey(material: Material) -> dict[str, str]:
    survey = material.survey
    return {
        "id": material.survey_id,
        "title": survey["title"],
        "subtitle": survey.get("subtitle") or f"{capitalised(survey['country'])}, {survey['year']}",
        "country": survey["country"],
        "year": str(survey["year"]),
        "period": material.report["period"],
    }


def _run(material: Material) -> dict[str, str]:
    level = float(material.estimate["level"])
    return {
        "identity": str(material.identity["identity"]),
        "renderer": material.renderer,
        "level": f"{100 * level:g}%",
        "level_in_hundred": f"{100 * level:g}",
    }


def _headline(material: Material) -> dict[str, str]:
    headline = material.headline
    caps = headline.get("top_codes") or {}
    names = headline["known_groups"]
    labels = {row["group"]: str(row["label"]) for row in material.rows("known_groups")}
    known = [labels.get(name, str(name).replace("_", " ")) for name in names]
    return {
        "date": str(headline["date"]),
        "estimator": str(headline["estimator"]).replace("_", " "),
        "interval": str(headline["interval"]).replace("_", "-"),
        "variance": str(headline["variance"]),
        "interval_words": INTERVAL_WORDS[headline["interval"]],
        "known_groups": joined(known),
        "top_codes": " ".join(
            _top_code(caps.get(name), words)
            for name, words in (("known", "a group of known size"), ("hidden", "a hidden group"))
        ),
    }


def _top_code(value: Any, words: str) -> str:
    if value is None:
        return f"Answers about {words} were taken as they are."
    cap = number(float(value))
    return f"Answers above {cap} about {words} were set to {cap}."


def _words(material: Material) -> dict[str, Any]:
    report = material.report
    words: dict[str, Any] = {
        name: report[name] for name in ("content_note", "ethics", "funding") if report.get(name)
    }
    tie = (material.estimate.get("degree") or {}).get("tie_definition")
    if tie:
        words["tie_definition"] = tie
    if report.get("reporting"):
        words["reporting"] = dict(report["reporting"])
    if report.get("help_lines"):
        words["help_lines"] = " ".join(help_line(line) for line in report["help_lines"])
    if report.get("source"):
        words["source"] = report["source"]["text"]
    return words


def help_line(line: Mapping[str, Any]) -> str:
    """Write a help line as a sentence."""
    ways = [*line.get("numbers", []), *([line["url"]] if line.get("url") else [])]
    opening = f"{line['note']}: {line['name']}" if line.get("note") else str(line["name"])
    return f"{opening}, {joined(ways, 'or')}." if ways else f"{opening}."


def _group(material: Material, group: str) -> dict[str, str]:
    settings = material.groups[group]
    count = material.national(group, "persons")
    rate = material.national(group, settings["per"])
    branch = {
        "heading": settings["heading"],
        "label": settings["label"],
        "many": settings["many"],
        "opening": _opening(count, settings),
        "subject": f"{settings['many']} {settings['act']}"
        if settings.get("act")
        else settings["label"],
        "count": phrase(count) if count else "not estimated",
        "rate": phrase(rate, per_words(settings)) if rate else "no rate",
        "one_in": _one_in_words(rate, settings) if rate else "not estimated",
        "n": number(count["n"]) if count else "no",
        "n_reporting": _reports(count),
        "note": settings.get("note") or "Each person counts once.",
    }
    estimand = settings.get("estimand")
    if estimand:
        branch |= {
            "person": estimand["person"],
            "act": estimand["act"],
            "when": estimand["period"],
            "place": estimand["place"],
        }
    return branch


def _opening(count: Row | None, settings: Mapping[str, Any]) -> str:
    if count is not None and withheld(count):
        return "The estimate is"
    if count is not None and point(count) == "interval only":
        return "The survey gives a range only:"
    return "An estimated" if settings.get("act") else "There were an estimated"


def per_words(settings: Mapping[str, Any]) -> str:
    """Write the denominator of a group's rate in words, such as ``per 100 children``."""
    return f"per {number(PER[settings['per']])} {settings['many']}"


def _one_in_words(rate: Row, settings: Mapping[str, Any]) -> str:
    return one_in(rate, PER[settings["per"]], settings["many"])


def _reports(row: Row | None) -> str:
    if row is None or row.get("n_reporting") is None:
        return "an undisclosed number"
    return number(row["n_reporting"])


def _known_ratios(material: Material) -> list[str]:
    return [name for name in material.ratios if material.national(name, "ratio")]


def _ratio(material: Material, name: str) -> dict[str, str]:
    settings = material.ratios[name]
    row = material.national(name, "ratio")
    assert row is not None
    return {
        "heading": settings["heading"],
        "label": settings["label"],
        "value": phrase(row),
        "is_not": settings.get("is_not") or "It is no mean over the members of either group.",
    }


def _analysed(material: Material) -> str:
    flow = sorted(material.rows("sample_flow"), key=lambda row: row["step"])
    kept = [row for row in flow if row.get("n") is not None]
    if kept:
        return number(kept[-1]["n"])
    counts = [row["n"] for row in material.estimates(domain_type=NATIONAL)]
    return number(max(counts)) if counts else "no"


def _domain(material: Material, kind: str) -> dict[str, str]:
    rows = material.estimates(domain_type=kind, unit="persons")
    released = [row for row in rows if not withheld(row)]
    words = material.domain_words(kind)
    branch = {
        "one": words["one"],
        "many": words["many"],
        "released": _released_words(len(released), len(rows), words["one"]),
    }
    sums = _sums(material, kind)
    return branch | ({"sums": sums} if sums else {})


def _released_words(released: int, total: int, one: str) -> str:
    if released == total:
        return f"Every estimate by {one} could be released."
    return (
        f"{released} of the {total} estimates by {one} could be released. The others rest "
        "on too few respondents or reports, or would give another cell away. They are shown as "
        "suppressed, which is neither zero nor small."
    )


def _sums(material: Material, kind: str) -> str:
    sentences = []
    for group, settings in material.groups.items():
        rows = material.rows(
            "scale_up",
            estimator=f"sum_of_{kind}",
            group=group,
            domain_type=NATIONAL,
            unit="persons",
        )
        national = material.national(group, "persons")
        if rows and national:
            sentences.append(
                f"{settings['heading']}: the sum is {phrase(rows[0])}, "
                f"the national estimate {phrase(national)}."
            )
    return " ".join(sentences)


def _degree(material: Material) -> dict[str, str]:
    rows = material.rows("degree_summary", domain_type=NATIONAL)
    own = [row for row in rows if row["estimator"] == "known_population"] or rows
    if not own:
        return {}
    return {"mean": phrase(own[0]).replace(" (", " people (", 1)}


def _reporting(material: Material) -> dict[str, str]:
    rows = material.rows("reporting", domain_type=NATIONAL, estimator="reported_of_answered")
    if not rows:
        return {}
    sentences = []
    for row in rows:
        name = material.groups.get(row["group"], {}).get("heading")
        situations = "situations for which an answer was given"
        start = f"{name}: of the {situations}" if name else f"Of the {situations}"
        if withheld(row):
            sentences.append(f"{start}, the share reported is {withheld(row)}.")
        else:
            share = phrase(row).replace(" (", "% (", 1)
            sentences.append(
                f"{start}, an estimated {share} were reported, "
                f"from {number(row['n'])} respondents who described one."
            )
    return {"sentence": " ".join(sentences)}


def _published(material: Material) -> dict[str, str]:
    published = material.published
    if not published:
        return {}
    release = published["release"]
    branch = {"key": release["key"], "organisations": release["organisations"]}
    operations = published.get("operations")
    if operations:
        branch["operations_as_of"] = operations["as_of"]
        if operations.get("earlier_work"):
            branch["earlier_work"] = operations["earlier_work"]["claim"]
    return branch


def _validation(material: Material) -> dict[str, str]:
    rows = [row for row in material.rows("validation", domain_type=NATIONAL) if _judged(row)]
    if not rows:
        return {}
    sentences = [_verdict(material, row) for row in rows if row["unit"] in ("persons", "ratio")]
    for kind in material.domain_types("geographic"):
        parts = [
            row
            for row in material.rows("validation", domain_type=kind, unit="persons")
            if _judged(row) and not withheld(row)
        ]
        if parts:
            inside = sum(is_true(row["covered"]) for row in parts)
            sentences.append(
                f"By {material.domain_words(kind)['one']}, {inside} of {len(parts)} released "
                "intervals hold the planted value."
            )
    return {"sentence": " ".join(sentences)} if sentences else {}


def _judged(row: Row) -> bool:
    return row.get("covered") is not None and row.get("lower") is not None


def _verdict(material: Material, row: Row) -> str:
    name = label_of(material, row["group"])
    where = "lies inside" if is_true(row["covered"]) else "lies outside"
    return (
        f"{capitalised(name)}: the planted {number(row['truth'], row['unit'])} {where} "
        f"the interval {interval(row)}."
    )


def is_true(value: Any) -> bool:
    """Whether a flag of a released table says yes."""
    return str(value).lower() in ("true", "1", "yes")


def label_of(material: Material, group: str) -> str:
    """Label of a hidden group or ratio."""
    settings = material.groups.get(group) or material.ratios.get(group) or {}
    return str(settings.get("label", group.replace("_", " ")))


def _specifications(material: Material) -> dict[str, str]:
    sentences = []
    for group, settings in material.groups.items():
        values_of = {
            tuple(row.get(choice) for choice in CHOICES): row["estimate"]
            for row in material.rows("specifications", group=group)
            if not withheld(row)
            and row.get("estimate") is not None
            and row.get("interval") == material.headline["interval"]
            and row.get("variance") == material.headline["variance"]
        }
        values = list(values_of.values())
        if len(values) > 1:
            low, high = (number(end(values)) for end in (min, max))
            sentences.append(
                f"{settings['heading']}: {len(values)} combinations of choices give estimates from "
                f"{low} to {high} persons."
            )
    return {"sentence": " ".join(sentences)} if sentences else {}


def _known_groups(material: Material) -> dict[str, str]:
    rows = [
        row
        for row in material.rows("known_groups", estimator=material.headline["estimator"])
        if row.get("known_size") and row.get("estimate") is not None
    ]
    if not rows:
        return {}
    factors = [
        max(row["estimate"] / row["known_size"], row["known_size"] / row["estimate"])
        for row in rows
        if row["estimate"] > 0
    ]
    inside = sum(row["lower"] <= row["known_size"] <= row["upper"] for row in rows)
    return {
        "sentence": f"For {inside} of {len(rows)} groups the size on record lies in the interval; "
        f"the largest difference is a factor of {significant(max(factors), 2)}."
    }
