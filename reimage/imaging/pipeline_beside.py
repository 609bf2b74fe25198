"""What the ALMA pipeline leaves beside its images, as rows of products: weblog, scripts, logs, cont.dat.

Among it is what goes with a calibration (flags, calls, the script that restores), where the pipeline knew of
one.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from reimage.imaging.pipeline_steps import ExportedFile
from reimage.model import Product, ProductState
from reimage.uid import path_name

ENDINGS: Mapping[str, str] = {
    "weblog.tgz": "weblog",
    "pipeline_manifest.xml": "manifest",
    "casa_commands.log": "casa_commands",
    "casa_pipescript.py": "casa_pipescript",
    "casa_piperestorescript.py": "restorescript",
    "auxproducts.tgz": "auxproducts",
    "pipeline_aquareport.xml": "aquareport",
    "calapply.txt": "calapply",
    "flagversions.tgz": "flagversions",
    "caltables.tgz": "caltables",
    "flux.csv": "flux.csv",
    "weblog.tar.gz": "weblog",
    "flagversions.tar.gz": "flagversions",
    "caltables.tar.gz": "caltables",
}
"""Kinds of files, by how their names end; what ends otherwise is no product.  Tars of 2016 and before are
``.tar.gz``."""
CONTINUUM, FLUX = "cont.dat", "flux.csv"


def rows(
    work: Path,
    root: Path,
    files: Mapping[str, ExportedFile],
    *,
    dataset: str,
    without_weblog: str | None,
) -> Iterator[Product]:
    """Yield a row for each; a weblog that was not written is absent, whatever was exported in its name.

    Parameters
    ----------
    work, root
        The engine's directory and the run's.
    without_weblog
        Why there is none; None: there is one.
    """
    products = work / "products"
    for name in files:
        kind = next((kind for ending, kind in ENDINGS.items() if name.endswith(ending)), None)
        if kind == "weblog" and without_weblog:
            yield _row(kind, name, ProductState.ABSENT, reason=without_weblog)
        elif kind is not None:
            yield _made(kind, products / name, root)
    source, name = work / "working" / CONTINUUM, f"{path_name(dataset)}.{CONTINUUM}"
    if source.exists():
        yield _made(CONTINUUM, _copied(source, products / name), root)
    else:
        yield _row(CONTINUUM, name, ProductState.ABSENT, reason="the pipeline wrote none")
    source, name = work / "working" / FLUX, f"{path_name(dataset)}.{FLUX}"
    if not any(file.endswith(FLUX) for file in files) and _has_rows(source):
        yield _made(FLUX, _copied(source, products / name), root)


def _has_rows(path: Path) -> bool:
    """Whether a table in text has more than its head: the import of calibrated data writes one without."""
    return path.is_file() and len(path.read_text(errors="replace").splitlines()) > 1


def _copied(source: Path, target: Path) -> Path:
    part = target.with_name(f"{target.name}.part")
    shutil.copyfile(source, part)
    return part.rename(target)


def _made(kind: str, path: Path, root: Path) -> Product:
    return _row(
        kind,
        path.name,
        ProductState.MADE,
        path=str(path.relative_to(root)),
        n_bytes=path.stat().st_size,
    )


def _row(
    kind: str,
    name: str,
    state: ProductState,
    *,
    reason: str | None = None,
    path: str | None = None,
    n_bytes: int | None = None,
) -> Product:
    return Product(
        name=name,
        kind=kind,
        image="",
        target="",
        spws="",
        specmode="",
        state=state,
        planned=False,
        reason=reason,
        path=path,
        n_bytes=n_bytes,
    )
