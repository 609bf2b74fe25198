"""Repro capsules of real failures: taken away from the service, the command fails as the run did."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
from fnmatch import fnmatch

import pytest

from reimage.demo.build import build_archive
from tests.casa.test_resume import Site

pytestmark = [pytest.mark.casa, pytest.mark.slow, pytest.mark.xdist_group("repro")]

GAINCAL_OF_NOTHING = """
importasdm(asdm="{eb}", vis="{eb}.ms", lazy=False)
flagdata(vis="{eb}.ms", mode="manual", flagbackup=False)
gaincal(vis="{eb}.ms", caltable="nothing.gcal", field="0", solint="inf", refant="0")
applycal(vis="{eb}.ms", gaintable=["nothing.gcal"])
"""


class Repro:
    """A site of one dataset, whose run fails; its capsule, taken away, and what its command says."""

    def __init__(self, root, archive, casa, letter):
        self.root, self.archive, self.casa = root, archive, casa
        self.mous = json.loads((archive / "truth.json").read_text())[letter]["mous"]

    def spoil(self, name, change):
        """Change members of the dataset's auxiliary tar."""
        (path,) = self.archive.glob("dataPortal/*_auxiliary.tar")
        stream = io.BytesIO()
        with tarfile.open(path) as old, tarfile.open(fileobj=stream, mode="w") as new:
            for member in old:
                data = old.extractfile(member).read() if member.isfile() else b""
                if fnmatch(member.name, name):
                    data = change(member.name, data.decode()).encode()
                    member.size = len(data)
                new.addfile(member, io.BytesIO(data))
        n_bytes = path.stat().st_size
        path.unlink()  # it may be a link into the cache
        path.write_bytes(stream.getvalue())
        table = self.archive / "files.ecsv"
        text = table.read_text().replace(
            f"{path.name} #auxiliary application/x-tar {n_bytes}",
            f"{path.name} #auxiliary application/x-tar {len(stream.getvalue())}",
        )
        table.unlink()
        table.write_text(text)

    def run(self, *options):
        self.site = Site(self.root / "site", self.archive, self.casa)
        command = self.site.command("run", self.mous, *options)
        subprocess.run(command, cwd=self.site.root, capture_output=True, check=False)
        (row,) = json.loads(self.site.reimage("status", "--json"))["runs"]
        return row

    def capsule(self, *options):
        """Make the capsule, move it away, and put the whole site out of reach."""
        to = self.root / "away" / "capsule"
        words = ("repro", self.mous, "-o", str(self.root / "capsule"), "--with-data", "--json")
        made = json.loads(self.site.reimage(*words, *options))["capsule"]
        to.parent.mkdir()
        shutil.move(self.root / "capsule", to)
        self.site.root.rename(self.root / "put-away")
        self.archive.rename(self.root / "archive-put-away")
        return to, made

    def repeat(self, capsule):
        """Run its command with nothing of ours in reach."""
        return subprocess.run(
            [capsule / "run.sh"],
            cwd="/",
            env={"PATH": os.defpath},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def repro(casa, cache, tmp_path):
    def make(letter):
        archive = tmp_path / "archive"
        build_archive(
            archive, build=casa, cache=cache, emit=lambda *_, **__: None, only=frozenset(letter)
        )
        return Repro(tmp_path, archive, casa, letter)

    return make


def is_whole(capsule):
    """Its checksums hold."""
    words = ["sha256sum", "--check", "--quiet", "SHA256SUMS"]
    done = subprocess.run(words, cwd=capsule, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def fails_as_it_did(capsule, row, said, job):
    """The same exit, and the decisive line in the same log."""
    assert said.returncode == 1, said.stderr
    assert "exit 1, as in the service" in said.stderr
    assert "the decisive line is there again" in said.stderr
    line = row["decisive"].partition(": ")[2]  # what is before it may be the job's name: our word
    logs = (capsule / "work/run" / job).glob("*.log")
    assert any(line in path.read_text() for path in logs)


def test_a_delivered_script_that_fails(repro):
    """A step wants a table that the step before did not write (manual calibration)."""
    case = repro("b")

    def broken(name, _):
        eb = name.rsplit("/", 1)[1].partition(".ms.")[0]
        return GAINCAL_OF_NOTHING.format(eb=eb)

    case.spoil("*scriptForCalibration.py", broken)
    row = case.run()
    assert (row["result"], row["stage"]) == ("failed", "restore")
    capsule, made = case.capsule()
    assert (made["job"], made["missing"]) == ("restore_script", [])
    said = case.repeat(capsule)
    fails_as_it_did(capsule, row, said, "restore/script")
    is_whole(capsule)


def test_delivered_tables_that_cannot_be_applied(repro):
    """The pipeline's calibration state names a table that was not delivered."""
    case = repro("a")
    case.spoil("*calapply.txt", lambda _, text: text.replace(".bcal.tbl", ".gone.tbl"))
    row = case.run()
    assert (row["result"], row["stage"]) == ("failed", "restore")
    capsule, made = case.capsule()
    assert (made["job"], made["missing"]) == ("restore_tables", [])
    said = case.repeat(capsule)
    fails_as_it_did(capsule, row, said, "restore/tables")
    is_whole(capsule)


def test_an_image_job_that_fails(repro):
    """The ranges that the recipe names are no ranges: it fails after the MSs are prepared."""
    case = repro("a")
    ranges = case.root / "cont.dat"
    ranges.write_text("Field: Sim_Alpha\n\nSpectralWindow: 0 spw\nabout 230 GHz\n")
    row = case.run("--set", f"makeimlist.contfile={ranges}")
    assert (row["result"], row["stage"]) == ("failed", "image")
    capsule, made = case.capsule()
    ranges.unlink()
    assert (made["job"], made["missing"]) == ("image_make", [])
    assert "from the prepared MSs" in made["cut"][0]
    said = case.repeat(capsule)
    fails_as_it_did(capsule, row, said, "image/make-0")
    is_whole(capsule)
    again = case.repeat(capsule)  # in a place of its own: nothing of the first try is in its way
    assert again.returncode == said.returncode
    assert (capsule / "work.2").is_dir()
