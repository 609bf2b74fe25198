"""The products of one planned image, as each other's companions: its pb, mask, errors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from reimage.errors import ProductError
from reimage.model import Product, ProductState
from reimage.products.fits_image import FitsImage, open_image

BRIGHTNESS = ("pbcor", "tt0.pbcor")
"""Kinds of product that are images of the sky, the others (pb, mask, alpha ...) belong to them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Siblings:
    """Finds a product's companions among all products of a run."""

    directory: Path
    """The run directory."""
    products: tuple[Product, ...]

    def find(self, product: Product, *kinds: str) -> FitsImage | None:
        """Open the first sound companion of these kinds; None when there is none."""
        for kind in kinds:
            for other in made(self.products):
                if other.image == product.image and other.kind == kind and other.path:
                    try:
                        return open_image(self.directory / other.path)
                    except ProductError:  # its own row says so; here it is just not of use
                        continue
        return None


def made_images(products: Iterable[Product]) -> tuple[Product, ...]:
    """Return the files of images that exist; what only goes with the images belongs to none."""
    return tuple(product for product in made(products) if product.image)


def made(products: Iterable[Product]) -> tuple[Product, ...]:
    """Return the products that exist."""
    there = (ProductState.MADE, ProductState.MITIGATED)
    return tuple(product for product in products if product.state in there and product.path)
