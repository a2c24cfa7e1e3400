"""Contracts of the tables of the clean stage."""

from __future__ import annotations

import pandera.pandas as pa

from prevalence.codebook import MISSING_KINDS

HIDDEN_ROLES = ("known", "child", "hidden_item", "hidden")


def _text(
    description: str, *checks: pa.Check, nullable: bool = False, required: bool = True
) -> pa.Column:
    return pa.Column(
        str,
        list(checks),
        nullable=nullable,
        required=required,
        coerce=True,
        description=description,
    )


def _number(
    description: str, *checks: pa.Check, nullable: bool = True, required: bool = True
) -> pa.Column:
    return pa.Column(
        float,
        list(checks),
        nullable=nullable,
        required=required,
        coerce=True,
        description=description,
    )


def _whole(description: str) -> pa.Column:
    return pa.Column("int64", pa.Check.ge(0), coerce=True, description=description)


def _share(description: str) -> pa.Column:
    return _number(f"Share {description}.", pa.Check.in_range(0, 1))


def _filled() -> pa.Check:
    return pa.Check.str_length(min_value=1)


def _optional(description: str) -> pa.Column:
    return _text(description, nullable=True, required=False)


RESPONDENTS = pa.DataFrameSchema(
    {
        "respondent": _text("Pseudonym of the respondent.", _filled()),
        "household": _text("Pseudonym of the household; empty where the export has none."),
        "stratum": _text("Stratum of the sample design."),
        "psu": _text("Pseudonym of the primary sampling unit."),
        "ssu": _text("Pseudonym of the second-stage unit; may be empty."),
        "interviewer": _text("Pseudonym of the interviewer; may be empty."),
        "city": _text("Pseudonym of the city or municipality; may be empty."),
        "region": _optional("Region; missing where the survey has none."),
        "urban": _optional("urban or rural."),
        "island_group": _optional("Island group, derived from the region."),
        "sex": _optional("Sex of the respondent."),
        "age": _number("Age in completed years.", pa.Check.in_range(0, 120), required=False),
        "age_group": _optional("Age group, derived from age or asked."),
        "adults": _number("Adults in the household, persons.", pa.Check.ge(0), required=False),
        "household_size": _number("Household members, persons.", pa.Check.ge(0), required=False),
        "base_weight_supplied": _number(
            "Base weight that the export supplies.", pa.Check.gt(0), nullable=False, required=False
        ),
    },
    name="respondents",
    description="One row a valid interview, sorted by respondent. Further columns are the "
    "codebook's domain and covariate variables and the config's derived variables.",
    unique=["respondent"],
    strict=False,
)

ARD = pa.DataFrameSchema(
    {
        "respondent": _text("Pseudonym of the respondent.", _filled()),
        "group": _text("Group that was asked about, or combined hidden group.", _filled()),
        "role": _text(
            "known or child (groups of known size), hidden_item, or hidden (what is estimated).",
            pa.Check.isin(HIDDEN_ROLES),
        ),
        "count": _number("People known in the group; not top-coded.", pa.Check.ge(0)),
        "missing": _text(
            "Why the count is missing; empty where there is one.",
            pa.Check.isin(["", *MISSING_KINDS]),
        ),
    },
    checks=pa.Check(
        lambda table: table["count"].isna() == (table["missing"] != ""),
        name="a count, or why there is none",
    ),
    name="ard",
    description="Aggregated relational data: one row a respondent and group, sorted by respondent, "
    "then in the codebook's order; combined hidden groups last.",
    unique=["respondent", "group"],
    strict=True,
)

SITUATIONS = pa.DataFrameSchema(
    {
        "respondent": _text("Pseudonym of the respondent.", _filled()),
        "group": _text("Hidden group that the situation is about.", _filled()),
        "reported": _text(
            "Whether the situation was reported to authorities.",
            pa.Check.isin(["yes", "no", "dont_know", "refused"]),
        ),
        "authority": _text("To whom it was reported; may be empty."),
    },
    name="situations",
    description="Situations that respondents described.",
    strict=True,
)

SAMPLE_FLOW = pa.DataFrameSchema(
    {
        "step": _whole("Number of the step."),
        "stage": _text("Part of the flow.", pa.Check.isin(["sample", "interview", "analysis"])),
        "code": _text("Name of the step: a disposition or a screening rule.", _filled()),
        "label": _text("The step in words.", _filled()),
        "n": _whole("Households or interviews that remain after the step."),
        "excluded": _whole("Households or interviews that the step excluded."),
        "reason": _text("The rule's settings, or the dispositions."),
    },
    name="sample_flow",
    description="From sampled households to analysed interviews.",
    unique=["step"],
    strict=True,
)

EDITS = pa.DataFrameSchema(
    {
        "respondent": _text("Pseudonym of the respondent.", _filled()),
        "variable": _text("Variable whose answer was changed.", _filled()),
        "before": _text("Answer before the edit, or kind of missing value."),
        "after": _text("Answer after the edit, or kind of missing value."),
        "rule": _text("Edit or imputation that changed it.", _filled()),
    },
    name="edits",
    description="Each changed cell, with the rule that changed it.",
    strict=True,
)

DATA_QUALITY = pa.DataFrameSchema(
    {
        "group": _text("Group that was asked about.", _filled()),
        "role": _text("Role in the codebook.", pa.Check.isin(HIDDEN_ROLES)),
        "n": _whole("Valid interviews."),
        "answered": _whole("Interviews with an answer."),
        "zero_share": _share("of answers that are 0"),
        "heaped_share": _share(
            "of multiples of 5 among answers of 5 or more; a fifth if no heaping"
        ),
        "max": _number("Largest answer, persons."),
        "top_code": _number("Value at which the instrument cut answers off; empty if it didn't."),
        "top_code_share": _share("of answers at the instrument's top code or above"),
        "missing_share": _share("of interviews without an answer"),
        "refused_share": _share("of interviews in which the answer was refused"),
        "dont_know_share": _share("of interviews in which the answer was don't know"),
        "not_asked_share": _share("of interviews in which it was not asked"),
        "out_of_range_share": _share("of interviews with an answer out of range"),
        "system_share": _share("of interviews in which the answer is simply absent"),
        "interviewer_correlation": _number(
            "Intraclass correlation by interviewer of log(1 + count); holds differences between "
            "places too."
        ),
    },
    name="data_quality",
    description="Quality of each group's counts, after edits.",
    unique=["group"],
    strict=True,
)
