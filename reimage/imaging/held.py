"""A directory that takes the place of the run directory, held for one request.

``asked.json`` in it says what it is for: the same request goes on where it was stopped, another one is
refused.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import TextIO

from reimage import document
from reimage.errors import UsageError
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
    if directory.exists() and not directory.is_dir():
        raise ImageDirectoryForeign(f"{directory} is no directory")
    if directory.is_dir() and not before.exists() and _is_used(directory):
        raise ImageDirectoryForeign(f"{directory} is not empty")
    if any(directory.is_relative_to(ms.path) for ms in asked.ms):
        raise ImageDirectoryForeign(f"{directory} is inside an MS, which is only read")
    with _made(directory) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ImageDirectoryBusy(f"{directory} is in use") from error
        is_begun = before.exists()
        if is_begun:
            _require_same(directory, document.read(Asked, before), asked)
        document.write(before, asked)
        yield is_begun


def _made(directory: Path) -> TextIO:
    """Make a directory, and open its lock."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return (directory / LOCK).open("a")
    except OSError as error:
        raise ImageDirectoryUnwritable(
            f"cannot write into {directory}: {error.strerror}", evidence={"path": str(directory)}
        ) from error


def _is_used(directory: Path) -> bool:
    return any(file.name != LOCK for file in directory.iterdir())


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
    records = (document.read_json(path) for path in (directory / "records").glob("*.json"))
    return frozenset(str(record["image"]) for record in records if record.get("image"))


def forget_absent(directory: Path) -> None:
    """Forget which images an earlier start has given up: they are tried again."""
    for path in (directory / "records").glob("*.json"):
        record = document.read_json(path)
        if record.get("image") and record.get("state") == ProductState.ABSENT:
            path.unlink()
