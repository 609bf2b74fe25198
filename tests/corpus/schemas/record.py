"""Record what a program of some schema leaves behind: its run directories and its database.

To be run with the program of that time, from a tree of its last commit (ORIGIN.md says which)::

    git archive COMMIT | tar x -C OLD
    PYTHONPATH=OLD:OLD/tests:OLD/tests/integration python tests/corpus/schemas/record.py REVISION

Writes ``REVISION.sql`` (the database, as text) and ``REVISION.tar.xz`` (the data directory) beside this file.
The history is the one that the tests of rebuilding used then: runs imaged, failed, refused, tried again,
cancelled, one under way whose machine is then switched off, one queued.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import sys
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path

HERE = Path(__file__).parent
HOST = "recorded.invalid"
"""Stands for the machine: what reads it puts its own name in place."""
FACTS = {
    "mous": "uid://A001/X1/X1",
    "project": "2018.1.00001.S",
    "cycle": 6,
    "bands": [3, 6],
    "array": "12m",
    "targets": ["NGC_1"],
    "is_mosaic": True,
    "frequency_min_hz": 84.5e9,
    "frequency_max_hz": 100e9,
    "frequency_min_ghz": 84.5,
    "frequency_max_ghz": 100.0,
}


def record(revision: str) -> None:
    """Make the history with the program at hand, and keep it."""
    import test_rebuild  # noqa: PLC0415 -- of the old tree

    from reimage.journal import now  # noqa: PLC0415 -- the same
    from reimage.settings import Settings  # noqa: PLC0415 -- the same
    from reimage.store import datasets, migrate  # noqa: PLC0415 -- the same

    place = Path(tempfile.mkdtemp(prefix="reimage-record-"))
    settings = Settings(data=place / "data", cache=place / "cache", poll_s=0.05, slots=2)
    url = f"sqlite:///{settings.data / 'reimage.db'}"
    assert migrate.upgrade(url)[-1] == revision
    database = migrate.open_database(url)
    with database.write() as session:
        datasets.sync(session, "alma", [(FACTS["mous"], FACTS)], at=now())
    test_rebuild.a_history(settings, database)
    database.close()
    for path in settings.runs_dir.glob("*/r6/attempts/1/supervisor.json"):
        os.kill(int(json.loads(path.read_bytes())["identity"].split(":")[-2]), signal.SIGKILL)
    keep(settings.data, revision)
    shutil.rmtree(place)


def keep(data: Path, revision: str) -> None:
    """Write both files; the machine's name becomes `HOST`."""
    here = socket.gethostname()
    with closing(sqlite3.connect(data / "reimage.db")) as database:
        text = "\n".join(database.iterdump()) + "\n"
    (HERE / f"{revision}.sql").write_text(text.replace(here, HOST), encoding="utf-8")
    for path in data.glob("reimage.db*"):
        path.unlink()
    for path in data.rglob("*"):
        if path.is_file() and not path.is_symlink():
            told = path.read_bytes().replace(here.encode(), HOST.encode())
            path.write_bytes(told)
    with tarfile.open(HERE / f"{revision}.tar.xz", "w:xz", preset=9) as archive:
        archive.add(data, "data")


if __name__ == "__main__":
    record(sys.argv[1])
