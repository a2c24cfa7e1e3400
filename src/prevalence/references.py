"""What the sections of a survey's config say of one another: each name must be one that exists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from prevalence.codebook import ALL_GROUPS
from prevalence.denominators import check_denominators, check_places, check_sizes
from prevalence.disclosure.requirements import required_texts
from prevalence.errors import PipelineError, check_known, listed
from prevalence.figures.catalogue import FIGURES, place_figures

COMMON_GEOGRAPHY = ("national", "island_group", "region")
SHORTEST_REASON = 20
# What `prevalence.exports` can be told of a format beside its encoding.
READER_OPTIONS = {
    "csv": ("encoding", "delimiter", "missing"),
    "xlsx": ("sheet", "missing"),
}


def check_references(config: Mapping[str, Any], file: str) -> None:
    """Check that names in one place of a config exist in the other.

    Parameters
    ----------
    config
        A survey's config that fits its schemas.
    file
        The file's name, for messages.

    Raises
    ------
    PipelineError
        For the first name that doesn't exist, or values that contradict one another.
    """
    estimate = config["estimate"]
    groups = list(estimate["hidden_groups"])
    types = [domain["type"] for domain in estimate["domains"]]
    geographic = [d["type"] for d in estimate["domains"] if d["kind"] == "geographic"]
    _check_once(types, "estimate.domains", file)
    _check_figures(config, geographic, file)
    _check_names(estimate.get("benchmarked") or (), geographic, "estimate.benchmarked", file)
    for name, ratio in (estimate.get("ratios") or {}).items():
        for part in ("numerator", "denominator"):
            _check_names([ratio[part]], groups, f"estimate.ratios.{name}.{part}", file)
    between = estimate.get("imputation_between") or {}
    for part, group in between.items():
        _check_names([group], groups, f"estimate.imputation_between.{part}", file)
    factors = (estimate.get("adjustment") or {}).get("factors") or {}
    _check_names(factors, groups, "estimate.adjustment.factors", file)
    _check_names(config["report"]["groups"], groups, "report.groups", file)
    silent = [group for group in groups if group not in config["report"]["groups"]]
    if silent:
        raise PipelineError(
            "The report has no words for a hidden group.",
            file=file,
            place="report.groups",
            found=f"nothing for {listed(silent)}",
            allowed=f"words for each of {listed(groups, 40)}",
            remedy=f"Add {silent[0]} with its heading under report.groups.",
        )
    allowed = [*COMMON_GEOGRAPHY, *geographic]
    smallest = config["release"]["smallest_geography"]
    _check_names([smallest], list(dict.fromkeys(allowed)), "release.smallest_geography", file)
    _check_reason(config["release"], file)
    _check_domains(config, types, geographic, file)
    tables = (config.get("ingest") or {}).get("tables") or {}
    _check_ingest(config.get("ingest") or {}, file)
    _check_populations(estimate, geographic, "populations" in tables, file)
    _check_replicates(config.get("weight") or {}, file)
    _check_models(config.get("model") or {}, file)
    situations = (config.get("clean") or {}).get("situations") or []
    for number, situation in enumerate(situations):
        place = f"clean.situations.{number}.group"
        _check_names([situation["group"]], [*groups, ALL_GROUPS], place, file)
    if (config.get("model") or {}).get("area_covariates") and "areas" not in tables:
        raise PipelineError(
            "Covariates of areas are named, but no list of areas.",
            file=file,
            place="model.area_covariates",
            found="no ingest.tables.areas",
            allowed="columns of the side table areas",
            remedy="Declare the list under ingest.tables.areas, or take the covariates out.",
        )
    _check_numbers(config, file)
    _check_words(config, file)


def check_citations(
    keys: Iterable[str],
    file: str,
    place: str,
    *,
    bibliography: Path = Path("reports/references.bib"),
) -> None:
    """Check that what a config cites stands in the bibliography.

    Parameters
    ----------
    keys
        What is cited.
    file, place
        Where, for the message.
    bibliography
        A file in BibTeX's format.

    Raises
    ------
    PipelineError
        Naming the keys without an entry, and those that there are.
    """
    known = re.findall(
        r"^@\w+\{\s*([^,\s]+),", bibliography.read_text(encoding="utf-8"), re.MULTILINE
    )
    problem = f"The config cites what {bibliography} doesn't have."
    check_known(keys, known, problem, file=file, place=place)


def check_translations(
    languages: Iterable[str],
    survey: str,
    file: str,
    *,
    folder: Path = Path("reports/strings"),
) -> None:
    """Check that each language of further summaries has its strings.

    Parameters
    ----------
    languages
        ``report.translations`` of the survey's config.
    survey
        The survey's id.
    file
        The survey's config, for the message.
    folder
        Where the strings stand.

    Raises
    ------
    PipelineError
        Naming the first language without a file.
    """
    for language in languages:
        strings = folder / f"{survey}.{language}.yml"
        if not strings.is_file():
            others = [path.name for path in sorted(folder.glob("*.yml"))]
            raise PipelineError(
                "A language of the summary has no strings.",
                file=file,
                place="report.translations",
                found=f"{language}, and no file {strings}",
                allowed=f"languages with such a file; there are {listed(others)}",
                remedy=f"Write {strings} after one that is there, or take {language} out.",
            )


def earlier_tables(folder: str | None, file: str) -> list[str]:
    """List the tables of an earlier release.

    Parameters
    ----------
    folder
        ``release.earlier`` of the survey's config; None without one.
    file
        The survey's config, for the message.

    Returns
    -------
    list of str
        Paths of its CSV files; none without an earlier release.

    Raises
    ------
    PipelineError
        If there is no table in the folder.
    """
    if not folder:
        return []
    tables = sorted(path.as_posix() for path in Path(folder).glob("*.csv"))
    if not tables:
        raise PipelineError(
            "The earlier release isn't there, and differences from it can't be checked.",
            file=file,
            place="release.earlier",
            found=f"no .csv files in {folder}",
            allowed="the folder of tables that were released before",
            remedy="Put them there, or mend the path.",
        )
    return tables


def _check_names(names: Iterable[str], known: Iterable[str], place: str, file: str) -> None:
    check_known(
        names, known, "The config names something that doesn't exist.", place=place, file=file
    )


def _check_domains(
    config: Mapping[str, Any], types: list[str], geographic: list[str], file: str
) -> None:
    """Refuse words, names, tiles and ratios of a type of domain, or ratio, that isn't estimated."""
    ratios = config["estimate"].get("ratios") or {}
    for name, ratio in ratios.items():
        _check_names(ratio.get("domains") or (), types, f"estimate.ratios.{name}.domains", file)
    words, figures = config["report"], config.get("figures") or {}
    _check_names(words.get("ratios") or (), ratios, "report.ratios", file)
    _check_names(words.get("domains") or (), types, "report.domains", file)
    _check_names(figures.get("names") or (), types, "figures.names", file)
    _check_names(figures.get("tiles") or (), geographic, "figures.tiles", file)
    for kind, tiles in (figures.get("tiles") or {}).items():
        _check_tiles(tiles, f"figures.tiles.{kind}", file)


def _check_reason(release: Mapping[str, Any], file: str) -> None:
    """Refuse the release of small places for no reason."""
    smallest, reason = release["smallest_geography"], (release.get("reason") or "").strip()
    if smallest not in COMMON_GEOGRAPHY and len(reason) < SHORTEST_REASON:
        raise PipelineError(
            "Places smaller than the region are to be released, and no reason is given.",
            file=file,
            place="release.reason",
            found=f"{len(reason)} letters, smallest_geography: {smallest}",
            allowed=f"why it may be released, in {SHORTEST_REASON} letters or more; none is needed "
            f"for {listed(COMMON_GEOGRAPHY)}",
            remedy="Write the reason, or take a larger geography.",
        )


def _check_tiles(tiles: Mapping[str, Sequence[int]], place: str, file: str) -> None:
    """Refuse two places on one tile: the second would hide the first."""
    there: dict[tuple[int, ...], str] = {}
    for name, tile in tiles.items():
        if (first := there.setdefault(tuple(tile), str(name))) != str(name):
            raise PipelineError(
                "Two places stand on one tile of the map.",
                file=file,
                place=f"{place}.{name}",
                found=f"{list(tile)}, where {first} stands",
                allowed="a tile of its own for each place: column and row",
                remedy="Give one of them a free tile.",
            )


def _check_ingest(ingest: Mapping[str, Any], file: str) -> None:
    """Refuse an arrangement of a table that isn't read, and options that a format doesn't have."""
    tables = ingest.get("tables") or {}
    _check_names(ingest.get("arrange") or (), tables, "ingest.arrange", file)
    check_reader(ingest.get("reader") or {}, str(ingest["responses"]), file, "ingest.reader")


def check_reader(options: Iterable[str], export: str, file: str, place: str) -> None:
    """Refuse options that the format of an export doesn't have.

    Parameters
    ----------
    options
        Names of the options.
    export
        File name of the export.
    file, place
        Where they stand, for the message.

    Raises
    ------
    PipelineError
        Naming the options, and those that the format has.
    """
    suffix = export.rpartition(".")[2].lower()
    known = READER_OPTIONS.get(suffix, ("encoding",))
    strange = [name for name in options if name not in known]
    if strange:
        raise PipelineError(
            "The export's format has no such option.",
            file=file,
            place=place,
            found=f"{listed(strange)}, for a .{suffix} file",
            allowed=listed(known),
            remedy="Take it out: nothing would read it.",
        )


def _check_populations(
    estimate: Mapping[str, Any], geographic: list[str], table: bool, file: str
) -> None:
    """Refuse populations in two places, and rates whose denominator the config doesn't give."""
    given = estimate.get("populations")
    if given and table:
        raise PipelineError(
            "Populations are given in two places.",
            file=file,
            place="estimate.populations",
            found="ingest.tables.populations as well",
            allowed="one of the two",
            remedy="Take one out: the table would be read, and the config's numbers would not.",
        )
    places = [f"estimate.populations.{number}" for number in range(len(given or ()))]
    check_sizes(given or (), places, file)
    nation = [row for row in given or () if row["domain_type"] == row["domain"] == "national"]
    if nation:
        check_denominators(estimate["hidden_groups"], nation[0], file)
        known = {row["domain_type"] for row in given or ()}
        check_places(geographic, estimate["hidden_groups"], known, file)


def _check_replicates(weight: Mapping[str, Any], file: str) -> None:
    """Refuse a number of replicates where the design tells how many there are."""
    replication = weight.get("replication") or {}
    drawn = replication.get("method") == "rescaled_bootstrap"
    if not drawn and replication.get("replicates") is not None:
        raise PipelineError(
            "A number of replicates is given for a method that has its own.",
            file=file,
            place="weight.replication.replicates",
            found=f"{replication['replicates']}, method: {replication['method']}",
            allowed="a number for method: rescaled_bootstrap alone; the design tells the others'",
            remedy="Take it out, or set method: rescaled_bootstrap.",
        )


def _check_models(model: Mapping[str, Any], file: str) -> None:
    """Refuse a subset of known groups that nothing would read, and one that is missing."""
    scaling = model.get("scaling") or {}
    chosen = scaling.get("groups", "leave_target_out")
    if ("subset" in scaling) != (chosen == "subset"):
        raise PipelineError(
            "A subset of known groups is named and not chosen, or chosen and not named.",
            file=file,
            place="model.scaling.subset",
            found=f"groups: {chosen}",
            allowed="groups: subset and the groups of the subset, or neither",
            remedy="Take one out, or add the other.",
        )


def _check_once(names: list[str], place: str, file: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1 or name == "national"})
    if twice:
        raise PipelineError(
            "A type of domain stands twice.",
            file=file,
            place=place,
            found=listed(twice),
            allowed="each type once; the nation is there without being listed",
            remedy="Give the second one another type, or take it out.",
        )


def _check_figures(config: Mapping[str, Any], geographic: list[str], file: str) -> None:
    """Refuse a type of domain whose figure would have the name of another one."""
    others = {name for section in FIGURES if section != "where" for name in FIGURES[section]}
    others |= set(place_figures(config)) - {f"{kind}s" for kind in geographic}
    clashing = [kind for kind in geographic if f"{kind}s" in others]
    if clashing:
        raise PipelineError(
            "A type of domain would have a figure with another one's name.",
            file=file,
            place="estimate.domains",
            found=listed(clashing),
            allowed=f"a type that with an s is none of {listed(sorted(others), 40)}",
            remedy=f"Name it otherwise: {clashing[0]}_area, say.",
        )


def _check_words(config: Mapping[str, Any], file: str) -> None:
    """Refuse now what the gate would refuse once everything is rendered."""
    populations = {group["population"] for group in config["estimate"]["hidden_groups"].values()}
    try:
        required_texts(config["survey"], config["report"], "", populations=populations)
    except PipelineError as error:
        error.file = file
        raise


def _check_numbers(config: Mapping[str, Any], file: str) -> None:
    estimate, headline = config["estimate"], config["headline"]
    fewest, known = estimate["degree"]["minimum_groups"], headline["known_groups"]
    if fewest > len(known):
        raise PipelineError(
            "Degrees need more known groups than the headline has.",
            file=file,
            place="estimate.degree.minimum_groups",
            found=fewest,
            allowed=f"at most {len(known)}, the number of headline.known_groups",
            remedy="Lower it, or name more known groups.",
        )
    for name, group in estimate["hidden_groups"].items():
        own = group.get("known_groups")
        if own and fewest > len(own):
            raise PipelineError(
                "Degrees need more known groups than a hidden group has of its own.",
                file=file,
                place=f"estimate.hidden_groups.{name}.known_groups",
                found=f"{len(own)} groups, estimate.degree.minimum_groups {fewest}",
                allowed=f"at least {fewest} known groups",
                remedy="Name more known groups, or lower minimum_groups.",
            )
    for name, axis in ((estimate.get("sensitivity") or {}).get("contour") or {}).items():
        if axis["low"] >= axis["high"]:
            raise PipelineError(
                "A range is upside down.",
                file=file,
                place=f"estimate.sensitivity.contour.{name}",
                found=f"low {axis['low']:g}, high {axis['high']:g}",
                allowed="low below high",
                remedy="Exchange the two.",
            )
    for number, design in enumerate((estimate.get("planning") or {}).get("designs") or []):
        if design["psus"] > design["respondents"]:
            raise PipelineError(
                "A planned survey has more sampling units than respondents.",
                file=file,
                place=f"estimate.planning.designs.{number}",
                found=f"{design['psus']:,} PSUs, {design['respondents']:,} respondents",
                allowed="at least one respondent a PSU",
                remedy="Correct one of the two.",
            )
