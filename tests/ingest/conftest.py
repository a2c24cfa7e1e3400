"""A made-up survey of 40 interviews, exported in any format, and a way to run a script's main."""

import datetime as dt
import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest

ROOT = Path(__file__).parents[2]
HEADER = "raw,variable,label,type,role,missing_codes,minimum,maximum,top_code,values,group"
MISSING = "997=refused;998=dont_know;996=not_asked;.a=refused;.b=dont_know;.c=not_asked"
CODEBOOK = "\n".join(
    [
        HEADER,
        "Q.ID,respondent,Interview,text,key,,,,,,",
        "HH.ID,household,Household,numeric,key,,,,,,",
        "INT,interviewer,Interviewer,text,key,,,,,,",
        "RP.Reg,region,Region,categorical,domain,,,,,1=NCR;2=VII;3=XI,",
        "CONS,consent,Consent,categorical,consent,,,,,1=yes;2=no,",
        "START,interview_start,Beginning,datetime,paradata,,,,,,",
        "S4a,age,Age,numeric,domain,997=refused;.a=refused,15,110,,,",
        "LANG,language,Language,text,paradata,,,,,,",
        f"Q6a_1,doctors,Doctors known,numeric,known,{MISSING},0,200,95,,doctors",
        f"Q6a_2,teachers,Teachers known,numeric,known,{MISSING},0,200,95,,teachers",
        f"Q12_4,victims_item,Children known,numeric,hidden_item,{MISSING},0,50,,,victims_nonlive",
        "WT,base_weight,Weight,numeric,base_weight,,,,,,",
        "NOTE,note,Interviewer's note,text,ignore,,,,,,",
    ]
)
LETTERS = {997.0: "a", 998.0: "b", 996.0: "c"}
COUNTS = ["Q6a_1", "Q6a_2", "Q12_4"]


def make_answers(n=40, seed=4):
    """Answers of n interviews, numbers and texts as an export holds them."""
    generator = np.random.default_rng(seed)
    start = dt.datetime(2022, 5, 2, 8, 0, 0)
    answers = pd.DataFrame(
        {
            "Q.ID": [f"PH-{i:04d}" for i in range(n)],
            "HH.ID": np.arange(n, dtype=float) + 7000,
            "INT": [f"E{i % 4}" for i in range(n)],
            "RP.Reg": generator.integers(1, 4, n).astype(float),
            "CONS": np.where(np.arange(n) % 13 == 5, 2.0, 1.0),
            "START": [start + dt.timedelta(minutes=47 * i, seconds=i) for i in range(n)],
            "S4a": generator.integers(18, 80, n).astype(float),
            "LANG": generator.choice(["Tagalog", "Cebuano", "Ilokano ñ"], n),
            "Q6a_1": generator.poisson(2, n).astype(float),
            "Q6a_2": generator.poisson(5, n).astype(float),
            "Q12_4": generator.poisson(0.2, n).astype(float),
            "WT": generator.uniform(0.2, 3.0, n).round(6),
            "NOTE": ["seen at the market"] * n,
            "EXTRA": generator.integers(0, 9, n).astype(float),
        }
    )
    answers.loc[3, "Q6a_1"] = 998.0
    answers.loc[4, ["Q6a_1", "Q6a_2"]] = 997.0
    answers.loc[6, "Q12_4"] = 996.0
    answers.loc[7, "S4a"] = 997.0
    answers.loc[8, "Q6a_2"] = np.nan
    answers.loc[9, "LANG"] = ""
    answers.loc[10, "START"] = None
    return answers


def write_export(answers, path):
    """Write answers in the format of the path's suffix."""
    labels = {"RP.Reg": {1.0: "NCR", 2.0: "VII", 3.0: "XI"}}
    if path.suffix == ".sav":
        spans = {name: [996, 997, 998] for name in COUNTS if name in answers}
        pyreadstat.write_sav(answers, str(path), missing_ranges=spans, variable_value_labels=labels)
    elif path.suffix == ".dta":
        frame = answers.astype({name: object for name in [*COUNTS, "S4a"] if name in answers})
        for name in [*COUNTS, "S4a"]:
            if name in frame:
                frame[name] = [LETTERS.get(value, value) for value in answers[name]]
                frame[name] = [None if pd.isna(value) else value for value in frame[name]]
        frame.columns = [name.replace(".", "_") for name in frame.columns]
        missing = {
            name: sorted({value for value in frame[name] if isinstance(value, str)})
            for name in [*COUNTS, "S4a"]
            if name in frame
        }
        pyreadstat.write_dta(
            frame, str(path), missing_user_values={k: v for k, v in missing.items() if v}
        )
    elif path.suffix == ".por":
        frame = answers.rename(columns=lambda name: name.replace(".", "_").upper()[:8])
        frame["LANG"] = frame["LANG"].str.replace("ñ", "n")  # the format knows no ñ
        pyreadstat.write_por(frame, str(path))
    elif path.suffix == ".csv":
        answers.to_csv(path, index=False)
    else:
        book = openpyxl.Workbook()
        book.active.append(list(answers.columns))
        for row in answers.astype(object).where(answers.notna(), None).itertuples(index=False):
            book.active.append(
                [
                    value.to_pydatetime() if isinstance(value, pd.Timestamp) else value
                    for value in row
                ]
            )
        book.save(path)
    return path


class Job(SimpleNamespace):
    """What Snakemake gives a script."""


class Items(dict):
    """Named inputs, outputs or params, as attributes and as items."""

    __getattr__ = dict.__getitem__


def load_script(name):
    path = ROOT / "scripts" / name
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RESPONSE_KEYS = ("reader", "accepted_identifiers", "pseudonym_key", "public_microdata")


def params_of(ingest, synthetic, table=None):
    """The params of the rules of ingest, from the section of a survey's config."""
    params = Items({key: ingest.get(key) for key in RESPONSE_KEYS}, synthetic=synthetic)
    params["arrange"] = (ingest.get("arrange") or {}).get(table)
    return params


class Survey:
    """A folder with an export and a codebook, and the rules of ingest on it."""

    def __init__(self, folder):
        self.folder = folder
        self.codebook = folder / "codebook.csv"
        self.codebook.write_text(CODEBOOK + "\n", encoding="utf-8")
        self.settings = {"pseudonym_key": "public-key-of-a-test"}

    def read(self, export, synthetic=True):
        """Run read_responses; gives the paths of its outputs."""
        out = self.folder / f"out_{export.name}"
        output = Items(
            responses=str(out / "responses.parquet"),
            variables=str(out / "variables.csv"),
            dropped=str(out / "dropped_variables.csv"),
        )
        job = Job(
            input=Items(raw=str(export), codebook=str(self.codebook)),
            output=output,
            params=params_of(self.settings, synthetic),
        )
        load_script("ingest/read_responses.py").main(job)
        return output


@pytest.fixture(name="params_of")
def _params_of():
    return params_of


@pytest.fixture
def survey(tmp_path):
    return Survey(tmp_path)


@pytest.fixture
def answers():
    return make_answers()


@pytest.fixture
def export_of():
    return write_export


@pytest.fixture
def run_script():
    """Run the main of a script with inputs, outputs, params and wildcards."""

    def run(name, *, inputs, outputs, params=None, wildcards=None):
        job = Job(
            input=Items(inputs),
            output=Items({key: str(value) for key, value in outputs.items()}),
            params=Items(params or {}),
            wildcards=Items(wildcards or {}),
        )
        load_script(name).main(job)

    return run
