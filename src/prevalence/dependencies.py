"""Which project modules a script imports, so that a changed module re-runs what depends on it.

Snakemake sees a changed script, but not a changed module that the script imports. The workflow
therefore declares these modules as inputs.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable, Iterator

Source = Callable[[str], str | None]
# What may be an import, prose included: a tenth of the time that parsing all of a source takes.
_IMPORT = re.compile(
    r"(?:^|[;:])[ \t]*((?:from[ \t]+[\w.]+[ \t]+)?import\b[ \t]*(?:\([^)]*\)|(?:[^\n;\\]|\\\n)*))",
    re.M,
)


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Every statement of a source, however deep; expressions, most of a tree, aren't entered."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            waiting.extend(getattr(node, part, ()))


@functools.cache
def imported_modules(source: str, package: str) -> frozenset[str]:
    """Names of the modules of a package that a Python source imports, wherever the import stands.

    Parameters
    ----------
    source
        Python source text.
    package
        The package's name, such as ``"prevalence"``.

    Returns
    -------
    frozenset of str
        Dotted names; ``from package.a import b`` gives both ``package.a`` and ``package.a.b``,
        since `b` may be a module.
    """
    names: set[str] = set()
    for node in _imports(source, package):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(name for name in names if name == package or name.startswith(f"{package}."))


def _imports(source: str, package: str) -> list[ast.AST]:
    """Statements among which every import of a package is; all of them where that is unclear."""
    texts = [text for text in _IMPORT.findall(source) if package in text]
    try:
        return [node for text in texts for node in _statements(ast.parse(text))]
    except SyntaxError:  # prose that looks like an import, or one with a bracket in a comment
        return list(_statements(ast.parse(source)))


def transitive_modules(source: str, package: str, read: Source) -> set[str]:
    """All modules of a package on which a source depends, directly or through one another.

    Parameters
    ----------
    source
        Python source text of the script.
    package
        The package's name.
    read
        Gives the source of a dotted module name, or None where there is no such module.

    Returns
    -------
    set of str
        Dotted names that exist, the parent packages (their ``__init__``) included.
    """
    found: set[str] = set()
    waiting = set(imported_modules(source, package))
    while waiting:
        name = waiting.pop()
        parents = {".".join(name.split(".")[: i + 1]) for i in range(name.count("."))}
        waiting |= parents - found
        if name in found or (text := read(name)) is None:
            continue
        found.add(name)
        waiting |= imported_modules(text, package) - found
    return found
