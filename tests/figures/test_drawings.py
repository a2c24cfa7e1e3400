"""What the figures show is what the tables hold; it can be read; nothing is hidden or invented."""

import functools
import itertools
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import released
from conftest import EVERY, draw
from matplotlib.text import Text

from prevalence.disclosure.gate import allowed_numbers, unknown_numbers
from prevalence.figures.specifications import LEAST_BAR
from prevalence.figures.style import (
    COLOURS,
    DIRECT,
    ESTIMATOR_LOOKS,
    MARK,
    READABLE,
    SMALL,
    WIDTH,
    contrast,
    estimator_look,
    save,
)
from prevalence.figures.words import CHOICES
from prevalence.report.names import ESTIMATORS as NAMES
from prevalence.united import MODELLED as MODELS

TOGETHER = [
    ("direct", "overdispersed", "overdispersed_weighted", "partially_pooled"),
    ("direct", "fay_herriot", "partially_pooled"),
    ("direct", "partially_pooled_weighted", "partially_pooled"),
    ("direct", "poisson_lognormal", "overdispersed"),
]
ISLANDS = ("ph2022", "island_groups")
LOGS = ("log_ratio", "log_ratio_lower", "log_ratio_upper")
NUMBERS = ("estimate", "lower", "upper", "n", "observed", "predicted", "value", *LOGS)
PLACES = ("island_groups", "regions")
LENT = ("shrinkage", "area_distribution")
MODELLED = ("predictive", *LENT)
ESTIMATES = ("headline", "estimators", "models", "coverage", "known_groups", *PLACES, *LENT)


@functools.cache  # drawing takes its time, and a figure that is drawn stays as it is
def boxes(figure):
    """Texts of a figure and where they stand, in pixels."""
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    shown = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    return [(text.get_text(), text.get_window_extent(renderer)) for text in shown]


def cut(figure):
    """Texts of a figure that reach beyond its edges."""
    found = boxes(figure)
    width, height = figure.canvas.get_width_height()
    return [t for t, b in found if b.x0 < 0 or b.y0 < 0 or b.x1 > width or b.y1 > height]


def marks(figure, label):
    """Horizontal places of the marks with a label, in the data's units."""
    lines = [line for axes in figure.axes for line in axes.lines if line.get_label() == label]
    return [float(np.ravel(line.get_xdata())[0]) for line in lines]


def of(*names):
    """Run a test for the figures of these names, of every survey that has them."""
    chosen = [pair for pair in EVERY if pair[1] in names]
    return pytest.mark.parametrize("pair", chosen, ids=["-".join(pair) for pair in chosen])


def patches(figure, label):
    found = [patch for axes in figure.axes for patch in axes.patches]
    return [patch for patch in found if patch.get_label() == label]


def test_no_text_is_cut_or_stands_on_another(drawings, figure):
    picture = drawings[figure].figure
    found = boxes(picture)
    assert cut(picture) == []
    upon = [
        (text, other)
        for place, (text, a) in enumerate(found)
        for other, b in found[place + 1 :]
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 0.5 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1
    ]
    assert upon == []


def test_every_figure_is_as_wide_as_a_column_and_its_type_is_large_enough(drawings, figure):
    picture = drawings[figure].figure
    assert picture.get_size_inches()[0] == WIDTH
    smallest = min(t.get_fontsize() for t in picture.findobj(Text) if t.get_text().strip())
    assert smallest >= 7


def test_no_figure_is_so_tall_that_its_type_is_too_small_on_a_page(drawings, figure):
    """A page of the PDF has 208 mm for a figure 5.2 inches wide that is shown 158 mm wide."""
    width, height = drawings[figure].figure.get_size_inches()
    shown = min(1.0, 208 / (height * 158 / width)) * 158 / 25.4 / width
    assert shown * SMALL >= 6


def test_the_synthetic_mark_is_there_exactly_where_data_are_synthetic(drawings, figure):
    shown = [text for text, _ in boxes(drawings[figure].figure)]
    assert shown.count(MARK) == (1 if figure[0] == "ph2022" else 0)


def test_a_real_survey_of_the_same_shape_has_no_mark_and_no_truth(tables):
    settings = released.config("ph2022")["survey"] | {"synthetic": False}
    words = released.words("ph2022", survey=settings)
    for name in ("headline", "estimators"):
        drawing = draw("ph2022", name, tables["ph2022"], words)
        shown = " ".join(text for text, _ in boxes(drawing.figure)) + drawing.alt
        assert MARK not in shown
        assert "truth" not in shown


def test_no_name_of_a_variable_is_shown(drawings, figure):
    drawing = drawings[figure]
    shown = " ".join(text for text, _ in boxes(drawing.figure))
    assert re.findall(r"\w+_\w+", f"{shown} {drawing.alt} {drawing.caption}") == []


def test_alternative_and_caption_are_sentences_and_abbreviations_are_explained(drawings, figure):
    drawing = drawings[figure]
    for text in (drawing.alt, drawing.caption):
        assert text.endswith(".")
        assert ".." not in text
    shown = " ".join(text for text, _ in boxes(drawing.figure))
    assert ("CSEM" in shown) == ("CSEM: child sexual" in drawing.caption)


def test_the_alternative_tells_numbers_of_the_tables_and_no_others(drawings, tables, figure):
    alt = drawings[figure].alt
    found = {k: v for k, v in tables[figure[0]].items() if isinstance(v, pd.DataFrame)}
    findings = str(released.read_yaml(released.ROOT / "config/published_findings.yaml"))
    dates = tables[figure[0]]["coverage_record"]["date"]
    year = str(released.config(figure[0])["survey"]["year"])
    assert unknown_numbers(alt, allowed_numbers(found, [findings, dates, year])) == []
    assert re.search(r"\d", alt), "a finding with numbers"


def test_the_caption_tells_numbers_of_the_tables_and_no_others(drawings, tables, figure):
    found = {k: v for k, v in tables[figure[0]].items() if isinstance(v, pd.DataFrame)}
    dates = tables[figure[0]]["coverage_record"]["date"]
    assert unknown_numbers(drawings[figure].caption, allowed_numbers(found, [dates])) == []


def test_the_caption_states_a_finding_with_numbers(drawings, figure):
    if figure[1] == "nsum":  # explains the method
        return
    caption = drawings[figure].caption
    for given in ("95%", "90%", "80%", "RR3", "response rate 3", "leaves out 1", "hold 1", "1 is"):
        caption = caption.replace(given, "")
    assert re.search(r"\d", caption), caption


def test_captions_follow_the_data(drawings, tables, words):
    own = tables["ph2022"]
    caption = drawings["ph2022", "response"].caption
    rates = own["response_rates"]
    rates = rates[(rates["rate"] == "RR3") & (rates["domain_type"] == "region")]["weighted"]
    assert f"by region: from {100 * rates.min():.1f}% (" in caption
    assert f"to {100 * rates.max():.1f}% (" in caption
    margins = own["margins"]
    far = (margins["before"] / margins["population"] - 1).abs().max()
    assert f"{100 * far:.0f}% " in drawings["ph2022", "margins"].caption
    classes = drawings["ph2022", "tile_map"].data
    for name in ("tile_map", "regions"):
        caption = drawings["ph2022", name].caption
        for group, mine in classes.groupby("group"):
            holds = (mine["against_nation"] == "within").sum()
            said = f"{words['ph2022'].short(group)}: in {holds} of {len(mine)} regions the interval"
            assert said in caption
        assert "wholly above it:" in caption
    coverage = drawings["ph2022", "coverage"]
    holds = coverage.data[coverage.data["assumptions_hold"]]["estimate"]
    assert f"between {holds.min():.1f}% and {holds.max():.1f}% where the" in coverage.caption


def test_captions_name_the_kind_of_place(drawings, figure):
    assert "by place" not in f"{drawings[figure].caption} {drawings[figure].alt}"


@of("models", *MODELLED)
def test_an_estimator_looks_the_same_in_every_figure(drawings, words, pair):
    drawing = drawings[pair]
    names = set(drawing.data["estimator"])
    own = words[pair[0]].headline["estimator"]
    expected = {estimator_look("direct" if name == own else name) for name in names}
    drawn = [line for axes in drawing.figure.axes for line in axes.lines]
    found = {
        (line.get_markeredgecolor(), line.get_marker())
        for line in drawn
        if line.get_label() == "_estimate"
    }
    if pair[1] == "area_distribution":  # medians have a tick
        assert {colour for colour, _ in found} <= {colour for colour, _ in expected}
    else:
        assert found <= expected
        assert len(found) > 1


def test_every_model_has_a_look_of_its_own_and_none_that_of_a_group():
    assert set(ESTIMATOR_LOOKS) >= {*(MODELS & set(NAMES)), "fay_herriot", "direct"}
    assert len(set(ESTIMATOR_LOOKS.values())) == len(ESTIMATOR_LOOKS)
    assert len({marker for _, marker in ESTIMATOR_LOOKS.values()}) == len(ESTIMATOR_LOOKS)
    assert not {colour for colour, _ in ESTIMATOR_LOOKS.values()} & set(COLOURS[:2])
    assert estimator_look("ratio_of_sums") == DIRECT


@pytest.mark.parametrize("names", TOGETHER, ids="-".join)
def test_estimators_that_share_a_panel_stay_apart_in_grey(names):
    for one, other in itertools.combinations([estimator_look(name)[0] for name in names], 2):
        assert contrast(one, other) > 1.4, (one, other)
    assert all(contrast(estimator_look(name)[0], "#ffffff") >= 3 for name in ESTIMATOR_LOOKS)


def test_an_estimator_of_which_all_is_withheld_is_left_out_of_its_panel(tables, words):
    changed = dict(tables["ph2022"])
    table = changed["small_areas"].copy()
    gone = (table["group"] == "perpetrators") & (table["estimator"] == "fay_herriot")
    table.loc[gone, ["estimate", "lower", "upper"]] = np.nan
    table.loc[gone, "suppressed"] = "complementary"
    changed["small_areas"] = table
    before = draw("ph2022", "shrinkage", tables["ph2022"], words["ph2022"])
    drawing = draw("ph2022", "shrinkage", changed, words["ph2022"])
    data = drawing.data
    left = data[data["group"] == "perpetrators"]["estimator"]
    assert set(left) == {"direct", "partially_pooled"}
    assert "fay_herriot" in set(data[data["group"] == "victims"]["estimator"])
    fewer = len(patches(before.figure, "_suppressed")) - len(patches(drawing.figure, "_suppressed"))
    assert fewer == len(released.REASON)
    said = "Adults: Fay–Herriot is left out: its rows could reveal withheld regions."
    shown = " ".join(" ".join(text.split("\n")) for text, _ in boxes(drawing.figure))
    assert said in shown
    assert said in drawing.alt
    assert "left out" not in before.alt


def test_shares_are_written_in_a_colour_that_can_be_read(drawings):
    checked = 0
    for survey in released.SURVEYS:
        for axes in drawings[survey, "data_quality"].figure.axes:
            (mesh,) = axes.collections
            shades = mesh.get_facecolors()
            texts = [text for text in axes.texts if text.get_label() == "_share"]
            for text in texts:
                across, down = (int(place) for place in text.get_position())
                columns = mesh.get_coordinates().shape[1] - 1
                assert contrast(text.get_color(), shades[down * columns + across]) >= READABLE
                checked += 1
    assert checked > 100


def test_every_level_of_a_choice_has_bars_wide_enough_to_see(drawings):
    seen = 0
    for survey in released.SURVEYS:
        figure = drawings[survey, "specification_curve"].figure
        for axes in figure.axes:
            bars = [part for part in axes.collections if part.get_label() == "_bars"]
            low, high = axes.get_xlim()
            inches = figure.get_size_inches()[0] * axes.get_position().width / (high - low)
            for part in bars:
                ends = np.array(part.get_segments())[:, :, 0]
                assert ((ends[:, 1] - ends[:, 0]) * inches >= 0.999 * LEAST_BAR).all()
                assert ends.min() >= low - 1e-9
                assert ends.max() <= high + 1e-9
                assert part.get_snap() is False
                seen += 1
    assert LEAST_BAR * 200 >= 1.5  # dots of the PNG
    assert seen > 0


def test_the_caption_of_the_curve_says_how_many_lie_above_the_headline(drawings, tables, words):
    drawing = drawings["ph2022", "specification_curve"]
    for group, mine in drawing.data.groupby("group"):
        own = mine.loc[mine["headline"].astype(bool), "estimate"].iloc[0]
        share = 100 * (mine["estimate"] > own).mean()
        name = words["ph2022"].short(group)
        assert f"{name}: {share:.0f}% of {len(mine)} combinations lie above it" in drawing.caption
    assert "defensible" not in drawing.caption


@of("tornado", "estimators", "headline")
def test_panels_of_a_figure_have_one_unit(drawings, tables, words, pair):
    survey, name = pair
    wide = dict(tables[survey])
    for table in ("scale_up", "sensitivity", "validation"):
        if table not in wide:
            continue
        frame = wide[table].copy()
        first = (frame["group"] == next(iter(words[survey].groups))) & (frame["unit"] == "persons")
        names = [c for c in ("estimate", "lower", "upper", "truth") if c in frame]
        frame.loc[first, names] = 20 * frame.loc[first, names]
        wide[table] = frame
    for drawing in (drawings[pair], draw(survey, name, wide, words[survey])):
        shown = [text for text, _ in boxes(drawing.figure)]
        titles = {text for text in shown if re.search(r"(million )?people", text)}
        assert len({"million" in text for text in titles if "estimate" in text}) == 1


def test_the_alternative_follows_the_data(tables, words):
    changed = dict(tables["ph2022"])
    table = changed["scale_up"].copy()
    numbers = ["estimate", "lower", "upper"]
    table[numbers] = 3 * table[numbers]
    changed["scale_up"] = table
    before = draw("ph2022", "headline", tables["ph2022"], words["ph2022"]).alt
    after = draw("ph2022", "headline", changed, words["ph2022"]).alt
    assert "465,000" in before
    assert "465,000" not in after
    assert "1,395,000" in after


@of(*ESTIMATES)
def test_points_stand_where_the_table_has_them(drawings, pair):
    drawing = drawings[pair]
    data = drawing.data
    shown = data["estimate"].notna()
    if "precision" in data:
        shown &= data["precision"].isna() | (data["precision"] != "interval_only")
    expected = sorted(data.loc[shown, "estimate"].astype(float))
    assert sorted(marks(drawing.figure, "_estimate")) == pytest.approx(expected)
    assert len(expected) > 0


def test_a_model_that_has_not_converged_is_hollow_and_named(drawings):
    drawing = drawings["ph2022", "models"]
    failed = drawing.data[drawing.data["interval"] == "credible_unconverged"]
    lines = [line for axes in drawing.figure.axes for line in axes.lines]
    marks = [line for line in lines if line.get_label() == "_estimate"]
    hollow = [line for line in marks if line.get_markerfacecolor() == "white"]
    assert {line.get_marker() for line in hollow} >= {"s"}
    assert not any(line.get_marker() == "s" and line not in hollow for line in marks)
    assert drawing.alt.count("(not converged)") == len(failed) > 0
    assert "not converged" in " ".join(text for text, _ in boxes(drawing.figure))


@of("known_groups", *PLACES, *LENT)
def test_intervals_stand_where_the_table_has_them(drawings, pair):
    drawing = drawings[pair]
    expected = sorted(drawing.data["lower"].dropna().astype(float))
    assert sorted(marks(drawing.figure, "_interval")) == pytest.approx(expected)


def test_a_suppressed_cell_is_drawn_as_suppressed_and_gives_no_number(drawings, figure):
    drawing = drawings[figure]
    if "suppressed" not in drawing.data or drawing.data["suppressed"].isna().all():
        return
    hidden = drawing.data[drawing.data["suppressed"].fillna("") != ""]
    numbers = [name for name in ("estimate", "lower", "upper") if name in hidden]
    assert hidden[numbers].isna().all(axis=None)
    hatched = drawing.figure.findobj(lambda part: bool(getattr(part, "get_hatch", str)()))
    assert len(hatched) >= len(hidden)


def test_regions_say_that_cells_are_suppressed_and_keep_the_official_order(drawings):
    for name in ("regions", "tile_map"):
        drawing = drawings["ph2022", name]
        regions = released.config("ph2022")["figures"]["names"]["region"]
        for _, mine in drawing.data.groupby("group"):
            assert list(mine["domain"]) == list(regions)
        assert "suppressed" in drawing.alt
    drawing = drawings["ph2022", "regions"]
    assert len(patches(drawing.figure, "_suppressed")) == 2 * len(released.REASON)
    assert len(marks(drawing.figure, "_interval")) == 2 * (17 - len(released.REASON))
    assert len(marks(drawing.figure, "_estimate")) == 2 * (17 - len(released.REASON) - 1)


def test_an_imprecise_estimate_is_hollow(drawings):
    axes = drawings["ph2022", "regions"].figure.axes
    lines = [line for a in axes for line in a.lines if line.get_label() == "_estimate"]
    hollow = [line for line in lines if line.get_markerfacecolor() == "white"]
    assert len(hollow) == 2


def test_the_tile_map_shades_by_the_national_estimate_alone(drawings, tables, words):
    data = drawings["ph2022", "tile_map"].data
    national = {"victims": 1.2, "perpetrators": 3.1}
    for row in data.to_dict("records"):
        value = national[row["group"]]
        if isinstance(row["suppressed"], str):
            assert row["against_nation"] == ""
        elif row["lower"] > value:
            assert row["against_nation"] == "above"
        elif row["upper"] < value:
            assert row["against_nation"] == "below"
        else:
            assert row["against_nation"] == "within"
    assert {"above", "below", "within", ""} == set(data["against_nation"])


def test_the_margins_are_drawn_as_relative_differences(drawings, tables):
    table = tables["ph2022"]["margins"]
    figure = drawings["ph2022", "margins"].figure
    for when in ("before", "after"):
        expected = sorted(100 * (table[when] / table["population"] - 1))
        assert sorted(marks(figure, f"_{when}")) == pytest.approx(expected)


def test_a_margin_that_is_not_met_is_told(tables, words):
    missed = dict(tables["ph2022"])
    table = missed["margins"].copy()
    table.loc[3, "after"] = 1.2 * table.loc[3, "population"]
    missed["margins"] = table
    assert "all agree" in draw("ph2022", "margins", tables["ph2022"], words["ph2022"]).alt
    alt = draw("ph2022", "margins", missed, words["ph2022"]).alt
    assert "all agree" not in alt
    assert f"{table.loc[3, 'after']:,.0f}" in alt


def test_response_rates_stand_where_the_table_has_them(drawings, tables):
    table = tables["ph2022"]["response_rates"]
    places = table[(table["rate"] == "RR3") & (table["domain_type"] == "region")]
    figure = drawings["ph2022", "response"].figure
    assert sorted(marks(figure, "_rate")) == pytest.approx(sorted(100 * places["weighted"]))


def test_a_withheld_rate_is_not_drawn_and_a_nation_alone_is(tables, words):
    table = tables["ph2022"]["response_rates"].copy()
    region = table["domain_type"] == "region"
    table.loc[table["domain"] == "CAR", ["weighted", "unweighted"]] = np.nan
    figure = draw("ph2022", "response", {"response_rates": table}, words["ph2022"]).figure
    assert len(marks(figure, "_rate")) == region.sum() / 2 - 1
    nation = draw("ph2022", "response", {"response_rates": table[~region]}, words["ph2022"])
    assert len(marks(nation.figure, "_rate")) == 1
    assert "places" not in nation.alt


def test_a_survey_without_tiles_has_no_tile_map():
    assert ("rwanda2011", "tile_map") not in EVERY
    assert ("ph2022", "tile_map") in EVERY


def test_the_specification_curve_draws_every_combination_in_order(drawings, tables):
    data = drawings["ph2022", "specification_curve"].data
    table = tables["ph2022"]["specifications"]
    assert not table.duplicated(["group", *CHOICES]).any()
    assert len(data) == table["estimate"].notna().sum()
    for _, mine in data.groupby("group"):
        assert mine["estimate"].is_monotonic_increasing
    axes = drawings["ph2022", "specification_curve"].figure.axes
    curve = next(line for line in axes[0].lines if line.get_label() == "_estimate")
    mine = data[data["group"] == "victims"]["estimate"]
    assert np.allclose(curve.get_ydata(orig=True), mine)
    assert marks(drawings["ph2022", "specification_curve"].figure, "_headline") != []


def test_the_headline_by_other_intervals_is_no_further_combination(tables, words):
    given = tables["ph2022"]
    table = given["specifications"]
    own = table[table["headline"]]
    models = own.assign(estimator="overdispersed", headline=False, interval="credible")
    others = [own.assign(headline=False, interval=name) for name in ("t", "gamma_mid_p")]
    longer = pd.concat([*others, table, models], ignore_index=True)
    plain, drawn = (
        draw("ph2022", "specification_curve", given | {"specifications": each}, words["ph2022"])
        for each in (table, longer)
    )
    assert len(drawn.data) == len(plain.data) + len(own)
    assert drawn.data["headline"].sum() == len(own)
    count = int(table.loc[table["group"] == own["group"].iloc[0], "estimate"].notna().sum())
    assert f"over {count} combinations, and 1 model" in drawn.alt


def test_bars_of_the_sample_flow_are_the_numbers_of_the_table(drawings, tables):
    milestones = ["sampled", "completed", "export", "analysed"]
    for survey in released.SURVEYS:
        table = tables[survey]["sample_flow"]
        kept = table["code"].isin(milestones)
        expected = sorted([*table.loc[kept, "n"], *table.loc[~kept, "excluded"]])
        (axes,) = drawings[survey, "sample_flow"].figure.axes
        assert sorted(bar.get_width() for bar in axes.patches) == expected


def test_the_tornado_says_the_ranges_of_the_table_of_factors(tables, words):
    own = tables["ph2022"]
    factors = own["factors"].assign(lower=own["factors"]["lower"].round(1))
    drawing = draw("ph2022", "tornado", own | {"factors": factors}, words["ph2022"])
    keys = ["group", "factor"]
    found = drawing.data.set_index(keys)[["factor_low", "factor_high"]].sort_index()
    expected = factors.set_index(keys)[["lower", "upper"]].sort_index()
    assert (found.to_numpy() == expected.to_numpy()).all()
    low, high = found.iloc[0]
    assert f"{low:.2f} to {high:.2f}" in [text for text, _ in boxes(drawing.figure)]


def test_a_job_that_draws_does_not_wait_for_scipy():
    code = "import sys; from prevalence.figures.style import lean_seaborn; lean_seaborn()"
    check = "assert 'seaborn' in sys.modules and 'scipy.stats' not in sys.modules"
    subprocess.run([sys.executable, "-c", f"{code}; {check}"], check=True)


def test_the_lines_of_the_contour_end_at_their_labels(drawings):
    panel = drawings["ph2022", "contour"].figure.axes[0]
    (above,) = panel.child_axes
    delta = panel.get_ylim()[1]
    labels = [text.get_text() for text in above.get_xticklabels()]
    assert len(labels) >= 3
    for text, tau in zip(labels, above.get_xticks(), strict=True):
        value = float(text.replace(",", ""))
        assert released.COUNTS["victims"] / tau / delta == pytest.approx(value, rel=0.01)


def test_the_same_bytes_twice(tables, words, tmp_path):
    for name in ("headline", "data_quality", "contour"):
        for turn in ("a", "b"):
            drawing = draw("ph2022", name, tables["ph2022"], words["ph2022"])
            save(drawing.figure, str(tmp_path / f"{turn}.svg"), str(tmp_path / f"{turn}.png"))
        for suffix in ("svg", "png"):
            first, second = ((tmp_path / f"{turn}.{suffix}").read_bytes() for turn in "ab")
            assert first == second, (name, suffix)
        assert b"<dc:date>" not in (tmp_path / "a.svg").read_bytes()


def test_the_picture_needs_no_font_of_the_reader(drawings, tmp_path):
    save(drawings[ISLANDS].figure, str(tmp_path / "a.svg"), str(tmp_path / "a.png"))
    svg = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "<text" not in svg
    assert "font-family" not in svg


def test_empty_tables_give_a_sheet_that_says_so(tables, words, figure):
    survey, name = figure
    empty = {k: v.iloc[:0] if isinstance(v, pd.DataFrame) else v for k, v in tables[survey].items()}
    drawing = draw(survey, name, empty, words[survey])
    assert "nothing that may be shown" in drawing.alt
    assert len(drawing.data) == 0


@of("headline", "estimators", "tile_map", "known_groups", "nsum", *PLACES, *MODELLED)
def test_a_table_of_which_everything_is_suppressed_is_drawn(tables, words, pair):
    survey, name = pair
    gone = dict(tables[survey])
    for table in ("scale_up", "known_groups", "small_areas", "predictive", "area_distribution"):
        frame = gone[table].copy()
        frame["suppressed"] = "primary"
        numbers = [name for name in NUMBERS if name in frame]
        frame[numbers] = np.nan
        gone[table] = frame
    drawing = draw(survey, name, gone, words[survey])
    picture = drawing.figure
    assert re.search("suppressed", f"{drawing.alt} {[text for text, _ in boxes(picture)]}")
    assert cut(picture) == []


def test_very_wide_intervals_are_cut_with_an_arrow_and_told(tables, words):
    wide = dict(tables["ph2022"])
    table = wide["scale_up"].copy()
    there = (table["domain"] == "V") & (table["group"] == "victims")
    table.loc[there, "upper"] = 500.0
    wide["scale_up"] = table
    drawing = draw("ph2022", "regions", wide, words["ph2022"])
    assert len(marks(drawing.figure, "_beyond")) == 1
    assert any("beyond the scale" in text for text, _ in boxes(drawing.figure))
    assert drawing.data["upper"].max() == 500.0
    assert "500" in drawing.alt


@of("models")
def test_an_arrow_in_the_figure_of_models_is_explained(tables, words, pair):
    survey, name = pair
    wide = dict(tables[survey])
    table = wide["scale_up"].copy()
    table.loc[table["estimator"] == "overdispersed", "upper"] = 500.0
    wide["scale_up"] = table
    shown = [text for text, _ in boxes(draw(survey, name, wide, words[survey]).figure)]
    assert "goes on beyond the scale" in shown


def test_answers_that_all_have_are_told_as_such(tables, words):
    changed = dict(tables["ph2022"])
    for share, said in ((0.0, "No interview"), (0.0002, "Hardly any interview")):
        changed["data_quality"] = changed["data_quality"].assign(missing_share=share)
        drawing = draw("ph2022", "data_quality", changed, words["ph2022"])
        for text in (drawing.caption, drawing.alt):
            assert f"{said} lacks an answer." in text


def test_data_of_the_models_stand_relative_to_the_answers(drawings, tables):
    drawing = drawings["ph2022", "predictive"]
    table = tables["ph2022"]["predictive"]
    table = table[table["statistic"].isin(["zero_share", "variance_to_mean"])]
    assert drawing.data["predicted"].to_list() == pytest.approx(
        table["predicted"].to_list(), nan_ok=True
    )
    shown = table[table["observed"].fillna(0) > 0]
    for label, name in (("_estimate", "predicted"), ("_interval", "lower")):
        ratios = sorted(shown[name] / shown["observed"])
        assert sorted(marks(drawing.figure, label)) == pytest.approx(ratios)
    inside = (shown["lower"] <= shown["observed"]) & (shown["observed"] <= shown["upper"])
    for _, part in inside.groupby([shown["estimator"], shown["statistic"]]):
        assert f"for {part.sum()} of {len(part)} groups" in drawing.alt


def test_every_number_beside_a_figure_is_released(drawings, tables, figure):
    """The gate lets no file pass with a number that no table or reviewed text has."""
    if figure[1] not in MODELLED:
        return
    found = {k: v for k, v in tables[figure[0]].items() if isinstance(v, pd.DataFrame)}
    text = drawings[figure].data.select_dtypes("number").to_csv(index=False)
    assert unknown_numbers(text, allowed_numbers(found, [])) == []


def test_places_that_borrow_strength_stand_below_the_direct_estimates(drawings, tables):
    drawing = drawings["ph2022", "shrinkage"]
    direct = drawing.data[drawing.data["estimator"] == "direct"]
    regions = drawings["ph2022", "regions"].data
    keys = ["group", "domain"]
    same = regions.set_index(keys).loc[pd.MultiIndex.from_frame(direct[keys])]
    for name in ("estimate", "lower", "upper"):
        expected = same[name].astype(float).to_list()
        assert direct[name].astype(float).to_list() == pytest.approx(expected, nan_ok=True)
    others = drawing.data[drawing.data["estimator"] != "direct"]
    assert len(others) == len(tables["ph2022"]["small_areas"])
    lines = [line for axes in drawing.figure.axes for line in axes.lines]
    colour, marker = estimator_look("partially_pooled")
    pooled = [line for line in lines if line.get_marker() == marker]
    assert {line.get_markerfacecolor() for line in pooled} == {"white"}, "none has converged"
    assert {line.get_markeredgecolor() for line in pooled} == {colour}
    assert "not converged" in drawing.alt


def test_areas_are_drawn_by_their_quantiles_and_without_names(drawings, tables):
    drawing = drawings["ph2022", "area_distribution"]
    table = tables["ph2022"]["area_distribution"]
    rates = table[table["unit"] != "log_rate"]
    shown = rates[rates["value"].notna()].set_index("quantile")["value"]
    lows = [*shown[0.1], *shown[0.25]]
    assert sorted(marks(drawing.figure, "_interval")) == pytest.approx(sorted(lows))
    assert sorted(drawing.data["upper"].dropna()) == sorted([*shown[0.9], *shown[0.75]])
    assert len(patches(drawing.figure, "_suppressed")) == len(lows)
    assert not {"domain", "domain_type"} & set(drawing.data.columns)
    assert "partially pooled over areas, 275 areas: median 1.50" in drawing.alt
    assert "weighted (not converged)" in drawing.alt
    ranges = [
        line
        for axes in drawing.figure.axes
        for line in axes.lines
        if line.get_label() == "_interval"
    ]
    weighted, _ = estimator_look("partially_pooled_weighted")
    assert {line.get_linestyle() for line in ranges if line.get_color() == weighted} == {"--"}
    assert {line.get_linestyle() for line in ranges if line.get_color() != weighted} == {"-"}


@of("area_distribution")
def test_the_mark_of_a_median_hides_little_of_its_range(drawings, pair):
    drawn = [line for axes in drawings[pair].figure.axes for line in axes.lines]
    medians = [line for line in drawn if line.get_label() == "_estimate"]
    assert {line.get_marker() for line in medians} == {"|"}
    assert max(line.get_markeredgewidth() for line in medians) < 2  # points


def test_respondents_and_the_census_need_not_be_of_adults(drawings):
    """A survey may be of people from 15 on: nothing but its config says whom it interviewed."""
    for name in ("degree_distribution", "margins"):
        drawing = drawings["ph2022", name]
        shown = " ".join(text for text, _ in boxes(drawing.figure))
        assert "adult" not in f"{shown} {drawing.alt} {drawing.caption}".lower()


def test_without_a_national_estimate_the_places_that_are_shown_are_not_hatched(tables, words):
    changed = dict(tables["ph2022"])
    table = changed["scale_up"].copy()
    nation = (table["domain_type"] == "national") & (table["group"] == "victims")
    table.loc[nation, ["estimate", "lower", "upper"]] = np.nan
    table.loc[nation, "suppressed"] = "primary"
    changed["scale_up"] = table
    drawing = draw("ph2022", "tile_map", changed, words["ph2022"])
    mine = drawing.data[drawing.data["group"] == "victims"]
    shown = mine["suppressed"].map(lambda reason: not (isinstance(reason, str) and reason))
    assert set(mine.loc[shown, "against_nation"]) == {"alone"}
    assert set(mine.loc[~shown, "against_nation"]) == {""}
    told = drawing.alt.split(". ")[1]
    assert f"{len(mine)} regions shown" not in told
    assert f"{int(shown.sum())} regions shown, and no national estimate" in told
    assert f"{int((~shown).sum())} suppressed" in told


def test_a_key_without_a_national_estimate_has_no_mark_of_one(tables, words):
    changed = dict(tables["ph2022"])
    table = changed["scale_up"]
    changed["scale_up"] = table[table["domain_type"] != "national"]
    drawing = draw("ph2022", "island_groups", changed, words["ph2022"])
    assert "national estimate" not in [text for text, _ in boxes(drawing.figure)]


def test_few_known_groups_are_named_and_no_others_are_hinted_at(tables, words):
    changed = dict(tables["ph2022"])
    table = changed["known_groups"]
    used = table[table["in_headline"].astype(bool)]["group"].unique()[:2]
    changed["known_groups"] = table[table["group"].isin(used)]
    drawing = draw("ph2022", "nsum", changed, words["ph2022"])
    shown = " ".join(" ".join(text for text, _ in boxes(drawing.figure)).split())
    assert "Here there are 2:" in shown
    assert "and others. Who" not in shown


def test_a_study_of_intervals_of_another_level_is_not_drawn(tables, words):
    own = words["ph2022"]
    other = released.words("ph2022", estimate={**own.estimate, "level": 0.9})
    assert "nothing that may be shown" in draw("ph2022", "coverage", tables["ph2022"], other).alt


@pytest.mark.parametrize("name", ["tile_map", "regions", "island_groups", "models"])
def test_a_place_without_limits_is_drawn_and_not_called_suppressed(tables, words, name):
    changed = dict(tables["ph2022"])
    table = changed["scale_up"].copy()
    place = table["domain"].isin(["V", "Visayas"])
    table.loc[place, ["estimate", "lower", "upper"]] = np.nan
    table.loc[place, "precision"] = "interval_only"
    changed["scale_up"] = table
    drawing = draw("ph2022", name, changed, words["ph2022"])
    before = draw("ph2022", name, tables["ph2022"], words["ph2022"])
    assert drawing.alt.count("suppressed") == before.alt.count("suppressed")
    assert "nan" not in drawing.alt


def test_a_distribution_of_areas_with_a_withheld_quantile_is_told_as_not_shown(tables, words):
    changed = dict(tables["ph2022"])
    table = changed["area_distribution"].copy()
    table.loc[table.index[0], "value"] = np.nan
    changed["area_distribution"] = table
    drawing = draw("ph2022", "area_distribution", changed, words["ph2022"])
    assert "nothing shown" in drawing.alt
