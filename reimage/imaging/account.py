"""What was done, for whoever writes about it: one value behind log, manifest and weblog."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reimage import document
from reimage.imaging import calls, records
from reimage.imaging.request import Imaged, ImagingRequest
from reimage.model import PlannedImage, Product, ProductState
from reimage.recipes import Recipe, Step

_CONTINUUM = frozenset({"field", "spw", "ranges_hz", "flags"})
"""What the record of a continuum has, whatever its file is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A request, what came of it, and how."""

    request: ImagingRequest
    imaged: Imaged
    facts: Mapping[str, Any]
    """What job ``image_prepare`` found."""
    numbers: Mapping[str, Mapping[str, Any]]
    """How each image was made, by `PlannedImage.id`: parameters, threshold, iterations."""
    continuum: tuple[Mapping[str, Any], ...]
    """Per target and spw: ``field, spw, ranges_hz, flags``, ``spectrum`` (Jy/beam, mean of the cube)."""
    calls: tuple[calls.Placed, ...]

    @property
    def recipe(self) -> Recipe:
        """The recipe that was followed."""
        return self.request.recipe

    @property
    def input_names(self) -> dict[str, str]:
        """What the calibrated MSs are called in logs and scripts, by path."""
        return calls.input_names({ms.eb: ms.path for ms in self.request.ms})

    def files_of(self, image: PlannedImage) -> tuple[Product, ...]:
        """Return the products of an image."""
        return tuple(product for product in self.imaged.products if product.image == image.id)

    def images_of(self, step: Step) -> tuple[PlannedImage, ...]:
        """Return the images that a step makes."""
        plan = self.imaged.plan
        return tuple(image for image in plan if calls.maker_of(self.recipe, image) == step.id)

    def is_made(self, image: PlannedImage) -> bool:
        """Whether there is anything of it."""
        return any(product.state is not ProductState.ABSENT for product in self.files_of(image))


def account(request: ImagingRequest, imaged: Imaged, facts: Mapping[str, Any]) -> Account:
    """Gather what the jobs left: calls, and the records of images and continuum."""
    called = calls.read_calls(request.directory)
    calls.keep_calls(called, request.directory / records.RECORDS)
    return Account(
        request=request,
        imaged=imaged,
        facts=facts,
        numbers={image.id: records.read(request.directory, image).numbers for image in imaged.plan},
        continuum=_continuum(request.directory / records.RECORDS),
        calls=calls.place(called, request.recipe, imaged.plan),
    )


def _continuum(directory: Path) -> tuple[Mapping[str, Any], ...]:
    read = (document.read_json(path) for path in sorted(directory.glob("*.json")))
    found = [one for one in read if isinstance(one, dict) and one.keys() >= _CONTINUUM]
    return tuple(sorted(found, key=lambda one: (str(one["field"]), int(one["spw"]))))
