"""Transfers of several processes that share a cache: together they are as polite as one."""

from __future__ import annotations

import threading
import time

import fetching
import pytest
from fetching import RAW
from making import MOUS
from serving import served

from reimage.archive.download import Transfers
from reimage.archive.remote import RemoteArchive
from reimage.archive.slots import FOLDER, Slots
from reimage.credentials import Secrets
from reimage.run import Transfer


@pytest.mark.parametrize("has_cache", [True, False])
def test_a_host_that_others_are_talking_to_is_waited_for(tmp_path, has_cache):
    cache = tmp_path / "cache"
    transfer = Transfer(connections=2, cache=str(cache) if has_cache else "", cache_bytes=10**9)
    with served(fetching.archive(tmp_path / "archive")) as base:
        files = RemoteArchive(base, transfer, Secrets()).files(MOUS)
        raw = [one for one in files if one.name == RAW]
        transfers = Transfers(transfer, Secrets(), home=base)
        came = []

        def fetch():
            came.extend(transfers.fetch_all(raw, tmp_path / "x", lambda *_: None, dataset=MOUS))

        thread = threading.Thread(target=fetch)
        others = [Slots(cache / FOLDER, 2, threading.Event().wait) for _ in range(2)]
        with others[0].inside(base), others[1].inside(base):
            thread.start()
            if not has_cache:  # each process has limits of its own
                thread.join()
            time.sleep(0.5)
            assert base.mischief.n_requests("dataPortal/*") == len(came)
            assert bool(came) is not has_cache
        thread.join()
    assert [one.file.name for one in came] == [RAW]
