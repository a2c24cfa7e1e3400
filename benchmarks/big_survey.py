"""A SYNTHETIC survey of any size: export, codebook, side tables and config, for benchmarks alone.

Households in PSUs in 16 strata, supplied base weights, 25 counts of groups of known size, two
items for each of two hidden groups, typed missing codes, and some of the dirt of a real export. The
export is written in pieces: no table of all respondents is ever held.
"""

import csv
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pandas as pd

REGIONS = [f"R{number:02d}" for number in range(1, 17)]
KNOWN = [f"known_{number:02d}" for number in range(1, 26)]
ITEMS = {"group_a": 0.0016, "group_b": 0.0009}  # share of everyone, by hidden group
AGES = ["18–24", "25–34", "35–44", "45–54", "55–64", "65+"]
BREAKS = [18, 25, 35, 45, 55, 65, 86]
AGE_SHARES = np.array([0.2, 0.24, 0.2, 0.16, 0.12, 0.08])
POPULATION = 100_000_000
ADULT_SHARE = 0.65
MOST_PSUS = 5_000
PSU_SIZE = 24  # in surveys too small for so many PSUs
PIECE = 50_000
LONGEST = 95
CODES = "996=not_asked;997=refused;998=dont_know"
MISSING = np.array([996, 997, 998, 999])
HEADER = "raw,variable,label,type,role,missing_codes,minimum,maximum,top_code,values,group"


def share_of_regions():
    """Share of the population by region: unequal, the same in each survey."""
    weight = np.linspace(1.0, 3.0, len(REGIONS))
    return weight / weight.sum()


def known_sizes():
    """Sizes of the known groups, persons."""
    return np.round(POPULATION * np.geomspace(0.0004, 0.02, len(KNOWN)), -2)


def psus_of(respondents):
    """How many PSUs a survey of so many respondents has; each region at least a few."""
    return int(np.clip(respondents // PSU_SIZE, 5 * len(REGIONS), MOST_PSUS))


def design(respondents, random):
    """Give a row a PSU: region, size, residence, and how it differs from others."""
    psus = psus_of(respondents)
    region = np.sort(np.arange(psus) % len(REGIONS))
    size = np.full(psus, respondents // psus)
    size[: respondents - size.sum()] += 1
    return pd.DataFrame(
        {
            "region": region,
            "size": size,
            "urban": (random.random(psus) < 0.5).astype(int),
            "degree": random.lognormal(0.0, 0.25, psus),
            "hidden": random.gamma(4.0, 0.25, psus),
        }
    )


def answers(first, plan, weights, random):
    """Make the interviews of some PSUs, of which the first has the number `first`."""
    psu = np.repeat(np.arange(len(plan)), plan["size"])
    rows = len(psu)
    place = plan.iloc[psu].reset_index(drop=True)
    age_group = random.choice(len(AGES), rows, p=AGE_SHARES)
    low, high = np.array(BREAKS[:-1])[age_group], np.array(BREAKS[1:])[age_group]
    begin = np.datetime64("2022-03-01T08:00:00") + random.integers(0, 60 * 86_400, rows)
    minutes = random.lognormal(np.log(35.0), 0.25, rows)
    table = {
        "psu": np.char.add("P", np.char.zfill((psu + first).astype(str), 5)),
        "region": place["region"].to_numpy() + 1,
        "urban": place["urban"].to_numpy(),
        "consent": np.where(random.random(rows) < 0.99, 1, 2),
        "start": begin,
        "end": begin + (60 * minutes).astype("timedelta64[s]"),
        "sex": random.integers(1, 3, rows),
        "age": np.where(random.random(rows) < 0.003, 17, random.integers(low, high)),
        "adults": np.minimum(1 + random.poisson(1.6, rows), 12),
        "interviewer": np.char.add("I", ((psu + first) // 3).astype(str)),
        "weight": weights[place["region"]] * random.lognormal(0.0, 0.1, rows),
    }
    degree = random.lognormal(np.log(250.0), 0.6, rows) * place["degree"].to_numpy()
    for name, known in zip(KNOWN, known_sizes() / POPULATION, strict=True):
        table[name] = counted(degree * known, random)
    for name, share in ITEMS.items():
        known = random.poisson(degree * share * place["hidden"].to_numpy())
        for item in ("first", "second"):
            table[f"{name}_{item}"] = counted(random.binomial(known, 0.8), random, drawn=True)
    some = sum(np.where(table[f"{name}_first"] < 996, table[f"{name}_first"], 0) for name in ITEMS)
    asked = some > 0
    reported = asked & (random.random(rows) < 0.3)
    table["reported"] = np.where(asked, np.where(reported, 1, 2), 996)
    table["authority"] = np.where(reported, random.integers(1, 3, rows), 996)
    return pd.DataFrame(table)


def counted(mean, random, drawn=False):
    """Turn means (or drawn numbers) into answers, some of them codes of missing values."""
    values = np.minimum(mean if drawn else random.poisson(mean), LONGEST).astype(float)
    missing = random.random(len(values)) < 0.02
    values[missing] = random.choice(MISSING, missing.sum(), p=[0.1, 0.35, 0.5, 0.05])
    values[random.random(len(values)) < 0.0005] = 120  # out of range
    return values


def spoil(table, random):
    """Put dirt in: repeated interviews, half-empty ones, hasty ones, one answer to everything."""
    rows = len(table)
    counts = [*KNOWN, *(f"{name}_{item}" for name in ITEMS for item in ("first", "second"))]
    hasty = random.random(rows) < 0.004
    table.loc[hasty, "end"] = table.loc[hasty, "start"] + np.timedelta64(180, "s")
    table.loc[random.random(rows) < 0.003, KNOWN] = 2.0
    table.loc[random.random(rows) < 0.004, counts[: len(counts) * 2 // 3]] = np.nan
    again = np.flatnonzero(random.random(rows) < 0.004)
    kept = np.where(random.random(len(again)) < 0.5, again, -1)  # under the same id, or a new one
    known = table["id"].to_numpy()
    repeated = table.iloc[again].assign(
        id=np.where(kept >= 0, known[kept], np.char.add(known[again].astype(str), "X"))
    )
    return pd.concat([table, repeated], ignore_index=True)


def write_export(path, respondents, seed):
    """Write the export, a piece of some PSUs after the other; give the number of its rows."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    world = np.random.default_rng([seed, respondents])
    plan = design(respondents, world)
    of_region = np.bincount(plan["region"], weights=plan["size"], minlength=len(REGIONS))
    # Households a respondent stands for; times the adults it gives persons.
    weights = POPULATION * ADULT_SHARE * share_of_regions() / of_region / 2.6
    step = max(1, PIECE // int(plan["size"].max()))
    written, writer, number = 0, None, 0
    for first in range(0, len(plan), step):
        piece = answers(first, plan.iloc[first : first + step], weights, world)
        ids = number + np.arange(len(piece))
        number += len(piece)
        piece.insert(0, "id", np.char.add("N", np.char.zfill(ids.astype(str), 7)))
        piece.insert(1, "household", np.char.add("H", np.char.zfill(ids.astype(str), 7)))
        piece = spoil(piece, world)
        piece["weight"] = piece["weight"].round(6)
        for name in ("start", "end"):
            piece[name] = np.datetime_as_string(piece[name].to_numpy("datetime64[s]"))
        whole = piece.columns.difference(["id", "household", "psu", "interviewer", "weight"])
        whole = whole.difference(["start", "end"])
        piece = piece.astype(dict.fromkeys(whole, "Int64"))
        table = pa.Table.from_pandas(piece, preserve_index=False)
        writer = writer or arrow_csv.CSVWriter(path, table.schema)
        writer.write_table(table)
        written += len(piece)
    writer.close()
    return written


def write_codebook(path):
    """Write the codebook."""
    regions = ";".join(f"{number}={name}" for number, name in enumerate(REGIONS, start=1))
    lines = [
        "id,respondent,Interview,text,key,,,,,,",
        "household,household,Household,text,key,,,,,,",
        "psu,psu,Primary sampling unit,text,key,,,,,,",
        "interviewer,interviewer,Interviewer,text,key,,,,,,",
        f"region,region,Region,categorical,domain,,,,,{regions},",
        "urban,urban,Residence,categorical,domain,,,,,0=rural;1=urban,",
        "consent,consent,Consent to take part,categorical,consent,,,,,1=yes;2=no,",
        "start,interview_start,Start of the interview,datetime,paradata,,,,,,",
        "end,interview_end,End of the interview,datetime,paradata,,,,,,",
        "sex,sex,Sex of the respondent,categorical,domain,,,,,1=male;2=female,",
        "age,age,Age of the respondent in years,numeric,covariate,,0,120,,,",
        "adults,adults,Adults in the household,numeric,covariate,,1,20,,,",
        "weight,base_weight_supplied,Base weight of the household,numeric,base_weight,,0,,,,",
    ]
    counts = [(name, "known") for name in KNOWN]
    counts += [(f"{name}_{item}", "hidden_item") for name in ITEMS for item in ("first", "second")]
    for name, role in counts:
        label = name.replace("_", " ")
        lines.append(f"{name},{name},{label},numeric,{role},{CODES},0,95,95,,{name}")
    lines.append(
        f"reported,reported,Was it reported?,categorical,situation,{CODES},,,,1=yes;2=no,all"
    )
    lines.append(
        f"authority,authority,To whom?,categorical,situation,{CODES},,,,1=police;2=other,all"
    )
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")


def write_side_tables(folder):
    """Write census margins, populations and known sizes."""
    shares = dict(zip(REGIONS, share_of_regions(), strict=True))
    adults = POPULATION * ADULT_SHARE
    rows = [("region", name, round(adults * share)) for name, share in shares.items()]
    for sex in ("male", "female"):
        for name, share in zip(AGES, AGE_SHARES, strict=True):
            rows.append(("sex_age", f"{sex} {name}", round(adults * share / 2)))
    write_rows(folder / "census.csv", ["margin", "category", "population"], rows)
    groups = {"West": REGIONS[:5], "Middle": REGIONS[5:10], "East": REGIONS[10:]}
    places = [("national", "national", 1.0)]
    places += [("island_group", k, sum(shares[name] for name in v)) for k, v in groups.items()]
    places += [("region", name, share) for name, share in shares.items()]
    columns = ["domain_type", "domain", "year", "all_ages", "children", "adults", "source"]
    rows = []
    for kind, name, share in places:
        people = share * POPULATION
        sizes = (people, people * (1 - ADULT_SHARE), people * ADULT_SHARE)
        rows.append((kind, name, 2022, *map(round, sizes), "made up"))
    write_rows(folder / "populations.csv", columns, rows)
    rows = [
        (name, name.replace("_", " "), int(size), 2022, "made up", "A", "")
        for name, size in zip(KNOWN, known_sizes(), strict=True)
    ]
    columns = ["group", "label", "size", "year", "source", "quality", "note"]
    write_rows(folder / "known_groups.csv", columns, rows)


def write_rows(path, columns, rows):
    """Write a small table."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([columns, *rows])


def write_survey(folder, respondents, seed):
    """Write the whole survey `big` into a copy of the project; give the rows of its export."""
    raw = Path(folder) / "data" / "raw" / "big"
    raw.mkdir(parents=True, exist_ok=True)
    rows = write_export(raw / "big.csv", respondents, seed)
    write_side_tables(raw)
    write_codebook(Path(folder) / "config" / "codebooks" / "big.csv")
    here = Path(__file__).with_suffix(".yaml")
    shutil.copyfile(here, Path(folder) / "config" / "surveys" / "big.yaml")
    sums = []
    for path in sorted(raw.glob("*.csv")):
        with path.open("rb") as stream:
            sums.append(f"{hashlib.file_digest(stream, 'sha256').hexdigest()}  {path.name}\n")
    (raw / "MANIFEST.sha256").write_text("".join(sums))
    return rows
