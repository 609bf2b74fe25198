"""Requests to a TAP service: each within a time, each answer within a size and sound, before pyvo reads it.

pyvo reads straight from the connection, and follows what an answer names.  Here an answer is read
whole first: a server that drips bytes, sends them without end, or sends a table that would open
other addresses or fill the memory, gets no further.
"""

from __future__ import annotations

import io
import time
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

import reimage
from reimage.archive.deadline import DeadlineError, within
from reimage.archive.votable_in import UnsoundTableError, require_sound

CONNECT_S = 20.0
MOST_BYTES = 256 << 20
"""Of one answer: four times what the most rows that are asked for take."""
WHOLE = 2
"""An answer may take so many times as long as its first byte."""
CHUNK = 1 << 16
_ERROR = 400


class UnsoundAnswerError(requests.RequestException):
    """An answer is no table that can be read without danger."""


class TapSession(requests.Session):
    """Says who we are; proxies and certificates are the surroundings', credentials are not.

    Parameters
    ----------
    timeout_s
        How long the first byte of an answer is waited for; the whole answer may take twice that.
    most_bytes
        Of an answer.
    """

    def __init__(self, timeout_s: float, most_bytes: int = MOST_BYTES) -> None:
        super().__init__()
        self._timeout_s = timeout_s
        self.trust_env = False  # no netrc
        self.headers["User-Agent"] = f"reimage/{reimage.__version__} (IVOA-copy)"
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(most_bytes))

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:  # noqa: ANN401 -- as requests has it
        """Ask, never without a timeout: pyvo itself sets none."""
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = self._timeout_s
        return super().request(*args, **kwargs)

    def merge_environment_settings(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 -- as requests has it
        """Return proxies and certificates, as the surroundings have them."""
        self.trust_env = True
        try:
            return super().merge_environment_settings(*args, **kwargs)
        finally:
            self.trust_env = False


class _Adapter(HTTPAdapter):
    """Gives answers that were read to their end."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        super().__init__()

    def send(
        self,
        request: requests.PreparedRequest,
        *args: Any,  # noqa: ANN401 -- as requests has it
        **kwargs: Any,  # noqa: ANN401 -- as requests has it
    ) -> requests.Response:
        """Send, and read the answer; redirects pass here, too."""
        timeout: float = kwargs["timeout"]  # requests names it, our session gives it
        until = time.monotonic() + WHOLE * timeout
        options = {**kwargs, "stream": True, "timeout": (min(CONNECT_S, timeout), timeout)}

        def ask() -> requests.Response:
            response = super(_Adapter, self).send(request, *args, **options)
            try:
                content = self._content(response, until)
            finally:
                response.close()
            return _whole(request, response, content, self._most_bytes)

        try:
            return within(WHOLE * timeout, ask)
        except DeadlineError as error:
            raise _slow(request) from error

    def _content(self, response: requests.Response, until: float) -> bytes:
        content = bytearray()
        try:
            while chunk := response.raw.read1(CHUNK, decode_content=True):
                content += chunk
                if len(content) > self._most_bytes:
                    raise UnsoundAnswerError(f"more than {self._most_bytes} bytes")
                if time.monotonic() > until:
                    raise _slow(response.request)
        except urllib3.exceptions.ReadTimeoutError as error:
            raise requests.ReadTimeout(str(error)) from error
        except urllib3.exceptions.DecodeError as error:
            raise UnsoundAnswerError(f"its encoding is broken: {error}") from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            if isinstance(error, requests.RequestException):
                raise
            raise requests.ConnectionError(error) from error
        return bytes(content)


class _Read(io.BytesIO):
    """A body that was read, where pyvo and requests expect a connection."""

    _original_response: object = None

    def read(self, amt: int | None = -1, decode_content: bool | None = None) -> bytes:  # noqa: ARG002, FBT001 -- as urllib3 has it
        return super().read(amt)

    def release_conn(self) -> None:
        """Do nothing: the connection was given back."""


def _whole(
    request: requests.PreparedRequest,
    response: requests.Response,
    content: bytes,
    most_bytes: int,
) -> requests.Response:
    """Put what was read, if it is sound, in place of the connection."""
    is_read_by_pyvo = request.method == "GET" or not (request.url or "").endswith("/phase")
    if content.strip() and is_read_by_pyvo:
        try:
            require_sound(content, most_bytes)
        except UnsoundTableError as error:
            if response.status_code < _ERROR:
                raise UnsoundAnswerError(str(error), request=request) from error
            content = b""  # an error page: its status says enough
    read = _Read(content)
    read._original_response = getattr(response.raw, "_original_response", None)  # noqa: SLF001 -- cookies are there
    response.raw = read
    response._content = content  # noqa: SLF001 -- as requests itself does
    response._content_consumed = True  # type: ignore[attr-defined] # noqa: SLF001 -- as requests itself does
    return response


def _slow(request: requests.PreparedRequest) -> requests.ReadTimeout:
    return requests.ReadTimeout("the answer did not end in time", request=request)
