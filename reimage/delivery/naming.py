"""Whose delivery it is: member OUS and project, by the names of files, the papers and the README."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from reimage.delivery import contents, paperwork
from reimage.delivery.contents import Contents
from reimage.delivery.paperwork import Papers
from reimage.delivery.scan import Folder
from reimage.uid import Uid

_PROJECT = re.compile(r"\d{4}\.[0-9A-Z]\.\d{5}\.[A-Z]+")


def member_of(found: Contents, papers: Papers) -> Uid | None:
    """Return the member OUS that the delivery itself names, where its directory does not.

    Files are prefixed ``member.<mous>.`` since Cycle 5; manifests and pipeline scripts name it;
    tables and weblogs of Cycles 2 to 4 begin with it.  Places that disagree name none.
    """
    named = [path.rpartition("/")[2] for one in (found.scripts, found.readmes, found.manifests,
             found.caltables, found.other) for path in one]  # fmt: skip
    tables = [path.rpartition("/")[2] for path in (*found.caltables, *found.weblogs)]
    places = [
        [Uid.find(name) for name in named if name.casefold().startswith("member.uid")],
        [one.uid for one in papers.manifests],
        [Uid.find(papers.states.get("ousstatus_entity_id", ""))],
        [Uid.find(name) for name in tables if name.casefold().startswith("uid___")],
    ]
    for place in places:
        uids = {uid for uid in place if uid is not None}
        if uids:
            return uids.pop() if len(uids) == 1 else None
    return None


def project_of(member: Path, states: Mapping[str, str], readme: Path | None) -> str | None:
    """Return the project: the nearest directory that names one, else what scripts or README say."""
    said = [*reversed(_PROJECT.findall(str(member.resolve()))), states.get("proposal_code")]
    if not any(said) and readme is not None:
        said.append(paperwork.project_code(paperwork.read_text(readme)))
    return next((one for one in said if one), None)


def readme_of(tree: Mapping[str, Folder], path: str) -> str | None:
    """Return the README of the member, or of the nearest directory above it that has one."""
    while True:
        found = contents.sort_contents(tree, path).readmes
        if found:
            return min(found, key=lambda one: ("member." not in one.rpartition("/")[2], one))
        if not path:
            return None
        path = path.rpartition("/")[0]
