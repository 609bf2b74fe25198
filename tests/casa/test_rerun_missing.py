"""A run that was ended among its images: ``rerun --missing`` keeps what it made and makes the rest."""

from __future__ import annotations

import json

import numpy as np
import pytest
from astropy.io import fits

from reimage.demo.build import build_archive
from tests.casa.test_resume import WAIT_S, Site

pytestmark = [pytest.mark.casa, pytest.mark.slow, pytest.mark.xdist_group("resume")]


def test_only_what_is_missing_is_made(casa, cache, tmp_path):
    archive = tmp_path / "archive"
    build_archive(archive, build=casa, cache=cache, emit=lambda *_, **__: None, only=frozenset("c"))
    mous = json.loads((archive / "truth.json").read_text())["c"]["mous"]
    site = Site(tmp_path / "site", archive, casa)
    site.reimage("run", mous, "--detach")
    controller = site.controller()
    site.wait_for("image.made", 2)
    first = site.directory
    kept = {name: path.stat() for name, path in site.products().items()}
    site.reimage("cancel", first.name, "--why", "a test")
    assert controller.wait(WAIT_S) == 0

    site.reimage("rerun", first.name, "--missing")
    (run,) = json.loads(site.reimage("status", "--json", "--result", "imaged"))["runs"]
    assert run["products_made"] == run["products_planned"]
    second = next(path for path in (site.data / "runs").glob("*/*") if path != first)
    lines = (second / "attempts/1/journal.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    adopted = next(one for one in events if one["event"] == "image.adopted")
    assert adopted["images"] >= 2
    planned = next(one for one in events if one["event"] == "image.planned")["n"]
    n_made = sum(one["event"] == "image.made" for one in events)
    assert n_made == planned - adopted["images"]
    for name, was in kept.items():
        here = second / "image/products" / name
        if here.stat().st_ino == was.st_ino:
            assert here.stat().st_mtime_ns == was.st_mtime_ns
            assert np.isfinite(fits.getdata(here)).any()
    same = [
        n for n, was in kept.items() if (second / "image/products" / n).stat().st_ino == was.st_ino
    ]
    assert len(same) >= 4  # image and primary beam of two
