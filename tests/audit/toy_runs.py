"""Small runs whose manifests are compared."""

import pandas as pd

from prevalence.audit.contents import described
from prevalence.audit.graph import Graph, Job
from prevalence.audit.record import composed

RELEASED = "data/processed/toy/release/scale_up.csv"
RESTRICTED = "data/processed/toy/restricted/estimate/scale_up.csv"
PAGE = "reports/toy/summary.html"
PICTURE = "reports/toy/figures/headline.svg"
DRAWN = "reports/toy/figures/headline.csv"
WORDS = "config/terminology.yaml"
IDENTITY = {
    "identity": "0123456789ab",
    "sha256": "0" * 64,
    "parts": {"raw": "r", "config": "c", "code": "k", "environment": "e"},
}
SOURCES = {
    "data/raw/toy/toy.sav": b"answers",
    "config/surveys/toy.yaml": b"weight: 1\n",
    "src/prevalence/ratio.py": b"def ratio(): ...\n",
    "scripts/report/render_report.py": b"def main(job): ...\n",
    "reports/sections/headline.qmd": b"A sentence.\n",
}
GRAPH = Graph(
    [
        Job(
            "estimate",
            "scripts/estimate/estimate.py",
            {"scale_up": [RESTRICTED]},
            ["data/raw/toy/toy.sav"],
            ["src/prevalence/ratio.py"],
            ["estimate"],
        ),
        Job("release", "scripts/release/release.py", {"tables": [RELEASED]}, [RESTRICTED], [], []),
        Job("draw", "scripts/figures/draw.py", {"all": [PICTURE, DRAWN]}, [RELEASED], [], []),
        Job(
            "render",
            "scripts/report/render_report.py",
            {"page": [PAGE]},
            [RELEASED, "reports/sections/headline.qmd"],
            ["scripts/report/render_report.py"],
            ["report"],
        ),
    ]
)


def estimates(**changed):
    rows = [
        {"group": "victims", "domain": f"region {number}", "estimate": 1000.0 * 1.7**number}
        for number in range(8)
    ]
    for place, value in changed.items():
        rows[int(place.removeprefix("row"))]["estimate"] = value
    return pd.DataFrame(rows).to_csv(index=False).encode()


def files(**given):
    page = b"<html><body><p>An estimated 430,000 children. Run 0123456789ab</p></body></html>"
    return {
        RESTRICTED: given.get("restricted", estimates()),
        RELEASED: given.get("released", estimates()),
        DRAWN: given.get("drawn", estimates()),
        PICTURE: given.get("picture", b"<svg/>"),
        PAGE: given.get("page", page),
    }


def manifest(
    *, sources=None, config=None, words="a word", made_with=None, renderer="builtin 1", **given
):
    """The manifest of a run, with what a test changes."""
    outputs = {
        path: described(
            path, content, values="/restricted/" not in path, apart=[IDENTITY["identity"], renderer]
        )
        for path, content in files(**given).items()
    }
    return composed(
        survey="toy",
        identity=IDENTITY,
        renderer=renderer,
        made_with=made_with or {"platform": "Linux x86_64", "numpy": "2.2"},
        config={
            "survey": config or {"estimate": {"level": 0.95}, "report": {"title": "A"}},
            WORDS: {"terms": [{"id": "term", "pattern": words}]},
        },
        inputs={
            path: described(path, content, values=False)
            for path, content in {**SOURCES, WORDS: words.encode(), **(sources or {})}.items()
        },
        outputs=outputs,
        exhibits={"fig-headline": DRAWN, "tbl-headline": RELEASED},
        numbers={"groups.victims.count": "430,000"},
    )
