"""The audited run as an RO-Crate 1.2: what was published, from which inputs, by which workflow.

Raw and restricted data are named by their hashes (RFC 6920) and never copied.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from prevalence.audit.record import Manifest

VERSION = "1.2"
# The day of the published release, as in every output: the crate's clock isn't the machine's.
PUBLISHED = "2023-09-07"
LICENCE = "https://spdx.org/licenses/MIT"
TYPES = {
    "html": "text/html",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "csv": "text/csv",
    "json": "application/json",
    "svg": "image/svg+xml",
    "png": "image/png",
    "md": "text/markdown",
    "yml": "application/yaml",
    "yaml": "application/yaml",
}
RECORD = (
    "manifest.json",
    "exhibits.csv",
    "config.yaml",
    "seeds.json",
    "codecheck.yml",
    "summary.md",
)


def named_by_hash(digest: str) -> str:
    """Give the address of a content that isn't in the crate: ``ni:///sha-256;…`` (RFC 6920)."""
    encoded = base64.urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip("=")
    return f"ni:///sha-256;{encoded}"


def write_crate(
    root: Path, record: Path, manifest: Manifest, title: str, authors: Sequence[str]
) -> Path:
    """Write the crate beside an audit's record.

    Parameters
    ----------
    root
        The folder of the run, in which the published files stand.
    record
        The audit's folder.
    manifest
        Of the run.
    title, authors
        Of the software.

    Returns
    -------
    pathlib.Path
        The crate's folder; one that stood there is replaced.
    """
    crate = ROCrate(version=VERSION)
    identity = str(manifest.identity["identity"])
    people = [
        _described(crate, f"#author-{number}", {"@type": "Organization", "name": name})
        for number, name in enumerate(authors, start=1)
    ]
    licence = _described(crate, LICENCE, {"@type": "CreativeWork", "name": "MIT License"})
    about = {
        "name": f"Run {identity} of the survey {manifest.survey}",
        "description": f"Published results of {manifest.survey}, made by {title} with "
        f"{manifest.renderer}, with the manifest of what went in and came out.",
        "datePublished": PUBLISHED,
        "license": licence,
        "author": people,
        "identifier": identity,
    }
    workflow = _workflow(crate, root, licence)
    for name, value in {**about, "mainEntity": workflow}.items():
        crate.root_dataset[name] = value
    raw = [path for path in manifest.inputs if path.startswith("data/raw/")]
    published = [path for path in manifest.outputs if path.startswith("reports/")]
    results = [
        _file(crate, root / path, path, manifest.outputs[path])
        for path in published
        if (root / path).is_file()
    ]
    notes = [
        _file(crate, record / name, name, None) for name in RECORD if (record / name).is_file()
    ]
    action = {
        "@type": "CreateAction",
        "name": f"The run with the identity {identity}",
        "description": "Times, machine and commit stand in the audit's run.json alone.",
    }
    run = _described(crate, f"#run-{identity}", action)
    run["instrument"] = workflow
    run["agent"] = people
    run["object"] = [_absent(crate, manifest, path) for path in raw]
    run["result"] = [*results, *notes]
    crate.root_dataset["mentions"] = [run]
    target = record / "crate"
    shutil.rmtree(target, ignore_errors=True)
    crate.write(target)
    return target


def _workflow(crate: Any, root: Path, licence: Any) -> Any:
    """Add the Snakefile; not by `add_workflow`, whose profile stands on version 1.1."""
    language = _described(
        crate,
        "https://w3id.org/workflowhub/workflow-ro-crate#snakemake",
        {"@type": "ComputerLanguage", "name": "Snakemake", "url": "https://snakemake.github.io"},
    )
    properties = {
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        "name": "Snakefile",
        "encodingFormat": "text/plain",
    }
    workflow = crate.add_file(str(root / "Snakefile"), "Snakefile", properties=properties)
    workflow["programmingLanguage"] = language
    workflow["license"] = licence
    return workflow


def _described(crate: Any, name: str, properties: dict[str, Any]) -> Any:
    """Add something that the crate speaks of and doesn't hold."""
    return crate.add(ContextEntity(crate, name, properties))


def _file(crate: Any, source: Path, path: str, digest: str | None) -> Any:
    properties: dict[str, Any] = {
        "name": path.rsplit("/", 1)[-1],
        "contentSize": str(source.stat().st_size),
        "encodingFormat": TYPES.get(source.suffix.lstrip("."), "application/octet-stream"),
    }
    if digest:
        properties["sha256"] = digest
    return crate.add_file(str(source), path, properties=properties)


def _absent(crate: Any, manifest: Manifest, path: str) -> Any:
    """Name an input that isn't in the crate."""
    digest = manifest.inputs[path]
    properties = {
        "@type": "CreativeWork",
        "name": path,
        "contentSize": str(manifest.content(path)["size"]),
        "sha256": digest,
        "description": "Named by its hash; not part of the crate.",
    }
    return _described(crate, named_by_hash(digest), properties)
