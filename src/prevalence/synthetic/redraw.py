"""A survey of a made-up world as weighting and estimation take it, without fieldwork errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from prevalence.synthetic.instrument import sample_frame
from prevalence.synthetic.side_tables import AGE_LABELS, AGES, SEXES
from prevalence.synthetic.survey import SurveyDraw
from prevalence.synthetic.world import World

if TYPE_CHECKING:
    import pandas as pd


def answers_of(world: World, draw: SurveyDraw) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Give a survey's respondents, aggregate relational data and sampling frame.

    Parameters
    ----------
    world
        The world.
    draw
        A survey of it.

    Returns
    -------
    respondents, ard, frame : pandas.DataFrame
        As the clean stage leaves them and as the field delivers the frame. Completed interviews
        only; no answer is missing or wrong, and those on hidden groups are already combined.
    """
    import pandas as pd

    frame = sample_frame(world, draw)
    rows = np.flatnonzero(draw.completed)
    first = np.array([low for low, _ in AGES])
    age_group = np.array(AGE_LABELS)[np.searchsorted(first, draw.age[rows], side="right") - 1]
    sex = np.array(SEXES)[draw.sex[rows]]
    names = np.char.add("R", np.char.zfill(rows.astype(str), 5))
    islands = np.array(world.island_groups)[world.region[draw.area[rows]]]
    chosen = frame.loc[
        rows, ["household", "stratum", "psu", "ssu", "interviewer", "city", "region"]
    ]
    respondents = chosen.reset_index(drop=True).assign(
        respondent=names,
        urban=np.where(frame["urban"].to_numpy()[rows] == 1, "urban", "rural"),
        island_group=islands,
        sex=sex,
        age=draw.age[rows].astype(float),
        age_group=age_group,
        sex_age=np.char.add(np.char.add(sex, " "), age_group),
        adults=draw.adults[rows].astype(float),
    )
    hidden = set(world.config["hidden_groups"])
    children = set(world.config["children"])
    roles = [
        "hidden" if name in hidden else "child" if name in children else "known"
        for name in world.groups
    ]
    groups = len(world.groups)
    ard = pd.DataFrame(
        {
            "respondent": np.repeat(names, groups),
            "group": np.tile(np.array(world.groups), len(rows)),
            "role": np.tile(np.array(roles), len(rows)),
            "count": draw.counts[rows].ravel().astype(float),
            "missing": "",
        }
    )
    return respondents, ard, frame
