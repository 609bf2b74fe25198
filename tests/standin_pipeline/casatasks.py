"""Stand-in for what the pipeline's job needs of casatasks: the log."""

from __future__ import annotations

from pathlib import Path

LEVELS = {"WARNING": "WARN", "ERROR": "SEVERE", "CRITICAL": "SEVERE", "ATTENTION": "INFO1"}


class _Log:
    def __init__(self):
        self._path = "casa.log"

    def setlogfile(self, path):
        self._path = path

    def logfile(self):
        return self._path

    def post(self, level, origin, text):
        head = f"2026-01-01 00:00:00\t{LEVELS.get(level, level)}\t{origin}\t"
        with Path(self._path).open("a") as stream:
            stream.writelines(f"{head}{line}\n" for line in text.splitlines())


casalog = _Log()
