"""The sans serif type of figures, of the PDF's heads and of its tables: the same on every machine.

Source Sans comes with the environment as a package of font files, so that no machine's own fonts
change a picture.
"""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from prevalence.errors import PipelineError

FAMILY = "Source Sans Pro"
PACKAGE = "font_source_sans_pro"
STYLES = ("Regular", "It", "Bold", "BoldIt")


def font_files() -> list[Path]:
    """Find the font's files: upright and italic, normal and bold.

    Returns
    -------
    list of pathlib.Path
        TrueType files.

    Raises
    ------
    PipelineError
        If the package is not installed.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise PipelineError(
            "The fonts of figures and PDF are not installed.",
            found=f"no package {PACKAGE}",
            remedy="Install the locked environment: make report.",
        )
    folder = Path(found.origin).parent / "files"
    return [folder / f"SourceSansPro-{style}.ttf" for style in STYLES]


def copy_fonts(folder: Path) -> None:
    """Put the font's files into a folder: a composed source takes its fonts along."""
    folder.mkdir(exist_ok=True)
    for file in font_files():
        shutil.copyfile(file, folder / file.name)
