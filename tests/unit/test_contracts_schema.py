"""What contracts accept themselves, pandera accepts, and gives the same table."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from prevalence.contracts import check_table
from prevalence.contracts.dictionary import STAGES, contracts_of
from prevalence.contracts.schema import Check, Column, DataFrameSchema
from prevalence.errors import PipelineError

CONTRACTS = {
    f"{stage}.{name}": contract
    for stage in STAGES
    for name, contract in contracts_of(stage).items()
}


def kind(spec):
    checks = [(check.name, str(check.arguments)) for check in spec.checks]
    return str((spec.dtype, checks, spec.nullable, spec.unique, spec.coerce))


KINDS = {kind(spec): spec for contract in CONTRACTS.values() for spec in contract.columns.values()}
COLUMNS = [
    ["a", "b", "c"],
    ["a", "a", "b"],
    ["", "a", "b"],
    ["a", None, "b"],
    ["1", "2", "3"],
    ["1.1", "2.1", "3.12"],
    [1, 2, 3],
    [0, 1, 1],
    [-1, 1, 2],
    [1950, 2000, 2001],
    [0.0, 0.5, 1.0],
    [0.5, np.nan, 1.0],
    [1.0, 2.0, np.inf],
    [1.0, 1.5, 2.0],
    ["0.5", " 1", "1e3"],
    ["0.5", "nan", ""],
    ["0.5", None, "2"],
    ["1", None, "2"],
    ["True", "False", ""],
    [True, False, True],
    [True, None, False],
    pd.Series([1, 2, 3], dtype="int8"),
    pd.Series([1, 2, 3], dtype="uint16"),
    pd.Series([1.0, 2.0, 3.0], dtype="float32"),
    pd.Series([1, None, 3], dtype="Int64"),
    pd.Series([1, 2, 3], dtype="Int64"),
    pd.Series(["a", "b", "c"], dtype="category"),
    pd.Series(["a", "b", "c"], dtype=object),
    pd.Series(["a", 1, None], dtype=object),
    pd.Series([], dtype=object),
    pd.Series([], dtype=float),
]


def same_as_pandera(contract, frame):
    """Whether the contract takes the table itself; if so, pandera must do the same."""
    taken = contract.taken(frame)
    if taken is not None:
        checked = contract.as_pandera().validate(frame, lazy=True)
        pd.testing.assert_frame_equal(taken, checked)
    return taken is not None


@pytest.mark.parametrize("spec", KINDS.values(), ids=range(len(KINDS)))
def test_a_column_is_taken_only_where_pandera_takes_it(spec):
    plain = Column(spec.dtype, spec.checks, nullable=spec.nullable, unique=spec.unique,
                   coerce=spec.coerce)  # fmt: skip
    contract = DataFrameSchema({"x": plain})
    for allowed in [
        check.arguments["allowed_values"] for check in spec.checks if check.name == "isin"
    ]:
        same_as_pandera(contract, pd.DataFrame({"x": list(allowed)}))
    for values in COLUMNS:
        same_as_pandera(contract, pd.DataFrame({"x": values}))


def right(spec, row):
    """A value that a column may hold."""
    if spec.dtype in ("str", "object"):
        values = [f"text {row}", "1.1", "a"]
    elif spec.dtype == "bool":
        values = [bool(row)]
    else:
        values = [row + 1, 0.5, row, 1950 + row]
        values = values if spec.dtype in ("float64", None) else list(map(int, values))
    for check in spec.checks:
        if check.name == "isin":
            allowed = check.arguments["allowed_values"]
            values = [allowed[row % len(allowed)]]
    dtype = spec.dtype if spec.dtype in ("str", "float64") else None
    holding = [
        value
        for value in values
        if all(check.holds(pd.Series([value], dtype=dtype)) for check in spec.checks)
    ]
    return holding[0]


def right_table(contract):
    table = {}
    for name, spec in contract.columns.items():
        column = "r0001" if spec.regex and "d" in name else "margin_x" if spec.regex else name
        dtype = object if spec.dtype == "object" else None
        table[column] = pd.Series([right(spec, row) for row in range(2)], dtype=dtype)
    return pd.DataFrame(table)


OVER_COLUMNS = {  # what checks over several columns ask for
    "ingest.survivor_panel": {"low": 0.1, "best": 0.2, "high": 0.3},
    "clean.ard": {"missing": ""},
    "clean.intervals": {"upper": np.nan},
}


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_right_table_is_taken_without_pandera(name):
    table = right_table(CONTRACTS[name]).assign(**OVER_COLUMNS.get(name, {}))
    assert CONTRACTS[name].taken(table) is not None


@pytest.mark.parametrize("name", [*OVER_COLUMNS, "ingest.census", "weight.replicates"])
def test_a_table_is_taken_only_where_pandera_takes_it(name):
    contract = CONTRACTS[name]
    table = right_table(contract).assign(**OVER_COLUMNS.get(name, {}))
    assert same_as_pandera(contract, table)
    same_as_pandera(contract, table.assign(more=1))
    same_as_pandera(contract, pd.concat([table, table], ignore_index=True))
    same_as_pandera(contract, pd.concat([table, table.iloc[:, :1]], axis=1))
    same_as_pandera(contract, table[table.columns[::-1]])
    same_as_pandera(contract, table.set_axis([3, 7]))
    same_as_pandera(contract, table.rename(columns={table.columns[0]: 5}))
    for column in table:
        same_as_pandera(contract, table.drop(columns=column))
        same_as_pandera(contract, table.assign(**{column: None}))
    if "low" in table:
        assert not same_as_pandera(contract, table.assign(low=0.9))
    if "missing" in table:
        assert not same_as_pandera(contract, table.assign(missing="refused"))


def test_order_counts_where_a_contract_says_so():
    contract = DataFrameSchema(
        {"a": Column(int), "b": Column(int, required=False), "c": Column(int)}, ordered=True
    )
    table = pd.DataFrame({"a": [1], "b": [2], "c": [3]})
    assert same_as_pandera(contract, table)
    assert same_as_pandera(contract, table[["a", "c"]])
    assert not same_as_pandera(contract, table[["c", "a", "b"]])
    assert not same_as_pandera(contract, table[["a", "b"]])


def test_what_is_not_plainly_right_is_left_to_pandera():
    contract = DataFrameSchema({"a": Column(float, Check.ge(0), coerce=True)}, name="numbers")
    made = check_table(pd.DataFrame({"a": ["1", "2.5"]}), contract, "t")
    pd.testing.assert_frame_equal(made, pd.DataFrame({"a": [1.0, 2.5]}))
    with pytest.raises(PipelineError, match=r"a: 1 row is below 0"):
        check_table(pd.DataFrame({"a": [1.0, -1.0]}), contract, "t")


def test_contracts_do_not_import_pandera():
    program = (
        "import sys, pandas as pd; from prevalence.contracts import check_table, weight;"
        "check_table(pd.DataFrame({'stratum': ['a'], 'psu': ['b'], 'r0001': [1]}),"
        "weight.REPLICATES, ''); assert 'pandera' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_missing_column_is_named_with_the_columns_that_are_there():
    census = CONTRACTS["ingest.census"]
    table = pd.DataFrame({"margin": ["region"], "category": ["A"], "Populaton": [5.0]})
    with pytest.raises(PipelineError) as raised:
        check_table(table, census, "census.csv")
    told = raised.value
    assert "population" in told.place.split(", ")
    assert told.found.startswith("no column population among: margin, category, Populaton")
    assert "column_in_dataframe" not in str(told)
    assert told.remedy.startswith("Rename 'Populaton' to 'population' if it is meant. ")


def test_a_missing_column_without_a_near_name_has_no_guess():
    census = CONTRACTS["ingest.census"]
    table = pd.DataFrame({"margin": ["region"], "category": ["A"], "source": ["x"]})
    with pytest.raises(PipelineError) as raised:
        check_table(table, census, "census.csv")
    assert raised.value.remedy.startswith("See the data dictionary")
