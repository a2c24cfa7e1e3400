"""Leaks planted in every kind of output are caught; the clean files pass."""

import base64
import io
import json
import struct
import zipfile
import zlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from prevalence.disclosure.extraction import pieces
from prevalence.disclosure.gate import (
    Allowed,
    allowed_numbers,
    check_files,
    refuse,
    required_texts,
    unknown_numbers,
    withheld_cells,
)
from prevalence.disclosure.numbers import Places, words_in
from prevalence.errors import PipelineError
from prevalence.specifications import CHOICES

TABLE = pd.DataFrame(
    {
        "estimator": "ratio_of_sums",
        "group": ["victims"] * 3,
        "domain_type": ["national", "region", "region"],
        "domain": ["national", "NCR", "CAR"],
        "estimate": [471_000.0, 52_000.0, np.nan],
        "lower": [402_000.0, 41_000.0, np.nan],
        "upper": [552_000.0, 66_000.0, np.nan],
        "n": [3554, 431, np.nan],
        "unit": "persons",
        "suppressed": ["", "", "primary"],
    }
)
REPORT = {
    "content_note": "This report is about the sexual exploitation of children.",
    "help_lines": [{"name": "Police", "numbers": ["0966-725-5961 (Globe)"]}],
    "limits": ["Counting is limited to new material."],
    "ethics": "Synthetic data: no person was interviewed.",
    "funding": "Not funded.",
}
IDENTITY = "0123456789ab"
WORDS = (
    "SYNTHETIC DATA. This report is about the sexual exploitation of children. Call 0966-725-5961 "
    "(Globe). Counting is limited to new material. Synthetic data: no person was interviewed. "
    f"Not funded. Run {IDENTITY}."
)
SPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
ROW = "<tr><td>CAR</td><td>suppressed (too few)</td><td>–</td></tr>"
PAGE = (
    '<html><head><style>p{width:123.4px}</style>{head}</head><body><p>{words}</p><img alt="A map" '
    'src="data:image/svg+xml;base64,{svg}"><p>An estimated 471,000 children (95% interval 402,000 '
    "to 552,000), 3,554 respondents.{more}</p><table>{row}</table>"
    '<a href="data:text/csv;base64,{csv}">data</a></body></html>'
)
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg"><!-- {comment} --><metadata>{metadata}</metadata>'
    '<g id="axes_1"><g id="axis_1"><g id="xtick_1"><text>0</text></g>'
    '<g id="xtick_2"><text>137,000</text></g><g id="xtick_3"><text>274,000</text></g>'
    "{ticks}</g></g>"
    "<text {attributes}>{text}</text>{more}</svg>"
)


def coded(text):
    return base64.b64encode(text.encode()).decode()


def svg(text="471,000", comment="", metadata="", ticks="", attributes="", more=""):
    filled = SVG
    for mark, words in {
        "{text}": text,
        "{comment}": comment,
        "{metadata}": metadata,
        "{ticks}": ticks,
        "{attributes}": attributes,
        "{more}": more,
    }.items():
        filled = filled.replace(mark, words)
    return filled


def page(words=WORDS, more="", row=ROW, picture=None, data=None, head=""):
    filled = PAGE
    for mark, text in {
        "{words}": words,
        "{more}": more,
        "{row}": row,
        "{svg}": coded(picture or svg()),
        "{csv}": coded(data or csv()),
        "{head}": head,
    }.items():
        filled = filled.replace(mark, text)
    return filled.encode()


def csv(table=TABLE):
    return table.to_csv(index=False)


def results(**changes):
    row = {"group": "victims", "domain": "NCR", "estimate": 52_000, "n": 431, "suppressed": None}
    return json.dumps({"estimates": [row | changes]}).encode()


def docx(text=WORDS, author="", media=None, within=""):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        body = (
            f"<w:document {SPACE}><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p>{within}</w:body>"
        )
        archive.writestr("word/document.xml", body + "</w:document>")
        archive.writestr("docProps/core.xml", f"<core><creator>{author}</creator></core>")
        for name, content in (media or {}).items():
            archive.writestr(name, content)
    return out.getvalue()


def png(text=None, after=b"", other=None):
    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    words = chunk(b"tEXt", b"Comment\0" + text.encode()) if text else b""
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + words
        + (chunk(*other) if other else b"")
        + chunk(b"IDAT", zlib.compress(b"\0\0"))
        + chunk(b"IEND", b"")
        + after
    )


CLEAN = {
    "summary.html": page(),
    "summary.docx": docx(),
    "results.json": results(),
    "figures/regions.svg": svg().encode(),
    "figures/regions.csv": csv().encode(),
    "figures/regions.png": png(),
}


@pytest.fixture(scope="module")
def allowed():
    tables = {"scale_up": TABLE}
    survey = {"synthetic": True}
    return Allowed(
        declared=list(CLEAN),
        numbers=allowed_numbers(tables, ["95% interval", "0966"]),
        texts=["0966-725-5961 (Globe)", "0966-725-5961", IDENTITY],
        required=required_texts(survey, REPORT, IDENTITY),
        withheld=withheld_cells(tables, "ratio_of_sums"),
        places=Places(tables),
        words=words_in(["ph2022"]),
        reviewed="see https://example.org/methods",
    )


def test_clean_files_pass(allowed):
    assert check_files(CLEAN, allowed) == []


def leaked_table(**changes):
    return csv(TABLE.assign(**changes)).encode()


SHOWN = TABLE["estimate"].fillna(13_400.0)
LEAKS = {
    "a number in the prose": {"summary.html": page(more=" In CAR 13,400.")},
    "a decimal number": {"summary.html": page(more=" The rate is 0.847.")},
    "a small count": {"summary.html": page(more=" Only 4 respondents there.")},
    "a number in alternative text": {
        "summary.html": page().replace(b'alt="A map"', b'alt="CAR: 13,400"')
    },
    "a number in a comment": {"summary.html": page(more="<!-- CAR 13,400 -->")},
    "a withheld row with its count": {
        "summary.html": page(
            row="<tr><td>CAR</td><td>suppressed (too few)</td><td>471,000</td></tr>"
        )
    },
    "a withheld value in embedded data": {
        "summary.html": page(data=csv(TABLE.assign(estimate=SHOWN)))
    },
    "a number in an embedded picture": {"summary.html": page(picture=svg("13,400"))},
    "a telephone number": {"summary.html": page(more=" Ask 0917-555-0123.")},
    "an e-mail address": {"summary.html": page(more=" Write to someone@example.org.")},
    "a picture from elsewhere": {
        "summary.html": page(more='<img alt="" src="https://example.org/pixel.png">')
    },
    "a placeholder": {"summary.html": page(more=" ?var:groups.count")},
    "a missing value": {"summary.html": page(more="<span>nan</span>")},
    "no synthetic notice": {
        "summary.html": page(
            words=WORDS.replace("SYNTHETIC DATA", "").replace("Synthetic data:", "")
        )
    },
    "no help line": {"summary.html": page(words=WORDS.replace("0966-725-5961", ""))},
    "no identity": {"summary.html": page(words=WORDS.replace(IDENTITY, ""))},
    "a number in DOCX": {"summary.docx": docx(WORDS + " In CAR 13,400.")},
    "an e-mail address in DOCX properties": {"summary.docx": docx(author="someone@example.org")},
    "an embedded workbook": {"summary.docx": docx(media={"word/embeddings/data.xlsx": b"PK"})},
    "a number in results": {"results.json": results(estimate=13_400)},
    "a withheld cell in results": {"results.json": results(suppressed="primary")},
    "a number in a figure": {"figures/regions.svg": svg("13,400").encode()},
    "coordinates in a figure's comment": {
        "figures/regions.svg": svg(comment="14.59951, 120.98422").encode()
    },
    "a device in a figure's metadata": {
        "figures/regions.svg": svg(metadata="imei: 356938035643809").encode()
    },
    "a withheld value in a figure's data": {"figures/regions.csv": leaked_table(estimate=SHOWN)},
    "a withheld n in a figure's data": {
        "figures/regions.csv": leaked_table(n=TABLE["n"].fillna(8), suppressed="")
    },
    "a number in a figure's data": {
        "figures/regions.csv": leaked_table(other=[471_000, 31_337, 0])
    },
    "a telephone number in PNG metadata": {"figures/regions.png": png("0917-555-0123")},
    "bytes after a picture": {"figures/regions.png": png(after=b"secret")},
    "an undeclared file": {"figures/notes.csv": b"a\n1\n"},
    "a disallowed type": {"figures/regions.svg.parquet": b"PAR1"},
    "a picture that is none": {"figures/regions.png": b"GIF89a"},
    "a number of elsewhere beside a withheld place": {
        "summary.html": page(more="</p><p>In CAR 52,000 children.")
    },
    "a number with a letter": {"summary.html": page(more=" In CAR 13.4k.")},
    "a number after a colon": {"summary.html": page(more=" CAR:13,400.")},
    "a number after a hyphen": {"summary.html": page(more=" From 471,000-13,400.")},
    "a number after a slash": {"summary.html": page(more=" 471,000/13,400.")},
    "a number glued to a word": {"summary.html": page(more=" CAR13400.")},
    "a number glued before a word": {"summary.html": page(more=" 13400children.")},
    "a number with powers": {"summary.html": page(more=" 1.34e4 children.")},
    "a number split by nothing": {"summary.html": page(more=" 13&#8203;400 and 13\u200b412.")},
    "a number with thin spaces": {"summary.html": page(more=" 13\u202f400.")},
    "a number in other digits": {"summary.html": page(more=" \uff11\uff13\uff14\uff10\uff10.")},
    "a number in markup": {"summary.html": page(more=" 13,<b>400</b>")},
    "a number in words": {"summary.html": page(more=" Thirteen thousand children.")},
    "few in words": {"summary.html": page(more=" Only four women respondents.")},
    "few as n": {"summary.html": page(more=" CAR (n = 8).")},
    "few after their name": {"summary.html": page(more=" Respondents who reported: 8.")},
    "a row of another place": {
        "summary.html": page(row="<tr><td>CAR</td><td>471,000</td><td>431</td></tr>")
    },
    "a small count in a row": {"summary.html": page(row="<tr><td>CAR</td><td>8</td></tr>")},
    "a number in a data attribute": {"summary.html": page(more='<p data-value="13400"></p>')},
    "a number in a label": {"summary.html": page(more='<p aria-description="13,400"></p>')},
    "a number in a script": {"summary.html": page(more="<script>var car = 13400;</script>")},
    "a number in data for a script": {
        "summary.html": page(more='<script type="application/json">{"car": 13400}</script>')
    },
    "a program in an attribute": {"summary.html": page(more='<p onclick="show(13400)">x</p>')},
    "a link that runs": {"summary.html": page(more='<a href="javascript:alert(1)">x</a>')},
    "a link with a number": {
        "summary.html": page(more='<a href="https://example.org/?car=13400">x</a>')
    },
    "a number made by style": {
        "summary.html": page(head='<style>p:after{content:"CAR 13,400"}</style>')
    },
    "a picture loaded by style": {
        "summary.html": page(head="<style>p{background:url(//example.org/p.png)}</style>")
    },
    "a frame": {"summary.html": page(more='<iframe src="https://example.org"></iframe>')},
    "a picture that no figure is": {
        "summary.html": page(more='<svg><path d="M 0 0 L 13 400"/></svg>')
    },
    "help lines in a comment only": {
        "summary.html": page(words=WORDS.replace("0966-725-5961", "")).replace(
            b"</body>", b"<!-- 0966-725-5961 (Globe) --></body>"
        )
    },
    "a number in DOCX properties": {"summary.docx": docx(author="CAR 13,400")},
    "struck words in DOCX": {
        "summary.docx": docx(
            within="<w:p><w:del><w:r><w:delText>CAR 13,400</w:delText></w:r></w:del></w:p>"
        )
    },
    "a comment in DOCX": {
        "summary.docx": docx(
            media={
                "word/comments.xml": f"<w:comments {SPACE}><w:comment><w:p><w:r><w:t>CAR 13,400"
                "</w:t></w:r></w:p></w:comment></w:comments>"
            }
        )
    },
    "a chart in DOCX": {
        "summary.docx": docx(media={"word/charts/chart1.xml": "<c><v>13400</v></c>"})
    },
    "a variable in DOCX settings": {
        "summary.docx": docx(
            media={
                "word/settings.xml": f'<w:settings {SPACE}><w:docVar w:name="car" '
                'w:val="13400"/></w:settings>'
            }
        )
    },
    "custom data in DOCX": {"summary.docx": docx(media={"customXml/item1.xml": "<a>13400</a>"})},
    "a remote picture in DOCX": {
        "summary.docx": docx(
            media={
                "word/_rels/document.xml.rels": '<r><a TargetMode="External" Type="x/image" '
                'Target="https://example.org/p.png"/></r>'
            }
        )
    },
    "a picture of its own in DOCX": {
        "summary.docx": docx(media={"word/media/a.png": png("another")})
    },
    "a packed text in PNG": {
        "figures/regions.png": png(other=(b"zTXt", b"Comment\0\0" + zlib.compress(b"CAR 13,400")))
    },
    "an international text in PNG": {
        "figures/regions.png": png(other=(b"iTXt", b"Comment\0\0\0\0\0CAR 13,400"))
    },
    "a chunk of one's own in PNG": {"figures/regions.png": png(other=(b"caRd", b"secret"))},
    "a camera's data in PNG": {"figures/regions.png": png(other=(b"eXIf", b"MM"))},
    "a number beside an axis": {
        "figures/regions.svg": svg(ticks='<g id="xtick_4"><text>13,412</text></g>').encode()
    },
    "words beside an axis": {
        "figures/regions.svg": svg(
            ticks='<g id="ytick_1"><text>CAR: 13,412 children</text></g>'
        ).encode()
    },
    "a small count in a figure": {"figures/regions.svg": svg("CAR n=8").encode()},
    "a number in a figure's data attribute": {
        "figures/regions.svg": svg(attributes='data-n="13412"').encode()
    },
    "a number in a figure's description": {
        "figures/regions.svg": svg(more="<desc>CAR 13,412</desc>").encode()
    },
    "a number after an element": {"figures/regions.svg": svg(more="<g/>13,412").encode()},
    "a script in a figure": {"figures/regions.svg": svg(more="<script>1</script>").encode()},
    "drawn words that can't be read": {
        "figures/regions.svg": svg(more='<g id="text_9"><path d="M 0 0"/></g>').encode()
    },
    "a number as text in a table": {"figures/regions.csv": leaked_table(note=["", "", "13,400"])},
    "a number of another place in a table": {
        "figures/regions.csv": leaked_table(other=["", "", "431"])
    },
    "a small count in a table": {"figures/regions.csv": leaked_table(other=["", "", "8"])},
    "a heading with a number": {"figures/regions.csv": b"group,13412\nvictims,1\n"},
    "a number as a key": {"results.json": results(**{"car_13400": 1})},
    "a number of another place in results": {"results.json": results(n=3554)},
}


@pytest.mark.parametrize("leak", LEAKS)
def test_each_planted_leak_is_caught(leak, allowed):
    found = check_files(CLEAN | LEAKS[leak], allowed)
    assert found, leak
    assert set(LEAKS[leak]) <= {finding.file for finding in found}


def pdf(text, title="A report"):
    import typst

    source = f'#set document(title: "{title}", date: none)\n{text}'
    return typst.compile(source.encode())


def test_leaks_in_a_pdf_are_caught(allowed):
    name = "summary.pdf"
    own = replace(allowed, declared=[name])
    long = "0c750be51eaf822c1fa17076214af86084631042b390816d6f1ca92c3382b495"
    row = "471,000 402,000 to 552,000 431 431"  # columns of a table run together
    clean = f"{WORDS}\n\n#block(width: 3cm)[{long}]\n\n{row}"
    own = replace(own, texts=[*own.texts, long])
    assert check_files({name: pdf(clean)}, own) == []
    attached = f'#pdf.attach("a.csv", bytes("CAR,13400"))\n{clean}'
    assert check_files({name: pdf(attached)}, own)
    linked = f'#link("https://example.org/?car=13400")[x]\n{clean}'
    assert check_files({name: pdf(linked)}, own)
    spoken = f'#figure(rect(), alt: "CAR 13,400")\n{clean}'
    assert check_files({name: pdf(spoken)}, own)
    unseen = ("#place(dx: 90cm)[In CAR 13,400.]", "#text(white)[In CAR 13,400.]")
    for leak in (" In CAR 13,400.", " Ask 0917-555-0123.", " Only 4 respondents.", *unseen):
        assert check_files({name: pdf(clean + leak)}, own), leak
    assert check_files({name: pdf(f"{clean} ?var:x")}, own)
    assert check_files({name: pdf(clean, title="by someone\\u{40}example.org")}, own)
    assert check_files({name: pdf("SYNTHETIC DATA")}, own)
    assert check_files({name: b"%PDF-1.4 cut off"}, own)


SUM = {"estimator": "sum_of_region", "domain_type": "national", "domain": "national"}
NATION = {"group": "victims", "domain_type": "national", "domain": "national"}


def with_withheld(**changes):
    """The headline table with one more row that is withheld."""
    row = {**TABLE.iloc[2].to_dict(), "suppressed": "complementary", **changes}
    return withheld_cells({"scale_up": pd.concat([TABLE, pd.DataFrame([row])])}, "ratio_of_sums")


@pytest.mark.parametrize(
    ("row", "held"),
    [
        ({}, False),
        ({"unit": "persons"}, False),
        ({"estimator": "ratio_of_sums", "unit": "persons"}, False),
        ({"estimator": "sum_of_region", "unit": "persons"}, True),
        ({"estimator": "sum_of_region", "unit": "per_100"}, False),
        ({"estimator": "sum_of_region"}, True),
        ({"estimator": "sum_of_region", "unit": ""}, True),
        ({"estimator": "overdispersed", "unit": "persons"}, False),
    ],
)
def test_a_withheld_sum_withholds_no_other_row_of_its_cell(row, held):
    assert with_withheld(**SUM).holds(NATION | row) is held


@pytest.mark.parametrize("row", [{}, {"estimator": "other"}, {"estimator": "sum", "unit": "ratio"}])
def test_no_estimator_shows_a_cell_whose_headline_is_withheld(row):
    place = {"group": "victims", "domain_type": "region", "domain": "CAR"}
    assert withheld_cells({"scale_up": TABLE}, "ratio_of_sums").holds(place | row)
    assert not withheld_cells({}, "ratio_of_sums").holds(place | row)
    # Without a row of the headline, any row that is withheld withholds the cell.
    assert withheld_cells({"scale_up": TABLE}, "mean_of_ratios").holds(place | row)


def test_a_withheld_sum_stops_its_own_number_and_no_other(allowed):
    own = replace(allowed, withheld=with_withheld(**SUM))
    assert check_files(CLEAN, own) == []
    leak = csv(TABLE.assign(estimator="sum_of_region")).encode()
    found = check_files(CLEAN | {"figures/regions.csv": leak}, own)
    assert [(f.problem, f.found) for f in found if "withheld" in f.problem] == [
        ("A withheld cell has a number.", "1 rows")
    ]


def test_a_missing_file_is_told(allowed):
    files = {name: content for name, content in CLEAN.items() if name != "summary.html"}
    assert [f.problem for f in check_files(files, allowed)] == ["A declared file is missing."]


def test_the_message_names_file_and_place(allowed):
    found = check_files(CLEAN | LEAKS["a number in the prose"], allowed)
    with pytest.raises(PipelineError, match="may not be published") as caught:
        refuse(found, "staged")
    assert "summary.html (line 1)" in str(caught.value)
    assert "13,400" in str(caught.value)
    refuse([], "staged")


@pytest.mark.parametrize(
    ("leak", "said", "silent"),
    [
        ("a number in the prose", "Mend the text", "No text is at fault"),
        ("a withheld cell in results", "No text is at fault", "Mend the text"),
        ("a number of another place in results", "No text is at fault", "Mend the text"),
        ("a disallowed type", "Delete the file", "Mend the text"),
        ("a picture that is none", "Delete the file", "Mend the text"),
        ("a frame", "what is loaded, embedded or run there", "No text is at fault"),
        ("no help line", "survey's config under `report`", "Delete the file"),
    ],
)
def test_what_to_do_depends_on_what_is_at_fault(leak, said, silent, allowed):
    with pytest.raises(PipelineError) as caught:
        refuse(check_files(CLEAN | LEAKS[leak], allowed), "staged")
    assert said in caught.value.remedy
    assert silent not in caught.value.remedy
    assert "what was published before stays" in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("471,000", []),
        ("471,001", ["471,001"]),
        ("1 in 82", []),
        ("0.95", ["0.95"]),
        ("4.21\nand", ["4.21"]),
        ("1 m², 10³", []),
        ("2,000-471,000 or 3/17", ["2,000"]),
        ("471k and 52.4k", ["52.4k"]),
        ("half a million, twenty thousand", ["twenty thousand"]),
        ("doi 10.1371/journal.pone.0143406", []),
        ("2022-06-30 v1.2.3 ph2022 sha 12ab34", []),
        ("-52,000 and −66,000", []),
    ],
)
def test_numbers_are_read_as_they_are_printed(text, unknown):
    numbers = allowed_numbers({"scale_up": TABLE}, [])
    words = words_in(["ph2022", "half a million"])
    assert unknown_numbers(text, numbers, words=words) == unknown


def test_usual_forms_of_released_numbers_are_known():
    table = pd.DataFrame({"unit": ["per_100"], "estimate": [1.21], "share": [0.0442]})
    numbers = allowed_numbers({"t": table}, [])
    assert unknown_numbers("1.21 per 100, 4.42 per cent", numbers) == []
    assert unknown_numbers("1 in 82.6", numbers) == []
    assert unknown_numbers("1 in 83, or 1 in 137", numbers) == ["137"]


def test_how_many_specifications_there_are_may_be_said():
    table = pd.DataFrame(
        {
            **dict.fromkeys(CHOICES, "none"),
            "group": "victims",
            "estimator": [f"e{place}" for place in range(141)],
            "estimate": [np.nan, *[5.0] * 140],
        }
    )
    numbers = allowed_numbers({"specifications": table, "other": table[["top_code"]]}, [])
    assert unknown_numbers("140 of 141 combinations, not 142", numbers) == ["142"]


def test_how_many_specifications_have_no_number_may_be_said():
    """The same combination stands in several rows, and a model's rows are none."""
    combinations = [f"e{place}" for place in range(300)]
    table = pd.DataFrame(
        {
            **dict.fromkeys(CHOICES, "none"),
            "group": "victims",
            "estimator": [*combinations, *combinations, "overdispersed"],
            "estimate": [*[np.nan] * 120, *[5.0] * 180] * 2 + [5.0],
        }
    )
    numbers = allowed_numbers({"specifications": table}, [])
    assert unknown_numbers("180 of 300, 120 without, 301 with the model; 299", numbers) == ["299"]


def test_numbers_of_sections_are_no_decimals(allowed):
    heading = '<h2 data-number="12.3">12.3 The sample</h2><p>See Sections 12.3 and 4.1.</p>'
    assert check_files(CLEAN | {"summary.html": page(more=heading)}, allowed) == []
    other = heading.replace("See", "12.3 children; see")
    assert check_files(CLEAN | {"summary.html": page(more=other)}, allowed)


def test_ticks_of_a_picture_in_a_page_are_ticks():
    svg = '<svg><g id="ytick_1"><!-- 17.5 --></g><g id="text"><!-- 18.5 --></g></svg>'
    kinds = {piece.text.strip(): piece.kind for piece in pieces("a.html", svg.encode())}
    assert kinds == {"17.5": "tick", "18.5": "hidden"}


@pytest.mark.parametrize("key", ["content_note", "help_lines"])
def test_a_report_about_children_needs_its_words(key):
    report = {name: words for name, words in REPORT.items() if name != key}
    with pytest.raises(PipelineError, match=rf"report\.{key}"):
        required_texts({"synthetic": True}, report, IDENTITY, populations=["children", "adults"])
    required_texts({"synthetic": True}, report, IDENTITY, populations=["adults"])


def test_people_who_were_interviewed_need_an_ethics_approval():
    report = {name: words for name, words in REPORT.items() if name != "ethics"}
    with pytest.raises(PipelineError, match=r"report\.ethics"):
        required_texts({"synthetic": False}, report, IDENTITY)
    texts = required_texts({"synthetic": True}, report, IDENTITY, unstated="Not stated.")
    assert texts["ethics"] == "Not stated."


def test_a_help_line_is_no_part_of_a_longer_number():
    from prevalence.disclosure.gate import _without

    allowed = ["112", "116 111"]
    for text in ("1.0521124497", "1,112", "112.5", "0116 1112"):
        assert _without(text, allowed, broken=False) == text
    for broken in (False, True):
        assert _without("Call 112, or 116 111.", allowed, broken=broken) == "Call  , or  ."
