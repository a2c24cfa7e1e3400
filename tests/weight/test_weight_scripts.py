"""The stage's scripts on a small made-up survey, from files to files."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from prevalence.replication import replicates_of_tables

SCRIPTS = Path(__file__).parents[2] / "scripts" / "weight"
SETTINGS = {
    "base": {"from": "frame"},
    "within_household": "adults",
    "nonresponse": {"classes": ["region"], "minimum_respondents": 5, "maximum_factor": 3.0},
    "trimming": {"upper_share_of_median": 6.0},
    "calibration": {"method": "raking", "margins": ["region"], "minimum_psus": 2},
    "replication": {"method": "rescaled_bootstrap", "replicates": 25},
    "lone_psu": "error",
}


class Files(dict):
    """Named files, as Snakemake gives them to a script."""

    __getattr__ = dict.__getitem__


def run(script, **job):
    main = runpy.run_path(str(SCRIPTS / script), run_name="loaded")["main"]
    main(SimpleNamespace(**job))


def survey(folder):
    rng = np.random.default_rng(4)
    n = 200
    psu = rng.integers(0, 10, n)
    frame = pd.DataFrame(
        {
            "household": [f"h{i}" for i in range(n)],
            "stratum": psu % 2,
            "psu": psu,
            "region": np.where(psu % 2 == 0, "I", "II"),
            "p_psu": 0.1,
            "p_ssu": np.nan,
            "p_household": 0.02,
            "disposition": rng.choice([1.1, 2.1, 3.1], n, p=[0.7, 0.2, 0.1]),
        }
    )
    frame.to_csv(folder / "frame.csv", index=False)
    pd.DataFrame(
        {"margin": "region", "category": ["I", "II"], "population": [70_000, 60_000]}
    ).to_csv(folder / "census.csv", index=False)
    done = frame[frame["disposition"] == 1.1].reset_index(drop=True)
    pd.DataFrame(
        {
            "respondent": [f"r{i}" for i in range(len(done))],
            "household": done["household"],
            "stratum": done["stratum"].astype(str),
            "psu": done["psu"].astype(str),
            "region": done["region"],
            "adults": rng.integers(1, 4, len(done)),
        }
    ).to_parquet(folder / "respondents.parquet")


def made_of(tmp_path):
    """Run the two scripts on the files of a survey; give the paths of what they wrote."""
    names = ["weighting", "distribution", "response_rates", "margins", "collapsed"]
    output = Files({name: tmp_path / f"{name}.csv" for name in names})
    output |= {name: tmp_path / f"{name}.parquet" for name in ("weights", "households")}
    run(
        "compute_weights.py",
        input=Files(
            respondents=tmp_path / "respondents.parquet",
            frame=tmp_path / "frame.csv",
            census=tmp_path / "census.csv",
        ),
        output=Files(output),
        params=SimpleNamespace(weight=SETTINGS),
    )
    drawn = Files(replicates=tmp_path / "replicates.parquet", factors=tmp_path / "factors.parquet")
    run(
        "draw_replicates.py",
        input=Files(
            weights=output["weights"], households=output["households"], margins=output["margins"]
        ),
        output=drawn,
        params=SimpleNamespace(weight=SETTINGS, seed=[1, 2, 3]),
    )
    return output, drawn


def test_files_to_files(tmp_path):
    survey(tmp_path)
    output, drawn = made_of(tmp_path)
    weights = pd.read_parquet(output["weights"])
    replicates = replicates_of_tables(
        weights, pd.read_parquet(drawn.replicates), pd.read_parquet(drawn.factors)
    )
    region = pd.get_dummies(weights["margin_region"]).to_numpy(float)
    np.testing.assert_allclose(weights["final"] @ region, [70_000, 60_000], rtol=1e-9)
    np.testing.assert_allclose(
        replicates.totals(region), np.tile([70_000, 60_000], (25, 1)), rtol=1e-8
    )


def test_codes_with_zeros_in_front_stay_codes(tmp_path):
    survey(tmp_path)
    for name in ("frame.csv", "census.csv"):
        text = (tmp_path / name).read_text().replace(",II,", ",02,").replace(",I,", ",01,")
        (tmp_path / name).write_text(text)
    respondents = pd.read_parquet(tmp_path / "respondents.parquet")
    codes = respondents["region"].map({"I": "01", "II": "02"})
    respondents.assign(region=codes).to_parquet(tmp_path / "respondents.parquet")
    output, drawn = made_of(tmp_path)
    households = pd.read_parquet(output["households"])
    assert set(households["nonresponse_class"]) == {"01", "02"}
    margins = pd.read_csv(output["margins"], dtype={"category": str})
    assert margins["category"].tolist() == ["01", "02"]
    factors = pd.read_parquet(drawn.factors)
    assert set(factors.loc[factors["kind"] == "calibration", "category"]) == {"01", "02"}


def test_a_survey_without_side_tables(tmp_path):
    survey(tmp_path)
    respondents = pd.read_parquet(tmp_path / "respondents.parquet")
    respondents.assign(base_weight_supplied=2.5).to_parquet(tmp_path / "respondents.parquet")
    settings = {
        "base": {"variable": "base_weight_supplied"},
        "replication": {"method": "rescaled_bootstrap", "replicates": 9},
    }
    names = ["weighting", "distribution", "response_rates", "margins", "collapsed"]
    output = Files({name: tmp_path / f"{name}.csv" for name in names})
    output |= {name: tmp_path / f"{name}.parquet" for name in ("weights", "households")}
    # Snakemake gives an empty list for a side table that the survey doesn't have.
    inputs = Files(respondents=tmp_path / "respondents.parquet", frame=[], census=[])
    params = SimpleNamespace(weight=settings, seed=[7])
    run("compute_weights.py", input=inputs, output=output, params=params)
    drawn = Files(replicates=tmp_path / "r.parquet", factors=tmp_path / "f.parquet")
    inputs = Files({name: output[name] for name in ("weights", "households", "margins")})
    run("draw_replicates.py", input=inputs, output=drawn, params=params)
    weights = pd.read_parquet(output["weights"])
    assert (weights["final"] == 2.5).all()
    made = replicates_of_tables(
        weights, pd.read_parquet(drawn.replicates), pd.read_parquet(drawn.factors)
    )
    assert made.totals(np.ones(len(weights))).shape == (9, 1)
