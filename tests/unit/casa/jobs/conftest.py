"""Jobs import each other as the build's Python finds them: beside the program that was started."""

from __future__ import annotations

import sys
from pathlib import Path

import reimage.casa

sys.path.append(str(Path(reimage.casa.__file__).parent / "jobs"))
