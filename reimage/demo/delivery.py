"""The files that the archive hands over for a dataset: names, trees and packaging by era."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reimage.demo import documents, packing, scripting
from reimage.demo.packing import Content, Tree
from reimage.demo.plan import DemoDataset, Shell
from reimage.model import Calibration

RECIPE = "hifa_calimage"
CUT_SHARE = 0.43
"""Where a damaged tar ends; not at a record of 512 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveFile:
    """One row of the archive's listing."""

    name: str
    semantics: str
    content_type: str
    n_bytes: int


def deliver(dataset: DemoDataset, made: Path, portal: Path) -> list[ArchiveFile]:
    """Write the archive's files of a dataset into ``portal``.

    Parameters
    ----------
    made
        The output of the CASA job `demo_dataset`: ``raw, calibration, product, calibrated``.
    """
    if dataset.shell is Shell.CYCLE0:
        return [_cycle0(dataset, made, portal)]
    prefix = _prefix(dataset)
    stem = f"{dataset.project}_{dataset.mous.name}"
    auxiliary, product = _auxiliary(dataset, made), _product(dataset, made)
    readme = _readme(dataset)
    name = f"member.{dataset.mous.name}.README.txt"
    (portal / name).write_text(readme, encoding="utf-8")
    files = [_listed(portal / name, "#documentation", "text/plain")]
    if product:
        path = portal / f"{stem}_001_of_001.tar"
        packing.tar(path, {f"{prefix}/{name}": value for name, value in product.items()})
        files.append(_listed(path, "#this", "application/x-tar"))
    path = portal / f"{stem}_auxiliary.tar"
    packing.tar(path, {f"{prefix}/{name}": value for name, value in auxiliary.items()})
    files.append(_listed(path, "#auxiliary", "application/x-tar"))
    for block in dataset.blocks:
        path = portal / f"{dataset.project}_{block.eb.name}.asdm.sdm.tar"
        asdm = f"{block.eb.name}.asdm.sdm"
        packing.tar(path, {f"{prefix}/raw/{asdm}": made / "raw" / asdm})
        if dataset.cut_raw:
            _cut(path)
        files.append(_listed(path, "#progenitor", "application/x-tar"))
    return files


def _listed(path: Path, semantics: str, content_type: str) -> ArchiveFile:
    return ArchiveFile(
        name=path.name,
        semantics=semantics,
        content_type=content_type,
        n_bytes=path.stat().st_size,
    )


def _cut(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.truncate(int(path.stat().st_size * CUT_SHARE) | 1)


def _prefix(dataset: DemoDataset) -> str:
    return (
        f"{dataset.project}/science_goal.{dataset.science_goal.name}"
        f"/group.{dataset.group.name}/member.{dataset.mous.name}"
    )


def _readme(dataset: DemoDataset) -> str:
    if dataset.shell in {Shell.MANUAL, Shell.CYCLE0}:
        return documents.old_readme(dataset)
    passed = "SEMIPASS" if dataset.shell is Shell.SEMIPASS else "PASS"
    return documents.new_readme(dataset, passed=passed)


def _auxiliary(dataset: DemoDataset, made: Path) -> Tree:
    match dataset.shell:
        case Shell.MODERN:
            return _modern(dataset, made)
        case Shell.MANUAL | Shell.CYCLE0:
            return script_calibrated(dataset, made)
        case Shell.SEMIPASS:
            return _semipass(dataset)


def _modern(dataset: DemoDataset, made: Path) -> Tree:
    tables = made / "calibration" / f"{dataset.mous.name}.{dataset.session}.caltables.tgz"
    tree = pipeline_calibrated(dataset, {dataset.session: tables})
    for block in dataset.blocks:
        for ending in ("flagversions.tgz", "calapply.txt"):
            name = f"{block.eb.name}.ms.{ending}"
            tree[f"calibration/{name}"] = made / "calibration" / name
    return tree


def pipeline_calibrated(dataset: DemoDataset, tables: Mapping[str, Content]) -> Tree:
    """Return what Cycle 5 and later carry: ``member.`` and the recipe in every name, a manifest.

    ``tables`` are the caltables by session; the files of the execution blocks are not among it.
    """
    stem = f"member.{dataset.mous.name}"
    named = f"{stem}.{RECIPE}"
    names = {session: f"{stem}.{session}.caltables.tgz" for session in tables}
    tree: Tree = {f"calibration/{names[session]}": packed for session, packed in tables.items()}
    return tree | {
        f"calibration/{named}.auxproducts.tgz": packing.tgz(_auxproducts(dataset)),
        f"script/{named}.casa_pipescript.py": documents.pipescript(dataset, RECIPE),
        f"script/{named}.casa_piperestorescript.py": documents.restore_script(dataset, [*names]),
        f"script/{named}.pipeline_manifest.xml": documents.manifest(dataset, RECIPE, names),
        f"script/{named}.pprequest.xml": documents.ppr(dataset, RECIPE),
        f"script/{stem}.scriptForPI.py": scripting.script_for_pi(),
        f"qa/{stem}.qa2_report.html": documents.qa2_report(dataset),
        f"qa/{named}.weblog.tgz": packing.tgz(
            {"html/index.html": documents.weblog_index(dataset, RECIPE)}
        ),
        f"log/{named}.casa_commands.log": "# tasks as the pipeline called them\n",
    }


def _auxproducts(dataset: DemoDataset) -> Tree:
    tree: Tree = {
        "antennapos.csv": "name,antenna,xoff,yoff,zoff,comment\n",
        "cont.dat": documents.cont_dat(dataset),
        "flux.csv": documents.flux_csv(dataset),
    }
    for block in dataset.blocks:
        for kind in ("flagtemplate", "flagtsystemplate", "flagtargetstemplate"):
            tree[f"{block.eb.name}.{kind}.txt"] = "# flag commands of the data reducer: none\n"
    return tree


def script_calibrated(dataset: DemoDataset, made: Path) -> Tree:
    """Return what data reducers deliver: a script, tables, a report and a log per execution block."""
    tree: Tree = {
        "script/scriptForPI.py": scripting.script_for_pi(),
        "script/scriptForImaging.py": "# imaging of the observatory: see directory product\n",
        "log/README.log.txt": documents.casa_log(dataset),
    }
    for block in dataset.blocks:
        eb = block.eb.name
        tree |= {
            f"script/{eb}.ms.scriptForCalibration.py": scripting.script_for_calibration(
                dataset, block, version=dataset.casa
            ),
            f"calibration/{eb}.calibration.tgz": made / "calibration" / f"{eb}.calibration.tgz",
            f"qa/{eb}__textfile.txt": f"QA2 of {eb}: {documents.SIMULATED}\n",
            f"log/{eb}.calibration.log": documents.casa_log(dataset),
        }
    return tree


def _semipass(dataset: DemoDataset) -> Tree:
    """Return four members; scriptForPI.py is there, and would find no calibration script."""
    stem = f"member.{dataset.mous.name}"
    return {
        f"script/{stem}.scriptForPI.py": scripting.script_for_pi(),
        f"script/{stem}.{RECIPE}.pprequest.xml": documents.ppr(dataset, RECIPE),
        f"qa/{stem}.qa2_report.html": documents.qa2_report(dataset, status="SemiPass"),
        f"qa/{dataset.blocks[0].eb.name}.qa0_report.html": "<html><body>QA0: SemiPass</body></html>\n",
    }


def _product(dataset: DemoDataset, made: Path) -> Tree:
    fits = sorted((made / "product").glob("*.fits"))
    if dataset.shell is Shell.MODERN:
        return {
            f"product/member.{path.name}.gz" if ".pb." in path.name else f"product/member.{path.name}":
            packing.gz(path) if ".pb." in path.name else path
            for path in fits
        }  # fmt: skip
    return {f"product/{path.name}": path for path in fits}


def _cycle0(dataset: DemoDataset, made: Path, portal: Path) -> ArchiveFile:
    """Write the one tar of a Cycle 0 delivery: everything inside, calibrated MSs too."""
    prefix = f"{dataset.project}/sg_ouss_id/group_ouss_id/member_ouss_{dataset.delivered_on}_id"
    tree = _auxiliary(dataset, made) | _product(dataset, made)
    tree["README"] = _readme(dataset)
    for block in dataset.blocks:
        asdm, ms = f"{block.eb.name}.asdm.sdm", f"{block.eb.name}.ms.split.cal"
        tree[f"raw/{asdm}"] = made / "raw" / asdm
        tree[f"calibrated/{ms}"] = made / "calibrated" / ms
    path = portal / f"{dataset.project}_{dataset.delivered_on}_001_of_001.tar"
    packing.tar(path, {f"{prefix}/{name}": value for name, value in tree.items()})
    return _listed(path, "#this", "application/x-tar")


def product_stem(dataset: DemoDataset) -> str:
    """Return the name of the observatory's own image, up to the kind."""
    if dataset.calibration is Calibration.PIPELINE:
        return f"{dataset.mous.name}.{dataset.target}_sci.spw0.mfs.I"
    return f"{dataset.mous.name}.{dataset.target}.spw0.mfs.I.manual.image"
