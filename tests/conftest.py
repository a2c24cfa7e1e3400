"""What tests of several rooms use: a small sample design, surveys for a test, runs made once."""

import fcntl
import importlib.util
import os
import shutil
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from scratch_project import Project, copy_project

from prevalence.coding import sums_by
from prevalence.computing import instructions_here, portable_settings
from prevalence.design import SampleDesign
from prevalence.estimation import study_of
from prevalence.ratio import Sampling

ROOT = Path(__file__).parents[1]
LONGEST = ("gauntlet", "model", "trend", "workflow")


def pytest_configure():
    """Use the models' loops that a run of the workflow has compiled, or leave them to the next.

    They are kept by the folder of the source and by the instructions. Projects under test have
    sources of their own, and keep theirs: they must not inherit the place.
    """
    for name, value in portable_settings(instructions_here()).items():
        os.environ.setdefault(name, value)
    if importlib.util.find_spec("numba"):
        place = os.environ.get("NUMBA_CACHE_DIR", str(ROOT / ".numba_cache"))
        with mock.patch.dict(os.environ, NUMBA_CACHE_DIR=place):
            import numba  # noqa: F401 - reads its settings here


def pytest_collection_modifyitems(items):
    """Start the longest modules first, so that none is left for one worker at the end."""
    items.sort(key=lambda item: item.path.parent.name not in LONGEST)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """The function that fills a folder once for all workers of a test run; they only read it."""

    def folder_of(name, fill):
        top = tmp_path_factory.getbasetemp()
        if "PYTEST_XDIST_WORKER" in os.environ:
            top = top.parent  # of all workers
        folder, done = top / name, top / f"{name}.done"
        with (top / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                fill(folder)
                done.touch()
        return folder

    return folder_of


@pytest.fixture(scope="session")
def finished(made_once) -> Project:
    """A project in which the tiny survey was run once; tests copy it before changing it."""
    return Project(made_once("finished", lambda folder: copy_project(folder).run()))


class DrawnReplicates:
    """Rescaled bootstrap weights from how often each respondent's PSU was drawn."""

    def __init__(self, weights, multiplicity, factor):
        self.weights = weights
        self.multiplicity = multiplicity
        self.factor = factor

    @property
    def count(self):
        return self.multiplicity.shape[1]

    def totals(self, columns):
        weights = self.weights[:, None] * self.factor[:, None] * self.multiplicity
        return weights.T @ columns


def make_sampling(weights, stratum, psu, *, multiplicity=None, replicates=50, seed=1):
    """A sampling from PSU and stratum labels; PSUs are drawn here unless given as counts."""
    weights = np.asarray(weights, float)
    units, unit_of = np.unique(np.asarray(psu), return_inverse=True)
    stratum_of_unit = np.empty(len(units), dtype=np.asarray(stratum).dtype)
    stratum_of_unit[unit_of] = stratum
    strata = {name: np.flatnonzero(stratum_of_unit == name) for name in np.unique(stratum)}
    if multiplicity is None:
        generator = np.random.default_rng(seed)
        multiplicity = np.zeros((len(units), replicates))
        for members in strata.values():
            drawn = generator.multinomial(
                len(members) - 1, np.full(len(members), 1 / len(members)), replicates
            )
            multiplicity[members] = drawn.T
    factor = np.empty(len(units))
    for members in strata.values():
        factor[members] = len(members) / (len(members) - 1)
    design = SampleDesign.from_columns(weights, strata=stratum, units=psu)
    draws = DrawnReplicates(weights, multiplicity[unit_of], factor[unit_of])
    return Sampling(
        weights,
        draws,
        design.linearised_variance,
        design.degrees_of_freedom,
        psu_totals=lambda columns: sums_by(design.psu, columns, len(design.psus)),
    )


@pytest.fixture(scope="session")
def sampling_of():
    """The function that makes a sampling for a test."""
    return make_sampling


ESTIMATE = {
    "level": 0.95,
    "domains": [
        {"type": "island", "variable": "island", "kind": "geographic"},
        {"type": "sex", "variable": "sex", "kind": "respondent"},
    ],
    "hidden_groups": {
        "victims": {"label": "children", "population": "children", "per": "per_100"},
        "perpetrators": {"label": "adults", "population": "adults", "per": "per_1000"},
    },
    "ratios": {
        "victims_per_perpetrator": {
            "numerator": "victims",
            "denominator": "perpetrators",
            "label": "victims per perpetrator",
        }
    },
    "degree": {"tie_definition": "by sight and name", "minimum_groups": 2, "missing": "exclude"},
    "estimators": ["ratio_of_sums", "mean_of_ratios", "ratio_of_sums_child_alters", "killworth"],
    "benchmarked": ["island"],
}
HEADLINE = {
    "date": "2023-09-07",
    "estimator": "ratio_of_sums",
    "interval": "log_t",
    "variance": "bootstrap",
    "known_groups": ["doctors", "nurses", "drivers"],
    "top_codes": {"known": 40, "hidden": 20},
    "combination": "maximum",
}
GROUPS = {
    "doctors": ("known", 900.0),
    "nurses": ("known", 2_000.0),
    "drivers": ("known", 5_000.0),
    "lawyers": ("known", 400.0),
    "children_0_5": ("child", None),
    "children_6_17": ("child", None),
    "victims_nonlive": ("hidden_item", None),
    "victims_live": ("hidden_item", None),
    "victims": ("hidden", None),
    "perpetrators_nonlive": ("hidden_item", None),
    "perpetrators_live": ("hidden_item", None),
    "perpetrators": ("hidden", None),
}


def make_tables(n=160, seed=3, missing_share=0.02):
    """Tables of a made-up survey: 20 PSUs in 4 strata on 2 islands."""
    generator = np.random.default_rng(seed)
    psu = np.arange(n) % 20
    stratum = psu % 4
    respondents = pd.DataFrame(
        {
            "respondent": [f"r{i:04d}" for i in range(n)],
            "stratum": stratum.astype(str),
            "psu": psu.astype(str),
            "ssu": (psu * 10 + np.arange(n) // 20 % 3).astype(str),
            "interviewer": (np.arange(n) % 7).astype(str),
            "island": np.where(stratum < 2, "north", "south"),
            "sex": generator.choice(["female", "male"], n),
            "adults": generator.integers(1, 5, n),
        }
    )
    degree = generator.lognormal(4.5, 0.6, n)
    sizes = {group: size for group, (_, size) in GROUPS.items() if size}
    counts = {g: generator.poisson(degree * s / 100_000).astype(float) for g, s in sizes.items()}
    counts["children_0_5"] = generator.poisson(degree * 0.1).astype(float)
    counts["children_6_17"] = generator.poisson(degree * 0.25).astype(float)
    for name, share in (("victims", 0.003), ("perpetrators", 0.0015)):
        whole = generator.poisson(degree * share).astype(float)
        counts[f"{name}_nonlive"] = whole
        counts[f"{name}_live"] = np.floor(whole * generator.uniform(0, 1, n))
        counts[name] = whole
    ard = pd.DataFrame(
        [
            {"respondent": name, "group": group, "role": GROUPS[group][0], "count": values[i]}
            for group, values in counts.items()
            for i, name in enumerate(respondents["respondent"])
        ]
    )
    gone = (generator.uniform(size=len(ard)) < missing_share) & ard["role"].isin(["known"])
    ard["count"] = ard["count"].mask(gone)
    ard["missing"] = np.where(gone, "refused", "")
    known = pd.DataFrame(
        {
            "group": list(sizes),
            "label": [group.title() for group in sizes],
            "size": list(sizes.values()),
            "year": 2022,
            "source": "made up",
            "quality": ["A", "B", "C", "B"],
        }
    )
    populations = pd.DataFrame(
        {
            "domain_type": ["national", "island", "island"],
            "domain": ["national", "north", "south"],
            "all_ages": [100_000.0, 60_000.0, 40_000.0],
            "children": [35_000.0, 20_000.0, 15_000.0],
            "adults": [65_000.0, 40_000.0, 25_000.0],
        }
    )
    weights = generator.uniform(300, 900, n)
    return {
        "respondents": respondents,
        "ard": ard,
        "known_groups": known,
        "populations": populations,
        "weights": pd.DataFrame({"respondent": respondents["respondent"], "final": weights}),
    }


def make_study(tables=None, *, estimate=None, headline=None, replicates=60, year=None, **options):
    """A made-up survey ready for estimation."""
    tables = make_tables(**options) if tables is None else tables
    respondents = tables["respondents"]
    sampling = make_sampling(
        tables["weights"]["final"].to_numpy(),
        respondents["stratum"].to_numpy(str),
        respondents["psu"].to_numpy(str),
        replicates=replicates,
    )
    return study_of(
        tables,
        estimate=ESTIMATE | (estimate or {}),
        headline=HEADLINE | (headline or {}),
        year=year,
        sampling=sampling,
    )


def add_weights(tables, replicates=40, seed=9, method="rescaled_bootstrap"):
    """Give a made-up survey raked weights and their replicates, as the weight stage writes them."""
    from prevalence.calibration import Auxiliary, calibrate
    from prevalence.replication import (
        CalibrationPlan,
        factors_table,
        psu_factors,
        psu_table,
        replicate,
    )

    people = tables["respondents"]
    base = tables["weights"]["final"].to_numpy()
    columns = {name: people[name].to_numpy(str) for name in ("island", "sex")}
    auxiliary = Auxiliary.from_margins(columns)
    shares = {"island": {"north": 0.6, "south": 0.4}, "sex": {"female": 0.5, "male": 0.5}}
    totals = {f"{m}: {c}": 65_000 * share for m, of in shares.items() for c, share in of.items()}
    calibration = calibrate(base, auxiliary, totals)
    design = SampleDesign.from_columns(
        base, strata=people["stratum"].to_numpy(str), units=people["psu"].to_numpy(str)
    ).with_calibration(calibration)
    settings = {"method": method, "replicates": replicates}
    made = replicate(
        design,
        psu_factors(design, settings, np.random.default_rng(seed)),
        base=base,
        auxiliary=auxiliary,
        plan=CalibrationPlan(totals),
    )
    weights = people[["respondent", "stratum", "psu"]].assign(
        base=base,
        nonresponse=base,
        trimmed=base,
        calibrated=calibration.calibrated,
        final=calibration.calibrated,
        nonresponse_class="",
        **{f"margin_{name}": values for name, values in columns.items()},
    )
    factors = factors_table(made, [], calibrated=True, nonresponse=False, method="raking")
    return tables | {
        "weights": weights,
        "replicates": psu_table(made),
        "replicate_factors": factors,
    }


@pytest.fixture(scope="session")
def weighted():
    """The function that gives the tables of a survey their weights and replicates."""
    return add_weights


@pytest.fixture(scope="session")
def configured():
    """The sections `estimate:` and `headline:` of the made-up survey."""
    return {"estimate": ESTIMATE, "headline": HEADLINE}


@pytest.fixture(scope="session")
def tables_of():
    """The function that makes the tables of a survey for a test."""
    return make_tables


@pytest.fixture(scope="session")
def study_from():
    """The function that makes a survey for a test."""
    return make_study
