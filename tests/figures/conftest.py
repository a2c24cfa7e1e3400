"""Every figure of two made-up surveys, drawn once."""

import importlib

import pytest
import released

from prevalence.figures.catalogue import FIGURES, section_figures
from prevalence.figures.drawing import drawn


def draw(survey, name, tables, words):
    section = next(s for s in FIGURES if name in section_figures(released.config(survey), s))
    return drawn(importlib.import_module(f"prevalence.figures.{section}"), name, tables, words)


def names(survey):
    settings = released.config(survey)
    return [name for section in FIGURES for name in section_figures(settings, section)]


EVERY = [(survey, name) for survey in released.SURVEYS for name in names(survey)]


@pytest.fixture(scope="session")
def tables():
    return {survey: released.tables(survey) for survey in released.SURVEYS}


@pytest.fixture(scope="session")
def words():
    return {survey: released.words(survey) for survey in released.SURVEYS}


@pytest.fixture(scope="session")
def drawings(tables, words):
    return {
        (survey, name): draw(survey, name, tables[survey], words[survey]) for survey, name in EVERY
    }


def pytest_generate_tests(metafunc):
    if "figure" in metafunc.fixturenames:
        metafunc.parametrize("figure", EVERY, ids=["-".join(pair) for pair in EVERY])
