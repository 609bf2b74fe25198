"""What an engine is asked for, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from reimage.casa import process
from reimage.journal import Emit
from reimage.model import CasaBuild, PlannedImage, Product
from reimage.recipes import Recipe
from reimage.run import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagingMs:
    """One execution block's calibrated MS."""

    eb: str
    path: Path
    column: Literal["data", "corrected"]
    """Where its calibrated data are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagingRequest:
    """Calibrated MSs, how to image them, and where."""

    ms: tuple[ImagingMs, ...]
    recipe: Recipe
    dataset: str
    """What product names begin with: a MOUS uid, or any name."""
    root: Path
    """Absolute; paths of products are relative to it, and nothing is written outside it."""
    directory: Path
    """Where the engine works, below ``root``.  What an earlier start left there is gone on from."""
    build: CasaBuild
    """The build that makes the images."""
    limits: Limits
    emit: Emit
    still_current: Callable[[], None] = lambda: None
    """Raises when somebody else has taken over; to be asked before every proof."""
    keywords: Mapping[str, str] = field(default_factory=dict)
    """What every FITS header says of where the image comes from; values fit one card."""
    carried: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    """Delivered files that go with the images, by kind of product (`reimage.imaging.accompany`).

    An empty tuple: the delivery has none; no key: there is no delivery.
    """

    def run_job(self, job: str, inputs: Mapping[str, Any], directory: Path) -> dict[str, Any]:
        """Run a CASA job of the build.

        Raises
        ------
        CasaNotStarted, CasaJobFailed, CasaTimeout, CasaSilent, CasaOutputFlood
        """
        return process.run_job(
            self.build,
            job,
            inputs,
            directory=directory,
            limits=self.limits,
            emit=self.emit,
            writable=self.root,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Imaged:
    """The imaging plan and what became of it."""

    plan: tuple[PlannedImage, ...]
    products: tuple[Product, ...]
    caveats: tuple[str, ...] = ()
