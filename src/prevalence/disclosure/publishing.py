"""What passed the gate, and copying it: byte for byte, and nothing else.

The gate and the copying are two steps. A step's earlier outputs are removed before it runs: were
they one, a report that doesn't pass would take the last published one with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prevalence.audit.sidecar import SUFFIX, sidecar
from prevalence.contracts import release
from prevalence.contracts.dictionary import contracts_in
from prevalence.errors import PipelineError, listed
from prevalence.files import json_text, replacing

__all__ = ["described", "digests", "publish", "written"]


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """Give the SHA-256 of each file that passed, by path."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}


def publish(
    files: Mapping[str, bytes],
    passed: Mapping[str, str],
    targets: Mapping[str, str | Path],
    record: object,
) -> None:
    """Write files that passed the gate, all of them or none.

    Parameters
    ----------
    files
        Content of each file, by the path that the gate knew.
    passed
        SHA-256 of what passed, by the same paths.
    targets
        Where each file is written; one that isn't named here isn't published.
    record
        The file that holds `passed`, for the message.

    Raises
    ------
    PipelineError
        If one of them isn't the one that passed; nothing is written then.
    """
    found = digests({name: files[name] for name in targets})
    strange = [name for name, digest in found.items() if passed.get(name) != digest]
    if strange:
        raise PipelineError(
            "A file is not the one that passed the gate.",
            file=record,
            found=listed(strange),
            allowed="the very bytes that were checked",
            remedy="Remove that record and run snakemake again: everything is checked anew. "
            "Nothing was published.",
        )
    for name, target in targets.items():
        with replacing(target) as partial:
            partial.write_bytes(files[name])


def described(
    tables: Mapping[str, bytes], identity: Mapping[str, Any], *, synthetic: bool
) -> dict[str, dict[str, Any]]:
    """Describe each published table in a file beside it.

    Parameters
    ----------
    tables
        Content of each released table, by its path such as ``tables/scale_up.csv``.
    identity
        What identifies the release.
    synthetic
        Whether the survey is.

    Returns
    -------
    dict
        Descriptions by path.
    """
    contracts = contracts_in(release)
    return {
        f"{path}{SUFFIX}": sidecar(
            Path(path).name, content, contracts.get(Path(path).stem), identity, synthetic=synthetic
        )
        for path, content in tables.items()
    }


def written(descriptions: Mapping[str, Mapping[str, Any]]) -> dict[str, bytes]:
    """Write descriptions as :func:`prevalence.files.write_json` does."""
    return {path: json_text(value).encode() for path, value in descriptions.items()}
