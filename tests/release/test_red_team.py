"""Identifiers planted in raw data, labels, metadata, words and pictures: each is caught."""

import io
import json

import matplotlib
import pandas as pd
import pytest
from matplotlib.figure import Figure

from prevalence.codebook import COLUMNS, parse_codebook
from prevalence.disclosure.gate import Allowed, check_files
from prevalence.disclosure.numbers import sorted_numbers
from prevalence.errors import PipelineError
from prevalence.exports import Export
from prevalence.identifier_scan import check_identifiers, person_kinds, scan_export

# All invented: no number, place or name of a real person.
IDENTIFIERS = {
    "mobile": "0917-555-0123",
    "mobile without spaces": "09175550123",
    "mobile with country": "+63 917 555 0123",
    "mobile of Rwanda": "+250 788 555 012",
    "telephone abroad": "+44 20 7946 0958",
    "mobile of ten digits": "917 555 0123",
    "mobile with dashes": "0917–555–0123",
    "mobile in pairs": "09 17 555 01 23",
    "telephone of North America": "555-010-0199",
    "land line": "(02) 8555-0123",
    "e-mail": "someone@example.org",
    "hidden e-mail": "someone (at) example.org",
    "spelled e-mail": "someone at example dot org",
    "page of a person": "facebook.com/some.one",
    "messages": "m.me/some.one",
    "place on a map": "https://maps.example.org/?q=14.5,120.9",
    "device": "356938035643809",
    "device in groups": "35-693803-564380-9",
    "SIM": "8963021234567890123",
    "network card": "00:1a:2b:3c:4d:5e",
    "network card in dots": "001a.2b3c.4d5e",
    "address of a computer, newer": "2001:db8:85a3::8a2e:370:7334",
    "uuid": "3f2b8c1e-7d4a-4f6b-9a1e-2c3d4e5f6a7b",
    "address of a computer": "192.168.10.27",
    "PhilSys card": "1234-5678-9012-3456",
    "SSS": "34-1234567-8",
    "PhilHealth": "12-345678901-2",
    "TIN": "123-456-789-000",
    "passport": "P1234567A",
    "older passport": "EB1234567",
    "common reference number": "CRN-0111-1234567-8",
    "recording": "audio_1654.m4a",
    "photograph": "IMG_20220613_101112.jpg",
    "driver's licence": "N01-23-456789",
    "coordinates": "14.599512, 120.984219",
    "coordinates in degrees": "14°35'58\"N 120°59'03\"E",
    "point": "POINT(120.98 14.59)",
    "plus code": "7Q63HXP2+4C",
    "name": "Maria Santos",
    "name with title": "Aling Nena",
    "house": "Purok 3, Brgy Malaya",
    "lot": "Blk 4 Lot 5",
    "street": "123 Mabini St",
}
HEAD = ",".join(COLUMNS)


def export_of(values, label="", name="Q1"):
    return Export({"ID": ["a", "b"], name: values}, {name: label} if label else {})


def codebook_of(label="Language", codes="", name="Q1", kind="text"):
    lines = [HEAD, "ID,respondent,Interview,text,key,,,,,,"]
    quoted = [f'"{text.replace(chr(34), chr(34) * 2)}"' for text in (label, codes)]
    lines.append(f"{name},language,{quoted[0]},{kind},paradata,,,,,{quoted[1]},")
    return parse_codebook("\n".join(lines).encode(), "codebook.csv")


@pytest.mark.parametrize("kind", IDENTIFIERS)
def test_an_identifier_in_an_answer_stops_the_run(kind):
    export = export_of(["Tagalog", IDENTIFIERS[kind]])
    with pytest.raises(PipelineError, match="direct identifiers") as caught:
        check_identifiers(scan_export(export), export, codebook_of(), [], file="a.csv")
    assert IDENTIFIERS[kind] not in str(caught.value)


FORMS = [kind for kind, text in IDENTIFIERS.items() if not person_kinds(text)]


@pytest.mark.parametrize("kind", FORMS)
def test_an_identifier_in_a_label_stops_the_run(kind):
    export = export_of(["1", "2"], label=f"call {IDENTIFIERS[kind]}")
    with pytest.raises(PipelineError, match="in its label"):
        check_identifiers(scan_export(export), export, codebook_of(), [], file="a.csv")


@pytest.mark.parametrize("kind", ["mobile", "e-mail", "device", "PhilSys card", "SSS"])
def test_an_identifier_in_a_value_label_stops_the_run(kind):
    codebook = codebook_of(codes=f"1=yes;2=ask {IDENTIFIERS[kind]}", kind="categorical")
    export = export_of(["1", "2"])
    with pytest.raises(PipelineError, match="in its value labels"):
        check_identifiers(scan_export(export), export, codebook, [], file="a.csv")


def drawn(words="", metadata="", comment="", description=""):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg"><!-- {comment} --><metadata>{metadata}</metadata>'
        f"<desc>{description}</desc><text>{words}</text></svg>"
    ).encode()


def words_of(**words):
    return json.dumps({"regions": {"alt": "Dots.", "caption": "Rates.", **words}}).encode()


def table_of(text):
    return pd.DataFrame({"group": ["x"], "label": [text]}).to_csv(index=False).encode()


# Where a figure or a string of the config can carry an identifier out.
WAYS = {
    "figures/a.svg: words": lambda text: {"figures/a.svg": drawn(words=text)},
    "figures/a.svg: comment": lambda text: {"figures/a.svg": drawn(comment=text)},
    "figures/a.svg: metadata": lambda text: {"figures/a.svg": drawn(metadata=text)},
    "figures/a.svg: description": lambda text: {"figures/a.svg": drawn(description=text)},
    "figures/a.csv: cell": lambda text: {"figures/a.csv": table_of(text)},
    "figures/a.json: alternative": lambda text: {"figures/a.json": words_of(alt=text)},
    "tables/a.csv: cell": lambda text: {"tables/a.csv": table_of(text)},
    "brief.html: words of the config": lambda text: {"brief.html": f"<p>{text}</p>".encode()},
    "brief.html: attribute": lambda text: {
        "brief.html": f'<p title="{text.replace(chr(34), "&quot;")}">x</p>'.encode()
    },
    "results.json: label": lambda text: {"results.json": json.dumps({"label": text}).encode()},
}


def printed(text):
    """A PDF with a line of words."""
    figure = Figure()
    figure.text(0.05, 0.5, text)
    page = io.BytesIO()
    with matplotlib.rc_context({"pdf.fonttype": 42}):
        figure.savefig(
            page, format="pdf", metadata={"CreationDate": None, "Creator": None, "Producer": None}
        )
    return page.getvalue()


def gate_on(files):
    allowed = Allowed([*files], sorted_numbers([]), [], {}, reviewed="Salganik 2015")
    return check_files(files, allowed)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", IDENTIFIERS)
def test_the_gate_stops_an_identifier_on_every_way_out(kind, way):
    found = gate_on(WAYS[way](IDENTIFIERS[kind]))
    assert [f for f in found if "identifier" in f.problem], kind


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "text",
    [
        "Region IV-A",
        "published estimate, about",
        "PRC, active, March",
        "San Jose del Monte",
        "Santa Maria",
        "Mark each region; Grace is no name here",
        "sari-sari store owners",
        "National Capital Region",
        "women and children of Lola's age",
    ],
)
def test_honest_words_pass(text, way):
    assert gate_on(WAYS[way](text)) == []


@pytest.mark.parametrize("kind", [kind for kind in IDENTIFIERS if kind[:6] in ("mobile", "teleph")])
def test_a_telephone_number_is_found_in_a_pdf(kind):
    found = gate_on({"summary.pdf": printed(f"Call {IDENTIFIERS[kind]} now")})
    assert [f for f in found if "identifier" in f.problem]


def test_rows_of_a_table_in_a_pdf_are_no_telephone_number():
    rows = "R09 6.5 6.5 0.1 0.2 6.5 R10 6.9 7.0 09 12.34 5.67 890.1 2.3 09 123,456 78,901 2"
    found = gate_on({"summary.pdf": printed(rows)})
    assert [f for f in found if "identifier" in f.problem] == []


def test_names_of_authors_may_be_repeated():
    assert person_kinds("Maria Santos", "Maria Santos 2015") == set()
    assert person_kinds("Maria Santos", "Salganik 2015") == {"name"}


RARE = ["Ximena Quiambao", "QUIAMBAO, XIMENA", "123 456 789 000", "R58M123ABCD", "12 March 1984"]


@pytest.mark.parametrize("text", RARE)
def test_what_one_respondent_says_and_no_code_stands_for_stops_the_run(text):
    many = export_of(["Tagalog"] * 40 + [text], name="Q1")
    export = Export({"ID": [str(i) for i in range(41)], "Q1": many.columns["Q1"]})
    with pytest.raises(PipelineError, match="direct identifiers"):
        check_identifiers(scan_export(export), export, codebook_of(), [], file="a.csv")
    often = Export({"ID": [str(i) for i in range(80)], "Q1": ["Central Luzon"] * 80})
    check_identifiers(scan_export(often), often, codebook_of(), [], file="a.csv")


def test_a_name_that_nobody_reviewed_is_told_by_its_unknown_word():
    words = frozenset({"household", "head", "central", "luzon", "by", "region"})
    for text in ("Head Ximena Quiambao", "Dr. Quiambao", "by QUIAMBAO, XIMENA"):
        assert person_kinds(text, "", words) == {"name"}
    assert person_kinds("Household Head by Region, Central Luzon", "", words) == set()
