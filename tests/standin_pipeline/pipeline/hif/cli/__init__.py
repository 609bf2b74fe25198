"""Imaging tasks."""

from __future__ import annotations

import shutil
from pathlib import Path

from pipeline.context import ill as _ill
from pipeline.context import say as _say
from pipeline.context import task as _task
from pipeline.hif import imaging as _imaging
from pipeline.infrastructure.basetask import Results as _Results
from pipeline.infrastructure.basetask import Score as _Score


@_task
def hif_mstransform(context):
    target = Path("uid___A002_X1_X2_targets.ms")
    if target.exists():
        _say("WARNING", f"Output MS {target} already exists - will not overwrite it.")
    else:
        shutil.copytree("uid___A002_X1_X2.ms", target)
    return [_Results()]


@_task
def hif_checkproductsize(context, maxcubesize=-1, maxcubelimit=-1, maxproductsize=-1):
    if _ill("unmitigable"):
        _say("ERROR", "Maximum cube size cannot be mitigated. Remaining factor: 8.3886.")
        context.size_mitigation_parameters = {"status": "ERROR"}
    else:
        context.size_mitigation_parameters = {"nbins": "0:2"}
    return _Results(size_mitigation_parameters=context.size_mitigation_parameters)


@_task
def hif_findcont(context):
    if context.plan.get("cont", True):
        Path("cont.dat").write_text("Field: N\n")
    return _Results()


@_task
def hif_uvcontsub(context, fitorder=1):
    return [_Results()]


@_task
def hif_makeimlist(context, specmode="cube", datatype="best", field="", spw=""):
    lost = {(name, one) for name, one in context.plan.get("flagged", [])}
    for name, one in sorted(lost):
        _say(
            "WARNING",
            f"Data for EB uid___A002_X1_X2.ms, field {name}, spw {one} is completely flagged.",
        )
    if context.size_mitigation_parameters.get("status") == "ERROR" or datatype == "selfcal":
        _say("WARNING", "Size mitigation had failed. No imaging targets were created.")
        context.clean_list_pending = []
    else:
        context.clean_list_pending = list(_imaging.targets(context, specmode, lost, spw))
    return _Results(targets=context.clean_list_pending)


@_task
def hif_makeimages(context, hm_cyclefactor=-999.0):
    result = _Results(targets=[], results=[])
    for target in context.clean_list_pending:
        done = _imaging.make(context, target)
        result.targets.append({**target, "outcome": "success"})
        result.results.append(done)
        low = done.image is None
        said = f"RMS vs. DR corrected sensitivity. Field: {target['field']} Intent: TARGET SPW: {target['spw']}"
        result.qa.pool.append(_Score(0.34 if low else 0.99, "RMS vs. sensitivity", said))
    return result
