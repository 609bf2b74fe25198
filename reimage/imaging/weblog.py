"""``weblog.tgz``: a static site that tells how the images came to be; it opens from the disk, without a server.

Pages and pictures are written below ``weblog/`` of the engine's directory, and packed.  Its size is bounded by
`MOST_PICTURES`, its time by `DRAWN_BYTES` and `MEASURED_BYTES`.  *Derive* takes the previews over.
"""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from reimage import document
from reimage.errors import ProductError
from reimage.imaging import weblog_pages, weblog_parts
from reimage.imaging.account import Account
from reimage.imaging.summary import summarise
from reimage.model import Product
from reimage.products.fits_image import open_image
from reimage.products.preview import Companions, write_preview
from reimage.products.siblings import BRIGHTNESS, Siblings, made

FOLDER, PICTURES = "weblog", "previews"
MOST_PICTURES = 80
DRAWN_BYTES, MEASURED_BYTES = 1 << 30, 256 << 20
"""Larger files are not drawn, or not measured: *derive* and *assess* do it, and it takes its time."""
SHOWN = (*BRIGHTNESS, "alpha")
"""Kinds of product that are pictured."""


def write(told: Account, files: Sequence[Product], target: Path) -> dict[str, str]:
    """Write the weblog and pack it; return the preview of each product that has one.

    Parameters
    ----------
    files
        What else goes with the images.
    target
        The ``.tgz``.

    Returns
    -------
    dict
        Path by product name, relative to the request's root.
    """
    folder = told.request.directory / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    (folder / PICTURES).mkdir(parents=True)
    pictures = dict(_pictures(told, folder / PICTURES))
    root, products = told.request.root, told.imaged.products
    looked_at = tuple(one for one in products if (one.n_bytes or 0) <= MEASURED_BYTES)
    of_image: dict[str, list[str]] = {}
    for product in products:
        if product.name in pictures:
            path = pictures[product.name].relative_to(folder).as_posix()
            of_image.setdefault(product.image, []).append(path)
    content = weblog_pages.Content(
        told=told,
        files=files,
        summaries={one.image: one for one in summarise(told.imaged.plan, looked_at, root)},
        previews=of_image,
    )
    for name, text in weblog_pages.pages(content).items():
        document.write_bytes(folder / name, text.encode())
    shutil.copyfile(weblog_parts.STYLE, folder / "style.css")
    _pack(folder, target)
    return {name: str(path.relative_to(root)) for name, path in pictures.items()}


def _pictures(told: Account, folder: Path) -> Iterator[tuple[str, Path]]:
    """Draw the images of the sky; what cannot be drawn is left out."""
    products = told.imaged.products
    siblings = Siblings(directory=told.request.root, products=products)
    chosen = [
        product
        for product in made(products)
        if product.kind in SHOWN and (product.n_bytes or 0) <= DRAWN_BYTES
    ]
    for product in chosen[:MOST_PICTURES]:
        path = folder / f"{product.name.removesuffix('.fits')}.png"
        try:
            write_preview(
                open_image(told.request.root / str(product.path)),
                path,
                companions=Companions(
                    pb=siblings.find(product, "pb", "pb.tt0"),
                    mask=siblings.find(product, "mask"),
                    alpha_error=siblings.find(product, "alpha.error"),
                ),
            )
        except ProductError:  # *derive* says so, as a caveat
            continue
        yield product.name, path


def _pack(folder: Path, target: Path) -> None:
    """Pack a folder; equal files give equal bytes."""
    stream = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=stream, mode="wb", mtime=0, compresslevel=1) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                info = tarfile.TarInfo(f"{FOLDER}/{path.relative_to(folder).as_posix()}")
                info.size = path.stat().st_size
                with path.open("rb") as file:
                    tar.addfile(info, file)
    document.write_bytes(target, stream.getvalue())
