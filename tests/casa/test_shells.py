"""Delivered scripts in the shell of a monolithic CASA, end to end, with real data.

CASA 6: the real shell (casashell), in a tree like that of the distribution, made of the wheels; what is
not real is `casalith`, which no wheel has.  CASA up to 5 cannot be had: the shell is a stand-in of Python 2
(tests/shells.py) whose tasks are those of the default build.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from making import make_run
from shells import make_python_2_casa

from reimage import document, fix, runner
from reimage.casa import builds, environments
from reimage.delivery import python2
from reimage.demo import era_archive, era_trees
from reimage.model import Stage
from reimage.recipes.load import load_recipe
from reimage.run import Limits
from reimage.settings import shipped
from reimage.stages.context import PROVEN

pytestmark = [pytest.mark.casa, pytest.mark.slow, pytest.mark.xdist_group("shells")]
VARIABLE = "REIMAGE_TEST_PIPELINE"
PIPELINE = os.environ.get(VARIABLE)  # noqa: TID251 -- tests look at their surroundings
LIMITS = Limits(memory_mb=4000, wall_s=600, silence_s=120)
FLUX_JY = 0.2
"""Of the simulated target, a point at the centre of the field."""
IPYTHON = {"3.8.": "ipython==8.12.3", "3.10": "ipython==8.37.0", "3.11": "ipython==9.18.1"}
OLDER = ("6.2.0.124", "6.4.4.31", "6.5.6.22", "6.6.0.20")
CASA = """#!/bin/sh
root=$(cd "$(dirname "$0")/.." && pwd)
"$root/lib/py/bin/python3" -m casashell "$@"
"""
CASALITH = """import casatools
def version(): return list(casatools.version())
def version_string(): return ".".join(str(part) for part in version())
"""
OLD = "4.1"
KIND_OLD, KIND, KIND_SCRIPTS, KIND_PIPELINE, KIND_RECENT = (
    "cycle1-manual-4.1",
    "cycle2-manual",
    "cycle2-manual-scripts-only",
    "cycle2-pipeline",
    "cycle12-pipeline",
)


def casashell(modular, cache):
    """Return where the shell of a modular build's version is: in the cache, beside the environments."""
    shell = cache / "casa" / f"shell-{modular.version}"
    with environments._exclusively(shell):
        if not (shell / environments.READY).exists():
            install = (modular.python, "-m", "pip", "install", "--quiet", "--target", str(shell))
            subprocess.run([*install, "--no-deps", f"casashell=={modular.version}"], check=True)
            subprocess.run([*install, IPYTHON[modular.python_version[:4]]], check=True)
            document.write(shell / environments.READY, {"casashell": modular.version})
    return shell


def make_monolithic(modular, cache, tmp_path_factory):
    """Make a tree like that of CASA 6's distribution of a modular build, and register it by its path."""
    (theirs,) = Path(modular.python).parent.parent.glob("lib/python3*/site-packages")
    shell = theirs
    if not (theirs / "casashell").exists():
        shell = casashell(modular, cache)
    root = tmp_path_factory.mktemp("monolithic") / f"casa-{modular.version}"
    own = root / "lib/py"
    subprocess.run([modular.python, "-m", "venv", "--without-pip", own], check=True)
    (packages,) = own.glob("lib/python3*/site-packages")
    (packages / "wheels.pth").write_text(f"{theirs}\n{shell}\n")
    (packages / "casalith.py").write_text(CASALITH)
    (root / "bin").mkdir()
    (root / "bin/casa").write_text(CASA)
    (root / "bin/casa").chmod(0o755)
    described = builds.from_path(root, Path(modular.casadata))
    return builds.register(described, tmp_path_factory.mktemp("shells") / "builds", print)


@pytest.fixture(scope="session")
def monolithic(casa, cache, tmp_path_factory):
    """Give the default build as a monolithic CASA."""
    return make_monolithic(casa, cache, tmp_path_factory)


@pytest.fixture(params=OLDER, scope="session")
def older(request, cache, tmp_path_factory):
    """Give an older CASA 6 as a monolithic one; skip where its Python is not on the machine."""
    row = environments.select(request.param)
    try:
        environments.find_python(row.python)
    except environments.PythonMissing as error:
        pytest.skip(f"CASA {row.version}: {error.message}")
    place = tmp_path_factory.mktemp("older") / "builds"
    modular = builds.install(row, cache=cache, builds_dir=place, report=print)
    return make_monolithic(modular, cache, tmp_path_factory)


@pytest.fixture(scope="session")
def old_casa(casa, tmp_path_factory):
    """Give a stand-in for CASA 4.1.0, registered by its path."""
    root = tmp_path_factory.mktemp("old") / "casapy-41.0.24668-001-64b"
    described = builds.from_path(make_python_2_casa(root, f"{OLD}.0", casa), Path(casa.casadata))
    return builds.register(described, tmp_path_factory.mktemp("old-builds"), print)


@pytest.fixture(scope="session")
def archive_of(casa, cache, tmp_path_factory):
    """Give a function that makes an archive of some kinds."""

    def make(running, *kinds):
        place = tmp_path_factory.mktemp("archive") / "archive"
        made = era_archive.build_archive(
            place,
            build_with=casa,
            cache=cache,
            emit=lambda *_, **__: None,
            running=running,
            only=frozenset(kinds),
        )
        return place, made

    return make


def run(archive, kind, build_s, directory, **other):
    """Run a dataset until it is restored."""
    fields = {
        "dataset": str(kind.dataset.mous),
        "builds": build_s,
        "fixes": fix.discover((shipped("fixes"),)),
        "limits": LIMITS,
        "until": Stage.RESTORE,
    }
    directory.mkdir()
    document.write(directory / "run.json", make_run(archive, **{**fields, **other}))
    (directory / "ATTEMPT").write_text("1\n")
    return runner.run_attempt(directory, 1)


def started(directory):
    """Return (job, build) of every CASA process, in order."""
    lines = (directory / "attempts/1/journal.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    return [(one["job"], one["build"]) for one in events if one["event"] == "casa.started"]


def require_restored(directory, kind, method="scriptForPI"):
    value = document.read_json(directory / "restore" / PROVEN)["value"]
    assert value["method"] == method
    assert {ms["eb"] for ms in value["ms"]} == {block.eb.name for block in kind.dataset.blocks}
    for ms in value["ms"]:
        amplitude = value["facts"][ms["path"]][f"{ms['column']}_amplitude"]
        assert amplitude == pytest.approx(FLUX_JY, rel=0.05)
        assert ms["rows"] == ms["promised_rows"] or ms["column"] == "data"


# --- CASA 6: the real shell ------------------------------------------------------------------------


def test_a_monolithic_casa_6_is_probed_by_its_python_and_by_its_shell(monolithic, casa):
    assert monolithic.kind == "monolithic"
    assert monolithic.casa.endswith("bin/casa")
    assert monolithic.python.endswith("lib/py/bin/python3")
    assert (monolithic.version, monolithic.pipeline) == (casa.version, None)
    assert monolithic.packages == casa.packages


@pytest.mark.parametrize(("id_", "method"), [(KIND, "scriptForPI"), (KIND_SCRIPTS, "scripts")])
def test_manual_scripts_are_restored_in_the_real_shell(
    id_, method, monolithic, archive_of, tmp_path
):
    archive, kinds = archive_of(".".join(monolithic.version.split(".")[:3]), id_)
    outcome = run(archive, kinds[id_], (monolithic,), tmp_path / "run")
    assert outcome.fault is None, outcome.fault
    require_restored(tmp_path / "run", kinds[id_], method)
    jobs = [job for job, _ in started(tmp_path / "run")]
    assert jobs[0] == "shell_script"
    assert "restore_script" not in jobs
    (folder, *_) = sorted((tmp_path / "run/restore").glob("script*"))
    assert "CASA Version" in (folder / "stdout.log").read_text() + (folder / "casa.log").read_text()


@pytest.mark.eras
def test_older_casa_6_restore_in_their_shells(older, archive_of, tmp_path):
    archive, kinds = archive_of(".".join(older.version.split(".")[:3]), KIND)
    outcome = run(archive, kinds[KIND], (older,), tmp_path / "run")
    assert outcome.fault is None, outcome.fault
    require_restored(tmp_path / "run", kinds[KIND])
    assert "shell_script" in dict(started(tmp_path / "run"))


@pytest.fixture(scope="module")
def with_pipeline(cache, tmp_path_factory):
    """Give a CASA with the real ALMA pipeline as a monolithic one; skip by name where there is none."""
    if PIPELINE is None:
        pytest.skip(f"no ALMA pipeline: {VARIABLE} unset")
    described = builds.from_path(Path(PIPELINE), environments.casadata_path(cache))
    modular = builds.register(described, tmp_path_factory.mktemp("modular") / "builds", print)
    build = make_monolithic(modular, cache, tmp_path_factory)
    assert build.pipeline == modular.pipeline
    assert build.pipeline
    return build


def test_pipeline_calibrated_data_are_restored_by_casa_pipeline(
    with_pipeline, archive_of, tmp_path
):
    archive, kinds = archive_of("6.7.0", KIND_RECENT)
    outcome = run(
        archive, kinds[KIND_RECENT], (with_pipeline,), tmp_path / "run", casa=with_pipeline.id
    )
    assert outcome.fault is None, outcome.fault
    require_restored(tmp_path / "run", kinds[KIND_RECENT])
    assert "restored-without-pipeline" not in outcome.caveats
    assert started(tmp_path / "run")[0] == ("shell_script", with_pipeline.id)


# --- CASA 4: a stand-in of Python 2 ----------------------------------------------------------------


def as_python_2(text):
    """Write a script as people did: print statements, execfile."""
    text = re.sub(
        r"    with open\(path\) as stream:\n        exec\(.*\n",
        "    execfile(path, globals())\n",
        text,
    )
    return re.sub(r"^(\s*)print\(([^\n]*)\)$", r"\1print \2", text, flags=re.MULTILINE)


@pytest.fixture
def old_archive(archive_of, monkeypatch):
    """Give a function that makes an archive of CASA 4.1 whose scripts are of Python 2."""
    packages = era_trees.packages

    def translated(kind, simulated):
        return tuple(
            replace(one, content={name: script(name, value) for name, value in one.content.items()})
            if isinstance(one.content, dict)
            else one  # the README
            for one in packages(kind, simulated)
        )

    def script(name, value):
        if not re.search(r"script\w+\.py$", name) or not isinstance(value, str):
            return value
        text = as_python_2(value)
        assert ("    execfile(path" in text) == name.endswith("scriptForPI.py")
        if "Imaging" not in name:
            assert python2.find(text)
        return text

    monkeypatch.setattr(era_trees, "packages", translated)
    return lambda *kinds: archive_of(OLD, *kinds)


@pytest.mark.parametrize("id_", [KIND_OLD, KIND_SCRIPTS])
def test_python_2_scripts_are_restored_in_the_shell_of_an_old_casa(
    id_, old_casa, casa, old_archive, tmp_path
):
    archive, kinds = old_archive(id_)
    outcome = run(archive, kinds[id_], (casa, old_casa), tmp_path / "run")
    assert outcome.fault is None, outcome.fault
    assert outcome.build == old_casa.id
    method = "scripts" if id_ == KIND_SCRIPTS else "scriptForPI"
    require_restored(tmp_path / "run", kinds[id_], method)
    by = dict(started(tmp_path / "run"))
    assert by["shell_script"] == old_casa.id
    assert by["inspect_ms"] == casa.id
    said = "".join(path.read_text() for path in tmp_path.glob("run/restore/script*/stdout.log"))
    assert "Apply" in said or "Step 8" in said


def test_the_same_scripts_are_refused_by_casa_6(casa, old_archive, tmp_path):
    archive, kinds = old_archive(KIND_OLD)
    outcome = run(archive, kinds[KIND_OLD], (casa,), tmp_path / "run", casa=casa.id)
    assert outcome.fault.code == "restore-script-python-2"


def test_an_old_casa_alone_is_refused_before_raw_data_are_fetched(old_casa, old_archive, tmp_path):
    archive, kinds = old_archive(KIND_OLD)
    outcome = run(archive, kinds[KIND_OLD], (old_casa,), tmp_path / "run")
    assert outcome.fault.code == "casa-for-jobs-missing"
    assert outcome.fault.stage is Stage.CHOOSE
    assert not list((tmp_path / "run/fetch").rglob("*.asdm.sdm"))


def test_a_script_of_python_3_is_not_given_to_python_2(old_casa, casa, archive_of, tmp_path):
    archive, kinds = archive_of("6.7.0", KIND)
    outcome = run(archive, kinds[KIND], (casa, old_casa), tmp_path / "run", casa=old_casa.id)
    assert outcome.fault.code == "restore-script-python-3"


def test_the_pipeline_s_tables_are_applied_by_the_build_that_can(
    old_casa, casa, archive_of, tmp_path
):
    archive, kinds = archive_of(OLD, KIND_PIPELINE)
    stated = replace(old_casa, version="4.2.2")
    outcome = run(archive, kinds[KIND_PIPELINE], (casa, stated), tmp_path / "run", casa=stated.id)
    assert outcome.fault is None, outcome.fault
    assert outcome.build == old_casa.id
    require_restored(tmp_path / "run", kinds[KIND_PIPELINE], "tables")
    assert dict(started(tmp_path / "run"))["restore_tables"] == casa.id
    assert f"restored-with-other-casa:{casa.version} for 4.2.2" in outcome.caveats


@pytest.mark.eras
def test_what_an_old_casa_restored_is_imaged_by_the_build_that_can(
    old_casa, casa, old_archive, tmp_path
):
    archive, kinds = old_archive(KIND_OLD)
    recipe = load_recipe("hifatargets-2017")
    outcome = run(
        archive,
        kinds[KIND_OLD],
        (casa, old_casa),
        tmp_path / "run",
        recipe=document.dump(recipe),
        recipe_digest=document.digest(recipe),
        until=Stage.IMAGE,
    )
    assert outcome.finished, outcome.fault
    assert outcome.build == old_casa.id
    assert {product.state.value for product in outcome.products} == {"made"}
    assert f"imaged-with-other-casa:{casa.version}" in outcome.caveats
    assert not any(said.startswith("restored-with-other-casa") for said in outcome.caveats)
