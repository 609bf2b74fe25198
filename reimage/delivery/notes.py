"""What is odd about a delivery, one line each: ``<id>: <what>``.  A note refuses nothing.

======================= ============================================================================
manifest-not-xml        a pipeline manifest cannot be read
request-not-xml         a processing request cannot be read
several-ous             the manifests name more than one OUS
other-ous               the manifests name another OUS than the directory
table-missing           the manifest names calibration tables that are not here
session-empty           a session of the processing request has no execution block
request-not-calibrated  the request names execution blocks that have no calibration here
manifest-not-calibrated the manifest names execution blocks that have no calibration here
raw-not-calibrated      raw data of execution blocks without calibration
raw-elsewhere           raw data that lie outside the member's directory: they are taken
raw-twice               raw data of an execution block that has them already: these are not taken
raw-missing             calibrated or requested execution blocks without raw data, beside others that have them
not-unique              several scripts of which scriptForPI.py takes one, and stops
manual-and-pipeline     scripts for manual calibration beside pipeline tables: the scripts are taken
calibrated-inside       calibrated MSs beside what makes them: they are taken
nested-tree             the member's files lie in several trees, one perhaps unpacked inside the other
other-tree              something that looks like another delivery lies beside it, and was not read
tar-not-unpacked        a tar of the archive that nobody has unpacked
======================= ============================================================================
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from reimage.delivery.contents import Contents
from reimage.delivery.paperwork import Papers, eb_of
from reimage.uid import Uid

MANY = 8


def notes(found: Contents, papers: Papers, member: Uid | None) -> Iterator[str]:
    """Tell what is odd about what was found."""
    yield from _list("manifest-not-xml", papers.bad_manifests)
    yield from _list("request-not-xml", papers.bad_requests)
    yield from _ous(papers, member)
    yield from _tables(found, papers, member)
    empty = {name for one in papers.requests for name in one.empty_sessions}
    yield from _list("session-empty", empty)
    yield from _blocks(found, papers, member)
    yield from _scripts(found)
    yield from _list("tar-not-unpacked", found.tars)


def _ous(papers: Papers, member: Uid | None) -> Iterator[str]:
    named = {one.name for one in papers.manifests}
    if len(named) > 1:
        yield from _list("several-ous", named)
    uids = {one.uid for one in papers.manifests}
    if member is not None and uids and member not in uids:
        yield from _list("other-ous", named)


def _tables(found: Contents, papers: Papers, member: Uid | None) -> Iterator[str]:
    if not found.caltables:  # a partial download, or none at all: absence is told by the field
        return
    here = {path.rpartition("/")[2] for path in found.caltables}
    named = {name for one in papers.sessions(member) for name in one.tables}
    yield from _list("table-missing", named - here)


def _blocks(found: Contents, papers: Papers, member: Uid | None) -> Iterator[str]:
    calibrated = _ebs((*found.calapply, *found.scripts_named("scriptForCalibration.py")))
    calibrated |= _ebs(found.flagversions) | _ebs(found.calibrated)
    requested = set(papers.requested)
    listed = {eb for one in papers.sessions(member) for eb in one.ebs}
    raw = _ebs(found.raw)
    if calibrated:  # else a shell, or a partial download: its fields tell
        yield from _list("request-not-calibrated", requested - calibrated)
        yield from _list("manifest-not-calibrated", listed - calibrated)
        yield from _list("raw-not-calibrated", raw - calibrated)
    if raw:
        yield from _list("raw-missing", (calibrated | requested) - raw)


def _scripts(found: Contents) -> Iterator[str]:
    pipeline = bool(found.caltables and found.calapply)
    manual = bool(found.scripts_named("scriptForCalibration.py"))
    for ending in ("casa_piperestorescript.py", "scriptForPI.py"):
        several = found.scripts_named(ending)
        if len(several) > 1:
            yield from _list("not-unique", several)
    if manual and pipeline:
        yield from _list("manual-and-pipeline", found.scripts_named("scriptForCalibration.py"))
    if found.calibrated and pipeline:
        yield from _list("calibrated-inside", found.calibrated)


def _ebs(paths: Sequence[str]) -> set[str]:
    return {eb for eb in map(eb_of, paths) if eb}


def _list(name: str, what: Collection[str]) -> Iterator[str]:
    """Return one line, the many shortened."""
    if what:
        shown = sorted(what)[:MANY]
        more = f" and {len(what) - MANY} more" if len(what) > MANY else ""
        yield f"{name}: {', '.join(shown)}{more}"


def raw_data(away: Sequence[str], twice: Sequence[str]) -> Iterator[str]:
    """Tell of raw data in odd places."""
    yield from _list("raw-elsewhere", sorted(set(away) - set(twice)))
    yield from _list("raw-twice", twice)


def trees(kept: Sequence[str], others: Sequence[str]) -> Iterator[str]:
    """Tell of trees beside the member's own."""
    yield from _list("nested-tree", [path or "." for path in kept])
    yield from _list("other-tree", [path or "." for path in others])
