"""A site of its own for a test: settings, data, home and an archive below one directory, and its command line."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from astropy.table import Table
from making import EB, MEMBER, MOUS, make_archive, make_build, make_row, tar_bytes

from reimage import document
from reimage.cli import main

GOOD = "uid://A001/X9/X9"
"""A dataset of every archive here that nothing is wrong with."""
README = ("#documentation", b"CASA version used for reduction: 6.7.0\n")
SCRIPT = b"import re, casalith\nif re.search('^6.7.0', casalith.version_string()) == None: exit()\n"
MANUAL = {f"{MEMBER}/script/{EB}.ms.scriptForCalibration.py": SCRIPT}
WITH_SCRIPT = {**MANUAL, f"{MEMBER}/script/member.scriptForPI.py": b"print('restore')\n"}
INSIDE = f"{MEMBER}/raw/{EB}.asdm.sdm"
ASDM = {
    f"{INSIDE}/Main.xml": b"""<MainTable><row>
<configDescriptionId>ConfigDescription_0</configDescriptionId><numAntenna>2</numAntenna>
<numIntegration>3</numIntegration><scanNumber>1</scanNumber>
<dataUID><EntityRef entityId="uid://A002/Xc0ffee/X9"/></dataUID></row></MainTable>""",
    f"{INSIDE}/ConfigDescription.xml": b"""<ConfigDescriptionTable><row>
<configDescriptionId>ConfigDescription_0</configDescriptionId>
<correlationMode>CROSS_AND_AUTO</correlationMode><numDataDescription>1</numDataDescription>
</row></ConfigDescriptionTable>""",
    f"{INSIDE}/ASDMBinary/uid___A002_Xc0ffee_X9": b"MIME-Version: 1.0\n",
}
RAW = tar_bytes(ASDM)


@dataclass(frozen=True)
class Said:
    """What a command line came to."""

    exit_code: int
    out: str
    err: str


class Site:
    """A site of its own: settings, data, home, and an archive; everything below one directory."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str], data: Path | None) -> None:
        self.root, self.archive, self.home = root, root / "archive", root / "home"
        self.here = root / "site"
        self.data = data or self.here / "data"
        self._capsys = capsys
        for folder in (self.here, self.home):
            folder.mkdir()
        settings = {"data": self.data, "cache": root / "cache", "archive": self.archive}
        lines = [f"{key} = {json.dumps(str(value))}" for key, value in settings.items()]
        (self.here / "reimage.toml").write_text("\n".join([*lines, "poll_s = 0.05", ""]))

    def reimage(self, *words: str) -> Said:
        """Carry out a command line here; runs have processes of their own all the same."""
        self._capsys.readouterr()
        exit_code = main(words)
        out, err = self._capsys.readouterr()
        assert "Traceback" not in err
        return Said(exit_code, out, err)

    def rows(self) -> dict[str, dict[str, Any]]:
        """Return what `status --json` says of the newest run of each dataset."""
        said = self.reimage("status", "--json")
        assert said.exit_code == 0, said.err
        return {run["dataset"]: run for run in reversed(json.loads(said.out)["runs"])}

    def ends_as(self, error_class: str, stage: str) -> str:
        """Run the dataset; it fails as it should.  Return what `show` says."""
        said = self.reimage("run", MOUS)
        assert said.exit_code == 1, said.err
        row = self.rows()[MOUS]
        assert (row["result"], row["error_class"], row["stage"]) == ("failed", error_class, stage)
        return " ".join(self.reimage("show", row["run"]).out.split())

    def outside(self) -> dict[str, bytes | None]:
        """Return everything that no run has any business with."""
        ours = (self.data, self.root / "cache", self.home / ".cache")
        return {
            str(path): path.read_bytes() if path.is_file() else None
            for path in sorted(self.root.rglob("*"))
            if not any(path.is_relative_to(one) for one in ours)
        }


def register(site: Site, python: str) -> None:
    builds = site.data / "builds"
    builds.mkdir(parents=True, exist_ok=True)
    build = make_build(python=python)
    document.write(builds / f"{build.id}.json", build)


def delivered(auxiliary: Mapping[str, bytes], raw: bytes = RAW) -> dict[str, tuple[str, bytes]]:
    return {
        "r.README.txt": README,
        "x_auxiliary.tar": ("#auxiliary", tar_bytes(auxiliary)),
        "x.asdm.sdm.tar": ("#progenitor", raw),
    }


def offer(site: Site, files: Mapping[str, tuple[str, bytes]], **others: bytes) -> None:
    """Fill the archive with the dataset in question, a good one, and others with raw data of their own."""
    datasets = {MOUS: files, GOOD: delivered(MANUAL)}
    datasets |= {f"uid://A001/X8/{name}": delivered(MANUAL, raw) for name, raw in others.items()}
    make_archive(site.archive, {}, [make_row(member_ous_uid=key) for key in datasets])
    names = ("member_ous_uid", "filename", "semantics", "content_type", "content_length")
    listing = []
    for number, (key, offered) in enumerate(datasets.items()):
        for name, (semantics, data) in offered.items():
            (site.archive / "dataPortal" / f"{number}-{name}").write_bytes(data)
            listing.append((key, f"{number}-{name}", semantics, "application/x-tar", len(data)))
    table = Table(rows=listing, names=names)
    table.write(site.archive / "files.ecsv", format="ascii.ecsv", overwrite=True)
    assert site.reimage("holdings", "sync").exit_code == 0


def is_coded(said: Said, code: str, exit_code: int) -> None:
    """It ends as the table of exit codes says, with one coded error and what to do about it."""
    assert said.exit_code == exit_code, said.err
    assert f"error[{code}]: " in said.err
    assert "\nhint: " in said.err


def goes_on_working(site: Site) -> None:
    """The database is whole, and the good dataset is fetched and its build chosen."""
    with closing(sqlite3.connect(site.data / "reimage.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    said = site.reimage("run", GOOD, "--until", "choose", "--json")
    assert said.exit_code == 0, said.err
    assert json.loads(said.out)["run"]["stage"] == "choose"
