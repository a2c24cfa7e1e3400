"""Released tables of made-up surveys, as the contracts have them, without a run of the DAG."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd

from prevalence.codebook import parse_codebook
from prevalence.contracts.release import CONTRACTS, VALIDATION
from prevalence.figures.words import Words
from prevalence.files import read_csv, read_json, read_yaml

ROOT = Path(__file__).parents[2]
SURVEYS = ("ph2022", "rwanda2011")
REASON = {"XI": "primary", "BARMM": "complementary", "CAR": "dominance"}
PRECISION = {"II": "imprecise", "XII": "interval_only"}
COUNTS = {
    "victims": 465000.0,
    "perpetrators": 226000.0,
    "sex_workers": 34000.0,
    "clients": 35000.0,
    "msm": 2100.0,
    "idu": 600.0,
}


def config(survey):
    return read_yaml(ROOT / "config" / "surveys" / f"{survey}.yaml")


def words(name, /, **changes):
    settings = config(name)
    file = settings["ingest"]["codebook"]
    entries = parse_codebook((ROOT / file).read_bytes(), file).variables
    roles = ("known", "child", "hidden", "hidden_item")
    findings = read_yaml(ROOT / "config" / "published_findings.yaml")["findings"]
    values = {
        **{key: settings[key] for key in ("survey", "estimate", "headline", "report")},
        "findings": findings if settings["survey"]["mirror"] else [],
        "places": settings.get("figures") or {},
        "precision": read_yaml(ROOT / "config" / "disclosure.yaml")["precision"],
        "items": {str(e.group or e.name): str(e.label) for e in entries if e.role in roles},
    }
    return Words(**(values | changes))


def withheld(row, reason):
    """A row of which disclosure control lets only the keys out."""
    numbers = ("estimate", "std_error", "lower", "upper", "n", "n_reporting", "df")
    return {**row, **dict.fromkeys(numbers), "suppressed": reason}


def estimate_row(settings, group, kind, domain, unit, value, **changes):
    row = {
        "survey": "made_up",
        "estimator": "ratio_of_sums",
        "group": group,
        "domain_type": kind,
        "domain": domain,
        "estimate": value,
        "std_error": 0.1 * value,
        "lower": 0.82 * value,
        "upper": 1.25 * value,
        "level": settings["estimate"]["level"],
        "unit": unit,
        "n": 3000,
        "n_reporting": 400,
        "df": 120.0,
        "interval": "log_t",
        "se_linearised": 0.1 * value,
        "headline": True,
        "suppressed": None,
        "precision": None,
    }
    row |= changes
    if row["precision"] == "interval_only":
        row |= {"estimate": None, "std_error": None}
    return withheld(row, row["suppressed"]) if row["suppressed"] else row


def scale_up(settings):
    rows = []
    groups = settings["estimate"]["hidden_groups"]
    for number, (group, own) in enumerate(groups.items()):
        count = COUNTS[group]
        rate = 1.2 if own["per"] == "per_100" else 3.1
        for place, estimator in enumerate(settings["estimate"]["estimators"]):
            size = count * (1 + 0.2 * place)
            changes = {"estimator": estimator, "headline": place == 0}
            for unit, value in (("persons", size), (own["per"], rate)):
                rows.append(
                    estimate_row(settings, group, "national", "national", unit, value, **changes)
                )
        for domain in settings["estimate"]["domains"]:
            if domain["kind"] != "geographic":
                continue
            names = settings["clean"]["derive"]["island_group"]["map"]
            places = (
                list(names)
                if domain["type"] == "island_group"
                else list(itertools.chain(*names.values()))
            )
            for place, name in enumerate(places):
                value = rate * (0.6 + 0.07 * ((place * 7 + number) % 17))
                special = {"suppressed": REASON.get(name), "precision": PRECISION.get(name)}
                kind = domain["type"]
                rows.append(estimate_row(settings, group, kind, name, own["per"], value, **special))
    return pd.DataFrame(rows)


def known_groups(settings):
    labels = {"nurses": "nurses", "men": "men who are community health workers in a village"}
    rows = []
    used = settings["headline"]["known_groups"]
    for number, group in enumerate([*used, "teachers"]):
        log = -0.7 + 0.21 * (number % 12)
        rows.append(
            {
                "survey": "made_up",
                "estimator": "ratio_of_sums",
                "group": group,
                "label": labels.get(group, group.replace("_", " ")),
                "estimate": 1000.0 * (number + 1) * np.exp(log),
                "std_error": 100.0,
                "lower": 900.0 * (number + 1),
                "upper": 1200.0 * (number + 1),
                "level": 0.95,
                "unit": "persons",
                "n": 3000,
                "n_reporting": 200,
                "known_size": 1000.0 * (number + 1),
                "year": 2022,
                "quality": "A",
                "source": "made up",
                "in_headline": group in used,
                "log_ratio": log,
                "log_ratio_lower": log - 0.15,
                "log_ratio_upper": log + 0.15,
                "design_effect": 1.3,
                "suppressed": None,
                "precision": None,
            }
        )
    logs = dict.fromkeys(("log_ratio", "log_ratio_lower", "log_ratio_upper", "design_effect"))
    rows[2] = withheld(rows[2], "primary") | logs
    return pd.DataFrame(rows)


def specifications(settings):
    choices = {
        name: [*values, "headline"] if isinstance(values, dict) else values
        for name, values in settings["estimate"]["specifications"].items()
    }
    every = ("estimator", "degree", "top_code", "known_groups", "weights")
    every += ("combination", "imputation", "variance")
    rows = []
    for group in settings["estimate"]["hidden_groups"]:
        count = COUNTS[group]
        for number, levels in enumerate(itertools.product(*choices.values())):
            chosen = dict.fromkeys(every, "maximum") | dict(zip(choices, levels, strict=True))
            value = count * (0.8 + 0.01 * (number * 37 % 211))
            row = estimate_row(settings, group, "", "", "persons", value, headline=number == 5)
            del row["domain_type"], row["domain"]
            rows.append({**row, **chosen, "loo_rms": 0.1})
            if number % 11 == 3:
                rows[-1] |= {"estimate": None, "std_error": None, "precision": "interval_only"}
    return pd.DataFrame(rows)


def choice_shares(settings):
    names = ["estimator", "degree", "top_code", "known_groups", "weights"]
    return pd.DataFrame(
        {
            "survey": "made_up",
            "group": group,
            "choice": name,
            "share": 0.5 / (place + 1),
            "largest_ratio": 1.5,
            "levels": 2,
            "suppressed": None,
        }
        for group in settings["estimate"]["hidden_groups"]
        for place, name in enumerate(names)
    )


def factors_and_sensitivity(settings):
    names = {"frame_ratio": 1.0, "degree_ratio": 0.9, "true_positive_rate": 0.6, "precision": 0.9}
    factors, rows = [], []
    for group in settings["estimate"]["hidden_groups"]:
        count = COUNTS[group]
        keys = {"survey": "made_up", "group": group, "suppressed": None}
        for place, (name, middle) in enumerate(names.items()):
            width = 0.05 * (place + 1)
            limits = {"lower": middle - width, "upper": middle + width}
            extra = {"source": "given", "std_error": width / 2, "precision": None}
            factors.append({**keys, "factor": name, "estimate": middle, **limits, **extra})
            for end in limits.values():
                tornado = {"analysis": "tornado", "unit": "persons", "factor": name, "value": end}
                rows.append({**keys, **tornado, "estimate": count / end})
        for tau in np.linspace(0.2, 1, 17).round(3):
            for delta in np.linspace(0.5, 1.2, 15).round(3):
                both = {"factor": "true_positive_rate", "value": tau}
                both |= {"second_factor": "degree_ratio", "second_value": delta}
                both |= {"analysis": "contour", "unit": "persons"}
                rows.append({**keys, **both, "estimate": count / tau / delta})
    return pd.DataFrame(factors), pd.DataFrame(rows)


def sample_flow(survey):
    steps = [
        ("sample", "sampled", "sampled households", 4296, 0, None),
        ("sample", "refusal", "refused", 3900, 396, "AAPOR disposition 2.1"),
        ("sample", "completed", "completed or partial interviews", 3900, 0, None),
        ("interview", "export", "interviews in the export", 3914, 0, "14 more than completed"),
        ("interview", "too_short", "interview too short, by a share of the median", 3890, 24, "x"),
        ("analysis", "analysed", "analysed interviews", 3890, 0, None),
    ]
    kept = steps if survey == "ph2022" else steps[3:]
    names = ["stage", "code", "label", "n", "excluded", "reason"]
    table = pd.DataFrame(kept, columns=names)
    table.insert(0, "step", range(1, len(table) + 1))
    return table


def weighting(survey):
    scale = 17000.0 if survey == "ph2022" else 1.0
    steps = ["base", "nonresponse", "trimmed", "calibrated", "final"]
    rows = []
    for place, step in enumerate(steps):
        spread = 1 + 0.1 * (place if survey == "ph2022" else 0) * (step != "final")
        quantiles = {"min": 0.1, "p05": 0.2, "median": 0.9, "p95": 2.4 * spread, "max": 3.5}
        row = {name: scale * value for name, value in quantiles.items()}
        sums = {"sum": scale * 3890, "mean": scale, "cv": 0.6}
        rows.append(
            {"step": step, "n": 3890, **sums, **row, "deff_kish": 1.36, "effective_n": 2860.0}
        )
    names = ["step", "n", "sum", "mean", "cv", "min", "p05", "median", "p95", "max"]
    return pd.DataFrame(rows)[[*names, "deff_kish", "effective_n"]]


def degree_tables():
    edges = [0, *range(0, 300, 20)]
    share = np.linspace(2, 1, len(edges))
    distribution = pd.DataFrame(
        {
            "survey": "made_up",
            "lower_bound": np.array(edges, float),
            "upper_bound": [0.0, *map(float, range(20, 300, 20)), np.nan],
            "share": share / share.sum(),
            "n": 200,
        }
    )
    mean = {"estimate": 104.2, "std_error": 2.0, "lower": 99.1, "upper": 110.4, "level": 0.95}
    keys = {"survey": "made_up", "estimator": "known_population", "group": "degree"}
    place = {"domain_type": "national", "domain": "national", "unit": "people_known", "n": 3000}
    row = {**keys, **place, **mean, "zero_share": 0.01, "suppressed": None, "precision": None}
    return distribution, pd.DataFrame([row])


def data_quality(settings, items):
    known = settings["headline"]["known_groups"]
    hidden = [group for group in items if group not in known][:4]
    rows = []
    for number, group in enumerate([*known, *hidden]):
        shares = {"zero_share": 0.2 + 0.05 * (number % 9), "heaped_share": 0.3}
        shares |= {"top_code_share": None if number % 3 else 0.01, "missing_share": 0.024}
        shares |= {"refused_share": 0.01, "dont_know_share": 0.012, "not_asked_share": 0.0}
        shares |= {"out_of_range_share": 0.0, "system_share": 0.002}
        role = "known" if group in known else "hidden_item"
        counts = {"n": 3890, "answered": 3800, "top_code": 95.0}
        rows.append({"group": group, "role": role, **counts, **shares, "suppressed": None})
    return pd.DataFrame(rows)


def margins(settings):
    regions = list(itertools.chain(*settings["clean"]["derive"]["island_group"]["map"].values()))
    sexes = ["male 18–24", "female 18–24 + female 25–34 + female 35–44"]
    rows = []
    for margin, categories in (("region", regions), ("sex_age", sexes)):
        for number, category in enumerate(categories):
            size = 1_000_000.0 * (number + 1)
            before = size * (0.8 + 0.03 * (number * 5 % 17))
            values = {"population": size, "before": before, "after": size}
            rows.append({"margin": margin, "category": category, **values})
    return pd.DataFrame(rows)


def response_rates(settings):
    regions = list(itertools.chain(*settings["clean"]["derive"]["island_group"]["map"].values()))
    rows = []
    for number, (kind, place) in enumerate(
        [("national", "national"), *(("region", r) for r in regions)]
    ):
        for rate in ("RR1", "RR3"):
            share = 0.82 + 0.01 * (number * 7 % 13)
            keys = {"domain_type": kind, "domain": place, "rate": rate}
            rows.append({**keys, "unweighted": share, "weighted": share, "n": 210 + number})
    return pd.DataFrame(rows)


def validation(settings):
    rows = []
    for group, own in settings["estimate"]["hidden_groups"].items():
        for unit in ("persons", own["per"]):
            count = COUNTS[group] if unit == "persons" else 1.2
            keys = {"group": group, "domain_type": "national", "domain": "national", "unit": unit}
            limits = {"lower": 0.82 * count, "upper": 1.25 * count, "covered": True}
            rows.append(
                {**keys, "truth": 1.03 * count, "estimate": count, **limits, "suppressed": None}
            )
    return pd.DataFrame(rows)


def scale_up_models(settings):
    """Models' rows: the nation by all, places by the model of areas; one hasn't converged."""
    table = scale_up(settings)
    own = table[table["estimator"] == settings["headline"]["estimator"]]
    geographic = {d["type"] for d in settings["estimate"]["domains"] if d["kind"] == "geographic"}
    parts = []
    for place, model in enumerate(settings["model"]["models"]):
        kinds = {"national"} | (geographic if model.startswith("partially_pooled") else set())
        part = own[own["domain_type"].isin(kinds)].copy()
        numbers = ["estimate", "lower", "upper"]
        part[numbers] = part[numbers] * (1.04 + 0.02 * place)
        interval = "credible_unconverged" if place == 1 else "credible"
        part = part.assign(estimator=model, interval=interval, headline=False)
        parts.append(part.assign(df=np.nan, se_linearised=np.nan))
    return pd.concat(parts, ignore_index=True)


def predictive(settings):
    """Every group by every model, one of which hasn't converged and one has nothing to show."""
    groups = [*settings["headline"]["known_groups"], *settings["estimate"]["hidden_groups"]]
    rows = []
    for place, model in enumerate(settings["model"]["models"]):
        for number, group in enumerate(groups):
            for statistic, value in (("zero_share", 0.31), ("mean", 1.2), ("variance_to_mean", 4)):
                drawn = value * (0.8 + 0.04 * ((number * 5 + place) % 11))
                row = {"estimator": model, "group": group, "statistic": statistic}
                row |= {"observed": 0.0 if number == 1 else value, "predicted": drawn}
                row |= {"lower": 0.9 * drawn, "upper": 1.15 * drawn, "tail": 0.2}
                rows.append(row | {"converged": place != 1, "suppressed": None})
    rows[0] |= dict.fromkeys(("observed", "predicted", "lower", "upper", "tail"))
    rows[0]["suppressed"] = "primary"
    return pd.DataFrame(rows)


def small_areas(settings):
    """Places of the scale-up table by two estimators, nearer to each other than directly."""
    table = scale_up(settings)
    own = table[table["estimator"] == settings["headline"]["estimator"]]
    own = own[own["domain_type"] == "region"].drop(columns="precision")
    middle = own.groupby("group")["estimate"].transform("median")
    parts = []
    for pull, name in ((0.6, "fay_herriot"), (0.8, "partially_pooled")):
        part = own.assign(estimator=name, converged=name == "fay_herriot")
        shown = part["estimate"].notna()
        near = (pull * middle + (1 - pull) * part["estimate"])[shown]
        for column, factor in (("estimate", 1.0), ("lower", 0.9), ("upper", 1.1)):
            part.loc[shown, column] = factor * near
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def area_distribution(settings):
    """Areas by two models, one of which hasn't converged, for one group withheld."""
    rows = []
    for place, (group, own) in enumerate(settings["estimate"]["hidden_groups"].items()):
        for model in ("partially_pooled", "partially_pooled_weighted"):
            for statistic, width in (("areas", 0.5), ("posterior_medians", 0.2)):
                for quantile, step in zip((0.1, 0.25, 0.5, 0.75, 0.9), range(-2, 3), strict=True):
                    row = {"estimator": model, "group": group, "statistic": statistic}
                    row |= {"quantile": quantile, "unit": own["per"], "areas": 275}
                    row |= {"value": round(1.5 + 0.5 * width * step, 2), "suppressed": None}
                    row["converged"] = model == "partially_pooled"
                    rows.append(row | ({"value": None, "suppressed": "primary"} if place else {}))
            spread = {"statistic": "between_sd", "quantile": 0.5, "unit": "log_rate", "value": 0.4}
            rows.append({**rows[-1], "suppressed": None, **spread})
    return pd.DataFrame(rows)


def tables(survey):
    """Every table that a figure of the survey reads, in the shape of its contract."""
    settings = config(survey)
    distribution, summary = degree_tables()
    found = {
        "scale_up": pd.concat([scale_up(settings), scale_up_models(settings)], ignore_index=True),
        "known_groups": known_groups(settings),
        "specifications": specifications(settings),
        "choice_shares": choice_shares(settings),
        "sample_flow": sample_flow(survey),
        "weighting": weighting(survey),
        "degree_distribution": distribution,
        "degree_summary": summary,
        "data_quality": data_quality(settings, words(survey).items),
        "predictive": predictive(settings),
        "small_areas": small_areas(settings),
        "area_distribution": area_distribution(settings),
    }
    if survey == "ph2022":
        found["margins"] = margins(settings)
        found["response_rates"] = response_rates(settings)
        found["factors"], found["sensitivity"] = factors_and_sensitivity(settings)
        found["validation"] = validation(settings)
    else:
        found["validation"] = pd.DataFrame(columns=list(VALIDATION.columns))
    contracts = CONTRACTS | {"validation": VALIDATION}
    found = {
        name: table.reindex(columns=list(contracts[name].columns)) for name, table in found.items()
    }
    reference = ROOT / "data" / "reference"
    found["coverage"] = read_csv(reference / "coverage.csv")
    found["coverage_record"] = read_json(reference / "coverage.json")
    return found
