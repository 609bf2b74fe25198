"""Run a delivered script in the shell of a monolithic CASA: ``casa ... -c shell_script.py``, Python 2 or 3.

Input and value are those of `restore_script.py`: ``{"script", "options", "cwd"}``, ``{"ended": how}``.  This
file is executed among the shell's names, and hands them on: tasks and tools are globals there.
"""

import os
import sys

sys.path.insert(0, os.environ["REIMAGE_JOBS"])
import _shell

sys.path.remove(os.environ["REIMAGE_JOBS"])
_shell.main(_shell.script, globals())
