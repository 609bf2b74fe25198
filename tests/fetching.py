"""Runs of the fetch stage alone, against an archive that is served here."""

from __future__ import annotations

from dataclasses import replace

from making import EB, MEMBER, MOUS, make_archive, make_row, make_run, tar_bytes

from reimage import document, journal, runner
from reimage.model import Stage
from reimage.run import Transfer

QUICK = Transfer(patience_s=3, stall_s=1)
"""Nobody waits long for an archive of ours."""
FACTS = {
    "data_rights": "Public",
    "array": "12m",
    "cycle": 6,
    "ebs": ["uid://A002/Xc0ffee/X1"],
    "last_modified": "2025-07-01T00:00:00.000",
}
SCRIPT = b"import re, casalith\nif re.search('^6.7.0', casalith.version_string()) == None: exit()\n"
README, AUXILIARY = "member.uid___A001_X1_X2.README.txt", "2018.1.00001.S_auxiliary.tar"
RAW = f"2018.1.00001.S_{EB}.asdm.sdm.tar"
PRODUCT = "2018.1.00001.S_001_of_001.tar"
SCRIPTS = tar_bytes({f"{MEMBER}/script/{EB}.ms.scriptForCalibration.py": SCRIPT})


def raw_bytes(n_bytes=3_000_000, eb=EB):
    """Return raw data of some size whose bytes all differ."""
    block = bytes(range(256)) * 4096
    data = (block * (n_bytes // len(block) + 1))[:n_bytes]
    return tar_bytes(
        {f"{MEMBER}/raw/{eb}.asdm.sdm/Main.xml": b"<T/>", f"{MEMBER}/raw/{eb}.asdm.sdm/bulk": data}
    )


def delivered(raw=None):
    """Return the files of a dataset: all that a real one has."""
    return {
        README: ("#documentation", b"CASA version used for reduction: 6.7.0\n"),
        PRODUCT: ("#this", tar_bytes({f"{MEMBER}/product/a.pbcor.fits": b"SIMPLE  ="})),
        AUXILIARY: ("#auxiliary", SCRIPTS),
        RAW: ("#progenitor", raw_bytes() if raw is None else raw),
    }


def archive(root, files=None, rows=None):
    """Make a directory archive of one dataset."""
    return make_archive(root, delivered() if files is None else files, rows or [make_row()])


class Attempts:
    """One run in a directory of its own, up to fetch; each call is an attempt."""

    def __init__(self, directory, locator, *, transfer=QUICK, **fields):
        self.directory, self.number = directory, 0
        directory.mkdir(parents=True)
        self.run = make_run(
            locator,
            **{"facts": FACTS, "until": Stage.FETCH, "transfer": transfer, **fields},
        )
        document.write(directory / "run.json", self.run)

    def begin(self):
        """Make the next attempt the current one, and return its number."""
        self.number += 1
        (self.directory / "ATTEMPT").write_text(f"{self.number}\n")
        return self.number

    def __call__(self):
        return runner.run_attempt(self.directory, self.begin())

    @property
    def value(self):
        return document.read_json(self.directory / "fetch/PROVEN.json")["value"]

    @property
    def records(self):
        return sorted(path.name[: -len(".json")] for path in self.files("records"))

    def files(self, folder):
        return [path for path in (self.directory / "fetch" / folder).rglob("*") if path.is_file()]

    def events(self, name):
        path = self.directory / "attempts" / str(self.number) / "journal.jsonl"
        return [event.data for event, _ in journal.read(path) if event.event == name]


def patient(**other):
    """Return how files are fetched, with something else than usual."""
    return replace(QUICK, **other)


__all__ = ["MOUS"]
