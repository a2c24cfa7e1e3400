"""From responses to answers: analysis names, analysis values, and typed missing values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from prevalence.codebook import MISSING_KINDS, Codebook, Variable, canonical_code
from prevalence.errors import PipelineError, listed

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

KINDS = ["", *MISSING_KINDS]  # an answer, or why there is none


@dataclass(frozen=True)
class Interviews:
    """Answers of interviews, and why the missing ones are missing.

    Attributes
    ----------
    answers
        One row an interview, one column a variable by analysis name: float64 (NaN where missing)
        or text (missing where missing).
    missing
        The same shape: the kind of missing value, empty where there is an answer; each column a
        categorical one, a byte a cell.
    """

    answers: pd.DataFrame
    missing: pd.DataFrame

    @property
    def n(self) -> int:
        """Number of interviews."""
        return len(self.answers)

    def where(self, keep: NDArray[np.bool_]) -> Interviews:
        """Return the interviews that a mask keeps."""
        return Interviews(
            self.answers[keep].reset_index(drop=True), self.missing[keep].reset_index(drop=True)
        )

    def with_answers(
        self, name: str, answers: pd.Series, missing: NDArray[np.object_]
    ) -> Interviews:
        """Return the interviews with one variable replaced or added."""
        import pandas as pd

        return Interviews(
            self.answers.assign(**{name: answers.to_numpy(copy=True)}).astype(
                {name: answers.dtype}
            ),
            self.missing.assign(**{name: pd.Categorical(missing, categories=KINDS)}),
        )

    def counts(self, names: list[str]) -> NDArray[np.float64]:
        """Return some numeric variables as an array of shape (n, number of names)."""
        return self.answers[names].to_numpy(dtype=np.float64).reshape(self.n, len(names))


def decode_responses(responses: pd.DataFrame, codebook: Codebook) -> Interviews:
    """Name, decode and type the responses as the codebook says.

    Parameters
    ----------
    responses
        Typed responses by raw name, as `prevalence.responses.type_responses` gives them.
    codebook
        The codebook.

    Returns
    -------
    Interviews
        Answers by analysis name. A code of a missing value gets its kind; nothing at all is
        ``system``. Values outside the valid range are still there: an edit deals with them.

    Raises
    ------
    PipelineError
        If the responses were made with another codebook.
    """
    import pandas as pd

    absent = [variable.raw for variable in codebook.kept if variable.raw not in responses]
    if absent:
        raise PipelineError(
            "The responses lack variables of the codebook.",
            file=codebook.file,
            found=listed(absent),
            remedy="Run ingest again.",
        )
    answers: dict[str, pd.Series] = {}
    missing: dict[str, Any] = {}
    for variable in codebook.kept:
        column = responses[variable.raw]
        decode = _decode_number if variable.is_number else _decode_text
        values, kinds = decode(column, variable)
        if variable.bins:
            values = values.map({text: one.count for text, one in variable.bins.items()})
            values = values.astype("float64")
        answers[variable.name] = values
        missing[variable.name] = pd.Categorical.from_codes(kinds, dtype=pd.CategoricalDtype(KINDS))
    return Interviews(pd.DataFrame(answers), pd.DataFrame(missing))


def _decode_number(column: pd.Series, variable: Variable) -> tuple[pd.Series, NDArray[np.int8]]:
    """Answers of a variable with number codes, and the place of each one's kind in `KINDS`."""
    import pandas as pd

    codes = column.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    kinds = np.zeros(codes.shape, dtype=np.int8)
    kinds[np.isnan(codes)] = KINDS.index("system")
    for code, kind in variable.missing_numbers.items():
        kinds[codes == code] = KINDS.index(kind)
    if variable.type == "numeric":
        return pd.Series(np.where(kinds == 0, codes, np.nan)), kinds
    names = {float(code): name for code, name in variable.codes.items()}
    distinct, places = np.unique(codes, return_inverse=True)
    texts = np.array([names.get(code) for code in distinct.tolist()], dtype=object)[places]
    texts[kinds != 0] = None
    return pd.Series(texts, dtype="str"), kinds


def _decode_text(column: pd.Series, variable: Variable) -> tuple[pd.Series, NDArray[np.int8]]:
    """Answers of a variable with texts, and the place of each one's kind in `KINDS`."""
    import pandas as pd

    if not variable.codes and not variable.missing_codes:
        absent = column.isna().to_numpy()
        return column.astype("str"), np.where(absent, KINDS.index("system"), 0).astype(np.int8)
    texts: list[str | None] = []
    kinds: list[int] = []
    for value in column.astype(object).where(column.notna(), None):
        kind = "system" if value is None else variable.missing_codes.get(canonical_code(value), "")
        kinds.append(KINDS.index(kind))
        named = variable.codes.get(value, value) if variable.codes else value
        texts.append(None if kind else named)
    return pd.Series(texts, dtype="str"), np.array(kinds, dtype=np.int8)
