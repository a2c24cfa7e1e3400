"""Published numbers of ph2022 from its raw export in a page of pandas, without this project's code.

    python tests/audit/by_hand.py

For an auditor who wants to follow a number without trusting the pipeline. Written from
docs/methods.md, config/surveys/ph2022.yaml and config/codebooks/ph2022.csv; test_by_hand.py holds
it against what was published. Rounding, intervals and disclosure control are left out.
"""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat

ROOT = Path(__file__).parents[2]
RAW = ROOT / "data/raw/ph2022"
KNOWN = ["doctors", "lawyers", "drivers", "nurses", "security_guards", "students"]
KNOWN += ["construction_workers", "bpo_workers", "sari_sari_store_owners"]  # the headline's
MERGED = {("NCR", 0): ("NCR", 1), ("II", 1): ("II", 0)}  # fewer than 20 respondents: collapsed.csv
ANSWERS = ("domain", "covariate", "known", "child", "hidden_item", "situation")


def screened():
    """The valid interviews, their counts (missing where not answered), and how many each rule took.

    A count is an answer up to 95: 996 to 999 are not asked, refused, don't know.
    """
    with (ROOT / "config/codebooks/ph2022.csv").open(encoding="utf-8") as stream:
        book = {row["raw"]: row for row in csv.DictReader(stream)}
    people, _ = pyreadstat.read_sav(str(RAW / "ph2022.sav"), user_missing=True)
    counted = [c for c in people if book.get(c, {}).get("group") and c[0] == "Q"]
    counted += [c for c in people if book.get(c, {}).get("role") == "hidden_item"]
    counts = people[list(dict.fromkeys(counted))].where(lambda v: (v >= 0) & (v <= 95))
    minutes = pd.to_datetime(people.END) - pd.to_datetime(people.START)
    first = counts.isna().sum(axis=1).to_frame("missing").assign(start=people.START)
    # Of duplicates the fullest stays, then the earliest.
    first = first.sort_values(["missing", "start"]).index
    answers = [c for c in people if book.get(c, {}).get("role") in ANSWERS]
    asked = [c for c in counts if c.startswith("Q6")]
    lost = {}

    def keep(rule, name):
        nonlocal people, counts, minutes
        lost[name] = int((~rule).sum())
        people, counts, minutes = people[rule], counts[rule], minutes[rule]

    def later(columns):
        order = first[first.isin(people.index)]
        return people.loc[order, columns].duplicated().reindex(people.index)

    keep(people.CONSENT == 1, "consent")
    keep(people.S4a.between(18, 110) | people.S4a.isna(), "eligible_age")
    keep(~later(["RESP_ID"]), "duplicate_id")
    keep(~(later(answers) & ((counts > 0).sum(axis=1) >= 6)), "duplicate_content")
    keep(counts.isna().mean(axis=1) <= 0.5, "incomplete")
    keep(~(minutes < 0.33 * minutes.median()), "too_short")
    same = counts[asked].min(axis=1) == counts[asked].max(axis=1)
    same &= (counts[asked].notna().sum(axis=1) >= 8) & (counts[asked].max(axis=1) > 0)
    keep(~same, "straight_lining")
    region = dict(pair.split("=") for pair in book["RP.Reg"]["values"].split(";"))
    people = people.assign(region=people["RP.Reg"].map(lambda code: region[str(int(code))]))
    names = {row["raw"]: row["variable"] for row in book.values()}
    return people, counts.rename(columns=names), lost


def weights(people):
    """The weights after each step, by its name in the weighting table."""
    frame = pd.read_csv(RAW / "sample_frame.csv", dtype={"household": str, "disposition": str})
    frame["base"] = 1 / (frame.p_psu * frame.p_ssu * frame.p_household)
    frame["place"] = [MERGED.get(p, p) for p in zip(frame.region, frame.urban, strict=True)]
    mine = people[["HH_ID"]].merge(frame, left_on="HH_ID", right_on="household", how="left")
    base = mine.base.to_numpy() * people.S9num.to_numpy()  # one adult was drawn among so many
    kind = frame.disposition.str[0]  # 1 interview, 2 eligible without, 3 unknown, 4 not eligible
    eligible = kind.isin(["1", "2"])
    share = frame.base[eligible].sum() / frame.base[kind != "3"].sum()  # AAPOR's e
    counted = frame.base * np.where(eligible, 1.0, np.where(kind == "3", share, 0.0))
    raised = counted.groupby(frame.place).sum() / mine.groupby("place").base.sum()
    nonresponse = base * mine.place.map(raised).to_numpy()  # no weight is above the trimming bound
    census = pd.read_csv(RAW / "census_2020.csv").set_index(["margin", "category"]).population
    edges = [18, 25, 35, 45, 55, 65, 200]
    ages = ["18–24", "25–34", "35–44", "45–54", "55–64", "65+"]
    age = pd.cut(people.S4a, edges, right=False, labels=ages).astype(str)
    cells = {"region": people.region, "sex_age": people.S2.map({1: "male ", 2: "female "}) + age}
    final = pd.Series(nonresponse, people.index)
    for _ in range(60):
        for margin, cell in cells.items():
            final = final * cell.map(census[margin] / final.groupby(cell).sum())
    return {"base": base, "nonresponse": nonresponse, "final": final.to_numpy()}


def networks(counts, everybody):
    """Network sizes: everybody, times people known over sizes of the groups that were answered."""
    sizes = pd.read_csv(RAW / "known_groups.csv").set_index("group")["size"][KNOWN]
    known = counts[KNOWN].clip(upper=100)
    degree = everybody * known.sum(axis=1) / (known.notna() * sizes).sum(axis=1)
    return degree.where(known.notna().sum(axis=1) >= 5)


def main():
    """Compute how many children were trafficked, in the nation and in two regions."""
    people, counts, lost = screened()
    steps = weights(people)
    table = pd.read_csv(RAW / "populations.csv").set_index(["domain_type", "domain"]).all_ages
    degree = networks(counts, table["national", "national"])
    victims = counts[["victims_nonlive", "victims_live"]].max(axis=1)  # one answer is enough
    victims = victims.clip(upper=30).where(degree.notna())
    pairs = pd.DataFrame({"w": steps["final"], "y": victims, "d": degree, "region": people.region})
    pairs = pairs.dropna()
    sizes = {}
    for place in (("national", "national"), ("region", "NCR"), ("region", "III")):
        part = pairs[(pairs.region == place[1]) | (place[0] == "national")]
        sizes[place[1]] = float(table[place] * (part.w @ part.y) / (part.w @ part.d))
    reporting = int((pairs.y > 0).sum())
    sums = {name: float(weight.sum()) for name, weight in steps.items()}
    return {"lost": lost, "sums": sums, "victims": sizes, "n": len(pairs), "reporting": reporting}


if __name__ == "__main__":
    for name, value in main().items():
        print(name, value)
