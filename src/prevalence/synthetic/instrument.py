"""The instrument of the synthetic export: items, labels, codes, and the dirt of fieldwork.

Item names, and what they ask, are those of the published study's public code; consent, language,
times, ids, reporting to authorities and all answer codes are this project's own choices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prevalence.errors import PipelineError
from prevalence.synthetic.survey import COMPLETE, PARTIAL, SurveyDraw
from prevalence.synthetic.world import World

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

NOT_ASKED, REFUSED, DONT_KNOW = 996.0, 997.0, 998.0
TOP_CODE = 95
APART = ("without_consent", "impossible_ages", "too_short")  # never two in one interview
OCCUPATIONS = {
    "doctors": ("Q6a_1", "doctors"),
    "lawyers": ("Q6a_2", "lawyers"),
    "teachers": ("Q6a_3", "teachers"),
    "drivers": ("Q6a_4", "drivers"),
    "nurses": ("Q6a_5", "nurses"),
    "security_guards": ("Q6a_6", "security guards"),
    "students": ("Q6a_7", "college students"),
    "construction_workers": ("Q6a_8", "construction workers"),
    "bpo_workers": ("Q6a_9", "BPO workers"),
    "sari_sari_store_owners": ("Q6a_10", "sari-sari store owners"),
    "social_workers": ("Q6a_11", "social workers"),
}
CHILDREN = {
    "children_0_2": ("Q6b_1", "children aged 0–2"),
    "children_3_5": ("Q6b_2", "children aged 3–5"),
    "children_6_12": ("Q6b_3", "children aged 6–12"),
    "children_13_17": ("Q6b_4", "children aged 13–17"),
}
HIDDEN = {
    "perpetrators": (("Q9_1", "non-live"), ("Q10_1", "livestreamed")),
    "victims": (("Q12_4", "non-live"), ("Q12_3", "livestreamed")),
}
COUNT_ITEMS = [item for item, _ in (OCCUPATIONS | CHILDREN).values()]
COUNT_ITEMS += [item for items in HIDDEN.values() for item, _ in items]
YES_NO = {1: "yes", 2: "no"}
VALUES: dict[str, dict[int, str]] = {
    "LANG": {1: "Filipino", 2: "Cebuano", 3: "Ilocano", 4: "Hiligaynon", 5: "English"},
    "CONSENT": YES_NO,
    "URBAN": {0: "rural", 1: "urban"},
    "S2": {1: "male", 2: "female"},
    "S5": {1: "working", 2: "looking for work", 3: "not in the labour force"},
    "S5a": {
        1: "farming or fishing",
        2: "sales or services",
        3: "craft (for instance piña weaving)",
        4: "transport or construction",
        5: "professional or clerical",
        6: "other",
    },
    "S7": {1: "below 10,000", 2: "10,000–19,999", 3: "20,000–39,999", 4: "40,000 or more"},
    "S8": {1: "elementary", 2: "high school", 3: "vocational", 4: "college"},
    "R1": YES_NO,
    "R2": {1: "police", 2: "barangay", 3: "social_welfare", 4: "other"},
}
LABELS = {
    "RESP_ID": "Interview",
    "HH_ID": "Household",
    "PSU_ID": "Primary sampling unit",
    "BRGY_ID": "Barangay (plain code)",
    "STRATUM": "Sampling stratum",
    "INT_ID": "Interviewer",
    "LANG": "Language of the interview",
    "CONSENT": "Consent to take part",
    "START": "Start of the interview",
    "END": "End of the interview",
    "RP.Reg": "Region",
    "RP.Prov": "Province (plain code)",
    "RP.City": "City or municipality (plain code)",
    "URBAN": "Urban barangay",
    "S2": "Sex of the respondent",
    "S4a": "Age of the respondent in years",
    "S5": "Work status",
    "S5a": "Occupation",
    "S7": "Monthly household income in pesos",
    "S8": "Highest education",
    "S9num": "Adults in the household, the respondent included",
    "S10num": "Other members of the household",
    "R1": "Was the situation you know best reported to authorities?",
    "R2": "To whom was it reported?",
}
ROSTER = 6
TIME = "%Y-%m-%d %H:%M"
FIELDWORK = "2022-03-07 08:00"  # first day, where the config names none
PERSONS = {"victims": "children", "perpetrators": "adults"}
TIE = (
    "people you know by sight and name, who also know you, with whom you have had contact in the "
    "last 12 months"
)


@dataclass(frozen=True)
class Export:
    """A survey export as a file will hold it.

    Parameters
    ----------
    responses
        One row an interview.
    labels
        Label of each variable.
    values
        Value labels of each categorical variable.
    missing
        User-missing codes of each variable.
    """

    responses: pd.DataFrame
    labels: dict[str, str]
    values: dict[str, dict[int, str]]
    missing: dict[str, list[float]]


def variable_labels(regions: tuple[str, ...]) -> tuple[dict[str, str], dict[str, dict[int, str]]]:
    """Labels of all variables, and value labels of the categorical ones."""
    labels = dict(LABELS)
    for member in range(1, ROSTER + 1):
        labels[f"S9_WS_{member}"] = f"Work status of adult {member}"
        labels[f"S9_WSa_{member}"] = f"Occupation of adult {member}"
    for item, group in (OCCUPATIONS | CHILDREN).values():
        labels[item] = f"Number of {group} known"
    for group, items in HIDDEN.items():
        for item, kind in items:
            person = PERSONS[group]
            role = "exploited" if group == "victims" else "who exploit a child"
            labels[item] = f"Number of {person} known, {role} to produce CSEM, {kind}"
    values = dict(VALUES)
    values["RP.Reg"] = {place + 1: name for place, name in enumerate(regions)}
    for member in range(1, ROSTER + 1):
        values[f"S9_WS_{member}"] = VALUES["S5"]
        values[f"S9_WSa_{member}"] = VALUES["S5a"]
    return labels, values


def place_codes(world: World, draw: SurveyDraw) -> dict[str, NDArray[np.str_]]:
    """Plain codes of stratum, PSU, barangay and city of each sampled household."""
    region = np.array(world.regions)[world.region[draw.area]]
    city = np.array([f"C{code:04d}" for code in draw.area])
    barangay = np.array([f"B{code:05d}" for code in draw.barangay])
    return {
        "region": region,
        "city": city,
        "stratum": np.where(draw.certainty, np.char.add(np.char.add(region, " "), city), region),
        "psu": np.where(draw.certainty, barangay, city),
        "ssu": np.where(draw.certainty, "", barangay),
        "barangay": barangay,
    }


def sample_frame(world: World, draw: SurveyDraw) -> pd.DataFrame:
    """Every sampled household with its selection probabilities and disposition."""
    import pandas as pd

    codes = place_codes(world, draw)
    certain = draw.certainty
    return pd.DataFrame(
        {
            "household": [f"H{row:05d}" for row in range(len(draw.area))],
            "stratum": codes["stratum"],
            "psu": codes["psu"],
            "ssu": codes["ssu"],
            "region": codes["region"],
            "urban": world.barangay_urban[draw.barangay].astype(int),
            "city": codes["city"],
            "interviewer": [f"I{code:04d}" for code in draw.interviewer],
            # In a city taken with certainty the barangay is the primary unit.
            "p_psu": np.where(certain, draw.p_psu * draw.p_ssu, draw.p_psu),
            "p_ssu": np.where(certain, 1.0, draw.p_ssu),
            "p_household": draw.p_household,
            "certainty": certain.astype(int),
            "disposition": draw.disposition,
        }
    )


def to_export(world: World, draw: SurveyDraw, generator: np.random.Generator) -> Export:
    """Write the interviews as the field would have delivered them, dirt included.

    Parameters
    ----------
    world
        The world.
    draw
        The survey.
    generator
        Source of randomness for what isn't part of the world: paradata, covariates, dirt.

    Raises
    ------
    PipelineError
        If more faults are asked of fieldwork than there are interviews or interviewers.
    """
    import pandas as pd

    rows = np.flatnonzero(np.isin(draw.disposition, (COMPLETE, PARTIAL)))
    n = len(rows)
    labels, values = variable_labels(world.regions)
    codes = {name: column[rows] for name, column in place_codes(world, draw).items()}
    start = pd.Timestamp(world.config.get("fieldwork", FIELDWORK)) + pd.to_timedelta(
        np.sort(generator.integers(0, 80, n)) * 1440 + generator.integers(0, 600, n), unit="min"
    )
    columns: dict[str, Any] = {
        "RESP_ID": [f"R{row:05d}" for row in rows],
        "HH_ID": [f"H{row:05d}" for row in rows],
        "PSU_ID": codes["psu"],
        "BRGY_ID": codes["barangay"],
        "STRATUM": codes["stratum"],
        "INT_ID": [f"I{code:04d}" for code in draw.interviewer[rows]],
        "LANG": generator.choice(5, n, p=[0.45, 0.25, 0.1, 0.1, 0.1]) + 1.0,
        "CONSENT": np.ones(n),
        "START": start.strftime(TIME),
        "END": _later(start, np.exp(3.6 + 0.22 * generator.standard_normal(n))),
        "RP.Reg": world.region[draw.area[rows]] + 1.0,
        "RP.Prov": 100.0 * (world.region[draw.area[rows]] + 1) + draw.area[rows] % 7,
        "RP.City": codes["city"],
        "URBAN": world.barangay_urban[draw.barangay[rows]].astype(float),
        "S2": draw.sex[rows] + 1.0,
        "S4a": draw.age[rows].astype(float),
        "S5": generator.choice(3, n, p=[0.6, 0.08, 0.32]) + 1.0,
        "S5a": generator.integers(1, 7, n).astype(float),
        "S7": generator.choice(4, n, p=[0.4, 0.32, 0.2, 0.08]) + 1.0,
        "S8": generator.choice(4, n, p=[0.25, 0.45, 0.1, 0.2]) + 1.0,
        "S9num": draw.adults[rows].astype(float),
    }
    for member in range(1, ROSTER + 1):
        absent = draw.adults[rows] < member
        status = generator.choice(3, n, p=[0.6, 0.08, 0.32]) + 1.0
        work = generator.integers(1, 7, n).astype(float)
        columns[f"S9_WS_{member}"] = np.where(absent, NOT_ASKED, status)
        columns[f"S9_WSa_{member}"] = np.where(absent | (status != 1), NOT_ASKED, work)
    columns["S10num"] = draw.children[rows].astype(float)
    columns |= _counts(world, draw, rows, generator)
    knows = (columns["Q12_4"] > 0) | (columns["Q9_1"] > 0)
    columns |= _reporting(world.config["reporting"], knows, generator)
    frame = pd.DataFrame(columns)
    partial = draw.disposition[rows] == PARTIAL
    frame = _with_dirt(frame, world.config["dirt"], partial, generator)
    missing = {item: [NOT_ASKED, REFUSED, DONT_KNOW] for item in [*COUNT_ITEMS, "R1", "R2"]}
    missing |= {item: [NOT_ASKED] for item in labels if item.startswith("S9_")}
    return Export(frame[list(labels)], labels, values, missing)


def _later(start: pd.DatetimeIndex, minutes: Array) -> pd.Index:
    import pandas as pd

    return (start + pd.to_timedelta(np.round(minutes), unit="min")).strftime(TIME)


def _counts(
    world: World, draw: SurveyDraw, rows: NDArray[np.intp], generator: np.random.Generator
) -> dict[str, Array]:
    reports = draw.counts[rows].astype(float)
    columns = {
        item: np.minimum(reports[:, world.groups.index(group)], TOP_CODE)
        for group, (item, _) in (OCCUPATIONS | CHILDREN).items()
    }
    for group, ((non_live, _), (live, _)) in HIDDEN.items():
        known = reports[:, world.groups.index(group)]
        columns[non_live] = known
        share = world.config["live_share"][group]
        columns[live] = generator.binomial(known.astype(int), share).astype(float)
    return columns


def _reporting(
    config: Mapping[str, Any], knows: NDArray[np.bool_], generator: np.random.Generator
) -> dict[str, Array]:
    n = len(knows)
    kind = generator.choice(
        4,
        n,
        p=[
            config["reported"],
            1 - config["reported"] - config["dont_know"] - config["refused"],
            config["dont_know"],
            config["refused"],
        ],
    )
    reported = np.array([1.0, 2.0, DONT_KNOW, REFUSED])[kind]
    to_whom = generator.choice(4, n, p=config["authorities"]) + 1.0
    return {
        "R1": np.where(knows, reported, NOT_ASKED),
        "R2": np.where(knows & (reported == 1), to_whom, NOT_ASKED),
    }


def _check_dirt(config: Mapping[str, Any], interviews: int, interviewers: int) -> None:
    """Refuse more faults than fieldwork can have: half of the interviews stay without any."""
    limits = {"straight_lining_interviewers": interviewers, "typed_999": interviews}
    limits |= dict.fromkeys(("duplicated_interviews", "duplicated_content"), interviews // 2)
    asked = {name: int(config[name]) for name in limits}
    limits[" + ".join(APART)] = interviews // 2
    asked[" + ".join(APART)] = sum(int(config[name]) for name in APART)
    for name, most in limits.items():
        if asked[name] > most:
            raise PipelineError(
                "Fieldwork of a synthetic survey is too small for its faults.",
                place=f"dirt: {name}",
                found=asked[name],
                allowed=f"at most {most}, with {interviews} interviews by {interviewers} people",
                remedy="Ask for fewer faults, or draw more households.",
            )


def _with_dirt(
    frame: pd.DataFrame,
    config: Mapping[str, Any],
    partial: NDArray[np.bool_],
    generator: np.random.Generator,
) -> pd.DataFrame:
    """Add what fieldwork adds: refusals, breaks, doubles, slips, hurried interviewers."""
    import pandas as pd

    n = len(frame)
    _check_dirt(config, n, frame["INT_ID"].nunique())
    block = frame[COUNT_ITEMS].to_numpy()
    draws = generator.uniform(size=block.shape)
    block = np.where(draws < config["refused"], REFUSED, block)
    block = np.where(
        (draws >= config["refused"]) & (draws < config["refused"] + config["dont_know"]),
        DONT_KNOW,
        block,
    )
    block[np.ix_(partial, np.arange(len(COUNT_ITEMS)) >= 4)] = NOT_ASKED
    hurried = generator.choice(
        frame["INT_ID"].unique(), config["straight_lining_interviewers"], replace=False
    )
    lazy = frame["INT_ID"].isin(hurried).to_numpy() & (generator.uniform(size=n) < 0.5)
    block[np.ix_(lazy, np.arange(len(COUNT_ITEMS)) < len(OCCUPATIONS) + len(CHILDREN))] = 2.0
    slips = generator.choice(n, config["typed_999"], replace=False)
    block[slips, generator.integers(0, len(OCCUPATIONS), len(slips))] = 999.0
    frame = frame.assign(**{item: block[:, place] for place, item in enumerate(COUNT_ITEMS)})
    free = np.flatnonzero(~partial & ~lazy)
    picked = generator.permutation(free)
    sizes = [config[name] for name in APART]
    refused, ages, short = np.split(picked[: sum(sizes)], np.cumsum(sizes)[:-1])
    frame.loc[refused, "CONSENT"] = 2.0
    frame.loc[ages, "S4a"] = generator.choice([3.0, 7.0, 150.0, 200.0], len(ages))
    starts = pd.DatetimeIndex(pd.to_datetime(frame.loc[short, "START"], format=TIME))
    frame.loc[short, "END"] = _later(starts, generator.integers(4, 9, len(short)).astype(float))
    doubles = frame.loc[generator.choice(free, config["duplicated_interviews"], replace=False)]
    copies = frame.loc[generator.choice(free, config["duplicated_content"], replace=False)]
    copies = copies.assign(RESP_ID=[f"{name}X" for name in copies["RESP_ID"]])
    together = pd.concat([frame, doubles, copies], ignore_index=True)
    shuffled: pd.DataFrame = together.iloc[generator.permutation(len(together))]
    return shuffled.reset_index(drop=True)
