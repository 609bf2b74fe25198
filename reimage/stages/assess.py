"""Assess: the numbers, checksum and quality caveats of every image; the last look at what was made."""

from __future__ import annotations

from dataclasses import replace

from reimage import document
from reimage.errors import ProductError
from reimage.model import Product, Stage
from reimage.products import quality
from reimage.products.fits_image import FitsBlank, open_image
from reimage.products.measure import measure
from reimage.products.siblings import Siblings, made, made_images
from reimage.stages.context import StageContext
from reimage.stages.values import AssessValue, DeriveValue


class ProductMissing(ProductError):
    """A product that was made is no longer there."""

    code = "product-missing"
    hint = "Something removed files of the run directory: start the run again."


def run(context: StageContext) -> AssessValue:
    """Measure every image that was made, and take the checksum of every file.

    Raises
    ------
    ProductMissing
        A file that an earlier stage made is gone.
    FitsUnreadable, FitsTruncated, FitsNotSky
        A product is not an image.
    """
    products = context.value(Stage.DERIVE, DeriveValue).products
    siblings = Siblings(directory=context.directory, products=products)
    there = {product.name for product in made(products)}
    caveats: dict[str, None] = {}
    assessed = []
    for product in products:
        if product.name not in there:
            assessed.append(product)
            continue
        measured, found = _assessed(context, product, siblings)
        caveats |= dict.fromkeys(found)
        assessed.append(measured)
    n_images = len(made_images(products))
    context.emit("products.assessed", made=n_images, planned=sum(p.planned for p in products))
    return AssessValue(products=tuple(assessed), caveats=tuple(caveats))


def _assessed(
    context: StageContext, product: Product, siblings: Siblings
) -> tuple[Product, tuple[str, ...]]:
    """Return a product with its numbers, and its caveats."""
    path = context.directory / str(product.path)
    for derived in (product.path, product.preview, product.footprint, product.admit):
        if derived and not (context.directory / derived).exists():
            raise ProductMissing(f"{derived} is gone", evidence={"file": derived})
    whole = replace(product, n_bytes=path.stat().st_size, sha256=document.file_sha256(path))
    if not product.image:  # it goes with the images: there is nothing to measure
        return whole, ()
    try:
        numbers = measure(
            open_image(path),
            pb=siblings.find(product, "pb", "pb.tt0"),
            mask=siblings.find(product, "mask"),
        )
    except FitsBlank:
        return whole, (f"image-blank:{product.image}",)
    found = tuple(f"{caveat}:{product.image}" for caveat in quality.caveats(product.kind, numbers))
    return replace(whole, numbers=numbers), found
