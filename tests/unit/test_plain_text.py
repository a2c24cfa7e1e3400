import pytest

from prevalence.plain_text import active_content


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("=HYPERLINK(1)", "a formula"),
        (" =1+1", "a formula"),
        ("@SUM(A1)", "a formula"),
        ("+cmd|' /C calc'!A0", "a formula"),
        ("-cmd", "a formula"),
        ("<script>alert(1)</script>", "markup"),
        ("</td>", "markup"),
        ("<!-- x -->", "markup"),
        ("[click](javascript:alert(1))", "markup"),
        ("![x](http://example.org/x.png)", "markup"),
        ("{{< include secret >}}", "markup"),
        ("&lt;b&gt;", "markup"),
        ("bell\x07", "a control character"),
        ("line\nbreak", "a control character"),
        ("right\u202eto left", "a control character"),
    ],
)
def test_what_would_be_acted_on(text, kind):
    assert active_content(text) == kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Doctors known",
        "Region IV-A (CALABARZON)",
        "18–24",
        "-5",
        "+5",
        "+63",
        "- 3",
        "age < 18",
        "5 > 3",
        "[25,35)",
        "Research & development",
        "Parañaque",
        "100 %",
        "a = b",
        "people who inject drugs [sic]",
    ],
)
def test_plain_text(text):
    assert active_content(text) is None
