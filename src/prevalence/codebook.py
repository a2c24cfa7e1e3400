"""The codebook: what each raw variable of an export means, and what part it plays.

One row a raw variable. What the codebook doesn't list is not used. It is the only place where a
survey's variable names, codes, ranges and roles stand, so that another survey needs no code.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from prevalence.bins import BIN_FORMAT, Bin, overlapping, parse_bin
from prevalence.errors import PipelineError, listed, suggestion
from prevalence.open_decisions import open_cells, refuse_open
from prevalence.plain_text import active_content

COLUMNS = (
    "raw",
    "variable",
    "label",
    "type",
    "role",
    "missing_codes",
    "minimum",
    "maximum",
    "top_code",
    "values",
    "group",
)
TYPES = ("numeric", "categorical", "text", "datetime")
COUNT_ROLES = ("known", "child", "hidden_item", "hidden")
ROLES = (
    "key",
    "consent",
    "design",
    "domain",
    "covariate",
    *COUNT_ROLES,
    "situation",
    "paradata",
    "base_weight",
    "ignore",
)
# In the order in which a reason wins when several items are combined into one.
MISSING_KINDS = ("refused", "dont_know", "out_of_range", "not_asked", "system")
# The group of a situation that is asked about whichever hidden group it concerns.
ALL_GROUPS = "all"
KEY_KINDS = ("respondent", "household", "psu", "ssu", "interviewer", "city")

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_EXTENDED = re.compile(r"\.[a-z]")
_UNLISTED_CODE = -1001.0


class _Wrong(Protocol):
    """The function that words a fault of one line."""

    def __call__(
        self, problem: str, column: str, found: object, allowed: object = None
    ) -> PipelineError: ...


@dataclass(frozen=True)
class Variable:
    """One raw variable.

    Attributes
    ----------
    raw, name
        Its name in the export and in the analysis.
    label
        What it is, in words.
    type
        ``numeric``, ``categorical``, ``text`` or ``datetime``.
    role
        The part it plays: one of `ROLES`.
    missing_codes
        Code to kind of missing value. Codes are numbers, texts, or Stata's ``.a`` to ``.z``.
    minimum, maximum
        Range of valid answers, or None.
    top_code
        The value at which the instrument itself cut answers off, or None.
    codes
        Code to analysis value, for categorical variables, or to the bin of a count that was asked
        in bins; codes in canonical form.
    group
        Group of the aggregate relational data, or an empty text.
    line
        Line of the codebook, for messages.
    """

    raw: str
    name: str
    label: str
    type: str
    role: str
    missing_codes: Mapping[str, str]
    minimum: float | None
    maximum: float | None
    top_code: float | None
    codes: Mapping[str, str]
    group: str
    line: int

    @property
    def is_number(self) -> bool:
        """Whether the export's answers are numbers: counts, amounts, or number codes."""
        if self.type == "categorical":
            return all(_NUMBER.fullmatch(code) for code in self.codes)
        return self.type == "numeric" and self.role != "key"

    @property
    def missing_numbers(self) -> dict[float, str]:
        """Number code to kind of missing value, Stata's extended codes included.

        An extended code stands for the number code of the same kind, so that an export in Stata's
        format gives the same responses as one in another; where there is none it gets a number of
        its own, below every answer.
        """
        numbers = {
            float(code): kind
            for code, kind in self.missing_codes.items()
            if _NUMBER.fullmatch(code)
        }
        for number, kind in self.extended_codes.values():
            numbers.setdefault(number, kind)
        return numbers

    @property
    def extended_codes(self) -> dict[str, tuple[float, str]]:
        """Stata's letters to the number that stands for them and the kind of missing value."""
        by_kind = {
            kind: float(code)
            for code, kind in self.missing_codes.items()
            if _NUMBER.fullmatch(code)
        }
        return {
            code[1]: (by_kind.get(kind, _UNLISTED_CODE - (ord(code[1]) - ord("a"))), kind)
            for code, kind in self.missing_codes.items()
            if _EXTENDED.fullmatch(code)
        }

    @cached_property
    def bins(self) -> dict[str, Bin]:
        """Bins of a count that was asked in bins, by how they are written; else none."""
        if not self.is_count:
            return {}
        found = {value: parse_bin(value) for value in self.codes.values()}
        return {value: one for value, one in found.items() if one is not None}

    @property
    def is_count(self) -> bool:
        """Whether it counts people known in a group."""
        return self.role in COUNT_ROLES


@dataclass(frozen=True)
class Codebook:
    """All variables of a survey, in the codebook's order.

    Attributes
    ----------
    variables
        One entry a row.
    file
        Where it stands, for messages.
    """

    variables: tuple[Variable, ...]
    file: str

    @property
    def kept(self) -> tuple[Variable, ...]:
        """Every variable but those with the role ``ignore``."""
        return tuple(variable for variable in self.variables if variable.role != "ignore")

    @property
    def counts(self) -> tuple[Variable, ...]:
        """The variables that count people known in a group."""
        return self.with_role(*COUNT_ROLES)

    @property
    def sources(self) -> dict[str, str]:
        """Where each analysis name comes from, in words; the weight under its name in tables."""
        return {
            "base_weight_supplied" if one.role == "base_weight" else one.name: (
                f"column {one.raw} of the export"
            )
            for one in self.kept
        }

    def with_role(self, *roles: str) -> tuple[Variable, ...]:
        """Return the variables with one of some roles."""
        return tuple(variable for variable in self.variables if variable.role in roles)

    def number(self, name: str, place: str) -> Variable:
        """Return the numeric variable of an analysis name.

        Parameters
        ----------
        name, place
            As in :meth:`named`.

        Raises
        ------
        PipelineError
            If there is none of that name, or it isn't numeric.
        """
        variable = self.named(name, place)
        if variable.type != "numeric" or variable.role == "key":
            raise PipelineError(
                "The config asks for a number where the codebook has none.",
                file=self.file,
                place=place,
                found=f"{name}, of type {variable.type} and role {variable.role}",
                allowed="a variable of the type numeric that is no key",
                remedy=f"Name another variable, or correct line {variable.line} of the codebook.",
            )
        return variable

    def answered(self, name: str, answers: Iterable[str], place: str) -> Variable:
        """Return the variable of an analysis name that can have some answers.

        Parameters
        ----------
        name, place
            As in :meth:`named`.
        answers
            Analysis values.

        Raises
        ------
        PipelineError
            If there is none of that name, or the codebook gives it no such value.
        """
        variable = self.named(name, place)
        known = list(variable.codes.values())
        strange = [answer for answer in answers if answer not in known]
        if strange:
            raise PipelineError(
                "The config names an answer that the codebook doesn't list.",
                file=self.file,
                place=f"{place}, {name}",
                found=listed(strange),
                allowed=listed(known) if known else "a categorical variable",
                remedy="Name analysis values, in quotation marks if they are yes or no.",
            )
        return variable

    def named(self, name: str, place: str) -> Variable:
        """Return the variable of an analysis name.

        Parameters
        ----------
        name
            The analysis name.
        place
            The config key that asks for it.

        Raises
        ------
        PipelineError
            If the codebook has no kept variable of that name.
        """
        for variable in self.kept:
            if variable.name == name:
                return variable
        known = [variable.name for variable in self.kept]
        raise PipelineError(
            "The config names a variable that the codebook doesn't list.",
            file=self.file,
            place=place,
            found=name,
            allowed=listed(known, 40),
            remedy=suggestion(name, known),
        )


def is_number_code(code: str) -> bool:
    """Whether a code is written as a number."""
    return bool(_NUMBER.fullmatch(code))


def canonical_code(code: str) -> str:
    """Write a code in one way: ``"01"``, ``"1.0"`` and ``"1"`` are the number 1; texts stay."""
    if not _NUMBER.fullmatch(code):
        return code
    number = float(code)
    return str(int(number)) if number.is_integer() else repr(number)


def parse_codebook(content: bytes, file: object) -> Codebook:
    """Read and check a codebook.

    Parameters
    ----------
    content
        The CSV file's bytes: UTF-8, the columns of `COLUMNS`.
    file
        Its name, for messages.

    Returns
    -------
    Codebook
        The checked codebook.

    Raises
    ------
    PipelineError
        For the first fault, with its line: unknown column, type, role or kind of missing value,
        name used twice, malformed code, range upside down, group missing or used twice.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise PipelineError(
            "The codebook is not UTF-8.",
            file=file,
            place=f"line {line}",
            remedy="Save it as CSV UTF-8.",
        ) from None
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise PipelineError(
            "The codebook is not a valid CSV file.",
            file=file,
            place=f"line {reader.line_num}",
            found=error,
            remedy="Mend the quotes on that line.",
        ) from None
    _check_header(reader.fieldnames or [], file)
    if not rows:
        raise PipelineError(
            "The codebook lists no variable.",
            file=file,
            remedy="Write a line for each variable that the pipeline may read.",
        )
    refuse_open(open_cells((line, row) for line, row in rows), file, "codebook")
    variables = tuple(_variable(row, line, file) for line, row in rows)
    _check_unique(variables, file)
    return Codebook(variables, str(file))


def _check_header(found: Iterable[str], file: object) -> None:
    names = [name or "" for name in found]
    if sorted(names) == sorted(COLUMNS):
        return
    missing = [name for name in COLUMNS if name not in names]
    strange = [name for name in names if name not in COLUMNS]
    raise PipelineError(
        "The codebook's columns are not the expected ones.",
        file=file,
        place="line 1",
        found=f"missing: {listed(missing)}; unknown: {listed(strange)}"
        if missing or strange
        else "a column twice",
        allowed=", ".join(COLUMNS),
        remedy="Copy the header of another survey's codebook.",
    )


def _variable(
    row: Mapping[str | None, str | list[str] | None], line: int, file: object
) -> Variable:
    def wrong(problem: str, column: str, found: object, allowed: object = None) -> PipelineError:
        return PipelineError(
            problem,
            file=file,
            place=f"line {line}, column {column}",
            found=found,
            allowed=allowed,
            remedy="Correct this line of the codebook.",
        )

    if None in row or any(row[column] is None for column in COLUMNS):
        raise wrong("A line has too many or too few fields.", "(all)", None, f"{len(COLUMNS)}")
    cell = {column: str(row[column]).strip() for column in COLUMNS}
    for column, names in (("type", TYPES), ("role", ROLES)):
        if cell[column] not in names:
            raise wrong(
                f"The {column} is unknown.", column, cell[column] or "nothing", listed(names, 20)
            )
    if not cell["raw"]:
        raise wrong("The raw variable has no name.", "raw", "nothing")
    if not _NAME.fullmatch(cell["variable"]):
        raise wrong(
            "The analysis name cannot be used.",
            "variable",
            cell["variable"] or "nothing",
            "a small letter, then small letters, digits or _",
        )
    missing = _pairs(cell["missing_codes"], "missing_codes", wrong)
    for code, kind in missing.items():
        if kind not in MISSING_KINDS:
            raise wrong(
                "A kind of missing value is unknown.",
                "missing_codes",
                f"{code}={kind}",
                listed(MISSING_KINDS),
            )
    codes = {
        canonical_code(code): value
        for code, value in _pairs(cell["values"], "values", wrong).items()
    }
    variable = Variable(
        raw=cell["raw"],
        name=cell["variable"],
        label=cell["label"],
        type=cell["type"],
        role=cell["role"],
        missing_codes={canonical_code(code): kind for code, kind in missing.items()},
        minimum=_number(cell["minimum"], "minimum", wrong),
        maximum=_number(cell["maximum"], "maximum", wrong),
        top_code=_number(cell["top_code"], "top_code", wrong),
        codes=codes,
        group=cell["group"],
        line=line,
    )
    _check_variable(variable, wrong)
    return variable


def _check_variable(variable: Variable, wrong: _Wrong) -> None:
    _check_plain(variable, wrong)
    if variable.role == "ignore":
        return
    _check_codes(variable, wrong)
    _check_bounds(variable, wrong)
    _check_group(variable, wrong)
    _check_key(variable, wrong)
    if variable.role == "base_weight" and variable.type != "numeric":
        raise wrong("A weight is numeric.", "type", variable.type, "numeric")
    _check_missing_range(variable, wrong)


def _check_plain(variable: Variable, wrong: _Wrong) -> None:
    texts = [("label", variable.label), *(("values", value) for value in variable.codes.values())]
    for column, text in texts:
        if active := active_content(text):
            raise wrong("A text is not plain.", column, active, "plain text")


def _check_bounds(variable: Variable, wrong: _Wrong) -> None:
    low, high, top = variable.minimum, variable.maximum, variable.top_code
    if low is not None and high is not None and low > high:
        raise wrong("The minimum is above the maximum.", "minimum", f"{low:g} > {high:g}")
    if top is not None and high is not None and top > high:
        raise wrong("The top code is above the maximum.", "top_code", f"{top:g} > {high:g}")
    if variable.type != "numeric" and any(bound is not None for bound in (low, high, top)):
        raise wrong("Only a numeric variable has a range.", "minimum", variable.type)


def _check_group(variable: Variable, wrong: _Wrong) -> None:
    if variable.is_count and variable.type not in ("numeric", "categorical"):
        raise wrong(
            "A count of people known is numeric, or categorical with its bins.",
            "type",
            variable.type,
            "numeric or categorical",
        )
    if variable.is_count and variable.codes:
        _check_bins(variable, wrong)
    elif variable.is_count and (variable.minimum is None or variable.minimum < 0):
        raise wrong(
            "A count of people known needs a minimum.", "minimum", variable.minimum, "0 or more"
        )
    needs_group = variable.is_count or variable.role == "situation"
    if needs_group and not _NAME.fullmatch(variable.group):
        raise wrong(
            f"A variable with the role {variable.role} names its group.",
            "group",
            variable.group or "nothing",
            "a small letter, then small letters, digits or _",
        )
    if variable.group and not needs_group:
        raise wrong("Only counts and situations have a group.", "group", variable.group)


def _check_bins(variable: Variable, wrong: _Wrong) -> None:
    strange = [value for value in variable.codes.values() if value not in variable.bins]
    if strange:
        raise wrong("An answer is no bin of counts.", "values", listed(strange), BIN_FORMAT)
    if overlapping(variable.bins) or len(variable.bins) < len(variable.codes):
        raise wrong("Bins of counts overlap.", "values", listed(variable.bins))


def _check_key(variable: Variable, wrong: _Wrong) -> None:
    if variable.role == "key" and variable.name not in KEY_KINDS:
        raise wrong(
            "A key has a fixed analysis name.", "variable", variable.name, listed(KEY_KINDS)
        )
    bounds = (variable.minimum, variable.maximum, variable.top_code)
    if variable.role == "key" and (
        variable.type not in ("text", "numeric") or any(bound is not None for bound in bounds)
    ):
        raise wrong(
            "A key becomes a pseudonym, so that it has no range and no values.",
            "type",
            variable.type,
            "text or numeric, with nothing under minimum, maximum, top_code and values",
        )
    if variable.name in KEY_KINDS and variable.role != "key":
        raise wrong(
            "This variable identifies a person or a place, so its role is key.",
            "role",
            variable.role,
            "key",
        )


def _check_codes(variable: Variable, wrong: _Wrong) -> None:
    if (variable.type == "categorical") != bool(variable.codes):
        raise wrong(
            "A categorical variable lists its codes, and no other does.",
            "values",
            variable.type,
            "1=yes;2=no for a categorical variable, empty for others",
        )
    if any(not value for value in variable.codes.values()):
        raise wrong("A code has no analysis value.", "values", "an empty value")
    both = sorted(set(variable.codes) & set(variable.missing_codes))
    if both:
        raise wrong(
            "A code is an answer and a missing value at once.", "missing_codes", listed(both)
        )
    if variable.is_number:
        strange = [
            code
            for code in variable.missing_codes
            if not (_NUMBER.fullmatch(code) or _EXTENDED.fullmatch(code))
        ]
        if strange:
            raise wrong(
                "The code of a missing value is not a number.", "missing_codes", listed(strange)
            )


def _check_missing_range(variable: Variable, wrong: _Wrong) -> None:
    low, high = variable.minimum, variable.maximum
    low, high = (-math.inf if low is None else low), (math.inf if high is None else high)
    inside = [
        f"{code:g}"
        for code in variable.missing_numbers
        if variable.type == "numeric" and math.isfinite(high) and low <= code <= high
    ]
    if inside:
        raise wrong(
            "The code of a missing value lies in the range of valid answers.",
            "missing_codes",
            listed(inside),
            f"a code outside {low:g} to {high:g}",
        )


def _check_unique(variables: tuple[Variable, ...], file: object) -> None:
    kept = [variable for variable in variables if variable.role != "ignore"]
    seen = (
        ("raw", [(variable.raw, variable.line) for variable in variables]),
        ("variable", [(variable.name, variable.line) for variable in kept]),
        ("group", [(variable.group, variable.line) for variable in kept if variable.is_count]),
    )
    for column, names in seen:
        first: dict[str, int] = {}
        for name, line in names:
            if name in first:
                raise PipelineError(
                    "A name stands twice in the codebook.",
                    file=file,
                    place=f"line {line}, column {column}",
                    found=f"{name}, also on line {first[name]}",
                    remedy="Give each variable one line, and each count a group of its own.",
                )
            first[name] = line
    if not any(variable.name == "respondent" for variable in kept):
        raise PipelineError(
            "The codebook names no respondent.",
            file=file,
            place="column variable",
            allowed="one variable named respondent, with the role key",
            remedy="Add the line of the variable that identifies an interview.",
        )


def _pairs(text: str, column: str, wrong: _Wrong) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        code, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not code:
            raise wrong("A code is malformed.", column, part, "code=value;code=value")
        if canonical_code(code) in pairs:
            raise wrong("A code stands twice.", column, code)
        pairs[canonical_code(code)] = value
    return pairs


def _number(text: str, column: str, wrong: _Wrong) -> float | None:
    if not text:
        return None
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise wrong("A bound is not a number.", column, text, "a number, or nothing")
    return float(text)
