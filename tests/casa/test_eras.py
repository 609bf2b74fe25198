"""Deliveries of every era, taken by the runner from the archive to proven data, with real CASA.

`make test` restores a few kinds in the default build; `make test-eras` all of them, and one of each way
in older builds, where the machine has their Pythons.  The truth table is `reimage.demo.era_kinds`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from making import make_run

from reimage import document, fix, runner
from reimage.casa import builds, environments
from reimage.demo import era_archive, era_kinds, eras
from reimage.model import CasaBuild, Stage
from reimage.recipes.load import load_recipe
from reimage.run import Limits, Outcome
from reimage.settings import shipped
from reimage.stages.context import PROVEN

pytestmark = [pytest.mark.casa, pytest.mark.xdist_group("eras")]
LIMITS = Limits(memory_mb=4000, wall_s=600, silence_s=120)
FEW = ("cycle0-named", "cycle1-manual-old-tree", "cycle7-pipeline-two-sessions", "total-power")
ALL = tuple(kind.id for kind in era_kinds.kinds(eras.RUNNING))
OLDER = ("6.2.0.124", "6.4.4.31", "6.5.6.22", "6.6.0.20", "6.6.5.31")
WAYS = ("cycle0-dated", "cycle2-manual", "cycle5-pipeline")
FLUX_JY = 0.2
"""Of the simulated target, a point at the centre of the field."""


@dataclass(frozen=True)
class Site:
    """An archive of all kinds, and the builds that a run may choose from."""

    archive: Path
    kinds: dict[str, eras.EraKind]
    builds: tuple[CasaBuild, ...]

    def run(self, kind, directory, **other) -> Outcome:
        fields = {
            "dataset": str(self.kinds[kind].dataset.mous),
            "builds": self.builds,
            "fixes": fix.discover((shipped("fixes"),)),
            "limits": LIMITS,
            "until": Stage.RESTORE,
        }
        directory.mkdir()
        document.write(directory / "run.json", make_run(self.archive, **{**fields, **other}))
        (directory / "ATTEMPT").write_text("1\n")
        return runner.run_attempt(directory, 1)


@pytest.fixture(scope="session")
def site(casa, cache, tmp_path_factory):
    """Give a function that makes the archive of all kinds for a build that restores, once each."""
    made = {}

    def make(build):
        if build.version not in made:
            place = tmp_path_factory.mktemp("eras") / "archive"
            running = ".".join(build.version.split(".")[:3])
            kinds = era_archive.build_archive(
                place, build_with=casa, cache=cache, emit=lambda *_, **__: None, running=running
            )
            made[build.version] = Site(place, kinds, (build,))
        return made[build.version]

    return make


@pytest.fixture(params=OLDER, scope="session")
def older(request, cache, tmp_path_factory):
    """Give an older build; skip where its Python is not on the machine."""
    row = environments.select(request.param)
    try:
        environments.find_python(row.python)
    except environments.PythonMissing as error:
        pytest.skip(f"CASA {row.version}: {error.message}")
    place = tmp_path_factory.mktemp("older") / "builds"
    return builds.install(row, cache=cache, builds_dir=place, report=print)


def value_of(directory, stage):
    path = directory / stage / PROVEN
    return document.read_json(path)["value"] if path.exists() else None


def require(kind, outcome, directory):
    """Hold a finished run against the kind's line of the truth table."""
    assert (outcome.fault.code if outcome.fault else eras.RESTORED) == kind.ends, outcome.fault
    assert outcome.refused == (kind.ends in {"no-recipe", "nothing-to-restore"})
    for caveat in kind.caveats:
        assert any(said.startswith(caveat) for said in outcome.caveats), outcome.caveats
    chosen = value_of(directory, "choose")
    if chosen is not None:
        assert chosen["choice"]["wanted"] == kind.wanted
        assert chosen["choice"]["doubtful"] == kind.doubtful
    if kind.ends != eras.RESTORED:
        return
    restored = value_of(directory, "restore")
    assert restored["method"] == kind.method
    there = {b.eb.name for b in kind.dataset.blocks if str(b.eb) not in kind.without_raw}
    assert {ms["eb"] for ms in restored["ms"]} == there
    for ms in restored["ms"]:
        assert ms["column"] == ("corrected" if kind.method == "tables" else "data")
        facts = restored["facts"][ms["path"]]
        assert facts[f"{ms['column']}_amplitude"] == pytest.approx(FLUX_JY, rel=0.05)


def test_the_truth_table_has_every_way_to_restore_and_every_way_to_end():
    kinds = era_kinds.kinds(eras.RUNNING)
    assert {kind.method for kind in kinds} >= {"delivered", "scriptForPI", "scripts", "tables"}
    assert len({kind.ends for kind in kinds}) >= 5
    assert set(FEW) | set(WAYS) <= set(ALL)


@pytest.mark.parametrize("kind", FEW)
def test_a_few_kinds_end_as_their_truth_says(kind, casa, site, tmp_path):
    _hold(site(casa), kind, tmp_path)


@pytest.mark.eras
@pytest.mark.parametrize("kind", [id_ for id_ in ALL if id_ not in FEW])
def test_every_kind_ends_as_its_truth_says(kind, casa, site, tmp_path):
    _hold(site(casa), kind, tmp_path)


@pytest.mark.eras
@pytest.mark.parametrize("kind", WAYS)
def test_older_builds_restore(kind, older, site, tmp_path):
    _hold(site(older), kind, tmp_path)


def _hold(site, kind, tmp_path):
    outcome = site.run(kind, tmp_path / "run")
    require(site.kinds[kind], outcome, tmp_path / "run")


@pytest.mark.eras
@pytest.mark.slow
def test_what_an_older_build_restored_is_imaged_by_it_or_by_the_newest(casa, older, site, tmp_path):
    there = replace(site(older), builds=(older, casa))
    recipe = load_recipe("hifatargets-2017")
    outcome = there.run(
        "cycle2-manual",
        tmp_path / "run",
        recipe=document.dump(recipe),
        recipe_digest=document.digest(recipe),
        until=Stage.IMAGE,
    )
    assert outcome.finished, outcome.fault
    assert outcome.build == older.id
    assert {product.state.value for product in outcome.products} == {"made"}
    said = [one for one in outcome.caveats if one.startswith("imaged-with-other-casa:")]
    too_old = older.version in {"6.2.0.124", "6.4.4.31"}
    assert said == (["imaged-with-other-casa:6.7.0.31"] if too_old else [])
