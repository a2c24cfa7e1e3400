import pytest

from prevalence.errors import PipelineError
from prevalence.manifest import parse_manifest, verify_file

DIGEST = "a" * 64


def test_lines_as_sha256sum_writes_them():
    text = f"# comment\n\n{DIGEST}  a file.csv\n{DIGEST} *b.sav\n"
    assert parse_manifest(text, "MANIFEST") == {"a file.csv": DIGEST, "b.sav": DIGEST}


@pytest.mark.parametrize("line", [f"{DIGEST}", f"{'A' * 64}  a.csv", f"{DIGEST} a.csv", "x"])
def test_a_malformed_line_is_told_with_its_number(line):
    with pytest.raises(PipelineError, match="line 2"):
        parse_manifest(f"{DIGEST}  fine.csv\n{line}\n", "MANIFEST")


def test_an_absent_file(tmp_path):
    with pytest.raises(PipelineError, match="A raw file is missing"):
        verify_file(tmp_path / "a.csv", tmp_path, {"a.csv": DIGEST})


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(PipelineError, match="A raw file is missing"):
        verify_file(tmp_path / "a.csv", tmp_path, {"a.csv": DIGEST})
