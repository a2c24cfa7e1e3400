"""The PDF's template sets what Quarto's Typst writer gives it: its own floats, boxed images.

Quarto isn't here in most places; what it writes around the body is short, and stands here in full.
"""

import typst
from material_of import ROOT, SVG

from prevalence.fonts import font_files
from prevalence.pdf import page_texts

# What Quarto puts before the template: numbering, a rule for figures, the page.
BEFORE = """
#let equation-numbering = "(1)"
#show figure: it => it
"""
PAGE = '#set page(paper: "a4", margin: (x: 1.25in, y: 1.25in), numbering: "1", columns: 1)\n'
BODY = """
#heading(level: 1, numbering: none)[Before you read] <sec-notice>
= Headline <sec-headline>
#headline(
[
#big[465,000] \\ #what[children]

],
)
#figure([
#box(image("figures/headline.svg", alt: "Finding 1"))
], caption: figure.caption(position: bottom, [A picture]),
kind: "quarto-float-fig", supplement: "Figure") <fig-headline>
#figure([
#table(columns: (50%, 50%), align: (left, right), table.header([Place], [Count]), table.hline(),
[Luzon], [300,000])
], caption: figure.caption(position: top, [A table]),
kind: "quarto-float-tbl", supplement: "Table") <tbl-headline>
#table-note[A note]
#math.equation(block: true, numbering: "(1)", [ $ x $ ])<eq-degree>
See #ref(<fig-headline>, supplement: [Figure]), #ref(<tbl-headline>, supplement: [Table]),
#ref(<sec-headline>, supplement: [Section]) and #ref(<eq-degree>, supplement: [Equation]).
"""
MARKS = {
    "$title$": "A title",
    "$subtitle$": "A subtitle",
    "$pagetitle$": "A title",
    "$lang$": "en",
    "$notice-label$": "SYNTHETIC DATA",
    "$notice-text$": "A notice",
    "$run-identity$": "0123456789ab",
    "$renderer$": "quarto 1.9",
}


def show_rule():
    """The partial that calls the template, as pandoc fills it in."""
    text = (ROOT / "reports/templates/typst-show.typ").read_text()
    text = text.replace("$if(brief)$\n  brief: true,\n$endif$\n", "")
    lines = [line for line in text.splitlines() if not line.startswith(("$if", "$endif"))]
    text = "\n".join(lines)
    for mark, value in MARKS.items():
        text = text.replace(mark, value)
    assert "$" not in text
    return text


def test_the_template_sets_what_quarto_writes(tmp_path):
    template = (ROOT / "reports/templates/typst-template.typ").read_text()
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "headline.svg").write_text(SVG)
    (tmp_path / "main.typ").write_text(BEFORE + template + PAGE + show_rule() + BODY)
    content = typst.compile(
        str(tmp_path / "main.typ"),
        root=str(tmp_path),
        font_paths=[str(font_files()[0].parent)],
        ignore_system_fonts=True,
    )
    cover, body, *more = page_texts(content)
    assert not more
    for words in ("465,000", "children", "A notice", "SYNTHETIC DATA"):
        assert words in cover
    text = " ".join(body.split())
    assert "Contents Before you read" in text
    for words in ("Figure 1: A picture", "Table 1: A table", "A note", "1 / 1"):
        assert words in text
    assert "See Figure 1, Table 1, Section 1 and Equation 1." in text
