"""Which CASA call of a run a capsule repeats, and what it was given.

The last one that failed; where none did, the last that worked on the data and not only looked at them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reimage import document, journal
from reimage.errors import DocumentUnreadable
from reimage.model import Calibration, CasaBuild, Stage
from reimage.run import Run
from reimage.stages.context import PROVEN
from reimage.stages.values import ChooseValue
from reimage.triage import job_evidence
from reimage.triage.job_evidence import JobEvidence

LOOKING = frozenset({"inspect_ms", "fix_ms"})
"""Jobs that prove or mend what another one made."""
IN_SHELL = frozenset({"shell_script", "shell_pipeline"})
WITH_PIPELINE = "shell_pipeline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One start of a CASA job, as its directory tells it."""

    run_dir: Path
    """Where the run directory is now."""
    origin: Path
    """Where it was when the job ran: its inputs name places there."""
    directory: str
    """Of the job, relative to the run directory."""
    job: str
    inputs: Mapping[str, Any]
    build: CasaBuild
    ended: JobEvidence
    pipeline: bool = False
    """The shell was started with the ALMA pipeline."""

    @property
    def in_shell(self) -> bool:
        """Whether it ran in the shell of a monolithic CASA."""
        return self.job in IN_SHELL

    def relative(self, path: str) -> Path | None:
        """Return a place that an input names, relative to the run directory; None where it is elsewhere."""
        for root in (self.origin, self.run_dir):
            if Path(path).is_relative_to(root):
                return Path(path).relative_to(root)
        return None


def jobs_of(run_dir: Path) -> tuple[JobEvidence, ...]:
    """Return the starts of CASA jobs whose inputs are still there, earliest end first."""
    return tuple(
        job
        for job in job_evidence.jobs(run_dir)
        if (run_dir / job.directory / "job.json").is_file()
    )


def choose(jobs: Sequence[JobEvidence]) -> JobEvidence | None:
    """Return the job that is to be repeated; None where there is none."""
    failed = [job for job in jobs if not job.ok]
    working = [job for job in jobs if job.job not in LOOKING]
    return next(iter([*failed[-1:], *working[-1:], *jobs[-1:]]), None)


def read(run_dir: Path, run: Run, job: JobEvidence) -> Call | None:
    """Return what a job was given; None where its record is torn or nothing says which build ran it."""
    directory = run_dir / job.directory
    try:
        asked = document.read_json(directory / "job.json")
        place, inputs = Path(asked["result"]).parent, dict(asked["input"])
    except (DocumentUnreadable, KeyError, TypeError, ValueError):
        return None
    depth = len(Path(job.directory).parts)
    build = _build(run_dir, run, job)
    if build is None or len(place.parents) < depth:
        return None
    return Call(
        run_dir=run_dir,
        origin=place.parents[depth - 1],
        directory=job.directory,
        job=job.job,
        inputs=inputs,
        build=build,
        ended=job,
        pipeline=job.job == WITH_PIPELINE or _calls_pipeline(run_dir, job),
    )


def _build(run_dir: Path, run: Run, job: JobEvidence) -> CasaBuild | None:
    """Return the build that the journal names for a job, else the one that was chosen, else the only one."""
    known = {build.id: build for build in run.builds}
    told = [
        str(event.data.get("build"))
        for event in events(run_dir)
        if event.event == "casa.started"
        and str(event.data.get("directory", "")).endswith(f"/{job.directory}")
    ]
    chosen = chosen_of(run_dir)
    named = [*told[-1:], *([chosen.choice.build] if chosen else [])]
    only = [*known] if len(known) == 1 else []
    return next((known[name] for name in (*named, *only) if name in known), None)


def chosen_of(run_dir: Path) -> ChooseValue | None:
    """Return what *choose* has proven; None where it has not, or its proof is of another version."""
    try:
        kept = document.read_json(run_dir / Stage.CHOOSE / PROVEN)
        return document.load(ChooseValue, kept["value"])
    except (DocumentUnreadable, KeyError, TypeError):
        return None


def _calls_pipeline(run_dir: Path, job: JobEvidence) -> bool:
    chosen = chosen_of(run_dir)
    if job.job not in IN_SHELL or chosen is None:
        return False
    return chosen.delivery.calibration is Calibration.PIPELINE


def events(run_dir: Path) -> Iterator[journal.Event]:
    """Yield what the attempts' journals say, in their order."""
    numbers = (run_dir / "attempts").glob("*/journal.jsonl")
    for path in sorted(numbers, key=lambda one: (len(one.parent.name), one.parent.name)):
        yield from (event for event, _ in journal.read(path))
