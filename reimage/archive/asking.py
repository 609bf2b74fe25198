"""Asking an archive's small services (DataLink): with patience, and of its mirrors where it is away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from urllib.parse import urlsplit

from requests.exceptions import RequestException
from tenacity import RetryCallState, Retrying, retry_if_exception_type
from urllib3.exceptions import HTTPError

from reimage.archive import backoff, verify
from reimage.archive.deadline import DeadlineError, within
from reimage.archive.failed import Absent, Attempted, Away, Wrong
from reimage.archive.faults import ArchiveAnswerMalformed, ArchiveUnavailable
from reimage.archive.hosts import Hosts, origin
from reimage.archive.requesting import Requester
from reimage.credentials import Secrets
from reimage.errors import ReimageError
from reimage.run import Transfer

MOST_BYTES = 64 << 20
"""Of an answer; a dataset of thousands of files is told in a tenth of it."""
MOST_WRONG = 3
"""So often is a host asked that answers, and not with what was asked for."""
FIRST_WAIT_S = 0.5
CHUNK = 1 << 16
LONGEST_ANSWER_S = 120.0
"""One host may take so long for an answer; then the next is asked."""
SHORTEST_ANSWER_S = 1.0
"""What a host is given even where our patience is at its end."""


class Asker:
    """Asks one archive for answers that fit into memory; remembers nothing."""

    def __init__(
        self,
        home: str,
        transfer: Transfer,
        secrets: Secrets,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hosts = Hosts(home, transfer.mirrors, secrets)
        self._transfer, self._sleep, self._clock = transfer, sleep, clock

    def ask(self, url: str) -> bytes:
        """Return the answer at an address.

        It ends when our patience does, or at once where there is none, whatever a server does: one that
        sends a byte now and then is never late for a socket.

        Raises
        ------
        ArchiveUnavailable, ArchiveAnswerMalformed, ArchiveRedirects, ArchiveNotPublic
        """
        begun, wrong = self._clock(), 0
        sources = self._hosts.sources(url)

        def is_enough(state: RetryCallState) -> bool:
            nonlocal wrong
            error = state.outcome.exception() if state.outcome else None
            wrong += isinstance(error, Wrong)
            return wrong >= MOST_WRONG or left_s() <= _asked_s(state)

        def left_s() -> float:
            return begun + self._transfer.patience_s - self._clock()

        asking = Retrying(
            retry=retry_if_exception_type((Away, Wrong)),
            stop=is_enough,
            wait=lambda state: min(_wait_s(state), max(left_s(), 0.0)),
            sleep=self._sleep,
            retry_error_callback=_last,
        )
        until = begun + max(self._transfer.patience_s, self._transfer.stall_s)
        try:
            answer: bytes = asking(self._round, sources, until)
        except Absent as failed:
            raise ArchiveAnswerMalformed(
                f"{origin(url)} has no such service: {urlsplit(url).path}",
                evidence=failed.error.evidence,
            ) from failed
        return answer

    def _round(self, sources: tuple[str, ...], until: float) -> bytes:
        """Ask the host itself, then each mirror; raise what the host itself said."""
        first: Attempted | None = None
        for number, source in enumerate(sources):
            share_s = (until - self._clock()) / (len(sources) - number)
            limit_s = max(min(share_s, LONGEST_ANSWER_S), SHORTEST_ANSWER_S)
            try:
                return self._timely(source, limit_s)
            except Attempted as failed:
                first = first or failed
        assert first is not None  # noqa: S101 -- there is at least the host itself
        raise first

    def _timely(self, url: str, limit_s: float) -> bytes:
        is_late = threading.Event()
        requester = Requester(self._hosts, min(self._transfer.stall_s, limit_s))
        try:
            return within(limit_s, lambda: _whole(requester, url, is_late))
        except DeadlineError as error:
            is_late.set()
            raise Away(_broken(url, f"did not end its answer within {limit_s:.3g} s")) from error


def _whole(requester: Requester, url: str, is_late: threading.Event) -> bytes:
    """Return an answer; in a thread of its own, which ends soon after it is late."""
    with closing(requester), closing(requester.get(url, {})) as response:
        content = bytearray()
        try:
            while chunk := response.read1(CHUNK, decode_content=True):
                content += chunk
                if is_late.is_set():
                    break
                if len(content) > MOST_BYTES:
                    raise ArchiveAnswerMalformed(
                        f"{origin(url)} answers without an end", evidence={"url": url}
                    )
        except (RequestException, HTTPError, OSError) as error:
            raise Away(_broken(url, f"broke off its answer: {error}")) from error
        kind = response.headers.get("Content-Type", "")
    try:
        verify.require_opening("answer", kind, bytes(content[: verify.HEAD]))
    except ReimageError as error:
        raise Wrong(error) from error
    return bytes(content)


def _broken(url: str, told: str) -> ArchiveUnavailable:
    return ArchiveUnavailable(f"{origin(url)} {told}", evidence={"url": url})


def _wait_s(state: RetryCallState) -> float:
    """Return how long to stay away: longer each time, or as long as the server asks."""
    return backoff.wait_s(state.attempt_number, first_s=FIRST_WAIT_S, asked_s=_asked_s(state))


def _asked_s(state: RetryCallState) -> float:
    """Return how long the server asked us to stay away."""
    error = state.outcome.exception() if state.outcome else None
    return error.wait_s if isinstance(error, Attempted) else 0.0


def _last(state: RetryCallState) -> bytes:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, Attempted):
        raise error.error from error
    raise AssertionError(f"nothing was retried: {error}")
