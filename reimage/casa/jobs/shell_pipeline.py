"""Run the steps of a recipe in the pipeline of a monolithic CASA: ``casa ... --pipeline -c shell_pipeline.py``.

Input and value are those of `pipeline_run.py`.  Python 2 and 3; the pipeline's tasks are globals here, which
old ones tell of what they raise only if asked to.
"""

import os
import sys

sys.path.insert(0, os.environ["REIMAGE_JOBS"])
import _pipeline_steps
import _shell

sys.path.remove(os.environ["REIMAGE_JOBS"])
__rethrow_casa_exceptions = True
_shell.main(_pipeline_steps.in_shell, globals())
