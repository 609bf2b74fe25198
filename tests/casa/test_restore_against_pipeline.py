"""Our restore from the tables, held against the restore by the real ALMA pipeline.

Skipped by name unless ``REIMAGE_TEST_PIPELINE`` is the path of a Python that has casatasks and the ALMA
pipeline: it is on no package registry (pages on the pipeline, sections 1 and 2).  Deliveries are simulated;
their ``casa_piperestorescript.py`` runs as delivered, started by scriptForPI through the runner.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from making import make_run

from reimage import document, fix, runner
from reimage.casa import builds, environments, process
from reimage.demo import build as demo
from reimage.demo import era_archive, era_trees
from reimage.demo.datasets import datasets
from reimage.model import Stage
from reimage.run import Limits, Outcome
from reimage.settings import shipped
from reimage.stages.context import PROVEN

VARIABLE = "REIMAGE_TEST_PIPELINE"
PYTHON = os.environ.get(VARIABLE)  # noqa: TID251 -- tests look at their surroundings
pytestmark = [
    pytest.mark.casa,
    pytest.mark.slow,
    pytest.mark.xdist_group("pipeline"),
    pytest.mark.skipif(PYTHON is None, reason=f"no ALMA pipeline: {VARIABLE} unset"),
]
CHECKS = str(Path(__file__).with_name("pipeline_checks"))
LIMITS = Limits(memory_mb=6000, wall_s=600, silence_s=120)
BLOCKS = {
    "a": 1,
    "cycle5-pipeline": 2,
    "cycle7-pipeline-two-sessions": 2,
    "cycle12-pipeline": 2,
    "one-block-missing": 1,
}
"""Execution blocks of each kind whose raw data are there; *a* is of the six of `reimage demo build`."""
EXACT = 1e-6
"""Of the largest value of a column: the same calls on the same data in the same CASA."""


@pytest.fixture(scope="module")
def pipeline(cache, tmp_path_factory):
    """Give the build that has the pipeline, registered as a site would."""
    python = Path(str(PYTHON))
    build = builds.from_path(python, environments.casadata_path(cache))
    return builds.register(build, tmp_path_factory.mktemp("pipeline") / "builds", print)


@pytest.fixture(scope="module")
def archives(casa, cache, tmp_path_factory):
    """Give the archive directory and the MOUS of each kind; *a* has one execution block."""
    place = tmp_path_factory.mktemp("against")
    made = {"build_with": casa, "cache": cache, "emit": silent}
    kinds = era_archive.build_archive(
        place / "eras", running="6.7.0", only=frozenset(BLOCKS), **made
    )
    demo.build_archive(place / "demo", build=casa, cache=cache, emit=silent, only=frozenset("a"))
    found = {name: (place / "eras", str(kind.dataset.mous)) for name, kind in kinds.items()}
    (single,) = (one for one in datasets() if one.letter == "a")
    return {**found, "a": (place / "demo", str(single.mous))}


def silent(event, **data):
    pass


@pytest.fixture
def restore(archives, tmp_path):
    """Give a function that restores a kind in a build; returns the outcome and the run's directory."""

    def run(kind, build, name, *, archive=None, without=frozenset()):
        place, mous = archives[kind]
        known = fix.discover((shipped("fixes"),))
        directory = tmp_path / name
        directory.mkdir()
        fields = {
            "dataset": mous,
            "builds": (build,),
            "fixes": tuple(one for one in known if one.id not in without),
            "limits": LIMITS,
            "until": Stage.RESTORE,
        }
        document.write(directory / "run.json", make_run(archive or place, **fields))
        (directory / "ATTEMPT").write_text("1\n")
        return runner.run_attempt(directory, 1), directory

    return run


@pytest.fixture
def difference(casa, tmp_path):
    """Give a function that says, by execution block, how the MSs of two runs differ."""

    def compare(one, other):
        paths = [{ms.name: str(ms) for ms in working(run)} for run in (one, other)]
        assert paths[0].keys() == paths[1].keys() != set()
        pairs = {name: [paths[0][name], paths[1][name]] for name in paths[0]}
        return process.run_job(
            casa,
            CHECKS,
            {"pairs": pairs},
            directory=tmp_path / "difference",
            limits=LIMITS,
            emit=silent,
        )

    return compare


def working(directory):
    """Return the MSs with all fields and columns, before anything was split from them."""
    return sorted((directory / "restore").rglob("working/uid___*.ms"))


def method_of(directory: Path, outcome: Outcome) -> str:
    assert outcome.fault is None, outcome.fault
    method: str = document.read_json(directory / "restore" / PROVEN)["value"]["method"]
    return method


@pytest.mark.parametrize(("kind", "blocks"), BLOCKS.items())
def test_the_tables_restore_what_the_pipeline_restores(kind, blocks, pipeline, restore, difference):
    by_pipeline, theirs = restore(kind, pipeline, "theirs")
    by_tables, ours = restore(kind, replace(pipeline, pipeline=None), "ours")
    assert method_of(theirs, by_pipeline) == "scriptForPI"
    assert method_of(ours, by_tables) == "tables"
    assert "restored-without-pipeline" not in by_pipeline.caveats
    found = difference(theirs, ours)
    assert len(found) == blocks
    for told in found.values():
        require_equal(told)


def require_equal(told):
    assert told["rows"][0] == told["rows"][1] > 0
    assert told["columns"] == []
    assert set(told["subtables"]) <= {"ASDM_POINTING"}  # left out by us: large, and read by nothing
    assert told["flagged"][0] == told["flagged"][1] > 0
    assert set(told["cells"].values()) == {0}, told["cells"]
    for column, one in told["numbers"].items():
        assert one["difference"] <= EXACT * one["largest"], (column, one)
    assert told["numbers"]["CORRECTED_DATA"]["largest"] > 0


@pytest.fixture
def archive_with(casa, cache, tmp_path, monkeypatch):
    """Give a function that builds the archive of cycle5-pipeline with its files changed."""

    def build(change):
        form = era_trees.FORMS["pipeline_prefixed"]

        def changed(kind, simulated):
            packages = form(kind, simulated)
            return tuple(
                replace(one, content=change(one.content)) if "auxiliary" in one.name else one
                for one in packages
            )

        monkeypatch.setitem(era_trees.FORMS, "pipeline_prefixed", changed)
        era_archive.build_archive(
            tmp_path / "archive",
            build_with=casa,
            cache=cache,
            emit=silent,
            running="6.7.0",
            only=frozenset({"cycle5-pipeline"}),
        )
        return tmp_path / "archive"

    return build


def with_old_names(tree: Mapping[str, object]):
    """Name bundles and the task as in Cycle 4; the manifest stays."""
    bundles = (".flagversions.tgz", "session_1.caltables.tgz")
    renamed = {
        name.removesuffix(".tgz") + ".tar.gz" if name.endswith(bundles) else name: content
        for name, content in tree.items()
    }
    return {
        name: content.replace("hifa_", "hif_") if name.endswith("restorescript.py") else content
        for name, content in renamed.items()
    }


@pytest.mark.parametrize(
    ("without", "says"),
    [
        ("restoredata-renamed", "NameError: name 'hif_restoredata' is not defined"),
        ("bundle-suffix", "No such file or directory: '../products/uid___"),
    ],
)
def test_without_its_fix_an_old_name_ends_a_restore_by_the_real_pipeline(
    without, says, pipeline, restore, archive_with
):
    archive = archive_with(with_old_names)
    ill, _ = restore("cycle5-pipeline", pipeline, "ill", archive=archive, without={without})
    assert ill.fault.code == "casa-job-failed"
    assert says in ill.fault.message


def test_the_fixes_of_old_names_cure_a_restore_by_the_real_pipeline(
    pipeline, restore, archive_with
):
    archive = archive_with(with_old_names)
    cured, directory = restore("cycle5-pipeline", pipeline, "cured", archive=archive)
    assert method_of(directory, cured) == "scriptForPI"
    assert len(working(directory)) == 2


def without_second_spw(tree: Mapping[str, object]):
    """Let calapply.txt say nothing of the second spw, as where no solution was found."""
    return {
        name: Path(str(content)).read_text().replace("spw='0~1'", "spw='0'")
        if name.endswith(".ms.calapply.txt")
        else content
        for name, content in tree.items()
    }


def test_a_spw_that_no_call_names_is_raw_in_both_and_known_as_such(
    pipeline, restore, archive_with, difference
):
    archive = archive_with(without_second_spw)
    by_pipeline, theirs = restore("cycle5-pipeline", pipeline, "theirs", archive=archive)
    tables = replace(pipeline, pipeline=None)
    by_tables, ours = restore("cycle5-pipeline", tables, "ours", archive=archive)
    for told in difference(theirs, ours).values():
        one = told["numbers"]["CORRECTED_DATA"]
        assert one["difference"] <= EXACT * one["largest"]
        # neither applycal flags it; *restore* does, in the MS that is to be imaged: theirs is the split
        assert told["flagged"][0] < told["flagged"][1]
    for outcome in (by_pipeline, by_tables):
        assert any(one.startswith("spw-uncalibrated") for one in outcome.caveats), outcome.caveats
