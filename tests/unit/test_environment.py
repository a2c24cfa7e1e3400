"""The three descriptions of the environment say the same."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())
CONDA_NAMES = PROJECT["tool"]["prevalence"]["conda-names"]
CONDA_PYTHON = "3.12"


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


# Extras with a lock of their own, or none: nobody needs them to run the pipeline on one machine.
LOCKED_APART = {"cluster": "requirements-cluster.lock"}
NOT_LOCKED = {"kubernetes"}


def lock_lines(file: str = "requirements.lock") -> list[re.Match[str]]:
    text = (ROOT / file).read_text()
    return list(re.finditer(r"^([\w.-]+)==([^\s;\\]+)(?:\s*;\s*([^\\\n]+))?", text, re.M))


def locked(python: str) -> dict[str, str]:
    place = {"python_full_version": f"{python}.0", "sys_platform": "linux"}
    return {
        canonical(match[1]): match[2]
        for match in lock_lines()
        if match[3] is None or Marker(match[3].strip()).evaluate(place)
    }


def direct() -> list[Requirement]:
    project = PROJECT["project"]
    extras = project["optional-dependencies"]
    own = [extras[name] for name in extras.keys() - LOCKED_APART.keys() - NOT_LOCKED]
    return [Requirement(line) for lines in [project["dependencies"], *own] for line in lines]


def conda_versions() -> dict[str, str]:
    plain = [line for line in CONDA["dependencies"] if isinstance(line, str)]
    pip = next(line["pip"] for line in CONDA["dependencies"] if isinstance(line, dict))
    pairs = [re.split("=+", line) for line in plain + pip]
    return {canonical(pair[0]): pair[1] if len(pair) > 1 else "" for pair in pairs}


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_every_direct_dependency_is_locked_within_its_floor(python):
    versions = locked(python)
    for requirement in direct():
        if requirement.name == "quarto-cli":
            continue  # an optional extra: its wheel is built by a download
        assert requirement.specifier, f"{requirement.name} has no floor"
        assert requirement.specifier.contains(versions[canonical(requirement.name)])


@pytest.mark.parametrize(("extra", "file"), LOCKED_APART.items())
def test_an_extra_locked_apart_is_within_its_floor_and_adds_to_the_lock(extra, file):
    versions = {canonical(match[1]): match[2] for match in lock_lines(file)}
    wanted = [Requirement(line) for line in PROJECT["project"]["optional-dependencies"][extra]]
    assert wanted
    for requirement in wanted:
        assert requirement.specifier, f"{requirement.name} has no floor"
        assert requirement.specifier.contains(versions[canonical(requirement.name)])
    assert not versions.keys() & {canonical(match[1]) for match in lock_lines()}


@pytest.mark.parametrize("file", ["requirements.lock", *LOCKED_APART.values()])
def test_every_locked_line_has_hashes_and_no_registry(file):
    text = (ROOT / file).read_text()
    assert "://" not in text
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert len(blocks) == len(lock_lines(file))
    for block in blocks:
        assert "--hash=sha256:" in block


def test_conda_names_the_locked_versions():
    versions = locked(CONDA_PYTHON)
    conda = conda_versions()
    assert conda["python"] == CONDA_PYTHON
    for requirement in direct():
        name = canonical(requirement.name)
        there = CONDA_NAMES.get(name, name)
        there = name if there == "pip" else there
        if name == "quarto-cli":
            assert requirement.specifier.contains(f"{conda[there]}.0")
        else:
            assert conda[there] == versions[name], name


def test_conda_names_nothing_that_is_not_a_direct_dependency():
    expected = {CONDA_NAMES.get(canonical(r.name), canonical(r.name)) for r in direct()}
    expected |= {name for name, there in CONDA_NAMES.items() if there == "pip"}
    assert set(conda_versions()) - expected == {"python", "pandoc"}


def test_the_package_imports_nothing_on_its_own():
    import ast

    tree = ast.parse((ROOT / "src/prevalence/__init__.py").read_text())
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
