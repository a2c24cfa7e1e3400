"""A made-up survey after ingest: 60 interviews in 12 households' places, with a sampling frame."""

import numpy as np
import pandas as pd
import pytest

from prevalence.codebook import COLUMNS, parse_codebook

MISSING = "997=refused;998=dont_know;996=not_asked"
CODEBOOK = "\n".join(
    [
        ",".join(COLUMNS),
        "ID,respondent,Interview,text,key,,,,,,",
        "HH,household,Household,text,key,,,,,,",
        "INT,interviewer,Interviewer,text,key,,,,,,",
        "CONS,consent,Consent,categorical,consent,,,,,1=yes;2=no,",
        "T1,interview_start,Beginning,datetime,paradata,,,,,,",
        "T2,interview_end,End,datetime,paradata,,,,,,",
        "S2,sex,Sex,categorical,domain,997=refused,,,,1=male;2=female,",
        "S4,age,Age,numeric,domain,997=refused,15,110,,,",
        "S9,adults,Adults in the household,numeric,covariate,,1,20,,,",
        *(
            f"K{i},{name},{name},numeric,known,{MISSING},0,300,95,,{name}"
            for i, name in enumerate(("doctors", "teachers", "drivers", "nurses"))
        ),
        f"C1,children,Children known,numeric,child,{MISSING},0,500,,,children",
        *(
            f"H{i},{name},{name},numeric,hidden_item,{MISSING},0,50,,,{name}"
            for i, name in enumerate(
                ("victims_nonlive", "victims_live", "perpetrators_nonlive", "perpetrators_live")
            )
        ),
        "R1,reported,Reported,categorical,situation,"
        "997=refused;998=dont_know;996=not_asked,,,,1=yes;2=no,victims",
        "R2,authority,To whom,categorical,situation,"
        "997=refused;998=dont_know;996=not_asked,,,,1=police;2=barangay,victims",
    ]
)
CLEAN = {
    "keys": {"respondent": "respondent", "household": "household"},
    "screening": [
        {"rule": "consent", "variable": "consent", "keep": ["yes"]},
        {"rule": "eligible_age", "minimum": 18, "maximum": 110},
        {"rule": "duplicate_id"},
        {"rule": "incomplete", "maximum_missing_share": 0.5},
        {"rule": "too_short", "minimum_share_of_median": 0.33},
        {"rule": "straight_lining", "minimum_items": 4},
    ],
    "edits": [{"rule": "typed_missing_code", "codes": [999]}, {"rule": "out_of_range"}],
    "derive": {
        "island_group": {"from": "region", "map": {"Luzon": ["NCR"], "Visayas": ["VII"]}},
        "age_group": {"from": "age", "breaks": [18, 40], "labels": ["18–39", "40+"]},
    },
    "combine": {
        "victims": {"items": ["victims_nonlive", "victims_live"], "rule": "maximum"},
        "perpetrators": {
            "items": ["perpetrators_nonlive", "perpetrators_live"],
            "rule": "maximum",
        },
    },
    "situations": [{"group": "victims", "reported": "reported", "authority": "authority"}],
}


@pytest.fixture
def codebook():
    return parse_codebook(CODEBOOK.encode(), "codebook.csv")


@pytest.fixture
def codebook_text():
    return CODEBOOK


@pytest.fixture
def settings():
    import copy

    return copy.deepcopy(CLEAN)


def make_responses(n=60, seed=2):
    generator = np.random.default_rng(seed)
    start = pd.Timestamp("2022-06-01T08:00:00") + pd.to_timedelta(np.arange(n) * 61, unit="min")
    end = start + pd.to_timedelta(generator.integers(30, 50, n), unit="min")
    counts = {f"K{i}": generator.poisson(4, n).astype(float) + i for i in range(4)}
    counts["C1"] = generator.poisson(25, n).astype(float)
    live = generator.poisson(0.2, n).astype(float)
    nonlive = live + generator.poisson(0.2, n)
    return pd.DataFrame(
        {
            "ID": [f"r{i:03d}" for i in range(n)],
            "HH": [f"h{i:03d}" for i in range(n)],
            "INT": [f"i{i % 5}" for i in range(n)],
            "CONS": np.ones(n),
            "T1": start.strftime("%Y-%m-%dT%H:%M:%S"),
            "T2": end.strftime("%Y-%m-%dT%H:%M:%S"),
            "S2": generator.integers(1, 3, n).astype(float),
            "S4": generator.integers(18, 80, n).astype(float),
            "S9": generator.integers(1, 5, n).astype(float),
            **counts,
            "H0": nonlive,
            "H1": live,
            "H2": nonlive,
            "H3": live,
            "R1": np.where(nonlive > 0, 2.0, 996.0),
            "R2": np.full(n, 996.0),
        }
    ).astype(dict.fromkeys(["ID", "HH", "INT", "T1", "T2"], "str"))


@pytest.fixture
def responses():
    return make_responses()


@pytest.fixture
def frame():
    """60 households with an interview, 15 without."""
    n = 75
    return pd.DataFrame(
        {
            "household": [f"h{i:03d}" for i in range(n)],
            "stratum": ["NCR" if i % 2 else "VII" for i in range(n)],
            "psu": [f"p{i % 6}" for i in range(n)],
            "ssu": [f"s{i % 12}" for i in range(n)],
            "region": ["NCR" if i % 2 else "VII" for i in range(n)],
            "urban": [i % 2 for i in range(n)],
            "city": [f"c{i % 6}" for i in range(n)],
            "interviewer": [f"i{i % 5}" for i in range(n)],
            "disposition": ["1.1"] * 60 + ["2.1"] * 6 + ["2.2"] * 4 + ["3.1"] * 2 + ["4.1"] * 3,
        }
    )
