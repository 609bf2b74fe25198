"""What is told of one image of a plan; apart from what measures it, so that readers begin at once."""

from __future__ import annotations

from dataclasses import dataclass

from reimage.model import ProductState


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSummary:
    """One image of the plan and what became of it."""

    image: str
    target: str
    spws: tuple[int, ...]
    specmode: str
    state: ProductState
    reason: str | None
    """Why it is absent, or what was changed to make it."""
    files: tuple[str, ...]
    """FITS files, relative to the directory."""
    rms_jy_beam: float | None = None
    peak_jy_beam: float | None = None
    beam_major_arcsec: float | None = None
    beam_minor_arcsec: float | None = None

    @property
    def is_made(self) -> bool:
        """Whether the image exists."""
        return self.state in {ProductState.MADE, ProductState.MITIGATED}
