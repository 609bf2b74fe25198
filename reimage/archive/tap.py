"""Questions to an archive's TAP service: asked again while it is away, answered in rows.

pyvo tells a lost connection, a timeout and a page that is no VOTable by the same exception: what
happened is found in its cause.
"""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pyvo
import requests
import tenacity
import urllib3
from pyvo.dal.exceptions import (
    DALAccessError,
    DALFormatError,
    DALQueryError,
    DALRateLimitError,
    DALServiceError,
)

from reimage.archive import backoff
from reimage.archive.faults import (
    ArchiveAnswerMalformed,
    ArchiveNotPublic,
    ArchiveQueryRefused,
    ArchiveUnavailable,
)
from reimage.archive.tap_session import MOST_BYTES, TapSession, UnsoundAnswerError
from reimage.errors import ReimageError

Sleep = Callable[[float], None]
MALFORMED_ATTEMPTS = 3
"""An answer that cannot be read may have been cut: it is asked for again, so often in all."""
FIRST_WAIT_S = 0.5
SERVER_ERROR = 500
NOT_PUBLIC, GONE = (401, 403), (404, 410)
ENDED = ("COMPLETED", "ERROR", "ABORTED")
"""Phases that no job leaves."""
FIRST_POLL_S, LONGEST_POLL_S = 0.5, 20.0
"""A job's phase is looked at; after each time, half as long again is waited."""
TIMEOUTS = (408, 504)
"""Statuses by which a service, or what stands before it, gives up on a query."""
_SLOW = re.compile(
    r"time.?out|timed out|time limit|execution (time|duration)|took too long", re.IGNORECASE
)
_TROUBLE = (
    *(requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError),
    *(requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError),
    *(ConnectionError, TimeoutError),
)
"""What says that the connection failed."""


class QuerySlowError(Exception):
    """A query took longer than the service, or we, would wait: ask for less, or asynchronously."""


class _AwayError(Exception):
    """The service did not answer, or with an error of its own."""

    def __init__(self, why: str, wait_s: float | None = None) -> None:
        super().__init__(why)
        self.wait_s = wait_s


class _MalformedError(Exception):
    """The answer is no VOTable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Rows, as columns."""

    columns: Mapping[str, list[Any]]
    """By name, in lower case; None where there is no value."""
    is_cut: bool
    """There are more (OVERFLOW)."""

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def rows(self, names: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Yield each row, its columns renamed from the lower case."""
        chosen = [(names[name], values) for name, values in self.columns.items() if name in names]
        for values in zip(*(values for _, values in chosen), strict=True):
            yield {name: value for (name, _), value in zip(chosen, values, strict=True)}


class Tap:
    """An archive's TAP service.

    Parameters
    ----------
    address
        Of the archive (``https://almascience.eso.org``) or of its TAP service.
    patience_s
        How long a service that is away is waited for, and an asynchronous query.
    timeout_s
        How long one synchronous query may take; to the end of its answer, twice that.
    most_bytes
        Of one answer.
    told
        Gets why, each time before the service is waited for.
    sleep
        Of tests.
    """

    def __init__(
        self,
        address: str,
        *,
        patience_s: float = 900.0,
        timeout_s: float = 300.0,
        most_bytes: int = MOST_BYTES,
        told: Callable[[str], None] = lambda _: None,
        sleep: Sleep = time.sleep,
    ) -> None:
        base = address.rstrip("/")
        self.url = base if urlsplit(base).path.endswith("/tap") else f"{base}/tap"
        self._patience_s, self._told, self._sleep = patience_s, told, sleep
        self._service = pyvo.dal.TAPService(self.url, session=TapSession(timeout_s, most_bytes))

    def ask(self, query: str, *, most: int | None = None, is_async: bool = False) -> Answer:
        """Return the answer to an ADQL query.

        Raises
        ------
        QuerySlowError
            It took too long; never of an asynchronous one.
        ArchiveUnavailable, ArchiveNotPublic, ArchiveQueryRefused, ArchiveAnswerMalformed
        """
        asking = self._asynchronously if is_async else self._synchronously
        try:
            found: Answer = self._retrying()(lambda: _told(lambda: asking(query, most)))
        except _AwayError as error:
            raise ArchiveUnavailable(
                f"{self.url} does not answer: {error}",
                evidence={"url": self.url, "patience_s": self._patience_s},
            ) from error
        except _MalformedError as error:
            raise ArchiveAnswerMalformed(
                f"{self.url} gave an answer that is no table: {error}", evidence={"url": self.url}
            ) from error
        except QuerySlowError as error:
            if not is_async:
                raise
            raise ArchiveUnavailable(
                f"{self.url} gave up on a query: {error}", evidence={"url": self.url}
            ) from error
        except DALQueryError as error:
            raise ArchiveQueryRefused(
                f"{self.url} refused a query: {str(error)[:500]}",
                evidence={"url": self.url, "query": query[:1000]},
            ) from error
        return found

    def _retrying(self) -> tenacity.Retrying:
        given_up = tenacity.stop_after_delay(self._patience_s)

        def has_ended(state: tenacity.RetryCallState) -> bool:
            failure = state.outcome.exception() if state.outcome else None
            if isinstance(failure, _MalformedError):
                return state.attempt_number >= MALFORMED_ATTEMPTS
            return given_up(state)

        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type((_AwayError, _MalformedError)),
            stop=has_ended,
            wait=_wait,
            sleep=self._sleep,
            before_sleep=lambda state: self._told(str(state.outcome and state.outcome.exception())),
            reraise=True,
        )

    def _synchronously(self, query: str, most: int | None) -> Answer:
        return _answer(self._service.run_sync(query, maxrec=most))

    def _asynchronously(self, query: str, most: int | None) -> Answer:
        with self._service.submit_job(query, maxrec=most) as job:  # and the job is deleted
            job.run()
            self._await(job)
            job.raise_if_error()
            return _answer(job.fetch_result())

    def _await(self, job: Any) -> None:  # noqa: ANN401 -- pyvo is untyped
        """Wait until a job has ended; pyvo's own wait has no end for one that never does."""
        until, wait_s = time.monotonic() + self._patience_s, FIRST_POLL_S
        while (phase := job.phase) not in ENDED:
            left_s = until - time.monotonic()
            if left_s <= 0:
                raise QuerySlowError(f"its job is {phase} after {self._patience_s:g} s")
            self._sleep(min(wait_s, left_s))
            wait_s = min(1.5 * wait_s, LONGEST_POLL_S)


def _wait(state: tenacity.RetryCallState) -> float:
    """Return how long to wait: longer each time, never all at once, or as the service says."""
    failure = state.outcome.exception() if state.outcome else None
    asked_s = failure.wait_s or 0.0 if isinstance(failure, _AwayError) else 0.0
    return backoff.wait_s(
        state.attempt_number, first_s=FIRST_WAIT_S, asked_s=min(asked_s, backoff.LONGEST_S)
    )


def _told(ask: Callable[[], Answer]) -> Answer:
    """Ask, and tell by our own exceptions what pyvo's mean."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # an archive's VOTables break rules that matter to nobody
            return ask()
    except DALQueryError as error:
        if _SLOW.search(str(error)):
            raise QuerySlowError(str(error)[:200]) from error
        raise
    except DALRateLimitError as error:
        wait_s = error.retry_after_seconds
        raise _AwayError(str(error), None if wait_s is None else float(wait_s)) from error
    except DALServiceError as error:
        raise _of_service(error) from error
    except (DALAccessError, requests.RequestException) as error:
        raise _of_cause(error) from error
    except (ReimageError, QuerySlowError):
        raise
    except Exception as error:  # pyvo and astropy raise anything at what they cannot read
        raise _MalformedError(f"{type(error).__name__}: {_shortly(error)}") from error


def _of_service(error: DALServiceError) -> Exception:
    if error.code in TIMEOUTS or isinstance(error.cause, requests.ReadTimeout):
        return QuerySlowError(str(error)[:300])
    if error.code in NOT_PUBLIC:
        return ArchiveNotPublic(
            f"{error.url} does not let us ask ({error.code})",
            hint="The listing of a public archive needs no credentials: is the address right?",
            evidence={"url": error.url, "status": error.code},
        )
    if error.code in GONE:
        return ArchiveAnswerMalformed(
            f"{error.url}: there is no such service ({error.code})",
            evidence={"url": error.url, "status": error.code},
        )
    if error.code and error.code < SERVER_ERROR:
        return _MalformedError(f"status {error.code}")
    return _AwayError(_shortly(error)) if error.code else _of_cause(error)


def _of_cause(error: Exception) -> Exception:
    cause = error if isinstance(error, requests.RequestException) else getattr(error, "cause", None)
    # What an exception of the transport wraps is among its arguments.
    inner = [cause, *getattr(cause, "args", ())]
    if isinstance(cause, UnsoundAnswerError):
        return _MalformedError(str(cause)[:200])
    if any(
        isinstance(one, (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError))
        for one in inner
    ):
        return QuerySlowError(str(error)[:300])
    if isinstance(cause, _TROUBLE):
        return _AwayError(_shortly(error))
    if isinstance(error, DALFormatError | DALServiceError):
        return _MalformedError(" ".join(str(error).split())[:200])
    return _AwayError(_shortly(error))


def _shortly(error: Exception) -> str:
    """Return what an error says, without the shells that libraries put around it."""
    found = re.search(r"\[Errno -?\d+\] ([^'\")]+)", str(error))
    return found[1] if found else " ".join(str(error).split())[:300]


def _answer(result: Any) -> Answer:  # noqa: ANN401 -- pyvo is untyped
    table = result.resultstable
    columns = {
        field.name.lower(): _plain(table.array[field.ID or field.name]) for field in table.fields
    }
    return Answer(columns=columns, is_cut=str(result.query_status).upper() == "OVERFLOW")


def _plain(values: Any) -> list[Any]:  # noqa: ANN401 -- a masked array
    """Return a column as Python values, None where it is masked."""
    found: list[Any] = values.tolist()
    return [
        value.decode(errors="replace") if isinstance(value, bytes) else value for value in found
    ]
