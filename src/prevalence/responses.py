"""From an export's values to typed responses: the same, whatever format the export came in.

Numbers become float64, texts lose blanks at their ends, dates become ISO 8601, ids become
pseudonyms. Codes of missing values stay codes here, so that the responses are still the export's;
`prevalence.decoding` gives them their meaning. Messages name columns, counts and number codes,
never an answer.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from prevalence.codebook import Codebook, Variable, canonical_code, is_number_code
from prevalence.errors import PipelineError, listed, suggestion
from prevalence.exports import Export, Value
from prevalence.identifiers import canonical_id, pseudonyms

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

# Stata knows no dots in names, SPSS's portable format neither small letters nor long names.
_NAME_LENGTH = {".dta": 32, ".por": 8}
_EXACT = 2**53  # from here on a number of a statistics program isn't exact
LARGEST_CODE = 10_000  # a larger number in a coded column could be a telephone number


def locate_variables(export: Export, codebook: Codebook, file: object) -> dict[str, str]:
    """Find the export's column of each variable that the codebook keeps.

    Names must agree to the letter, except where the format cannot hold them (Stata, SPSS portable):
    there the name as that format would spell it is taken, if it is the only one.

    Parameters
    ----------
    export
        The export.
    codebook
        The codebook.
    file
        The export's name, for messages.

    Returns
    -------
    dict
        Raw name to the export's column.

    Raises
    ------
    PipelineError
        If a column is missing.
    """
    columns = list(export.columns)
    found: dict[str, str] = {}
    length = _NAME_LENGTH.get(export.format)
    spelt: dict[str, list[str]] = {}
    for column in columns:
        spelt.setdefault(_spelling(column, length or 0), []).append(column)
    for variable in codebook.kept:
        if variable.raw in export.columns:
            found[variable.raw] = variable.raw
        elif (
            length is not None and len(near := spelt.get(_spelling(variable.raw, length), [])) == 1
        ):
            found[variable.raw] = near[0]
    missing = [variable.raw for variable in codebook.kept if variable.raw not in found]
    shared = [column for column, n in Counter(found.values()).items() if n > 1]
    if missing or shared:
        raise PipelineError(
            "Columns that the codebook lists are missing from the survey export."
            if missing
            else "The codebook lists variables that share one column of the survey export.",
            file=file,
            found=f"{len(columns)} columns, without {listed(missing)}"
            if missing
            else listed(shared),
            allowed=f"the {len(codebook.kept)} columns of {codebook.file}",
            remedy=_near(missing[0], columns)
            if missing
            else "Export the survey in a format that keeps its names (.sav or .csv).",
        )
    return found


def check_labels(export: Export, codebook: Codebook, file: object) -> None:
    """Refuse an export that labels a code as the codebook names another one: 1 female, 1=male.

    Parameters
    ----------
    export
        The export; formats without labels have none to contradict.
    codebook
        The codebook.
    file
        The export's name, for messages.

    Raises
    ------
    PipelineError
        For the first variable whose labels have changed places.
    """
    for raw, column in locate_variables(export, codebook, file).items():
        variable = next(one for one in codebook.kept if one.raw == raw)
        labels = export.value_labels.get(column, {})
        meant = {canonical_code(str(code)): _word(label) for code, label in labels.items()}
        named = {code: _word(value) for code, value in variable.codes.items()}
        wrong = {
            code: other
            for code, word in meant.items()
            for other, name in named.items()
            if code in named and other != code and word == name != named[code]
        }
        if wrong:
            code, other = next(iter(wrong.items()))
            raise PipelineError(
                "The labels of the survey export contradict the codebook.",
                file=file,
                place=f"column {raw}",
                found=f"code {code} is labelled as the codebook's code {other}, "
                f"{variable.codes[other]}; so are {len(wrong)} of {len(named)} codes",
                allowed=f"{code}={variable.codes[code]} (line {variable.line} of the codebook)",
                remedy="Find out which of the two is right: the codebook's order of codes, or the "
                "export's labels.",
            )


def _near(name: str, columns: Sequence[str]) -> str:
    """Name the column that a name may mean; one that differs in capitals alone before others."""
    for column in columns:
        if column.casefold() == name.casefold():
            return (
                f"Did you mean {column!r}? Capitals count: write the names as the export does, "
                "or export it again with its names as they were."
            )
    return suggestion(name, columns)


def _spelling(name: str, length: int) -> str:
    return re.sub(r"[^a-z0-9]", "_", name.lower())[:length]


def type_responses(export: Export, codebook: Codebook, key: str, file: object) -> pd.DataFrame:
    """Give every response its type, and every id its pseudonym.

    Parameters
    ----------
    export
        The export.
    codebook
        The codebook.
    key
        Key of the pseudonyms.
    file
        The export's name, for messages.

    Returns
    -------
    pandas.DataFrame
        One row an interview and one column a kept variable, by raw name in the codebook's order:
        float64 (NaN where the export holds nothing) or text (missing where it holds nothing). Rows
        are sorted by respondent, then by all other columns, so that the export's order is lost.

    Raises
    ------
    PipelineError
        If a column is missing, holds values of another type, ids that have lost digits, a code that
        the codebook doesn't list, a code that the export declares missing and the codebook
        doesn't, or counts of people that aren't whole; if the export's own labels give a code the
        meaning that another code has in the codebook.
    """
    import pandas as pd

    located = locate_variables(export, codebook, file)
    check_labels(export, codebook, file)
    typed: dict[str, Any] = {}
    for variable in codebook.kept:
        column = located[variable.raw]
        values = export.columns[column]
        spans = export.declared_missing.get(column, ())
        _check_declared_texts(values, export.declared_texts.get(column, ()), variable, file)
        if variable.role == "key":
            if spans:
                _check_declared(_numbers_among(values), spans, variable, file)
            values = _ids(values, variable, file)
            typed[variable.raw] = pd.array(
                [value or None for value in pseudonyms(key, variable.name, values)], dtype="str"
            )
        elif variable.is_number:
            numbers = _numbers(values, variable, file)
            _check_codes(numbers, variable, file)
            _check_declared(numbers, spans, variable, file)
            if variable.is_count:
                _check_whole(numbers, variable, file)
            typed[variable.raw] = numbers
        elif variable.type == "datetime":
            typed[variable.raw] = pd.array(_times(values, variable, file), dtype="str")
        else:
            texts = _texts(values, coded=variable.type == "categorical")
            _check_texts(texts, variable, file)
            typed[variable.raw] = pd.array(texts, dtype="str")
    frame = pd.DataFrame(typed)
    first = next(variable.raw for variable in codebook.kept if variable.name == "respondent")
    return _sorted(frame, first)


def _ids(values: Sequence[Value], variable: Variable, file: object) -> Sequence[Value]:
    """Ids as the export has them, nothing for a code that says that there is none."""
    rounded = sum(isinstance(value, int | float) and abs(value) >= _EXACT for value in set(values))
    if rounded:
        raise PipelineError(
            "Ids are numbers with more digits than the file can hold.",
            file=file,
            place=f"column {variable.raw}",
            found=f"{rounded:,} numbers of more than 15 digits, of which the last may be lost",
            allowed="such ids as text",
            remedy="Export the column as text, from where its digits are still there.",
        )
    none = set(variable.missing_codes)
    if not none:
        return values
    return [None if canonical_code(canonical_id(value)) in none else value for value in values]


def _sorted(frame: pd.DataFrame, first: str) -> pd.DataFrame:
    """Sort by one column, and rows that share its value by all the others."""
    frame = frame.sort_values(first, kind="stable", ignore_index=True)
    again = np.flatnonzero(frame[first].duplicated(keep=False).to_numpy())
    if again.size:
        order = [first, *(name for name in frame.columns if name != first)]
        place = np.arange(len(frame))
        place[again] = again[
            frame.iloc[again]
            .reset_index(drop=True)
            .sort_values(order, kind="stable")
            .index.to_numpy()
        ]
        frame = frame.iloc[place].reset_index(drop=True)
    return frame


def _wrong_type(variable: Variable, n: int, allowed: str, file: object) -> PipelineError:
    return PipelineError(
        "A column of the survey export holds values of another type.",
        file=file,
        place=f"column {variable.raw}",
        found=f"{n:,} values that are not {allowed}",
        allowed=f"{allowed} (type {variable.type} in the codebook, line {variable.line})",
        remedy="Export codes rather than labels and a point as decimal mark, or correct the "
        "column's type in the codebook.",
    )


def _numbers(values: Sequence[Value], variable: Variable, file: object) -> NDArray[np.float64]:
    kinds = set(map(type, values))
    if kinds <= {float, int, type(None)}:
        numbers = np.array(values, dtype=np.float64)
    elif kinds <= {str, type(None)}:
        # Few answers differ: each is read once.
        known = {value: _number(value, variable) for value in set(values)}
        no_numbers = {value for value, number in known.items() if number is None}
        if no_numbers:
            n = sum(value in no_numbers for value in values)
            raise _wrong_type(variable, n, "numbers", file)
        numbers = np.fromiter(map(known.__getitem__, values), np.float64, len(values))
    else:
        parsed = [_number(value, variable) for value in values]
        wrong = sum(number is None for number in parsed)
        if wrong:
            raise _wrong_type(variable, wrong, "numbers", file)
        numbers = np.array(parsed, dtype=np.float64)
    infinite = int(np.isinf(numbers).sum())
    if infinite:
        raise _wrong_type(variable, infinite, "finite numbers", file)
    return numbers


def _number(value: Value, variable: Variable) -> float | None:
    """One value as a number, NaN for nothing; None if it isn't a number."""
    if value is None:
        return float("nan")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if not text or is_number_code(text):
        return float(text or "nan")
    extended = variable.extended_codes.get(text.removeprefix("."))
    return None if extended is None else extended[0]


def _check_codes(numbers: NDArray[np.float64], variable: Variable, file: object) -> None:
    if variable.type != "categorical":
        return
    known = {float(code) for code in variable.codes} | set(variable.missing_numbers)
    present = numbers[np.isfinite(numbers)]
    codes, counts = np.unique(present[~np.isin(present, list(known))], return_counts=True)
    if codes.size:
        raise PipelineError(
            "A column of the survey export holds codes that the codebook doesn't list.",
            file=file,
            place=f"column {variable.raw}",
            found=_codes_told(codes, counts),
            allowed=listed([*variable.codes, *variable.missing_codes], 40),
            remedy=f"Add the codes to line {variable.line} of the codebook, or correct the export.",
        )


def _check_whole(numbers: NDArray[np.float64], variable: Variable, file: object) -> None:
    """Refuse parts of a person: such a column holds a mean, an amount or a wrong decimal mark."""
    answers = numbers[np.isfinite(numbers) & ~np.isin(numbers, list(variable.missing_numbers))]
    fractions = int((answers != np.floor(answers)).sum())
    if fractions:
        raise PipelineError(
            "A count of people holds parts of a person.",
            file=file,
            place=f"column {variable.raw}",
            found=f"{fractions:,} of {len(answers):,} answers that are no whole numbers",
            allowed=f"whole numbers (role {variable.role} in the codebook, line {variable.line})",
            remedy="Correct the export, or give the variable another role, such as covariate.",
        )


def _word(label: object) -> str:
    """Write a label as codebooks name values: small letters, digits and _."""
    return re.sub(r"[\W_]+", "_", str(label).casefold()).strip("_")


def _codes_told(codes: NDArray[np.float64], counts: NDArray[np.int64]) -> str:
    """Name what can be codes; any other number may be an answer, and is only counted."""
    codelike = (codes == np.round(codes)) & (np.abs(codes) < LARGEST_CODE)
    told = [f"{c:g} ({n} rows)" for c, n in zip(codes[codelike], counts[codelike], strict=True)]
    if not codelike.all():
        others = int(counts[~codelike].sum())
        told.append(f"{int((~codelike).sum())} numbers that can't be codes ({others} rows)")
    return listed(told)


def _check_declared(
    numbers: NDArray[np.float64],
    spans: Sequence[tuple[float, float]],
    variable: Variable,
    file: object,
) -> None:
    """Refuse codes that the export itself calls missing and the codebook would count as answers."""
    inside = np.zeros(numbers.shape, dtype=bool)
    for low, high in spans:
        inside |= (numbers >= low) & (numbers <= high)
    inside &= ~np.isin(numbers, list(variable.missing_numbers))
    if inside.any():
        raise PipelineError(
            "The survey export declares codes missing that the codebook doesn't.",
            file=file,
            place=f"column {variable.raw}",
            found=_codes_told(*np.unique(numbers[inside], return_counts=True)),
            allowed=listed(variable.missing_codes),
            remedy=f"Add them to missing_codes on line {variable.line} of the codebook.",
        )


def _numbers_among(values: Sequence[Value]) -> NDArray[np.float64]:
    """Numbers as they are, NaN for everything else."""
    numbers = [float(value) if isinstance(value, int | float) else np.nan for value in values]
    return np.array(numbers, dtype=np.float64)


def _check_declared_texts(
    values: Sequence[Value], texts: Sequence[str], variable: Variable, file: object
) -> None:
    """Refuse texts that the export itself calls missing and the codebook would take as answers."""
    declared = {text for text in texts if canonical_code(text) not in variable.missing_codes}
    rows = sum(isinstance(value, str) and value.strip() in declared for value in values)
    if rows:
        raise PipelineError(
            "The survey export declares codes missing that the codebook doesn't.",
            file=file,
            place=f"column {variable.raw}",
            found=f"{len(declared)} texts, in {rows:,} rows",
            allowed=listed(variable.missing_codes),
            remedy=f"Add them to missing_codes on line {variable.line} of the codebook.",
        )


def _texts(values: Sequence[Value], coded: bool) -> list[str | None]:
    texts: list[str | None] = []
    for value in values:
        text = "" if value is None else str(value).strip()
        if isinstance(value, float):
            text = "" if np.isnan(value) else f"{value:.17g}"
        texts.append((canonical_code(text) if coded else text) or None)
    return texts


def _check_texts(texts: Sequence[str | None], variable: Variable, file: object) -> None:
    if variable.type != "categorical":
        return
    known = set(variable.codes) | set(variable.missing_codes)
    strange = Counter(text for text in texts if text is not None and text not in known)
    if strange:
        raise PipelineError(
            "A column of the survey export holds codes that the codebook doesn't list.",
            file=file,
            place=f"column {variable.raw}",
            found=f"{len(strange)} unknown codes in {sum(strange.values()):,} rows",
            allowed=listed([*variable.codes, *variable.missing_codes], 40),
            remedy=f"Add the codes to line {variable.line} of the codebook, or correct the export.",
        )


def _times(values: Sequence[Value], variable: Variable, file: object) -> list[str | None]:
    # A code that says that there is no time stays that code.
    codes = {key: code for code in variable.missing_codes for key in (code, _time(code)) if key}
    times = []
    for value in values:
        time = _time(value)
        text = value.strip() if isinstance(value, str) else _code_text(value)
        times.append(codes.get(text) or codes.get(time or "") or time)
    wrong = sum(time == "" for time in times)
    if wrong:
        raise _wrong_type(variable, wrong, "dates as 2022-05-31T09:30:00", file)
    return times


def _code_text(value: Value) -> str:
    """Write a number as a code; anything else as nothing."""
    number = isinstance(value, int | float) and value == value  # noqa: PLR0124
    return canonical_code(f"{value:.15g}") if number else ""


def _time(value: Value) -> str | None:
    """One value as ISO 8601 local time; None for nothing, empty if it isn't a time."""
    if value is None or value != value or (isinstance(value, str) and not value.strip()):  # noqa: PLR0124
        return None
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value.strip())
        except ValueError:
            return ""
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None, microsecond=0).isoformat()
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day).isoformat()
    return ""


def describe_variables(export: Export, codebook: Codebook, file: object) -> pd.DataFrame:
    """List the kept variables with their labels and codes.

    Parameters
    ----------
    export
        The export; its labels fill in where the codebook has none.
    codebook
        The codebook.
    file
        The export's name, for messages.

    Returns
    -------
    pandas.DataFrame
        ``raw``, ``variable`` (the analysis name), ``label``, ``type``, ``role``, ``value_labels``
        and ``missing_codes`` (both JSON: code to text).
    """
    import pandas as pd

    located = locate_variables(export, codebook, file)
    rows = []
    for variable in codebook.kept:
        column = located[variable.raw]
        missing = {
            f"{code:g}" if variable.is_number else str(code): kind
            for code, kind in (
                variable.missing_numbers if variable.is_number else variable.missing_codes
            ).items()
        }
        rows.append(
            {
                "raw": variable.raw,
                "variable": variable.name,
                "label": variable.label or export.labels.get(column, ""),
                "type": variable.type,
                "role": variable.role,
                "value_labels": _json(variable.codes),
                "missing_codes": _json(missing),
            }
        )
    return pd.DataFrame(rows)


def _json(values: Mapping[str, str]) -> str:
    return json.dumps(dict(values), ensure_ascii=False)


def describe_dropped(
    export: Export, codebook: Codebook, kinds: Mapping[str, Sequence[str]], file: object
) -> pd.DataFrame:
    """List the columns of the export that are not used.

    Parameters
    ----------
    export
        The export.
    codebook
        The codebook.
    kinds
        Kinds of identifier that the scan saw, by column of the export.
    file
        The export's name, for messages.

    Returns
    -------
    pandas.DataFrame
        ``raw``; ``reason`` (``not_in_codebook`` or ``ignored``); ``n`` non-empty values;
        ``identifiers`` (kinds, divided by blanks).
    """
    import pandas as pd

    used = set(locate_variables(export, codebook, file).values())
    ignored = {variable.raw for variable in codebook.with_role("ignore")}
    rows = [
        {
            "raw": name,
            "reason": "ignored" if name in ignored else "not_in_codebook",
            "n": sum(value is not None and str(value).strip() != "" for value in values),
            "identifiers": " ".join(kinds.get(name, ())),
        }
        for name, values in export.columns.items()
        if name not in used
    ]
    return pd.DataFrame(rows, columns=["raw", "reason", "n", "identifiers"]).astype({"n": "int64"})
