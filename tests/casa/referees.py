"""What the real ALMA pipeline made of the referee datasets, and how the tasks engine images them.

Their folder is no part of the project: REIMAGE_REFEREES names it, else ``../shared/reference`` is tried.
"""

from __future__ import annotations

import json
import os
import re
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reimage import document
from reimage.model import CalibratedMs, Calibration, CasaChoice, Delivery
from reimage.recipes.load import load_recipe, override
from reimage.run import Limits
from reimage.stages import image
from reimage.stages.context import PROVEN, StageContext
from reimage.stages.values import ChooseValue, RestoreValue
from tests.making import make_run

BESIDE = Path(__file__).resolve().parents[3] / "shared" / "reference"
REFEREES = Path(os.environ.get("REIMAGE_REFEREES", BESIDE))  # noqa: TID251 -- tests look around
MOUS = {"referee_a": "uid://A001/X11a/X2d", "referee_c": "uid://A001/X33c/X22"}


def make_context(directory, ms, mous, casa, recipe):
    proven = {
        "choose": ChooseValue(
            delivery=Delivery(root=".", member=".", layout="x", calibration=Calibration.NONE),
            choice=CasaChoice(build=casa.id, wanted=None, because=()),
        ),
        "restore": RestoreValue(
            ms=(
                CalibratedMs(
                    eb=ms.stem, path=str(ms), column="corrected", rows=1, promised_rows=None
                ),
            ),
            method="delivered",
            facts={},
        ),
    }
    for stage, value in proven.items():
        (directory / stage).mkdir()
        document.write(directory / stage / PROVEN, {"value": document.dump(value)})
    run = make_run(
        directory,
        dataset=mous,
        recipe=document.dump(recipe),
        recipe_digest=document.digest(recipe),
        builds=(casa,),
        limits=Limits(memory_mb=8000, wall_s=1200, silence_s=300),
        created_at=datetime.now(UTC),
    )
    return StageContext(
        run=run,
        directory=directory,
        attempt=1,
        emit=lambda *_, **__: None,
        still_current=lambda: None,
    )


def write_continuum(path, numbers):
    """Write the pipeline's ranges: images are compared for given continuum."""
    lines = []
    for name, spws in numbers["cont_dat"].items():
        lines += [f"Field: {name}", ""]
        for spw, entry in spws.items():
            lines.append(f"SpectralWindow: {spw} {entry['name']}")
            lines += [f"Flags: {flag}" for flag in entry["flags"]]
            lines += [f"{low:.10f}~{high:.10f}GHz LSRK" for low, high in entry["ranges_GHz"]]
    path.write_text("\n".join(lines))
    return path


def each_at_once(group):
    """Give the referees as parameters of a fixture: what needs one of them runs in one process, beside the other."""
    return [
        pytest.param(name, marks=pytest.mark.xdist_group(f"{group}-{name}"))
        for name in sorted(MOUS)
    ]


def image_referee(name, directory, casa, *, recipe, told):
    """Image a referee with the pipeline's continuum; give the numbers that are ``told``, and the stage's value."""
    folder = REFEREES / name
    if not (folder / "numbers.json").exists():
        pytest.skip(f"{name} is missing: REIMAGE_REFEREES must name the referees' folder")
    numbers = json.loads((folder / told).read_text())
    with tarfile.open(folder / "input.ms.tgz") as tar:
        tar.extractall(directory / "input")  # noqa: S202 -- our own reference; Debian's 3.11.2 has no filters
    contfile = write_continuum(directory / "cont.dat", numbers)
    given = override(load_recipe(recipe), [f'makeimlist.contfile="{contfile}"'])
    ms = next((directory / "input").glob("*.ms"))
    return numbers, image.run(make_context(directory, ms, MOUS[name], casa, given))


def calls_of(numbers, stages):
    """Return the pipeline's last tclean of each image, by ``spw0.mfs`` and the like."""
    found = {}
    for call in numbers["calls"]:
        name = re.search(r"_sci\.(spw[\d_]+\.\w+)\.", call["parameters"].get("imagename", ""))
        if call["task"] == "tclean" and name and call["stage"] in stages:
            found[name[1]] = call["parameters"]
    return found
