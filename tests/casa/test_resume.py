"""SIGKILL at any time, then start again: the run goes on, and its products are the same.

Dataset c (a mosaic with a fix) is run once undisturbed and once with its runner, then its controller, killed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
from astropy.io import fits

from reimage.casa import builds
from reimage.demo.build import build_archive

pytestmark = [pytest.mark.casa, pytest.mark.slow, pytest.mark.xdist_group("resume")]
WAIT_S = 300


class Site:
    """A site of its own, driven as a person drives it."""

    def __init__(self, root, archive, casa):
        self.root, self.data = root, root / "data"
        self.data.mkdir(parents=True)
        lines = {"data": "data", "archive": str(archive), "slots": 1, "memory_mb": 3000}
        text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items())
        (root / "reimage.toml").write_text(text)
        builds.register(casa, self.data / "builds", lambda _: None)
        self.reimage("db", "upgrade")
        self.reimage("holdings", "sync")

    def command(self, *words):
        return [sys.executable, "-m", "reimage", *words]

    def reimage(self, *words):
        done = subprocess.run(
            self.command(*words), cwd=self.root, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def controller(self):
        return subprocess.Popen(
            self.command("controller", "--once"),
            cwd=self.root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    @property
    def directory(self):
        (found,) = (self.data / "runs").glob("*/*")
        return found

    def events(self):
        lines = []
        for path in sorted(self.directory.glob("attempts/*/journal.jsonl")):
            lines += path.read_text().splitlines()
        return [json.loads(line)["event"] for line in lines if line.endswith("}")]

    def wait_for(self, event, count=1):
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            if self.events().count(event) >= count:
                return
            time.sleep(0.05)
        raise AssertionError(f"{event} never came: {self.events()}")

    def runner(self):
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if "reimage.runner" in words and str(self.directory) in words:
                return process
        raise AssertionError("no runner")

    def products(self):
        return {path.name: path for path in (self.directory / "image/products").glob("*.fits")}


@pytest.fixture(scope="module")
def archive(casa, cache, tmp_path_factory):
    target = tmp_path_factory.mktemp("resume") / "archive"
    build_archive(target, build=casa, cache=cache, emit=lambda *_, **__: None, only=frozenset("c"))
    return target


def test_killed_and_started_again_the_products_are_the_same(archive, casa, tmp_path):
    mous = json.loads((archive / "truth.json").read_text())["c"]["mous"]
    calm = Site(tmp_path / "calm", archive, casa)
    calm.reimage("run", mous)

    site = Site(tmp_path / "killed", archive, casa)
    site.reimage("run", mous, "--detach")
    first = site.controller()
    site.wait_for("fix.applied")
    site.runner().send_signal(signal.SIGKILL)  # in restore, MSs half mended
    site.wait_for("image.made")
    os.kill(first.pid, signal.SIGKILL)  # the controller; the attempt goes on without it
    first.wait()
    site.runner().send_signal(signal.SIGKILL)  # in image, one image made
    second = site.controller()
    assert second.wait(WAIT_S) == 0

    (run,) = json.loads(site.reimage("status", "--json"))["runs"]
    assert run["result"] == "imaged"
    assert run["products_made"] == run["products_planned"]
    assert len(list(site.directory.glob("attempts/*"))) == 3
    assert site.events().count("stage.kept") > 0
    assert set(site.products()) == set(calm.products())
    for name, path in site.products().items():
        ours, theirs = (np.squeeze(fits.getdata(p)) for p in (path, calm.products()[name]))
        # FFTW chooses its plans by timing: two undisturbed runs differ as much, 1e-8 of the peak
        np.testing.assert_allclose(
            ours, theirs, rtol=0, atol=1e-6 * np.nanmax(theirs), err_msg=name
        )


def test_no_process_survives_a_killed_runner(archive, casa, tmp_path):
    mous = json.loads((archive / "truth.json").read_text())["c"]["mous"]
    site = Site(tmp_path / "orphans", archive, casa)
    site.reimage("run", mous, "--until", "restore", "--detach")
    controller = site.controller()
    site.wait_for("casa.started")
    runner = site.runner()
    children = runner.children(recursive=True)
    assert children
    runner.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]
    assert controller.wait(WAIT_S) == 0  # the next attempt ends the run
