"""The steps of a recipe, one after the other in one pipeline context, each with a record, written last.

A step that makes images and fails costs its images; any other that fails ends the sequence, and what was
made until then is exported.  The context is saved after each step, so that a killed run goes on from there:
what the step that was cut off had written is removed first, since the pipeline does not overwrite.
Python 2 and 3: it runs in the shell of a monolithic CASA too.
"""

import json
import os
import shutil
import sys
import time
import traceback

import _pipeline_products
import _pipeline_results
import _shell

UNDERWAY = "underway.json"
PLACES = ("working", "products")
MAKES, LISTS, EXPORTS, IMPORTS = "makeimages", "makeimlist", "exportdata", "importdata"
OLD_MAKES = {"hif_cleanlist": MAKES, "hif_makecleanlist": LISTS}


class StepMissing(RuntimeError):
    """This pipeline has no such task."""


def kind_of(task):
    """A task's name without its prefix, as it is called today."""
    return OLD_MAKES.get(task, task.split("_", 1)[-1])


def read(path):
    """A JSON file."""
    with open(path) as stream:
        return json.load(stream)


def enter(inputs):
    """Make the pipeline's three directories and go into ``working``, for good; return them by name."""
    places = dict(
        (name, _shell.native(os.path.join(inputs["root"], name)))
        for name in ("rawdata", "working", "products")
    )
    for place in places.values():
        if not os.path.isdir(place):
            os.makedirs(place)
    for ms in inputs["ms"]:
        link = os.path.join(places["rawdata"], _shell.native(ms["eb"]) + ".ms")
        if not os.path.islink(link):
            os.symlink(ms["path"], link)
    os.chdir(places["working"])
    return places


def plain(value):
    """A value of JSON whose texts are what this Python calls ``str``: old tasks take nothing else."""
    if isinstance(value, dict):
        return dict((plain(key), plain(one)) for key, one in value.items())
    if isinstance(value, list):
        return [plain(one) for one in value]
    return _shell.native(value) if hasattr(value, "encode") else value


class Driver(object):
    """A pipeline run, and what it remembers between starts.

    ``casa``: ``log`` (path of CASA's log) and ``image`` (makes an image tool).
    """

    def __init__(self, inputs, places, tasks, casa, progress, weblog):
        self.inputs, self.places, self.tasks, self.casa = inputs, places, tasks, casa
        self.progress, self.weblog = progress, weblog
        self.steps = [dict(step, number=n) for n, step in enumerate(inputs["steps"], 1)]
        missing = [step["task"] for step in self.steps if step["task"] not in tasks]
        if missing:
            raise StepMissing("this pipeline has no task %s" % missing[0])
        self.records = [r for r in map(self._read, self.steps) if r is not None]
        self.context = None

    def run(self):
        """Carry out what has no record; return what came of all of it."""
        self.remove_leftovers()
        if len(self.records) < len(self.steps):
            self.context = self.begin()
        for step in self.steps[len(self.records) :]:
            why = self.why_not(step)
            record = self.attempt(step) if why is None else self.blank(step, "skipped", why)
            _shell.write(self._path(step), record)
            self.records.append(record)
            self.forget_contexts()
            told = dict((key, record[key]) for key in ("state", "reason", "wall_s", "stage"))
            self.progress(
                "step.ended", step=step["id"], k=step["number"], n=len(self.steps), **told
            )
        return self.value()

    def value(self):
        """``steps`` (the records), ``files`` and ``errorexit``: what is in ``products``."""
        exits = [
            name
            for place in ("working", "products")
            for name in os.listdir(self.places[place])
            if name.startswith("errorexit-")
        ]
        return {
            "steps": self.records,
            "files": _pipeline_products.check(self.places["products"]),
            "errorexit": sorted(set(exits)),
        }

    # --- a step -----------------------------------------------------------------------------------------

    def why_not(self, step):
        """Why a step is not to be tried; None if it is."""
        kind = kind_of(step["task"])
        broken = [r for r in self.records if r["state"] in ("failed", "died")]
        fatal = [r for r in broken if kind_of(r["task"]) != MAKES]
        if not fatal:
            return None
        if kind == EXPORTS and any(image["made"] for r in self.records for image in r["images"]):
            return None
        return "%s failed: %s" % (fatal[0]["task"], fatal[0]["reason"])

    def attempt(self, step):
        """Call the task; return its record."""
        if kind_of(step["task"]) == EXPORTS:
            _pipeline_products.sign(self.casa, self.records, plain(self.inputs["keywords"]))
        self.progress("step.started", step=step["id"], k=step["number"], n=len(self.steps))
        self.note_underway(step)
        record, log = self.blank(step, "done", None), _pipeline_results.LogSlice(self.casa.log)
        began, cpu = time.time(), sum(os.times()[:2])
        result = None
        try:
            result = self.tasks[step["task"]](**self.arguments(step))
        except (
            Exception
        ) as error:  # whatever the pipeline raises is the step's reason to have failed
            traceback.print_exc()
            record.update(state="failed", reason=_pipeline_results.root_of(traceback.format_exc()))
            record["raised"] = type(error).__name__
        record["wall_s"] = round(time.time() - began, 2)
        record["cpu_s"] = round(sum(os.times()[:2]) - cpu, 2)
        record["messages"] = log.messages()
        record.update(_pipeline_results.read(result, record, self.context))
        record["context"] = "step-%02d.context" % step["number"]
        self.tasks["h_save"](filename=record["context"])
        if kind_of(step["task"]) == LISTS:
            ids = [image["name"] for image in record["images"]]
            self.progress("image.listed", step=step["id"], images=ids, n=len(ids))
        return record

    def arguments(self, step):
        """What the recipe says, and what only this run knows."""
        given = plain(step["arguments"])
        if kind_of(step["task"]) == IMPORTS:
            given["vis"] = [
                "../rawdata/%s.ms" % _shell.native(ms["eb"]) for ms in self.inputs["ms"]
            ]
            if (
                all(ms["column"] == "data" for ms in self.inputs["ms"])
                and self.inputs["data_types"]
            ):
                given["datacolumns"] = {"data": "regcal_contline"}
        return given

    def blank(self, step, state, reason):
        """A record of which nothing more is known."""
        return {
            "step": step["id"],
            "task": step["task"],
            "arguments": step["arguments"],
            "stage": 0,
            "state": state,
            "reason": reason,
            "raised": None,
            "result": None,
            "images": [],
            "qa": [],
            "messages": [],
            "mitigation": {},
            "wall_s": 0.0,
            "cpu_s": 0.0,
            "context": None,
        }

    # --- between starts ---------------------------------------------------------------------------------

    def begin(self):
        """A new context, or the one that the last step left."""
        saved = [record["context"] for record in self.records if record["context"]]
        if saved:
            context = self.tasks["h_resume"](filename=plain(saved[-1]))
            _pipeline_results.set_weblog(self.weblog)  # h_resume switches it on
            return context
        try:
            context = self.tasks["h_init"](weblog=self.weblog)
        except TypeError:  # the oldest have no such argument, and always a weblog
            context = self.tasks["h_init"]()
        for part, name, value in (
            ("ProjectStructure", "ousstatus_entity_id", self.inputs["dataset"]),
            ("ProjectStructure", "recipe_name", self.inputs["recipe"]),
            ("ProjectSummary", "proposal_code", self.inputs["proposal"]),
        ):
            if value:
                context.set_state(part, name, plain(value))
        return context

    def note_underway(self, step):
        """Say which step is being done, and what was there before it."""
        there = dict((place, sorted(os.listdir(self.places[place]))) for place in PLACES)
        note = {"number": step["number"], "what": step["id"], "weblog": self.weblog, "there": there}
        _shell.write(os.path.join(self.inputs["records"], UNDERWAY), note)

    def remove_leftovers(self):
        """Remove what a step wrote that was cut off."""
        path = os.path.join(self.inputs["records"], UNDERWAY)
        if not os.path.exists(path):
            return
        note = read(path)
        known = [r for n, r in enumerate(self.records, 1) if n == note["number"]]
        if known and known[0]["state"] != "died":
            return
        for place, there in note["there"].items():
            for name in set(os.listdir(self.places[place])) - set(there):
                left = os.path.join(self.places[place], name)
                if os.path.isdir(left) and not os.path.islink(left):
                    shutil.rmtree(left)
                else:
                    os.remove(left)

    def forget_contexts(self):
        """Keep the last saved context only: with many images each is large."""
        saved = [record["context"] for record in self.records if record["context"]]
        for name in os.listdir("."):
            if name.startswith("step-") and name.endswith(".context") and name not in saved[-1:]:
                os.remove(name)

    def _path(self, step):
        return os.path.join(self.inputs["records"], "%02d-%s.json" % (step["number"], step["id"]))

    def _read(self, step):
        path = self._path(step)
        return read(path) if os.path.exists(path) else None


# --- in a shell -------------------------------------------------------------------------------------------


class ShellCasa(object):
    """What the driver needs of CASA, found among a shell's names."""

    def __init__(self, names):
        self.log = names["casalog"].logfile()
        self.image = names.get("iatool") or names.get("image")


class ShellTasks(dict):
    """The pipeline's tasks: globals of the shell, or builtins."""

    def __missing__(self, name):
        return getattr(sys.modules.get("builtins") or sys.modules["__builtin__"], name)

    def __contains__(self, name):
        return name in self.keys() or hasattr(
            sys.modules.get("builtins") or sys.modules["__builtin__"], name
        )


def in_shell(inputs, names, progress):
    """Drive the pipeline whose tasks are among a shell's names."""
    if inputs["display"]:
        os.environ["DISPLAY"] = _shell.native(inputs["display"])
    without = None if inputs["weblog"] or inputs["display"] else "no X display"
    if inputs["weblog"] is False:
        without = "switched off"
    places = enter(inputs)
    casa, tasks = ShellCasa(names), ShellTasks(names)
    driver = Driver(inputs, places, tasks, casa, progress, without is None)
    return dict(driver.run(), without_weblog=without)
