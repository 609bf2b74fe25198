"""Files of ours: JSON documents that are whole or absent, their digests, and append-only logs."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from reimage.errors import NO_ROOM, DiskFull, DocumentUnreadable

T = TypeVar("T")


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def _adapter(kind: Any) -> TypeAdapter[Any]:  # noqa: ANN401 -- a class or a generic alias
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def dump(value: object) -> Any:  # noqa: ANN401 -- JSON is what JSON is
    """Return a dataclass (or a container of them) as JSON values."""
    return _adapter(type(value)).dump_python(value, mode="json")


def load(kind: type[T], data: object, *, origin: str = "data") -> T:
    """Make a dataclass of JSON values.

    Raises
    ------
    DocumentUnreadable
        The data do not have the shape; the evidence says where.
    """
    try:
        made: T = _adapter(kind).validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the top"
        raise DocumentUnreadable(
            f"{origin}: {where}: {first['msg']}", evidence={"origin": origin, "at": where}
        ) from error
    return made


def write(path: Path, value: object) -> None:
    """Write JSON so that a reader sees the old file or the whole new one, also after a power cut."""
    write_bytes(path, (json.dumps(dump(value), indent=1, sort_keys=True) + "\n").encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file to ``.part``, sync it and rename it."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    part.rename(path)
    sync_directory(path.parent)


@contextmanager
def full_disk_told(path: Path) -> Iterator[None]:
    """Turn the system's word for a full disk into ours, for whatever is written within.

    Raises
    ------
    DiskFull
    """
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise DiskFull(f"no room left below {path}", evidence={"path": str(path)}) from error


def sync_directory(path: Path) -> None:
    """Make a rename in this directory survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_json(path: Path) -> Any:  # noqa: ANN401 -- JSON is what JSON is
    """Read a JSON file.

    Raises
    ------
    DocumentUnreadable
        It is absent or not JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DocumentUnreadable(
            f"cannot read {path}: {error}", evidence={"origin": str(path)}
        ) from error


def read(kind: type[T], path: Path) -> T:
    """Read a document of a kind."""
    return load(kind, read_json(path), origin=str(path))


def digest(value: object) -> str:
    """Return the sha256 of a value's canonical JSON."""
    text = json.dumps(dump(value), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
