"""What a file holds, as far as a manifest says it: hash, size, rows, columns, words.

For tables a manifest keeps a fingerprint of each column, so that a run on another machine can be
compared within a tolerance where bytes differ, and a difference can be told by column and row. Of
tables that hold restricted data nothing but hash, size and shape is kept.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Description = dict[str, Any]
TABLES = ("csv", "parquet")
DOCUMENTS = ("html", "pdf", "docx")
PICTURES = ("svg", "png")
# Tables beyond this many rows are told by column alone.
MOST_ROWS = 5000
MOST_COLUMNS = 40
# Sampled tables beyond this many rows hold a row a respondent or a draw.
MOST_CELLS = 1000
_SMALLEST = 1e-6
_GOLDEN = (5**0.5 - 1) / 2
_DIGEST = 4
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_PLACE_OF_A_NUMBER = "\N{NUMBER SIGN}"


def kind_of(path: str) -> str:
    """Kind of a file by its name.

    Parameters
    ----------
    path
        Its path.

    Returns
    -------
    str
        ``table``, ``values`` (JSON), ``document``, ``picture`` or ``text``.
    """
    suffix = path.rsplit(".", 1)[-1].lower()
    if suffix in TABLES:
        return "table"
    if suffix in DOCUMENTS:
        return "document"
    if suffix in PICTURES:
        return "picture"
    return "values" if suffix in ("json", "csv-metadata") else "text"


def sha256(content: bytes) -> str:
    """SHA-256 of a content, hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def described(
    path: str,
    content: bytes,
    *,
    values: bool,
    rows: bool = True,
    cells: bool = False,
    apart: Sequence[str] = (),
) -> Description:
    """Describe a file for a manifest.

    Parameters
    ----------
    path
        Its path; the suffix says what it holds.
    content
        Its bytes.
    values
        Whether fingerprints of its values may be kept: not for restricted data.
    rows
        Whether a digest of each row is kept as well.
    cells
        Whether each number is kept: of sampled tables, which are compared row by row; never of one
        that has a row a respondent.
    apart
        Texts that two renderers set differently by design (identity, name of the renderer): they
        don't count among a document's words.

    Returns
    -------
    dict
        ``sha256`` and ``size``; for tables ``rows`` and ``columns`` (names, or fingerprints by
        name), with `cells` also ``cells``; for documents and JSON ``words`` and ``numbers`` (how
        many, and a hash of them), ``frame`` (a hash of the words without their numbers) and
        ``figures`` (the numbers in their order).
    """
    found: Description = {"sha256": sha256(content), "size": len(content)}
    kind = kind_of(path)
    if kind == "table":
        frame = read_table(path, content)
        found |= _table(frame, values=values, rows=rows)
        by_person = "respondent" in frame
        if values and cells and not by_person and 0 < len(frame) <= MOST_CELLS:
            found["cells"] = _cells(frame)
    elif values and kind == "values":
        found |= _table(leaves_table(json.loads(content)), values=True, rows=rows)
        found |= _words(words_of(path, content, apart))
    elif values and kind in ("document", "text") and _readable(path):
        found |= _words(words_of(path, content, apart))
    return found


def _readable(path: str) -> bool:
    return kind_of(path) == "document" or path.rsplit(".", 1)[-1] in ("md", "qmd", "yml", "txt")


def read_table(path: str, content: bytes) -> pd.DataFrame:
    """Read a table from its bytes.

    Parameters
    ----------
    path
        Its name, which says whether it is CSV or Parquet.
    content
        Its bytes.

    Returns
    -------
    pandas.DataFrame
        The table; only the empty field of a CSV is missing.
    """
    import pandas as pd

    stream = io.BytesIO(content)
    if path.endswith(".parquet"):
        return pd.read_parquet(stream)
    if not content.strip():
        return pd.DataFrame()
    return pd.read_csv(stream, keep_default_na=False, na_values=[""], low_memory=False)


def leaves_table(value: object) -> pd.DataFrame:
    """Lay out JSON as a table, so that it is compared as one.

    Parameters
    ----------
    value
        Parsed JSON.

    Returns
    -------
    pandas.DataFrame
        Columns ``key``, ``number`` and ``text``: one row a leaf, in the order of the file.
    """
    import pandas as pd

    rows = list(_leaves(value, ""))
    return pd.DataFrame(
        {
            "key": [key for key, _ in rows],
            "number": [_number(leaf) for _, leaf in rows],
            "text": [str(leaf) if np.isnan(_number(leaf)) else None for _, leaf in rows],
        }
    )


def _number(leaf: object) -> float:
    """Give a leaf as a number; NaN for what is none, truth values included."""
    if isinstance(leaf, int | float) and not isinstance(leaf, bool):
        return float(leaf)
    return float("nan")


def _leaves(value: object, place: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{place}[{number}]")
    else:
        yield place, value


def _table(frame: pd.DataFrame, *, values: bool, rows: bool) -> Description:
    names = [str(name) for name in frame.columns]
    if not values:
        return {"rows": len(frame), "columns": names}
    columns = {str(name): fingerprint(frame[name]) for name in frame.columns[:MOST_COLUMNS]}
    if len(names) > MOST_COLUMNS:  # replicates: hundreds of columns of one kind
        rest = frame.iloc[:, MOST_COLUMNS:]
        columns[f"{names[MOST_COLUMNS]} … {names[-1]}"] = fingerprint(_stacked(rest))
    found: Description = {"rows": len(frame), "columns": columns}
    if rows and 0 < len(frame) <= MOST_ROWS:
        found["row_digests"] = row_digests(frame)
    return found


def _cells(frame: pd.DataFrame) -> dict[str, str]:
    """Numbers of every numeric column, with a space between; ``nan`` where one is missing."""
    return {
        str(name): " ".join(
            f"{value:.12g}" for value in frame[name].to_numpy(float, na_value=np.nan)
        )
        for name in frame.columns
        if is_numeric(frame[name])
    }


def _stacked(frame: pd.DataFrame) -> pd.Series:
    import pandas as pd

    return pd.concat([frame[name] for name in frame.columns], ignore_index=True)


def is_numeric(column: pd.Series) -> bool:
    """Whether a column holds numbers (truth values aside)."""
    import pandas as pd

    return bool(
        pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)
    )


def fingerprint(column: pd.Series) -> Any:
    """Say what a column holds in a few numbers that change when it does.

    Parameters
    ----------
    column
        A column of a table, shape (n,).

    Returns
    -------
    list of float, or str
        For numbers ``[missing, sum, least, most, mark, count]``. The mark is the weighted sum of
        ``sign(x) log(1 + |x| / 1e-6)`` with weights ``1 + frac(i g)`` (g the golden ratio): a
        relative change of d in any one row moves it by about d, so that it shows what a sum of
        large and small numbers hides, and the order of rows. For texts a hash.
    """
    if not is_numeric(column):
        texts = column.astype(object).where(column.notna(), "\x1e").astype(str)
        return sha256("\x1f".join(texts).encode())[:16]
    values = column.to_numpy(float, na_value=np.nan)
    known = np.isfinite(values)
    missing = int(np.sum(~known))
    if missing == len(values):
        return [missing, 0.0, 0.0, 0.0, 0.0, len(values)]
    shown = values[known]
    weights = 1.0 + np.modf(np.arange(1, len(values) + 1) * _GOLDEN)[0]
    sizes = np.log1p(np.abs(shown) / _SMALLEST)
    mark = float(np.sum(weights[known] * np.sign(shown) * sizes))
    numbers = (np.sum(shown), np.min(shown), np.max(shown), mark)
    return [missing, *(float(f"{number:.15g}") for number in numbers), len(values)]


def row_digests(frame: pd.DataFrame) -> str:
    """Digest each row in four digits, so that a manifest can say which rows differ.

    Parameters
    ----------
    frame
        A table.

    Returns
    -------
    str
        Four hexadecimal digits a row, one after another. Numbers count by nine significant digits.
    """
    texts = [_texts(frame[name]) for name in frame.columns]
    rows = zip(*texts, strict=True)
    return "".join(sha256("\x1f".join(row).encode())[:_DIGEST] for row in rows)


def _texts(column: pd.Series) -> list[str]:
    if is_numeric(column):
        values: NDArray[np.float64] = column.to_numpy(float, na_value=np.nan)
        return [f"{value:.9g}" for value in values]
    return [str(value) for value in column.astype(object).where(column.notna(), "")]


def differing_rows(before: str, after: str) -> list[int]:
    """Rows (counted from 1) whose digests differ, up to the shorter table's end."""
    size = min(len(before), len(after))
    return [
        place // _DIGEST + 1
        for place in range(0, size, _DIGEST)
        if before[place : place + _DIGEST] != after[place : place + _DIGEST]
    ]


def words_of(path: str, content: bytes, apart: Sequence[str] = ()) -> list[str]:
    """Words and numbers of a document, without what renderers set differently.

    Parameters
    ----------
    path
        Its name.
    content
        Its bytes.
    apart
        Texts to leave out.

    Returns
    -------
    list of str
        In the order of the document.
    """
    from prevalence.pdf import page_texts
    from prevalence.report.normalise import docx_text, html_text, words

    if path.endswith(".docx"):
        text = docx_text(content)
    elif path.endswith(".pdf"):
        text = "\n".join(page_texts(content))
    elif path.endswith(".html"):
        text = html_text(content.decode("utf-8"))
    else:
        text = content.decode("utf-8")
    for known in apart:
        text = text.replace(known, " ")
    return words(text)


def _words(words: list[str]) -> Description:
    numbers = [word for word in words if _NUMBER.fullmatch(word)]
    frame = [_NUMBER.sub(_PLACE_OF_A_NUMBER, word) for word in words]
    return {
        "words": [len(words), _hashed(words)],
        "numbers": [len(numbers), _hashed(sorted(numbers))],
        "frame": _hashed(frame),
        "figures": " ".join(figure for word in words for figure in _NUMBER.findall(word)),
    }


def _hashed(words: list[str]) -> str:
    return sha256("\n".join(words).encode())[:16]


def figures_apart(before: str, after: str) -> tuple[int, int]:
    """Compare the numbers of two documents that have the same words.

    Parameters
    ----------
    before, after
        Numbers as printed, in their order, with a space between.

    Returns
    -------
    tuple of int
        How many differ, and how many of these by more than one in the last printed digit.
    """
    pairs = zip(before.split(), after.split(), strict=True)
    differing = [(was, now) for was, now in pairs if was != now]
    return len(differing), sum(not _last_digit(was, now) for was, now in differing)


def _last_digit(was: str, now: str) -> bool:
    """Whether two printed numbers are a step of the last digit apart; a comma sets thousands."""
    try:
        numbers = [Decimal(text.replace(",", "")) for text in (was, now)]
    except InvalidOperation:  # such as 1.2.3
        return False
    exponents = [int(number.as_tuple().exponent) for number in numbers]
    return exponents[0] == exponents[1] and abs(numbers[0] - numbers[1]) <= Decimal(
        (0, (1,), exponents[0])
    )
