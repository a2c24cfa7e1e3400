"""The committed manifest of published outputs, and the line in the README that names it."""

from __future__ import annotations

import json

from prevalence.audit.contents import sha256
from prevalence.errors import PipelineError

START, END = "<!-- generated: manifest -->", "<!-- end: manifest -->"


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


def with_line(text: str, path: str, content: bytes) -> str:
    """Put the sentence into the README.

    Parameters
    ----------
    text
        The README.
    path, content
        Of the manifest.

    Returns
    -------
    str
        The README with the sentence between its two marks.

    Raises
    ------
    PipelineError
        If the marks aren't there.
    """
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise PipelineError(
            "The README has no place for the manifest's hash.",
            file="README.md",
            allowed=f"a line {START} and a line {END}",
            remedy="Put the two lines where the hash should stand.",
        )
    return f"{before}{START}\n{line(path, content)}\n{END}{after}"
