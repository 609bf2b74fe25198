"""Judges of stored failures: one in this process, or several beside it when there is much to judge."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from types import TracebackType
from typing import Self

from reimage.run import Judgement
from reimage.triage import rejudging
from reimage.triage.catalogue import ErrorClass
from reimage.triage.rejudging import Stored, Unjudged

WORTH_A_PROCESS = 2000
"""Failures; fewer are judged before another process has started."""

_classes: tuple[ErrorClass, ...] = ()
"""Of a process of the pool."""


class Judges:
    """Judges by some classes; a context manager, since processes have to be ended.

    Parameters
    ----------
    processes
        At most; 1 judges here.
    n_failures
        How many will come.
    """

    def __init__(
        self, classes: Sequence[ErrorClass], *, processes: int = 1, n_failures: int = 0
    ) -> None:
        self._classes = tuple(classes)
        self._n = min(processes, n_failures // WORTH_A_PROCESS)
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        if self._n > 1:
            self._pool = ProcessPoolExecutor(
                self._n,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_settle,
                initargs=(self._classes,),
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def judge(self, stored: Sequence[Stored]) -> list[Judgement | Unjudged]:
        """Judge some failures, in their order."""
        if self._pool is None:
            return rejudging.of_files(stored, self._classes)
        size = -(-len(stored) // self._n)
        shares = [stored[at : at + size] for at in range(0, len(stored), size)]
        return [one for share in self._pool.map(_judge, shares) for one in share]


def _settle(classes: tuple[ErrorClass, ...]) -> None:
    global _classes  # noqa: PLW0603 -- what a process of the pool knows from its start
    _classes = classes


def _judge(stored: Sequence[Stored]) -> list[Judgement | Unjudged]:
    return rejudging.of_files(stored, _classes)
