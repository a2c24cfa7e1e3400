import pytest
from hypothesis import given
from hypothesis import strategies as st

from prevalence.errors import PipelineError
from prevalence.identifiers import pseudonym
from prevalence.side_tables import arrange_table, emptied, parse_table


def test_cells_are_texts_without_blanks_at_their_ends():
    table = parse_table("a,b\n 1 ,x\n02,\n".encode("utf-8-sig"), "t.csv")
    assert table.to_dict("list") == {"a": ["1", "02"], "b": ["x", ""]}


def test_other_encodings_are_refused():
    with pytest.raises(PipelineError, match="not UTF-8"):
        parse_table("a,b\nñ,1\n".encode("latin-1"), "t.csv")


def test_columns_are_renamed_and_constants_added():
    table = parse_table(b"name,n\nx,1\n", "t.csv")
    arranged = arrange_table(
        table, {"columns": {"n": "size"}, "constants": {"year": 2011, "note": None}}, None, "t.csv"
    )
    assert arranged.to_dict("list") == {
        "name": ["x"],
        "size": ["1"],
        "year": ["2011"],
        "note": [""],
    }
    with pytest.raises(PipelineError, match="Did you mean 'name'"):
        arrange_table(table, {"columns": {"nme": "group"}}, None, "t.csv")


GAME = b"id,w,knows_ana,told_ana,knows_ben,told_ben\n7,1.5,4,1,2,2\n8,2,3,0,,\n"
PAIRS = {"alters": ["knows_ana", "knows_ben"], "aware": ["told_ana", "told_ben"]}


def test_repeated_columns_become_rows_that_share_a_respondent():
    """A game of contacts as it is often delivered: two columns for each name asked about."""
    settings = {
        "columns": {"w": "weight"},
        "repeated": PAIRS,
        "constants": {"group": "victims"},
    }
    table = arrange_table(parse_table(GAME, "t.csv"), settings, None, "t.csv")
    assert table.to_dict("list") == {
        "id": ["7", "7", "8", "8"],
        "weight": ["1.5", "1.5", "2", "2"],
        "respondent": ["1", "1", "2", "2"],
        "alters": ["4", "2", "3", ""],
        "aware": ["1", "2", "0", ""],
        "group": ["victims"] * 4,
    }
    named = settings | {"columns": {"id": "respondent"}}
    table = arrange_table(parse_table(GAME, "t.csv"), named, "key", "t.csv")
    assert table["respondent"].tolist() == [pseudonym("key", "respondent", n) for n in (7, 7, 8, 8)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"repeated": PAIRS | {"aware": ["told_ana"]}}, "differ in number"),
        ({"repeated": {"aware": ["told_anna"]}}, "Did you mean 'told_ana'"),
        ({"repeated": PAIRS, "columns": {"told_ana": "aware"}}, "twice"),
        ({"repeated": {"aware": ["told_ana"], "alters": ["told_ana"]}}, "twice"),
    ],
)
def test_repeated_columns_that_do_not_fit(settings, message):
    with pytest.raises(PipelineError, match=message):
        arrange_table(parse_table(GAME, "t.csv"), settings, None, "t.csv")


def test_ids_are_replaced_and_everything_else_is_not():
    table = parse_table(b"household,psu,stratum,p_psu\n12,3,NCR,0.5\n,4,NCR,1\n", "t.csv")
    arranged = arrange_table(table, None, "key", "t.csv")
    assert arranged["household"].tolist() == [pseudonym("key", "household", 12), ""]
    assert arranged["psu"].tolist() == [pseudonym("key", "psu", n) for n in (3, 4)]
    assert arranged["stratum"].tolist() == ["NCR", "NCR"]
    assert arranged["p_psu"].tolist() == ["0.5", "1"]
    assert table["psu"].tolist() == ["3", "4"], "the table given is not changed"


def test_empty_cells_of_number_columns_are_missing():
    table = parse_table(b"size,note\n1,\n,x\n", "t.csv")
    assert emptied(table, ["size", "absent"])["size"].isna().tolist() == [False, True]
    assert emptied(table, ["size"])["note"].tolist() == ["", "x"]


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_refused(content):
    try:
        table = parse_table(content, "t.csv")
    except PipelineError:
        return
    assert len(table) > 0
    assert table.columns.is_unique


@pytest.mark.parametrize("cell", ["=1+1", "<b>x</b>", "[a](b)", "@x"])
def test_active_content_is_refused_by_column(cell):
    with pytest.raises(PipelineError, match="columns label") as caught:
        parse_table(f"group,label\nx,{cell}\n".encode(), "t.csv")
    assert cell not in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"columns": {"size_2022": "size"}},
        {"columns": {"size_2022": "n", "group": "n"}},
        {"constants": {"size": 5}},
        {"repeated": {"group": ["size", "size_2022"]}},
        {"repeated": {"n": ["size", "size_2022"]}, "constants": {"n": 5}},
    ],
)
def test_no_column_replaces_another(settings):
    table = parse_table(b"group,size,size_2022\nx,1,2\n", "t.csv")
    with pytest.raises(PipelineError, match="would have one name"):
        arrange_table(table, settings, None, "t.csv")


def test_columns_may_change_their_names_with_one_another():
    table = parse_table(b"group,size,size_2022\nx,1,2\n", "t.csv")
    named = {"columns": {"size_2022": "size", "size": "size_2022"}}
    assert arrange_table(table, named, None, "t.csv")["size"].tolist() == ["2"]


def test_the_panels_members_are_named_by_pseudonyms():
    table = parse_table(b"member,group,best\nAna,victims,0.7\nAna,perpetrators,0.6\n", "t.csv")
    arranged = arrange_table(table, None, "key", "t.csv")
    assert arranged["member"].tolist() == [pseudonym("key", "member", "Ana")] * 2
