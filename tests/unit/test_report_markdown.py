"""Tables of the report: what several rows share heads them, and leaves its room to the numbers."""

from prevalence.report.markdown import table

SHARED = [["Children", "one", "1"], ["", "two", "2"], ["Adults", "one", "3"]]


def lines(rows, **options):
    """The header and the rows of a table."""
    found = table(["Group", "Model", "n"], rows, caption="c", label="l", align="llr", **options)
    return [line for line in found.splitlines() if line.startswith("| ")]


def test_a_column_that_repeats_itself_becomes_rows_that_head_others():
    assert lines(SHARED, widths=[50, 40, 10]) == [
        "| Model | n |",
        "| *Children* | &nbsp; |",
        "| one | 1 |",
        "| two | 2 |",
        "| *Adults* | &nbsp; |",
        "| one | 3 |",
    ]


def test_a_column_without_repetition_stays():
    assert lines([["Children", "one", "1"], ["Adults", "one", "3"]])[0] == "| Group | Model | n |"


def test_a_table_that_has_rows_which_head_others_keeps_its_columns():
    assert lines([["By sex", "", ""], *SHARED])[0] == "| Group | Model | n |"


def test_a_table_without_rows_keeps_its_header():
    assert lines([]) == ["| Group | Model | n |"]
