"""The first process of a cage: starts the command, reaps what dies there, and ends as the command did.

A program by itself, run as ``python -I first.py COMMAND...`` in a PID namespace.  When it ends, the
kernel ends every process that is left in the namespace, however far it has forked away; and nobody
in there can signal a process outside.  (``bwrap`` has such a process, too, but with it the memory
that the command used is lost: it does not wait for it.)
"""

from __future__ import annotations

import os
import sys

NOT_STARTED = 127


def main(command: list[str]) -> int:
    """Run a command and return its exit code, 128 + N where signal N ended it."""
    child = os.fork()
    if child == 0:
        try:
            os.execvp(command[0], command)  # noqa: S606 -- no shell
        except OSError:
            os._exit(NOT_STARTED)
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))
