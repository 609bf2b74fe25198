"""Ask the shell of a monolithic CASA what it is: ``casa ... -c probe_shell.py``, Python 2 or 3.

Input: ``{}``.  Value: ``{"version", "python", "pipeline"}``; the pipeline is None where it is not loaded.
"""

import os
import sys

sys.path.insert(0, os.environ["REIMAGE_JOBS"])
import _shell

sys.path.remove(os.environ["REIMAGE_JOBS"])
_shell.main(_shell.probe, globals())
