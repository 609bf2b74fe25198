"""Memory for what arrives: a few buffers, used again and again.

New memory for each piece costs nearly as much as receiving it: the system has to empty every page of it first.
`take` one, `give_back` it when it is written and hashed; one that is forgotten is only lost.
"""

from __future__ import annotations

from queue import Empty, SimpleQueue

CHUNK = 1 << 20
"""Bytes of a buffer: as much as one call of the system brings on a fast way."""
KEPT = 16
"""Buffers that stay for the next transfer."""
Piece = bytes | memoryview
"""What arrived: a view of one of our buffers, or bytes of its own."""
_FREE: SimpleQueue[bytearray] = SimpleQueue()


def take() -> memoryview:
    """Return a buffer of `CHUNK` bytes, with whatever was in it before."""
    try:
        return memoryview(_FREE.get_nowait())
    except Empty:
        return memoryview(bytearray(CHUNK))


def give_back(piece: Piece) -> None:
    """Let a buffer be filled with something else; what is none of ours is left alone.

    Raises
    ------
    ValueError
        It was given back before: two would fill it.
    """
    if isinstance(piece, memoryview) and isinstance(piece.obj, bytearray):
        buffer = piece.obj
        piece.release()
        if len(buffer) == CHUNK and _FREE.qsize() < KEPT:
            _FREE.put(buffer)
