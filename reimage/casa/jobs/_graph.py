"""Which tasks the making of a plan's images consists of, and which needs which.

continuum of each target and spw -> cont.dat -> subtraction in each EB -> cubes; an image of the continuum
needs the ranges of its own spws only.
"""

import os

import _clean
import _continuum
import _records
from _work import Task


class Work(object):
    """The tasks of one plan.

    ``inputs``: of `image_make`; ``facts``: of `image_prepare`; ``images``: of the plan; ``make_image``: makes
    one and writes its record, given the inputs, an `_clean.Imager` and the image; ``proven``: its record.
    """

    def __init__(self, inputs, facts, images, make_image, proven, progress):
        self.inputs, self.facts, self.images, self.progress = inputs, facts, images, progress
        self._make_image, self._proven = make_image, proven
        self._sought = {}
        if inputs["findcont"] is not None and not inputs["contfile"]:
            self._sought = {
                (target["name"], spw["id"]): _continuum.record_path(inputs, facts, target, spw)
                for target, spw in _continuum.wanted(facts)
            }
        self._imager = _clean.Imager(facts, {}, set(), inputs["settings"])
        self._all = os.path.join(inputs["records"], "continuum.json")
        self._subtracts = self._is_subtracted()

    def tasks(self):
        """All tasks, in the order in which they are best begun: what others wait for, then the largest."""
        largest_first = sorted(self.images, key=lambda one: -one["cost"])
        return (
            self._findings()
            + [Task("continuum", self._gather, self._is_gathered, self._names())]
            + self._subtractions()
            + [self._image(one) for one in largest_first]
        )

    # --- continuum ------------------------------------------------------------------------------------

    def _names(self):
        return [name_of(path) for path in self._sought.values()]

    def _findings(self):
        found = []
        for target, spw in _continuum.wanted(self.facts) if self._sought else ():
            path = self._sought[target["name"], spw["id"]]
            found.append(
                (size_of(target, spw), Task(name_of(path), *self._finding(target, spw, path)))
            )
        return [task for _, task in sorted(found, key=lambda pair: -pair[0])]

    def _finding(self, target, spw, path):
        def run():
            _continuum.one_continuum(self.inputs, self.facts, target, spw, self.progress)

        return run, lambda: os.path.exists(path)

    def _gather(self):
        entries = [_records.read_json(path) for path in self._sought.values()]
        _continuum.gather(self.inputs, entries, self._all)

    def _is_gathered(self):
        listed = os.path.join(self.inputs["products"], "cont.dat")
        return os.path.exists(self._all) and (not self._sought or os.path.exists(listed))

    def _learn(self, keys):
        """Tell the imager the continuum of these (target, spw)."""
        if self._sought:
            entries = [_records.read_json(self._sought[key]) for key in keys if key in self._sought]
        else:
            known = _records.read_json(self._all)["entries"]
            entries = [entry for entry in known if (entry["field"], entry["spw"]) in keys]
        for entry in entries:
            key = entry["field"], entry["spw"]
            if entry["ranges_hz"]:
                self._imager.continuum[key] = entry["ranges_hz"]
            if "ALLCONT" in entry["flags"]:
                self._imager.pure.add(key)
        return entries

    # --- subtraction ----------------------------------------------------------------------------------

    def _is_subtracted(self):
        """Whether cubes are to be made, and of data without continuum."""
        cubes = [one for one in self.images if one["specmode"] in _clean.CUBES]
        return self.inputs["uvcontsub"] is not None and any(
            self._proven(self.inputs, one) is None for one in cubes
        )

    def _subtractions(self):
        if not self._subtracts:
            return []
        return [
            Task(self._subtraction_name(eb), *self._subtraction(eb), needs=["continuum"])
            for eb in self.facts["ebs"]
        ]

    def _subtraction_name(self, eb):
        return "uvcontsub-%s" % eb["eb"]

    def _subtraction(self, eb):
        path = os.path.join(self.inputs["records"], self._subtraction_name(eb) + ".json")

        def run():
            entries = self._learn([(name, spw) for name in eb["fields"] for spw in eb["spws"]])
            made = _continuum.subtract(self.inputs, eb, self._imager, entries, self.progress)
            _records.write_json(path, {"ms": os.path.basename(made)})

        def is_done():
            if not os.path.exists(path):
                return False
            made = os.path.join(self.inputs["ms_directory"], _records.read_json(path)["ms"])
            eb["line_ms"] = made
            return os.path.exists(made)

        return run, is_done

    # --- images ---------------------------------------------------------------------------------------

    def _image(self, one):
        keys = [(one["target"], spw) for spw in one["spws"]]
        if one["specmode"] in _clean.CUBES and self._subtracts:
            needs = ["continuum"] + [
                self._subtraction_name(eb)
                for eb in self.facts["ebs"]
                if one["target"] in eb["fields"]
            ]
        elif self._sought:
            needs = [name_of(self._sought[key]) for key in keys if key in self._sought]
        else:
            needs = ["continuum"]

        def run():
            self._learn(keys)
            number = 1 + sum(self._proven(self.inputs, other) is not None for other in self.images)
            place = dict(image=one["id"], k=number, n=len(self.images))
            self.progress("image.started", **place)
            record = self._make_image(self.inputs, self._imager, one)
            if record["state"] == "made":
                self.progress("image.made", caveats=record["caveats"], **place)
            else:
                self.progress("image.absent", reason=record["reason"], **place)

        name = os.path.splitext(one["record"])[0]
        return Task(name, run, lambda: self._proven(self.inputs, one) is not None, needs)


def name_of(path):
    """A task's name by its record."""
    return os.path.splitext(os.path.basename(path))[0]


def size_of(target, spw):
    """Pixels of the dirty cube, to within a constant."""
    width, height = target["geometry"]["imsize"]
    return width * height * target["axes"][str(spw["id"])]["nchan"]
