"""``python -m reimage``."""

from __future__ import annotations

import sys

from reimage.cli import main

sys.exit(main())
