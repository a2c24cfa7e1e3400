"""What scripts of the estimate and model stages read: a survey's study, and its factors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from prevalence.estimation import CODED, ROW_TABLES, SIDE_TABLES, Study, study_of
from prevalence.files import read_csv, read_parquet

if TYPE_CHECKING:
    import pandas as pd

    from prevalence.adjustment import Factor


def read_study(job: Any) -> tuple[Study, dict[str, pd.DataFrame]]:
    """Read a survey's cleaned and weighted tables.

    Parameters
    ----------
    job
        Snakemake's object of a rule whose inputs hold `STUDY` of the estimate rules, and whose
        params hold `estimate`, `headline` and `year`.

    Returns
    -------
    study : Study
        What every estimator needs.
    tables : dict of str to pandas.DataFrame
        The tables that it was made from, by name.
    """
    tables = {
        name: read_parquet(job.input.get(name), coded=CODED.get(name, ())) for name in ROW_TABLES
    }
    tables["respondents"] = with_codes(tables["respondents"], job.params.estimate["domains"])
    tables |= {name: read_csv(job.input.get(name)) for name in SIDE_TABLES if job.input.get(name)}
    study = study_of(
        tables,
        estimate=job.params.estimate,
        headline=job.params.headline,
        year=job.params.year,
    )
    return study, tables


def with_codes(respondents: pd.DataFrame, domains: Iterable[Mapping[str, str]]) -> pd.DataFrame:
    """Write numbers that name domains as codes: 1, as other tables and the reader have it, not 1.0.

    Parameters
    ----------
    respondents
        One row a respondent.
    domains
        ``estimate.domains`` of the survey's config: each with its ``variable``.

    Returns
    -------
    pandas.DataFrame
        The respondents; missing numbers stay missing.
    """
    names = {domain["variable"] for domain in domains} & set(respondents)
    numbers = [name for name in names if respondents[name].dtype.kind == "f"]
    return respondents.assign(
        **{name: respondents[name].map("{:.15g}".format, na_action="ignore") for name in numbers}
    )


def read_factors(job: Any, study: Study) -> tuple[dict[str, Any], dict[str, list[Factor]]]:
    """Read what a survey's adjustment factors rest on, and draw them.

    Parameters
    ----------
    job
        As for :func:`read_study`, with the side tables `survivor_panel` and `companion` where the
        survey has them, and the param `seed`.
    study
        The survey.

    Returns
    -------
    settings : dict
        The `estimate.adjustment` section; one draw of no factor where there is none.
    factors : dict of str to list of Factor
        Factors by hidden group; whoever draws them from the same seed has the same draws.
    """
    from prevalence.adjustment import NO_FACTORS, study_factors

    settings = job.params.estimate.get("adjustment") or NO_FACTORS
    elicited = {
        name: read_csv(job.input.get(file)) if job.input.get(file) else None
        for name, file in (("panel", "survivor_panel"), ("companion", "companion"))
    }
    return settings, study_factors(study, settings, job.params.seed, **elicited)
