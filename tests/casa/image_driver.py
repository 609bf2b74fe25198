"""Images MSs as a program of its own, that a test can kill: ``python -m tests.casa.image_driver JOB.json``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from reimage import document
from reimage.imaging import engines
from reimage.imaging.request import ImagingMs, ImagingRequest
from reimage.model import CasaBuild
from reimage.recipes.load import load_recipe, override
from reimage.run import Limits


def tell(event: str, **data: object) -> None:
    """Say an event in a line of JSON."""
    sys.stdout.write(json.dumps({"event": event, **document.dump(data)}) + "\n")
    sys.stdout.flush()


def main(path: Path) -> None:
    """Make every image; events go to stdout, the answer to ``imaged.json`` beside the job."""
    job = json.loads(path.read_text())
    root = path.parent
    (root / "image").mkdir(exist_ok=True)
    imaged = engines.make(
        ImagingRequest(
            ms=tuple(
                ImagingMs(eb=Path(ms).stem, path=Path(ms), column=job["column"]) for ms in job["ms"]
            ),
            recipe=override(load_recipe("hifatargets-2017"), job["overrides"]),
            dataset="uid://A001/X1/X2",
            root=root,
            directory=root / "image",
            build=document.load(CasaBuild, job["build"]),
            limits=Limits(wall_s=600, silence_s=300, **job["limits"]),
            emit=tell,
        )
    )
    document.write(root / "imaged.json", imaged)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
