"""The server's socket: who fails before anything is served leaves none open."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from reimage.archive.server.listening import AddressTaken, bind, running


def n_sockets():
    """Count this process's open sockets."""
    opened = (one.readlink().name for one in Path("/proc/self/fd").iterdir() if one.is_symlink())
    return sum(name.startswith("socket:") for name in opened)


def no_application(base):
    raise RuntimeError(base)


def test_no_application_no_socket():
    before = n_sockets()
    with pytest.raises(RuntimeError) as kept, running(no_application):  # its frames live on with it
        pass
    assert (n_sockets(), "http://127.0.0.1:" in str(kept.value)) == (before, True)


def test_an_address_that_is_taken_leaves_nothing():
    with closing(bind()) as first:
        before = n_sockets()
        with pytest.raises(AddressTaken) as kept:
            bind(port=first.getsockname()[1])
        assert n_sockets() == before
    assert kept.value.evidence["port"] > 0
