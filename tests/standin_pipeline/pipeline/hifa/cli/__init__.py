"""ALMA's tasks."""

# ruff: noqa: FBT002 -- as the pipeline has them
from __future__ import annotations

import json
import shutil
from pathlib import Path

from pipeline.context import read_plan as _read_plan
from pipeline.context import say as _say
from pipeline.context import task as _task
from pipeline.hif import imaging as _imaging
from pipeline.infrastructure import basetask as _basetask


@_task
def hifa_importdata(context, vis=None, dbservice=True, datacolumns=None):
    for one in vis:
        if not Path(one).exists():
            raise OSError(f"Input data set '{one}' not found")
        context.plan = _read_plan(one)
        shutil.copytree(one, Path(one).name, dirs_exist_ok=True)
    Path("imported.json").write_text(json.dumps(datacolumns))
    result = _basetask.Results()
    result.qa.pool.append(
        _basetask.Score(-0.1, "Unable to calculate QA scores", "Unable to calculate QA scores.")
    )
    _say("CRITICAL", "Leap second table TAI_UTC seems out-of-date.")
    return [result]


@_task
def hifa_flagtargets(context):
    return [_basetask.Results()]


@_task
def hifa_restoredata(context, vis=None):
    return [_basetask.Results()]


@_task
def hifa_exportdata(context, imaging_products_only=False):
    products = Path("../products")
    for name, image in context.made.items():
        _imaging.write_fits(
            products / name, json.loads((Path(image) / "miscinfo.json").read_text())
        )
    if not context.made:
        _say("WARNING", "No images were exported")
    recipe = context.state["recipe_name"]
    for name in ("weblog.tgz", "pipeline_manifest.xml", "casa_commands.log", "casa_pipescript.py"):
        (products / f"{context.ous}.{recipe}.{name}").write_text("stand-in")
    if context.plan.get("calibrated") and not imaging_products_only:
        ms = "uid___A002_X1_X2.ms"
        names = (f"{ms}.calapply.txt", f"{ms}.flagversions.tgz")
        for name in (*names, f"{context.ous}.{recipe}.casa_piperestorescript.py"):
            (products / name).write_text("stand-in")
        Path("flux.csv").write_text("ms,field,spw,I\na,0,0,1.0\n")
    return _basetask.Results()
