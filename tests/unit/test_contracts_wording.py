"""What a table breaks of its contract is told in words, by rows and columns, without a value."""

import pandas as pd
import pytest

from prevalence.contracts import check_table
from prevalence.contracts.clean import RESPONDENTS
from prevalence.contracts.ingest import CENSUS, FRAME, KNOWN_GROUPS, POPULATIONS, SURVIVOR_PANEL
from prevalence.errors import PipelineError

KNOWN = {"group": "a", "label": "x", "size": "1", "year": 2000, "source": "s", "quality": "A"}
PERSON = dict.fromkeys(("household", "stratum", "psu", "ssu", "interviewer", "city"), "x")
SOURCES = {"base_weight_supplied": "column pweight of the export"}


def refused(contract, rows, sources=None):
    with pytest.raises(PipelineError) as error:
        check_table(pd.DataFrame(rows), contract, "table.csv", sources)
    return error.value


@pytest.mark.parametrize(
    ("size", "found", "said"),
    [
        ("0", "size: 1 row isn't above 0", "size: a number above 0, or nothing"),
        ("9,500", "size: 1 row is no number", "no separators"),
        ("many", "size: 1 row is no number", "decimal point"),
        ("inf", "size: 1 row isn't below 1e+15", "a number above 0"),
    ],
)
def test_a_size_that_is_none_is_told_in_words(size, found, said):
    error = refused(KNOWN_GROUPS, [KNOWN, KNOWN | {"group": "b", "size": size, "note": ""}])
    assert error.found.startswith(found)
    assert said in str(error)
    assert size == "0" or size not in str(error)
    assert "float64" not in str(error)


@pytest.mark.parametrize(
    ("weight", "found"),
    [
        (-4.25, "1 row isn't above 0"),
        (0.0, "1 row isn't above 0"),
        (None, "1 row is empty"),
    ],
)
def test_a_wrong_weight_is_told_of_the_column_of_the_export(weight, found):
    rows = [{"respondent": name, **PERSON, "base_weight_supplied": 2.5} for name in "abc"]
    rows[1]["base_weight_supplied"] = weight
    error = refused(RESPONDENTS, rows, SOURCES)
    assert error.place == "base_weight_supplied (column pweight of the export)"
    assert error.found == f"base_weight_supplied: {found}"
    assert error.allowed == "base_weight_supplied: a number above 0"
    assert "clean.screening" in error.remedy
    assert ("clean.edits" in error.remedy) == (weight is None)
    assert "4.25" not in str(error)


def test_rows_that_stand_twice_and_rules_of_several_columns_are_told_by_their_columns():
    margin = {"margin": "sex", "category": "male", "population": 5}
    error = refused(CENSUS, [margin, margin])
    assert (error.place, error.found) == (
        "category, margin",
        "2 rows with the same margin, category",
    )
    panel = {"member": "1", "group": "g", "low": 0.9, "best": 0.1, "high": 0.2}
    error = refused(SURVIVOR_PANEL, [panel])
    assert (error.place, error.found) == (
        "best, high, low",
        "1 row against the rule: low ≤ best ≤ high",
    )


def test_other_checks_are_told_too():
    rows = [{"domain_type": "", "domain": "x", "year": "2000", "all_ages": 1, "source": ""}]
    rows += [{"domain_type": "region", "domain": "x", "year": "1", "all_ages": 1, "source": ""}]
    assert refused(POPULATIONS, rows).found == (
        "domain_type: 1 row is empty, year: 1 row isn't from 1900 to 2100"
    )
    rows[0]["year"] = "soon"
    assert "year: 1 row is no whole number" in refused(POPULATIONS, rows).found
    household = {"household": "1", "stratum": "s", "psu": "p", "disposition": "9.9"}
    chances = {"p_psu": 2, "p_ssu": 1, "p_household": 1}
    error = refused(FRAME, [household | chances])
    assert error.found == "disposition: 1 row has another form, p_psu: 1 row is above 1"
    assert "p_psu: a number above 0 and up to 1" in error.allowed
    error = refused(FRAME, [household])
    assert error.found.startswith("no column p_household, p_psu, p_ssu among: household")
