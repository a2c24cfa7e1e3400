"""The one writer of the report's variables."""

import subprocess

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from prevalence.errors import PipelineError
from prevalence.report.renderers import pandoc_program
from prevalence.report.variables import escaped, flattened, variables_text


def test_leaves_come_back_as_written():
    tree = {"b": {"two": "1.20", "one": "no"}, "a": "yes: [x] # y"}
    read = yaml.safe_load(variables_text(tree))
    assert flattened(read) == {"a": "yes: \\[x\\] \\# y", "b.one": "no", "b.two": "1.20"}


@pytest.mark.parametrize("leaf", ["", "  ", None, 1.2, {}, ["x"]])
def test_a_leaf_is_a_text(leaf):
    with pytest.raises(PipelineError, match="has no text") as error:
        variables_text({"group": {"count": leaf}})
    assert error.value.place == "group.count"


@pytest.mark.parametrize("key", ["1", "A", "a-b", "a b", "_a", ""])
def test_a_key_is_a_word(key):
    with pytest.raises(PipelineError, match="name cannot be used"):
        variables_text({key: "x"})


def test_marks_of_markdown_and_html_are_escaped():
    assert escaped("<b> & *x* _y_ [z] @a $1 ~2^") == (
        "&lt;b&gt; &amp; \\*x\\* \\_y\\_ \\[z\\] \\@a \\$1 \\~2\\^"
    )


PRINTABLE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)


@settings(max_examples=25, deadline=None)
@given(PRINTABLE)
def test_any_text_reads_the_same_after_rendering(text):
    done = subprocess.run(
        [pandoc_program(), "--from=markdown", "--to=plain", "--wrap=none"],
        input=f"begin{escaped(text)}end".encode(),
        capture_output=True,
        check=True,
    )
    straight = done.stdout.decode().strip()
    for curly, plain in {"“": '"', "”": '"', "‘": "'", "’": "'"}.items():
        straight = straight.replace(curly, plain)
    straight = straight.replace("–", "--").replace("—", "---").replace("…", "...")
    assert straight == f"begin{text}end"
