"""Contracts of the tables of the clean stage."""

from __future__ import annotations

from prevalence.codebook import MISSING_KINDS
from prevalence.contracts import schema as pa
from prevalence.contracts.columns import filled, number, text, whole

HIDDEN_ROLES = ("known", "child", "hidden_item", "hidden")


def _share(description: str) -> pa.Column:
    return number(f"Share {description}.", pa.Check.in_range(0, 1))


def _optional(description: str) -> pa.Column:
    return text(description, nullable=True, required=False)


RESPONDENTS = pa.DataFrameSchema(
    {
        "respondent": text("Pseudonym of the respondent.", filled()),
        "household": text("Pseudonym of the household; empty where the export has none."),
        "stratum": text("Stratum of the sample design."),
        "psu": text("Pseudonym of the primary sampling unit."),
        "ssu": text("Pseudonym of the second-stage unit; may be empty."),
        "interviewer": text("Pseudonym of the interviewer; may be empty."),
        "city": text("Pseudonym of the city or municipality; may be empty."),
        "region": _optional("Region; missing where the survey has none."),
        "urban": _optional("urban or rural."),
        "island_group": _optional("Island group, derived from the region."),
        "sex": _optional("Sex of the respondent."),
        "age": number("Age in completed years.", pa.Check.in_range(0, 120), required=False),
        "age_group": _optional("Age group, derived from age or asked."),
        "adults": number("Adults in the household, persons.", pa.Check.ge(0), required=False),
        "household_size": number("Household members, persons.", pa.Check.ge(0), required=False),
        "base_weight_supplied": number(
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
        "respondent": text("Pseudonym of the respondent.", filled()),
        "group": text("Group that was asked about, or combined hidden group.", filled()),
        "role": text(
            "known or child (groups of known size), hidden_item, or hidden (what is estimated).",
            pa.Check.isin(HIDDEN_ROLES),
        ),
        "count": number("People known in the group; not top-coded.", pa.Check.ge(0)),
        "missing": text(
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

INTERVALS = pa.DataFrameSchema(
    {
        "respondent": text("Pseudonym of the respondent.", filled()),
        "group": text("Group that was asked about, or combined hidden group.", filled()),
        "lower": number("Smallest number of people known.", pa.Check.ge(0), nullable=False),
        "upper": number("Largest number of people known; empty where there is none."),
        "reason": text("Why no count is known.", pa.Check.isin(["bin", "top_code"])),
    },
    checks=pa.Check(
        lambda table: table["upper"].isna() | (table["upper"] > table["lower"]),
        name="the upper bound above the lower one",
    ),
    name="intervals",
    description="The counts of ard that stand for an interval: answers in bins, and answers at the "
    "instrument's top code. Only the models read it.",
    unique=["respondent", "group"],
    strict=True,
)

SITUATIONS = pa.DataFrameSchema(
    {
        "respondent": text("Pseudonym of the respondent.", filled()),
        "group": text("Hidden group that the situation is about.", filled()),
        "reported": text(
            "Whether the situation was reported to authorities.",
            pa.Check.isin(["yes", "no", "dont_know", "refused"]),
        ),
        "authority": text("To whom it was reported; may be empty."),
    },
    name="situations",
    description="Situations that respondents described.",
    strict=True,
)

SAMPLE_FLOW = pa.DataFrameSchema(
    {
        "step": whole("Number of the step."),
        "stage": text("Part of the flow.", pa.Check.isin(["sample", "interview", "analysis"])),
        "code": text("Name of the step: a disposition or a screening rule.", filled()),
        "label": text("The step in words.", filled()),
        "n": whole("Households or interviews that remain after the step."),
        "excluded": whole("Households or interviews that the step excluded."),
        "reason": text("The rule's settings, or the dispositions."),
    },
    name="sample_flow",
    description="From sampled households to analysed interviews.",
    unique=["step"],
    strict=True,
)

EDITS = pa.DataFrameSchema(
    {
        "respondent": text("Pseudonym of the respondent.", filled()),
        "variable": text("Variable whose answer was changed.", filled()),
        "before": text("Answer before the edit, or kind of missing value."),
        "after": text("Answer after the edit, or kind of missing value."),
        "rule": text("Edit or imputation that changed it.", filled()),
    },
    name="edits",
    description="Each changed cell, with the rule that changed it.",
    strict=True,
)

DATA_QUALITY = pa.DataFrameSchema(
    {
        "group": text("Group that was asked about.", filled()),
        "role": text("Role in the codebook.", pa.Check.isin(HIDDEN_ROLES)),
        "n": whole("Valid interviews."),
        "answered": whole("Interviews with an answer."),
        "zero_share": _share("of answers that are 0"),
        "five_or_more": whole("Answers of 5 or more."),
        "heaped_share": _share(
            "of multiples of 5 among answers of 5 or more; a fifth if no heaping"
        ),
        "max": number("Largest answer, persons."),
        "top_code": number("Value at which the instrument cut answers off; empty if it didn't."),
        "top_code_share": _share("of answers at the instrument's top code or above"),
        "missing_share": _share("of interviews without an answer"),
        "refused_share": _share("of interviews in which the answer was refused"),
        "dont_know_share": _share("of interviews in which the answer was don't know"),
        "not_asked_share": _share("of interviews in which it was not asked"),
        "out_of_range_share": _share("of interviews with an answer out of range"),
        "system_share": _share("of interviews in which the answer is simply absent"),
        "interviewer_correlation": number(
            "Intraclass correlation by interviewer of log(1 + count); holds differences between "
            "places too."
        ),
    },
    name="data_quality",
    description="Quality of each group's counts, after edits.",
    unique=["group"],
    strict=True,
)
