"""Which renderer is used."""

import sys
from pathlib import Path

import pytest

from prevalence.errors import PipelineError
from prevalence.report import renderers


def program(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text("#!/bin/sh\necho 1.9.37\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with an environment and a path of its own, and without Quarto."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    return tmp_path


def test_without_quarto_the_builtin_renderer_is_taken(machine):
    assert renderers.resolved_renderer("auto") == "builtin"
    with pytest.raises(PipelineError, match="not installed") as error:
        renderers.resolved_renderer("quarto")
    assert error.value.place == "renderer"


def test_quarto_is_looked_for_beside_python_first(machine):
    on_path = program(machine / "path", "quarto")
    assert renderers.beside_python("quarto") == str(on_path)
    beside = program(machine / "bin", "quarto")
    assert renderers.beside_python("quarto") == str(beside)
    assert renderers.resolved_renderer("auto") == "quarto"
    assert renderers.resolved_renderer("builtin") == "builtin"
    assert renderers.renderer_identity("auto") == "quarto 1.9.37"


def test_an_unknown_renderer_is_refused():
    with pytest.raises(PipelineError, match="unknown"):
        renderers.resolved_renderer("latex")


def test_the_builtin_renderer_names_its_versions():
    assert renderers.renderer_identity("builtin").startswith("builtin (pandoc 3.")
