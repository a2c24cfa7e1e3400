"""Two runs compared by exhibit: what changed in data, config and code, and what that changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from prevalence.audit.comparison import (
    AGREEING,
    IDENTICAL,
    Changes,
    Outcome,
    changes,
    compared,
    shown,
)
from prevalence.audit.graph import Graph
from prevalence.audit.record import NOT_QUOTED, Manifest, stages
from prevalence.errors import listed

if TYPE_CHECKING:
    import pandas as pd

# What tells a row of a released table from the others, in this order.
KEYS = (
    "estimator",
    "group",
    "domain_type",
    "domain",
    "against",
    "unit",
    "step",
    "code",
    "parameter",
)
_MOST_CELLS = 3


@dataclass(frozen=True)
class Run:
    """A run to be compared.

    Parameters
    ----------
    manifest
        Its manifest.
    tables
        Released tables by path, as far as they are at hand: their cells are told then.
    corrections
        Rows of ``CORRECTIONS.csv``: corrections of raw data with their reasons.
    """

    manifest: Manifest
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    corrections: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True)
class Difference:
    """What differs between two runs.

    Parameters
    ----------
    inputs
        What they rest on.
    outcomes
        Of each output.
    exhibits
        Label, what changed, and why, of each exhibit of the report that changed.
    numbers
        Key, text before and after of each number or word of the prose that changed.
    corrections
        Corrections of raw data that the new run has and the old one hasn't.
    unchanged
        How many exhibits are the same.
    """

    inputs: Changes
    outcomes: Sequence[Outcome]
    exhibits: Sequence[tuple[str, str, str]]
    numbers: Sequence[tuple[str, str, str]]
    corrections: Sequence[Mapping[str, str]]
    unchanged: int


def difference(old: Run, new: Run, graph: Graph) -> Difference:
    """Compare two runs by exhibit.

    Parameters
    ----------
    old, new
        The runs.
    graph
        Jobs of the new run; without jobs no reason is told.

    Returns
    -------
    Difference
        What changed in what went in and in what came out.
    """
    before, after = old.manifest, new.manifest
    outcomes = compared(before, after, graph)
    by_path = {outcome.path: outcome for outcome in outcomes}
    exhibits = []
    for label in dict.fromkeys([*before.exhibits, *after.exhibits]):
        told = _exhibit(label, old, new, by_path)
        if told:
            exhibits.append(told)
    keys = dict.fromkeys([*before.numbers, *after.numbers])
    numbers = [
        (key, before.numbers.get(key, "–"), after.numbers.get(key, "–"))
        for key in keys
        if before.numbers.get(key) != after.numbers.get(key) and not key.startswith("run.")
    ]
    known = [dict(row) for row in old.corrections]
    fresh = [row for row in new.corrections if dict(row) not in known]
    total = len(set(before.exhibits) | set(after.exhibits))
    inputs = changes(before, after)
    return Difference(inputs, outcomes, exhibits, numbers, fresh, total - len(exhibits))


def _exhibit(
    label: str, old: Run, new: Run, outcomes: Mapping[str, Outcome]
) -> tuple[str, str, str] | None:
    before, after = old.manifest.exhibits.get(label), new.manifest.exhibits.get(label)
    if before is None or after is None:
        return (label, "new" if before is None else "gone", "")
    outcome = outcomes.get(after)
    if outcome is None:  # its data are an input: a config file, or a result computed once
        was, now = old.manifest.inputs.get(before), new.manifest.inputs.get(after)
        return None if was == now else (label, f"{after} changed", after)
    if outcome.status in AGREEING:
        return None
    cells = cell_changes(old.tables.get(before), new.tables.get(after))
    reasons = listed(outcome.reasons, 4) if outcome.reasons else ""
    return (label, cells or outcome.detail, reasons)


def cell_changes(before: pd.DataFrame | None, after: pd.DataFrame | None) -> str:
    """Say which cells of a released table changed, the largest relative change first.

    Parameters
    ----------
    before, after
        The table in the two runs; None where it isn't at hand.

    Returns
    -------
    str
        For instance ``estimate victims VII 12,000 → 12,500 (+4.2%); 3 more``; empty if it can't
        be told by cell.
    """
    if before is None or after is None:
        return ""
    keys = [name for name in KEYS if name in before and name in after]
    if not keys or before.duplicated(keys).any() or after.duplicated(keys).any():
        return ""
    both = before.merge(after, on=keys, how="inner", suffixes=(" before", " after"))
    told: list[tuple[float, str]] = []
    for name in [column for column in before.columns if column not in keys and column in after]:
        for row in both.to_dict("records"):
            was, now = row[f"{name} before"], row[f"{name} after"]
            if was != now and not (_missing(was) and _missing(now)):
                place = " ".join(str(row[key]) for key in keys if not _missing(row[key]))
                told.append(_cell(f"{name} {place}", was, now))
    told.sort(key=lambda entry: -entry[0])
    texts = [text for _, text in told[:_MOST_CELLS]]
    texts += [f"{len(told) - _MOST_CELLS} more cells"] if len(told) > _MOST_CELLS else []
    gone, come = len(before) - len(both), len(after) - len(both)
    texts += [f"{gone} rows gone"] if gone else []
    texts += [f"{come} rows new"] if come else []
    return "; ".join(texts)


def _missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and value != value)  # noqa: PLR0124


def _cell(place: str, was: Any, now: Any) -> tuple[float, str]:
    numbers = all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in (was, now)
    )
    if numbers and not _missing(was) and not _missing(now):
        relative = (now - was) / abs(was) if was else float("inf")
        percent = f" ({100 * relative:+.2g}%)" if was else ""
        return abs(relative), f"{place} {_number(was)} → {_number(now)}{percent}"
    words = ["withheld" if _missing(value) else _word(value) for value in (was, now)]
    return float("inf"), f"{place} {words[0]} → {words[1]}"


def _word(value: Any) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return _number(value) if number else str(value)


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.6g}"


def markdown(found: Difference, old: Manifest, new: Manifest) -> str:
    """Write the comparison for a reader.

    Parameters
    ----------
    found
        What differs.
    old, new
        Manifests of the two runs.

    Returns
    -------
    str
        Markdown: what changed in data, config, code and texts; numbers of the prose; exhibits.
    """
    lines = [
        f"# {new.survey}: `{old.identity['identity']}` → `{new.identity['identity']}`",
        "",
        "## What went in",
        "",
        *_inputs(found),
    ]
    lines += ["", "## Numbers and words of the text", ""]
    if found.numbers:
        lines += ["| key | before | after |", "| --- | --- | --- |"]
        lines += [
            f"| `{key}` | {_in_table(was)} | {_in_table(now)} |" for key, was, now in found.numbers
        ]
    else:
        lines.append("None changed.")
    lines += ["", f"## Exhibits: {len(found.exhibits)} changed, {found.unchanged} are the same", ""]
    if found.exhibits:
        lines += ["| exhibit | what changed | because of |", "| --- | --- | --- |"]
        lines += [
            f"| {label} | {_in_table(what)} | {_in_table(why)} |"
            for label, what, why in found.exhibits
        ]
    files = [o for o in found.outcomes if o.status != IDENTICAL]
    lines += ["", f"Of {len(found.outcomes)} files that came out {len(files)} differ."]
    lines += ["", "For the changelog:", "", changelog_line(found, new)]
    return "\n".join(lines) + "\n"


def _inputs(found: Difference) -> list[str]:
    parts = {name: files for name, files in stages(list(found.inputs.files)).items() if files}
    lines = []
    for name, files in parts.items():
        lines += [f"- {name}: {found.inputs.files[file]} `{file}`" for file in files]
    lines += [
        f"- reason given for {row.get('file', '')}: {row.get('reason', '')} ({row.get('date', '')})"
        for row in found.corrections
    ]
    lines += [
        f"- value: `{key}` {_in_table(shown(old))} → {_in_table(shown(new))}"
        for key, (old, new) in found.inputs.config.items()
    ]
    lines += [
        f"- software: {name} {old} → {new}" for name, (old, new) in found.inputs.software.items()
    ]
    return lines or ["Nothing changed."]


def _in_table(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def changelog_line(found: Difference, new: Manifest) -> str:
    """Say in one line what changed, for the changelog.

    Parameters
    ----------
    found
        What differs.
    new
        Manifest of the new run.

    Returns
    -------
    str
        A list item.
    """
    parts = stages(list(found.inputs.files))
    causes = [f"{row['file']}: {row['reason'].rstrip('.')}" for row in found.corrections]
    if parts["data"] and not causes:
        causes.append(
            f"raw data ({listed([path.rsplit('/', 1)[-1] for path in parts['data']], 3)})"
        )
    keys = [key.partition(":")[2] for key in found.inputs.config]
    keys += [path for path in parts["config"] if path in NOT_QUOTED]
    causes += [f"config ({listed(keys, 3)})"] if keys else []
    causes += [
        f"{name} ({listed([path.rsplit('/', 1)[-1] for path in parts[name]], 3)})"
        for name in ("code", "text", "environment")
        if parts[name]
    ]
    cause = "; ".join(causes) or ("other software" if found.inputs.software else "nothing")
    counts = [
        f"{key} {was} → {now}"
        for key, was, now in found.numbers
        if key.startswith("groups.") and key.endswith(".count")
    ]
    effect = "; ".join(counts) if counts else "no headline number changed"
    total = len(found.exhibits) + found.unchanged
    return (
        f"- {new.survey}: {cause}. {effect}; {len(found.exhibits)} of {total} exhibits changed "
        f"(identity {new.identity['identity']})."
    )
