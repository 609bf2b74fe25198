"""How a CASA process died: whose doing it was, and in one line of what."""

from __future__ import annotations

from typing import TypeAlias

from reimage.casa import process

Death: TypeAlias = process.CasaJobFailed | process.CasaSilent

_OUTSIDE = ("SIGKILL", "SIGTERM")
"""Signals that CASA does not send itself: a person, a watchdog, the kernel's memory killer."""
_FATAL = ("No space left on device", "Disk quota exceeded")
_TELLING = ("bad_alloc", "MemoryError", "what():", "Error")


def is_from_outside(death: Death) -> bool:
    """Whether somebody else ended it."""
    return death.evidence.get("signal") in _OUTSIDE


def is_fatal(death: Death) -> bool:
    """Whether what it died of would end whatever comes next, too."""
    return any(word in str(death.evidence) for word in _FATAL)


def reason(death: Death) -> str:
    """Say in one line how a job died, with the first telling line of its stderr."""
    lines = str(death.evidence.get("stderr_tail", "")).splitlines()
    telling = (line.strip() for line in lines if any(word in line for word in _TELLING))
    return f"{death.code}: {death.message}: {next(telling, 'no word on stderr')}"[:500]
