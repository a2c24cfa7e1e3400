"""Labels, types and choices of an XLSForm: the questionnaire behind a CSV or Excel export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from prevalence.errors import PipelineError, listed
from prevalence.exports import Export, Value

_TYPES = {
    "integer": "numeric",
    "decimal": "numeric",
    "range": "numeric",
    "calculate": "text",
    "start": "datetime",
    "end": "datetime",
    "date": "datetime",
    "datetime": "datetime",
    "time": "text",
    "today": "datetime",
}
_NO_ANSWERS = (["note"], ["end", "group"], ["end", "repeat"])


@dataclass(frozen=True)
class Question:
    """One question of an XLSForm.

    Attributes
    ----------
    label
        Its text.
    type
        ``numeric``, ``categorical``, ``datetime`` or ``text``.
    choices
        Code to label, for a question with one choice.
    """

    label: str
    type: str
    choices: Mapping[str, str] = field(default_factory=dict)


def parse_xlsform(survey: Export, choices: Export | None, file: object) -> dict[str, Question]:
    """Read the questions of an XLSForm.

    Parameters
    ----------
    survey
        Its sheet ``survey``.
    choices
        Its sheet ``choices``, where it has one.
    file
        Its name, for messages.

    Returns
    -------
    dict
        Name of each question to the question.

    Raises
    ------
    PipelineError
        If a sheet lacks a column that XLSForms have.
    """
    lists: dict[str, dict[str, str]] = {}
    if choices is not None:
        names = _column(choices, ("list_name", "list name"), file, "choices")
        codes = _column(choices, ("name", "value"), file, "choices")
        for name, code, label in zip(names, codes, _labels(choices), strict=True):
            lists.setdefault(_text(name), {})[_text(code)] = _text(label)
    questions: dict[str, Question] = {}
    types = _column(survey, ("type",), file, "survey")
    names = _column(survey, ("name",), file, "survey")
    for kind, name, label in zip(types, names, _labels(survey), strict=True):
        words = _text(kind).split()
        grouping = words and (words[0].startswith("begin") or words[0].startswith("end_"))
        if not words or grouping or words in _NO_ANSWERS or not _text(name):
            continue
        mine = lists.get(words[1], {}) if words[0] == "select_one" and len(words) > 1 else {}
        of_type = "categorical" if mine else _TYPES.get(words[0], "text")
        questions[_text(name)] = Question(_text(label), of_type, mine)
    return questions


def _column(sheet: Export, names: Sequence[str], file: object, called: str) -> Sequence[Value]:
    for name in names:
        if name in sheet.columns:
            return sheet.columns[name]
    raise PipelineError(
        "An XLSForm lacks a column.",
        file=file,
        place=f"sheet {called}",
        found=f"columns {listed(sheet.columns)}",
        allowed=" or ".join(names),
        remedy="Give the form as it was uploaded: .xlsx, with the sheets survey and choices.",
    )


def _labels(sheet: Export) -> Sequence[Value]:
    """Labels in the form's first language; empty where it has none."""
    first = next((name for name in sheet.columns if name.lower().startswith("label")), None)
    return [""] * sheet.n if first is None else sheet.columns[first]


def _text(value: Value) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else " ".join(str(value).split())
