"""One GET: who we are, redirects, and what an answer without the file means."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from requests import PreparedRequest
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema, RequestException
from requests.utils import default_user_agent
from urllib3 import BaseHTTPResponse, Timeout
from urllib3.exceptions import (
    HTTPError,
    LocationValueError,
    NewConnectionError,
    SSLError,
)
from urllib3.exceptions import TimeoutError as Late

from reimage import __version__
from reimage.archive import verify
from reimage.archive.connecting import Ways
from reimage.archive.failed import Absent, Away, Wrong
from reimage.archive.faults import (
    ArchiveFileMissing,
    ArchiveNotPublic,
    ArchiveRedirects,
    ArchiveUnavailable,
)
from reimage.archive.hosts import Hosts, origin

USER_AGENT = f"reimage/{__version__} ({default_user_agent()})"
WHO_WE_ARE = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
"""Identity: what is compressed on the way has neither the length nor the ranges of the file."""
MOST_REDIRECTS = 10
CONNECT_S = 30.0
PAGE_BYTES = 1 << 14
REDIRECTS = frozenset({301, 302, 303, 307, 308})
NOT_PUBLIC = frozenset({401, 403})
GONE = frozenset({404, 410})
LATER = frozenset({202, 408, 425, 429})
"""Not now; with every status from 500 on.  202: a file is being brought from a tape."""
SERVER_ERRORS = 500
OURS = (InvalidURL, InvalidSchema, MissingSchema, LocationValueError, SSLError)
"""Asking again does not help: an address that is none, a certificate that is not the host's."""


class Requester:
    """Asks for URLs; of one thread, with its own connections."""

    def __init__(self, hosts: Hosts, stall_s: float) -> None:
        self._hosts, self._stall_s = hosts, stall_s
        self._timeout = Timeout(connect=min(CONNECT_S, stall_s), read=stall_s)
        self._ways = Ways()

    def close(self) -> None:
        """Give the connections back."""
        self._ways.close()

    def get(self, url: str, headers: Mapping[str, str]) -> BaseHTTPResponse:
        """Return an answer (200, 206 or 416) whose body is still to be read.

        Raises
        ------
        Away, Wrong, Absent
        ArchiveNotPublic
        """
        seen = {url}
        for _ in range(MOST_REDIRECTS):
            response = self._send(url, headers)
            if response.status not in REDIRECTS:
                return self._require(response, url)
            location = response.headers.get("Location", "")
            response.close()  # its body, which may have no end, is not read
            url = self._redirected(url, location)
            if url in seen:
                break
            seen.add(url)
        raise Wrong(
            ArchiveRedirects(
                f"{origin(url)} sends us in circles",
                hint="It may be about permission: is the dataset public?",
                evidence={"url": url, "redirects": len(seen)},
            )
        )

    def _redirected(self, url: str, location: str) -> str:
        try:
            return self._hosts.redirected(url, location)
        except ArchiveRedirects as error:
            raise Wrong(error) from error
        except ValueError as error:  # no URL at all
            raise Wrong(
                ArchiveRedirects(
                    f"{origin(url)} sends us to {location!r}",
                    evidence={"url": url, "location": location},
                )
            ) from error

    def _send(self, url: str, headers: Mapping[str, str]) -> BaseHTTPResponse:
        try:
            asked = PreparedRequest()
            asked.prepare_url(url, None)
            way = self._ways.to(origin(url), asked)
            return way.pool.urlopen(
                "GET",
                way.target(asked),
                headers={**WHO_WE_ARE, **headers, **self._hosts.headers(url)},
                timeout=self._timeout,
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                decode_content=False,
            )
        except OURS as error:
            raise Wrong(_unavailable(url, f"cannot be asked: {error}")) from error
        except NewConnectionError as error:
            raise Away(_unavailable(url, f"cannot be reached: {_cause(error)}")) from error
        except Late as error:
            raise Away(_unavailable(url, f"did not answer within {self._stall_s:g} s")) from error
        except (HTTPError, RequestException, OSError) as error:
            raise Away(_unavailable(url, f"cannot be reached: {_cause(error)}")) from error
        except ValueError:  # its words quote the header: who we are
            told = "cannot be asked: a header of ours cannot be sent"
            raise Wrong(_unavailable(url, told)) from None

    def _require(self, response: BaseHTTPResponse, url: str) -> BaseHTTPResponse:
        status = response.status
        if status in {200, 206, 416}:
            return response
        try:
            evidence = {"url": url, "status": status, "text": _text(response)}
            if status in NOT_PUBLIC:
                raise ArchiveNotPublic(
                    f"{origin(url)} does not give it to us ({status})", evidence=evidence
                )
            if status in GONE:
                raise Absent(
                    ArchiveFileMissing(
                        f"{origin(url)} lists it and does not have it ({status})",
                        evidence=evidence,
                    )
                )
            failed = Away if status in LATER or status >= SERVER_ERRORS else Wrong
            raise failed(
                ArchiveUnavailable(f"{origin(url)} answers with {status}", evidence=evidence),
                wait_s=retry_after_s(response.headers.get("Retry-After", "")),
            )
        finally:
            response.close()


def retry_after_s(text: str) -> float:
    """Return the seconds of a Retry-After header, which may be a date; 0 where it says nothing."""
    seconds = verify.number(text)
    if seconds is not None:
        return float(seconds)
    try:
        at = parsedate_to_datetime(text)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return max(at.timestamp() - time.time(), 0.0)
    except (ValueError, TypeError, LookupError, OverflowError):  # as strange as it likes
        return 0.0


def _text(response: BaseHTTPResponse) -> str:
    try:
        return verify.page_text(response.read1(PAGE_BYTES, decode_content=True) or b"")
    except Exception:  # noqa: BLE001 -- an error's text is welcome and not needed
        return ""


def _unavailable(url: str, told: str) -> ArchiveUnavailable:
    return ArchiveUnavailable(f"{origin(url)} {told}", evidence={"url": url})


def _cause(error: BaseException) -> str:
    """Return the system's word for it, which the libraries wrap several times."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.strerror:
            return seen.strerror
        seen = seen.__cause__ or seen.__context__
    return type(error).__name__
