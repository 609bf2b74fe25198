"""Who a process is."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from reimage import identity
from reimage.identity import Identity


def test_this_process_is_alive_and_another_of_its_pid_is_not():
    own = identity.of_self()
    assert own.is_alive() is True
    assert Identity.parse(str(own)) == own
    assert dataclasses.replace(own, start=own.start + 1).is_alive() is False
    assert dataclasses.replace(own, boot_id="another").is_alive() is False
    assert dataclasses.replace(own, host="elsewhere").is_alive() is None


def test_a_zombie_does_not_run():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    who = identity.of_process(child.pid)
    assert who is not None
    child.communicate(b"\n")  # waits, and so reaps
    assert identity.of_process(child.pid) is None
    assert who.is_alive() is False


@given(st.text(min_size=1), st.text(alphabet="0123456789abcdef-"), st.integers(0), st.integers(0))
def test_the_written_form_reads_back(host, boot, pid, start):
    who = Identity(host, boot, pid, start)
    assert Identity.parse(str(who)) == who


@given(st.text())
def test_what_is_none_is_none(text):
    assert Identity.parse(text) is None or text.count(":") >= 3
