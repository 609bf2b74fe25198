"""What a failure is called at the desk: its number, its run, its dataset."""

from __future__ import annotations

from sqlalchemy.orm import Session

from reimage import queueing
from reimage.store import judged
from reimage.store.judged import JudgedFailure

FRESH = ("#", *"0123456789")
"""Beginnings of what is a failure's number or a run."""


def failure(session: Session, holding: str, name: str) -> JudgedFailure:
    """Return a failure by its number (``#12``), or the last one of a run or of a dataset's newest run.

    Raises
    ------
    FailureUnknown, RunUnknown
    """
    if name.startswith(FRESH):
        return judged.find(session, name)
    return judged.find(session, queueing.find_target(session, holding, name).run)
