"""Derive: for each image a preview and a footprint, for each cube an ADMIT directory.

What is whole from an earlier attempt is kept: a record per product says of which file (size, time of
change) everything was made.  A picture that cannot be made is a caveat, not a failure of the run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from reimage import document
from reimage.errors import ProductError
from reimage.model import Product, Stage
from reimage.products.admit import write_admit
from reimage.products.cube import CubeAnalysis, analyse
from reimage.products.fits_image import FitsImage, open_image
from reimage.products.footprint import write_footprint
from reimage.products.noise import FlatImage
from reimage.products.preview import Companions, write_preview
from reimage.products.siblings import BRIGHTNESS, Siblings, made_images
from reimage.stages.context import StageContext
from reimage.stages.values import DeriveValue, ImageValue


class DerivedIncomplete(ProductError):
    """What was derived from the images does not match the images."""

    code = "derived-incomplete"
    hint = "The disk or another program removed files of the run: start the run again."


class NothingDerived(ProductError):
    """Not one image of the sky could be drawn or outlined."""

    code = "nothing-derived"
    hint = "The images are blank or damaged: look at the caveats and at the CASA log."


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What was derived from one product; paths are relative to the run directory."""

    n_bytes: int
    changed_ns: int
    preview: str | None = None
    footprint: str | None = None
    admit: str | None = None
    caveats: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """What must be there for the record to hold."""
        return tuple(path for path in (self.preview, self.footprint, self.admit) if path)


def run(context: StageContext) -> DeriveValue:
    """Derive from every image that was made.

    Raises
    ------
    NothingDerived
        Nothing could be derived from any image of the sky.
    DerivedIncomplete
        What was made is gone.
    """
    products = context.value(Stage.IMAGE, ImageValue).products
    work = context.work(Stage.DERIVE)
    for folder in ("previews", "footprints", "admit", "records"):
        (work / folder).mkdir(exist_ok=True)
    siblings = Siblings(directory=context.directory, products=products)
    records: dict[str, Record] = {}
    for product in made_images(products):
        context.still_current()
        records[product.name] = _derived(context, product, siblings)
    _require_complete(context.directory, products, records)
    return DeriveValue(
        products=tuple(_with(product, records.get(product.name)) for product in products),
        caveats=tuple(dict.fromkeys(c for record in records.values() for c in record.caveats)),
    )


def _derived(context: StageContext, product: Product, siblings: Siblings) -> Record:
    """Return the record of a product, from an earlier attempt where it still holds."""
    work = context.work(Stage.DERIVE)
    path = work / "records" / f"{product.name}.json"
    source = context.directory / str(product.path)
    stamp = _stamp(source)
    if path.exists():
        known = document.read(Record, path)
        whole = all((context.directory / made_path).exists() for made_path in known.paths)
        if whole and (known.n_bytes, known.changed_ns) == stamp:
            return known
    record = _Derivation(context, product, siblings).make(
        Record(n_bytes=stamp[0], changed_ns=stamp[1])
    )
    document.write(path, record)
    context.emit(
        "product.derived",
        name=product.name,
        preview=record.preview,
        footprint=record.footprint,
        admit=record.admit,
        caveats=list(record.caveats),
    )
    return record


def _stamp(source: Path) -> tuple[int, int]:
    if not source.exists():
        raise DerivedIncomplete(f"{source.name} is gone", evidence={"file": source.name})
    stat = source.stat()
    return stat.st_size, stat.st_mtime_ns


class _Derivation:
    """Makes all that derives from one product."""

    def __init__(self, context: StageContext, product: Product, siblings: Siblings) -> None:
        self._context, self._product, self._siblings = context, product, siblings
        self._work = context.work(Stage.DERIVE)
        self._stem = product.name.removesuffix(".fits")
        self._caveats: list[str] = []

    def make(self, record: Record) -> Record:
        """Return the record with all that could be made."""
        product, siblings = self._product, self._siblings
        try:
            image = open_image(self._context.directory / str(product.path))
        except ProductError as error:
            for what in ("preview", "footprint", *(["admit"] if self._is_cube else [])):
                self._missing(what, error)
            return replace(record, caveats=tuple(self._caveats))
        companions = Companions(
            pb=siblings.find(product, "pb", "pb.tt0"),
            mask=siblings.find(product, "mask"),
            alpha_error=siblings.find(product, "alpha.error"),
        )
        analysis = self._analysis(image, companions.pb)
        return replace(
            record,
            preview=self._try("preview", lambda: self._preview(image, companions, analysis)),
            footprint=self._try("footprint", lambda: self._footprint(image)),
            admit=self._try("admit", lambda: self._admit(analysis)) if analysis else None,
            caveats=tuple(self._caveats),
        )

    @property
    def _is_cube(self) -> bool:
        product = self._product
        return product.specmode in ("cube", "repBW") and product.kind in BRIGHTNESS

    def _analysis(self, image: FitsImage, pb: FitsImage | None) -> CubeAnalysis | None:
        if not (self._is_cube and image.is_cube):
            return None
        return analyse(FlatImage(image=image, pb=pb))

    def _try(self, what: str, make: Callable[[], Path]) -> str | None:
        try:
            return str(make().relative_to(self._context.directory))
        except ProductError as error:
            self._missing(what, error)
            return None

    def _missing(self, what: str, error: ProductError) -> None:
        self._caveats.append(f"{what}-missing:{self._product.name}")
        self._context.emit(
            "product.underived",
            name=self._product.name,
            what=what,
            code=error.code,
            why=error.message,
        )

    def _preview(
        self, image: FitsImage, companions: Companions, analysis: CubeAnalysis | None
    ) -> Path:
        path = self._work / "previews" / f"{self._stem}.png"
        drawn = self._product.preview and self._context.directory / self._product.preview
        if drawn and drawn.exists():  # for the weblog, by the same function
            document.write_bytes(path, drawn.read_bytes())
        else:
            write_preview(image, path, companions=companions, analysis=analysis)
        return path

    def _footprint(self, image: FitsImage) -> Path:
        """Write the footprint; a pb's or a mask's is that of the image they belong to."""
        path = self._work / "footprints" / f"{self._stem}.json"
        of = None
        if self._product.kind in ("pb", "pb.tt0", "mask"):
            of = self._siblings.find(self._product, *BRIGHTNESS)
        write_footprint(image, path, of)
        return path

    def _admit(self, analysis: CubeAnalysis) -> Path:
        path = self._work / "admit" / f"{self._stem}.admit"
        summary = write_admit(analysis, path)
        name = self._product.image
        self._caveats.extend(
            f"{caveat}:{name}" for caveat in summary["caveats"] if ":" not in caveat
        )
        return path


def _require_complete(
    directory: Path, products: tuple[Product, ...], records: dict[str, Record]
) -> None:
    """Check that what the records say is there, and that there is something to see."""
    paths = [path for record in records.values() for path in record.paths]
    gone = [path for path in paths if not (directory / path).exists()]
    if gone:
        raise DerivedIncomplete(f"{len(gone)} derived files are gone", evidence={"files": gone})
    sky = [item.name for item in made_images(products) if item.kind in BRIGHTNESS]
    if sky and not any(records[name].paths for name in sky):
        raise NothingDerived(
            f"nothing could be derived from any of {len(sky)} images", evidence={"products": sky}
        )


def _with(product: Product, record: Record | None) -> Product:
    if record is None:
        return product
    return replace(product, preview=record.preview, footprint=record.footprint, admit=record.admit)
