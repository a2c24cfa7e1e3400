"""Contracts of the tables of the ingest stage: what is known of variables, and the side tables."""

from __future__ import annotations

from functools import partial

from prevalence.contracts import schema as pa
from prevalence.contracts.columns import filled, number, text, whole

DISPOSITION = r"^(1\.[12]|2\.[123]\d{0,2}|3\.\d+|4\.\d+)$"


_integer = partial(whole, minimum=None)


def _number(
    description: str, *checks: pa.Check, nullable: bool = False, required: bool = True
) -> pa.Column:
    finite = pa.Check.lt(1e15)  # nothing that is counted is infinite
    return number(description, *checks, finite, nullable=nullable, required=required)


def _probability(of: str) -> pa.Column:
    return _number(f"Probability with which {of} was selected.", pa.Check.gt(0), pa.Check.le(1))


VARIABLES = pa.DataFrameSchema(
    {
        "raw": text("Name in the export, and in responses.parquet.", filled()),
        "variable": text("Name in the analysis.", filled()),
        "label": text("What the variable is, in words."),
        "type": text(
            "Type of the answers.", pa.Check.isin(["numeric", "categorical", "text", "datetime"])
        ),
        "role": text("Part that the variable plays, by the codebook.", filled()),
        "value_labels": text("JSON: code to analysis value."),
        "missing_codes": text("JSON: code to kind of missing value."),
    },
    name="variables",
    description="The variables of responses.parquet, in the codebook's order.",
    unique=["raw"],
    strict=True,
)

DROPPED = pa.DataFrameSchema(
    {
        "raw": text("Name in the export."),
        "reason": text(
            "not_in_codebook, or ignored by the codebook.",
            pa.Check.isin(["not_in_codebook", "ignored"]),
        ),
        "n": _integer("Number of values that were dropped.", pa.Check.ge(0)),
        "identifiers": text("Kinds of identifier that the scan saw in it, divided by blanks."),
    },
    name="dropped_variables",
    description="Columns of the export that are not used, and that are written nowhere.",
    unique=["raw"],
    strict=True,
)

FRAME = pa.DataFrameSchema(
    {
        "household": text("Pseudonym of the sampled household.", filled()),
        "stratum": text("Stratum: a region, or a city taken with certainty.", filled()),
        "psu": text("Pseudonym of the primary sampling unit.", filled()),
        "ssu": text(
            "Pseudonym of the second-stage unit (barangay); may be empty or left out.",
            nullable=True,
            required=False,
        ),
        "region": text("Region; may be left out.", filled(), required=False),
        "urban": _integer(
            "1 urban, 0 rural; may be left out.", pa.Check.isin([0, 1]), required=False
        ),
        "city": text(
            "Pseudonym of the city or municipality; may be left out.",
            nullable=True,
            required=False,
        ),
        "interviewer": text(
            "Pseudonym of the interviewer; may be empty or left out.",
            nullable=True,
            required=False,
        ),
        "p_psu": _probability("the PSU"),
        "p_ssu": _probability("the second-stage unit within its PSU"),
        "p_household": _probability("the household within its last unit"),
        "certainty": _integer(
            "1 if the household's city was taken with certainty; may be left out where none was.",
            pa.Check.isin([0, 1]),
            required=False,
        ),
        "disposition": text(
            "AAPOR disposition: 1.x interview, 2.x eligible without one, 3.x unknown, 4.x not "
            "eligible.",
            pa.Check.str_matches(DISPOSITION),
        ),
    },
    name="frame",
    description="Sampling frame: one row a sampled household, with its final disposition.",
    unique=["household"],
    strict=False,
)

CENSUS = pa.DataFrameSchema(
    {
        "margin": text("Name of the margin, a variable of the respondents.", filled()),
        "category": text("Category of the margin.", filled()),
        "population": _number(
            "Adults (18 and over) in households; 0 for a declared structural zero.", pa.Check.ge(0)
        ),
    },
    name="census",
    description="Population margins for calibration.",
    unique=["margin", "category"],
    strict=False,
)

POPULATIONS = pa.DataFrameSchema(
    {
        "domain_type": text("Type of domain; national for the nation.", filled()),
        "domain": text("Name of the domain; national for the nation.", filled()),
        "year": _integer("Year to which the sizes refer.", pa.Check.in_range(1900, 2100)),
        "all_ages": _number("Everyone whom the tie definition admits, persons.", pa.Check.gt(0)),
        "children": _number("Persons aged 0–17.", pa.Check.gt(0), nullable=True, required=False),
        "adults": _number(
            "Persons aged 18 and over.", pa.Check.gt(0), nullable=True, required=False
        ),
        "source": text("Where the sizes come from.", nullable=True),
    },
    name="populations",
    description="Sizes of populations: denominators of rates.",
    unique=["domain_type", "domain", "year"],
    strict=False,
)

KNOWN_GROUPS = pa.DataFrameSchema(
    {
        "group": text("Group's id in the codebook.", filled()),
        "label": text("Group in words.", nullable=True),
        "size": _number("Known size, persons; empty if unknown.", pa.Check.gt(0), nullable=True),
        "year": pa.Column(
            "Int64",
            pa.Check.in_range(1900, 2100),
            nullable=True,
            coerce=True,
            description="Year to which the size refers; may be empty.",
        ),
        "source": text("Where the size comes from.", nullable=True),
        "quality": text(
            "Grade of the size: A, B or C (2, 10, 25 % coefficient of variation).",
            pa.Check.isin(["A", "B", "C", ""]),
            nullable=True,
        ),
        "note": text("What a reader should know of the size.", nullable=True),
    },
    name="known_groups",
    description="Groups of known size, in the codebook's order.",
    unique=["group"],
    strict=False,
)

SURVIVOR_PANEL = pa.DataFrameSchema(
    {
        "member": text("Pseudonym of the panel member.", filled()),
        "group": text("Hidden group.", filled()),
        "best": _number("Best value of the true-positive rate.", pa.Check.in_range(0, 1)),
        "low": _number("Lowest plausible value.", pa.Check.in_range(0, 1)),
        "high": _number("Highest plausible value.", pa.Check.in_range(0, 1)),
    },
    checks=pa.Check(
        lambda table: (table["low"] <= table["best"]) & (table["best"] <= table["high"]),
        name="low ≤ best ≤ high",
    ),
    name="survivor_panel",
    description="Elicited true-positive rates: used for sensitivity alone.",
    unique=["member", "group"],
    strict=False,
)

OPERATIONS = pa.DataFrameSchema(
    {
        "id": text("Id of the figure.", filled()),
        "label": text("What is counted.", filled()),
        "value": _number("The figure.", pa.Check.ge(0)),
        "unit": text("Its unit.", filled()),
        "as_of": text("Day to which it refers.", filled()),
        "source": text("Where it comes from.", filled()),
    },
    name="operations",
    description="Published operational figures, as context; never divided into the estimates.",
    unique=["id"],
    strict=False,
)

_SAMPLE = {
    "group": text("Hidden group whose members were interviewed.", filled()),
    "weight": pa.Column(
        float,
        pa.Check.gt(0),
        required=False,
        coerce=True,
        description="Weight of the member; equal weights where there is no such column.",
    ),
    "stratum": pa.Column(
        str, required=False, coerce=True, description="Stratum of the member; else one stratum."
    ),
    "psu": pa.Column(
        str,
        required=False,
        coerce=True,
        description="Sampling unit of the member; else each member is one.",
    ),
    "respondent": pa.Column(
        str,
        required=False,
        coerce=True,
        description="Pseudonym of the member, where several rows belong to one.",
    ),
}

COMPANION = pa.DataFrameSchema(
    {
        **_SAMPLE,
        "aware": _number("Contacts who know of the membership.", pa.Check.ge(0), nullable=True),
        "alters": _number("Contacts asked about.", pa.Check.ge(0), nullable=True),
        "degree": _number(
            "Network size, by the known groups of the survey, for the degree ratio.",
            pa.Check.ge(0),
            nullable=True,
            required=False,
        ),
    },
    checks=pa.Check(lambda table: ~(table["aware"] > table["alters"]), name="aware ≤ alters"),
    name="companion",
    description="Game of contacts: a member of a hidden group in each row, or a member and kind of "
    "contact, for the true-positive rate.",
    strict=False,
)

VISIBILITY = pa.DataFrameSchema(
    {
        **_SAMPLE,
        "visibility": _number(
            "People of the frame who would report the member.",
            pa.Check.ge(0),
            nullable=True,
            required=False,
        ),
        "aware": _number(
            "Instead of visibility: people of the probe groups who know of it.",
            pa.Check.ge(0),
            nullable=True,
            required=False,
        ),
        "probe_size": _number(
            "People of the frame in the probe groups that the member was asked about.",
            pa.Check.gt(0),
            nullable=True,
            required=False,
        ),
    },
    name="visibility",
    description="Visibility sample: a member of a hidden group in each row, for the generalised "
    "estimator.",
    strict=False,
)

AREAS = pa.DataFrameSchema(
    {
        "population": _number("People of all ages in the area, persons.", pa.Check.gt(0)),
        "psu": pa.Column(
            str, required=False, coerce=True, description="The area, where PSUs are the areas."
        ),
        "city": pa.Column(
            str,
            required=False,
            coerce=True,
            description="The area, where cities and municipalities are the areas.",
        ),
    },
    name="areas",
    description="All areas of the frame, sampled or not: the pooled models predict those that "
    "weren't. A column has the name of model.area and its values; further columns of numbers may "
    "be model.area_covariates.",
    strict=False,
)

SIDE_TABLES = {
    "frame": FRAME,
    "census": CENSUS,
    "populations": POPULATIONS,
    "known_groups": KNOWN_GROUPS,
    "survivor_panel": SURVIVOR_PANEL,
    "companion": COMPANION,
    "visibility": VISIBILITY,
    "operations": OPERATIONS,
    "areas": AREAS,
}
