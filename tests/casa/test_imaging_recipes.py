"""Every shipped imaging recipe, from the archive to its outcome, on the demonstration's datasets.

`hifatargets-2017` is what `tests/casa/test_demo.py` runs on all of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from reimage.casa import builds
from reimage.demo.build import build_archive
from reimage.demo.datasets import datasets
from reimage.products.fits_image import open_image
from tests.casa import truth

pytestmark = [
    pytest.mark.casa,
    pytest.mark.slow,
    pytest.mark.imaging,
    pytest.mark.xdist_group("recipes"),
]
DATASETS = {dataset.letter: dataset for dataset in datasets()}
RUNS = (
    ("a", "hifa-image-2018"),
    ("a", "hifa-image"),
    ("b", "hifa-image"),
    ("c", "hifa-image-2018"),
)


@dataclass
class Made:
    """What a run made, as `truth` wants it."""

    directory: Path
    told: dict
    components: tuple

    @property
    def continuum(self):
        return truth.read_continuum(self.directory / "image" / "products" / "cont.dat")

    def open(self, image, kind="pbcor"):
        other = {"pbcor": "tt0.pbcor", "pb": "pb.tt0"}[kind]
        (found,) = (
            product["path"]
            for product in self.told["products"]
            if (product["image"] or "").partition(".")[2] == image
            and product["kind"] in {kind, other}
        )
        return open_image(self.directory / found)


class Site:
    """A site with the archive of the datasets that are imaged."""

    def __init__(self, root, casa):
        self.root = root
        text = 'data = "data"\narchive = "archive"\nmemory_mb = 4000\ncores = 2\n'
        (root / "reimage.toml").write_text(text)
        builds.register(casa, root / "data" / "builds", lambda _: None)
        self.reimage("db", "upgrade")
        self.reimage("holdings", "sync")
        self.seen = set()

    def reimage(self, *words):
        done = subprocess.run(
            [sys.executable, "-m", "reimage", *words],
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(self, letter, recipe):
        """Run a dataset, keeping what an earlier recipe's run has restored."""
        mous = str(DATASETS[letter].mous)
        verb = "rerun" if letter in self.seen else "run"
        self.seen.add(letter)
        run = json.loads(self.reimage(verb, mous, "--recipe", recipe, "--json"))["run"]
        told = json.loads(self.reimage("products", run["run"], "--json"))
        (directory,) = (self.root / "data" / "runs").glob(f"*/{run['run']}")
        first = DATASETS[letter].blocks[0].observation
        return run, Made(directory, told | {"images": rows(told)}, first.targets[0].components)


def rows(told):
    """Give the images of a run in the form of `reimage image`."""
    return [
        {
            "image": product["image"],
            "specmode": product["specmode"],
            "spws": [int(spw) for spw in product["spws"].split(",")],
            "state": product["state"],
            "rms_jy_beam": product["numbers"]["rms_jy_beam"],
        }
        for product in told["products"]
        if product["kind"] in {"pbcor", "tt0.pbcor"}
    ]


@pytest.fixture(scope="module")
def site(casa, cache, tmp_path_factory):
    root = tmp_path_factory.mktemp("recipes")
    only = frozenset(letter for letter, _ in RUNS)
    build_archive(root / "archive", build=casa, cache=cache, emit=lambda *_, **__: None, only=only)
    return Site(root, casa)


@pytest.mark.parametrize(("letter", "recipe"), RUNS)
def test_recipe(site, letter, recipe):
    run, made = site.run(letter, recipe)
    assert (run["result"], run["recipe"]) == ("imaged", recipe)
    assert run["products_made"] == run["products_planned"]
    names = [product["name"] for product in made.told["products"] if product["image"]]
    dated = [".regcal." in name or ".selfcal." in name for name in names]
    assert all(dated) if recipe == "hifa-image" else not any(dated)
    spws = len(DATASETS[letter].blocks[0].observation.spws)
    modes = sorted(row["specmode"] for row in made.told["images"] if row["specmode"] != "repBW")
    assert modes == sorted(["cont", *["mfs"] * spws, *["cube"] * spws])
    truth.assert_true(made, continuum=0.03, line=0.05, peaks=True)  # gains have errors
