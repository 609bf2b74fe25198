"""An error class by its id, or the ids that were probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from reimage.errors import UsageError
from reimage.triage.catalogue import ErrorClass

MOST_NEAREST = 3


class ErrorClassUnknown(UsageError):
    """No error class has this id."""

    code = "error-class-unknown"
    hint = "`reimage classes list` shows them."


def find_class(classes: Iterable[ErrorClass], name: str) -> ErrorClass:
    """Return the class of this id.

    Raises
    ------
    ErrorClassUnknown
        The evidence names the nearest ids.
    """
    known = {one.id: one for one in classes}
    if name in known:
        return known[name]
    near = [one for one in known if name and (name in one or one in name)]
    near += difflib.get_close_matches(name, known, n=MOST_NEAREST, cutoff=0.5)
    nearest = list(dict.fromkeys(near))[:MOST_NEAREST]
    raise ErrorClassUnknown(
        f"no error class {name!r}" + (f"; near it: {', '.join(nearest)}" if nearest else ""),
        evidence={"class": name},
    )
