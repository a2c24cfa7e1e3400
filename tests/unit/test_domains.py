import numpy as np
import pandas as pd
import pytest

from prevalence.domains import Domain, Populations, domains_of, parents_of
from prevalence.errors import PipelineError

RESPONDENTS = pd.DataFrame(
    {
        "region": ["I", "I", "VI", "IX", "NCR"],
        "island_group": ["Luzon", "Luzon", "Visayas", "Mindanao", "Luzon"],
        "sex": ["female", "male", "female", "male", "male"],
    }
)
SETTINGS = [
    {"type": "island_group", "variable": "island_group", "kind": "geographic"},
    {"type": "region", "variable": "region", "kind": "geographic"},
    {"type": "sex", "variable": "sex", "kind": "respondent"},
]
TABLE = pd.DataFrame(
    {
        "domain_type": ["national", "region"],
        "domain": ["national", "I"],
        "all_ages": [1_000.0, 200.0],
        "children": [400.0, np.nan],
    }
)


def named(domains, name):
    return next(domain for domain in domains if domain.name == name)


def test_the_nation_comes_first_and_names_keep_the_given_order():
    domains = domains_of(RESPONDENTS, SETTINGS, order=["Luzon", "Visayas", "Mindanao", "NCR", "I"])
    assert domains[0].name == "national"
    assert domains[0].mask.all()
    names = [domain.name for domain in domains if domain.type != "sex"]
    assert names[1:] == ["Luzon", "Visayas", "Mindanao", "NCR", "I", "IX", "VI"]


def test_a_region_lies_in_its_island_group_and_in_the_nation():
    domains = domains_of(RESPONDENTS, SETTINGS)
    parents = {(parent.type, parent.name) for parent in parents_of(named(domains, "I"), domains)}
    assert parents == {("national", "national"), ("island_group", "Luzon")}
    # Region VI holds only women in this sample, but regions don't lie within the sexes.
    assert len(parents_of(named(domains, "VI"), domains)) == 2
    assert [p.type for p in parents_of(named(domains, "male"), domains)] == ["national"]
    assert parents_of(domains[0], domains) == []


def test_an_unknown_variable_is_refused():
    with pytest.raises(PipelineError, match="domain's variable"):
        domains_of(RESPONDENTS, [{"type": "x", "variable": "regio", "kind": "geographic"}])


def test_respondent_domains_are_scaled_by_the_nation():
    populations = Populations.from_table(TABLE)
    mask = np.ones(1, bool)
    assert populations.of(Domain("region", "I", "geographic", mask), "all_ages") == 200
    assert np.isnan(populations.of(Domain("region", "I", "geographic", mask), "children"))
    assert populations.of(Domain("sex", "female", "respondent", mask), "children") == 400
    assert populations.total == 1_000


def test_the_year_is_chosen_and_problems_are_told():
    years = pd.concat([TABLE.assign(year=2020), TABLE.assign(year=2022, all_ages=[2_000.0, 9.0])])
    assert Populations.from_table(years, 2022).total == 2_000
    with pytest.raises(PipelineError, match="stands twice"):
        Populations.from_table(pd.concat([TABLE, TABLE]))
    with pytest.raises(PipelineError, match="whole population"):
        Populations.from_table(TABLE[1:])
