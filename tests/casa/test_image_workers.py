"""Several CASA processes on one plan: the same images, whoever is killed, and nothing made twice."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import psutil
import pytest
from astropy.io import fits

from reimage import document
from reimage.imaging import records
from tests.casa import kinds

pytestmark = [pytest.mark.casa, pytest.mark.slow, pytest.mark.xdist_group("workers")]
WAIT_S = 300


class Site:
    """One directory in which images are made, by one start after another."""

    def __init__(self, root, made, casa, *, cores=2, memory_mb=4000, overrides=()):
        self.root = root
        root.mkdir()
        (root / "input").mkdir()
        for ms in made.ms:
            (root / "input" / ms.name).symlink_to(ms)
        job = {
            "ms": [str(ms) for ms in made.ms],
            "column": "corrected" if len(made.ms) == 1 else "data",
            "build": document.dump(casa),
            "overrides": overrides,
            "limits": {"memory_mb": memory_mb, "cores": cores},
        }
        (root / "job.json").write_text(json.dumps(job))
        self.events = []

    def start(self, kill_at=None, kill=os.kill):
        """Run; at the first event of this name call ``kill(pid of the driver, SIGKILL)``."""
        self.events = []
        with subprocess.Popen(
            [sys.executable, "-m", "tests.casa.image_driver", str(self.root / "job.json")],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as driver:
            watchdog = threading.Timer(WAIT_S, driver.kill)
            watchdog.start()
            for line in driver.stdout:
                self.events.append(json.loads(line))
                if kill_at is not None and kill_at(self.events):
                    kill_at = None
                    kill(driver.pid, signal.SIGKILL)
            said = driver.stderr.read()
            watchdog.cancel()
        return driver.returncode, said

    def finish(self):
        code, said = self.start()
        assert code == 0, said
        return json.loads((self.root / "imaged.json").read_text())

    def count(self, event):
        return sum(one["event"] == event for one in self.events)

    def files(self, pattern="products/*.fits"):
        """Return what tells one making of a file from another."""
        found = (self.root / "image").glob(pattern)
        return {
            path.name: (path.stat().st_ino, path.stat().st_mtime_ns)
            for path in found
            if path.is_file()
        }

    def images(self):
        return {path.name: path for path in (self.root / "image/products").glob("*.fits")}


def same(one, other):
    """Whether two sites hold the same pixels: FFTW chooses its plans by timing."""
    ours, theirs = one.images(), other.images()
    assert set(ours) == set(theirs)
    for name, path in ours.items():
        first, second = (fits.getdata(p) for p in (path, theirs[name]))
        peak = np.nanmax(np.abs(second))
        np.testing.assert_allclose(first, second, rtol=0, atol=1e-6 * peak, err_msg=name)


def seen(event, times=1):
    return lambda events: sum(one["event"] == event for one in events) >= times


@pytest.fixture(scope="module")
def made(casa, cache):
    return kinds.make(kinds.single(), casa, cache)


@pytest.fixture
def site_of(made, casa, tmp_path):
    """Give a maker of sites."""

    def make(name, build=casa, **limits):
        return Site(tmp_path / name, made, build, **limits)

    return make


@pytest.fixture(scope="module")
def calm(made, casa, tmp_path_factory):
    """Give what one process makes, undisturbed."""
    site = Site(tmp_path_factory.mktemp("calm") / "site", made, casa, cores=1)
    site.finish()
    return site


def test_two_processes_make_what_one_makes(calm, site_of):
    site = site_of("two")
    imaged = site.finish()
    assert {one["state"] for one in imaged["products"] if one["image"]} == {"made"}
    same(site, calm)
    first = json.loads((calm.root / "imaged.json").read_text())
    assert imaged["plan"] == first["plan"]
    assert imaged["caveats"] == first["caveats"]
    pids = {one["pid"] for one in site.events if one["event"] == "casa.started"}
    assert len(pids) >= 2


def test_several_blocks_are_split_side_by_side(casa, cache, tmp_path):
    made = kinds.make(kinds.two_blocks(), casa, cache)
    one, two = (Site(tmp_path / str(n), made, casa, cores=n) for n in (1, 2))
    one.finish()
    two.finish()
    claimed = {event["directory"] for event in two.events if event["event"] == "casa.started"}
    assert len(claimed) == 2
    assert len(list((two.root / "image/ms").glob("*_targets.ms"))) == 2
    same(two, one)


@pytest.mark.parametrize(
    ("at", "kept"),
    [
        (seen("image.split"), None),
        (seen("image.continuum"), "records/findcont-*.json"),
        (seen("image.continuum", 2), "records/findcont-*.json"),  # in the subtraction, or after
        (seen("image.made", 2), "products/*.fits"),
    ],
    ids=["split", "continuum", "subtraction", "images"],
)
def test_a_killed_runner_goes_on_where_it_was(calm, site_of, at, kept):
    site = site_of("killed")
    code, _ = site.start(kill_at=at)
    assert code == -signal.SIGKILL
    before = site.files(kept) if kept else {}
    n_made = site.count("image.made")
    site.finish()
    after = site.files(kept) if kept else {}
    assert before.items() <= after.items()
    total = len(json.loads((site.root / "imaged.json").read_text())["plan"])
    assert site.count("image.made") + n_made in {total, total - 1}  # its word may be lost, no image
    same(site, calm)


def kill_a_worker(driver, signal_number):
    """Kill the process of a CASA worker, the innermost of its tree."""
    tree = psutil.Process(driver).children(recursive=True)
    workers = [one for one in tree if "image_make.py" in " ".join(one.cmdline())]
    workers[-1].send_signal(signal_number)


def test_after_a_killed_process_the_others_go_on(calm, site_of):
    site = site_of("worker")
    before = {}

    def kill(driver, number):
        before.update(site.files())
        kill_a_worker(driver, number)

    code, said = site.start(kill_at=seen("image.made", 2), kill=kill)
    assert code == 0, said
    assert site.count("image.killed") <= 1  # none where it died between two images
    assert len(before) >= 2
    assert before.items() <= site.files().items()
    same(site, calm)


def test_a_process_killed_while_it_seeks_the_continuum(calm, site_of):
    site = site_of("finder", cores=1)
    code, said = site.start(kill_at=seen("image.continuum"), kill=kill_a_worker)
    assert code == 0, said
    assert site.count("image.killed") == 1
    assert site.count("image.continuum") == 2
    same(site, calm)


def test_only_missing_images_are_made(calm, site_of):
    site = site_of("missing", cores=1)
    records.take_over(calm.root / "image", site.root / "image")
    (lost,) = (site.root / "image/records").glob("*spw1.cube*.json")
    lost.unlink()
    before = site.files()
    site.finish()
    assert site.count("image.made") == 1
    after = site.files()
    made = {name for name, file in after.items() if before.get(name) != file}
    assert made == {name for name in after if "spw1.cube" in name}
    assert site.count("image.continuum") == site.count("image.subtracted") == 0
    same(site, calm)
    (calm.root / "image/ms").symlink_to(site.root / "image/ms")  # for those who come later


def limited(casa, folder, limit_mb):
    """Give a build whose Python has so little address space."""
    program = folder / "python"
    program.write_text(
        f'#!/bin/sh\nulimit -v {limit_mb * 1024}\nexec {shlex.quote(casa.python)} "$@"\n'
    )
    program.chmod(0o755)
    return dataclasses.replace(casa, python=str(program))


def test_a_cube_without_memory_is_never_taken_for_one(site_of, casa, tmp_path):
    """tclean then says 0 and leaves zeros: its log and its pixels are looked at."""
    small = limited(casa, tmp_path, 1500)
    site = site_of("small", small, cores=1, overrides=['makeimlist-cube.hm_imsize="1600"'])
    imaged = site.finish()
    rows = [one for one in imaged["products"] if one["image"]]
    lost = {one["image"]: one["reason"] for one in rows if one["state"] == "absent"}
    assert lost
    assert set(lost) == {one["image"] for one in rows if one["image"].endswith("cube")}
    for reason in lost.values():
        assert re.search("bad_alloc|allocate", reason)
    assert not [name for name in site.images() if ".cube." in name]
