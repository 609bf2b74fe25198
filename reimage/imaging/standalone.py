"""Images of MSs that a person holds: no run, no database, no archive; the same request and engines.

A directory takes the place of the run directory (`reimage.imaging.held`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reimage import __version__, document, recipes
from reimage.casa import imaging, process
from reimage.casa.choose import CasaBuildMissing
from reimage.errors import UsageError
from reimage.imaging import bad_input, engines
from reimage.imaging.column import ChosenColumn, Column, choose
from reimage.imaging.request import Imaged, ImagingMs, ImagingRequest
from reimage.journal import Emit
from reimage.model import CasaBuild
from reimage.recipes import Recipe
from reimage.run import Limits
from reimage.uid import Uid

COLUMNS = "columns.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class MsNotHere(UsageError):
    """What was named is no MeasurementSet."""

    code = "ms-not-here"
    hint = "Name directories that are calibrated MSs; a tar file has to be unpacked first."


class MsTwice(UsageError):
    """Two of the MSs are the same, or of the same execution block: its noise would count twice."""

    code = "ms-twice"
    hint = "Name one MS of each execution block."


class ImageNameUnusable(UsageError):
    """Products cannot be called so."""

    code = "image-name-unusable"
    hint = "A name has letters, digits, `_` and `-`; or it is a uid: uid://A001/X123/X45."


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedMs:
    """An MS, and the state in which it was when images of it were begun."""

    eb: str
    path: Path
    """Absolute."""
    stamp: str
    """Digest of its files' names, sizes and times of change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a directory is for."""

    ms: tuple[AskedMs, ...]
    column: Column | None
    """None: found."""
    recipe: Recipe
    name: str
    """What product names begin with."""
    build: CasaBuild


def find_ms(paths: Iterable[Path]) -> tuple[AskedMs, ...]:
    """Return the MSs that paths name, each with the name of its execution block.

    Raises
    ------
    MsNotHere, MsTwice
    """
    found: dict[str, AskedMs] = {}
    for given in paths:
        path = _found(given)
        eb = _block(path)
        if eb in found:
            raise MsTwice(
                f"{found[eb].path.name} and {path.name} are both of {eb}",
                evidence={"ms": [str(found[eb].path), str(path)]},
            )
        found[eb] = AskedMs(eb=eb, path=path, stamp=_stamp(path))
    return tuple(found.values())


def _found(given: Path) -> Path:
    """Return an MS's absolute path."""
    try:
        path = given.expanduser().resolve()
        is_ms, is_there = (path / "table.dat").is_file(), path.exists()
    except (OSError, RuntimeError) as error:  # a name too long, a home that nobody has
        raise MsNotHere(f"{given}: {error}", evidence={"path": str(given)}) from error
    if not is_ms:
        what = "is no MS" if is_there else "is not there"
        raise MsNotHere(f"{given} {what}", evidence={"path": str(path)})
    return path


def _block(path: Path) -> str:
    uid = Uid.find(path.name)
    return uid.name if uid else re.sub(r"[^A-Za-z0-9_-]", "_", path.name.split(".ms")[0]) or "ms"


def _stamp(path: Path) -> str:
    """Digest what changes when somebody writes into an MS; reading it may touch its locks."""
    seen = [
        (str(file.relative_to(path)), (stat := file.stat()).st_size, stat.st_mtime_ns)
        for file in sorted(path.rglob("*"))
        if file.is_file() and file.name != "table.lock"
    ]
    return document.digest(seen)


def product_name(name: str | None, ms: Sequence[AskedMs]) -> str:
    """Return what product names begin with: what was asked for, else the first execution block.

    Raises
    ------
    ImageNameUnusable, UidMalformed
    """
    if name is None:
        return ms[0].eb
    if name.lower().startswith("uid"):
        return str(Uid.parse(name))
    if not _NAME.fullmatch(name):
        raise ImageNameUnusable(f"products cannot be called {name!r}")
    return name


def choose_build(asked: CasaBuild | None, builds: Iterable[CasaBuild], recipe: Recipe) -> CasaBuild:
    """Return the build that was asked for if it can image, else the newest one that can.

    Raises
    ------
    CasaBuildMissing, ImagingCasaTooOld, PipelineNotInBuild
    """
    known = (asked,) if asked is not None else tuple(builds)
    if not known:
        raise CasaBuildMissing(
            "no CASA is registered", hint="`reimage casa install` makes one, here and now."
        )
    if recipe.engine == "pipeline":
        return imaging.pipeline_build(asked, known)
    return imaging.imaging_build(max(known, key=_rank), known)


def _rank(build: CasaBuild) -> tuple[tuple[int, ...], str]:
    return tuple(int(part) for part in re.findall(r"\d+", build.version)), build.id


# --- the images -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Standalone:
    """What came of it."""

    columns: tuple[ChosenColumn, ...]
    """Of each MS."""
    imaged: Imaged


def make(directory: Path, asked: Asked, limits: Limits, emit: Emit) -> Standalone:
    """Make the images in a directory that is held for this.

    Raises
    ------
    MsColumnMissing
    ReimageError
        The MSs are not what they should be (`bad_input`), or what the engine raises.
    """
    request = ImagingRequest(
        ms=(),
        recipe=asked.recipe,
        dataset=asked.name,
        root=directory,
        directory=directory,
        build=asked.build,
        limits=limits,
        emit=emit,
        keywords=_keywords(asked),
    )
    columns = _columns(request, asked)
    for ms, one in zip(asked.ms, columns, strict=True):
        emit("ms.column", ms=ms.path.name, column=one.column, because=one.because)
    chosen = tuple(
        ImagingMs(eb=ms.eb, path=ms.path, column=one.column)
        for ms, one in zip(asked.ms, columns, strict=True)
    )
    return Standalone(columns=columns, imaged=engines.make(replace(request, ms=chosen)))


def _columns(request: ImagingRequest, asked: Asked) -> tuple[ChosenColumn, ...]:
    """Look into the MSs, once."""
    kept = request.directory / COLUMNS
    if not kept.exists():
        paths = [str(ms.path) for ms in asked.ms]
        try:
            seen = request.run_job("ms_columns", {"ms": paths}, request.directory / "columns")
        except process.CasaJobFailed as error:
            raise bad_input.coded(error) from error
        document.write(kept, seen)
    seen = document.read_json(kept)
    return tuple(choose(ms.path, seen[str(ms.path)], asked.column) for ms in asked.ms)


def _keywords(asked: Asked) -> dict[str, str]:
    """Return what every FITS header says of where the image comes from; values fit one card."""
    words = {
        "REIMAGE": __version__,
        "RECIPE": asked.recipe.id,
        "RECDIG": recipes.digest(asked.recipe),
        "BUILD": asked.build.id,
        "MEMBER": asked.name if asked.name.startswith("uid://") else "",
    }
    return {key: value[:68] for key, value in words.items() if value}
