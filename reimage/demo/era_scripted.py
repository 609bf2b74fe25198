"""The trees of deliveries that scripts calibrated: Cycle 0, and the manual ones of Cycles 1 to 4.

Functions are forms, as those of `reimage.demo.era_trees`.
"""

from __future__ import annotations

from reimage.demo import documents
from reimage.demo.delivery import script_calibrated
from reimage.demo.era_packing import Package, Simulated, delivered
from reimage.demo.eras import EraKind
from reimage.demo.packing import Tree

# --- Cycle 0 -----------------------------------------------------------------------------------------


def dated(kind: EraKind, simulated: Simulated) -> tuple[Package, ...]:
    """One tar by date of delivery, everything inside."""
    dataset = kind.dataset
    member = f"sg_ouss_id/group_ouss_id/member_ouss_{dataset.delivered_on}_id"
    tree = _cycle0(kind, simulated)
    name = f"{dataset.project}_{dataset.delivered_on}_001_of_001.tar"
    return (_one_tar(name, f"{dataset.project}/{member}", tree),)


def named(kind: EraKind, simulated: Simulated) -> tuple[Package, ...]:
    """Return the same without a date, and the README in capitals."""
    project = kind.dataset.project
    tree = _cycle0(kind, simulated)
    tree["README.TXT"] = tree.pop("README")
    prefix = f"{project}/sg_ouss_id/group_ouss_id/member_ouss_id"
    return (_one_tar(f"{project}_001_of_001.tar", prefix, tree),)


def _one_tar(name: str, prefix: str, tree: Tree) -> Package:
    content = {f"{prefix}/{inner}": value for inner, value in tree.items()}
    return Package(name=name, semantics="#this", content=content)


def _cycle0(kind: EraKind, simulated: Simulated) -> Tree:
    tree = _scripts(kind, simulated)
    tree["README"] = documents.old_readme(kind.dataset)
    for path in sorted((simulated.manual / "product").glob("*.fits")):
        tree[f"product/{path.name}"] = path
    for block in kind.dataset.blocks:
        asdm, ms = f"{block.eb.name}.asdm.sdm", f"{block.eb.name}.ms.split.cal"
        tree[f"raw/{asdm}"] = simulated.manual / "raw" / asdm
        tree[f"calibrated/{ms}"] = simulated.manual / "calibrated" / ms
    return tree


# --- calibrated by scripts ---------------------------------------------------------------------------


def _scripts(kind: EraKind, simulated: Simulated) -> Tree:
    return script_calibrated(kind.dataset, simulated.manual)


def manual(kind: EraKind, simulated: Simulated) -> tuple[Package, ...]:
    """Cycles 1 to 4 as the archive repackages them."""
    readme = documents.old_readme(kind.dataset)
    return delivered(kind, simulated, _scripts(kind, simulated), readme=readme)


def manual_named(kind: EraKind, simulated: Simulated) -> tuple[Package, ...]:
    """Return a tree without uids."""
    prefix = f"{kind.dataset.project}/sg_ouss_id/group_ouss_id/member_ouss_id"
    readme = documents.old_readme(kind.dataset)
    return delivered(kind, simulated, _scripts(kind, simulated), readme=readme, prefix=prefix)


def manual_without_script_for_pi(kind: EraKind, simulated: Simulated) -> tuple[Package, ...]:
    """Scripts of the blocks, and nobody who runs them."""
    tree = _scripts(kind, simulated)
    del tree["script/scriptForPI.py"]
    return delivered(kind, simulated, tree, readme=documents.old_readme(kind.dataset))
