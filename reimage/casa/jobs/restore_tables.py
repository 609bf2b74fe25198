"""Restore pipeline-calibrated data without the pipeline: its flags, its tables, its calibration state.

What ``hifa_restoredata`` does, on casatasks: importasdm, flag version ``Pipeline_Final``, calibration
tables, and one applycal by a CASA callibrary made of ``calapply.txt``.  One call with one library, not a
call per line, in which a later line would undo an earlier one of the same data.  Held against the real
pipeline in tests/casa/test_restore_against_pipeline.py.

Input: ``{"ebs": [{"eb", "asdm", "flagversions", "calapply"}], "caltables": [tgz, ...], "work": directory,
"script": casa_piperestorescript.py or none}``.  Value: ``{"ms": {eb: path}, "applied": {eb: calls}}``.
"""

import _job

import os
import shutil
import tarfile

import _calapply

FLAG_VERSION = "Pipeline_Final"
ASIS = "SBSummary ExecBlock Antenna Annotation Station Receiver Source CalAtmosphere CalWVR CalPointing"
"""As hifa_restoredata has it, without Pointing, which is large and which nothing here reads."""
NOT_SCIENCE = (1, 4)
"""Channels of spws that are never calibrated: channel averages and square-law detectors, radiometers."""


def run(inputs, progress):
    work = inputs["work"]
    os.chdir(work)
    options = options_of(inputs.get("script"))
    for name in inputs["caltables"]:
        unpack(name)
    made, applied = {}, {}
    for eb in inputs["ebs"]:
        made[eb["eb"]] = restore(eb, options, progress)
        applied[eb["eb"]] = apply_calibration(eb, progress)
    return {"ms": {eb: os.path.join(work, vis) for eb, vis in made.items()}, "applied": applied}


def options_of(script):
    """What the delivered script says of importasdm, above what the task says."""
    options = {"asis": ASIS, "bdfflags": True, "ocorr_mode": "ca"}
    if script:
        with open(script, encoding="utf-8", errors="replace") as stream:
            options.update(_calapply.restore_options(stream.read()))
    return options


def restore(eb, options, progress):
    from casatasks import flagmanager, importasdm

    vis = eb["eb"] + ".ms"
    for left in (vis, vis + ".flagversions"):
        shutil.rmtree(left, ignore_errors=True)
    importasdm(asdm=eb["asdm"], vis=vis, process_flags=True, lazy=False, **options)
    progress("eb.imported", eb=eb["eb"])
    shutil.rmtree(
        vis + ".flagversions", ignore_errors=True
    )  # importasdm's own: not what is restored
    unpack(eb["flagversions"])
    flagmanager(vis=vis, mode="restore", versionname=FLAG_VERSION)
    return vis


def apply_calibration(eb, progress):
    from casatasks import applycal

    vis = eb["eb"] + ".ms"
    with open(eb["calapply"]) as stream:
        calls = _calapply.parse_calls(stream.read())
    tables = sorted({table for call in calls for table in call["gaintable"]})
    for table in tables:
        if not os.path.isdir(table):  # applycal says it too, but later and less clearly
            raise RuntimeError("calibration table %s is not among the delivered ones" % table)
    modes = obs_modes(vis)
    applycal(
        vis=vis,
        spw=science_spws(vis),
        intent=",".join(_calapply.intents_of_ms("", modes)),
        antenna="*&*",
        docallib=True,
        callib=library(vis, calls, modes),
        applymode="calflagstrict",
        parang=any(".hifa_polcal." in table for table in tables),
        flagbackup=False,
    )
    progress("eb.calibrated", eb=eb["eb"], calls=len(calls))
    return len(calls)


def library(vis, calls, modes):
    """Write the calls as a CASA callibrary; return its name."""
    from casatasks.private.callibrary import applycaltocallib

    name = vis + ".callibrary"
    if os.path.exists(name):
        os.remove(name)
    for call in calls:
        intents = _calapply.intents_of_ms(call.get("intent", ""), modes)
        if (
            intents
        ):  # without: for calibrators of the atmosphere and the like, which are not calibrated
            asked = {key: call[key] for key in _calapply.LIBRARY if key in call}
            applycaltocallib(name, append=True, intent=",".join(intents), **asked)
    if not os.path.exists(name):
        raise RuntimeError("no applycal call is for an intent that %s has" % vis)
    return name


def obs_modes(vis):
    from casatools import table

    tb = table()
    tb.open(os.path.join(vis, "STATE"))
    modes = [str(mode) for mode in tb.getcol("OBS_MODE")]
    tb.close()
    return modes


def science_spws(vis):
    """The spws that have spectra and were observed for something that is calibrated."""
    from casatools import msmetadata

    md = msmetadata()
    md.open(vis)
    wanted = [mode for mode in md.intents() if _calapply.pipeline_intent(mode) in _calapply.APPLIED]
    spws = {int(spw) for mode in wanted for spw in md.spwsforintent(mode)}
    found = [spw for spw in sorted(spws) if md.nchan(spw) not in NOT_SCIENCE]
    md.done()
    return ",".join(str(spw) for spw in found)


def unpack(name):
    with tarfile.open(name) as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extractall(".", filter="data")
            return
        for member in archive:  # Python before 3.8.17: the same by hand
            parts = member.name.split("/")
            if (
                member.name.startswith("/")
                or ".." in parts
                or not (member.isfile() or member.isdir())
            ):
                raise ValueError("%s has a member that is no plain file: %s" % (name, member.name))
            archive.extract(member)


if __name__ == "__main__":
    _job.main(run)
