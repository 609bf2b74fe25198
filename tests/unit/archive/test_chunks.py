"""Buffers are used again, and never by two at once."""

from __future__ import annotations

import io
from http.client import HTTPResponse

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reimage.archive import chunks
from reimage.archive.chunks import CHUNK, KEPT
from reimage.archive.connecting import _Received


def memory(piece):
    return id(piece.obj)


def test_a_buffer_is_used_again():
    first = chunks.take()
    assert len(first) == CHUNK
    at = memory(first)
    chunks.give_back(first[:10])  # what arrived is rarely all of it
    assert at in {memory(chunks.take()) for _ in range(KEPT)}


def test_what_is_given_back_twice_is_a_bug_and_told():
    piece = chunks.take()
    chunks.give_back(piece)
    with pytest.raises(ValueError, match="released"):
        chunks.give_back(piece)


@pytest.mark.parametrize("other", [b"abc", memoryview(b"abc"), memoryview(bytearray(b"abc"))])
def test_what_is_none_of_ours_is_left_alone(other):
    chunks.give_back(other)
    assert all(len(chunks.take()) == CHUNK for _ in range(KEPT + 1))


def test_not_all_of_them_are_kept():
    for piece in [chunks.take() for _ in range(KEPT + 5)]:
        chunks.give_back(piece)
    held = [chunks.take() for _ in range(KEPT)]
    assert chunks._FREE.empty()
    del held


@given(steps=st.lists(st.booleans(), max_size=60))
def test_two_never_hold_the_same(steps):
    held = []
    for is_taken in steps:
        if is_taken or not held:
            held.append(chunks.take())
        else:
            chunks.give_back(held.pop())
        assert len({memory(piece) for piece in held}) == len(held)


class Wire:
    """A socket that has it all already, in pieces."""

    def __init__(self, data, pieces):
        self._stream = io.BufferedReader(Pieces(data, pieces), 64)

    def makefile(self, _mode):
        return self._stream


class Pieces(io.RawIOBase):
    def __init__(self, data, pieces):
        self._data, self._pieces = data, pieces

    def readable(self):
        return True

    def readinto(self, buffer):
        n_bytes = min(len(buffer), self._pieces.pop(0) if self._pieces else CHUNK)
        piece, self._data = self._data[:n_bytes], self._data[n_bytes:]
        buffer[: len(piece)] = piece
        return len(piece)


def answers(head, body, pieces, kind=_Received):
    response = kind(Wire(head + body, list(pieces)), method="GET")
    response.begin()
    return response


def all_of(response):
    came = b""
    while piece := response.read1(CHUNK):
        came += piece
        chunks.give_back(piece)
    return came


@settings(max_examples=50, deadline=None)
@given(
    n_bytes=st.integers(0, 3 * CHUNK),
    pieces=st.lists(st.integers(1, CHUNK + 5), max_size=20),
    more=st.binary(max_size=5),
    told=st.sampled_from(["length", "end", "chunked"]),
)
def test_an_answer_is_the_same_read_into_buffers(n_bytes, pieces, more, told):
    whole = bytes(range(251)) * (n_bytes // 251 + 1)
    whole = body = whole[:n_bytes]
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {n_bytes}\r\n\r\n".encode()
    if told == "end":  # then nothing else follows on this connection
        head = b"HTTP/1.0 200 OK\r\n\r\n"
    elif told == "chunked":
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        body = b"%x\r\n%s\r\n" % (n_bytes, body) if n_bytes else b""
        body += b"0\r\n\r\n"
    body += more if told == "length" else b""  # the next answer's
    assert all_of(answers(head, body, pieces)) == whole
    assert all_of(answers(head, body, pieces, HTTPResponse)) == whole
