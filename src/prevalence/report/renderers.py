"""Which renderer is used: Quarto where it is installed, the built-in one otherwise."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from prevalence.errors import PipelineError

NAMES = ("quarto", "builtin")


def beside_python(program: str) -> str | None:
    """Find a program beside the running Python first, then on the path.

    Parameters
    ----------
    program
        Its name.

    Returns
    -------
    str or None
        Its path.
    """
    own = str(Path(sys.executable).parent)
    return shutil.which(program, path=own) or shutil.which(program)


def pandoc_program() -> str:
    """Find pandoc: the wheel's own, then beside Python, then on the path.

    Raises
    ------
    PipelineError
        If there is none.
    """
    try:
        import pypandoc

        own = Path(pypandoc.__file__).parent / "files" / "pandoc"
        if own.exists():
            return str(own)
    except ImportError:
        pass
    found = beside_python("pandoc")
    if found is None:
        raise PipelineError(
            "pandoc is not installed.",
            allowed="the package pypandoc_binary, or pandoc on the path",
            remedy="Install the locked environment: make report.",
        )
    return found


def resolved_renderer(wanted: str) -> str:
    """Resolve the renderer that the config asks for.

    Parameters
    ----------
    wanted
        ``auto``, ``quarto`` or ``builtin``.

    Returns
    -------
    str
        ``quarto`` or ``builtin``.

    Raises
    ------
    PipelineError
        If Quarto is asked for by name and isn't there, or the name is unknown.
    """
    if wanted not in ("auto", *NAMES):
        raise PipelineError(
            "The renderer is unknown.",
            file="config/config.yaml",
            place="renderer",
            found=wanted,
            allowed=", ".join(("auto", *NAMES)),
        )
    if wanted == "builtin":
        return "builtin"
    if beside_python("quarto") is not None:
        return "quarto"
    if wanted == "quarto":
        raise PipelineError(
            "The renderer quarto is asked for and not installed.",
            file="config/config.yaml",
            place="renderer",
            found="no quarto beside Python or on the path",
            allowed="auto, builtin, or an installed Quarto",
            remedy="Run make quarto, use environment.yml, or write: renderer: auto",
        )
    return "builtin"


def renderer_identity(wanted: str) -> str:
    """Name the renderer with the versions that decide what it writes.

    Parameters
    ----------
    wanted
        As in the config.

    Returns
    -------
    str
        For instance ``builtin (pandoc 3.9, Typst 0.15.2)``.
    """
    if resolved_renderer(wanted) == "quarto":
        return f"quarto {_first_version([str(beside_python('quarto')), '--version'])}"
    pandoc = _first_version([pandoc_program(), "--version"])
    try:
        typst = version("typst")
    except PackageNotFoundError as error:
        raise PipelineError(
            "The Python package typst is not installed.",
            remedy="Install the locked environment: make report.",
        ) from error
    return f"builtin (pandoc {pandoc}, Typst {typst})"


def _first_version(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"\d+(?:\.\d+)+", done.stdout)
    if found is None:
        raise PipelineError(
            "A program does not say its version.", found=command[0], remedy="Reinstall it."
        )
    return found[0]
