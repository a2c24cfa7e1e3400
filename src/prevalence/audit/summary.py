"""An audit's verdict in words: for the terminal, for `summary.md`, and for CODECHECK."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prevalence.audit.comparison import AGREEING, Changes, Outcome, counts, shown
from prevalence.audit.record import Manifest
from prevalence.audit.sampled import ERRORS
from prevalence.errors import listed

_MOST = 40
_WIDTH = 120
# What a reader sees first, then what it came from.
_ORDER = ("reports/", "/release/", "/staged/", "")


def differences(outcomes: Sequence[Outcome]) -> list[str]:
    """Say of each output that doesn't agree where it differs and why.

    Parameters
    ----------
    outcomes
        Of every output.

    Returns
    -------
    list of str
        Lines; those with one reason are told together, the first forty one by one.
    """
    wrong = sorted(
        (outcome for outcome in outcomes if outcome.status not in AGREEING),
        key=lambda outcome: next(n for n, part in enumerate(_ORDER) if part in outcome.path),
    )
    lines = []
    for reasons in dict.fromkeys(outcome.reasons for outcome in wrong):
        because = listed(reasons, 6) if reasons else "no changed input accounts for it"
        lines.append(f"because of {because}:" if reasons else f"{because}:")
        lines += [
            f"  {outcome.status:<9} {outcome.path}  {_cut(outcome.detail)}"
            for outcome in wrong
            if outcome.reasons == reasons
        ]
    if len(lines) > _MOST:
        return [*lines[:_MOST], f"  and {len(lines) - _MOST} lines more in audit/comparison.json"]
    return lines


def _cut(text: str) -> str:
    """Cut a long detail; the whole stands in the comparison's file."""
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def changed_inputs(found: Changes) -> list[str]:
    """Say in lines what differs between what two runs rest on.

    Parameters
    ----------
    found
        Files, config values and software that differ.
    """
    lines = [f"{what}: {path}" for path, what in found.files.items()]
    lines += [
        f"config: {key}: {shown(old)} → {shown(new)}" for key, (old, new) in found.config.items()
    ]
    lines += [f"software: {name}: {old} → {new}" for name, (old, new) in found.software.items()]
    return lines


def summary(
    manifest: Manifest,
    verdict: str,
    compared_with: str,
    outcomes: Sequence[Outcome],
    refusals: Sequence[str],
    found: Changes | None,
) -> str:
    """Write an audit's summary as Markdown.

    Parameters
    ----------
    manifest
        Of the run that was audited.
    verdict
        The verdict's line.
    compared_with
        What it was compared with.
    outcomes
        Of every output.
    refusals
        Why the report that stands here isn't the one that these inputs give.
    found
        What differs between what the runs rest on.

    Returns
    -------
    str
        Markdown; names of files, hashes and counts, and of released tables how much they differ.
    """
    number = counts(outcomes)
    lines = [
        f"# Audit of {manifest.survey}",
        "",
        f"**{verdict}**",
        "",
        f"- identity: `{manifest.identity['identity']}`",
        f"- renderer: {manifest.renderer}",
        f"- compared with: {compared_with}",
        f"- tolerance between platforms: {manifest.tolerance:g}, relative, column by column; "
        f"for sampled numbers {ERRORS:g} Monte Carlo standard errors of a difference",
        f"- files that went in: {len(manifest.inputs)}; that came out: {len(manifest.outputs)}",
        "",
        "| outcome | outputs |",
        "| --- | ---: |",
        *(f"| {name} | {n} |" for name, n in number.items()),
    ]
    if refusals:
        lines += ["", "## The report that stands here", "", *(f"- {text}" for text in refusals)]
    told = changed_inputs(found) if found else []
    if told:
        lines += ["", "## What went in differs", "", *(f"- {text}" for text in told)]
    wrong = differences(outcomes)
    if wrong:
        lines += ["", "## What came out differs", "", "```", *wrong, "```"]
    return "\n".join(lines) + "\n"


def codecheck(
    manifest: Manifest, title: str, authors: Sequence[str], auditor: str, verdict: str
) -> dict[str, Any]:
    """Compose the metadata of a CODECHECK certificate (codecheck.org.uk, configuration 1.0).

    Parameters
    ----------
    manifest
        Of the run that was audited.
    title, authors
        Of the software, from ``CITATION.cff``.
    auditor
        Who ran the audit.
    verdict
        The verdict's line.

    Returns
    -------
    dict
        What ``codecheck.yml`` holds: the published files with what each is.
    """
    published = f"reports/{manifest.survey}/"
    exhibits: dict[str, list[str]] = {}
    for exhibit, path in manifest.exhibits.items():
        exhibits.setdefault(path.rsplit("/", 1)[-1], []).append(exhibit)
    files = [path for path in manifest.outputs if path.startswith(published)]
    return {
        "version": "https://codecheck.org.uk/spec/config/1.0/",
        "paper": {"title": title, "authors": [{"name": name} for name in authors]},
        "manifest": [{"file": path, "comment": _comment(path, exhibits)} for path in files],
        "codechecker": [{"name": auditor}],
        "summary": f"{verdict}. Identity {manifest.identity['identity']}, {manifest.renderer}.",
        "report": "summary.md",
    }


def _comment(path: str, exhibits: Mapping[str, Sequence[str]]) -> str:
    name = path.rsplit("/", 1)[-1]
    data = f"{name.rsplit('.', 1)[0]}.csv"
    shown_by = exhibits.get(name) or exhibits.get(data)
    return f"shown by {', '.join(shown_by)}" if shown_by else "published file"
