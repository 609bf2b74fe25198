"""How large the cubes would be, and what is given up when that is too much.  Standard library only.

The rungs of the ladder, each taken only while the one before was not enough, are the pipeline's
(`hif_checkproductsize`): bin channels by two where they are many or sampled twice; a smaller field of view
of single pointings; fewer pixels to a beam; then fewer targets and fewer cubes.  Sizes are GB of 1e9 bytes,
computed as the pipeline does: all channels of a spw, one Taylor term.

Deviations from the pipeline: where one of several large cubes is kept and none is the representative one,
it is that of the lowest spw (the pipeline's order is accidental); a rung that changes nothing is not told.
"""

import math

import _bandwidth
import _heuristics

MANY_CHANNELS = (3840, 7680)
TWICE_SAMPLED = (480, 960, 1920)
PB_LEVELS = (0.2, 0.7)
PIXELS_PER_BEAM = 5.0
FEWER_PIXELS = 3.0
FEWER_PIXELS_ROBUST_2 = 3.25
"""Of a naturally weighted beam, whose core is narrower than its fit."""


class Ladder(object):
    """The state of the ladder: what images there are to be, and how large they are.

    ``targets``: name, pointings, mixed, radius (arcsec, of the first null), spread, beam_minor, spws (ids);
    ``spws``: nchan, smoothing (effective bandwidth / width), mean_hz, by id;
    ``limits``: maxcubesize, maxcubelimit, maxproductsize in GB, -1 for none;
    ``representative``: name of the target and id of the spw that are kept to the last.
    """

    def __init__(self, targets, spws, limits, representative, robust):
        self.all, self.known, self.limits, self.robust = targets, spws, limits, robust
        self.representative = representative
        names = [target["name"] for target in targets]
        self.names = sorted(names, key=lambda name: (name != representative[0], name))
        self.spws = sorted(spws)
        self.nbin = dict.fromkeys(spws, 1)
        self.pb_level, self.pixels = PB_LEVELS[0], PIXELS_PER_BEAM
        self.steps, self.error = [], None

    # --- sizes ----------------------------------------------------------------------------------------

    def imsize(self, target):
        """Sides in pixels of every image of a target as things stand."""
        return image_size(target, self.pb_level, self.pixels)

    def cubes(self):
        """Size of each cube by (target, spw)."""
        found = {}
        for target in self.all:
            if target["name"] not in self.names:
                continue
            nx, ny = self.imsize(target)
            for spw in target["spws"]:
                if spw in self.spws:
                    channels = self.known[spw]["nchan"] / float(self.nbin[spw])
                    found[target["name"], spw] = 4.0 * nx * ny * channels / 1e9
        return found

    def products(self):
        """Size of what each cube, its continuum image and their primary beams take, by (target, spw)."""
        plane = {t["name"]: 4.0 * self.imsize(t)[0] * self.imsize(t)[1] / 1e9 for t in self.all}
        return {key: 2 * (size + plane[key[0]]) for key, size in self.cubes().items()}

    def largest(self):
        """Size of the largest cube."""
        return max(self.cubes().values())

    def total(self):
        """Size of all products."""
        return sum(self.products().values())

    def exceeds(self, what, value):
        """Whether a size is above a limit; a limit of -1 is none."""
        return self.limits[what] != -1 and value > self.limits[what]

    def cube_too_large(self):
        return self.exceeds("maxcubesize", self.largest())

    def product_too_large(self):
        return self.exceeds("maxproductsize", self.total())

    # --- rungs ----------------------------------------------------------------------------------------

    def climb(self):
        """Take the rungs that are needed; ``error`` says why when they are not enough."""
        for rung in (self.bin_channels, self.narrow_field, self.coarsen):
            if self.cube_too_large():
                rung()
        if self.cube_too_large() and self.exceeds("maxcubelimit", self.largest()):
            self.error = "the largest cube has %.3g GB after mitigation, the limit is %g GB" % (
                self.largest(),
                self.limits["maxcubelimit"],
            )
            return
        self.fewer_targets()
        bounded = self.limits["maxcubesize"] != -1 and not self.cube_too_large()
        if len(self.names) == 1 and bounded:
            for rung in (self.bin_channels, self.narrow_field, self.coarsen):
                if self.product_too_large():
                    rung()
        self.fewer_cubes()
        if self.product_too_large():
            self.error = "all products have %.3g GB after mitigation, the limit is %g GB" % (
                self.total(),
                self.limits["maxproductsize"],
            )

    def bin_channels(self):
        """Bin by two: spws of very many channels, and those whose channels are sampled twice."""
        for spw, known in self.known.items():
            twice = known["nchan"] in TWICE_SAMPLED and _bandwidth.twice_sampled(known["smoothing"])
            if known["nchan"] in MANY_CHANNELS or twice:
                self.nbin[spw] = 2
        if 2 in self.nbin.values() and "nbin" not in self.steps:
            self.steps.append("nbin")

    def narrow_field(self):
        """Image single pointings out to a higher level of the primary beam."""
        before = {target["name"]: self.imsize(target) for target in self.all}
        share = 2.2064 * self.limits["maxcubesize"] / self.largest() / 1.01
        level = max(min(math.exp(-math.log(2.0) * share), PB_LEVELS[1]), self.pb_level)
        self.pb_level = math.floor(level * 100 + 0.5) / 100
        if any(self.imsize(target) != before[target["name"]] for target in self.all):
            self.steps += ["field"] * ("field" not in self.steps)

    def coarsen(self):
        """Fewer pixels to a beam."""
        self.pixels = FEWER_PIXELS_ROBUST_2 if self.robust == 2.0 else FEWER_PIXELS
        self.steps += ["cell"] * ("cell" not in self.steps)

    def fewer_targets(self):
        """Keep as many targets as the product limit holds, the representative one first."""
        if not self.product_too_large() or len(self.names) < 2:
            return
        mean = self.total() / len(self.names)
        self.names = self.names[: max(1, int(self.limits["maxproductsize"] / mean))]
        self.steps.append("targets")

    def fewer_cubes(self):
        """Keep one large cube, the representative spw, and small cubes while there is room."""
        half = 0.5 * self.limits["maxcubelimit"]
        large = {spw for (_, spw), size in self.cubes().items() if half >= 0 and size > half}
        if len(large) < 2 and not self.product_too_large():
            return
        product = {}
        for (_, spw), size in self.products().items():
            product[spw] = max(product.get(spw, 0.0), size)
        chosen = self.representative[1]
        kept = [chosen] if chosen in large else sorted(large)[:1]
        kept += [chosen] if chosen in product and chosen not in kept else []
        small = [spw for spw in product if spw not in large and spw != chosen]
        room = sum(product[spw] for spw in kept)
        for spw in sorted(small, key=lambda spw: (product[spw], self.known[spw]["mean_hz"])):
            room += product[spw]
            if self.exceeds("maxproductsize", room):
                break
            kept.append(spw)
        if set(kept) != set(product):
            self.spws = sorted(kept)
            self.steps.append("cubes")


def image_size(target, pb_level, pixels_per_beam):
    """Sides in pixels of a target's images."""
    cell = _heuristics.cell_size(target["beam_minor"], pixels_per_beam)
    single = target["pointings"] == 1 and not target["mixed"]
    sides = _heuristics.field_sides(
        target["pointings"], target["radius"], target["spread"], target["mixed"], pb_level
    )
    return _heuristics.image_size(sides, cell, rounded=single)


def mitigate(targets, spws, limits, representative, robust):
    """Climb the ladder and tell what came of it, as job ``image_prepare`` gives it."""
    ladder = Ladder(targets, spws, limits, representative, robust)
    before = ladder.largest(), ladder.total()
    ladder.climb()
    return {
        "steps": ladder.steps,
        "nbin": {str(spw): n for spw, n in ladder.nbin.items() if n > 1},
        "pb_level": ladder.pb_level,
        "pixels_per_beam": ladder.pixels,
        "targets": ladder.names,
        "spws": ladder.spws,
        "dropped": dropped(ladder),
        "error": ladder.error,
        "sizes_gb": {
            "cube_before": before[0],
            "products_before": before[1],
            "cube": ladder.largest(),
            "products": ladder.total(),
        },
    }


def dropped(ladder):
    """What is not imaged for its size: whole targets (spw None) and cubes."""
    found = []
    for target in ladder.all:
        name = target["name"]
        if name not in ladder.names:
            why = "product-size: target left out"
            found.append({"target": name, "spw": None, "specmode": None, "reason": why})
            continue
        why = "product-size: cube left out"
        found += [
            {"target": name, "spw": spw, "specmode": "cube", "reason": why}
            for spw in target["spws"]
            if spw not in ladder.spws
        ]
    return found


def told(found, geometry):
    """What was done to a target's images, in words; None: nothing."""
    words = ["%s channels of spw %s as one" % (n, spw) for spw, n in sorted(found["nbin"].items())]
    if "field" in found["steps"] and geometry["pointings"] == 1 and not geometry["mixed"]:
        words.append("field of view to PB %g" % found["pb_level"])
    if "cell" in found["steps"]:
        words.append("%g pixels to a beam" % found["pixels_per_beam"])
    return "; ".join(words) or None
