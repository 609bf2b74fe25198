"""Readers begin at once: what only imaging needs is not brought."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {"matplotlib", "astropy", "scipy", "pyvo", "sqlglot", "fastapi"}


VERBS = ("status", "holdings", "failures", "show", "log", "products", "triage", "matrix")


def test_readers_bring_nothing_heavy():
    program = f"""
import importlib, sys
for verb in {VERBS}:
    importlib.import_module("reimage.cli." + verb)
    print(verb, *({HEAVY} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == list(VERBS)
