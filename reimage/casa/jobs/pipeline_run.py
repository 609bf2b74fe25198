"""Run the steps of a recipe in the ALMA pipeline, one by one, headless; say what came of each.

Input: ``ms`` (eb, path, column), ``steps`` (id, task, arguments), ``dataset``, ``recipe`` (what product
names begin with), ``root`` (its ``rawdata``, ``working``, ``products`` are the pipeline's), ``records``
(directory), ``weblog`` (None: when plots can be made), ``display`` (of X, or none), ``keywords`` (FITS),
``proposal``, ``data_types`` (whether import is told what columns hold).  Value: ``without_weblog`` (why),
and see `_pipeline_steps.Driver.value`; each step has a record besides, see `_pipeline_results`.

Nothing that the pipeline returns is proof.  A step that raises is recorded; what it leaves undone follows
from the records, and so does where a killed run goes on.
"""

import _job

import _display
import _pipeline
import _pipeline_steps


class PipelineUnusable(RuntimeError):
    """The package `pipeline` does not work in this build."""


class Casa(object):
    """What the driver needs of CASA."""

    def __init__(self):
        from casatasks import casalog
        from casatools import image

        self.log, self.image = casalog.logfile(), image


def run(inputs, progress):
    """See the module."""
    places = _pipeline_steps.enter(inputs)  # before the pipeline is imported
    without = _display.why_not(inputs["weblog"], inputs["display"])
    try:
        tasks = _pipeline.tasks()
    except Exception as error:  # an import of much foreign code fails in any way
        said = "%s: %s" % (type(error).__name__, error)
        raise PipelineUnusable("the pipeline cannot be imported: " + said) from error
    driver = _pipeline_steps.Driver(inputs, places, tasks, Casa(), progress, without is None)
    return dict(driver.run(), without_weblog=without)


if __name__ == "__main__":
    _job.main(run)
