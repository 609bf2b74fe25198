"""Find the continuum, subtract it, and make every image of a plan.

Input: ``facts`` (the value of `image_prepare`), ``images`` (id, record, target, spws, specmode, nterms,
basename, files), ``records``, ``products``, ``scratch`` (directories), ``settings`` (by specmode),
``findcont`` (robust; None: continuum is not looked for), ``uvcontsub`` (fitorder; None: cubes keep their
continuum), ``contfile`` (a cont.dat to use instead of finding one, or empty), ``keywords`` (FITS).

Everything is resumable: continuum ranges and images have a record each, written last; a continuum-subtracted
MS has its name only when whole; ``underway.json`` says what a process that died was doing.
Result: ``made``, ``absent``, ``caveats``.
"""

import _job

import glob
import os

import casatasks

import _clean
import _continuum
import _geometry
import _proof
import _records


def run(inputs, progress):
    """See the module."""
    facts = inputs["facts"]
    for eb in facts["ebs"]:
        eb["spws"] = {int(spw): real for spw, real in eb["spws"].items()}
        eb["line_ms"] = eb["ms"]
        if inputs["uvcontsub"] is not None:
            eb["line_ms"] = eb["ms"].rsplit(".ms", 1)[0] + "_line.ms"
    entries, caveats = _continuum.seek(inputs, facts, progress)
    ranges = {(e["field"], e["spw"]): e["ranges_hz"] for e in entries if e["ranges_hz"]}
    pure = {(e["field"], e["spw"]) for e in entries if "ALLCONT" in e["flags"]}
    maker = _clean.Imager(facts, ranges, pure, inputs["settings"])
    if inputs["uvcontsub"] and any(one["specmode"] in _clean.CUBES for one in inputs["images"]):
        _continuum.subtract(inputs, facts, maker, entries, progress)
    told = {"made": [], "absent": []}
    for number, one in enumerate(inputs["images"], 1):
        record = proven(inputs, one)
        if record is None:
            progress("image.started", image=one["id"], k=number, n=len(inputs["images"]))
            record = attempt(inputs, maker, one)
            event = dict(image=one["id"], k=number, n=len(inputs["images"]))
            if record["state"] == "made":
                progress("image.made", caveats=record["caveats"], **event)
            else:
                progress("image.absent", reason=record["reason"], **event)
        told[record["state"]].append(one["id"])
    _records.underway(inputs["records"], None)
    return dict(told, caveats=caveats)


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
    _records.underway(inputs["records"], one["id"])
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
    target = maker.target(one["target"])
    if target["ephemeris"]:
        raise _geometry.NoData("the target follows an ephemeris: moving targets are not imaged")
    lost = [spw for spw in one["spws"] if spw in target["flagged"]]
    if lost:
        raise _geometry.NoData("all data of spw %s are flagged" % ",".join(map(str, lost)))
    done = maker.make(one["target"], one["spws"], one["specmode"], one["nterms"], where)
    suffix = ".tt0" if one["nterms"] > 1 else ""
    _proof.check_made(where, suffix)
    bad = watch.bad_lines()
    if bad:
        raise _proof.NotAnImage("CASA logged " + bad[0].replace("\t", " "))
    keywords = dict(inputs["keywords"], **describe(maker, one, done))
    files = {}
    for kind, name in one["files"].items():
        size = _proof.export(
            where + SOURCES[kind], os.path.join(inputs["products"], name), dict(keywords, TYPE=kind)
        )
        files[kind] = {"name": name, "bytes": size}
    if done["auto_mask"] and os.path.isdir(where + ".mask"):
        name = one["basename"] + ".mask.fits"
        files["mask"] = {
            "name": name,
            "bytes": _proof.export(
                where + ".mask", os.path.join(inputs["products"], name), dict(keywords, TYPE="mask")
            ),
        }
    for spw in one["spws"]:
        if one["specmode"] not in _clean.CUBES and (one["target"], spw) not in maker.continuum:
            done["caveats"].append("all-channels-imaged")
    return dict(done, files=files)


def describe(maker, one, done):
    """FITS keywords of an image, named as the pipeline names them."""
    names = [spw["name"] for spw in maker.facts["spws"] if spw["id"] in one["spws"]]
    words = {
        "FIELD": one["target"],
        "SPECMODE": one["specmode"],
        "SPW": ",".join(map(str, one["spws"])),
        "VIRTSPW": ",".join(map(str, one["spws"])),
        "DATATYPE": "REGCAL_%s_SCIENCE"
        % ("LINE" if one["specmode"] in _clean.CUBES else "CONTLINE"),
        "INTENT": "TARGET",
        "LEVEL": "member",
        "STOKES": "I",
        "CASAVER": casatasks.version_string(),
        "ROBUST": float(done["parameters"]["robust"]),
        "WEIGHT": done["parameters"]["weighting"],
        "OBSPATT": "mos" if maker.target(one["target"])["pointings"] > 1 else "sf",
        "ARRAYS": maker.facts["array"],
        "SENSITIV": float(done["sensitivity"]),
        "NSPWNAM": len(names),
        "NITERDON": int(done["iterations"]),
    }
    if done["threshold"]:
        words["THRESHLD"] = float(done["threshold"])
    words.update(("SPWNAM%02d" % n, name[:68]) for n, name in enumerate(names[:99], 1))
    return words


if __name__ == "__main__":
    _job.main(run)
