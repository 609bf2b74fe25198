"""Make the imaging MSs of a dataset, find the continuum, subtract it, make every image of a plan.

Several processes run this job at once and share its work: see `_work` and `_graph`.

Input: ``worker`` (own number), ``claims`` (directory), ``prepared`` (file: facts of `image_prepare`, and the
``digest`` of what they are made of), ``prepare`` (input of `image_prepare`), ``plan`` (file that our side writes
when the facts are there: ``images`` with id, record, target, spws, specmode, nterms, basename, files, cost;
``workers``, how many are to go on), ``records``, ``products``, ``scratch``, ``ms_directory`` (directories),
``settings`` (by specmode), ``findcont`` (robust; None: continuum is not looked for), ``uvcontsub`` (fitorder;
None: cubes keep their continuum), ``contfile`` (a cont.dat to use instead of finding one, or empty),
``keywords`` (FITS).

Everything is resumable: ranges, MSs and images have a record each, written last.
"""

import _job

import glob
import os

import _clean
import _facts
import _geometry
import _graph
import _keywords
import _proof
import _records
import _work
import image_prepare


def run(inputs, progress):
    """See the module."""
    share = _work.Share(inputs["claims"], inputs["worker"])
    share.work(preparations(inputs, progress))
    while not os.path.exists(inputs["plan"]):
        share.wait()
    plan = _records.read_json(inputs["plan"])
    if inputs["worker"] < plan["workers"]:
        facts = facts_of(inputs)
        work = _graph.Work(inputs, facts, plan["images"], attempt, proven, progress)
        share.work(work.tasks())
    return {}


def preparations(inputs, progress):
    """Tasks: the MS of each EB, where there are several, then what all images share."""
    asked = inputs["prepare"]
    tasks = []
    for one in asked["ms"] if len(asked["ms"]) > 1 else ():
        path = os.path.join(asked["ms_directory"], one["eb"] + "_targets.ms")

        def split(one=one):
            image_prepare.make_targets(one, asked)

        tasks.append(
            _work.Task("split-" + one["eb"], split, lambda path=path: os.path.exists(path))
        )

    def prepare():
        facts = image_prepare.run(asked, progress)
        _records.write_json(inputs["prepared"], {"digest": inputs["digest"], "facts": facts})

    def is_prepared():
        if not os.path.exists(inputs["prepared"]):
            return False
        return _records.read_json(inputs["prepared"])["digest"] == inputs["digest"]

    return tasks + [_work.Task("prepare", prepare, is_prepared, [task.name for task in tasks])]


def facts_of(inputs):
    """What the images share; MSs where they are now, spw numbers as integers."""
    facts = _records.read_json(inputs["prepared"])["facts"]
    for eb in facts["ebs"]:
        eb["spws"] = {int(spw): real for spw, real in eb["spws"].items()}
        eb["ms"] = os.path.join(inputs["ms_directory"], os.path.basename(eb["ms"]))
        eb["line_ms"] = eb["ms"]
    return facts


# --- records ------------------------------------------------------------------------------------------


def proven(inputs, one):
    """The record of an image that needs no more work: made and still there, or given up."""
    path = os.path.join(inputs["records"], one["record"])
    if not os.path.exists(path):
        return None
    record = _records.read_json(path)
    for made in record["files"].values():
        file = os.path.join(inputs["products"], made["name"])
        if not os.path.exists(file) or os.path.getsize(file) != made["bytes"]:
            return None
    return record


def attempt(inputs, maker, one):
    """Make one image and write its record; what it raises is its reason to be absent."""
    where = os.path.join(inputs["scratch"], os.path.splitext(one["record"])[0])
    record = {
        "image": one["id"],
        "state": "absent",
        "reason": None,
        "files": {},
        "caveats": [],
        "numbers": {},
    }
    watch = _proof.LogWatch()
    try:
        made = make(inputs, maker, one, where, watch)
        record.update(
            state="made", files=made.pop("files"), caveats=made.pop("caveats"), numbers=made
        )
    except Exception as error:  # every reason is one: CASA raises RuntimeError for all of them
        record["reason"] = reason_of(error, watch.bad_lines())
        for path in glob.glob(
            glob.escape(os.path.join(inputs["products"], one["basename"])) + ".*"
        ):
            os.remove(path)
    _geometry.remove(where)
    _records.write_json(os.path.join(inputs["records"], one["record"]), record)
    return record


def reason_of(error, bad_lines):
    """One line: what was raised, and the first grave line of CASA's log, which often says why."""
    text = "%s: %s" % (type(error).__name__, " ".join(str(error).split())[:400])
    said = bad_lines[0].split("\t")[-1][:200] if bad_lines else ""
    return text if not said or said in text else "%s (CASA said: %s)" % (text, said)


SOURCES = {
    "pbcor": ".image.pbcor",
    "pb": ".pb",
    "tt0.pbcor": ".image.tt0.pbcor",
    "tt1.pbcor": ".image.tt1.pbcor",
    "alpha": ".alpha",
    "alpha.error": ".alpha.error",
    "pb.tt0": ".pb.tt0",
}
"""tclean's image of each kind of product."""


def make(inputs, maker, one, where, watch):
    """Image, check, export.  ``watch``: CASA's log from the start of this image on."""
    refusal = _facts.refusal(maker.facts, one)
    if refusal:
        raise _geometry.NoData(refusal)
    done = maker.make(one["target"], one["spws"], one["specmode"], one["nterms"], where)
    suffix = ".tt0" if one["nterms"] > 1 else ""
    _proof.check_made(where, suffix)
    bad = watch.bad_lines()
    if bad:
        raise _proof.NotAnImage("CASA logged " + bad[0].replace("\t", " "))
    words, measured = _keywords.of_image(maker, one, done, where, suffix)
    keywords = dict(inputs["keywords"], **words)
    files, shape = {}, shape_of(done["parameters"])
    for kind, name in one["files"].items():
        own = dict(keywords, TYPE=_keywords.TYPES[kind])
        if kind in _keywords.MEASURED:
            own.update(measured)
        size = _proof.export(
            where + SOURCES[kind], os.path.join(inputs["products"], name), own, shape
        )
        files[kind] = {"name": name, "bytes": size}
    if done["auto_mask"] and os.path.isdir(where + ".mask"):
        name = one["basename"] + ".mask.fits"
        files["mask"] = {
            "name": name,
            "bytes": _proof.export(
                where + ".mask",
                os.path.join(inputs["products"], name),
                dict(keywords, TYPE=_keywords.TYPES["mask"]),
                shape,
            ),
        }
    for spw in one["spws"]:
        if one["specmode"] not in _clean.CUBES and (one["target"], spw) not in maker.continuum:
            done["caveats"].append("all-channels-imaged")
    return dict(done, files=files)


def shape_of(parameters):
    """Channels, rows and columns that tclean was asked for."""
    size = parameters["imsize"]
    columns, rows = size if isinstance(size, list) else (size, size)
    return max(1, parameters["nchan"]), rows, columns


if __name__ == "__main__":
    _job.main(run)
