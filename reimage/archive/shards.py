"""A long listing in parts: by the beginnings of project codes, and of dataset names where need be.

All rows of a dataset lie in one part, since they have one project and one name.  The parts of a part
cover it without overlap: next to those of each digit there is always the one of all the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from reimage.errors import UsageError

FIRST_YEAR = 2011
_CODE = "0000.0.00000"
"""The form of a project code, without its kind (``.S``): digits, and dots at fixed places."""
_HEX = "0123456789abcdef"
_LONGEST_NAME = 40
_PLAIN = re.compile(r"[A-Za-z0-9.]+")


class ProjectMalformed(UsageError):
    """What was given is no project code, nor the beginning of one."""

    code = "project-malformed"
    hint = "Write a project code or its beginning: 2019.1.00003.S, or 2019.1."


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One part of a listing."""

    project: str = ""
    """How the project's code begins."""
    mous: str = ""
    """How the dataset's name begins."""
    but_not: tuple[str, ...] = ()
    """Beginnings that are in other parts: of names where ``by_name``, else of codes."""
    by_name: bool = False
    """Whether names divide it; then ``but_codes`` are the codes that it leaves out."""
    but_codes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is called: unique among the parts of a listing."""
        codes = self.but_codes if self.by_name else self.but_not
        words = [f"{self.project}*" + (f" but {len(codes)}" if codes else "")]
        if self.by_name:
            words.append(f"{self.mous}*" + (f" but {len(self.but_not)}" if self.but_not else ""))
        return " ".join(words)

    def condition(self) -> str:
        """Return it as an ADQL condition."""
        codes = self.but_codes if self.by_name else self.but_not
        terms = [_begins("proposal_id", self.project)] if self.project else []
        if codes:
            others = " OR ".join(_begins("proposal_id", code) for code in codes)
            # A row without a code is in the rest of all codes.
            absent = "" if self.project else "proposal_id IS NULL OR "
            terms.append(f"({absent}NOT ({others}))")
        if self.by_name:
            terms += [_begins("member_ous_uid", self.mous)] if self.mous else []
            rest = [f"NOT {_begins('member_ous_uid', one)}" for one in self.but_not]
            if rest and not self.mous:  # a row without a name is in the rest of all names
                terms.append(f"(member_ous_uid IS NULL OR {' AND '.join(rest)})")
            else:
                terms += rest
        return " AND ".join(terms) or "1=1"

    def holds(self, project: str) -> bool:
        """Whether the rows of a project are in it, if names do not divide it."""
        return project.startswith(self.project) and not project.startswith(self.but_not or ("\0",))

    def split(self) -> tuple[Shard, ...]:
        """Return its parts; none where it cannot be divided."""
        if self.by_name:
            return self._by_name()
        if self.but_not or not 0 < len(self.project) < len(_CODE):
            return replace(self, by_name=True, but_codes=self.but_not, but_not=()).split()
        beginnings = tuple(_dotted(self.project + digit) for digit in "0123456789")
        parts = tuple(Shard(project=beginning) for beginning in beginnings)
        return (*parts, Shard(project=self.project, but_not=beginnings))

    def _by_name(self) -> tuple[Shard, ...]:
        if self.but_not or len(self.mous) > _LONGEST_NAME:
            return ()
        beginnings = (
            tuple(f"{self.mous}{digit}" for digit in [*_HEX, "/X"])
            if self.mous
            else ("uid://A001/X", "uid://A002/X")
        )
        parts = tuple(replace(self, mous=beginning) for beginning in beginnings)
        return (*parts, replace(self, but_not=beginnings))


def whole(this_year: int) -> tuple[Shard, ...]:
    """Return the parts of everything: by year, and the rest."""
    years = tuple(f"{year}." for year in range(FIRST_YEAR, this_year + 2))
    return (*(Shard(project=year) for year in years), Shard(but_not=years))


def of_project(text: str) -> Shard:
    """Return the part of a project, or of all those whose code begins so.

    Raises
    ------
    ProjectMalformed
    """
    if not _PLAIN.fullmatch(text):
        raise ProjectMalformed(f"not a project code: {text!r}", evidence={"text": text})
    return Shard(project=text)


def plan(shard: Shard, rows: Mapping[str, int], limit: int) -> Iterator[tuple[Shard, int]]:
    """Yield the parts of a part that have rows, with their number, none above a limit if possible.

    ``rows`` tells how many each project has.  A project that has more stays whole here.
    """
    n_rows = sum(n for project, n in rows.items() if shard.holds(project))
    if not n_rows:
        return
    is_divisible = not shard.but_not and 0 < len(shard.project) < len(_CODE)
    if n_rows <= limit or not is_divisible:
        yield shard, n_rows
        return
    for part in shard.split():
        yield from plan(part, rows, limit)


def _dotted(beginning: str) -> str:
    """Add the dot that follows in a code."""
    at = len(beginning)
    return beginning + "." if at < len(_CODE) and _CODE[at] == "." else beginning


def _begins(column: str, beginning: str) -> str:
    """Return an ADQL condition; beginnings hold no quotes and no wildcards, by their forms."""
    return f"{column} LIKE '{beginning}%'"
