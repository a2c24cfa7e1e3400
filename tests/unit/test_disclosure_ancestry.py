"""A restricted ancestor is found at any distance; release and verified markers are doors."""

from prevalence.disclosure.ancestry import leaks

P = "data/processed/one"
CLEAN = {
    f"{P}/release/scale_up.csv": [f"{P}/restricted/estimate/scale_up.csv"],
    f"{P}/staged/figures/a.svg": [f"{P}/release/scale_up.csv", "src/prevalence/x.py"],
    f"{P}/audit/identity.json": [f"{P}/restricted/ingest/verified/one.sav.json"],
    "reports/one/summary.html": [f"{P}/staged/figures/a.svg", f"{P}/audit/identity.json"],
    f"{P}/restricted/estimate/scale_up.csv": [f"{P}/restricted/clean/ard.parquet"],
}


def test_what_passes_through_release_is_no_leak():
    assert leaks(CLEAN) == []


def test_a_restricted_file_read_directly_or_at_a_distance_is_found():
    direct = CLEAN | {f"{P}/staged/figures/b.svg": [f"{P}/restricted/clean/ard.parquet"]}
    assert leaks(direct) == [(f"{P}/staged/figures/b.svg", f"{P}/restricted/clean/ard.parquet")]
    between = CLEAN | {
        "elsewhere.csv": [f"{P}/restricted/weight/weights.parquet"],
        "reports/one/other.csv": ["elsewhere.csv"],
    }
    assert leaks(between) == [("reports/one/other.csv", f"{P}/restricted/weight/weights.parquet")]
