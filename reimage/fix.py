"""What a fix is, and where fixes are found.

A fix is the remedy for one known issue: a module ``fixes/<issue>.py`` that ends in one ``FIX``.  It
sees a delivery, or the facts of MSs; it imports no CASA and nothing of the service but this module,
the model and the errors.  Adding one is adding its file: the contract tests cover it already.

Where an issue cannot be mended by the one who images, its fix *reports*: the run gets a caveat, and
nobody takes the images for better than they are.  What an operator must decide is *offered*.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from reimage import document
from reimage.errors import FixError, UsageError
from reimage.model import Delivery, Stage
from reimage.run import FixReference

Facts: TypeAlias = Mapping[str, Mapping[str, Any]]
"""By MS path, what job ``inspect_ms`` found; empty before *restore*."""

_HEADER_BYTES = 40 * 2880
"""Where ORIGIN is in the FITS files of CASA: among the first hundreds of cards."""


class FixUnreadable(FixError):
    """A module in a folder of fixes does not end in one ``FIX`` of its own name."""

    code = "fix-unreadable"
    hint = "`reimage fix list` tells what is wrong; ops/guide/contributor.md has a worked example."


class FixChanged(FixError):
    """A fix is not the one that the run was queued with."""

    code = "fix-changed"
    hint = "Re-run the dataset: a new run takes the fix as it is now."


class FixIneffective(FixError):
    """A fix applies, and still applies after it was applied."""

    code = "fix-ineffective"
    hint = "The fix does not cure what it claims: look at its diff in the run's evidence."


class FixUnknown(UsageError):
    """A run is to have a fix that is not declared."""

    code = "fix-unknown"
    hint = "`reimage fix list` names them."


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePatch:
    """The new text of one delivered file, named relative to the delivery's root."""

    path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLink:
    """A second name for a delivered file, in the same directory; both relative to the delivery's root."""

    path: str
    """The name that is wanted."""
    target: str
    """The file that was delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MsOperation:
    """One declared change of an MS, carried out by job ``fix_ms`` inside the build."""

    ms: str
    kind: Literal[
        "set_field_direction",
        "fix_planets",
        "set_field_source",
        "join_syscal_times",
        "put_keyword",
        "delete_rows",
        "flagdata",
    ]
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is told of an issue that is left as it is: a caveat of the run, and why."""

    caveat: str
    """A kebab-case id."""
    text: str
    subject: str = ""
    """What it is about: an MS, a field, an antenna.  Empty: the dataset."""

    def __str__(self) -> str:
        """Return the caveat as runs carry it: ``caveat`` or ``caveat:subject``."""
        return f"{self.caveat}:{self.subject}" if self.subject else self.caveat


Remedy: TypeAlias = tuple[FilePatch | FileLink, ...] | tuple[MsOperation, ...] | tuple[Report, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """The remedy for one known issue.

    ``applies`` is pure and cheap and returns why the fix is needed, or None.  ``apply`` returns what is
    to be done: patches and links of files (before *restore*), or MS operations or reports (before
    *image*).  What was patched, linked or operated on is well: ``applies`` then returns None.
    """

    id: str
    issue: str
    """Where the issue is described: an address, a ticket, a document."""
    title: str
    before: Stage
    applies: Callable[[Delivery, Facts], str | None]
    apply: Callable[[Delivery, Facts], Remedy]
    reports: bool = False
    """Nothing is changed: `apply` returns reports."""
    offered: bool = False
    """Never applied by itself: a run has it when an operator named it (`reimage run --fix`)."""
    obstacles: Callable[[Delivery, Facts], tuple[str, ...]] = lambda *_: ()
    """Why it would not be safe: where there is any, nothing is applied."""
    python: str = ""
    """Only for builds of this Python (``3``); empty: any."""
    caveat: str = ""
    """What a run carries whose files were mended so; empty: nothing need be told."""


def reporting(
    *, name: str, issue: str, title: str, find: Callable[[Delivery, Facts], Iterator[Report]]
) -> Fix:
    """Return a fix that changes nothing and reports what it finds."""

    def applies(delivery: Delivery, facts: Facts) -> str | None:
        return "; ".join(report.text for report in find(delivery, facts)) or None

    def apply(delivery: Delivery, facts: Facts) -> tuple[Report, ...]:
        return tuple(find(delivery, facts))

    return Fix(
        id=name,
        issue=issue,
        title=title,
        before=Stage.IMAGE,
        applies=applies,
        apply=apply,
        reports=True,
    )


def known(folders: Iterable[Path]) -> tuple[tuple[FixReference, Fix], ...]:
    """Return every fix in the folders, by id; a later folder's wins over an earlier's.

    Raises
    ------
    FixUnreadable
    """
    found: dict[str, tuple[FixReference, Fix]] = {}
    for folder in folders:
        for path in sorted(folder.glob("[!_]*.py")):
            fix = read(path)
            reference = FixReference(id=fix.id, path=str(path), sha256=document.file_sha256(path))
            found[fix.id] = reference, fix
    return tuple(found[id_] for id_ in sorted(found))


def discover(folders: Iterable[Path], named: Collection[str] = ()) -> tuple[FixReference, ...]:
    """Return the fixes of a run: all but the offered ones, and of these the named.

    Raises
    ------
    FixUnreadable, FixUnknown
    """
    every = known(folders)
    for unknown in sorted(set(named) - {fix.id for _, fix in every}):
        raise FixUnknown(f"no fix is called {unknown!r}", evidence={"fix": unknown})
    return tuple(one for one, fix in every if not fix.offered or fix.id in named)


def read(path: Path) -> Fix:
    """Load one module's ``FIX``.

    Raises
    ------
    FixUnreadable
    """
    spec = importlib.util.spec_from_file_location(f"reimage_fix_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise FixUnreadable(f"{path} is no Python module", evidence={"path": str(path)})
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (SyntaxError, ImportError, NameError) as error:
        raise FixUnreadable(f"{path}: {error}", evidence={"path": str(path)}) from error
    fix = getattr(module, "FIX", None)
    if not isinstance(fix, Fix) or fix.id != path.stem.replace("_", "-"):
        raise FixUnreadable(
            f"{path} does not end in a FIX with the id {path.stem.replace('_', '-')!r}",
            evidence={"path": str(path)},
        )
    return fix


def frozen(reference: FixReference) -> Fix:
    """Load the fix that a run was queued with.

    Raises
    ------
    FixChanged, FixUnreadable
    """
    path = Path(reference.path)
    if not path.is_file() or document.file_sha256(path) != reference.sha256:
        raise FixChanged(
            f"fix {reference.id} has changed since the run was queued",
            evidence={"fix": reference.id, "path": reference.path},
        )
    return read(path)


# --- what fixes look at ----------------------------------------------------------------------------


def decode(data: bytes) -> str:
    """Return a delivered text: UTF-8, else Latin-1, in which every byte is a character."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def scripts(delivery: Delivery, pattern: str = "") -> Iterator[tuple[str, str]]:
    """Yield name and text of the delivered scripts whose name matches a pattern."""
    for name in delivery.scripts:
        path = Path(delivery.root) / name
        if re.search(pattern, name) and path.is_file():
            yield name, decode(path.read_bytes())


def version(text: str) -> tuple[int, ...]:
    """Return the first three numbers of a version as text, ``()`` where there is none."""
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part or 0) for part in found.groups()) if found else ()


def prelude(text: str, lines: str) -> str:
    """Return a script with lines put before its first statement, after what must come first."""
    head = re.match(r"(?:[ \t]*(?:#[^\n]*)?\n|from __future__ [^\n]*\n)*", text)
    at = head.end() if head else 0
    return f"{text[:at]}{lines}{text[at:]}"


def products_casa(delivery: Delivery) -> tuple[int, ...]:
    """Return the oldest CASA that made a delivered image, by ORIGIN in the headers; ``()``: not told."""
    told = [_origin(Path(delivery.root) / name) for name in delivery.products]
    return min((found for found in told if found), default=())


def _origin(path: Path) -> tuple[int, ...]:
    if path.suffix != ".fits" or not path.is_file():
        return ()
    with path.open("rb") as stream:
        header = stream.read(_HEADER_BYTES)
    found = re.search(rb"ORIGIN  = 'CASA ([^']*)'", header)
    return version(found[1].decode("latin-1")) if found else ()


def is_mosaic(fact: Mapping[str, Any]) -> bool:
    """Whether a target of an MS has several pointings."""
    names = [one["name"] for one in fact["fields"] if one["id"] in fact["target_fields"]]
    return len(names) > len(set(names))


def target_names(facts: Facts) -> tuple[str, ...]:
    """Return the distinct names of the targets of all MSs, as they are."""
    return tuple(
        dict.fromkeys(
            str(one["name"])
            for fact in facts.values()
            for one in fact["fields"]
            if one["id"] in fact["target_fields"]
        )
    )


def versions_in(fact: Mapping[str, Any], task: str = "") -> tuple[tuple[int, ...], ...]:
    """Return the CASA versions that HISTORY tells, of one task or of all."""
    told = fact.get("history", ())
    return tuple(version(str(seen)) for name, seen in told if seen and task in {"", name})
