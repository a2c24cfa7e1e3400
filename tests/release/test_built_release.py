"""Attack on finished runs: the tiny survey, and `ph2022` where this folder has a finished one."""

from pathlib import Path

import pytest
from attacker import KEYS, NATION, derivable, is_number, micro_sums, published_rows, sum_limits

from prevalence.files import read_csv, read_yaml

ROOT = Path(__file__).parents[2]
# Columns of numbers that say nothing of respondents: settings, and what was planted.
TOLD = {"level", "year", "known_size", "truth"}


class Run:
    """What a finished run published, and the truth behind it."""

    def __init__(self, root, survey):
        self.published = root / "reports" / survey
        self.restricted = root / "data" / "processed" / survey / "restricted"
        self.config = read_yaml(root / "config" / "surveys" / f"{survey}.yaml")
        self.tables = {
            path.stem: read_csv(path) for path in sorted((self.published / "tables").glob("*.csv"))
        }
        self.kinds = [domain["type"] for domain in self.config["estimate"]["domains"]]
        self.headline = self.config["headline"]["estimator"]
        self.groups = list(self.config["estimate"]["hidden_groups"])
        self.cap = float(self.config["headline"]["top_codes"]["hidden"])
        self.known = {
            group: micro_sums(self.restricted, group, self.kinds, self.cap) for group in self.groups
        }

    def reasons(self, group):
        """Reason or empty of each place, as the released table says."""
        table = self.tables["scale_up"]
        rows = table[(table["estimator"] == self.headline) & (table["group"] == group)]
        rows = rows[rows["unit"] == "persons"]
        return dict(zip(places_of(rows), rows["suppressed"].fillna(""), strict=True))

    def weights(self):
        """Smallest and largest weight, as far as they are released: to two digits."""
        table = self.tables["weighting"]
        final = table[table["step"] == "final"].iloc[0]
        return final["min"] * 0.95, final["max"] * 1.05

    def totals(self, group, sums):
        """The published sums over domains, in terms of the weighted reports of their parts."""
        exact = read_csv(self.restricted / "estimate" / "scale_up.csv")
        exact = exact[(exact["group"] == group) & (exact["unit"] == "persons")]
        own = exact[exact["estimator"] == self.headline]
        persons = dict(zip(places_of(own), own["estimate"], strict=True))
        table = self.tables["scale_up"]
        table = table[(table["group"] == group) & (table["unit"] == "persons")]
        table = table[table["estimator"].str.startswith("sum_of_") & table["estimate"].notna()]
        for row in table.to_dict("records"):
            kind = row["estimator"].removeprefix("sum_of_")
            found = sums[(sums.index.get_level_values(0) == kind) & (sums["weighted"] > 0)]
            scale = {place: persons[place] / found.loc[place, "weighted"] for place in found.index}
            yield scale, *sum_limits(row)


def places_of(table):
    return list(zip(*(table[key].astype(str) for key in KEYS), strict=True))


def hidden_places(run, group):
    return [place for place, reason in run.reasons(group).items() if reason]


@pytest.fixture(scope="module", params=["tiny", "ph2022"])
def run(request):
    if request.param == "tiny":
        return Run(request.getfixturevalue("finished").folder, "tiny")
    if not (ROOT / "reports" / "ph2022" / "tables" / "scale_up.csv").exists():
        pytest.skip("no finished run of ph2022 in this folder: make report")
    return Run(ROOT, "ph2022")


def attack(run, group, reasons=None, totals=None):
    sums, wholes = run.known[group]
    reasons = run.reasons(group) if reasons is None else reasons
    totals = list(run.totals(group, sums)) if totals is None else totals
    return sums, derivable(sums, wholes, reasons, weights=run.weights(), cap=run.cap, totals=totals)


def needed(sums, place, kind, reason):
    """How far apart the ends must be: ten reporters, half the cell or half a releasable one."""
    if kind == "reporting":
        return 9.0 if reason == "primary" else 0.0 if reason == "complementary" else 10.0
    whole, own = sums.loc[[NATION]].iloc[0], sums.loc[[place], kind].iloc[0]
    return 0.5 * max(own if reason == "primary" else 0.0, 10 * whole[kind] / whole["reporting"])


def test_all_released_rows_together_tell_nothing_narrow_of_a_withheld_cell(run):
    for group in run.groups:
        reasons = run.reasons(group)
        sums, found = attack(run, group)
        for (place, kind), (low, high) in found.items():
            true, slack = sums.loc[[place], kind].iloc[0], 1e-6 * max(sums[kind])
            assert low - slack <= true <= high + slack, (place, kind)
            assert high - low >= needed(sums, place, kind, reasons[place]) - slack, (place, kind)


def test_the_attacker_is_not_blind(run):
    """A cell that were withheld alone is solved; two are by a sum with all its digits."""
    for group in run.groups:
        reasons = run.reasons(group)
        hidden = hidden_places(run, group)
        for place in hidden:
            alone = dict.fromkeys(reasons, "") | {place: reasons[place]}
            sums, found = attack(run, group, alone, totals=[])
            for (_, kind), ends in found.items():
                true = sums.loc[[place], kind].iloc[0]
                assert ends == pytest.approx((true, true), rel=1e-5)
        sums, _ = run.known[group]
        exact = []
        for scale, *_ in run.totals(group, sums):
            total = sum(c * sums.loc[[p], "weighted"].iloc[0] for p, c in scale.items())
            exact.append((scale, total, total))
        if len(hidden) == 2 and any(set(hidden) <= set(scale) for scale, *_ in exact):
            for (place, kind), ends in attack(run, group, totals=exact)[1].items():
                if kind == "weighted":
                    true = sums.loc[[place], kind].iloc[0]
                    assert ends == pytest.approx((true, true), rel=1e-3)


def test_no_published_row_of_a_withheld_cell_holds_a_number(run):
    """Tables, data of figures, `results.json`, and what is embedded in the page."""
    names = read_names(run.config)
    withheld = {(group, place[1]) for group in run.groups for place in hidden_places(run, group)}
    seen = set()
    for file, row in published_rows(run.published):
        texts = set(row.values())
        cells = {
            (group, domain)
            for group, domain in withheld
            if group in texts and texts & {domain, names.get(domain, domain)}
        }
        if not cells:
            continue
        seen.add(file)
        numbers = [key for key, value in row.items() if key not in TOLD and is_number(value)]
        assert not numbers, (file, numbers)
        assert row.get("suppressed"), file
    assert not withheld or "scale_up.csv" in seen
    if any(place[0] == "region" for group in run.groups for place in hidden_places(run, group)):
        assert "results.json" in seen
        assert any("embedded" in file for file in seen)


def read_names(config):
    """Names of places by their code, as figures write them."""
    return {
        code: name
        for of_kind in (config.get("figures") or {}).get("names", {}).values()
        for code, name in of_kind.items()
        if name
    }


def test_the_limits_of_a_released_sum_hold_what_was_summed(run):
    for group in run.groups:
        sums, _ = run.known[group]
        for scale, low, high in run.totals(group, sums):
            true = sum(c * sums.loc[[p], "weighted"].iloc[0] for p, c in scale.items())
            assert low <= true <= high


def test_the_attackers_sums_are_those_of_the_estimate_stage(run):
    inputs = read_csv(run.restricted / "estimate" / "disclosure_inputs.csv")
    for group in run.groups:
        mine, _ = run.known[group]
        cells = inputs[inputs["group"] == group]
        for place, n, reporting, weighted in zip(
            places_of(cells), cells["n"], cells["n_reporting"], cells["sum_wy"], strict=True
        ):
            own = mine.loc[[place]].iloc[0]
            assert (own["respondents"], own["reporting"]) == (n, reporting)
            assert own["weighted"] == pytest.approx(weighted, rel=1e-9)
