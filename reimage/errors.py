"""What can go wrong and is expected: a stable code, a hint that says what to do, evidence.

What is not a `ReimageError` is our bug.  Retry policy does not live here: it belongs to the error
class that triage gives a failure (`reimage/triage/classes/`).
"""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping
from typing import Any, ClassVar

CODES: dict[str, type[ReimageError]] = {}
"""Every declared code and its class; codes are unique and kebab-case, checked when a class is made."""


class ReimageError(Exception):
    """Something that can happen and is not our fault.

    Attributes
    ----------
    code
        Stable, kebab-case; documented, asked for by scripts, matched by error classes.
    hint
        What the reader can do about it, one or two sentences.
    evidence
        Facts that go with the failure: names, numbers, paths.  JSON values only.
    """

    code: ClassVar[str] = "reimage"
    hint: str = ""
    exit_code: ClassVar[int] = 1

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        code = cls.__dict__.get("code")
        if code is None or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code):
            raise TypeError(f"{cls.__name__}: an error class needs its own kebab-case code")
        if CODES.get(code, cls).__qualname__ != cls.__qualname__:
            raise TypeError(f"{cls.__name__}: the code {code!r} belongs to {CODES[code].__name__}")
        CODES[code] = cls

    def __init__(
        self, message: str, *, hint: str = "", evidence: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.hint = hint or type(self).hint
        self.evidence: dict[str, Any] = dict(evidence or {})

    @property
    def message(self) -> str:
        """What happened, in one sentence."""
        return str(self.args[0])


# --- families ----------------------------------------------------------------------------------


class UsageError(ReimageError):
    """The command line asks for something that cannot be; exit code 2, never a run's outcome."""

    code = "usage"
    exit_code = 2


class SettingsError(ReimageError):
    """The settings cannot be used; exit code 2, never a run's outcome."""

    code = "settings"
    exit_code = 2


class Refusal(ReimageError):
    """Not applicable by rule: nothing to do for this dataset, and nobody's failure."""

    code = "refused"
    exit_code = 4


class ArchiveError(ReimageError):
    """The archive did not give what it lists."""

    code = "archive"


class DeliveryError(ReimageError):
    """What was delivered cannot be processed as it is."""

    code = "delivery"


class CasaError(ReimageError):
    """A CASA process did not do what was asked of it."""

    code = "casa"


class RecipeError(ReimageError):
    """A recipe cannot be read, or asks for what no engine knows."""

    code = "recipe"
    exit_code = 2


class FixError(ReimageError):
    """A known fix did not apply."""

    code = "fix"


class ProductError(ReimageError):
    """An image or what derives from it is not what it should be."""

    code = "product"


class ResourceError(ReimageError):
    """Memory, disk or time ran out."""

    code = "resource"


class StoreError(ReimageError):
    """The run database refused."""

    code = "store"


# --- narrow classes that several modules raise ----------------------------------------------------


class DocumentUnreadable(ReimageError):
    """A file of ours is not what it should be."""

    code = "document-unreadable"
    hint = "The file was changed by hand or written by another version: restore it, or start a new run."


class UidMalformed(UsageError):
    """A string is not an ALMA uid in any of its spellings."""

    code = "uid-malformed"
    hint = "Write uid://A001/X123/X45 or uid___A001_X123_X45."


class DatasetUnknown(UsageError):
    """The holdings do not list this dataset."""

    code = "dataset-unknown"
    hint = (
        "`reimage holdings list` shows what is known; `reimage holdings sync` brings it up to date."
    )


class RunUnknown(UsageError):
    """No run has this id."""

    code = "run-unknown"
    hint = "`reimage status` lists the runs."


NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What a file system says where it is full, or a quota is."""


class DiskFull(ResourceError):
    """A file system has no room left."""

    code = "disk-full"
    hint = "Free space (`reimage doctor` shows what is used where) and re-run the dataset."
