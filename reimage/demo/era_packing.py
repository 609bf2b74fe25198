"""What the forms of `reimage.demo.era_trees` have in common: sources, tars, the archive's three groups."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reimage.demo import documents, packing
from reimage.demo.eras import EraKind
from reimage.demo.packing import Content, Tree
from reimage.demo.plan import Block, DemoDataset


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """Output directories of the job `demo_dataset`, by the names of `eras.simulations`."""

    first: Path
    second: Path
    manual: Path

    def of(self, block: Block) -> Path:
        """Return where a block's raw data and pipeline tables are."""
        there = self.first / "raw" / f"{block.eb.name}.asdm.sdm"
        return self.first if there.is_dir() else self.second

    def caltables(self, block: Block) -> Path:
        """Return the packed tables of a block."""
        (found,) = (self.of(block) / "calibration").glob("*.caltables.tgz")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One tar or document that the archive offers."""

    name: str
    semantics: str
    content: Tree | bytes


def uid_prefix(dataset: DemoDataset) -> str:
    """Return the path of the member directory."""
    return (
        f"{dataset.project}/science_goal.{dataset.science_goal.name}"
        f"/group.{dataset.group.name}/member.{dataset.mous.name}"
    )


def delivered(
    kind: EraKind,
    simulated: Simulated,
    auxiliary: Mapping[str, Content],
    *,
    readme: str | bytes | None = None,
    prefix: str = "",
    raw_prefix: str = "",
) -> tuple[Package, ...]:
    """Return README, auxiliary tar and one tar per ASDM, as the archive packs all cycles since 1."""
    dataset = kind.dataset
    stem = f"{dataset.project}_{dataset.mous.name}"
    prefix = prefix or uid_prefix(dataset)
    if readme is None:
        readme = documents.new_readme(dataset)
    found = [
        Package(
            name=f"member.{dataset.mous.name}.README.txt",
            semantics="#documentation",
            content=readme.encode() if isinstance(readme, str) else readme,
        ),
        Package(
            name=f"{stem}_auxiliary.tar",
            semantics="#auxiliary",
            content={f"{prefix}/{name}": value for name, value in auxiliary.items()},
        ),
    ]
    for block in dataset.blocks:
        if str(block.eb) not in kind.without_raw:
            asdm = f"{block.eb.name}.asdm.sdm"
            place = f"{raw_prefix or prefix}/raw/{asdm}"
            found.append(
                Package(
                    name=f"{dataset.project}_{asdm}.tar",
                    semantics="#progenitor",
                    content={place: simulated.of(block) / "raw" / asdm},
                )
            )
    return tuple(found)


def merged(archives: list[Path]) -> bytes:
    """Return one tgz of several: the tables of all blocks of a session."""
    tree: Tree = {}
    for archive in archives:
        with tarfile.open(archive) as tar:
            for member in tar:
                stream = tar.extractfile(member)
                if stream is not None:
                    tree[member.name] = stream.read()
    return packing.tgz(tree)


def session_tables(kind: EraKind, simulated: Simulated) -> bytes:
    """Return the tables of all blocks, in one session."""
    return merged([simulated.caltables(block) for block in kind.dataset.blocks])


def block_files(kind: EraKind, simulated: Simulated, ending: str = "tgz") -> Tree:
    """Return flag versions and applycal calls of every block."""
    tree: Tree = {}
    for block in kind.dataset.blocks:
        folder, name = simulated.of(block) / "calibration", f"{block.eb.name}.ms"
        tree[f"calibration/{name}.flagversions.{ending}"] = folder / f"{name}.flagversions.tgz"
        tree[f"calibration/{name}.calapply.txt"] = folder / f"{name}.calapply.txt"
    return tree


def write(portal: Path, package: Package) -> Path:
    """Write one package into the archive's directory of files."""
    path = portal / package.name
    if isinstance(package.content, bytes):
        path.write_bytes(package.content)
    else:
        packing.tar(path, package.content)
    return path
