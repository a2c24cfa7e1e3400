"""Run a survey again from its raw data in a clean copy, and compare what comes out."""

import argparse
import csv
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from prevalence.audit.comparison import Outcome, changes, compared, reproduced, verdict
from prevalence.audit.graph import Graph, jobs_from
from prevalence.audit.machine import checkout, hardware, installed, resources, without_network
from prevalence.audit.published import refusals
from prevalence.audit.record import Manifest, manifest_from
from prevalence.audit.reference import (
    EXHIBITS,
    MANIFEST,
    RUN,
    exhibit_text,
    line,
    marks,
    run_text,
    with_block,
)
from prevalence.audit.scratch import copied, files_below, last_lines, planned, run_snakemake
from prevalence.audit.summary import codecheck, differences, summary
from prevalence.errors import PipelineError, listed
from prevalence.files import read_json, read_yaml, replacing, write_json, write_text
from prevalence.manifest import parse_manifest, verify_file

ROOT = Path.cwd()
NOTHING = 3  # exit code where there is nothing to compare with


def record(survey: str) -> Path:
    """Folder of a survey's audit, from the project's root."""
    return Path("data/processed") / survey / "audit"


def reference(survey: str, renderer: str) -> Path:
    """Path of the committed manifest of a survey's outputs, one a renderer."""
    name = renderer.partition(" ")[0]
    return Path("data/reference") / f"manifest.{survey}.{name}.json"


def given_manifest(given: str, survey: str, renderer: str) -> Path | None:
    """Find the manifest to compare with: the given one, else a committed one."""
    if given:
        return Path(given)
    committed = reference(survey, renderer)
    others = sorted(committed.parent.glob(f"manifest.{survey}.*.json"))
    return next((path for path in [committed, *others] if path.is_file()), None)


def verify_raw(survey: str) -> int:
    """Verify every raw file of a survey; return how many there are."""
    ingest = read_yaml(ROOT / "config" / "surveys" / f"{survey}.yaml")["ingest"]
    names = sorted({ingest["responses"], *(ingest.get("tables") or {}).values()})
    folder = ROOT / "data" / "raw" / survey
    manifest = folder / "MANIFEST.sha256"
    if not manifest.is_file():
        raise PipelineError(
            "The raw files have no manifest.",
            file=manifest,
            remedy=f'Write it: make manifest SURVEY={survey} REASON="…".',
        )
    declared = parse_manifest(manifest.read_text(encoding="utf-8"), manifest)
    for name in names:
        try:
            verify_file(folder / name, folder, declared)
        except PipelineError as error:
            if (folder / name).is_file():
                resting = resting_on(survey, f"data/raw/{survey}/{name}")
                error.found = f"{error.found}; {len(resting)} outputs rest on it"
            raise
    return len(names)


def resting_on(survey: str, path: str) -> list[str]:
    """List the outputs of a survey that rest on a raw file."""
    plan = planned(ROOT, (record(survey) / "manifest.json").as_posix())
    outputs = [output for job in plan.jobs for output in job.outputs[""]]
    return [output for output in outputs if path in plan.sources(output)]


def rerun(survey: str, folder: Path, cores: str) -> dict[str, Any]:
    """Run a survey and its record in a copy of its declared inputs; say how it was run."""
    target = (record(survey) / "manifest.json").as_posix()
    plan = planned(ROOT, target)
    sources = sorted(plan.sources(target))
    copied(sources, ROOT, folder)
    prefix = without_network()
    started = datetime.now(UTC)
    done = run_snakemake(folder, ["--cores", cores, target], prefix)
    if done.returncode:
        raise PipelineError(
            "The run from the declared inputs did not complete.",
            file=folder,
            found="\n" + last_lines(done.stdout + done.stderr),
            allowed=f"{len(sources)} declared inputs were there, and nothing else",
            remedy="If an input is missing, declare it in its rule; else mend what the log says.",
        )
    words = [target, "--report", (record(survey) / "report.zip").as_posix(), "--cores", "1"]
    reported = run_snakemake(folder, words)
    if reported.returncode:
        raise PipelineError(
            "Snakemake's own report of the run could not be written.",
            found="\n" + last_lines(reported.stderr),
        )
    benchmarks = {
        path.relative_to(folder / "logs" / survey).with_suffix("").as_posix(): path.read_text()
        for path in sorted((folder / "logs" / survey).rglob("*.tsv"))
    }
    return {
        "started": started.isoformat(timespec="seconds"),
        "seconds": round((datetime.now(UTC) - started).total_seconds(), 1),
        "cores": cores,
        "network": "shut off" if prefix else "could not be shut off here",
        "declared_inputs": len(sources),
        "jobs": resources(benchmarks),
    }


def read_manifest(path: Path) -> Manifest:
    """Read a manifest of a run."""
    if path.is_dir():
        path = next(
            (p for p in (path / "manifest.json", path / "audit/manifest.json") if p.exists()), path
        )
    if not path.is_file():
        raise PipelineError(
            "There is no such manifest.",
            file=path,
            allowed="a file manifest.json that an audit wrote, or a folder with one",
            remedy="Mend the path, or leave MANIFEST out.",
        )
    return manifest_from(read_json(path), path)


def standing_report(survey: str) -> dict[str, bytes]:
    """Every file of the report that stands in this folder."""
    folder = ROOT / "reports" / survey
    return {path: (ROOT / path).read_bytes() for path in files_below(folder, ROOT)}


def citation() -> tuple[str, list[str]]:
    """Title and authors of the software."""
    path = ROOT / "CITATION.cff"
    cited = read_yaml(path) if path.exists() else {}
    return str(cited.get("title", "")), [str(one["name"]) for one in cited.get("authors", [])]


def write_record(folder: Path, survey: str, files: dict[str, Any], text: str) -> Path:
    """Write the audit's record beside the survey's results; nothing else is touched."""
    target = ROOT / record(survey)
    for path in sorted((folder / record(survey)).iterdir()):
        if path.name != "identity.json":
            with replacing(target / path.name) as partial:
                shutil.copyfile(path, partial)
    for name, value in files.items():
        if name.endswith(".yml"):
            write_text(yaml.safe_dump(value, sort_keys=False, allow_unicode=True), target / name)
        else:
            write_json(value, target / name)
    write_text(text, target / "summary.md")
    return target


def audit(given: argparse.Namespace, folder: Path) -> int:
    """Audit a survey in a scratch folder; return the exit code."""
    survey = given.survey
    print(f"audit of {survey}: {verify_raw(survey)} raw files are the declared ones")
    how = rerun(survey, folder, given.cores)
    made = read_manifest(folder / record(survey))
    print(f"run again from {how['declared_inputs']} declared inputs in {how['seconds']:.0f} s")
    if given.reference:
        return write_reference(made, folder, how)
    graph = Graph(jobs_from(read_json(folder / record(survey) / "jobs.json")))
    path = given_manifest(given.manifest, survey, made.renderer)
    before = read_manifest(path) if path else None
    recorded = ROOT / record(survey) / "identity.json"
    report = standing_report(survey)
    elsewhere = before is not None and before.made_with != made.made_with
    then = read_json(recorded) if recorded.exists() else None
    found = Findings(
        made=made,
        before=before,
        compared_with=str(path) if path else "nothing",
        outcomes=compared(before, made, graph) if before else [],
        report=bool(report),
        refused=refusals(report, made, then, graph, elsewhere=elsewhere) if report else [],
    )
    return conclude(folder, found, {**how, **checkout(ROOT)}, given.auditor)


@dataclass(frozen=True)
class Findings:
    """What an audit found."""

    made: Manifest
    before: Manifest | None
    compared_with: str
    outcomes: Sequence[Outcome]
    report: bool
    refused: Sequence[str]

    @property
    def verdict(self) -> str:
        """The verdict in one line."""
        if self.before:
            line = verdict(self.outcomes, self.made.tolerance)
        elif self.report and not self.refused:
            published = sum(name.startswith("reports/") for name in self.made.outputs)
            line = f"reproduced: {published} published files as they stand here; no manifest given"
        else:
            line = "not compared: there is no manifest of this survey"
        if self.refused:
            line += f"; the report in reports/{self.made.survey}/ is REFUSED"
        return line

    @property
    def exit_code(self) -> int:
        """0 if reproduced, 1 if not, 3 if there was nothing to compare with."""
        if self.refused or (self.before and not reproduced(self.outcomes)):
            return 1
        return 0 if self.before or self.report else NOTHING


def conclude(folder: Path, found: Findings, how: dict[str, Any], auditor: str) -> int:
    """Write the record, say the verdict, return the exit code."""
    made = found.made
    title, authors = citation()
    files = {
        "run.json": {**how, "hardware": hardware(), "software": installed()},
        "comparison.json": {
            "verdict": found.verdict,
            "compared_with": found.compared_with,
            "refused": list(found.refused),
            "outcomes": [vars(outcome) for outcome in found.outcomes],
        },
        "codecheck.yml": codecheck(made, title, authors, auditor, found.verdict),
    }
    text = summary(
        made,
        found.verdict,
        found.compared_with,
        found.outcomes,
        found.refused,
        changes(found.before, made) if found.before else None,
    )
    target = write_record(folder, made.survey, files, text)
    for told in (*found.refused, *differences(found.outcomes)):
        print(f"  {told}")
    print(describe_crate(folder, target, made))
    print(f"record: {target.relative_to(ROOT)}/")
    print(found.verdict)
    return found.exit_code


def describe_crate(folder: Path, target: Path, made: Manifest) -> str:
    """Write the RO-Crate; say where it is."""
    from prevalence.audit.crate import write_crate

    title, authors = citation()
    write_crate(folder, target, made, title, authors)
    return f"RO-Crate: {(target / 'crate').relative_to(ROOT)}/ro-crate-metadata.json"


def write_reference(made: Manifest, folder: Path, how: dict[str, Any]) -> int:
    """Commit to what this run made: the manifest, and what the README says of it."""
    path = reference(made.survey, made.renderer)
    write_json(made.plain(), ROOT / path)
    committed = sorted((ROOT / path).parent.glob("manifest.*.json"))
    lines = [
        f"- {line(each.relative_to(ROOT).as_posix(), each.read_bytes())}" for each in committed
    ]
    blocks = {MANIFEST: "\n".join(lines)}
    if made.survey == read_yaml(ROOT / "config" / "config.yaml")["surveys"][0]:
        with (folder / record(made.survey) / "exhibits.csv").open(encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        blocks |= {RUN: run_text(made, how, hardware()), EXHIBITS: exhibit_text(rows, made)}
    readme = ROOT / "README.md"
    if readme.exists():
        text = readme.read_text(encoding="utf-8")
        for name, block in blocks.items():
            if marks(name)[0] in text:
                text = with_block(text, name, block)
            else:
                print(f"README.md has no line {marks(name)[0]}: nothing was written there")
        write_text(text, readme)
    print(f"{path}: {len(made.outputs)} outputs, identity {made.identity['identity']}")
    return 0


def verify_standing(survey: str, given: str, cores: str) -> int:
    """Compare what stands in this folder with the manifest, without running it anew."""
    done = run_snakemake(ROOT, ["--cores", cores, (record(survey) / "manifest.json").as_posix()])
    if done.returncode:
        raise PipelineError(
            "The run could not be put on record.",
            found="\n" + last_lines(done.stdout + done.stderr),
            remedy="Mend what the log says; then verify again.",
        )
    made = read_manifest(ROOT / record(survey))
    path = given_manifest(given, survey, made.renderer)
    if path is None:
        print("not compared: there is no manifest of this survey")
        return NOTHING
    graph = Graph(jobs_from(read_json(ROOT / record(survey) / "jobs.json")))
    outcomes = compared(read_manifest(path), made, graph)
    for told in differences(outcomes):
        print(f"  {told}")
    print(verdict(outcomes, made.tolerance))
    return 0 if reproduced(outcomes) else 1


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--survey", default="ph2022")
    parser.add_argument("--manifest", default="", help="of the run to compare with")
    parser.add_argument("--scratch", default="", help="where the clean copy is made")
    parser.add_argument("--cores", default="all")
    parser.add_argument("--auditor", default="not named")
    parser.add_argument("--keep", action="store_true", help="keep the clean copy")
    parser.add_argument("--reference", action="store_true", help="write the manifest to commit")
    parser.add_argument("--standing", action="store_true", help="compare without running anew")
    return parser.parse_args()


def check_survey(survey: str) -> None:
    """Refuse a survey that has no config."""
    surveys = sorted(path.stem for path in (ROOT / "config" / "surveys").glob("*.yaml"))
    if survey not in surveys:
        raise PipelineError(
            "There is no such survey.", place="SURVEY", found=survey, allowed=listed(surveys)
        )


def main() -> int:
    """Audit; nothing of the user's is deleted or changed but the audit's record."""
    given = arguments()
    scratch = given.scratch or None
    folder = Path(tempfile.mkdtemp(prefix=f"audit-{given.survey}-", dir=scratch))
    try:
        check_survey(given.survey)
        if given.standing:
            return verify_standing(given.survey, given.manifest, given.cores)
        return audit(given, folder)
    except PipelineError as error:
        print(f"NOT reproduced: {error}", file=sys.stderr)
        return 1
    finally:
        if given.keep:
            print(f"clean copy: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
