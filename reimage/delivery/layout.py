"""Read a delivery's tree, of any era, into one `Delivery`.  What is absent is absent, never guessed.

The member directory is the one that holds ``script``, ``calibration``, ``raw`` or ``calibrated``;
in a partial download it may hold one of them, or a few loose files.  Its name tells the layout:

====== ======================================================================================
dated  ``sg_ouss_id/group_ouss_id/member_ouss_2012-10-18_id`` (Cycle 0)
named  ``sg_ouss_id/group_ouss_id/member_ouss_id`` (Cycle 0 to about 2)
uid    ``science_goal.uid___/group.uid___/member.uid___`` (since)
flat   none of these: a tree that somebody flattened
====== ======================================================================================

`scan` lists the directories, `contents` sorts the files by name, `eras` tells whose names they are,
`paperwork` reads manifest and processing request, `naming` finds whose it is, `notes` says what is odd.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reimage.delivery import contents, eras, naming, notes, paperwork, raw
from reimage.delivery.contents import Contents
from reimage.delivery.paperwork import Papers
from reimage.delivery.scan import Folder, scan
from reimage.errors import DeliveryError
from reimage.model import Calibration, Delivery
from reimage.uid import Uid

_MEMBER = "member"
_CALIBRATE, _FOR_PI = "scriptForCalibration.py", "scriptForPI.py"


class DeliveryEmpty(DeliveryError):
    """Nothing in a directory looks like a delivery."""

    code = "delivery-empty"
    hint = "Check that the archive's files were unpacked here, or that the path is right."


class DeliveryAmbiguous(DeliveryError):
    """A directory holds the deliveries of several member OUSs."""

    code = "delivery-ambiguous"
    hint = "Name the directory of one of them."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    """One directory that holds a member's files."""

    path: str
    name: str
    found: Contents
    n_parts: int

    @property
    def uid(self) -> Uid | None:
        named = self.name.casefold().startswith(_MEMBER)
        return Uid.find(self.name) if named else None

    @property
    def rank(self) -> tuple[bool, bool, int, int, str]:
        """Order: where scripts can run, then what is called a member, the fullest, the shallowest."""
        return (
            not self.found.scripts,
            not self.name.casefold().startswith(_MEMBER),
            -self.n_parts,
            self.path.count("/") + bool(self.path),
            self.path,
        )


def read_layout(root: Path) -> Delivery:
    """Return what a delivery's tree holds.

    Raises
    ------
    DeliveryEmpty
        There is nothing that a delivery has.
    DeliveryAmbiguous
        There are several member OUSs.
    DeliveryNoDirectory, DeliveryUnreadable, DeliveryTooLarge
    """
    tree = scan(root)
    members = sorted(_members(tree), key=lambda one: one.rank)
    if not members:
        tars = sorted(name for folder in tree.values() for name in folder.files if _is_tar(name))
        raise DeliveryEmpty(
            f"no delivery in {root}", evidence={"path": str(root), "tars": tars[:20]}
        )
    own, others = _own(root, members)
    return _delivery(root, tree, own, others)


def _members(tree: Mapping[str, Folder]) -> list[_Member]:
    """Return every directory with a member's parts that are not all empty, else the best loose one."""
    candidates = [_member(tree, path) for path, folder in tree.items() if contents.parts_of(folder)]
    there = [one for one in candidates if one.found.is_delivery]
    if there:
        return there
    loose = [_member(tree, path) for path in tree if path not in {one.path for one in candidates}]
    there = [one for one in loose if one.found.is_delivery and not _is_foreign(one)]
    return sorted(there, key=lambda one: (one.path.count("/") + bool(one.path), one.path))[:1]


def _member(tree: Mapping[str, Folder], path: str) -> _Member:
    folder = tree[path]
    return _Member(
        path=path,
        name=folder.name,
        found=contents.sort_contents(tree, path),
        n_parts=len(contents.parts_of(folder)),
    )


def _is_foreign(one: _Member) -> bool:
    """Whether it is a README of something else, somewhere below."""
    ours = any(name.startswith(_MEMBER) for name in contents.names(one.found.readmes))
    named = one.name.casefold().startswith(_MEMBER)
    return one.found.is_readme_only and bool(one.path) and not (ours or named)


def _own(root: Path, members: list[_Member]) -> tuple[list[_Member], list[_Member]]:
    """Return the member's trees, the one that scripts run in first, and what else there is."""
    uids = {one.uid for one in members if one.uid is not None}
    if len(uids) > 1:
        raise DeliveryAmbiguous(
            f"{len(uids)} member OUSs in {root}",
            evidence={"members": sorted(str(uid) for uid in uids)},
        )
    main = members[0]
    own = [one for one in members if one is main or _is_same(one, main)]
    return own, [one for one in members if one not in own]


def _is_same(one: _Member, main: _Member) -> bool:
    if main.uid is not None:
        return one.uid == main.uid
    return main.name.casefold().startswith(_MEMBER) and one.name == main.name


def _delivery(
    root: Path, tree: Mapping[str, Folder], own: list[_Member], others: list[_Member]
) -> Delivery:
    main, found = own[0], contents.merged(one.found for one in own)
    layout = eras.layout_of(main.name)
    papers, readme = paperwork.read_papers(root, found), naming.readme_of(tree, main.path)
    member = main.uid or naming.member_of(found, papers)
    procedure = _procedure(found, papers, member)
    single_dish = eras.is_single_dish(found, procedure, papers.tasks)
    project = naming.project_of(
        root / main.path, papers.states, None if readme is None else root / readme
    )
    kind = Calibration.NONE if single_dish else _calibration(found)
    wanted = _ebs(kind, replace(found, raw=()), papers, member)
    found, about_raw = _with_raw(tree, found, main.path, wanted)
    delivery = Delivery(
        root=str(root),
        member=main.path or ".",
        layout=layout,
        era=eras.era_of(
            found,
            layout=layout,
            project=project,
            sessions=[one.name for one in papers.sessions(member)],
            single_dish=single_dish,
        ),
        calibration=kind,
        is_total_power=single_dish,
        procedure=procedure,
        dataset=str(member) if member else None,
        project=project,
        readme=readme,
        ebs=_ebs(kind, found, papers, member),
        notes=(
            *notes.notes(found, papers, member),
            *about_raw,
            *_about_trees(own, others),
        ),
    )
    return _with_files(found, delivery)


def _with_raw(
    tree: Mapping[str, Folder], found: Contents, path: str, wanted: Sequence[str]
) -> tuple[Contents, tuple[str, ...]]:
    """Return the contents with each ASDM once, wherever in the tree it lies, and what is odd of them."""
    away = raw.elsewhere(tree, found.raw, wanted)
    asdms, twice = raw.one_each((*found.raw, *away), path)
    return replace(found, raw=asdms), tuple(notes.raw_data(away, twice))


def _with_files(found: Contents, delivery: Delivery) -> Delivery:
    return replace(
        delivery,
        raw=found.raw,
        scripts=found.scripts,
        script_for_pi=_one(found.scripts_named(_FOR_PI)),
        piperestore=_one(found.scripts_named(paperwork.RESTORE)),
        pipescripts=found.scripts_named(paperwork.PIPE),
        calibration_scripts=found.scripts_named(_CALIBRATE),
        caltables=found.caltables,
        flagversions=found.flagversions,
        calapply=found.calapply,
        manifests=found.manifests,
        pprs=found.pprs,
        calibrated=found.calibrated,
        products=found.products,
        qa=found.qa,
        weblogs=found.weblogs,
        logs=found.logs,
        other=found.other,
    )


def _about_trees(own: list[_Member], others: list[_Member]) -> tuple[str, ...]:
    return tuple(notes.trees([one.path for one in own[1:]], [one.path for one in others]))


def _calibration(found: Contents) -> Calibration:
    """Return how the calibrated data come to be, in the order in which scriptForPI.py looks."""
    if found.calibrated:
        return Calibration.DELIVERED
    if found.scripts_named(_CALIBRATE):
        return Calibration.MANUAL
    if found.caltables and found.calapply and found.scripts_named(paperwork.RESTORE):
        return Calibration.PIPELINE
    return Calibration.NONE


def _ebs(kind: Calibration, found: Contents, papers: Papers, member: Uid | None) -> tuple[str, ...]:
    """Return the execution blocks: as the calibration names them, else the papers, else raw data."""
    listed = [eb for one in papers.sessions(member) for eb in one.ebs]
    scripts, calibrated = found.scripts_named(_CALIBRATE), found.calibrated
    sources: dict[Calibration, list[Sequence[str]]] = {
        Calibration.MANUAL: [scripts, found.raw],
        Calibration.PIPELINE: [
            found.calapply,
            found.flagversions,
            listed,
            papers.requested,
            found.raw,
        ],
        Calibration.DELIVERED: [calibrated, scripts, found.raw],
        Calibration.NONE: [found.calapply, found.flagversions, listed, papers.requested, found.raw],
    }
    for source in sources[kind]:
        uids = {eb for eb in map(paperwork.eb_of, source) if eb}
        if uids:
            return tuple(sorted(uids))
    return ()


def _procedure(found: Contents, papers: Papers, member: Uid | None) -> str | None:
    named = [one.procedure for one in papers.of(member) if one.procedure]
    by_state = papers.states.get("recipe_name")
    return eras.preferred(named) or eras.procedure_of(found) or by_state


def _one(scripts: Sequence[str]) -> str | None:
    """Return the script of the calibration, of several of a kind (`notes`: not-unique)."""
    return min(scripts, key=lambda one: ("cal" not in one.casefold(), one), default=None)


def _is_tar(name: str) -> bool:
    return name.casefold().endswith(".tar")
