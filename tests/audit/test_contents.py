"""What a manifest says of a file."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prevalence.audit.contents import (
    MOST_COLUMNS,
    described,
    differing_rows,
    fingerprint,
    kind_of,
    leaves_table,
    row_digests,
    sha256,
)

finite = st.floats(-1e9, 1e9, allow_nan=False)


@given(st.lists(finite, min_size=1, max_size=30), st.data())
def test_a_change_of_any_one_number_shows(values, data):
    place = data.draw(st.integers(0, len(values) - 1))
    changed = list(values)
    changed[place] = values[place] * 1.001 + 0.01
    before, after = fingerprint(pd.Series(values)), fingerprint(pd.Series(changed))
    assert abs(before[4] - after[4]) > 1e-7


def test_an_exchange_of_two_rows_shows():
    values = pd.Series([3.0, 1.0, 2.0])
    swapped = pd.Series([1.0, 3.0, 2.0])
    assert fingerprint(values)[1:4] == fingerprint(swapped)[1:4]
    assert fingerprint(values)[4] != fingerprint(swapped)[4]


def test_missing_values_are_counted_apart_from_zero():
    assert fingerprint(pd.Series([0.0, np.nan, np.nan]))[0] == 2
    assert fingerprint(pd.Series([np.nan]))[:2] == [1, 0.0]
    assert fingerprint(pd.Series([1, None], dtype="Int64"))[:2] == [1, 1.0]


def test_texts_are_hashed_with_their_borders():
    assert fingerprint(pd.Series(["ab", "c"])) != fingerprint(pd.Series(["a", "bc"]))
    assert fingerprint(pd.Series(["", "c"])) != fingerprint(pd.Series([None, "c"]))


def test_a_restricted_table_is_told_by_hash_and_shape_alone():
    content = b"respondent,count\na,17\nb,29\n"
    found = described("data/processed/x/restricted/ard.csv", content, values=False)
    assert found == {
        "sha256": sha256(content),
        "size": len(content),
        "rows": 2,
        "columns": ["respondent", "count"],
    }
    secret = described("restricted/answers.json", b'{"count": 17}', values=False)
    assert set(secret) == {"sha256", "size"}


def test_rows_that_differ_are_found():
    before = pd.DataFrame({"a": ["x", "y", "z"], "b": [1.0, 2.0, np.nan]})
    after = before.assign(b=[1.0, 2.5, np.nan])
    assert differing_rows(row_digests(before), row_digests(after)) == [2]
    assert (
        differing_rows(row_digests(before), row_digests(before.assign(b=[1 + 1e-13, 2, None])))
        == []
    )


def test_hundreds_of_columns_are_told_together():
    wide = pd.DataFrame(np.arange(2.0 * (MOST_COLUMNS + 5)).reshape(2, -1)).rename(columns=str)
    content = wide.to_csv(index=False).encode()
    found = described("replicates.csv", content, values=True)
    assert len(found["columns"]) == MOST_COLUMNS + 1
    last = list(found["columns"].values())[-1]
    assert last[5] == 10
    wide.iloc[1, -1] += 1
    other = described("replicates.csv", wide.to_csv(index=False).encode(), values=True)
    assert list(other["columns"].values())[-1] != last


def test_json_is_laid_out_by_leaf():
    frame = leaves_table(json.loads('{"b": [1, {"c": "x"}], "a": true, "n": null}'))
    assert list(frame["key"]) == ["b[0]", "b[1].c", "a", "n"]
    assert frame["number"].iloc[0] == 1
    assert list(frame["text"][1:]) == ["x", "True", "None"]


def test_words_of_documents_leave_out_what_renderers_name():
    page = (
        b"<body><p>An estimated 430,000 children.</p><p>Run abc rendered with builtin 1</p></body>"
    )
    other = page.replace(b"abc", b"def").replace(b"builtin 1", b"quarto 2")
    first = described("summary.html", page, values=True, apart=["abc", "builtin 1"])
    second = described("summary.html", other, values=True, apart=["def", "quarto 2"])
    assert first["words"] == second["words"]
    third = described("summary.html", page.replace(b"430", b"431"), values=True)
    assert third["numbers"] != first["numbers"]


KINDS = {
    "a.csv": "table",
    "a.parquet": "table",
    "a.json": "values",
    "a.csv-metadata.json": "values",
    "a.pdf": "document",
    "a.svg": "picture",
    "a.lua": "text",
}


@pytest.mark.parametrize("path", KINDS)
def test_the_kind_follows_the_name(path):
    assert kind_of(path) == KINDS[path]
