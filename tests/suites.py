"""Test modules as modules: pytest imports them under names of its own (importlib mode)."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path


@cache
def load(name, mark=""):
    """Return a module of tests/integration; ``mark`` makes it one of its own."""
    path = Path(__file__).with_name("integration") / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"{name}{mark}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
