"""What goes with the images: cont.dat, commands, script, manifest, weblog, and what was delivered.

Each is a product row of its own with no image; they are no part of the imaging plan (``planned`` false).
What there is not is a row *absent* with the reason; where there is no delivery, nothing of one is missing.
"""

from __future__ import annotations

import filecmp
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reimage import document
from reimage.delivery import paperwork
from reimage.errors import RecipeError
from reimage.imaging import calls, manifest, weblog
from reimage.imaging.account import Account, account
from reimage.imaging.names import Names
from reimage.imaging.request import Imaged, ImagingRequest
from reimage.model import Product, ProductState
from reimage.recipes.script import as_script
from reimage.uid import path_name

CONTINUUM = "cont.dat"
CARRIED: Mapping[str, str] = {
    "calapply": "calapply.txt",
    "flagversions": "flagversions.tgz",
    "restorescript": "casa_piperestorescript.py",
    "flux.csv": "flux.csv",
}
"""Kinds of delivered files that go with the images, and how their names end."""
SESSIONS = "sessions"
"""Kind of a delivered manifest: the sessions are read from it, it is not carried over itself."""
_PRODUCTS = "products"


def accompany(request: ImagingRequest, imaged: Imaged, facts: Mapping[str, Any]) -> Imaged:
    """Write what goes with the images; return them with its rows, and the images with their previews.

    Raises
    ------
    DiskFull
    """
    with document.full_disk_told(request.directory):
        told = account(request, imaged, facts)
        names = Names.of(request.recipe, request.dataset)
        rows = [*_continuum(told, names), *carried_over(request), *_texts(told, names)]
        images = imaged.products
        if request.recipe.weblog:
            path = _place(request, names.name("weblog"))
            previews = weblog.write(told, rows, path)
            images = tuple(replace(one, preview=previews.get(one.name)) for one in images)
            rows.append(_row(request, "weblog", path))
        path = _place(request, names.name("manifest"))
        rows.append(_row(request, "manifest", path))
        text = manifest.manifest(told, names, rows, _sessions(request))
        document.write_bytes(path, text.encode())
        rows[-1] = _row(request, "manifest", path)
    return replace(imaged, products=(*images, *rows))


def _continuum(told: Account, names: Names) -> Iterator[Product]:
    """Yield cont.dat, by a name of its dataset; nothing where the recipe has no use for one."""
    if not {step.task for step in told.recipe.steps} & {"hif_findcont", "hif_uvcontsub"}:
        return
    request = told.request
    source = request.directory / _PRODUCTS / CONTINUUM
    path = _place(request, names.name(CONTINUUM))
    if source.exists():
        _link(source, path)
        yield _row(request, CONTINUUM, path)
    else:
        yield _absent(CONTINUUM, path.name, "the continuum was not looked for")


def carried_over(request: ImagingRequest, there: Sequence[Product] = ()) -> Iterator[Product]:
    """Yield what the delivery had, each file by its own name, as a link in the engine's products.

    Parameters
    ----------
    there
        Other products: their names are taken, and kinds of which they have a file are not absent.  One that
        is the delivered file itself, as where an earlier start has put it, stands for it.
    """
    known, ous = {row.name for row in there}, path_name(request.dataset)
    made = {row.kind for row in there if row.state is not ProductState.ABSENT}
    for kind, ending in CARRIED.items():
        sources = request.carried.get(kind)
        if sources == () and kind not in made:
            name = _free_name(f"{ous}.{ending}", known)
            yield _absent(kind, name, "the delivery has none")
        for source in sources or ():
            if any(_is_copy(_place(request, name), source) for name in known):
                continue
            path = _place(request, _free_name(source.name, known))
            known.add(path.name)
            try:
                _link(source, path)
            except FileNotFoundError:
                yield _absent(kind, path.name, "it is no longer in the delivery")
            else:
                yield _row(request, kind, path)


def _free_name(name: str, taken: set[str]) -> str:
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{number}.{name}"
    return found


def _is_copy(path: Path, source: Path) -> bool:
    """Whether a product is a delivered file, by that file's name or a numbered one."""
    is_named = re.fullmatch(rf"(\d+\.)?{re.escape(source.name)}", path.name) is not None
    return (
        is_named
        and path.is_file()
        and source.is_file()
        and filecmp.cmp(path, source, shallow=False)
    )


def _texts(told: Account, names: Names) -> Iterator[Product]:
    """Yield the log of the commands, and the recipe as a script for the ALMA pipeline."""
    request = told.request
    made = {image.id for image in told.imaged.plan if told.is_made(image)}
    called = [one for one in told.calls if not one.image or one.image in made]
    log = calls.commands_log(called, told.recipe, told.input_names, request.build.version)
    path = _place(request, names.name("casa_commands"))
    document.write_bytes(path, log.encode())
    yield _row(request, "casa_commands", path)
    path = _place(request, names.name("casa_pipescript"))
    release = f"{told.recipe.heuristics}.1"  # of the pipeline whose choices were made
    try:
        script = as_script(told.recipe, release, vis=list(told.input_names.values()))
    except RecipeError as error:
        yield _absent("casa_pipescript", path.name, error.message)
    else:
        document.write_bytes(path, script.encode())
        yield _row(request, "casa_pipescript", path)


def _sessions(request: ImagingRequest) -> dict[str, Sequence[str]]:
    """Return the execution blocks by session, as delivered manifests have them."""
    read = (paperwork.read_manifest(path) for path in request.carried.get(SESSIONS, ()))
    return {
        session.name: session.ebs
        for several in read
        for ous in several or ()
        for session in ous.sessions
    }


# --- files and rows ----------------------------------------------------------------------------------


def _place(request: ImagingRequest, name: str) -> Path:
    return request.directory / _PRODUCTS / name


def _link(source: Path, target: Path) -> None:
    """Make a file known by another name too; a copy where the file system cannot.

    Raises
    ------
    FileNotFoundError
    """
    source = source.resolve(strict=True)
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    try:
        os.link(source, part)
    except OSError:
        shutil.copyfile(source, part)
    part.replace(target)
    part.unlink(missing_ok=True)  # a rename onto the same file does nothing


def _row(request: ImagingRequest, kind: str, path: Path) -> Product:
    return Product(
        name=path.name,
        kind=kind,
        image="",
        target="",
        spws="",
        specmode="",
        state=ProductState.MADE,
        planned=False,
        path=str(path.relative_to(request.root)),
        n_bytes=path.stat().st_size if path.exists() else None,
    )


def _absent(kind: str, name: str, reason: str) -> Product:
    return Product(
        name=name,
        kind=kind,
        image="",
        target="",
        spws="",
        specmode="",
        state=ProductState.ABSENT,
        planned=False,
        reason=reason,
    )
