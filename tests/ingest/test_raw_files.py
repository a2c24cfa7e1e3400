"""Verification of raw files, and the side tables."""

import hashlib

import pytest

from prevalence.errors import PipelineError
from prevalence.files import read_csv, read_json

FRAME_HEADER = (
    "household,stratum,psu,ssu,region,urban,city,interviewer,p_psu,p_ssu,p_household,certainty,"
    "disposition"
)
FRAME = [
    "7000,NCR,101,,NCR,1,101,E0,0.5,1,0.01,0,1.1",
    "7001,NCR,102,11,NCR,0,102,E1,0.25,1,0.02,0,2.1",
    "7002,C-5,B1,B1,VII,1,5,E1,1,0.5,0.02,1,4.1",
]
KNOWN = ["group,label,size,year,source,quality,note", "teachers,,879793,2022,COA,A,public only"]


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    file = folder / "export.csv"
    file.write_text("a,b\n1,2\n")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    (folder / "MANIFEST.sha256").write_text(f"# raw files\n{digest}  export.csv\n")
    return folder


@pytest.fixture
def verify(run_script, tmp_path):
    marker = tmp_path / "out" / "marker.json"

    def run(path, manifest):
        inputs = {"raw": str(path), "manifest": str(manifest)}
        run_script("ingest/verify_raw.py", inputs=inputs, outputs={"marker": marker})
        return read_json(marker)

    run.marker = marker
    return run


def refused(verify, path, manifest):
    with pytest.raises(PipelineError) as caught:
        verify(path, manifest)
    assert not verify.marker.exists()
    return str(caught.value)


def test_the_marker_holds_name_hash_and_size(verify, raw):
    marker = verify(raw / "export.csv", raw / "MANIFEST.sha256")
    assert marker["file"] == "export.csv"
    assert marker["size"] == 8
    assert marker["sha256"] == hashlib.sha256(b"a,b\n1,2\n").hexdigest()


def test_one_changed_byte_is_found(verify, raw):
    (raw / "export.csv").write_text("a,b\n1,3\n")
    text = refused(verify, raw / "export.csv", raw / "MANIFEST.sha256")
    assert "not the one that the manifest declares" in text
    assert "make manifest SURVEY=raw REASON" in text


def test_a_file_that_is_not_declared(verify, raw):
    (raw / "exports.csv").write_text("a,b\n1,2\n")
    text = refused(verify, raw / "exports.csv", raw / "MANIFEST.sha256")
    assert "not in the manifest" in text
    assert "Did you mean 'export.csv'?" in text


def test_an_empty_file(verify, raw):
    empty = hashlib.sha256(b"").hexdigest()
    (raw / "export.csv").write_bytes(b"")
    (raw / "MANIFEST.sha256").write_text(f"{empty}  export.csv\n")
    assert "A raw file is empty." in refused(verify, raw / "export.csv", raw / "MANIFEST.sha256")


def test_a_link_that_leads_out_of_the_folder(verify, raw, tmp_path):
    outside = tmp_path / "secret.csv"
    outside.write_text("a,b\n1,2\n")
    (raw / "export.csv").unlink()
    (raw / "export.csv").symlink_to(outside)
    text = refused(verify, raw / "export.csv", raw / "MANIFEST.sha256")
    assert "lies outside its survey's folder" in text


def test_a_link_within_the_folder_is_fine(verify, raw):
    (raw / "export.csv").rename(raw / "original.csv")
    (raw / "export.csv").symlink_to(raw / "original.csv")
    assert verify(raw / "export.csv", raw / "MANIFEST.sha256")["size"] == 8


def test_a_path_out_of_the_folder(verify, raw, tmp_path):
    (tmp_path / "export.csv").write_text("a,b\n1,2\n")
    text = refused(verify, raw / ".." / "export.csv", raw / "MANIFEST.sha256")
    assert "lies outside its survey's folder" in text


@pytest.mark.parametrize("line", ["abc  export.csv", "export.csv", "0" * 63 + "  export.csv"])
def test_a_malformed_manifest(verify, raw, line):
    (raw / "MANIFEST.sha256").write_text(line + "\n")
    text = refused(verify, raw / "export.csv", raw / "MANIFEST.sha256")
    assert "malformed" in text
    assert "line 1" in text


def test_a_file_declared_twice(verify, raw):
    manifest = raw / "MANIFEST.sha256"
    manifest.write_text(manifest.read_text() * 2)
    assert "stands twice" in refused(verify, raw / "export.csv", manifest)


@pytest.fixture
def read_table(survey, run_script, params_of):
    out = survey.folder / "tables" / "table.csv"

    def run(name, lines, **settings):
        raw = survey.folder / f"{name}.csv"
        raw.write_text("\n".join(lines) + "\n", encoding="utf-8")
        run_script(
            "ingest/read_table.py",
            inputs={"raw": str(raw), "codebook": str(survey.codebook)},
            outputs={"table": out},
            params=params_of(survey.settings | settings, True, name),
            wildcards={"table": name},
        )
        return read_csv(out)

    run.out = out
    return run


def test_the_frame_has_the_pseudonyms_of_the_responses(read_table, survey, answers, export_of):
    from prevalence.files import read_parquet

    frame = read_table("frame", [FRAME_HEADER, *FRAME])
    responses = read_parquet(survey.read(export_of(answers, survey.folder / "a.sav")).responses)
    assert set(frame["household"]) <= set(responses["HH.ID"])
    assert set(frame["interviewer"]) <= set(responses["INT"])
    assert list(frame["stratum"]) == ["NCR", "NCR", "C-5"], "strata are no ids"
    assert not frame["psu"].str.contains("10").all()
    assert frame["ssu"].isna().tolist() == [True, False, False]
    assert frame["p_psu"].tolist() == [0.5, 0.25, 1.0]


def test_a_frame_may_lack_what_a_survey_lacks(read_table):
    names = ["household", "stratum", "psu", "p_psu", "p_ssu", "p_household", "disposition"]
    places = [FRAME_HEADER.split(",").index(name) for name in names]
    lines = [",".join(line.split(",")[place] for place in places) for line in FRAME]
    assert list(read_table("frame", [",".join(names), *lines])) == names
    with pytest.raises(PipelineError, match="p_household"):
        read_table("frame", [",".join(names).replace("p_household", "chance"), *lines])


def test_populations_of_several_years(read_table):
    from prevalence.domains import Populations

    header = "domain_type,domain,year,all_ages,source"
    lines = ["national,national,2020,100,x", "national,national,2022,110,x"]
    table = read_table("populations", [header, *lines])
    assert Populations.from_table(table, 2022).total == 110
    with pytest.raises(PipelineError, match="populations"):
        read_table("populations", [header, *lines, lines[0]])


@pytest.mark.parametrize("name", ["companion", "visibility"])
def test_members_of_a_hidden_group_have_pseudonyms(read_table, name):
    lines = ["0917-555-0101,p1,victims,2,4,3", "0917-555-0101,p1,victims,1,3,3"]
    table = read_table(name, ["respondent,psu,group,aware,alters,visibility", *lines])
    assert "0917" not in read_table.out.read_text()
    assert table["respondent"].nunique() == 1, "rows of one member stay together"
    assert table["psu"].str.fullmatch("p[0-9a-f]{16}").all()


def test_members_of_the_survivors_panel_have_pseudonyms(read_table):
    header = "member,group,best,low,high"
    lines = ["0917-555-0101,victims,0.7,0.6,0.9", "0917-555-0101,perpetrators,0.6,0.5,0.8"]
    table = read_table("survivor_panel", [header, *lines])
    assert "0917" not in read_table.out.read_text()
    assert table["member"].nunique() == 1


def test_the_list_of_areas_has_the_pseudonyms_of_the_frame(read_table):
    frame = read_table("frame", [FRAME_HEADER, *FRAME])
    psus = [line.split(",")[FRAME_HEADER.split(",").index("psu")] for line in FRAME]
    lines = [f"{psu},{1000 + place},0.2" for place, psu in enumerate([*dict.fromkeys(psus), "999"])]
    areas = read_table("areas", ["psu,population,poverty", *lines])
    assert set(frame["psu"]) < set(areas["psu"])
    assert areas["population"].tolist()[:2] == [1000, 1001]
    assert areas["poverty"].tolist() == [0.2] * len(lines)
    with pytest.raises(PipelineError, match="population"):
        read_table("areas", ["psu,population", "1,0"])


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (",0.5,1,0.01", ",0,1,0.01", "p_psu"),
        (",0.5,1,0.01", ",1.5,1,0.01", "p_psu"),
        (",0.5,1,0.01", ",half,1,0.01", "p_psu"),
        (",1,101,", ",urban,101,", "urban"),
        ("1.1", "9.9", "disposition"),
        ("7000,NCR", ",NCR", "household"),
        ("7000,NCR", "7001,NCR", "household"),
        ("7000,NCR", "7000,", "stratum"),
    ],
)
def test_a_bad_cell_of_the_frame_names_its_column(read_table, old, new, expected):
    lines = [FRAME_HEADER, FRAME[0].replace(old, new, 1), *FRAME[1:]]
    with pytest.raises(PipelineError) as caught:
        read_table("frame", lines)
    assert expected in str(caught.value)
    assert not read_table.out.exists()


def test_a_missing_column_of_the_frame_is_named(read_table):
    header = FRAME_HEADER.replace("disposition", "result")
    with pytest.raises(PipelineError, match="disposition"):
        read_table("frame", [header, *FRAME])


@pytest.mark.parametrize("cell", ["0917 555 0123", "14.599512", "Purok 3", "Maria Santos"])
def test_an_identifier_in_a_further_column_of_the_frame(read_table, cell):
    lines = [FRAME_HEADER + ",remark", *(f"{line},{cell}" for line in FRAME)]
    with pytest.raises(PipelineError, match="columns remark") as caught:
        read_table("frame", lines)
    assert cell not in str(caught.value)
    assert not read_table.out.exists()


def test_a_further_column_of_codes_is_kept(read_table):
    frame = read_table("frame", [FRAME_HEADER + ",wave", *(f"{line},2" for line in FRAME)])
    assert frame["wave"].tolist() == [2, 2, 2]


def test_known_groups_are_completed_from_the_codebook(read_table):
    table = read_table("known_groups", KNOWN).set_index("group")
    assert list(table.index) == ["doctors", "teachers"]
    assert table.loc["teachers", "size"] == 879793
    assert table.loc["teachers", "label"] == "Teachers known"
    assert table["size"].isna().tolist() == [True, False]


def test_known_groups_of_other_columns_are_arranged(read_table):
    table = read_table(
        "known_groups",
        ["known.popn,n", "Q6a_1,95039"],
        arrange={
            "known_groups": {
                "columns": {"known.popn": "group", "n": "size"},
                "constants": {"year": 2023, "quality": "B", "source": "PRC"},
            }
        },
    ).set_index("group")
    assert table.loc["doctors", ["size", "year", "source"]].tolist() == [95039, 2023, "PRC"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([KNOWN[0], "teacher,,1,,,,"], "Did you mean 'teachers'?"),
        ([KNOWN[0], KNOWN[1], KNOWN[1]], "listed twice"),
        ([KNOWN[0], "teachers,,0,2022,COA,A,"], "size"),
        ([KNOWN[0], "teachers,,-5,2022,COA,A,"], "size"),
        ([KNOWN[0], "teachers,,5,2022,COA,Z,"], "quality"),
        ([KNOWN[0], "teachers,,5,2022"], "another number of fields"),
        ([KNOWN[0]], "holds no row"),
        (["a,a", "1,2"], "does not name each column once"),
        (["size", "2"], "no column group"),
        ([KNOWN[0], '"teachers,,5'], "not a valid CSV"),
    ],
)
def test_bad_known_groups(read_table, lines, expected):
    with pytest.raises(PipelineError) as caught:
        read_table("known_groups", lines)
    assert expected in str(caught.value)
    assert not read_table.out.exists()


def test_a_panel_whose_best_value_lies_outside_its_range(read_table):
    with pytest.raises(PipelineError, match="low ≤ best ≤ high"):
        read_table("survivor_panel", ["member,group,best,low,high", "m1,victims,0.5,0.6,0.9"])


def test_samples_of_hidden_groups_may_leave_out_their_design(read_table):
    table = read_table("companion", ["group,aware,alters", "victims,2,5"])
    assert list(table["alters"]) == [5]
    rows = ["respondent,group,aware,alters", "a,victims,2,5", "a,victims,,", "b,victims,0,3"]
    table = read_table("companion", rows)
    assert table["respondent"].nunique() == 2
    assert list(table["alters"].isna()) == [False, True, False]
    with pytest.raises(PipelineError, match="aware ≤ alters"):
        read_table("companion", ["group,aware,alters", "victims,6,5"])
    with pytest.raises(PipelineError, match="weight"):
        read_table("visibility", ["group,visibility,weight", "victims,20,0"])


def test_a_margin_category_twice(read_table):
    with pytest.raises(PipelineError, match="category"):
        read_table("census", ["margin,category,population", "region,NCR,5", "region,NCR,6"])


def test_the_truth_is_only_read_for_synthetic_surveys(run_script, tmp_path):
    raw, out = tmp_path / "truth.json", tmp_path / "out.json"
    raw.write_text('{"b": 1, "a": 2}')
    options = {"inputs": {"raw": str(raw)}, "outputs": {"truth": out}}
    with pytest.raises(PipelineError, match="Only a synthetic survey"):
        run_script("ingest/read_truth.py", params={"synthetic": False}, **options)
    run_script("ingest/read_truth.py", params={"synthetic": True}, **options)
    assert read_json(out) == {"a": 2, "b": 1}
    raw.write_text('{"b": ')
    with pytest.raises(PipelineError, match="not valid JSON"):
        run_script("ingest/read_truth.py", params={"synthetic": True}, **options)
