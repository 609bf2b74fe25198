"""What a fix is, and where fixes are found.

A fix is the remedy for one known issue: a module ``fixes/<issue>.py`` that ends in one ``FIX``.  It
sees a delivery, or the facts of MSs; it imports no CASA and nothing of the service but this module,
the model and the errors.  Adding one is adding its file: the contract tests cover it already.
"""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from reimage import document
from reimage.errors import FixError
from reimage.model import Delivery, FixReference, Stage

Facts: TypeAlias = Mapping[str, Mapping[str, Any]]
"""By MS path, what job ``inspect_ms`` found; empty before *restore*."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePatch:
    """The new text of one delivered file, named relative to the delivery's root."""

    path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MsOperation:
    """One declared change of an MS, carried out by job ``fix_ms`` inside the build."""

    ms: str
    kind: Literal["set_field_direction", "put_keyword", "delete_rows", "flagdata"]
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """The remedy for one known issue.

    ``applies`` is pure and cheap and returns why the fix is needed, or None.  ``apply`` returns file
    patches (before *restore*) or MS operations (before *image*); applied twice it changes nothing more.
    """

    id: str
    issue: str
    """Where the issue is described: an address, a ticket, a document."""
    title: str
    before: Stage
    applies: Callable[[Delivery, Facts], str | None]
    apply: Callable[[Delivery, Facts], tuple[FilePatch, ...] | tuple[MsOperation, ...]]


def discover(folders: Iterable[Path]) -> tuple[FixReference, ...]:
    """Return references to every fix in the folders, by id; a later folder's wins over an earlier's.

    Raises
    ------
    FixUnreadable
    """
    found: dict[str, FixReference] = {}
    for folder in folders:
        for path in sorted(folder.glob("[!_]*.py")):
            fix = read(path)
            found[fix.id] = FixReference(
                id=fix.id, path=str(path), sha256=document.file_sha256(path)
            )
    return tuple(found[id_] for id_ in sorted(found))


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


def difference(path: str, before: str, after: str) -> str:
    """Return a unified diff of one patched file."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        f"delivered/{path}",
        f"patched/{path}",
    )
    return "".join(lines)
