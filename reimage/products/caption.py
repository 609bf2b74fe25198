"""What a picture says about its image: source, spectral window, kind, frequency."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reimage.products.fits_image import FitsImage

_NAME = re.compile(
    r"(?:.*?\.)?(?P<target>[^.]+?)_sci\.spw(?P<spws>[0-9_]+)\.(?P<mode>mfs|cont|cube|repBW)\."
    r"(?:(?:regcal|selfcal)\.)?[IQUV]+\.(?P<kind>.+)\.fits"
)
KINDS = ("alpha.error", "alpha", "pb.tt0", "pb", "mask", "tt0.pbcor", "tt1.pbcor", "pbcor")
"""Kinds by the end of a file name, longest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """The words of a picture."""

    target: str
    spws: str
    """``17`` or ``17, 19, 21``; empty when the name does not say."""
    mode: str
    kind: str
    frequency_ghz: float | None

    @property
    def title(self) -> str:
        """One line: source, spectral windows, mode, frequency."""
        parts = [self.target or "unnamed source"]
        if self.spws:
            parts.append(f"spw {self.spws} {self.mode}")
        if self.frequency_ghz is not None:
            parts.append(f"{self.frequency_ghz:.3f} GHz")
        return "  ·  ".join(parts)


def caption(image: FitsImage) -> Caption:
    """Read the words off a file's name, as the ALMA pipeline forms it, and its header."""
    match = _NAME.fullmatch(image.path.name)
    frequency = image.frequency_hz
    return Caption(
        target=image.target or (match["target"] if match else ""),
        spws=match["spws"].replace("_", ", ") if match else "",
        mode=match["mode"] if match else "",
        kind=kind_of(image.path.name),
        frequency_ghz=None if frequency is None else float(frequency.mean()) / 1e9,
    )


def kind_of(name: str) -> str:
    """Return what a FITS file holds, by the end of its name; ``image`` when that says nothing."""
    stem = name.removesuffix(".fits")
    return next((kind for kind in KINDS if stem.endswith("." + kind)), "image")
