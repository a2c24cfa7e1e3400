"""Avoided words are found with inflections; contexts and waivers hold; the repository passes."""

import re
import subprocess
from pathlib import Path

import pytest

from prevalence.config import check_config
from prevalence.errors import PipelineError
from prevalence.files import read_yaml
from prevalence.terminology import Terminology

ROOT = Path(__file__).parents[2]
CONFIG = read_yaml(ROOT / "config" / "terminology.yaml")
WORDS = Terminology.from_config(CONFIG)
TEXTS = {".py", ".md", ".qmd", ".yaml", ".yml", ".smk", ".csv", ".toml", ".cff", ".bib", ".lua"}
TEXTS |= {
    ".css",
    ".html",
    ".typ",
    ".json",
    ".txt",
    ".rst",
    ".lock",
    ".svg",
    ".csl",
    ".stan",
    ".R",
    "",
}
REPORT = ("reports/", "config/surveys/", "config/published_findings.yaml", "README.md")


def test_the_list_follows_its_schema():
    check_config(CONFIG, read_yaml(ROOT / "workflow/schemas/terminology.yaml"), "terminology.yaml")


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("child pornography", "child_pornography"),
        ("Child-Porn", "child_pornography"),
        ("children's\npornographic", "child_pornography"),
        ("kiddie porn", "child_pornography"),
        ("pornography involving minors", "child_pornography"),
        ("child prostitutes", "child_prostitution"),
        ("underage sex workers", "child_prostitution"),
        ("child sex tourist", "child_sex_tourism"),
        ("cyber-sex den", "cybersex"),
        ("cybersex", "cybersex"),
        ("minor-attracted", "child_lover"),
        ("had sex with a child", "sex_with_child"),
        ("clients of children", "customer"),
        ("child sex ring", "child_abuser_rings"),
        ("prostitutes", "prostitute"),
        ("drug addicts", "drug_abuser"),
        ("homosexuals", "homosexuals"),
        ("paedophilic", "paedophile"),
        ("child brides", "child_bride"),
        ("childporn", "child_pornography"),
        ("child_pornography", "child_pornography"),
        ("child\u00a0por\u00adno\u200bgraphy", "child_pornography"),
        ("child\u2011pornography", "child_pornography"),
        ("\uff43hild pornography", "child_pornography"),
    ],
)
def test_inflections_are_found(text, term):
    found = WORDS.breaches(f"first line\n{text} and so on", "docs/page.md")
    assert term in [breach.term for breach in found]
    assert found[0].line == 2


@pytest.mark.parametrize(
    "text",
    [
        "child sexual exploitation material (CSEM)",
        "children trafficked to produce CSEM, livestreamed or not",
        "clients of female sex workers",
        "perpetrators, survivors and their children",
        "sexual exploitation of children in travel and tourism",
        "cybersecurity and a sex ratio",
    ],
)
def test_preferred_words_pass(text):
    assert WORDS.breaches(text, "docs/page.md", report=True) == []


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("an estimated number of cases", "estimated_cases"),
        ("the incidence in 2022", "incidence"),
        ("the hardest-hit region", "ranking"),
        ("a detection rate of", "detection_rate"),
        ("471,416.3 children", "false_precision"),
        ("proves that nearly half", "proof"),
    ],
)
def test_statistical_wording_is_checked_in_the_report_only(text, term):
    assert [b.term for b in WORDS.breaches(text, "reports/summary.qmd", report=True)] == [term]
    assert WORDS.breaches(text, "src/prevalence/ratio.py") == []


def test_an_allowed_context_lets_a_word_stand():
    assert WORDS.breaches("Prevalence is not incidence.", "reports/a.qmd", report=True) == []


@pytest.mark.parametrize(
    ("paragraph", "terms"),
    [
        ("An estimated 471,000 children were trafficked.", ["estimate_without_interval"]),
        ("An estimated 471,000 children (95% interval 402,000 to 552,000).", []),
        ("Some 471,000 children were trafficked.", ["count_without_interval"]),
        ("471,000 children were trafficked (95% interval 402,000 to 552,000).", []),
        ("per 1,000 adults are", []),
        ("A rate of 1.2 was found.", ["rate_without_denominator"]),
        ("A rate of 1.2 per 100 children.", []),
    ],
)
def test_estimates_stand_with_intervals_and_rates_with_denominators(paragraph, terms):
    assert [b.term for b in WORDS.lone_sentences([paragraph], "summary.html")] == terms


def test_a_waiver_holds_for_its_text_and_file_only():
    waiver = {
        "file": "docs/law.md",
        "term": "child_pornography",
        "text": "Act on Child Pornography",
        "reason": "title of a law",
    }
    words = Terminology.from_config(CONFIG | {"waivers": [waiver]})
    title = "the Act on Child Pornography of 2009"
    assert words.breaches(title, "docs/law.md") == []
    assert words.breaches(title, "docs/other.md")
    assert words.breaches("child pornography", "docs/law.md")


def test_the_message_says_where_what_and_why():
    message = str(WORDS.breaches("child pornography", "docs/page.md")[0])
    assert message.startswith(
        "docs/page.md:1: 'child pornography': write 'child sexual exploitation"
    )
    assert "evidence of a crime" in message


def test_a_word_broken_at_the_end_of_a_line_is_found():
    found = WORDS.breaches("a page on child porno-\ngraphy and a well-\nknown word", "summary.pdf")
    assert [(b.term, b.found) for b in found] == [
        ("child_pornography", "child porno"),
        ("child_pornography", "child pornography"),
    ]


def test_avoid_stops_and_caution_advises():
    stops = {b.term: b.stops for b in WORDS.breaches("child pornography by a paedophile", "a.md")}
    assert stops == {"child_pornography": True, "paedophile": False}
    lone = WORDS.lone_sentences(["An estimated 471,000 children were trafficked."], "a.html")
    assert [b.stops for b in lone] == [True]


def test_a_broken_pattern_is_told():
    term = CONFIG["terms"][0] | {"pattern": "("}
    with pytest.raises(PipelineError, match="not a regular expression"):
        Terminology.from_config(CONFIG | {"terms": [term]})


# Long numbers and hashes, most of what data files hold: no word is made of them.
NUMBERS = re.compile(r"\b[0-9a-f]{12,}\b|[-+.,\d]{4,}")
DATA = {".csv", ".json", ".lock", ".svg"}
LEFT_OUT = {"processed", "node_modules", "__pycache__", "logs", "wheelhouse"}


def repository_files():
    """What git lists, untracked files too; without git every file that isn't made by a run."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return listed.stdout.splitlines()
    parts = (path.relative_to(ROOT) for path in sorted(ROOT.rglob("*")) if path.is_file())
    return [
        path.as_posix()
        for path in parts
        if not any(part.startswith(".") or part in LEFT_OUT for part in path.parts)
    ]


def repository_texts():
    for name in repository_files():
        path = ROOT / name
        if path.suffix in TEXTS and path.is_file() and path.stat().st_size < 2_000_000:
            text = path.read_text(encoding="utf-8", errors="replace")
            yield name, NUMBERS.sub("#", text) if path.suffix in DATA else text


def test_names_of_files_pass():
    names = [name for name in repository_files() if not name.startswith("config/terminology")]
    assert [str(b) for name in names for b in WORDS.breaches(name, name)] == []


def test_messages_of_commits_pass():
    command = ["git", "log", "--format=%s%n%b"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert [str(b) for b in WORDS.breaches(told.stdout, "commit messages")] == []


def test_the_whole_repository_passes():
    found = [
        str(breach)
        for name, text in repository_texts()
        for breach in WORDS.breaches(text, name, report=name.startswith(REPORT))
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "Child&nbsp;Pornography",
        "child&#8209;porn",
        "pornographic material involving children",
        "prostituted children",
        "a cyber sex den",
        "WCST",
        "consensual sex with a minor",
        "sex with children",
        "revenge porn",
        "voluntary self-exploitation",
        "jailbait",
        "promiscuous girls",
    ],
)
def test_further_terms_of_the_guidelines_are_found(text):
    words = Terminology.from_config(read_yaml("config/terminology.yaml"))
    assert [b for b in words.breaches(text, "a.md") if b.stops], text


@pytest.mark.parametrize("text", ["non-consensual sharing of images of a child", "cybersexual"])
def test_words_that_only_look_alike_pass(text):
    words = Terminology.from_config(read_yaml("config/terminology.yaml"))
    assert not words.breaches(text, "a.md")
