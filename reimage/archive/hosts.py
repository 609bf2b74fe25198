"""Which hosts are the archive's own: they get credentials, replace each other, may redirect to each other."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from functools import lru_cache
from urllib.parse import urljoin, urlsplit, urlunsplit

from reimage.archive.faults import ArchiveAnswerMalformed, ArchiveRedirects
from reimage.credentials import Secrets

FAMILIES: tuple[frozenset[str], ...] = (
    frozenset(
        {
            "https://almascience.org",
            "https://www.almascience.org",
            "https://almascience.eso.org",
            "https://almascience.nrao.edu",
            "https://almascience.nao.ac.jp",
        }
    ),
)
"""Doors of one archive, which send us to each other."""
_SHOWN = 300


@lru_cache(maxsize=1024)
def origin(url: str) -> str:
    """Return scheme, host and port of an URL, in one spelling; what a URL lacks is empty."""
    parts = urlsplit(url)
    host, port = (parts.hostname or "").lower(), parts.port
    named = "" if port in {None, {"http": 80, "https": 443}.get(parts.scheme)} else f":{port}"
    return f"{parts.scheme.lower()}://{host}{named}"


def require_address(url: str) -> None:
    """Refuse what no host can be read from: brackets that do not close, a port that is none.

    Raises
    ------
    ArchiveAnswerMalformed
    """
    try:
        origin(url)
    except ValueError as error:
        shown = url[:_SHOWN]
        raise ArchiveAnswerMalformed(
            f"the archive lists an address that is none: {shown!r}", evidence={"url": shown}
        ) from error


class Hosts:
    """The archive's own hosts: the one that was configured, its mirrors, and their family."""

    def __init__(self, home: str, mirrors: Sequence[str], secrets: Secrets) -> None:
        self._mirrors = tuple(dict.fromkeys(origin(url) for url in mirrors))
        own = {origin(url) for url in (home, *mirrors) if url}
        self._own = frozenset(own.union(*(family for family in FAMILIES if family & own)))
        self._headers = _authorization(secrets)

    def is_own(self, url: str) -> bool:
        """Whether an URL is on one of the archive's own hosts, by the same scheme and port."""
        return origin(url) in self._own

    def sources(self, url: str) -> tuple[str, ...]:
        """Return where a file can be had: as listed, then on each mirror, only the host replaced.

        What the archive lists elsewhere is only there.
        """
        if not self.is_own(url):
            return (url,)
        rest = urlsplit(url)
        others = (mirror for mirror in self._mirrors if mirror != origin(url))
        return (url, *(urlunsplit((*urlsplit(base)[:2], *rest[2:])) for base in others))

    def headers(self, url: str) -> Mapping[str, str]:
        """Return what tells a host who we are: nothing, if it is not the archive's own."""
        return self._headers if self.is_own(url) else {}

    def redirected(self, url: str, location: str) -> str:
        """Return the absolute URL of a redirect.

        Raises
        ------
        ArchiveRedirects
            It leaves the hosts that we know, or encryption.
        """
        target = urljoin(url, location)
        if origin(target) == origin(url) or (
            self.is_own(target) and not (_is_encrypted(url) and not _is_encrypted(target))
        ):
            return target
        raise ArchiveRedirects(
            f"{origin(url)} sends us to {origin(target)}, which is not the archive's",
            evidence={"url": url, "location": target},
        )


def _is_encrypted(url: str) -> bool:
    return urlsplit(url).scheme.lower() == "https"


def _authorization(secrets: Secrets) -> Mapping[str, str]:
    if secrets.token is not None:
        return {"Authorization": f"Bearer {secrets.token.get_secret_value()}"}
    if secrets.user and secrets.password is not None:
        pair = f"{secrets.user}:{secrets.password.get_secret_value()}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"}
    return {}
