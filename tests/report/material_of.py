"""Released tables and figures as the contracts have them, for reports without a run of the DAG."""

import struct
import zlib
from pathlib import Path

import pandas as pd

from prevalence.files import read_yaml
from prevalence.report.material import Material

ROOT = Path(__file__).parents[2]
RENDERER = "builtin (test)"
IDENTITY = {
    "identity": "0123456789ab",
    "sha256": "0" * 64,
    "raw_files": {"responses.sav": "a" * 64, "sample_frame.csv": "b" * 64},
}
NORTH = ["NCR", "CAR", "I", "II", "III", "IV-A", "MIMAROPA", "V"]
SOUTH = ["VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "BARMM"]
REGIONS = NORTH + SOUTH
SUPPRESSED = {
    "CAR": "primary",
    "MIMAROPA": "primary",
    "XIII": "complementary",
    "BARMM": "dominance",
}


def scale_up_row(
    survey,
    group,
    domain_type,
    domain,
    unit,
    estimate,
    *,
    n=3554,
    reporting=410,
    estimator="ratio_of_sums",
    headline=True,
    suppressed="",
    precision="",
):
    error = estimate * 0.08
    row = {
        "survey": survey,
        "estimator": estimator,
        "group": group,
        "domain_type": domain_type,
        "domain": domain,
        "estimate": estimate,
        "std_error": error,
        "lower": estimate * 0.85,
        "upper": estimate * 1.18,
        "level": 0.95,
        "unit": unit,
        "n": n,
        "n_reporting": reporting,
        "df": 120.0,
        "interval": "log_t",
        "se_linearised": error,
        "headline": headline,
        "suppressed": suppressed,
        "precision": precision,
    }
    if suppressed:
        numbers = ("estimate", "std_error", "lower", "upper", "n", "n_reporting", "se_linearised")
        row.update(dict.fromkeys(numbers, float("nan")))
    return row


def modelled_scale_up():
    """The nation's rates by a model."""
    national = {"domain_type": "national", "domain": "national"}
    return tidy(
        [
            {"group": group, "unit": unit, "n": 3554, **limits_of(value), **national}
            for group, unit, value in (
                ("victims", "per_100", 1.3),
                ("perpetrators", "per_1000", 3.6),
            )
        ],
        estimator="overdispersed",
        interval="credible",
    )


def philippine_scale_up():
    survey, rows = "ph2022", []
    groups = {"victims": (471000.0, "per_100", 1.21), "perpetrators": (236000.0, "per_1000", 3.27)}
    for group, (count, per, rate) in groups.items():
        every = (("ratio_of_sums", 1.0), ("mean_of_ratios", 1.13), ("overdispersed", 1.05))
        for estimator, factor in every:
            for unit, value in (("persons", count), (per, rate)):
                rows.append(
                    scale_up_row(
                        survey,
                        group,
                        "national",
                        "national",
                        unit,
                        value * factor,
                        estimator=estimator,
                        headline=estimator == "ratio_of_sums",
                    )
                )
        rows.append(
            scale_up_row(
                survey,
                group,
                "national",
                "national",
                "persons",
                count * 1.02,
                estimator="sum_of_island_group",
                headline=False,
            )
        )
        for kind, domains in (
            ("island_group", ["Luzon", "Visayas", "Mindanao"]),
            ("region", REGIONS),
        ):
            for place, domain in enumerate(domains):
                factor = 1 + 0.05 * (place % 4)
                hidden = SUPPRESSED.get(domain, "")
                mark = (
                    "imprecise" if domain == "II" else ("interval_only" if domain == "IX" else "")
                )
                for unit, value in (("persons", count / len(domains)), (per, rate)):
                    rows.append(
                        scale_up_row(
                            survey,
                            group,
                            kind,
                            domain,
                            unit,
                            value * factor,
                            n=3554 // len(domains),
                            reporting=410 // len(domains),
                            suppressed=hidden,
                            precision=mark,
                        )
                    )
        for sex in ("female", "male"):
            rows.append(scale_up_row(survey, group, "sex", sex, "persons", count * 0.97, n=1777))
    rows.append(
        scale_up_row(survey, "victims_per_perpetrator", "national", "national", "ratio", 2.0)
    )
    return pd.DataFrame(rows)


def philippine_tables():
    known = ["doctors", "lawyers", "drivers", "nurses", "teachers"]
    return {
        "scale_up": pd.concat([philippine_scale_up(), modelled_scale_up()], ignore_index=True),
        "degree_summary": pd.DataFrame(
            [
                {
                    "estimator": "known_population",
                    "group": "degree",
                    "domain_type": "national",
                    "domain": "national",
                    "estimate": 101.3,
                    "std_error": 2.0,
                    "lower": 97.1,
                    "upper": 105.2,
                    "level": 0.95,
                    "unit": "people_known",
                    "n": 3554,
                    "zero_share": 0.01,
                    "suppressed": "",
                    "precision": "",
                }
            ]
        ),
        "known_groups": pd.DataFrame(
            [
                {
                    "estimator": "ratio_of_sums",
                    "group": name,
                    "label": name,
                    "estimate": 95000.0,
                    "std_error": 8000.0,
                    "lower": 80000.0,
                    "upper": 112000.0,
                    "level": 0.95,
                    "unit": "persons",
                    "n": 3554,
                    "known_size": 90000.0 if name != "teachers" else 880000.0,
                    "year": 2022,
                    "quality": "A",
                    "source": "register",
                    "in_headline": name != "teachers",
                    "suppressed": "",
                    "precision": "",
                }
                for name in known
            ]
        ),
        "reporting": pd.DataFrame(
            [
                {
                    "estimator": estimator,
                    "group": group,
                    "domain_type": "national",
                    "domain": "national",
                    "estimate": value,
                    "std_error": 2.1,
                    "lower": value - 4,
                    "upper": value + 4.4,
                    "level": 0.95,
                    "unit": "per_cent",
                    "n": 402,
                    "n_reporting": 60,
                    "suppressed": "",
                    "precision": "",
                }
                for group in ("victims", "perpetrators")
                for estimator, value in (("reported_of_answered", 15.2), ("reported_of_all", 12.4))
            ]
        ),
        "specifications": pd.DataFrame(
            [
                {
                    "group": group,
                    "estimator": "ratio_of_sums",
                    "top_code": str(top_code),
                    "degree": "known_population",
                    "known_groups": "headline",
                    "weights": "final",
                    "combination": "maximum",
                    "imputation": "none",
                    "headline": top_code == 1,
                    "variance": "bootstrap",
                    "interval": "log_t",
                    "estimate": estimate,
                    "lower": 0.8 * estimate,
                    "upper": 1.2 * estimate,
                    "level": 0.95,
                    "unit": "persons",
                    "suppressed": "",
                }
                for group in ("victims", "perpetrators")
                for top_code, estimate in enumerate((310000.0, 471000.0, 690000.0))
            ]
        ),
        "adjustment": pd.DataFrame(
            [
                {
                    "estimator": "ratio_of_sums",
                    "group": group,
                    "domain_type": "national",
                    "domain": "national",
                    "adjustment": adjustment,
                    "estimate": 520000.0,
                    "lower": 410000.0,
                    "upper": 700000.0,
                    "level": 0.95,
                    "unit": "persons",
                    "n": 3554,
                    "suppressed": "",
                    "precision": "",
                }
                for group in ("victims", "perpetrators")
                for adjustment in ("none", "true_positive_rate", "all")
            ]
        ),
        "sample_flow": pd.DataFrame(
            [
                {
                    "step": 1,
                    "stage": "sample",
                    "code": "selected",
                    "label": "Households selected",
                    "n": 4200,
                    "excluded": 0,
                    "reason": "",
                },
                {
                    "step": 2,
                    "stage": "interview",
                    "code": "complete",
                    "label": "Interviews",
                    "n": 3612,
                    "excluded": 588,
                    "reason": "no interview",
                },
                {
                    "step": 3,
                    "stage": "analysis",
                    "code": "analysed",
                    "label": "Analysed",
                    "n": 3554,
                    "excluded": 58,
                    "reason": "duplicates",
                },
            ]
        ),
        "response_rates": pd.DataFrame(
            [
                {
                    "domain_type": "national",
                    "domain": "national",
                    "rate": rate,
                    "unweighted": 0.86,
                    "weighted": 0.851,
                    "n": 4200,
                }
                for rate in ("RR1", "RR2", "RR3", "RR4")
            ]
        ),
        "nonresponse_bias": pd.DataFrame(
            [
                {
                    "against": against,
                    "variable": variable,
                    "category": category,
                    "benchmark": 0.457,
                    "responding": 0.463,
                    "difference": 0.00535,
                    "std_error": 0.00318,
                    "adjusted": 0.458,
                    "final": final,
                    "remaining": 0.000494,
                    "n": 1513,
                }
                for against, variable, category, final in (
                    ("frame", "urban", "rural", None),
                    ("frame", "urban", "urban", None),
                    ("census", "sex_age", "female 18–24", 0.457),
                )
            ]
        ),
        "weighting": pd.DataFrame(
            [
                {
                    "step": step,
                    "n": 3554,
                    "sum": 7.2e7,
                    "mean": 20280.4,
                    "cv": 0.61,
                    "min": 800.0,
                    "p05": 4000.0,
                    "median": 17650.2,
                    "p95": 50000.0,
                    "max": 99000.0,
                    "deff_kish": 1.37,
                    "effective_n": 2594.0,
                }
                for step in ("base", "nonresponse", "trimmed", "calibrated")
            ]
        ),
        "validation": pd.DataFrame(
            [
                {
                    "group": "victims",
                    "domain_type": "national",
                    "domain": "national",
                    "unit": "persons",
                    "truth": 474000.0,
                    "estimate": 471000.0,
                    "lower": 400000.0,
                    "upper": 556000.0,
                    "covered": True,
                    "suppressed": "",
                },
                {
                    "group": "perpetrators",
                    "domain_type": "national",
                    "domain": "national",
                    "unit": "persons",
                    "truth": 290000.0,
                    "estimate": 236000.0,
                    "lower": 200600.0,
                    "upper": 278480.0,
                    "covered": False,
                    "suppressed": "",
                },
            ]
        ),
    }


def tidy(rows, **shared):
    return pd.DataFrame([{**shared, "suppressed": "", "precision": "", **row} for row in rows])


def limits_of(value, spread=0.2):
    return {"estimate": value, "std_error": 0.1 * value, "lower": (1 - spread) * value,
            "upper": (1 + spread) * value, "level": 0.95}  # fmt: skip


def checks_of_method():
    """Tables of the sample, the weights, the answers and of disclosure control."""
    return {
        "estimands": pd.DataFrame(
            [
                {"group": "headline", "element": "estimator", "text": "x", "deviation": False},
                {"group": "headline", "element": "top_codes", "text": "x", "deviation": True},
            ]
        ),
        "margins": pd.DataFrame(
            [
                {"margin": "region", "category": "NCR", "population": 900.0, "before": 750.0},
                {"margin": "sex_age", "category": "female 18–24", "population": 500.0,
                 "before": 520.0},
            ]
        ),
        "data_quality": tidy(
            [
                {"group": name, "answered": 3500, "zero_share": 0.9, "heaped_share": heaped,
                 "missing_share": 0.021, "top_code_share": 0.001}
                for name, heaped in (("doctors", float("nan")), ("victims_live", 0.37))
            ]
        ),
        "disclosure_summary": pd.DataFrame(
            [
                {"table": table, "group": "victims", "domain_type": "region", "rows": 17,
                 "released": 13, "primary": 2, "complementary": 1, "dominance": 1, "geography": 0}
                for table in ("scale_up", "reporting")
            ]
        ),
    }  # fmt: skip


def checks_of_certainty():
    """Tables of comparisons, other choices, visibility, models and planning."""
    groups = ("victims", "perpetrators")
    return {
        "contrasts": tidy(
            [
                {"group": group, "domain_type": "island_group", "domain": "Luzon",
                 "against": against, "unit": "ratio", **limits_of(value)}
                for group in groups
                for against, value in (("Visayas", 1.25), ("Mindanao", 0.95))
            ],
            estimator="ratio_of_sums",
        ),
        "agreement": tidy(
            [
                {"group": "root_mean_square", "unit": "log_ratio", **limits_of(0.04)},
                {"group": "recall_slope", "unit": "log_ratio_per_log_size", **limits_of(-0.018)},
            ],
            estimator="ratio_of_sums",
        ),
        "trimming": tidy(
            [
                {"group": "doctors", "step": float("nan"), "log_ratio": 0.1, "threshold": 0.25},
                {"group": "teachers", "step": 1.0, "log_ratio": 0.36, "threshold": 0.25},
            ]
        ),
        "choice_shares": tidy(
            [
                {"group": group, "choice": choice, "share": 0.37, "largest_ratio": 1.58,
                 "levels": levels}
                for group in groups
                for choice, levels in (("estimator", 2), ("weights", 1))
            ]
        ),
        "factors": tidy(
            [
                {"group": group, "factor": factor, "source": "given", **limits_of(0.9)}
                for group in groups
                for factor in ("degree_ratio", "true_positive_rate")
            ]
        ),
        "variance_components": tidy(
            [
                {"group": group, "source": source, "variance": 0.01, "share": 0.5}
                for group in groups
                for source in ("sampling", "degree_ratio")
            ]
        ),
        "sensitivity": tidy(
            [
                {"group": "victims", "analysis": "break_even", "unit": "persons",
                 "value": 450000.0, "finding": "children_count", **limits_of(0.95)}
            ]
        ),
        "influence": tidy(
            [
                {"group": "victims", "rank": rank, "relative_change": change}
                for rank, change in ((1, -0.031), (2, -0.012), (3, float("nan")))
            ]
        ),
        "planning": tidy(
            [
                {"group": group, "psus": 150, "respondents": 3600, "prevalence": 1.0, "cv": 0.077,
                 "lower_factor": 0.858, "upper_factor": 1.17, "detectable_fall": -0.263,
                 "detectable_rise": 0.357}
                for group in groups
            ]
        ),
        "area_distribution": tidy(
            [
                {"estimator": "partially_pooled", "group": group, "statistic": "areas",
                 "quantile": quantile, "value": value, "unit": unit, "areas": 275,
                 "converged": True}
                for group, unit in (("victims", "per_100"), ("perpetrators", "per_1000"))
                for quantile, value in {0.1: 0.7, 0.25: 0.9, 0.5: 1.2, 0.75: 1.6, 0.9: 2.1}.items()
            ]
        ),
        "adjustment_models": tidy(
            [
                {"estimator": "overdispersed", "group": group, "unit": "persons",
                 "adjustment": adjustment, "converged": True, **limits_of(value)}
                for group in groups
                for adjustment, value in (("none", 489000.0), ("all", 803000.0))
            ]
        ),
        "diagnostics": tidy(
            [
                {"estimator": "overdispersed", "quantity": f"hidden:{group}", "rhat": 1.004,
                 "ess_bulk": 812.0, "ess_tail": 640.0, "divergent": 0, "passed": True}
                for group in groups
            ]
        ),
        "predictive": tidy(
            [
                {"estimator": "overdispersed", "group": group, "statistic": "zero_share",
                 "observed": 0.9, "predicted": 0.89, "lower": 0.88, "upper": 0.91}
                for group in groups
            ]
        ),
    }  # fmt: skip


def coverage_study():
    """Two worlds of a study that was computed outside of the run, and the record of how."""
    rows = [
        {"world": world, "holds": holds, "estimator": "ratio_of_sums", "group": group,
         "domain": "national", "interval": "log_t", "variance": "bootstrap",
         "relative_bias": bias, "rms_se_over_sd": 1.01, "coverage": share,
         "coverage_lower": share - 0.02, "coverage_upper": share + 0.02}
        for world, holds, bias, share in (
            ("plain", True, -0.0001, 0.943), ("transmission_0_6", False, -0.401, 0.015))
        for group in ("victims", "perpetrators")
    ]  # fmt: skip
    record = {"date": "2026-11-23", "surveys": 1000, "command": "python benchmarks/coverage.py"}
    pairs = [
        {"world": "plain", "group": group, "psus": psus, "power": 0.8, "fall_found": 0.772,
         "rise_found": 0.8149, "surveys": 400}
        for psus in (149, 298, 110)
        for group in ("victims", "perpetrators")
    ]  # fmt: skip
    found = {"coverage": pd.DataFrame(rows), "coverage_record": record}
    return found | {"planning": pd.DataFrame(pairs)}


def figure(name, number):
    return {
        "alt": f'The {name} drawn with "{number}" & <marks>.',
        "caption": f"The {name}, in the year {number}",
        "rule": "draw_figures",
        "csv": f"x,y\n1,{number}\n",
    }


def philippine_material(**changes):
    config = read_yaml(ROOT / "config/surveys/ph2022.yaml")
    names = (
        "headline",
        "island_groups",
        "regions",
        "known_groups",
        "sample_flow",
        "weights",
        "degree_distribution",
        "tornado",
        "rank_histogram",
    )
    values = {
        "survey_id": "ph2022",
        **{name: config[name] for name in ("survey", "report", "estimate", "headline")},
        **{name: config[name] for name in ("weight", "release")},
        "tables": philippine_tables() | checks_of_method() | checks_of_certainty(),
        "figures": {name: figure(name, 2022) for name in names},
        "published": read_yaml(ROOT / "config/published_findings.yaml"),
        "identity": IDENTITY,
        "renderer": RENDERER,
        "policy": read_yaml(ROOT / "config/disclosure.yaml"),
        "labels": {"victims_live": "Number of children known, livestreamed"},
        "reference": coverage_study(),
        "translations": {"fil": read_yaml(ROOT / "reports/strings/ph2022.fil.yml")},
    }
    return Material(**(values | changes))


RWANDA = {
    "survey_id": "rwanda2011",
    "survey": {
        "title": "Key populations",
        "country": "Rwanda",
        "year": 2011,
        "synthetic": False,
        "mirror": False,
    },
    "report": {
        "language": "en",
        "period": "in 2011",
        "groups": {
            "sex_workers": {"heading": "Sex workers", "many": "persons"},
            "clients": {"heading": "Clients of sex workers", "many": "persons"},
        },
    },
    "estimate": {
        "level": 0.95,
        "domains": [{"type": "region", "variable": "region", "kind": "geographic"}],
        "hidden_groups": {
            "sex_workers": {"label": "sex workers", "population": "all_ages", "per": "per_1000"},
            "clients": {
                "label": "clients of sex workers",
                "population": "all_ages",
                "per": "per_1000",
            },
        },
        "degree": {"minimum_groups": 1},
    },
    "headline": {
        "date": "2026-01-01",
        "estimator": "ratio_of_sums",
        "interval": "log_t",
        "variance": "bootstrap",
        "known_groups": ["teachers", "priests"],
        "top_codes": {"known": 30, "hidden": None},
    },
}


def rwandan_material(**changes):
    """A survey without frame, census, reporting item, truth, published findings or figures."""
    rows = [
        scale_up_row("rwanda2011", group, "national", "national", unit, value, n=2406)
        for group, count in (("sex_workers", 34107.0), ("clients", 35100.0))
        for unit, value in (("persons", count), ("per_1000", count / 10718.0))
    ]
    values = {
        **RWANDA,
        "tables": {"scale_up": pd.DataFrame(rows)},
        "figures": {},
        "identity": IDENTITY,
        "renderer": RENDERER,
    }
    return Material(**(values | changes))


def png(width=64, height=40):
    """A small picture without a library, the same bytes everywhere."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    lines = b"".join(b"\x00" + b"\xdd" * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(lines))
        + chunk(b"IEND", b"")
    )


SVG = (
    '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="640" height="400" '
    'viewBox="0 0 640 400"><defs><clipPath id="c"><rect width="640" height="400"/></clipPath>'
    "</defs>"
    '<rect id="frame" width="640" height="400" fill="#dde7ee" clip-path="url(#c)"/></svg>\n'
)
