"""The identity of a run: a hash over the content it rests on, the same on every machine and day.

It covers the raw data, the configuration's values, the project's code and the locked environment.
Clock, host, commit and folder don't enter: two runs with one identity must give the same results.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

LENGTH = 12


def content_hash(parts: Mapping[str, str]) -> str:
    """Hash named contents, whatever their order.

    Parameters
    ----------
    parts
        Name of each part and the hash or text of its content.

    Returns
    -------
    str
        SHA-256, hexadecimal.
    """
    digest = hashlib.sha256()
    for name in sorted(parts):
        for text in (name, parts[name]):
            encoded = text.encode()
            digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return digest.hexdigest()


def value_hash(value: object) -> str:
    """Hash a config value by what it says, not by how it is written.

    Parameters
    ----------
    value
        Plain YAML values; dates count by their ISO form.

    Returns
    -------
    str
        SHA-256, hexadecimal.
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def run_identity(
    raw: Mapping[str, str],
    config: Mapping[str, object],
    code: Mapping[str, str],
    environment: Mapping[str, str],
) -> dict[str, object]:
    """Compose the identity of a run from its declared ancestors.

    Parameters
    ----------
    raw
        SHA-256 of each raw file, by name.
    config
        Config values, by file or section.
    code
        Text of each module, script and template, by name.
    environment
        Text of what fixes the software, by name (the lock, the renderer's version).

    Returns
    -------
    dict
        ``identity`` (short, printed in reports), ``sha256`` (whole), and the hash of each of the
        four parts, so that two runs can be told apart by what differs; ``raw_files`` as given.
    """
    parts = {
        "raw": content_hash(raw),
        "config": content_hash({name: value_hash(value) for name, value in config.items()}),
        "code": content_hash(code),
        "environment": content_hash(environment),
    }
    whole = content_hash(parts)
    return {
        "identity": whole[:LENGTH],
        "sha256": whole,
        "parts": {name: part[:LENGTH] for name, part in parts.items()},
        "raw_files": dict(sorted(raw.items())),
    }


def released_identity(
    raw: Mapping[str, str],
    config: Mapping[str, object],
    code: Mapping[str, str],
    environment: Mapping[str, str],
) -> dict[str, str]:
    """Compose the identity of the released tables, which no text or figure of a report changes.

    Parameters
    ----------
    raw, config, code, environment
        As for :func:`run_identity`, of the stages up to release alone.

    Returns
    -------
    dict
        ``identity`` (short, in the sidecar of each released table) and ``sha256`` (whole).
    """
    whole = run_identity(raw, config, code, environment)
    return {"identity": str(whole["identity"]), "sha256": str(whole["sha256"])}
