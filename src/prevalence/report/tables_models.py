"""Tables of the models beside one another: adjusted estimates, prediction, priors, places."""

from __future__ import annotations

import math

from prevalence.report.cells import (
    DASH,
    estimate_cells,
    fixed,
    level_of,
    notes,
    once,
    precision_note,
    suppression_note,
    whole,
)
from prevalence.report.markdown import table
from prevalence.report.material import Material, Row
from prevalence.report.names import estimator_name
from prevalence.report.story import is_true
from prevalence.report.tables_certainty import DRAWN

SENSITIVE = 0.05  # of the power-scaling measure
LEANS = 0.1  # of an estimate, by which it moves under half or twice the priors' scales
LARGEST_K = 0.7
DISAGREE = 2.0  # standardised distance


def _name(model: str, *rows: Row) -> str:
    """Name a model, marked where one of its rows isn't to be trusted."""
    trusted = all(is_true(row["converged"]) for row in rows if row.get("converged") is not None)
    return estimator_name(model) + ("" if trusted else " (not converged)")


def adjustment_models_table(material: Material) -> str:
    """Set each model's national estimate, as it is and fully adjusted, beside the headline's."""
    rows = []
    found: list[Row] = []
    for group in material.groups:
        keys = {"group": group, "unit": "persons"}
        modelled = material.rows("adjustment_models", **keys)
        own = material.rows("adjustment", **keys, estimator=material.headline["estimator"])
        by_estimator: dict[str, dict[str, Row]] = {}
        for row in [*own, *modelled] if modelled else []:
            by_estimator.setdefault(str(row["estimator"]), {})[str(row["adjustment"])] = row
        for estimator, adjusted in by_estimator.items():
            pair = [adjusted["none"], adjusted["all"]]
            found += pair
            mark = " (headline)" if estimator == material.headline["estimator"] else ""
            cells = [cell for row in pair for cell in estimate_cells(row)]
            rows.append([material.heading(group), _name(estimator, *pair) + mark, *cells])
    if not rows:
        return ""
    interval = f"{level_of(material)} interval"
    return table(
        ["Group", "Estimator", "As it is", interval, "With all factors", interval],
        once(rows),
        caption="National estimates in persons by the headline and by the models, as they are and "
        "with all factors together: medians and intervals of draws",
        label="adjustment-models",
        align="llrrrr",
        widths=[11, 26, 11.5, 20.5, 11.5, 20.5],
        note=notes(suppression_note(found), precision_note(material, found), DRAWN),
    )


def comparison_table(material: Material) -> str:
    """Write how well each model predicts respondents who are left out."""
    found = material.rows("model_comparison")
    if len(found) < 2:
        return ""
    rows = [
        [
            _name(str(row["estimator"]), row),
            fixed(row["difference"], 0),
            DASH if not row.get("difference") else fixed(row["difference_error"], 0),
            fixed(row["effective_parameters"], 0),
            whole(row["high_k"]),
            "yes" if is_true(row["reliable"]) else "no",
        ]
        for row in found
    ]
    return table(
        ["Model", "Difference", "Std. error", "Parameters", "High k", "Reliable"],
        rows,
        caption="How well the models predict a respondent's answers from all others': difference "
        "of the expected log predictive density from the best model's (PSIS-LOO), effective "
        "parameters, and respondents whose importance weights are not to be trusted",
        label="comparison",
        align="lrrrrl",
        widths=[38, 14, 12, 14, 10, 12],
    )


def priors_table(material: Material) -> str:
    """Write the national estimates under half and twice the scales of the priors.

    A change whose importance weights don't carry that far is a dash: the Pareto k at which that is
    so falls with the number of draws (Vehtari et al. 2024). An estimate leans on its priors where
    the power-scaling measure says so, or where a change that is known is as large as `LEANS`.
    """
    by_fit: dict[tuple[str, str], dict[float, Row]] = {}
    for row in material.rows("prior_sensitivity"):
        key = (str(row["group"]), str(row["estimator"]))
        by_fit.setdefault(key, {})[float(row["prior_scale"])] = row
    rows, unreached = [], False
    for group in material.groups:
        for (name, model), found in by_fit.items():
            if name != group or any(row.get("estimate") is None for row in found.values()):
                continue
            usual, limit = found[1.0], _largest_k(material, model)
            changes = [
                None
                if (found[scale].get("pareto_k") or 0) > limit
                else found[scale]["estimate"] / usual["estimate"] - 1
                for scale in (0.5, 2.0)
            ]
            leans = (usual.get("power_scaling") or 0) > SENSITIVE or any(
                abs(change) >= LEANS for change in changes if change is not None
            )
            unreached |= None in changes
            rows.append(
                [
                    material.heading(group),
                    _name(model, *found.values()),
                    *(DASH if change is None else _per_cent(change) for change in changes),
                    fixed(usual.get("power_scaling"), 3),
                    "yes" if leans else DASH if None in changes else "no",
                ]
            )
    if not rows:
        return ""
    return table(
        ["Group", "Model", "Half, %", "Twice, %", "Power scaling", "Leans"],
        once(rows),
        caption="By how much the models' national estimates would change with half and with twice "
        "the scales of their priors, by reweighting; an estimate leans on a prior if power scaling "
        f"is above {SENSITIVE:g} or a change is {100 * LEANS:.0f} % or more",
        label="priors",
        align="llrrrl",
        widths=[18, 36, 12, 12, 16, 10],
        note=f"{DASH}: the draws do not reach as far as the other prior (Pareto k too high)."
        if unreached
        else "",
    )


def _largest_k(material: Material, model: str) -> float:
    """Find the largest Pareto k at which weights of so many draws are to be trusted."""
    counts = [row.get("draws") for row in material.rows("diagnostics", estimator=model)]
    draws = next((float(count) for count in counts if count), None)
    return LARGEST_K if draws is None else min(1 - 1 / math.log10(max(draws, 10.0)), LARGEST_K)


def _per_cent(share: float) -> str:
    """Write a change in whole per cent.

    More digits would be those of the rounding of released numbers.
    """
    change = round(100 * share)
    return f"{change:+d}".replace("-", "−") if change else "0"


def places_table(material: Material) -> str:
    """Write whether direct estimates of places differ, and from those that borrow strength."""
    kinds: dict[tuple[str, str, str], list[Row]] = {}
    for row in material.rows("small_areas"):
        key = (str(row["group"]), str(row["domain_type"]), str(row["estimator"]))
        kinds.setdefault(key, []).append(row)
    rows = []
    for group in material.groups:
        for (name, kind, model), found in kinds.items():
            shown = [row for row in found if row.get("estimate") is not None]
            if name != group or not shown:
                continue
            shrunk = [row["shrinkage"] for row in shown if row.get("shrinkage") is not None]
            far = sum(abs(row.get("discrepancy") or 0) > DISAGREE for row in shown)
            p = next((row["disagreement_p"] for row in shown), None)
            mean = fixed(sum(shrunk) / len(shrunk), 2) if shrunk else DASH
            rows.append(
                [
                    f"{material.heading(group)}, {material.domain_words(kind)['many']}",
                    _name(model, *found),
                    whole(len(shown)),
                    mean,
                    whole(far),
                    fixed(p, 2) if p is not None else DASH,
                ]
            )
    if not rows:
        return ""
    return table(
        ["Group", "Estimator", "Places", "Shrinkage", "Far off", "p"],
        once(rows),
        caption="Places that borrow strength from one another beside the direct estimates: mean "
        "shrinkage (for Fay–Herriot the direct estimate's share, for a model one less the ratio "
        "of variances), places whose direct estimate is more than two standard errors off, and a "
        "test over all places (for Fay–Herriot that they do not differ, for a model that they are "
        "as it says)",
        label="places",
        align="llrrrr",
        widths=[30, 32, 10, 12, 10, 8],
    )
