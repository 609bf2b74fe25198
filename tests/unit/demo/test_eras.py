"""The simulated deliveries of every era, packaged without CASA: what the reader finds in each."""

from __future__ import annotations

import re

import pytest

from reimage.archive.directory import DirectoryArchive
from reimage.casa import process
from reimage.delivery import unpack
from reimage.delivery.layout import read_layout
from reimage.demo import era_archive, era_kinds, eras, packing
from reimage.model import CasaBuild
from reimage.stages import preflight

BUILD = CasaBuild(id="casa-6.7.0.31-py311", version="6.7.0.31", kind="modular", python="python")
KINDS = {kind.id: kind for kind in era_kinds.kinds("6.7.0")}


@pytest.fixture(scope="module")
def archive(tmp_path_factory, fill):
    """Package all kinds from stand-ins for what CASA makes; give the archive's directory."""
    place = tmp_path_factory.mktemp("eras")

    def run_job(_casa, _job, inputs, *, directory, limits, emit):
        blocks = tuple(block["eb"] for block in inputs["ebs"])
        named = eras.simulations().values()
        dataset = next(d for d in named if tuple(b.eb.name for b in d.blocks) == blocks)
        out = fill(dataset, directory)
        for tables in out.glob("calibration/*.caltables.tgz"):
            tables.write_bytes(packing.tgz({f"{blocks[0]}.ms.bcal.tbl/table.dat": "table"}))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "run_job", run_job)
        era_archive.build_archive(
            place / "archive",
            build_with=BUILD,
            cache=place / "cache",
            emit=lambda *_, **__: None,
            running="6.7.0",
        )
    return place / "archive"


@pytest.fixture
def delivery(archive, tmp_path, request):
    kind = KINDS[request.param]
    for file in DirectoryArchive(archive).files(str(kind.dataset.mous)):
        path = archive / "dataPortal" / file.name
        if path.suffix == ".tar":
            unpack.unpack(path, tmp_path)
        else:
            (tmp_path / file.name).write_bytes(path.read_bytes())
    return kind, read_layout(tmp_path)


def test_there_are_enough_kinds_and_no_two_are_one():
    assert len(KINDS) >= 14
    assert len({kind.dataset.mous for kind in KINDS.values()}) == len(KINDS)
    assert len({kind.dataset.project for kind in KINDS.values()}) == len(KINDS)
    assert {kind.layout for kind in KINDS.values()} == {"dated", "named", "uid"}
    methods = {kind.method for kind in KINDS.values()}
    assert methods == {"", "delivered", "scriptForPI", "scripts", "tables"}


def test_each_is_a_dataset_of_the_archive(archive):
    found = {row.key: row.facts for row in DirectoryArchive(archive).datasets()}
    assert set(found) == {str(kind.dataset.mous) for kind in KINDS.values()}


@pytest.mark.parametrize("delivery", KINDS, indirect=True)
def test_the_reader_finds_what_was_packed(delivery):
    kind, found = delivery
    assert (found.layout, found.era, found.calibration) == (kind.layout, kind.era, kind.calibration)
    assert found.is_total_power == (kind.id == "total-power")
    if kind.calibration.value != "none":
        assert found.ebs == tuple(block.eb.name for block in kind.dataset.blocks)
    assert len(found.raw) == len(kind.dataset.blocks) - len(kind.without_raw)
    assert found.project == kind.dataset.project
    if kind.layout == "uid":
        assert found.dataset == str(kind.dataset.mous)
    assert found.readme


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_listing_alone_tells_what_is_in_vain_and_nothing_else(archive, kind):
    """What the pre-flight refuses ends so; what it lets pass is not ended by a rule that it should know."""
    offered = DirectoryArchive(archive)
    facts = {row.key: row.facts for row in offered.datasets()}[str(kind.dataset.mous)]
    there = preflight.means(archive, restores=True)
    _, told = preflight.ask(offered, str(kind.dataset.mous), facts, there)
    known = {"nothing-to-restore", "archive-listing-incomplete"}
    assert [one.code for one in told.problems] == ([kind.ends] if kind.ends in known else [])
    lost = [f"no raw data are listed for {eb}" for eb in kind.without_raw]
    assert [note for note in told.notes if "raw data" in note] == ([] if told.problems else lost)


def test_manual_scripts_ask_for_the_casa_that_runs():
    kinds = {kind.id: kind for kind in era_kinds.kinds("6.2.0")}
    assert kinds["cycle2-manual"].wanted == kinds["cycle2-manual"].dataset.casa == "6.2.0"
    assert kinds["cycle1-manual-4.1"].wanted == "4.1"


def test_ids_are_words():
    assert all(re.fullmatch(r"[a-z0-9.]+(-[a-z0-9.]+)*", id_) for id_ in KINDS)
