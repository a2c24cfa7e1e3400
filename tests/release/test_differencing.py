"""Two releases together: small changes, cells that reappear, what both allow of a withheld cell."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import POLICY, SETTINGS, headline, survey, tables_of

from prevalence.disclosure.cells import geography_of
from prevalence.disclosure.differencing import (
    Both,
    check_differences,
    newly_derivable,
    shown_cells,
    small_differences,
)
from prevalence.disclosure.release import release
from prevalence.errors import PipelineError

FOLDER = "earlier"


class Wave:
    """A survey and the release of it."""

    def __init__(self, respondents, answers, before=None, exceptions=None):
        self.respondents, self.answers = respondents, answers
        tables, self.inputs = tables_of(respondents, *answers)
        self.geography = geography_of(respondents, SETTINGS, "region")
        self.released = release(
            tables,
            self.inputs,
            self.geography,
            POLICY,
            headline="ratio_of_sums",
            exceptions=exceptions,
            shown_before=shown_cells(before.tables["scale_up"]) if before else None,
        )
        self.tables = self.released.tables

    def against(self, earlier):
        check_differences(
            self.tables,
            earlier.tables,
            self.inputs,
            self.geography,
            POLICY,
            headline="ratio_of_sums",
            folder=FOLDER,
        )


def wave(keep=None, change=None, share=0.15, seed=1, before=None):
    respondents, *answers = survey(share, seed)
    if change is not None:
        change(respondents, *answers)
    if keep is not None:
        respondents = respondents[keep].reset_index(drop=True)
        answers = [values[keep] for values in answers]
    return Wave(respondents, answers, before)


def without(*rows, n=3560):
    keep = np.ones(n, bool)
    keep[list(rows)] = False
    return keep


@pytest.fixture(scope="module")
def first():
    return wave()


def test_the_same_release_again_passes(first):
    wave(before=first).against(first)


@pytest.mark.parametrize("row", [0, 700, 3559])
def test_one_respondent_less_is_refused(first, row):
    with pytest.raises(PipelineError, match="few respondents"):
        wave(without(row), before=first).against(first)


def test_one_respondent_who_moves_is_refused(first):
    def move(respondents, *_):
        respondents.loc[3, "region"] = "R02"

    with pytest.raises(PipelineError, match="R02"):
        wave(change=move, before=first).against(first)


def test_one_answer_that_becomes_a_report_is_refused(first):
    def correct(respondents, reports, *_):
        reports[np.flatnonzero(reports == 0)[5]] = 1

    with pytest.raises(PipelineError, match="few respondents"):
        wave(change=correct, before=first).against(first)


def test_a_change_of_many_passes(first):
    respondents, *_ = survey(0.15)
    generator = np.random.default_rng(1)
    large = respondents.groupby("region")["region"].transform("size") > 300
    keep = ~(large & (generator.uniform(size=len(large)) < 0.5)).to_numpy()
    later = wave(keep, before=first)
    hidden = headline(later.released)["suppressed"] != ""
    assert not hidden.any()
    later.against(first)


def test_any_table_with_counts_is_compared(first):
    later = wave(before=first)
    flow = pd.DataFrame({"step": [1, 2], "code": ["a", "b"], "n": [99, 90], "excluded": [0, 9]})
    other = flow.assign(excluded=[0, 10], n=[99, 89])
    later.tables = {**later.tables, "sample_flow": flow}
    earlier = Wave(first.respondents, first.answers)
    earlier.tables = {**first.tables, "sample_flow": other}
    with pytest.raises(PipelineError, match="sample_flow: b"):
        later.against(earlier)


def test_what_was_shown_before_cannot_be_withheld_in_silence(first):
    later = wave(before=first)
    table = later.tables["scale_up"]
    gone = np.where(table["domain"] == "R01", "primary", table["suppressed"])
    later.tables = {**later.tables, "scale_up": table.assign(suppressed=gone)}
    assert set(newly_derivable(later.tables["scale_up"], first.tables["scale_up"])["domain"]) == {
        "R01"
    }
    with pytest.raises(PipelineError, match="shown in an earlier release"):
        later.against(first)


def test_a_domain_that_the_config_lost_is_refused(first):
    earlier = Wave(first.respondents, first.answers)
    table = first.tables["scale_up"].replace({"domain_type": {"sex": "age_group"}})
    earlier.tables = {**first.tables, "scale_up": table}
    with pytest.raises(PipelineError, match="age_group"):
        first.against(earlier)


def test_a_cell_shown_before_protects_no_other():
    """Where a second cell must go, it's one that the earlier release withheld as well."""
    for seed in range(60):
        before = wave(share=0.12, seed=seed)
        codes = headline(before.released).query("domain_type == 'region'")
        if list(codes["suppressed"]).count("complementary") == 1:
            break
    else:
        pytest.fail("no survey with one complementary region")
    again = wave(share=0.12, seed=seed, before=before)
    again.against(before)
    failing = codes.loc[codes["suppressed"] == "primary", "domain"].iloc[0]
    partner = codes.loc[codes["suppressed"] == "complementary", "domain"].iloc[0]
    shown = shown_cells(before.tables["scale_up"])
    assert ("victims", "region", partner) not in shown
    hidden = headline(again.released).query("suppressed != ''")["domain"]
    assert set(hidden) == {failing, partner}


def both_of(now, before, rest=0.0):
    """A whole and its parts in two releases; None where withheld."""
    count = len(now)
    equations = np.array([[1.0] + [-1.0] * (count - 1)])
    values = [np.array([np.nan if v is None else v for v in row], float) for row in (now, before)]
    places = [("national", "national"), *(("region", f"R{i}") for i in range(count - 1))]
    return Both(places, equations, np.array([rest]), *values, ceiling=300.0)


def test_the_earlier_release_gives_a_withheld_cell_away():
    # Now A and B are withheld; before, only A and C were: nothing changed since.
    both = both_of([60, None, None, 45], [60, None, 12, None])
    assert ("region", "R0") in both.narrow(10)
    assert both.derivable(np.eye(8)[1]) == pytest.approx((3, 3))


def test_the_change_of_a_withheld_cell_is_a_count_too():
    # Twelve more in the nation, ten of them in R1: two in R0, of which nothing is shown.
    both = both_of([62, None, 30, None], [50, None, 20, None])
    assert both.narrow(10)
    assert both_of([80, None, 30, None], [50, None, 20, None]).narrow(10) == []


def brute(now, before, ceiling):
    """Every pair of releases that agrees with what is shown, respondents only being added."""
    hidden = [i for i, value in enumerate(now) if value is None]
    found = []
    for fill in itertools.product(range(ceiling), repeat=len(hidden)):
        x = list(now)
        for i, value in zip(hidden, fill, strict=True):
            x[i] = value
        if x[0] != sum(x[1:]):
            continue
        options = [range(v + 1) if b is None else [b] for v, b in zip(x, before, strict=True)]
        for z in itertools.product(*options):
            if z[0] == sum(z[1:]) and all(a >= b for a, b in zip(x, z, strict=True)):
                found.append((x, z))
    return found


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_joint_programme_agrees_with_trying_everything(data):
    parts = data.draw(st.lists(st.integers(0, 6), min_size=2, max_size=3))
    added = data.draw(st.lists(st.integers(0, 3), min_size=len(parts), max_size=len(parts)))
    earlier = [sum(parts), *parts]
    later = [sum(parts) + sum(added), *(p + a for p, a in zip(parts, added, strict=True))]
    hide = [
        data.draw(st.lists(st.booleans(), min_size=len(parts), max_size=len(parts)))
        for _ in range(2)
    ]
    now, before = (
        [row[0], *(None if h else v for h, v in zip(mask, row[1:], strict=True))]
        for row, mask in zip((later, earlier), hide, strict=True)
    )
    tried = brute(now, before, 32)
    both = both_of(now, before)
    gap = both.now - both.before
    unchanged = not np.nan_to_num(gap).any()
    for cell in range(len(now)):
        ends = both.derivable(np.eye(2 * len(now))[cell])
        values = [x[cell] for x, z in tried if not unchanged or list(x) == list(z)]
        assert values, "the truth itself agrees"
        assert ends == pytest.approx((min(values), max(values)), abs=1e-6)


def test_small_differences_are_found_at_the_threshold(first):
    table = headline(first.released).reset_index(drop=True)
    for gap, expected in ((0, 0), (1, 1), (9, 1), (10, 0)):
        earlier = table.copy()
        earlier.loc[0, ["n", "n_reporting"]] -= gap
        assert len(small_differences(table, earlier, POLICY)) == expected
