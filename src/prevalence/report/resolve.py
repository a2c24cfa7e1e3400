"""Resolve the report's source as text: includes, conditional blocks, variables, page breaks.

Variables also stand in attributes and addresses, where a filter on the parsed document can't see
them; so they are resolved before the document is parsed, and every fault is told with the file and
line in which it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from prevalence.errors import PipelineError, listed, suggestion

SHORTCODE = re.compile(r"\{\{<\s*([\w-]+)\s*(.*?)\s*>\}\}")
ONLY_INCLUDE = re.compile(r"\s*\{\{<\s*include\s+(\S+)\s*>\}\}\s*")
FENCE = re.compile(r"^(:{3,})\s*(\{.*\}|[\w-]+)?\s*:*\s*$")
CONDITION = re.compile(r'(when|unless)-(meta|format)="([^"]*)"')
FORMATS = ("html", "typst", "docx")
DEPTH = 8


@dataclass(frozen=True)
class Line:
    """A line of the source and where it stands."""

    text: str
    file: str
    number: int

    @property
    def place(self) -> str:
        """The place as an error names it."""
        return f"line {self.number}"


def resolved(
    files: Mapping[str, str],
    start: str,
    variables: Mapping[str, str],
    metadata: Mapping[str, Any],
    target: str,
    *,
    page_break: str = "",
) -> str:
    """Resolve a source to one Markdown text.

    Parameters
    ----------
    files
        Text of each file of the source, by its path from the source's root.
    start
        The file to begin with.
    variables
        Text of each variable by its dotted name.
    metadata
        What ``when-meta`` refers to.
    target
        Format that is written: html, typst or docx.
    page_break
        What stands for a page break.

    Returns
    -------
    str
        Markdown without shortcodes and conditional blocks.

    Raises
    ------
    PipelineError
        If an include, a variable or a shortcode can't be resolved.
    """
    lines = shown(included(files, start), metadata, target)
    text = (_substituted(line, variables, page_break).text for line in lines)
    return "".join(f"{line}\n" for line in text)


def included(files: Mapping[str, str], name: str, above: tuple[str, ...] = ()) -> Iterator[Line]:
    """Yield the lines of a file with its includes in their places.

    Parameters
    ----------
    files
        Text of each file, by its path from the root.
    name
        The file.
    above
        Files in whose includes it stands.

    Yields
    ------
    Line
        Each line.

    Raises
    ------
    PipelineError
        If an included file is missing, or includes itself.
    """
    for number, text in enumerate(files[name].splitlines(), start=1):
        line = Line(text, name, number)
        found = ONLY_INCLUDE.fullmatch(text)
        if not found:
            yield line
            continue
        target = found[1].lstrip("/")
        if target not in files:
            raise PipelineError(
                "An included file is missing.",
                file=name,
                place=line.place,
                found=found[1],
                remedy=suggestion(target, files),
            )
        if target in above or len(above) > DEPTH:
            raise PipelineError(
                "A file includes itself.", file=name, place=line.place, found=target
            )
        yield from included(files, target, (*above, name))


def reachable(files: Mapping[str, str], start: str) -> list[str]:
    """List the files that a file includes, itself first, in the order of inclusion.

    Parameters
    ----------
    files
        Text of each file, by its path from the root.
    start
        The file to begin with.

    Returns
    -------
    list of str
        Paths.

    Raises
    ------
    PipelineError
        As `included`.
    """
    for _ in included(files, start):
        pass  # every include leads somewhere
    found = [ONLY_INCLUDE.fullmatch(text) for text in files[start].splitlines()]
    below = [match[1].lstrip("/") for match in found if match]
    order = [start, *(path for name in below for path in reachable(files, name))]
    return list(dict.fromkeys(order))


def shown(lines: Iterable[Line], metadata: Mapping[str, Any], target: str) -> Iterator[Line]:
    """Yield the lines that are shown in a format, without the fences of conditional blocks.

    Parameters
    ----------
    lines
        The lines.
    metadata
        What ``when-meta`` refers to, with dotted names.
    target
        The format.

    Yields
    ------
    Line
        Each line that is shown.

    Raises
    ------
    PipelineError
        If a fence is left open or closed twice.
    """
    # One entry for each open fence: (whether its block is shown, whether its own fence is kept).
    open_fences: list[tuple[bool, bool]] = []
    last = None
    for line in lines:
        last = line
        fence = FENCE.match(line.text)
        if fence is None:
            if all(seen for seen, _ in open_fences):
                yield line
            continue
        if fence[2]:
            conditional = ".content-" in fence[2]
            seen = _holds(fence[2], metadata, target) if conditional else True
            open_fences.append((seen, not conditional))
        elif not open_fences:
            raise PipelineError(
                "A block is closed that was not opened.", file=line.file, place=line.place
            )
        else:
            seen, _ = open_fences[-1]
        kept = open_fences[-1][1]
        if all(seen for seen, _ in open_fences):
            yield line if kept else replace(line, text="")
        if not fence[2]:
            open_fences.pop()
    if open_fences and last is not None:
        raise PipelineError("A block is left open.", file=last.file, place=last.place)


def _holds(attributes: str, metadata: Mapping[str, Any], target: str) -> bool:
    truths = [
        _condition(word, kind, value, metadata, target)
        for word, kind, value in CONDITION.findall(attributes)
    ]
    return all(truths) != (".content-hidden" in attributes)


def _condition(word: str, kind: str, value: str, metadata: Mapping[str, Any], target: str) -> bool:
    truth = value == target if kind == "format" else looked_up(metadata, value) is True
    return truth == (word == "when")


def looked_up(tree: Mapping[str, Any], name: str) -> Any:
    """Look a dotted name up; None where there is nothing of that name."""
    value: Any = tree
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


def _substituted(line: Line, variables: Mapping[str, str], page_break: str) -> Line:
    def value(found: re.Match[str]) -> str:
        return _shortcode(found, line, variables, page_break)

    return replace(line, text=SHORTCODE.sub(value, line.text))


def _shortcode(
    found: re.Match[str], line: Line, variables: Mapping[str, str], page_break: str
) -> str:
    name, argument = found[1], found[2]
    if name == "pagebreak":
        return page_break
    if name != "var":
        raise PipelineError(
            "A shortcode is not one of those that every renderer knows.",
            file=line.file,
            place=line.place,
            found=name,
            allowed="include (alone on its line), var, pagebreak",
        )
    if argument not in variables:
        branch = [other for other in variables if other.startswith(f"{argument}.")]
        raise PipelineError(
            "A variable names a group of values; take one of them."
            if branch
            else "A variable of the report is missing.",
            file=line.file,
            place=line.place,
            found=argument,
            allowed=listed(branch) if branch else None,
            remedy=suggestion(argument, variables),
        )
    return variables[argument]


def checked_source(
    files: Mapping[str, str],
    start: str,
    variables: Mapping[str, str],
    metadata: Mapping[str, Any],
    formats: Iterable[str] = FORMATS,
) -> None:
    """Check, before anything is rendered, that a source resolves in every format.

    Parameters
    ----------
    files, start, variables, metadata
        As in `resolved`.
    formats
        Formats to check.

    Raises
    ------
    PipelineError
        For the first include, variable, shortcode, reference or exhibit that can't be resolved.
    """
    for target in formats:
        lines = list(shown(included(files, start), metadata, target))
        for line in lines:
            _substituted(line, variables, "")
        _check_references(lines)


_TARGET = re.compile(r"\{#((?:fig|tbl|sec|eq)-[\w-]+)")
_REFERENCE = re.compile(r"(?<![\w.{#])@((?:fig|tbl|sec|eq)-[\w-]*\w)")


def _check_references(lines: list[Line]) -> None:
    places: dict[str, Line] = {}
    for line in lines:
        for name in _TARGET.findall(line.text):
            if name in places:
                raise PipelineError(
                    "Two exhibits have one name.", file=line.file, place=line.place, found=name
                )
            places[name] = line
    for line in lines:
        for name in _REFERENCE.findall(line.text):
            if name not in places:
                raise PipelineError(
                    "A cross-reference leads nowhere.",
                    file=line.file,
                    place=line.place,
                    found=f"@{name}",
                    remedy=suggestion(name, places),
                )


UNRESOLVED: dict[str, Callable[[str], list[str]]] = {
    "variable": re.compile(r"\?(?:var|meta|env)[:\w.]*").findall,
    "reference": re.compile(r"\?@[\w-]+|(?<![\w.])@(?:fig|tbl|sec|eq)-[\w-]+").findall,
    "citation": re.compile(r"\(?\*{0,2}[\w-]+\?\*{0,2}\)?(?=\W|$)(?<=\?\))").findall,
    "shortcode": re.compile(r"\{\{<.{0,40}|7B7B3C").findall,
}


def check_rendered(text: str, file: str) -> None:
    """Refuse a rendered text in which something was left unresolved.

    Renderers print such things and succeed.

    Parameters
    ----------
    text
        Text of the rendered file.
    file
        Its name, for the message.

    Raises
    ------
    PipelineError
        Naming what was left.
    """
    for kind, find in UNRESOLVED.items():
        left = find(text)
        if left:
            raise PipelineError(
                f"A {kind} was left unresolved in the rendered report.",
                file=file,
                found=listed(sorted(set(left))),
                remedy="Mend the source under reports/, or what it refers to.",
            )
