"""CASA job: one dataset of the demonstration archive, from a plan to what the observatory would deliver.

Input   mous (file spelling), session, calibration ("pipeline", "manual" or "none"), forget_directions,
        product (None, or {"stem", "pixels", "cell_arcsec", "gridder"}), and ebs: [{"eb", "plan", "script"}]
        (plan: `_demo_observe.raw_ms`; script: the scriptForCalibration's text, manual only).
Output  in the job's directory: out/raw/<eb>.asdm.sdm, out/calibration/*, out/product/*.fits, and
        out/calibrated/<eb>.ms.split.cal where the MSs themselves are delivered ("delivered": true).
Value   what was simulated, for the truth file.
"""

import _job

import os
import shutil

import _demo_asdm
import _demo_calibrate
import _demo_observe


def run(inputs, progress):
    shutil.rmtree("out", ignore_errors=True)
    for name in ("raw", "calibration", "product", "calibrated"):
        os.makedirs("out/" + name)
    truth = []
    for k, block in enumerate(inputs["ebs"]):
        eb, plan = block["eb"], block["plan"]
        _clean(eb)
        truth.append(_demo_observe.raw_ms(eb, plan, "raw.ms"))
        progress("demo.observed", eb=eb)
        _demo_asdm.make("raw.ms", eb)
        if inputs["calibration"] != "none":
            _calibrate(inputs, block, first=k == 0)
            progress("demo.calibrated", eb=eb)
        shutil.move(eb, "out/raw/%s.asdm.sdm" % eb)
    return {"ebs": truth}


def _calibrate(inputs, block, first):
    eb, plan = block["eb"], block["plan"]
    names = {field["role"]: field["name"] for field in plan["fields"]}
    if inputs["calibration"] == "pipeline":
        source = [field for field in plan["fields"] if field["role"] == "bandpass"][0][
            "components"
        ][0]
        vis, column = _demo_calibrate.by_pipeline(
            eb, source, names, inputs["session"], inputs["mous"], "out/calibration"
        )
    else:
        vis, column = _demo_calibrate.by_script(eb, block["script"], "out/calibration")
    product = inputs.get("product")
    if first and product:
        _demo_calibrate.quick_image(
            vis,
            column,
            names["target"],
            product["pixels"],
            product["cell_arcsec"],
            product["gridder"],
            "out/product/" + product["stem"],
        )
    if inputs.get("forget_directions"):
        _demo_calibrate.forget_directions(vis, names["target"])
    if inputs.get("delivered"):
        shutil.move(vis, "out/calibrated/%s.ms.split.cal" % eb)


def _clean(eb):
    """What an earlier start of this job left would stop the tasks."""
    for name in os.listdir("."):
        if name.startswith((eb, "raw.ms", "quick.", "out/")) and not name.endswith(
            (".json", ".jsonl", ".log")
        ):
            shutil.rmtree(name) if os.path.isdir(name) and not os.path.islink(name) else os.remove(
                name
            )


if __name__ == "__main__":
    _job.main(run)
