"""Whether a report that stands in a folder is the one that its inputs give."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from prevalence.audit.comparison import AGREEING, EXTRA, MISSING, Outcome, compared
from prevalence.audit.contents import described, sha256
from prevalence.audit.graph import Graph
from prevalence.audit.record import Manifest
from prevalence.audit.sampled import SAMPLERS
from prevalence.errors import listed

_DOCUMENTS = ("summary.html", "summary.pdf", "summary.docx", "brief.pdf")

_WORDS = {
    MISSING: "the file is not made from these inputs",
    EXTRA: "the file is missing",
}


def stated_identity(files: Mapping[str, bytes]) -> str | None:
    """Identity that a published report states in its `results.json`; None if it states none.

    Parameters
    ----------
    files
        Content of the published files, by path.
    """
    for path, content in files.items():
        if path.endswith("/results.json"):
            try:
                return str(json.loads(content)["run"]["identity"])
            except (ValueError, KeyError, TypeError):
                return None
    return None


def refusals(
    files: Mapping[str, bytes],
    manifest: Manifest,
    recorded: Mapping[str, Any] | None,
    graph: Graph,
    *,
    elsewhere: bool = False,
) -> list[str]:
    """Say why a published report isn't the one that its inputs give.

    Parameters
    ----------
    files
        Content of every file in the report's folder, by path from the project's root.
    manifest
        Of a run from the inputs that stand there.
    recorded
        The identity that the run behind the report recorded, if it's still there: it tells which
        part differs.
    graph
        Jobs of that run.
    elsewhere
        Whether the report may have been made on another platform: words and numbers are compared
        then, where bytes differ.

    Returns
    -------
    list of str
        Empty if the report is the one; else each reason.
    """
    identity = str(manifest.identity["identity"])
    found = []
    stated = stated_identity(files)
    if stated != identity:
        found.append(
            f"it states the identity {stated}, its inputs have {identity}"
            + _parts(manifest.identity, recorded, stated)
        )
    for path, content in files.items():
        if path.rsplit("/", 1)[-1] in _DOCUMENTS and not _states(path, content, identity):
            found.append(f"{path} does not print the identity {identity}")
    for outcome in _compared(files, manifest, graph, elsewhere=elsewhere):
        if outcome.status not in AGREEING:
            found.append(f"{outcome.path}: {_WORDS.get(outcome.status, outcome.detail)}")
    return found


def _compared(
    files: Mapping[str, bytes], manifest: Manifest, graph: Graph, *, elsewhere: bool
) -> list[Outcome]:
    """Compare the files of a report with those that a run from its inputs made."""
    apart = [str(manifest.identity["identity"]), manifest.renderer]
    contents = {
        path: _described(path, content, apart, cells=graph.rests_on(path, SAMPLERS))
        for path, content in files.items()
        if manifest.outputs.get(path) != sha256(content)
    }
    outputs = {path: sha256(content) for path, content in files.items()}
    stands = replace(
        manifest,
        outputs=outputs,
        contents={outputs[path]: content for path, content in contents.items()},
        made_with={} if elsewhere else manifest.made_with,
    )
    made = {
        path: digest for path, digest in manifest.outputs.items() if path.startswith("reports/")
    }
    return compared(stands, replace(manifest, outputs=made), graph)


def _described(path: str, content: bytes, apart: list[str], *, cells: bool) -> dict[str, Any]:
    try:
        return described(path, content, values=True, cells=cells, apart=apart)
    except Exception:  # a file that can't be read is another file, whatever reading it raises
        return {"sha256": sha256(content), "size": len(content)}


def _states(path: str, content: bytes, identity: str) -> bool:
    from prevalence.disclosure.extraction import pieces
    from prevalence.errors import PipelineError

    try:
        text = "".join(piece.text for piece in pieces(path, content))
    except PipelineError:
        return False
    return identity in "".join(text.split())


def _parts(now: Mapping[str, Any], then: Mapping[str, Any] | None, stated: str | None) -> str:
    if then is None or then.get("identity") != stated:
        return ""
    differing = [name for name, part in now["parts"].items() if part != then["parts"].get(name)]
    return f" (what differs: {listed(differing)})"
