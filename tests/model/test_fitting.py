"""The model stage on the made-up survey: tables, marks, seeds, and inputs that can't be fitted."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("numba", reason="the models' compiled loops need numba")

from prevalence.contracts import check_table
from prevalence.contracts.estimate import arranged
from prevalence.contracts.model import AREA_DISTRIBUTION, SCALE_UP_MODELS
from prevalence.errors import PipelineError
from prevalence.models.diagnostics import Thresholds
from prevalence.models.engine import Sampling
from prevalence.models.fitting import (
    MODELS,
    fit_model,
    model_inputs,
    scaler,
)
from prevalence.models.prior_sensitivity import prior_sensitivity_rows
from prevalence.models.scaling import Scaling
from prevalence.models.tables import (
    area_distribution_rows,
    area_prevalences,
    diagnosed,
    draws_table,
    scale_up_rows,
)

ROOT = Path(__file__).parents[2]
SHORT = Sampling(2, 150, 150, 1)


@pytest.fixture(scope="module")
def inputs(tables_of, configured, sampling_of):
    from prevalence.estimation import study_of

    tables = tables_of(n=300)
    people = tables["respondents"]
    sampling = sampling_of(
        tables["weights"]["final"], people["stratum"].to_numpy(str), people["psu"].to_numpy(str)
    )
    study = study_of(tables, **configured, sampling=sampling)
    return model_inputs(study)


def with_table(inputs, table, **changes):
    from dataclasses import replace

    from prevalence.models.counts import CountTable

    return replace(inputs, counts=CountTable(inputs.counts.groups, table), **changes)


@pytest.mark.parametrize("model", MODELS)
def test_a_model_finds_what_was_planted_and_keeps_the_contract(inputs, model):
    # A sweep of the correlated model costs as much as many leaps of the others.
    long = Sampling(2, 80, 160, 1) if model == "correlated" else Sampling(2, 150, 300, 1)
    posterior = fit_model(model, inputs, [5, 1], sampling=long)
    diagnostics = diagnosed(posterior, Thresholds(rhat=1.1, ess=50, divergent_share=0.02))
    table = scale_up_rows(posterior, inputs, diagnostics, 0.95)
    table = check_table(arranged(table, SCALE_UP_MODELS, "made_up"), SCALE_UP_MODELS, "here")
    assert posterior.fit.whitened
    national = table[(table["domain_type"] == "national") & (table["unit"] == "persons")]
    size = national.set_index("group")
    # Planted: 0.3 and 0.15 per cent of 100,000.
    for group, planted in (("victims", 300.0), ("perpetrators", 150.0)):
        assert size.loc[group, "lower"] < planted * 1.15
        assert size.loc[group, "upper"] > planted / 1.15
        assert size.loc[group, "estimate"] == pytest.approx(planted, rel=0.4)
    assert set(table["interval"]) == {"credible"}
    rows = prior_sensitivity_rows(posterior, inputs, 0.95).set_index(["group", "prior_scale"])
    assert rows.loc[("victims", 1.0), "estimate"] == pytest.approx(
        size.loc["victims", "estimate"], rel=0.01
    )
    # The answers say what the sizes are; few sweeps of the correlated model are a noisy measure.
    assert (rows["power_scaling"] < (0.2 if model == "correlated" else 0.05)).all()
    usual = rows.xs(1.0, level="prior_scale")["estimate"]
    moved = rows["estimate"] / usual.reindex(rows.index, level="group") - 1
    assert (moved.abs() < 0.15).all()
    islands = table["domain_type"].eq("island").any()
    assert islands == model.startswith("partially_pooled")
    rate = table[(table["group"] == "victims") & (table["unit"] == "per_100")].iloc[0]
    assert rate["estimate"] == pytest.approx(size.loc["victims", "estimate"] / 35_000 * 100)
    ratio = table[table["unit"] == "ratio"].iloc[0]
    assert ratio["lower"] < 2 < ratio["upper"]


def test_a_fit_that_fails_a_threshold_is_marked(inputs):
    posterior = fit_model("overdispersed", inputs, [5], sampling=SHORT)
    strict = diagnosed(posterior, Thresholds(ess=1e9))
    assert not strict["passed"].any()
    table = scale_up_rows(posterior, inputs, strict, 0.95)
    assert set(table["interval"]) == {"credible_unconverged"}


def test_same_seed_same_draws_whatever_the_cores(inputs):
    tables = [
        draws_table(fit_model("partially_pooled", inputs, seed, sampling=Sampling(2, 100, 30, c)))
        for seed, c in (([1, 2], 1), ([1, 2], 2), ([1, 3], 1))
    ]
    pd.testing.assert_frame_equal(tables[0], tables[1])
    assert not np.allclose(tables[0].iloc[:, 2:], tables[2].iloc[:, 2:])


def frame_with(sampled, unsampled):
    """All areas, without covariates and of one weight."""
    from prevalence.models.area_frame import AreaFrame

    covariates = (np.empty((len(sampled), 0)), np.empty((len(unsampled), 0)))
    return AreaFrame(sampled, unsampled, covariates, np.ones(len(sampled)))


def check_distribution(posterior, inputs, logs):
    """Quantiles of the areas' rates: of children, a share of whom 35 per cent of all people are."""
    diagnostics = diagnosed(posterior, Thresholds(ess=1e9))
    rows = area_distribution_rows(posterior, inputs, diagnostics)
    rows = check_table(arranged(rows, AREA_DISTRIBUTION, "made_up"), AREA_DISTRIBUTION, "here")
    table = rows.set_index(["group", "statistic", "quantile"])
    assert len(table) == 2 * 3 * 5
    assert not table["converged"].any()
    rates = np.exp(logs[:, :, 0]) / 0.35 * 100
    assert table.loc[("victims", "areas", 0.9), "value"] == pytest.approx(np.quantile(rates, 0.9))
    assert set(table["areas"]) == {logs.shape[1]}


def test_the_nation_holds_areas_that_were_not_sampled(inputs):
    from prevalence.models.area_frame import with_all_areas

    posterior = fit_model("partially_pooled", inputs, [5, 1], sampling=SHORT)
    logs = area_prevalences(posterior, inputs)
    areas, hidden = int(inputs.area.max()) + 1, len(inputs.hidden)
    assert logs.shape == (300, areas, hidden)
    check_distribution(posterior, inputs, logs)
    people = np.linspace(1_000, 5_000, areas)
    frame = frame_with(people, np.empty(0))
    everyone = with_all_areas(posterior, inputs, frame, [7])
    # All areas sampled: reports of the areas by their population, nothing to predict.
    density, flat = posterior.density, posterior.parameters.reshape(300, -1)
    network = [
        np.bincount(inputs.area, inputs.weights * np.exp(density.log_degrees(x))) for x in flat
    ]
    reports = (np.array(network) / np.bincount(inputs.area, inputs.weights))[:, :, None]
    reports = reports * np.exp([density.prevalences(x) for x in flat])
    nation = np.log(np.einsum("m,dmk->dk", people / people.sum(), reports))
    expected = inputs.population * np.exp(scaler(Scaling(), inputs)(nation))[:, -hidden:]
    assert everyone.draws.reshape(-1, hidden) == pytest.approx(expected)
    assert everyone.model == "partially_pooled_all_areas"
    more = frame_with(people, np.full(60, 3_000.0))
    predicted = with_all_areas(posterior, inputs, more, [7])
    again = with_all_areas(posterior, inputs, more, [7])
    assert (predicted.draws == again.draws).all()
    middle = [np.median(sample.draws[:, :, 0]) for sample in (everyone, predicted)]
    assert middle[1] == pytest.approx(middle[0], rel=0.25)
    diagnostics = diagnosed(predicted, Thresholds(rhat=1.2, ess=20, divergent_share=0.02))
    table = scale_up_rows(predicted, inputs, diagnostics, 0.95)
    assert set(table["domain_type"]) == {"national"}
    assert set(table["unit"]) == {"persons", "per_100", "per_1000", "ratio"}
    nation = fit_model("overdispersed", inputs, [5], sampling=SHORT)
    assert with_all_areas(nation, inputs, more, [7]) is None
    assert area_prevalences(nation, inputs) is None


def first(inputs, n):
    """The survey's first respondents, in areas numbered anew."""
    from dataclasses import replace

    part = slice(0, n)
    codes = {
        name: np.unique(getattr(inputs, name)[part], return_inverse=True)[1]
        for name in ("stratum", "psu", "area")
    }
    domains = tuple(replace(domain, mask=domain.mask[part]) for domain in inputs.domains)
    weights = inputs.weights[part]
    return with_table(inputs, inputs.counts.table[part], weights=weights, domains=domains, **codes)


def edge_cases(inputs):
    small = first(inputs, 60)
    counts = small.counts.table
    silent, huge = counts.copy(), counts.copy()
    silent[:, -1] = 0
    huge[0, 0] = 20_000
    return {
        "a group that nobody reports": with_table(small, silent),
        "a huge count": with_table(small, huge),
        "one area": with_table(small, counts, area=np.zeros(len(counts), np.int64)),
        "one respondent an area": with_table(small, counts, area=np.arange(len(counts))),
        "eight respondents": first(inputs, 8),
    }


@pytest.mark.parametrize(
    "model", ["poisson_lognormal", "overdispersed", "partially_pooled", "correlated"]
)
@pytest.mark.parametrize(
    "case",
    [
        "a group that nobody reports",
        "a huge count",
        "one area",
        "one respondent an area",
        "eight respondents",
    ],
)
def test_degenerate_answers_end_in_a_fit(inputs, model, case):
    hard = edge_cases(inputs)[case]
    posterior = fit_model(model, hard, [9], sampling=Sampling(2, 20, 10, 1))
    assert np.isfinite(posterior.draws).all()
    assert (posterior.draws >= 0).all()
    diagnosed(posterior, Thresholds())


def only(inputs, *groups):
    """The first 60 respondents' answers about some groups."""
    from dataclasses import replace

    from prevalence.models.counts import CountTable

    small = first(inputs, 60)
    at = [small.counts.groups.index(group) for group in groups]
    hidden = tuple(one for one in small.hidden if one.name in groups)
    table = CountTable(groups, small.counts.table[:, at])
    sizes = small.known_sizes[at]
    return replace(small, counts=table, known_sizes=sizes, hidden=hidden, ratios={})


@pytest.mark.parametrize("model", MODELS)
def test_one_known_group_is_enough_for_a_hidden_one(inputs, model):
    few = only(inputs, inputs.counts.groups[0], "victims")
    posterior = fit_model(model, few, [9], sampling=Sampling(2, 60, 20, 1))
    assert np.isfinite(posterior.draws).all()
    # The known group itself has no other to be scaled by, and isn't reported.
    assert {quantity.role for quantity in posterior.quantities} == {"hidden", "degree"}


@pytest.mark.parametrize("model", MODELS)
def test_groups_without_a_scale_end_in_a_message(inputs, model):
    alone, unknown = only(inputs, inputs.counts.groups[0]), only(inputs, "victims", "perpetrators")
    with pytest.raises(PipelineError, match=r"no known group|can be correlated"):
        fit_model(model, alone, [9], sampling=SHORT)
    with pytest.raises(PipelineError, match="No respondent knows"):
        fit_model(model, unknown, [9], sampling=SHORT)


def test_nothing_but_zeros_is_a_clear_error(inputs):
    with pytest.raises(PipelineError, match="no scale"):
        fit_model("overdispersed", with_table(inputs, np.zeros_like(inputs.counts.table)), [1])


def intervals_of(study, group, lower, upper, reason):
    """The answers of a group that lie in an interval, as the clean stage lists them."""
    inside = (study.counts[group] >= lower) & (study.counts[group] <= upper)
    return pd.DataFrame(
        {
            "respondent": study.respondents["respondent"][inside],
            "group": group,
            "lower": float(lower),
            "upper": np.nan if np.isinf(upper) else float(upper),
            "reason": reason,
        }
    )


def test_top_codes_are_counts_or_censored_and_bins_are_intervals(study_from):
    from dataclasses import replace

    study = study_from(n=300)
    first, second = study.headline.known_groups[:2]
    study = replace(study, headline=replace(study.headline, known_cap=6.0))
    bins = intervals_of(study, first, 2, 3, "bin")
    top = intervals_of(study, first, 5, np.inf, "top_code")
    table = pd.concat([bins, top])
    counts = study.counts[first]
    capped = model_inputs(study, intervals=table).counts
    assert (capped.intervals.columns == 0).sum() == ((counts >= 2) & (counts <= 3)).sum()
    assert set(capped.intervals.upper) == {3}
    assert np.nanmax(capped.table[:, 0]) == 6
    censored = model_inputs(study, intervals=table, top_codes="censored").counts
    cells = censored.intervals
    at_five = cells.lower[(cells.columns == 0) & np.isinf(cells.upper)]
    assert len(at_five) == (counts >= 5).sum()
    assert set(at_five) == {5}
    beyond = (study.counts[second] >= 6).sum()
    assert (cells.lower[cells.columns == 1] == 6).sum() == beyond
    assert (np.nan_to_num(censored.table[:, 1]) < 6).all()


def test_binned_answers_tell_what_exact_ones_do(inputs):
    from dataclasses import replace

    from prevalence.models.counts import CountTable
    from prevalence.models.intervals import Intervals

    inputs = first(inputs, 150)
    table = inputs.counts.table.copy()
    rows, columns = np.nonzero(np.nan_to_num(table) >= 2)
    answers = table[rows, columns]
    lower = np.select([answers <= 5, answers <= 10], [2.0, 6.0], 11.0)
    upper = np.select([answers <= 5, answers <= 10], [5.0, 10.0], np.inf)
    table[rows, columns] = np.nan
    cells = Intervals(rows, columns, lower, upper)
    binned = replace(inputs, counts=CountTable(inputs.counts.groups, table, cells))
    exact, coarse = (
        fit_model("overdispersed", some, [3], sampling=SHORT) for some in (inputs, binned)
    )
    assert coarse.fit.whitened
    place = next(
        at
        for at, q in enumerate(exact.quantities)
        if q.role == "hidden" and q.domain_type == "national"
    )
    logs = [np.log(p.draws[:, :, place]) for p in (exact, coarse)]
    # Intervals know less, and nothing else: the centre stays within the posterior's spread.
    assert logs[1].mean() == pytest.approx(logs[0].mean(), abs=1.5 * logs[0].std())
    assert 0.7 < logs[1].std() / logs[0].std() < 1.8


def test_an_unknown_model_or_area_is_a_clear_error(inputs, study_from):
    with pytest.raises(PipelineError, match="model is unknown"):
        fit_model("overdispersd", inputs, [1])
    with pytest.raises(PipelineError, match="areas"):
        model_inputs(study_from(), area="province")
    with pytest.raises(PipelineError, match="known size"):
        model_inputs(study_from(), known_groups=["astronauts"])


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / "model" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    source = (ROOT / "scripts" / "model" / f"{name}.py").read_text()
    exec(compile(source, name, "exec"), module.__dict__)
    return module


def test_scripts_write_their_tables(tmp_path, tables_of, weighted, configured):
    from prevalence.files import read_csv, write_csv, write_parquet

    tables = weighted(tables_of())
    nothing = pd.DataFrame(columns=["respondent", "group", "lower", "upper", "reason"])
    tables["intervals"] = nothing.astype({"lower": float, "upper": float})
    paths = Output()
    for name, frame in tables.items():
        small = name in ("known_groups", "populations")
        paths[name] = tmp_path / f"{name}.{'csv' if small else 'parquet'}"
        (write_csv if small else write_parquet)(frame, paths[name])
    kinds = ("scale_up", "diagnostics", "known_groups_models", "predictive", "prior_sensitivity")
    kinds += ("area_distribution",)
    outputs = {kind: tmp_path / "one" / f"{kind}.csv" for kind in kinds}
    outputs["scalings"] = tmp_path / "one" / "scalings.csv"
    outputs["pointwise"] = tmp_path / "one" / "pointwise.parquet"
    posterior = tmp_path / "overdispersed.nc"
    job = SimpleNamespace(
        input=paths,
        output=Output(outputs | {"posterior": posterior}),
        params=SimpleNamespace(
            **configured,
            year=2022,
            seed=[1, 2, 3],
            model={"models": ["overdispersed"], "sampling": {"chains": 2, "draws": 60}},
            combine={"victims": {"items": ["a", "b"], "rule": "maximum"}},
            imputations=[{"rule": "victims_from_perpetrators"}],
        ),
        wildcards=SimpleNamespace(survey="made_up", model="overdispersed"),
        threads=1,
    )
    script("fit_model").main(job)
    check_stored(posterior, chains=2, draws=60)
    stored = (posterior).read_bytes()
    script("fit_model").main(job)
    assert (posterior).read_bytes() == stored
    collected = {
        kind: tmp_path / "all" / f"{kind}.csv"
        for kind in (*kinds, "model_comparison", "specifications")
    }
    job.input = Output({kind: [path, path] for kind, path in outputs.items()})
    job.output = Output(collected)
    with pytest.raises(PipelineError, match="contract"):
        script("collect_models").main(job)  # twice the same model: keys aren't unique
    job.input = Output({kind: [path] for kind, path in outputs.items()})
    script("collect_models").main(job)
    for kind in kinds:
        assert read_csv(collected[kind]).equals(read_csv(outputs[kind]))
    compared = read_csv(collected["model_comparison"]).iloc[0]
    assert compared["difference"] == 0
    assert compared["respondents"] == len(tables["respondents"])
    assert not compared["converged"]  # 60 draws are too few
    for kind in ("known_groups_models", "predictive", "prior_sensitivity"):
        assert not read_csv(collected[kind])["converged"].any()
    rows = read_csv(collected["specifications"])
    scores = read_csv(collected["known_groups_models"])["log_ratio"]
    main = rows[rows["degree"] == "known_population"]
    assert main["loo_rms"].to_numpy() == pytest.approx(np.sqrt((scores**2).mean()))
    sizes = read_csv(collected["scale_up"]).query("domain_type == 'national' and unit == 'persons'")
    for column in ("estimate", "std_error", "lower", "upper", "n"):
        assert main[column].to_numpy() == pytest.approx(sizes[column].to_numpy())
    other = rows[rows["degree"] == "mean_of_ratios"]
    assert len(other) == len(main) == len(rows) / 2
    assert (other["estimate"].to_numpy() != main["estimate"].to_numpy()).all()
    assert set(rows["interval"]) == {"credible_unconverged"}
    assert rows["weights"].eq("none").all()
    assert rows["combination"].eq("maximum").all()
    assert rows["imputation"].eq("published").all()
    inputs = paths | {"posteriors": [posterior], "diagnostics": collected["diagnostics"]}
    check_adjusted(job, inputs, tmp_path / "all" / "adjustment_models.csv", sizes)


def check_adjusted(job, inputs, path, sizes):
    """A factor of one half halves a model's estimate."""
    from prevalence.files import read_csv

    given = {group: {"precision": {"value": 0.5}} for group in ("victims", "perpetrators")}
    job.params.estimate = job.params.estimate | {"adjustment": {"draws": 120, "factors": given}}
    job.input, job.output = Input(inputs), Output(adjustment_models=path)
    script("adjust_models").main(job)
    adjusted = read_csv(path).query("unit == 'persons'")
    by = adjusted.set_index(["group", "adjustment"])["estimate"]
    for size in sizes.itertuples():
        assert by[size.group, "none"] == pytest.approx(size.estimate)
        assert by[size.group, "precision"] == pytest.approx(0.5 * size.estimate)
    assert set(adjusted["estimator"]) == {"overdispersed"}
    assert not adjusted["converged"].any()


def check_stored(path, chains, draws):
    import xarray

    with xarray.open_datatree(path, engine="h5netcdf") as tree:
        reported = tree["posterior"]["reported"]
        assert dict(tree["posterior"].sizes)["chain"] == chains
        assert reported.shape[:2] == (chains, draws)
        assert "hidden:victims:national:national" in reported["quantity"].to_numpy()
        assert "log_sigma_alpha" in tree["posterior"]["parameter"].to_numpy()
        assert set(tree["sample_stats"].data_vars) == {"energy", "diverging", "n_steps"}
        assert np.isfinite(reported.to_numpy()).all()


class Output(dict):
    """Named files, by key and by attribute, as Snakemake gives them."""

    __getattr__ = dict.__getitem__


class Input(Output):
    """Input files, of which some may be absent."""

    __getattr__ = dict.get


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted as on Linux")
def test_a_job_of_several_threads_computes_in_one():
    """Snakemake asks linear algebra for a job's threads: other last digits on other machines."""
    code = (
        "import os, runpy; runpy.run_path('scripts/model/fit_model.py', run_name='fit'); "
        "import scipy.linalg.cython_blas; print(len(os.listdir('/proc/self/task')))"
    )
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

    def threads(asked, first=""):
        done = subprocess.run(
            [sys.executable, "-c", first + code],
            cwd=ROOT,
            env=os.environ | dict.fromkeys(names, asked) | {"PYTHONPATH": str(ROOT / "src")},
            capture_output=True,
            text=True,
            check=True,
        )
        return int(done.stdout)

    one = threads("1")
    assert threads("3") == one
    assert threads("3", "import numpy; ") > one  # loaded before it was told
