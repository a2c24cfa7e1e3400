"""Replicates against their definition, against other software, and through their tables."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prevalence.calibration import Auxiliary, calibrate
from prevalence.design import SampleDesign
from prevalence.errors import PipelineError
from prevalence.replication import (
    CalibrationPlan,
    GivenReplicates,
    Households,
    Replicates,
    balanced_repeated,
    draw_rescaled_bootstrap,
    factors_table,
    jackknife,
    merge_empty,
    replicate,
    replicate_names,
    replicates_of_tables,
    rescaled,
)
from prevalence.variance import estimate_ratios, estimate_totals

REFERENCE = Path(__file__).parents[1] / "reference" / "networkscaleup"
ROOT = Path(__file__).parents[2]


def made_up(n=400, strata=4, psus=6, seed=5):
    rng = np.random.default_rng(seed)
    psu = rng.integers(0, strata * psus, n)
    psu[: strata * psus] = np.arange(strata * psus)
    return pd.DataFrame(
        {
            "psu": [f"c{p:02d}" for p in psu],
            "stratum": [f"h{p % strata}" for p in psu],
            "region": [f"h{p % strata}" for p in psu],
            "sex": rng.choice(["f", "m"], n),
            "class": rng.integers(0, 3, n),
            "base": rng.uniform(50, 150, n),
            "y": rng.poisson(2, n).astype(float),
            "d": rng.uniform(50, 300, n),
        }
    )


def chain(data, *, method="raking", bounds=None, bound=np.inf, replicates=40, seed=1):
    """Households, nonresponse, trimming and calibration, replicated."""
    design = SampleDesign.from_columns(data["base"], strata=data["stratum"], units=data["psu"])
    factors = rescaled(design, draw_rescaled_bootstrap(design, replicates, _rng(seed)))
    rng = np.random.default_rng(9)
    extra = len(data) // 3
    households = Households(
        np.concatenate([design.psu, rng.integers(0, len(design.psus), extra)]),
        np.concatenate([data["class"], rng.integers(0, 3, extra)]),
        np.concatenate([data["base"], np.full(extra, 90.0)]),
        np.concatenate([data["base"], np.zeros(extra)]),
        ("0", "1", "2"),
    )
    auxiliary = Auxiliary.from_margins({"region": data["region"], "sex": data["sex"]})
    region = data.groupby("region")["base"].sum() * 1.4
    totals = {f"region: {k}": v for k, v in region.items()}
    totals |= {"sex: f": 0.52 * region.sum(), "sex: m": 0.48 * region.sum()}
    plan = CalibrationPlan(totals, method=method, bounds=bounds, tolerance=1e-12)
    found = replicate(
        design,
        factors,
        base=data["base"].to_numpy(),
        nonresponse_class=data["class"].to_numpy(),
        households=households,
        bound=bound,
        auxiliary=auxiliary,
        plan=plan,
    )
    return found, households, auxiliary, plan


def _rng(seed):
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("method", "bounds"),
    [("raking", None), ("linear", None), ("logit", (0.2, 4.0)), ("exponential", None)],
)
@pytest.mark.parametrize("bound", [np.inf, 190.0])
def test_a_replicate_is_the_chain_done_again(method, bounds, bound):
    data = made_up()
    found, households, auxiliary, plan = chain(data, method=method, bounds=bounds, bound=bound)
    psu = found.design.psu
    for b in (0, 17, 39):
        psu_factor = found.factors.block(slice(b, b + 1))[:, 0]
        response = np.ones(3)
        for k in range(3):
            inside = households.nonresponse_class == k
            of_household = psu_factor[households.psu] * inside
            response[k] = (of_household @ households.eligible) / (
                of_household @ households.responding
            )
        w = data["base"].to_numpy() * response[data["class"]]
        drawn = psu_factor[psu]
        spread = w
        for _ in range(200):
            spread = spread * (drawn @ w) / (drawn @ np.minimum(spread, bound))
        w = np.minimum(spread, bound) * drawn
        used = w > 0
        smaller = Auxiliary(auxiliary.x, auxiliary.cell[used], auxiliary.names, auxiliary.margins)
        expected = np.zeros(len(data))
        expected[used] = calibrate(
            w[used],
            smaller,
            plan.totals,
            method=method,
            bounds=bounds,
            tolerance=1e-12,
        ).calibrated
        got = found.weights(slice(b, b + 1))[:, 0]
        np.testing.assert_allclose(got, expected, rtol=1e-8)


def test_totals_are_those_of_the_expanded_weights():
    data = made_up()
    found, *_ = chain(data, bound=170.0)
    columns = data[["y", "d"]].to_numpy()
    matrix = found.weights()
    np.testing.assert_allclose(found.totals(columns), matrix.T @ columns, rtol=1e-10)
    domain = data["class"].to_numpy() - 1
    by_domain = found.totals(columns, domain, 2)
    for d in range(2):
        inside = (domain == d)[:, None]
        np.testing.assert_allclose(
            by_domain[:, 2 * d : 2 * d + 2], matrix.T @ (columns * inside), rtol=1e-10
        )


@pytest.mark.parametrize("method", ["raking", "logit"])
def test_tables_carry_everything(method):
    data = made_up()
    bounds = (0.2, 4.0) if method == "logit" else None
    found, households, *_ = chain(data, method=method, bounds=bounds, bound=180.0)
    weights = pd.DataFrame(
        {
            "stratum": data["stratum"],
            "psu": data["psu"],
            "base": data["base"],
            "nonresponse": data["base"],
            "trimmed": data["base"],
            "calibrated": data["base"],
            "final": data["base"],
            "nonresponse_class": data["class"].astype(str),
            "margin_region": data["region"],
            "margin_sex": data["sex"],
        }
    )
    psus = pd.DataFrame(list(found.design.psus), columns=["stratum", "psu"])
    drawn = pd.DataFrame(found.factors.drawn, columns=replicate_names(found.count))
    shuffled = pd.concat([psus, drawn], axis=1).sample(frac=1, random_state=3)
    table = factors_table(found, households.names, calibrated=True, nonresponse=True, method=method)
    again = replicates_of_tables(weights, shuffled, table)
    np.testing.assert_allclose(again.weights(), found.weights(), rtol=1e-12)


def test_without_adjustments_the_tables_hold_only_draws():
    data = made_up()
    design = SampleDesign.from_columns(data["base"], strata=data["stratum"], units=data["psu"])
    drawn = draw_rescaled_bootstrap(design, 30, _rng(2))
    plain = Replicates(design, rescaled(design, drawn))
    weights = data[["stratum", "psu"]].assign(final=data["base"])
    psus = pd.DataFrame(list(design.psus), columns=["stratum", "psu"])
    table = pd.concat([psus, pd.DataFrame(drawn, columns=replicate_names(30))], axis=1)
    empty = factors_table(plain, (), calibrated=False, nonresponse=False, method="raking")
    assert len(empty) == 0
    again = replicates_of_tables(weights, table, empty)
    np.testing.assert_allclose(again.totals(data["y"]), plain.totals(data["y"]), rtol=1e-14)


def test_the_bootstrap_is_close_to_linearisation():
    data = made_up(n=900, psus=12)
    design = SampleDesign.from_columns(data["base"], strata=data["stratum"], units=data["psu"])
    drawn = draw_rescaled_bootstrap(design, 4000, _rng(3))
    bootstrap = Replicates(design, rescaled(design, drawn))
    linear = estimate_ratios(design, data["y"], data["d"], data["sex"])
    found = estimate_ratios(bootstrap, data["y"], data["d"], data["sex"])
    np.testing.assert_allclose(found.std_errors, linear.std_errors, rtol=0.06)
    np.testing.assert_allclose(found.value, linear.value, rtol=1e-12)


def test_draws_do_not_depend_on_the_order_of_rows():
    data = made_up()
    mixed = data.sample(frac=1, random_state=1)
    draws = [
        draw_rescaled_bootstrap(
            SampleDesign.from_columns(d["base"], strata=d["stratum"], units=d["psu"]), 20, _rng(4)
        )
        for d in (data, mixed)
    ]
    np.testing.assert_array_equal(*draws)


def test_jackknife_and_brr_give_linear_variance_of_a_total():
    data = made_up(psus=2, strata=5)
    design = SampleDesign.from_columns(data["base"], strata=data["stratum"], units=data["psu"])
    expected = estimate_totals(design, data["y"]).std_errors
    for factors in (jackknife(design), balanced_repeated(design), balanced_repeated(design, 0.3)):
        found = estimate_totals(Replicates(design, factors), data["y"]).std_errors
        np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_given_weights_equal_the_factors_they_came_from():
    data = made_up()
    design = SampleDesign.from_columns(data["base"], strata=data["stratum"], units=data["psu"])
    factors = jackknife(design)
    made = Replicates(design, factors)
    given = GivenReplicates.of(data["base"], made.weights(), factors.scale)
    ours = estimate_ratios(made, data["y"], data["d"], data["sex"])
    theirs = estimate_ratios(given, data["y"], data["d"], data["sex"])
    np.testing.assert_allclose(theirs.std_errors, ours.std_errors, rtol=1e-12)
    assert theirs.df[0] == np.linalg.matrix_rank(made.weights()) - 1


@pytest.mark.parametrize(("n", "count"), [(40, 12), (12, 40), (40, 40)])
def test_degrees_of_freedom_of_given_weights_are_their_rank(n, count):
    rng = np.random.default_rng(n + count)
    full = rng.uniform(0.5, 1.5, (n, count))
    twice = np.repeat(full[:, : count // 2], 2, axis=1)
    near = full.copy()
    near[:, 3] = near[:, 0] + 1e-8 * near[:, 3]
    few = full[:, :4] @ rng.uniform(size=(4, count))
    for matrix, rank in (
        (full, min(n, count)),
        (twice, min(n, count // 2)),
        (near, min(n, count - 1)),
        (few, 4),
    ):
        given = GivenReplicates.of(np.ones(n), matrix, 1.0)
        assert given.degrees_of_freedom == rank - 1


def test_empty_categories_pass_to_their_partner():
    table = np.array([[5.0, 5.0], [3.0, 3.0], [2.0, 2.0]])
    empty = np.array([[False, False], [False, True], [False, True]])
    merged = merge_empty([table], empty, ["a", "b", "c"], {"c": "b", "b": "a"})
    np.testing.assert_array_equal(merged, [False, True])
    np.testing.assert_array_equal(table[:, 1], [10.0, 0.0, 0.0])
    with pytest.raises(PipelineError, match="no partner"):
        merge_empty([table], empty, ["a", "b", "c"], {"c": "b", "b": "c"})


def test_too_many_merged_replicates_stop_the_run():
    data = made_up()
    design = SampleDesign.from_columns(data["base"], strata=data["stratum"], units=data["psu"])
    factors = rescaled(design, draw_rescaled_bootstrap(design, 50, _rng(1)))
    data["rare"] = np.where(data["psu"] == data["psu"].iloc[0], "rare", "usual")
    totals = {f"rare: {k}": v for k, v in data.groupby("rare")["base"].sum().items()}
    plan = CalibrationPlan(totals, partners={"rare: rare": "rare: usual"})
    with pytest.raises(PipelineError, match="Too many replicates"):
        replicate(
            design,
            factors,
            base=data["base"].to_numpy(),
            auxiliary=Auxiliary.from_margins({"rare": data["rare"]}),
            plan=plan,
        )


# The Rwandan survey: exact tests.
RWANDA_N = 10_718_378


@pytest.fixture(scope="module")
def rwanda():
    folder = Path(os.environ.get("RWANDA2011_DIR", ROOT.parent / "shared/data/rwanda2011"))
    if not (folder / "rwanda2011_survey.csv").exists():
        pytest.skip("the Rwandan microdata are not part of the project: set RWANDA2011_DIR")
    survey = pd.read_csv(folder / "rwanda2011_survey.csv")
    sizes = pd.read_csv(folder / "rwanda2011_known_populations.csv")
    known = survey[sizes["known.popn"]].fillna(0).clip(upper=30)
    survey["degree"] = known.sum(axis=1) * RWANDA_N / sizes["size"].sum()
    return survey


def rwanda_design(survey):
    return SampleDesign.from_columns(
        survey["indweight"], strata=survey["region"], units=survey["cluster"]
    )


HIDDEN = ("sex.workers", "msm", "idu", "clients")


def test_rwanda_linearised(rwanda):
    expected = json.loads((REFERENCE / "rwanda_variance.json").read_text())
    design = rwanda_design(rwanda)
    assert design.degrees_of_freedom() == expected["degf"]
    for group in HIDDEN:
        found = estimate_ratios(design, rwanda[group] * RWANDA_N, rwanda["degree"])
        numbers = expected["linearisation_survey"][group]
        np.testing.assert_allclose(found.value, numbers["estimate"], rtol=1e-9)
        np.testing.assert_allclose(found.std_errors, numbers["se"], rtol=1e-9)


def test_rwanda_jackknife(rwanda):
    expected = json.loads((REFERENCE / "rwanda_variance.json").read_text())
    design = rwanda_design(rwanda)
    made = Replicates(design, jackknife(design))
    for group in HIDDEN:
        found = estimate_ratios(made, rwanda[group] * RWANDA_N, rwanda["degree"])
        # R centres its jackknife at the mean of the replicates by default.
        deviations = found.variation.value - found.variation.value.mean(axis=0)
        centred = np.sqrt(made.scale @ deviations**2)
        numbers = expected["replicate_survey"][group]
        np.testing.assert_allclose(centred, numbers["jkn_se"], rtol=1e-9)
        np.testing.assert_allclose(found.std_errors, numbers["jkn_se"], rtol=1e-3)


def test_rwanda_thousand_replicates(rwanda):
    counts = pd.read_csv(REFERENCE / "rescaled_bootstrap_cluster_counts_1000reps.csv")
    expected = pd.read_csv(REFERENCE / "rescaled_bootstrap_estimates_1000reps.csv")
    columns = [name for name in counts.columns if name.startswith("rep_")]
    table = counts.rename(columns={"region": "stratum", "cluster": "psu"})
    weights = pd.DataFrame(
        {"stratum": rwanda["region"], "psu": rwanda["cluster"], "final": rwanda["indweight"]}
    )
    made = replicates_of_tables(weights, table[["stratum", "psu", *columns]], pd.DataFrame())
    top = made.totals(rwanda[[*HIDDEN, "degree"]].assign(one=1.0).to_numpy())
    for k, group in enumerate(HIDDEN):
        found = top[:, k] / top[:, 4] * RWANDA_N
        np.testing.assert_allclose(found, expected[group], rtol=1e-9)
    np.testing.assert_allclose(top[:, 4] / top[:, 5], expected["mean_degree"], rtol=1e-9)
