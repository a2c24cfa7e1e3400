"""Sentences of the report that are made of computed numbers: checks, choices, coverage, control."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from prevalence.models.specified import ALL_AREAS
from prevalence.report.material import NATIONAL, Material, Row
from prevalence.report.names import estimator_name
from prevalence.report.wording import (
    capitalised,
    counted,
    day,
    interval,
    joined,
    level,
    number,
    phrase,
    point,
    significant,
    withheld,
    without_interval,
    written,
)
from prevalence.united import is_modelled

if TYPE_CHECKING:
    import pandas as pd

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


def per_words(settings: Mapping[str, Any]) -> str:
    """Write the denominator of a group's rate in words, such as ``per 100 children``."""
    return f"per {number(PER[settings['per']])} {settings['many']}"


def is_true(value: Any) -> bool:
    """Whether a flag of a released table says yes."""
    return str(value).lower() in ("true", "1", "yes")


def reported(material: Material) -> dict[str, str]:
    """Say which share of the described situations was reported to authorities."""
    sentences = []
    rows = material.rows("reporting", domain_type=NATIONAL, estimator="reported_of_answered")
    words = material.report.get("reporting") or {}
    situations = str(words.get("situations") or "situations")
    for row in rows:
        name = material.groups.get(row["group"], {}).get("heading")
        start = f"of the {situations} that respondents know of and answered for"
        start = f"{name}: {start}" if name else capitalised(start)
        if withheld(row):
            sentences.append(f"{start}, the share reported is {withheld(row)}.")
        else:
            about = "" if point(row) == "interval only" else "an estimated "
            sentences.append(
                f"{start}, {about}{phrase(row)} were reported. {number(row['n'])} respondents"
                f"{'' if name else ', who know somebody in any of the groups,'} answered yes or no."
            )
    return {"sentence": " ".join(sentences)} if sentences else {}


def validated(material: Material) -> dict[str, str]:
    """Say for each planted value whether the interval holds it."""
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
    where = "lies inside" if is_true(row["covered"]) else "lies outside"
    truth = written({**row, "estimate": row["truth"]}, "estimate")
    return (
        f"{capitalised(material.label(row['group']))}: the planted {truth} {where} "
        f"the interval {interval(row)}."
    )


def compared(material: Material, kind: str) -> str:
    """Say how many comparisons of two places leave it open which has the higher rate."""
    sentences = []
    words = material.domain_words(kind)
    for group in material.groups:
        keys = {"group": group, "domain_type": kind, "estimator": material.headline["estimator"]}
        every = material.rows("contrasts", **keys)
        rows = [row for row in every if not withheld(row) and row.get("lower") is not None]
        if not rows:
            continue
        open_ones = sum(row["lower"] <= 1 <= row["upper"] for row in rows)
        told = "a difference that sampling alone would rarely make"
        if len(rows) == 1:
            lone = f"the two {words['many']} show"
            lone = lone if len(every) == 1 else "the one comparison that may be shown shows"
            told = f"{lone} {'no' if open_ones else 'a'} {told.removeprefix('a ')}"
        else:
            apart = len(rows) - open_ones
            verb = "show" if apart > 1 else "shows"
            told = f"{apart or 'none'} of the {len(rows)} comparisons {verb} {told}"
        sentences.append(f"{material.heading(group)}: {told}.")
    return " ".join(sentences)


def specified(material: Material) -> dict[str, Any]:
    """Say how far the estimates lie apart over all combinations of choices."""
    if not material.has("specifications"):
        return {}
    sentences, ranges = [], {}
    found = spread(material.tables["specifications"], material.headline).to_dict("records")
    rows = {str(row["group"]): row for row in found if row["stated"] > 1}
    for group in [group for group in material.groups if group in rows]:
        row = rows[group]
        span = f"from {number(row['lowest'])} to {number(row['highest'])} persons"
        place = _place_among(row, material.national(group, "persons"))
        sentences.append(
            f"{material.heading(group)}: {_combinations(row['stated'], row['every'])} "
            f"{span}{f'; {place}' if place else ''}."
        )
        ranges[group] = f"{span}{f' ({place})' if place else ''}"
    if not ranges:
        return {}
    return {"sentence": " ".join(sentences), **_imputed(material), **ranges}


def spread(specifications: pd.DataFrame, headline: Mapping[str, Any]) -> pd.DataFrame:
    """Tell how far the estimates of all combinations lie apart, and where the headline lies.

    Parameters
    ----------
    specifications
        The released table.
    headline
        The headline's interval and variance; the estimates don't differ by them.

    Returns
    -------
    pandas.DataFrame
        One row a hidden group: `group`; the numbers of combinations (`every`), of those with an
        estimate (`stated`), and of those `above` and `below` the headline; `lowest`, `highest`.
    """
    import pandas as pd

    asked = specifications["interval"].eq(headline["interval"])
    asked &= specifications["variance"].eq(headline["variance"])
    rows = []
    for group, every in specifications[asked].groupby("group", sort=False):
        own = every.loc[every["headline"].map(is_true), "estimate"]
        values = every.drop_duplicates([*CHOICES])["estimate"]
        middle = float(own.iloc[0]) if len(own) else math.nan
        rows.append(
            {
                "group": group,
                "every": len(values),
                "stated": int(values.notna().sum()),
                "lowest": values.min(),
                "highest": values.max(),
                "above": int((values > middle).sum()),
                "below": int((values < middle).sum()),
            }
        )
    columns = ["group", "every", "stated", "lowest", "highest", "above", "below"]
    return pd.DataFrame(rows, columns=columns)


def _place_among(row: Mapping[Any, Any], headline: Row | None) -> str:
    """Say on which side of the headline most of the estimates of all combinations lie."""
    own = (headline or {}).get("estimate")
    above, below = row["above"], row["below"]
    more, side = (above, "above") if above >= below else (below, "below")
    if own is None or not more:
        return ""
    verb = "lies" if more == 1 else "lie"
    return f"{more:,} of the {row['stated']:,} {verb} {side} the headline’s {number(own)}"


def _imputed(material: Material) -> dict[str, str]:
    """Explain the imputation that some of the combinations have."""
    between = material.estimate.get("imputation_between") or {}
    if {"victims", "perpetrators"} - {*between} or not any(
        row.get("imputation") == "published" for row in material.rows("specifications")
    ):
        return {}
    many = [material.groups[between[part]]["many"] for part in ("perpetrators", "victims")]
    adults, children = many
    return {
        "imputation": "Some of the combinations fill in answers by a rule in the public code of "
        "the study’s authors, for another analysis than the published headline: who reports "
        f"{adults} and no {children} is taken to know 4 of them, and who reports {children} and no "
        f"{adults} as many as a household of the municipality has adults. The headline fills in "
        "nothing."
    }


def _combinations(stated: int, every: int) -> str:
    if stated == every:
        return f"{every:,} combinations give estimates"
    return f"{stated:,} of {every:,} combinations give an estimate that may be stated as a number,"


def adjusted(material: Material) -> dict[str, str]:
    """Give for each hidden group the national estimate with all adjustments together."""
    found = {}
    for group in material.groups:
        rows = material.rows("adjustment", group=group, unit="persons", adjustment="all")
        own = [row for row in rows if row["estimator"] == material.headline["estimator"]]
        if own and not withheld(own[0]) and not without_interval(own[0]):
            found[group] = phrase(own[0])
    return found


def leave_one_out(material: Material) -> dict[str, str]:
    """Say how close the estimates of known groups come to the sizes on record."""
    every = material.rows("known_groups", estimator=material.headline["estimator"])
    rows = [row for row in every if row.get("known_size") and row.get("lower") is not None]
    if not rows:
        return {}
    used = [row for row in rows if is_true(row.get("in_headline"))]
    what = "known groups" if used else "groups"
    if len(used) < sum(is_true(row.get("in_headline")) for row in every):
        what += " that may be shown"
    sentences = [_inside(used or rows, "the headline's " if used else "", what)]
    others = [row for row in rows if row not in used and row.get("estimate")] if used else []
    if others:
        names = joined([str(row["label"]) for row in others])
        largest = significant(max(_factor(row) for row in others), 2)
        told = (
            f"Of the groups that the headline doesn’t use, {names} are off by up to"
            if len(others) > 1
            else f"The headline doesn’t use {names}, which are off by"
        )
        sentences.append(f"{told} a factor of {largest}.")
    return {"sentence": " ".join(sentences)}


def _inside(rows: list[Row], whose: str, what: str) -> str:
    inside = sum(_holds_size(row) for row in rows)
    if inside == len(rows) > 1:
        how_many = f"all {inside} of {whose}" if whose else f"all {inside} "
    else:
        how_many = f"{inside} of {whose}{len(rows)} "
    told = f"For {how_many}{what} the size on record lies in the interval"
    if 0 < len(rows) - inside <= inside:
        out = [str(row["label"]) for row in rows if not _holds_size(row)]
        told += f", and not for {joined(out)}"
    factors = [_factor(row) for row in rows if row.get("estimate")]
    if not factors:
        return f"{told}."
    return f"{told}; the largest difference is a factor of {significant(max(factors), 2)}."


def _holds_size(row: Row) -> bool:
    """Whether the interval holds the size on record: by the log ratios, which the figure draws.

    The limits in persons are rounded more coarsely, and one may come to stand on the size itself.
    """
    low, high = row.get("log_ratio_lower"), row.get("log_ratio_upper")
    if low is None or high is None:
        return bool(row["lower"] <= row["known_size"] <= row["upper"])
    return bool(low <= 0 <= high)


def _factor(row: Row) -> float:
    return float(max(row["estimate"] / row["known_size"], row["known_size"] / row["estimate"]))


def agreed(material: Material) -> dict[str, str]:
    """Say how large the typical error over the known groups is, and whether it grows with size."""
    keys = {"estimator": material.headline["estimator"]}
    size = material.rows("agreement", group="root_mean_square", **keys)
    slope = material.rows("agreement", group="recall_slope", **keys)
    if not size or withheld(size[0]) or size[0].get("lower") is None:
        return {}
    row = size[0]
    middle, low, high = (math.exp(row[name]) for name in ("estimate", "lower", "upper"))
    sentence = (
        "The typical error over the headline's known groups (root mean square on the log scale) is "
        f"a factor of {middle:.2f} ({level(row)} interval {low:.2f} to {high:.2f})."
    )
    if slope and not withheld(slope[0]) and slope[0].get("lower") is not None:
        ends = [signed(slope[0][name]) for name in ("estimate", "lower", "upper")]
        sentence += (
            " If large groups were recalled less well than small ones, the slope of the log ratio "
            f"on the log size would be below zero; it is {ends[0]} ({level(row)} interval "
            f"{ends[1]} to {ends[2]})."
        )
    return {"sentence": sentence}


def signed(value: float) -> str:
    """Write a number with three decimals and a true minus sign."""
    return f"{value:.3f}".replace("-", "−")


def left_out_in_turn(material: Material) -> dict[str, str]:
    """Say which known groups the rule that leaves out the worst in turn would leave out."""
    rows = material.rows("trimming")
    removed = sorted(
        (row for row in rows if row.get("step") is not None), key=lambda row: row["step"]
    )
    if not rows:
        return {}
    threshold = next((row["threshold"] for row in rows if row.get("threshold") is not None), None)
    if threshold is None:
        return {}
    rule = (
        "A rule that starts from every group of known size and leaves out, one after the other, "
        f"the one that fits worst until none is off by more than a factor of "
        f"{math.exp(threshold):.2f} (a log ratio of {threshold:g})"
    )
    if not removed:
        return {"sentence": f"{rule} would leave out none."}
    names = joined([material.item(str(row["group"])) for row in removed])
    return {"sentence": f"{rule} would leave out {names}."}


def influenced(material: Material) -> dict[str, str]:
    """Say how much leaving out one place changes each estimate, as far as that may be shown."""
    groups_of: dict[str, list[str]] = {}
    for group in material.groups:
        rows = material.rows("influence", group=group)
        shown = [row for row in rows if row.get("relative_change") is not None]
        if not rows:
            continue
        if 2 * len(shown) < len(rows):
            hidden = counted(len(rows) - len(shown), "place")
            where = f"{hidden} of {len(rows):,}" if shown else f"each of the {hidden}"
            told = f"what one place contributes rests on too few reports to be released, in {where}"
        else:
            largest = max(abs(float(row["relative_change"])) for row in shown)
            told = (
                f"leaving out one of the {counted(len(shown), 'place')} that may be shown changes "
                f"the estimate by at most {100 * largest:.1f}%"
            )
        groups_of.setdefault(told, []).append(material.heading(group))
    parts = [f"{_headed(groups)}: {told}." for told, groups in groups_of.items()]
    return {"sentence": " ".join(parts)} if parts else {}


def _headed(headings: list[str]) -> str:
    first, *others = headings
    return joined([first, *(heading[0].lower() + heading[1:] for heading in others)])


def calibrated(material: Material) -> dict[str, str]:
    """Say how far the weighted totals were from the census before calibration."""
    if not material.has("margins"):
        return {}
    margins = material.tables["margins"]
    found = differences(margins)
    if found.empty:
        return {}
    largest = float(found.abs().max())
    return {
        "sentence": f"Calibration brings the weighted totals of {len(margins)} categories in "
        f"{counted(margins['margin'].nunique(), 'margin')} to those of the census; before it the "
        f"largest difference was {100 * largest:,.0f}%."
    }


def differences(margins: pd.DataFrame) -> pd.Series:
    """Weighted totals before calibration over the census's, less one.

    Parameters
    ----------
    margins
        The released table: population and total before calibration of each category.

    Returns
    -------
    pandas.Series
        As shares.
    """
    known = margins[(margins["population"] > 0) & margins["before"].notna()]
    return known["before"] / known["population"] - 1


def drawn_in(material: Material) -> str:
    """Say in how many sampling units and strata the respondents live; nothing where unknown."""
    nation = material.rows("effective_n", domain_type=NATIONAL)
    if not nation or not nation[0].get("psus"):
        return ""
    units, strata = int(nation[0]["psus"]), int(nation[0]["strata"])
    inside = f" of {number(strata)} strata" if strata > 1 else ""
    return f" in {counted(units, 'primary sampling unit')}{inside}"


def stratified(material: Material) -> bool:
    """Whether the sample has several strata; so it is taken where that is unknown."""
    nation = material.rows("effective_n", domain_type=NATIONAL)
    strata = nation[0].get("strata") if nation else None
    return strata is None or strata > 1


def divided_by(material: Material) -> str:
    """Name the populations by which the rates divide, with their sizes."""
    rows = material.rows("estimands", element="denominator")
    named = dict.fromkeys(str(row["text"]) for row in rows if row["group"] in material.groups)
    return f"Rates divide by {joined(list(named))}." if named else ""


def designs_alike(material: Material) -> bool:
    """Whether more sampling units of as many respondents are expected to change nothing."""
    found: dict[tuple[Any, ...], set[tuple[Any, Any]]] = {}
    for row in material.rows("planning"):
        if not withheld(row) and row.get("cv") is not None:
            key = (row["group"], row["respondents"], row["prevalence"])
            found.setdefault(key, set()).add((row["psus"], row["cv"]))
    return any(
        len({units for units, _ in each}) > len({cv for _, cv in each}) for each in found.values()
    )


def covered(material: Material) -> dict[str, str]:
    """Say what the coverage study found, and when it was computed."""
    from prevalence.report.tables_certainty import coverage_rows

    if "coverage" not in material.reference:
        return {}
    frame = coverage_rows(
        material.reference["coverage"], material.headline, float(material.estimate["level"])
    )
    frame = frame[frame["group"].isin(list(material.groups))]
    record = material.reference.get("coverage_record")
    if frame.empty or not record:
        return {}
    holds = frame["holds"].map(is_true)
    parts = []
    for rows, where in (
        (frame[holds], "where the assumptions hold"),
        (frame[~holds], "where they fail"),
    ):
        if len(rows):
            low, high = (
                f"{100 * end:.1f}%" for end in (rows["coverage"].min(), rows["coverage"].max())
            )
            parts.append(f"from {low} to {high} {where}")
    return {
        "date": day(record["date"]),
        "surveys": number(record["surveys"]),
        "command": str(record["command"]).split()[1],
        "sentence": f"Coverage of the headline's interval goes {joined(parts)}.",
    }


def planning_checked(material: Material) -> str:
    """Say how the planning formula did in simulated pairs of waves; nothing without the study."""
    found = material.reference.get("planning")
    if found is None or found.empty:
        return ""
    shares = found[["fall_found", "rise_found"]]
    low, high = (f"{100 * end:.0f}%" for end in (shares.min().min(), shares.max().max()))
    designs = len(found) // found["group"].nunique()
    return (
        f"In simulations of {number(designs)} designs, {number(found['surveys'].iloc[0])} surveys "
        f"each, changes of which the formula says that they are found with a probability of "
        f"{100 * found['power'].iloc[0]:g}% were found in {low} to {high} of the pairs of surveys."
    )


def controlled(material: Material) -> dict[str, str]:
    """Say how many rows disclosure control released, and by which thresholds."""
    from prevalence.report.tables_method import disclosure_totals

    policy = material.policy
    if not material.has("disclosure_summary") or not policy:
        return {}
    totals = disclosure_totals(material.tables["disclosure_summary"]).iloc[-1]
    return {
        "rows": number(totals["rows"]),
        "released": number(totals["released"]),
        "respondents": str(policy["minimum_respondents"]),
        "reporting": str(policy["minimum_reporting"]),
        "largest": f"{100 * policy['dominance']['largest']:g}%",
        "two_largest": f"{100 * policy['dominance']['two_largest']:g}%",
    }


def modelled(material: Material) -> dict[str, str]:
    """Say how many of the models' reported quantities passed every threshold."""
    rows = material.rows("diagnostics")
    national = material.rows("scale_up", domain_type=NATIONAL)
    if not rows or not any(is_modelled(row) for row in national):
        return {}
    passed = sum(is_true(row["passed"]) for row in rows)
    several = {0: f"None of the {len(rows)}", len(rows): f"All {len(rows)}"}
    how_many = several.get(passed, f"{passed} of the {len(rows)}")
    verb = "passes" if passed == 0 else "pass"
    return {
        "sentence": f"{how_many} reported quantities {verb} every threshold of the diagnostics.",
        "weights": _weights_in(models(material), material.headline),
    }


def models(material: Material) -> list[str]:
    """Ids of the models that give national estimates, in the table's order."""
    rows = [row for row in material.rows("scale_up", domain_type=NATIONAL) if is_modelled(row)]
    return list(dict.fromkeys(str(row["estimator"]).removesuffix(ALL_AREAS) for row in rows))


def _weights_in(names: list[str], headline: Mapping[str, Any]) -> str:
    """Say where the survey weights enter each model, if anywhere."""
    from prevalence.scale_up import FORMS

    unlike = ", unlike in the headline" if FORMS[headline["estimator"]].weighted else ""
    weighted = [name for name in names if name.endswith("_weighted")]
    pooled = [name for name in names if name == "partially_pooled"]
    alike = [name for name in names if name not in (*weighted, *pooled)]
    said = [
        ("Fitted with the survey weights", weighted),
        (f"Fitted without survey weights, each respondent counting alike{unlike}", alike),
        ("Fitted without survey weights, and then summed over areas with them", pooled),
    ]
    return " ".join(
        f"{words}: {joined([_small(estimator_name(name)) for name in found])}."
        for words, found in said
        if found
    )


def _small(name: str) -> str:
    return name[:1].lower() + name[1:]


def models_adjusted(material: Material) -> dict[str, str]:
    """Say how far the models' estimates lie apart once adjusted, beside the headline."""
    own = adjusted(material)
    sentences = []
    for group in material.groups:
        rows = material.rows("adjustment_models", group=group, unit="persons", adjustment="all")
        medians = [
            row["estimate"]
            for row in rows
            if is_true(row["converged"]) and row.get("estimate") is not None
        ]
        if not medians or group not in own:
            continue
        low, high = number(min(medians)), number(max(medians))
        models = f"the models’ medians go from {low} to {high} persons"
        if low == high:
            models = f"the models’ median is {low} persons"
        sentences.append(f"{material.heading(group)}: {models}, the headline’s is {own[group]}.")
    return {"sentence": " ".join(sentences)} if sentences else {}


def spread_over_areas(material: Material) -> dict[str, str]:
    """Say between which rates half of the unnamed areas lie, by each model that pools them."""
    sentences = []
    for group, settings in material.groups.items():
        rows = material.rows("area_distribution", group=group, statistic="areas")
        models = dict.fromkeys(str(row["estimator"]) for row in rows if is_true(row["converged"]))
        for model in models:
            mine = {float(row["quantile"]): row for row in rows if row["estimator"] == model}
            if any(row.get("value") is None for row in mine.values()):
                continue
            values = [float(mine[quantile]["value"]) for quantile in (0.25, 0.75, 0.1, 0.9)]
            places = max(0, 2 - math.floor(math.log10(max(values)))) if max(values) else 0
            low, high, least, most = (f"{value:,.{places}f}" for value in values)
            sentences.append(
                f"{material.heading(group)}, {estimator_name(model).lower()}: the middle half of "
                f"{number(mine[0.5]['areas'])} areas lies between rates of {low} and {high}, the "
                f"middle 80% between {least} and {most} {per_words(settings)}."
            )
    return {"sentence": " ".join(sentences)} if sentences else {}
