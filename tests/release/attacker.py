"""An attacker who has every released row of a finished run at once, and knows more than they say.

Written apart from the release stage. Of every cell that is shown he is taken to know exactly: the
number of respondents who report, their reports unweighted, weighted, and as weighted ratios to
degrees (what the rows of the several estimators give), the number of respondents, and the degrees.
He knows the top code, the smallest and the largest weight as released, reads the reasons, and has
the published sums over domains with their rounding. What all of this together leaves open of a
withheld cell are the least and the greatest value of one linear programme.
"""

import base64
import csv
import io
import json
import math
import re

import numpy as np
import pandas as pd
from scipy.optimize import linprog

KINDS = ("reporting", "reports", "weighted", "ratios")
KEYS = ("domain_type", "domain")
NATION = ("national", "national")


def micro_sums(folder, group, kinds, cap):
    """Sums over the respondents of each place: what the rows of all estimators can give at most."""
    ard = pd.read_parquet(folder / "clean" / "ard.parquet")
    people = pd.read_parquet(folder / "clean" / "respondents.parquet").set_index("respondent")
    people["weight"] = pd.read_parquet(folder / "weight" / "weights.parquet").set_index(
        "respondent"
    )["final"]
    people["degree"] = pd.read_parquet(folder / "estimate" / "degrees.parquet").set_index(
        "respondent"
    )["degree"]
    people["y"] = ard[ard["group"] == group].set_index("respondent")["count"].clip(upper=cap)
    people = people.dropna(subset=["y", "degree"])
    y, weight = people["y"], people["weight"]
    ratio = (y / people["degree"].where(people["degree"] > 0)).fillna(0.0)
    people = people.assign(
        respondents=1, reporting=y > 0, reports=y, weighted=weight * y, ratios=weight * ratio
    )
    columns = ["respondents", *KINDS]
    found = {NATION: people[columns].sum()}
    for kind in kinds:
        for place, part in people.groupby(kind):
            found[kind, str(place)] = part[columns].sum()
    frame = pd.DataFrame(found).T.astype(float)
    parents = {}
    for fine in kinds:
        for coarse in kinds:
            above = people.groupby(fine)[coarse].nunique()
            if fine != coarse and (above == 1).all():
                for part, whole in people.groupby(fine)[coarse].first().items():
                    parents.setdefault((coarse, str(whole)), {}).setdefault(fine, []).append(
                        (fine, str(part))
                    )
        parents.setdefault(NATION, {})[fine] = [place for place in found if place[0] == fine]
    return frame, [(whole, parts) for whole, by in parents.items() for parts in by.values()]


def sum_limits(row):
    """What the rounded numbers of a released sum leave open of it, in persons.

    The estimate itself, the root of the product of its limits, and what standard error and limits
    give together: each within the rounding, which is never finer than a tenth of the error.
    """
    share = 0.1 * row["std_error"]
    power = 10.0 ** math.floor(math.log10(share))
    by_error = power * min(step for step in (1, 2, 5, 10) if step * power >= share * 0.95)
    by_digits = 10.0 ** (math.floor(math.log10(row["estimate"])) - 2)
    half = max(by_error, by_digits) / 2
    low, high = row["lower"], row["upper"]
    ends = [(row["estimate"] - half, row["estimate"] + half)]
    if row["interval"] == "log_t" and low > half:
        ends.append(
            (math.sqrt((low - half) * (high - half)), math.sqrt((low + half) * (high + half)))
        )
    return max(end[0] for end in ends), min(end[1] for end in ends)


def derivable(sums, wholes, reasons, *, weights, cap, totals=(), floor=10):
    """Least and greatest value of each withheld cell, of each kind of sum.

    Parameters
    ----------
    sums
        True sums by place (rows) and kind, ``respondents`` besides.
    wholes
        Each whole with its parts.
    reasons
        Reason or empty by place.
    weights
        Smallest and largest weight.
    cap
        Top code of the reports.
    totals
        Published sums: coefficients of the weighted reports by place, least, greatest.

    Returns
    -------
    dict
        (place, kind): the two ends.
    """
    hidden = [place for place, reason in reasons.items() if reason]
    at = {(place, kind): n for n, (place, kind) in enumerate((p, k) for p in hidden for k in KINDS)}
    equal, right, below, most = [], [], [], []
    complementary = "complementary" in reasons.values()
    low, high = np.zeros(len(at)), np.full(len(at), np.inf)

    def row(coefficients):
        values = np.zeros(len(at))
        for key, value in coefficients.items():
            values[at[key]] += value
        return values

    for whole, parts in wholes:
        members = [(whole, 1.0), *((part, -1.0) for part in parts)]
        members = [(place, sign) for place, sign in members if place in reasons]
        unknown = {place: sign for place, sign in members if reasons[place]}
        if len(members) <= len(parts) or not unknown:
            continue
        for kind in KINDS:
            equal.append(row({(place, kind): sign for place, sign in unknown.items()}))
            known = [
                sign * sums.loc[[place], kind].iloc[0]
                for place, sign in members
                if not reasons[place]
            ]
            right.append(-sum(known))
    for coefficients, least, greatest in totals:
        unknown = {(p, "weighted"): c for p, c in coefficients.items() if reasons[p]}
        known = sum(
            c * sums.loc[[p], "weighted"].iloc[0] for p, c in coefficients.items() if not reasons[p]
        )
        if unknown:
            below += [row(unknown), -row(unknown)]
            most += [greatest - known, known - least]
    for place in hidden:
        n, y, w = ((place, kind) for kind in KINDS[:3])
        below += [row({n: 1, y: -1}), row({y: 1, n: -cap})]
        below += [row({y: weights[0], w: -1}), row({w: 1, y: -weights[1]})]
        most += [0.0] * 4
        high[at[n]] = sums.loc[[place], "respondents"].iloc[0]
        if reasons[place] == "primary" and complementary:
            high[at[n]] = floor - 1
        elif reasons[place] == "complementary":
            low[at[n]] = floor
    # Weighted sums are millions and counts are tens: columns and rows are brought to one size.
    scale = np.array([float(sums.loc[hidden, kind].max()) or 1.0 for _, kind in at])
    equations, others = (
        [(np.array(row) * scale, value) for row, value in zip(*both, strict=True)]
        for both in ((equal, right), (below, most))
    )
    equations, others = (
        [(row / abs(row).max(), value / abs(row).max()) for row, value in rows]
        for rows in (equations, others)
    )
    found = {}
    for key, position in at.items():
        ends = []
        for sign in (1, -1):
            cost = np.zeros(len(at))
            cost[position] = sign
            result = linprog(
                cost,
                A_eq=np.array([row for row, _ in equations]) if equations else None,
                b_eq=[value for _, value in equations] or None,
                A_ub=np.array([row for row, _ in others]),
                b_ub=[value for _, value in others],
                bounds=np.column_stack([low, high]) / scale[:, None],
            )
            assert result.status in (0, 3), result.message
            ends.append(sign * result.fun * scale[position] if result.status == 0 else np.inf)
        found[key] = tuple(ends)
    return found


def published_rows(folder):
    """Every row of every table and figure that was published, those within the page included."""
    for path in sorted(folder.rglob("*.csv")):
        with path.open(encoding="utf-8", newline="") as stream:
            yield from ((path.name, row) for row in csv.DictReader(stream))
    for path in sorted(folder.glob("*.html")):
        embedded = re.findall(r"data:text/csv[^,\"]*;base64,([^\"']+)", path.read_text("utf-8"))
        for number, text in enumerate(embedded):
            rows = csv.DictReader(io.StringIO(base64.b64decode(text).decode("utf-8-sig")))
            yield from ((f"{path.name}, embedded {number}", row) for row in rows)
    for path in sorted(folder.glob("*.json")):
        for row in json.loads(path.read_text("utf-8")).get("estimates", []):
            yield (
                path.name,
                {key: "" if value is None else str(value) for key, value in row.items()},
            )


def is_number(text):
    """Whether a cell of a table holds a number."""
    try:
        return math.isfinite(float(text))
    except (TypeError, ValueError):
        return False
