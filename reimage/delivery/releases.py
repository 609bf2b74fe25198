"""What a build string, an SVN revision or a date says about the version of CASA (``releases.toml``).

The data file holds each fact with its source.  Where sources disagree, so does the reading: it has
a doubt, and the choice of a build shows it.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

VERSION = r"(?<![\d.])[3-9]\.\d{1,2}(?:\.\d+)?(?:[-.]\d+)?(?![\d.]\d)"
"""A version of CASA that ALMA ever used; not ``4.x``, a project code, an IP address."""
_DISTRIBUTION = re.compile(r"casapy-(\d)(\d)\.(\d)\.(\d{5})")
_REVISION = re.compile(r"\br(\d{5})\b")
_FIRST_REVISION = 1000
"""A third number from here on is an SVN revision: 4.7.38335 is no patch of 4.7."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a string says."""

    version: str
    doubt: str = ""
    """Why this reading is not certain."""


@cache
def facts() -> dict[str, Any]:
    """Return the data file."""
    return tomllib.loads(Path(__file__).with_name("releases.toml").read_text(encoding="utf-8"))


def read(text: str) -> Reading | None:
    """Return the version that a string begins with or names, None where it names none.

    ``5.6.1-8``, ``4.7.38335-REL (r38335)``, ``casapy-42.2.30986-pipe-1-64b``, ``4.7.2-REL (r39762)``.
    """
    named = _DISTRIBUTION.search(text)
    if named:
        return Reading(version=".".join(named.groups()[:3]))
    match = re.search(VERSION, text)
    if match is None:
        return None
    version = match[0].rstrip(".-")
    numbers = [int(part) for part in re.split(r"[.-]", version)]
    if len(numbers) > 2 and numbers[2] >= _FIRST_REVISION:  # noqa: PLR2004 -- major, minor, third
        return of_revision(numbers[2], f"{numbers[0]}.{numbers[1]}")
    revision = _REVISION.search(text)
    if len(numbers) == 2 and revision:  # noqa: PLR2004 -- 4.7 (r38335): the revision says more
        return of_revision(int(revision[1]), version)
    return Reading(version=version)


def of_revision(revision: int, series: str) -> Reading:
    """Return the version of a revision within a series of CASA (``4.7``)."""
    known = [row for row in facts()["revision"] if row["revision"] == revision]
    if not known:
        return Reading(
            version=series, doubt=f"revision {revision} is not known: some {series} it is"
        )
    [row] = known
    fitting = [version for version in row["versions"] if version.startswith(f"{series}.")]
    if len(row["versions"]) > 1:
        return Reading(
            version=(fitting or row["versions"])[-1],
            doubt=f"r{revision} stands for {' and for '.join(row['versions'])}",
        )
    if not fitting:
        return Reading(
            version=series,
            doubt=f"r{revision} is known as {row['versions'][0]}, which is no {series}",
        )
    return Reading(version=fitting[0])


def in_operations_since(day: date) -> str | None:
    """Return the oldest version that was in operations on a day: a bound, None before Cycle 0."""
    rows = [row for row in facts()["operations"] if row["from"] <= day]
    return str(rows[-1]["versions"][0]) if rows else None
