"""Derived variables: recodes, classes, pasted and summed variables, by the config."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from prevalence.errors import PipelineError, check_known, listed

if TYPE_CHECKING:
    import pandas as pd

_FEWEST = 3  # interviews that share a value which a message may name: others may be an answer alone


def derive_variables(
    answers: pd.DataFrame, definitions: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """Add derived variables, in the config's order.

    Parameters
    ----------
    answers
        One row an interview, one column a variable.
    definitions
        The config's ``clean.derive``: name to one of ``{from, map}`` (new value to list of old
        ones), ``{from, breaks, labels}`` (classes ``[break, next)``), ``{paste, separator}``,
        ``{sum}`` or ``{from}`` (a copy).

    Returns
    -------
    pandas.DataFrame
        The answers and the derived variables. A derived value is missing where a source is.

    Raises
    ------
    PipelineError
        If a source doesn't exist, an answer has no place in a map or among the breaks, the labels
        don't fit the breaks, or the ids would be replaced.
    """
    answers = answers.copy()
    for name, definition in definitions.items():
        place = f"clean.derive.{name}"
        if name == "respondent":
            raise PipelineError(
                "A derived variable would replace the respondents' ids.",
                place=place,
                found=name,
                remedy="Choose another name.",
            )
        sources = definition.get("paste") or definition.get("sum") or [definition.get("from")]
        for source in sources:
            check_known(
                str(source),
                answers.columns,
                "A derived variable rests on a variable that doesn't exist.",
                place=place,
            )
        answers[name] = _derived(answers, definition, place)
    return answers


def _derived(answers: pd.DataFrame, definition: Mapping[str, Any], place: str) -> pd.Series[Any]:
    if "map" in definition:
        return _mapped(answers[definition["from"]], definition["map"], place)
    if "breaks" in definition:
        return _classed(answers[definition["from"]], definition, place)
    if "paste" in definition:
        return _pasted(answers[definition["paste"]], definition.get("separator", " "))
    if "sum" in definition:
        for source in definition["sum"]:
            _check_number(answers[source], source, place)
        total = answers[definition["sum"]].to_numpy(dtype=np.float64).sum(axis=1)
        return _series(total)
    return _series(answers[definition["from"]])


def _series(values: Any, dtype: Any = None) -> pd.Series[Any]:
    import pandas as pd

    series: pd.Series[Any] = pd.Series(values, dtype=dtype)
    return series


def _check_number(source: pd.Series, name: str, place: str) -> None:
    if source.dtype != np.float64:
        raise PipelineError(
            "A derived variable makes numbers of a variable that has none.",
            place=place,
            found=name,
            allowed="a numeric variable",
            remedy="Use map: for texts, or name a numeric variable.",
        )


def _mapped(source: pd.Series, groups: Mapping[str, list[Any]], place: str) -> pd.Series:
    names: dict[str, str] = {}
    for new, olds in groups.items():
        for old in olds:
            if _written(old) in names:
                raise PipelineError(
                    "A value stands twice in a map.",
                    place=place,
                    found=old,
                    remedy="Leave it in one of its classes.",
                )
            names[_written(old)] = str(new)
    values = [None if _absent(value) else _written(value) for value in source]
    unknown = Counter(value for value in values if value is not None and value not in names)
    if unknown:
        told = [f"{value} ({n})" for value, n in sorted(unknown.items()) if n >= _FEWEST]
        rare = len(unknown) - len(told)
        raise PipelineError(
            "Values have no place in a map.",
            place=f"{place}.map",
            found=listed(told + ([f"{rare} values of fewer than {_FEWEST}"] if rare else [])),
            allowed=listed(names, 40),
            remedy="Add them to the map.",
        )
    return _series([None if value is None else names[value] for value in values], "str")


def _written(value: object) -> str:
    """Write a value as text, whole numbers as a config has them: 1, not 1.0."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _absent(value: object) -> bool:
    return value is None or (isinstance(value, float) and bool(np.isnan(value)))


def _classed(source: pd.Series, definition: Mapping[str, Any], place: str) -> pd.Series:
    breaks, labels = list(definition["breaks"]), list(definition["labels"])
    if len(labels) != len(breaks) or breaks != sorted(set(breaks)):
        raise PipelineError(
            "The classes of a derived variable don't fit.",
            place=place,
            found=f"{len(breaks)} breaks, {len(labels)} labels",
            allowed="rising breaks, and one label for each: the last class has no upper end",
            remedy="Correct breaks or labels.",
        )
    _check_number(source, definition["from"], place)
    values = source.to_numpy(dtype=np.float64)
    below = int((values < breaks[0]).sum())
    if below:
        raise PipelineError(
            "Values lie below the first class.",
            place=f"{place}.breaks",
            found=f"{below:,} values below {breaks[0]}",
            remedy="Begin the classes lower, or screen these interviews out.",
        )
    index = np.searchsorted(breaks, values, side="right") - 1
    return _series(
        [
            None if np.isnan(value) else str(labels[i])
            for value, i in zip(values, index, strict=True)
        ],
        "str",
    )


def _pasted(sources: pd.DataFrame, separator: str) -> pd.Series:
    rows = sources.astype(object).itertuples(index=False)
    return _series(
        [None if any(map(_absent, row)) else separator.join(map(_written, row)) for row in rows],
        "str",
    )
