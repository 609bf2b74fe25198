"""Filling a capsule's folder: files taken from a run, with their checksums, without who asked."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from reimage import document
from reimage.casa import place
from reimage.desk import capsule_texts
from reimage.desk.capsule_entry import OUTSIDE, Entry

SMALL_BYTES = 1 << 20
"""A delivered file of no more comes along in any case: scripts, tables of text."""
MOST_LOG_BYTES = 8 << 20
"""Of a log: its end."""
SUMS = "SHA256SUMS"
_IMPORTS = re.compile(r"^(?:import|from) (_?[a-z]\w*)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One file that the call read."""

    path: str
    """Relative to the run directory."""
    n_bytes: int
    sha256: str
    here: bool
    """It is in the capsule."""
    where: str
    """Where it was."""


@dataclass(slots=True)
class Filling:
    """A capsule's folder while it is made."""

    folder: Path
    run_dir: Path
    with_data: bool
    inputs: list[Input] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """What the call found and what cannot be read any more."""

    def write(self, name: str, text: str, *, program: bool = False) -> None:
        """Write a text, without who asked."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(capsule_texts.public(text), encoding="utf-8", errors="surrogateescape")
        path.chmod(0o755 if program else 0o644)

    def take_text(self, source: Path, name: str) -> None:
        """Copy the end of a text, without who asked; one that is absent is left out."""
        if source.is_file():
            with source.open("rb") as stream:
                stream.seek(max(0, source.stat().st_size - MOST_LOG_BYTES))
                text = stream.read().decode(errors="surrogateescape")
            self.write(name, text)

    def take(self, entry: Entry) -> None:
        """Take what the call read: by its checksum always, itself where it is small or data are wanted."""
        source = Path(entry.target) if entry.path.startswith(OUTSIDE) else self.run_dir / entry.path
        if not source.exists():
            self.missing.append(entry.path)
            return
        for path in _files(source):
            name = str(Path(entry.path, path.relative_to(source)) if path != source else entry.path)
            try:
                n_bytes, sha256 = path.stat().st_size, document.file_sha256(path)
            except OSError:  # not ours to read, or gone just now
                self.missing.append(name)
                continue
            here = self.with_data or (source.is_file() and n_bytes <= SMALL_BYTES)
            if here:
                self._put(path, self.folder / "run" / name, shared=entry.kind == "read")
            self.inputs.append(
                Input(
                    path=name,
                    n_bytes=n_bytes,
                    sha256=sha256,
                    here=here,
                    where=str(path),
                )
            )

    def _put(self, source: Path, to: Path, *, shared: bool) -> None:
        """Link what nobody writes into; copy what CASA does: the run may go on with it."""
        to.parent.mkdir(parents=True, exist_ok=True)
        if shared:
            with suppress(OSError):  # another file system, or one without links
                os.link(source, to)
                return
        shutil.copy2(source, to)

    def take_job(self, job: str) -> None:
        """Copy the script of a job, and what it imports of ours."""
        waiting, done = [job], set[str]()
        to = self.folder / "jobs"
        to.mkdir(exist_ok=True)
        while waiting:
            name = waiting.pop()
            source = place.JOBS / f"{name}.py"
            if name in done or not source.is_file():
                continue
            done.add(name)
            shutil.copyfile(source, to / source.name)
            waiting += _IMPORTS.findall(source.read_text(encoding="utf-8").replace("    ", ""))
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(place.SITE, to / place.SITE.name, ignore=ignored)

    def seal(self) -> int:
        """Write the checksums of all that is here; return the bytes."""
        known = {f"run/{one.path}": one.sha256 for one in self.inputs if one.here}
        lines, n_bytes = [], 0
        for path in sorted(_files(self.folder)):
            name = str(path.relative_to(self.folder))
            n_bytes += path.stat().st_size
            lines.append(f"{known.get(name) or document.file_sha256(path)}  {name}\n")
        (self.folder / SUMS).write_text("".join(lines), encoding="utf-8", errors="surrogateescape")
        return n_bytes


def listed(inputs: Iterable[Input]) -> str:
    """Return the table of what the call read."""
    head = "path\tbytes\tsha256\there\twhere\n"
    rows = (
        f"{one.path}\t{one.n_bytes}\t{one.sha256}\t{'yes' if one.here else 'no'}\t{one.where}\n"
        for one in inputs
    )
    return head + "".join(rows)


def _files(source: Path) -> Iterator[Path]:
    """Yield the files of a directory, or the file itself."""
    if source.is_file():
        yield source
    for folder, _, names in os.walk(source):
        yield from (Path(folder, name) for name in names if Path(folder, name).is_file())
