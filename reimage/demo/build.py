"""Build the demonstration archive: a directory that has what the ALMA archive has, made by real CASA.

``<target>/holdings.ecsv`` (ObsCore rows), ``files.ecsv`` (the listing), ``dataPortal/<filename>``,
and ``truth.json``: what was simulated, for tests alone.  What CASA made is cached by the digest of
everything that went into it; packaging is done anew.
"""

from __future__ import annotations

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from reimage import document
from reimage.casa import process
from reimage.demo import delivery, listing, scripting
from reimage.demo.datasets import datasets
from reimage.demo.plan import DemoDataset, Shell
from reimage.errors import UsageError
from reimage.journal import Emit
from reimage.model import Calibration, CasaBuild
from reimage.run import Limits

JOB = "demo_dataset"
LIMITS = Limits(memory_mb=4000, wall_s=600, silence_s=300)
AT_ONCE = 2
MARK = "truth.json"


class DemoTargetOccupied(UsageError):
    """The place for the demonstration archive holds something else."""

    code = "demo-target-occupied"
    hint = "Name an empty directory, or one that `reimage demo build` made."


def build_archive(
    target: Path,
    *,
    build: CasaBuild,
    cache: Path,
    emit: Emit,
    only: frozenset[str] = frozenset(),
) -> None:
    """Make the archive in ``target``; an archive made before is replaced.

    Parameters
    ----------
    build
        A CASA that can be started; the a and b datasets say that they were calibrated with 6.7.0.
    cache
        CASA's work is kept in ``<cache>/demo/<digest>``.
    only
        Letters of the datasets wanted; empty: all.

    Raises
    ------
    DemoTargetOccupied
        ``target`` is not empty and not a demonstration archive.
    CasaError
        A simulation failed; its directory is kept.
    """
    target = target.absolute()
    if not _is_free(target):
        raise DemoTargetOccupied(f"{target} is not empty", evidence={"path": str(target)})
    wanted = [dataset for dataset in datasets() if not only or dataset.letter in only]
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        made = list(pool.map(lambda dataset: simulate(dataset, build, cache, emit), wanted))
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        part.chmod(0o755)
        _package(part, list(zip(wanted, made, strict=True)))
        if target.exists():
            shutil.rmtree(target)
        part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    emit("demo.built", path=str(target), datasets=len(wanted))


def _is_free(target: Path) -> bool:
    """Whether nothing is there, or an empty directory, or an archive of ours."""
    if not target.exists():
        return True
    return target.is_dir() and (not any(target.iterdir()) or (target / MARK).is_file())


def _package(target: Path, made: list[tuple[DemoDataset, Path]]) -> None:
    portal = target / "dataPortal"
    portal.mkdir()
    rows: list[dict[str, Any]] = []
    files: list[tuple[DemoDataset, delivery.ArchiveFile]] = []
    truth: dict[str, Any] = {}
    for dataset, work in made:
        simulated = document.read_json(work / "result.json")["value"]
        delivered = delivery.deliver(dataset, work / "out", portal)
        files += [(dataset, file) for file in delivered]
        times = {block["eb"]: (block["mjd"][0], block["mjd"][1]) for block in simulated["ebs"]}
        kbyte = sum(file.n_bytes for file in delivered) // 1000
        rows += listing.rows(dataset, times, kbyte)
        truth[dataset.letter] = _truth(dataset, simulated)
    listing.write_holdings(target / "holdings.ecsv", rows)
    listing.write_files(target / "files.ecsv", files)
    document.write(target / MARK, truth)


def _truth(dataset: DemoDataset, simulated: dict[str, Any]) -> dict[str, Any]:
    """Return what tests compare with: directions in rad (ICRS), frequencies in Hz, flux in Jy.

    ``components`` state a line's ``centre_hz`` in LSRK.  ``ebs`` is each block as observed: spws with
    both frames' first and last channel, fields with lines in both frames, and ``lines``: the TOPO
    channels between a line's half maxima.
    """
    first = dataset.blocks[0].observation
    for block in simulated["ebs"]:
        block["lines"] = [
            {"spw": number, "component": index, "lsrk_hz": line["lsrk_hz"], "channels": span}
            for index, component in enumerate(block["fields"][-1]["components"])
            if (line := component["line"])
            for number, spw in enumerate(block["spws"])
            if (span := _line_channels(line, spw))
        ]
    return {
        "about": dataset.about,
        "mous": str(dataset.mous),
        "project": dataset.project,
        "casa": dataset.casa,
        "target": dataset.target,
        "pointings": [document.dump(field.direction) for field in first.targets],
        "components": [document.dump(component) for component in first.targets[0].components],
        "forget_directions": dataset.forget_directions,
        "ebs": simulated["ebs"],
    }


def _line_channels(line: dict[str, Any], spw: dict[str, Any]) -> list[int]:
    """Return the first and last channel whose centre lies within a line's half maxima, or nothing."""
    reach = line["fwhm_hz"] / 2
    inside = [
        channel
        for channel in range(spw["channels"])
        if abs(spw["first_topo_hz"] + channel * spw["width_topo_hz"] - line["centre_hz"]) <= reach
    ]
    return [inside[0], inside[-1]] if inside else []


# --- what CASA makes, cached ------------------------------------------------------------------------


def simulate(dataset: DemoDataset, build: CasaBuild, cache: Path, emit: Emit) -> Path:
    """Return the directory of the CASA job's output, made if no earlier one will do.

    Raises
    ------
    CasaError
        The simulation failed; its directory is kept.
    """
    inputs = _inputs(dataset, build)
    key = document.digest([inputs, _sources(), build.version])
    place = cache.absolute() / "demo" / key[:32]
    if place.is_dir():
        emit("demo.cached", dataset=dataset.letter)
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f"{dataset.letter}.", dir=place.parent))
    process.run_job(build, JOB, inputs, directory=work, limits=LIMITS, emit=emit)
    for left in work.iterdir():
        if left.name not in {"out", "result.json", "casa.log", "job.json"}:
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    try:
        work.rename(place)
    except OSError:  # another build was faster
        shutil.rmtree(work)
    emit("demo.made", dataset=dataset.letter, about=dataset.about)
    return place


def _inputs(dataset: DemoDataset, build: CasaBuild) -> dict[str, Any]:
    """Return the input of the job `demo_dataset`."""
    manual = dataset.calibration in {Calibration.MANUAL, Calibration.DELIVERED}
    running = ".".join(build.version.split(".")[:3])
    stem = delivery.product_stem(dataset)
    return {
        "mous": dataset.mous.name,
        "session": dataset.session,
        "calibration": "manual" if manual else dataset.calibration.value,
        "delivered": dataset.shell is Shell.CYCLE0,
        "forget_directions": dataset.forget_directions,
        "product": dataset.product and {**document.dump(dataset.product), "stem": stem},
        "ebs": [
            {
                "eb": block.eb.name,
                "plan": document.dump(block.observation),
                "script": scripting.script_for_calibration(dataset, block, version=running),
            }
            for block in dataset.blocks
        ],
    }


def _sources() -> list[str]:
    """Return the digests of the programs that run inside CASA."""
    jobs = sorted([*process.JOBS.glob("*demo_*.py"), process.JOBS / "_job.py"])
    return [document.file_sha256(path) for path in jobs]
