"""The engine *tasks* beside the real ALMA pipeline, in ratios against limits: `make bench-imaging`.

The same MSs through both engines where a build with the pipeline is named (``--pipeline PYTHON``), else
against what the pipeline was recorded to make and need; its seconds are then scaled by a run of the recorded
tclean calls of the aggregate continuum.  The MSs are the referees' (``--referees DIR``);
without any, one of the demo archive, with which *tasks* is only compared with itself.

Per MS: lists of products; noise, peak, flux and beam of each image, once with the pipeline's continuum ranges
(only the imaging differs) and once with our own; the ranges; CPU and wall seconds on one core and on two;
sources and lines against the simulated truth; the gain of two cores against that of two copies of one call.
Ends with 1 when a limit is exceeded.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

import image_cases
import image_numbers
from image_continuum import Ranges
from image_numbers import Json, Numbers
from image_runs import Again, Case, Spent, Timed, image, recorded_calls

from reimage import settings
from reimage.casa import builds, environments
from reimage.model import CasaBuild
from reimage.recipes.load import load_recipe, override

RECIPE = "hifatargets-2017"
WITHOUT_WEBLOG = "weblog=false"
"""As the pipeline was recorded: its plots take ten times longer than everything else."""
CPU, WALL, GAIN = 0.75, 0.45, 0.9
RMS, PEAK, OWN = 0.02, 0.01, 0.05
"""Differences for given continuum ranges (peak, flux and beam share one), and for our own."""
CONT = "image/products/cont.dat"
OVERLAP = 0.95
CONTINUUM, LINE, PLACE = 0.02, 0.03, 0.2
SIGMA = 3.0
"""A number of the truth need not be met better than this many times its noise."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One comparison.  ``limit`` None: told, not judged."""

    case: str
    what: str
    value: float
    limit: float | None
    is_met: bool
    told: str = ""


def main() -> int:
    """Measure all and print it; the exit code says whether every limit was kept."""
    asked = _arguments()
    cache = settings.load().cache
    with tempfile.TemporaryDirectory(prefix="reimage-bench-imaging-") as place:
        root = Path(place)
        row = environments.select(environments.default_version())
        build = builds.install(row, cache=cache, builds_dir=root / "builds", report=_quiet)
        peer = image_cases.pipeline_build(asked.pipeline, root / "builds")
        rows: list[Row] = []
        for case in image_cases.find(asked.referees, asked.only, root, build, cache):
            for one in Bench(case=case, root=root / case.name, build=build, peer=peer).rows():
                rows.append(one)
                print(_line(one), file=sys.stderr if asked.json else sys.stdout, flush=True)
    if asked.json:
        print(json.dumps([asdict(one) for one in rows], indent=1))
    return 0 if rows and all(one.is_met for one in rows) else 1


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Everything about one MS."""

    case: Case
    root: Path
    build: CasaBuild
    peer: CasaBuild | None

    def rows(self) -> Iterator[Row]:
        """Run the engines and compare."""
        recipe = override(load_recipe(RECIPE), [WITHOUT_WEBLOG])
        one = image(self.case, self.root / "one", self.build, recipe)
        speeds = self._speed("between")
        two = image(self.case, self.root / "two", self.build, recipe, cores=2)
        yield from self._images("one core", _measured(two), _measured(one), 0.0, 1e-6)
        theirs = self._pipeline(speeds)
        yield from self._gain(one, two)
        if theirs is None:
            return
        names, numbers, ranges, spent, how = theirs
        ours = {image_numbers.plain(name) for name in two.products}
        yield self._row("products that one of them lacks", len(ours ^ names), 0.0, told=how)
        yield self._row(
            "CPU s of pipeline", one.spent.cpu_s / spent.cpu_s, CPU, told=_told(one.spent, spent)
        )
        yield self._row(
            "wall on 2 cores", two.spent.wall_s / spent.wall_s, WALL, told=_told(two.spent, spent)
        )
        yield from self._continuum(Ranges.parsed((two.root / CONT).read_text()), ranges)
        contfile = self.root / "cont.dat"
        contfile.write_text("\n".join(ranges.text))
        given = override(recipe, [f'makeimlist.contfile="{contfile}"'])
        same = image(self.case, self.root / "given", self.build, given, cores=2)
        yield from self._images("given ranges", _measured(same), numbers, RMS, PEAK)
        yield from self._images(
            "own ranges", _measured(two), numbers, OWN, OWN, quieter_is_met=True
        )
        if self.case.numbers is not None:
            yield from self._truth(two, self.case.numbers["truth"])

    def _pipeline(
        self, speeds: list[Spent]
    ) -> tuple[set[str], dict[str, Numbers], Ranges, Spent, str] | None:
        """Return what the pipeline made, of what ranges, at what cost, and how that is known."""
        if self.peer is not None:
            recipe = override(load_recipe(RECIPE), ['engine="pipeline"', WITHOUT_WEBLOG])
            run = image(self.case, self.root / "pipeline", self.peer, recipe)
            (cont,) = (run.root / "image").rglob("cont.dat")
            names = {image_numbers.plain(name) for name in run.products}
            return names, _measured(run), Ranges.parsed(cont.read_text()), run.spent, self.peer.id
        numbers = self.case.numbers
        if numbers is None:
            return None
        speeds = [*speeds, *self._speed("after")]
        wall, cpu = (fmean(getattr(one, key) for one in speeds) for key in ("wall_s", "cpu_s"))
        total = numbers["total"]
        spent = Spent(wall_s=total["wall_s"] * wall, cpu_s=total["cpu_s"] * cpu)
        images = {
            image_numbers.plain(one["file"]): image_numbers.recorded(one)
            for one in numbers["images"]
            if one["file"].endswith(".pbcor.fits") and "tt1" not in one["file"]
        }
        how = f"recorded; this machine: CPU x {cpu:.2f}, wall x {wall:.2f}"
        names = {image_numbers.plain(name) for name in numbers["image_list"]}
        return {n for n in names if ".mask." not in n}, images, Ranges.recorded(numbers), spent, how

    def _speed(self, when: str) -> list[Spent]:
        """Return the seconds of this machine, as it is loaded now, in those of the recorded one."""
        if self.case.numbers is None or self.peer is not None:
            return []
        (ms,) = (self.root / "one/image/ms").glob("*_targets.ms")
        calls, then = recorded_calls(self.case.numbers, ms)
        now = Again(build=self.build, ms=ms, calls=calls).one(self.root / when)
        return [Spent(wall_s=now.wall_s / then.wall_s, cpu_s=now.cpu_s / then.cpu_s)]

    def _gain(self, one: Timed, two: Timed) -> Iterator[Row]:
        """Two cores against one, in units of what two copies of the same calls gain."""
        ms = next((one.root / "image/ms").glob("*_targets.ms"))
        calls = image_cases.peer_calls(self.case, ms)
        peer = Again(build=self.build, ms=ms, calls=calls).gain(self.root / "peer")
        ours = one.spent.wall_s / two.spent.wall_s
        told = f"{one.spent.wall_s:.1f} s / {two.spent.wall_s:.1f} s; two copies gain {peer:.2f}"
        yield self._row("gain of 2 cores / peer's", ours / peer, GAIN, least=True, told=told)

    def _continuum(self, ours: Ranges, theirs: Ranges) -> Iterator[Row]:
        for key in sorted(theirs.of):
            smaller, union = ours.overlap(theirs, key)
            told = f"of the smaller; of the union {union:.2f}"
            where = "spw" + key
            yield self._row(f"{where} ranges overlap", smaller, OVERLAP, least=True, told=told)
            differs = float((key in ours.pure) != (key in theirs.pure))
            yield self._row(f"{where} ALLCONT differs", differs, 0.0)
        if self.case.numbers is not None:
            let_in = ours.let_in(self.case.numbers["truth"])
            yield self._row("lines (+-FWHM) let in", len(let_in), 0.0, told=" ".join(let_in))

    def _images(
        self,
        how: str,
        ours: dict[str, Numbers],
        theirs: dict[str, Numbers],
        rms: float,
        rest: float,
        *,
        quieter_is_met: bool = False,
    ) -> Iterator[Row]:
        for name in sorted(ours.keys() & theirs.keys()):
            mine, other = ours[name], theirs[name]
            label = f"{how}: {name.split('_sci.')[-1].removesuffix('.fits').replace('.I.', '.').removesuffix('.pbcor')}"
            noise = mine.rms / other.rms - 1
            value = max(noise, 0.0) if quieter_is_met else abs(noise)
            told = f"{mine.rms * 1e3:.4g} mJy, {other.rms * 1e3:.4g}"
            yield self._row(f"{label} rms", value, max(rms, 1e-6), told=told)
            for what in ("peak", "flux", "major", "minor"):
                a, b = getattr(mine, what), getattr(other, what)
                told = f"{a:.5g}, {b:.5g}"
                # the flux of a field without a source is noise, and other channels have another one
                noise = SIGMA * mine.flux_noise / abs(b) if what == "flux" and rest == OWN else 0.0
                yield self._row(f"{label} {what}", abs(a / b - 1), max(rest, noise), told=told)

    def _truth(self, run: Timed, truth: Json) -> Iterator[Row]:
        for name, path in run.products.items():
            if ".cont." in name and "pbcor" in name and "tt1" not in name:
                found, share = image_numbers.continuum(path, truth), CONTINUUM
            elif ".cube." in name and "pbcor" in name:
                spw = int(name.split(".spw")[1].split(".")[0])
                found, share = image_numbers.lines(path, truth, spw), LINE
            else:
                continue
            for one in found:
                off = abs(one.found / one.true - 1)
                limit = max(share, SIGMA * one.noise / one.true)
                told = f"{one.found:.4g} of {one.true:.4g}, noise {one.noise:.1g}"
                judged = limit if one.is_compact and name not in _dirty(run) else None
                yield self._row(f"truth: {one.name} flux", off, judged, told=told)
                if one.is_compact:
                    # noise moves a peak by half a beam / (S/N): Condon 1997, PASP 109, 166
                    limit = max(PLACE, SIGMA * 0.5 * one.noise / one.true)
                    yield self._row(f"truth: {one.name} place, beams", one.offset_beams, limit)

    def _row(
        self, what: str, value: float, limit: float | None, *, least: bool = False, told: str = ""
    ) -> Row:
        value = float(value)  # numpy's own numbers are not JSON
        is_met = limit is None or (value >= limit if least else value <= limit)
        return Row(
            case=self.case.name, what=what, value=value, limit=limit, is_met=is_met, told=told
        )


def _measured(run: Timed) -> dict[str, Numbers]:
    """Return the numbers of every corrected image."""
    return {
        image_numbers.plain(name): image_numbers.measure(path)
        for name, path in run.products.items()
        if name.endswith("pbcor.fits") and "tt1" not in name
    }


def _dirty(run: Timed) -> set[str]:
    """Return the names of images that were left dirty: their fluxes mean little."""
    marked = {c.split(":")[1] for c in run.imaged.caveats if c.startswith("dirty-image:")}
    return {product.name for product in run.imaged.products if product.image in marked}


def _told(ours: Spent, theirs: Spent) -> str:
    return (
        f"CPU {ours.cpu_s:.1f} s, {theirs.cpu_s:.1f} s;"
        f" wall {ours.wall_s:.1f} s, {theirs.wall_s:.1f} s"
    )


def _line(row: Row) -> str:
    limit = "        " if row.limit is None else f"/ {row.limit:<6.3g}"
    mark = " " if row.is_met else "!"
    return f"{mark} {row.case:10} {row.what:48} {row.value:9.4g} {limit} {row.told}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--referees", type=Path, help="folder of the referees")
    parser.add_argument("--only", help="one case, by name")
    parser.add_argument("--pipeline", type=Path, help="Python or casa of a build with the pipeline")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _quiet(line: str) -> None:
    del line


if __name__ == "__main__":
    sys.exit(main())
