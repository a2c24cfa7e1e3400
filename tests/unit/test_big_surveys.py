"""Large surveys are read, cleaned and estimated in pieces: the pieces make the same whole."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prevalence import exports, ratio, respondents
from prevalence.codebook import parse_codebook
from prevalence.config import read_survey
from prevalence.contracts import check_table
from prevalence.contracts.clean import ARD
from prevalence.decoding import decode_responses
from prevalence.exports import Export, read_export
from prevalence.files import (
    read_csv,
    read_json,
    read_parquet,
    read_yaml,
    write_parquet,
    write_parquet_pieces,
)
from prevalence.identifier_scan import exempt_columns, scan_export
from prevalence.identity import value_hash
from prevalence.ratio import PackedColumns, RatioBatch, RatioEstimates
from prevalence.relational import count_columns
from prevalence.respondents import relational_data, relational_pieces
from prevalence.responses import type_responses

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with the synthetic survey of benchmarks/big_survey.py, 2,000 interviews."""
    folder = tmp_path_factory.mktemp("big")
    for part in ("surveys", "codebooks"):
        (folder / "config" / part).mkdir(parents=True)
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        from big_survey import write_survey

        rows = write_survey(folder, 2_000, 1)
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))
    assert rows > 2_000  # repeated interviews are part of the dirt
    return folder


def test_its_config_is_one_of_this_version(project):
    assert read_survey(
        "big", surveys=project / "config/surveys", schemas=ROOT / "workflow/schemas/survey"
    )


@pytest.fixture(scope="module")
def codebook(project):
    path = project / "config" / "codebooks" / "big.csv"
    return parse_codebook(path.read_bytes(), path)


@pytest.fixture(scope="module")
def export(project):
    return read_export(project / "data" / "raw" / "big" / "big.csv")


@pytest.fixture(scope="module")
def responses(export, codebook):
    return type_responses(export, codebook, "a-public-key-for-tests", "big.csv")


def test_a_csv_file_read_by_pieces_is_the_file(project, export, monkeypatch):
    monkeypatch.setattr(exports, "_PIECE", 7)
    monkeypatch.setattr(exports, "_MOST_SHARED", 3)
    path = project / "data" / "raw" / "big" / "big.csv"
    assert dict(read_export(path).columns) == dict(export.columns)
    plain = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert {name: plain[name].tolist() for name in plain} == dict(export.columns)


def test_rows_are_in_the_order_that_all_columns_give(responses):
    everything = ["id", *(name for name in responses.columns if name != "id")]
    assert responses["id"].duplicated().any()
    expected = responses.sample(frac=1, random_state=1).sort_values(
        everything, kind="stable", ignore_index=True
    )
    pd.testing.assert_frame_equal(responses, expected)


def test_ids_and_times_are_not_searched_but_dropped_ids_are(export, codebook):
    exempt = exempt_columns(export, codebook, "big.csv")
    assert {"id", "household", "start", "end"} <= exempt
    assert not exempt & set(scan_export(export, exempt))
    column = ["juan.delacruz@example.org"] * 3
    more = Export(columns={"mail": column, "id": column})
    assert set(scan_export(more, {"id"})) == {"mail"}


def test_the_long_table_in_pieces_is_the_long_table(responses, codebook, tmp_path, monkeypatch):
    interviews = decode_responses(responses, codebook).where(
        ~responses["id"].duplicated().to_numpy()
    )
    whole = relational_data(interviews, codebook, [])
    monkeypatch.setattr(respondents, "_PIECE", 300)
    pieces = list(relational_pieces(interviews, codebook, []))
    assert len(pieces) == -(-interviews.n // 300)
    write_parquet_pieces(
        (check_table(piece, ARD, "ard") for piece in pieces), tmp_path / "a.parquet"
    )
    pd.testing.assert_frame_equal(read_parquet(tmp_path / "a.parquet"), whole)
    # One piece gives the bytes of a table written at once.
    write_parquet_pieces([whole], tmp_path / "b.parquet")
    write_parquet(whole, tmp_path / "c.parquet")
    assert (tmp_path / "b.parquet").read_bytes() == (tmp_path / "c.parquet").read_bytes()


def test_counts_are_the_same_from_coded_texts(responses, codebook, tmp_path):
    interviews = decode_responses(responses, codebook).where(
        ~responses["id"].duplicated().to_numpy()
    )
    write_parquet(relational_data(interviews, codebook, []), tmp_path / "ard.parquet")
    ids = sorted(interviews.answers["respondent"])
    plain = count_columns(read_parquet(tmp_path / "ard.parquet"), ids)
    coded = read_parquet(tmp_path / "ard.parquet", coded=["respondent", "group"])
    assert isinstance(coded["respondent"].dtype, pd.CategoricalDtype)
    again = count_columns(coded, ids)
    assert list(plain) == list(again)
    for group, values in plain.items():
        np.testing.assert_array_equal(values, again[group])


def test_packed_columns_are_the_columns():
    columns = [np.array([0.0, 0.0, 0.0, 2.5]), np.array([1.0, 2.0, 3.0, 0.0]), np.zeros(4)]
    packed = PackedColumns(4)
    for column in columns:
        packed.append(column)
    assert len(packed) == 3
    np.testing.assert_array_equal(np.column_stack(packed[:]), np.column_stack(columns))
    np.testing.assert_array_equal(packed.stacked([2, 0]), np.column_stack([columns[2], columns[0]]))


def test_ratios_in_blocks_are_those_of_one_block(sampling_of, monkeypatch):
    random = np.random.default_rng(1)
    n = 60
    sampling = sampling_of(
        random.random(n) + 1, np.repeat(["a", "b"], n // 2), np.arange(n) // 5, replicates=50
    )
    batch = RatioBatch(n)
    for group in range(9):
        mask = random.random(n) < (0.3 if group % 2 else 0.9)
        batch.add(random.poisson(1.0, n).astype(float), 1 + random.random(n), mask)
    whole = batch.evaluate(sampling)
    monkeypatch.setattr(ratio, "BLOCK_CELLS", 3 * n)
    assert len(list(batch.columns.blocks())) == 6
    blocks = batch.evaluate(sampling)
    for name in ("ratio", "replicates", "std_error", "se_linearised", "df", "n"):
        np.testing.assert_allclose(getattr(blocks, name), getattr(whole, name), rtol=1e-12)


def test_ratios_of_several_batches_are_put_together(sampling_of, monkeypatch):
    sampling = sampling_of(np.ones(8), np.repeat(["a", "b"], 4), np.arange(8) // 2, replicates=20)
    columns = np.random.default_rng(2).poisson(2.0, (5, 8)).astype(float) + 1
    whole, parts = RatioBatch(8), []
    monkeypatch.setattr(ratio, "BLOCK_CELLS", 4)
    part = RatioBatch(8)
    for column in columns:
        for batch in (whole, part):
            batch.add(column, columns[0])
        if part.is_large:
            parts.append(part.evaluate(sampling, linearised=False))
            part = RatioBatch(8)
    parts += [part.evaluate(sampling, linearised=False)] if part.masks else []
    assert len(parts) > 1
    joined = RatioEstimates.joined(parts)
    expected = whole.evaluate(sampling, linearised=False)
    for name in ("ratio", "replicates", "std_error", "n", "n_reporting", "exposure"):
        np.testing.assert_allclose(getattr(joined, name), getattr(expected, name), rtol=1e-12)


def test_the_measured_sizes_meet_the_aim():
    table = read_csv(ROOT / "data" / "reference" / "big_surveys.csv")
    whole = table[table["rule"] == "all"].set_index("respondents")
    assert {3_600, 36_000, 200_000, 1_000_000} <= set(whole.index)
    million = whole.loc[1_000_000]
    assert million["psus"] == 5_000
    assert million["peak_mb"] < 6_000
    # Two cores for ten minutes; what the clock says depends on what else the machine does.
    assert million["processor_s"] < 2 * 600
    # No faster than in proportion: a fivefold survey takes at most five times as much.
    assert million["processor_s"] < 5 * whole.loc[200_000, "processor_s"]
    assert million["peak_mb"] < 5 * whole.loc[200_000, "peak_mb"]
    sidecar = read_json(ROOT / "data" / "reference" / "big_surveys.json")
    survey = read_yaml(ROOT / "benchmarks" / "big_survey.yaml")
    parameters = {"seed": sidecar["seed"], "survey": survey}
    assert sidecar["parameters_sha256"] == value_hash(parameters), "run benchmarks/big_surveys.py"
