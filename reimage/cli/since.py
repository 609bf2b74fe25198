"""Moments as they are typed: a date, a time in UTC, or how long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from reimage import journal
from reimage.errors import UsageError

Since = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="Only what failed from then on (UTC), or in so much time: 12h, 7d, 4w.",
        show_default=False,
    ),
]
_AGO = re.compile(r"(\d{1,6})([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


class SinceMalformed(UsageError):
    """A moment cannot be understood."""

    code = "since-malformed"
    hint = (
        "Write a date (2026-11-01), a time in UTC (2026-11-01T12:00), or how long ago: 12h, 7d, 4w."
    )


def since_of(text: str) -> datetime:
    """Read a moment in UTC, or how long ago it was.

    Raises
    ------
    SinceMalformed
    """
    ago = _AGO.fullmatch(text.strip())
    try:
        if ago is not None:
            return journal.now() - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        moment = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError) as error:
        raise SinceMalformed(f"no moment: {text!r}", evidence={"since": text}) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def until_of(text: str) -> datetime:
    """Read a moment in UTC, or in how long it comes.

    Raises
    ------
    SinceMalformed
    """
    ahead = _AGO.fullmatch(text.strip())
    if ahead is None:
        return since_of(text)
    try:
        return journal.now() + timedelta(**{_UNITS[ahead[2]]: int(ahead[1])})
    except OverflowError as error:
        raise SinceMalformed(f"no moment: {text!r}", evidence={"until": text}) from error
