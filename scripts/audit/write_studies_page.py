"""Write docs/validation.md from the studies under data/reference/."""

from pathlib import Path

from prevalence.files import read_csv, read_json, write_text
from prevalence.studies import STUDIES, studies_page

FOLDER = Path("data/reference")


def page() -> str:
    """Compose the page from the results that are there."""
    names = [name for name in STUDIES if (FOLDER / f"{name}.csv").exists()]
    tables = {name: read_csv(FOLDER / f"{name}.csv") for name in names}
    return studies_page(tables, {name: read_json(FOLDER / f"{name}.json") for name in names})


if __name__ == "__main__":
    write_text(page(), "docs/validation.md")
