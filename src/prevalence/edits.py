"""Consistency edits: named rules that change single cells, each change on record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from prevalence.codebook import MISSING_KINDS, Codebook
from prevalence.decoding import Interviews
from prevalence.errors import PipelineError, check_known, listed

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

COLUMNS = ("respondent", "variable", "before", "after", "rule")
Edit = Callable[[Interviews, Codebook, Mapping[str, Any]], tuple[Interviews, list["pd.DataFrame"]]]


def edit_answers(
    interviews: Interviews, codebook: Codebook, rules: Sequence[Mapping[str, Any]]
) -> tuple[Interviews, pd.DataFrame]:
    """Apply consistency edits one after the other, and check that every answer is in its range.

    Parameters
    ----------
    interviews
        The valid interviews.
    codebook
        The codebook.
    rules
        The config's ``clean.edits``: each with its name under ``rule``, and its settings.

    Returns
    -------
    Interviews
        The edited interviews.
    pandas.DataFrame
        One row a changed cell: ``respondent``, ``variable``, ``before``, ``after`` (numbers as
        text, or a kind of missing value) and ``rule``.

    Raises
    ------
    PipelineError
        If a rule is unknown, or answers are out of range and no rule deals with them.
    """
    records: list[pd.DataFrame] = []
    for number, settings in enumerate(rules):
        name = str(settings["rule"])
        check_known(name, EDIT_RULES, "An edit is unknown.", place=f"clean.edits.{number}.rule")
        interviews, made = EDIT_RULES[name](interviews, codebook, settings)
        records += made
    _check_ranges(interviews, codebook)
    return interviews, collected(records)


def collected(records: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put records of edits into one table, sorted by respondent and variable."""
    import pandas as pd

    empty = pd.DataFrame({column: pd.Series(dtype="str") for column in COLUMNS})
    frame = pd.concat([empty, *records], ignore_index=True)
    return frame.sort_values(["respondent", "variable"], kind="stable", ignore_index=True)


def _invalid(interviews: Interviews, codebook: Codebook, name: str) -> NDArray[np.bool_]:
    """Mark answers outside the codebook's range, and counts that are not whole."""
    variable = codebook.named(name, "clean.edits")
    values = interviews.answers[name].to_numpy(dtype=np.float64)
    wrong = np.zeros(values.shape, dtype=bool)
    if variable.minimum is not None:
        wrong |= values < variable.minimum
    if variable.maximum is not None:
        wrong |= values > variable.maximum
    if variable.is_count:
        wrong |= np.isfinite(values) & (values != np.floor(values))
    return wrong


def _check_ranges(interviews: Interviews, codebook: Codebook) -> None:
    found = {
        variable.name: int(_invalid(interviews, codebook, variable.name).sum())
        for variable in codebook.kept
        if variable.type == "numeric" and variable.role != "key"
    }
    outside = {name: n for name, n in found.items() if n}
    if outside:
        raise PipelineError(
            "Answers lie outside the range that the codebook allows.",
            file=codebook.file,
            place=listed(outside),
            found=listed(f"{name}: {n:,} answers" for name, n in outside.items()),
            allowed="minimum to maximum of the codebook; whole numbers for counts",
            remedy="Add {rule: out_of_range} to clean.edits, or correct the codebook.",
        )


def make_missing(
    interviews: Interviews, name: str, cells: NDArray[np.bool_], kind: str, rule: str
) -> tuple[Interviews, list[pd.DataFrame]]:
    """Turn some answers of a numeric variable into a kind of missing value.

    Parameters
    ----------
    interviews
        The interviews.
    name
        The variable.
    cells
        Which interviews' answers.
    kind
        Kind of missing value.
    rule
        The rule's name, for the record.

    Returns
    -------
    Interviews
        The edited interviews.
    list of pandas.DataFrame
        The record; empty if nothing changed.
    """
    if not cells.any():
        return interviews, []
    before = interviews.answers[name]
    after = before.mask(cells)
    missing = interviews.missing[name].to_numpy(dtype=object, copy=True)
    missing[cells] = kind
    made = _record(interviews, name, cells, [kind] * int(cells.sum()), rule)
    return interviews.with_answers(name, after, missing), [made]


def replace_counts(
    interviews: Interviews, name: str, values: NDArray[np.float64], rule: str
) -> tuple[Interviews, list[pd.DataFrame]]:
    """Replace answers of a numeric variable where new values differ from them.

    Parameters
    ----------
    interviews
        The interviews.
    name
        The variable.
    values
        Shape (n,): the new values; NaN leaves a cell as it is.
    rule
        The rule's name, for the record.

    Returns
    -------
    Interviews
        The edited interviews.
    list of pandas.DataFrame
        The record; empty if nothing changed.
    """
    import pandas as pd

    before = interviews.answers[name].to_numpy(dtype=np.float64)
    cells = np.isfinite(values) & (values != before)
    if not cells.any():
        return interviews, []
    missing = interviews.missing[name].to_numpy(dtype=object, copy=True)
    missing[cells] = ""
    made = _record(interviews, name, cells, [f"{value:.15g}" for value in values[cells]], rule)
    after = pd.Series(np.where(cells, values, before))
    return interviews.with_answers(name, after, missing), [made]


def _record(
    interviews: Interviews, name: str, cells: NDArray[np.bool_], after: list[str], rule: str
) -> pd.DataFrame:
    import pandas as pd

    answers = interviews.answers.loc[cells, name]
    kinds = interviews.missing.loc[cells, name]
    before = [
        kind or (f"{answer:.15g}" if isinstance(answer, float) else str(answer))
        for answer, kind in zip(answers, kinds, strict=True)
    ]
    return pd.DataFrame(
        {
            "respondent": interviews.answers.loc[cells, "respondent"].astype("str"),
            "variable": name,
            "before": before,
            "after": after,
            "rule": rule,
        },
        columns=list(COLUMNS),
    )


def out_of_range(
    interviews: Interviews, codebook: Codebook, settings: Mapping[str, Any]
) -> tuple[Interviews, list[pd.DataFrame]]:
    """Make values outside the codebook's range missing, and counts that are not whole."""
    records: list[pd.DataFrame] = []
    for name in _numeric(codebook, settings):
        cells = _invalid(interviews, codebook, name)
        interviews, made = make_missing(
            interviews, name, cells, "out_of_range", str(settings["rule"])
        )
        records += made
    return interviews, records


def typed_missing_code(
    interviews: Interviews, codebook: Codebook, settings: Mapping[str, Any]
) -> tuple[Interviews, list[pd.DataFrame]]:
    """Make ``codes`` that were typed as if they were counts missing, as the kind ``kind``."""
    records: list[pd.DataFrame] = []
    kind = str(settings.get("kind", "out_of_range"))
    if kind not in MISSING_KINDS:
        raise PipelineError(
            "A kind of missing value is unknown.",
            place="clean.edits (typed_missing_code: kind)",
            found=kind,
            allowed=listed(MISSING_KINDS),
        )
    default = [variable.name for variable in codebook.counts if not variable.bins]
    for name in settings.get("variables") or default:
        codebook.number(name, "clean.edits (typed_missing_code: variables)")
        cells = interviews.answers[name].isin(list(settings["codes"])).to_numpy()
        interviews, made = make_missing(interviews, name, cells, kind, str(settings["rule"]))
        records += made
    return interviews, records


def part_above_whole(
    interviews: Interviews, codebook: Codebook, settings: Mapping[str, Any]
) -> tuple[Interviews, list[pd.DataFrame]]:
    """Where ``part`` exceeds ``whole``: raise the whole to it, or make the part missing.

    ``become: whole`` (the default) raises the whole; ``become: missing`` drops the part.
    """
    place = "clean.edits (part_above_whole)"
    part = codebook.number(settings["part"], place).name
    whole = codebook.number(settings["whole"], place).name
    values = interviews.counts([part, whole])
    cells = values[:, 0] > values[:, 1]
    rule = str(settings["rule"])
    if settings.get("become", "whole") == "missing":
        return make_missing(interviews, part, cells, "out_of_range", rule)
    return replace_counts(interviews, whole, np.where(cells, values[:, 0], np.nan), rule)


def implied_zero(
    interviews: Interviews, codebook: Codebook, settings: Mapping[str, Any]
) -> tuple[Interviews, list[pd.DataFrame]]:
    """Make counts 0 that were not asked because a filter question ruled them out."""
    place = "clean.edits (implied_zero)"
    question = codebook.answered(settings["filter"], settings["equals"], place)
    ruled_out = interviews.answers[question.name].isin(list(settings["equals"])).to_numpy()
    records: list[pd.DataFrame] = []
    for name in settings["variables"]:
        codebook.number(name, place)
        skipped = interviews.missing[name].isin(["not_asked", "system"]).to_numpy()
        zeros = np.where(ruled_out & skipped, 0.0, np.nan)
        interviews, made = replace_counts(interviews, name, zeros, str(settings["rule"]))
        records += made
    return interviews, records


def _numeric(codebook: Codebook, settings: Mapping[str, Any]) -> list[str]:
    names = settings.get("variables")
    if names is None:
        return [
            variable.name
            for variable in codebook.kept
            if variable.type == "numeric" and variable.role != "key"
        ]
    return [codebook.number(name, "clean.edits (variables)").name for name in names]


EDIT_RULES: dict[str, Edit] = {
    "out_of_range": out_of_range,
    "typed_missing_code": typed_missing_code,
    "part_above_whole": part_above_whole,
    "implied_zero": implied_zero,
}
