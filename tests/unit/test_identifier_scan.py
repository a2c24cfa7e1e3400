"""The scan finds planted identifiers of all kinds, and lets honest answers through."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prevalence.codebook import COLUMNS, parse_codebook
from prevalence.errors import PipelineError
from prevalence.exports import Export
from prevalence.identifier_scan import (
    answer_kinds,
    check_identifiers,
    identifier_kinds,
    number_kinds,
    person_kinds,
    scan_export,
)

CODEBOOK = parse_codebook(
    "\n".join(
        [
            ",".join(COLUMNS),
            "ID,respondent,Interview,text,key,,,,,,",
            "LANG,language,Language of the interview,text,paradata,,,,,,",
            "Q1,doctors,Doctors known,numeric,known,998=dont_know,0,200,,,doctors",
            "INC,income,Monthly income in pesos,numeric,covariate,,0,9999999,,,",
            "REG,region,Region,categorical,domain,,,,,1=NCR;2=San Jose Region,",
            "WT,base_weight,Weight,numeric,base_weight,,,,,,",
            "T1,interview_start,Beginning,datetime,paradata,,,,,,",
        ]
    ).encode(),
    "codebook.csv",
)
# All invented: no number, place or name of a real person.
PLANTED = {
    "phone": [
        "09175550123",
        "0917 555 0123",
        "0917-555-0123",
        "+63 917 555 0123",
        "+639175550123",
        "639175550123",
        "(02) 8555-0123",
        "02-8555-0123",
        "8555-0123",
        "tawag 0998.555.0123",
        "+250 788 555 012",
        "0788555012",
        "+44 20 7946 0958",
        "0032-555-01",
    ],
    "email": ["someone@example.org", "a.b+c@mail.example.ph", "someone (at) example.org"],
    "web_address": ["facebook.com/someone.here", "@someone_here", "https://example.org/x"],
    "coordinates": [
        "14.5995, 120.9842",
        "14.599512 120.984219 12.0 4.5",
        "14°35'58\"N 120°59'03\"E",
        "N 14.59951 E 120.98421",
        "POINT(120.98 14.59)",
        "7Q63HXP2+4C",
        "///filled.count.soap",
        "w3w.co/filled.count.soap",
        "sa may ///salitang.isa.dalawa",
    ],
    "device": [
        "356938035643809",
        "35-693803-564380-9",
        "8963021234567890123",
        "00:1a:2b:3c:4d:5e",
        "uuid:3f2b8c1e-7d4a-4f6b-9a1e-2c3d4e5f6a7b",
        "a1b2c3d4e5f60718",
        "collect:AbCdEf123",
        "515021234567890",
        "192.168.10.27",
    ],
    "government_id": [
        "1234-5678-9012-3456",
        "34-1234567-8",
        "123-456-789-000",
        "12-345678901-2",
        "P1234567A",
        "N01-23-456789",
    ],
    "file": ["IMG_2022.jpg", "1654041600000.m4a", "signature-17.png", "interview 12.wav", "a.3gpp"],
    "name": [
        "Maria Santos",
        "DELA CRUZ, JUAN P.",
        "juan dela cruz",
        "Aling Nena",
        "Mr. Xyz",
        "J. P. Quezada",
        "Zyrelle, Qwon",
        "Nyirahabimana",
        "si jovelyn",
        "kay Zyrelle",
        "zyrelle dela qwon",
        "qwon de los arcos",
    ],
    "address": ["Purok 3, Brgy Malaya", "Blk 4 Lot 5", "123 Mabini St", "near the chapel"],
    "free_text": [
        "she told me that it goes on",
        "Pinagbabawal po kasi dito sa amin",
        "x" * 41,
    ],
}
CASES = [(kind, value) for kind, values in PLANTED.items() for value in values]
HONEST = [
    "Tagalog",
    "Cebuano",
    "Hiligaynon",
    "Ilokano ñ",
    "Parañaque",
    "not asked",
    "46,000 790 102",  # neighbouring cells of a table
    "v2.1.3",
    "2022-05-31T09:30:00",
    "2022-05-31",
    "18–24",
    "[25,35)",
    "IV-A",
    "998",
    "3.5",
    "yes",
    "sari-sari store owner",
    "market vendor",
    "sinaing",
    "kayak guide",
    "no.answer",
    "BPO worker",
    "Region XI",
]


def export_with(**columns):
    n = 60
    base = {
        "ID": [f"PH-{i:05d}" for i in range(n)],
        "LANG": ["Tagalog", "Cebuano", "Ilokano ñ"] * (n // 3),
        "Q1": [float(i % 9) for i in range(n)],
        "INC": [float(1000 * (i % 40)) for i in range(n)],
        "REG": [1.0, 2.0] * (n // 2),
        "WT": np.random.default_rng(1).uniform(0.1, 4, n).tolist(),
        "T1": [dt.datetime(2022, 5, 2, 8) + dt.timedelta(minutes=45 * i) for i in range(n)],
    }
    return Export(columns={**base, **columns})


def check(export, accepted=()):
    check_identifiers(scan_export(export), export, CODEBOOK, accepted, file="export.sav")


def test_there_are_more_than_40_planted_identifiers():
    assert len(CASES) > 40


@pytest.mark.parametrize(("kind", "value"), CASES)
def test_a_planted_identifier_is_seen_as_what_it_is(kind, value):
    assert kind in answer_kinds(value) | identifier_kinds(value)


@pytest.mark.parametrize(("kind", "value"), CASES)
def test_one_planted_in_a_listed_column_stops_the_run_without_being_told(kind, value):
    texts = ["Tagalog"] * 60
    texts[17] = value
    with pytest.raises(PipelineError) as caught:
        check(export_with(LANG=texts))
    text = str(caught.value)
    assert "LANG" in text
    assert value not in text


@pytest.mark.parametrize("value", HONEST)
def test_an_honest_answer_is_let_through(value):
    assert answer_kinds(value) == set()


def test_an_honest_export_is_let_through():
    check(export_with())


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (9175550123.0, "phone"),
        (639175550123.0, "phone"),
        (356938035643809.0, "device"),
        (14.599512, "coordinates"),
        (-1.94995, "coordinates"),
        (120.98421, "coordinates"),
        (1234567890123.0, "long_number"),
    ],
)
def test_numbers_can_be_identifiers(number, kind):
    assert kind in number_kinds(number)
    counts = [float(i % 9) for i in range(60)]
    counts[5] = number
    with pytest.raises(PipelineError, match=rf"Q1: {kind} \(1\)"):
        check(export_with(Q1=counts))


@pytest.mark.parametrize(
    "number", [0.0, 3.0, 998.0, 99999999.0, 2.5, 0.125, -4.0, 1e300, 1234.5678901234567]
)
def test_counts_and_codes_are_not(number):
    assert number_kinds(number) == set()


def test_a_number_in_the_valid_range_is_an_answer():
    check(export_with(INC=[8_550_123.0] * 60))


def test_weights_may_have_decimals_and_keys_may_be_anything():
    check(export_with(ID=[f"0917555{i:04d}" for i in range(60)]))


def test_a_listed_code_is_no_name():
    found = scan_export(export_with(REG=[1.0] * 60))
    assert "REG" not in found


def test_a_column_that_is_called_a_name():
    export = export_with(RESP_NAME=["Qwert"] * 60)
    assert scan_export(export)["RESP_NAME"]["name"] == 60
    check(export)  # it isn't listed, and is dropped


def test_many_different_texts_are_free_text():
    texts = [f"word{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(60)]
    with pytest.raises(PipelineError, match="free_text"):
        check(export_with(LANG=texts))


def test_three_words_for_a_square_on_the_map_are_seen_where_they_are_rare():
    words = ["Tagalog"] * 59 + ["filled.count.soap"]
    assert scan_export(export_with(LANG=words))["LANG"] == {"coordinates": 1}
    assert "LANG" not in scan_export(export_with(LANG=["Tagalog", "not.yet.known"] * 30))


WORKS = """fish vendor|market vendor|tricycle driver|jeepney driver|bus driver|factory worker
construction worker|domestic worker|store owner|farm owner|farm helper|store helper|house helper
rice farmer|corn farmer|public teacher|private teacher|office clerk|store clerk|call center agent
balut vendor|park sweeper|security guard|night guard""".replace("\n", "|").split("|")


def test_small_letters_hide_no_column_of_names():
    letters = "abdegiklmnoprstuwy"
    names = [
        f"{a}{letters[i]}elyn {b}{letters[i]}acan" for i, (a, b) in enumerate(["jy", "qw"] * 9)
    ]
    names += [f"{letters[i]}ovy {letters[i]}urgo" for i in range(6)]
    found = scan_export(export_with(LANG=["Tagalog"] * (60 - len(names)) + names))
    assert found["LANG"] == {"name": len(names)}
    works = ["Tagalog"] * (60 - len(WORKS)) + WORKS
    assert "LANG" not in scan_export(export_with(LANG=works))


def test_published_text_is_read_in_small_letters_too():
    assert person_kinds("seen by pedro mendoza and others") == {"name"}
    assert person_kinds("rose brown, grace and joy mark the day of santos") == set()
    assert identifier_kinds("at ///filled.count.soap") == {"coordinates"}
    assert identifier_kinds("weight.replication.replicates, file:///usr.local.share") == set()


def test_an_exact_date_that_is_no_paradata():
    codebook = parse_codebook(
        "\n".join(
            [
                ",".join(COLUMNS),
                "ID,respondent,Interview,text,key,,,,,,",
                "T1,birth,Date of birth,datetime,covariate,,,,,,",
            ]
        ).encode(),
        "codebook.csv",
    )
    export = export_with()
    with pytest.raises(PipelineError, match="exact_date"):
        check_identifiers(scan_export(export), export, codebook, (), file="export.sav")


@pytest.mark.parametrize("label", ["Call 0917 555 0123", "photo IMG_2022.jpg", "a@example.org"])
def test_an_identifier_in_the_label_of_a_listed_column(label):
    export = export_with()
    labelled = Export(columns=export.columns, labels={"Q1": label})
    with pytest.raises(PipelineError, match="in its label") as caught:
        check(labelled)
    assert label not in str(caught.value)


def test_what_the_owner_accepts_is_let_through():
    export = export_with(LANG=["Tagalog"] * 59 + ["Rosa"])
    waiver = {"variable": "LANG", "kind": "name", "reason": "a language"}
    check(export, [waiver])
    with pytest.raises(PipelineError):
        check(export, [waiver | {"kind": "phone"}])
    with pytest.raises(PipelineError):
        check(export, [waiver | {"variable": "Q1"}])


@given(st.text(max_size=60))
def test_any_text_is_scanned(text):
    assert identifier_kinds(text) <= answer_kinds(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_is_scanned(number):
    assert number_kinds(number) <= {
        "phone",
        "device",
        "government_id",
        "long_number",
        "coordinates",
    }
