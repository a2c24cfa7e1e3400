"""The drafts themselves: codebook, config and table of known groups, as texts."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from prevalence.codebook import COLUMNS, canonical_code
from prevalence.drafting.guesses import (
    COUNT,
    NUMBER,
    Column,
    analysis_name,
    asks_for_acquaintances,
    categories,
    hinted_roles,
    is_count,
    is_respondent_id,
    missing_codes,
    suspected_codes,
    topic,
)
from prevalence.drafting.xlsform import Question
from prevalence.exports import Export
from prevalence.open_decisions import MARK
from prevalence.plain_text import active_content

Row = dict[str, str]
_CODED = ("numeric", "categorical")


def columns_of(export: Export, form: Mapping[str, Question]) -> list[Column]:
    """Bring together what the export and the form say of each variable.

    Parameters
    ----------
    export
        The export.
    form
        Questions of an XLSForm by name; exports name them with their groups in front
        (``household/age`` or ``household-age``).

    Returns
    -------
    list of Column
        One entry a variable, in the export's order.
    """
    found = []
    for name, values in export.columns.items():
        last = name.replace("-", "/").rsplit("/", 1)[-1]
        question = form.get(name) or form.get(last) or Question("", "")
        labels = {
            canonical_code(str(code)): text
            for code, text in (export.value_labels.get(name) or question.choices).items()
        }
        spans = export.declared_missing.get(name, ())
        codes = [canonical_code(f"{low:.15g}") for low, high in spans if low == high]
        label = export.labels.get(name) or question.label
        found.append(Column(name, label, values, labels, codes, question.type))
    return found


def draft_codebook(columns: Sequence[Column], identifying: Collection[str]) -> list[Row]:
    """Draft one line a variable; what only the team can know is marked as open.

    Parameters
    ----------
    columns
        The variables.
    identifying
        Names of those in which the scan saw direct identifiers: they are never read.

    Returns
    -------
    list of dict
        Rows of the codebook, by its columns.
    """
    hinted = any(asks_for_acquaintances(column) for column in columns)
    respondent = next((column.name for column in columns if is_respondent_id(column)), None)
    hints = hinted_roles([column for column in columns if column.name != respondent])
    taken = {"respondent", *(name for name, _ in hints.values())}
    rows = []
    for column in columns:
        known = asks_for_acquaintances(column) or not hinted
        hint = ("respondent", "key") if column.name == respondent else hints.get(column.name)
        row = _row(column, hint, column.name in identifying, known, taken)
        taken.add(row["variable"])
        rows.append(row)
    _name_first_stage(rows)
    return rows


def _name_first_stage(rows: Sequence[Row]) -> None:
    """Take the only stage of sampling that was recognised for the first one."""
    names = [row["variable"] for row in rows]
    if "ssu" in names and "psu" not in names:
        rows[names.index("ssu")]["variable"] = "psu"


def _row(
    column: Column,
    hint: tuple[str, str] | None,
    identifying: bool,
    known: bool,
    taken: set[str],
) -> Row:
    kind = column.kind
    name, role = hint or ("", "ignore")
    if not hint and kind == "numeric" and is_count(column):
        role = COUNT if known else NUMBER
    if identifying and role != "key" and kind != "datetime":
        role = "ignore"
    labels = column.value_labels
    if role in ("domain", "consent") and kind != "categorical":
        kind, labels = "categorical", categories(column)
    count = role in (COUNT, NUMBER)
    missing = missing_codes(column) if kind in _CODED and role not in ("key", "design") else {}
    if count or (role == "covariate" and kind == "numeric"):
        missing |= dict.fromkeys(suspected_codes(column), MARK)
    kind = "text" if role in ("key", "design") else kind
    codes = labels if kind == "categorical" else {}
    name = name or analysis_name(column, taken)
    label = (topic(column) if role == COUNT else column.label) or column.name
    if role == "ignore":  # nothing is to be decided of what isn't read
        missing = {code: kind_ for code, kind_ in missing.items() if kind_ != MARK}
    return dict.fromkeys(COLUMNS, "") | {
        "raw": column.name,
        "variable": name,
        "label": label if active_content(label) is None else name,
        "type": kind,
        "role": role,
        "missing_codes": ";".join(f"{code}={kind_}" for code, kind_ in missing.items()),
        "minimum": "0"
        if count or (role in ("covariate", "base_weight") and kind == "numeric")
        else "",
        "maximum": _maximum(missing) if count else ("120" if name == "age" else ""),
        "values": ";".join(
            f"{code}={_value(text)}" for code, text in codes.items() if code not in missing
        ),
        "group": name if role == COUNT else "",
    }


def _maximum(missing: Mapping[str, str]) -> str:
    """One below the smallest code of a missing value above 0; empty if there is none."""
    codes = [float(code) for code in missing if code.lstrip("-").isdigit() and float(code) > 0]
    return f"{min(codes) - 1:g}" if codes else ""


def _value(label: str) -> str:
    text = " ".join(label.replace(";", ",").replace("=", "-").split())
    if text.lower() in ("yes", "no"):
        return text.lower()
    return text if text and active_content(text) is None else MARK


def codebook_text(rows: Sequence[Row]) -> str:
    """Write the codebook as CSV."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def known_groups_text(rows: Sequence[Row], columns: Sequence[Column]) -> str:
    """Write the table of known groups, sizes open: a line for each variable that counts people."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["group", "label", "size", "year", "source", "quality", "note"])
    words = {column.name: topic(column) for column in columns}
    for row in rows:
        if row["role"] == COUNT:
            label = words[row["raw"]] or row["label"]
            label = label if active_content(label) is None else row["group"]
            writer.writerow([row["group"], label, MARK, "", "", "", ""])
    return stream.getvalue()


# Keys of the design without which estimates or their variance are wrong: not to be left out unseen.
UNSEEN = {
    "respondent": f"{MARK}: respondent, once the id of the interview is named so in the codebook, "
    "with the role key",
    "stratum": f"{MARK}: stratum, once it is named so in the codebook, with the role design; null "
    "if the sample had none, or a frame has it",
    "psu": f"{MARK}: psu, once it is named so in the codebook, with the role key; household or "
    "respondent if these were selected directly; null if the sample had none, or a frame has it",
}

CONFIG = """\
# {survey}: a draft. Each text that begins with {mark} is a decision that only the survey's team can
# take; the run refuses the file while one is left (make check-survey ID={survey} lists them).
# Every key is explained in workflow/schemas/survey/; config/surveys/ph2022.yaml uses nearly all.

survey:
  title: "{mark}: the report's title"
  country: "{mark}: the country as it reads in a sentence, article included"
  year: "{mark}: the year that the estimates are about"
  synthetic: "{mark}: true for made-up data, false for real ones"

ingest:
  responses: {responses}
  codebook: config/codebooks/{survey}.csv{reader}
  tables:                        # under data/raw/{survey}/; docs/data-dictionary.md describes each
    known_groups: known_groups.csv
  pseudonym_key: {{env: {key}}}

clean:
  keys:
{keys}
  screening:
{consent}    - {{rule: missing_id}}
    - {{rule: duplicate_id}}
    - {{rule: incomplete, maximum_missing_share: 0.5}}
  edits:
    - {{rule: out_of_range}}

weight:
  base: {base}
  replication: {{method: rescaled_bootstrap, replicates: 1000}}
  lone_psu: error

estimate:
  level: 0.95
  populations:
    - {{domain_type: national, domain: national, all_ages: "{mark}: persons in the country"}}
  domains: []
  hidden_groups:
    "{mark}: id of the hidden group, the codebook's group":
      label: "{mark}: the hidden group in words"
      population: "{mark}: all_ages, children or adults; the denominator"
      per: "{mark}: per_100 or per_1000"
  degree:
    tie_definition: "{mark}: whom a respondent knows, in the questionnaire's words"
    minimum_groups: "{mark}: with fewer answered known groups a degree is missing"
    missing: exclude
  estimators: [ratio_of_sums, mean_of_ratios]

headline:                        # fixed before anybody looks at results
  date: "{mark}: the day on which these choices are fixed, as 2023-09-07"
  estimator: ratio_of_sums
  interval: log_t
  variance: bootstrap
  known_groups: "{mark}: a list of groups with sizes, [doctors, nurses]"
  top_codes:
    known: "{mark}: counts above it are set to it; null leaves them"
    hidden: "{mark}: the same for hidden groups"

release:
  smallest_geography: national
  reason: null

report:
  language: en
  period: "{mark}: as it reads in a sentence, for instance: in 2022"
  groups:
    "{mark}: id of the hidden group":
      heading: "{mark}: heading of its section"
      many: "{mark}: persons of the denominator, plural"
      act: "{mark}: as it reads after them, for instance: were injecting drugs"
  content_note: "{mark}: what the report speaks of, as a warning at its beginning"
  help_lines:
    - name: "{mark}: who helps, or takes reports; shown at the beginning and the end"
      numbers: ["{mark}: telephone number as it should be read"]
  ethics: "{mark}: who approved the study, and under which number"
  safety: "{mark}: how people are kept safe, and where disclosures are referred"
  funding: "{mark}: who paid"
"""


def draft_config(
    survey: str, responses: str, rows: Sequence[Row], reader: Mapping[str, Any] | None = None
) -> str:
    """Draft the config: what follows from the codebook, defaults, and open decisions.

    Parameters
    ----------
    survey
        The survey's id.
    responses
        File name of the export.
    rows
        The drafted codebook.
    reader
        How the export was read, as ``ingest.reader``.

    Returns
    -------
    str
        YAML with comments.
    """
    here = {row["variable"]: row for row in rows if row["role"] not in ("ignore", COUNT, NUMBER)}
    keys = ("respondent", "household", "stratum", "psu", "ssu", "interviewer", "city")
    named = [
        f"    {key}: {key if key in here else json.dumps(UNSEEN.get(key), ensure_ascii=False)}"
        for key in keys
    ]
    consent = ""
    if "consent" in here:
        answers = [pair.partition("=")[2] for pair in here["consent"]["values"].split(";")]
        keep = "yes" if "yes" in answers else f"{MARK}: the answers that agree"
        consent = f"    - {{rule: consent, keep: [{json.dumps(keep)}]}}\n"
    base = f'"{MARK}: {{{{variable: base_weight_supplied}}}} or {{{{from: frame}}}}"'
    if "base_weight" in here:
        base = "{variable: base_weight_supplied}"
    return CONFIG.format(
        survey=survey,
        responses=responses,
        key=f"{survey.upper()}_KEY",
        mark=MARK,
        keys="\n".join(named),
        consent=consent,
        reader=f"\n  reader: {json.dumps(reader)}" if reader else "",
        base=base.replace("{{", "{").replace("}}", "}"),
    )
