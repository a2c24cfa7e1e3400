"""Variables of the report: the one writer and the one reader of ``_variables.yml``.

Every leaf is a non-empty string, escaped for Markdown and HTML, since a renderer would print the
number 1.20 as 1.2, an empty value as "null" and a map as nothing, without a word of warning.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from prevalence.errors import PipelineError

FILE = "_variables.yml"
KEY = re.compile(r"[a-z][a-z0-9_]*")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]#|~^$@!\"'])")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def escaped(text: str) -> str:
    """Escape a text so that it reads the same in Markdown, in HTML and in an attribute.

    Parameters
    ----------
    text
        Plain text on one line.

    Returns
    -------
    str
        The text with Markdown's marks backslashed and HTML's marks as entities.
    """
    entities = re.sub(r"[&<>]", lambda found: _HTML[found[0]], text)
    return _MARKDOWN.sub(r"\\\1", entities)


def variables_text(tree: Mapping[str, Any]) -> str:
    """Write variables as the YAML that both renderers read.

    Parameters
    ----------
    tree
        Nested mapping; the leaves are plain strings.

    Returns
    -------
    str
        YAML with sorted keys and quoted, escaped leaves.

    Raises
    ------
    PipelineError
        If a key is malformed or a leaf is not a non-empty string.
    """
    lines: list[str] = []
    _write(tree, "", 0, lines)
    return "".join(f"{line}\n" for line in lines)


def _write(tree: Mapping[str, Any], path: str, depth: int, lines: list[str]) -> None:
    for key in sorted(tree):
        place = f"{path}.{key}" if path else key
        if not KEY.fullmatch(key):
            raise PipelineError(
                "A variable's name cannot be used in the report.",
                file=FILE,
                place=place,
                found=key,
                allowed="a small letter, then small letters, digits or _",
            )
        value = tree[key]
        if isinstance(value, Mapping) and value:
            lines.append(f"{'  ' * depth}{key}:")
            _write(value, place, depth + 1, lines)
        elif isinstance(value, str) and value.strip():
            text = json.dumps(escaped(" ".join(value.split())), ensure_ascii=False)
            lines.append(f"{'  ' * depth}{key}: {text}")
        else:
            raise PipelineError(
                "A variable of the report has no text.",
                file=FILE,
                place=place,
                found=type(value).__name__,
                allowed="a non-empty string",
            )


def flattened(tree: Mapping[str, Any], path: str = "") -> dict[str, str]:
    """Flatten a tree of variables to dotted names.

    Parameters
    ----------
    tree
        What ``_variables.yml`` holds.
    path
        Name of the tree itself, for its branches.

    Returns
    -------
    dict
        Text of each leaf by its dotted name.
    """
    leaves: dict[str, str] = {}
    for key, value in tree.items():
        place = f"{path}.{key}" if path else str(key)
        if isinstance(value, Mapping):
            leaves |= flattened(value, place)
        else:
            leaves[place] = str(value)
    return leaves
