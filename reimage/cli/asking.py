"""Asking before many things are changed."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from reimage.cli import render
from reimage.errors import UsageError

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")]


class NotAsked(UsageError):
    """Something has to be agreed to, and nobody is there to be asked."""

    code = "nobody-to-ask"
    hint = "Look with --dry-run, then say --yes."


def agreed(question: str, *, yes: bool) -> bool:
    """Return whether the person at the terminal wants it; ``yes`` says so beforehand.

    Raises
    ------
    NotAsked
        There is no terminal.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise NotAsked(f"{question} Nobody is at the terminal to answer")
    answer = typer.confirm(question, err=True)
    if not answer:
        render.say("nothing was changed")
    return answer
