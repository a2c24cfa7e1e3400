"""What two waves are compared by: the earlier wave's choices, as far as both have them."""

import numpy as np
import pytest

from prevalence.errors import PipelineError
from prevalence.known_groups import check_groups
from prevalence.waves.cells import batches_of, cells_of, frozen, known_cells

OWN = {
    "victims": {
        "label": "children",
        "population": "children",
        "per": "per_100",
        "known_groups": ["doctors", "lawyers"],
    },
    "perpetrators": {"label": "adults", "population": "adults", "per": "per_1000"},
}


def without(tables, group):
    """Tables of a wave that has no size of a group."""
    known = tables["known_groups"]
    return tables | {"known_groups": known[known["group"] != group].reset_index(drop=True)}


def national(studies, group):
    """National persons of a group in both waves, from what is compared."""
    cells = [c for c in cells_of(*studies) if c.key["group"] == group]
    place = next(
        k
        for k, c in enumerate(cells)
        if (c.key["domain"], c.key["unit"]) == ("national", "persons")
    )
    return [
        batch.evaluate(study.sampling).ratio[place] * study.populations.total
        for batch, study in zip(batches_of(cells), studies, strict=True)
    ]


def test_a_hidden_groups_own_known_groups_need_not_be_the_headlines(study_from):
    """Lawyers are no known group of the headline: the wave's own estimate rests on them."""
    study = study_from(estimate={"hidden_groups": OWN})
    *studies, dropped = frozen(study, study)
    own = study.headline_estimates(study.hidden_groups()).ratio * study.populations.total
    for place, group in enumerate(("victims", "perpetrators")):
        np.testing.assert_allclose(national(studies, group), own[place])
    assert dropped == []


def test_known_groups_that_the_later_wave_lacks_are_named(study_from, tables_of):
    wanted = {"victims": {**OWN["victims"], "known_groups": ["doctors", "nurses", "lawyers"]}}
    settings = {"hidden_groups": OWN | wanted}
    tables = tables_of()
    earlier = study_from(tables, estimate=settings)
    later = study_from(without(tables, "lawyers"), estimate=settings)
    one, other, dropped = frozen(earlier, later)
    assert dropped == ["lawyers"]
    for study in (one, other):
        assert study.settings["hidden_groups"]["victims"]["known_groups"] == ["doctors", "nurses"]
    earlier = study_from(tables, estimate={"hidden_groups": OWN})
    with pytest.raises(PipelineError, match="too few known groups") as caught:
        frozen(earlier, later)
    assert caught.value.place == "estimate.hidden_groups.victims.known_groups"


@pytest.mark.parametrize(
    ("there", "compared"),
    [
        ({"quotient": ("victims", "perpetrators")}, ["quotient"]),
        ({"quotient": ("perpetrators", "victims")}, []),
        ({}, []),
    ],
)
def test_a_ratio_is_compared_where_both_waves_estimate_the_same(study_from, there, compared):
    """What may be shown of it stands in each wave's own release, by its name."""

    def study(ratios):
        named = {
            name: {"numerator": top, "denominator": bottom, "label": name}
            for name, (top, bottom) in ratios.items()
        }
        return study_from(estimate={"hidden_groups": OWN, "ratios": named})

    cells = cells_of(*frozen(study({"quotient": ("victims", "perpetrators")}), study(there))[:2])
    assert [c.key["group"] for c in cells if c.key["unit"] == "ratio"] == compared


def test_a_known_group_is_checked_where_a_degree_needs_all_of_them(study_from, tables_of):
    rules = {"tie_definition": "known", "minimum_groups": 3, "missing": "exclude"}
    tables = tables_of()
    study = study_from(tables, estimate={"degree": rules})
    earlier, later, _ = frozen(study, study)
    cells, _ = known_cells(earlier, later)
    batch = batches_of(cells)[0]
    found = batch.evaluate(study.sampling).ratio * study.populations.total
    own = check_groups(study)[0].query("estimator == 'ratio_of_sums'").set_index("group")
    names = [cell.key["group"] for cell in cells]
    np.testing.assert_allclose(found, own.loc[names, "estimate"])
    with pytest.raises(PipelineError) as error:
        frozen(study, study_from(without(tables, "nurses"), estimate={"degree": rules}))
    assert "at least 3 groups" in str(error.value)
