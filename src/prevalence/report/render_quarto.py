"""The Quarto renderer: the composed source is a Quarto project, rendered as it stands.

Quarto exits with success when a variable, a reference or a shortcode was left unresolved, so its
output is read and refused if any was.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from prevalence.errors import PipelineError
from prevalence.pdf import page_texts
from prevalence.report.normalise import docx_text, html_text
from prevalence.report.renderers import beside_python
from prevalence.report.resolve import check_rendered

FORMATS = {"html": "html", "pdf": "typst", "docx": "docx"}
EPOCH = "1694044800"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def rendered(folder: Path, kind: str, document: str = "summary") -> bytes:
    """Render a composed source with Quarto.

    Quarto writes beside the source and into hidden folders of the project, so it works on a copy.

    Parameters
    ----------
    folder
        The composed source.
    kind
        ``html``, ``pdf`` or ``docx``.
    document
        ``summary`` or ``brief``.

    Returns
    -------
    bytes
        The file.

    Raises
    ------
    PipelineError
        If Quarto is missing or fails, or leaves something unresolved.
    """
    program = beside_python("quarto")
    if program is None:
        raise PipelineError(
            "Quarto is not installed.",
            allowed="quarto beside Python or on the path",
            remedy="Run make quarto, use environment.yml, or write in config/config.yaml: "
            "renderer: builtin",
        )
    with tempfile.TemporaryDirectory() as scratch:
        name = f"{document}.{kind}"
        copy = Path(scratch) / "source"
        shutil.copytree(folder, copy)
        done = subprocess.run(
            [program, "render", f"{document}.qmd", "--to", FORMATS[kind], "--output", name],
            cwd=copy,
            capture_output=True,
            text=True,
            check=False,
            env=_environment(Path(scratch)),
        )
        messages = _COLOUR.sub("", done.stderr)
        found = sorted(copy.rglob(name))
        if done.returncode or not found:
            raise PipelineError(
                "Quarto could not render the report.",
                found=messages[-800:] or f"exit code {done.returncode}",
                remedy="Mend the source under reports/, or render with the built-in renderer: "
                "renderer: builtin",
            )
        content = found[0].read_bytes()
    check_rendered(readable(content, kind), name)
    return content


def _environment(scratch: Path) -> dict[str, str]:
    """Set a fixed clock, and no fonts but those that every Typst brings."""
    return {
        **os.environ,
        "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", EPOCH),
        "TYPST_IGNORE_SYSTEM_FONTS": "true",
        "XDG_CACHE_HOME": str(scratch / "cache"),
        "NO_COLOR": "1",
    }


def readable(content: bytes, kind: str) -> str:
    """Text of a rendered report, whatever its format.

    Parameters
    ----------
    content
        The file.
    kind
        ``html``, ``pdf`` or ``docx``.

    Returns
    -------
    str
        Its text.
    """
    if kind == "html":
        return html_text(content.decode("utf-8"))
    if kind == "docx":
        return docx_text(content)
    return "\n".join(page_texts(content))
