"""The sample flow: from sampled households to analysed interviews, nobody lost without a reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from prevalence.screening import Step

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("step", "stage", "code", "label", "n", "excluded", "reason")
# AAPOR Standard Definitions: codes by their first digits, in the order in which a sample thins out.
DISPOSITIONS = (
    ("not_eligible", "not eligible", ("4",)),
    ("unknown_eligibility", "eligibility unknown", ("3",)),
    ("non_contact", "not contacted", ("2.2",)),
    ("refusal", "refused", ("2.1",)),
    ("other_non_interview", "eligible, no interview for another reason", ("2",)),
)


def sample_flow(frame: pd.DataFrame | None, interviews: int, steps: Sequence[Step]) -> pd.DataFrame:
    """Count how the sample thins out.

    Parameters
    ----------
    frame
        The sampling frame with AAPOR dispositions, one row a household, or None.
    interviews
        Number of interviews in the export.
    steps
        What each screening rule did.

    Returns
    -------
    pandas.DataFrame
        ``step`` (1, 2, …), ``stage`` (sample, interview, analysis), ``code``, ``label``, ``n``
        (remaining after the step), ``excluded`` (by the step) and ``reason``.
    """
    import pandas as pd

    rows: list[tuple[str, str, str, int, int, str]] = []
    reason = ""
    if frame is not None:
        rows, completed = _household_rows(frame)
        differ = interviews - completed
        if differ:
            reason = (
                f"{abs(differ):,} {'more' if differ > 0 else 'fewer'} than completed households"
            )
    rows.append(("interview", "export", "interviews in the export", interviews, 0, reason))
    rows += [
        ("interview", step.rule, step.label, step.remaining, step.excluded, step.reason)
        for step in steps
    ]
    analysed = steps[-1].remaining if steps else interviews
    rows.append(("analysis", "analysed", "analysed interviews", analysed, 0, ""))
    table = pd.DataFrame(rows, columns=list(COLUMNS[1:]))
    table.insert(0, "step", range(1, len(table) + 1))
    return table


def _household_rows(
    frame: pd.DataFrame,
) -> tuple[list[tuple[str, str, str, int, int, str]], int]:
    codes = [str(code) for code in frame["disposition"]]
    remaining = len(codes)
    rows = [("sample", "sampled", "sampled households", remaining, 0, "")]
    taken: set[int] = set()
    for code, label, prefixes in DISPOSITIONS:
        here = {
            row
            for row, disposition in enumerate(codes)
            if disposition.startswith(prefixes) and row not in taken
        }
        taken |= here
        remaining -= len(here)
        reason = f"AAPOR disposition {', '.join(prefixes)}" + ("" if "." in prefixes[0] else ".x")
        rows.append(("sample", code, label, remaining, len(here), reason))
    rows.append(("sample", "completed", "completed or partial interviews", remaining, 0, ""))
    return rows, remaining
