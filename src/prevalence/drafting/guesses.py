"""What can be told of a variable from its name, its labels and its answers; the rest is decided."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from prevalence.codebook import canonical_code, is_number_code
from prevalence.drafting.vocabulary import named, plain_words
from prevalence.exports import Value
from prevalence.open_decisions import MARK

COUNT = f"{MARK} known|child|hidden|hidden_item|ignore"
NUMBER = f"{MARK} covariate|known|child|hidden|hidden_item|ignore"
# What a variable of a type is, analysis name and role, if its name or label says so as a whole
# (`vocabulary`) or holds these words. The first that fits is taken, and each analysis name once.
ROLES: tuple[tuple[str, str, str, str], ...] = (
    ("text", r"\b(hh|hhid|household|dwelling)\b", "household", "key"),
    ("text", r"\b(psu|primary sampling unit|cluster|enumeration area|ea)\b", "psu", "key"),
    ("text", r"\b(ssu|barangay|brgy|village|segment)\b", "ssu", "key"),
    ("text", r"\b(interviewer|enumerator|int id)\b", "interviewer", "key"),
    ("text", r"\b(city|municipality)\b", "city", "key"),
    ("text", r"\b(strat|stratum|strata|estratos?|strates?)\b", "stratum", "design"),
    ("categorical", r"\bconsent", "consent", "consent"),
    ("categorical", r"\b(region)\b", "region", "domain"),
    ("categorical", r"\b(urban|rural|residence)\b", "urban", "domain"),
    ("categorical", r"\b(sex|gender)\b", "sex", "domain"),
    ("categorical", r"\bage (group|category)\b", "age_group", "domain"),
    (
        "numeric",
        r"\bage of (the )?respondent|\bage in years|^age$|\byour age\b",
        "age",
        "covariate",
    ),
    ("numeric", r"\b(weight|wgt|wt|pweight)\b", "base_weight", "base_weight"),
    ("datetime", r"\bstart", "interview_start", "paradata"),
    ("datetime", r"\bend", "interview_end", "paradata"),
)
# Not the respondent, nor an id or a weight of the sample: words alone don't name these.
_OTHERS = re.compile(
    r"\b(head|partner|spouse|husband|wife|child(ren)?|adults?|members?|persons?|people|victims?|"
    r"perpetrators?|income|size|how many|kgs?|kilos?|kilograms?|pounds|body|birth)\b",
    re.I,
)
# About the sample or the interview, but no id of it.
_NO_KEY = re.compile(
    r"\b(weights?|wgt|wt|pweight|poids|peso|timbang|comments?|remarks?|notes?|observations?)\b",
    re.I,
)
# Numbers by which questionnaires usually say that there is no answer, beside those below 0.
_USUAL_CODES = frozenset(
    {77, 88, 97, 98, 99, 777, 888, *range(995, 1000), 7777, 8888, *range(9995, 10_000), 99_999}
)
_PLAIN = ("text", "numeric", "categorical")
_MOST_CATEGORIES = 30
_LONGEST_CATEGORY = 40
_RESPONDENT = re.compile(
    r"\b(respondents?|resp|respid|respno|interview|interviewid|case|caseid|submission|response|"
    r"responseid|uuid|instanceid|questionnaire|quest|questno|questid|cuestionario|folio|record|"
    r"recordid|serial|sbjnum|entrevista|talatanungan)\b|^_?(id|key|qno)$",
    re.I,
)
_KINDS = (
    ("refused", re.compile(r"refus|declin|prefer not|no answer|rather not", re.I)),
    (
        "dont_know",
        re.compile(r"do(es)?n.?t know|do not know|\bdk\b|unsure|not sure|can.?t say", re.I),
    ),
    ("not_asked", re.compile(r"not asked|not applicable|\bn/?a\b|skip|inapplicable", re.I)),
)
_FILLER = re.compile(
    r"\b(the )?(number of|how many|do you|personally|know|known|people|persons)\b|[?:,]", re.I
)
_MOST_WORDS = 4


@dataclass(frozen=True)
class Column:
    """What an export, and perhaps a form, say of a variable.

    Attributes
    ----------
    name, label
        Its name and label.
    values
        Its answers.
    value_labels
        Code to label.
    missing
        Codes that the file declares missing.
    type
        The type that a form declares, if there is one.
    """

    name: str
    label: str
    values: Sequence[Value]
    value_labels: Mapping[str, str]
    missing: Sequence[str] = ()
    type: str = ""

    @cached_property
    def kind(self) -> str:
        """Type of its answers, as guessed."""
        return guessed_type(self)

    @cached_property
    def words(self) -> str:
        """Name and label as words, for the search of hints."""
        return " ".join([*plain_words(self.name), *plain_words(self.label)])


def missing_kind(label: str) -> str:
    """Kind of missing value that a value's label names; empty if it names an answer."""
    return next((kind for kind, pattern in _KINDS if pattern.search(label)), "")


def missing_codes(column: Column) -> dict[str, str]:
    """Codes of missing values with their kinds; `MARK` where the file doesn't say which.

    Parameters
    ----------
    column
        The variable.
    """
    found = {
        code: kind for code, label in column.value_labels.items() if (kind := missing_kind(label))
    }
    return {code: found.get(code, MARK) for code in column.missing} | found


def suspected_codes(column: Column) -> list[str]:
    """Numbers that look like codes of missing values, where the file declares none.

    Parameters
    ----------
    column
        The variable.

    Returns
    -------
    list of str
        Whole numbers below 0, and usual codes at least twice as large as every other answer; the
        smallest first. Nothing where the file says what some number stands for.
    """
    if missing_codes(column):
        return []
    answers = {float(str(value)) for value in column.values if _is_number(value)}
    usual = {number for number in answers if number in _USUAL_CODES}
    largest = max(answers - usual, default=0.0)
    found = {number for number in usual if number >= 2 * largest}
    found |= {number for number in answers if number < 0 and number.is_integer()}
    return [canonical_code(f"{number:.15g}") for number in sorted(found)]


def guessed_type(column: Column) -> str:
    """Type of a variable's answers, by the form, the labels and the answers themselves."""
    answers = [value for value in column.values if _answered(value)]
    missing = missing_codes(column)
    labelled = {code for code in column.value_labels if code not in missing}
    texts = {_code(value) for value in answers} - set(missing)
    if labelled and texts <= labelled:
        return "categorical"
    if answers and all(_is_time(value) for value in answers):
        return "datetime"
    numbers = bool(answers) and all(_is_number(value) for value in answers)
    if column.type in ("numeric", "datetime"):
        return "numeric" if numbers else "text"
    return "numeric" if numbers else "text"


def is_count(column: Column) -> bool:
    """Whether all answers are whole numbers from 0, as counts of people are."""
    missing = {*missing_codes(column), *suspected_codes(column)}
    numbers = [
        float(str(value))
        for value in column.values
        if _is_number(value) and canonical_code(_code(value)) not in missing
    ]
    return bool(numbers) and all(n >= 0 and n.is_integer() for n in numbers)


def is_respondent_id(column: Column) -> bool:
    """Whether a column names each interview, or nearly each (duplicates are found later)."""
    answers = [value for value in column.values if value is not None and str(value).strip()]
    distinct = len(set(answers))
    named_so = _RESPONDENT.search(column.words) and not _NO_KEY.search(column.words)
    return bool(named_so) and column.kind != "datetime" and distinct >= 0.95 * len(answers) > 0


def hinted_roles(columns: Sequence[Column]) -> dict[str, tuple[str, str]]:
    """Find analysis name and role of the variables whose names or labels say them.

    Parameters
    ----------
    columns
        The variables.

    Returns
    -------
    dict
        Analysis name and role by raw name. What a variable is called as a whole goes before what
        its words hint at, whichever stands first in the export.
    """
    found: dict[str, tuple[str, str]] = {}
    taken: set[str] = set()
    for whole in (True, False):
        for column in columns:
            if column.name not in found and (hint := _hinted(column, taken, whole)):
                found[column.name] = hint
                taken.add(hint[0])
    return found


def _hinted(column: Column, taken: set[str], whole: bool) -> tuple[str, str] | None:
    if _OTHERS.search(column.words):
        return None
    called = {named(column.name), named(column.label)}
    for of_type, pattern, name, role in ROLES:
        if name in taken:
            continue
        if role == "key" and (
            _NO_KEY.search(column.words) or not any(map(_answered, column.values))
        ):
            continue
        fits = column.kind == of_type or (role in ("key", "design") and column.kind in _PLAIN)
        if whole:
            coded = of_type == "categorical" and bool(categories(column))
            found = name in called and (fits or coded)
        else:
            found = fits and bool(re.search(pattern, column.words, re.I))
        if found:
            return name, role
    return None


def categories(column: Column) -> dict[str, str]:
    """Codes of a variable with few answers: labels of the file, else texts as they are.

    Parameters
    ----------
    column
        The variable.

    Returns
    -------
    dict
        Code to label, which is empty for a number that the file doesn't explain; nothing if there
        are many answers or long ones, or a code that a codebook can't hold.
    """
    missing = missing_codes(column)
    answers = [value for value in column.values if _answered(value)]
    found = {_code(value): "" if _is_number(value) else _code(value) for value in answers}
    found = {code: label for code, label in found.items() if code not in missing}
    if len(found) > _MOST_CATEGORIES or 2 * len(found) > len(answers):
        return {}
    if any(len(code) > _LONGEST_CATEGORY or set(code) & set(";=\n") for code in found):
        return {}
    return dict(sorted(found.items())) | dict(column.value_labels)


def asks_for_acquaintances(column: Column) -> bool:
    """Whether a variable's words say that it counts people whom the respondent knows."""
    return bool(re.search(r"\bknow|\bknown\b|\backquainted\b", column.words, re.I))


def topic(column: Column) -> str:
    """Say what a count is about: its label without `number of … known`."""
    return " ".join(_FILLER.sub(" ", column.label).split())


def analysis_name(column: Column, taken: set[str]) -> str:
    """Name a variable: by its label if that is short, else by its raw name; each name once."""
    words = topic(column).split()
    candidates = [" ".join(words)] if 0 < len(words) <= _MOST_WORDS else []
    for text in [*candidates, column.name]:
        name = slug(text)
        if name and name not in taken:
            return name
    base = slug(column.name) or "variable"
    return next(name for n in range(2, 10**6) if (name := f"{base}_{n}") not in taken)


def slug(text: str) -> str:
    """Small letters, digits and underlines, begun by a letter; empty if nothing is left."""
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return name if not name or name[0].isalpha() else f"v_{name}"


def _answered(value: Value) -> bool:
    return value is not None and bool(str(value).strip()) and value == value  # noqa: PLR0124


def _code(value: Value) -> str:
    if isinstance(value, int | float) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def _is_number(value: Value) -> bool:
    if isinstance(value, int | float):
        return math.isfinite(value)
    return isinstance(value, str) and is_number_code(value.strip())


def _is_time(value: Value) -> bool:
    if isinstance(value, dt.date):
        return True
    if not isinstance(value, str) or is_number_code(value.strip()):
        return False
    try:
        dt.datetime.fromisoformat(value.strip())
    except ValueError:
        return False
    return True
