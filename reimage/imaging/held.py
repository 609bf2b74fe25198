"""A directory that takes the place of the run directory, held for one request.

``asked.json`` in it says what it is for: the same request goes on where it was stopped, another one is
refused.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TextIO

from reimage import document
from reimage.errors import UsageError
from reimage.imaging import records
from reimage.imaging.standalone import Asked
from reimage.model import CasaBuild, ProductState
from reimage.recipes import Recipe

ASKED, LOCK = "asked.json", "lock"


class ImageDirectoryForeign(UsageError):
    """The directory for the images holds something else."""

    code = "image-directory-foreign"
    hint = "Name a new directory, or one that `reimage image` has made."


class ImageDirectoryOther(UsageError):
    """The directory was made for other inputs."""

    code = "image-directory-other"
    hint = "Name another directory, or repeat the command that made this one: it goes on."


class ImageDirectoryBusy(UsageError):
    """Another process makes images in this directory."""

    code = "image-directory-busy"
    hint = "Wait for it, or name another directory."


class ImageDirectoryUnwritable(UsageError):
    """The directory for the images cannot be made, or not be written into."""

    code = "image-directory-unwritable"
    hint = "Name a directory that is yours."


@contextmanager
def opened(directory: Path, asked: Asked) -> Iterator[bool]:
    """Hold a directory for what is asked; give whether an earlier start has been there.

    Raises
    ------
    ImageDirectoryForeign, ImageDirectoryOther, ImageDirectoryBusy, ImageDirectoryUnwritable
    """
    before = directory / ASKED
    try:
        _require_own(directory, asked)
        lock = _made(directory)
    except OSError as error:
        raise ImageDirectoryUnwritable(
            f"cannot write into {directory}: {error.strerror}", evidence={"path": str(directory)}
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ImageDirectoryBusy(f"{directory} is in use") from error
        is_begun = before.exists()
        if is_begun:
            _require_same(directory, document.read(Asked, before), asked)
        document.write(before, asked)
        yield is_begun


def _require_own(directory: Path, asked: Asked) -> None:
    """Refuse a place that holds something else."""
    if directory.exists() and not directory.is_dir():
        raise ImageDirectoryForeign(f"{directory} is no directory")
    if directory.is_dir() and not (directory / ASKED).exists() and _is_used(directory):
        raise ImageDirectoryForeign(f"{directory} is not empty")
    real = Path(os.path.realpath(directory))
    if any(real.is_relative_to(ms.path) for ms in asked.ms):
        raise ImageDirectoryForeign(f"{directory} is inside an MS, which is only read")


def _made(directory: Path) -> TextIO:
    """Make a directory, and open its lock."""
    directory.mkdir(parents=True, exist_ok=True)
    return (directory / LOCK).open("a")


def _is_used(directory: Path) -> bool:
    """Whether there is more in it than an earlier start leaves that died before it said what it is for."""
    return any(file.name not in {LOCK, f"{ASKED}.part"} for file in directory.iterdir())


def _require_same(directory: Path, earlier: Asked, asked: Asked) -> None:
    """Compare what decides pixels and names; a title or a probe's date does not."""
    differing = [
        one.name
        for one in fields(Asked)
        if _said(getattr(earlier, one.name)) != _said(getattr(asked, one.name))
    ]
    if differing:
        raise ImageDirectoryOther(
            f"{directory} was made with another {', '.join(differing)}",
            evidence={"differing": differing},
        )


def _said(value: object) -> object:
    if isinstance(value, Recipe):
        return document.digest(replace(value, title="", overrides=()))
    return value.id if isinstance(value, CasaBuild) else value


def kept(directory: Path) -> frozenset[str]:
    """Return the images that an earlier start has a record of."""
    return frozenset(str(record["image"]) for _, record in _records(directory))


def forget_absent(directory: Path) -> None:
    """Forget which images an earlier start has given up: they are tried again, as if for the first time."""
    for path, record in _records(directory):
        if record.get("state") == ProductState.ABSENT:
            records.path_of_kill(directory, path.stem).unlink(missing_ok=True)
            path.unlink()


def _records(directory: Path) -> list[tuple[Path, dict[str, Any]]]:
    """Return the records of images, and where they are."""
    paths = (directory / records.RECORDS).glob("*.json")
    read = [(path, document.read_json(path)) for path in paths]
    return [(path, record) for path, record in read if record.get("image")]
