"""What the imaging bench runs and times: an engine on an MS, and a referee's recorded tclean calls."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from reimage import document
from reimage.casa.place import MALLOC, environment
from reimage.imaging import engines
from reimage.imaging.request import Imaged, ImagingMs, ImagingRequest
from reimage.model import CasaBuild
from reimage.recipes import Recipe
from reimage.run import Limits

HERE = Path(__file__).parent
CALLS = HERE / "tclean_calls.py"
LIMITS = Limits(memory_mb=8000, wall_s=3600, silence_s=900)


@dataclass(frozen=True, kw_only=True)
class Case:
    """An MS to image, and what is known of it."""

    name: str
    ms: Path
    column: Literal["data", "corrected"]
    dataset: str
    numbers: Mapping[str, Any] | None
    """What the real pipeline made of it, in a referee's form; None: nobody recorded it."""


@dataclass(frozen=True, kw_only=True)
class Spent:
    """Seconds."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True, kw_only=True)
class Timed:
    """What an engine made, and what it cost."""

    imaged: Imaged
    spent: Spent
    root: Path

    @property
    def products(self) -> dict[str, Path]:
        """The made files that were planned, by name."""
        return {
            product.name: self.root / product.path
            for product in self.imaged.products
            if product.path and product.name.endswith(".fits") and ".mask." not in product.name
        }


def image(case: Case, root: Path, build: CasaBuild, recipe: Recipe, cores: int = 1) -> Timed:
    """Image a copy of a case's MS below a new directory."""
    (root / "image").mkdir(parents=True)
    ms = shutil.copytree(case.ms, root / "input" / case.ms.name)
    before, begin = _cpu(), time.monotonic()
    imaged = engines.make(
        ImagingRequest(
            ms=(ImagingMs(eb=ms.name.split(".ms")[0], path=ms, column=case.column),),
            recipe=recipe,
            dataset=case.dataset,
            root=root,
            directory=root / "image",
            build=build,
            limits=replace(LIMITS, cores=cores),
            emit=lambda *_, **__: None,
        )
    )
    spent = Spent(wall_s=time.monotonic() - begin, cpu_s=_cpu() - before)
    return Timed(imaged=imaged, spent=spent, root=root)


def recorded_calls(numbers: Mapping[str, Any], ms: Path) -> tuple[list[dict[str, Any]], Spent]:
    """Return the recorded calls of the aggregate continuum, for an MS of ours, and what their stage took."""
    calls = [
        dict(call["parameters"], vis=[str(ms)])
        for call in numbers["calls"]
        if call["task"] == "tclean" and ".cont." in call["parameters"]["imagename"]
    ]
    for call in calls:
        call["imagename"] = "again"
    stages = {
        c["stage"]
        for c in numbers["calls"]
        if c["task"] == "tclean" and ".cont." in c["parameters"]["imagename"]
    }
    took = [stage for stage in numbers["stages"] if stage["stage"] in stages]
    return calls, Spent(
        wall_s=sum(stage["wall_s"] for stage in took), cpu_s=sum(stage["cpu_s"] for stage in took)
    )


@dataclass(frozen=True, kw_only=True)
class Again:
    """tclean calls on copies of one MS, each in a process of its own."""

    build: CasaBuild
    ms: Path
    calls: Sequence[Mapping[str, Any]]

    def one(self, place: Path) -> Spent:
        """Run them once as the pipeline would; what the calls took without CASA's start."""
        self._wait(self._start(place, without=MALLOC))
        return document.load(Spent, json.loads((place / "seconds.json").read_text()))

    def gain(self, place: Path) -> float:
        """Time two copies one after the other against side by side."""
        begin = time.monotonic()
        for name in ("first", "second"):
            self._wait(self._start(place / name))
        alone = time.monotonic() - begin
        begin = time.monotonic()
        for child in [self._start(place / name) for name in ("left", "right")]:
            self._wait(child)
        return alone / (time.monotonic() - begin)

    def _start(self, place: Path, without: Collection[str] = ()) -> subprocess.Popen[bytes]:
        (place / "home").mkdir(parents=True)
        mine = shutil.copytree(self.ms, place / self.ms.name)
        calls = [dict(call, vis=[str(mine)]) for call in self.calls]
        (place / "calls.json").write_text(json.dumps(calls))
        return subprocess.Popen(
            [str(self.build.python), str(CALLS), str(place / "calls.json")],
            cwd=place,
            env={k: v for k, v in environment(self.build, place).items() if k not in without},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _wait(self, child: subprocess.Popen[bytes]) -> None:
        if child.wait():
            raise RuntimeError(f"the recorded calls ended with {child.returncode}")


def _cpu() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
