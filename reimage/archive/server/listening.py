"""The server on its socket: in the foreground for people, in a thread for programs."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from reimage.archive.server.misbehaving import TRANSPORT
from reimage.errors import UsageError

LOOPBACK = "127.0.0.1"
BUFFER = 4 << 20
"""Bytes that the system takes from us at once: fewer turns of the loop for big files."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)
BACKLOG = 128
GRACE_S = 1
"""How long transfers under way may hold up the end."""


class AddressTaken(UsageError):
    """The server cannot listen where it was told to."""

    code = "archive-address-taken"
    hint = "Choose another --port; 0 takes a free one."


class Protocol(H11Protocol):
    """HTTP/1.1 that lets the application see the connection, so that it can cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note the connection (uvicorn's own method narrows its argument in the same way)."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, TRANSPORT: transport}


def bind(host: str = LOOPBACK, port: int = 0) -> socket.socket:
    """Return a bound socket; port 0 takes a free one.

    Raises
    ------
    AddressTaken
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        with ExitStack() as opened:
            bound = opened.enter_context(socket.socket(family, kind, protocol))
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
            bound.bind(address)
            bound.listen(BACKLOG)
            opened.pop_all()  # it is the caller's now
    except OSError as error:
        raise AddressTaken(
            f"cannot listen at {host}:{port}: {error.strerror}", evidence={"port": port}
        ) from error
    return bound


def address(bound: socket.socket, host: str = "") -> str:
    """Return the URL of a bound socket."""
    name, port = bound.getsockname()[:2]
    shown = host or name
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


class Server(uvicorn.Server):
    """Ends on SIGINT and SIGTERM, and lets its caller go on then."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals while the server runs; in a thread there are none to take."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {one: signal.signal(one, self.handle_exit) for one in SIGNALS}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)


def _server(app: FastAPI, **options: Any) -> Server:  # noqa: ANN401 -- uvicorn's own
    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        server_header=False,
        log_config=None,
        timeout_graceful_shutdown=GRACE_S,
        **options,
    )
    return Server(config)


def listen(app: FastAPI, bound: socket.socket, *, verbose: bool = False) -> None:
    """Answer requests until SIGINT or SIGTERM; ``verbose`` tells every request on stderr."""
    _log("uvicorn.access", logging.INFO)
    _log("uvicorn.error", logging.ERROR)
    _server(app, access_log=verbose, log_level="info").run(sockets=[bound])


def _log(name: str, level: int) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = logging.getLogger(name)
    logger.handlers, logger.propagate = [handler], False
    handler.setLevel(level)


@contextmanager
def running(make: Callable[[str], FastAPI], *, port: int = 0) -> Iterator[tuple[str, FastAPI]]:
    """Run an application on loopback in a thread; give its address and the application.

    Parameters
    ----------
    make
        Makes the application, given its address.
    """
    with closing(bind(port=port)) as bound:
        base = address(bound)
        app = make(base)
        server = _server(app, access_log=False, log_level="warning")
        work = threading.Thread(target=server.run, args=([bound],), name="archive", daemon=True)
        work.start()
        try:
            yield base, app
        finally:
            server.should_exit = True
            work.join()
