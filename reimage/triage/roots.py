"""What is at the root of a failure: causes before symptoms, what was said first before what followed.

A warning is a root only where nothing graver was said that no class knows: CASA and the pipeline warn
of much with which they go on, and a wrong class is worse than none.
"""

from __future__ import annotations

from collections.abc import Mapping

from reimage.triage.catalogue import ErrorClass
from reimage.triage.clues import Clue
from reimage.triage.rules import Finding
from reimage.triage.signature import is_useless

_LIGHT = ("WARN", "OUTPUT")


def cause(
    findings: tuple[Finding, ...], known: Mapping[str, ErrorClass], clues: tuple[Clue, ...]
) -> Finding | None:
    """Return the earliest cause that may be believed, of what was found among some clues."""
    causes = (one for one in findings if known[one.error_class].role == "cause")
    odd = is_odd(findings, clues)
    return next((one for one in causes if not odd or one.clue.severity != "WARN"), None)


def is_odd(findings: tuple[Finding, ...], clues: tuple[Clue, ...]) -> bool:
    """Whether something grave is among some clues that no class knows."""
    named = {id(one.clue) for one in findings}  # the very clues: comparing hundreds of them is slow
    return any(id(clue) not in named and is_grave(clue) for clue in clues)


def symptom(findings: tuple[Finding, ...], clues: tuple[Clue, ...]) -> Finding | None:
    """Return the earliest symptom, structure and grave lines first.

    A warning, or a line of output, is no root where something graver was said that no class knows.
    """
    grave = [one for one in findings if one.clue.severity not in _LIGHT]
    if grave:
        return grave[0]
    if any(is_grave(clue) for clue in clues):
        return None
    return next(iter(findings), None)


def is_grave(clue: Clue) -> bool:
    """Whether a clue is an exception or a SEVERE line with words of its own."""
    return clue.severity in ("EXCEPTION", "SEVERE") and not is_useless(clue.text)


def explained(
    root: Finding | None, findings: tuple[Finding, ...], known: Mapping[str, ErrorClass]
) -> Finding | None:
    """Return what brought the root about, as far as the classes know it and it was seen before."""
    passed: set[str] = set()
    while root is not None and root.error_class not in passed:
        passed.add(root.error_class)
        before = findings[: findings.index(root)] if root in findings else findings
        wanted = root.error_class
        root = next((one for one in before if wanted in known[one.error_class].explains), root)
    return root
