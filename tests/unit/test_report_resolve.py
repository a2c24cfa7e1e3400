"""Includes, conditions, variables and references of the report's source."""

import pytest

from prevalence.errors import PipelineError
from prevalence.report.resolve import (
    check_rendered,
    checked_source,
    included,
    reachable,
    resolved,
)

NO_META: dict[str, object] = {}


def one(text, variables=None, metadata=None, target="html"):
    return resolved({"a.qmd": text}, "a.qmd", variables or {}, metadata or NO_META, target)


def test_includes_are_put_in_place_at_any_depth():
    files = {
        "a.qmd": "1\n{{< include /b/b.qmd >}}\n4",
        "b/b.qmd": "2\n{{< include /c.md >}}",
        "c.md": "3",
    }
    assert resolved(files, "a.qmd", {}, NO_META, "html") == "1\n2\n3\n4\n"
    assert reachable(files, "a.qmd") == ["a.qmd", "b/b.qmd", "c.md"]


def test_a_missing_include_is_told_with_file_and_line():
    with pytest.raises(PipelineError, match="included file is missing") as error:
        list(included({"a.qmd": "text\n{{< include /b.md >}}"}, "a.qmd"))
    assert error.value.file == "a.qmd"
    assert error.value.place == "line 2"


def test_an_include_of_itself_ends():
    files = {"a.qmd": "{{< include /b.md >}}", "b.md": "{{< include /a.qmd >}}"}
    with pytest.raises(PipelineError, match="includes itself"):
        list(included(files, "a.qmd"))


def test_variables_are_put_into_text_attributes_and_addresses():
    text = '[{{< var a.b >}}](https://x.org/{{<var a.b>}}){title="{{< var a.b >}}"}'
    assert one(text, {"a.b": "7"}) == '[7](https://x.org/7){title="7"}\n'


@pytest.mark.parametrize(
    ("name", "problem"),
    [("group.cont", "missing"), ("group", "group of values"), ("", "missing")],
)
def test_a_wrong_variable_is_told_with_file_and_line(name, problem):
    with pytest.raises(PipelineError, match=problem) as error:
        one(f"text\n\n{{{{< var {name} >}}}}", {"group.count": "7"})
    assert error.value.place == "line 3"


def test_a_misspelt_variable_gets_a_suggestion():
    with pytest.raises(PipelineError) as error:
        one("{{< var group.cont >}}", {"group.count": "7"})
    assert "group.count" in str(error.value)


def test_only_known_shortcodes_pass():
    with pytest.raises(PipelineError, match="not one of those"):
        one("{{< video x.mp4 >}}")
    with pytest.raises(PipelineError, match="not one of those"):
        one("text {{< include /a.md >}} text")


def test_conditions_on_metadata_and_format():
    text = """::: {.content-visible when-meta="has.x"}
shown
::: {.callout-note}
inner
:::
:::
::: {.content-hidden when-format="docx"}
not in word
:::
::: {.content-visible unless-meta="has.x"}
never
:::"""
    html = one(text, metadata={"has": {"x": True}}).split()
    assert html == ["shown", ":::", "{.callout-note}", "inner", ":::", "not", "in", "word"]
    assert "not in word" not in one(text, metadata={"has": {"x": True}}, target="docx")
    assert one(text, metadata={"has": {"x": False}}).split() == ["not", "in", "word", "never"]


def test_hidden_variables_need_not_exist():
    text = '::: {.content-visible when-meta="x"}\n{{< var none >}}\n:::'
    assert one(text).strip() == ""


@pytest.mark.parametrize("text", ["::: {.callout-note}\ntext", "text\n:::"])
def test_unbalanced_blocks_are_refused(text):
    with pytest.raises(PipelineError, match=r"left open|not opened"):
        one(text)


def check(text):
    checked_source({"a.qmd": text}, "a.qmd", {}, NO_META)


def test_references_lead_somewhere():
    check("# A {#sec-a}\n\nSee @sec-a and [@sec-a; @killworth1998], a@fig-b.org.")
    with pytest.raises(PipelineError, match="leads nowhere") as error:
        check("# A {#sec-a}\n\nSee @sec-b.")
    assert error.value.place == "line 3"


def test_a_label_stands_once():
    with pytest.raises(PipelineError, match="one name"):
        check("# A {#sec-a}\n\n# B {#sec-a}")


def test_a_reference_into_a_block_of_one_format_is_refused():
    block = '::: {.content-visible when-format="html"}\n# A {#sec-a}\n:::\n\nSee @sec-a.'
    with pytest.raises(PipelineError, match="leads nowhere"):
        check(block)


@pytest.mark.parametrize(
    "left", ["?var:groups.x", "?meta:y", "?@fig-x", "@tbl-gone", "{{< var x >}}", "aa7B7B3Cbb"]
)
def test_what_was_left_unresolved_is_found(left):
    with pytest.raises(PipelineError, match="left unresolved"):
        check_rendered(f"text {left} text", "summary.html")


def test_ordinary_text_passes():
    check_rendered("What is it? @ 5% (Feehan and Salganik 2016), see Figure 1; why?", "x.html")
