"""Tables of how it was measured: sample, response, weights, quality of the answers, control."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from prevalence.report.cells import DASH, digits, fixed, share, whole
from prevalence.report.markdown import bullets, raw, table
from prevalence.report.material import NATIONAL, Material, Row
from prevalence.report.names import in_words, plain, steps_named
from prevalence.report.story import COMBINATIONS, as_fixed, chosen, departures
from prevalence.report.variables import escaped
from prevalence.report.wording import capitalised, joined

if TYPE_CHECKING:
    import pandas as pd

STAGES = {"sample": "Sample", "interview": "Interviews", "analysis": "Analysis"}
DISPOSITIONS = {
    "4.x": "outside of the target population",
    "3.x": "not known whether anybody eligible lives there",
    "2.2": "nobody was reached",
    "2.1": "the interview was declined",
    "2.x": "for instance illness or language",
}
# Steps at which the sample is counted; nobody can be left out there.
COUNTED = ("sampled", "completed", "export", "analysed")
# What a run can depart from though the headline doesn't name it.
UNNAMED = {
    "combination": ("Two answers on one group", "Not named"),
    "imputation": ("Imputation between hidden groups", "None"),
    "missing_answers": ("Known groups not answered about", "Left out of the network size"),
}
ADDED = ("imputation", "missing_answers")
# What the screening rules say to a reader: the threshold stands in the sample flow.
SCREENING = {
    "incomplete": "more than {share} of the key questions unanswered",
    "too_short": "less than {share} of the median length",
    "duplicate_content": "every answer as in another interview, {number} or more above zero",
    "straight_lining": "at least {number} questions, all with one answer",
}
# Names of released tables in words, in the order of the report.
TABLES = {
    "scale_up": "Scale-up estimates",
    "contrasts": "Comparisons of places and of respondents",
    "reporting": "Reporting to authorities",
    "degree_summary": "Mean network sizes",
    "degree_distribution": "Distribution of network sizes",
    "known_groups": "Known groups",
    "agreement": "Agreement with the known groups",
    "specifications": "Other choices",
    "choice_shares": "What each choice accounts for",
    "trimming": "Known groups left out in turn",
    "adjustment": "Adjusted estimates",
    "factors": "Adjustment factors",
    "variance_components": "Sources of uncertainty",
    "sensitivity": "Sensitivity",
    "influence": "Influence of single places",
    "planning": "Planning",
    "data_quality": "Quality of the answers",
    "known_groups_models": "Known groups by the models",
    "predictive": "Predictive checks of the models",
    "model_comparison": "Comparison of the models",
    "prior_sensitivity": "Sensitivity of the models to priors",
    "small_areas": "Places by small-area methods",
}
REASONS = ("primary", "complementary", "dominance", "geography")


def sample_flow_table(material: Material) -> str:
    """Follow the sample from selection to analysis."""
    rows = [
        [
            STAGES.get(str(row.get("stage")), str(row.get("stage") or "")),
            capitalised(str(row["label"])),
            DASH if row.get("code") in COUNTED else whole(row.get("excluded")),
            whole(row.get("n")),
            _reason(str(row.get("code")), str(row.get("reason") or "")),
        ]
        for row in sorted(material.rows("sample_flow"), key=lambda row: row["step"])
    ]
    if not rows:
        return ""
    return table(
        ["Stage", "Step", "Left out", "Remaining", "Reason or rule"],
        rows,
        caption="From the sample to the analysis: how many were left out at each step, and why",
        label="sample-flow",
        align="llrrl",
        widths=[12, 34, 10, 12, 32],
    )


def _reason(code: str, reason: str) -> str:
    """Write a reason of the sample flow in words; one that isn't a rule's stands as it is."""
    if reason.startswith("AAPOR disposition "):
        return DISPOSITIONS.get(reason.removeprefix("AAPOR disposition "), reason)
    threshold = re.fullmatch(r"\w+: ([\d.]+)", reason)
    if code in SCREENING and threshold:
        value = float(threshold[1])
        return SCREENING[code].format(share=f"{100 * value:g}%", number=f"{value:g}")
    ages = re.fullmatch(r"variable: \w+; minimum: (\d+); maximum: (\d+)", reason)
    if ages:
        return f"the survey is of ages {ages[1]} to {ages[2]}"
    return "" if re.match(r"\w+: ", reason) else reason


def response_table(material: Material) -> str:
    """Write the national response rates by the standard definitions."""
    rows = [
        [
            str(row["rate"]),
            share(row.get("unweighted")),
            share(row.get("weighted")),
            whole(row["n"]),
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
        note="RR1 and RR2 count every household of unknown eligibility as eligible, RR3 and RR4 an "
        "estimated share; RR2 and RR4 count partial interviews as interviews.",
    )


def nonresponse_table(material: Material) -> str:
    """Set respondents beside the sampling frame and the census, before and after weighting."""
    against = {"frame": "Sampling frame", "census": "Census"}
    rows = []
    before = ("", "")
    for row in _in_one_order(material.rows("nonresponse_bias")):
        place = (against[str(row["against"])], _margin(material, str(row["variable"])))
        last = row["final"] if row.get("final") is not None else row.get("adjusted")
        rows.append(
            [
                place[0] if place[0] != before[0] else "",
                capitalised(place[1]) if place != before else "",
                escaped(capitalised(material.place(str(row["variable"]), str(row["category"])))),
                share(row["benchmark"]),
                share(row.get("responding")),
                share(row.get("difference")),
                share(row.get("std_error")),
                share(last),
            ]
        )
        before = place
    if not rows:
        return ""
    return table(
        [
            "Against",
            "Variable",
            "Category",
            "Frame or census",
            "Sample",
            "Difference",
            "Error",
            "Weighted",
        ],
        rows,
        caption="Respondents beside the sampling frame and the census, per cent",
        label="nonresponse",
        align="lllrrrrr",
        widths=[16, 14, 20, 10, 10, 12, 8, 10],
        note="Frame or census: share of the eligible sampled households, or of the population. "
        "Sample: share of the respondents with base weights. Difference: taken before rounding. "
        "Error: standard error of the difference. Weighted: share after the adjustment for "
        "nonresponse (frame) or with the final weights (census).",
    )


def _margin(material: Material, variable: str) -> str:
    """Name a variable of the frame or the census: by the words for its domains, if any."""
    domains = material.report.get("domains") or {}
    if variable in domains:
        return str(domains[variable]["one"]).removesuffix(" of the respondent")
    return plain(variable) if "_" not in variable else variable.replace("_", " × ")


def _in_one_order(rows: list[Row]) -> list[Row]:
    """Put the categories of a variable in the census's order, wherever they are compared."""
    order = {
        (row["variable"], row["category"]): place
        for place, row in enumerate(rows)
        if row["against"] == "census"
    }
    blocks = list(dict.fromkeys((row["against"], row["variable"]) for row in rows))
    return sorted(
        rows,
        key=lambda row: (
            blocks.index((row["against"], row["variable"])),
            order.get((row["variable"], row["category"]), -1),
        ),
    )


def weighting_table(material: Material) -> str:
    """Write what each step of weighting did."""
    found = _changing(material.rows("weighting"))
    known = steps_named(row["mean"] or math.inf for row in found) if found else {}
    rows = [
        [
            in_words(known, row["step"]),
            whole(row["n"]),
            digits(row.get("mean")),
            fixed(row.get("cv")),
            digits(row.get("median")),
            digits(row.get("max")),
            fixed(row.get("deff_kish")),
            whole(row.get("effective_n")),
        ]
        for row in found
    ]
    if not rows:
        return ""
    return table(
        [
            "After step",
            "n",
            "Mean",
            "Coefficient of variation",
            "Median",
            "Largest",
            "Design effect",
            "Effective n",
        ],
        rows,
        caption="Weights after each step",
        label="weighting",
        align="lrrrrrrr",
        widths=[23, 9, 11, 13, 11, 11, 11, 11],
        note="Design effect: Kish's, of unequal weights alone. Effective n: the respondents of a "
        "simple random sample that would be as precise. Steps that changed nothing are left out.",
    )


def _changing(steps: list[Row]) -> list[Row]:
    """Leave out the steps after which every number is the same as before."""
    kept: list[Row] = []
    for step in steps:
        numbers = {name: value for name, value in step.items() if name != "step"}
        last = {name: value for name, value in (kept or [{}])[-1].items() if name != "step"}
        if numbers != last:
            kept.append(step)
    return kept


def quality_table(material: Material) -> str:
    """Write how well each count question was answered."""
    found = [row for row in material.rows("data_quality") if row.get("answered") is not None]
    rows = [
        [
            capitalised(material.item(str(row["group"])).removeprefix("Number of ")),
            whole(row["answered"]),
            share(row.get("missing_share")),
            share(row.get("zero_share")),
            share(row.get("heaped_share")),
            share(row.get("top_code_share")),
        ]
        for row in found
    ]
    if not rows:
        return ""
    return table(
        ["How many known", "Answered", "No answer", "Nobody", "Heaped", "At the top code"],
        rows,
        caption="Quality of the answers: respondents who answered each question, and shares in "
        "per cent",
        label="data-quality",
        align="lrrrrr",
        widths=[36, 12, 12, 12, 12, 16],
        note="Heaped: multiples of 5 among answers of 5 and more; a dash where there are too few. "
        "Where numbers are only guessed, they heap. At the top code: the highest answer that the "
        "questionnaire takes, or above it.",
    )


def choices_table(material: Material) -> str:
    """Write the choices that were fixed beforehand, and whether the run departs from them."""
    found = departures(material)
    named = chosen(material)
    named |= {name: words for name, words in UNNAMED.items() if name in found and name not in named}
    kept = as_fixed(material)
    rows = [
        [name, text, _departing(material, found.get(element, []), kept)]
        for element, (name, text) in named.items()
    ]
    return table(
        ["Choice", "In this run", "Fixed beforehand"],
        rows,
        caption="The choices behind the headline, and whether this run keeps to them",
        label="choices",
        align="lll",
        widths=[22, 62, 16],
    )


def _departing(material: Material, rows: list[Row], kept: str) -> str:
    """Say whether the run keeps to a choice, and what each hidden group has instead of it."""
    if not rows:
        return kept
    recorded = [
        str(row["fixed"]) for row in rows if row["group"] == "headline" and row.get("fixed")
    ]
    if recorded:
        return f"departs from it: {plain(recorded[0])}"
    instead = [
        f"{material.heading(row['group'])}, {_instead(material, row)}"
        for row in rows
        if row["group"] in material.groups
    ]
    instead += [plain(str(row["text"])) for row in rows if row["element"] in ADDED]
    return "departs from it" + (f": {'; '.join(instead)}" if instead else "")


def _instead(material: Material, row: Row) -> str:
    if row["element"] == "known_groups":
        return joined([material.item(name) for name in str(row["text"]).split(", ")])
    rule = str(row["text"]).partition(" of ")[0]
    return COMBINATIONS.get(rule, plain(rule))


def disclosure_totals(summary: pd.DataFrame) -> pd.DataFrame:
    """Count the rows of each released table, those shown and those withheld by reason.

    Parameters
    ----------
    summary
        ``disclosure_summary``: a row a table, group and type of domain.

    Returns
    -------
    pandas.DataFrame
        One row a table, in the order of the report, and a last one of their sums.
    """
    columns = ["rows", "released", *REASONS]
    totals = summary.groupby("table")[columns].sum()
    order = [name for name in TABLES if name in totals.index]
    order += [name for name in totals.index if name not in TABLES]
    totals = totals.loc[order]
    totals.loc["all"] = totals.sum()
    return totals.reset_index()


def disclosure_table(material: Material) -> str:
    """Write how many rows of each table were withheld, and why."""
    if not material.has("disclosure_summary"):
        return ""
    totals = disclosure_totals(material.tables["disclosure_summary"])
    rows = [
        [
            in_words(TABLES, row["table"]) if row["table"] != "all" else "All tables",
            *(whole(row[name]) for name in ("rows", "released", *REASONS)),
        ]
        for row in totals.to_dict("records")
        if row["released"] < row["rows"] or row["table"] == "all"
    ]
    return table(
        ["Table", "Rows", "Shown", "Too few", "Protective", "Dominated", "Larger area only"],
        rows,
        caption="What disclosure control withheld: rows of each table, those shown, and those "
        "withheld by reason. Tables of which nothing was withheld are counted in the last row only",
        label="disclosure",
        align="lrrrrrr",
        widths=[34, 10, 10, 11, 12, 12, 14],
    )


def exceptions(material: Material) -> str:
    """List the cells that were released by exception, each with reason, approver and expiry."""
    mine = [
        entry
        for entry in material.policy.get("exceptions") or []
        if entry["survey"] == material.survey_id
    ]
    if not mine:
        return "No exception from these rules was made in this run.\n"
    lines = [
        f"{material.heading(entry['group'])}, {entry['domain']}: {entry['reason']} "
        f"(approved by {entry['approver']}, valid until {entry['expiry']})"
        for entry in mine
    ]
    return "These cells were released by exception:\n\n" + bullets(lines)


def terms_table(material: Material) -> str:
    """Write the words of the report and what they mean in it."""
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
        {
            "term": "Network size, degree",
            "meaning": "How many people a respondent knows, by the survey's definition of knowing.",
        },
        {
            "term": "Known group, hidden group",
            "meaning": "A group whose size is on record; one whose size is estimated.",
        },
    ]
    rows = [
        [term["term"], raw(escaped(term["meaning"]).replace("\\@sec-method", "@sec-method"))]
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


def raw_files_table(material: Material) -> str:
    """List the raw files of the run with the beginning of each one's hash."""
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


def estimand_list(material: Material, group: str) -> str:
    """List what is counted in a hidden group: who, what, when, where, and what is not."""
    estimand = material.groups[group].get("estimand")
    if not estimand:
        return ""
    parts = [
        ("Who", estimand["person"]),
        ("What", estimand["act"]),
        ("When", estimand["period"]),
        ("Where", estimand["place"]),
        ("Not counted", estimand.get("false_report")),
    ]
    return "".join(f"- *{name}:* {escaped(text)}\n" for name, text in parts if text)
