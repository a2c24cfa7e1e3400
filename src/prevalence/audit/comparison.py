"""Two manifests compared: identical bytes, equal within the tolerance, or different, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prevalence.audit.contents import differing_rows, figures_apart, kind_of
from prevalence.audit.graph import Graph, takes
from prevalence.audit.record import Manifest
from prevalence.audit.sampled import SAMPLERS, agreement
from prevalence.errors import listed

IDENTICAL, EQUAL, DIFFERENT = "identical", "equal", "different"
CLOSE = "within Monte Carlo error"
MISSING, EXTRA, UNSEEN = "missing", "extra", "not compared"
AGREEING = (IDENTICAL, EQUAL, CLOSE, UNSEEN)
_STATUSES = (IDENTICAL, EQUAL, CLOSE, DIFFERENT, MISSING, EXTRA, UNSEEN)
_MEASURES = ("missing", "sum", "least", "most")


@dataclass(frozen=True)
class Outcome:
    """How one output compares.

    Parameters
    ----------
    path
        The output.
    status
        ``identical``, ``equal``, ``within Monte Carlo error``, ``different``, ``missing``,
        ``extra`` or ``not compared``.
    detail
        Where and by how much it differs.
    reasons
        Changed inputs on which it rests.
    """

    path: str
    status: str
    detail: str = ""
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Changes:
    """What differs between what two runs rest on.

    Parameters
    ----------
    files
        Path of each input that differs, with what happened: ``changed``, ``added``, ``removed``.
    config
        Values before and after of each key that differs.
    software
        Versions before and after that differ.
    """

    files: Mapping[str, str]
    config: Mapping[str, tuple[Any, Any]]
    software: Mapping[str, tuple[str, str]]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.files or self.config or self.software)


def changes(before: Manifest, after: Manifest) -> Changes:
    """Compare what two runs rest on.

    Parameters
    ----------
    before, after
        Manifests of the two runs.

    Returns
    -------
    Changes
        Files, config values and software that differ.
    """
    files = {}
    for path in sorted(before.inputs.keys() | after.inputs.keys()):
        if path not in after.inputs:
            files[path] = "removed"
        elif path not in before.inputs:
            files[path] = "added"
        elif before.inputs[path] != after.inputs[path]:
            files[path] = "changed"
    keys = sorted(before.config.keys() | after.config.keys())
    config = {
        key: (before.config.get(key), after.config.get(key))
        for key in keys
        if before.config.get(key) != after.config.get(key)
    }
    made = {"renderer": before.renderer, **before.made_with}
    now = {"renderer": after.renderer, **after.made_with}
    software = {
        name: (made.get(name, "none"), now.get(name, "none"))
        for name in sorted(made.keys() | now.keys())
        if made.get(name) != now.get(name)
    }
    return Changes(files, config, software)


def compared(before: Manifest, after: Manifest, graph: Graph) -> list[Outcome]:
    """Compare every output of two runs.

    Parameters
    ----------
    before
        The manifest that was given.
    after
        The manifest of the run that is audited.
    graph
        The jobs of that run, by which a difference is led back to changed inputs.

    Returns
    -------
    list of Outcome
        One for each output of either run, by path.
    """
    found = changes(before, after)
    outcomes = {}
    for path in sorted(before.outputs.keys() | after.outputs.keys()):
        if path not in after.outputs:
            outcomes[path] = Outcome(path, MISSING, "the manifest has it, the run did not make it")
        elif path not in before.outputs:
            outcomes[path] = Outcome(path, EXTRA, "the run made it, the manifest does not have it")
        else:
            outcomes[path] = _file(path, before, after)
    if before.made_with != after.made_with:
        outcomes |= _elsewhere(outcomes, before, after, graph, found)
    for path, outcome in outcomes.items():
        if outcome.status in (DIFFERENT, MISSING, EXTRA):
            reasons = reasons_for(path, graph, found)
            outcomes[path] = Outcome(path, outcome.status, outcome.detail, reasons)
    return list(outcomes.values())


def reasons_for(path: str, graph: Graph, found: Changes) -> tuple[str, ...]:
    """List the changed inputs on which an output rests.

    Parameters
    ----------
    path
        The output.
    graph
        The run's jobs.
    found
        What differs between what the runs rest on.

    Returns
    -------
    tuple of str
        Paths, and config keys with their values; software if nothing else differs.
    """
    software = [f"{name} {old} → {new}" for name, (old, new) in found.software.items()]
    return tuple(_changed_inputs(path, graph, found) or software)


def _changed_inputs(path: str, graph: Graph, found: Changes) -> list[str]:
    sources, settings = graph.sources(path), graph.settings(path)
    keys, told = [], set()
    for key, (old, new) in found.config.items():
        section, _, rest = key.partition(":")
        own = section in ("survey", "run")
        if takes(settings, rest) if own else section in sources:
            keys.append(f"{rest} {shown(old)} → {shown(new)}")
            told.add(section)
    files = [file for file in found.files if file in sources and file not in told]
    # A rule file bears on all of its rules; a script's modules stand among the sources.
    workflow = [file for file in found.files if file.startswith(("workflow/", "Snakefile"))]
    return [*files, *keys] or workflow


def shown(value: object) -> str:
    """Give a config value in a few words."""
    text = "none" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:37]}…"


def _file(path: str, before: Manifest, after: Manifest) -> Outcome:
    if before.outputs[path] == after.outputs[path]:
        return Outcome(path, IDENTICAL)
    old, new = before.content(path), after.content(path)
    elsewhere = before.made_with != after.made_with
    other_renderer = before.renderer != after.renderer
    kind = kind_of(path)
    if isinstance(old.get("columns"), Mapping) and isinstance(new.get("columns"), Mapping):
        aside = ("text",) if other_renderer and kind == "values" else ()
        return _tables(path, old, new, before.tolerance, aside)
    if kind == "table":
        return _unseen_table(path, old, new)
    if "words" in old and "words" in new:
        return _documents(path, old, new, elsewhere=elsewhere or other_renderer)
    return Outcome(path, DIFFERENT, f"{old['size']:,} → {new['size']:,} bytes")


def _unseen_table(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Outcome:
    rows = f"rows {old.get('rows')} → {new.get('rows')}" if old["rows"] != new["rows"] else ""
    return Outcome(path, DIFFERENT, rows or "restricted: other bytes, values are not told")


def _documents(
    path: str, old: Mapping[str, Any], new: Mapping[str, Any], *, elsewhere: bool
) -> Outcome:
    if old["words"] == new["words"]:
        if elsewhere:
            return Outcome(path, EQUAL, "same words and numbers, other bytes")
        return Outcome(path, DIFFERENT, "same words and numbers, other bytes on one platform")
    before, after = old["words"][0], new["words"][0]
    same = old["numbers"] == new["numbers"]
    counts = f"{before:,} → {after:,} words" if before != after else f"{before:,} words"
    return Outcome(path, DIFFERENT, f"{counts}; numbers {'are the same' if same else 'differ'}")


def _tables(
    path: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    tolerance: float,
    aside: Sequence[str] = (),
) -> Outcome:
    details = []
    if old["rows"] != new["rows"]:
        details.append(f"rows {old['rows']} → {new['rows']}")
    gone = [name for name in old["columns"] if name not in new["columns"]]
    come = [name for name in new["columns"] if name not in old["columns"]]
    details += [f"columns removed: {listed(gone)}"] if gone else []
    details += [f"columns added: {listed(come)}"] if come else []
    for name, was in old["columns"].items():
        if name in new["columns"] and name not in aside:
            told = _column(was, new["columns"][name], tolerance)
            details += [f"{name}: {told}"] if told else []
    if not details:
        said = f"every number within {tolerance:g}" + (", texts aside" if aside else "")
        return Outcome(path, EQUAL, said)
    rows = differing_rows(old.get("row_digests", ""), new.get("row_digests", ""))
    if rows and old["rows"] == new["rows"]:
        details.append(f"{len(rows)} of {old['rows']} rows ({listed(rows, 8)})")
    return Outcome(path, DIFFERENT, "; ".join(details))


def _column(old: Any, new: Any, tolerance: float) -> str:
    """Say how a column differs; nothing if it agrees within the tolerance."""
    if isinstance(old, str) or isinstance(new, str):
        return "" if old == new else "other texts"
    largest = max(*(abs(value) for value in (*old[2:4], *new[2:4])), 1e-300)
    steps = max(old[5], 1)
    allowed = [0, tolerance * largest * steps, tolerance * largest, tolerance * largest]
    told = [
        f"{name} {was:.10g} → {now:.10g}"
        for name, was, now, most in zip(_MEASURES, old, new, allowed, strict=False)
        if abs(was - now) > most
    ]
    if not told and abs(old[4] - new[4]) > 2 * tolerance * steps:
        size = abs(old[4] - new[4])
        told = [f"single rows by about {size:.2g} in relative terms, or their order"]
    return ", ".join(told)


def _elsewhere(
    outcomes: Mapping[str, Outcome],
    before: Manifest,
    after: Manifest,
    graph: Graph,
    found: Changes,
) -> dict[str, Outcome]:
    """Judge anew what another platform made otherwise from the same inputs.

    Tables come first: what shows them agrees if they do and if its words are the same.
    """
    judged: dict[str, Outcome] = {}
    differing = [
        path
        for path, outcome in outcomes.items()
        if outcome.status == DIFFERENT and not _changed_inputs(path, graph, found)
    ]
    for path in sorted(differing, key=lambda path: kind_of(path) != "table"):
        old, new = before.content(path), after.content(path)
        sampled = graph.rests_on(path, SAMPLERS)
        if kind_of(path) == "table":
            told = _table_elsewhere(old, new, sampled=sampled)
        elif "frame" in old and "frame" in new:
            told = _shown(old, new, _data_status(path, {**outcomes, **judged}, graph))
        elif kind_of(path) == "picture":
            told = _drawn(_data_status(path, {**outcomes, **judged}, graph))
        else:
            told = (UNSEEN, "draws: compared by what is made of them") if sampled else None
        if told is not None:
            judged[path] = Outcome(path, *told)
    return judged


def _table_elsewhere(
    old: Mapping[str, Any], new: Mapping[str, Any], *, sampled: bool
) -> tuple[str, str] | None:
    """Judge a sampled table by its cells, and by its shape one of which no values are kept."""
    if sampled and "cells" in old and "cells" in new:
        agree, said = agreement(old, new)
        return (CLOSE, said) if agree else (DIFFERENT, said) if said else None
    if (old["rows"], list(old["columns"])) != (new["rows"], list(new["columns"])):
        return None
    if not (isinstance(old["columns"], Mapping) and isinstance(new["columns"], Mapping)):
        return UNSEEN, "restricted: same shape, other bytes on another platform"
    return (UNSEEN, "a row a respondent: compared by what is made of it") if sampled else None


def _data_status(path: str, outcomes: Mapping[str, Outcome], graph: Graph) -> str:
    """How the tables agree on which an output rests: the worst of them."""
    made = graph.made_before(path) | {f"{path.rsplit('.', 1)[0]}.csv"}
    found = {
        outcome.status
        for name in made
        if kind_of(name) == "table" and (outcome := outcomes.get(name)) is not None
    }
    if not found <= set(AGREEING):
        return DIFFERENT
    return CLOSE if found & {CLOSE, UNSEEN} else EQUAL if found else UNSEEN


def _shown(old: Mapping[str, Any], new: Mapping[str, Any], data: str) -> tuple[str, str] | None:
    """Judge a text that other numbers were put into."""
    if old["frame"] != new["frame"] or data == DIFFERENT:
        return None
    count, more = figures_apart(old["figures"], new["figures"])
    if not more:
        return EQUAL, f"same words; {count} numbers differ by one in the last printed digit"
    if data == CLOSE:
        return CLOSE, f"same words; {count} numbers differ, as their data do"
    return None


def _drawn(data: str) -> tuple[str, str] | None:
    """Judge a picture that was drawn anew."""
    if data in (DIFFERENT, UNSEEN):
        return None
    return data, "drawn anew on another platform; its data agree"


def counts(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Count outcomes by status, every status named."""
    number = Counter(outcome.status for outcome in outcomes)
    return {name: number[name] for name in _STATUSES}


def reproduced(outcomes: Sequence[Outcome]) -> bool:
    """Whether every output agrees, and there is at least one."""
    return bool(outcomes) and all(outcome.status in AGREEING for outcome in outcomes)


def verdict(outcomes: Sequence[Outcome], tolerance: float) -> str:
    """Say the verdict in one line, with counts.

    Parameters
    ----------
    outcomes
        Of every output.
    tolerance
        The stated tolerance.
    """
    number = counts(outcomes)
    word = "reproduced" if reproduced(outcomes) else "NOT reproduced"
    parts = [
        f"{number[IDENTICAL]} identical",
        f"{number[EQUAL]} equal within {tolerance:g}",
        *([f"{number[CLOSE]} {CLOSE}"] if number[CLOSE] else []),
        f"{number[DIFFERENT]} different",
    ]
    parts += [f"{number[name]} {name}" for name in (MISSING, EXTRA, UNSEEN) if number[name]]
    return f"{word}: {len(outcomes)} outputs: {', '.join(parts)}"
