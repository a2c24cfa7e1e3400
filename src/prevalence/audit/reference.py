"""The committed manifest of published outputs, and what the README says of the run behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from prevalence.audit.contents import sha256
from prevalence.audit.record import Manifest
from prevalence.errors import PipelineError

# Blocks of the README between a line `<!-- generated: name -->` and a line `<!-- end: name -->`.
MANIFEST, RUN, EXHIBITS = "manifest", "run", "exhibits"


def marks(name: str) -> tuple[str, str]:
    """Give the two lines between which a generated block of the README stands."""
    return f"<!-- generated: {name} -->", f"<!-- end: {name} -->"


def line(path: str, content: bytes) -> str:
    """Say in one sentence which manifest is committed.

    Parameters
    ----------
    path
        Its path.
    content
        Its bytes.

    Returns
    -------
    str
        Survey, renderer, number of outputs, identity and SHA-256 of the manifest.
    """
    manifest = json.loads(content)
    return (
        f"`{path}`: {len(manifest['outputs'])} outputs of `{manifest['survey']}`, "
        f"{manifest['renderer']}, identity `{manifest['identity']['identity']}`, "
        f"SHA-256 `{sha256(content)}`."
    )


def run_text(manifest: Manifest, how: Mapping[str, Any], hardware: Mapping[str, Any]) -> str:
    """Say what a whole run took.

    Parameters
    ----------
    manifest
        Of the run.
    how
        ``seconds``, and ``jobs`` with ``job``, ``seconds`` and ``peak_mb`` of each.
    hardware
        ``processor``, ``cores`` and ``memory_gb`` of the machine.

    Returns
    -------
    str
        A paragraph.
    """
    jobs = how["jobs"]
    heaviest = max(jobs, key=lambda job: job["peak_mb"] or 0.0)
    longest = max(jobs, key=lambda job: job["seconds"] or 0.0)
    size = sum(manifest.content(path)["size"] for path in manifest.outputs) / 1e6
    return (
        f"Measured with the run `{manifest.identity['identity']}` of `{manifest.survey}`: "
        f"{len(jobs)} jobs from {len(manifest.inputs)} declared inputs to "
        f"{len(manifest.outputs)} outputs ({size:.0f} MB) in {how['seconds']:.0f} s on "
        f"{hardware['cores']} cores ({hardware['processor']}, {hardware['memory_gb']} GB); the "
        f"longest job, `{longest['job']}`, took {longest['seconds']:.0f} s, the heaviest, "
        f"`{heaviest['job']}`, {heaviest['peak_mb'] or 0.0:.0f} MB of memory."
    )


def exhibit_text(rows: Sequence[Mapping[str, str]], manifest: Manifest) -> str:
    """Lay out which file and which code each figure and table of the report comes from.

    Parameters
    ----------
    rows
        The exhibit map, as in ``audit/exhibits.csv``.
    manifest
        Of the run; names the published file of each exhibit.

    Returns
    -------
    str
        A Markdown table; the numbers of the prose are counted below it.
    """
    lines = ["| exhibit | data | shown by | computed by |", "| --- | --- | --- | --- |"]
    for row in rows:
        if row["kind"] != "number":
            data = manifest.exhibits[row["exhibit"]]
            cells = [row["exhibit"], f"`{data}`", _code(row["written_by"] or row["script"])]
            lines.append(f"| {' | '.join([*cells, _code(row['restricted_script'])])} |")
    numbers = sum(row["kind"] == "number" for row in rows)
    return "\n".join([*lines, "", f"The audit's `exhibits.csv` has {numbers} numbers of the text."])


def _code(places: str) -> str:
    files = dict.fromkeys(place.rpartition(":")[0] or place for place in places.split())
    return " ".join(f"`{file}`" for file in files)


def with_block(text: str, name: str, block: str) -> str:
    """Put a generated block into the README.

    Parameters
    ----------
    text
        The README.
    name
        Of the block.
    block
        What shall stand between its marks.

    Returns
    -------
    str
        The README with the block.

    Raises
    ------
    PipelineError
        If the marks aren't there.
    """
    first, last = marks(name)
    before, start, rest = text.partition(first)
    _, end, after = rest.partition(last)
    if not (start and end):
        raise PipelineError(
            f"The README has no place for its generated block '{name}'.",
            file="README.md",
            allowed=f"a line {first} and a line {last}",
            remedy="Put the two lines where the block should stand.",
        )
    return f"{before}{first}\n{block}\n{last}{after}"
