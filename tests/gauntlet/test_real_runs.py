"""Bad input in whole runs: the exit code, the terminal, and what lies on the disk afterwards.

Each case changes one file of a survey whose run was complete, and runs the rule that meets it. The
cases that need no job take a second or two; the others are slow.
"""

import os
import re
import shutil
import sys

import pytest
from own_project import shell
from scratch_project import Project

STARTS_RUNS = True
CONFIG, BOOK = "config/surveys/pilot.yaml", "config/codebooks/pilot.csv"
RAW, MADE = "data/raw/pilot", "data/processed/pilot"
RESPONSES = f"{MADE}/restricted/ingest/responses.parquet"
KNOWN = f"{MADE}/restricted/ingest/tables/known_groups.csv"
WEIGHTS = f"{MADE}/restricted/weight/weights.parquet"
SCALE_UP = f"{MADE}/restricted/estimate/scale_up.csv"
RELEASED = f"{MADE}/release/scale_up.csv"
DECLARE = f'{sys.executable} scripts/ingest/write_manifest.py --survey pilot --reason "a test"'
slow = pytest.mark.slow

# name: file, what is replaced, by what, the target, what the terminal says
CASES = {
    "unknown_key": (
        *(CONFIG, "lone_psu: error", "lone_pus: error"),
        *("pilot", "Did you mean 'lone_psu'"),
    ),
    "key_twice": (
        *(CONFIG, "  year: 2022", "  year: 2022\n  year: 2023"),
        *("pilot", "stands twice"),
    ),
    "open_decision": (
        *(CONFIG, "title: A pilot survey", 'title: "DECIDE: x"'),
        *("pilot", "open decisions"),
    ),
    "misspelt_estimator": (
        *(CONFIG, "estimator: ratio_of_sums", "estimator: ratio_of_sum"),
        *("pilot", "'ratio_of_sums'"),
    ),
    "run_config": ("config/config.yaml", "seed:", "sead:", "pilot", "'seed'"),
    "run_config_not_yaml": (
        *("config/config.yaml", "surveys: [", "surveys: [["),
        *("pilot", "not valid YAML"),
    ),
    "raw_file_absent": (
        *(CONFIG, "known_groups.csv", "known.csv"),
        *("pilot", "Raw files of a survey are missing"),
    ),
    "manifest_mismatch": (
        *(f"{RAW}/known_groups.csv", "95039", "95038"),
        *(KNOWN, "not the one that the manifest declares"),
    ),
    "known_group_of_size_0": (
        *(f"{RAW}/known_groups.csv", "95039", "0"),
        *(KNOWN, "isn't above 0"),
    ),
    "missing_column": (
        *(BOOK, "Q6a_1,", "Q6a_99,"),
        *(RESPONSES, "missing from the survey export"),
    ),
    "unknown_code": (
        *(BOOK, "1=male;2=female", "1=male;3=female"),
        *(RESPONSES, "codes that the codebook doesn't list"),
    ),
    "stratum_not_in_frame": (
        *(CONFIG, "stratum: stratum", "stratum: psu"),
        *(WEIGHTS, "stratum"),
    ),
    "unknown_known_group": (
        *(CONFIG, "known_groups: [doctors", "known_groups: [astronauts"),
        *(SCALE_UP, "astronauts"),
    ),
    "policy_key": (
        *("config/disclosure.yaml", "minimum", "minimun"),
        *(RELEASED, "config/disclosure.yaml"),
    ),
}
WITHOUT_JOBS = ("pilot",)


def copied(own_project, tmp_path):
    folder = tmp_path / "project"
    shutil.copytree(own_project[0], folder, symlinks=True)
    return folder


def contents(folder):
    """Everything that runs have made, logs and their record of jobs aside."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for top in (MADE, "reports/pilot")
        for path in sorted((folder / top).rglob("*"))
        if path.is_file()
    }


def cases():
    for name, (*_, target, _said) in CASES.items():
        yield pytest.param(name, id=name, marks=() if target in WITHOUT_JOBS else slow)


@pytest.mark.parametrize("name", list(cases()))
def test_a_run_ends_in_a_message_and_leaves_nothing_half_done(name, own_project, tmp_path):
    file, old, new, target, said = CASES[name]
    folder = copied(own_project, tmp_path)
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    if file.startswith(RAW) and name != "manifest_mismatch":
        assert shell(folder, DECLARE).returncode == 0
    before = contents(folder)
    key = {"PILOT_KEY": "a-key-that-is-long-enough-for-a-test"}
    done = Project(folder).snakemake(target, env=os.environ | key)
    said_all = done.stdout + done.stderr
    assert done.returncode != 0, said_all[-3000:]
    assert said in said_all, said_all[-3000:]
    assert "do this:" in said_all
    assert "Traceback" not in said_all
    assert not re.search(r'^  File "', said_all, re.M), said_all[-3000:]
    after = contents(folder)
    assert not [name for name in after if ".partial" in name]
    changed = [path for path in after if after[path] != before.get(path)]
    if target in WITHOUT_JOBS:
        assert after == before
    else:
        assert target not in changed, "the step that failed left an output"


HOSTILE = {
    "title": "Pilot *a* _b_ `#panic(1)`{=typst} $x^2$ #import @x \\input{y} ~~s~~ | p ^n^",
    "country": "the #emph(x) $y$ isles",
    "label": "people who *x* `#panic(2)`{=typst} #set page() $\\frac{1$ @cite",
    "heading": "Adults # h ::: {.c} *y*",
    "value": "male $x_1$ #lorem(9) *z* `#panic(3)`{=typst}",
    "group": "doctors $q_2$ #panic(4) *w* \\badcommand",
}


@pytest.fixture(scope="module")
def hostile(own_project, tmp_path_factory):
    """The survey with texts that would be code for a renderer, rendered in every format."""
    folder = copied(own_project, tmp_path_factory.mktemp("hostile"))
    changes = {
        CONFIG: {
            "title: A pilot survey": f"title: '{HOSTILE['title']}'",
            "country: the Philippines": f"country: '{HOSTILE['country']}'",
            "label: adults who trafficked children to produce CSEM": f"label: '{HOSTILE['label']}'",
            "heading: Adults": f"heading: '{HOSTILE['heading']}'",
        },
        BOOK: {"1=male;": f"1={HOSTILE['value'].replace('=', '-')};"},
        f"{RAW}/known_groups.csv": {"doctors,doctors,": f"doctors,{HOSTILE['group']},"},
    }
    for file, texts in changes.items():
        text = (folder / file).read_text(encoding="utf-8")
        for old, new in texts.items():
            assert old in text
            text = text.replace(old, new)
        (folder / file).write_text(text, encoding="utf-8")
    staged = [f"{MADE}/staged/summary.{suffix}" for suffix in ("html", "pdf", "docx")]
    key = "PILOT_KEY=a-key-that-is-long-enough-for-a-test"
    done = shell(folder, f"{DECLARE} && {key} .venv/bin/snakemake {' '.join(staged)}")
    assert done.returncode == 0, done.stderr[-4000:]
    return folder / MADE / "staged", own_project[0] / MADE / "staged"


def test_texts_that_look_like_code_are_text_in_html(hostile):
    from html.parser import HTMLParser

    class Reader(HTMLParser):
        def __init__(self):
            super().__init__()
            self.tags, self.links, self.handlers, self.text = [], [], [], []

        def handle_starttag(self, tag, attributes):
            self.tags.append(tag)
            self.links += [v for n, v in attributes if n in ("href", "src") and v]
            self.handlers += [n for n, _ in attributes if n.startswith("on")]

        def handle_data(self, data):
            self.text.append(data)

    pages = []
    for folder in hostile:
        reader = Reader()
        reader.feed((folder / "summary.html").read_text(encoding="utf-8"))
        pages.append(reader)
    spoilt, clean = pages
    text = " ".join(" ".join(spoilt.text).split())
    for name in ("title", "label", "heading", "group"):
        assert HOSTILE[name].lower() in text.lower(), name  # as it is, or with a capital
    for tag in ("script", "iframe", "object", "embed", "form", "math", "em", "del", "sup"):
        assert spoilt.tags.count(tag) == clean.tags.count(tag), tag
    assert spoilt.handlers == clean.handlers
    outside = {link for link in spoilt.links if not link.startswith(("#", "data:"))}
    assert outside <= set(clean.links)


def test_texts_that_look_like_code_are_text_in_docx_and_pdf(hostile):
    import zipfile

    import pypdf

    spoilt, clean = hostile
    with zipfile.ZipFile(spoilt / "summary.docx") as archive:
        body = archive.read("word/document.xml").decode()
        links = archive.read("word/_rels/document.xml.rels").decode()
    with zipfile.ZipFile(clean / "summary.docx") as archive:
        clean_links = archive.read("word/_rels/document.xml.rels").decode()
    assert links.count('TargetMode="External"') == clean_links.count('TargetMode="External"')
    text = re.sub(r"<[^>]+>", "", body).replace("&amp;", "&")
    assert "#panic(1)" in text
    assert "$\\frac{1$" in text
    reader = pypdf.PdfReader(spoilt / "summary.pdf")
    pages = "".join(page.extract_text() for page in reader.pages)
    assert "#panic(2)" in re.sub(r"\s", "", pages)
    content = (spoilt / "summary.pdf").read_bytes()
    for active in (b"/JavaScript", b"/Launch", b"/OpenAction", b"/EmbeddedFile"):
        assert content.count(active) == (clean / "summary.pdf").read_bytes().count(active)
