"""What became of each image, as its job wrote it, and the products that follow from it."""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reimage import document
from reimage.errors import DocumentUnreadable
from reimage.imaging import calls
from reimage.model import PlannedImage, Product, ProductState

MASK = "mask"
PRODUCTS, RECORDS, MS = "products", "records", "ms"
"""Directories of an engine's work."""
SHARED = ("inputs.json", "prepared.json")
"""What all images have in common, and what it was found of."""
CONTINUUM = ("continuum", "findcont-", "uvcontsub-")
"""What records that are not of an image are called, or begin with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecord:
    """What became of one image: ``image/records/<basename>.json``, written last."""

    image: str
    state: ProductState
    reason: str | None = None
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """``{kind: {"name": file name, "bytes": size}}``"""
    caveats: tuple[str, ...] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)


def path_of(work: Path, image: PlannedImage) -> Path:
    """Return where an image's record is."""
    return work / RECORDS / f"{image.basename}.json"


def path_of_kill(work: Path, name: str) -> Path:
    """Return where it is remembered that somebody killed the process that made this."""
    return work / RECORDS / f"killed-{name}.json"


def read(work: Path, image: PlannedImage) -> ImageRecord:
    """Return an image's record.

    Raises
    ------
    DocumentUnreadable
        There is none.
    """
    return document.read(ImageRecord, path_of(work, image))


def is_proven(work: Path, image: PlannedImage) -> bool:
    """Whether an image needs no more work: made and its files there, or given up."""
    if not path_of(work, image).exists():
        return False
    files = [(work / PRODUCTS / f["name"], f["bytes"]) for f in read(work, image).files.values()]
    return all(path.exists() and path.stat().st_size == size for path, size in files)


def give_up(work: Path, image: PlannedImage, reason: str) -> None:
    """Record that an image is not made, and why; what there is of it goes."""
    for path in (work / PRODUCTS).glob(f"{glob.escape(image.basename)}.*"):
        path.unlink()
    record = ImageRecord(image=image.id, state=ProductState.ABSENT, reason=reason)
    document.write(path_of(work, image), record)


def products(image: PlannedImage, record: ImageRecord, image_dir: Path) -> Iterator[Product]:
    """Yield a row for each planned file, and one for the mask when the clean left one."""
    made = record.state is ProductState.MADE
    state = record.state
    if made and image.mitigation:
        state = ProductState.MITIGATED
    names = {**image.files, **{kind: file["name"] for kind, file in record.files.items()}}
    for kind, name in names.items():
        yield Product(
            name=name,
            kind=kind,
            image=image.id,
            target=image.target,
            spws=",".join(str(spw) for spw in image.spws),
            specmode=image.specmode,
            state=state,
            planned=kind != MASK,
            reason=record.reason or image.mitigation,
            path=str(image_dir / PRODUCTS / name) if made else None,
            n_bytes=record.files[kind]["bytes"] if made else None,
        )


def take_over(earlier: Path, here: Path) -> int:
    """Take over what another run has made, and leave what is absent there to be made; return how many images.

    Files of images are linked: nobody writes into one that has its name.  MSs change their owner, because
    CASA writes into them even when it reads.
    """
    for name in (PRODUCTS, RECORDS):
        (here / name).mkdir(parents=True, exist_ok=True)
    for name in SHARED:
        if (earlier / name).exists():
            shutil.copyfile(earlier / name, here / name)
    calls.keep_calls(calls.read_calls(earlier), here / RECORDS)
    listed, number = earlier / PRODUCTS / "cont.dat", 0
    if listed.exists():
        _link(listed, here / PRODUCTS / listed.name)
    for path in sorted((earlier / RECORDS).glob("*.json")):
        if path.name.startswith(CONTINUUM):
            shutil.copyfile(path, here / RECORDS / path.name)
        elif (record := _made(path)) is not None:
            for file in record.files.values():
                _link(earlier / PRODUCTS / file["name"], here / PRODUCTS / file["name"])
            shutil.copyfile(path, here / RECORDS / path.name)
            number += 1
    if (earlier / MS).exists() and not (here / MS).exists():
        (earlier / MS).rename(here / MS)
    return number


def _made(path: Path) -> ImageRecord | None:
    """Return the record of an image that was made and whose files are there."""
    try:
        record = document.read(ImageRecord, path)
    except DocumentUnreadable:  # of something else
        return None
    files = [path.parent.parent / PRODUCTS / file["name"] for file in record.files.values()]
    well = record.state is ProductState.MADE and all(file.exists() for file in files)
    return record if well else None


def _link(path: Path, to: Path) -> None:
    to.unlink(missing_ok=True)
    try:
        os.link(path, to)
    except OSError:  # another file system, or one without links
        shutil.copyfile(path, to)
