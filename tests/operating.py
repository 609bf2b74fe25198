"""An operator's place for tests of the command line: a site in a folder, and runs that end at once."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import fake_runner

from reimage import cli, document, sweeps
from reimage.controller import Controller
from reimage.executors.protocol import JobState, JobStatus
from reimage.model import ProductState
from reimage.run import Exit, Outcome, Run
from reimage.settings import Settings
from reimage.store import datasets, migrate

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
FACTS = {
    "project": "2018.1.00001.S",
    "cycle": 6,
    "bands": [6],
    "array": "12m",
    "targets": ["NGC_1"],
}
FATES = {
    "uid://A001/X1/X1": {},
    "uid://A001/X1/X2": {"act": "fail", "act_at": "fetch"},
    "uid://A001/X1/X3": {"act": "refuse", "act_at": "choose"},
    "uid://A001/X1/X4": {"loses": "b.fits"},
}
"""Datasets and what comes of them: imaged, failed, refused, partial."""


class InstantExecutor:
    """Plays a run while it is submitted, in this process."""

    name = "instant"

    def submit(self, run_dir, attempt):
        begun = datetime.now(UTC)
        (run_dir / "attempts" / str(attempt)).mkdir(parents=True, exist_ok=True)
        fake_runner.play(run_dir, attempt)
        run = document.read(Run, run_dir / "run.json")
        if "loses" in run.facts:
            _lose(run_dir / "outcome.json", run.facts["loses"])
        ended = Exit(
            attempt=attempt,
            host="here",
            boot_id="b",
            pid=1,
            started_at=begun,
            ended_at=datetime.now(UTC),
            exit_code=0,
            signal=None,
            why="exit",
            wall_s=75.5,
            cpu_s=1.0,
            peak_tree_mb=123,
            peak_process_mb=100,
        )
        document.write(run_dir / "attempts" / str(attempt) / "exit.json", ended)
        return f"job-{run.run}"

    def recover(self, run_dir, attempt):  # noqa: ARG002 -- an executor's shape
        return None

    def poll(self, jobs):
        return {job: JobStatus(state=JobState.ENDED) for job in jobs}

    def cancel(self, job):
        pass


def _lose(path, name):
    outcome = document.read(Outcome, path)
    products = tuple(
        replace(product, state=ProductState.ABSENT, reason="no room", path=None)
        if product.name == name
        else product
        for product in outcome.products
    )
    document.write(path, replace(outcome, products=products))


@dataclass
class Said:
    """What a command line left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@dataclass
class Site:
    """A folder with settings, a database and four datasets, and the command line in it."""

    settings: Settings
    capsys: object

    def call(self, *arguments):
        self.capsys.readouterr()
        code = cli.main([str(argument) for argument in arguments])
        said = self.capsys.readouterr()
        return Said(code, said.out, said.err)


def make_folder(folder):
    """Make a site's folder; its settings file is reimage.toml."""
    (folder / "reimage.toml").write_text('data = "data"\npoll_s = 0.01\nslots = 4\n')
    url = settings_of(folder).database_url
    migrate.upgrade(url)
    rows = [(uid, {**FACTS, "mous": uid, **fate}) for uid, fate in FATES.items()]
    with opened(url) as database, database.write() as session:
        datasets.sync(session, "alma", rows, at=NOW)


def run_demo(folder):
    """Run the category demo in a site's folder, to the end."""
    settings = settings_of(folder)
    with opened(settings.database_url) as database:
        sweeps.launch(settings, database, "demo", author="somebody")
    work(settings)


def work(settings):
    """Carry out everything that is queued."""
    with opened(settings.database_url) as database:
        Controller(settings, InstantExecutor(), database).run(until_idle=True)


def settings_of(folder):
    return Settings(data=folder / "data", poll_s=0.01, slots=4)


def opened(url):
    return closing(migrate.open_database(url))
