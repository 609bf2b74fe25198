"""Stand-in for the image tool: an image is a directory, its miscinfo a file in it."""

from __future__ import annotations

import json
from pathlib import Path


class image:  # noqa: N801 -- as CASA has it
    def open(self, path):
        self._file = Path(path) / "miscinfo.json"
        if not self._file.exists():
            raise RuntimeError(f"{path} is no image")

    def miscinfo(self):
        return json.loads(self._file.read_text())

    def setmiscinfo(self, known):
        self._file.write_text(json.dumps(known))

    def done(self):
        pass
