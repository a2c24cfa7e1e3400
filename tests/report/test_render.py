"""One source, three formats: the same words and numbers, nothing unresolved, the same bytes."""

import html
import io
import re
import zipfile

import pypdf
import pytest
from material_of import IDENTITY, ROOT, SVG, philippine_material, png, rwandan_material

from prevalence.disclosure.gate import Allowed, allowed_numbers, check_files
from prevalence.disclosure.numbers import Places
from prevalence.errors import PipelineError
from prevalence.files import read_yaml
from prevalence.fonts import copy_fonts
from prevalence.pdf import page_texts
from prevalence.report.compose import composed
from prevalence.report.normalise import docx_text, html_text, words
from prevalence.report.reference_document import reference_document
from prevalence.report.render_builtin import rendered
from prevalence.report.renderers import beside_python
from prevalence.report.variables import flattened

FOLDERS = ("sections", "style", "templates", "filters")


def source():
    root = ROOT / "reports"
    paths = [path for folder in FOLDERS for path in (root / folder).glob("*.*")]
    paths += [
        root / name for name in ("summary.qmd", "brief.qmd", "references.bib", "checklist.yml")
    ]
    return {path.relative_to(root).as_posix(): path.read_text() for path in paths}


def write_source(material, folder):
    files = composed(material, source(), read_yaml(ROOT / "reports" / "_quarto.yml"))
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    copy_fonts(folder / "fonts")
    (folder / "figures").mkdir()
    for name in material.figures:
        (folder / "figures" / f"{name}.svg").write_text(SVG)
        (folder / "figures" / f"{name}.png").write_bytes(png())
    label = "SYNTHETIC DATA" if material.synthetic else ""
    reference = reference_document(material.survey["title"], label, IDENTITY["identity"])
    (folder / "templates" / "reference.docx").write_bytes(reference)
    return folder


@pytest.fixture(scope="module", params=["philippine", "rwandan"])
def report(request, tmp_path_factory):
    material = philippine_material() if request.param == "philippine" else rwandan_material()
    folder = write_source(material, tmp_path_factory.mktemp("source") / request.param)
    return material, folder, {kind: rendered(folder, kind) for kind in ("html", "pdf", "docx")}


def page_words(content):
    pages = page_texts(content)
    contents = next(number for number, page in enumerate(pages) if "Contents" in page)
    return words(re.sub(r"-\n", "", "\n".join(pages[contents + 1 :])))


def test_page_and_word_say_the_same_word_by_word(report):
    _, _, made = report
    assert words(html_text(made["html"].decode())) == words(docx_text(made["docx"]))


# In the PDF's text a footnote's mark is glued to its first word, and formulas are letters.
GLUED = {"Round", "1Round", "do.1"}


def test_the_pdf_says_what_the_page_says(report):
    _, _, made = report
    in_html = set(words(html_text(made["html"].decode())))
    in_pdf = set(page_words(made["pdf"]))
    assert sorted(in_html - in_pdf - GLUED) == []
    letters = {
        word for word in in_pdf if any("\U0001d400" <= mark <= "\U0001d7ff" for mark in word)
    }
    assert sorted(in_pdf - in_html - GLUED - letters - {"Run", "SYNTHETIC", "DATA"}) == []


def test_headings_and_exhibits_are_numbered_alike(report):
    _, _, made = report
    page = made["html"].decode()
    captions = re.findall(r'caption-label">(\w+)\s(\d+)', page)
    pdf = "\n".join(page_texts(made["pdf"]))
    docx = docx_text(made["docx"])
    assert captions
    for kind, number in captions:
        assert re.search(rf"{kind}\s{number}:", pdf), (kind, number)
        assert re.search(rf"{kind} {number}: ", docx), (kind, number)


def test_rendering_again_gives_the_same_bytes(report, tmp_path):
    material, _, made = report
    folder = write_source(material, tmp_path / "again")
    for kind, content in made.items():
        assert rendered(folder, kind) == content, kind


def test_the_page_asks_nothing_of_another_host(report):
    _, _, made = report
    page = made["html"].decode()
    fetching = re.findall(r'(?:src|srcset|data|poster)="(?!data:)([^"]+)"', page)
    assert fetching == []
    assert not re.search(r"<link\b|@import|url\((?!#)", page)
    assert "<script" not in page


def test_every_page_says_that_data_are_synthetic(report):
    material, _, made = report
    pages = page_texts(made["pdf"])
    assert all(("SYNTHETIC DATA" in page) == material.synthetic for page in pages)
    assert ("SYNTHETIC DATA" in made["html"].decode()) == material.synthetic
    with zipfile.ZipFile(io.BytesIO(made["docx"])) as archive:
        headers = [archive.read(name) for name in archive.namelist() if "header" in name]
    assert headers
    assert all((b"SYNTHETIC DATA" in header) == material.synthetic for header in headers)


def test_the_pdf_is_tagged_and_titled(report):
    material, _, made = report
    reader = pypdf.PdfReader(io.BytesIO(made["pdf"]))
    assert reader.metadata.title == material.survey["title"]
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert reader.trailer["/Root"]["/Lang"] == "en"
    assert b"<pdfuaid:part>1</pdfuaid:part>" in reader.trailer["/Root"]["/Metadata"].get_data()


def test_the_brief_is_one_page(report):
    _, folder, _ = report
    pages = page_texts(rendered(folder, "pdf", "brief"))
    assert len(pages) == 1


def test_identifiers_on_the_page_are_unique(report):
    _, _, made = report
    found = re.findall(r'\bid="([^"]+)"', made["html"].decode())
    assert sorted({name for name in found if found.count(name) > 1}) == []


def test_every_number_in_the_text_has_an_address(report):
    _, folder, made = report
    assert unknown_numbers(folder, made["html"].decode()) == []


def unknown_numbers(folder, page):
    """Numbers of a page that stand neither in a variable nor in a partial."""
    tables = "\n".join(path.read_text() for path in (folder / "partials").glob("*.md"))
    variables = " ".join(flattened(read_yaml(folder / "_variables.yml")).values())
    project = read_yaml(folder / "_quarto.yml")
    known = set(words(" ".join([tables, variables, project["subtitle"], project["title"]])))
    page = re.sub(r'<span class="(?:header-section-number|equation-number)">.*?</span>', "", page)
    page = re.sub(r"<(math|sup)\b.*?</\1>", "", page, flags=re.S)
    page = re.sub(r'<div id="refs".*?</section>', "", page, flags=re.S)
    page = re.sub(r'<a href="#[^"]*"[^>]*>.*?</a>', "", page, flags=re.S)
    page = re.sub(r'<span class="caption-label">.*?</span>', "", page)
    page = re.sub(r'<span class="citation".*?</span>', "", page, flags=re.S)
    return sorted({word for word in words(html_text(page)) if re.match(r"\d", word)} - known)


def test_a_number_typed_into_the_prose_is_found(report, tmp_path):
    material, _, _ = report
    folder = write_source(material, tmp_path / "source")
    path = folder / "sections" / "limits.qmd"
    path.write_text(path.read_text() + "\nAbout 12,345 persons were missed.\n")
    assert unknown_numbers(folder, rendered(folder, "html").decode()) == ["12,345"]


def exhibits_shown(page):
    return set(re.findall(r'<span\s+class="caption-label">(\w+\s\d+):</span>', page))


def test_every_exhibit_is_in_the_exhibit_map(report):
    _, _, made = report
    page = made["html"].decode()
    table = page[page.index('id="tbl-exhibits"') :]
    table = table[: table.index("</table>")]
    mapped = set(re.findall(r"<td[^>]*><a[^>]*>(\w+\s\d+)</a></td>", table))
    assert exhibits_shown(page)
    assert exhibits_shown(page) == mapped


def test_every_row_of_the_exhibit_map_names_a_file_and_a_rule(report):
    _, folder, _ = report
    rows = (folder / "partials" / "tbl-exhibits.md").read_text().splitlines()
    cells = [row.split(" | ") for row in rows if row.startswith("| @")]
    for _, path, rule in cells:
        assert re.fullmatch(
            r"`(?:tables|figures|config|data|reports)/[\w./-]+`|`this report`", path
        )
        assert re.fullmatch(r"`\w+` \|", rule)


def test_every_figure_carries_its_text_alternative(report):
    """It states a number, and is the same in the page, in the PDF and in Word."""
    material, _, made = report
    page, docx = made["html"].decode(), zipped_part(made["docx"], "word/document.xml")
    alternatives = re.findall(r'role="img" aria-label="([^"]*)"', page)
    assert len(alternatives) == len(material.figures)
    for alternative in alternatives:
        assert re.search(r"\d", alternative)
        words_of = words(html.unescape(alternative))
        assert any(words(html.unescape(one)) == words_of for one in
                   re.findall(r'descr="([^"]*)"', docx)), alternative  # fmt: skip
    assert pdf_alternatives(made["pdf"]) >= len(material.figures)


def zipped_part(content, name):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(name).decode()


def pdf_alternatives(content):
    """How many figures of a tagged PDF have a text alternative with a number."""
    found, reader = 0, pypdf.PdfReader(io.BytesIO(content))
    for number in range(1, int(reader.trailer["/Size"])):
        item = reader.get_object(number)
        if isinstance(item, dict) and item.get("/S") == "/Figure":
            found += bool(re.search(r"\d", str(item.get("/Alt", ""))))
    return found


def test_the_contents_of_the_word_report_lead_to_its_headings(report):
    _, _, made = report
    document = zipped_part(made["docx"], "word/document.xml")
    anchors = re.findall(
        r'<w:pStyle w:val="TOC[12]"/></w:pPr><w:hyperlink w:anchor="([^"]+)"', document
    )
    headings = re.findall(r'<w:pStyle w:val="Heading[12]"', document)
    bookmarks = set(re.findall(r'w:bookmarkStart\b[^>]*w:name="([^"]+)"', document))
    assert len(anchors) == len(headings)
    assert set(anchors) <= bookmarks


def test_no_paragraph_of_the_word_report_holds_another(report):
    from xml.etree import ElementTree

    _, _, made = report
    space = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
    document = ElementTree.fromstring(zipped_part(made["docx"], "word/document.xml"))
    paragraphs = list(document.iter(f"{space}p"))
    assert paragraphs
    assert [one for one in paragraphs if next(iter(one.findall(f".//{space}p")), None)] == []


def test_the_styles_of_the_word_report_are_whole():
    """No style has two sets of properties, and none that the report writes with is lost."""
    from xml.etree import ElementTree

    styles = zipped_part(reference_document("Title", "", "0123456789ab"), "word/styles.xml")
    space = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
    found = ElementTree.fromstring(styles).findall(f"{space}style")
    names = {style.get(f"{space}styleId") for style in found}
    assert {"TOCHeading", "TOC1", "TOC2", "Hyperlink", "VerbatimChar", "HeadlineLabel"} <= names
    for style in found:
        for kind in ("rPr", "pPr"):
            assert len(style.findall(f"{space}{kind}")) <= 1, style.get(f"{space}styleId")
    table = next(style for style in found if style.get(f"{space}styleId") == "Table")
    assert table.find(f"{space}trPr/{space}cantSplit") is not None, "no row is parted by a page"


def test_the_translation_is_marked_as_one_that_awaits_review(report):
    material, _, files = report
    page = files["html"].decode()
    assert ('id="sec-translation-fil"' in page) == bool(material.translations)
    if not material.translations:
        return
    section = page[page.index('id="sec-translation-fil"') :]
    assert 'lang="fil"' in section
    assert "awaits review by a native speaker" in section
    assert "471,000 (95% na agwat: 400,350 hanggang 555,780)" in section


@pytest.mark.skipif(beside_python("quarto") is None, reason="quarto is not installed")
@pytest.mark.parametrize("make", [philippine_material, rwandan_material])
def test_quarto_writes_the_same_body(make, tmp_path):
    from prevalence.report.render_quarto import rendered as by_quarto

    folder = write_source(make(), tmp_path / "source")
    ours, theirs = rendered(folder, "docx"), by_quarto(folder, "docx")
    assert words(docx_text(ours)) == words(docx_text(theirs))


def test_suppressed_cells_are_shown_as_suppressed(report):
    material, _, files = report
    text = html_text(files["html"].decode())
    assert text.count("suppressed (too few)") == (4 if material.synthetic else 0)
    assert "nan" not in words(text.lower())


def test_a_survey_without_optional_inputs_has_no_empty_sections(report):
    material, _, files = report
    text = html_text(files["html"].decode())
    for optional in ("Synthetic", "Reporting to authorities", "Published", "child", "The sample"):
        assert (optional in text) == material.synthetic, optional
    assert ("Sex workers" in text) != material.synthetic


def test_a_missing_citation_is_an_error(tmp_path):
    folder = write_source(rwandan_material(), tmp_path / "source")
    path = folder / "sections" / "limits.qmd"
    path.write_text(path.read_text() + "\nAs was shown [@nobody1999].\n")
    with pytest.raises(PipelineError, match="pandoc could not render") as error:
        rendered(folder, "html")
    assert "nobody1999" in str(error.value)


def test_the_headline_stands_first_with_its_intervals(report):
    """After what the report speaks of, and before all that it has to say of itself."""
    material, _, made = report
    text = html_text(made["html"].decode())
    text = " ".join(text[: text.index("Before you read")].split())
    card = text.index("95% interval")
    if material.synthetic:
        assert text.index("made by a computer program") > card
    if material.report.get("content_note"):
        assert text.index(" ".join(material.report["content_note"].split())) < card


HALF = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="100pt" height="55pt" viewBox="0 0 100 55">'
    '<rect width="100" height="55" fill="#ff00aa"/></svg>'
)


def test_every_figure_stands_in_the_section_that_shows_it(tmp_path):
    """A picture that has to wait for room heads a later page, and no other section gets it."""
    material = philippine_material()
    folder = write_source(material, tmp_path / "source")
    for name in material.figures:
        (folder / "figures" / f"{name}.svg").write_text(HALF)
    page = rendered(folder, "html").decode()
    found = map(unspaced, re.findall(r"<h[12]\b.*?</h[12]>", page, re.S))
    headings = {heading for heading in found if heading[0].isdigit()}
    in_page = sections_of_figures(html_text(page).splitlines(), headings)
    in_pdf = sections_of_figures(read_downwards(rendered(folder, "pdf")), headings)
    assert len(in_page) == len(material.figures)
    assert in_pdf == in_page


def unspaced(text):
    return "".join(re.sub(r"<[^>]+>", "", text).split())


def sections_of_figures(lines, headings):
    """Each figure's section, by the headings and captions in their order."""
    section, found = "", {}
    for line in map(unspaced, lines):
        section = line if line in headings else section
        caption = re.match(r"(Figure\d+):", line)
        if caption:
            found[caption[1]] = section
    return found


def read_downwards(content):
    """Lines of a PDF as the eye meets them, whatever their order in the file."""
    import pypdfium2

    for page in pypdfium2.PdfDocument(content):
        words = page.get_textpage()
        boxes = [words.get_rect(number) for number in range(words.count_rects())]
        lines = []
        for box in sorted(boxes, key=lambda box: -box[1] - box[3]):
            middle = (box[1] + box[3]) / 2
            if not lines or lines[-1][0] - middle > 4:
                lines.append((middle, []))
            lines[-1][1].append(box)
        for _, parts in lines:
            yield "".join(words.get_text_bounded(*box) for box in sorted(parts))


TALL = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="100pt" height="400pt" viewBox="0 0 100 400">'
    '<rect width="100" height="20" fill="#ff00aa"/>'
    '<rect y="380" width="100" height="20" fill="#00aaff"/></svg>'
)


def test_a_tall_figure_is_whole_on_its_page(tmp_path):
    import pypdfium2

    material = philippine_material()
    folder = write_source(material, tmp_path / "source")
    name = next(iter(material.figures))
    (folder / "figures" / f"{name}.svg").write_text(TALL)
    ends = [set(), set()]
    for number, page in enumerate(pypdfium2.PdfDocument(rendered(folder, "pdf"))):
        pixels = page.render(scale=0.5, rev_byteorder=True).to_numpy()[:, :, :3]
        for place, colour in enumerate([(255, 0, 170), (0, 170, 255)]):
            if (abs(pixels.astype(int) - colour).max(axis=2) < 3).any():
                ends[place].add(number)
    assert len(ends[0]) == 1
    assert ends[0] == ends[1]
    (folder / "figures" / f"{name}.png").write_bytes(png(600, 2400))
    document = zipped_part(rendered(folder, "docx"), "word/document.xml")
    heights = [int(cy) / 360_000 for cy in re.findall(r'<wp:extent cx="\d+" cy="(\d+)"', document)]
    assert 15 < max(heights) < 22  # centimetres


def test_a_rate_below_a_hundred_whose_limit_is_above_passes_the_gate(tmp_path):
    material = philippine_material()
    table = material.tables["scale_up"].copy()
    row = (table["domain"] == "VII") & (table["unit"] == "per_1000")
    assert row.any()
    table.loc[row, ["estimate", "lower", "upper"]] = [96.5, 85.3, 109.0]
    material = philippine_material(tables={**material.tables, "scale_up": table})
    page = rendered(write_source(material, tmp_path / "source"), "html")
    assert (
        '>96.5</td> <td style="text-align: right;"><span class="limits">85.3 to 109<'
        in " ".join(page.decode().split())
    )
    tables = {"scale_up": table}
    allowed = Allowed(["summary.html"], allowed_numbers(tables, []), [], {}, places=Places(tables))
    problem = "A row shows a number that isn't released of its place."
    for content, told in ((page, False), (page.replace(b">96.5<", b">96<"), True)):
        found = [finding.problem for finding in check_files({"summary.html": content}, allowed)]
        assert (problem in found) is told
