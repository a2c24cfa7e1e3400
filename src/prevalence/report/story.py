"""The report's variables: every number and every survey's own word that stands in its prose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from csv import DictReader
from io import StringIO
from typing import Any

from prevalence.disclosure.rules import Policy, too_small
from prevalence.report import sentences
from prevalence.report.material import NATIONAL, Material, Row
from prevalence.report.names import estimator_name, plain
from prevalence.report.wording import (
    capitalised,
    counted,
    day,
    joined,
    number,
    one_in,
    phrase,
    point,
    withheld,
    without_interval,
)

is_true, per_words, PER = sentences.is_true, sentences.per_words, sentences.PER
INTERVAL_WORDS = {
    "log_t": "Student's t distribution on the logarithm of the estimate",
    "gamma_mid_p": "the mid-p gamma distribution with the share of the largest PSU",
    "t": "Student's t distribution",
    "percentile": "the percentiles of the replicates",
}
CALIBRATIONS = {
    "poststratification": "one factor F for each category (poststratification)",
    "raking": "F(u) = exp(u) (raking)",
    "exponential": "F(u) = exp(u)",
    "linear": "F(u) = 1 + u (linear)",
    "logit": "an F between bounds (logit)",
}
VARIANCES = {
    "bootstrap": "rescaled bootstrap",
    "replicates": "jackknife or half-sample replicates",
    "linearised": "linearisation",
}
COMBINATIONS = {
    "maximum": "the larger of the two answers",
    "sum": "the sum of the two answers",
    "union": "the answers' union",
}
# Why a number is withheld, and what is so of several. No number of respondents may be told in them:
# the gate would take "two respondents" for a count of so few.
BECAUSE = {
    "primary": "It rests on too few respondents or reports to be released.",
    "complementary": "It would give another withheld number away.",
    "dominance": "It rests mostly on the reports of a respondent or two.",
    "geography": "Too many estimates of its kind may not be released.",
}
MANY_BECAUSE = {
    "primary": "rest on too few respondents or reports",
    "dominance": "rest mostly on the reports of a respondent or two",
    "geography": "are of a kind of which too many may not be released",
    "complementary": "would give another number away",
}
# The worked example in "The idea": round numbers that are nobody's estimate.
ILLUSTRATION = {"known": "200", "thousand": "1,000", "hidden": "5"}
POOLED = "partially_pooled"  # models that pool areas begin so
NOT_STATED = "Not stated in this survey's configuration."


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
        "sample": {"analysed": _analysed(material), "drawn": _drawn(material)},
        "words": _words(material),
    }
    optional = {
        "ratios": {name: _ratio(material, name) for name in _known_ratios(material)},
        "domains": {kind: _domain(material, kind) for kind in material.domain_types("geographic")},
        "respondents": _respondents(material),
        "degree": _degree(material),
        "published": _published(material),
        "planning": _planning(material),
        **_checks(material),
    }
    return tree | {name: branch for name, branch in optional.items() if branch}


def _checks(material: Material) -> dict[str, Any]:
    """Collect the branches that are sentences of computed numbers, each empty without its input."""
    return {
        "reporting": sentences.reported(material),
        "validation": sentences.validated(material),
        "known_groups": sentences.leave_one_out(material),
        "agreement": sentences.agreed(material),
        "trimming": sentences.left_out_in_turn(material),
        "specifications": sentences.specified(material),
        "adjusted": sentences.adjusted(material),
        "influence": sentences.influenced(material),
        "margins": sentences.calibrated(material),
        "coverage": sentences.covered(material),
        "disclosure": sentences.controlled(material),
        "models": sentences.modelled(material),
        "models_adjusted": sentences.models_adjusted(material),
        "areas": sentences.spread_over_areas(material),
    }


def departures(material: Material) -> dict[str, list[Row]]:
    """Collect where the run departs from what was fixed: rows of the estimand sheet by element."""
    found: dict[str, list[Row]] = {}
    for row in material.rows("estimands"):
        if is_true(row.get("deviation")):
            found.setdefault(str(row["element"]), []).append(row)
    return found


def recorded(material: Material) -> bool:
    """Whether the headline's choices were put on record beforehand."""
    return any(row.get("fixed") for row in material.rows("estimands", group="headline"))


def as_fixed(material: Material) -> str:
    """Say of a choice that nothing is known to depart from."""
    return "as fixed" if recorded(material) else "not on record"


_TABLES = (
    "sample_flow",
    "response_rates",
    "nonresponse_bias",
    "weighting",
    "reporting",
    "adjustment",
    "factors",
    "validation",
    "data_quality",
    "choice_shares",
    "variance_components",
    "predictive",
)


def _shown(material: Material, name: str) -> bool:
    """Whether a released table has an estimate that isn't withheld."""
    return any(row.get("estimate") is not None for row in material.rows(name))


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
    findings = (material.published or {}).get("findings") or []
    checks, planning = _checks(material), _planning(material)
    present = {
        **{name: material.has(name) for name in _TABLES},
        **{f"figure_{name}": True for name in material.figures},
        "figure_tile_map": _shows_places(material, "tile_map"),
        **{name: bool(branch) for name, branch in checks.items()},
        "departures": bool(departures(material)),
        "unrecorded": not recorded(material),
        "imputation": "imputation" in checks["specifications"],
        "denominators": bool(sentences.divided_by(material)),
        "mirrored": material.synthetic and bool(material.published),
        "alike": sentences.designs_alike(material),
        "code": bool(words.get("code")),
        "content_note": "content_note" in words,
        "help_lines": bool(words.get("help_lines")),
        "tie_definition": bool((material.estimate.get("degree") or {}).get("tie_definition")),
        "degree": bool(_degree(material)),
        "estimators": len(_estimators(material)) > 1,
        "respondent_domains": bool(material.domain_types("respondent")),
        "respondent_contrasts": bool(_respondents(material)),
        "children": any(
            settings["population"] == "children" for settings in material.groups.values()
        ),
        "source": bool(words.get("source")),
        "raw_files": bool(material.identity.get("raw_files")),
        "planning": bool(planning),
        "planning_study": "checked" in planning,
        "comparison": len(material.rows("model_comparison")) > 1,
        "priors": _shown(material, "prior_sensitivity"),
        "places": _shown(material, "small_areas"),
        "adjustment_models": _shown(material, "adjustment_models"),
        "break_even": bool(material.rows("sensitivity", analysis="break_even")),
        "reporting_share": bool(sentences.reported(material)) and "reporting" in words,
        "geographic": bool(material.domain_types("geographic")),
        "sample": any(
            material.has(name) for name in ("sample_flow", "response_rates", "nonresponse_bias")
        ),
        "earlier_work": bool(
            ((material.published or {}).get("operations") or {}).get("earlier_work")
        ),
        "scope": bool((material.published or {}).get("scope")),
        "translations": bool(material.translations),
    }
    return {
        "synthetic": material.synthetic,
        "form": _form(material),
        "has": {name: bool(value) for name, value in present.items()},
        "groups": {
            group: {
                **_told(material, group),
                "estimand": "estimand" in settings,
                "moves": group in checks["specifications"] or group in checks["adjusted"],
                "published": any(finding["group"] == group for finding in findings),
                "specifications": group in checks["specifications"],
                "adjusted": group in checks["adjusted"],
            }
            for group, settings in material.groups.items()
        },
        "ratios": {
            name: {
                "shown": bool(material.national(name, "ratio"))
                and not withheld(material.national(name, "ratio") or {}),
                "published": any(finding["group"] == name for finding in findings),
            }
            for name in material.ratios
        },
        "domains": {
            kind: {
                "shown": bool(_released_of(material, kind)),
                "has_sum": bool(_sums(material, kind)),
                "has_contrasts": bool(sentences.compared(material, kind)),
                "has_figure": f"{kind}s" in material.figures
                and _shows_places(material, f"{kind}s"),
            }
            for kind in material.domain_types("geographic")
        },
    }


def _shows_places(material: Material, name: str) -> bool:
    """Whether a figure of places is there and has one that isn't withheld, by its data."""
    if name not in material.figures:
        return False
    rows = list(DictReader(StringIO(material.figures[name].get("csv", ""))))
    return not rows or any(not row.get("suppressed") for row in rows)


def _form(material: Material) -> dict[str, bool]:
    """Tell which formulas the headline's estimator, variance and interval have."""
    from prevalence.scale_up import FORMS

    headline = material.headline
    form, variance = FORMS[headline["estimator"]], headline["variance"]
    linearised = variance == "linearised"
    bootstrap = not linearised and material.replication == "rescaled_bootstrap"
    weight = material.weight
    base = weight.get("base") or {}
    return {
        "selected": "from" in base,
        "supplied": "variable" in base,
        "drawn_within": bool(weight.get("within_household")),
        "nonresponse": bool(weight.get("nonresponse")),
        "trimmed": bool(weight.get("trimming")),
        "calibrated": bool(weight.get("calibration")),
        "pooled": any(name.startswith(POOLED) for name in sentences.models(material)),
        "mean_degrees": form.degree == "mean_of_ratios",
        "mean_ratios": form.combination == "mean_of_ratios",
        "unweighted": not form.weighted,
        "linearised": linearised,
        "bootstrap": bootstrap,
        "replicates": not linearised and not bootstrap and material.replication is not None,
        "log_t": headline["interval"] == "log_t",
    }


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
    return {
        "date": day(headline["date"]),
        "interval_words": INTERVAL_WORDS[headline["interval"]],
        "variance_words": _worded(VARIANCES, headline["variance"]),
        "known_groups": _known(material),
        "top_codes": _top_codes(material),
    }


def _known(material: Material) -> str:
    return joined([material.item(str(name)) for name in material.headline["known_groups"]])


def _top_codes(material: Material) -> str:
    caps = material.headline.get("top_codes") or {}
    return " ".join(
        _top_code(caps.get(name), words)
        for name, words in (("known", "a group of known size"), ("hidden", "a hidden group"))
    )


def _top_code(value: Any, words: str) -> str:
    if value is None:
        return f"Answers about {words} were taken as they are."
    cap = number(float(value))
    return f"Answers above {cap} about {words} were set to {cap}."


def chosen(material: Material) -> dict[str, tuple[str, str]]:
    """Say in words what was fixed beforehand.

    Parameters
    ----------
    material
        What the report is made of.

    Returns
    -------
    dict
        For each element of the headline its name and what was chosen.
    """
    headline = material.headline
    words = {
        "date": ("Fixed on", day(headline["date"])),
        "estimator": ("Estimator", _estimator(str(headline["estimator"]))),
        "interval": ("Interval", f"by {INTERVAL_WORDS[headline['interval']]}"),
        "variance": ("Variance", _worded(VARIANCES, headline["variance"])),
        "known_groups": ("Known groups", capitalised(_known(material))),
        "top_codes": ("Top codes", _top_codes(material)),
    }
    if headline.get("combination"):
        words["combination"] = (
            "Two answers on one group",
            _worded(COMBINATIONS, headline["combination"]),
        )
    return {name: (title, capitalised(text)) for name, (title, text) in words.items()}


def _estimator(name: str) -> str:
    """Name the headline's estimator, and whether it is weighted."""
    words = estimator_name(name)
    return words if "unweighted" in words else f"{words}, weighted"


def _worded(words: Mapping[str, str], name: Any) -> str:
    return words.get(str(name), plain(str(name)))


def _words(material: Material) -> dict[str, Any]:
    report = material.report
    words: dict[str, Any] = {
        name: str(report.get(name) or NOT_STATED) for name in ("ethics", "safety", "funding")
    }
    if report.get("content_note"):
        words["content_note"] = report["content_note"]
    tie = (material.estimate.get("degree") or {}).get("tie_definition")
    if tie:
        words["tie_definition"] = tie
    if report.get("reporting"):
        words["reporting"] = {
            name: report["reporting"][name] for name in ("situations", "authorities")
        }
    if report.get("help_lines"):
        words["help_lines"] = " ".join(help_line(line) for line in report["help_lines"])
    if report.get("source"):
        words["source"] = report["source"]["text"]
    if report.get("code"):
        words["code"] = report["code"]
    weight = material.weight
    replicates = (weight.get("replication") or {}).get("replicates")
    if replicates:
        words["replicates"] = number(replicates)
    calibration = weight.get("calibration") or {}
    if calibration:
        words["calibration"] = CALIBRATIONS[calibration["method"]]
    if denominators := sentences.divided_by(material):
        words["denominators"] = denominators
    words["units"] = "primary sampling units"
    words["units"] += " of each stratum" if sentences.stratified(material) else ""
    steps = [name for name in ("nonresponse", "trimming", "calibration") if weight.get(name)]
    words["repeated"] = (
        "and the weighting was repeated each time" if steps else "with no weighting to repeat"
    )
    words["replicated"] = "weighting" if steps else "estimate"
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
        "count": phrase(count) if count else "not available",
        "rate": phrase(rate, per_words(settings)) if rate else "not available",
        "one_in": _one_in_words(rate, settings) if rate else "not available",
        "basis": _basis(count, settings),
    }
    wordings = _wordings(material, group)
    if wordings:
        branch["published"] = wordings
    spread = sentences.specified(material).get(group)
    if spread:
        branch["specifications"] = spread
    adjusted = sentences.adjusted(material).get(group)
    if adjusted:
        branch["adjusted"] = adjusted
    return branch


def _wordings(material: Material, name: str) -> str:
    """Quote the published words for a group's or ratio's number."""
    findings = (material.published or {}).get("findings") or []
    return joined([f"“{found['wording']}”" for found in findings if found["group"] == name])


def _told(material: Material, group: str) -> dict[str, bool]:
    """Tell whether a group's number may be said, with or without its rate."""
    rows = [material.national(group, unit) for unit in ("persons", material.groups[group]["per"])]
    count, rate = (
        row is not None and not withheld(row) and not without_interval(row) for row in rows
    )
    return {"rated": count and rate, "counted": count and not rate, "withheld": not count}


def _opening(count: Row | None, settings: Mapping[str, Any]) -> str:
    if count is not None and point(count) == "interval only":
        return "The survey gives a range only:"
    return "An estimated" if settings.get("act") else "There were an estimated"


def _one_in_words(rate: Row, settings: Mapping[str, Any]) -> str:
    return one_in(rate, PER[settings["per"]], settings["many"])


def _basis(count: Row | None, settings: Mapping[str, Any]) -> str:
    """Say how many respondents an estimate rests on, and how they were asked."""
    note = str(settings.get("note") or "")
    if count is None:
        return note or "There is no estimate of it."
    if withheld(count):
        return f"{BECAUSE.get(str(count['suppressed']), 'It may not be released.')} {note}".strip()
    return (
        f"The estimate rests on {number(count['n'])} respondents who answered, of whom "
        f"{number(count['n_reporting'])} know at least one such person. {note}"
    ).strip()


def _known_ratios(material: Material) -> list[str]:
    return [name for name in material.ratios if material.national(name, "ratio")]


def _ratio(material: Material, name: str) -> dict[str, str]:
    settings = material.ratios[name]
    row = material.national(name, "ratio")
    assert row is not None
    branch = {
        "heading": settings["heading"],
        "label": settings["label"],
        "value": phrase(row),
        "is_not": settings.get("is_not") or "It is no mean over the members of either group.",
    }
    wordings = _wordings(material, name)
    if not wordings:
        return branch
    found = [one for one in (material.published or {})["findings"] if one["group"] == name]
    sources = dict.fromkeys(str(one.get("source") or "their release") for one in found)
    return branch | {"published": wordings, "published_in": joined(list(sources))}


def _analysed(material: Material) -> str:
    flow = sorted(material.rows("sample_flow"), key=lambda row: row["step"])
    kept = [row for row in flow if row.get("n") is not None]
    if kept:
        return number(kept[-1]["n"])
    counts = [row["n"] for row in material.estimates(domain_type=NATIONAL)]
    return number(max(counts)) if counts else "no"


def _drawn(material: Material) -> str:
    """Write how many respondents there are, and in how many sampling units they live."""
    return f"{_analysed(material)} respondents{sentences.drawn_in(material)}"


def _domain(material: Material, kind: str) -> dict[str, str]:
    rows = material.estimates(domain_type=kind, unit="persons")
    words = material.domain_words(kind)
    branch = {
        "one": words["one"],
        "many": words["many"],
        "released": _released_words(material, kind, rows),
    }
    sums, contrasts = _sums(material, kind), sentences.compared(material, kind)
    return (
        branch | ({"sums": sums} if sums else {}) | ({"contrasts": contrasts} if contrasts else {})
    )


def _released_of(material: Material, kind: str) -> list[Row]:
    rows = material.estimates(domain_type=kind, unit="persons")
    return [row for row in rows if not withheld(row)]


def _released_words(material: Material, kind: str, rows: Sequence[Row]) -> str:
    """Say how many estimates of a type of place are shown, and why the others aren't."""
    one = material.domain_words(kind)["one"]
    smallest = str(material.release.get("smallest_geography") or "")
    policy = Policy.from_config(material.policy) if material.policy else None
    if smallest and policy and too_small(kind, smallest, policy):
        larger = "nation" if smallest == NATIONAL else material.domain_words(smallest)["one"]
        return (
            f"Estimates by {one} are not shown: this survey’s rules release nothing smaller than "
            f"the {larger}."
        )
    released = sum(not withheld(row) for row in rows)
    if released == len(rows):
        return f"No estimate by {one} had to be withheld."
    found = {str(row["suppressed"]) for row in rows if withheld(row)}
    why = ", or ".join(words for reason, words in MANY_BECAUSE.items() if reason in found)
    if not released:
        return f"None of the {len(rows)} estimates by {one} may be shown. They {why}."
    return (
        f"{released} of the {len(rows)} estimates by {one} may be shown. The others "
        f"{why}. They are marked as suppressed, which means neither zero nor small."
    )


def _sums(material: Material, kind: str) -> str:
    parts = []
    for group in material.groups:
        rows = material.rows(
            "scale_up",
            estimator=f"sum_of_{kind}",
            group=group,
            domain_type=NATIONAL,
            unit="persons",
        )
        national = material.national(group, "persons")
        if rows and national:
            parts.append(
                f"{material.heading(group)}: the sum is {phrase(rows[0])}, "
                f"the national estimate {phrase(national)}."
            )
    return " ".join(parts)


def _respondents(material: Material) -> dict[str, str]:
    """Say how many comparisons of two parts of the respondents show a difference."""
    kinds = material.domain_types("respondent")
    found = [
        row
        for kind in kinds
        for row in material.rows(
            "contrasts", domain_type=kind, estimator=material.headline["estimator"]
        )
        if not withheld(row) and row.get("lower") is not None
    ]
    if not found:
        return {}
    open_ones = sum(row["lower"] <= 1 <= row["upper"] for row in found)
    return {
        "contrasts": f"Of {counted(len(found), 'comparison')} of two such parts, {open_ones} "
        f"{'has' if open_ones == 1 else 'have'} an interval that includes equal answers."
    }


def _degree(material: Material) -> dict[str, str]:
    rows = material.rows("degree_summary", domain_type=NATIONAL)
    own = [row for row in rows if row["estimator"] == "known_population"] or rows
    if not own or withheld(own[0]) or own[0].get("lower") is None:
        return {}
    return {"mean": phrase(own[0]).replace(" (", " people (", 1)}


def _published(material: Material) -> dict[str, str]:
    published = material.published
    if not published:
        return {}
    release = published["release"]
    branch = {
        "key": release["key"],
        "title": release["title"],
        "date": day(release["date"]),
        "organisations": release["organisations"],
    }
    operations = published.get("operations")
    if operations:
        branch["operations_as_of"] = operations["as_of"]
        if operations.get("earlier_work"):
            branch["earlier_work"] = operations["earlier_work"]["claim"]
    scope = published.get("scope")
    if scope:
        branch["counted"] = scope["counted"]
        branch["not_counted"] = joined(list(scope["not_counted"]), "or")
    return branch


def _planning(material: Material) -> dict[str, str]:
    power = (material.estimate.get("planning") or {}).get("power")
    rows = [row for row in material.rows("planning") if not withheld(row)]
    if not (power and rows):
        return {}
    checked = sentences.planning_checked(material)
    return {"power": f"{100 * power:g}%", **({"checked": checked} if checked else {})}
