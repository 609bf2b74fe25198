"""The trees of the kinds of `reimage.demo.era_kinds`: one function per form, named like it.

Each takes a kind and what CASA simulated, and returns the tars' content by the archive's file name.
Those that scripts calibrated are in `reimage.demo.era_scripted`.
Names of files by era: the archive's pages on deliveries, real inventories.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reimage.demo import documents, era_documents, era_scripted, packing, scripting
from reimage.demo.delivery import RECIPE, pipeline_calibrated
from reimage.demo.era_packing import (
    Package,
    Simulated,
    block_files,
    delivered,
    session_tables,
    uid_prefix,
)
from reimage.demo.eras import EraKind
from reimage.demo.packing import Tree

# --- calibrated by the pipeline ----------------------------------------------------------------------


def _pipeline_without_prefix(
    kind: EraKind, simulated: Simulated, tables: str, ending: str
) -> tuple[Tree, str]:
    """Cycles 2 to 4: names without prefix, no manifest."""
    dataset = kind.dataset
    ppr = f"PPR_{era_documents.ppr_uid(dataset)}.xml"
    tree: Tree = {
        f"calibration/{tables}": session_tables(kind, simulated),
        "calibration/flux.csv": documents.flux_csv(dataset),
        "calibration/antennapos.csv": "name,antenna,xoff,yoff,zoff,comment\n",
        "script/casa_pipescript.py": documents.pipescript(dataset, "hifa_cal"),
        "script/casa_piperestorescript.py": era_documents.restore_script(dataset),
        f"script/{ppr}": documents.ppr(dataset, "hifa_cal"),
        "script/scriptForPI.py": scripting.script_for_pi(),
        f"qa/{dataset.mous.name}.weblog.{ending}": packing.tgz(
            {"html/index.html": documents.weblog_index(dataset, "hifa_cal")}
        ),
        "log/casa_commands.log": "# tasks as the pipeline called them\n",
        **block_files(kind, simulated, ending),
    }
    for block in dataset.blocks:
        tree[f"calibration/{block.eb.name}_flagtemplate.txt"] = "# no flag commands\n"
    return tree, documents.old_readme(dataset)


def pipeline_tar_gz(kind: EraKind, simulated: Simulated) -> tuple[Package, ...]:
    """Cycle 2: everything .tar.gz."""
    tables = f"{kind.dataset.mous.name}.{kind.dataset.session}.caltables.tar.gz"
    tree, readme = _pipeline_without_prefix(kind, simulated, tables, "tar.gz")
    return delivered(kind, simulated, tree, readme=readme)


def pipeline_run_together(kind: EraKind, simulated: Simulated) -> tuple[Package, ...]:
    """Cycle 3: no dot between MOUS and session."""
    tables = f"{kind.dataset.mous.name}{kind.dataset.session}.caltables.tar.gz"
    tree, readme = _pipeline_without_prefix(kind, simulated, tables, "tar.gz")
    return delivered(kind, simulated, tree, readme=readme)


def pipeline_loose(kind: EraKind, simulated: Simulated) -> tuple[Package, ...]:
    """Cycle 4: .tgz, cont.dat loose, logs with the MOUS in their names."""
    dataset = kind.dataset
    name = dataset.mous.name
    tables = f"{name}.{dataset.session}.caltables.tgz"
    tree, readme = _pipeline_without_prefix(kind, simulated, tables, "tgz")
    tree[f"calibration/{name}.cont.dat"] = documents.cont_dat(dataset)
    tree[f"log/{name}.casa_commands.log"] = tree.pop("log/casa_commands.log")
    tree["log/casa-20170117-233444.log"] = documents.casa_log(dataset)
    return delivered(kind, simulated, tree, readme=readme)


def _prefixed(kind: EraKind, simulated: Simulated, sessions: Mapping[str, bytes]) -> Tree:
    """Cycle 5 and later."""
    return pipeline_calibrated(kind.dataset, sessions) | block_files(kind, simulated)


def _one_session(kind: EraKind, simulated: Simulated) -> Tree:
    tables = session_tables(kind, simulated)
    return _prefixed(kind, simulated, {kind.dataset.session: tables})


def pipeline_prefixed(kind: EraKind, simulated: Simulated) -> tuple[Package, ...]:
    """Cycles 5 to 7: auxiliary tables and calls for the target's own MS, which no restore needs."""
    tree = _one_session(kind, simulated)
    stem = f"member.{kind.dataset.mous.name}"
    session = kind.dataset.session
    tree[f"calibration/{stem}.{session}.auxcaltables.tgz"] = packing.tgz({"none.tbl/x": "x"})
    for block in kind.dataset.blocks:
        tree[f"calibration/{block.eb.name}_target.ms.auxcalapply.txt"] = "# none\n"
    return delivered(kind, simulated, tree)


def pipeline_two_sessions(kind: EraKind, simulated: Simulated) -> tuple[Package, ...]:
    """Cycle 7: a session per block, the recipe twice in the manifest's name, the log among the scripts."""
    sessions = {
        f"session_{number}": simulated.caltables(block).read_bytes()
        for number, block in enumerate(kind.dataset.blocks, start=1)
    }
    tree = _prefixed(kind, simulated, sessions)
    named = f"member.{kind.dataset.mous.name}.{RECIPE}"
    manifest = tree.pop(f"script/{named}.pipeline_manifest.xml")
    tree[f"script/{named}.calimage.pipeline_manifest.xml"] = manifest
    log = tree.pop(f"log/{named}.casa_commands.log")
    tree[f"script/{named}.casa_commands.log"] = log
    return delivered(kind, simulated, tree)


def pipeline_second_session(kind: EraKind, simulated: Simulated) -> tuple[Package, ...]:
    """Cycles 5 and 9: SESSION_1 is empty in the PPR."""
    tree = _one_session(kind, simulated)
    name = f"script/member.{kind.dataset.mous.name}.{RECIPE}.pprequest.xml"
    tree[name] = era_documents.with_empty_first_session(str(tree[name]))
    return delivered(kind, simulated, tree)


def pipeline_recent(kind: EraKind, simulated: Simulated) -> tuple[Package, ...]:
    """Cycles 10 to 12: short session names, antenna positions as JSON, no tables of old kinds."""
    tree = _one_session(kind, simulated)
    stem = f"member.{kind.dataset.mous.name}"
    tree[f"script/{stem}.{RECIPE}.pldriver_report.xml"] = "<pldriver/>\n"
    for block in kind.dataset.blocks:
        tree[f"calibration/{block.eb.name}.ms.antennapos.json"] = "{}\n"
    return delivered(kind, simulated, tree)


# --- what no restore is made of ----------------------------------------------------------------------


def total_power(kind: EraKind, simulated: Simulated) -> tuple[Package, ...]:
    """Single-dish pipeline: other procedure, Jy/K factors, no baselines."""
    interferometric = _one_session(kind, simulated)
    tree: Tree = {
        name.replace(RECIPE, "hsd_calimage"): (
            value.replace(RECIPE, "hsd_calimage").replace("hifa_", "hsd_")
            if isinstance(value, str)
            else value
        )
        for name, value in interferometric.items()
    }
    tree["calibration/jyperk.csv"] = "MS,Antenna,Spwid,Polarization,Factor\n"
    return delivered(kind, simulated, tree)


def semipass(kind: EraKind, simulated: Simulated) -> tuple[Package, ...]:
    """Return a few members; scriptForPI.py is there, and would find no calibration script."""
    dataset = kind.dataset
    stem = f"member.{dataset.mous.name}"
    tree: Tree = {
        f"script/{stem}.scriptForPI.py": scripting.script_for_pi(),
        f"script/{stem}.{RECIPE}.pprequest.xml": documents.ppr(dataset, RECIPE),
        f"qa/{stem}.qa2_report.html": documents.qa2_report(dataset, status="SemiPass"),
    }
    readme = documents.new_readme(dataset, passed="SEMIPASS")
    return delivered(kind, simulated, tree, readme=readme)


# --- what people and tools made of them --------------------------------------------------------------


def nested(kind: EraKind, simulated: Simulated) -> tuple[Package, ...]:
    """Put the raw data's whole path inside the member directory, as unpacking in place does."""
    prefix = uid_prefix(kind.dataset)
    tree = _one_session(kind, simulated)
    return delivered(kind, simulated, tree, raw_prefix=f"{prefix}/{prefix}")


def bulk(kind: EraKind, simulated: Simulated) -> tuple[Package, ...]:
    """Directories as bulk download tools name them."""
    dataset = kind.dataset
    prefix = (
        f"{dataset.project}/science_goal_{dataset.science_goal.name}"
        f"/group_obs_unit_set_{dataset.group.name}/member.{dataset.mous.name}"
    )
    return delivered(kind, simulated, _one_session(kind, simulated), prefix=prefix)


def odd_names(kind: EraKind, simulated: Simulated) -> tuple[Package, ...]:
    """Capitals as a file system of another kind leaves them, a README in latin-1, a product's own name."""
    dataset = kind.dataset
    tables = f"{dataset.mous.name}.{dataset.session}.caltables.tar.gz"
    tree, readme = _pipeline_without_prefix(kind, simulated, tables, "tar.gz")
    loud = {_capitals(name): value for name, value in tree.items()}
    image = next((simulated.first / "product").glob("*.pbcor.fits"), None)
    if image is not None:
        loud[f"PRODUCT/{dataset.mous.name}.NGC 1 (a);b_sci.spw0.mfs.I.pbcor.fits"] = image
    latin = readme.replace("Nobody, S.", "Müller, Ñ.").encode("latin-1")
    return delivered(kind, simulated, loud, readme=latin)


def _capitals(name: str) -> str:
    """Return ``CALIBRATION/uid___A001_X1_X2.session_1.caltables.TAR.GZ``: the uids stay as they are."""
    folder, _, file = name.partition("/")
    for ending in (".tar.gz", ".tgz", ".csv"):
        if file.endswith(ending):
            file = file.removesuffix(ending) + ending.upper()
    return f"{folder.upper()}/{file}"


def packages(kind: EraKind, simulated: Simulated) -> tuple[Package, ...]:
    """Return what the archive offers for a dataset of a kind."""
    return FORMS[kind.form](kind, simulated)


FORMS: Mapping[str, Callable[[EraKind, Simulated], tuple[Package, ...]]] = {
    form.__name__: form
    for form in (
        era_scripted.dated,
        era_scripted.named,
        era_scripted.manual,
        era_scripted.manual_named,
        era_scripted.manual_without_script_for_pi,
        pipeline_tar_gz,
        pipeline_run_together,
        pipeline_loose,
        pipeline_prefixed,
        pipeline_two_sessions,
        pipeline_second_session,
        pipeline_recent,
        total_power,
        semipass,
        nested,
        bulk,
        odd_names,
    )
}
