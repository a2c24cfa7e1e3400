"""The manifest of raw files: proof that what is analysed is what was declared.

`MANIFEST.sha256` has a line ``<sha256>  <file>`` for each raw file of a survey, as `sha256sum`
writes it. This module reads raw files from the disk to hash them, and writes nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from prevalence.errors import PipelineError, listed, suggestion

_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")
_BLOCK = 1 << 20


def parse_manifest(text: str, file: object) -> dict[str, str]:
    """Read a manifest.

    Parameters
    ----------
    text
        The manifest's text; empty lines and lines that start with ``#`` are left out.
    file
        Its name, for messages.

    Returns
    -------
    dict
        File name to SHA-256, in hexadecimal.

    Raises
    ------
    PipelineError
        For a malformed line or a file that is declared twice.
    """
    declared: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.rstrip())
        if match is None or match[2] in declared:
            raise PipelineError(
                "A line of the manifest is malformed." if match is None else "A file stands twice.",
                file=file,
                place=f"line {number}",
                found=None if match is None else match[2],
                allowed="64 hexadecimal digits, two spaces, a file name; each file once",
                remedy="Write it again with make manifest, or with sha256sum.",
            )
        declared[match[2]] = match[1]
    return declared


def check_present(
    survey: str, raw_files: Iterable[str], codebook: str, *, manifest: bool = True
) -> None:
    """Refuse a survey whose files are not there, before anything runs.

    Parameters
    ----------
    survey
        The survey's id.
    raw_files
        Names of the files under ``data/raw/<survey>/``.
    codebook
        Path of the codebook.
    manifest
        Whether the raw files must be declared already.

    Raises
    ------
    PipelineError
        Naming every file that is missing, and how to get it.
    """
    folder = Path("data/raw") / survey
    absent = [name for name in raw_files if not (folder / name).exists()]
    if absent:
        readme = folder / "README.md"
        told = f"{readme} says where to get them;" if readme.exists() else "Put them there,"
        raise PipelineError(
            "Raw files of a survey are missing.",
            file=folder,
            found=f"no {listed(absent)}",
            remedy=f"{told} or take them out of config/surveys/{survey}.yaml.",
        )
    if not Path(codebook).exists():
        raise PipelineError(
            "The codebook of a survey is missing.",
            file=codebook,
            place=f"config/surveys/{survey}.yaml, ingest.codebook",
            remedy="Write it, or mend the path; config/codebooks/README.md explains its columns.",
        )
    declared = folder / "MANIFEST.sha256"
    if manifest and not declared.exists():
        raise PipelineError(
            "The raw files of a survey have no manifest.",
            file=declared,
            remedy=f'Declare them once: make manifest SURVEY={survey} REASON="first delivery".',
        )


def verify_file(
    path: str | Path, folder: str | Path, declared: Mapping[str, str]
) -> dict[str, object]:
    """Verify that a raw file is the one that the manifest declares.

    Parameters
    ----------
    path
        The raw file.
    folder
        The survey's raw folder; the file may not lie, or point, outside.
    declared
        File name to SHA-256.

    Returns
    -------
    dict
        ``file``, ``sha256`` and ``size`` in bytes.

    Raises
    ------
    PipelineError
        If the file is absent, empty, outside the folder, not declared, or not the declared one.
    """
    path, folder = Path(path), Path(folder)
    manifest = folder / "MANIFEST.sha256"
    if not path.resolve().is_relative_to(folder.resolve()):
        raise PipelineError(
            "A raw file lies outside its survey's folder.",
            file=path,
            found="a path or a symbolic link that leads elsewhere",
            allowed=f"a file in {folder}",
            remedy="Copy the file into the folder.",
        )
    if not path.is_file():
        raise PipelineError(
            "A raw file is missing.",
            file=path,
            found="something that is no file, such as a folder" if path.exists() else None,
            remedy="Put it there.",
        )
    if path.name not in declared:
        raise PipelineError(
            "A raw file is not in the manifest.",
            file=manifest,
            found=f"no line for {path.name}",
            allowed=listed(declared, 20),
            remedy=f"{suggestion(path.name, declared)} If the file is new, run "
            f"make manifest SURVEY={folder.name} REASON=….",
        )
    digest, size = _hashed(path)
    if size == 0:
        raise PipelineError(
            "A raw file is empty.",
            file=path,
            found="0 bytes",
            remedy="Copy the file again from where it came.",
        )
    if digest != declared[path.name]:
        raise PipelineError(
            "A raw file is not the one that the manifest declares.",
            file=path,
            found=f"SHA-256 {digest}, {size:,} bytes",
            allowed=f"SHA-256 {declared[path.name]}",
            remedy="Put the declared file back. If the data were corrected, run "
            f"make manifest SURVEY={folder.name} REASON=… and say so in the changelog.",
        )
    return {"file": path.name, "sha256": digest, "size": size}


def _hashed(path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
                size += len(block)
    except OSError as error:
        raise PipelineError(
            "A raw file cannot be read.",
            file=path,
            found=error.strerror,
            remedy="Mend the file's permissions.",
        ) from None
    return digest.hexdigest(), size
