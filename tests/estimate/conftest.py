"""The Rwandan survey of 2011, where its microdata are at hand."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "tests" / "reference" / "networkscaleup"
POPULATION = 10_718_378.0
HIDDEN = ["sex.workers", "msm", "idu", "clients"]


class Rwanda:
    """Counts, sizes and design of the survey, in its own order."""

    def __init__(self, folder: Path) -> None:
        self.frame = pd.read_csv(folder / "rwanda2011_survey.csv")
        table = pd.read_csv(folder / "rwanda2011_known_populations.csv")
        self.sizes = dict(zip(table["known.popn"], table["size"].astype(float), strict=True))
        self.known = list(self.sizes)
        self.counts = {group: self.frame[group].to_numpy(float) for group in [*self.known, *HIDDEN]}
        self.weights = self.frame["indweight"].to_numpy(float)
        self.stratum = self.frame["region"].to_numpy(str)
        self.psu = self.frame["cluster"].to_numpy()
        self.complete = np.all([~np.isnan(c) for c in self.counts.values()], axis=0)


@pytest.fixture(scope="session")
def rwanda() -> Rwanda:
    folder = Path(os.environ.get("RWANDA2011_DIR", ROOT.parent / "shared/data/rwanda2011"))
    if not (folder / "rwanda2011_survey.csv").exists():
        pytest.skip("Rwanda 2011 microdata absent: see data/raw/rwanda2011/README.md")
    return Rwanda(folder)


@pytest.fixture(scope="session")
def reference() -> Path:
    return REFERENCE
