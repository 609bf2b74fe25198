"""A site whose runs fail as real logs say: each dataset's facts name a log of the corpus."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import operating

from reimage import document, queueing
from reimage.controller import Controller
from reimage.model import Stage
from reimage.run import Fault, Outcome, Run
from reimage.store import datasets

CORPUS = Path(__file__).with_name("corpus")
JOB = "restore/job"
LOGGED = {
    "uid://A001/X2/X1": "table-not-readable",
    "uid://A001/X2/X2": "table-not-readable",
    "uid://A001/X2/X3": "corrupt-trunc-data",
}
"""Datasets and the logs that their first runs leave."""


class LoggingExecutor(operating.InstantExecutor):
    """Plays runs at once; a dataset's first run leaves a log of CASA and its fault, unless told otherwise."""

    def submit(self, run_dir, attempt):
        run = document.read(Run, run_dir / "run.json")
        job = super().submit(run_dir, attempt)
        log = run.facts.get("log")
        if log and run.retry_of is None:
            leave(run_dir, attempt, (CORPUS / f"{log}.log").read_text())
        return job


def leave(run_dir, attempt, text):
    """Make a run have failed in restore, in a job of CASA that said so."""
    place = run_dir / JOB
    place.mkdir(parents=True)
    (place / "casa.log").write_text(text)
    document.write(place / "job.json", {"job": "restore"})
    document.write(
        place / "exit.json", {"exit_code": 1, "signal": None, "why": "exit", "wall_s": 3.0}
    )
    path = run_dir / "outcome.json"
    outcome = document.read(Outcome, path)
    fault = Fault(
        code="casa-job-failed",
        message="CASA ended with 1",
        hint="",
        evidence={},
        stage=Stage.RESTORE,
    )
    assert outcome.attempt == attempt
    document.write(
        path, replace(outcome, stage=Stage.RESTORE, finished=False, fault=fault, products=())
    )


def pack(path):
    """Compress a log, as a site's retention may."""
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()


def make_site(folder):
    """Make a site where the datasets of `LOGGED` were run, and one of them again, with success."""
    operating.make_folder(folder)
    settings = operating.settings_of(folder)
    with operating.opened(settings.database_url) as database:
        with database.write() as session:
            for uid, log in LOGGED.items():
                facts = {**operating.FACTS, "mous": uid, "bands": [7], "log": log}
                datasets.ensure(session, "alma", uid, facts, operating.NOW)
        made = [queueing.make_run(settings, database, dataset=uid) for uid in LOGGED]
        _work(settings, database)
        queueing.rerun(settings, database, made[1].run, look_first=False)
        _work(settings, database)


def _work(settings, database):
    Controller(settings, LoggingExecutor(), database).run(until_idle=True)
