"""What a case of the gauntlet does to the tiny survey before it runs.

The keys of `spoil:` in cases.yaml are the functions of this module that take a folder and a value.
"""

import gzip
import io
import os
import zipfile
from functools import cache

import pandas as pd
import pyreadstat
import yaml
from pipeline import SURVEY, TINY

ALIASES = {
    "survey": f"config/surveys/{SURVEY}.yaml",
    "codebook": f"config/codebooks/{SURVEY}.csv",
}


def place(tiny, name):
    """The file that a case names: `survey`, `codebook`, a path, or a raw file."""
    if name in ALIASES or "/" in name:
        return tiny.folder / ALIASES.get(name, name)
    return tiny.raw / name


def set_keys(tiny, keys):
    """Set keys of the survey's config; a number is a place in a list."""
    config = yaml.safe_load(tiny.config_file.read_text(encoding="utf-8"))
    for key, value in keys.items():
        inside, last = _inside(config, key, make=True)
        if isinstance(inside, list) and int(last) == len(inside):
            inside.append(value)
        else:
            inside[int(last) if isinstance(inside, list) else last] = value
    _write(tiny, config)


def remove(tiny, keys):
    """Take keys out of the survey's config."""
    config = yaml.safe_load(tiny.config_file.read_text(encoding="utf-8"))
    for key in keys:
        inside, last = _inside(config, key)
        del inside[int(last) if isinstance(inside, list) else last]
    _write(tiny, config)


def _inside(config, key, make=False):
    *path, last = key.split(".")
    for part in path:
        if isinstance(config, list):
            config = config[int(part)]
        else:
            config = config.setdefault(part, {}) if make else config[part]
    return config, last


def _write(tiny, config):
    text = yaml.safe_dump(config, allow_unicode=True, sort_keys=False)
    tiny.config_file.write_text(text, encoding="utf-8")


def replace(tiny, files):
    """Replace texts in files; each text must be there."""
    for name, changes in files.items():
        path = place(tiny, name)
        text = path.read_text(encoding="utf-8")
        for old, new in changes.items():
            assert old in text, f"{old!r} is not in {name}"
            text = text.replace(old, str(new))
        path.write_text(text, encoding="utf-8")


def write(tiny, files):
    """Write whole files."""
    for name, text in files.items():
        place(tiny, name).write_text(text, encoding="utf-8")


def append(tiny, files):
    """Add text at the end of files."""
    for name, text in files.items():
        path = place(tiny, name)
        path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def delete(tiny, files):
    """Delete files."""
    for name in files:
        place(tiny, name).unlink()


def without_lines(tiny, files):
    """Leave out the lines of files that start with a text."""
    for name, starts in files.items():
        path = place(tiny, name)
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith(tuple(starts))]
        assert len(kept) < len(lines), f"{name}: no line starts so"
        path.write_text("".join(kept), encoding="utf-8")


def cut(tiny, files):
    """Keep only a share of each file's bytes."""
    for name, share in files.items():
        path = place(tiny, name)
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])


def encode(tiny, files):
    """Write files in another encoding."""
    for name, encoding in files.items():
        path = place(tiny, name)
        text = path.read_text(encoding="utf-8")
        path.write_bytes(text.encode(encoding, errors="replace"))


def line_ends(tiny, files):
    """Write files with other line ends."""
    for name, end in files.items():
        path = place(tiny, name)
        path.write_bytes(path.read_text(encoding="utf-8").replace("\n", end).encode())


def column(tiny, files):
    """Set cells of CSV files: column to {row: value}, one value for all, or null (dropped)."""
    for name, changes in files.items():
        path = place(tiny, name)
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        _change(table, changes).to_csv(path, index=False)


def _change(table, changes):
    for name, value in changes.items():
        if value is None:
            table = table.drop(columns=name)
        elif isinstance(value, dict):
            table = table.astype({name: object})
            for row, cell in value.items():
                table.loc[row, name] = cell
        else:
            table[name] = value
    return table


def stale_manifest(tiny, _):
    """Leave the manifest as it was before the change."""
    tiny.manifest_is_stale = True


@cache
def _answers():
    return pyreadstat.read_sav(str(TINY / "data/raw" / SURVEY / f"{SURVEY}.sav"), user_missing=True)


def answers():
    """The answers of the tiny survey, and what its file says of them."""
    frame, metadata = _answers()
    return frame.copy(), metadata


def export(tiny, settings):
    """Write the export anew, with other answers and in another format."""
    frame, metadata = answers()
    frame = _change(frame, settings.get("answers") or {})
    frame = frame.rename(columns=settings.get("rename") or {})
    if settings.get("rows") is not None:
        frame = frame.iloc[: settings["rows"]]
    if settings.get("twice"):
        frame = pd.concat([frame, frame.iloc[: settings["twice"]]])
    if settings.get("shuffle"):
        frame = frame.sample(frac=1, random_state=3).loc[:, ::-1]
    suffix = settings.get("as", ".csv")
    path = tiny.raw / f"{SURVEY}{suffix}"
    for old in tiny.raw.glob(f"{SURVEY}.*"):
        old.unlink()
    if suffix == ".sav":
        pyreadstat.write_sav(
            frame,
            str(path),
            missing_ranges={k: v for k, v in metadata.missing_ranges.items() if k in frame},
        )
    elif suffix == ".xlsx":
        frame.to_excel(path, index=False)
    else:
        text = frame.to_csv(index=False, sep=settings.get("delimiter", ","))
        if settings.get("decimal_comma"):
            text = text.replace(".0,", ",0,")
        path.write_text(settings.get("before", "") + text + settings.get("after", ""), "utf-8")
    set_keys(tiny, {"ingest.responses": path.name})


def by(tiny, name):
    """Do what needs a function of its own."""
    SPECIAL[name](tiny)


def _zip_bomb(tiny):
    inside = io.BytesIO()
    with zipfile.ZipFile(inside, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 60_000_000)
    (tiny.raw / "tiny.xlsx").write_bytes(inside.getvalue())
    set_keys(tiny, {"ingest.responses": "tiny.xlsx"})


def _lying_zip_bomb(tiny):
    """A workbook whose directory says that it is small, while its sheet unpacks to far more."""
    _zip_bomb(tiny)
    path = tiny.raw / "tiny.xlsx"
    content = path.read_bytes()
    size = (60_000_000).to_bytes(4, "little")
    assert size in content
    path.write_bytes(content.replace(size, (1_000).to_bytes(4, "little")))


def _entity_bomb(tiny):
    """A workbook whose shared strings are a bomb of XML entities."""
    export(tiny, {"as": ".xlsx"})
    path = tiny.raw / "tiny.xlsx"
    bomb = '<?xml version="1.0"?><!DOCTYPE sst [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(9)
    )
    bomb += ']><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    bomb += "<si><t>&j;</t></si></sst>"
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    sheet = sheet.replace('t="inlineStr"><is><t>R00091</t></is>', 't="s"><v>0</v>')
    _rewrite(path, {"xl/sharedStrings.xml": bomb, "xl/worksheets/sheet1.xml": sheet})


def _external_entity(tiny):
    """A workbook whose sheet asks for a file of the machine."""
    export(tiny, {"as": ".xlsx"})
    path = tiny.raw / "tiny.xlsx"
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    head = '<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    start = sheet.index("<worksheet")
    sheet = sheet[:start] + head + sheet[start:].replace("R00091", "&x;")
    _rewrite(path, {"xl/worksheets/sheet1.xml": sheet})


def _rewrite(path, parts):
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files |= {name: text.encode() for name, text in parts.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def _huge_sheet(tiny):
    """A workbook with one cell far to the right and far below."""
    import openpyxl

    export(tiny, {"as": ".xlsx"})
    path = tiny.raw / "tiny.xlsx"
    book = openpyxl.load_workbook(path)
    book.active["XFD1048576"] = "x"
    book.save(path)


def _formula_cell(tiny):
    import openpyxl

    export(tiny, {"as": ".xlsx"})
    path = tiny.raw / "tiny.xlsx"
    book = openpyxl.load_workbook(path)
    book.active["AK5"] = '=HYPERLINK("http://example.org","x")'
    book.save(path)


def _merged_header(tiny):
    export(tiny, {"as": ".csv"})
    path = tiny.raw / "tiny.csv"
    width = path.read_text(encoding="utf-8").splitlines()[0].count(",")
    path.write_text("Household" + "," * width + "\n" + path.read_text(encoding="utf-8"))


def _two_headers(tiny):
    export(tiny, {"as": ".csv"})
    path = tiny.raw / "tiny.csv"
    header, *rest = path.read_text(encoding="utf-8").split("\n")
    questions = ",".join("How many?" for _ in header.split(","))
    path.write_text("\n".join([header, questions, *rest]), encoding="utf-8")


def _merged_answers(tiny):
    import openpyxl

    export(tiny, {"as": ".xlsx"})
    book = openpyxl.load_workbook(tiny.raw / "tiny.xlsx")
    book.active.merge_cells("A3:A6")
    book.save(tiny.raw / "tiny.xlsx")


def _dates_among_counts(tiny):
    frame, _ = answers()
    frame["Q6a_1"] = frame["Q6a_1"].astype(object)
    frame.loc[:5, "Q6a_1"] = pd.Timestamp("2022-05-01")  # what Excel makes of 5-1
    _only(tiny, "tiny.xlsx")
    frame.to_excel(tiny.raw / "tiny.xlsx", index=False)


def _numbers_as_text(tiny):
    frame, _ = answers()
    _only(tiny, "tiny.xlsx")
    frame.map(lambda value: value if pd.isna(value) else str(value)).to_excel(
        tiny.raw / "tiny.xlsx", index=False
    )


def _only(tiny, name):
    """Take the export away and name another one."""
    for old in tiny.raw.glob(f"{SURVEY}.*"):
        old.unlink()
    set_keys(tiny, {"ingest.responses": name})


def _packed(tiny):
    export(tiny, {"as": ".csv"})
    path = tiny.raw / "tiny.csv"
    path.write_bytes(gzip.compress(path.read_bytes()))


def _web_page(tiny):
    _only(tiny, "tiny.csv")
    page = "<html><body><table><tr><td>RESP_ID</td></tr></table></body></html>"
    (tiny.raw / "tiny.csv").write_text(page, encoding="utf-8")


def _old_workbook(tiny):
    _only(tiny, "tiny.xlsx")
    (tiny.raw / "tiny.xlsx").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(4000))


def _names_in_small_letters(tiny):
    export(tiny, {"as": ".csv"})
    path = tiny.raw / "tiny.csv"
    header, rest = path.read_text(encoding="utf-8").split("\n", 1)
    path.write_text(f"{header.lower()}\n{rest}", encoding="utf-8")


def _same_name_in_small_letters(tiny):
    export(tiny, {"as": ".csv"})
    path = tiny.raw / "tiny.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    added = [f"{line},7" for line in lines[1:]]
    path.write_text("\n".join([f"{lines[0]},q6a_1", *added]) + "\n", encoding="utf-8")


def _labelled(tiny, labels, **options):
    """The export as .sav, with other labels of its codes."""
    frame, metadata = answers()
    _only(tiny, "tiny.sav")
    pyreadstat.write_sav(
        frame.assign(**options),
        str(tiny.raw / "tiny.sav"),
        missing_ranges=metadata.missing_ranges,
        variable_value_labels={**metadata.variable_value_labels, **labels},
    )


def _labels_exchanged(tiny):
    _labelled(tiny, {"S2": {1.0: "Female", 2.0: "Male"}})


def _labels_all_the_same(tiny):
    _labelled(tiny, {"S2": {1.0: "person", 2.0: "person"}})


def _long_string(tiny):
    _labelled(tiny, {}, NOTE="y" * 30_000)


def _stata_long_string(tiny):
    """Stata 14 and later: names without dots, a strL, and no labels of values."""
    frame, _ = answers()
    _only(tiny, "tiny.dta")
    frame = frame.rename(columns=lambda name: name.replace(".", "_")).assign(NOTE="y" * 3000)
    frame.to_stata(tiny.raw / "tiny.dta", write_index=False, version=118, convert_strl=["NOTE"])


def _link_outside(tiny):
    outside = tiny.folder / "elsewhere.csv"
    file = tiny.raw / "known_groups.csv"
    outside.write_bytes(file.read_bytes())
    file.unlink()
    file.symlink_to(outside)


def _broken_link(tiny):
    file = tiny.raw / "known_groups.csv"
    file.unlink()
    file.symlink_to(tiny.raw / "known_groups_2.csv")


def _linked_folder(tiny):
    """The folder of raw files is a link: its files lie inside of what it leads to."""
    outside = tiny.folder / "elsewhere"
    tiny.raw.rename(outside)
    tiny.raw.symlink_to(outside)


def _a_folder_as_file(tiny):
    (tiny.raw / "tiny.sav").unlink()
    (tiny.raw / "tiny.sav").mkdir()


def _a_pipe_as_file(tiny):
    (tiny.raw / "tiny.sav").unlink()
    os.mkfifo(tiny.raw / "tiny.sav")


def _config_folder(tiny):
    tiny.config_file.unlink()
    tiny.config_file.mkdir()


def _deep_config(tiny):
    tiny.config_file.write_text("survey: " + "[" * 5000 + "]" * 5000)


def _alias_bomb(tiny):
    lines = ['a: &a ["x","x","x","x","x","x","x","x","x"]']
    for i in range(8):
        here, before = chr(98 + i), chr(97 + i)
        lines.append(f"{here}: &{here} [{','.join(['*' + before] * 9)}]")
    tiny.config_file.write_text("\n".join(lines))


def _unreadable_bytes(tiny):
    tiny.config_file.write_bytes(tiny.config_file.read_bytes() + b"\nnote: caf\xe9\n")


def _null_bytes(tiny):
    (tiny.raw / "census_2020.csv").write_bytes(b"margin,category,population\nregion,VII\x00,5\n")


def _codebook_in_latin1(tiny):
    path = place(tiny, "codebook")
    text = path.read_text(encoding="utf-8").replace("Work status,", "Situação,")
    path.write_bytes(text.encode("latin-1", errors="replace"))


def _noise_as_sav(tiny):
    (tiny.raw / "tiny.sav").write_bytes(bytes(range(256)) * 200)


def _noise_after_header(tiny):
    content = (tiny.raw / "tiny.sav").read_bytes()
    half = len(content) // 3
    (tiny.raw / "tiny.sav").write_bytes(content[:half] + b"\xff" * half)


def _other_format(tiny):
    (tiny.raw / "tiny.sav").write_bytes((tiny.raw / "known_groups.csv").read_bytes())


def _long_line(tiny):
    export(tiny, {"as": ".csv", "after": '"' + "x" * 300_000 + '"\n'})


def _wide_table(tiny):
    header = ",".join(f"c{i}" for i in range(5000))
    (tiny.raw / "known_groups.csv").write_text(f"group,size,{header}\ndoctors,95039\n")


def _one_psu(tiny):
    """Stratum VII is left with one PSU, in the frame and in the interviews."""
    _keep_psus(tiny, {"VII": 1})


def _one_psu_each(tiny):
    _keep_psus(tiny, {"VII": 1, "X": 1})


def _keep_psus(tiny, most):
    path = tiny.raw / "sample_frame.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    first = {s: sorted(set(frame.loc[frame["stratum"] == s, "psu"]))[:n] for s, n in most.items()}
    places = zip(frame["stratum"], frame["psu"], strict=True)
    kept = [stratum not in first or psu in first[stratum] for stratum, psu in places]
    frame = frame[kept]
    frame.to_csv(path, index=False)
    interviews, _ = answers()
    interviews = interviews[interviews["HH_ID"].isin(frame["household"])]
    (tiny.raw / "tiny.sav").unlink()
    interviews.to_csv(tiny.raw / "tiny.csv", index=False)
    set_keys(tiny, {"ingest.responses": "tiny.csv"})


def _supplied_weight(tiny):
    """The weight is a variable of the export; the column WT holds it."""
    append(tiny, {"codebook": "WT,base_weight,Weight,numeric,base_weight,,,,,,\n"})
    set_keys(
        tiny, {"weight.base": {"variable": "base_weight_supplied"}, "weight.calibration": None}
    )


def _supplied_negative(tiny):
    _supplied_weight(tiny)
    column(tiny, {"tiny.csv": {"WT": {7: "-1"}}})


def _supplied_missing(tiny):
    _supplied_weight(tiny)
    column(tiny, {"tiny.csv": {"WT": {7: ""}}})


def _refused_interview(tiny):
    path = tiny.raw / "sample_frame.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame.loc[frame["household"] == "H00091", "disposition"] = "2.1"
    frame.to_csv(path, index=False)


def _nobody_known(tiny):
    names = [f"Q6a_{i}" for i in range(1, 12)]
    export(tiny, {"answers": dict.fromkeys(names, 0)})
    rules = [{"rule": "eligible_age", "minimum": 18}, {"rule": "duplicate_id"}]
    set_keys(tiny, {"clean.screening": rules, "weight.calibration": None})


SPECIAL = {
    function.__name__.removeprefix("_"): function
    for function in (
        _zip_bomb,
        _lying_zip_bomb,
        _entity_bomb,
        _external_entity,
        _huge_sheet,
        _formula_cell,
        _merged_header,
        _two_headers,
        _merged_answers,
        _dates_among_counts,
        _numbers_as_text,
        _packed,
        _web_page,
        _old_workbook,
        _names_in_small_letters,
        _same_name_in_small_letters,
        _labels_exchanged,
        _labels_all_the_same,
        _long_string,
        _stata_long_string,
        _link_outside,
        _broken_link,
        _linked_folder,
        _a_folder_as_file,
        _a_pipe_as_file,
        _config_folder,
        _deep_config,
        _alias_bomb,
        _unreadable_bytes,
        _null_bytes,
        _codebook_in_latin1,
        _noise_as_sav,
        _noise_after_header,
        _other_format,
        _long_line,
        _wide_table,
        _one_psu,
        _one_psu_each,
        _supplied_weight,
        _supplied_negative,
        _supplied_missing,
        _refused_interview,
        _nobody_known,
    )
}
