"""`snakemake trend` from raw files to published pages, on two waves of the tiny survey."""

import re
import shutil

import pytest

from prevalence.files import read_csv

TREND = "data/processed/later/{}/trend/tiny"


@pytest.fixture(scope="module")
def compared(finished, tmp_path_factory):
    """A project with a second wave that is the tiny survey again, drawn independently; compared."""
    folder = tmp_path_factory.mktemp("waves") / "project"
    shutil.copytree(finished.folder, folder, symlinks=True)
    project = type(finished)(folder)
    config = (project / "config/surveys/tiny.yaml").read_text()
    waves = "waves:\n  - {survey: tiny, psus: independent}\n\n"
    without_models = re.sub(r"^model:\n(?:  .*\n)+", "", config, flags=re.M)
    assert "overdispersed" not in without_models
    (project / "config/surveys/later.yaml").write_text(waves + without_models)
    shutil.copytree(project / "data/raw/tiny", project / "data/raw/later")
    project.run("trend")
    return project


def table(project, part, name):
    return read_csv(project / f"{TREND.format(part)}/{name}.csv")


def test_an_unchanged_wave_has_not_changed(compared):
    changes = table(compared, "restricted", "changes").set_index("measure")
    assert changes.loc["ratio", "estimate"].dropna().tolist() == pytest.approx(
        [1.0] * changes.loc["ratio", "estimate"].notna().sum()
    )
    assert changes.loc["difference", "estimate"].abs().max() < 1e-9
    national = changes[changes["domain_type"] == "national"]
    assert (national["std_error"] > 0).all()
    assert (national.loc["ratio", "lower"] < 1).all()
    assert (national.loc["ratio", "upper"] > 1).all()


def test_the_standard_error_of_independent_waves_is_that_of_two(compared):
    """Levels rest on each wave's own replicates, the change on others: equal but for chance."""
    levels = table(compared, "restricted", "levels")
    levels = levels[levels["domain_type"] == "national"]
    both = levels.pivot(index=["group", "unit"], columns="wave", values="std_error")
    changes = table(compared, "restricted", "changes")
    mine = changes["domain_type"].eq("national") & changes["measure"].eq("difference")
    found = changes[mine].set_index(["group", "unit"])["std_error"]
    expected = (both["tiny"] ** 2 + both["later"] ** 2) ** 0.5
    assert (found / expected).between(0.6, 1.6).all()  # 50 replicates


def test_nothing_withheld_by_a_wave_is_shown(compared):
    released = table(compared, "release", "changes")
    own = read_csv(compared / "data/processed/tiny/release/scale_up.csv")
    keys = ["group", "domain_type", "domain", "unit"]
    headline = own["estimator"].eq("ratio_of_sums") | own["unit"].eq("ratio")
    withheld = own[headline & own["suppressed"].notna()][keys]
    assert len(withheld) > 0
    both = released.merge(withheld, on=keys)
    assert both["suppressed"].notna().all()
    assert both[["estimate", "lower", "upper", "n"]].isna().all(axis=None)


@pytest.mark.parametrize("wave", ["tiny", "later"])
def test_levels_are_released_as_in_the_waves_own_release(compared, wave):
    """The same choices in both waves: nobody may read two numbers of one thing."""
    levels = table(compared, "release", "levels").query("wave == @wave")
    own = read_csv(compared / f"data/processed/{wave}/release/scale_up.csv").query("headline")
    keys = ["group", "domain_type", "domain", "unit"]
    both = levels.merge(own, on=keys, suffixes=("", "_own"), validate="one_to_one")
    assert len(both) == len(levels) > 0
    shown = both[both["suppressed"].isna()]
    assert len(shown) > 4
    for name in ("estimate", "std_error", "lower", "upper", "interval", "df", "n", "precision"):
        assert shown[name].equals(shown[f"{name}_own"].astype(shown[name].dtype)), name


def test_the_report_is_published_with_its_tables_and_figures(compared):
    folder = compared / "reports/later/trend/tiny"
    for suffix in ("html", "pdf", "docx"):
        assert (folder / f"trend.{suffix}").stat().st_size > 10_000
    text = (folder / "trend.html").read_text()
    for words in ("SYNTHETIC DATA", "What changed", "drawn independently", "run identity"):
        assert words in text, words
    assert re.search(r'<span class="big[^"]*">×\s', text), "changes stand at the head, as cards"
    assert "The nation" in text
    assert {path.stem for path in (folder / "tables").glob("*.csv")} == {
        "levels",
        "changes",
        "controls",
        "comparability",
        "validation",
    }
    assert (folder / "figures/changes.svg").exists()


AVOIDED = (
    "terms:\n  - {id: avoided, class: avoid, pattern: children, instead: another word, "
    "source: a test, why: It is a test.}\n"
)


def published(project):
    folders = (project / "reports/later/trend", project / "reports/compare")
    paths = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path: path.read_bytes() for path in paths}


def test_what_does_not_pass_leaves_the_last_trend_and_comparison(compared):
    compared.run("compare")
    before = published(compared)
    assert len({path.parent for path in before}) == 4
    words = compared / "config/terminology.yaml"
    text = words.read_text(encoding="utf-8")
    words.write_text(text.replace("terms:\n", AVOIDED, 1), encoding="utf-8")
    done = compared.snakemake("--keep-going", "trend", "compare")
    words.write_text(text, encoding="utf-8")
    assert done.returncode != 0
    for rule in ("check_trend", "check_comparison"):
        assert f"error in rule {rule}: Staged files may not be published." in done.stderr
    assert published(compared) == before
    compared.run("trend", "compare")
    assert published(compared) == before


def test_a_second_trend_has_nothing_to_do(compared):
    assert "Nothing to be done" in compared.run("trend", "--dry-run")


def test_another_sentence_of_a_waves_report_compares_nothing_anew(compared):
    path = compared / "config/surveys/later.yaml"
    text = path.read_text()
    assert "funding: Not funded." in text
    path.write_text(text.replace("funding: Not funded.", "funding: Funded by nobody."))
    planned = compared.planned("trend")
    path.write_text(text)
    assert {"compose_trend", "check_trend", "publish_trend"} <= planned
    assert not planned & {"compare_waves", "release_trend", "draw_trend"}


def test_a_run_of_the_earlier_wave_alone_has_no_trend(compared):
    assert "compare_waves" not in compared.run("tiny", "--dry-run")


def test_a_wave_without_a_config_is_told(compared):
    path = compared / "config/surveys/later.yaml"
    text = path.read_text()
    path.write_text(text.replace("survey: tiny,", "survey: tinny,"))
    done = compared.snakemake("trend", "--dry-run")
    path.write_text(text)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "An earlier wave has no config file" in said
    assert "tinny" in said
