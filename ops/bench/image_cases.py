"""The MSs of the imaging bench: the referees where they are, else one of the demo archive."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import run as service
from image_runs import Case, recorded_calls

from reimage import document, settings
from reimage.casa import builds, environments
from reimage.demo.build import build_archive
from reimage.model import CasaBuild

DATASETS = {"referee_a": "uid://A001/X11a/X2d", "referee_c": "uid://A001/X33c/X22"}
DEMO_CALL = {
    "specmode": "cube",
    "imagename": "again",
    "imsize": [144, 144],
    "cell": "0.3arcsec",
    "niter": 20000,
    "threshold": "1mJy",
    "weighting": "briggs",
    "usemask": "auto-multithresh",
    "restoringbeam": "common",
    "interactive": False,
    "datacolumn": "data",
}


def find(
    referees: Path | None, only: str | None, root: Path, build: CasaBuild, cache: Path
) -> Iterator[Case]:
    """Give the referees that a folder holds, else a dataset of the demo archive, calibrated."""
    held = [name for name in DATASETS if referees and (Path(referees) / name).is_dir()]
    for name in held:
        if only in {None, name} and referees:
            yield _referee(Path(referees) / name, root / "input" / name)
    if not held:
        yield _demo(root, build, cache)


def pipeline_build(path: Path | None, builds_dir: Path) -> CasaBuild | None:
    """Return a build that has the pipeline, probed."""
    if path is None:
        return None
    place = builds.from_path(
        path.expanduser().absolute(), environments.casadata_path(settings.load().cache)
    )
    made = builds.register(place, builds_dir, lambda _: None)
    if made.pipeline is None:
        raise SystemExit(f"{path} has no ALMA pipeline")
    return made


def peer_calls(case: Case, ms: Path) -> list[dict[str, Any]]:
    """Return the calls of which two copies run side by side."""
    return recorded_calls(case.numbers, ms)[0] if case.numbers else [dict(DEMO_CALL)]


def _referee(folder: Path, place: Path) -> Case:
    with tarfile.open(folder / "input.ms.tgz") as tar:
        tar.extractall(place)  # noqa: S202 -- our own reference; Debian's 3.11.2 has no filters
    numbers: Mapping[str, Any] = json.loads((folder / "numbers.json").read_text())
    return Case(
        name=folder.name,
        ms=next(place.glob("*.ms")),
        column="corrected",
        dataset=DATASETS[folder.name],
        numbers=numbers,
    )


def _demo(root: Path, build: CasaBuild, cache: Path) -> Case:
    """Restore a dataset of the demo archive in a run of its own."""
    build_archive(root / "archive", build=build, cache=cache, emit=lambda *_, **__: None)
    site = service.make_site(root, cache, 1)
    dataset = service.dataset_of(root / "archive")
    site.reimage("run", dataset)
    (directory,) = site.run_directories()
    value = document.read_json(directory / "restore/PROVEN.json")["value"]
    ms = value["ms"][0]
    return Case(
        name="demo",
        ms=directory / ms["path"],
        column=ms["column"],
        dataset=dataset,
        numbers=None,
    )
