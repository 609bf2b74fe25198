"""One GET: who we are, redirects, and what an answer without the file means."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import (
    InvalidHeader,
    InvalidSchema,
    InvalidURL,
    MissingSchema,
    RequestException,
    SSLError,
    Timeout,
)

from reimage import __version__
from reimage.archive import verify
from reimage.archive.failed import Absent, Away, Wrong
from reimage.archive.faults import (
    ArchiveFileMissing,
    ArchiveNotPublic,
    ArchiveRedirects,
    ArchiveUnavailable,
)
from reimage.archive.hosts import Hosts, origin

USER_AGENT = f"reimage/{__version__} ({requests.utils.default_user_agent()})"
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
OURS = (InvalidURL, InvalidSchema, MissingSchema, SSLError)
"""Asking again does not help: an address that is none, a certificate that is not the host's."""


class _Session(requests.Session):
    """Follows nothing: a redirect's body, which may have no end, is not read."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        del resp


class Requester:
    """Asks for URLs; of one thread, with its own connections."""

    def __init__(self, hosts: Hosts, stall_s: float) -> None:
        self._hosts, self._timeout = hosts, (min(CONNECT_S, stall_s), stall_s)
        self._session = _Session()
        self._session.trust_env = False
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=1))
        self._surroundings: dict[str, dict[str, Any]] = {}

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def get(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        """Return an answer (200, 206 or 416) whose body is still to be read.

        Raises
        ------
        Away, Wrong, Absent
        ArchiveNotPublic
        """
        seen = {url}
        for _ in range(MOST_REDIRECTS):
            response = self._send(url, headers)
            if response.status_code not in REDIRECTS:
                return self._require(response, url)
            location = response.headers.get("Location", "")
            response.close()
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

    def _send(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        try:
            said = {**WHO_WE_ARE, **headers, **self._hosts.headers(url)}
            asked = requests.Request("GET", url, headers=said).prepare()
            return self._session.send(
                asked, stream=True, allow_redirects=False, timeout=self._timeout, **self._at(url)
            )
        except (InvalidHeader, UnicodeError):  # their words quote the header: who we are
            told = "cannot be asked: a header of ours cannot be sent"
            raise Wrong(_unavailable(url, told)) from None
        except OURS as error:
            raise Wrong(_unavailable(url, f"cannot be asked: {error}")) from error
        except Timeout as error:
            told = f"did not answer within {self._timeout[1]:g} s"
            raise Away(_unavailable(url, told)) from error
        except (RequestException, OSError) as error:
            raise Away(_unavailable(url, f"cannot be reached: {_cause(error)}")) from error

    def _at(self, url: str) -> dict[str, Any]:
        """Return proxies and certificates of a host: what the surroundings say, asked once.

        Not netrc: credentials are only those that were given to us.
        """
        at = origin(url)
        if at not in self._surroundings:
            self._session.trust_env = True
            found = self._session.merge_environment_settings(url, {}, None, None, None)
            self._session.trust_env = False
            self._surroundings[at] = {key: found[key] for key in ("proxies", "verify", "cert")}
        return self._surroundings[at]

    def _require(self, response: requests.Response, url: str) -> requests.Response:
        status = response.status_code
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


def _text(response: requests.Response) -> str:
    try:
        return verify.page_text(response.raw.read1(PAGE_BYTES) or b"")
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
