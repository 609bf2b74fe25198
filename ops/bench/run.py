"""What the service costs, in ratios against limits and against a peer in the same run: `make bench`.

1. Overhead: wall time of one run less that of its CASA children, and less *derive*, which is told apart,
   against 3 s + 2 %.
2. Slots: the gain of a sweep of two equal runs on two slots against one, divided by what two independent
   copies of one tclean gain on the same machine (several CASA processes share caches and memory lanes).
3. Memory: the peak of the controller, which lives for weeks, and of supervisor and runner, against 200 MB.

Uses the cached default build and the cached demo archive; makes everything else in a temporary directory.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from reimage import document, journal, settings
from reimage.casa import builds, environments
from reimage.casa.place import environment
from reimage.demo.build import build_archive
from reimage.model import CasaBuild, Stage
from reimage.run import Exit

HERE = Path(__file__).parent
SOURCE_OF = "a"
OVERHEAD_S, OVERHEAD_SHARE = 3.0, 0.02
GAIN_OF_PEER = 0.95
MEMORY_MB = 200
LOOK_S = 0.05
MB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Site:
    """A site of its own: settings file and command."""

    root: Path
    slots: int

    def reimage(self, *words: str) -> str:
        """Run a command to its end and return what it printed."""
        return subprocess.run(
            self.command(*words), check=True, text=True, stdout=subprocess.PIPE
        ).stdout

    def command(self, *words: str) -> list[str]:
        """Return the command line of a verb."""
        return [
            sys.executable,
            "-m",
            "reimage",
            "--config",
            str(self.root / "reimage.toml"),
            *words,
        ]

    def run_directories(self) -> list[Path]:
        """Return the directories of all runs."""
        return sorted(path.parent for path in (self.root / "data/runs").glob("*/*/run.json"))


def main() -> int:
    """Measure all and print it; the exit code says whether every target was met."""
    cache = settings.load().cache
    with tempfile.TemporaryDirectory(prefix="reimage-bench-") as place:
        root = Path(place)
        row = environments.select(environments.default_version())
        build = builds.install(row, cache=cache, builds_dir=root / "builds", report=_quiet)
        build_archive(root / "archive", build=build, cache=cache, emit=_ignore)
        dataset = dataset_of(root / "archive")
        sites = {slots: make_site(root, cache, slots) for slots in (1, 2)}
        seconds, memory = {}, {}
        for slots, site in sites.items():
            for recipe in ("bench-one", "bench-two"):
                site.reimage("run", dataset, "--recipe", recipe, "--detach")
            seconds[slots], memory[slots] = _drive(site)
        met = [
            _told_overhead(sites[1].run_directories()[0]),
            _told_slots(seconds, root, build, sites[1].run_directories()[0]),
            _told_memory(memory[2], sites[2].run_directories()),
        ]
    return 0 if all(met) else 1


def _told_overhead(directory: Path) -> bool:
    ended = document.read(Exit, directory / "attempts/1/exit.json")
    derive = _stage_seconds(directory)[Stage.DERIVE.value]
    ours = ended.wall_s - ended.casa_wall_s - derive
    limit = OVERHEAD_S + OVERHEAD_SHARE * ended.wall_s
    print(
        f"overhead  {ours:6.2f} s of {ended.wall_s:.1f} s (CASA {ended.casa_wall_s:.1f} s, derive {derive:.1f} s);"
        f" limit {limit:.2f} s; ratio {ours / limit:.2f}"
    )
    return ours <= limit


def _told_slots(seconds: Mapping[int, float], root: Path, build: CasaBuild, run: Path) -> bool:
    ours = seconds[1] / seconds[2]
    peer = _gain_of_tclean(root / "peer", build, run)
    print(
        f"slots     {seconds[1]:.1f} s on one, {seconds[2]:.1f} s on two: gain {ours:.2f};"
        f" two tclean gain {peer:.2f}; ratio {ours / peer:.2f}, target {GAIN_OF_PEER}"
    )
    return ours >= GAIN_OF_PEER * peer


def _told_memory(controller_mb: float, runs: list[Path]) -> bool:
    ended = [document.read(Exit, run / "attempts/1/exit.json") for run in runs]
    runner = max(exit_.peak_process_mb for exit_ in ended)
    print(
        f"memory    controller {controller_mb:.0f} MB, limit {MEMORY_MB} MB; ratio {controller_mb / MEMORY_MB:.2f}"
        f" (largest process of a run, a runner in derive or CASA: {runner} MB)"
    )
    return controller_mb <= MEMORY_MB


def dataset_of(archive: Path) -> str:
    """Return the dataset of the demo archive that is run."""
    truth = json.loads((archive / "truth.json").read_text())
    return str(truth[SOURCE_OF]["mous"])


def make_site(root: Path, cache: Path, slots: int) -> Site:
    """Make a site whose two recipes are the default one under other names: two equal runs."""
    place = root / f"slots-{slots}"
    (place / "recipes").mkdir(parents=True)
    shipped = Path(settings.__file__).parent / "recipes" / f"{settings.Settings().recipe}.toml"
    for name in ("bench-one", "bench-two"):
        text = shipped.read_text().replace(f'id = "{shipped.stem}"', f'id = "{name}"')
        (place / "recipes" / f"{name}.toml").write_text(text)
    shutil.copytree(root / "builds", place / "data/builds")
    lines = {
        "data": "data",
        "cache": str(cache),
        "archive": str(root / "archive"),
        "recipes": ["recipes"],
        "slots": slots,
    }
    (place / "reimage.toml").write_text(
        "".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items())
    )
    site = Site(root=place, slots=slots)
    site.reimage("db", "upgrade")
    site.reimage("holdings", "sync")
    return site


def _drive(site: Site) -> tuple[float, float]:
    """Run the controller until nothing is left; return its seconds and its peak memory in MB."""
    start, peak = time.monotonic(), 0
    with subprocess.Popen(
        site.command("controller", "--once"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as child:
        watched = psutil.Process(child.pid)
        while child.poll() is None:
            try:
                peak = max(peak, watched.memory_info().rss)
            except psutil.NoSuchProcess:
                break
            time.sleep(LOOK_S)
    return time.monotonic() - start, peak / MB


def _gain_of_tclean(place: Path, build: CasaBuild, run: Path) -> float:
    """Time two copies of one tclean call one after the other, and side by side."""
    ms = next(path.parent for path in run.glob("image/**/*_targets.ms/table.dat"))

    def start(name: str) -> subprocess.Popen[bytes]:
        directory = place / name
        (directory / "home").mkdir(parents=True)
        mine = shutil.copytree(ms, directory / "targets.ms")
        return subprocess.Popen(
            [str(build.python), str(HERE / "tclean_peer.py"), str(mine)],
            cwd=directory,
            env=environment(build, directory),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    begin = time.monotonic()
    for name in ("first", "second"):
        _ended_well(start(name))
    alone = time.monotonic() - begin
    begin = time.monotonic()
    for child in [start("left"), start("right")]:
        _ended_well(child)
    return alone / (time.monotonic() - begin)


def _ended_well(child: subprocess.Popen[bytes]) -> None:
    if child.wait():
        raise RuntimeError(f"the peer ended with {child.returncode}")


def _stage_seconds(directory: Path) -> dict[str, float]:
    began: dict[str, Any] = {}
    seconds: dict[str, float] = {}
    for event, _ in journal.read(directory / "attempts/1/journal.jsonl"):
        stage = str(event.data.get("stage"))
        if event.event == "stage.started":
            began[stage] = event.at
        elif event.event == "stage.proven":
            seconds[stage] = (event.at - began[stage]).total_seconds()
    return seconds


def _quiet(line: str) -> None:
    del line


def _ignore(event: str, **data: object) -> None:
    del event, data


if __name__ == "__main__":
    sys.exit(main())
