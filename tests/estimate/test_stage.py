"""Every script of the stage on a made-up survey, from files to files."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from prevalence.errors import PipelineError
from prevalence.estimation import study_of
from prevalence.files import read_csv, write_csv, write_parquet
from prevalence.weighting import weight_distribution, weighting_steps
from prevalence.weighting.diagnostics import STEPS

ROOT = Path(__file__).parents[2]
COMBINE = {
    "victims": {"items": ["victims_nonlive", "victims_live"], "rule": "maximum"},
    "perpetrators": {"items": ["perpetrators_nonlive", "perpetrators_live"], "rule": "maximum"},
}
MORE = {
    "imputation_between": {"victims": "victims", "perpetrators": "perpetrators"},
    "specifications": {
        "estimator": ["mean_of_ratios"],
        "top_code": ["none", "p95"],
        "known_groups": {"two": ["nurses", "drivers"]},
        "weights": ["none", "base"],
        "combination": ["sum"],
        "imputation": ["published"],
    },
    "trimming": {"start": "all", "threshold": 0.2, "minimum_kept": 2},
    "adjustment": {
        "draws": 400,
        "factors": {
            "victims": {"true_positive_rate": {"from": "survivor_panel"}},
            "perpetrators": {"degree_ratio": {"median": 0.9, "cv": 0.1}},
        },
    },
    "sensitivity": {
        "contour": {
            "true_positive_rate": {"low": 0.5, "high": 1.0, "steps": 3},
            "degree_ratio": {"low": 0.5, "high": 1.0, "steps": 2},
        }
    },
    "planning": {"power": 0.8, "designs": [{"psus": 30, "respondents": 300}]},
}
FINDINGS = [{"id": "count", "group": "victims", "unit": "persons", "low": 300.0, "high": 400.0}]
OUTPUTS = {
    "estimate_degrees": {
        "degrees": "degrees.parquet",
        "summary": "degree_summary.csv",
        "distribution": "degree_distribution.csv",
    },
    "check_known_groups": {"known_groups": "known_groups.csv", "agreement": "agreement.csv"},
    "estimate_scale_up": {
        "scale_up": "scale_up.csv",
        "contrasts": "contrasts.csv",
        "disclosure_inputs": "disclosure_inputs.csv",
    },
    "estimate_reporting": {"reporting": "reporting.csv"},
    "specify_alternatives": {
        "specifications": "specifications.csv",
        "choice_shares": "choice_shares.csv",
        "trimming": "trimming.csv",
    },
    "adjust_estimates": {
        "adjustment": "adjustment.csv",
        "variance_components": "variance_components.csv",
        "factors": "factors.csv",
    },
    "assess_sensitivity": {"sensitivity": "sensitivity.csv", "influence": "influence.csv"},
    "plan_next_wave": {"planning": "planning.csv"},
    "describe_estimands": {"estimands": "estimands.csv"},
    "describe_concentration": {
        "effective_n": "effective_n.csv",
        "influential": "influential.csv",
        "picture": "weight_diagnostics.svg",
    },
}


class Files(dict):
    """Named files, as Snakemake gives them to a script."""

    __getattr__ = dict.__getitem__


def script(name):
    path = ROOT / "scripts" / "estimate" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def described(weights):
    """Tables that describe made-up weights; a survey without margins."""
    steps = weights.assign(**dict.fromkeys(STEPS, weights["final"]))
    rates = pd.DataFrame(
        [(kind, name, "RR3", 0.9, 0.9, 10) for kind in ("stratum", "interviewer") for name in "ab"],
        columns=["domain_type", "domain", "rate", "unweighted", "weighted", "n"],
    )
    return {
        "weighting": weighting_steps(steps),
        "weight_distribution": weight_distribution(steps),
        "margins": pd.DataFrame(columns=["margin", "category", "population", "before", "after"]),
        "response_rates": rates,
    }


def run(folder, tables, estimate, headline, situations, rules=tuple(OUTPUTS)):
    inputs = Files()
    for name in ("respondents", "ard", "weights", "replicates", "replicate_factors"):
        inputs[name] = folder / f"{name}.parquet"
        write_parquet(tables[name], inputs[name])
    for name in ("known_groups", "populations", "survivor_panel"):
        inputs[name] = []
        if name in tables:
            inputs[name] = folder / f"{name}.csv"
            write_csv(tables[name], inputs[name])
    for name in ("companion", "visibility"):
        inputs[name] = []
        if name in tables:
            inputs[name] = folder / f"{name}.csv"
            write_csv(tables[name], inputs[name])
    inputs["situations"] = folder / "situations.parquet"
    write_parquet(situations, inputs["situations"])
    for name, table in described(tables["weights"]).items():
        inputs[name] = folder / f"{name}.csv"
        write_csv(table, inputs[name])
    inputs["checked"] = folder / "known_groups_out.csv"
    inputs["scale_up"] = folder / "scale_up.csv"
    params = SimpleNamespace(
        estimate=estimate,
        headline=headline,
        year=2022,
        combine=COMBINE,
        imputations=[],
        seed=[1, 2, 3],
        findings=FINDINGS,
        synthetic=True,
    )
    written = {}
    for name in rules:
        files = OUTPUTS[name]
        outputs = Files({key: folder / file for key, file in files.items()})
        if name == "check_known_groups":
            outputs["known_groups"] = inputs["checked"]
        job = SimpleNamespace(
            input=inputs,
            output=outputs,
            params=params,
            wildcards=SimpleNamespace(survey="made_up"),
        )
        script(name)(job)
        written |= {key: read_csv(path) for key, path in outputs.items() if path.suffix == ".csv"}
    return written


@pytest.fixture(scope="module")
def tables(tables_of, weighted):
    panel = pd.DataFrame(
        {
            "member": ["m1", "m2"],
            "group": ["victims"] * 2,
            "best": [0.5, 0.7],
            "low": [0.4, 0.5],
            "high": [0.6, 0.9],
        }
    )
    return weighted(tables_of(n=320)) | {"survivor_panel": panel}


@pytest.fixture(scope="module")
def situations(tables):
    told = tables["respondents"]["respondent"].iloc[:40]
    return pd.DataFrame(
        {
            "respondent": told,
            "group": "victims",
            "reported": np.resize(["yes", "no", "dont_know"], 40),
            "authority": np.resize(["police", "", ""], 40),
        }
    )


@pytest.fixture(scope="module")
def written(tables, situations, configured, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stage")
    estimate = configured["estimate"] | MORE
    return run(folder, tables, estimate, configured["headline"], situations)


def test_every_table_is_written_and_named_by_its_survey(written):
    for name, table in written.items():
        assert len(table), name
        assert set(table["survey"]) == {"made_up"}, name


def test_the_headline_is_the_same_everywhere(written):
    scale_up, table = written["scale_up"], written["specifications"]
    national = (scale_up["domain_type"] == "national") & (scale_up["unit"] == "persons")
    mine = scale_up[scale_up["headline"] & national].set_index("group")
    assert set(mine.index) == {"victims", "perpetrators"}
    for row in table[table["headline"]].to_dict("records"):
        for column in ("estimate", "lower", "upper"):
            assert row[column] == pytest.approx(mine.loc[row["group"], column], rel=1e-9)
    place = written["influence"].set_index(["group", "rank"])
    change = place.loc[("victims", 1)]
    estimate = change["estimate_without"] / (1 + change["relative_change"])
    assert estimate == pytest.approx(mine.loc["victims", "estimate"], rel=1e-9)


def test_linearised_and_bootstrap_errors_are_of_one_size(written):
    table = written["scale_up"]
    rows = table[(table["estimator"] == "ratio_of_sums") & (table["domain_type"] == "national")]
    ratio = rows["std_error"] / rows["se_linearised"]
    assert ratio.between(0.6, 1.6).all()


def test_adjustment_without_a_factor_changes_nothing_but_the_interval(written):
    table = written["adjustment"].set_index(["group", "unit", "adjustment"])["estimate"]
    assert table["perpetrators", "persons", "true_positive_rate"] == pytest.approx(
        table["perpetrators", "persons", "none"]
    )
    assert table["victims", "persons", "all"] > table["victims", "persons", "none"]
    shares = written["variance_components"].groupby("group")["share"].sum()
    np.testing.assert_allclose(shares, 1)


def test_the_record_of_trimming_covers_every_known_group(written, configured):
    known = [*configured["headline"]["known_groups"], "lawyers"]
    assert list(written["trimming"]["group"]) == known  # every group with a size
    assert "trimmed" in set(written["specifications"]["known_groups"])


def test_the_estimand_sheet_says_what_departs_from_the_headline(written):
    sheet = written["estimands"].set_index(["group", "element"])
    assert sheet.loc[("victims", "combination"), "text"].startswith("maximum")
    assert not sheet["deviation"].any()
    assert len(sheet.loc[("headline", "hash"), "text"]) == 12


def test_what_is_not_configured_leaves_empty_tables(tables, configured, situations, tmp_path):
    found = run(
        tmp_path, tables, configured["estimate"], configured["headline"], situations.iloc[:0]
    )
    for name in ("adjustment", "variance_components", "factors", "planning", "trimming"):
        assert found[name].empty, name
        assert len(found[name].columns) > 4
    assert found["reporting"].empty
    assert len(found["specifications"])


def test_a_survey_with_the_least_that_is_needed(tables, configured, situations, tmp_path):
    least = {name: table for name, table in tables.items() if name != "populations"}
    least["known_groups"] = tables["known_groups"][["group", "size"]]
    hidden = {
        name: {"label": name, "population": "all_ages", "per": "per_1000"} for name in ("victims",)
    }
    estimate = {
        "level": 0.95,
        "populations": [{"domain_type": "national", "domain": "national", "all_ages": 1e5}],
        "domains": [{"type": "island", "variable": "island", "kind": "geographic"}],
        "hidden_groups": hidden,
        "degree": configured["estimate"]["degree"],
        "estimators": ["ratio_of_sums"],
    }
    headline = configured["headline"] | {"top_codes": {"known": None, "hidden": None}}
    found = run(tmp_path, least, estimate, headline, situations.iloc[:0])
    rows = found["scale_up"].set_index(["domain", "unit"])
    assert ("north", "persons") not in rows.index  # its population isn't known
    assert rows.loc[("north", "per_1000"), "estimate"] > 0  # but the size cancels in the rate
    assert (found["known_groups"]["label"] == found["known_groups"]["group"]).all()


def test_samples_of_the_hidden_group_itself(tables, configured, situations, tmp_path):
    members = pd.DataFrame(
        {
            "group": "victims",
            "visibility": np.resize([20.0, 30.0, 40.0], 60),
            "weight": np.resize([1.0, 2.0], 60),
        }
    )
    contacts = pd.DataFrame({"group": "victims", "aware": np.resize([2.0, 3.0], 40), "alters": 5.0})
    factors = {"victims": {"true_positive_rate": {"from": "companion"}}}
    estimate = configured["estimate"] | {"adjustment": {"draws": 200, "factors": factors}}
    found = run(
        tmp_path,
        tables | {"visibility": members, "companion": contacts},
        estimate,
        configured["headline"],
        situations,
    )
    rows = found["scale_up"].query("estimator == 'generalised'").set_index("unit")
    assert list(rows["group"].unique()) == ["victims"]
    reports = tables["ard"].query("group == 'victims'")["count"].clip(upper=20).to_numpy()
    weights = tables["weights"]["final"].to_numpy()
    out_reports = 65_000 * (weights @ reports) / weights.sum()
    mean = np.average(members["visibility"], weights=members["weight"])
    assert rows.loc["persons", "estimate"] == pytest.approx(out_reports / mean)
    assert rows.loc["persons", "lower"] < rows.loc["persons", "estimate"]
    factor = found["factors"].query("factor == 'true_positive_rate'").iloc[0]
    assert factor["source"] == "companion"
    assert factor["estimate"] == pytest.approx(0.5, abs=0.02)


def test_a_group_that_nobody_reports(tables, configured, situations, tmp_path):
    ard = tables["ard"].copy()
    ard.loc[ard["group"].str.startswith("victims"), "count"] = 0.0
    found = run(
        tmp_path,
        tables | {"ard": ard},
        configured["estimate"] | MORE,
        configured["headline"],
        situations,
    )
    rows = found["scale_up"].query("group == 'victims' and estimator == 'ratio_of_sums'")
    assert (rows["estimate"] == 0).all()
    assert (rows["upper"] > 0).all()
    table = found["specifications"].query("group == 'victims' and imputation == 'none'")
    assert (table["estimate"] == 0).all()
    headline = table[table["headline"]].iloc[0]
    nation = rows.query("domain_type == 'national' and unit == 'persons'").iloc[0]
    assert headline["upper"] == pytest.approx(nation["upper"], rel=1e-9)
    assert set(found["variance_components"]["group"]) == {"perpetrators"}
    assert set(found["planning"]["group"]) == {"perpetrators"}


def test_a_group_that_nobody_was_asked_about(tables, configured, situations, tmp_path):
    """A hidden group without any answer has no estimate; a known group without any is an error."""
    ard = tables["ard"].copy()
    ard.loc[ard["group"].str.startswith("victims"), ["count", "missing"]] = [np.nan, "not_asked"]
    ard.loc[ard["group"] == "lawyers", ["count", "missing"]] = [np.nan, "not_asked"]
    estimate, headline = configured["estimate"] | MORE, configured["headline"]
    found = run(tmp_path, tables | {"ard": ard}, estimate, headline, situations)
    victims = found["scale_up"].query("group == 'victims'")
    assert victims[["estimate", "lower", "upper"]].isna().all().all()
    assert found["known_groups"].query("group == 'lawyers'")["estimate"].isna().all()
    ard.loc[ard["group"] == "doctors", ["count", "missing"]] = [np.nan, "not_asked"]
    with pytest.raises(PipelineError, match="Nobody answered the question on a known group") as e:
        run(tmp_path, tables | {"ard": ard}, estimate, headline, situations)
    assert "doctors" in str(e.value)


def test_a_jackknife_goes_through_the_stage(
    tables, tables_of, weighted, configured, situations, tmp_path, written
):
    jackknifed = tables | weighted(tables_of(n=320), method="jkn")
    estimate, headline = configured["estimate"] | MORE, configured["headline"]
    with pytest.raises(PipelineError, match="variance isn't that of the replicates"):
        run(tmp_path, jackknifed, estimate, headline, situations)
    found = run(tmp_path, jackknifed, estimate, headline | {"variance": "replicates"}, situations)
    keys = ["estimator", "group", "domain_type", "domain", "unit"]
    both = found["scale_up"].merge(written["scale_up"], on=keys, suffixes=("", "_drawn"))
    np.testing.assert_allclose(both["estimate"], both["estimate_drawn"], rtol=1e-9)
    ratio = (both["std_error"] / both["std_error_drawn"])[both["std_error"] > 0]
    assert ratio.between(0.4, 2.5).all()
    # Deleting one PSU at a time gives the linearised error up to its curvature.
    close = both.dropna(subset=["se_linearised"])
    error = close["std_error"] / close["se_linearised"]
    assert error.between(0.8, 1.3).all()
    table = found["specifications"]
    assert set(table["variance"]) == {"replicates", "linearised"}
    assert "percentile" not in set(table["interval"])
    assert table.groupby("group")["headline"].sum().eq(1).all()
    adjusted = found["adjustment"].query("adjustment == 'none' and unit == 'persons'")
    straight = found["scale_up"].query("headline and unit == 'persons' and domain == 'national'")
    merged = adjusted.merge(straight, on="group", suffixes=("", "_straight"))
    np.testing.assert_allclose(merged["std_error"], merged["std_error_straight"], rtol=0.25)


def test_effective_numbers_and_influence_worked_by_hand(written, tables, configured):
    w = tables["weights"]["final"].to_numpy()
    north = (tables["respondents"]["island"] == "north").to_numpy()
    found = written["effective_n"].set_index(["domain_type", "domain"])
    assert found.loc[("national", "national"), "effective_n"] == pytest.approx(
        w.sum() ** 2 / (w**2).sum()
    )
    assert found.loc[("island", "north"), "n"] == north.sum()
    assert found.loc[("island", "north"), "effective_n"] == pytest.approx(
        w[north].sum() ** 2 / (w[north] ** 2).sum()
    )
    study = study_of(tables, estimate=configured["estimate"], headline=configured["headline"])
    group = study.hidden_groups()[0]
    y, d = group.reports, group.sizes.by_definition["known_population"]
    inside = ~(np.isnan(y) | np.isnan(d))
    y, d, w = y[inside], d[inside], w[inside]
    ratios = [
        np.delete(w * y, i).sum() / np.delete(w * d, i).sum() * (w @ d) / (w @ y) - 1
        for i in range(len(y))
    ]
    order = np.argsort(-np.abs(ratios))[:10]
    rows = written["influential"].query("group == @group.name")
    np.testing.assert_allclose(rows["relative_change"], np.array(ratios)[order], rtol=1e-9)
    np.testing.assert_allclose(rows["share"], (w * y)[order] / (w @ y), rtol=1e-9)
    assert rows["rank"].tolist() == list(range(1, 11))
    assert "respondent" not in written["influential"]


def test_the_order_of_rows_changes_nothing(tables, configured):
    def headline(tables):
        study = study_of(tables, **configured)
        found = study.headline_estimates(study.hidden_groups())
        return found.ratio, found.std_error, found.se_linearised

    order = np.random.default_rng(1).permutation(len(tables["respondents"]))
    shuffled = tables | {
        name: tables[name].iloc[order].reset_index(drop=True) for name in ("respondents", "weights")
    }
    for before, after in zip(headline(tables), headline(shuffled), strict=True):
        np.testing.assert_allclose(before, after, rtol=1e-9)


def test_disclosure_control_knows_a_hidden_groups_own_degrees(
    tables, configured, situations, tmp_path
):
    ard = tables["ard"].copy()
    ard["count"] = ard["count"].mask((ard["group"] == "lawyers") & (ard.index % 3 == 0))
    groups = configured["estimate"]["hidden_groups"]
    own = groups | {"victims": {**groups["victims"], "known_groups": ["nurses", "lawyers"]}}
    degree = configured["estimate"]["degree"] | {"minimum_groups": 2}
    estimate = configured["estimate"] | {"hidden_groups": own, "degree": degree}
    rules = ("check_known_groups", "estimate_scale_up")
    tables = tables | {"ard": ard}
    found = run(tmp_path, tables, estimate, configured["headline"], situations, rules)
    shown = found["scale_up"].query("estimator == 'ratio_of_sums' and unit == 'persons'")
    shown = shown.set_index(["group", "domain_type", "domain"])
    known = found["disclosure_inputs"].set_index(["group", "domain_type", "domain"])
    for key in [(group, "national", "national") for group in own]:
        assert known.loc[key, "n"] == shown.loc[key, "n"]
        assert known.loc[key, "n_reporting"] == shown.loc[key, "n_reporting"]
        ratio = known.loc[key, "sum_wy"] / known.loc[key, "sum_wd"]
        assert 100_000 * ratio == pytest.approx(shown.loc[key, "estimate"])
    counts = {key[0]: known.loc[key, "n"] for key in known.index if key[1] == "national"}
    assert counts["victims"] < counts["perpetrators"]
