"""The place of a CASA job."""

from __future__ import annotations

from pathlib import Path

from reimage.casa import place
from reimage.model import CasaBuild


def test_memory_of_images_is_kept_by_the_process():
    build = CasaBuild(id="x", version="6.7.0", kind="modular", casadata="/data")
    told = place.environment(build, Path("/run/job"))
    # one of the two alone makes glibc's own rule for the other one fixed, and small
    assert {key: int(told[key]) for key in place.MALLOC} == {
        "MALLOC_MMAP_THRESHOLD_": 256 << 20,
        "MALLOC_TRIM_THRESHOLD_": 1 << 30,
    }
    assert told["OMP_NUM_THREADS"] == "1"
