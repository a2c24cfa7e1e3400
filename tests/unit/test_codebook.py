import pytest
from hypothesis import given
from hypothesis import strategies as st

from prevalence.bins import Bin
from prevalence.codebook import COLUMNS, canonical_code, parse_codebook
from prevalence.errors import PipelineError

HEADER = ",".join(COLUMNS)
ID = "Q0,respondent,Interview,text,key,,,,,,"
COUNT = "Q1,doctors,Doctors known,numeric,known,998=dont_know;.a=refused,0,100,95,,doctors"
SEX = "S2,sex,Sex,categorical,domain,9=refused,,,,1=male;2=female,"


def parsed(*lines, header=HEADER):
    return parse_codebook("\n".join([header, *lines]).encode(), "codebook.csv")


def refusal(*lines, header=HEADER):
    with pytest.raises(PipelineError) as caught:
        parsed(*lines, header=header)
    return str(caught.value)


def test_a_codebook_is_read():
    codebook = parsed(ID, COUNT, SEX, "NOTE,note,,text,ignore,,,,,,")
    doctors = codebook.named("doctors", "")
    assert doctors.is_count
    assert doctors.is_number
    assert doctors.minimum == 0
    assert doctors.top_code == 95
    assert codebook.named("sex", "").codes == {"1": "male", "2": "female"}
    assert [variable.name for variable in codebook.kept] == ["respondent", "doctors", "sex"]
    assert [variable.group for variable in codebook.counts] == ["doctors"]


BINS = "0=0;1=1;2=2-5:3;3=6+:9"
BINNED = f"Q1,doctors,Doctors known,categorical,known,998=dont_know,,,,{BINS},doctors"


def test_a_count_may_be_asked_in_bins():
    doctors = parsed(ID, BINNED).named("doctors", "")
    assert doctors.is_count
    assert doctors.bins["1"] == Bin(1, 1, 1)
    assert doctors.bins["2-5:3"] == Bin(2, 5, 3)
    assert doctors.bins["6+:9"] == Bin(6, float("inf"), 9)
    assert parsed(ID, SEX).named("sex", "").bins == {}


def test_stata_letters_share_the_number_of_their_kind_or_get_their_own():
    codebook = parsed(ID, COUNT.replace("998=dont_know;.a=refused", "998=dont_know;.a=dont_know"))
    assert codebook.named("doctors", "").extended_codes == {"a": (998.0, "dont_know")}
    other = parsed(ID, COUNT).named("doctors", "")
    assert other.extended_codes == {"a": (-1001.0, "refused")}
    assert other.missing_numbers == {998.0: "dont_know", -1001.0: "refused"}


def test_columns_may_stand_in_another_order():
    lines = [",".join(reversed(line.split(","))) for line in (ID, COUNT, SEX)]
    assert parsed(*lines, header=",".join(reversed(COLUMNS))) == parsed(ID, COUNT, SEX)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (COUNT.replace("numeric", "number"), "The type is unknown"),
        (COUNT.replace("numeric", "text").replace("0,100,95", ",,"), "categorical with its bins"),
        (BINNED.replace("6+:9", "6+"), "An answer is no bin"),
        (BINNED.replace("6+:9", "many"), "An answer is no bin"),
        (BINNED.replace("2-5:3", "5-2"), "An answer is no bin"),
        (BINNED.replace("0=0;1=1", "0=0-1"), "An answer is no bin"),
        (BINNED.replace("2-5:3", "2-6"), "Bins of counts overlap"),
        (COUNT.replace(",known,", ",knwon,"), "The role is unknown"),
        (COUNT.replace("998=dont_know", "998=unsure"), "kind of missing value is unknown"),
        (COUNT.replace("998=dont_know", "998"), "code is malformed"),
        (COUNT.replace("998=dont_know", "998=dont_know;998.0=refused"), "code stands twice"),
        (COUNT.replace("998=dont_know", "99=dont_know"), "lies in the range of valid answers"),
        (COUNT.replace("998=dont_know", "x=dont_know"), "is not a number"),
        (COUNT.replace(",0,100,95", ",100,0,95"), "minimum is above the maximum"),
        (COUNT.replace(",0,100,95", ",0,100,195"), "top code is above the maximum"),
        (COUNT.replace(",0,100,95", ",zero,100,95"), "bound is not a number"),
        (COUNT.replace(",0,100,95", ",,100,95"), "needs a minimum"),
        (COUNT.replace(",0,100,95", ",-1,100,95"), "needs a minimum"),
        (COUNT.replace(",,doctors", ",,"), "names its group"),
        (COUNT.replace(",,doctors", ",,Dr!"), "names its group"),
        (COUNT.replace(",doctors,", ",Doctors known,", 1), "analysis name cannot be used"),
        (COUNT.replace("Q1", ""), "has no name"),
        (COUNT.replace("numeric", "categorical"), "categorical variable lists its codes"),
        (SEX.replace("1=male;2=female", ""), "categorical variable lists its codes"),
        (SEX.replace("1=male", "1="), "no analysis value"),
        (SEX.replace("9=refused", "2=refused"), "an answer and a missing value at once"),
        (SEX.replace(",,,,1=", ",1,,,1="), "Only a numeric variable has a range"),
        (SEX + "sexes", "Only counts and situations have a group"),
        (SEX.replace(",sex,", ",psu,", 1), "so its role is key"),
        ("Q2,village,Village,text,key,,,,,,", "fixed analysis name"),
        ("W,weight,Weight,text,base_weight,,,,,,", "A weight is numeric"),
        (COUNT.replace("Doctors known", "=1+1"), "A text is not plain"),
        (COUNT.replace("Doctors known", "<b>x</b>"), "A text is not plain"),
        (SEX.replace("1=male", "1=<i>male"), "A text is not plain"),
        (COUNT + ",", "too many or too few fields"),
        ("Q1,doctors", "too many or too few fields"),
    ],
)
def test_a_fault_is_told_with_its_line(line, expected):
    text = refusal(ID, line)
    assert expected in text
    assert "line 3" in text


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([ID, COUNT, COUNT.replace("doctors", "nurses")], "line 4, column raw"),
        ([ID, COUNT, COUNT.replace("Q1", "Q2")], "line 4, column variable"),
        ([ID, COUNT, COUNT.replace("Q1,doctors", "Q2,nurses")], "line 4, column group"),
    ],
)
def test_a_name_that_stands_twice(lines, expected):
    text = refusal(*lines)
    assert expected in text
    assert "also on line 3" in text


def test_other_faults_of_the_file():
    assert "lists no variable" in refusal()
    assert "names no respondent" in refusal(SEX)
    assert "unknown: colour" in refusal(ID, header=HEADER + ",colour")
    assert "missing: role" in refusal(ID, header=HEADER.replace("role,", ""))
    with pytest.raises(PipelineError, match="not UTF-8"):
        parse_codebook(b"raw,variable\nPara\xf1aque", "codebook.csv")
    assert "not a valid CSV" in refusal(ID, '"Q1,doctors')


def test_an_unknown_variable_gets_a_suggestion():
    with pytest.raises(PipelineError, match="Did you mean 'doctors'"):
        parsed(ID, COUNT).named("doctor", "clean.edits")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content):
    with pytest.raises(PipelineError):
        parse_codebook(content, "codebook.csv")


@given(st.lists(st.text(max_size=12), min_size=11, max_size=11))
def test_any_line_is_read_or_refused(cells):
    import csv
    import io

    stream = io.StringIO()
    csv.writer(stream).writerow(cells)
    try:
        parsed(ID, stream.getvalue())
    except PipelineError as error:
        assert str(error)


@given(st.integers(-(10**9), 10**9))
def test_a_code_is_written_in_one_way(number):
    assert canonical_code(str(number)) == canonical_code(f"{number}.0") == str(number)
    assert canonical_code(f"{number:+05d}") == str(number)


def test_codes_that_are_no_numbers_stay():
    assert canonical_code("[25,35)") == "[25,35)"
    assert canonical_code("0.50") == "0.5"
    assert canonical_code("nan") == "nan"


@pytest.mark.parametrize("cells", ["categorical,key,,,,,1=a;2=b,", "numeric,key,,1,9,,,"])
def test_a_key_has_neither_values_nor_a_range(cells):
    assert "no range and no values" in refusal(ID, f"P,psu,PSU,{cells}")
