"""What a staged trend is checked for before it is published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from prevalence.disclosure.gate import (
    Allowed,
    Finding,
    Withheld,
    allowed_numbers,
    check_files,
    required_texts,
)
from prevalence.disclosure.numbers import words_in
from prevalence.disclosure.wording import word_stops
from prevalence.report.story import NOT_STATED

if TYPE_CHECKING:
    import pandas as pd

    from prevalence.terminology import Terminology


SYNTHETIC_NOTICE = {"notice that the data are synthetic": "synthetic data"}


def findings(
    files: Mapping[str, bytes],
    tables: Mapping[str, pd.DataFrame],
    *,
    declared: Sequence[str],
    config: Mapping[str, Any],
    identity: str,
    renderer: str,
    reviewed: Sequence[str],
    words: Terminology,
    synthetic: bool,
) -> list[Finding]:
    """Check the staged files of a trend, as those of a report are.

    Parameters
    ----------
    files
        Content of every file that would be published, by path.
    tables
        The released tables of the trend.
    declared
        Paths of the files that the rules declare.
    config
        Config of the later wave.
    identity
        Identity of the comparison.
    renderer
        Name and version of the renderer.
    reviewed
        Texts whose numbers and addresses may be shown.
    words
        The word list.
    synthetic
        Whether either wave is synthetic: then its notice must stand, whatever the later one is.

    Returns
    -------
    list of Finding
        Everything that is wrong; words are looked at where nothing else is.
    """
    report = config["report"]
    lines = [str(n) for line in report.get("help_lines") or [] for n in line.get("numbers", [])]
    hidden = config["estimate"]["hidden_groups"].values()
    # What differs between the waves is quoted from configs, codebooks and published sizes.
    texts = [*reviewed, *texts_of({"": tables["comparability"]}), identity, renderer, *declared]
    allowed = Allowed(
        declared=list(declared),
        numbers=allowed_numbers(tables, texts),
        texts=[*lines, *(line.split(" ")[0] for line in lines), identity],
        required=required_texts(
            config["survey"],
            report,
            identity,
            populations={group["population"] for group in hidden},
            unstated=NOT_STATED,
        )
        | (SYNTHETIC_NOTICE if synthetic else {}),
        withheld=Withheld(withheld(tables)),
        words=words_in([*texts, *texts_of(tables)]),
        reviewed="\n".join(texts),
        programs=renderer.startswith("quarto"),
    )
    return check_files(files, allowed) or word_stops(files, words)


def withheld(tables: Mapping[str, pd.DataFrame]) -> frozenset[tuple[str, str, str]]:
    """List the cells of which neither a level nor a change is shown."""
    changes, levels = tables["changes"], tables["levels"]
    cells: list[set[tuple[str, str, str]]] = []
    for table in (changes, levels):
        rows = table[table["suppressed"].astype(object).fillna("") != ""]
        keys = (rows[name].astype(str) for name in ("group", "domain_type", "domain"))
        cells.append(set(zip(*keys, strict=True)))
    shown = levels[levels["suppressed"].astype(object).fillna("") == ""]
    keys = (shown[name].astype(str) for name in ("group", "domain_type", "domain"))
    return frozenset((cells[0] | cells[1]) - set(zip(*keys, strict=True)))


def texts_of(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """List every text of some tables, and the names of their columns."""
    found = []
    for table in tables.values():
        found += [str(column) for column in table.columns]
        for column in table.columns:
            found += [text for text in table[column].unique() if isinstance(text, str)]
    return found
