"""Going on after an attempt that came to nothing: the same host again, a mirror, later, or never.

Progress renews patience: as long as a file grows, however often it breaks off, it is gone on with.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tenacity import RetryCallState, Retrying, retry_if_exception_type

from reimage import log
from reimage.archive import backoff
from reimage.archive.attempt import LEAST_BYTES
from reimage.archive.failed import Absent, Attempted, Stopped, Wrong
from reimage.archive.hosts import origin
from reimage.archive.part import WORTH_RESUMING, Part
from reimage.archive.rate import Wait
from reimage.errors import ReimageError

_LOG = log.logger(__name__)
FIRST_WAIT_S = 1.0
IN_A_ROW = 2
"""A host is asked so often before the next one is: an error of 500 is often gone the second time."""
TRIES = 3
"""So often a host may send what is not the file."""


@dataclass(slots=True)
class _Source:
    url: str
    tries: int = TRIES
    attempts: int = 0
    not_before: float = 0.0
    """By the clock: the server asked us to stay away until then."""
    error: ReimageError | None = None


@dataclass
class Patience:
    """How one file is persisted with, over all hosts that have it; unit seconds."""

    urls: tuple[str, ...]
    patience_s: float
    wait: Wait
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random
    least: int = 1
    """So often each host is asked, however late it is, unless it asked us to stay away."""
    _sources: list[_Source] = field(init=False)
    _failures: int = field(init=False, default=0)
    _since: float | None = field(init=False, default=None)
    _best: int = field(init=False, default=0)
    _part: Part = field(init=False)

    def __post_init__(self) -> None:
        self._sources = [_Source(url) for url in self.urls]

    def persist(self, attempt: Callable[[str], None], part: Part) -> str:
        """Call ``attempt`` with one URL or the other until it comes to its end; return that URL.

        Raises
        ------
        ReimageError
            Of the last attempt, with what was tried in its evidence.
        Stopped
        """
        self._best, self._part = part.n_bytes, part
        try:  # nearly always the first attempt is the last: many small files are quicker so
            return self._once(attempt)
        except Attempted as failed:
            first: list[Attempted] = [failed]

        def once() -> str:
            if first:
                raise first.pop()
            return self._once(attempt)

        retrying = Retrying(
            retry=retry_if_exception_type(Attempted),
            stop=self._is_over,
            wait=self._wait_s,
            sleep=self._sleep,
            before_sleep=self._tell,
            reraise=True,
        )

        try:
            return retrying(once)
        except Attempted as failed:
            raise self._told(failed.error) from failed

    def excuse(self, seconds: float) -> None:
        """Leave out of account what was waited for others of ours, and not for the archive."""
        if self._since is not None:
            self._since += seconds

    def _once(self, attempt: Callable[[str], None]) -> str:
        source = self._next()
        source.attempts += 1
        try:
            attempt(source.url)
        except Attempted as failed:
            self._note(source, failed)
            raise
        return source.url

    def _note(self, source: _Source, failed: Attempted) -> None:
        now = self.clock()
        if self._part.n_bytes - self._best >= LEAST_BYTES:
            self._best, self._since, self._failures = self._part.n_bytes, None, 0
            for other in self._sources:
                other.tries = TRIES if other.tries else 0
        self._since = now if self._since is None else self._since
        self._failures += 1
        source.error, source.not_before = failed.error, now + failed.wait_s
        if isinstance(failed, Absent):
            source.tries = 0
        elif isinstance(failed, Wrong):
            source.tries -= 1

    def _next(self) -> _Source:
        """Return who is asked now.

        While another host holds the rest of what is there, it is waited for longer: a mirror can rarely
        prove to have the same file, and would begin at 0.
        """
        alive = self._alive()
        version = self._part.version
        if self._part.n_bytes >= WORTH_RESUMING and version is not None:
            holder = [source for source in alive if origin(source.url) == version.origin]
            if holder and self._waited() < self.patience_s / 2:
                return holder[0]
        now = self.clock()
        welcome = [source for source in alive if source.not_before <= now] or alive
        return welcome[self._failures // IN_A_ROW % len(welcome)]

    def _alive(self) -> list[_Source]:
        return [source for source in self._sources if source.tries]

    def _waited(self) -> float:
        return 0.0 if self._since is None else self.clock() - self._since

    def _is_over(self, _: RetryCallState) -> bool:
        alive = self._alive()
        if not alive:
            return True
        barred = min(source.not_before for source in alive) - self.clock()
        is_late = self._waited() + max(barred, 0.0) >= self.patience_s
        return is_late and all(self._is_asked(source) for source in alive)

    def _is_asked(self, source: _Source) -> bool:
        is_barred = source.attempts > 0 and source.not_before > self.clock()
        return is_barred or source.attempts >= self.least

    def _wait_s(self, _: RetryCallState) -> float:
        """Return how long nobody is asked: doubling, with jitter, at least what the server asked for."""
        following = self._next() if self._alive() else None
        if following is None or not following.attempts:
            return 0.0
        wait = backoff.wait_s(
            self._failures,
            first_s=FIRST_WAIT_S,
            asked_s=following.not_before - self.clock(),
            jitter=self.jitter,
        )
        return max(min(wait, self.patience_s - self._waited()), 0.0)

    def _tell(self, state: RetryCallState) -> None:
        """Say in the log why nothing moves: patience is long."""
        failed = state.outcome.exception() if state.outcome is not None else None
        told = f"{failed}; asking again"
        _LOG.warning(told, file=self._part.target.name, in_s=round(state.upcoming_sleep, 1))

    def _sleep(self, seconds: float) -> None:
        if self.wait(seconds):
            raise Stopped

    def _told(self, error: ReimageError) -> ReimageError:
        """Return what is raised: the first host's answer, if it answered with something of its own."""
        first = self._sources[0]
        chosen = first.error if not first.tries and first.error is not None else error
        chosen.evidence |= {
            "attempts": sum(source.attempts for source in self._sources),
            "waited_s": round(self._waited(), 1),
        }
        if len(self._sources) > 1:
            said = [f"{origin(one.url)}: {one.error}" for one in self._sources if one.error]
            chosen.evidence["hosts"] = said
        return chosen
