"""What a report is made from, by name: the released tables, and the files of its own source.

Imports nothing heavy: the workflow reads it at every parse. It lists the folder of the source, and
reads no file.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

# The released tables that a report shows; one without rows leaves its section out.
REPORTED = [
    "scale_up",
    "degree_summary",
    "known_groups",
    "sample_flow",
    "response_rates",
    "nonresponse_bias",
    "weighting",
    "reporting",
    "specifications",
    "adjustment",
    "validation",
    "contrasts",
    "agreement",
    "trimming",
    "choice_shares",
    "factors",
    "variance_components",
    "sensitivity",
    "influence",
    "planning",
    "estimands",
    "effective_n",
    "margins",
    "data_quality",
    "disclosure_summary",
    "diagnostics",
    "predictive",
    "model_comparison",
    "prior_sensitivity",
    "small_areas",
    "adjustment_models",
    "area_distribution",
]
# Studies of the method that it tells of, under data/reference/.
STUDIES = ("coverage", "planning")
SOURCE_FILES = ("summary.qmd", "_quarto.yml", "references.bib", "brief.qmd", "checklist.yml")
SOURCE_FOLDERS = ("sections", "style", "templates", "filters", "strings")


def study_files(folder: Path, studies: Iterable[str]) -> list[Path]:
    """List the tables and records of studies, where they are.

    Parameters
    ----------
    folder
        The folder ``data/reference/``.
    studies
        Names of the studies.
    """
    paths = [folder / f"{name}.{suffix}" for name in studies for suffix in ("csv", "json")]
    return [path for path in paths if path.exists()]


def source_files(root: Path) -> list[Path]:
    """List every file of the report's source.

    Parameters
    ----------
    root
        The folder ``reports/``.

    Returns
    -------
    list of pathlib.Path
        The documents, then the files of each folder, sorted.
    """
    files = [root / name for name in SOURCE_FILES]
    return files + [
        path for folder in SOURCE_FOLDERS for path in sorted((root / folder).glob("*.*"))
    ]
