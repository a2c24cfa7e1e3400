"""The tables of valid interviews: respondents, their counts of people known, their situations."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from prevalence.codebook import KEY_KINDS, Codebook, Variable
from prevalence.combination import (
    combine_reasons,
    combine_reports,
    impute_perpetrators_from_victims,
    impute_victims_from_perpetrators,
)
from prevalence.decoding import Interviews
from prevalence.edits import replace_counts
from prevalence.errors import PipelineError, listed, suggestion

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

DESIGN = ("household", "stratum", "psu", "ssu", "interviewer", "city")
FROM_FRAME = ("stratum", "psu", "ssu", "interviewer", "city", "region", "urban")
# A respondent's answer and the frame must agree on these; the frame is about the same household.
COMPARED = ("stratum", "psu")
URBAN = {"1": "urban", "0": "rural"}
_PIECE = 30_000  # interviews whose counts are put into the long table at once
SITUATION_COLUMNS = ("respondent", "group", "reported", "authority")


def check_respondent_ids(interviews: Interviews) -> None:
    """Refuse interviews without an id, or with one that another interview has.

    Raises
    ------
    PipelineError
        With the counts, and the screening rule that deals with each.
    """
    ids = interviews.answers["respondent"]
    empty, twice = int(ids.isna().sum()), int(ids.dropna().duplicated().sum())
    if empty or twice:
        rule = "missing_id" if empty else "duplicate_id"
        raise PipelineError(
            "Respondents' ids do not identify the interviews.",
            place="respondent",
            found=f"{empty:,} interviews without an id, {twice:,} with an id used before",
            allowed="one id an interview",
            remedy=f"Add {{rule: {rule}}} to clean.screening, or correct the export.",
        )


def place_in_design(
    interviews: Interviews, keys: Mapping[str, str | None], frame: pd.DataFrame | None
) -> Interviews:
    """Give each interview its place in the sample: from its own variables, else from the frame.

    Parameters
    ----------
    interviews
        The valid interviews.
    keys
        The config's ``clean.keys``: design variable to analysis variable, or to None where the
        export has none (a variable of that name isn't used then).
    frame
        The sampling frame, one row a household, or None.

    Returns
    -------
    Interviews
        With the variables of `DESIGN` as text (empty where there is no such level), sorted by
        respondent; region and urban from the frame where the export lacks them, stratum and PSU
        where a single interview does.

    Raises
    ------
    PipelineError
        If households are not in the frame or stand there twice, or frame and interviews disagree on
        a stratum or PSU.
    """
    given = interviews.answers  # each key looks at the export, not at what another key has set
    answers = given.drop(
        columns=[name for name, source in keys.items() if source is None and name in given]
    )
    for name, source in keys.items():
        if source is None:
            continue
        if source not in given and source != name:
            raise PipelineError(
                "A key of the design rests on a variable that doesn't exist.",
                place=f"clean.keys.{name}",
                found=source,
                allowed=listed(given.columns, 40),
                remedy=suggestion(source, given.columns),
            )
        if source in given:
            answers[name] = given[source]
    for name in set(DESIGN) & set(answers):
        if answers[name].dtype.kind == "f":  # a number code: 1, as a frame has it, not 1.0
            answers[name] = answers[name].map(_text).replace("", None).astype("str")
    if frame is not None:
        kinds = {name for name, source in keys.items() if source in KEY_KINDS and source != name}
        answers = _with_frame(answers, frame, kinds)
    for name, source in keys.items():
        if source is not None and name not in answers:
            raise PipelineError(
                "A key of the design is neither in the codebook nor in a sampling frame.",
                place=f"clean.keys.{name}",
                found=source,
                allowed=listed(given.columns, 40),
                remedy=f"Write {name}: null where the survey has none, or list the variable in the "
                "codebook.",
            )
    for name in DESIGN:
        answers[name] = answers[name].fillna("") if name in answers else ""
        answers[name] = answers[name].astype("str")
    order = answers["respondent"].argsort(kind="stable").to_numpy()
    return Interviews(
        answers.iloc[order].reset_index(drop=True),
        interviews.missing.iloc[order].reset_index(drop=True),
    )


def _with_frame(
    answers: pd.DataFrame, frame: pd.DataFrame, other_kinds: Collection[str]
) -> pd.DataFrame:
    """Add what the frame knows; `other_kinds` have pseudonyms of another kind than the frame's."""
    if "household" not in answers:
        raise PipelineError(
            "There is a sampling frame, but interviews name no household.",
            place="clean.keys.household",
            remedy="List the household's id in the codebook, with the role key.",
        )
    import pandas as pd

    households = pd.Index(frame["household"].astype("str"))
    if not households.is_unique:
        raise PipelineError(
            "The sampling frame lists households more than once.",
            place="sampling frame, column household",
            found=f"{int(households.duplicated().sum()):,} repeated ids",
            allowed="one row a sampled household",
            remedy="Remove the repeated rows, or join an id that counts within its PSU with that.",
        )
    rows = households.get_indexer(pd.Index(answers["household"].fillna("").astype("str")))
    absent = int((rows < 0).sum())
    if absent:
        raise PipelineError(
            "Households of interviews are not in the sampling frame.",
            place="household",
            found=f"{absent:,} of {len(answers):,} interviews",
            allowed="households that the frame lists",
            remedy="Correct the household's id, or complete the frame."
            if "household" not in other_kinds
            else "List the household's id in the codebook as a variable of its own: "
            "an id of another kind has other pseudonyms than the frame's.",
        )
    for name in FROM_FRAME:
        if name not in frame:
            continue
        column = frame[name].iloc[rows].reset_index(drop=True)
        text = column.map(_text).astype("str")
        if name == "urban":
            text = text.map(lambda code: URBAN.get(code, code))
        if name not in answers:
            answers[name] = text
        elif name in COMPARED and name in other_kinds:
            _check_pairs(answers[name], text, name)
            answers[name] = text
        elif name in COMPARED:
            _check_agreement(answers[name], text, name)
            answers[name] = answers[name].fillna(text)
    return answers


def _text(value: object) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.15g}"
    return "" if value is None else str(value)


def _check_pairs(answers: pd.Series, frame: pd.Series, name: str) -> None:
    """Refuse labels that aren't those of the frame under other names, one for one."""
    told = answers.notna().to_numpy()
    pairs = set(zip(answers[told], frame[told], strict=True))
    several = len(pairs) - min(len({own for own, _ in pairs}), len({label for _, label in pairs}))
    if several:
        raise PipelineError(
            "Interviews and the sampling frame disagree.",
            place=name,
            found=f"{several:,} labels that stand for several of the other's",
            allowed="one label of the interviews for each of the frame",
            remedy=f"Correct clean.keys.{name}, the frame or the export.",
        )


def _check_agreement(answers: pd.Series, frame: pd.Series, name: str) -> None:
    differ = answers.notna().to_numpy() & (answers.astype("str") != frame).to_numpy()
    if differ.any():
        raise PipelineError(
            "Interviews and the sampling frame disagree.",
            place=name,
            found=f"{int(differ.sum()):,} interviews",
            allowed="the frame's value for the household",
            remedy="Correct the frame or the export: one of them has the wrong place.",
        )


def respondents_table(
    answers: pd.DataFrame, codebook: Codebook, derived: Sequence[str]
) -> pd.DataFrame:
    """Select the respondents' variables.

    Parameters
    ----------
    answers
        The answers with the design's and the derived variables, sorted by respondent.
    codebook
        The codebook.
    derived
        Names of the derived variables.

    Returns
    -------
    pandas.DataFrame
        One row a valid interview: respondent, the variables of `DESIGN`, the codebook's design,
        domain and covariate variables, derived variables, and ``base_weight_supplied`` if the
        codebook has a base weight.
    """
    listed_names = [
        variable.name for variable in codebook.with_role("design", "domain", "covariate")
    ]
    framed = [name for name in ("region", "urban") if name in answers]
    names = dict.fromkeys(["respondent", *DESIGN, *framed, *listed_names, *derived])
    table = answers[list(names)].copy()
    weights = codebook.with_role("base_weight")
    if len(weights) > 1:
        raise PipelineError(
            "The codebook has several base weights.",
            file=codebook.file,
            place=f"line {weights[1].line}",
            remedy="Give one variable the role base_weight, the others the role ignore.",
        )
    for variable in weights:
        table["base_weight_supplied"] = answers[variable.name]
    return table


def combine_groups(
    interviews: Interviews, codebook: Codebook, combinations: Mapping[str, Mapping[str, Any]]
) -> Interviews:
    """Combine the items of hidden groups by the configured rules.

    Parameters
    ----------
    interviews
        The valid interviews.
    codebook
        The codebook; items are named by their groups.
    combinations
        The config's ``clean.combine``: hidden group to ``items``, ``rule`` and ``incomplete``.

    Returns
    -------
    Interviews
        With one variable a combined hidden group, by the group's id.

    Raises
    ------
    PipelineError
        If an item is not a group of the codebook, or a combined group has the id of a group or the
        name of a variable.
    """
    import pandas as pd

    by_group = {variable.group: variable.name for variable in codebook.counts}
    for group, definition in combinations.items():
        place = f"clean.combine.{group}"
        unknown = [item for item in definition["items"] if item not in by_group]
        if unknown or group in by_group:
            raise PipelineError(
                "A combined group has the id of a group of the codebook."
                if not unknown
                else "A combined group rests on groups that the codebook doesn't list.",
                place=place,
                found=listed(unknown) if unknown else group,
                allowed=listed(by_group, 40),
                remedy=suggestion(unknown[0], by_group) if unknown else "Choose another id.",
            )
        if group in interviews.answers:
            raise PipelineError(
                "A combined group has the name of a variable, which it would replace.",
                place=place,
                found=group,
                allowed="an id that neither a group nor a variable of the codebook has",
                remedy="Rename the variable in the codebook, or choose another id.",
            )
        names = [by_group[item] for item in definition["items"]]
        rule = definition["rule"]
        items = interviews.counts(names)
        combined = combine_reports(items, rule, definition.get("incomplete") or "available")
        reasons = combine_reasons(interviews.missing[names].to_numpy(dtype=object), combined, rule)
        interviews = interviews.with_answers(group, pd.Series(combined), reasons)
    return interviews


def impute_reports(
    interviews: Interviews, codebook: Codebook, imputations: Sequence[Mapping[str, Any]]
) -> tuple[Interviews, list[pd.DataFrame]]:
    """Apply the published imputations that the config names; none by default.

    Parameters
    ----------
    interviews
        The interviews with combined hidden groups and the design's variables.
    codebook
        The codebook; hidden groups are named by their ids.
    imputations
        The config's ``clean.imputations``.

    Returns
    -------
    Interviews
        The interviews with imputed reports.
    list of pandas.DataFrame
        A record of each imputed cell, as in `prevalence.edits`.

    Raises
    ------
    PipelineError
        If a variable is missing or the imputation is unknown.
    """
    before = interviews  # both rules look at what was reported, not at each other's result
    records: list[pd.DataFrame] = []
    by_group = {variable.group: variable.name for variable in codebook.counts}
    for number, settings in enumerate(imputations):
        rule = settings["rule"]
        names = {
            part: str(settings.get(part, part))
            for part in ("victims", "perpetrators", "adults", "municipality")
        }
        for part in ("victims", "perpetrators"):
            names[part] = by_group.get(names[part], names[part])
        names["municipality"] = str(settings.get("municipality", "city"))
        needed = ["victims", "perpetrators"]
        if rule == "perpetrators_from_victims":
            needed += ["adults", "municipality"]
        for part in needed:
            if names[part] not in before.answers or _empty(before.answers[names[part]]):
                raise PipelineError(
                    "An imputation needs a variable that doesn't exist or holds nothing.",
                    place=f"clean.imputations.{number}.{part}",
                    found=names[part],
                    allowed=listed(before.answers.columns, 40),
                    remedy=suggestion(names[part], before.answers.columns),
                )
        victims, perpetrators = before.counts([names["victims"], names["perpetrators"]]).T
        if rule == "victims_from_perpetrators":
            target = names["victims"]
            values = impute_victims_from_perpetrators(
                victims, perpetrators, float(settings.get("value", 4))
            )
        elif rule == "perpetrators_from_victims":
            target = names["perpetrators"]
            values = impute_perpetrators_from_victims(
                victims,
                perpetrators,
                before.counts([names["adults"]])[:, 0],
                before.answers[names["municipality"]].to_numpy(dtype=object),
            )
        else:
            allowed = ["victims_from_perpetrators", "perpetrators_from_victims"]
            raise PipelineError(
                "An imputation is unknown.",
                place=f"clean.imputations.{number}.rule",
                found=rule,
                allowed=listed(allowed),
                remedy=suggestion(rule, allowed),
            )
        interviews, made = replace_counts(interviews, target, values, str(rule))
        records += made
    return interviews, records


def _empty(values: pd.Series) -> bool:
    """Whether a variable holds no answer, as a key of the design does that the survey lacks."""
    return bool(values.isna().all() or (values.astype("str") == "").all())


def _interval_of(
    counts: NDArray[np.float64], variable: Variable
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Smallest and largest count behind each answer, and whether it is a bin."""
    lower, upper = counts.copy(), counts.copy()
    for one in variable.bins.values():
        inside = counts == one.count
        lower[inside], upper[inside] = one.lower, one.upper
    binned = upper > lower
    if variable.top_code is not None:
        upper[counts >= variable.top_code] = np.inf
    return lower, upper, binned


def intervals_table(
    answered: Interviews,
    reported: Interviews,
    codebook: Codebook,
    combinations: Mapping[str, Mapping[str, Any]],
) -> pd.DataFrame:
    """List the counts that stand for an interval: bins, and answers at the instrument's top code.

    Parameters
    ----------
    answered
        The edited interviews, before groups are combined.
    reported
        The same with combined groups and imputed reports.
    codebook
        The codebook.
    combinations
        The config's ``clean.combine``. Bounds are combined by the rule of the counts.

    Returns
    -------
    pandas.DataFrame
        `respondent`, `group`, `lower`, `upper` (NaN where there is none) and `reason` (``bin`` or
        ``top_code``), in the order of the table of counts. An imputed count stands for itself.
    """
    import pandas as pd

    bounds = {}
    for variable in codebook.counts:
        counts = answered.counts([variable.name])[:, 0]
        bounds[variable.group] = (variable.name, *_interval_of(counts, variable))
    for group, setting in combinations.items():
        items = [bounds[item] for item in setting["items"]]
        items = items[:1] if setting["rule"] == "single" else items
        how = setting["rule"], setting.get("incomplete") or "available"
        sides = [
            combine_reports(np.column_stack([item[side] for item in items]), *how)
            for side in (1, 2)
        ]
        bounds[group] = (group, *sides, np.any([item[3] for item in items], axis=0))
    parts = []
    respondents = reported.answers["respondent"].to_numpy()
    for place, (group, (name, lower, upper, binned)) in enumerate(bounds.items()):
        count = reported.counts([name])[:, 0]
        rows = np.flatnonzero((upper > lower) & (count >= lower) & (count <= upper))
        parts.append(
            pd.DataFrame(
                {
                    "respondent": respondents[rows],
                    "group": group,
                    "lower": lower[rows],
                    "upper": np.where(np.isinf(upper[rows]), np.nan, upper[rows]),
                    "reason": np.where(binned[rows], "bin", "top_code"),
                    "order": rows * len(bounds) + place,
                }
            )
        )
    table = pd.concat(parts, ignore_index=True).sort_values("order", ignore_index=True)
    texts = dict.fromkeys(["respondent", "group", "reason"], "str")
    return table.drop(columns="order").astype(texts)


def relational_pieces(
    interviews: Interviews, codebook: Codebook, combined: Sequence[str]
) -> Iterator[pd.DataFrame]:
    """Give the long table of aggregated relational data in pieces of some interviews each.

    Parameters
    ----------
    interviews, codebook, combined
        As in :func:`relational_data`.

    Yields
    ------
    pandas.DataFrame
        Some interviews' rows of that table.
    """
    for start in range(0, max(interviews.n, 1), _PIECE):
        place = slice(start, start + _PIECE)
        some = Interviews(
            interviews.answers.iloc[place].reset_index(drop=True),
            interviews.missing.iloc[place].reset_index(drop=True),
        )
        yield relational_data(some, codebook, combined)


def relational_data(
    interviews: Interviews, codebook: Codebook, combined: Sequence[str]
) -> pd.DataFrame:
    """Put all counts into the long table of aggregated relational data.

    Parameters
    ----------
    interviews
        The edited interviews with combined groups, sorted by respondent.
    codebook
        The codebook.
    combined
        Ids of the combined hidden groups.

    Returns
    -------
    pandas.DataFrame
        ``respondent``, ``group``, ``role``, ``count`` (float64, NaN where missing) and ``missing``
        (why); sorted by respondent, then in the codebook's order, combined groups last.
    """
    import pandas as pd

    columns = [(variable.name, variable.group, variable.role) for variable in codebook.counts]
    columns += [(group, group, "hidden") for group in combined]
    names = [name for name, _, _ in columns]
    return pd.DataFrame(
        {
            "respondent": interviews.answers["respondent"].repeat(len(columns)).to_numpy(),
            "group": pd.array([group for _, group, _ in columns] * interviews.n, dtype="str"),
            "role": pd.array([role for _, _, role in columns] * interviews.n, dtype="str"),
            "count": interviews.counts(names).ravel(),
            "missing": pd.array(
                interviews.missing[names].to_numpy(dtype=object).ravel(), dtype="str"
            ),
        }
    ).astype({"respondent": "str"})


def asked_situations(codebook: Codebook) -> list[dict[str, str]]:
    """Find the items on situations from their roles and values, where the config names none.

    Parameters
    ----------
    codebook
        The codebook: variables with the role ``situation``.

    Returns
    -------
    list of dict
        For each group ``group``, ``reported`` (the variable with the values yes and no) and, if
        there is another, ``authority``.

    Raises
    ------
    PipelineError
        If a group's variables cannot be told apart.
    """
    answers = {"yes", "no", "dont_know", "refused"}
    found = []
    for group in dict.fromkeys(variable.group for variable in codebook.with_role("situation")):
        mine = [one for one in codebook.with_role("situation") if one.group == group]
        reported = [one.name for one in mine if one.codes and set(one.codes.values()) <= answers]
        others = [one.name for one in mine if one.name not in reported]
        if len(reported) != 1 or len(others) > 1:
            raise PipelineError(
                "It isn't clear which item says whether a situation was reported.",
                file=codebook.file,
                place=f"group {group}",
                found=listed(one.name for one in mine),
                allowed="one variable with the values yes and no, and at most one other",
                remedy="Name them under clean.situations.",
            )
        found.append(
            {"group": group, "reported": reported[0]} | ({"authority": others[0]} if others else {})
        )
    return found


def situations_table(
    interviews: Interviews, codebook: Codebook, situations: Sequence[Mapping[str, Any]]
) -> pd.DataFrame:
    """List the situations that respondents described, and whether they were reported.

    Parameters
    ----------
    interviews
        The edited interviews.
    codebook
        The codebook.
    situations
        The config's ``clean.situations``: ``group``, and the variables ``reported`` and, if it was
        asked, ``authority``.

    Returns
    -------
    pandas.DataFrame
        ``respondent``, ``group``, ``reported`` (yes, no, dont_know, refused or empty) and
        ``authority`` (analysis value, or a kind of missing value, or empty). A row for each
        respondent who was asked; nobody who was not asked.

    Raises
    ------
    PipelineError
        If a variable is not in the codebook or has other values than yes and no.
    """
    import pandas as pd

    tables = []
    for number, settings in enumerate(situations):
        place = f"clean.situations.{number}"
        variable = codebook.named(settings["reported"], f"{place}.reported")
        strange = set(variable.codes.values()) - {"yes", "no", "dont_know", "refused"}
        if strange:
            raise PipelineError(
                "Whether a situation was reported has other values than yes and no.",
                file=codebook.file,
                place=f"line {variable.line}, column values",
                found=listed(sorted(strange)),
                allowed="yes, no, dont_know, refused",
            )
        reported = _answer_or_reason(interviews, variable.name)
        authority = [""] * interviews.n
        if settings.get("authority"):
            name = codebook.named(settings["authority"], f"{place}.authority").name
            authority = _answer_or_reason(interviews, name)
        tables.append(
            pd.DataFrame(
                {
                    "respondent": interviews.answers["respondent"],
                    "group": settings["group"],
                    "reported": reported,
                    "authority": authority,
                }
            )[[value != "" for value in reported]]
        )
    empty = pd.DataFrame({name: pd.Series(dtype="str") for name in SITUATION_COLUMNS})
    table = pd.concat([empty, *tables], ignore_index=True).astype("str")
    return table.sort_values(["respondent", "group"], kind="stable", ignore_index=True)


def _answer_or_reason(interviews: Interviews, name: str) -> list[str]:
    """Answers as text, with the kinds that are answers of a sort; what wasn't asked is empty."""
    reasons = interviews.missing[name]
    return [
        (reason if reason in ("dont_know", "refused") else "") if reason else str(answer)
        for answer, reason in zip(interviews.answers[name], reasons, strict=True)
    ]
