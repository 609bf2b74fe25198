"""What each stage proves: the frozen value that its ``PROVEN.json`` holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from reimage.archive.listing import Left
from reimage.model import CalibratedMs, CasaChoice, Delivery, PlannedImage, Product


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedFile:
    """One file of the manifest."""

    name: str
    semantics: str
    n_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchValue:
    """The delivery is here, as the archive lists it."""

    delivery: str
    """Directory of the unpacked delivery, relative to the run directory."""
    manifest: tuple[FetchedFile, ...]
    left: tuple[Left, ...] = ()
    """What is listed and was not fetched, and why: with the manifest, the whole listing."""
    transferred_bytes: int = 0
    """Of this attempt, from the archive itself and not from the cache."""
    transfer_s: float = 0.0
    """What they took, with unpacking."""
    postponed: str | None = None
    """Why raw data were not fetched: *choose* will say no. None when everything is here."""
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseValue:
    """What was delivered, and which build restores it."""

    delivery: Delivery
    choice: CasaChoice
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreValue:
    """For each execution block, the one calibrated MS to image."""

    ms: tuple[CalibratedMs, ...]
    method: Literal["scriptForPI", "scripts", "tables", "delivered"]
    facts: dict[str, Any]
    """What job ``inspect_ms`` found in every MS; fixes before *image* look at it."""
    missing: dict[str, str] = field(default_factory=dict)
    """Execution blocks that could not be restored, and why; the others are imaged without them."""
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageValue:
    """The imaging plan and what became of it."""

    plan: tuple[PlannedImage, ...]
    products: tuple[Product, ...]
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeriveValue:
    """The products with their previews, footprints and ADMIT directories."""

    products: tuple[Product, ...]
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessValue:
    """The products with their numbers, sizes and checksums."""

    products: tuple[Product, ...]
    caveats: tuple[str, ...] = ()
