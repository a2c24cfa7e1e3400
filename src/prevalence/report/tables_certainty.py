"""Tables of how sure the estimates are: checks, other choices, visibility, models, coverage."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from prevalence.report.cells import (
    ANSWERED,
    DASH,
    count_cells,
    estimate_cells,
    fixed,
    level_of,
    limits,
    notes,
    once,
    precision_note,
    share,
    subheading,
    suppression_note,
    unbroken,
    whole,
)
from prevalence.report.markdown import table
from prevalence.report.material import NATIONAL, Material, Row, slug
from prevalence.report.names import WORLD_HEADINGS, WORLDS, estimator_name, in_words, plain
from prevalence.report.story import is_true, per_words
from prevalence.report.wording import UNIT_WORDS, capitalised, withheld
from prevalence.united import UNCONVERGED, is_modelled

if TYPE_CHECKING:
    import pandas as pd

SUMMARIES = {
    "zero_share": "Share who know nobody",
    "mean": "Mean",
    "variance_to_mean": "Variance over mean",
    "upper_percentile": "97.5th percentile",
}
ADJUSTMENTS = {
    "none": "Nothing: draws of the headline",
    "frame_ratio": "People in households know more or fewer people than everybody",
    "degree_ratio": "People in the group have more or fewer acquaintances",
    "true_positive_rate": "People in the group who are not known to be in it",
    "precision": "Reports of people who are not in the group",
    "known_size": "Errors of the sizes on record",
    "all": "All of these together",
}
FACTORS = {
    "frame_ratio": "Frame ratio φ: acquaintances of people in households to those of everybody",
    "degree_ratio": "Degree ratio δ: acquaintances of people in the group to those of people in "
    "households",
    "true_positive_rate": "True-positive rate τ: share of the acquaintances of people in the group "
    "who know of it",
    "precision": "Precision of reports η: share of reports that are right",
}
SOURCES = {"given": "assumed", "elicited": "a panel's judgement", "companion": "companion sample"}
MADE_UP = {"elicited": "a made-up panel", "companion": "a made-up companion sample"}
UNCERTAIN = {"sampling": "Sampling", "known_size": "Sizes on record"}
CHOICES = {
    "estimator": "Estimator",
    "degree": "How network size is estimated",
    "top_code": "Top codes",
    "known_groups": "Set of known groups",
    "weights": "Weights",
    "combination": "How live and non-live reports are combined",
    "imputation": "Imputation between hidden groups",
    "interactions": "Interplay of these",
}
COVERAGE_LEVEL = 0.95  # of the intervals that benchmarks/coverage.py tries
DRAWN = (
    "Intervals are quantiles of draws, also where nothing is allowed for: the headline’s own "
    "interval differs a little."
)
WEIGHTED_SUMMARIES = (
    "Of a weighted model the summaries are weighted, those of the answers as well as those of the "
    "drawn data."
)
GRADES = (
    "Grade of the size on record: A counted by a register, B an estimate of an official or trade "
    "body, C a rough figure."
)


def known_groups_table(material: Material) -> str:
    """Set each known group's estimate from the others beside its size on record."""
    found = material.rows("known_groups", estimator=material.headline["estimator"])
    rows = [
        [
            capitalised(str(row["label"])),
            DASH if withheld(row) else whole(row.get("known_size")),
            *estimate_cells({**row, "unit": "persons"}),
            DASH if withheld(row) or row.get("year") is None else f"{float(row['year']):.0f}",
            str(row.get("quality") or DASH),
            "yes" if is_true(row.get("in_headline")) else "no",
        ]
        for row in found
    ]
    if not rows:
        return ""
    return table(
        [
            "Group",
            "Size on record",
            "Estimated",
            f"{level_of(material)} interval",
            "Year",
            "Grade",
            "In headline",
        ],
        rows,
        caption="Known groups: the size on record, and the estimate from the other groups alone",
        label="known-groups",
        align="lrrrrll",
        widths=[30, 14, 14, 25, 8, 9, 12],
        note=notes(
            GRADES, _sources(found), suppression_note(found), precision_note(material, found)
        ),
    )


def _sources(rows: Sequence[Row]) -> str:
    """Name where the sizes on record are from."""
    told = [f"{row['label']}, {row['source']}" for row in rows if row.get("source")]
    return f"Sources of the sizes: {'; '.join(told)}." if told else ""


COUNT_LEFT_OUT = (
    "n: respondents who answered; a dash where it differs from another row's by so few that the "
    "difference would tell of them."
)


def estimators_table(material: Material) -> str:
    """Write the national rates by every estimator and model."""
    rows = []
    found: list[Row] = []
    for group, settings in material.groups.items():
        keys = {"group": group, "domain_type": NATIONAL, "unit": settings["per"]}
        for row in material.rows("scale_up", **keys):
            if not row["estimator"].startswith("sum_of_"):
                found.append(row)
                rows.append([*_group_cell(material, group), *_estimator_cells(material, row)])
    if not rows:
        return ""
    return table(
        ["Group", "Estimator", "Estimate", f"{level_of(material)} interval", "n"],
        once(rows),
        caption="The same quantity by different estimators",
        label="estimators",
        align="llrrr",
        widths=[27, 37, 16, 20, 9],
        note=notes(
            COUNT_LEFT_OUT if any(row.get("n") is None for row in found) else "",
            suppression_note(found),
            precision_note(material, found),
        ),
    )


def _group_cell(material: Material, group: str) -> list[str]:
    return [f"{material.heading(group)}, {per_words(material.groups[group])}"]


def _estimator_cells(material: Material, row: Row) -> list[str]:
    name = estimator_name(str(row["estimator"]))
    mark = " (headline)" if row["estimator"] == material.headline["estimator"] else ""
    mark += " (not converged)" if str(row.get("interval")) == UNCONVERGED else ""
    return [name + mark, *estimate_cells(row), whole(row.get("n"))]


def choice_shares_table(material: Material) -> str:
    """Write what each choice accounts for in the spread of the specifications."""
    shares: dict[str, dict[str, Row]] = {}
    for group in material.groups:
        for row in material.rows("choice_shares", group=group):
            if (row.get("levels") or 0) > 1:
                shares.setdefault(str(row["choice"]), {})[group] = row
    groups = [group for group in material.groups if any(group in of for of in shares.values())]
    if not groups:
        return ""
    rows = [
        [
            in_words(CHOICES, name),
            *(_choice_cell(by_group.get(group)) for group in groups),
        ]
        for name, by_group in shares.items()
    ]
    return table(
        ["Choice", *(material.heading(group) for group in groups)],
        rows,
        caption="What each choice accounts for in the spread of the combinations: its share of the "
        "variance of the logarithm, in per cent, and in brackets how many times as high one of its "
        "options lies as another",
        label="choice-shares",
        align="l" + "r" * len(groups),
        widths=[36, *([round(64 / len(groups))] * len(groups))],
    )


def _choice_cell(row: Row | None) -> str:
    if row is None:
        return DASH
    ratio = row.get("largest_ratio")
    return share(row.get("share")) + ("" if ratio is None else unbroken(f" (× {float(ratio):.2f})"))


def respondents_tables(material: Material) -> str:
    """Write, for each hidden group, one national total as parts of the respondents tell it."""
    return "\n".join(text for group in material.groups if (text := _respondents(material, group)))


def _respondents(material: Material, group: str) -> str:
    found = [
        (kind, row)
        for kind in material.domain_types("respondent")
        for row in material.estimates(domain_type=kind, group=group, unit="persons")
    ]
    if not any(not withheld(row) for _, row in found):
        return ""
    rows: list[list[str]] = []
    for kind in dict.fromkeys(kind for kind, _ in found):
        rows.append(subheading(f"By {material.domain_words(kind)['one']}", 5))
        rows += [
            [capitalised(str(row["domain"])), *estimate_cells(row), *count_cells(row)]
            for other, row in found
            if other == kind
        ]
    shown = [row for _, row in found]
    return table(
        [
            "Answers of",
            "National total, persons",
            f"{level_of(material)} interval",
            *ANSWERED,
        ],
        rows,
        caption=f"{capitalised(material.label(group))}: the one national total, from the answers "
        "of parts of the respondents",
        label=f"respondents-{slug(group)}",
        align="lrrrr",
        widths=[28, 24, 24, 12, 12],
        note=notes(suppression_note(shown), precision_note(material, shown)),
    )


def factors_table(material: Material) -> str:
    """Write the assumed factors of visibility: median, limits, where each comes from."""
    rows = [
        [
            material.heading(row["group"]),
            FACTORS.get(str(row["factor"]), plain(str(row["factor"]))),
            fixed(row.get("estimate")),
            limits(row.get("lower"), row.get("upper")),
            in_words(SOURCES | (MADE_UP if material.synthetic else {}), str(row["source"])),
        ]
        for group in material.groups
        for row in material.rows("factors", group=group)
    ]
    if not rows:
        return ""
    return table(
        ["Group", "Factor", "Median", f"{level_of(material)} range", "From"],
        once(rows),
        caption="What is assumed about visibility: median and range of each factor",
        label="factors",
        align="llrrl",
        widths=[16, 44, 10, 16, 18],
        note="The panel is synthetic like the survey: nobody was asked."
        if material.synthetic and any(row[-1] == MADE_UP["elicited"] for row in rows)
        else "",
    )


def adjustment_table(material: Material) -> str:
    """Write the national estimates under each assumption about visibility, and under all."""
    rows = []
    found: list[Row] = []
    for group in material.groups:
        for row in material.rows("adjustment", group=group, unit="persons"):
            name = str(row["adjustment"])
            words = in_words(ADJUSTMENTS, name)
            found.append(row)
            rows.append([material.heading(group), words, *estimate_cells(row)])
    if not rows:
        return ""
    return table(
        ["Group", "Allowing for", "Estimate, persons", f"{level_of(material)} interval"],
        once(rows),
        caption="National estimates under other assumptions about what respondents can know",
        label="adjustment",
        align="llrr",
        widths=[16, 46, 16, 22],
        note=notes(suppression_note(found), precision_note(material, found), DRAWN),
    )


def variance_table(material: Material) -> str:
    """Write how much each source contributes to the uncertainty of the adjusted estimate."""
    sources: dict[str, dict[str, Any]] = {}
    for row in material.rows("variance_components"):
        sources.setdefault(str(row["source"]), {})[row["group"]] = row.get("share")
    groups = [
        group for group in material.groups if any(group in shares for shares in sources.values())
    ]
    rows = [
        [
            UNCERTAIN.get(name) or FACTORS.get(name, plain(name)).split(":")[0],
            *(share(shares.get(group)) for group in groups),
        ]
        for name, shares in sources.items()
    ]
    if not rows or not groups:
        return ""
    return table(
        ["Source", *(f"{material.heading(group)}, per cent" for group in groups)],
        rows,
        caption="Where the uncertainty of the adjusted estimate comes from: shares of the variance "
        "of its logarithm",
        label="variance",
        align="l" + "r" * len(groups),
        widths=[40, *([20] * len(groups))],
    )


def break_even_table(material: Material) -> str:
    """Write how large the adjustment would have to be to bring the estimate to a claim."""
    claims = {
        finding["id"]: finding["wording"]
        for finding in (material.published or {}).get("findings") or []
    }
    order = [*material.groups, *material.ratios]
    found = material.rows("sensitivity", analysis="break_even")
    found = sorted(found, key=lambda row: order.index(row["group"]))  # claims keep their order
    rows = [
        [
            material.heading(row["group"]),
            f"“{claims.get(row['finding'], row['finding'])}”",
            _end(row),
            fixed(row.get("estimate")),
            limits(row.get("lower"), row.get("upper")),
        ]
        for row in found
    ]
    if not rows:
        return ""
    return table(
        [
            "Group",
            "Published wording",
            "End of its range",
            "τδφ/η",
            f"{level_of(material)} interval",
        ],
        once(rows, 2),
        caption="Break-even: the product of the factors that would bring this run's estimate to "
        "each end of the range in which a published wording is read (1 is no adjustment)",
        label="break-even",
        align="llrrr",
        widths=[24, 28, 20, 10, 18],
        note="Of a ratio of two groups: the product of the group above the line over that of the "
        "group below it."
        if any(row["group"] in material.ratios for row in found)
        else "",
    )


def _end(row: Row) -> str:
    value, unit = float(row["value"]), str(row["unit"])
    if unit == "persons":
        return f"{value:,.0f}"
    return f"{value:,.1f}" + ("" if unit == "ratio" else f" {UNIT_WORDS[unit]}")


def models_table(material: Material) -> str:
    """Set the models' national rates beside the headline's."""
    rows = []
    found: list[Row] = []
    for group, settings in material.groups.items():
        keys = {"group": group, "domain_type": NATIONAL, "unit": settings["per"]}
        modelled = [row for row in material.rows("scale_up", **keys) if is_modelled(row)]
        own = material.national(group, settings["per"])
        for row in [*([own] if own and modelled else []), *modelled]:
            found.append(row)
            name, *numbers, _ = _estimator_cells(material, row)
            trusted = "no" if str(row.get("interval")) == UNCONVERGED else "yes"
            rows.append(
                [*_group_cell(material, group), name, *numbers, DASH if row is own else trusted]
            )
    if not rows:
        return ""
    return table(
        ["Group", "Model", "Estimate", f"{level_of(material)} interval", "Converged"],
        once(rows),
        caption="The headline beside Bayesian models of the same answers: posterior medians and "
        "credible intervals",
        label="models",
        align="llrrl",
        widths=[27, 35, 16, 20, 12],
        note=notes(suppression_note(found), precision_note(material, found)),
    )


def diagnostics_table(material: Material) -> str:
    """Write how well each model's sampler did, by its worst quantity."""
    models: dict[str, list[Row]] = {}
    for row in material.rows("diagnostics"):
        models.setdefault(str(row["estimator"]), []).append(row)
    rows = [
        [
            estimator_name(model),
            whole(len(found)),
            whole(sum(is_true(row["passed"]) for row in found)),
            fixed(max(row["rhat"] for row in found if row.get("rhat") is not None), 4),
            whole(min(row["ess_bulk"] for row in found if row.get("ess_bulk") is not None)),
            whole(min(row["ess_tail"] for row in found if row.get("ess_tail") is not None)),
            whole(max(row.get("divergent") or 0 for row in found)),
        ]
        for model, found in models.items()
    ]
    if not rows:
        return ""
    return table(
        [
            "Model",
            "Quantities",
            "Passed",
            "Largest Rhat",
            "Least bulk ESS",
            "Least tail ESS",
            "Divergent",
        ],
        rows,
        caption="Diagnostics of the models: the worst value over all reported quantities (Rhat: "
        "1 where the chains agree; ESS: effective sample size)",
        label="diagnostics",
        align="lrrrrrr",
        widths=[34, 12, 10, 12, 12, 12, 11],
    )


def predictive_table(material: Material) -> str:
    """Write for each model and statistic for how many groups the answers look like its data."""
    checks: dict[tuple[str, str], list[Row]] = {}
    for row in material.rows("predictive"):
        if row.get("observed") is not None and row.get("lower") is not None:
            checks.setdefault((str(row["estimator"]), str(row["statistic"])), []).append(row)
    rows = [
        [
            estimator_name(model)
            + ("" if is_true(found[0].get("converged", True)) else " (not converged)"),
            in_words(SUMMARIES, statistic),
            whole(len(found)),
            whole(sum(row["lower"] <= row["observed"] <= row["upper"] for row in found)),
        ]
        for (model, statistic), found in checks.items()
    ]
    if not rows:
        return ""
    return table(
        ["Model", "Summary of the answers", "Groups", "Inside of the model's range"],
        once(rows),
        caption="Do data drawn from the models look like the answers? Groups for which a summary "
        f"of the answers lies inside of the middle {level_of(material)} of such data",
        label="predictive",
        align="llrr",
        widths=[38, 26, 12, 24],
        note=WEIGHTED_SUMMARIES if any(model.endswith("_weighted") for model, _ in checks) else "",
    )


def coverage_rows(
    coverage: pd.DataFrame, headline: Mapping[str, Any], level: float
) -> pd.DataFrame:
    """Take from the coverage study what the report shows: national rows of the headline's choices.

    Parameters
    ----------
    coverage
        ``data/reference/coverage.csv``.
    headline
        The headline's estimator, interval and variance.
    level
        Level of the survey's intervals.

    Returns
    -------
    pandas.DataFrame
        A row a world and hidden group; none where the study's intervals are of another level.
    """
    if not math.isclose(level, COVERAGE_LEVEL):
        return coverage.iloc[:0]
    keys = {name: headline[name] for name in ("estimator", "interval", "variance")}
    for name, value in {**keys, "domain": NATIONAL}.items():
        coverage = coverage[coverage[name] == value]
    return coverage


def coverage_table(material: Material) -> str:
    """Write how often the interval held the truth in each simulated world."""
    if "coverage" not in material.reference:
        return ""
    level = float(material.estimate["level"])
    found = coverage_rows(material.reference["coverage"], material.headline, level)
    found = found[found["group"].isin(list(material.groups))]
    groups = [group for group in material.groups if (found["group"] == group).any()]
    rows = []
    for holds, heading in WORLD_HEADINGS.items():
        worlds = found[found["holds"].map(is_true) == holds]
        if len(worlds):
            rows.append(subheading(heading, 1 + 3 * len(groups)))
        rows += [
            [
                in_words(WORLDS, str(world)),
                *(cell for group in groups for cell in _world_cells(mine, group)),
            ]
            for world, mine in worlds.groupby("world", sort=False)
        ]
    if not rows:
        return ""
    measures = ("bias, %", "SE/SD", "coverage, %")
    return table(
        [
            "Simulated world",
            *(f"{material.heading(group)}: {words}" for group in groups for words in measures),
        ],
        rows,
        caption=f"How often the {level_of(material)} interval held the truth over simulated "
        "surveys, by world",
        label="coverage",
        align="l" + "rrr" * len(groups),
        widths=[31, *([8.5, 8.5, 17.5] * len(groups))],
        note="Bias: mean estimate less truth. SE/SD: root mean square of the estimated "
        "standard error over the standard deviation of the estimates; 1 is right. In brackets the "
        f"{level_of(material)} interval of the coverage, which is that of counting simulated "
        "surveys.",
    )


def _world_cells(worlds: pd.DataFrame, group: str) -> list[str]:
    """Write bias, standard error and coverage of a group in a world."""
    found = worlds[worlds["group"] == group].to_dict("records")
    if not found:
        return [DASH] * 3
    row = found[0]
    between = limits(100 * row["coverage_lower"], 100 * row["coverage_upper"], 1)
    return [
        share(row["relative_bias"]),
        fixed(row["rms_se_over_sd"]),
        f"{share(row['coverage'])} ({between})",
    ]


def planning_table(material: Material) -> str:
    """Write what a next wave of other designs would show."""
    rows = [
        [
            material.heading(row["group"]),
            whole(row["psus"]),
            whole(row["respondents"]),
            fixed(row["prevalence"], 1),
            share(row["cv"]),
            limits(100 * row["lower_factor"], 100 * row["upper_factor"], 0),
            whole(-100 * row["detectable_fall"])
            if row.get("detectable_fall") is not None
            else DASH,
            whole(100 * row["detectable_rise"]) if row.get("detectable_rise") is not None else DASH,
        ]
        for row in material.rows("planning")
        if not withheld(row) and row.get("cv") is not None
    ]
    if not rows:
        return ""
    return table(
        [
            "Group",
            "PSUs",
            "Respondents",
            "Prevalence, now = 1",
            "CV, per cent",
            "Interval, estimate = 100",
            "Least fall, per cent",
            "Least rise, per cent",
        ],
        once(rows),
        caption="What a next wave would show, by design: expected precision, and the smallest "
        "change since this wave that it would detect",
        label="planning",
        align="lrrrrrrr",
        widths=[18, 9, 15, 13, 10, 13, 12, 12],
        note="PSU: primary sampling unit. CV: coefficient of variation.",
    )
