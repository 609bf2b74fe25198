"""h_init and its like."""

# ruff: noqa: FBT002 -- as the pipeline has them
from __future__ import annotations

import pickle
from pathlib import Path

from pipeline import context as _context
from pipeline.infrastructure import basetask as _basetask


def h_init(loglevel="info", plotlevel="default", weblog=True):
    _context.stack.context = _context.Context()
    _basetask.DISABLE_WEBLOG = not weblog
    return _context.stack.context


def h_resume(filename=None):
    _context.stack.context = _context.load(filename)
    return _context.stack.context


def h_save(filename=None):
    with Path(filename).open("wb") as stream:
        pickle.dump(_context.stack.context, stream)
