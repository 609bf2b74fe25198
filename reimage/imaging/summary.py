"""A line for each image of a plan: what it is, how deep, how sharp; and pictures of it, outside a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from reimage.errors import ProductError
from reimage.imaging.image_summary import ImageSummary
from reimage.model import PlannedImage, Product, ProductState
from reimage.products.cube import analyse
from reimage.products.fits_image import open_image
from reimage.products.footprint import write_footprint
from reimage.products.measure import measure
from reimage.products.noise import FlatImage
from reimage.products.preview import Companions, write_preview
from reimage.products.siblings import BRIGHTNESS, Siblings, made


def summarise(
    plan: Iterable[PlannedImage], products: tuple[Product, ...], directory: Path
) -> tuple[ImageSummary, ...]:
    """Return a line for each image of the plan, measured where there is one."""
    siblings = Siblings(directory=directory, products=products)
    return tuple(_summary(image, products, siblings) for image in plan)


def _summary(
    image: PlannedImage, products: tuple[Product, ...], siblings: Siblings
) -> ImageSummary:
    own = [product for product in products if product.image == image.id and product.planned]
    sky = next((product for product in own if product.kind in BRIGHTNESS), None)
    return ImageSummary(
        image=image.id,
        target=image.target,
        spws=image.spws,
        specmode=image.specmode,
        state=sky.state if sky else ProductState.ABSENT,
        reason=sky.reason if sky else None,
        files=tuple(str(product.path) for product in made(own)),
        **(_numbers(sky, siblings) if sky and made([sky]) else {}),
    )


def _numbers(sky: Product, siblings: Siblings) -> dict[str, Any]:
    wanted = ("rms_jy_beam", "peak_jy_beam", "beam_major_arcsec", "beam_minor_arcsec")
    try:
        numbers = measure(
            open_image(siblings.directory / str(sky.path)),
            pb=siblings.find(sky, "pb", "pb.tt0"),
            mask=siblings.find(sky, "mask"),
        )
    except ProductError:  # the engine has proven it: what cannot be measured has no numbers
        return {}
    return {name: numbers.get(name) for name in wanted}


def derive(products: tuple[Product, ...], directory: Path) -> tuple[Product, ...]:
    """Draw a preview and outline a footprint of each FITS image; what cannot be drawn has none."""
    for folder in ("previews", "footprints"):
        (directory / folder).mkdir(exist_ok=True)
    siblings = Siblings(directory=directory, products=products)
    there = {product.name for product in made(products) if product.name.endswith(".fits")}
    return tuple(
        _derived(product, siblings) if product.name in there else product for product in products
    )


def _derived(product: Product, siblings: Siblings) -> Product:
    stem = product.name.removesuffix(".fits")
    preview, footprint = f"previews/{stem}.png", f"footprints/{stem}.json"
    try:
        image = open_image(siblings.directory / str(product.path))
        pb = siblings.find(product, "pb", "pb.tt0")
        companions = Companions(
            pb=pb,
            mask=siblings.find(product, "mask"),
            alpha_error=siblings.find(product, "alpha.error"),
        )
        is_cube = image.is_cube and product.kind in BRIGHTNESS
        analysis = analyse(FlatImage(image=image, pb=pb)) if is_cube else None
        where = siblings.directory / preview
        write_preview(image, where, companions=companions, analysis=analysis)
        of = (
            siblings.find(product, *BRIGHTNESS)
            if product.kind in {"pb", "pb.tt0", "mask"}
            else None
        )
        write_footprint(image, siblings.directory / footprint, of)
    except ProductError:
        return product
    return replace(product, preview=preview, footprint=footprint)
