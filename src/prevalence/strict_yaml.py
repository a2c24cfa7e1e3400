"""YAML of plain values, read without the format's traps.

Where YAML would let the second of two equal keys win, unfold aliases without end, or take a word
for a number that is none, this reader says so with its line.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from prevalence.errors import PipelineError

_DEEPEST = 50


def parse_yaml(text: str, file: object) -> Any:
    """Read YAML.

    Parameters
    ----------
    text
        The file's text.
    file
        Its name, for messages.

    Returns
    -------
    Any
        Mappings with texts as keys, lists, texts, finite numbers, dates, true, false, None.

    Raises
    ------
    PipelineError
        If it is not YAML, a key stands twice or is not a text, a number is not finite, brackets
        are nested without end, or it uses aliases: the message names the line.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _check_events(yaml.parse(text, loader), file)
        _check_node(yaml.compose(text, loader), file)
        return yaml.load(text, loader)  # a safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise PipelineError(
            "A config file is not valid YAML.",
            file=file,
            place=None if mark is None else f"line {mark.line + 1}, column {mark.column + 1}",
            found=getattr(error, "problem", None) or getattr(error, "reason", None),
            remedy="Mend the indentation, quotes or brackets at that place.",
        ) from error
    except ValueError as error:  # such as the 45th of a month
        raise PipelineError(
            "A config value cannot be read.",
            file=file,
            found=error,
            allowed="plain texts, numbers and dates",
            remedy="Write the value in quotation marks, or correct it.",
        ) from None


def _check_events(events: Iterator[Any], file: object) -> None:
    import yaml

    depth = 0
    for event in events:
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise PipelineError(
                "A config file is nested too deeply.",
                file=file,
                place=_place(event),
                found=f"more than {_DEEPEST} levels",
                allowed=f"at most {_DEEPEST} levels",
                remedy="Count the brackets and the indentation.",
            )
        if isinstance(event, yaml.AliasEvent):
            raise PipelineError(
                "A config file uses an alias.",
                file=file,
                place=_place(event),
                found=f"*{event.anchor}",
                allowed="values written out, where they hold",
                remedy="Write the value in place of the alias, or quote the text.",
            )


def _check_node(node: Any, file: object) -> None:
    import yaml

    if isinstance(node, yaml.SequenceNode):
        for part in node.value:
            _check_node(part, file)
    elif isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, value in node.value:
            _check_key(key, first, file)
            _check_node(value, file)
    elif isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:float":
        number = yaml.SafeLoader("").construct_yaml_float(node)
        if not math.isfinite(number):
            raise PipelineError(
                "A number of a config file is not finite.",
                file=file,
                place=_place(node),
                found=node.value,
                allowed="a finite number, or null where there is no bound",
                remedy="Write the number.",
            )


def _check_key(key: Any, first: dict[str, int], file: object) -> None:
    line = key.start_mark.line + 1
    if key.tag != "tag:yaml.org,2002:str":
        raise PipelineError(
            "A key of a config file is not a text.",
            file=file,
            place=_place(key),
            found=str(key.value)[:80],
            allowed="a word; in quotation marks if it is a number, a date, yes, no, on or off",
            remedy=f"Write the key in quotation marks: {str(key.value)[:80]!r}.",
        )
    if key.value in first:
        raise PipelineError(
            "A key of a config file stands twice.",
            file=file,
            place=_place(key),
            found=f"{key.value}, also on line {first[key.value]}",
            allowed="each key once: the second would silently win",
            remedy="Take one of the two lines out.",
        )
    first[key.value] = line


def _place(node: Any) -> str:
    return f"line {node.start_mark.line + 1}, column {node.start_mark.column + 1}"
