"""The way to a host: `requests` says how it is reached (proxies, certificates), urllib3 has the connections.

What requests does besides with every answer (cookies, hooks, copies of headers) costs more than a small file
over a fast way, and we use none of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPResponse as Received
from typing import Any

from requests import PreparedRequest, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidURL
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from reimage.archive import chunks


class _Received(Received):
    """An answer that is read into our buffers, where a whole one is asked for."""

    def read1(self, n: int = -1) -> bytes:
        """Return what one call of the system brings: a view of a buffer of `chunks`, or bytes."""
        if n != chunks.CHUNK or self.chunked or self.fp is None:
            return super().read1(n)
        buffer = chunks.take()
        room = n if self.length is None else min(n, self.length)
        got = self.fp.readinto1(buffer[:room])
        if not got:
            chunks.give_back(buffer)
            return b""
        if self.length is not None:
            self.length -= got
        return buffer[:got]  # type: ignore[return-value]  # urllib3 asks for its length, and hands it on


class _Plain(HTTPConnection):
    response_class = _Received


class _Encrypted(HTTPSConnection):
    response_class = _Received


OURS: dict[type, type[HTTPConnection]] = {
    HTTPConnection: _Plain,
    HTTPSConnection: _Encrypted,
}
"""Ours in place of urllib3's; what goes through SOCKS stays as it is."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a host is reached."""

    pool: HTTPConnectionPool
    proxies: dict[str, str]
    adapter: HTTPAdapter

    def target(self, asked: PreparedRequest) -> str:
        """Return what is asked for: a path, or all of the URL where a proxy is asked."""
        return self.adapter.request_url(asked, self.proxies) if self.proxies else asked.path_url


class _Adapter(HTTPAdapter):
    """Finds connections, and hands them out."""

    def way(self, asked: PreparedRequest, url: str, found: Mapping[str, Any]) -> Way:
        """Return the way to the host of a request, by what the surroundings say of it."""
        verify, cert, proxies = found["verify"], found["cert"], dict(found["proxies"])
        pool = self.get_connection_with_tls_context(asked, verify, proxies, cert)
        if not isinstance(pool, HTTPConnectionPool):
            raise InvalidURL(f"no way to {url}")
        self.cert_verify(pool, url, verify, cert)  # type: ignore[no-untyped-call]
        pool.ConnectionCls = OURS.get(pool.ConnectionCls, pool.ConnectionCls)
        return Way(pool, proxies, self)


class Ways:
    """Ways to hosts; of one thread, with its own connections."""

    def __init__(self) -> None:
        self._session = Session()
        self._adapter = _Adapter(pool_maxsize=1)
        self._known: dict[str, Way] = {}

    def close(self) -> None:
        """Give the connections back."""
        self._adapter.close()
        self._session.close()

    def to(self, at: str, asked: PreparedRequest) -> Way:
        """Return the way to a host (scheme, name and port): what the surroundings say, asked once.

        Not netrc: credentials are only those that were given to us.

        Raises
        ------
        RequestException, LocationValueError, OSError
        """
        way = self._known.get(at)
        if way is None:
            url = asked.url or ""
            found = self._session.merge_environment_settings(url, {}, None, None, None)
            way = self._known[at] = self._adapter.way(asked, url, found)
        return way
