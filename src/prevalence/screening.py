"""Screening: which interviews are valid, by named rules in the config's order.

Each rule gets the interviews that the rules before it left, and says which of them it excludes.
None looks at the order of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from prevalence.codebook import Codebook
from prevalence.decoding import Interviews
from prevalence.errors import PipelineError, check_known

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

Rule = Callable[[Interviews, Codebook, Mapping[str, Any]], "NDArray[np.bool_]"]


@dataclass(frozen=True)
class Step:
    """What one screening rule did.

    Attributes
    ----------
    rule
        Its name.
    label
        What it excludes, in words.
    remaining, excluded
        Numbers of interviews after it, and excluded by it.
    reason
        The rule's settings, in words.
    """

    rule: str
    label: str
    remaining: int
    excluded: int
    reason: str


def screen_interviews(
    interviews: Interviews, codebook: Codebook, rules: Sequence[Mapping[str, Any]]
) -> tuple[Interviews, list[Step]]:
    """Apply screening rules one after the other.

    Parameters
    ----------
    interviews
        All interviews of the export.
    codebook
        The codebook.
    rules
        The config's ``clean.screening``: each with its name under ``rule``, and its settings.

    Returns
    -------
    Interviews
        The valid interviews.
    list of Step
        One entry a rule, in order.

    Raises
    ------
    PipelineError
        If a rule is unknown, names a variable that doesn't exist, or excludes everybody.
    """
    steps = []
    for number, settings in enumerate(rules):
        name = str(settings["rule"])
        check_known(
            name,
            SCREENING_RULES,
            "A screening rule is unknown.",
            place=f"clean.screening.{number}.rule",
        )
        label, rule = SCREENING_RULES[name]
        excluded = rule(interviews, codebook, settings)
        interviews = interviews.where(~excluded)
        options = {key: value for key, value in settings.items() if key != "rule"}
        reason = "; ".join(f"{key}: {_words(value)}" for key, value in options.items())
        steps.append(Step(name, label, interviews.n, int(excluded.sum()), reason))
        if interviews.n == 0:
            raise PipelineError(
                "Screening leaves no interview.",
                place=f"clean.screening.{number}",
                found=f"rule {name} excludes the last {int(excluded.sum()):,}",
                remedy="Check the rule's settings and the codes of its variable.",
            )
    return interviews, steps


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _variable(codebook: Codebook, settings: Mapping[str, Any], key: str, default: str) -> str:
    name = str(settings.get(key, default))
    return codebook.named(name, f"clean.screening ({settings['rule']}: {key})").name


def without_consent(
    interviews: Interviews, codebook: Codebook, settings: Mapping[str, Any]
) -> NDArray[np.bool_]:
    """Exclude interviews whose answer is none of ``keep``, or is missing.

    The variable has the rule's name, consent or eligible, unless told.
    """
    rule = str(settings["rule"])
    name = _variable(codebook, settings, "variable", rule)
    codebook.answered(name, settings["keep"], f"clean.screening ({rule}: keep)")
    return ~interviews.answers[name].isin(list(settings["keep"])).to_numpy()


def not_eligible_age(
    interviews: Interviews, codebook: Codebook, settings: Mapping[str, Any]
) -> NDArray[np.bool_]:
    """Exclude ages outside ``minimum`` to ``maximum``.

    A missing age is excluded only if the rule says ``missing: exclude``.
    """
    name = _variable(codebook, settings, "variable", "age")
    codebook.number(name, f"clean.screening ({settings['rule']}: variable)")
    age = interviews.answers[name].to_numpy(np.float64)
    outside = (age < settings.get("minimum", -np.inf)) | (age > settings.get("maximum", np.inf))
    if settings.get("missing", "keep") == "exclude":
        outside |= np.isnan(age)
    return np.asarray(outside)


def without_id(
    interviews: Interviews, _codebook: Codebook, _settings: Mapping[str, Any]
) -> NDArray[np.bool_]:
    """Exclude interviews without a respondent's id."""
    return interviews.answers["respondent"].isna().to_numpy()


def _fullness(interviews: Interviews, codebook: Codebook) -> pd.DataFrame:
    """Key for choosing among duplicates: most answers first, then earliest, then by content."""
    paradata = [variable.name for variable in codebook.with_role("paradata")]
    starts = [name for name in paradata if codebook.named(name, "").type == "datetime"]
    frame = interviews.answers.copy()
    frame.insert(0, "_answered", -(interviews.missing == "").sum(axis=1).to_numpy())
    first = ["_answered", *starts]
    return frame[[*first, *(name for name in frame.columns if name not in first)]]


def _later_of_equal(
    interviews: Interviews, codebook: Codebook, groups: NDArray[np.integer[Any]]
) -> NDArray[np.bool_]:
    """Mark all but the best interview of each group of duplicates; group -1 is left alone."""
    import pandas as pd

    repeated = pd.Series(groups).duplicated(keep=False).to_numpy() & (groups >= 0)
    rows = np.flatnonzero(repeated)
    later = np.zeros(interviews.n, dtype=bool)
    if rows.size:
        order = _fullness(interviews.where(repeated), codebook)
        ranked = rows[order.sort_values(list(order.columns), kind="stable").index.to_numpy()]
        later[ranked] = pd.Series(groups[ranked]).duplicated().to_numpy()
    return later


def duplicate_id(
    interviews: Interviews, codebook: Codebook, _settings: Mapping[str, Any]
) -> NDArray[np.bool_]:
    """Exclude all but one interview of an id: the one with most answers, then the earliest."""
    codes, _ = interviews.answers["respondent"].factorize()
    return _later_of_equal(interviews, codebook, np.asarray(codes))


def duplicate_content(
    interviews: Interviews, codebook: Codebook, settings: Mapping[str, Any]
) -> NDArray[np.bool_]:
    """Exclude all but one of interviews with the same answers under different ids.

    All answers are compared but ids, design and paradata. Only interviews in which at least
    ``minimum_items`` counts are above zero are compared: many people know nobody in most groups.
    """
    roles = ("key", "design", "paradata", "base_weight", "consent")
    compared = [variable.name for variable in codebook.kept if variable.role not in roles]
    positive = (interviews.counts([variable.name for variable in codebook.counts]) > 0).sum(axis=1)
    import pandas as pd

    content = interviews.answers[compared].assign(
        **{f"{name} missing": interviews.missing[name] for name in compared}
    )
    # Interviews with the same answers have the same hash; those few are then compared themselves.
    hashes = pd.util.hash_pandas_object(content, index=False)
    alike = (positive >= settings.get("minimum_items", 1)) & hashes.duplicated(
        keep=False
    ).to_numpy()
    groups = np.full(interviews.n, -1)
    few = content[alike]
    groups[alike] = few.groupby(list(few.columns), dropna=False, sort=False).ngroup().to_numpy()
    return _later_of_equal(interviews, codebook, groups)


def incomplete(
    interviews: Interviews, codebook: Codebook, settings: Mapping[str, Any]
) -> NDArray[np.bool_]:
    """Exclude interviews in which more than ``maximum_missing_share`` of the key items is missing.

    Key items are the counts, or ``variables``. An item that was not asked is missing too:
    broken-off interviews often carry that code to their end. Where a design leaves items out on
    purpose, ``not_asked: neutral`` counts them neither way, unless nothing was asked at all.
    """
    names = settings.get("variables") or [variable.name for variable in codebook.counts]
    for name in names:
        codebook.named(name, "clean.screening (incomplete: variables)")
    kinds = interviews.missing[names].to_numpy(dtype=object)
    neutral = settings.get("not_asked", "missing") == "neutral"
    counted = (kinds != "not_asked") if neutral else np.ones(kinds.shape, dtype=bool)
    asked = counted.sum(axis=1)
    unanswered = ((kinds != "") & counted).sum(axis=1)
    share = np.where(asked > 0, unanswered / np.maximum(asked, 1), 1.0)
    return np.asarray(share > settings["maximum_missing_share"])


def interview_minutes(
    interviews: Interviews, start: str = "interview_start", end: str = "interview_end"
) -> NDArray[np.float64]:
    """Return the length of each interview in minutes; NaN where a time is missing."""
    import pandas as pd

    times = [
        pd.to_datetime(interviews.answers[name], format="ISO8601", errors="coerce")
        for name in (start, end)
    ]
    seconds = (times[1] - times[0]).dt.total_seconds()
    return np.asarray(seconds, dtype=np.float64) / 60


def too_short(
    interviews: Interviews, codebook: Codebook, settings: Mapping[str, Any]
) -> NDArray[np.bool_]:
    """Exclude interviews shorter than ``minimum_share_of_median`` of the median length."""
    minutes = interview_minutes(
        interviews,
        _variable(codebook, settings, "start", "interview_start"),
        _variable(codebook, settings, "end", "interview_end"),
    )
    if np.isnan(minutes).all():
        return np.zeros(interviews.n, dtype=bool)
    return np.asarray(minutes < settings["minimum_share_of_median"] * np.nanmedian(minutes))


def straight_lining(
    interviews: Interviews, codebook: Codebook, settings: Mapping[str, Any]
) -> NDArray[np.bool_]:
    """Exclude interviews with one answer above zero to all count questions of known groups.

    At least ``minimum_items`` must be answered, two unless told: a single answer is no line. Nor
    are all zeros: some people know few others, and leaving them out would inflate every network.
    """
    names = [variable.name for variable in codebook.with_role("known", "child")]
    counts = interviews.counts(names)
    answered = ~np.isnan(counts)
    lowest = np.where(answered, counts, np.inf).min(axis=1, initial=np.inf)
    highest = np.where(answered, counts, -np.inf).max(axis=1, initial=-np.inf)
    enough = answered.sum(axis=1) >= settings.get("minimum_items", 2)
    return np.asarray(enough & (lowest == highest) & (highest > 0))


SCREENING_RULES: dict[str, tuple[str, Rule]] = {
    "consent": ("no consent", without_consent),
    "eligible": ("not eligible", without_consent),
    "eligible_age": ("not eligible by age", not_eligible_age),
    "missing_id": ("no respondent id", without_id),
    "duplicate_id": ("duplicate id", duplicate_id),
    "duplicate_content": ("duplicate content", duplicate_content),
    "incomplete": ("incomplete", incomplete),
    "too_short": ("interview too short", too_short),
    "straight_lining": ("same answer to all count questions", straight_lining),
}
