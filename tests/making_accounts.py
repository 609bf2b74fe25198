"""Makes what an engine leaves behind: images, records, calls, facts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from reimage import document
from reimage.imaging import records
from reimage.imaging.request import Imaged, ImagingMs, ImagingRequest
from reimage.model import PlannedImage, ProductState
from reimage.recipes.load import load_recipe, override
from reimage.run import Limits
from tests.making import MOUS, make_build
from tests.making_images import make_cube, noise, primary_beam, write_image

SIZE = 48
EB = "uid___A002_Xc0ffee_X1"
FACTS = {
    "ebs": [
        {
            "eb": EB,
            "array": "12m",
            "baseline_75_m": 231.6,
            "fields": {"NGC <1>": [2]},
            "spws": {"0": 17},
            "scans": {"NGC <1>": "3,5"},
        }
    ],
    "spws": [
        {
            "id": 0,
            "low_hz": 226e9,
            "high_hz": 228e9,
            "name": "X1#SW-01",
            "nchan": 24,
            "channel_hz": 2e6,
        }
    ],
    "targets": [
        {
            "name": "NGC <1>",
            "pointings": 1,
            "axes": {"0": {"start_hz": 226e9, "width_hz": 2e6, "nchan": 24}},
            "geometry": {
                "beam": {"major": 1.2, "minor": 0.8},
                "cell_arcsec": 0.2,
                "imsize": [48, 48],
                "phasecenter": "ICRS 10:00:00 -30.00.00",
                "gridder": "standard",
            },
        }
    ],
    "array": "12m",
    "caveats": [],
}


def planned(specmode, *kinds):
    basename = f"uid___A001_X1_X2.NGC__1__sci.spw0.{specmode}.I"
    return PlannedImage(
        id=f"NGC <1>.spw0.{specmode}",
        target="NGC <1>",
        spws=(0,),
        specmode=specmode,
        nterms=1,
        basename=basename,
        files={kind: f"{basename}.{kind}.fits" for kind in kinds},
    )


PLAN = (planned("mfs", "pbcor", "pb"), planned("cont", "pbcor", "pb"), planned("cube", "pbcor"))


def make_request(root: Path, *changes: str, **other) -> ImagingRequest:
    """A request whose work is done: an mfs image and a cube are there, cont is absent."""
    work = root / "image"
    for name in ("products", "records", "make-0"):
        (work / name).mkdir(parents=True)
    request = ImagingRequest(
        **{
            "ms": (ImagingMs(eb=EB, path=root / "restore" / f"{EB}.ms", column="corrected"),),
            "recipe": override(load_recipe("hifatargets-2017"), changes),
            "dataset": MOUS,
            "root": root,
            "directory": work,
            "build": make_build(),
            "limits": Limits(memory_mb=4000, wall_s=60, silence_s=60),
            "emit": lambda *_, **__: None,
            **other,
        }
    )
    _write_images(work)
    (work / "products" / "cont.dat").write_text("Field: NGC <1>\n")
    document.write(
        work / "records" / "findcont-0-0.json",
        {
            "field": "NGC <1>",
            "spw": 0,
            "flags": [],
            "ranges_hz": [[226.004e9, 226.02e9]],
            "spectrum": [0.001] * 24,
        },
    )
    write_calls(work / "make-0" / "calls.jsonl", calls(work))
    return request


def _write_images(work: Path) -> None:
    response = primary_beam(SIZE, 40.0)
    write_image(work / "products" / PLAN[0].files["pb"], response)
    flat = noise(np.random.default_rng(1), 1, SIZE, 1e-3)[0]
    write_image(work / "products" / PLAN[0].files["pbcor"], flat / response, BUNIT="Jy/beam")
    cube = make_cube(n_channels=24, size=SIZE, lines=[(12.0, 1.5, 40e-3)])
    write_image(work / "products" / PLAN[2].files["pbcor"], cube / response, BUNIT="Jy/beam")
    for image in PLAN:
        made = image.specmode != "cont"
        record = records.ImageRecord(
            image=image.id,
            state=ProductState.MADE if made else ProductState.ABSENT,
            reason=None if made else "all data <flagged>",
            files={
                kind: {"name": name, "bytes": (work / "products" / name).stat().st_size}
                for kind, name in image.files.items()
            }
            if made
            else {},
            numbers={
                "threshold": 0.001,
                "sensitivity": 3e-4,
                "iterations": 12,
                "parameters": {"vis": [str(work / "ms" / f"{EB}_targets.ms")], "robust": 0.5},
            }
            if made
            else {},
        )
        document.write(records.path_of(work, image), record)


def make_imaged(request: ImagingRequest) -> Imaged:
    kept = [(image, records.read(request.directory, image)) for image in PLAN]
    work = request.directory.relative_to(request.root)
    return Imaged(
        plan=PLAN,
        products=tuple(p for image, record in kept for p in records.products(image, record, work)),
        caveats=(f"dirty-image:{PLAN[2].id}", "contfile-given"),
    )


def call(task, start, **arguments):
    return {"task": task, "arguments": arguments, "start": start, "seconds": 1.5, "error": None}


def calls(work: Path) -> list[dict]:
    """What a run with one repeated image leaves, in the order of time."""
    targets = str(work / "ms" / f"{EB}_targets.ms")
    mfs, cube = (str(work / "scratch" / PLAN[n].basename) for n in (0, 2))
    trial = str(work / "scratch" / "trial")
    source = "def restart_in_pb_mask(where, suffix):\n    pass\n"
    return [
        call(
            "mstransform",
            1.0,
            vis=str(work.parent / "restore" / f"{EB}.ms"),
            outputvis=targets + ".part",
        ),
        call("tclean", 2.0, vis=[targets], imagename=trial, niter=0, calcres=False, calcpsf=True),
        call("tclean", 3.0, vis=[targets], imagename=trial, niter=0, imsize=[9, 9]),
        call("tclean", 4.0, vis=[targets], imagename=str(work / "scratch" / "findcont-0-0")),
        call("uvcontsub", 5.0, vis=targets, outputvis=targets[:-3] + "_line.ms.part", fitspec={}),
        call("tclean", 6.0, vis=[targets], imagename=mfs, niter=0),  # here the process died
        call("tclean", 7.0, vis=[targets], imagename=mfs, niter=0),
        call("tclean", 8.0, vis=[targets], imagename=mfs, niter=9, calcres=False, calcpsf=False),
        {**call("restart_in_pb_mask", 9.0, where=mfs, suffix=""), "source": source},
        call("tclean", 10.0, vis=[targets], imagename=mfs, niter=99, calcpsf=False),
        call("exportfits", 11.0, imagename=mfs + ".pb", fitsimage=mfs + ".pb.fits.part"),
        {**call("tclean", 12.0, vis=[targets], imagename=cube), "error": "RuntimeError: no"},
        call("tclean", 13.0, vis=[targets], imagename=cube, specmode="cube"),
    ]


def write_calls(path: Path, told: list[dict]) -> None:
    path.write_text("".join(json.dumps(one) + "\n" for one in told))
