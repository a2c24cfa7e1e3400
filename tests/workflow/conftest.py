"""Projects with the tiny survey that a test may change."""

import os
import shutil

import pytest
from scratch_project import Project, copy_project


@pytest.fixture
def project(finished, tmp_path) -> Project:
    """A finished project of a test's own."""
    folder = tmp_path / "project"
    shutil.copytree(finished.folder, folder, symlinks=True)
    return Project(folder)


@pytest.fixture
def fresh(tmp_path) -> Project:
    """A project in which nothing has run yet."""
    return copy_project(tmp_path / "project")


os.environ.pop("SNAKEMAKE_PROFILE", None)
