"""Fixes within a run: one sees what another has made, twice is once, reports become caveats."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from making import EB, MEMBER, make_build
from making_fixes import MS, RESTORE_SCRIPT, deliver, make_facts, nothing

from reimage import fix
from reimage.settings import shipped
from reimage.stages import mend

FLAGS = f"{MEMBER}/calibration/{EB}.ms.flagversions"


class Context(SimpleNamespace):
    """What `mend` asks of a stage's context, with the events that it was told."""

    def __init__(self, directory, *folders, named=(), python="3.11.7"):
        (directory / "restore").mkdir(parents=True)
        run = SimpleNamespace(fixes=fix.discover(folders, named))
        super().__init__(directory=directory, run=run, python=python, said=[], jobs=[])

    def build(self):
        return make_build("6.7.0.31", python_version=self.python)

    def emit(self, event, **data):
        self.said.append((event, data))

    def imaging_build(self):
        return make_build("6.7.0.31")

    def work(self, stage):
        return self.directory / stage.value

    def run_job(self, job, inputs, directory):
        self.jobs.append((job, inputs, directory.name))
        return []


@pytest.fixture
def context(tmp_path):
    return Context(tmp_path / "run", shipped("fixes"))


def farm_of(delivery, tmp_path):
    """Mirror a delivery with links, as a restore by scripts does."""
    farm = tmp_path / "farm"
    for name in (*delivery.scripts, *delivery.flagversions):
        (farm / name).parent.mkdir(parents=True, exist_ok=True)
        (farm / name).symlink_to((tmp_path / "delivery" / name).resolve())
    return farm


def test_two_fixes_of_one_file_add_up_and_the_delivery_stays(context, tmp_path):
    text = "from recipes.almahelpers import fixsyscaltimes\n# José\nhif_restoredata(vis=['a'])\n"
    files = {RESTORE_SCRIPT: text.encode("latin-1"), f"{FLAGS}.tar.gz": b"flags"}
    delivery = deliver(tmp_path / "delivery", files)
    farm = farm_of(delivery, tmp_path)
    assert mend.files(context, delivery, farm) == (
        *("bundle-suffix", "recipes-almahelpers", "restoredata-renamed"),
    )
    mended = (farm / RESTORE_SCRIPT).read_text(encoding="utf-8")
    for part in ("# guarded", "hif_restoredata = hifa_restoredata", "# José"):
        assert part in mended
    assert (farm / f"{FLAGS}.tgz").read_bytes() == b"flags"
    assert (tmp_path / "delivery" / RESTORE_SCRIPT).read_bytes() == files[RESTORE_SCRIPT]
    assert not (tmp_path / "delivery" / f"{FLAGS}.tgz").exists()
    diff = (context.directory / "evidence/fix-restoredata-renamed.diff").read_text()
    assert "+    hif_restoredata = hifa_restoredata" in diff
    assert "-from recipes" not in diff, "each diff is of its own fix"
    assert mend.files(context, delivery, farm) == (), "twice is once"


def test_a_fix_that_mends_nothing_is_coded(tmp_path):
    folder = tmp_path / "fixes"
    folder.mkdir()
    (folder / "vain.py").write_text(
        "from reimage.fix import Fix\nfrom reimage.model import Stage\n"
        "FIX = Fix(id='vain', issue='i', title='t', before=Stage.RESTORE,\n"
        "    applies=lambda d, f: 'always', apply=lambda d, f: ())\n"
    )
    delivery = deliver(tmp_path / "delivery", {RESTORE_SCRIPT: "x = 1\n"})
    with pytest.raises(fix.FixIneffective):
        mend.files(Context(tmp_path / "run", folder), delivery, farm_of(delivery, tmp_path))


def test_what_is_only_reported_becomes_a_caveat_and_no_job(context):
    facts = make_facts(flag_row_sound=False)
    assert mend.measurement_sets(context, nothing(), facts) == ()
    mend.require_cured(context, nothing(), facts)
    assert context.jobs == []
    assert mend.caveats(context, nothing(), facts) == (f"flag-row-damaged:{EB}.ms",)
    ((event, data),) = context.said
    assert (event, data["fix"]) == ("fix.reported", "flag-row-damaged")
    assert data["reports"][0]["caveat"] == f"flag-row-damaged:{EB}.ms"


def test_operations_are_carried_out_in_the_build(context):
    field = {"id": 0, "name": "Mars", "ra_rad": 0.0, "dec_rad": 0.0, "pointing": [1.0, -0.3]}
    ill = make_facts(fields=[field], target_fields=[0])
    assert mend.measurement_sets(context, nothing(), ill) == ("field-coordinates-zero",)
    ((job, inputs, directory),) = context.jobs
    assert (job, directory) == ("fix_ms", "fix-field-coordinates-zero")
    assert [one["ms"] for one in inputs["operations"]] == [MS]
    assert mend.caveats(context, nothing(), ill) == ()
    with pytest.raises(fix.FixIneffective):
        mend.require_cured(context, nothing(), ill)


OLD = "print 'x', 1\n"
PORT = "python2-port"


def old_delivery(tmp_path, text=OLD):
    delivery = deliver(tmp_path / "delivery", {RESTORE_SCRIPT: text})
    return delivery, farm_of(delivery, tmp_path)


def test_an_offered_fix_is_applied_only_where_it_is_named(tmp_path):
    delivery, farm = old_delivery(tmp_path)
    unnamed = Context(tmp_path / "unnamed", shipped("fixes"))
    assert mend.files(unnamed, delivery, farm) == ()
    assert (farm / RESTORE_SCRIPT).read_text() == OLD
    assert mend.caveats(unnamed, delivery, {}) == ()
    named = Context(tmp_path / "named", shipped("fixes"), named=[PORT])
    assert mend.files(named, delivery, farm) == (PORT,)
    assert (farm / RESTORE_SCRIPT).read_text() == "print('x', 1)\n"
    assert "+print('x', 1)" in (named.directory / f"evidence/fix-{PORT}.diff").read_text()
    assert mend.caveats(named, delivery, {}) == ("scripts-ported-to-python-3",)


def test_what_is_not_safe_is_not_applied_and_said(tmp_path):
    delivery, farm = old_delivery(tmp_path, "print 1 / n\n")
    context = Context(tmp_path / "run", shipped("fixes"), named=[PORT])
    assert mend.files(context, delivery, farm) == ()
    ((event, data),) = context.said
    assert event == "fix.refused"
    assert any("line 1: / of what" in why for why in data["obstacles"])
    assert mend.caveats(context, delivery, {}) == ()


def test_a_build_of_the_same_python_runs_the_scripts_as_they_are(tmp_path):
    delivery, farm = old_delivery(tmp_path)
    context = Context(tmp_path / "run", shipped("fixes"), named=[PORT], python="2.7.15")
    assert mend.files(context, delivery, farm) == ()
    assert (farm / RESTORE_SCRIPT).read_text() == OLD
