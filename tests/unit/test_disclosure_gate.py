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
from prevalence.errors import PipelineError
from prevalence.specifications import CHOICES

TABLE = pd.DataFrame(
    {
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
ROW = "<tr><td>CAR</td><td>suppressed (too few)</td><td>–</td></tr>"
PAGE = (
    '<html><head><style>p{width:123.4px}</style></head><body><p>{words}</p><img alt="A map" '
    'src="data:image/svg+xml;base64,{svg}"><p>An estimated 471,000 children (95% interval 402,000 '
    "to 552,000), 3,554 respondents.{more}</p><table>{row}</table>"
    '<a href="data:text/csv;base64,{csv}">data</a></body></html>'
)
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg"><!-- {comment} --><metadata>{metadata}</metadata>'
    '<g id="xtick_1"><text>137,000</text></g><text>{text}</text></svg>'
)


def coded(text):
    return base64.b64encode(text.encode()).decode()


def svg(text="471,000", comment="", metadata=""):
    return SVG.replace("{text}", text).replace("{comment}", comment).replace("{metadata}", metadata)


def page(words=WORDS, more="", row=ROW, picture=None, data=None):
    filled = PAGE
    for mark, text in {
        "{words}": words,
        "{more}": more,
        "{row}": row,
        "{svg}": coded(picture or svg()),
        "{csv}": coded(data or csv()),
    }.items():
        filled = filled.replace(mark, text)
    return filled.encode()


def csv(table=TABLE):
    return table.to_csv(index=False)


def results(**changes):
    row = {"group": "victims", "domain": "NCR", "estimate": 52_000, "n": 431, "suppressed": None}
    return json.dumps({"estimates": [row | changes]}).encode()


def docx(text=WORDS, author="", media=None):
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        body = f"<w:document {space}><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body>"
        archive.writestr("word/document.xml", body + "</w:document>")
        archive.writestr("docProps/core.xml", f"<core><creator>{author}</creator></core>")
        for name, content in (media or {}).items():
            archive.writestr(name, content)
    return out.getvalue()


def png(text=None, after=b""):
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
        withheld=withheld_cells(tables),
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
}


@pytest.mark.parametrize("leak", LEAKS)
def test_each_planted_leak_is_caught(leak, allowed):
    found = check_files(CLEAN | LEAKS[leak], allowed)
    assert found, leak
    assert {finding.file for finding in found} <= set(LEAKS[leak])


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
    for leak in (" In CAR 13,400.", " Ask 0917-555-0123.", " Only 4 respondents.", " ?var:x"):
        assert check_files({name: pdf(clean + leak)}, own), leak
    assert check_files({name: pdf(clean, title="by someone\\u{40}example.org")}, own)
    assert check_files({name: pdf("SYNTHETIC DATA")}, own)
    assert check_files({name: b"%PDF-1.4 cut off"}, own)


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
    ("text", "unknown"),
    [
        ("471,000", []),
        ("471,001", ["471,001"]),
        ("1 in 82", []),
        ("0.95", ["0.95"]),
        ("see section 4.1 and\n4.2.1 Title", []),
        ("4.21\nand", ["4.21"]),
        ("2022-06-30 v1.2.3 ph2022 sha 12ab34", []),
        ("-52,000 and −66,000", []),
    ],
)
def test_numbers_are_read_as_they_are_printed(text, unknown):
    numbers = allowed_numbers({"scale_up": TABLE}, [])
    assert unknown_numbers(text, numbers) == unknown


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


def test_ticks_of_a_picture_in_a_page_are_ticks():
    svg = '<svg><g id="ytick_1"><!-- 17.5 --></g><g id="text"><!-- 18.5 --></g></svg>'
    kinds = {piece.text.strip(): piece.kind for piece in pieces("a.html", svg.encode())}
    assert kinds == {"17.5": "tick", "18.5": "text"}
