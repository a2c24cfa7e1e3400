import hashlib
import hmac
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prevalence.errors import PipelineError
from prevalence.files import read_yaml
from prevalence.identifiers import (
    PUBLIC_KEY,
    key_mark,
    pseudonym,
    pseudonym_key,
    pseudonyms,
    public_data,
)

ROOT = Path(__file__).parents[2]
SECRET = "a-key-of-an-owner"


def test_a_pseudonym_is_an_hmac_of_kind_and_id():
    digest = hmac.new(b"key", b"household\x00" + b"7001", hashlib.sha256).hexdigest()
    assert pseudonym("key", "household", 7001) == "h" + digest[:16]


def test_a_mark_tells_keys_apart_and_no_key():
    setting = {"env": "KEY"}
    keys = [SECRET, SECRET + " ", "another key of an owner"]
    first, same, other = (key_mark(setting, {"KEY": key}) for key in keys)
    assert first == same != other
    assert len(first) == 4, "no more than rules keys out"
    assert key_mark(setting, {}) == key_mark(setting, {"KEY": " "}) == ""
    assert key_mark("public-key-for-examples", {}) == ""


def test_kind_and_key_matter():
    names = {
        pseudonym(key, kind, "1")
        for key in ("key one", "key two")
        for kind in ("household", "psu", "ssu")
    }
    assert len(names) == 6


@pytest.mark.parametrize("same", [12, 12.0, "12", " 12 ", "12.0", "12.00"])
def test_one_id_written_in_different_ways(same):
    assert pseudonym("key", "psu", same) == pseudonym("key", "psu", "12")


@pytest.mark.parametrize("other", ["012", "1.2", "12a", 120, "-12"])
def test_different_ids_stay_different(other):
    assert pseudonym("key", "psu", other) != pseudonym("key", "psu", "12")


@pytest.mark.parametrize("missing", [None, "", "  ", float("nan")])
def test_a_missing_id_stays_empty(missing):
    assert pseudonym("key", "psu", missing) == ""


@given(st.lists(st.text(max_size=6)))
def test_a_column_is_the_same_as_its_cells(values):
    assert pseudonyms("key", "psu", values) == [pseudonym("key", "psu", value) for value in values]


@given(st.text(min_size=1, max_size=20))
def test_no_program_takes_a_pseudonym_for_a_number(value):
    name = pseudonym("key", "psu", value)
    if name:
        with pytest.raises(ValueError, match="could not convert"):
            float(name)


def test_where_the_key_comes_from():
    assert pseudonym_key("literal", True, {}) == "literal"
    assert pseudonym_key({"env": "KEY"}, False, {"KEY": SECRET}) == SECRET
    assert pseudonym_key({"env": "KEY"}, False, {"KEY": f"{SECRET}\n"}) == SECRET
    with pytest.raises(PipelineError, match="KEY is not set"):
        pseudonym_key({"env": "KEY"}, True, {})
    with pytest.raises(PipelineError, match="too short"):
        pseudonym_key({"env": "KEY"}, True, {"KEY": SECRET[:15]})
    with pytest.raises(PipelineError, match="no key for pseudonyms"):
        pseudonym_key(None, True, {})


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("public-key-for-synthetic-data", "anyone can read"),
        ("PUBLIC-KEY-for-published-microdata ", "anyone can read"),
        ("abcabcabcabcabcabcabc", "3 different characters"),
        ("               \n  ", "KEY is not set"),
    ],
)
def test_a_key_that_is_no_secret_is_refused_for_real_data(key, problem):
    with pytest.raises(PipelineError, match=problem) as caught:
        pseudonym_key({"env": "KEY"}, False, {"KEY": key})
    assert key.strip() == "" or key.strip() not in str(caught.value)


def test_every_key_that_is_shipped_is_told_as_public():
    for path in sorted((ROOT / "config" / "surveys").glob("*.yaml")):
        key = read_yaml(path)["ingest"]["pseudonym_key"]
        assert key.startswith(PUBLIC_KEY), path.name
        with pytest.raises(PipelineError, match="anyone can read"):
            pseudonym_key({"env": "KEY"}, False, {"KEY": key})


def test_a_secret_key_is_never_in_a_message():
    with pytest.raises(PipelineError) as caught:
        pseudonym_key("my-own-secret", False, {})
    assert "my-own-secret" not in str(caught.value)
    with pytest.raises(PipelineError) as caught:
        pseudonym_key({"env": "KEY"}, False, {"KEY": "my-own"})
    assert "my-own" not in str(caught.value)


def test_which_data_need_no_secret():
    assert public_data(True, None)
    assert public_data(False, True)
    assert not public_data(False, None)
    assert not public_data(None, False)
