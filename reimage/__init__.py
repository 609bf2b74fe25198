"""Mass re-imaging of archived radio-interferometer datasets."""

from __future__ import annotations

__version__ = "0.1.0"

SCHEMA_VERSION = 1
"""Version of the shapes in run.json, journals, TOML declarations and ``--json`` output."""
