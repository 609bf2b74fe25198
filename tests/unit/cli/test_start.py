"""Readers begin at once: what only imaging needs is not brought."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"matplotlib", "astropy", "scipy", "pyvo", "sqlglot", "fastapi"}


@pytest.mark.parametrize("verb", ["status", "holdings", "failures", "show", "log", "products"])
def test_a_reader_brings_nothing_heavy(verb):
    program = f"import sys, reimage.cli.{verb}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert HEAVY & set(done.stdout.split()) == set()
