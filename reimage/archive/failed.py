"""Why one attempt at a file came to nothing, and whether another may do better."""

from __future__ import annotations

from reimage.errors import ReimageError


class Attempted(Exception):
    """An attempt came to nothing; how to go on is not the attempt's to say."""

    def __init__(self, error: ReimageError, *, wait_s: float = 0.0) -> None:
        super().__init__(error.message)
        self.error = error
        """What is raised when no other attempt follows."""
        self.wait_s = wait_s
        """The server asked us to stay away for so long (Retry-After)."""


class Away(Attempted):
    """The host does not answer, or not now: it is waited for."""


class Wrong(Attempted):
    """The host answers, and not with the file: asked a few times more, then no longer."""


class Absent(Attempted):
    """The host has no such file: it is not asked again."""


class Stopped(Exception):
    """Nobody wants the file any more."""
